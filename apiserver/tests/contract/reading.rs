//! GET of one object, and of paths that are none.

use serde_json::{Value, json};

use super::expect::{LEASES, failure, not_found, with_details};
use super::server::{Server, version};

crate::contract!(
    a_missing_lease_is_not_found,
    a_lease_is_read_at_any_version_that_is_not_newer,
    a_version_of_the_future_times_out,
    a_version_is_a_number,
    pretty_answers_are_indented,
    unknown_resources_are_not_found,
    methods_have_to_fit,
);

fn unknown() -> Value {
    let message = "the server could not find the requested resource";
    with_details(404, "NotFound", message, json!({}))
}

async fn a_missing_lease_is_not_found(server: &Server) {
    server
        .get(&server.leases("/x"))
        .await
        .fails(&not_found(LEASES, "x"));
    let elsewhere = "/apis/coordination.k8s.io/v1/namespaces/nope/leases/x";
    server.get(elsewhere).await.fails(&not_found(LEASES, "x"));
}

async fn a_lease_is_read_at_any_version_that_is_not_newer(server: &Server) {
    let lease = server.lease("x", json!({})).await;
    let path = server.leases(&format!("/x?resourceVersion={}", version(&lease)));
    assert_eq!(server.get(&path).await.is(200), lease);
    // From the cache, which may be behind.
    super::server::until("the cache has it", async || {
        server
            .get(&server.leases("/x?resourceVersion=0"))
            .await
            .body
            == lease
    })
    .await;
}

async fn a_version_of_the_future_times_out(server: &Server) {
    server.lease("x", json!({})).await;
    for path in [server.leases("/x"), server.leases("")] {
        let path = format!("{path}?resourceVersion=999999999");
        let answer = server.get(&path).await;
        // The version that is current changes all the time.
        let message = answer.body["message"].as_str().unwrap();
        let start = "Timeout: Too large resource version: 999999999, current: ";
        let current = message.strip_prefix(start).unwrap();
        assert!(current.parse::<u64>().is_ok(), "{message}");
        let cause =
            json!({"reason": "ResourceVersionTooLarge", "message": "Too large resource version"});
        let details = json!({"causes": [cause], "retryAfterSeconds": 1});
        answer.fails(&with_details(504, "Timeout", message, details));
        assert_eq!(answer.header("retry-after"), "1");
    }
}

async fn a_version_is_a_number(server: &Server) {
    server.lease("x", json!({})).await;
    let number = "Invalid value: \"abc\": strconv.ParseUint: parsing \"abc\": invalid syntax";
    let answer = server.get(&server.leases("/x?resourceVersion=abc")).await;
    answer.fails(&failure(500, "", &format!("resourceVersion: {number}")));
    let answer = server.get(&server.leases("?resourceVersion=abc")).await;
    let message = format!("invalid resource version: resourceVersion: {number}");
    answer.fails(&failure(400, "BadRequest", &message));
}

async fn pretty_answers_are_indented(server: &Server) {
    server.lease("x", json!({})).await;
    let pretty = server.get(&server.leases("/x?pretty=true")).await;
    assert!(
        pretty.text.starts_with("{\n  \"kind\": \"Lease\",\n"),
        "{}",
        pretty.text
    );
    let plain = server.get(&server.leases("/x")).await;
    assert!(
        plain.text.starts_with("{\"kind\":\"Lease\","),
        "{}",
        plain.text
    );
    assert_eq!(pretty.body, plain.body);
}

async fn unknown_resources_are_not_found(server: &Server) {
    let namespaced = server.leases("").replace("leases", "nothings");
    for path in ["/apis/coordination.k8s.io/v1/nothings", &namespaced] {
        server.get(path).await.fails(&unknown());
    }
    for path in ["/apis/nope.io/v1/namespaces/a/nothings", "/nope"] {
        let answer = server.get(path).await;
        assert_eq!(
            (answer.code, answer.text.as_str()),
            (404, "404 page not found\n")
        );
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    }
}

async fn methods_have_to_fit(server: &Server) {
    let lease = json!({"metadata": {"name": "x"}});
    let message = "the server does not allow this method on the requested resource";
    let expected = with_details(405, "MethodNotAllowed", message, json!({}));
    server
        .post(&server.leases("/x"), &lease)
        .await
        .fails(&expected);
    let everywhere = "/apis/coordination.k8s.io/v1/leases";
    server.post(everywhere, &lease).await.fails(&expected);
    server.delete(everywhere).await.fails(&expected);
    server
        .put(&server.leases(""), &lease)
        .await
        .fails(&expected);
}
