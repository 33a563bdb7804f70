//! A replica that runs for months: kinds that are defined meanwhile.

use gwlock::gateway::kinds::served::{MISS_EVERY, REFRESH_EVERY};
use gwlock_apiserver::faults::{Action, Fault};
use serde_json::{Value, json};
use tokio::time::{Duration, advance};

use super::fleet::{Fleet, alert};

/// An alert about an object of a kind that no cluster has by itself.
fn about_a_gadget() -> Value {
    let mut alert = alert("Broken", "x");
    let labels = alert["labels"].as_object_mut().unwrap();
    labels.remove("pod");
    labels.insert("gadget".to_owned(), json!("gizmo-1"));
    alert
}

/// Adds the kind, and one object of it.
async fn define_gadgets(fleet: &Fleet) {
    let definition = json!({
        "metadata": {"name": "gadgets.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": {"kind": "Gadget", "plural": "gadgets", "singular": "gadget"},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object"}},
            }],
        },
    });
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    fleet.cluster.post(definitions, &definition).await;
    let gadget = json!({
        "apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"name": "gizmo-1"},
    });
    let path = "/apis/example.com/v1/namespaces/shop/gadgets";
    fleet.cluster.post(path, &gadget).await;
}

/// How often the kinds were asked for since the last call.
fn asked(fleet: &Fleet) -> usize {
    // A request that is for no resource; there are two for each time.
    let asked = fleet.cluster.asked();
    let discovery = asked.iter().filter(|request| request.as_str() == "get  /");
    discovery.count() / 2
}

async fn errors(fleet: &Fleet) -> String {
    let samples = fleet.scrape().await;
    samples["gateway_discovery_refresh_errors_total"].clone()
}

#[tokio::test(start_paused = true)]
async fn an_alert_about_a_new_kind_is_placed_at_the_next_question() {
    let fleet = Fleet::new(1).await;
    let (status, body) = fleet.webhook(0, &[about_a_gadget()]).await;
    assert_eq!(status, 400, "{body}");
    define_gadgets(&fleet).await;
    assert_eq!(asked(&fleet), 0, "it was asked at the start");
    advance(MISS_EVERY).await;
    let (status, body) = fleet.webhook(0, &[about_a_gadget()]).await;
    assert_eq!(status, 201, "{body}");
    assert_eq!(asked(&fleet), 1);
    let [request] = fleet.requests().await.try_into().unwrap();
    assert_eq!(request["spec"]["targetResource"]["kind"], "Gadget");
    assert_eq!(fleet.webhook(0, &[about_a_gadget()]).await.0, 202);
    assert_eq!(asked(&fleet), 0, "the kind is known");
}

#[tokio::test(start_paused = true)]
async fn alerts_about_nothing_do_not_make_a_question_each() {
    let fleet = Fleet::new(1).await;
    advance(MISS_EVERY).await;
    let mut nothing = about_a_gadget();
    nothing["labels"]["gadget"] = Value::Null;
    nothing["labels"].as_object_mut().unwrap().remove("gadget");
    assert_eq!(fleet.storm(vec![nothing.clone(); 20]).await, [400; 20]);
    assert_eq!(asked(&fleet), 1);
    advance(MISS_EVERY - Duration::from_millis(1)).await;
    assert_eq!(fleet.storm(vec![nothing.clone(); 20]).await, [400; 20]);
    assert_eq!(asked(&fleet), 0);
    advance(Duration::from_millis(1)).await;
    assert_eq!(fleet.storm(vec![nothing; 20]).await, [400; 20]);
    assert_eq!(asked(&fleet), 1);
}

#[tokio::test(start_paused = true)]
async fn kinds_are_asked_for_now_and_then_and_failures_are_counted() {
    let fleet = Fleet::new(1).await;
    let fresh = tokio::spawn(fleet.server().keep_kinds_fresh());
    define_gadgets(&fleet).await;
    let refuse = Action::Refuse {
        status: 503,
        retry_after: None,
    };
    fleet
        .cluster
        .inject(Fault::new(refuse).user("gateway").times(1));
    tokio::time::sleep(REFRESH_EVERY + Duration::from_secs(1)).await;
    assert_eq!(errors(&fleet).await, "1");
    tokio::time::sleep(REFRESH_EVERY).await;
    assert_eq!(errors(&fleet).await, "1");
    fleet.cluster.asked();
    let (status, body) = fleet.webhook(0, &[about_a_gadget()]).await;
    assert_eq!((status, asked(&fleet)), (201, 0), "{body}");
    fresh.abort();
}

#[tokio::test(start_paused = true)]
async fn while_kinds_cannot_be_asked_for_an_alert_without_a_target_is_sent_again() {
    let fleet = Fleet::new(1).await;
    define_gadgets(&fleet).await;
    let refuse = Action::Refuse {
        status: 503,
        retry_after: None,
    };
    fleet.cluster.inject(Fault::new(refuse).user("gateway"));
    advance(MISS_EVERY).await;
    let answers = fleet.storm(vec![about_a_gadget(); 20]).await;
    assert_eq!(answers, [500; 20]);
    assert_eq!(errors(&fleet).await, "1", "one question for all of them");
    fleet.cluster.clear_faults();
    advance(MISS_EVERY).await;
    assert_eq!(fleet.webhook(0, &[about_a_gadget()]).await.0, 201);
}
