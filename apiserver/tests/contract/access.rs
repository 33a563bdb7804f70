//! Who may do what, and what the reviews say of it.

use http::Method;
use serde_json::{Value, json};

use crate::server::Server;

crate::contract!(
    a_user_without_rights_is_forbidden_in_so_many_words,
    a_token_that_nobody_has_is_unauthorized,
    a_role_allows_what_it_names_in_its_namespace,
    reviews_answer_as_requests_would_be,
    one_can_ask_who_one_is,
);

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces";

async fn grant(server: &Server, verbs: &[&str]) {
    let rbac = format!(
        "/apis/rbac.authorization.k8s.io/v1/namespaces/{}",
        server.namespace
    );
    let rules =
        json!([{"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": verbs}]);
    let role = json!({"metadata": {"name": "lock"}, "rules": rules});
    assert_eq!(server.post(&format!("{rbac}/roles"), role).await.code, 201);
    let binding = json!({
        "metadata": {"name": "lock"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "lock"},
        "subjects": [{"kind": "User", "name": "gateway", "apiGroup": "rbac.authorization.k8s.io"}]
    });
    assert_eq!(
        server
            .post(&format!("{rbac}/rolebindings"), binding)
            .await
            .code,
        201
    );
}

/// A real server's authorizer learns of a new binding through its own watch.
async fn until_allowed(server: &Server, path: &str) {
    for _ in 0..10_000 {
        if server
            .ask_as_gateway(Method::GET, path, &[], Value::Null)
            .await
            .code
            != 403
        {
            return;
        }
    }
    panic!("the binding has no effect");
}

async fn a_user_without_rights_is_forbidden_in_so_many_words(server: &Server) {
    let namespace = &server.namespace;
    let refused = server
        .ask_as_gateway(Method::GET, &server.leases("/x1"), &[], Value::Null)
        .await;
    let expected = format!(
        "leases.coordination.k8s.io \"x1\" is forbidden: User \"gateway\" cannot get resource \"leases\" in API group \
         \"coordination.k8s.io\" in the namespace \"{namespace}\""
    );
    assert_eq!(refused.failure(), (403, "Forbidden", expected.as_str()));
    assert_eq!(
        refused.body["details"],
        json!({"name": "x1", "group": "coordination.k8s.io", "kind": "leases"})
    );
    let refused = server
        .ask_as_gateway(
            Method::POST,
            &server.leases(""),
            &[],
            json!({"metadata": {"name": "x1"}}),
        )
        .await;
    let expected = format!(
        "leases.coordination.k8s.io is forbidden: User \"gateway\" cannot create resource \"leases\" in API group \
         \"coordination.k8s.io\" in the namespace \"{namespace}\""
    );
    assert_eq!(refused.failure(), (403, "Forbidden", expected.as_str()));
    let refused = server
        .ask_as_gateway(
            Method::GET,
            "/apis/coordination.k8s.io/v1/leases",
            &[],
            Value::Null,
        )
        .await;
    assert_eq!(
        refused.message(),
        "leases.coordination.k8s.io is forbidden: User \"gateway\" cannot list resource \"leases\" in API group \
         \"coordination.k8s.io\" at the cluster scope"
    );
}

async fn a_token_that_nobody_has_is_unauthorized(server: &Server) {
    let refused = server
        .ask_as_stranger(Method::GET, &server.leases(""))
        .await;
    assert_eq!(refused.failure(), (401, "Unauthorized", "Unauthorized"));
}

async fn a_role_allows_what_it_names_in_its_namespace(server: &Server) {
    grant(server, &["get", "create"]).await;
    until_allowed(server, &server.leases("/x1")).await;
    let made = server
        .ask_as_gateway(
            Method::POST,
            &server.leases(""),
            &[],
            json!({"metadata": {"name": "x1"}}),
        )
        .await;
    assert_eq!(made.code, 201);
    let refused = server
        .ask_as_gateway(Method::DELETE, &server.leases("/x1"), &[], Value::Null)
        .await;
    assert_eq!(refused.code, 403);
    let elsewhere = server
        .ask_as_gateway(
            Method::GET,
            &format!("{LEASES}/default/leases/x1"),
            &[],
            Value::Null,
        )
        .await;
    assert_eq!(elsewhere.code, 403);
}

async fn reviews_answer_as_requests_would_be(server: &Server) {
    grant(server, &["get"]).await;
    until_allowed(server, &server.leases("/x1")).await;
    let attributes = |verb: &str| {
        json!({
            "namespace": server.namespace, "verb": verb, "group": "coordination.k8s.io", "resource": "leases", "name": "x1"
        })
    };
    let own = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    for (verb, allowed) in [("get", true), ("delete", false)] {
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes(verb)}
        });
        let answer = server.ask_as_gateway(Method::POST, own, &[], review).await;
        assert_eq!(
            (answer.code, answer.body["status"]["allowed"].as_bool()),
            (201, Some(allowed)),
            "{answer:?}"
        );
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
            "spec": {"user": "gateway", "resourceAttributes": attributes(verb)}
        });
        let answer = server
            .post("/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
            .await;
        assert_eq!(
            (answer.code, answer.body["status"]["allowed"].as_bool()),
            (201, Some(allowed)),
            "{answer:?}"
        );
    }
    let reason = format!(
        "RBAC: allowed by RoleBinding \"lock/{}\" of Role \"lock\" to User \"gateway\"",
        server.namespace
    );
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes("get")}
    });
    let answer = server.ask_as_gateway(Method::POST, own, &[], review).await;
    assert_eq!(answer.body["status"]["reason"], reason);
}

async fn one_can_ask_who_one_is(server: &Server) {
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let answer = server.ask_as_gateway(Method::POST, path, &[], review).await;
    let user = &answer.body["status"]["userInfo"];
    assert_eq!(
        (answer.code, user["username"].as_str()),
        (201, Some("gateway"))
    );
    assert_eq!(user["groups"], json!(["system:authenticated"]));
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": "gateway-token"}});
    let answer = server
        .post("/apis/authentication.k8s.io/v1/tokenreviews", review)
        .await;
    let status = &answer.body["status"];
    assert_eq!(
        (answer.code, status["authenticated"].as_bool()),
        (201, Some(true))
    );
    assert_eq!(status["user"]["username"], "gateway");
}
