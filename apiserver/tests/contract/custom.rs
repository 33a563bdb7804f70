//! Custom resources: a kind with a status subresource, patterns, an immutable spec and selectable fields.

use serde_json::{Value, json};

use crate::server::Server;

crate::contract!(
    a_status_in_a_new_object_is_dropped,
    values_are_checked_by_the_schema,
    an_immutable_spec_cannot_change,
    objects_are_selected_by_a_selectable_field,
    a_status_is_counted_up_by_patches_that_test_what_was_read,
    a_test_for_null_passes_where_only_the_last_part_is_absent,
);

const FINGERPRINT: &str = "91fce8d5c4949766458bd4bd58859a4fb2e8470ef64ef438c22903744799a9b1";

/// A kind of its own for this test, so that tests on one server do not meet.
async fn define(server: &Server) -> String {
    let group = format!("{}.example.com", server.namespace);
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("requests.{group}")},
        "spec": {
            "group": group, "scope": "Namespaced",
            "names": {"kind": "Request", "listKind": "RequestList", "plural": "requests", "singular": "request"},
            "versions": [{
                "name": "v1alpha1", "served": true, "storage": true, "subresources": {"status": {}},
                "selectableFields": [{"jsonPath": ".spec.signalFingerprint"}],
                "schema": {"openAPIV3Schema": {
                    "type": "object",
                    "properties": {
                        "spec": {
                            "type": "object", "required": ["signalFingerprint"],
                            "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "spec is immutable"}],
                            "properties": {
                                "signalFingerprint": {"type": "string", "maxLength": 64, "pattern": "^[a-f0-9]{64}$"},
                                "targetType": {"type": "string", "enum": ["kubernetes", "aws"]}
                            }
                        },
                        "status": {
                            "type": "object",
                            "properties": {
                                "overallPhase": {"type": "string"},
                                "deduplication": {"type": "object", "properties": {
                                    "occurrenceCount": {"type": "integer", "format": "int32"}
                                }}
                            }
                        }
                    }
                }}
            }]
        }
    });
    let made = server
        .post(
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
            definition,
        )
        .await;
    assert_eq!(made.code, 201, "{made:?}");
    let collection = format!(
        "/apis/{group}/v1alpha1/namespaces/{}/requests",
        server.namespace
    );
    for _ in 0..100_000 {
        if server.get(&collection).await.code == 200 {
            return collection;
        }
    }
    panic!("the kind is not served");
}

fn request(fingerprint: &str) -> Value {
    // The collection decides the kind; a real server wants to read it in the body as well.
    json!({"metadata": {"name": "r1"}, "spec": {"signalFingerprint": fingerprint}})
}

async fn create(server: &Server, collection: &str, mut object: Value) -> crate::server::Answer {
    let group = collection.split('/').nth(2).unwrap();
    object["apiVersion"] = json!(format!("{group}/v1alpha1"));
    object["kind"] = json!("Request");
    server.post(collection, object).await
}

async fn a_status_in_a_new_object_is_dropped(server: &Server) {
    let collection = define(server).await;
    let mut object = request(FINGERPRINT);
    object["status"] = json!({"overallPhase": "Pending"});
    let made = create(server, &collection, object).await;
    assert_eq!((made.code, &made.body["status"]), (201, &Value::Null));
}

async fn values_are_checked_by_the_schema(server: &Server) {
    let collection = define(server).await;
    let refused = create(server, &collection, request("nonsense")).await;
    assert_eq!(
        (refused.code, refused.body["reason"].as_str()),
        (422, Some("Invalid"))
    );
    assert!(
        refused.message().contains(
            "spec.signalFingerprint: Invalid value: \"nonsense\": spec.signalFingerprint in body should match \
             '^[a-f0-9]{64}$'"
        ),
        "{refused:?}"
    );
    let mut object = request(FINGERPRINT);
    object["spec"]["targetType"] = json!("mars");
    let refused = create(server, &collection, object).await;
    assert!(
        refused
            .message()
            .contains("spec.targetType: Unsupported value: \"mars\": supported values: \"kubernetes\", \"aws\""),
        "{refused:?}"
    );
    let refused = create(
        server,
        &collection,
        json!({"metadata": {"name": "r1"}, "spec": {}}),
    )
    .await;
    assert!(
        refused
            .message()
            .contains("spec.signalFingerprint: Required value"),
        "{refused:?}"
    );
}

async fn an_immutable_spec_cannot_change(server: &Server) {
    let collection = define(server).await;
    assert_eq!(
        create(server, &collection, request(FINGERPRINT)).await.code,
        201
    );
    let patch = json!({"spec": {"targetType": "aws"}});
    let refused = server
        .patch(&format!("{collection}/r1"), "merge-patch", patch)
        .await;
    assert_eq!(refused.code, 422);
    assert!(
        refused.message().contains("spec is immutable"),
        "{refused:?}"
    );
}

async fn objects_are_selected_by_a_selectable_field(server: &Server) {
    let collection = define(server).await;
    assert_eq!(
        create(server, &collection, request(FINGERPRINT)).await.code,
        201
    );
    for (fingerprint, found) in [(FINGERPRINT, 1), ("0", 0)] {
        let list = server
            .get(&format!(
                "{collection}?fieldSelector=spec.signalFingerprint%3D{fingerprint}"
            ))
            .await;
        assert_eq!(
            list.body["items"].as_array().unwrap().len(),
            found,
            "{list:?}"
        );
    }
}

async fn a_status_is_counted_up_by_patches_that_test_what_was_read(server: &Server) {
    let collection = define(server).await;
    let made = create(server, &collection, request(FINGERPRINT)).await;
    let status = format!("{collection}/r1/status");
    let first = json!([
        {"op": "test", "path": "/metadata/uid", "value": made.body["metadata"]["uid"]},
        {"op": "test", "path": "/metadata/deletionTimestamp", "value": null},
        {"op": "test", "path": "/status", "value": null},
        {"op": "add", "path": "/status", "value": {"deduplication": {"occurrenceCount": 1}}}
    ]);
    let counted = server.patch(&status, "json-patch", first.clone()).await;
    assert_eq!(
        (counted.code, &counted.body["status"]),
        (200, &json!({"deduplication": {"occurrenceCount": 1}}))
    );
    assert_eq!(server.patch(&status, "json-patch", first).await.code, 422);
    let count = "/status/deduplication/occurrenceCount";
    let next = json!([{"op": "test", "path": count, "value": 1}, {"op": "replace", "path": count, "value": 2}]);
    assert_eq!(
        server.patch(&status, "json-patch", next.clone()).await.code,
        200
    );
    assert_eq!(server.patch(&status, "json-patch", next).await.code, 422);
    let main = server
        .patch(
            &format!("{collection}/r1"),
            "merge-patch",
            json!({"status": {"overallPhase": "X"}}),
        )
        .await;
    assert_eq!(
        (main.code, &main.body["status"]["overallPhase"]),
        (200, &Value::Null)
    );
}

async fn a_test_for_null_passes_where_only_the_last_part_is_absent(server: &Server) {
    let collection = define(server).await;
    assert_eq!(
        create(server, &collection, request(FINGERPRINT)).await.code,
        201
    );
    let status = format!("{collection}/r1/status");
    let test = |path: &str| json!([{"op": "test", "path": path, "value": null}]);
    assert_eq!(
        server
            .patch(&status, "json-patch", test("/status/deduplication"))
            .await
            .code,
        422
    );
    assert_eq!(
        server
            .patch(&status, "json-patch", test("/status"))
            .await
            .code,
        200
    );
    let phase = json!({"status": {"deduplication": {"occurrenceCount": 1}}});
    assert_eq!(server.patch(&status, "merge-patch", phase).await.code, 200);
    assert_eq!(
        server
            .patch(&status, "json-patch", test("/status/overallPhase"))
            .await
            .code,
        200
    );
    assert_eq!(
        server
            .patch(
                &status,
                "merge-patch",
                json!({"status": {"overallPhase": ""}})
            )
            .await
            .code,
        200
    );
    assert_eq!(
        server
            .patch(&status, "json-patch", test("/status/overallPhase"))
            .await
            .code,
        422
    );
}
