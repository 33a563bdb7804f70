//! Bodies that end as RemediationRequests: the API server takes every one of them.

use gwlock::gateway::GatewayVersion::Current;
use gwlock::gateway::ingest::Ingestion;
use gwlock_engine::remediation::dedup::Reason;
use gwlock_engine::remediation::{Disposition, SignalProcessor};
use serde_json::{Value, json};

use super::cluster::Cluster;

/// A gateway without its HTTP: bodies in, requests out.
struct Gateway {
    cluster: Cluster,
    ingestion: Ingestion,
    processor: SignalProcessor,
}

impl Gateway {
    async fn new() -> Self {
        let cluster = Cluster::new().await;
        cluster.serve_remediation_requests().await;
        for (object, controller) in [
            ("prod/Deployment/payment-api", None),
            (
                "prod/ReplicaSet/payment-api-5d",
                Some("Deployment/payment-api"),
            ),
            ("prod/Pod/payment-api-1", Some("ReplicaSet/payment-api-5d")),
            ("prod/Pod/payment-api-2", Some("ReplicaSet/payment-api-5d")),
            ("Node/worker-1", None),
        ] {
            cluster.create(object, controller).await;
        }
        let ingestion = Ingestion::new(Current, cluster.kinds().await, cluster.objects());
        let processor =
            SignalProcessor::builder(cluster.client(), "prod", "prod", "gateway-0").build();
        Self {
            cluster,
            ingestion,
            processor,
        }
    }

    /// What each alert of a webhook is answered with.
    async fn webhook(&self, body: &Value) -> Vec<(Disposition, i32)> {
        let now = Cluster::now();
        let webhook = self
            .ingestion
            .webhook(body.to_string().into(), None, now)
            .unwrap();
        let mut answers = Vec::new();
        for alert in self.ingestion.alerts(&webhook) {
            let signal = self.ingestion.alert(&webhook, alert, now).await.unwrap();
            let processed = self.processor.process(signal).await.unwrap();
            answers.push((processed.disposition, processed.count));
        }
        answers
    }

    async fn event(&self, body: &Value) -> (Disposition, i32) {
        let now = Cluster::now();
        let event = self
            .ingestion
            .event(body.to_string().into(), None, now)
            .unwrap();
        let signal = self.ingestion.event_signal(&event, now).await.unwrap();
        let processed = self.processor.process(signal).await.unwrap();
        (processed.disposition, processed.count)
    }

    async fn requests(&self) -> Vec<Value> {
        self.processor.settled().await;
        self.cluster.remediation_requests("prod").await
    }
}

fn alert(labels: &Value) -> Value {
    json!({"status": "firing", "labels": labels, "startsAt": "2026-11-23T08:59:00Z"})
}

#[tokio::test(start_paused = true)]
async fn alerts_about_two_pods_and_an_event_make_one_request_with_the_count_of_three() {
    let gateway = Gateway::new().await;
    let about = |name: &str, pod: &str| {
        alert(&json!({"alertname": name, "severity": "critical", "namespace": "prod", "pod": pod}))
    };
    let mut resolved = about("HighMemoryUsage", "payment-api-1");
    resolved["status"] = json!("resolved");
    let body = json!({"alerts": [
        about("HighMemoryUsage", "payment-api-1"), resolved, about("KubePodCrashLooping", "payment-api-2"),
    ]});
    assert_eq!(
        gateway.webhook(&body).await,
        [
            (Disposition::Created, 1),
            (Disposition::Duplicate(Reason::Active), 2)
        ]
    );
    let event = json!({
        "type": "Warning", "reason": "BackOff", "lastTimestamp": "2026-11-23T08:59:00Z",
        "involvedObject": {"kind": "Pod", "namespace": "prod", "name": "payment-api-2"},
    });
    assert_eq!(
        gateway.event(&event).await,
        (Disposition::Duplicate(Reason::Active), 3)
    );

    let requests = gateway.requests().await;
    let [request] = requests.as_slice() else {
        panic!("{requests:?}");
    };
    assert_eq!(
        request["spec"]["targetResource"],
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "payment-api", "namespace": "prod"})
    );
    assert_eq!(request["spec"]["signalName"], "HighMemoryUsage");
    assert_eq!(request["status"]["deduplication"]["occurrenceCount"], 3);
}

#[tokio::test(start_paused = true)]
async fn what_is_too_long_or_empty_still_makes_a_request_that_the_server_takes() {
    let gateway = Gateway::new().await;
    let umlauts = "ü".repeat(2000);
    for labels in [
        json!({"alertname": umlauts, "severity": umlauts, "note": umlauts, "namespace": "prod", "pod": "payment-api-1"}),
        json!({"alertname": "A", "severity": "", "namespace": "monitoring", "node": "worker-1"}),
    ] {
        let cluster = "c".repeat(253);
        let body = json!({"commonLabels": {"cluster": cluster}, "alerts": [alert(&labels)]});
        assert_eq!(gateway.webhook(&body).await, [(Disposition::Created, 1)]);
    }
    let mut specs: Vec<Value> = gateway.requests().await;
    specs.sort_by_key(|request| request["spec"]["signalName"].as_str().map(str::len));
    let told: Vec<Value> = specs
        .iter()
        .map(|request| {
            let spec = &request["spec"];
            json!([
                spec["severity"],
                spec["targetResource"],
                spec["clusterID"].as_str().unwrap().len()
            ])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!(["unknown", {"apiVersion": "v1", "kind": "Node", "name": "worker-1"}, 253]),
            json!([
                "ü".repeat(25),
                {"apiVersion": "apps/v1", "kind": "Deployment", "name": "payment-api", "namespace": "prod"},
                253,
            ]),
        ]
    );
}
