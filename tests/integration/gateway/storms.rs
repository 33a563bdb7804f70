//! One alert many times, and many alerts at once: one RemediationRequest each, with the exact count.

use gwlock_apiserver::faults::{Action, Fault};
use gwlock_engine::protocol::key::Fingerprint;
use serde_json::{Value, json};

use super::fleet::{Fleet, alert};

async fn fleet(replicas: usize, pods: usize) -> Fleet {
    let fleet = Fleet::new(replicas).await;
    for pod in 0..pods {
        fleet
            .cluster
            .create(&format!("shop/Pod/pod-{pod}"), None)
            .await;
    }
    fleet
}

fn once_created(duplicates: usize) -> Vec<u16> {
    std::iter::once(201)
        .chain(std::iter::repeat_n(202, duplicates))
        .collect()
}

#[tokio::test]
async fn five_of_one_alert_at_once_are_one_request() {
    let fleet = fleet(1, 1).await;
    let alerts = vec![alert("TestConcurrentDedup", "pod-0"); 5];
    assert_eq!(fleet.storm(alerts).await, once_created(4));
    assert_eq!(fleet.counts().await, [5]);
    assert_eq!(fleet.leases().await, 0);
}

#[tokio::test]
async fn four_at_once_after_the_first_are_duplicates() {
    let fleet = fleet(2, 1).await;
    assert_eq!(fleet.storm([alert("A", "pod-0")]).await, [201]);
    assert_eq!(fleet.storm(vec![alert("A", "pod-0"); 4]).await, [202; 4]);
    assert_eq!(fleet.counts().await, [5]);
}

#[tokio::test]
async fn three_at_once_after_one_are_counted_four() {
    let fleet = fleet(3, 1).await;
    fleet
        .webhook(0, &[alert("TestAtomicHitCount", "pod-0")])
        .await;
    assert_eq!(
        fleet
            .storm(vec![alert("TestAtomicHitCount", "pod-0"); 3])
            .await,
        [202; 3]
    );
    assert_eq!(fleet.counts().await, [4]);
}

#[tokio::test]
async fn fifteen_over_three_replicas_are_one_request_counted_fifteen() {
    let fleet = fleet(3, 1).await;
    assert_eq!(
        fleet.storm(vec![alert("A", "pod-0"); 15]).await,
        once_created(14)
    );
    assert_eq!(fleet.counts().await, [15]);
    assert_eq!(fleet.leases().await, 0);
}

#[tokio::test]
async fn a_hundred_over_three_replicas_are_one_request_counted_a_hundred() {
    let fleet = fleet(3, 1).await;
    assert_eq!(
        fleet.storm(vec![alert("A", "pod-0"); 100]).await,
        once_created(99)
    );
    assert_eq!(fleet.counts().await, [100]);
}

#[tokio::test]
async fn fifty_pods_one_after_the_other_are_fifty_requests() {
    let fleet = fleet(1, 50).await;
    for pod in 0..50 {
        let (status, _) = fleet
            .webhook(pod, &[alert("HighMemoryUsage", &format!("pod-{pod}"))])
            .await;
        assert_eq!(status, 201);
    }
    assert_eq!(fleet.counts().await, [1; 50]);
}

#[tokio::test]
async fn fifty_pods_at_once_are_fifty_requests() {
    let fleet = fleet(3, 50).await;
    let alerts = (0..50).map(|pod| alert("HighMemoryUsage", &format!("pod-{pod}")));
    assert_eq!(fleet.storm(alerts).await, [201; 50]);
    assert_eq!(fleet.counts().await, [1; 50]);
    assert_eq!(fleet.leases().await, 0);
}

#[tokio::test]
async fn five_senders_with_four_pods_each_are_twenty_requests() {
    let fleet = fleet(2, 20).await;
    let alerts = (0..20).map(|pod| alert("A", &format!("pod-{pod}")));
    assert_eq!(fleet.storm(alerts).await, [201; 20]);
    assert_eq!(fleet.counts().await, [1; 20]);
}

#[tokio::test]
async fn a_batch_is_answered_alert_by_alert() {
    let fleet = fleet(1, 2).await;
    let alerts = [
        alert("A", "pod-0"),
        alert("B", "pod-0"),
        alert("A", "pod-1"),
    ];
    let (status, body) = fleet.webhook(0, &alerts).await;
    assert_eq!(status, 207);
    let statuses: Vec<&Value> = body["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| &result["status"])
        .collect();
    assert_eq!(statuses, ["created", "duplicate", "created"]);
    assert_eq!(
        body["summary"],
        json!({"total": 3, "created": 2, "deduplicated": 1, "rejected": 0, "failed": 0})
    );
    assert_eq!(fleet.counts().await.iter().sum::<i64>(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_batch_with_a_failure_that_may_pass_is_sent_again() {
    let fleet = fleet(1, 2).await;
    let fault = Fault::new(Action::Refuse {
        status: 503,
        retry_after: None,
    });
    let pod_1 = Fingerprint::of("shop:Pod:pod-1").lease_name();
    fleet
        .cluster
        .inject(fault.verb("create").name(pod_1.as_str()));
    let alerts = [alert("A", "pod-0"), alert("A", "pod-1")];
    let (status, body) = fleet.webhook(0, &alerts).await;
    assert_eq!(status, 500, "{body}");
    assert_eq!(
        body["summary"],
        json!({"total": 2, "created": 1, "deduplicated": 0, "rejected": 0, "failed": 1})
    );
    fleet.cluster.clear_faults();
    // Alertmanager sends the whole batch again.
    let (status, body) = fleet.webhook(0, &alerts).await;
    assert_eq!((status, &body["summary"]["created"]), (207, &json!(1)));
    let mut counts = fleet.counts().await;
    counts.sort_unstable();
    assert_eq!(counts, [1, 2]);
}

#[tokio::test]
async fn two_pods_of_one_deployment_are_one_request() {
    let fleet = fleet(2, 0).await;
    let cluster = &fleet.cluster;
    cluster.create("shop/Deployment/api", None).await;
    cluster
        .create("shop/ReplicaSet/api-5d", Some("Deployment/api"))
        .await;
    cluster
        .create("shop/Pod/api-1", Some("ReplicaSet/api-5d"))
        .await;
    cluster
        .create("shop/Pod/api-2", Some("ReplicaSet/api-5d"))
        .await;
    assert_eq!(
        fleet
            .storm([alert("A", "api-1"), alert("B", "api-2")])
            .await,
        [201, 202]
    );
    assert_eq!(fleet.counts().await, [2]);
}

#[tokio::test]
async fn other_labels_do_not_make_another_request_and_another_resource_does() {
    let fleet = fleet(1, 2).await;
    let mut other = alert("A", "pod-0");
    other["labels"]["team"] = json!("b");
    other["annotations"] = json!({"summary": "other words"});
    assert_eq!(fleet.webhook(0, &[alert("A", "pod-0")]).await.0, 201);
    assert_eq!(fleet.webhook(0, &[other]).await.0, 202);
    assert_eq!(fleet.webhook(0, &[alert("A", "pod-1")]).await.0, 201);
}

#[tokio::test]
async fn one_name_in_two_clusters_is_two_requests() {
    let fleet = fleet(1, 1).await;
    let send = |cluster: Option<&'static str>| {
        let mut body = json!({"version": "4", "alerts": [alert("A", "pod-0")]});
        if let Some(cluster) = cluster {
            body["commonLabels"] = json!({"cluster": cluster});
        }
        super::fleet::post("/api/v1/signals/prometheus", body.to_string())
    };
    assert_eq!(fleet.call(0, send(None)).await.0, 201);
    assert_eq!(fleet.call(0, send(Some("east"))).await.0, 201);
    assert_eq!(fleet.call(0, send(Some("east"))).await.0, 202);
    assert_eq!(fleet.requests().await.len(), 2);
}
