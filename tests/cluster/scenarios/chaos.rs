//! Storms over several fingerprints while replicas are killed, frozen and cut off at random.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gwlock_testkit::control_plane;
use gwlock_testkit::proxy::{Fault, Proxy, Rule};
use http::{Method, StatusCode};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rustix::process::Signal;
use serde_json::json;
use tokio::sync::RwLock;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::faults::Victim;
use crate::exchange::post;
use crate::serve::{ROUTE, Replica, World, count, until, webhook};

const PODS: usize = 5;
const SENDERS: usize = 12;
const ARGUMENTS: [&str; 6] = [
    "--auth",
    "none",
    "--lease-duration",
    "3s",
    "--signal-timeout",
    "15s",
];

/// What became of the signals about one pod.
#[derive(Debug, Default, Clone)]
struct Sent {
    /// Answered 201, which tells no number.
    created: usize,
    unanswered: usize,
    /// Request and number of each that was answered 202.
    told: Vec<(String, u64)>,
}

struct Storm {
    world: World,
    replicas: Vec<RwLock<Replica>>,
    sent: Mutex<BTreeMap<String, Sent>>,
    is_over: AtomicBool,
}

/// A minute of it: at any time at most one active request for each fingerprint, and for each fingerprint as many counts
/// as answers, and at most as many more as attempts without one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "soak"]
async fn a_minute_of_kills_freezes_and_lost_answers_loses_no_signal_that_was_answered() {
    disturbed(Duration::from_secs(60), 1).await;
}

/// The same for some seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn some_seconds_of_kills_and_lost_answers_lose_no_signal_that_was_answered() {
    disturbed(Duration::from_secs(8), 2).await;
}

async fn disturbed(lasts: Duration, seed: u64) {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    world.pods((0..PODS).map(|pod| format!("pod-{pod}"))).await;
    let victims: Vec<Victim> = (0..3).map(|_| Victim::new(control_plane, &world)).collect();
    let replicas = victims
        .iter()
        .zip(["a", "b", "c"])
        .map(|(victim, name)| RwLock::new(world.start(name, victim.path(), &ARGUMENTS)))
        .collect();
    let storm = Arc::new(Storm {
        world,
        replicas,
        sent: Mutex::default(),
        is_over: AtomicBool::new(false),
    });
    let mut senders = JoinSet::new();
    for number in 0..SENDERS {
        let rng = StdRng::seed_from_u64(seed * 1000 + u64::try_from(number).unwrap());
        senders.spawn(storm.clone().send(rng));
    }
    let mut orchestrator = JoinSet::new();
    orchestrator.spawn(storm.clone().orchestrate(StdRng::seed_from_u64(seed)));
    storm
        .disturb(&victims, lasts, StdRng::seed_from_u64(seed))
        .await;
    for victim in &victims {
        victim.proxy.heal();
    }
    storm.is_over.store(true, Ordering::Relaxed);
    senders.join_all().await;
    orchestrator.join_all().await;
    storm.judge().await;
}

impl Storm {
    /// Sends until it is over, each signal once, to whichever replica.
    async fn send(self: Arc<Self>, mut rng: StdRng) {
        while !self.is_over.load(Ordering::Relaxed) {
            let pod = format!("pod-{}", rng.random_range(0..PODS));
            let alert = self.world.alert("HighCPU", &pod);
            let number = rng.random_range(0..self.replicas.len());
            // Not held while it is sent: a replica that is killed in the middle of a request is replaced.
            let url = format!("{}{ROUTE}", self.replicas[number].read().await.url);
            let answer = post(&url, webhook(&[alert])).await;
            {
                let mut sent = self.sent.lock().unwrap();
                let sent = sent.entry(pod).or_default();
                match answer {
                    Some(answer) if answer.status == 201 => sent.created += 1,
                    Some(answer) if answer.status == 202 => {
                        let name = answer.body["remediationRequestName"].as_str().unwrap();
                        let number = answer.body["metadata"]["count"].as_u64().unwrap();
                        sent.told.push((name.to_owned(), number));
                    }
                    _ => sent.unanswered += 1,
                }
            }
            sleep(Duration::from_millis(rng.random_range(0..20))).await;
        }
    }

    /// Completes requests now and then, so that new ones are created; and looks that there is never a second one.
    async fn orchestrate(self: Arc<Self>, mut rng: StdRng) {
        while !self.is_over.load(Ordering::Relaxed) {
            let active = self.active().await;
            for (fingerprint, names) in &active {
                assert_eq!(names.len(), 1, "{fingerprint}: {names:?}");
            }
            if let Some(names) = active.values().nth(rng.random_range(0..PODS)) {
                let completed = json!({"overallPhase": "Completed"});
                self.world.orchestrate(&names[0], completed).await;
            }
            sleep(Duration::from_millis(rng.random_range(100..1000))).await;
        }
    }

    /// The requests that are not over, by fingerprint.
    async fn active(&self) -> BTreeMap<String, Vec<String>> {
        let mut active: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for request in self.world.requests().await {
            if request["status"]["overallPhase"] != "Completed" {
                let text = |pointer: &str| {
                    request
                        .pointer(pointer)
                        .unwrap()
                        .as_str()
                        .unwrap()
                        .to_owned()
                };
                let names = active.entry(text("/spec/signalFingerprint")).or_default();
                names.push(text("/metadata/name"));
            }
        }
        active
    }

    /// One thing after the other happens to one of the replicas.
    async fn disturb(&self, victims: &[Victim], lasts: Duration, mut rng: StdRng) {
        let end = Instant::now() + lasts;
        while Instant::now() < end {
            let number = rng.random_range(0..victims.len());
            let victim = &victims[number];
            match rng.random_range(0..4) {
                0 => {
                    let name = ["a", "b", "c"][number];
                    let path: PathBuf = victim.path().to_owned();
                    self.replicas[number].read().await.send(Signal::KILL);
                    let again = self.world.start(name, &path, &ARGUMENTS);
                    *self.replicas[number].write().await = again;
                }
                1 => {
                    let replica = self.replicas[number].read().await;
                    replica.stop().await;
                    // Sometimes past the lease of three seconds and its margin.
                    sleep(Duration::from_millis(rng.random_range(100..7000))).await;
                    replica.send(Signal::CONT);
                }
                _ => trouble(&victim.proxy, &mut rng),
            }
            sleep(Duration::from_millis(rng.random_range(0..500))).await;
        }
    }

    #[expect(
        clippy::disallowed_macros,
        reason = "shown by cargo test -- --nocapture"
    )]
    async fn judge(&self) {
        // What was still on its way when it became over has arrived when every replica answers again.
        for replica in &self.replicas {
            let replica = replica.read().await;
            until("it is ready", async || {
                replica.probe("/readyz").await == 200
            })
            .await;
        }
        let requests = self.world.requests().await;
        for (pod, sent) in self.sent.lock().unwrap().iter() {
            let fingerprint = self.world.fingerprint("Pod", pod);
            let own = requests
                .iter()
                .filter(|request| request["spec"]["signalFingerprint"] == fingerprint.as_str());
            let counted: usize = own.map(count).sum();
            let answered = sent.created + sent.told.len();
            let possible = answered..=answered + sent.unanswered;
            assert!(
                possible.contains(&counted),
                "{pod}: {counted} not in {possible:?}"
            );
            let mut told = sent.told.clone();
            told.sort();
            told.dedup();
            assert_eq!(told.len(), sent.told.len(), "two have the same number");
            assert!(answered > 0, "{pod}: {sent:?}");
        }
        for (fingerprint, names) in self.active().await {
            assert_eq!(names.len(), 1, "{fingerprint}: {names:?}");
        }
        let sent = self.sent.lock().unwrap();
        let sum = |of: fn(&Sent) -> usize| sent.values().map(of).sum::<usize>();
        println!(
            "{} answered, {} not answered, {} counted, {} requests",
            sum(|sent| sent.created + sent.told.len()),
            sum(|sent| sent.unanswered),
            requests.iter().map(count).sum::<usize>(),
            requests.len()
        );
    }
}

/// The next few requests of one kind are lost, answered and lost, refused, or late.
fn trouble(proxy: &Proxy, rng: &mut StdRng) {
    let fault = match rng.random_range(0..6) {
        0 => Fault::LoseRequest,
        1 | 2 => Fault::LoseAnswer,
        3 => Fault::DelayAnswer(Duration::from_millis(rng.random_range(100..1500))),
        4 => Fault::ForwardAfterTheClientGaveUp,
        _ => Fault::refuse(StatusCode::SERVICE_UNAVAILABLE),
    };
    let (method, path) = match rng.random_range(0..5) {
        0 => (Method::POST, "/leases"),
        1 => (Method::DELETE, "/leases"),
        2 => (Method::POST, "/remediationrequests"),
        _ => (Method::PATCH, "/remediationrequests"),
    };
    let rule = Rule::new(fault).method(method).path_contains(path);
    proxy.inject(rule.times(rng.random_range(1..4)));
}
