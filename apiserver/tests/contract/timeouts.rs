//! The `timeout` of a request.

use serde_json::json;

use super::expect::bad_request;
use super::server::Server;

crate::contract!(
    a_timeout_that_is_kept_changes_nothing,
    a_timeout_is_a_duration
);

async fn a_timeout_that_is_kept_changes_nothing(server: &Server) {
    let lease = json!({"metadata": {"name": "x"}});
    server
        .post(&server.leases("?timeout=10s"), &lease)
        .await
        .is(201);
    for timeout in ["34s", "1m", "1500ms", "0s", "-1s", ""] {
        let path = server.leases(&format!("/x?timeout={timeout}"));
        server.get(&path).await.is(200);
    }
}

async fn a_timeout_is_a_duration(server: &Server) {
    for (timeout, why) in [
        ("nope", "invalid duration \"nope\""),
        ("5", "missing unit in duration \"5\""),
    ] {
        let path = server.leases(&format!("?timeout={timeout}"));
        server.get(&path).await.fails(&bad_request(&format!(
            "invalid timeout specified in the request URL - time: {why}"
        )));
    }
}
