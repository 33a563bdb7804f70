//! RemediationRequests, a custom kind: its schema, its immutable spec, and the fields that select.

use http::header::ACCEPT;
use serde_json::{Value, json};

use super::expect::{
    INVALID, REQUEST, REQUESTS, REQUIRED, TOO_LONG, UNSUPPORTED, WRONG_TYPE, already_exists,
    bad_request, conflict, failure, invalid, not_found,
};
use super::server::{Answer, Server, names, uid, version};

crate::contract!(
    a_new_request_has_a_generation_and_no_status,
    an_existing_name_is_refused,
    a_name_that_is_being_deleted_is_refused,
    a_fingerprint_is_64_hex_digits,
    values_are_checked_by_the_schema,
    what_is_required_is_named,
    a_spec_is_not_required,
    unknown_fields_are_dropped_or_refused,
    a_kind_has_to_be_said,
    a_spec_cannot_change,
    fields_that_are_selectable_select,
    fields_that_are_not_selectable_are_refused,
    a_list_has_an_empty_continue,
    a_row_has_the_printer_columns,
    protobuf_is_not_spoken,
    a_strategic_patch_is_not_spoken,
    an_update_of_a_deleted_one_does_not_create_it,
    a_deletion_has_preconditions,
);

const FINGERPRINT: &str = "91fce8d5c4949766458bd4bd58859a4fb2e8470ef64ef438c22903744799a9b1";
const OTHER: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// What a fault of structure is followed by, as CEL rules need a sound object.
const UNCHECKED: (&str, &str, &str) = (
    INVALID,
    "<nil>",
    "Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing \
     errors to complete validation",
);

pub(crate) fn request(name: &str, fingerprint: &str) -> Value {
    json!({
        "apiVersion": "kubernaut.ai/v1alpha1", "kind": "RemediationRequest", "metadata": {"name": name},
        "spec": {
            "signalFingerprint": fingerprint, "signalName": "HighCPU", "severity": "critical",
            "signalType": "alert", "targetType": "kubernetes",
            "targetResource": {"kind": "Deployment", "name": "api", "namespace": "prod"},
            "firingTime": "2026-11-23T09:00:00Z", "receivedTime": "2026-11-23T09:00:01Z"
        }
    })
}

pub(crate) async fn create(server: &Server) -> Value {
    server.define_requests().await;
    post(server, &request("x", FINGERPRINT)).await.is(201)
}

async fn post(server: &Server, request: &Value) -> Answer {
    let path = server.requests("?fieldManager=creator");
    server.post(&path, request).await
}

async fn a_new_request_has_a_generation_and_no_status(server: &Server) {
    server.define_requests().await;
    let mut asked = request("x", FINGERPRINT);
    asked["status"] = json!({"overallPhase": "Pending"});
    let made = post(server, &asked).await.is(201);
    let created = &made["metadata"]["creationTimestamp"];
    let mut expected = request("x", FINGERPRINT);
    expected["metadata"] = json!({
        "name": "x", "namespace": server.namespace, "uid": uid(&made), "resourceVersion": version(&made),
        "generation": 1, "creationTimestamp": created,
        "managedFields": [{
            "manager": "creator", "operation": "Update", "apiVersion": "kubernaut.ai/v1alpha1", "time": created,
            "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {
                ".": {}, "f:firingTime": {}, "f:receivedTime": {}, "f:severity": {}, "f:signalFingerprint": {},
                "f:signalName": {}, "f:signalType": {}, "f:targetType": {},
                "f:targetResource": {".": {}, "f:kind": {}, "f:name": {}, "f:namespace": {}}
            }}
        }]
    });
    assert_eq!(made, expected);
    assert_eq!(server.get(&server.requests("/x")).await.is(200), made);
}

async fn an_existing_name_is_refused(server: &Server) {
    create(server).await;
    let again = post(server, &request("x", OTHER)).await;
    again.fails(&already_exists(REQUESTS, "x", ""));
}

async fn a_name_that_is_being_deleted_is_refused(server: &Server) {
    server.define_requests().await;
    let mut asked = request("x", FINGERPRINT);
    asked["metadata"]["finalizers"] = json!(["example.com/keep"]);
    let made = post(server, &asked).await.is(201);
    let marked = server.delete(&server.requests("/x")).await.is(200);
    // Its spec did not change, but it is wanted gone now.
    assert_eq!(made["metadata"]["generation"], 1);
    assert_eq!(marked["metadata"]["generation"], 2);
    let again = post(server, &request("x", FINGERPRINT)).await;
    again.fails(&already_exists(REQUESTS, "x", "object is being deleted: "));
    let patch = json!({"metadata": {"finalizers": null}});
    server
        .patch(&server.requests("/x"), "merge", &patch)
        .await
        .is(200);
    post(server, &request("x", FINGERPRINT)).await.is(201);
}

async fn a_fingerprint_is_64_hex_digits(server: &Server) {
    server.define_requests().await;
    for fingerprint in [
        "nonsense",
        &FINGERPRINT.to_uppercase(),
        &FINGERPRINT[1..],
        "",
    ] {
        let message = format!(
            "Invalid value: \"{fingerprint}\": spec.signalFingerprint in body should match '^[a-f0-9]{{64}}$'"
        );
        let expected = invalid(
            REQUEST,
            "x",
            &[(INVALID, "spec.signalFingerprint", &message)],
        );
        post(server, &request("x", fingerprint))
            .await
            .fails(&expected);
    }
    let message = "Too long: may not be more than 64 bytes";
    let causes = [(TOO_LONG, "spec.signalFingerprint", message), UNCHECKED];
    let longer = format!("{FINGERPRINT}0");
    post(server, &request("x", &longer))
        .await
        .fails(&invalid(REQUEST, "x", &causes));
}

async fn values_are_checked_by_the_schema(server: &Server) {
    server.define_requests().await;
    let targets = "Unsupported value: \"moon\": supported values: \"kubernetes\", \"aws\", \"azure\", \"gcp\", \
                   \"datadog\"";
    for (field, value, cause, stops) in [
        ("targetType", json!("moon"), (UNSUPPORTED, targets), true),
        (
            "severity",
            json!(""),
            (
                INVALID,
                "Invalid value: \"\": spec.severity in body should be at least 1 chars long",
            ),
            false,
        ),
        (
            "severity",
            json!("x".repeat(51)),
            (TOO_LONG, "Too long: may not be more than 50 bytes"),
            true,
        ),
        (
            "firingTime",
            json!("yesterday"),
            (
                WRONG_TYPE,
                "Invalid value: \"yesterday\": spec.firingTime in body must be of type date-time: \"yesterday\"",
            ),
            true,
        ),
        (
            "signalName",
            json!(5),
            (
                WRONG_TYPE,
                "Invalid value: \"integer\": spec.signalName in body must be of type string: \"integer\"",
            ),
            true,
        ),
    ] {
        let mut asked = request("x", FINGERPRINT);
        asked["spec"][field] = value;
        let path = format!("spec.{field}");
        let mut causes = vec![(cause.0, path.as_str(), cause.1)];
        if stops {
            causes.push(UNCHECKED);
        }
        post(server, &asked)
            .await
            .fails(&invalid(REQUEST, "x", &causes));
    }
}

async fn what_is_required_is_named(server: &Server) {
    server.define_requests().await;
    let mut asked = request("x", FINGERPRINT);
    let spec = asked["spec"].as_object_mut().unwrap();
    spec.remove("severity");
    spec.remove("firingTime");
    let causes = [
        (REQUIRED, "spec.severity", "Required value"),
        (REQUIRED, "spec.firingTime", "Required value"),
        UNCHECKED,
    ];
    post(server, &asked)
        .await
        .fails(&invalid(REQUEST, "x", &causes));
    let mut asked = request("x", FINGERPRINT);
    asked["spec"]["targetResource"] = json!({"kind": "Pod"});
    let causes = [
        (REQUIRED, "spec.targetResource.name", "Required value"),
        UNCHECKED,
    ];
    post(server, &asked)
        .await
        .fails(&invalid(REQUEST, "x", &causes));
}

async fn a_spec_is_not_required(server: &Server) {
    server.define_requests().await;
    let mut asked = request("x", FINGERPRINT);
    asked.as_object_mut().unwrap().remove("spec");
    let made = post(server, &asked).await.is(201);
    assert_eq!(made["spec"], Value::Null);
}

async fn unknown_fields_are_dropped_or_refused(server: &Server) {
    server.define_requests().await;
    let mut asked = request("x", FINGERPRINT);
    asked["spec"]["bogus"] = json!(1);
    let strict = server.requests("?fieldValidation=Strict");
    server.post(&strict, &asked).await.fails(&bad_request(
        "RemediationRequest in version \"v1alpha1\" cannot be handled as a RemediationRequest: strict decoding error: \
         unknown field \"spec.bogus\"",
    ));
    let answer = post(server, &asked).await;
    assert_eq!(
        answer.header("warning"),
        "299 - \"unknown field \\\"spec.bogus\\\"\""
    );
    assert_eq!(answer.is(201)["spec"], request("x", FINGERPRINT)["spec"]);
}

async fn a_kind_has_to_be_said(server: &Server) {
    server.define_requests().await;
    let answer = post(server, &json!({"metadata": {"name": "x"}})).await;
    answer.fails(&bad_request(
        "the object provided is unrecognized (must be of type RemediationRequest): Object 'Kind' is missing in \
         '{\"metadata\":{\"name\":\"x\"}}' ({\"metadata\":{\"name\":\"x\"}})",
    ));
}

async fn a_spec_cannot_change(server: &Server) {
    let made = create(server).await;
    let immutable = (INVALID, "spec", "Invalid value: spec is immutable");
    let patch = json!({"spec": {"severity": "info"}});
    let answer = server.patch(&server.requests("/x"), "merge", &patch).await;
    answer.fails(&invalid(REQUEST, "x", &[immutable]));
    let patch = json!({"spec": {"signalFingerprint": OTHER}});
    let answer = server.patch(&server.requests("/x"), "merge", &patch).await;
    let message = format!("Invalid value: \"{OTHER}\": signalFingerprint is immutable");
    let causes = [
        immutable,
        (INVALID, "spec.signalFingerprint", message.as_str()),
    ];
    answer.fails(&invalid(REQUEST, "x", &causes));
    let mut changed = made.clone();
    changed["spec"]["severity"] = json!("info");
    let answer = server.put(&server.requests("/x"), &changed).await;
    answer.fails(&invalid(REQUEST, "x", &[immutable]));
    assert_eq!(server.get(&server.requests("/x")).await.is(200), made);
}

async fn fields_that_are_selectable_select(server: &Server) {
    create(server).await;
    post(server, &request("y", OTHER)).await.is(201);
    for (selector, expected) in [
        (
            format!("spec.signalFingerprint%3D{FINGERPRINT}"),
            &["x"][..],
        ),
        (format!("spec.signalFingerprint!%3D{FINGERPRINT}"), &["y"]),
        ("spec.severity%3Dcritical".to_owned(), &["x", "y"]),
        ("spec.severity%3Dinfo".to_owned(), &[]),
        ("spec.clusterID%3Dmain".to_owned(), &[]),
        // What is absent counts as empty.
        ("spec.clusterID%3D".to_owned(), &["x", "y"]),
        (
            "metadata.name%3Dx,spec.severity%3Dcritical".to_owned(),
            &["x"],
        ),
    ] {
        let path = server.requests(&format!("?fieldSelector={selector}"));
        assert_eq!(
            names(&server.get(&path).await.is(200)),
            expected,
            "{selector}"
        );
    }
    let path = server.requests(&format!(
        "?watch=true&fieldSelector=spec.signalFingerprint%3D{OTHER}"
    ));
    let mut watch = server.watch(&path).await;
    assert_eq!(watch.next_of().await, ("ADDED".to_owned(), "y".to_owned()));
}

async fn fields_that_are_not_selectable_are_refused(server: &Server) {
    server.define_requests().await;
    for field in ["spec.signalName", "status.overallPhase"] {
        let path = server.requests(&format!("?fieldSelector={field}%3Dx"));
        let message = format!("field label not supported: {field}");
        server.get(&path).await.fails(&bad_request(&message));
    }
}

async fn a_list_has_an_empty_continue(server: &Server) {
    let made = create(server).await;
    let list = server.get(&server.requests("")).await.is(200);
    // Items of a custom kind say what they are; those of a built-in kind do not.
    let expected = json!({
        "apiVersion": "kubernaut.ai/v1alpha1", "kind": "RemediationRequestList",
        "metadata": {"continue": "", "resourceVersion": version(&list)}, "items": [made]
    });
    assert_eq!(list, expected);
}

async fn a_row_has_the_printer_columns(server: &Server) {
    let made = create(server).await;
    let table = server.get(&server.requests("")).table().await.is(200);
    let columns: Vec<_> = table["columnDefinitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| {
            (
                column["name"].as_str().unwrap(),
                column["priority"].as_u64().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("Name", 0),
        ("Phase", 0),
        ("Outcome", 0),
        ("Alert", 0),
        ("RCA Target", 0),
        ("Workflow", 0),
        ("Confidence", 0),
        ("Age", 0),
        ("Cluster", 1),
        ("Source", 1),
        ("Signal NS", 1),
        ("Signal Target", 1),
        ("RCA NS", 1),
    ];
    assert_eq!(columns, expected);
    assert_eq!(
        table["columnDefinitions"][1],
        json!({
            "name": "Phase", "type": "string", "format": "", "priority": 0,
            "description": "Custom resource definition column (in JSONPath format): .status.overallPhase"
        })
    );
    let row = &table["rows"][0];
    let mut cells = row["cells"].as_array().unwrap().clone();
    // The age.
    assert!(cells.remove(7).as_str().unwrap().ends_with('s'), "{row}");
    let expected = json!([
        "x", null, null, "HighCPU", null, null, null, null, null, "prod", null, null
    ]);
    assert_eq!(json!(cells), expected);
    assert_eq!(row["object"]["metadata"], made["metadata"]);
}

async fn protobuf_is_not_spoken(server: &Server) {
    let made = create(server).await;
    let protobuf = "application/vnd.kubernetes.protobuf";
    let path = server.requests("/x");
    let answer = server.get(&path).header(ACCEPT, protobuf).await;
    assert_eq!(answer.code, 406);
    // The failure itself can be said in it.
    assert_eq!(answer.header("content-type"), protobuf);
    assert!(answer.text.starts_with("k8s\0"), "{}", answer.text);
    assert!(answer.text.contains("NotAcceptable"), "{}", answer.text);
    let either = format!("{protobuf},application/json");
    assert_eq!(
        server.get(&path).header(ACCEPT, &either).await.is(200),
        made
    );
}

async fn a_strategic_patch_is_not_spoken(server: &Server) {
    create(server).await;
    let answer = server
        .patch(&server.requests("/x"), "strategic-merge", &json!({}))
        .await;
    let message = "the body of the request was in an unknown format - accepted media types include: \
                   application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
    answer.fails(&failure(415, "UnsupportedMediaType", message));
}

/// Unlike a Lease.
async fn an_update_of_a_deleted_one_does_not_create_it(server: &Server) {
    let mut made = create(server).await;
    server.delete(&server.requests("/x")).await.is(200);
    let expected = not_found(REQUESTS, "x");
    server
        .put(&server.requests("/x"), &made)
        .await
        .fails(&expected);
    made["metadata"].as_object_mut().unwrap().remove("uid");
    server
        .put(&server.requests("/x"), &made)
        .await
        .fails(&expected);
}

async fn a_deletion_has_preconditions(server: &Server) {
    let made = create(server).await;
    let options = json!({"preconditions": {"uid": "other"}});
    let answer = server.delete(&server.requests("/x")).json(&options).await;
    let why = format!(
        "the UID in the precondition (other) does not match the UID in record ({}). The object might have been \
         deleted and then recreated",
        uid(&made)
    );
    answer.fails(&conflict(REQUEST, "x", &why));
    let options = json!({"preconditions": {"uid": uid(&made)}});
    let gone = server
        .delete(&server.requests("/x"))
        .json(&options)
        .await
        .is(200);
    assert_eq!(gone["status"], "Success");
}
