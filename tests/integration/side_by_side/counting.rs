//! Which RemediationRequest a signal is counted on, and what becomes of the count.

use std::time::Duration;

use futures_util::future::join_all;
use gwlock::sim::protocols::gateway::Outcome;
use gwlock_apiserver::faults::Action;
use gwlock_engine::remediation::Disposition;
use gwlock_engine::remediation::dedup::Reason;
use serde_json::{Value, json};

use super::world::{World, counted, signal};

const REFUSED: Action = Action::Refuse {
    status: 500,
    retry_after: None,
};

fn counts(expected: &[(&str, i64)]) -> Vec<(String, i64)> {
    let owned = |(phase, count): &(&str, i64)| ((*phase).to_owned(), *count);
    expected.iter().map(owned).collect()
}

fn waits_for_a_person() -> Value {
    let mut status = counted("Completed", 1);
    status["completionStatus"] = json!({"outcome": "ManualReviewRequired"});
    status
}

#[tokio::test(start_paused = true)]
async fn an_ended_request_with_the_smaller_name_takes_the_gateways_counts_and_not_ours() {
    for (to_gateway, expected) in [(true, [2, 1]), (false, [1, 2])] {
        let world = World::new().await;
        let [ended, active] = ["rr-91fce8d5c494-00000000", "rr-91fce8d5c494-ffffffff"];
        world.request(ended, waits_for_a_person()).await;
        world.request(active, counted("Executing", 1)).await;
        if to_gateway {
            world.to_gateway().await;
        } else {
            let processed = world.to_us().await;
            assert_eq!(
                processed.disposition,
                Disposition::Duplicate(Reason::Active)
            );
        }
        let [ended, active] = expected;
        let expected = counts(&[("Completed", ended), ("Executing", active)]);
        assert_eq!(world.counts().await, expected);
    }
}

/// Ends the request after it was listed and before it is counted on.
async fn end_in_between(world: &World, verb: &str, status: Option<Value>) {
    let late = Action::Delay(Duration::from_millis(20));
    world.inject(late, verb, "remediationrequests", 1);
    tokio::time::sleep(Duration::from_millis(10)).await;
    match status {
        Some(status) => world.orchestrate("rr-x", status).await,
        None => world.delete("rr-x").await,
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_ends_after_the_list_is_counted_on_by_the_gateway_and_followed_by_us() {
    let ended = json!({"overallPhase": "Completed"});
    let world = World::new().await;
    world.request("rr-x", counted("Executing", 3)).await;
    let end = end_in_between(&world, "get", Some(ended.clone()));
    let ((), reply) = tokio::join!(end, world.to_gateway());
    assert_eq!((reply.outcome, reply.count), (Outcome::Duplicate, 4));
    let lost = counts(&[("Completed", 4)]);
    assert_eq!(world.counts().await, lost, "the gateway's defect");

    let world = World::new().await;
    world.request("rr-x", counted("Executing", 3)).await;
    let end = end_in_between(&world, "patch", Some(ended));
    let ((), processed) = tokio::join!(end, world.to_us());
    assert_eq!(processed.disposition, Disposition::Created);
    let both = counts(&[("", 1), ("Completed", 3)]);
    assert_eq!(world.counts().await, both);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_deleted_after_the_list_swallows_the_gateways_signal_and_not_ours() {
    let world = World::new().await;
    world.request("rr-x", counted("Executing", 3)).await;
    let end = end_in_between(&world, "get", None);
    let ((), reply) = tokio::join!(end, world.to_gateway());
    assert_eq!(reply.outcome, Outcome::Duplicate);
    assert_eq!(world.counts().await, [], "the gateway's defect");

    let world = World::new().await;
    world.request("rr-x", counted("Executing", 3)).await;
    let end = end_in_between(&world, "patch", None);
    let ((), processed) = tokio::join!(end, world.to_us());
    assert_eq!(processed.disposition, Disposition::Created);
    assert_eq!(world.counts().await, counts(&[("", 1)]));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_being_deleted_suppresses_the_gateways_signals_and_not_ours() {
    let world = World::new().await;
    world.request("rr-x", counted("Executing", 3)).await;
    world.begin_to_delete("rr-x").await;
    let reply = world.to_gateway().await;
    assert_eq!(reply.outcome, Outcome::Duplicate, "the gateway's defect");

    let processed = world.to_us().await;
    assert_eq!(processed.disposition, Disposition::Created);
}

#[tokio::test(start_paused = true)]
async fn a_count_that_may_not_be_written_is_answered_by_the_gateway_and_failed_by_us() {
    let world = World::without_the_right_to_count().await;
    world.request("rr-x", counted("Executing", 3)).await;
    let reply = world.to_gateway().await;
    assert_eq!((reply.outcome, reply.count), (Outcome::Duplicate, 4));
    let expected = counts(&[("Executing", 3)]);
    assert_eq!(world.counts().await, expected, "the gateway's defect");

    let failure = world.try_ours().await.unwrap_err();
    let rule = failure.missing_rule().unwrap();
    assert_eq!(
        (rule.resource, rule.verb),
        ("remediationrequests/status", "patch")
    );
    assert_eq!(world.counts().await, expected);
}

#[tokio::test(start_paused = true)]
async fn simultaneous_duplicates_lose_the_gateways_counts_and_not_ours() {
    const PODS: usize = 8;
    // A gateway without a lock writes as those do that wait for one.
    let world = World::new().await;
    world.request("rr-x", counted("Executing", 0)).await;
    world.slow_down();
    let pods: Vec<_> = (0..PODS).map(|_| world.gateway_ahead(None, 0)).collect();
    let signal = signal();
    let replies = join_all(pods.iter().map(|pod| pod.process(&signal))).await;
    assert!(replies.iter().all(Result::is_ok), "all of them say 202");
    let four_tries = counts(&[("Executing", 4)]);
    assert_eq!(world.counts().await, four_tries, "the gateway's defect");

    let world = World::new().await;
    world.request("rr-x", counted("Executing", 0)).await;
    world.slow_down();
    let pods: Vec<_> = (0..PODS)
        .map(|pod| world.replica(&format!("replica-{pod}")))
        .collect();
    let processed = join_all(pods.iter().map(|pod| pod.process(signal.clone()))).await;
    assert!(processed.iter().all(Result::is_ok));
    assert_eq!(world.counts().await, counts(&[("Executing", 8)]));
}

#[tokio::test(start_paused = true)]
async fn a_first_count_that_fails_is_missing_for_good_in_the_gateways_and_not_in_ours() {
    let world = World::new().await;
    world.inject(REFUSED, "update", "remediationrequests", 1);
    let created = world.to_gateway().await;
    assert_eq!((created.outcome, created.count), (Outcome::Created, 1));
    assert_eq!(world.counts().await, counts(&[("", -1)]));
    world.to_gateway().await;
    let one_of_two = counts(&[("", 1)]);
    assert_eq!(world.counts().await, one_of_two, "the gateway's defect");

    let world = World::new().await;
    world.inject(REFUSED, "patch", "remediationrequests", 1);
    let created = world.to_us().await;
    assert_eq!(created.disposition, Disposition::Created);
    let second = world.to_us().await;
    assert_eq!(second.count, 2);
    assert_eq!(world.counts().await, counts(&[("", 2)]));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_waits_for_the_release_is_sent_again_and_counted_twice_unlike_ours() {
    // The release takes longer than anybody waits for an answer.
    let patience = Duration::from_secs(15);
    let late = Action::DelayAnswer(Duration::from_secs(20));
    let world = World::new().await;
    world.request("rr-x", counted("Executing", 0)).await;
    world.inject(late.clone(), "delete", "leases", 1);
    let answer = tokio::time::timeout(patience, world.to_gateway()).await;
    assert!(answer.is_err(), "504");
    world.to_gateway().await;
    let twice = counts(&[("Executing", 2)]);
    assert_eq!(world.counts().await, twice, "the gateway's defect");

    let world = World::new().await;
    world.inject(late, "delete", "leases", 1);
    let replica = world.replica("replica-1");
    let answer = tokio::time::timeout(patience, replica.process(signal())).await;
    assert_eq!(answer.unwrap().unwrap().count, 1);
    assert_eq!(world.counts().await, counts(&[("", 1)]));
}

#[tokio::test(start_paused = true)]
async fn fields_that_a_gateway_does_not_know_are_dropped_by_it_and_kept_by_us() {
    let mut status = counted("Executing", 3);
    status["ofTheFuture"] = json!({"a": [1]});
    let world = World::new().await;
    world.request("rr-x", status.clone()).await;
    assert_eq!(world.to_us().await.count, 4);
    assert_eq!(
        world.status("rr-x").await["ofTheFuture"],
        status["ofTheFuture"]
    );
    world.to_gateway().await;
    let left = world.status("rr-x").await;
    assert_eq!(left["ofTheFuture"], Value::Null, "the gateway's defect");
    assert_eq!(left["deduplication"]["occurrenceCount"], 5);
}

#[tokio::test(start_paused = true)]
async fn a_write_of_the_orchestrator_is_in_the_gateways_way_and_not_in_ours() {
    let requests = |asked: &[String]| asked.iter().filter(|line| line.contains("status")).count();
    for (verb, expected) in [("update", 2), ("patch", 1)] {
        let world = World::new().await;
        world.request("rr-x", counted("Executing", 3)).await;
        let late = Action::Delay(Duration::from_millis(20));
        world.inject(late, verb, "remediationrequests", 1);
        let orchestrator = async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let blocked = json!({"blockReason": "ResourceBusy"});
            world.orchestrate("rr-x", blocked).await;
        };
        if verb == "update" {
            tokio::join!(world.to_gateway(), orchestrator);
        } else {
            let _ = tokio::join!(world.to_us(), orchestrator);
        }
        assert_eq!(requests(&world.asked()), expected, "{verb}");
        assert_eq!(world.counts().await, counts(&[("Executing", 4)]));
    }
}

#[tokio::test(start_paused = true)]
async fn outcome_and_back_off_of_older_requests_suppress_our_signals_and_not_the_gateways() {
    for of_old in [
        json!({"overallPhase": "Failed", "outcome": "ManualReviewRequired"}),
        json!({"overallPhase": "Failed", "nextAllowedExecution": "2026-11-23T10:00:00Z"}),
    ] {
        let world = World::new().await;
        world.request("rr-x", of_old.clone()).await;
        let processed = world.to_us().await;
        assert_ne!(processed.disposition, Disposition::Created, "{of_old}");
        let reply = world.to_gateway().await;
        assert_eq!(reply.outcome, Outcome::Created, "the gateway's defect");
    }
    // Where its latest version has them both see them.
    for of_now in [
        json!({"overallPhase": "Failed", "completionStatus": {"outcome": "ManualReviewRequired"}}),
        json!({"overallPhase": "Failed", "routingStatus": {"nextAllowedExecution": "2026-11-23T10:00:00Z"}}),
    ] {
        let world = World::new().await;
        world.request("rr-x", of_now).await;
        assert_eq!(world.to_us().await.count, 1);
        assert_eq!(world.to_gateway().await.count, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_local_clock_that_is_off_moves_the_gateways_back_off_and_not_ours() {
    let until = |time: &str| json!({"overallPhase": "Failed", "routingStatus": {"nextAllowedExecution": time}});
    // It is 09:00. One clock is an hour ahead, one an hour behind.
    for (time, seconds, is_over) in [
        ("2026-11-23T09:30:00Z", 3600, false),
        ("2026-11-23T08:30:00Z", -3600, true),
    ] {
        let world = World::new().await;
        world.request("rr-x", until(time)).await;
        let gateway = world.gateway_ahead(Some("gateway-1"), seconds);
        let created = gateway.process(&signal()).await.unwrap().outcome == Outcome::Created;
        assert_eq!(created, !is_over, "the gateway's defect");

        let world = World::new().await;
        world.request("rr-x", until(time)).await;
        let replica = world.replica_ahead("replica-1", seconds);
        let processed = replica.process(signal()).await.unwrap();
        assert_eq!(processed.disposition == Disposition::Created, is_over);
    }
}
