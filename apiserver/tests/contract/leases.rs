//! Writes to a Lease.

use serde_json::{Value, json};

use crate::server::Server;

crate::contract!(
    a_new_lease_gets_uid_version_and_stamps_with_whole_seconds,
    an_existing_name_is_already_there,
    generate_name_appends_five_characters,
    a_namespace_that_does_not_exist_is_not_found,
    names_have_to_be_dns_subdomains,
    durations_and_transitions_have_bounds,
    times_need_exactly_six_decimals,
    odd_holders_are_taken,
    an_unknown_field_is_dropped_or_refused_if_asked_strictly,
    a_dry_run_stores_nothing,
    a_stale_version_is_a_conflict,
    an_update_needs_a_version,
    an_update_that_changes_nothing_keeps_the_version,
    an_update_of_a_deleted_lease_with_its_uid_is_a_conflict,
    an_update_of_a_deleted_lease_without_uid_creates_it_again,
    a_json_patch_with_a_failing_test_is_invalid,
    a_merge_patch_with_a_stale_version_is_a_conflict,
    a_deletion_with_matching_preconditions_says_what_it_deleted,
    a_deletion_with_another_version_or_uid_is_a_conflict,
    a_deletion_of_nothing_is_not_found,
    a_dry_run_deletion_in_the_body_deletes_nothing,
    a_finalizer_keeps_a_deleted_lease_and_it_can_still_be_written,
    the_name_in_the_body_has_to_be_the_one_in_the_path,
);

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or \
                         '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used \
                         for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

fn named(name: &str, spec: Value) -> Value {
    json!({"metadata": {"name": name}, "spec": spec})
}

async fn a_new_lease_gets_uid_version_and_stamps_with_whole_seconds(server: &Server) {
    let lease = server
        .lease(
            "x1",
            json!({"holderIdentity": "a", "renewTime": "2026-11-23T09:00:00.000001Z"}),
        )
        .await;
    let metadata = &lease["metadata"];
    assert_eq!(metadata["uid"].as_str().unwrap().len(), 36);
    assert!(
        metadata["resourceVersion"]
            .as_str()
            .unwrap()
            .parse::<u64>()
            .is_ok()
    );
    let created = metadata["creationTimestamp"].as_str().unwrap();
    assert_eq!(created.len(), "2026-11-23T09:00:00Z".len());
    let entry = &metadata["managedFields"][0];
    assert_eq!(entry["time"], created);
    assert_eq!(
        entry,
        &json!({
            "manager": "contract", "operation": "Update", "apiVersion": "coordination.k8s.io/v1", "time": created,
            "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:holderIdentity": {}, "f:renewTime": {}}}
        })
    );
    assert_eq!(
        lease["spec"],
        json!({"holderIdentity": "a", "renewTime": "2026-11-23T09:00:00.000001Z"})
    );
}

async fn an_existing_name_is_already_there(server: &Server) {
    server.lease("x1", json!({})).await;
    let again = server
        .post(&server.leases(""), named("x1", json!({})))
        .await;
    assert_eq!(
        again.failure(),
        (
            409,
            "AlreadyExists",
            "leases.coordination.k8s.io \"x1\" already exists"
        )
    );
    assert_eq!(
        again.body["details"],
        json!({"name": "x1", "group": "coordination.k8s.io", "kind": "leases"})
    );
}

async fn generate_name_appends_five_characters(server: &Server) {
    let made = server
        .post(
            &server.leases(""),
            json!({"metadata": {"generateName": "gen-"}, "spec": {}}),
        )
        .await;
    assert_eq!(made.code, 201);
    assert_eq!(
        made.body["metadata"]["name"].as_str().unwrap().len(),
        "gen-".len() + 5
    );
}

async fn a_namespace_that_does_not_exist_is_not_found(server: &Server) {
    let made = server
        .post(
            "/apis/coordination.k8s.io/v1/namespaces/nope/leases",
            named("x1", json!({})),
        )
        .await;
    assert_eq!(
        made.failure(),
        (404, "NotFound", "namespaces \"nope\" not found")
    );
}

async fn names_have_to_be_dns_subdomains(server: &Server) {
    for name in ["Bad", "a_b", "gw-lock-AbC"] {
        let made = server
            .post(&server.leases(""), named(name, json!({})))
            .await;
        let expected = format!(
            "Lease.coordination.k8s.io \"{name}\" is invalid: metadata.name: Invalid value: \"{name}\": {SUBDOMAIN}"
        );
        assert_eq!(made.failure(), (422, "Invalid", expected.as_str()));
    }
    assert_eq!(
        server
            .post(&server.leases(""), named(&"a".repeat(254), json!({})))
            .await
            .code,
        422
    );
    assert_eq!(
        server
            .post(&server.leases(""), named(&"a".repeat(253), json!({})))
            .await
            .code,
        201
    );
    let empty = server.post(&server.leases(""), named("", json!({}))).await;
    assert_eq!(empty.code, 422);
    assert!(
        empty
            .message()
            .contains("metadata.name: Required value: name or generateName is required"),
        "{empty:?}"
    );
}

async fn durations_and_transitions_have_bounds(server: &Server) {
    for (field, value, detail) in [
        ("leaseDurationSeconds", 0, "must be greater than 0"),
        ("leaseDurationSeconds", -1, "must be greater than 0"),
        ("leaseTransitions", -1, "must be greater than or equal to 0"),
    ] {
        let made = server
            .post(&server.leases(""), named("x1", json!({field: value})))
            .await;
        let expected = format!(
            "Lease.coordination.k8s.io \"x1\" is invalid: spec.{field}: Invalid value: {value}: {detail}"
        );
        assert_eq!(made.failure(), (422, "Invalid", expected.as_str()));
    }
}

async fn times_need_exactly_six_decimals(server: &Server) {
    for (time, rest) in [
        ("yesterday", "cannot parse \"yesterday\" as \"2006\""),
        ("2026-11-23T09:00:00Z", "cannot parse \"Z\" as \".000000\""),
    ] {
        let made = server
            .post(&server.leases(""), named("x1", json!({"renewTime": time})))
            .await;
        let expected = format!(
            "Lease in version \"v1\" cannot be handled as a Lease: parsing time {time:?} as \
             \"2006-01-02T15:04:05.000000Z07:00\": {rest}"
        );
        assert_eq!(made.failure(), (400, "BadRequest", expected.as_str()));
    }
}

async fn odd_holders_are_taken(server: &Server) {
    server.lease("none", json!({})).await;
    server.lease("empty", json!({"holderIdentity": ""})).await;
    server
        .lease("long", json!({"holderIdentity": "h".repeat(2000)}))
        .await;
}

async fn an_unknown_field_is_dropped_or_refused_if_asked_strictly(server: &Server) {
    let lease = server
        .lease("x1", json!({"holderIdentity": "a", "bogus": 1}))
        .await;
    assert_eq!(lease["spec"], json!({"holderIdentity": "a"}));
    let strict = server
        .post(
            &server.leases("?fieldValidation=Strict"),
            named("x2", json!({"bogus": 1})),
        )
        .await;
    assert_eq!(
        (strict.code, strict.body["reason"].as_str()),
        (400, Some("BadRequest"))
    );
    assert!(
        strict
            .message()
            .ends_with("strict decoding error: unknown field \"spec.bogus\""),
        "{strict:?}"
    );
}

async fn a_dry_run_stores_nothing(server: &Server) {
    let made = server
        .post(&server.leases("?dryRun=All"), named("x1", json!({})))
        .await;
    assert_eq!(made.code, 201);
    assert_eq!(server.get(&server.leases("/x1")).await.code, 404);
}

async fn a_stale_version_is_a_conflict(server: &Server) {
    let mut lease = server.lease("x1", json!({"holderIdentity": "a"})).await;
    lease["spec"]["holderIdentity"] = json!("b");
    assert_eq!(
        server.put(&server.leases("/x1"), lease.clone()).await.code,
        200
    );
    let stale = server.put(&server.leases("/x1"), lease).await;
    assert_eq!(
        stale.failure(),
        (
            409,
            "Conflict",
            "Operation cannot be fulfilled on leases.coordination.k8s.io \"x1\": the object has been modified; please \
             apply your changes to the latest version and try again"
        )
    );
}

async fn an_update_needs_a_version(server: &Server) {
    server.lease("x1", json!({})).await;
    let update = server
        .put(
            &server.leases("/x1"),
            named("x1", json!({"holderIdentity": "b"})),
        )
        .await;
    assert_eq!(
        update.failure(),
        (
            422,
            "Invalid",
            "leases.coordination.k8s.io \"x1\" is invalid: metadata.resourceVersion: Invalid value: 0: must be \
             specified for an update"
        )
    );
}

async fn an_update_that_changes_nothing_keeps_the_version(server: &Server) {
    let lease = server.lease("x1", json!({"holderIdentity": "a"})).await;
    let update = server.put(&server.leases("/x1"), lease.clone()).await;
    assert_eq!(
        (update.code, update.version()),
        (200, lease["metadata"]["resourceVersion"].as_str().unwrap())
    );
}

async fn an_update_of_a_deleted_lease_with_its_uid_is_a_conflict(server: &Server) {
    let lease = server.lease("x1", json!({})).await;
    assert_eq!(
        server.delete(&server.leases("/x1"), Value::Null).await.code,
        200
    );
    let update = server.put(&server.leases("/x1"), lease.clone()).await;
    assert_eq!(
        (update.code, update.body["reason"].as_str()),
        (409, Some("Conflict"))
    );
    let uid = lease["metadata"]["uid"].as_str().unwrap();
    assert!(
        update.message().contains("StorageError: invalid object"),
        "{update:?}"
    );
    assert!(
        update
            .message()
            .contains(&format!("Precondition failed: UID in precondition: {uid}")),
        "{update:?}"
    );
}

async fn an_update_of_a_deleted_lease_without_uid_creates_it_again(server: &Server) {
    let mut lease = server.lease("x1", json!({})).await;
    assert_eq!(
        server.delete(&server.leases("/x1"), Value::Null).await.code,
        200
    );
    lease["metadata"].as_object_mut().unwrap().remove("uid");
    assert_eq!(server.put(&server.leases("/x1"), lease).await.code, 201);
}

async fn a_json_patch_with_a_failing_test_is_invalid(server: &Server) {
    server.lease("x1", json!({"holderIdentity": "a"})).await;
    let patch = json!([{"op": "test", "path": "/spec/holderIdentity", "value": "b"}]);
    let patched = server
        .patch(&server.leases("/x1"), "json-patch", patch)
        .await;
    assert_eq!(
        patched.failure(),
        (
            422,
            "Invalid",
            "the server rejected our request due to an error in our request"
        )
    );
}

async fn a_merge_patch_with_a_stale_version_is_a_conflict(server: &Server) {
    server.lease("x1", json!({})).await;
    let patch = json!({"metadata": {"resourceVersion": "1"}, "spec": {"holderIdentity": "b"}});
    let patched = server
        .patch(&server.leases("/x1"), "merge-patch", patch)
        .await;
    assert_eq!(
        (patched.code, patched.body["reason"].as_str()),
        (409, Some("Conflict"))
    );
    let patched = server
        .patch(
            &server.leases("/x1"),
            "merge-patch",
            json!({"spec": {"holderIdentity": "b"}}),
        )
        .await;
    assert_eq!(
        (
            patched.code,
            patched.body["spec"]["holderIdentity"].as_str()
        ),
        (200, Some("b"))
    );
}

fn preconditions(uid: &str, version: &str) -> Value {
    json!({"preconditions": {"uid": uid, "resourceVersion": version}})
}

async fn a_deletion_with_matching_preconditions_says_what_it_deleted(server: &Server) {
    let lease = server.lease("x1", json!({})).await;
    let (uid, version) = (
        &lease["metadata"]["uid"],
        &lease["metadata"]["resourceVersion"],
    );
    let deleted = server
        .delete(
            &server.leases("/x1"),
            preconditions(uid.as_str().unwrap(), version.as_str().unwrap()),
        )
        .await;
    assert_eq!(
        (deleted.code, deleted.body),
        (
            200,
            json!({
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
                "details": {"name": "x1", "group": "coordination.k8s.io", "kind": "leases", "uid": uid}
            })
        )
    );
}

async fn a_deletion_with_another_version_or_uid_is_a_conflict(server: &Server) {
    let lease = server.lease("x1", json!({})).await;
    let (uid, version) = (
        lease["metadata"]["uid"].as_str().unwrap(),
        lease["metadata"]["resourceVersion"].as_str().unwrap(),
    );
    let stale = server
        .delete(&server.leases("/x1"), preconditions(uid, "1"))
        .await;
    let expected = format!(
        "Operation cannot be fulfilled on Lease.coordination.k8s.io \"x1\": the ResourceVersion in the precondition \
         (1) does not match the ResourceVersion in record ({version}). The object might have been modified"
    );
    assert_eq!(stale.failure(), (409, "Conflict", expected.as_str()));
    let other = server
        .delete(&server.leases("/x1"), preconditions("no-such-uid", version))
        .await;
    let expected = format!(
        "Operation cannot be fulfilled on Lease.coordination.k8s.io \"x1\": the UID in the precondition \
         (no-such-uid) does not match the UID in record ({uid}). The object might have been deleted and then recreated"
    );
    assert_eq!(other.failure(), (409, "Conflict", expected.as_str()));
    assert_eq!(server.get(&server.leases("/x1")).await.code, 200);
}

async fn a_deletion_of_nothing_is_not_found(server: &Server) {
    let deleted = server.delete(&server.leases("/x1"), Value::Null).await;
    assert_eq!(
        deleted.failure(),
        (
            404,
            "NotFound",
            "leases.coordination.k8s.io \"x1\" not found"
        )
    );
}

async fn a_dry_run_deletion_in_the_body_deletes_nothing(server: &Server) {
    server.lease("x1", json!({})).await;
    assert_eq!(
        server
            .delete(&server.leases("/x1"), json!({"dryRun": ["All"]}))
            .await
            .code,
        200
    );
    assert_eq!(server.get(&server.leases("/x1")).await.code, 200);
}

async fn a_finalizer_keeps_a_deleted_lease_and_it_can_still_be_written(server: &Server) {
    let lease = json!({"metadata": {"name": "x1", "finalizers": ["example.com/keep"]}, "spec": {"holderIdentity": "a"}});
    assert_eq!(server.post(&server.leases(""), lease).await.code, 201);
    let deleted = server.delete(&server.leases("/x1"), Value::Null).await;
    assert_eq!(deleted.code, 200);
    let mut kept = server.get(&server.leases("/x1")).await.body;
    assert!(kept["metadata"]["deletionTimestamp"].is_string(), "{kept}");
    let again = server
        .post(&server.leases(""), named("x1", json!({})))
        .await;
    assert_eq!(
        again.failure(),
        (
            409,
            "AlreadyExists",
            "object is being deleted: leases.coordination.k8s.io \"x1\" already exists"
        )
    );
    kept["spec"]["holderIdentity"] = json!("b");
    let mut written = server.put(&server.leases("/x1"), kept).await;
    assert_eq!(written.code, 200);
    written.body["metadata"]["finalizers"] = json!([]);
    assert_eq!(
        server.put(&server.leases("/x1"), written.body).await.code,
        200
    );
    assert_eq!(server.get(&server.leases("/x1")).await.code, 404);
}

async fn the_name_in_the_body_has_to_be_the_one_in_the_path(server: &Server) {
    let lease = server.lease("x1", json!({})).await;
    let update = server.put(&server.leases("/x2"), lease).await;
    assert_eq!(
        update.failure(),
        (
            400,
            "BadRequest",
            "the name of the object (x1) does not match the name on the URL (x2)"
        )
    );
}
