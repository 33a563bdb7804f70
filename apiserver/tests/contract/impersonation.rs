//! Acting as somebody else, as `--as` does.

use gwlock_testkit::User;
use serde_json::{Value, json};

use super::expect::{LEASES, bad_request, forbidden};
use super::server::Server;

crate::contract!(
    the_administrator_may_be_anybody,
    one_is_who_one_acts_as,
    groups_are_replaced,
    a_service_account_has_its_groups,
    a_group_needs_a_user,
    others_may_be_nobody_else,
);

const WHOAMI: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

async fn whoami(server: &Server, headers: &[(&'static str, &str)]) -> Value {
    let call = server.post(WHOAMI, &json!({}));
    let call = headers
        .iter()
        .fold(call, |call, (name, value)| call.another(name, value));
    call.await.is(201)["status"]["userInfo"].clone()
}

async fn the_administrator_may_be_anybody(server: &Server) {
    let answer = server
        .get(&server.leases("/x"))
        .another("impersonate-user", "viewer")
        .await;
    let scope = format!("in the namespace \"{}\"", server.namespace);
    answer.fails(&forbidden(LEASES, "x", "viewer", "get", &scope));
}

async fn one_is_who_one_acts_as(server: &Server) {
    let user = whoami(server, &[("impersonate-user", "viewer")]).await;
    assert_eq!(
        user,
        json!({"username": "viewer", "groups": ["system:authenticated"]})
    );
}

async fn groups_are_replaced(server: &Server) {
    let headers = [
        ("impersonate-user", "u"),
        ("impersonate-group", "a"),
        ("impersonate-group", "b"),
    ];
    let user = whoami(server, &headers).await;
    let groups = json!(["a", "b", "system:authenticated"]);
    assert_eq!(user, json!({"username": "u", "groups": groups}));
}

async fn a_service_account_has_its_groups(server: &Server) {
    let user = whoami(server, &[("impersonate-user", "system:serviceaccount:a:b")]).await;
    let groups = json!([
        "system:serviceaccounts",
        "system:serviceaccounts:a",
        "system:authenticated"
    ]);
    assert_eq!(
        user,
        json!({"username": "system:serviceaccount:a:b", "groups": groups})
    );
}

async fn a_group_needs_a_user(server: &Server) {
    let answer = server
        .get(&server.leases("/x"))
        .another("impersonate-group", "g")
        .await;
    answer.fails(&bad_request(
        "requested &user.DefaultInfo{Name:\"\", UID:\"\", Groups:[]string{\"g\"}, Extra:map[string][]string(nil)} \
         without impersonating a user name",
    ));
}

async fn others_may_be_nobody_else(server: &Server) {
    let answer = server
        .get(&server.leases("/x"))
        .by(User::Stranger)
        .another("impersonate-user", "viewer")
        .await;
    // Since 1.36 the right may be for one verb alone, and it is this one that the refusal names.
    let scope = format!("in the namespace \"{}\"", server.namespace);
    answer.fails(&forbidden(
        LEASES,
        "x",
        "stranger",
        "impersonate-on:user-info:get",
        &scope,
    ));
}
