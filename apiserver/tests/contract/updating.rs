//! PUT of a Lease: what guards it, and what it may not change.

use serde_json::{Value, json};

use super::expect::{INVALID, LEASE, LEASES, bad_request, conflict, failure, invalid, stale};
use super::server::{Server, uid, version};

crate::contract!(
    an_update_is_answered_with_the_new_version,
    a_stale_version_is_a_conflict,
    a_version_is_required,
    a_version_is_a_number,
    an_update_that_changes_nothing_keeps_the_version,
    another_uid_is_a_conflict,
    the_names_of_path_and_body_have_to_agree,
    the_namespaces_of_path_and_body_have_to_agree,
    what_is_left_out_is_removed,
    an_update_is_validated,
    the_creation_time_stays,
    a_deleted_lease_with_its_uid_stays_deleted,
    a_deleted_lease_without_uid_is_created_again,
    a_lease_that_never_was_is_created,
    a_dry_run_stores_nothing,
    of_two_updates_from_one_version_one_wins,
);

const NOBODY: &str = "00000000-0000-0000-0000-000000000000";
const UNSPECIFIED: (&str, &str, &str) = (
    INVALID,
    "metadata.resourceVersion",
    "Invalid value: 0: must be specified for an update",
);

async fn held(server: &Server) -> Value {
    let spec = json!({"holderIdentity": "me", "leaseDurationSeconds": 30});
    server.lease("x", spec).await
}

fn taken_by(lease: &Value, holder: &str) -> Value {
    let mut lease = lease.clone();
    lease["spec"]["holderIdentity"] = json!(holder);
    lease
}

fn with(lease: &Value, field: &str, value: &str) -> Value {
    let mut lease = taken_by(lease, "other");
    lease["metadata"][field] = json!(value);
    lease
}

fn without(lease: &Value, fields: &[&str]) -> Value {
    let mut lease = taken_by(lease, "other");
    for field in fields {
        lease["metadata"].as_object_mut().unwrap().remove(*field);
    }
    lease
}

fn gone(server: &Server, uid: &str, found: &str) -> Value {
    let key = format!("/registry/leases/{}/x", server.namespace);
    let why = format!(
        "StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition \
         failed: UID in precondition: {uid}, UID in object meta: {found}"
    );
    conflict(LEASES, "x", &why)
}

async fn an_update_is_answered_with_the_new_version(server: &Server) {
    let lease = held(server).await;
    let path = server.leases("/x?fieldManager=creator");
    let updated = server.put(&path, &taken_by(&lease, "you")).await.is(200);
    assert_ne!(version(&updated), version(&lease));
    let mut expected = taken_by(&lease, "you");
    expected["metadata"]["resourceVersion"] = json!(version(&updated));
    // A second may have begun.
    expected["metadata"]["managedFields"] = updated["metadata"]["managedFields"].clone();
    assert_eq!(updated, expected);
    assert_eq!(server.get(&server.leases("/x")).await.is(200), updated);
}

async fn a_stale_version_is_a_conflict(server: &Server) {
    let lease = held(server).await;
    server
        .put(&server.leases("/x"), &taken_by(&lease, "you"))
        .await
        .is(200);
    let answer = server
        .put(&server.leases("/x"), &taken_by(&lease, "them"))
        .await;
    answer.fails(&stale(LEASES, "x"));
    let stored = server.get(&server.leases("/x")).await.is(200);
    assert_eq!(stored["spec"]["holderIdentity"], "you");
}

async fn a_version_is_required(server: &Server) {
    let lease = held(server).await;
    let expected = invalid(LEASES, "x", &[UNSPECIFIED]);
    for lease in [
        without(&lease, &["resourceVersion"]),
        with(&lease, "resourceVersion", "0"),
        with(&lease, "resourceVersion", ""),
    ] {
        server
            .put(&server.leases("/x"), &lease)
            .await
            .fails(&expected);
    }
}

async fn a_version_is_a_number(server: &Server) {
    let lease = with(&held(server).await, "resourceVersion", "abc");
    let message = "strconv.ParseUint: parsing \"abc\": invalid syntax";
    let answer = server.put(&server.leases("/x"), &lease).await;
    answer.fails(&failure(500, "", message));
}

async fn an_update_that_changes_nothing_keeps_the_version(server: &Server) {
    let lease = held(server).await;
    server.next_second().await;
    let path = server.leases("/x?fieldManager=creator");
    assert_eq!(server.put(&path, &lease).await.is(200), lease);
    let mut bare = lease.clone();
    bare["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("managedFields");
    assert_eq!(server.put(&path, &bare).await.is(200), lease);
}

async fn another_uid_is_a_conflict(server: &Server) {
    let lease = held(server).await;
    let other = with(&lease, "uid", NOBODY);
    let answer = server.put(&server.leases("/x"), &other).await;
    answer.fails(&gone(server, NOBODY, uid(&lease)));
}

async fn the_names_of_path_and_body_have_to_agree(server: &Server) {
    let lease = held(server).await;
    let answer = server
        .put(&server.leases("/x"), &with(&lease, "name", "y"))
        .await;
    answer.fails(&bad_request(
        "the name of the object (y) does not match the name on the URL (x)",
    ));
    let answer = server
        .put(&server.leases("/x"), &without(&lease, &["name"]))
        .await;
    answer.fails(&bad_request(
        "the name of the object (x based on URL) was undeterminable: name must be provided",
    ));
}

async fn the_namespaces_of_path_and_body_have_to_agree(server: &Server) {
    let lease = with(&held(server).await, "namespace", "other");
    server
        .put(&server.leases("/x"), &lease)
        .await
        .fails(&bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
}

async fn what_is_left_out_is_removed(server: &Server) {
    let lease = held(server).await;
    let bare = json!({
        "metadata": {"name": "x", "resourceVersion": version(&lease)}, "spec": {"holderIdentity": "me"}
    });
    let path = server.leases("/x?fieldManager=creator");
    let updated = server.put(&path, &bare).await.is(200);
    assert_eq!(updated["spec"], json!({"holderIdentity": "me"}));
    assert_eq!(uid(&updated), uid(&lease));
    let fields = &updated["metadata"]["managedFields"][0]["fieldsV1"];
    assert_eq!(fields, &json!({"f:spec": {"f:holderIdentity": {}}}));
}

async fn an_update_is_validated(server: &Server) {
    let mut lease = held(server).await;
    lease["spec"]["leaseDurationSeconds"] = json!(0);
    let message = "Invalid value: 0: must be greater than 0";
    let answer = server.put(&server.leases("/x"), &lease).await;
    answer.fails(&invalid(
        LEASE,
        "x",
        &[(INVALID, "spec.leaseDurationSeconds", message)],
    ));
}

async fn the_creation_time_stays(server: &Server) {
    let lease = held(server).await;
    let mut older = lease.clone();
    older["metadata"]["creationTimestamp"] = json!("2020-01-01T00:00:00Z");
    let path = server.leases("/x?fieldManager=creator");
    assert_eq!(server.put(&path, &older).await.is(200), lease);
}

async fn a_deleted_lease_with_its_uid_stays_deleted(server: &Server) {
    let lease = held(server).await;
    server.remove("x").await;
    let answer = server
        .put(&server.leases("/x"), &taken_by(&lease, "ghost"))
        .await;
    answer.fails(&gone(server, uid(&lease), ""));
    assert_eq!(server.get(&server.leases("/x")).await.code, 404);
}

/// Why a lock has to send the uid with every update.
async fn a_deleted_lease_without_uid_is_created_again(server: &Server) {
    let lease = held(server).await;
    server.remove("x").await;
    let ghost = without(&lease, &["uid"]);
    let created = server.put(&server.leases("/x"), &ghost).await.is(201);
    assert_ne!(uid(&created), uid(&lease));
    assert_eq!(created["spec"]["holderIdentity"], "other");
}

async fn a_lease_that_never_was_is_created(server: &Server) {
    let lease = json!({"metadata": {"name": "x"}, "spec": {"holderIdentity": "me"}});
    let created = server.put(&server.leases("/x"), &lease).await.is(201);
    assert_eq!(server.get(&server.leases("/x")).await.is(200), created);
    let other = json!({"metadata": {"name": "y", "uid": NOBODY}});
    assert_eq!(server.put(&server.leases("/y"), &other).await.code, 409);
}

async fn a_dry_run_stores_nothing(server: &Server) {
    let lease = held(server).await;
    let path = server.leases("/x?dryRun=All");
    let answered = server.put(&path, &taken_by(&lease, "dry")).await.is(200);
    assert_eq!(answered["spec"]["holderIdentity"], "dry");
    assert_eq!(version(&answered), version(&lease));
    assert_eq!(server.get(&server.leases("/x")).await.is(200), lease);
}

async fn of_two_updates_from_one_version_one_wins(server: &Server) {
    let mut lease = held(server).await;
    for _ in 0..20 {
        let path = server.leases("/x");
        let (one, other) = (taken_by(&lease, "one"), taken_by(&lease, "other"));
        let mut codes = {
            let put = async |lease: &Value| server.put(&path, lease).await.code;
            let (one, other) = tokio::join!(put(&one), put(&other));
            [one, other]
        };
        codes.sort_unstable();
        assert_eq!(codes, [200, 409]);
        lease = server.get(&path).await.is(200);
        lease["spec"]["holderIdentity"] = json!("me");
        lease = server.put(&path, &lease).await.is(200);
    }
}
