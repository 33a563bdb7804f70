//! Replicas that are killed or frozen in the middle of their work.
//!
//! A replica that is to be caught with the lease in its hand stands behind a proxy that holds its CREATE up. Leases are
//! short where a test waits for one to expire; the soak has the real duration.

use std::path::Path;
use std::time::Duration;

use gwlock_testkit::proxy::{Fault, Proxy, Rule};
use gwlock_testkit::{User, control_plane};
use http::Method;
use rustix::process::Signal;
use serde_json::Value;
use tempfile::NamedTempFile;

use crate::serve::{Tally, World, spread, sum, until};

/// A replica whose way to the API server can be disturbed.
pub(super) struct Victim {
    pub(super) proxy: Proxy,
    kubeconfig: NamedTempFile,
}

impl Victim {
    pub(super) fn new(control_plane: &gwlock_testkit::ControlPlane, world: &World) -> Self {
        let proxy = Proxy::in_front_of(control_plane).unwrap();
        let kubeconfig = proxy.kubeconfig(User::Admin, &world.namespace).unwrap();
        Self { proxy, kubeconfig }
    }

    pub(super) fn path(&self) -> &Path {
        self.kubeconfig.path()
    }

    /// From now on this happens to every CREATE of a request.
    fn at_create(&self, fault: Fault) {
        let creates = Rule::new(fault).method(Method::POST);
        self.proxy
            .inject(creates.path_contains("/remediationrequests"));
    }

    /// From now on this happens to every count.
    fn at_count(&self, fault: Fault) {
        let counts = Rule::new(fault).method(Method::PATCH);
        self.proxy
            .inject(counts.path_contains("/remediationrequests"));
    }

    /// Waits until it has sent such a request.
    async fn until(&self, request: &str) {
        until(request, async || self.proxy.counts().contains_key(request)).await;
    }
}

/// How long leases last, and how long signals may wait for one.
fn timing(lease: &str) -> [&str; 6] {
    [
        "--auth",
        "none",
        "--lease-duration",
        lease,
        "--signal-timeout",
        "80s",
    ]
}

fn bounded(count: usize, tally: &Tally) {
    let answered = tally.answered();
    let possible = answered..=answered + tally.unanswered();
    assert!(possible.contains(&count), "{count} with {tally:?}");
}

/// A replica is killed in the middle of a storm, when the server has counted its signals and it has answered none: what
/// was answered is counted, and what was not may be. What is sent again is counted again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_is_killed_loses_nothing_that_was_answered() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let victim = Victim::new(control_plane, &world);
    let replica = world.start("victim", victim.path(), &timing("30s"));
    let others = ["b", "c"].map(|name| world.replica(name));
    assert_eq!(world.storm(&others, 1).await.created, 1);
    victim.at_count(Fault::DelayAnswer(Duration::from_secs(600)));
    let alert = world.alert("HighCPU", "api");
    let killer = async {
        until("it has counted", async || world.counts().await != [1]).await;
        replica.send(Signal::KILL);
        world.counts().await[0] - 1
    };
    let to_victim = spread(std::slice::from_ref(&replica), vec![alert; 100]);
    let (lost, counted) = tokio::join!(to_victim, killer);
    let lost = Tally::of(&lost);
    let expected = Tally {
        lost: 100,
        ..Tally::default()
    };
    assert_eq!(lost, expected);
    bounded(counted, &lost);
    let tally = world.storm(&others, 200).await;
    assert_eq!(tally.duplicate, 200, "{tally:?}");
    assert_eq!(world.counts().await, [1 + counted + 200]);
    // What was not answered is sent again, to those that are left.
    let again = world.storm(&others, lost.lost).await;
    assert_eq!(again.duplicate, 100, "{again:?}");
    assert_eq!(world.counts().await, [1 + counted + 300]);
}

/// The holder of the lease is killed before its request is created: another replica takes over when the lease has
/// expired, and creates exactly one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_that_is_killed_is_taken_over_from_and_one_request_is_created() {
    killed_holder("4s").await;
}

pub(super) async fn killed_holder(lease: &str) {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let victim = Victim::new(control_plane, &world);
    let replica = world.start("victim", victim.path(), &timing(lease));
    let others = ["b", "c"].map(|name| world.start(name, world.kubeconfig.path(), &timing(lease)));
    victim.at_create(Fault::DelayRequest(Duration::from_secs(600)));
    let alert = world.alert("HighCPU", "api");
    let killer = async {
        victim.until("create remediationrequests").await;
        replica.send(Signal::KILL);
    };
    let to_victim = spread(std::slice::from_ref(&replica), vec![alert.clone(); 3]);
    let (lost, ()) = tokio::join!(to_victim, killer);
    let expected = Tally {
        lost: 3,
        ..Tally::default()
    };
    assert_eq!(Tally::of(&lost), expected);
    assert_eq!(world.requests().await, [] as [Value; 0]);
    // It has died with the lease in its hand.
    let name = world.fingerprint("Pod", "api").lease_name().to_string();
    let leases = world.lease_list().await;
    let told: Vec<_> = leases
        .iter()
        .map(|lease| {
            let seconds = lease["spec"]["leaseDurationSeconds"].as_u64().unwrap();
            (
                lease["metadata"]["name"].as_str().unwrap(),
                format!("{seconds}s"),
            )
        })
        .collect();
    assert_eq!(told, [(name.as_str(), lease.to_owned())]);

    let tally = Tally::of(&spread(&others, vec![alert; 10]).await);
    let expected = Tally {
        created: 1,
        duplicate: 9,
        ..Tally::default()
    };
    assert_eq!(tally, expected);
    assert_eq!(world.counts().await, [10]);
    assert_eq!(sum(&others, "gateway_lock_takeovers_total").await, 1);
    world.until_no_lease_is_left().await;
}

/// The creator is killed after its request was created and before it was counted: nothing had been answered, so the
/// next signal is the first to be counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_creator_that_is_killed_before_it_counts_leaves_a_request_that_others_count() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let victim = Victim::new(control_plane, &world);
    let replica = world.start("victim", victim.path(), &timing("30s"));
    let others = ["b", "c"].map(|name| world.replica(name));
    victim.at_create(Fault::DelayAnswer(Duration::from_secs(600)));
    let alert = world.alert("HighCPU", "api");
    let killer = async {
        until("the request exists", async || {
            world.requests().await.len() == 1
        })
        .await;
        replica.send(Signal::KILL);
    };
    let to_victim = spread(std::slice::from_ref(&replica), vec![alert.clone(); 2]);
    let (lost, ()) = tokio::join!(to_victim, killer);
    assert_eq!(Tally::of(&lost).lost, 2);
    assert_eq!(world.counts().await, [0]);
    let tally = Tally::of(&spread(&others, vec![alert; 10]).await);
    let expected = Tally {
        duplicate: 10,
        ..Tally::default()
    };
    assert_eq!(tally, expected);
    assert_eq!(world.counts().await, [10]);
}

/// The holder is frozen past its lease in the middle of a CREATE that arrives after it wakes: two creators, one
/// request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_that_was_frozen_past_its_lease_creates_no_second_request() {
    frozen_holder("4s").await;
}

pub(super) async fn frozen_holder(lease: &str) {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let victim = Victim::new(control_plane, &world);
    let replicas = [
        world.start("victim", victim.path(), &timing(lease)),
        world.start("b", world.kubeconfig.path(), &timing(lease)),
        world.start("c", world.kubeconfig.path(), &timing(lease)),
    ];
    victim.at_create(Fault::ForwardAfterTheClientGaveUp);
    let alert = world.alert("HighCPU", "api");
    let frozen = async {
        victim.until("create remediationrequests").await;
        replicas[0].stop().await;
        let name = world.fingerprint("Pod", "api").lease_name().to_string();
        assert_eq!(world.lease_names().await, [name]);
        let tally = Tally::of(&spread(&replicas[1..], vec![alert.clone(); 20]).await);
        // Its CREATE goes on its way when it notices how late it is.
        replicas[0].send(Signal::CONT);
        tally
    };
    let to_victim = spread(&replicas[..1], vec![alert.clone(); 10]);
    let (late, tally) = tokio::join!(to_victim, frozen);
    let expected = Tally {
        created: 1,
        duplicate: 19,
        ..Tally::default()
    };
    assert_eq!(tally, expected);
    let late = Tally::of(&late);
    assert_eq!(late.created, 0, "{late:?}");
    let [counted] = world.counts().await.try_into().unwrap();
    bounded(counted - 20, &late);
    // The one that was frozen works again.
    victim.proxy.heal();
    let again = Tally::of(&spread(&replicas, vec![alert; 9]).await);
    assert_eq!(again.duplicate, 9, "{again:?}");
    assert_eq!(world.counts().await, [counted + 9]);
    world.until_no_lease_is_left().await;
}

/// A replica is frozen in the middle of a storm, with a count under way that arrives when the others have long counted:
/// it changes nothing, the signals in it are answered 500, and the count is what was answered, exactly.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_count_that_arrives_late_after_a_freeze_is_neither_applied_nor_answered() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let victim = Victim::new(control_plane, &world);
    let replicas = [
        world.start("victim", victim.path(), &timing("4s")),
        world.start("b", world.kubeconfig.path(), &timing("4s")),
        world.start("c", world.kubeconfig.path(), &timing("4s")),
    ];
    assert_eq!(world.storm(&replicas[1..], 1).await.created, 1);
    victim.at_count(Fault::ForwardAfterTheClientGaveUp);
    let alert = world.alert("HighCPU", "api");
    let frozen = async {
        victim.until("patch remediationrequests/status").await;
        replicas[0].stop().await;
        // Those that come later find a way that is whole.
        victim.proxy.heal();
        let tally = world.storm(&replicas[1..], 100).await;
        replicas[0].send(Signal::CONT);
        tally
    };
    let to_victim = spread(&replicas[..1], vec![alert; 50]);
    let (late, tally) = tokio::join!(to_victim, frozen);
    assert_eq!(tally.duplicate, 100, "{tally:?}");
    let late = Tally::of(&late);
    assert_eq!((late.created, late.lost), (0, 0), "{late:?}");
    assert!(late.failed > 0, "{late:?}");
    assert_eq!(world.counts().await, [1 + 100 + late.duplicate]);
    // All of them are sent again.
    let again = world.storm(&replicas, late.failed).await;
    assert_eq!(again.duplicate, late.failed, "{again:?}");
    assert_eq!(world.counts().await, [1 + 100 + 50]);
}
