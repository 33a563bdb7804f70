//! What a signal costs the API server, request by request, the gateway's way.

use std::time::Duration;

use gwlock::sim::protocols::gateway::{GatewayError, Outcome, Reply};
use gwlock_apiserver::faults::Action;
use serde_json::json;
use tokio::time::Instant;

use super::world::{World, counted, signal};

const HELD: [&str; 2] = ["get leases 404", "create leases 201"];
const TAKEN_OVER: [&str; 2] = ["get leases 200", "update leases 200"];
const CREATED: [&str; 4] = [
    "list remediationrequests 200",
    "create remediationrequests 201",
    "get remediationrequests 200",
    "update remediationrequests/status 200",
];
const COUNTED: [&str; 3] = [
    "list remediationrequests 200",
    "get remediationrequests 200",
    "update remediationrequests/status 200",
];
const RELEASED: [&str; 2] = ["get leases 200", "delete leases 200"];

fn duplicate(count: i64) -> (Outcome, String, i64) {
    (Outcome::Duplicate, "rr-x".to_owned(), count)
}

async fn to_gateway(world: &World) -> (Outcome, String, i64) {
    told(world.to_gateway().await)
}

fn told(reply: Reply) -> (Outcome, String, i64) {
    assert!(reply.seen.is_some());
    (reply.outcome, reply.name, reply.count)
}

#[tokio::test(start_paused = true)]
async fn a_new_signal_takes_eight() {
    let world = World::new().await;
    let reply = world.to_gateway().await;
    assert_eq!((reply.outcome, reply.count), (Outcome::Created, 1));
    assert!(reply.name.starts_with("rr-91fce8d5c494-") && reply.name.len() == 24);
    let asked = world.asked();
    assert_eq!(asked, [&HELD[..], &CREATED, &RELEASED].concat());
    assert_eq!(asked.len(), 8);
    assert_eq!(world.counts().await, [(String::new(), 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_takes_seven() {
    let world = World::new().await;
    world.request("rr-x", counted("Executing", 3)).await;
    assert_eq!(to_gateway(&world).await, duplicate(4));
    let asked = world.asked();
    assert_eq!(asked, [&HELD[..], &COUNTED, &RELEASED].concat());
    assert_eq!(asked.len(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_contended_duplicate_takes_four() {
    let world = World::new().await;
    world.request("rr-x", counted("Executing", 3)).await;
    world.lease_of("other").await;
    let started = Instant::now();
    assert_eq!(to_gateway(&world).await, duplicate(4));
    assert_eq!(
        world.asked(),
        [&["get leases 200"][..], &COUNTED[..]].concat()
    );
    let waited = started.elapsed();
    assert!((100..=110).contains(&waited.as_millis()), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_that_loses_the_race_for_the_lease_takes_five() {
    let world = World::new().await;
    world.request("rr-x", counted("Executing", 3)).await;
    let late = Action::Delay(Duration::from_millis(20));
    world.inject(late, "create", "leases", 1);
    let other = async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        world.lease_of("other").await;
    };
    let (reply, ()) = tokio::join!(world.to_gateway(), other);
    assert_eq!(told(reply), duplicate(4));
    let lost = ["get leases 404", "create leases 409"];
    assert_eq!(world.asked(), [&lost[..], &COUNTED[..]].concat());
}

#[tokio::test(start_paused = true)]
async fn a_signal_that_waits_takes_two_more_for_each_attempt() {
    let world = World::new().await;
    world.lease_of("other").await;
    let other = async {
        // Attempts come after about 0, 100, 300 and 700 ms.
        tokio::time::sleep(Duration::from_millis(500)).await;
        world.delete_lease().await;
    };
    let (reply, ()) = tokio::join!(world.to_gateway(), other);
    assert_eq!(reply.outcome, Outcome::Created);
    let waited = ["get leases 200", "list remediationrequests 200"].repeat(3);
    let asked = [&waited[..], &HELD, &CREATED, &RELEASED].concat();
    assert_eq!(world.asked(), asked);
}

#[tokio::test(start_paused = true)]
async fn a_signal_that_gives_up_has_taken_nineteen() {
    let world = World::new().await;
    world.lease_of("other").await;
    let gateway = world.gateway("gateway-1");
    let started = Instant::now();
    let failure = gateway.process(&signal()).await.unwrap_err();
    assert!(matches!(failure, GatewayError::Timeout), "{failure}");
    let mut asked = ["get leases 200", "list remediationrequests 200"].repeat(9);
    asked.push("get leases 200");
    assert_eq!(world.asked(), asked);
    let waited = started.elapsed().as_secs_f64();
    assert!((6.0..=6.64).contains(&waited), "{waited} s");
}

#[tokio::test(start_paused = true)]
async fn a_takeover_takes_as_many_as_a_free_lease() {
    let world = World::new().await;
    world.lease_of("other").await;
    tokio::time::sleep(Duration::from_secs(31)).await;
    world.to_gateway().await;
    let taken_over = [&TAKEN_OVER[..], &CREATED, &RELEASED].concat();
    assert_eq!(world.asked(), taken_over);
    world.lease_of("other").await;
    tokio::time::sleep(Duration::from_secs(31)).await;
    world.to_gateway().await;
    let taken_over = [&TAKEN_OVER[..], &COUNTED, &RELEASED].concat();
    assert_eq!(world.asked(), taken_over);
}

#[tokio::test(start_paused = true)]
async fn without_a_pod_name_a_new_signal_takes_four_and_a_duplicate_three() {
    let world = World::new().await;
    let gateway = world.gateway_ahead(None, 0);
    gateway.process(&signal()).await.unwrap();
    assert_eq!(world.asked(), CREATED);
    gateway.process(&signal()).await.unwrap();
    assert_eq!(world.asked(), COUNTED);
}

#[tokio::test(start_paused = true)]
async fn a_conflict_takes_two_more() {
    let world = World::new().await;
    world.request("rr-x", counted("Executing", 3)).await;
    let late = Action::Delay(Duration::from_millis(20));
    world.inject(late, "update", "remediationrequests", 1);
    let orchestrator = async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let blocked = json!({"blockReason": "ResourceBusy"});
        world.orchestrate("rr-x", blocked).await;
    };
    let (reply, ()) = tokio::join!(world.to_gateway(), orchestrator);
    assert_eq!(told(reply), duplicate(4));
    let conflict = [
        "list remediationrequests 200",
        "get remediationrequests 200",
        "update remediationrequests/status 409",
    ];
    let asked = [&HELD[..], &conflict, &COUNTED[1..], &RELEASED].concat();
    assert_eq!(world.asked(), asked);
}

#[tokio::test(start_paused = true)]
async fn where_fingerprints_cannot_be_selected_everything_is_listed() {
    let world = World::of_an_old_cluster().await;
    world.request("rr-x", counted("Executing", 3)).await;
    assert_eq!(to_gateway(&world).await, duplicate(4));
    let refused = ["list remediationrequests 400"];
    let asked = [&HELD[..], &refused, &COUNTED, &RELEASED].concat();
    assert_eq!(world.asked(), asked);
}
