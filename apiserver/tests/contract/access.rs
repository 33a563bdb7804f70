//! Who may do what: the words of a refusal, and what a role allows.

use gwlock_testkit::User;
use http::header::AUTHORIZATION;
use http::{Method, header};
use serde_json::{Value, json};

use super::expect::{LEASES, failure, forbidden, with_details};
use super::server::Server;

crate::contract!(
    a_refusal_names_user_verb_and_resource,
    a_refusal_at_the_cluster_scope_says_so,
    a_refusal_of_a_path_names_it,
    a_subresource_is_named_with_its_resource,
    a_selection_of_one_name_counts_as_that_name,
    refusals_come_before_anything_else,
    a_token_that_nobody_has_is_unauthorized,
    without_a_token_one_is_anonymous,
    a_role_allows_what_it_names,
    a_role_for_one_name_allows_no_other,
    a_role_counts_in_its_namespace_alone,
    a_role_without_its_binding_counts_for_nothing,
    what_is_taken_back_is_refused_again,
);

const LEASE_GROUP: &str = "coordination.k8s.io";

fn rule(verbs: &[&str]) -> Value {
    json!({"apiGroups": [LEASE_GROUP], "resources": ["leases"], "verbs": verbs})
}

fn scope(server: &Server) -> String {
    format!("in the namespace \"{}\"", server.namespace)
}

async fn a_refusal_names_user_verb_and_resource(server: &Server) {
    let lease = json!({"metadata": {"name": "x"}});
    let scope = scope(server);
    for (method, rest, verb, name) in [
        (Method::GET, "/x", "get", "x"),
        (Method::GET, "", "list", ""),
        (Method::GET, "?watch=true", "watch", ""),
        (Method::POST, "", "create", ""),
        (Method::PUT, "/x", "update", "x"),
        (Method::PATCH, "/x", "patch", "x"),
        (Method::DELETE, "/x", "delete", "x"),
        (Method::DELETE, "", "deletecollection", ""),
    ] {
        let call = server.call(method, &server.leases(rest)).json(&lease);
        let answer = call.by(User::Stranger).await;
        answer.fails(&forbidden(LEASES, name, "stranger", verb, &scope));
    }
}

async fn a_refusal_at_the_cluster_scope_says_so(server: &Server) {
    let everywhere = "/apis/coordination.k8s.io/v1/leases";
    let answer = server.get(everywhere).by(User::Stranger).await;
    answer.fails(&forbidden(
        LEASES,
        "",
        "stranger",
        "list",
        "at the cluster scope",
    ));
    let answer = server.get("/api/v1/namespaces").by(User::Stranger).await;
    answer.fails(&forbidden(
        "namespaces",
        "",
        "stranger",
        "list",
        "at the cluster scope",
    ));
    // A namespace is in itself.
    let path = format!("/api/v1/namespaces/{}", server.namespace);
    let answer = server.get(&path).by(User::Stranger).await;
    answer.fails(&forbidden(
        "namespaces",
        &server.namespace,
        "stranger",
        "get",
        &scope(server),
    ));
}

async fn a_refusal_of_a_path_names_it(server: &Server) {
    for (path, verb, method) in [
        ("/metrics", "get", Method::GET),
        ("/", "get", Method::GET),
        ("/nothing", "post", Method::POST),
    ] {
        let answer = server.call(method, path).by(User::Stranger).await;
        let message = format!("forbidden: User \"stranger\" cannot {verb} path \"{path}\"");
        answer.fails(&with_details(403, "Forbidden", &message, json!({})));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}

async fn a_subresource_is_named_with_its_resource(server: &Server) {
    server.define_requests().await;
    let answer = server
        .get(&server.requests("/x/status"))
        .by(User::Stranger)
        .await;
    let message = format!(
        "remediationrequests.kubernaut.ai \"x\" is forbidden: User \"stranger\" cannot get resource \
         \"remediationrequests/status\" in API group \"kubernaut.ai\" {}",
        scope(server)
    );
    let details = json!({"name": "x", "group": "kubernaut.ai", "kind": "remediationrequests"});
    answer.fails(&with_details(403, "Forbidden", &message, details));
}

async fn a_selection_of_one_name_counts_as_that_name(server: &Server) {
    let selected = "?fieldSelector=metadata.name%3Dx";
    for (query, verb) in [("", "list"), ("&watch=true", "watch")] {
        let path = server.leases(&format!("{selected}{query}"));
        let answer = server.get(&path).by(User::Stranger).await;
        answer.fails(&forbidden(LEASES, "x", "stranger", verb, &scope(server)));
    }
    let mut one = rule(&["list", "watch"]);
    one["resourceNames"] = json!(["x"]);
    server
        .allow(User::Gateway, json!([rule(&["get"]), one]))
        .await;
    server.lease("x", json!({})).await;
    let path = server.leases(selected);
    server.get(&path).by(User::Gateway).await.is(200);
    let other = server.leases("?fieldSelector=metadata.name%3Dy");
    assert_eq!(server.get(&other).by(User::Gateway).await.code, 403);
    assert_eq!(
        server.get(&server.leases("")).by(User::Gateway).await.code,
        403
    );
}

async fn refusals_come_before_anything_else(server: &Server) {
    let nowhere = "/apis/coordination.k8s.io/v1/namespaces/nope/leases";
    let answer = server.call(Method::POST, nowhere).by(User::Stranger);
    let answer = answer.text("application/json", "{nope").await;
    let scope = "in the namespace \"nope\"";
    answer.fails(&forbidden(LEASES, "", "stranger", "create", scope));
}

async fn a_token_that_nobody_has_is_unauthorized(server: &Server) {
    let expected = failure(401, "Unauthorized", "Unauthorized");
    for path in [&server.leases(""), "/readyz", "/nothing"] {
        let answer = server
            .get(path)
            .header(AUTHORIZATION, "Bearer nobody")
            .await;
        answer.fails(&expected);
    }
}

async fn without_a_token_one_is_anonymous(server: &Server) {
    let scope = scope(server);
    let answer = server.get(&server.leases("/x")).by_nobody().await;
    answer.fails(&forbidden(LEASES, "x", "system:anonymous", "get", &scope));
    // What is no bearer token is no token.
    let basic = server
        .get(&server.leases("/x"))
        .header(header::AUTHORIZATION, "Basic YTpi")
        .await;
    basic.fails(&forbidden(LEASES, "x", "system:anonymous", "get", &scope));
    for path in ["/readyz", "/livez", "/healthz", "/version"] {
        server.get(path).by_nobody().await.is(200);
    }
    let message = "forbidden: User \"system:anonymous\" cannot get path \"/apis\"";
    let answer = server.get("/apis").by_nobody().await;
    answer.fails(&with_details(403, "Forbidden", message, json!({})));
}

async fn a_role_allows_what_it_names(server: &Server) {
    server
        .allow(User::Gateway, json!([rule(&["create", "get"])]))
        .await;
    let lease = json!({"metadata": {"name": "x"}});
    let leases = server.leases("");
    server.post(&leases, &lease).by(User::Gateway).await.is(201);
    server
        .get(&server.leases("/x"))
        .by(User::Gateway)
        .await
        .is(200);
    let answer = server.delete(&server.leases("/x")).by(User::Gateway).await;
    answer.fails(&forbidden(LEASES, "x", "gateway", "delete", &scope(server)));
}

async fn a_role_for_one_name_allows_no_other(server: &Server) {
    let mut one = rule(&["delete", "create"]);
    one["resourceNames"] = json!(["x"]);
    server
        .allow(User::Gateway, json!([rule(&["get"]), one]))
        .await;
    server.lease("x", json!({})).await;
    server.lease("y", json!({})).await;
    let path = server.leases("/y");
    let answer = server.delete(&path).by(User::Gateway).await;
    answer.fails(&forbidden(LEASES, "y", "gateway", "delete", &scope(server)));
    server
        .delete(&server.leases("/x"))
        .by(User::Gateway)
        .await
        .is(200);
    // The path of a POST has no name, so that a right to create one name is none.
    let again = json!({"metadata": {"name": "x"}});
    let answer = server
        .post(&server.leases(""), &again)
        .by(User::Gateway)
        .await;
    answer.fails(&forbidden(LEASES, "", "gateway", "create", &scope(server)));
}

async fn a_role_counts_in_its_namespace_alone(server: &Server) {
    server.allow(User::Gateway, json!([rule(&["list"])])).await;
    server
        .get(&server.leases(""))
        .by(User::Gateway)
        .await
        .is(200);
    for path in [
        "/apis/coordination.k8s.io/v1/namespaces/default/leases",
        "/apis/coordination.k8s.io/v1/leases",
    ] {
        assert_eq!(server.get(path).by(User::Gateway).await.code, 403, "{path}");
    }
}

async fn a_role_without_its_binding_counts_for_nothing(server: &Server) {
    server.allow(User::Gateway, json!([rule(&["list"])])).await;
    assert_eq!(
        server.get(&server.leases("")).by(User::Viewer).await.code,
        403
    );
}

async fn what_is_taken_back_is_refused_again(server: &Server) {
    server.allow(User::Gateway, json!([rule(&["list"])])).await;
    let namespace = &server.namespace;
    let binding =
        format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings/allowed");
    server.delete(&binding).await.is(200);
    super::server::until("the binding no longer counts", async || {
        server.get(&server.leases("")).by(User::Gateway).await.code == 403
    })
    .await;
}
