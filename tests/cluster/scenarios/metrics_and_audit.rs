//! What a replica counts and records, to the digit.

use std::path::Path;

use gwlock_testkit::control_plane;
use serde_json::{Value, json};

use crate::serve::{Replica, World};

/// The lines of an audit log.
pub(super) fn events(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

async fn counters(replica: &Replica) -> [u64; 4] {
    let mut values = [0; 4];
    for (value, series) in values.iter_mut().zip([
        "gateway_signals_received_total",
        "gateway_signals_deduplicated_total",
        "gateway_crds_created_total",
        "gateway_crd_creation_errors_total",
    ]) {
        *value = replica.metric(series).await;
    }
    values
}

/// One signal and five more of it: received six, deduplicated five, created one; and a duplicate raises the counter of
/// its own name by one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn six_of_one_alert_are_received_six_times_and_deduplicated_five() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let replica = world.replica("a");
    assert_eq!(counters(&replica).await, [0, 0, 0, 0]);
    for sent in 1..=6 {
        replica.alert(&world.alert("HighCPU", "api")).await;
        assert_eq!(counters(&replica).await, [sent, sent - 1, 1, 0]);
    }
    assert_eq!(
        replica.alert(&world.alert("Other", "api")).await.status,
        202
    );
    world.until_no_lease_is_left().await;
    for (series, value) in [
        (
            "gateway_signals_received_total{source_type=\"prometheus\",severity=\"critical\"}",
            7,
        ),
        (
            "gateway_signals_deduplicated_total{signal_name=\"HighCPU\"}",
            5,
        ),
        (
            "gateway_signals_deduplicated_total{signal_name=\"Other\"}",
            1,
        ),
        (
            "gateway_crds_created_total{source_type=\"prometheus\",status=\"created\"}",
            1,
        ),
        ("gateway_lock_acquisition_attempts_total", 1),
        ("gateway_lock_acquisition_success_total", 1),
        ("gateway_lock_contention_total", 0),
        ("gateway_lock_takeovers_total", 0),
        ("gateway_lock_lost_total", 0),
        (
            "gateway_api_requests_total{verb=\"create\",resource=\"remediationrequests\",status=\"201\"}",
            1,
        ),
        (
            "gateway_api_requests_total{verb=\"patch\",resource=\"remediationrequests/status\",status=\"200\"}",
            7,
        ),
        (
            "gateway_api_requests_total{verb=\"create\",resource=\"leases\",status=\"201\"}",
            1,
        ),
    ] {
        assert_eq!(
            replica.metric(series).await,
            value,
            "{series}\n{}",
            replica.metrics().await
        );
    }
}

/// A duplicate is recorded with its count, its request and the severity as it was sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_duplicate_is_recorded_once_with_the_rising_count() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let folder = tempfile::tempdir().unwrap();
    let audit = folder.path().join("audit.jsonl");
    let arguments = ["--auth", "none", "--audit-log", audit.to_str().unwrap()];
    let replica = world.start("a", world.kubeconfig.path(), &arguments);
    let mut alert = world.alert("HighCPU", "api");
    alert["labels"]["severity"] = json!("warning");
    let created = replica.alert(&alert).await;
    for _ in 0..5 {
        assert_eq!(replica.alert(&alert).await.status, 202);
    }
    // The release is recorded after the answer.
    assert_eq!(replica.end(), Some(0));
    let events = events(&audit);
    let of = |kind: &str| -> Vec<&Value> {
        let own = events.iter().filter(|event| event["event_type"] == kind);
        own.collect()
    };
    assert_eq!(of("gateway.signal.received").len(), 6);
    assert_eq!(of("gateway.crd.failed").len(), 0);
    let name = created.body["remediationRequestName"].as_str().unwrap();
    let told = |event: &Value| {
        let data = &event["event_data"];
        assert_eq!(event["event_category"], "gateway");
        assert_eq!(event["correlation_id"], name);
        json!([
            event["event_action"],
            data["deduplication_status"],
            data["occurrence_count"],
            data["severity"],
            data["remediation_request"],
        ])
    };
    let request = format!("{}/{name}", world.namespace);
    let created: Vec<Value> = of("gateway.crd.created").into_iter().map(told).collect();
    assert_eq!(created, [json!(["created", "new", 1, "warning", request])]);
    let duplicates: Vec<Value> = of("gateway.signal.deduplicated")
        .into_iter()
        .map(told)
        .collect();
    let expected = [2, 3, 4, 5, 6]
        .map(|count| json!(["deduplicated", "duplicate", count, "warning", request]));
    assert_eq!(duplicates, expected);
    let [acquired] = of("gateway.lock.acquired")[..] else {
        panic!("{events:?}");
    };
    let lease = world.fingerprint("Pod", "api").lease_name();
    assert_eq!(acquired["event_data"]["lease"], lease.as_str());
    let holder = acquired["event_data"]["holder"].as_str().unwrap();
    assert_eq!(holder.rsplit_once('_').unwrap().0, "a");
    let [released] = of("gateway.lock.released")[..] else {
        panic!("{events:?}");
    };
    assert_eq!(released["event_data"]["released"], "Deleted");
}

/// The table of severities, row by row: as sent in the request, mapped in the label of the metric.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_severity_is_kept_as_it_was_sent_and_mapped_in_the_metric() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let replica = world.replica("a");
    let long = "p".repeat(51);
    let cut = "p".repeat(50);
    let rows = [
        (Some("critical"), "critical", "critical"),
        (Some("high"), "high", "high"),
        (Some("medium"), "medium", "medium"),
        (Some("low"), "low", "low"),
        (Some("warning"), "warning", "high"),
        (Some("info"), "info", "low"),
        (Some("Critical"), "Critical", "critical"),
        (Some("WARNING"), "WARNING", "high"),
        (Some("page"), "page", "unknown"),
        (Some(""), "unknown", "unknown"),
        (None, "unknown", "unknown"),
        (Some(long.as_str()), cut.as_str(), "unknown"),
    ];
    world
        .pods((0..rows.len()).map(|row| format!("pod-{row}")))
        .await;
    for (row, (sent, raw, mapped)) in rows.into_iter().enumerate() {
        let pod = format!("pod-{row}");
        let mut alert = world.alert("HighCPU", &pod);
        match sent {
            Some(severity) => alert["labels"]["severity"] = json!(severity),
            None => drop(alert["labels"].as_object_mut().unwrap().remove("severity")),
        }
        let series = |severity: &str| {
            format!(
                "gateway_signals_received_total{{source_type=\"prometheus\",severity=\"{severity}\"}}"
            )
        };
        let before = replica.metric(&series(mapped)).await;
        let answer = replica.alert(&alert).await;
        assert_eq!(answer.status, 201, "{sent:?}: {answer:?}");
        assert_eq!(
            replica.metric(&series(mapped)).await,
            before + 1,
            "{sent:?}"
        );
        let requests = world.requests().await;
        let own = requests
            .iter()
            .find(|request| request["spec"]["targetResource"]["name"] == *pod);
        assert_eq!(own.unwrap()["spec"]["severity"], raw, "{sent:?}");
    }
    let received = replica.metric("gateway_signals_received_total").await;
    assert_eq!(received, u64::try_from(rows.len()).unwrap());
}
