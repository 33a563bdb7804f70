//! What waiting for somebody else's lease does.

use std::time::Duration;

use futures_util::future::join_all;
use gwlock::sim::protocols::gateway::{GatewayError, Outcome, RequestContext};
use gwlock_engine::remediation::Failure;
use tokio::time::Instant;

use super::world::{World, counted, signal};

#[tokio::test(start_paused = true)]
async fn who_has_gone_away_keeps_a_gateway_asleep_and_not_us() {
    let gone = Duration::from_millis(50);
    let world = World::new().await;
    world.lease_of("other").await;
    let gateway = world.gateway("gateway-1");
    let context = RequestContext::until(tokio::time::sleep(gone));
    let started = Instant::now();
    let failure = gateway
        .process_within(&signal(), &context)
        .await
        .unwrap_err();
    assert!(matches!(failure, GatewayError::Over), "{failure}");
    let waited = started.elapsed();
    assert!(
        waited >= Duration::from_millis(100),
        "the gateway's defect: {waited:?}"
    );

    let replica = world.replica("replica-1");
    let started = Instant::now();
    let answer = tokio::time::timeout(gone, replica.process(signal())).await;
    assert!(answer.is_err());
    replica.settled().await;
    let waited = started.elapsed();
    assert!(waited < Duration::from_millis(100), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn waiters_that_find_a_request_together_lose_counts_the_gateways_way_and_not_ours() {
    const WAITERS: usize = 50;
    // Somebody holds the lease and has just created the request.
    let world = World::new().await;
    world.lease_of("other").await;
    world.request("rr-x", counted("Pending", 1)).await;
    world.slow_down();
    let pods: Vec<_> = (0..WAITERS)
        .map(|pod| world.gateway(&format!("gateway-{pod}")))
        .collect();
    let signal = signal();
    let replies = join_all(pods.iter().map(|pod| pod.process(&signal))).await;
    let is_duplicate = |reply: &Result<gwlock::sim::protocols::gateway::Reply, GatewayError>| {
        reply
            .as_ref()
            .is_ok_and(|reply| reply.outcome == Outcome::Duplicate)
    };
    assert!(replies.iter().all(is_duplicate));
    assert_eq!(
        world.counts().await,
        [("Pending".to_owned(), 15)],
        "the gateway's defect"
    );

    let world = World::new().await;
    world.lease_of("other").await;
    world.request("rr-x", counted("Pending", 1)).await;
    world.slow_down();
    let pods: Vec<_> = (0..WAITERS)
        .map(|pod| world.replica(&format!("replica-{pod}")))
        .collect();
    let processed = join_all(pods.iter().map(|pod| pod.process(signal.clone()))).await;
    assert!(processed.iter().all(Result::is_ok));
    assert_eq!(world.counts().await, [("Pending".to_owned(), 51)]);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_stays_taken_costs_us_a_look_now_and_then() {
    let world = World::new().await;
    world.lease_of("other").await;
    let started = Instant::now();
    let failure = world.try_ours().await.unwrap_err();
    assert!(matches!(failure, Failure::Lease(_)), "{failure}");
    assert_eq!(started.elapsed(), Duration::from_millis(14_750));
    let asked = world.asked();
    let count = |line: &str| asked.iter().filter(|asked| *asked == line).count();
    assert_eq!(count("list remediationrequests 200"), 16, "{asked:?}");
    assert_eq!(count("watch leases 200"), 1, "{asked:?}");
    assert_eq!(asked.len(), 21, "{asked:?}");
}
