//! PATCH of a Lease: json-patch and merge-patch.

use http::Method;
use serde_json::{Value, json};

use super::expect::{
    INVALID, LEASE, LEASES, bad_request, invalid, not_found, rejected, stale, with_details,
};
use super::server::{Server, version};

crate::contract!(
    a_json_patch_that_passes_its_tests_is_applied,
    a_json_patch_with_a_failing_test_changes_nothing,
    a_json_patch_needs_its_places,
    a_json_patch_may_replace_what_is_not_there,
    an_absent_field_is_null_to_a_test,
    a_json_patch_is_a_list,
    a_json_patch_of_the_version_is_a_guard,
    a_merge_patch_merges,
    a_merge_patch_with_null_removes,
    a_merge_patch_with_a_stale_version_is_a_conflict,
    a_merge_patch_with_the_version_is_applied,
    a_merge_patch_that_changes_nothing_keeps_the_version,
    a_merge_patch_is_json,
    a_merge_patch_cannot_rename,
    a_merge_patch_is_validated,
    a_merge_patch_drops_unknown_fields_or_refuses_them,
    a_missing_lease_cannot_be_patched,
    other_media_types_are_refused,
);

async fn held(server: &Server) -> Value {
    let spec = json!({"holderIdentity": "me", "renewTime": "2026-11-23T09:00:00.000000Z"});
    server.lease("x", spec).await
}

async fn json_patch(server: &Server, patch: Value) -> super::server::Answer {
    server.patch(&server.leases("/x"), "json", &patch).await
}

async fn merge_patch(server: &Server, patch: Value) -> super::server::Answer {
    server.patch(&server.leases("/x"), "merge", &patch).await
}

async fn a_json_patch_that_passes_its_tests_is_applied(server: &Server) {
    let lease = held(server).await;
    let patch = json!([
        {"op": "test", "path": "/spec/holderIdentity", "value": "me"},
        {"op": "replace", "path": "/spec/holderIdentity", "value": "you"},
        {"op": "add", "path": "/spec/leaseDurationSeconds", "value": 30},
        {"op": "remove", "path": "/spec/renewTime"}
    ]);
    let patched = json_patch(server, patch).await.is(200);
    assert_ne!(version(&patched), version(&lease));
    assert_eq!(
        patched["spec"],
        json!({"holderIdentity": "you", "leaseDurationSeconds": 30})
    );
}

async fn a_json_patch_with_a_failing_test_changes_nothing(server: &Server) {
    let lease = held(server).await;
    let patch = json!([
        {"op": "replace", "path": "/spec/holderIdentity", "value": "you"},
        {"op": "test", "path": "/spec/holderIdentity", "value": "me"}
    ]);
    json_patch(server, patch).await.fails(&rejected());
    assert_eq!(server.get(&server.leases("/x")).await.is(200), lease);
}

async fn a_json_patch_needs_its_places(server: &Server) {
    held(server).await;
    for operation in [
        json!({"op": "remove", "path": "/spec/strategy"}),
        json!({"op": "add", "path": "/spec/deep/er", "value": 1}),
        json!({"op": "test", "path": "/spec/deep/er", "value": null}),
        json!({"op": "nonsense", "path": "/spec/strategy"}),
    ] {
        json_patch(server, json!([operation]))
            .await
            .fails(&rejected());
    }
}

async fn a_json_patch_may_replace_what_is_not_there(server: &Server) {
    held(server).await;
    let patch = json!([{"op": "replace", "path": "/spec/leaseTransitions", "value": 1}]);
    let patched = json_patch(server, patch).await.is(200);
    assert_eq!(patched["spec"]["leaseTransitions"], 1);
}

async fn an_absent_field_is_null_to_a_test(server: &Server) {
    let lease = held(server).await;
    for path in [
        "/spec/strategy",
        "/metadata/deletionTimestamp",
        "/metadata/labels",
    ] {
        let patch = json!([{"op": "test", "path": path, "value": null}]);
        assert_eq!(json_patch(server, patch).await.is(200), lease);
    }
    let patch = json!([{"op": "test", "path": "/spec/holderIdentity", "value": null}]);
    json_patch(server, patch).await.fails(&rejected());
}

async fn a_json_patch_is_a_list(server: &Server) {
    held(server).await;
    json_patch(server, json!({"op": "add"})).await.fails(&bad_request(
        "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
    ));
}

async fn a_json_patch_of_the_version_is_a_guard(server: &Server) {
    held(server).await;
    let patch = json!([
        {"op": "replace", "path": "/metadata/resourceVersion", "value": "1"},
        {"op": "replace", "path": "/spec/holderIdentity", "value": "you"}
    ]);
    json_patch(server, patch).await.fails(&stale(LEASES, "x"));
}

async fn a_merge_patch_merges(server: &Server) {
    held(server).await;
    let patch = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"leaseTransitions": 2}});
    let patched = merge_patch(server, patch).await.is(200);
    assert_eq!(patched["metadata"]["labels"], json!({"a": "b"}));
    assert_eq!(
        patched["spec"],
        json!({"holderIdentity": "me", "renewTime": "2026-11-23T09:00:00.000000Z", "leaseTransitions": 2})
    );
}

async fn a_merge_patch_with_null_removes(server: &Server) {
    held(server).await;
    let patched = merge_patch(server, json!({"spec": {"holderIdentity": null}}))
        .await
        .is(200);
    assert_eq!(
        patched["spec"],
        json!({"renewTime": "2026-11-23T09:00:00.000000Z"})
    );
    let fields = &patched["metadata"]["managedFields"][0]["fieldsV1"];
    assert_eq!(fields, &json!({"f:spec": {"f:renewTime": {}}}));
}

async fn a_merge_patch_with_a_stale_version_is_a_conflict(server: &Server) {
    let lease = held(server).await;
    merge_patch(server, json!({"metadata": {"labels": {"a": "b"}}}))
        .await
        .is(200);
    let patch = json!({"metadata": {"resourceVersion": version(&lease)}, "spec": {"holderIdentity": "you"}});
    merge_patch(server, patch).await.fails(&stale(LEASES, "x"));
}

async fn a_merge_patch_with_the_version_is_applied(server: &Server) {
    let lease = held(server).await;
    let patch = json!({"metadata": {"resourceVersion": version(&lease)}, "spec": {"holderIdentity": "you"}});
    let patched = merge_patch(server, patch).await.is(200);
    assert_eq!(patched["spec"]["holderIdentity"], "you");
}

async fn a_merge_patch_that_changes_nothing_keeps_the_version(server: &Server) {
    let lease = held(server).await;
    server.next_second().await;
    for patch in [json!({}), json!({"spec": {"holderIdentity": "me"}})] {
        assert_eq!(merge_patch(server, patch).await.is(200), lease);
    }
}

async fn a_merge_patch_is_json(server: &Server) {
    held(server).await;
    let answer = server
        .call(Method::PATCH, &server.leases("/x"))
        .text("application/merge-patch+json", "[1")
        .await;
    answer.fails_with_words(&bad_request("error decoding patch: "));
}

async fn a_merge_patch_cannot_rename(server: &Server) {
    held(server).await;
    let answer = merge_patch(server, json!({"metadata": {"name": "y"}})).await;
    answer.fails(&bad_request(
        "the name of the object (y) does not match the name on the URL (x)",
    ));
    // Reported twice, by two validations; the message keeps one of them.
    let answer = merge_patch(server, json!({"metadata": {"uid": "y"}})).await;
    let cause = json!({
        "reason": INVALID, "message": "Invalid value: \"y\": field is immutable", "field": "metadata.uid"
    });
    answer.fails(&with_details(
        422,
        "Invalid",
        "Lease.coordination.k8s.io \"x\" is invalid: metadata.uid: Invalid value: \"y\": field is immutable",
        json!({"name": "x", "group": "coordination.k8s.io", "kind": "Lease", "causes": [cause, cause]}),
    ));
}

async fn a_merge_patch_is_validated(server: &Server) {
    held(server).await;
    let answer = merge_patch(server, json!({"spec": {"leaseDurationSeconds": 0}})).await;
    let message = "Invalid value: 0: must be greater than 0";
    answer.fails(&invalid(
        LEASE,
        "x",
        &[(INVALID, "spec.leaseDurationSeconds", message)],
    ));
}

async fn a_merge_patch_drops_unknown_fields_or_refuses_them(server: &Server) {
    let lease = held(server).await;
    let patch = json!({"spec": {"bogus": 5}});
    let answer = merge_patch(server, patch.clone()).await;
    assert_eq!(
        answer.header("warning"),
        "299 - \"unknown field \\\"spec.bogus\\\"\""
    );
    assert_eq!(answer.is(200), lease);
    let path = server.leases("/x?fieldValidation=Strict");
    let answer = server.patch(&path, "merge", &patch).await;
    // In between it quotes the whole patched object.
    let message = answer.body["message"].as_str().unwrap();
    assert_eq!(
        (answer.code, answer.body["reason"].as_str()),
        (422, Some("Invalid"))
    );
    assert!(
        message.starts_with(" \"\" is invalid: patch: Invalid value: \"{"),
        "{message}"
    );
    let end = "}}\": strict decoding error: unknown field \"spec.bogus\"";
    assert!(message.ends_with(end), "{message}");
}

async fn a_missing_lease_cannot_be_patched(server: &Server) {
    let expected = not_found(LEASES, "x");
    merge_patch(server, json!({"spec": {}}))
        .await
        .fails(&expected);
    json_patch(server, json!([])).await.fails(&expected);
}

async fn other_media_types_are_refused(server: &Server) {
    held(server).await;
    let answer = server
        .call(Method::PATCH, &server.leases("/x"))
        .json(&json!({}))
        .await;
    let message = "415: Unsupported Media Type";
    answer.fails(&with_details(
        415,
        "UnsupportedMediaType",
        message,
        json!({}),
    ));
}
