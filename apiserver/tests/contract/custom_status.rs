//! The status of a RemediationRequest, which is written apart from its spec.

use http::Method;
use serde_json::{Value, json};

use super::custom::create;
use super::expect::{
    INVALID, REQUEST, REQUESTS, UNSUPPORTED, invalid, not_found, rejected, stale, with_details,
};
use super::server::{Answer, Server, uid, version};

crate::contract!(
    a_status_is_written_by_itself,
    a_write_of_the_status_changes_nothing_else,
    a_write_of_the_rest_does_not_change_the_status,
    a_count_goes_up_once,
    a_first_count_needs_the_absence_of_a_status,
    a_test_for_null_passes_where_the_last_part_is_absent,
    an_empty_text_is_not_null_to_a_test,
    the_uid_can_be_tested,
    the_absence_of_a_deletion_can_be_tested,
    a_stale_version_is_a_conflict,
    a_version_is_required_for_an_update,
    a_phase_is_one_of_a_list,
    a_status_may_have_fields_that_the_schema_does_not_know,
    the_status_of_a_missing_request_is_not_found,
    a_status_cannot_be_created,
    a_generation_counts_changes_of_the_spec,
);

const COUNT: &str = "/status/deduplication/occurrenceCount";

async fn json_patch(server: &Server, patch: Value) -> Answer {
    let path = server.requests("/x/status?fieldManager=counter");
    server.patch(&path, "json", &patch).await
}

async fn merge(server: &Server, status: Value) -> Answer {
    let path = server.requests("/x/status?fieldManager=other");
    server
        .patch(&path, "merge", &json!({"status": status}))
        .await
}

async fn stored(server: &Server) -> Value {
    server.get(&server.requests("/x")).await.is(200)
}

async fn a_status_is_written_by_itself(server: &Server) {
    let made = create(server).await;
    let patched = merge(server, json!({"overallPhase": "Pending"}))
        .await
        .is(200);
    assert_eq!(patched["status"], json!({"overallPhase": "Pending"}));
    assert_eq!(patched["spec"], made["spec"]);
    assert_ne!(version(&patched), version(&made));
    let entry = &patched["metadata"]["managedFields"][1];
    assert_eq!(
        entry,
        &json!({
            "manager": "other", "operation": "Update", "apiVersion": "kubernaut.ai/v1alpha1",
            "time": entry["time"], "fieldsType": "FieldsV1", "subresource": "status",
            "fieldsV1": {"f:status": {".": {}, "f:overallPhase": {}}}
        })
    );
    assert_eq!(
        patched["metadata"]["managedFields"][0],
        made["metadata"]["managedFields"][0]
    );
    assert_eq!(stored(server).await, patched);
    assert_eq!(
        server.get(&server.requests("/x/status")).await.is(200),
        patched
    );
}

async fn a_write_of_the_status_changes_nothing_else(server: &Server) {
    let mut made = create(server).await;
    let spec = made["spec"].clone();
    made["spec"]["severity"] = json!("info");
    made["metadata"]["labels"] = json!({"a": "b"});
    made["status"] = json!({"overallPhase": "Pending"});
    let updated = server
        .put(&server.requests("/x/status"), &made)
        .await
        .is(200);
    assert_eq!(updated["spec"], spec);
    assert_eq!(updated["metadata"]["labels"], Value::Null);
    assert_eq!(updated["status"], json!({"overallPhase": "Pending"}));
}

async fn a_write_of_the_rest_does_not_change_the_status(server: &Server) {
    let mut made = create(server).await;
    let path = server.requests("/x");
    let patch = json!({"status": {"overallPhase": "Pending"}});
    assert_eq!(server.patch(&path, "merge", &patch).await.is(200), made);
    made["status"] = json!({"overallPhase": "Pending"});
    made["metadata"]["labels"] = json!({"a": "b"});
    let updated = server.put(&path, &made).await.is(200);
    assert_eq!(updated["status"], Value::Null);
    assert_eq!(updated["metadata"]["labels"], json!({"a": "b"}));
}

async fn a_count_goes_up_once(server: &Server) {
    create(server).await;
    merge(server, json!({"deduplication": {"occurrenceCount": 1}}))
        .await
        .is(200);
    let patch = json!([
        {"op": "test", "path": "/status/overallPhase", "value": null},
        {"op": "test", "path": COUNT, "value": 1},
        {"op": "replace", "path": COUNT, "value": 2}
    ]);
    let counted = json_patch(server, patch.clone()).await.is(200);
    assert_eq!(
        counted["status"],
        json!({"deduplication": {"occurrenceCount": 2}})
    );
    json_patch(server, patch).await.fails(&rejected());
    assert_eq!(stored(server).await, counted);
}

async fn a_first_count_needs_the_absence_of_a_status(server: &Server) {
    create(server).await;
    let status = json!({"deduplication": {
        "occurrenceCount": 1, "firstSeenAt": "2026-11-23T09:00:01Z", "lastSeenAt": "2026-11-23T09:00:01Z"
    }});
    let patch = json!([
        {"op": "test", "path": "/status", "value": null},
        {"op": "add", "path": "/status", "value": status}
    ]);
    let counted = json_patch(server, patch.clone()).await.is(200);
    assert_eq!(counted["status"], status);
    json_patch(server, patch).await.fails(&rejected());
}

async fn a_test_for_null_passes_where_the_last_part_is_absent(server: &Server) {
    let made = create(server).await;
    let test = |path: &str| json!([{"op": "test", "path": path, "value": null}]);
    assert_eq!(json_patch(server, test("/status")).await.is(200), made);
    // Without a status there is no place to look in.
    json_patch(server, test("/status/deduplication"))
        .await
        .fails(&rejected());
    merge(server, json!({"deduplication": {}})).await.is(200);
    json_patch(server, test("/status/overallPhase"))
        .await
        .is(200);
    json_patch(server, test(COUNT)).await.is(200);
    json_patch(server, test("/status")).await.fails(&rejected());
}

async fn an_empty_text_is_not_null_to_a_test(server: &Server) {
    create(server).await;
    merge(server, json!({"blockReason": ""})).await.is(200);
    let test =
        |value: Value| json!([{"op": "test", "path": "/status/blockReason", "value": value}]);
    json_patch(server, test(Value::Null))
        .await
        .fails(&rejected());
    json_patch(server, test(json!(""))).await.is(200);
}

async fn the_uid_can_be_tested(server: &Server) {
    let made = create(server).await;
    let patch = |uid: &str| {
        json!([
            {"op": "test", "path": "/metadata/uid", "value": uid},
            {"op": "add", "path": "/status", "value": {"overallPhase": "Pending"}}
        ])
    };
    json_patch(server, patch("other")).await.fails(&rejected());
    json_patch(server, patch(uid(&made))).await.is(200);
}

async fn the_absence_of_a_deletion_can_be_tested(server: &Server) {
    create(server).await;
    let test = json!([{"op": "test", "path": "/metadata/deletionTimestamp", "value": null}]);
    json_patch(server, test.clone()).await.is(200);
    let keep = json!({"metadata": {"finalizers": ["example.com/keep"]}});
    server
        .patch(&server.requests("/x"), "merge", &keep)
        .await
        .is(200);
    server.delete(&server.requests("/x")).await.is(200);
    json_patch(server, test).await.fails(&rejected());
}

async fn a_stale_version_is_a_conflict(server: &Server) {
    let mut made = create(server).await;
    merge(server, json!({"overallPhase": "Pending"}))
        .await
        .is(200);
    let path = server.requests("/x/status");
    let patch = json!({"metadata": {"resourceVersion": version(&made)}, "status": {"overallPhase": "Failed"}});
    server
        .patch(&path, "merge", &patch)
        .await
        .fails(&stale(REQUESTS, "x"));
    made["status"] = json!({"overallPhase": "Failed"});
    server.put(&path, &made).await.fails(&stale(REQUESTS, "x"));
}

async fn a_version_is_required_for_an_update(server: &Server) {
    let mut made = create(server).await;
    made["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("resourceVersion");
    let message = "Invalid value: 0: must be specified for an update";
    let expected = invalid(
        REQUESTS,
        "x",
        &[(INVALID, "metadata.resourceVersion", message)],
    );
    server
        .put(&server.requests("/x/status"), &made)
        .await
        .fails(&expected);
}

async fn a_phase_is_one_of_a_list(server: &Server) {
    create(server).await;
    for phase in ["Nope", "", "pending"] {
        let message = format!(
            "Unsupported value: \"{phase}\": supported values: \"Pending\", \"Processing\", \"Analyzing\", \
             \"AwaitingApproval\", \"Executing\", \"Verifying\", \"Blocked\", \"Completed\", \"Failed\", \
             \"TimedOut\", \"Skipped\", \"Cancelled\""
        );
        let unchecked = "Invalid value: null: some validation rules were not checked because the object was invalid; \
                         correct the existing errors to complete validation";
        let causes = [
            (UNSUPPORTED, "status.overallPhase", message.as_str()),
            (INVALID, "<nil>", unchecked),
        ];
        let answer = merge(server, json!({"overallPhase": phase})).await;
        answer.fails(&invalid(REQUEST, "x", &causes));
    }
}

async fn a_status_may_have_fields_that_the_schema_does_not_know(server: &Server) {
    create(server).await;
    let status = json!({"overallPhase": "Pending", "somebodyElses": {"field": [1, 2]}});
    let patched = merge(server, status.clone()).await.is(200);
    assert_eq!(patched["status"], status);
    let changed =
        json!([{"op": "add", "path": "/status/deduplication", "value": {"occurrenceCount": 1}}]);
    let counted = json_patch(server, changed).await.is(200);
    assert_eq!(counted["status"]["somebodyElses"], status["somebodyElses"]);
}

async fn the_status_of_a_missing_request_is_not_found(server: &Server) {
    server.define_requests().await;
    let expected = not_found(REQUESTS, "x");
    merge(server, json!({"overallPhase": "Pending"}))
        .await
        .fails(&expected);
    server
        .get(&server.requests("/x/status"))
        .await
        .fails(&expected);
}

async fn a_status_cannot_be_created(server: &Server) {
    let made = create(server).await;
    for method in [Method::POST, Method::DELETE] {
        let verb = if method == Method::POST {
            "create"
        } else {
            "delete"
        };
        let answer = server
            .call(method, &server.requests("/x/status"))
            .json(&made)
            .await;
        let message = format!("{verb} is not supported on resources of kind \"{REQUESTS}\"");
        let details = json!({"group": "kubernaut.ai", "kind": "remediationrequests"});
        answer.fails(&with_details(405, "MethodNotAllowed", &message, details));
    }
}

async fn a_generation_counts_changes_of_the_spec(server: &Server) {
    create(server).await;
    let patched = merge(server, json!({"overallPhase": "Pending"}))
        .await
        .is(200);
    assert_eq!(patched["metadata"]["generation"], 1);
    let labels = json!({"metadata": {"labels": {"a": "b"}}});
    let patched = server
        .patch(&server.requests("/x"), "merge", &labels)
        .await
        .is(200);
    assert_eq!(patched["metadata"]["generation"], 1);
}
