//! New signals: one request, whatever happens on the way.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gwlock_apiserver::faults::{Action, Fault};
use gwlock_engine::client::{AcquireError, LeaseLock};
use gwlock_engine::remediation::dedup::Reason;
use gwlock_engine::remediation::name::request_name;
use gwlock_engine::remediation::trace::{Event, LeaseEvent, Observer, Traced};
use gwlock_engine::remediation::{Disposition, Failure, Processed};
use serde_json::json;

use super::world::{FIRST, LOCKS, World, signal};

const REFUSED: Action = Action::Refuse {
    status: 503,
    retry_after: None,
};

/// What happens to leases, told by an observer.
fn lease_events() -> (Arc<Mutex<Vec<String>>>, Observer) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let told = events.clone();
    let observer = Arc::new(move |traced: &Traced| {
        if let Event::Lease(event) = &traced.event {
            told.lock().unwrap().push(match event {
                LeaseEvent::Acquired { taken_over, .. } => format!("taken over: {taken_over}"),
                LeaseEvent::Released { released, .. } => format!("{released:?}"),
                other => format!("{other:?}"),
            });
        }
    });
    (events, observer)
}

#[tokio::test(start_paused = true)]
async fn a_new_signal_takes_six_requests() {
    let world = World::new().await;
    let processor = world.pod("gateway-1").build();
    let processed = processor.process(signal()).await.unwrap();
    processor.settled().await;
    assert_eq!(
        world.log(),
        [
            "list remediationrequests 200",
            "create leases 201",
            "list remediationrequests 200",
            "create remediationrequests 201",
            "patch remediationrequests/status 200",
            "delete leases 200",
        ]
    );
    let created = world.requests().await.remove(0);
    assert_eq!(
        processed,
        Processed {
            disposition: Disposition::Created,
            fingerprint: signal().fingerprint().clone(),
            name: FIRST.to_owned(),
            namespace: "requests".to_owned(),
            uid: created.uid,
            count: 1,
            persisted: 1,
            first_seen: World::start(),
            last_seen: World::start(),
        }
    );
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_slow_to_come_costs_no_more() {
    let world = World::new().await;
    let late = Action::DelayAnswer(Duration::from_secs(1));
    world.fail(late, "create", "leases", 1);
    let processor = world.pod("gateway-1").build();
    let processed = processor.process(signal()).await.unwrap();
    processor.settled().await;
    assert_eq!(processed.disposition, Disposition::Created);
    assert_eq!(world.log().len(), 6, "{:?}", world.log());
}

#[tokio::test(start_paused = true)]
async fn a_lease_of_which_nobody_knows_anything_is_given_up_in_time() {
    let world = World::new().await;
    world.fail(REFUSED, "create", "leases", 1000);
    let started = tokio::time::Instant::now();
    let processor = world.pod("gateway-1").build();
    let failure = processor.process(signal()).await.unwrap_err();
    assert!(
        matches!(failure, Failure::DeadlineExceeded(_) | Failure::Lease(_)),
        "{failure:?}"
    );
    let took = started.elapsed();
    assert!(took <= Duration::from_secs(15), "{took:?}");
    assert_eq!(world.counts().await, []);
}

#[tokio::test(start_paused = true)]
async fn the_request_is_the_gateways_but_for_the_mark_of_its_creator() {
    let world = World::new().await;
    let processor = world.pod("gateway-1").build();
    let _processed = processor.process(signal()).await.unwrap();
    let object = world.object(FIRST).await;
    let spec = serde_json::to_value(signal().spec).unwrap();
    assert_eq!(object["spec"], spec);
    let labels = json!({
        "app.kubernetes.io/managed-by": "gateway-service", "app.kubernetes.io/component": "remediation"
    });
    assert_eq!(object["metadata"]["labels"], labels);
    let annotations = object["metadata"]["annotations"].as_object().unwrap();
    assert_eq!(
        annotations["kubernaut.ai/created-at"],
        "2026-11-23T09:00:00Z"
    );
    let creator = annotations["gwlock.dev/created-by"].as_str().unwrap();
    assert!(creator.starts_with("gateway-1_"), "{creator}");
    let status = json!({"deduplication": {
        "firstSeenAt": "2026-11-23T09:00:00Z", "lastSeenAt": "2026-11-23T09:00:00Z", "occurrenceCount": 1
    }});
    assert_eq!(object["status"], status);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_local_clock_costs_no_request_and_writes_the_servers_time() {
    let world = World::new().await;
    let clock = world.clock_off_by(-600);
    let processor = world.pod("gateway-1").clock(clock).build();
    let processed = processor.process(signal()).await.unwrap();
    processor.settled().await;
    assert_eq!(world.log().len(), 6, "{:?}", world.log());
    assert_eq!(processed.first_seen, World::start());
}

#[tokio::test(start_paused = true)]
async fn when_the_last_request_has_ended_the_next_one_follows_it() {
    let world = World::new().await;
    let processor = world.pod("gateway-1").build();
    let first = processor.process(signal()).await.unwrap();
    let completed = json!({"overallPhase": "Completed"});
    world.set_status(FIRST, completed).await;
    let second = processor.process(signal()).await.unwrap();
    assert_eq!(second.disposition, Disposition::Created);
    assert_eq!(
        second.name,
        request_name(signal().fingerprint(), &first.uid)
    );
    let mut expected = vec![
        (FIRST.to_owned(), "Completed".to_owned(), 1),
        (second.name, String::new(), 1),
    ];
    expected.sort();
    assert_eq!(world.counts().await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_somebody_creates_without_the_lock_is_counted_on() {
    let world = World::new().await;
    let processor = world.pod("gateway-1").build();
    world.fail(
        Action::Delay(Duration::from_secs(1)),
        "create",
        "remediationrequests",
        1,
    );
    let running = tokio::spawn(async move { processor.process(signal()).await });
    tokio::time::sleep(Duration::from_millis(500)).await;
    world
        .request(FIRST, json!({"overallPhase": "Pending"}))
        .await;
    let processed = running.await.unwrap().unwrap();
    let suppressed = Disposition::Duplicate(Reason::Active);
    assert_eq!(
        (processed.disposition, &*processed.name, processed.count),
        (suppressed, FIRST, 1)
    );
    assert_eq!(
        world.log(),
        [
            "create remediationrequests 409",
            "get remediationrequests 200",
            "patch remediationrequests/status 200",
            "delete leases 200",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_name_that_an_ended_request_has_taken_is_followed() {
    let world = World::new().await;
    let processor = world.pod("gateway-1").build();
    world.fail(
        Action::Delay(Duration::from_secs(1)),
        "create",
        "remediationrequests",
        1,
    );
    let running = tokio::spawn(async move { processor.process(signal()).await });
    tokio::time::sleep(Duration::from_millis(500)).await;
    world
        .request(FIRST, json!({"overallPhase": "Failed"}))
        .await;
    let processed = running.await.unwrap().unwrap();
    let taken = world.requests().await;
    let taken = taken.iter().find(|request| request.name == FIRST).unwrap();
    assert_eq!(processed.disposition, Disposition::Created);
    assert_eq!(
        processed.name,
        request_name(signal().fingerprint(), &taken.uid)
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_being_deleted_is_neither_counted_on_nor_waited_for() {
    let world = World::new().await;
    world
        .request(FIRST, json!({"overallPhase": "Executing"}))
        .await;
    world.finalize(FIRST).await;
    world.delete(FIRST).await;
    let processed = world
        .pod("gateway-1")
        .build()
        .process(signal())
        .await
        .unwrap();
    let deleted = world.requests().await;
    let deleted = deleted
        .iter()
        .find(|request| request.name == FIRST)
        .unwrap();
    assert!(deleted.deleting);
    assert_eq!(
        processed.name,
        request_name(signal().fingerprint(), &deleted.uid)
    );
}

#[tokio::test(start_paused = true)]
async fn a_create_without_an_answer_is_repeated_under_the_same_name_and_found() {
    let world = World::new().await;
    world.fail(Action::LoseAnswer, "create", "remediationrequests", 1);
    let processed = world
        .pod("gateway-1")
        .build()
        .process(signal())
        .await
        .unwrap();
    assert_eq!(
        (processed.disposition, processed.count),
        (Disposition::Created, 1)
    );
    assert_eq!(
        world.log()[3..6],
        [
            "create remediationrequests lost",
            "create remediationrequests 409",
            "get remediationrequests 200",
        ]
    );
    assert_eq!(world.counts().await, [(FIRST.to_owned(), String::new(), 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_create_that_was_not_executed_is_repeated_under_the_same_name() {
    let world = World::new().await;
    world.fail(REFUSED, "create", "remediationrequests", 2);
    let processor = world.pod("gateway-1").build();
    let processed = processor.process(signal()).await.unwrap();
    processor.settled().await;
    assert_eq!(processed.disposition, Disposition::Created);
    assert_eq!(world.counts().await, [(FIRST.to_owned(), String::new(), 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_create_that_stays_without_an_answer_fails_the_signal_as_unknown() {
    let world = World::new().await;
    world.fail(REFUSED, "create", "remediationrequests", u32::MAX);
    let processor = world.pod("gateway-1").build();
    let failure = processor.process(signal()).await.unwrap_err();
    assert!(matches!(failure, Failure::Unknown(_)), "{failure:?}");
    processor.settled().await;
    assert_eq!(world.log().last().unwrap(), "delete leases 200");
}

#[tokio::test(start_paused = true)]
async fn a_creators_first_count_adds_to_what_others_have_counted_before() {
    let world = World::new().await;
    world.fail(
        Action::Delay(Duration::from_secs(1)),
        "patch",
        "remediationrequests",
        1,
    );
    let creator = world.pod("gateway-1").build();
    let creating = tokio::spawn(async move { creator.process(signal()).await });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let duplicate = world
        .pod("gateway-2")
        .build()
        .process(signal())
        .await
        .unwrap();
    let created = creating.await.unwrap().unwrap();
    let duplicated = Disposition::Duplicate(Reason::Active);
    assert_eq!((duplicate.disposition, duplicate.count), (duplicated, 1));
    assert_eq!(
        (created.disposition, created.count),
        (Disposition::Created, 2)
    );
    assert_eq!(world.counts().await, [(FIRST.to_owned(), String::new(), 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_ends_before_its_first_count_is_counted_all_the_same() {
    let world = World::new().await;
    world.fail(
        Action::Delay(Duration::from_secs(1)),
        "patch",
        "remediationrequests",
        1,
    );
    let processor = world.pod("gateway-1").build();
    let creating = tokio::spawn(async move { processor.process(signal()).await });
    tokio::time::sleep(Duration::from_millis(500)).await;
    // The fault has hit the pod's count already.
    world
        .set_status(FIRST, json!({"overallPhase": "Completed"}))
        .await;
    let created = creating.await.unwrap().unwrap();
    assert_eq!(created.disposition, Disposition::Created);
    assert_eq!(
        world.counts().await,
        [(FIRST.to_owned(), "Completed".to_owned(), 1)]
    );
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_the_lease_counts_on_the_request_that_its_holder_creates() {
    let world = World::new().await;
    let second = Action::Delay(Duration::from_secs(1));
    world.fail(second.clone(), "create", "remediationrequests", 1);
    world.fail(second, "patch", "remediationrequests", 1);
    let holder = world.pod("gateway-1").build();
    let creating = tokio::spawn(async move { holder.process(signal()).await });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (events, observer) = lease_events();
    let waiter = world.pod("gateway-2").observer(observer).build();
    let processed = waiter.process(signal()).await.unwrap();
    assert!(!creating.is_finished(), "the lease is still held");
    assert_eq!(*events.lock().unwrap(), ["Contended", "NotNeeded"]);
    assert_eq!(
        processed.disposition,
        Disposition::Duplicate(Reason::Active)
    );
    let created = creating.await.unwrap().unwrap();
    assert_eq!(
        (created.disposition, created.count),
        (Disposition::Created, 2)
    );
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_stays_with_somebody_else_fails_the_signal_in_time() {
    let world = World::new().await;
    let lock = LeaseLock::builder(
        world.client(),
        LOCKS,
        signal().fingerprint().lease_name(),
        "somebody",
    );
    let guard = lock.build().acquire(Duration::ZERO).await.unwrap();
    let started = tokio::time::Instant::now();
    let processor = world.pod("gateway-1").build();
    let failure = processor.process(signal()).await.unwrap_err();
    let Failure::Lease(AcquireError::Busy {
        holder: Some((record, _)),
    }) = failure
    else {
        panic!("{failure:?}")
    };
    assert_eq!(record.holder(), Some(&*guard.identity().to_string()));
    assert_eq!(started.elapsed(), Duration::from_millis(14_750));
    assert!(guard.is_held());
    assert_eq!(world.counts().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_crashed_holders_lease_is_taken_over_where_there_is_time_to_wait() {
    let world = World::new().await;
    world.lease_of_a_crashed_gateway().await;
    let (events, observer) = lease_events();
    let budget = Duration::from_secs(60);
    let processor = world
        .pod("gateway-1")
        .budget(budget)
        .observer(observer)
        .build();
    let started = tokio::time::Instant::now();
    let processed = processor.process(signal()).await.unwrap();
    let waited = started.elapsed().as_secs();
    processor.settled().await;
    assert!((32..=34).contains(&waited), "{waited} s");
    assert_eq!(processed.disposition, Disposition::Created);
    assert_eq!(
        *events.lock().unwrap(),
        ["Contended", "taken over: true", "Deleted"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_lost_before_the_create_fails_the_signal() {
    let world = World::new().await;
    // While requests cannot be listed somebody deletes the lease; the renewal after ten seconds finds it gone.
    let unlisted = Fault::new(REFUSED).verb("list");
    world.server.faults().inject(unlisted.after(1).times(18));
    let (events, observer) = lease_events();
    let budget = Duration::from_secs(60);
    let processor = world
        .pod("gateway-1")
        .budget(budget)
        .observer(observer)
        .build();
    let running = tokio::spawn({
        let processor = processor.clone();
        async move { processor.process(signal()).await }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.delete_lease().await;
    assert_eq!(running.await.unwrap(), Err(Failure::LeaseLost));
    processor.settled().await;
    assert_eq!(
        *events.lock().unwrap(),
        ["taken over: false", "Lost", "AlreadyGone"]
    );
    assert_eq!(world.counts().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_frozen_creator_whose_lease_is_gone_makes_no_second_request() {
    let world = World::new().await;
    let late = Action::Late(Duration::from_secs(4));
    world.fail(late, "create", "remediationrequests", 1);
    let frozen = world.pod("gateway-1").build();
    let freezing = tokio::spawn(async move { frozen.process(signal()).await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.delete_lease().await;
    let second = world
        .pod("gateway-2")
        .build()
        .process(signal())
        .await
        .unwrap();
    let first = freezing.await.unwrap().unwrap();
    assert_eq!(second.disposition, Disposition::Created);
    assert_eq!(first.disposition, Disposition::Duplicate(Reason::Active));
    assert_eq!((second.count, first.count), (1, 2));
    assert_eq!(world.counts().await, [(FIRST.to_owned(), String::new(), 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_creator_that_cannot_list_says_which_rule_it_lacks() {
    let world = World::with_rules(json!([])).await;
    let processor = world.pod("gateway-1").build();
    let failure = processor.process(signal()).await.unwrap_err();
    let rule = failure.missing_rule().unwrap();
    assert_eq!((rule.resource, rule.verb), ("remediationrequests", "list"));
    assert_eq!(world.log(), ["list remediationrequests 403"]);
}

#[tokio::test(start_paused = true)]
async fn a_count_that_is_forbidden_fails_the_signal_and_names_the_rule() {
    let world = World::with_rules(json!([
        {"apiGroups": ["kubernaut.ai"], "resources": ["remediationrequests"], "verbs": ["list", "get", "create"]}
    ]))
    .await;
    let processor = world.pod("gateway-1").build();
    let failure = processor.process(signal()).await.unwrap_err();
    let rule = failure.missing_rule().unwrap();
    assert_eq!(
        (rule.api_group, rule.resource, rule.verb),
        ("kubernaut.ai", "remediationrequests/status", "patch")
    );
    processor.settled().await;
    assert_eq!(world.log().last().unwrap(), "delete leases 200");
}
