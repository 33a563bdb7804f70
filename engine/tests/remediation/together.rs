//! Many signals at once: how they share runs, and that each of them is counted.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use gwlock_apiserver::faults::Action;
use gwlock_engine::remediation::dedup::Reason;
use gwlock_engine::remediation::trace::{Decision, Event, LeaseEvent, Traced};
use gwlock_engine::remediation::{Disposition, Failure, Processed, SignalProcessor};
use serde_json::json;

use super::world::{FIRST, World, signal, signal_for};

async fn storm(processors: &[SignalProcessor], each: usize) -> Vec<Processed> {
    let signals = processors
        .iter()
        .flat_map(|processor| (0..each).map(move |_| processor.process(signal())));
    let results = join_all(signals).await;
    for processor in processors {
        processor.settled().await;
    }
    results.into_iter().map(Result::unwrap).collect()
}

fn occurrences(processed: &[Processed]) -> Vec<i32> {
    let mut counts: Vec<i32> = processed.iter().map(|processed| processed.count).collect();
    counts.sort_unstable();
    counts
}

fn created(processed: &[Processed]) -> usize {
    let created = |one: &&Processed| one.disposition == Disposition::Created;
    processed.iter().filter(created).count()
}

#[tokio::test(start_paused = true)]
async fn simultaneous_duplicates_of_one_process_take_two_requests_together() {
    let world = World::new().await;
    world
        .request("rr-x", json!({"overallPhase": "Executing"}))
        .await;
    let processor = world.pod("gateway-1").build();
    let processed = storm(&[processor], 100).await;
    assert_eq!(
        world.log(),
        [
            "list remediationrequests 200",
            "patch remediationrequests/status 200",
        ]
    );
    assert_eq!(occurrences(&processed), (1..=100).collect::<Vec<_>>());
    assert_eq!(created(&processed), 0);
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_a_new_alert_in_one_process_takes_six_requests() {
    let world = World::new().await;
    let processor = world.pod("gateway-1").build();
    let processed = storm(&[processor], 20).await;
    assert_eq!(world.log().len(), 6, "{:?}", world.log());
    assert_eq!(occurrences(&processed), (1..=20).collect::<Vec<_>>());
    assert_eq!(processed[0].disposition, Disposition::Created);
    assert_eq!(
        processed[1].disposition,
        Disposition::Duplicate(Reason::Active)
    );
    assert_eq!(created(&processed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_signals_over_three_processes_make_one_request_and_are_all_counted_in_24_requests()
 {
    let world = World::new().await;
    let pods: Vec<_> = (0..3)
        .map(|pod| world.pod(&format!("gateway-{pod}")).build())
        .collect();
    let processed = storm(&pods, 34).await;
    assert_eq!(occurrences(&processed), (1..=102).collect::<Vec<_>>());
    assert_eq!(created(&processed), 1);
    let requests = world.log();
    assert_eq!(requests.len(), 24, "{requests:?}");
    assert_eq!(
        world.counts().await,
        [(FIRST.to_owned(), String::new(), 102)]
    );
}

#[tokio::test(start_paused = true)]
async fn uncoalesced_duplicates_of_many_processes_are_all_counted() {
    let world = World::new().await;
    world
        .request("rr-x", json!({"overallPhase": "Executing"}))
        .await;
    world
        .server
        .faults()
        .inject(gwlock_apiserver::faults::Fault::new(Action::DelayAnswer(
            Duration::from_millis(3),
        )));
    let pods: Vec<_> = (0..40)
        .map(|pod| world.pod(&format!("gateway-{pod}")).build())
        .collect();
    let processed = storm(&pods, 1).await;
    assert_eq!(occurrences(&processed), (1..=40).collect::<Vec<_>>());
    // Without delays between tries each of them would need some forty.
    let requests = world.log().len();
    assert!(requests <= 10 * 40, "{requests} requests");
}

#[tokio::test(start_paused = true)]
async fn who_comes_while_a_count_is_under_way_is_counted_with_the_next() {
    let world = World::new().await;
    world
        .request("rr-x", json!({"overallPhase": "Executing"}))
        .await;
    world.fail(
        Action::DelayAnswer(Duration::from_secs(1)),
        "patch",
        "remediationrequests",
        1,
    );
    let processor = world.pod("gateway-1").build();
    let early = tokio::spawn({
        let processor = processor.clone();
        async move { processor.process(signal()).await.unwrap() }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let late = storm(&[processor], 3).await;
    let early = early.await.unwrap();
    assert_eq!((early.count, early.persisted), (1, 1));
    assert_eq!(occurrences(&late), [2, 3, 4]);
    assert_eq!(world.log().len(), 4, "{:?}", world.log());
}

#[tokio::test(start_paused = true)]
async fn who_comes_during_a_back_off_is_counted_with_those_who_wait() {
    let world = World::new().await;
    world
        .request("rr-x", json!({"overallPhase": "Executing"}))
        .await;
    let busy = Action::Refuse {
        status: 429,
        retry_after: Some(2),
    };
    world.fail(busy, "patch", "remediationrequests", 1);
    let processor = world.pod("gateway-1").build();
    let early = tokio::spawn({
        let processor = processor.clone();
        async move { processor.process(signal()).await.unwrap() }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    let late = storm(&[processor], 2).await;
    assert_eq!(
        (early.await.unwrap().count, occurrences(&late)),
        (1, vec![2, 3])
    );
    assert_eq!(world.log().len(), 3, "{:?}", world.log());
}

#[tokio::test(start_paused = true)]
async fn who_goes_away_before_the_count_is_not_counted() {
    let world = World::new().await;
    world
        .request("rr-x", json!({"overallPhase": "Executing"}))
        .await;
    world.fail(
        Action::Delay(Duration::from_secs(1)),
        "list",
        "remediationrequests",
        1,
    );
    let processor = world.pod("gateway-1").build();
    let gone = tokio::time::timeout(Duration::from_millis(500), processor.process(signal()));
    let (gone, processed) = tokio::join!(gone, processor.process(signal()));
    assert!(gone.is_err());
    assert_eq!(processed.unwrap().count, 1);
}

#[tokio::test(start_paused = true)]
async fn when_everybody_has_gone_away_nothing_is_written() {
    let world = World::new().await;
    world.fail(
        Action::Delay(Duration::from_secs(1)),
        "list",
        "remediationrequests",
        1,
    );
    let processor = world.pod("gateway-1").build();
    let gone = tokio::time::timeout(Duration::from_millis(500), processor.process(signal()));
    assert!(gone.await.is_err());
    processor.settled().await;
    assert_eq!(world.log(), ["list remediationrequests 200"]);
    let processed = processor.process(signal()).await.unwrap();
    assert_eq!(processed.disposition, Disposition::Created);
}

#[tokio::test(start_paused = true)]
async fn fingerprints_do_not_wait_for_each_other() {
    let world = World::new().await;
    let processor = world.pod("gateway-1").build();
    let targets = ["a", "b", "c"].map(|name| format!("prod/Deployment/{name}"));
    let signals = targets
        .iter()
        .map(|target| processor.process(signal_for(target)));
    let processed = join_all(signals).await;
    processor.settled().await;
    let all_created = processed
        .into_iter()
        .all(|one| one.unwrap().disposition == Disposition::Created);
    assert!(all_created);
    assert_eq!(world.log().len(), 18);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_everybodys_who_waited() {
    let world = World::with_rules(json!([])).await;
    let processor = world.pod("gateway-1").build();
    let (a, b) = tokio::join!(processor.process(signal()), processor.process(signal()));
    for failure in [a.unwrap_err(), b.unwrap_err()] {
        assert!(matches!(failure, Failure::Refused(_)), "{failure:?}");
    }
    assert_eq!(world.log().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_signal_that_the_server_does_not_take_spoils_no_other() {
    let world = World::new().await;
    let processor = world.pod("gateway-1").build();
    let mut bad = signal();
    bad.spec.severity = "x".repeat(51);
    let (bad, good) = tokio::join!(processor.process(bad), processor.process(signal()));
    let Failure::Refused(refusal) = bad.unwrap_err() else {
        panic!("a refusal")
    };
    assert_eq!((refusal.code, refusal.rule.verb), (422, "create"));
    let good = good.unwrap();
    assert_eq!((good.disposition, good.count), (Disposition::Created, 1));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_cut_off_leaves_nobody_waiting_and_the_next_one_works() {
    let world = World::new().await;
    let observer = Arc::new(|traced: &Traced| {
        assert!(traced.run > 1, "this observer fails in the first run");
    });
    let processor = world.pod("gateway-1").observer(observer).build();
    let (a, b) = tokio::join!(processor.process(signal()), processor.process(signal()));
    for failure in [a.unwrap_err(), b.unwrap_err()] {
        assert!(matches!(failure, Failure::Unknown(_)), "{failure:?}");
    }
    processor.settled().await;
    assert_eq!(processor.process(signal()).await.unwrap().count, 1);
}

/// An event in one line.
fn line(traced: &Traced) -> String {
    match &traced.event {
        Event::Started => format!("run {}", traced.run),
        Event::Exchanged(exchange) => {
            let status = exchange.status.map(|status| status.to_string());
            let status = status.as_deref().unwrap_or("no answer");
            format!("  {} {} {status}", exchange.verb, exchange.resource)
        }
        Event::Decided(Decision::Suppressed { name, reason }) => {
            format!("  suppressed by {name}: {reason:?}")
        }
        Event::Decided(Decision::Acquire) => "  acquire".to_owned(),
        Event::Decided(Decision::Create { name }) => format!("  create {name}"),
        Event::Lease(LeaseEvent::Acquired {
            taken_over,
            requests,
            ..
        }) => {
            format!("  lease acquired, taken over: {taken_over}, requests: {requests}")
        }
        Event::Lease(LeaseEvent::Released { released, .. }) => format!("  lease {released:?}"),
        Event::Lease(other) => format!("  lease {other:?}"),
        Event::Finished {
            result,
            signals,
            requests,
            ..
        } => {
            let counted = result.as_ref().unwrap();
            let (before, after) = (counted.count.before(), counted.count.after());
            format!("  {signals} signals, {before} -> {after}, {requests} requests")
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_is_told_what_happens_in_order() {
    let world = World::new().await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let telling = told.clone();
    let observer = Arc::new(move |traced: &Traced| telling.lock().unwrap().push(line(traced)));
    let processor = world.pod("gateway-1").observer(observer).build();
    let _created = processor.process(signal()).await.unwrap();
    processor.settled().await;
    let _counted = processor.process(signal()).await.unwrap();
    assert_eq!(
        *told.lock().unwrap(),
        [
            "run 1",
            "  list remediationrequests 200",
            "  acquire",
            "  create leases 201",
            "  lease acquired, taken over: false, requests: 1",
            "  list remediationrequests 200",
            "  create rr-91fce8d5c494-4500491e",
            "  create remediationrequests 201",
            "  patch remediationrequests/status 200",
            "  1 signals, 0 -> 1, 5 requests",
            "  delete leases 200",
            "  lease Deleted",
            "run 2",
            "  list remediationrequests 200",
            "  suppressed by rr-91fce8d5c494-4500491e: Active",
            "  patch remediationrequests/status 200",
            "  1 signals, 1 -> 2, 2 requests",
        ]
    );
}
