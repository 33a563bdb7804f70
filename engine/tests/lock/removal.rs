//! Removing a lease by force, raced against its holder's renewal and against another candidate's takeover.

use std::collections::BTreeMap;
use std::time::Duration;

use gwlock_apiserver::faults::{Action, Fault};
use gwlock_engine::client::LeaseGuard;
use gwlock_engine::protocol::removal::Removed;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::api::PostParams;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::{Instant, sleep, sleep_until};

use crate::support::World;

/// Around the moment at which the lease of the crashed gateway expires: 30 s and 2 s of margin, in whole seconds.
const EXPIRY: std::ops::Range<u64> = 32_500..34_000;

/// How one round ended, for the operator.
fn told(removed: Option<&Removed>) -> &'static str {
    match removed {
        None => "not stale",
        Some(Removed::Deleted) => "deleted",
        Some(Removed::Changed(_)) => "changed",
        Some(Removed::AlreadyGone) => "gone",
        Some(other) => panic!("{other:?}"),
    }
}

fn version(lease: &Lease) -> Option<&str> {
    lease.metadata.resource_version.as_deref()
}

/// A holder that comes back from a long pause and renews, an operator, and in every second round a candidate.
async fn round(seed: u64) -> &'static str {
    let world = World::new();
    world.lease_of_a_crashed_gateway("a").await;
    let began = Instant::now();
    let mut random = StdRng::seed_from_u64(seed);
    let mut soon = |range: std::ops::Range<u64>| Duration::from_millis(random.random_range(range));
    for verb in ["delete", "update", "create"] {
        let late = Action::Delay(soon(0..40));
        world
            .server
            .faults()
            .inject(Fault::new(late).verb(verb).name("a"));
    }
    let (looks_at, thinks, renews_at) = (soon(EXPIRY), soon(0..200), soon(EXPIRY));

    let leases = world.leases();
    let mut lease = leases.get("a").await.unwrap();
    let renewal = async {
        sleep_until(began + renews_at).await;
        lease.spec.as_mut().unwrap().renew_time = Some(MicroTime(Timestamp::UNIX_EPOCH));
        leases.replace("a", &PostParams::default(), &lease).await
    };
    let remover = world.pod("operator").remover("a");
    let removal = async {
        sleep_until(began + looks_at).await;
        let seen = remover.look().await.unwrap()?;
        if !seen.is_proven_stale() {
            return None;
        }
        sleep(thinks).await;
        Some(remover.remove(&seen).await)
    };
    let candidate = async {
        if seed.is_multiple_of(2) {
            return None;
        }
        let lock = world.pod("gateway-2").lock("a");
        lock.acquire(Duration::from_secs(40)).await.ok()
    };
    let (renewed, removed, guard) = tokio::join!(renewal, removal, candidate);
    check(&world, seed, renewed.ok(), guard).await;
    told(removed.as_ref())
}

/// Whoever was told that the lease is its own has it, in the version that it was told of.
async fn check(world: &World, seed: u64, renewed: Option<Lease>, guard: Option<LeaseGuard>) {
    let there = world.leases().get_opt("a").await.unwrap();
    if let Some(renewed) = &renewed {
        assert!(guard.is_none(), "round {seed}: two holders");
        assert_eq!(
            there.as_ref().and_then(version),
            version(renewed),
            "round {seed}: the renewed lease is gone"
        );
    }
    if let Some(guard) = guard {
        assert!(guard.is_held(), "round {seed}");
        assert_eq!(
            world.holder("a").await,
            Some(guard.identity().to_string()),
            "round {seed}: the successor's lease is gone"
        );
    }
}

async fn rounds(seeds: std::ops::Range<u64>) -> BTreeMap<&'static str, u32> {
    let mut ends = BTreeMap::new();
    for seed in seeds {
        *ends.entry(round(seed).await).or_default() += 1;
    }
    ends
}

#[tokio::test(start_paused = true)]
async fn neither_a_live_lease_nor_a_successors_is_ever_removed() {
    let ends = rounds(0..200).await;
    // Each race was won by each side.
    let words: Vec<&str> = ends.keys().copied().collect();
    assert_eq!(words, ["changed", "deleted", "not stale"], "{ends:?}");
}

#[tokio::test(start_paused = true)]
#[ignore = "soak"]
async fn neither_a_live_lease_nor_a_successors_is_ever_removed_in_very_many_races() {
    rounds(1_000..2_000).await;
}

#[tokio::test(start_paused = true)]
async fn what_a_lease_is_judged_by_is_no_clock_but_the_servers() {
    for (here, holder) in [
        (0, 0),
        (600, 3600),
        (600, -3600),
        (-600, 3600),
        (-600, -3600),
    ] {
        let world = World::new();
        world.lease_of_a_crashed_gateway("a").await;
        let leases = world.leases();
        let mut lease = leases.get("a").await.unwrap();
        let written = World::start() + SignedDuration::from_secs(holder);
        lease.spec.as_mut().unwrap().renew_time = Some(MicroTime(written));
        leases
            .replace("a", &PostParams::default(), &lease)
            .await
            .unwrap();
        let remover = world.pod_with_clock("operator", here).remover("a");
        let mut judged = Vec::new();
        for seconds in [0, 32, 1] {
            sleep(Duration::from_secs(seconds)).await;
            judged.push(remover.look().await.unwrap().unwrap().is_proven_stale());
        }
        assert_eq!(judged, [false, false, true], "{here} {holder}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_live_lease_can_be_removed_by_whoever_insists() {
    let world = World::new();
    let lock = world.pod("gateway-1").lock("a");
    let guard = lock.acquire(Duration::ZERO).await.unwrap();
    let remover = world.pod("operator").remover("a");
    let seen = remover.look().await.unwrap().unwrap();
    assert!(!seen.is_proven_stale());
    assert_eq!(remover.remove(&seen).await, Removed::Deleted);
    guard.lost().await;
    assert_eq!(world.holder("a").await, None);
}
