//! Whole bodies and the signals that they become: which are one, and which are not.

use gwlock::gateway::GatewayVersion::{Current, January};
use gwlock::gateway::ingest::{Ingestion, Refusal};
use gwlock_engine::protocol::key::Fingerprint;
use gwlock_engine::remediation::Signal;
use serde_json::{Value, json};

use super::cluster::Cluster;

async fn storm() -> (Cluster, Ingestion) {
    let cluster = Cluster::new().await;
    for (object, controller) in [
        ("prod/Deployment/payment-api", None),
        (
            "prod/ReplicaSet/payment-api-5d",
            Some("Deployment/payment-api"),
        ),
        ("prod/Pod/payment-api-1", Some("ReplicaSet/payment-api-5d")),
        ("prod/Pod/payment-api-2", Some("ReplicaSet/payment-api-5d")),
    ] {
        cluster.create(object, controller).await;
    }
    let ingestion = Ingestion::new(Current, cluster.kinds().await, cluster.objects());
    (cluster, ingestion)
}

fn alert(pod: &str) -> Value {
    json!({
        "status": "firing", "startsAt": "2026-11-23T08:59:00Z",
        "labels": {"alertname": "HighMemoryUsage", "severity": "critical", "namespace": "prod", "pod": pod},
    })
}

/// What becomes of every alert of a webhook that wants something remediated.
async fn send(ingestion: &Ingestion, body: &Value) -> Vec<Result<Signal, Refusal>> {
    let now = Cluster::now();
    let header = now.as_second().to_string();
    let webhook = ingestion
        .webhook(body.to_string().into(), Some(&header), now)
        .unwrap();
    let mut signals = Vec::new();
    for alert in ingestion.alerts(&webhook) {
        signals.push(ingestion.alert(&webhook, alert, now).await);
    }
    signals
}

fn fingerprints(signals: &[Result<Signal, Refusal>]) -> Vec<&str> {
    signals
        .iter()
        .map(|signal| signal.as_ref().unwrap().fingerprint().as_str())
        .collect()
}

const PAYMENT_API: &str = "91fce8d5c4949766458bd4bd58859a4fb2e8470ef64ef438c22903744799a9b1";

#[tokio::test]
async fn alerts_about_two_pods_of_one_deployment_and_an_event_about_it_are_one_target() {
    let (_cluster, ingestion) = storm().await;
    let body = json!({"alerts": [alert("payment-api-1"), alert("payment-api-2")]});
    let signals = send(&ingestion, &body).await;
    assert_eq!(fingerprints(&signals), [PAYMENT_API, PAYMENT_API]);
    let spec = &signals[1].as_ref().unwrap().spec;
    assert_eq!(spec.target_resource.kind, "Deployment");
    assert_eq!(spec.target_resource.api_version.as_deref(), Some("apps/v1"));
    let payload: Value = serde_json::from_str(spec.original_payload.as_ref().unwrap()).unwrap();
    assert_eq!(payload, json!({"alerts": [alert("payment-api-2")]}));

    let event = json!({
        "type": "Warning", "reason": "BackOff", "lastTimestamp": "2026-11-23T08:59:00Z",
        "involvedObject": {"kind": "Pod", "namespace": "prod", "name": "payment-api-2"},
    });
    let event = ingestion
        .event(event.to_string().into(), None, Cluster::now())
        .unwrap();
    let signal = ingestion
        .event_signal(&event, Cluster::now())
        .await
        .unwrap();
    assert_eq!(signal.fingerprint().as_str(), PAYMENT_API);
    assert_eq!(
        signal.fingerprint().lease_name().as_str(),
        "gw-lock-91fce8d5c4949766"
    );
}

#[tokio::test]
async fn other_labels_make_no_other_target_and_another_cluster_does() {
    let (_cluster, ingestion) = storm().await;
    let mut other = alert("payment-api-1");
    other["labels"]["alertname"] = json!("Other");
    other["labels"]["severity"] = json!("info");
    other["labels"]["cluster"] = json!("an alert's own label does not count");
    other["annotations"] = json!({"summary": "other"});
    let here = send(&ingestion, &json!({"alerts": [other.clone()]})).await;
    assert_eq!(fingerprints(&here), [PAYMENT_API]);
    let body = |cluster: &str| json!({"commonLabels": {"cluster": cluster}, "alerts": [other]});
    let east = send(&ingestion, &body("east")).await;
    let west = send(&ingestion, &body("west")).await;
    assert_eq!(
        [&here, &east, &west].map(|signals| fingerprints(signals)[0].get(..16).unwrap()),
        // sha256 of prod:…, east:prod:… and west:prod:Deployment:payment-api
        ["91fce8d5c4949766", "8811ea187118fa67", "382b7af0424c4382"]
    );
}

#[tokio::test]
async fn alerts_of_another_cluster_are_not_looked_for_in_this_one() {
    let (cluster, ingestion) = storm().await;
    let ingestion = ingestion.of_cluster("east".to_owned());
    let body = |cluster: &str| json!({"commonLabels": {"cluster": cluster}, "alerts": [alert("payment-api-1")]});
    for own in ["", "east"] {
        assert!(send(&ingestion, &body(own)).await[0].is_ok(), "{own}");
    }
    cluster.asked();
    let refusal = send(&ingestion, &body("west")).await.remove(0).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "commonLabels.cluster: \"west\" is another cluster than \"east\", whose objects are known here"
    );
    assert_eq!(refusal.status(), 400);
    assert!(cluster.asked().is_empty());
}

#[tokio::test]
async fn one_name_in_two_namespaces_is_two_targets() {
    let (cluster, ingestion) = storm().await;
    let mut alerts = Vec::new();
    for namespace in ["prod", "default"] {
        cluster
            .create(&format!("{namespace}/Pod/alone"), None)
            .await;
        let mut alert = alert("alone");
        alert["labels"]["namespace"] = json!(namespace);
        alerts.push(alert);
    }
    let signals = send(&ingestion, &json!({"alerts": alerts})).await;
    let expected = ["prod:Pod:alone", "default:Pod:alone"].map(Fingerprint::of);
    assert_eq!(
        fingerprints(&signals),
        expected.each_ref().map(Fingerprint::as_str)
    );
}

#[tokio::test]
async fn a_resolved_alert_is_no_signal() {
    let (cluster, ingestion) = storm().await;
    let mut resolved = alert("payment-api-1");
    resolved["status"] = json!("resolved");
    let body = json!({"alerts": [resolved, alert("payment-api-2")]});
    assert_eq!(fingerprints(&send(&ingestion, &body).await), [PAYMENT_API]);
    cluster.asked();
    let body = json!({"status": "resolved", "alerts": [resolved]});
    assert!(send(&ingestion, &body).await.is_empty());
    assert!(cluster.asked().is_empty());
}

#[tokio::test]
async fn what_is_wrong_with_one_alert_is_not_the_others_matter() {
    let (cluster, ingestion) = storm().await;
    let mut nameless = alert("payment-api-1");
    nameless["labels"]["alertname"] = json!("");
    let mut future = alert("payment-api-1");
    future["startsAt"] = json!("2026-11-23T09:02:01Z");
    let mut aimless = alert("payment-api-1");
    aimless["labels"] = json!({"alertname": "A", "job": "node-exporter"});
    let body =
        json!({"alerts": [nameless, future, aimless, alert("gone"), alert("payment-api-1")]});
    let signals = send(&ingestion, &body).await;
    let told: Vec<_> = signals
        .iter()
        .map(|signal| match signal {
            Ok(signal) => signal.fingerprint().to_string(),
            Err(refusal) => format!("{} {refusal}", refusal.status()),
        })
        .collect();
    assert_eq!(
        told,
        [
            "400 alerts[0].labels.alertname: missing",
            "400 alerts[1].startsAt: 121 s in the future, at most 120 s are accepted",
            "400 alerts[2].labels: no label names a Kubernetes object",
            "400 Pod/gone does not exist in namespace \"prod\"",
            PAYMENT_API,
        ]
    );
    // The first three were refused before anything was asked.
    assert_eq!(cluster.asked()[0], "get pods prod/gone");
}

#[tokio::test]
async fn january_reads_one_alert_and_asks_nobody() {
    let (cluster, _) = storm().await;
    let ingestion = Ingestion::new(January, cluster.kinds().await, cluster.objects());
    let body = json!({"alerts": [alert("payment-api-789"), alert("payment-api-2")]});
    let signals = send(&ingestion, &body).await;
    assert_eq!(fingerprints(&signals), [JANUARYS]);
    assert!(cluster.asked().is_empty());
}

/// sha256 of `HighMemoryUsage:prod:Pod:payment-api-789`.
const JANUARYS: &str = "a5982f7182402b4aa705eeac2014b3bd2a18e94aa870933ef481bb83afa1582c";
