//! How many RemediationRequests come into being.

use std::time::Duration;

use gwlock::sim::protocols::gateway::Outcome;
use gwlock_apiserver::faults::Action;
use gwlock_engine::remediation::Disposition;

use super::world::{World, signal, signal_for};

#[tokio::test(start_paused = true)]
async fn two_handlers_of_one_pod_make_two_requests_the_gateways_way_and_one_ours() {
    let world = World::new().await;
    world.slow_down();
    let pod = world.gateway("gateway-1");
    let signal = signal();
    let second = async {
        // The first one has the lease and is about to create.
        tokio::time::sleep(Duration::from_millis(4)).await;
        pod.process(&signal).await
    };
    let (first, second) = tokio::join!(pod.process(&signal), second);
    let outcomes = [first.unwrap().outcome, second.unwrap().outcome];
    assert_eq!(outcomes, [Outcome::Created; 2], "the gateway's defect");
    assert_eq!(world.counts().await.len(), 2);

    let world = World::new().await;
    world.slow_down();
    let replica = world.replica("replica-1");
    let second = async {
        tokio::time::sleep(Duration::from_millis(4)).await;
        replica.process(signal.clone()).await
    };
    let (first, second) = tokio::join!(replica.process(signal.clone()), second);
    let dispositions = [first.unwrap(), second.unwrap()].map(|one| one.disposition);
    let created = |one: &&Disposition| **one == Disposition::Created;
    assert_eq!(dispositions.iter().filter(created).count(), 1);
    assert_eq!(world.counts().await, [(String::new(), 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_stands_still_makes_a_second_request_the_gateways_way_and_not_ours() {
    let late = Action::Late(Duration::from_secs(40));
    let world = World::new().await;
    world.inject(late, "create", "remediationrequests", 1);
    let first = world.gateway("gateway-1");
    let second = world.gateway("gateway-2");
    let signal = signal();
    let takes_over = async {
        tokio::time::sleep(Duration::from_secs(31)).await;
        second.process(&signal).await
    };
    let (first, second) = tokio::join!(first.process(&signal), takes_over);
    let outcomes = [first.unwrap().outcome, second.unwrap().outcome];
    assert_eq!(outcomes, [Outcome::Created; 2], "the gateway's defect");
    assert_eq!(world.counts().await.len(), 2);

    // Ours gives up long before, and its CREATE lands under the name that the second one has counted on.
    let late = Action::Late(Duration::from_secs(4));
    let world = World::new().await;
    world.inject(late, "create", "remediationrequests", 1);
    let first = world.replica("replica-1");
    let second = world.replica("replica-2");
    let without_the_lease = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        world.delete_lease().await;
        second.process(signal.clone()).await
    };
    let (first, second) = tokio::join!(first.process(signal.clone()), without_the_lease);
    assert_eq!(second.unwrap().disposition, Disposition::Created);
    assert_eq!(first.unwrap().count, 2);
    assert_eq!(world.counts().await, [(String::new(), 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_spec_is_sent_again_where_its_name_looks_like_a_status() {
    // The name of a request holds the first twelve digits of the fingerprint.
    let targets = (0..).map(|number| format!("prod/Deployment/api-{number}"));
    let is_odd = |target: &String| signal_for(target).fingerprint().as_str()[..12].contains("503");
    let mut signal = signal_for(&targets.into_iter().find(is_odd).unwrap());
    signal.spec.severity = "x".repeat(51);
    let creates = |asked: Vec<String>| {
        let is_create = |line: &&String| *line == "create remediationrequests 422";
        asked.iter().filter(is_create).count()
    };

    let world = World::new().await;
    let gateway = world.gateway("gateway-1");
    gateway.process(&signal).await.unwrap_err();
    assert_eq!(creates(world.asked()), 3, "the gateway's defect");

    let replica = world.replica("replica-1");
    let failure = replica.process(signal).await.unwrap_err();
    assert!(failure.is_about_the_spec(), "{failure}");
    assert_eq!(creates(world.asked()), 1);
}
