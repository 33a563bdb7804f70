//! `managedFields`: the server's own stamps, which the expiry rule of a lock rests on, and the `Date` of an answer.

use http::Method;
use serde_json::{Value, json};

use super::server::Server;

crate::contract!(
    a_renewal_moves_its_writers_stamp_and_not_the_creation,
    a_write_that_changes_nothing_moves_no_stamp,
    another_managers_label_leaves_the_stamp_alone,
    a_label_by_the_same_manager_moves_the_stamp,
    a_takeover_moves_the_field_to_the_new_writer,
    a_lost_field_leaves_its_former_owner,
    an_empty_list_switches_the_stamps_off_for_good,
    an_empty_entry_in_a_patch_switches_the_stamps_off_for_good,
    a_lease_that_was_made_without_any_field_is_never_tracked,
    stamps_that_are_left_out_stay,
    stamps_that_are_sent_altered_are_believed,
    past_ten_managers_old_ones_are_merged,
    a_dry_run_answers_with_a_fresh_stamp,
    without_a_field_manager_the_agent_names_it,
    a_patch_stamps_as_an_update_does,
    every_answer_has_a_date,
    a_stamp_is_the_second_of_the_request,
);

const CREATOR: &str = "creator";

async fn held(server: &Server) -> Value {
    let spec = json!({"holderIdentity": "a", "renewTime": "2026-11-23T09:00:00.000000Z"});
    server.lease("x", spec).await
}

async fn update(server: &Server, manager: &str, lease: &Value) -> Value {
    let path = server.leases(&format!("/x?fieldManager={manager}"));
    server.put(&path, lease).await.is(200)
}

fn renew(lease: &mut Value) {
    lease["spec"]["renewTime"] = json!("2026-11-23T09:00:10.000000Z");
}

fn entries(lease: &Value) -> &[Value] {
    lease["metadata"]["managedFields"]
        .as_array()
        .map_or(&[], Vec::as_slice)
}

fn entry<'a>(lease: &'a Value, manager: &str) -> &'a Value {
    entries(lease)
        .iter()
        .find(|entry| entry["manager"] == manager)
        .unwrap_or(&Value::Null)
}

fn stamp<'a>(lease: &'a Value, manager: &str) -> &'a str {
    entry(lease, manager)["time"].as_str().unwrap()
}

async fn a_renewal_moves_its_writers_stamp_and_not_the_creation(server: &Server) {
    let mut lease = held(server).await;
    let created = lease["metadata"]["creationTimestamp"].clone();
    assert_eq!(stamp(&lease, CREATOR), created);
    server.next_second().await;
    renew(&mut lease);
    let renewed = update(server, CREATOR, &lease).await;
    assert!(stamp(&renewed, CREATOR) > created.as_str().unwrap());
    assert_eq!(renewed["metadata"]["creationTimestamp"], created);
    assert_eq!(entries(&renewed).len(), 1);
}

async fn a_write_that_changes_nothing_moves_no_stamp(server: &Server) {
    let lease = held(server).await;
    server.next_second().await;
    assert_eq!(update(server, "other", &lease).await, lease);
}

async fn another_managers_label_leaves_the_stamp_alone(server: &Server) {
    let mut lease = held(server).await;
    let own = entry(&lease, CREATOR).clone();
    server.next_second().await;
    lease["metadata"]["labels"] = json!({"n": "1"});
    let labelled = update(server, "labeller", &lease).await;
    assert_eq!(entry(&labelled, CREATOR), &own);
    assert_eq!(
        entry(&labelled, "labeller")["fieldsV1"],
        json!({"f:metadata": {"f:labels": {".": {}, "f:n": {}}}})
    );
}

async fn a_label_by_the_same_manager_moves_the_stamp(server: &Server) {
    let mut lease = held(server).await;
    let before = stamp(&lease, CREATOR).to_owned();
    server.next_second().await;
    lease["metadata"]["labels"] = json!({"n": "1"});
    let labelled = update(server, CREATOR, &lease).await;
    assert!(stamp(&labelled, CREATOR) > before.as_str());
    assert_eq!(entries(&labelled).len(), 1);
}

async fn a_takeover_moves_the_field_to_the_new_writer(server: &Server) {
    let mut lease = held(server).await;
    lease["spec"]["holderIdentity"] = json!("b");
    let taken = update(server, "taker", &lease).await;
    let fields = |manager| entry(&taken, manager)["fieldsV1"].clone();
    assert_eq!(fields(CREATOR), json!({"f:spec": {"f:renewTime": {}}}));
    assert_eq!(fields("taker"), json!({"f:spec": {"f:holderIdentity": {}}}));
}

async fn a_lost_field_leaves_its_former_owner(server: &Server) {
    let mut lease = held(server).await;
    lease["spec"] = json!({"holderIdentity": "a"});
    let bare = update(server, "other", &lease).await;
    assert_eq!(
        entry(&bare, CREATOR)["fieldsV1"],
        json!({"f:spec": {"f:holderIdentity": {}}})
    );
    // It owns nothing: what it did was to take something away.
    assert_eq!(entry(&bare, "other"), &Value::Null);
}

async fn an_empty_list_switches_the_stamps_off_for_good(server: &Server) {
    let mut lease = held(server).await;
    lease["metadata"]["managedFields"] = json!([]);
    renew(&mut lease);
    let mut off = update(server, CREATOR, &lease).await;
    assert_eq!(entries(&off), [Value::Null; 0]);
    off["spec"]["holderIdentity"] = json!("b");
    assert_eq!(
        entries(&update(server, CREATOR, &off).await),
        [Value::Null; 0]
    );
}

async fn an_empty_entry_in_a_patch_switches_the_stamps_off_for_good(server: &Server) {
    held(server).await;
    let path = server.leases("/x");
    let off = json!({"metadata": {"managedFields": [{}]}});
    let off = server.patch(&path, "merge", &off).await.is(200);
    assert_eq!(entries(&off), [Value::Null; 0]);
    let later = json!({"spec": {"holderIdentity": "later"}});
    let later = server.patch(&path, "merge", &later).await.is(200);
    assert_eq!(entries(&later), [Value::Null; 0]);
}

async fn a_lease_that_was_made_without_any_field_is_never_tracked(server: &Server) {
    let mut lease = server.lease("x", json!({})).await;
    assert_eq!(entries(&lease), [Value::Null; 0]);
    renew(&mut lease);
    assert_eq!(
        entries(&update(server, CREATOR, &lease).await),
        [Value::Null; 0]
    );
}

async fn stamps_that_are_left_out_stay(server: &Server) {
    let mut lease = held(server).await;
    lease["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("managedFields");
    lease["metadata"]["labels"] = json!({"n": "1"});
    let labelled = update(server, "labeller", &lease).await;
    assert_eq!(
        entry(&labelled, CREATOR)["fieldsV1"],
        json!({"f:spec": {"f:holderIdentity": {}, "f:renewTime": {}}})
    );
    assert!(entry(&labelled, "labeller").is_object(), "{labelled}");
}

/// Why forged stamps are out of a lock's scope.
async fn stamps_that_are_sent_altered_are_believed(server: &Server) {
    let mut lease = held(server).await;
    lease["metadata"]["managedFields"][0]["time"] = json!("2020-01-01T00:00:00Z");
    lease["metadata"]["labels"] = json!({"n": "1"});
    let labelled = update(server, "labeller", &lease).await;
    assert_eq!(stamp(&labelled, CREATOR), "2020-01-01T00:00:00Z");
}

async fn past_ten_managers_old_ones_are_merged(server: &Server) {
    let mut lease = held(server).await;
    for number in 0..9 {
        lease["metadata"]["labels"][format!("l{number}")] = json!("x");
        lease = update(server, &format!("m{number}"), &lease).await;
    }
    assert_eq!(entries(&lease).len(), 10);
    assert!(entry(&lease, CREATOR).is_object(), "{lease}");
    // Which of them goes is a matter of age, and these have one second.
    server.next_second().await;
    lease["metadata"]["labels"]["last"] = json!("x");
    lease = update(server, "last", &lease).await;
    assert_eq!(entries(&lease).len(), 10);
    assert!(entry(&lease, "ancient-changes").is_object(), "{lease}");
    assert!(entry(&lease, "last").is_object(), "{lease}");
}

async fn a_dry_run_answers_with_a_fresh_stamp(server: &Server) {
    let mut lease = held(server).await;
    let before = lease.clone();
    server.next_second().await;
    renew(&mut lease);
    let path = server.leases(&format!("/x?dryRun=All&fieldManager={CREATOR}"));
    let answered = server.put(&path, &lease).await.is(200);
    assert!(stamp(&answered, CREATOR) > stamp(&before, CREATOR));
    assert_eq!(server.get(&server.leases("/x")).await.is(200), before);
}

async fn without_a_field_manager_the_agent_names_it(server: &Server) {
    for (name, agent, expected) in [
        ("a", "kubectl/v1.36.3 (linux/amd64)", "kubectl"),
        ("b", "gwlock", "gwlock"),
        ("c", "", "unknown"),
    ] {
        let lease = json!({"metadata": {"name": name}, "spec": {"holderIdentity": "a"}});
        let made = server
            .post(&server.leases(""), &lease)
            .agent(agent)
            .await
            .is(201);
        assert_eq!(entries(&made)[0]["manager"], expected);
    }
}

async fn a_patch_stamps_as_an_update_does(server: &Server) {
    let lease = held(server).await;
    server.next_second().await;
    let patch = json!({"spec": {"renewTime": "2026-11-23T09:00:10.000000Z"}});
    let path = server.leases(&format!("/x?fieldManager={CREATOR}"));
    let renewed = server.patch(&path, "merge", &patch).await.is(200);
    assert!(stamp(&renewed, CREATOR) > stamp(&lease, CREATOR));
    assert_eq!(entry(&renewed, CREATOR)["operation"], "Update");
    assert_eq!(entries(&renewed).len(), 1);
}

async fn every_answer_has_a_date(server: &Server) {
    for (path, method) in [
        (server.leases(""), Method::GET),
        (server.leases("/nothing"), Method::GET),
        (server.leases("/nothing"), Method::DELETE),
        ("/version".to_owned(), Method::GET),
        ("/nothing".to_owned(), Method::GET),
    ] {
        let answer = server.call(method, &path).await;
        let date = answer.header("date");
        assert!(date.ends_with(" GMT") && date.len() == 29, "{path}: {date}");
    }
}

async fn a_stamp_is_the_second_of_the_request(server: &Server) {
    let date = async || server.get("/version").await.header("date").to_owned();
    let clock = |stamp: &str| stamp.get(11..19).unwrap().to_owned();
    // `Mon, 23 Nov 2026 09:00:00 GMT`
    let date_clock = |date: String| date.get(17..25).unwrap().to_owned();
    server.next_second().await;
    let before = date_clock(date().await);
    let lease = held(server).await;
    let after = date_clock(date().await);
    let stamped = clock(stamp(&lease, CREATOR));
    assert!(
        stamped == before || stamped == after,
        "{before} {stamped} {after}"
    );
}
