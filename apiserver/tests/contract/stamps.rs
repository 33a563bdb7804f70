//! `managedFields`: the server's own stamps, which the expiry rule of a lock rests on.

use http::Method;
use serde_json::{Value, json};

use crate::server::Server;

crate::contract!(
    a_renewal_moves_its_writers_stamp_and_not_the_creation,
    an_empty_list_switches_the_stamps_off_for_good,
    another_managers_label_leaves_the_stamp_alone,
    a_label_by_the_same_manager_moves_the_stamp,
    past_ten_managers_old_ones_are_merged,
    a_lease_that_was_made_without_any_field_is_never_tracked,
    a_dry_run_update_answers_with_a_stamp_and_stores_nothing,
    every_answer_has_a_date,
);

async fn update(server: &Server, manager: &str, lease: &Value) -> Value {
    let answer = server
        .put(
            &server.leases(&format!("/x1?fieldManager={manager}")),
            lease.clone(),
        )
        .await;
    assert_eq!(answer.code, 200, "{answer:?}");
    answer.body
}

fn entry<'a>(lease: &'a Value, manager: &str) -> &'a Value {
    let entries = lease["metadata"]["managedFields"].as_array().unwrap();
    entries
        .iter()
        .find(|entry| entry["manager"] == manager)
        .unwrap_or(&Value::Null)
}

/// Writes until the server's second has changed, so that a moved stamp can be told from one that stayed.
async fn in_a_later_second(
    server: &Server,
    mut lease: Value,
    since: &Value,
    mut change: impl FnMut(&mut Value, u32),
) -> Value {
    for attempt in 0..10_000 {
        change(&mut lease, attempt);
        lease = update(server, "labeller", &lease).await;
        if entry(&lease, "labeller")["time"] != *since {
            return lease;
        }
    }
    panic!("the server's clock stands still");
}

fn renew(lease: &mut Value, number: u32) {
    lease["spec"]["renewTime"] = json!(format!("2026-11-23T09:00:00.{number:06}Z"));
}

async fn a_renewal_moves_its_writers_stamp_and_not_the_creation(server: &Server) {
    let lease = server
        .lease(
            "x1",
            json!({"holderIdentity": "a", "renewTime": "2026-11-23T09:00:00.000000Z"}),
        )
        .await;
    let created = lease["metadata"]["creationTimestamp"].clone();
    let mut later = in_a_later_second(server, lease, &created, |lease, n| {
        lease["metadata"]["labels"]["n"] = json!(n.to_string());
    })
    .await;
    assert_eq!(entry(&later, "contract")["time"], created);
    renew(&mut later, 7);
    let renewed = update(server, "contract", &later).await;
    assert_ne!(entry(&renewed, "contract")["time"], created);
    assert_eq!(renewed["metadata"]["creationTimestamp"], created);
}

async fn an_empty_list_switches_the_stamps_off_for_good(server: &Server) {
    let mut lease = server.lease("x1", json!({"holderIdentity": "a"})).await;
    lease["metadata"]["managedFields"] = json!([]);
    renew(&mut lease, 1);
    let mut off = update(server, "contract", &lease).await;
    assert_eq!(off["metadata"]["managedFields"], Value::Null);
    renew(&mut off, 2);
    assert_eq!(
        update(server, "contract", &off).await["metadata"]["managedFields"],
        Value::Null
    );
}

async fn another_managers_label_leaves_the_stamp_alone(server: &Server) {
    let lease = server.lease("x1", json!({"holderIdentity": "a"})).await;
    let own = entry(&lease, "contract").clone();
    let created = lease["metadata"]["creationTimestamp"].clone();
    let labelled = in_a_later_second(server, lease, &created, |lease, n| {
        lease["metadata"]["labels"]["n"] = json!(n.to_string());
    })
    .await;
    assert_eq!(entry(&labelled, "contract"), &own);
    assert_eq!(
        entry(&labelled, "labeller")["fieldsV1"],
        json!({"f:metadata": {"f:labels": {".": {}, "f:n": {}}}})
    );
}

async fn a_label_by_the_same_manager_moves_the_stamp(server: &Server) {
    let lease = server.lease("x1", json!({"holderIdentity": "a"})).await;
    let created = lease["metadata"]["creationTimestamp"].clone();
    let mut later = in_a_later_second(server, lease, &created, |lease, n| {
        lease["metadata"]["labels"]["n"] = json!(n.to_string());
    })
    .await;
    later["metadata"]["labels"]["own"] = json!("x");
    let labelled = update(server, "contract", &later).await;
    assert_ne!(entry(&labelled, "contract")["time"], created);
}

async fn past_ten_managers_old_ones_are_merged(server: &Server) {
    let mut lease = server.lease("x1", json!({"holderIdentity": "a"})).await;
    for number in 0..11 {
        lease["metadata"]["labels"][format!("l{number}")] = json!("x");
        lease = update(server, &format!("m{number:02}"), &lease).await;
    }
    assert_eq!(
        lease["metadata"]["managedFields"].as_array().unwrap().len(),
        10
    );
    assert!(entry(&lease, "ancient-changes").is_object(), "{lease}");
}

async fn a_lease_that_was_made_without_any_field_is_never_tracked(server: &Server) {
    let mut lease = server.lease("x1", json!({})).await;
    assert_eq!(lease["metadata"]["managedFields"], Value::Null);
    renew(&mut lease, 1);
    assert_eq!(
        update(server, "contract", &lease).await["metadata"]["managedFields"],
        Value::Null
    );
}

async fn a_dry_run_update_answers_with_a_stamp_and_stores_nothing(server: &Server) {
    let mut lease = server.lease("x1", json!({"holderIdentity": "a"})).await;
    let version = lease["metadata"]["resourceVersion"].clone();
    lease["spec"]["holderIdentity"] = json!("b");
    let dry = server
        .put(&server.leases("/x1?dryRun=All&fieldManager=dry"), lease)
        .await;
    assert_eq!(dry.code, 200);
    assert_eq!(
        entry(&dry.body, "dry")["fieldsV1"],
        json!({"f:spec": {"f:holderIdentity": {}}})
    );
    let stored = server.get(&server.leases("/x1")).await.body;
    assert_eq!(
        (
            &stored["metadata"]["resourceVersion"],
            stored["spec"]["holderIdentity"].as_str()
        ),
        (&version, Some("a"))
    );
}

async fn every_answer_has_a_date(server: &Server) {
    for answer in [
        server.get(&server.leases("")).await,
        server.get(&server.leases("/nothing")).await,
        server.ask(Method::GET, "/version", &[], Value::Null).await,
    ] {
        let date = answer.headers["date"].to_str().unwrap();
        assert!(date.ends_with(" GMT") && date.len() == 29, "{date}");
    }
}
