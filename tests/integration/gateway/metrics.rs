//! What `/metrics` says after known signals: every counter to the unit.

use gwlock_apiserver::faults::{Action, Fault};
use gwlock_engine::client::convert::micro_time;
use gwlock_engine::protocol::key::Fingerprint;
use serde_json::{Value, json};

use super::fleet::{Fleet, alert};

async fn fleet(replicas: usize) -> Fleet {
    let fleet = Fleet::new(replicas).await;
    fleet.cluster.create("shop/Pod/pod-0", None).await;
    fleet
}

/// The counters of these families that are not zero, as `name{labels} value`, sorted.
async fn counters(fleet: &Fleet, families: &[&str]) -> Vec<String> {
    let samples = fleet.scrape().await;
    let is_asked = |name: &str| {
        let family = name.split('{').next().unwrap();
        families.contains(&family)
    };
    let samples = samples.into_iter();
    samples
        .filter(|(name, value)| is_asked(name) && value != "0")
        .map(|(name, value)| format!("{name} {value}"))
        .collect()
}

const SIGNALS: &[&str] = &[
    "gateway_crd_creation_errors_total",
    "gateway_crds_created_total",
    "gateway_owner_resolution_total",
    "gateway_signals_deduplicated_total",
    "gateway_signals_parse_dropped_total",
    "gateway_signals_received_total",
    "gateway_signals_rejected_total",
    "gateway_http_request_duration_seconds_count",
];

const LOCKS: &[&str] = &[
    "gateway_lock_acquisition_attempts_total",
    "gateway_lock_acquisition_failures_total",
    "gateway_lock_acquisition_success_total",
    "gateway_lock_ambiguous_total",
    "gateway_lock_contention_total",
    "gateway_lock_hold_duration_seconds_count",
    "gateway_lock_lost_total",
    "gateway_lock_retry_attempts_total",
    "gateway_lock_retry_success_total",
    "gateway_lock_retry_timeout_total",
    "gateway_lock_takeovers_total",
    "gateway_lock_wait_duration_seconds_count",
];

#[tokio::test]
async fn one_and_five_of_one_alert_are_six_received_and_five_deduplicated_each_time() {
    let fleet = fleet(1).await;
    assert_eq!(fleet.storm([alert("HighCPU", "pod-0")]).await, [201]);
    assert_eq!(
        fleet.storm(vec![alert("HighCPU", "pod-0"); 5]).await,
        [202; 5]
    );
    let expected = |runs: u32, created: u32| {
        let (received, duplicates) = (6 * runs, 6 * runs - created);
        let labels = "endpoint=\"prometheus\",method=\"POST\"";
        vec![
            format!(
                "gateway_crds_created_total{{source_type=\"prometheus\",status=\"created\"}} {created}"
            ),
            format!(
                "gateway_http_request_duration_seconds_count{{{labels},status=\"201\"}} {created}"
            ),
            format!(
                "gateway_http_request_duration_seconds_count{{{labels},status=\"202\"}} {duplicates}"
            ),
            format!("gateway_owner_resolution_total{{kind=\"Pod\",outcome=\"itself\"}} {received}"),
            format!("gateway_signals_deduplicated_total{{signal_name=\"HighCPU\"}} {duplicates}"),
            format!(
                "gateway_signals_received_total{{source_type=\"prometheus\",severity=\"high\"}} {received}"
            ),
        ]
    };
    assert_eq!(counters(&fleet, SIGNALS).await, expected(1, 1));
    // The same storm once more finds the request of the first one.
    assert_eq!(fleet.storm([alert("HighCPU", "pod-0")]).await, [202]);
    assert_eq!(
        fleet.storm(vec![alert("HighCPU", "pod-0"); 5]).await,
        [202; 5]
    );
    assert_eq!(counters(&fleet, SIGNALS).await, expected(2, 1));
    assert_eq!(fleet.leases().await, 0);
    assert_eq!(
        counters(&fleet, LOCKS).await,
        [
            "gateway_lock_acquisition_attempts_total 1",
            "gateway_lock_acquisition_success_total 1",
            "gateway_lock_hold_duration_seconds_count 1",
            "gateway_lock_wait_duration_seconds_count 1",
        ]
    );
    assert_eq!(
        counters(&fleet, &["gateway_api_requests_total"]).await[..3],
        [
            "gateway_api_requests_total{verb=\"create\",resource=\"leases\",status=\"201\"} 1",
            "gateway_api_requests_total{verb=\"create\",resource=\"remediationrequests\",status=\"201\"} 1",
            "gateway_api_requests_total{verb=\"delete\",resource=\"leases\",status=\"200\"} 1",
        ]
    );
    assert_eq!(
        counters(&fleet, &["gateway_api_request_duration_seconds_count"]).await[..3],
        [
            "gateway_api_request_duration_seconds_count{verb=\"create\",resource=\"leases\"} 1",
            "gateway_api_request_duration_seconds_count{verb=\"create\",resource=\"remediationrequests\"} 1",
            "gateway_api_request_duration_seconds_count{verb=\"delete\",resource=\"leases\"} 1",
        ]
    );
}

#[tokio::test]
async fn severities_are_counted_by_what_they_are_mapped_to() {
    let fleet = fleet(1).await;
    for severity in ["warning", "HIGH", "critical", "info", "Sev1", "P0"] {
        let mut alert = alert("A", "pod-0");
        alert["labels"]["severity"] = json!(severity);
        fleet.webhook(0, &[alert]).await;
    }
    let received = |severity: &str, count: u32| {
        format!(
            "gateway_signals_received_total{{source_type=\"prometheus\",severity=\"{severity}\"}} {count}"
        )
    };
    assert_eq!(
        counters(&fleet, &["gateway_signals_received_total"]).await,
        [
            received("critical", 1),
            received("high", 2),
            received("low", 1),
            received("unknown", 2),
        ]
    );
}

#[tokio::test]
async fn signal_names_beyond_the_hundredth_are_counted_as_one() {
    let fleet = fleet(1).await;
    fleet.webhook(0, &[alert("first", "pod-0")]).await;
    for number in 0..105 {
        fleet
            .webhook(0, &[alert(&format!("name-{number:03}"), "pod-0")])
            .await;
    }
    let counted = counters(&fleet, &["gateway_signals_deduplicated_total"]).await;
    assert_eq!(counted.len(), 101);
    assert_eq!(
        counted[100],
        "gateway_signals_deduplicated_total{signal_name=\"other\"} 5"
    );
}

#[tokio::test]
async fn owners_are_counted_by_kind_and_outcome() {
    let fleet = fleet(1).await;
    fleet.cluster.create("shop/Deployment/api", None).await;
    fleet
        .cluster
        .create("shop/ReplicaSet/api-5d", Some("Deployment/api"))
        .await;
    fleet
        .cluster
        .create("shop/Pod/api-1", Some("ReplicaSet/api-5d"))
        .await;
    for pod in ["api-1", "pod-0", "gone"] {
        fleet.webhook(0, &[alert("A", pod)]).await;
    }
    let event = |kind: &str| {
        json!({
            "type": "Warning", "reason": "R", "lastTimestamp": jiff::Timestamp::now(),
            "involvedObject": {"kind": kind, "namespace": "shop", "name": "x"},
        })
    };
    for kind in ["Gadget", "Gizmo"] {
        fleet.event(0, &event(kind)).await;
    }
    let owner = |kind: &str, outcome: &str, count: u32| {
        format!("gateway_owner_resolution_total{{kind=\"{kind}\",outcome=\"{outcome}\"}} {count}")
    };
    assert_eq!(
        counters(&fleet, &["gateway_owner_resolution_total"]).await,
        [
            owner("Pod", "itself", 1),
            owner("Pod", "not_found", 1),
            owner("Pod", "owner", 1),
            owner("other", "itself", 2),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_acquisition_that_had_to_try_again_is_counted() {
    let fleet = fleet(1).await;
    let lease = Fingerprint::of("shop:Pod:pod-0").lease_name();
    // The first POST is not executed, and is sent again.
    let refuse = Action::Refuse {
        status: 429,
        retry_after: Some(1),
    };
    fleet.cluster.inject(
        Fault::new(refuse)
            .verb("create")
            .name(lease.as_str())
            .times(1),
    );
    assert_eq!(fleet.webhook(0, &[alert("A", "pod-0")]).await.0, 201);
    assert_eq!(fleet.leases().await, 0);
    assert_eq!(
        counters(&fleet, LOCKS).await,
        [
            "gateway_lock_acquisition_attempts_total 1",
            "gateway_lock_acquisition_success_total 1",
            "gateway_lock_hold_duration_seconds_count 1",
            "gateway_lock_retry_attempts_total 1",
            "gateway_lock_retry_success_total 1",
            "gateway_lock_wait_duration_seconds_count 1",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_acquisition_that_was_given_up_is_counted() {
    let fleet = fleet(1).await;
    let lease = Fingerprint::of("shop:Pod:pod-0").lease_name();
    let path = format!(
        "/apis/coordination.k8s.io/v1/namespaces/{}/leases",
        super::fleet::LOCKS
    );
    let now = super::cluster::Cluster::now();
    let held: Value = json!({
        "metadata": {"name": lease.as_str()},
        "spec": {"holderIdentity": "somebody", "leaseDurationSeconds": 3600, "renewTime": micro_time(now)},
    });
    fleet.cluster.post(&path, &held).await;
    assert_eq!(fleet.webhook(0, &[alert("A", "pod-0")]).await.0, 500);
    assert_eq!(fleet.leases().await, 1);
    assert_eq!(
        counters(&fleet, LOCKS).await,
        [
            "gateway_lock_acquisition_attempts_total 1",
            "gateway_lock_acquisition_failures_total{reason=\"busy\"} 1",
            "gateway_lock_contention_total 1",
            "gateway_lock_retry_timeout_total 1",
        ]
    );
}
