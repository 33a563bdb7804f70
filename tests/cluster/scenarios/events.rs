//! Events, and how old or how far in the future a signal may be.

use gwlock_testkit::control_plane;
use http::Request;
use http_body_util::Full;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::exchange::exchange;
use crate::serve::{EVENT_ROUTE, ROUTE, World, webhook};

/// An event about the pod, this old.
pub(super) fn event(world: &World, age: SignedDuration) -> Value {
    json!({
        "type": "Warning", "reason": "BackOff", "message": "restarting",
        "involvedObject": {"kind": "Pod", "namespace": world.namespace, "name": "api"},
        "firstTimestamp": Timestamp::now() - age, "lastTimestamp": Timestamp::now() - age,
        "source": {"component": "kubelet", "host": "node-1"},
    })
}

/// An event is a signal about the same object as an alert; one that is incomplete, unwanted, stale or from the future
/// is refused with the field that is wrong.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_is_taken_when_it_is_whole_and_fresh() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let replica = world.replica("a");
    let fresh = event(&world, SignedDuration::from_secs(10));
    let send = async |event: &Value| replica.post(EVENT_ROUTE, event.to_string()).await;
    let without = |field: &str| {
        let mut event = fresh.clone();
        event.as_object_mut().unwrap().remove(field);
        event
    };
    let with = |pointer: &str, value: Value| {
        let mut event = fresh.clone();
        *event.pointer_mut(pointer).unwrap() = value;
        event
    };
    let mut undated = without("firstTimestamp");
    undated.as_object_mut().unwrap().remove("lastTimestamp");
    for (refused, detail) in [
        (
            with("/type", json!("Normal")),
            "type: \"Normal\" is not handled, Warning and Error are",
        ),
        (without("reason"), "reason: missing"),
        (
            with("/involvedObject/kind", json!("")),
            "involvedObject.kind: missing",
        ),
        (
            with("/involvedObject/name", json!("")),
            "involvedObject.name: missing",
        ),
        (undated, "lastTimestamp: missing"),
    ] {
        let answer = send(&refused).await;
        assert_eq!(
            (answer.status, &answer.body["detail"]),
            (400, &json!(detail))
        );
    }
    for (age, words) in [
        (
            SignedDuration::from_secs(330),
            " s old, at most 300 s are accepted",
        ),
        (
            SignedDuration::from_secs(-150),
            " s in the future, at most 120 s are accepted",
        ),
    ] {
        let answer = send(&event(&world, age)).await;
        let detail = answer.body["detail"].as_str().unwrap();
        assert_eq!(answer.status, 400, "{detail}");
        assert!(
            detail.starts_with("lastTimestamp: ") && detail.ends_with(words),
            "{detail}"
        );
    }
    assert_eq!(world.requests().await, [] as [Value; 0]);
    assert_eq!(send(&fresh).await.status, 201);
    assert_eq!(
        send(&event(&world, SignedDuration::from_secs(200)))
            .await
            .status,
        202
    );
    assert_eq!(
        replica.alert(&world.alert("HighCPU", "api")).await.status,
        202
    );
    let [request] = world.requests().await.try_into().unwrap();
    assert_eq!(request["spec"]["signalName"], "BackOff");
    assert_eq!(request["spec"]["severity"], "Warning");
    assert_eq!(request["status"]["deduplication"]["occurrenceCount"], 3);
}

/// `X-Timestamp`, where there is one, has to be a number of seconds of the last five minutes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_with_a_stale_or_future_timestamp_is_refused() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let replica = world.replica("a");
    let now = Timestamp::now().as_second();
    let body = webhook(&[world.alert("HighCPU", "api")]);
    for (header, status) in [
        ((now - 330).to_string(), 400),
        ((now + 150).to_string(), 400),
        ("soon".to_owned(), 400),
        ("-1".to_owned(), 400),
        ((now - 200).to_string(), 201),
        ((now + 60).to_string(), 202),
    ] {
        let request = Request::post(format!("{}{ROUTE}", replica.url))
            .header("x-timestamp", &header)
            .body(Full::new(body.clone()))
            .unwrap();
        let answer = exchange(request).await.unwrap();
        assert_eq!(answer.status, status, "{header}: {answer:?}");
        if status == 400 {
            let detail = answer.body["detail"].as_str().unwrap();
            assert!(detail.starts_with("X-Timestamp: "), "{detail}");
        }
    }
    assert_eq!(world.counts().await, [2]);
}
