//! What a RemediationRequest that exists already makes of the next signal.

use gwlock_testkit::control_plane;
use serde_json::{Value, json};

use crate::exchange::Answer;
use crate::serve::{Replica, World};

/// A replica and a RemediationRequest for each pod, which the orchestrator has brought into a state.
async fn again(world: &World, replica: &Replica, pod: &str, status: Value) -> (Answer, Answer) {
    let alert = world.alert("HighCPU", pod);
    let first = replica.alert(&alert).await;
    assert_eq!(first.status, 201);
    if !status.is_null() {
        let name = first.body["remediationRequestName"].as_str().unwrap();
        world.orchestrate(name, status).await;
    }
    (first, replica.alert(&alert).await)
}

/// Counts and timestamps of the requests about a pod, the oldest first.
async fn of_pod(world: &World, pod: &str) -> Vec<Value> {
    let mut requests = world.requests().await;
    requests.retain(|request| request["spec"]["targetResource"]["name"] == pod);
    let age = |request: &Value| request["metadata"]["creationTimestamp"].to_string();
    requests.sort_by_key(age);
    requests
        .iter()
        .map(|request| request["status"]["deduplication"].clone())
        .collect()
}

/// Every phase: those that are not over suppress and are counted two, the others make way for a new request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phase_that_is_not_over_suppresses_and_one_that_is_over_does_not() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let replica = world.replica("a");
    let phases = [
        ("", 202),
        ("Pending", 202),
        ("Processing", 202),
        ("Analyzing", 202),
        ("AwaitingApproval", 202),
        ("Executing", 202),
        ("Verifying", 202),
        ("Blocked", 202),
        ("Completed", 201),
        ("Failed", 201),
        ("TimedOut", 201),
        ("Skipped", 201),
        ("Cancelled", 201),
    ];
    let pod = |phase: &str| format!("pod-{}", phase.to_lowercase() + "x");
    world.pods(phases.map(|(phase, _)| pod(phase))).await;
    for (phase, expected) in phases {
        let status = match phase {
            "" => Value::Null,
            phase => json!({"overallPhase": phase}),
        };
        let (first, second) = again(&world, &replica, &pod(phase), status).await;
        assert_eq!(second.status, expected, "{phase}: {second:?}");
        let name = &first.body["remediationRequestName"];
        let is_same = second.body["remediationRequestName"] == *name;
        assert_eq!(is_same, expected == 202, "{phase}");
        let deduplications = of_pod(&world, &pod(phase)).await;
        let counts: Vec<_> = deduplications
            .iter()
            .map(|deduplication| deduplication["occurrenceCount"].as_i64().unwrap())
            .collect();
        let expected = if expected == 202 { vec![2] } else { vec![1, 1] };
        assert_eq!(counts, expected, "{phase}");
        for deduplication in deduplications {
            let [first, last] = ["firstSeenAt", "lastSeenAt"]
                .map(|field| deduplication[field].as_str().unwrap().to_owned());
            assert!(last >= first, "{phase}: {first} {last}");
        }
    }
}

/// What is over suppresses all the same while a person has to look at it, or until its back-off has passed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn manual_review_suppresses_and_a_back_off_does_until_it_has_passed() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let replica = world.replica("a");
    let in_an_hour = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let an_hour_ago = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(1);
    let cases = [
        (
            json!({"completionStatus": {"outcome": "ManualReviewRequired"}}),
            202,
        ),
        (json!({"completionStatus": {"outcome": "Remediated"}}), 201),
        (
            json!({"completionStatus": {"outcome": "NoActionRequired"}}),
            201,
        ),
        (
            json!({"routingStatus": {"nextAllowedExecution": in_an_hour}}),
            202,
        ),
        (
            json!({"routingStatus": {"nextAllowedExecution": an_hour_ago}}),
            201,
        ),
    ];
    world
        .pods((0..cases.len()).map(|case| format!("pod-{case}")))
        .await;
    for (case, (mut status, expected)) in cases.into_iter().enumerate() {
        status["overallPhase"] = json!("Completed");
        let told = status.to_string();
        let (_, second) = again(&world, &replica, &format!("pod-{case}"), status).await;
        assert_eq!(second.status, expected, "{told}: {second:?}");
    }
}

/// A remediation that is being verified suppresses, whatever a cool-down would say, and for as long as it takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_being_verified_suppresses_until_it_is_completed() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let replica = world.replica("a");
    let verifying = json!({"overallPhase": "Verifying"});
    let (first, second) = again(&world, &replica, "api", verifying).await;
    assert_eq!(second.status, 202);
    assert_eq!(second.body["metadata"]["count"], 2);
    let name = first.body["remediationRequestName"].as_str().unwrap();
    world
        .orchestrate(name, json!({"overallPhase": "Completed"}))
        .await;
    let third = replica.alert(&world.alert("HighCPU", "api")).await;
    assert_eq!(third.status, 201);
    assert_ne!(third.body["remediationRequestName"], name);
    let counts: Vec<_> = of_pod(&world, "api")
        .await
        .iter()
        .map(|deduplication| deduplication["occurrenceCount"].clone())
        .collect();
    // Both may have been created within one second, so their order says nothing.
    let mut counts: Vec<i64> = counts.iter().map(|count| count.as_i64().unwrap()).collect();
    counts.sort_unstable();
    assert_eq!(counts, [1, 2]);
}
