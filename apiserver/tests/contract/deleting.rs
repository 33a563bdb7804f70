//! DELETE of a Lease and of many.

use serde_json::{Value, json};

use super::expect::{
    INVALID, LEASE, LEASES, UNSUPPORTED, bad_request, conflict, invalid, not_found,
};
use super::server::{Server, names, uid, version};

crate::contract!(
    a_deletion_is_answered_with_what_was_deleted,
    a_deletion_with_matching_preconditions_deletes,
    another_version_is_a_conflict,
    another_uid_is_a_conflict,
    the_uid_is_compared_first,
    a_missing_lease_is_not_found,
    a_dry_run_in_the_body_deletes_nothing,
    a_dry_run_in_the_query_deletes_nothing,
    options_are_validated,
    options_are_json,
    grace_and_background_make_no_difference,
    a_foreground_deletion_waits_for_a_collector,
    an_orphaning_deletion_waits_for_a_collector,
    a_collection_is_deleted_by_label,
    a_collection_is_deleted_by_name,
    a_dry_run_of_a_collection_deletes_nothing,
);

const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

fn deleted(uid: &str) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": {"name": "x", "group": "coordination.k8s.io", "kind": "leases", "uid": uid}
    })
}

fn preconditions(uid: &str, version: &str) -> Value {
    json!({"preconditions": {"uid": uid, "resourceVersion": version}})
}

fn uid_conflict(asked: &str, lease: &Value) -> Value {
    let why = format!(
        "the UID in the precondition ({asked}) does not match the UID in record ({}). The object might have been \
         deleted and then recreated",
        uid(lease)
    );
    conflict(LEASE, "x", &why)
}

async fn a_deletion_is_answered_with_what_was_deleted(server: &Server) {
    let lease = server.lease("x", json!({})).await;
    let answer = server.delete(&server.leases("/x")).await.is(200);
    assert_eq!(answer, deleted(uid(&lease)));
    server
        .get(&server.leases("/x"))
        .await
        .fails(&not_found(LEASES, "x"));
}

async fn a_deletion_with_matching_preconditions_deletes(server: &Server) {
    let lease = server.lease("x", json!({})).await;
    let mut options = preconditions(uid(&lease), version(&lease));
    options["kind"] = json!("DeleteOptions");
    options["apiVersion"] = json!("v1");
    let answer = server
        .delete(&server.leases("/x"))
        .json(&options)
        .await
        .is(200);
    assert_eq!(answer, deleted(uid(&lease)));
}

async fn another_version_is_a_conflict(server: &Server) {
    let lease = server.lease("x", json!({})).await;
    let why = format!(
        "the ResourceVersion in the precondition (1) does not match the ResourceVersion in record ({}). The object \
         might have been modified",
        version(&lease)
    );
    for options in [
        preconditions(uid(&lease), "1"),
        json!({"preconditions": {"resourceVersion": "1"}}),
    ] {
        let answer = server.delete(&server.leases("/x")).json(&options).await;
        answer.fails(&conflict(LEASE, "x", &why));
    }
    assert_eq!(server.get(&server.leases("/x")).await.is(200), lease);
}

async fn another_uid_is_a_conflict(server: &Server) {
    let lease = server.lease("x", json!({})).await;
    let options = json!({"preconditions": {"uid": NOBODY}});
    let answer = server.delete(&server.leases("/x")).json(&options).await;
    answer.fails(&uid_conflict(NOBODY, &lease));
    assert_eq!(server.get(&server.leases("/x")).await.is(200), lease);
}

async fn the_uid_is_compared_first(server: &Server) {
    let lease = server.lease("x", json!({})).await;
    let options = preconditions(NOBODY, "1");
    let answer = server.delete(&server.leases("/x")).json(&options).await;
    answer.fails(&uid_conflict(NOBODY, &lease));
}

async fn a_missing_lease_is_not_found(server: &Server) {
    let expected = not_found(LEASES, "x");
    server.delete(&server.leases("/x")).await.fails(&expected);
    let options = preconditions(NOBODY, "1");
    server
        .delete(&server.leases("/x"))
        .json(&options)
        .await
        .fails(&expected);
}

async fn a_dry_run_in_the_body_deletes_nothing(server: &Server) {
    let lease = server.lease("x", json!({})).await;
    let options = json!({"dryRun": ["All"]});
    let answer = server
        .delete(&server.leases("/x"))
        .json(&options)
        .await
        .is(200);
    assert_eq!(answer, deleted(uid(&lease)));
    assert_eq!(server.get(&server.leases("/x")).await.is(200), lease);
}

async fn a_dry_run_in_the_query_deletes_nothing(server: &Server) {
    let lease = server.lease("x", json!({})).await;
    let answer = server.delete(&server.leases("/x?dryRun=All")).await.is(200);
    assert_eq!(answer, deleted(uid(&lease)));
    assert_eq!(server.get(&server.leases("/x")).await.is(200), lease);
}

async fn options_are_validated(server: &Server) {
    server.lease("x", json!({})).await;
    for (options, reason, field, message) in [
        (
            json!({"dryRun": ["Some"]}),
            UNSUPPORTED,
            "dryRun",
            "Unsupported value: [\"Some\"]: supported values: \"All\"",
        ),
        (
            json!({"propagationPolicy": "Nope"}),
            UNSUPPORTED,
            "propagationPolicy",
            "Unsupported value: \"Nope\": supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"",
        ),
        (
            json!({"propagationPolicy": "Orphan", "orphanDependents": true}),
            INVALID,
            "propagationPolicy",
            "Invalid value: \"Orphan\": orphanDependents and deletionPropagation cannot be both set",
        ),
    ] {
        let expected = invalid("DeleteOptions.meta.k8s.io", "", &[(reason, field, message)]);
        let answer = server.delete(&server.leases("/x")).json(&options).await;
        answer.fails(&expected);
    }
}

async fn options_are_json(server: &Server) {
    server.lease("x", json!({})).await;
    let answer = server
        .delete(&server.leases("/x"))
        .text("application/json", "{nope")
        .await;
    let start = "couldn't get version/kind; json parse error: ";
    answer.fails_with_words(&bad_request(start));
}

async fn grace_and_background_make_no_difference(server: &Server) {
    let lease = server.lease("x", json!({})).await;
    let options = json!({"propagationPolicy": "Background", "gracePeriodSeconds": 5});
    let answer = server
        .delete(&server.leases("/x"))
        .json(&options)
        .await
        .is(200);
    assert_eq!(answer, deleted(uid(&lease)));
    assert_eq!(server.get(&server.leases("/x")).await.code, 404);
}

async fn a_foreground_deletion_waits_for_a_collector(server: &Server) {
    waits_for_a_collector(server, "Foreground", "foregroundDeletion").await;
}

async fn an_orphaning_deletion_waits_for_a_collector(server: &Server) {
    waits_for_a_collector(server, "Orphan", "orphan").await;
}

/// There is no garbage collector in either server, so that the lease stays.
async fn waits_for_a_collector(server: &Server, policy: &str, finalizer: &str) {
    server.lease("x", json!({})).await;
    let path = server.leases(&format!("/x?propagationPolicy={policy}"));
    let marked = server.delete(&path).await.is(200);
    assert_eq!(marked["metadata"]["finalizers"], json!([finalizer]));
    assert_eq!(marked["metadata"]["deletionGracePeriodSeconds"], 0);
    assert!(
        marked["metadata"]["deletionTimestamp"].is_string(),
        "{marked}"
    );
    assert_eq!(server.get(&server.leases("/x")).await.is(200), marked);
}

async fn create_labelled(server: &Server, name: &str, team: &str) -> Value {
    let lease = json!({"metadata": {"name": name, "labels": {"team": team}}});
    server.post(&server.leases(""), &lease).await.is(201)
}

async fn a_collection_is_deleted_by_label(server: &Server) {
    for (name, team) in [("a", "red"), ("b", "red"), ("c", "blue")] {
        create_labelled(server, name, team).await;
    }
    let path = server.leases("?labelSelector=team%3Dred");
    let gone = server.delete(&path).await.is(200);
    assert_eq!(gone["kind"], "LeaseList");
    assert_eq!(names(&gone), ["a", "b"]);
    assert_eq!(names(&server.delete(&path).await.is(200)), [""; 0]);
    let left = server.get(&server.leases("")).await.is(200);
    assert_eq!(names(&left), ["c"]);
}

async fn a_collection_is_deleted_by_name(server: &Server) {
    for name in ["a", "b"] {
        create_labelled(server, name, "red").await;
    }
    let path = server.leases("?fieldSelector=metadata.name%3Da");
    server.delete(&path).await.is(200);
    let left = server.get(&server.leases("")).await.is(200);
    assert_eq!(names(&left), ["b"]);
}

async fn a_dry_run_of_a_collection_deletes_nothing(server: &Server) {
    create_labelled(server, "a", "red").await;
    let path = server.leases("?dryRun=All");
    assert_eq!(names(&server.delete(&path).await.is(200)), ["a"]);
    let left = server.get(&server.leases("")).await.is(200);
    assert_eq!(names(&left), ["a"]);
}
