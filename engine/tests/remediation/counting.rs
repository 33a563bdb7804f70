//! Duplicates: what is counted on which request, and what a fault on the way leaves behind.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gwlock_apiserver::faults::Action;
use gwlock_engine::remediation::dedup::Reason;
use gwlock_engine::remediation::{Disposition, Failure, SignalProcessor};
use jiff::SignedDuration;
use serde_json::json;

use super::world::{FIRST, LOCKS, REQUESTS, World, signal};

fn counted(name: &str, phase: &str, count: i32) -> (String, String, i32) {
    (name.to_owned(), phase.to_owned(), count)
}

/// A status that the gateway has written.
fn executing(count: i32) -> serde_json::Value {
    json!({
        "overallPhase": "Executing",
        "deduplication": {
            "firstSeenAt": "2026-11-23T08:00:00Z", "lastSeenAt": "2026-11-23T08:30:00Z", "occurrenceCount": count
        },
        "ofTheOrchestrator": {"a": [1]}
    })
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_takes_two_requests_and_touches_nothing_else() {
    let world = World::new().await;
    world.request("rr-x", executing(3)).await;
    let processor = world.pod("gateway-1").build();
    let processed = processor.process(signal()).await.unwrap();
    processor.settled().await;
    assert_eq!(
        world.log(),
        [
            "list remediationrequests 200",
            "patch remediationrequests/status 200",
        ]
    );
    assert_eq!(
        processed.disposition,
        Disposition::Duplicate(Reason::Active)
    );
    assert_eq!((processed.count, processed.persisted), (4, 4));
    assert_eq!(
        (processed.first_seen, processed.last_seen),
        (
            World::start() - SignedDuration::from_hours(1),
            World::start()
        )
    );
    let status = json!({
        "overallPhase": "Executing",
        "deduplication": {
            "firstSeenAt": "2026-11-23T08:00:00Z", "lastSeenAt": "2026-11-23T09:00:00Z", "occurrenceCount": 4
        },
        "ofTheOrchestrator": {"a": [1]}
    });
    assert_eq!(world.object("rr-x").await["status"], status);
}

#[tokio::test(start_paused = true)]
async fn a_request_of_a_creator_that_crashed_before_its_count_is_counted_from_nothing() {
    for status in [json!(null), json!({}), json!({"overallPhase": "Pending"})] {
        let world = World::new().await;
        world.request("rr-x", status).await;
        let processed = world
            .pod("gateway-1")
            .build()
            .process(signal())
            .await
            .unwrap();
        assert_eq!((processed.count, &*processed.name), (1, "rr-x"));
        assert_eq!(
            processed.disposition,
            Disposition::Duplicate(Reason::Active)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_ended_request_that_waits_for_a_person_is_counted_on() {
    let world = World::new().await;
    let status =
        json!({"overallPhase": "Failed", "completionStatus": {"outcome": "ManualReviewRequired"}});
    world.request("rr-x", status).await;
    let processed = world
        .pod("gateway-1")
        .build()
        .process(signal())
        .await
        .unwrap();
    assert_eq!(
        processed.disposition,
        Disposition::Duplicate(Reason::ManualReview)
    );
    assert_eq!(world.counts().await, [counted("rr-x", "Failed", 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_back_off_suppresses_by_the_servers_clock_until_it_is_over() {
    let world = World::new().await;
    let status = json!({
        "overallPhase": "Failed", "routingStatus": {"nextAllowedExecution": "2026-11-23T09:01:00Z"}
    });
    world.request("rr-x", status).await;
    // By this pod's own clock it is over by far.
    let ahead = world.clock_off_by(3600);
    let processor = world.pod("gateway-1").clock(ahead).build();
    let suppressed = processor.process(signal()).await.unwrap();
    let until = World::start() + SignedDuration::from_mins(1);
    assert_eq!(
        suppressed.disposition,
        Disposition::Duplicate(Reason::BackOff { until })
    );
    tokio::time::sleep(Duration::from_secs(60)).await;
    let created = processor.process(signal()).await.unwrap();
    assert_eq!(created.disposition, Disposition::Created);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_ends_between_read_and_count_is_not_counted_on() {
    let world = World::new().await;
    world.request("rr-x", executing(3)).await;
    world.fail(
        Action::Delay(Duration::from_secs(1)),
        "patch",
        "remediationrequests",
        1,
    );
    let processor = world.pod("gateway-1").build();
    let running = tokio::spawn(async move { processor.process(signal()).await });
    tokio::time::sleep(Duration::from_millis(500)).await;
    world
        .set_status("rr-x", json!({"overallPhase": "Completed"}))
        .await;
    let processed = running.await.unwrap().unwrap();
    assert_eq!(processed.disposition, Disposition::Created);
    let mut expected = [
        counted("rr-x", "Completed", 3),
        counted(&processed.name, "", 1),
    ];
    expected.sort();
    assert_eq!(world.counts().await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_count_that_another_one_overtakes_is_added_to_it() {
    let world = World::new().await;
    world.request("rr-x", executing(3)).await;
    world.fail(
        Action::Delay(Duration::from_secs(1)),
        "patch",
        "remediationrequests",
        1,
    );
    let slow = world.pod("gateway-1").build();
    let slow = tokio::spawn(async move { slow.process(signal()).await });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let fast = world
        .pod("gateway-2")
        .build()
        .process(signal())
        .await
        .unwrap();
    assert_eq!((fast.count, slow.await.unwrap().unwrap().count), (4, 5));
    assert_eq!(
        world.log()[2..],
        [
            "patch remediationrequests/status 200",
            "patch remediationrequests/status 422",
            "list remediationrequests 200",
            "patch remediationrequests/status 200",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_count_without_an_answer_that_took_no_effect_is_sent_once_more() {
    let world = World::new().await;
    world.request("rr-x", executing(3)).await;
    world.fail(Action::LoseRequest, "patch", "remediationrequests", 1);
    let processed = world
        .pod("gateway-1")
        .build()
        .process(signal())
        .await
        .unwrap();
    assert_eq!(processed.count, 4);
    assert_eq!(
        world.log()[1..],
        [
            "patch remediationrequests/status lost",
            "get remediationrequests 200",
            "patch remediationrequests/status 200",
        ]
    );
    assert_eq!(world.counts().await, [counted("rr-x", "Executing", 4)]);
}

#[tokio::test(start_paused = true)]
async fn a_count_without_an_answer_that_seems_to_have_taken_effect_is_never_decided_again() {
    let world = World::new().await;
    world.request("rr-x", executing(3)).await;
    world.fail(Action::LoseAnswer, "patch", "remediationrequests", 1);
    let processor = world.pod("gateway-1").build();
    let failure = processor.process(signal()).await.unwrap_err();
    assert!(matches!(failure, Failure::Unknown(_)), "{failure:?}");
    assert_eq!(
        world.log()[1..],
        [
            "patch remediationrequests/status lost",
            "get remediationrequests 200",
        ]
    );
    // Counted and not answered: sent again, it is counted again.
    assert_eq!(processor.process(signal()).await.unwrap().count, 5);
}

#[tokio::test(start_paused = true)]
async fn a_count_that_lands_after_its_repetition_has_no_effect() {
    let world = World::new().await;
    world.request("rr-x", executing(3)).await;
    let late = Action::Late(Duration::from_millis(5500));
    world.fail(late, "patch", "remediationrequests", 1);
    let processor = world.pod("gateway-1").build();
    let processed = processor.process(signal()).await.unwrap();
    assert_eq!(processed.count, 4);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(world.counts().await, [counted("rr-x", "Executing", 4)]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_busy_is_asked_again_when_it_says() {
    let world = World::new().await;
    world.request("rr-x", executing(3)).await;
    let busy = Action::Refuse {
        status: 429,
        retry_after: Some(2),
    };
    world.fail(busy, "patch", "remediationrequests", 1);
    let started = tokio::time::Instant::now();
    let processed = world
        .pod("gateway-1")
        .build()
        .process(signal())
        .await
        .unwrap();
    assert_eq!(processed.count, 4);
    assert_eq!(started.elapsed().as_secs(), 2);
    assert_eq!(world.log().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_fails_for_too_long_fails_the_signal_without_a_write() {
    let world = World::new().await;
    let broken = Action::Refuse {
        status: 500,
        retry_after: None,
    };
    world.fail(broken, "list", "remediationrequests", u32::MAX);
    let started = tokio::time::Instant::now();
    let processor = world.pod("gateway-1").build();
    let failure = processor.process(signal()).await.unwrap_err();
    assert!(
        matches!(failure, Failure::DeadlineExceeded(_)),
        "{failure:?}"
    );
    assert_eq!(started.elapsed().as_secs(), 15);
    let writes = world.log();
    assert!(
        writes.iter().all(|entry| entry.starts_with("list ")),
        "{writes:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_deleted_request_that_a_late_create_follows_is_the_case_that_stays_open() {
    // A creator's POST lands late, after the request that had taken its name has come, worked and been deleted.
    let world = World::new().await;
    let late = Action::Late(Duration::from_millis(5800));
    world.fail(late, "create", "remediationrequests", 1);
    let frozen = world
        .pod("gateway-1")
        .budget(Duration::from_secs(5))
        .build();
    let failure = frozen.process(signal()).await.unwrap_err();
    assert!(matches!(failure, Failure::Unknown(_)), "{failure:?}");
    frozen.settled().await;
    let second = world
        .pod("gateway-2")
        .build()
        .process(signal())
        .await
        .unwrap();
    assert_eq!(
        (second.disposition, &*second.name),
        (Disposition::Created, FIRST)
    );
    world
        .set_status(FIRST, json!({"overallPhase": "Completed"}))
        .await;
    let third = world
        .pod("gateway-2")
        .build()
        .process(signal())
        .await
        .unwrap();
    assert_eq!(third.disposition, Disposition::Created);
    world.delete(FIRST).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut active = [counted(FIRST, "", 0), counted(&third.name, "", 1)];
    active.sort();
    assert_eq!(world.counts().await, active);
}

#[tokio::test(start_paused = true)]
async fn only_the_first_list_of_a_process_and_the_one_under_the_lease_have_to_be_consistent() {
    let world = World::new().await;
    let lists: Arc<Mutex<Vec<String>>> = Arc::default();
    let (seen, inner) = (lists.clone(), world.client());
    let service = tower::service_fn(move |request: http::Request<kube::client::Body>| {
        let query = request.uri().query().unwrap_or_default();
        if let Some((_, freshness)) = query.split_once("fieldSelector=") {
            let parameters = freshness.split('&').skip(1);
            let parameters = parameters.filter(|parameter| !parameter.starts_with("timeout"));
            let parameters: Vec<&str> = parameters.collect();
            seen.lock().unwrap().push(parameters.join(" "));
        }
        let inner = inner.clone();
        async move { inner.send(request).await }
    });
    let client = kube::Client::new(service, REQUESTS);
    let processor = SignalProcessor::builder(client, LOCKS, REQUESTS, "gateway-1")
        .clock(world.clock_off_by(0))
        .build();
    for expected in 1..=2 {
        assert_eq!(processor.process(signal()).await.unwrap().count, expected);
        processor.settled().await;
    }
    let version = world.object(FIRST).await["metadata"]["resourceVersion"].clone();
    assert_eq!(processor.process(signal()).await.unwrap().count, 3);
    let lists = lists.lock().unwrap().clone();
    let cached = format!(
        "resourceVersionMatch=NotOlderThan resourceVersion={}",
        version.as_str().unwrap()
    );
    assert_eq!(lists.len(), 4, "{lists:?}");
    assert_eq!([&*lists[0], &lists[1], &lists[3]], ["", "", &cached]);
}
