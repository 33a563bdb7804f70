//! What one alert, sent again and again, leaves in the status of its RemediationRequest.

use std::time::Duration;

use gwlock_testkit::control_plane;
use serde_json::{Value, json};

use crate::serve::World;

/// The same alert three times: created, duplicate, duplicate, all of one request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_alert_three_times_is_created_once_and_counted_twice_more() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let replica = world.replica("a");
    let alert = world.alert("HighCPU", "api");
    let mut told = Vec::new();
    for _ in 0..3 {
        let answer = replica.alert(&alert).await;
        let name = answer.body["remediationRequestName"].clone();
        told.push((
            answer.status,
            name,
            answer.body["metadata"]["count"].clone(),
        ));
    }
    let [request] = world.requests().await.try_into().unwrap();
    let name = &request["metadata"]["name"];
    let of_it = |status: u16, count: Value| (status, name.clone(), count);
    assert_eq!(
        told,
        [
            of_it(201, Value::Null),
            of_it(202, json!(2)),
            of_it(202, json!(3))
        ]
    );
    assert_eq!(world.counts().await, [3]);
}

/// Five times: the count is five and both timestamps stand.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_alert_five_times_is_counted_five_with_both_timestamps() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let replicas = world.replicas();
    let alert = world.alert("HighCPU", "api");
    for number in 0..5 {
        let status = replicas[number % 3].alert(&alert).await.status;
        assert_eq!(status, if number == 0 { 201 } else { 202 });
    }
    let [request] = world.requests().await.try_into().unwrap();
    let deduplication = &request["status"]["deduplication"];
    assert_eq!(deduplication["occurrenceCount"], 5);
    for field in ["firstSeenAt", "lastSeenAt"] {
        let text = deduplication[field].as_str().unwrap();
        assert!(text.parse::<jiff::Timestamp>().is_ok(), "{field}: {text}");
    }
}

/// Duplicates raise the count and move `lastSeenAt`; `firstSeenAt`, the spec and whatever else stands in the status stay.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn duplicates_move_the_count_and_the_last_time_and_nothing_else() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let replica = world.replica("a");
    let alert = world.alert("HighCPU", "api");
    let created = replica.alert(&alert).await;
    let name = created.body["remediationRequestName"].as_str().unwrap();
    let others = json!({"overallPhase": "Executing", "message": "at work"});
    world.orchestrate(name, others).await;
    let [before] = world.requests().await.try_into().unwrap();
    // Times are whole seconds.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    for duplicate in 2..=8 {
        let answer = replica.alert(&alert).await;
        assert_eq!(answer.body["metadata"]["count"], duplicate);
    }
    let [after] = world.requests().await.try_into().unwrap();
    assert_eq!(after["spec"], before["spec"]);
    assert_eq!(
        after["metadata"]["generation"],
        before["metadata"]["generation"]
    );
    let time = |request: &Value, field: &str| {
        let text = request["status"]["deduplication"][field].as_str().unwrap();
        text.parse::<jiff::Timestamp>().unwrap()
    };
    assert_eq!(time(&after, "firstSeenAt"), time(&before, "firstSeenAt"));
    assert!(time(&after, "lastSeenAt") > time(&before, "lastSeenAt"));
    assert_eq!(after["status"]["deduplication"]["occurrenceCount"], 8);
    let mut expected = before["status"].clone();
    expected["deduplication"] = after["status"]["deduplication"].clone();
    assert_eq!(after["status"], expected);
}
