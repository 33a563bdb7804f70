//! Who may send to a replica, and what a replica itself has to be allowed.

use gwlock_testkit::{ControlPlane, User, control_plane};
use http::{Method, Request};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::exchange::{Answer, exchange};
use crate::serve::{ROUTE, Replica, World, until, webhook};

/// What a replica needs besides leases.
fn without_leases() -> Vec<Value> {
    let rule = |group: &str, resources: &[&str], verbs: &[&str]| json!({"apiGroups": [group], "resources": resources, "verbs": verbs});
    vec![
        rule("", &["pods", "namespaces"], &["get"]),
        rule(
            "kubernaut.ai",
            &["remediationrequests"],
            &["list", "get", "create"],
        ),
        rule("kubernaut.ai", &["remediationrequests/status"], &["patch"]),
    ]
}

fn leases() -> Value {
    json!({
        "apiGroups": ["coordination.k8s.io"], "resources": ["leases"],
        "verbs": ["create", "get", "update", "delete"],
    })
}

/// Gives a user exactly these rules in the namespace, and waits until the last one counts: the authoriser hears of
/// roles by a watch.
async fn allow(world: &World, user: User, rules: &[Value]) {
    let namespace = &world.namespace;
    let name = user.name();
    let rbac = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}");
    let role = json!({"metadata": {"name": name}, "rules": rules});
    let binding = json!({
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name}],
    });
    let known = format!("{rbac}/roles/{name}");
    let get = Request::get(&known).body(Vec::new()).unwrap();
    if world.client.request::<Value>(get).await.is_ok() {
        world.call(Method::PATCH, &known, &role).await;
    } else {
        world
            .call(Method::POST, &format!("{rbac}/roles"), &role)
            .await;
        world
            .call(Method::POST, &format!("{rbac}/rolebindings"), &binding)
            .await;
    }
    let last = &rules.last().unwrap();
    let resource = last["resources"][0].as_str().unwrap();
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let review = json!({"spec": {"user": name, "resourceAttributes": {
        "namespace": namespace, "verb": last["verbs"][0], "group": last["apiGroups"][0], "resource": resource,
        "subresource": subresource, "name": last["resourceNames"][0],
    }}});
    until("the role counts", async || {
        let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
        let answer = world.call(Method::POST, path, &review).await;
        answer["status"]["allowed"] == true
    })
    .await;
}

async fn send_with(replica: &Replica, world: &World, authorization: Option<&str>) -> Answer {
    let mut request = Request::post(format!("{}{ROUTE}", replica.url));
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    let body = webhook(&[world.alert("HighCPU", "api")]);
    let request = request.header("content-type", "application/json");
    exchange(request.body(Full::new(body)).unwrap())
        .await
        .unwrap()
}

/// Tokens that are missing, malformed, unknown, without the right, and with it: asked of the server's own TokenReview
/// and SubjectAccessReview.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_needs_a_token_that_the_cluster_knows_and_the_right_to_send() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let sender = json!({
        "apiGroups": [""], "resources": ["services"], "resourceNames": ["gateway-service"], "verbs": ["create"],
    });
    allow(&world, User::Viewer, &[sender]).await;
    let replica = world.start("a", world.kubeconfig.path(), &["--auth", "token"]);
    let bearer = |user: User| format!("Bearer {}", user.token());
    let stranger = format!(
        "stranger may not create services/gateway-service in namespace {}",
        world.namespace
    );
    for (authorization, status, detail) in [
        (None, 401, "there is no Authorization header"),
        (
            Some("Basic dXNlcjpwYXNz".to_owned()),
            401,
            "the Authorization header is no Bearer token",
        ),
        (
            Some("Bearer ".to_owned()),
            401,
            "the Authorization header is no Bearer token",
        ),
        (
            Some("Bearer nobody's".to_owned()),
            401,
            "the token is not valid",
        ),
        (Some(bearer(User::Stranger)), 403, stranger.as_str()),
    ] {
        let answer = send_with(&replica, &world, authorization.as_deref()).await;
        assert_eq!(answer.status, status, "{authorization:?}: {answer:?}");
        assert_eq!(answer.body["detail"], detail);
        assert_eq!(answer.body["type"], "about:blank");
    }
    assert_eq!(world.requests().await, [] as [Value; 0]);
    assert_eq!(world.leases().await, 0);
    for (user, status) in [(User::Viewer, 201), (User::Admin, 202)] {
        let answer = send_with(&replica, &world, Some(&bearer(user))).await;
        assert_eq!(answer.status, status, "{user:?}: {answer:?}");
    }
    assert_eq!(world.counts().await, [2]);
}

fn replica_of(world: &World, control_plane: &ControlPlane, user: User) -> Replica {
    let kubeconfig = control_plane.kubeconfig(user, &world.namespace).unwrap();
    // It has been read when the replica serves.
    world.start("a", kubeconfig.path(), &["--auth", "none"])
}

/// A role without leases fails every new signal and names the rule; with the four verbs, and no more, it works.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_without_leases_fails_with_the_rule_and_the_four_verbs_suffice() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    allow(&world, User::Gateway, &without_leases()).await;
    let replica = replica_of(&world, control_plane, User::Gateway);
    let alert = world.alert("HighCPU", "api");
    let refused = replica.alert(&alert).await;
    assert_eq!(refused.status, 500, "{refused:?}");
    assert_eq!(
        refused.body["missing_rule"],
        json!({"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]})
    );
    let rule = "the role lacks the rule \
                {apiGroups: [\"coordination.k8s.io\"], resources: [\"leases\"], verbs: [\"create\"]}";
    replica.until_it_says(&["forbidden", "leases", rule]).await;
    assert_eq!(world.requests().await, [] as [Value; 0]);

    let mut rules = without_leases();
    rules.push(leases());
    allow(&world, User::Gateway, &rules).await;
    assert_eq!(replica.alert(&alert).await.status, 201);
    assert_eq!(replica.alert(&alert).await.status, 202);
    world.until_no_lease_is_left().await;
    assert_eq!(world.counts().await, [2]);
}

/// A role that may not write the status fails the signal instead of losing its count, and names the rule. Once it may,
/// the signal that is sent again is the first to be counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_may_not_count_fails_the_signal_and_names_the_rule() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let mut rules = without_leases();
    let status = rules.pop().unwrap();
    rules.push(leases());
    allow(&world, User::Operator, &rules).await;
    let replica = replica_of(&world, control_plane, User::Operator);
    let alert = world.alert("HighCPU", "api");
    let rule = json!({
        "apiGroups": ["kubernaut.ai"], "resources": ["remediationrequests/status"], "verbs": ["patch"],
    });
    for _ in 0..2 {
        let refused = replica.alert(&alert).await;
        assert_eq!(refused.status, 500, "{refused:?}");
        assert_eq!(refused.body["missing_rule"], rule);
    }
    let words = "cannot patch resource \"remediationrequests/status\"";
    replica.until_it_says(&[words]).await;
    assert_eq!(world.counts().await, [0], "nothing was answered");
    world.until_no_lease_is_left().await;

    rules.push(status);
    allow(&world, User::Operator, &rules).await;
    let answer = replica.alert(&alert).await;
    assert_eq!(
        (answer.status, &answer.body["metadata"]["count"]),
        (202, &json!(1))
    );
    assert_eq!(world.counts().await, [1]);
}
