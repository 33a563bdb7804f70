//! Questions about rights and identities.

use gwlock_testkit::User;
use serde_json::{Value, json};

use super::expect::{INVALID, bad_request, forbidden, invalid};
use super::server::Server;

crate::contract!(
    one_can_ask_what_one_may_do,
    a_review_says_what_allows_it,
    the_administrator_may_everything_without_a_reason,
    a_name_is_part_of_the_question,
    paths_are_reviewed_too,
    a_review_has_one_question,
    others_are_reviewed_by_those_who_may,
    a_review_of_another_needs_somebody,
    one_can_ask_for_all_of_ones_rights,
    one_can_ask_who_one_is,
    a_token_can_be_reviewed,
    a_review_is_not_stored,
);

const OWN: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const OTHERS: &str = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
const TOKENS: &str = "/apis/authentication.k8s.io/v1/tokenreviews";
const WHOAMI: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

fn question(server: &Server, verb: &str) -> Value {
    json!({"resourceAttributes": {
        "namespace": server.namespace, "group": "coordination.k8s.io", "resource": "leases", "verb": verb
    }})
}

async fn own(server: &Server, user: User, spec: &Value) -> Value {
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec
    });
    let answer = server.post(OWN, &review).by(user).await.is(201);
    assert_eq!(answer["kind"], "SelfSubjectAccessReview");
    assert_eq!(&answer["spec"], spec);
    answer["status"].clone()
}

async fn allow(server: &Server) {
    let rules = json!([
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create"]},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "resourceNames": ["x"], "verbs": ["delete"]}
    ]);
    server.allow(User::Gateway, rules).await;
}

fn reason(server: &Server) -> String {
    let namespace = &server.namespace;
    format!(
        "RBAC: allowed by RoleBinding \"allowed/{namespace}\" of Role \"allowed\" to User \"gateway\""
    )
}

async fn one_can_ask_what_one_may_do(server: &Server) {
    let status = own(server, User::Stranger, &question(server, "get")).await;
    assert_eq!(status, json!({"allowed": false}));
}

async fn a_review_says_what_allows_it(server: &Server) {
    allow(server).await;
    let status = own(server, User::Gateway, &question(server, "get")).await;
    assert_eq!(status, json!({"allowed": true, "reason": reason(server)}));
}

async fn the_administrator_may_everything_without_a_reason(server: &Server) {
    let status = own(server, User::Admin, &question(server, "get")).await;
    assert_eq!(status, json!({"allowed": true}));
}

async fn a_name_is_part_of_the_question(server: &Server) {
    allow(server).await;
    let mut question = question(server, "delete");
    assert_eq!(
        own(server, User::Gateway, &question).await["allowed"],
        false
    );
    question["resourceAttributes"]["name"] = json!("x");
    assert_eq!(own(server, User::Gateway, &question).await["allowed"], true);
    question["resourceAttributes"]["name"] = json!("y");
    assert_eq!(
        own(server, User::Gateway, &question).await["allowed"],
        false
    );
}

async fn paths_are_reviewed_too(server: &Server) {
    let path = |path| json!({"nonResourceAttributes": {"path": path, "verb": "get"}});
    let status = own(server, User::Stranger, &path("/apis")).await;
    let reason = "RBAC: allowed by ClusterRoleBinding \"system:discovery\" of ClusterRole \"system:discovery\" to \
                  Group \"system:authenticated\"";
    assert_eq!(status, json!({"allowed": true, "reason": reason}));
    let status = own(server, User::Stranger, &path("/metrics")).await;
    assert_eq!(status, json!({"allowed": false}));
}

async fn a_review_has_one_question(server: &Server) {
    let message = "Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified";
    let mut expected = invalid(
        ".authorization.k8s.io",
        "",
        &[(INVALID, "spec.resourceAttributes", message)],
    );
    expected["details"].as_object_mut().unwrap().remove("kind");
    server
        .post(OWN, &json!({"spec": {}}))
        .await
        .fails(&expected);
}

async fn others_are_reviewed_by_those_who_may(server: &Server) {
    allow(server).await;
    let mut spec = question(server, "get");
    spec["user"] = json!("gateway");
    let review = json!({"spec": spec});
    let answer = server.post(OTHERS, &review).await.is(201);
    assert_eq!(answer["kind"], "SubjectAccessReview");
    assert_eq!(
        answer["status"],
        json!({"allowed": true, "reason": reason(server)})
    );
    let namespace = &server.namespace;
    let local =
        format!("/apis/authorization.k8s.io/v1/namespaces/{namespace}/localsubjectaccessreviews");
    let answer = server.post(&local, &review).await.is(201);
    assert_eq!(answer["status"]["allowed"], true);
    let mut spec = question(server, "get");
    spec["user"] = json!("somebody");
    spec["groups"] = json!(["system:masters"]);
    let answer = server.post(OTHERS, &json!({"spec": spec})).await.is(201);
    assert_eq!(answer["status"], json!({"allowed": true}));
    let refused = server.post(OTHERS, &review).by(User::Stranger).await;
    let qualified = "subjectaccessreviews.authorization.k8s.io";
    refused.fails(&forbidden(
        qualified,
        "",
        "stranger",
        "create",
        "at the cluster scope",
    ));
}

async fn a_review_of_another_needs_somebody(server: &Server) {
    let review = json!({"spec": question(server, "get")});
    let message = "Invalid value: \"\": at least one of user or group must be specified";
    let mut expected = invalid(
        ".authorization.k8s.io",
        "",
        &[(INVALID, "spec.user", message)],
    );
    expected["details"].as_object_mut().unwrap().remove("kind");
    server.post(OTHERS, &review).await.fails(&expected);
}

async fn one_can_ask_for_all_of_ones_rights(server: &Server) {
    allow(server).await;
    let path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
    let review = json!({"spec": {"namespace": server.namespace}});
    let answer = server.post(path, &review).by(User::Gateway).await.is(201);
    let status = &answer["status"];
    assert_eq!(status["incomplete"], false);
    let rules = status["resourceRules"].as_array().unwrap();
    for rule in [
        json!({"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create"]}),
        json!({
            "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "resourceNames": ["x"], "verbs": ["delete"]
        }),
        json!({
            "apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"], "verbs": ["create"]
        }),
    ] {
        assert!(rules.contains(&rule), "{rule} in {rules:?}");
    }
    let paths = status["nonResourceRules"].as_array().unwrap();
    let public = json!({
        "nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"], "verbs": ["get"]
    });
    assert!(paths.contains(&public), "{paths:?}");
}

async fn one_can_ask_who_one_is(server: &Server) {
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    for (user, groups) in [
        (User::Gateway, json!(["system:authenticated"])),
        (
            User::Admin,
            json!(["system:masters", "system:authenticated"]),
        ),
    ] {
        let answer = server.post(WHOAMI, &review).by(user).await.is(201);
        let expected = json!({"username": user.name(), "uid": user.name(), "groups": groups});
        assert_eq!(answer["status"], json!({"userInfo": expected}));
    }
}

async fn a_token_can_be_reviewed(server: &Server) {
    let review = |token: &str| json!({"spec": {"token": token}});
    let answer = server.post(TOKENS, &review("gateway-token")).await.is(201);
    let status = &answer["status"];
    assert_eq!(status["authenticated"], true);
    assert_eq!(
        status["user"],
        json!({"username": "gateway", "uid": "gateway", "groups": ["system:authenticated"]})
    );
    let answer = server.post(TOKENS, &review("nobody")).await.is(201);
    assert_eq!(
        answer["status"],
        json!({"user": {}, "error": "invalid bearer token"})
    );
    let message = "token is required for TokenReview in authentication";
    server
        .post(TOKENS, &json!({"spec": {}}))
        .await
        .fails(&bad_request(message));
    let refused = server
        .post(TOKENS, &review("gateway-token"))
        .by(User::Stranger)
        .await;
    let qualified = "tokenreviews.authentication.k8s.io";
    refused.fails(&forbidden(
        qualified,
        "",
        "stranger",
        "create",
        "at the cluster scope",
    ));
}

async fn a_review_is_not_stored(server: &Server) {
    let review = json!({"spec": question(server, "get")});
    let answer = server.post(OWN, &review).await.is(201);
    let metadata = &answer["metadata"];
    assert_eq!(
        (&metadata["uid"], &metadata["resourceVersion"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(server.get(OWN).await.code, 405);
}
