//! Alerts about objects that the API server cannot be asked about: nothing is dropped.

use gwlock_apiserver::faults::{Action, Fault};
use serde_json::json;

use super::fleet::{Fleet, alert};

#[tokio::test(start_paused = true)]
async fn an_alert_whose_owner_cannot_be_asked_for_is_failed_and_sent_again() {
    let fleet = Fleet::new(1).await;
    fleet.cluster.create("shop/ReplicaSet/api-5d", None).await;
    fleet
        .cluster
        .create("shop/Pod/api-1", Some("ReplicaSet/api-5d"))
        .await;
    let refused = Action::Refuse {
        status: 503,
        retry_after: None,
    };
    let fault = Fault::new(refused).verb("get").resource("replicasets");
    fleet.cluster.inject(fault);
    let (status, body) = fleet.webhook(0, &[alert("A", "api-1")]).await;
    assert_eq!(status, 500, "Alertmanager sends it again: {body}");
    assert_eq!(fleet.requests().await.len(), 0);
    fleet.cluster.clear_faults();
    let (status, body) = fleet.webhook(0, &[alert("A", "api-1")]).await;
    assert_eq!((status, &body["status"]), (201, &json!("created")));
    let requests = fleet.requests().await;
    let target = &requests[0]["spec"]["targetResource"];
    assert_eq!(
        (&target["kind"], &target["name"]),
        (&json!("ReplicaSet"), &json!("api-5d"))
    );
}
