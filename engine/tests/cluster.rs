//! The lock on a real control plane: what only a real server and real processes can show.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use gwlock_engine::client::{AcquireError, LeaseLock, list, transport};
use gwlock_engine::protocol::key::LeaseName;
use gwlock_engine::protocol::release::Released;
use gwlock_engine::protocol::timing::Timing;
use gwlock_testkit::{ControlPlane, User, control_plane, private_control_plane};
use rustix::process::{Pid, Signal, kill_process};

const LEASE_SECONDS: u64 = 3;
const MARGIN: Duration = Duration::from_secs(2);

/// A process that holds a lease and works; killed when dropped.
struct Holder {
    process: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    _kubeconfig: tempfile::NamedTempFile,
}

impl Holder {
    fn start(control_plane: &ControlPlane, namespace: &str, lease: &str) -> Self {
        let kubeconfig = control_plane.kubeconfig(User::Admin, namespace).unwrap();
        let mut process = Command::new(example("hold"))
            .args([namespace, lease, "holder", &LEASE_SECONDS.to_string()])
            .env("KUBECONFIG", kubeconfig.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self {
            process,
            lines,
            _kubeconfig: kubeconfig,
        }
    }

    fn line(&mut self) -> String {
        self.lines
            .next()
            .expect("the holder says something")
            .unwrap()
    }

    fn until_it_works(&mut self) {
        assert!(self.line().starts_with("held "));
        assert_eq!(self.line(), "work");
    }

    fn send(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.process.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// `cargo test` builds examples beside the tests, unless it was asked for one test alone.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples")
        .join(name);
    if !path.exists() {
        let built = Command::new(env!("CARGO"))
            .args(["build", "-p", "gwlock-engine", "--example", name])
            .status();
        assert!(built.unwrap().success());
    }
    path
}

fn lock(control_plane: &ControlPlane, namespace: &str, lease: &str) -> LeaseLock {
    let client = transport::connect(control_plane.config(User::Admin, namespace)).unwrap();
    let timing = Timing::with_duration(Duration::from_secs(LEASE_SECONDS)).unwrap();
    LeaseLock::builder(
        client,
        namespace,
        LeaseName::new(lease).unwrap(),
        "candidate",
    )
    .timing(timing)
    .build()
}

#[tokio::test]
async fn acquire_and_release_take_two_requests() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let namespace = control_plane.namespace().await;
    let lock = lock(control_plane, &namespace, "a");
    let guard = lock.acquire(Duration::ZERO).await.unwrap();
    assert_eq!(guard.release().await, Released::Deleted);
    assert_eq!(lock.api().requests(), 2);
}

#[tokio::test]
async fn a_list_is_the_same_as_reading_every_lease() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let namespace = control_plane.namespace().await;
    let mut guards = Vec::new();
    for name in ["a", "b", "c"] {
        guards.push(
            lock(control_plane, &namespace, name)
                .acquire(Duration::ZERO)
                .await
                .unwrap(),
        );
    }
    let client = transport::connect(control_plane.config(User::Admin, &namespace)).unwrap();
    let listing = list::list(
        &client,
        Some(&namespace),
        None,
        Duration::from_secs(10),
        |name| name != "b",
    )
    .await
    .unwrap();
    let listed: Vec<_> = listing
        .items
        .iter()
        .map(|item| (item.name.as_str(), &item.record))
        .collect();
    assert_eq!(
        listed,
        [("a", guards[0].acquired()), ("c", guards[2].acquired())]
    );
    assert!(listing.date.is_some());
}

#[tokio::test]
async fn the_lease_of_a_killed_process_is_taken_over_in_time() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let namespace = control_plane.namespace().await;
    let mut holder = Holder::start(control_plane, &namespace, "a");
    holder.until_it_works();
    holder.send(Signal::KILL);
    let killed = Instant::now();
    let guard = lock(control_plane, &namespace, "a")
        .acquire(Duration::from_secs(20))
        .await
        .unwrap();
    let waited = killed.elapsed();
    assert!(
        waited <= Duration::from_secs(LEASE_SECONDS) + MARGIN + Duration::from_secs(2),
        "{waited:?}"
    );
    assert_eq!(guard.release().await, Released::Deleted);
}

#[tokio::test]
async fn a_stopped_holder_notices_its_loss_before_it_does_anything_more() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let namespace = control_plane.namespace().await;
    let mut holder = Holder::start(control_plane, &namespace, "a");
    holder.until_it_works();
    holder.send(Signal::STOP);
    let guard = lock(control_plane, &namespace, "a")
        .acquire(Duration::from_secs(20))
        .await
        .unwrap();
    holder.send(Signal::CONT);
    // What it had printed before it was stopped is still in the pipe.
    let last = std::iter::from_fn(|| Some(holder.line()))
        .find(|line| line != "work")
        .unwrap();
    assert!(last.starts_with("lost no renewal succeeded"), "{last}");
    assert_eq!(guard.release().await, Released::Deleted);
}

#[tokio::test]
async fn a_holder_keeps_its_lease_and_releases_it_at_the_end() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let namespace = control_plane.namespace().await;
    let mut holder = Holder::start(control_plane, &namespace, "a");
    holder.until_it_works();
    let busy = lock(control_plane, &namespace, "a")
        .acquire(Duration::from_secs(2 * LEASE_SECONDS))
        .await
        .err()
        .unwrap();
    assert!(matches!(busy, AcquireError::Busy { .. }), "{busy:?}");
    drop(holder.process.stdin.take());
    let last = std::iter::from_fn(|| Some(holder.line()))
        .find(|line| line != "work")
        .unwrap();
    assert_eq!(last, "released Deleted");
}

#[tokio::test]
async fn a_paused_etcd_delays_an_acquisition_and_makes_none_wrong() {
    let Some(control_plane) = private_control_plane() else {
        return;
    };
    let namespace = control_plane.namespace().await;
    let lock = lock(&control_plane, &namespace, "a");
    control_plane.etcd().pause();
    let acquiring = tokio::spawn({
        let lock = lock.clone();
        async move { lock.acquire(Duration::from_secs(20)).await }
    });
    // Three requests time out after a second each while nothing can be stored.
    while lock.api().requests() < 3 {
        tokio::task::yield_now().await;
    }
    control_plane.etcd().resume();
    let guard = acquiring.await.unwrap().unwrap();
    assert!(guard.is_held());
    assert_eq!(guard.release().await, Released::Deleted);
}
