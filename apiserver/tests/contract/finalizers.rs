//! Leases that a finalizer keeps after their deletion.

use serde_json::{Value, json};

use super::expect::{FORBIDDEN, LEASES, already_exists, not_found, with_details};
use super::server::{Server, version};

crate::contract!(
    a_deleted_lease_stays_and_shows_when,
    a_second_deletion_changes_nothing,
    it_can_still_be_written,
    its_name_is_taken,
    it_gets_no_new_finalizer,
    it_goes_with_its_last_finalizer,
    its_last_version_is_answered_when_a_patch_removes_it,
    a_lease_that_was_not_deleted_survives_its_finalizers,
);

async fn deleted(server: &Server) -> Value {
    let metadata = json!({"name": "x", "finalizers": ["example.com/keep"]});
    server
        .post(&server.leases(""), &json!({"metadata": metadata}))
        .await
        .is(201);
    server.delete(&server.leases("/x")).await.is(200)
}

fn with_finalizers(lease: &Value, finalizers: &[&str]) -> Value {
    let mut lease = lease.clone();
    lease["metadata"]["finalizers"] = json!(finalizers);
    lease
}

async fn a_deleted_lease_stays_and_shows_when(server: &Server) {
    let metadata = json!({"name": "x", "finalizers": ["example.com/keep"]});
    let lease = server
        .post(&server.leases(""), &json!({"metadata": metadata}))
        .await
        .is(201);
    assert_eq!(
        lease["metadata"]["managedFields"][0]["fieldsV1"],
        json!({"f:metadata": {"f:finalizers": {".": {}, "v:\"example.com/keep\"": {}}}})
    );
    let marked = server.delete(&server.leases("/x")).await.is(200);
    let mut expected = lease.clone();
    expected["metadata"]["resourceVersion"] = json!(version(&marked));
    expected["metadata"]["deletionTimestamp"] = marked["metadata"]["deletionTimestamp"].clone();
    expected["metadata"]["deletionGracePeriodSeconds"] = json!(0);
    assert_eq!(marked, expected);
    assert!(
        marked["metadata"]["deletionTimestamp"].is_string(),
        "{marked}"
    );
    assert_ne!(version(&marked), version(&lease));
    assert_eq!(server.get(&server.leases("/x")).await.is(200), marked);
}

async fn a_second_deletion_changes_nothing(server: &Server) {
    let lease = deleted(server).await;
    server.next_second().await;
    assert_eq!(server.delete(&server.leases("/x")).await.is(200), lease);
}

/// Why a lock may not take a lease over that is being deleted: nobody would stop it.
async fn it_can_still_be_written(server: &Server) {
    let mut lease = deleted(server).await;
    lease["spec"]["holderIdentity"] = json!("ghost");
    let written = server.put(&server.leases("/x"), &lease).await.is(200);
    assert_eq!(written["spec"]["holderIdentity"], "ghost");
    assert_eq!(
        written["metadata"]["deletionTimestamp"],
        lease["metadata"]["deletionTimestamp"]
    );
    // A client cannot take it back.
    let mut revived = written.clone();
    let metadata = revived["metadata"].as_object_mut().unwrap();
    metadata.remove("deletionTimestamp");
    metadata.remove("deletionGracePeriodSeconds");
    assert_eq!(
        server.put(&server.leases("/x"), &revived).await.is(200),
        written
    );
}

async fn its_name_is_taken(server: &Server) {
    deleted(server).await;
    let answer = server
        .post(&server.leases(""), &json!({"metadata": {"name": "x"}}))
        .await;
    answer.fails(&already_exists(LEASES, "x", "object is being deleted: "));
}

async fn it_gets_no_new_finalizer(server: &Server) {
    let lease = deleted(server).await;
    let more = with_finalizers(&lease, &["example.com/keep", "example.com/new"]);
    // Reported twice, by two validations; the message keeps one of them.
    let message = "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers \
                   []string{\"example.com/new\"}";
    let cause = json!({"reason": FORBIDDEN, "message": message, "field": "metadata.finalizers"});
    let answer = server.put(&server.leases("/x"), &more).await;
    answer.fails(&with_details(
        422,
        "Invalid",
        &format!("Lease.coordination.k8s.io \"x\" is invalid: metadata.finalizers: {message}"),
        json!({"name": "x", "group": "coordination.k8s.io", "kind": "Lease", "causes": [cause, cause]}),
    ));
}

async fn it_goes_with_its_last_finalizer(server: &Server) {
    let lease = deleted(server).await;
    let last = server
        .put(&server.leases("/x"), &with_finalizers(&lease, &[]))
        .await
        .is(200);
    // The version of what is gone already.
    assert_eq!(version(&last), version(&lease));
    assert_eq!(last["metadata"]["finalizers"], Value::Null);
    server
        .get(&server.leases("/x"))
        .await
        .fails(&not_found(LEASES, "x"));
    server.lease("x", json!({})).await;
}

async fn its_last_version_is_answered_when_a_patch_removes_it(server: &Server) {
    let lease = deleted(server).await;
    let patch = json!({"metadata": {"finalizers": null}});
    let last = server
        .patch(&server.leases("/x"), "merge", &patch)
        .await
        .is(200);
    assert_eq!(version(&last), version(&lease));
    server
        .get(&server.leases("/x"))
        .await
        .fails(&not_found(LEASES, "x"));
}

async fn a_lease_that_was_not_deleted_survives_its_finalizers(server: &Server) {
    let metadata = json!({"name": "x", "finalizers": ["example.com/keep"]});
    let lease = server
        .post(&server.leases(""), &json!({"metadata": metadata}))
        .await
        .is(201);
    server
        .put(&server.leases("/x"), &with_finalizers(&lease, &[]))
        .await
        .is(200);
    assert_eq!(server.get(&server.leases("/x")).await.code, 200);
}
