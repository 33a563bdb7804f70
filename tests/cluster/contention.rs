//! Both protocols contend for one lease, and some holders crash.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gwlock::sim::protocols::gateway::GatewayLock;
use gwlock_engine::client::{AcquireError, LeaseLock, SystemClock, transport};
use gwlock_engine::protocol::key::LeaseName;
use gwlock_engine::protocol::release::Released;
use gwlock_engine::protocol::timing::Timing;
use gwlock_testkit::{ControlPlane, User, control_plane};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::ListParams;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::task::JoinSet;

const LEASE: &str = "gw-lock-0123456789abcdef";
const ENGINES: u32 = 3;
const GATEWAYS: u32 = 2;

/// The holds of all players, in true time.
#[derive(Default)]
struct Log {
    terms: Mutex<Vec<(Instant, Instant, String)>>,
    crashes: AtomicU32,
}

/// What one player does, and how often.
struct Player {
    namespace: String,
    name: String,
    rounds: u32,
    crash_every: Option<u32>,
    log: Arc<Log>,
    rng: StdRng,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_rounds_of_both_protocols_never_have_two_holders() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    contend(control_plane, 200, 20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "soak"]
async fn thousands_of_rounds_of_both_protocols_never_have_two_holders() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    contend(control_plane, 4000, 100).await;
}

/// Every `crash_every`th round of gwlock's players ends in a crash: the lease stays and nobody renews it.
async fn contend(control_plane: &ControlPlane, rounds: u32, crash_every: u32) {
    let namespace = control_plane.namespace().await;
    let log = Arc::new(Log::default());
    let mut players = JoinSet::new();
    for number in 0..ENGINES + GATEWAYS {
        let is_engine = number < ENGINES;
        let player = Player {
            namespace: namespace.clone(),
            name: format!("{}-{number}", if is_engine { "gwlock" } else { "gateway" }),
            rounds: rounds / (ENGINES + GATEWAYS),
            crash_every: is_engine.then_some(crash_every),
            log: log.clone(),
            rng: StdRng::seed_from_u64(u64::from(number)),
        };
        let client = transport::connect(control_plane.config(User::Admin, &namespace)).unwrap();
        if is_engine {
            players.spawn(player.play_gwlock(client));
        } else {
            players.spawn(player.play_gateway(client));
        }
    }
    while let Some(ended) = players.join_next().await {
        ended.unwrap();
    }
    never_two_holders(&log, rounds);
    let client = transport::connect(control_plane.config(User::Admin, &namespace)).unwrap();
    blocks_nobody(client, &namespace).await;
}

fn never_two_holders(log: &Log, rounds: u32) {
    let mut terms = log.terms.lock().unwrap().clone();
    terms.sort();
    assert_eq!(u32::try_from(terms.len()).unwrap(), rounds);
    assert!(log.crashes.load(Ordering::Relaxed) > 0);
    for pair in terms.windows(2) {
        let overlap = pair[0].1.saturating_duration_since(pair[1].0);
        assert_eq!(
            overlap,
            Duration::ZERO,
            "{} and {} held at once",
            pair[0].2,
            pair[1].2
        );
    }
}

/// What a crash left behind is free again for a gateway once it has expired.
async fn blocks_nobody(client: kube::Client, namespace: &str) {
    let leases: Api<Lease> = Api::namespaced(client, namespace);
    let gateway = GatewayLock::new(leases.clone(), "gateway-last", Arc::new(SystemClock));
    gateway
        .acquire(LEASE, &mut StdRng::seed_from_u64(9))
        .await
        .unwrap();
    gateway.release(LEASE).await.unwrap();
    assert_eq!(
        leases
            .list(&ListParams::default())
            .await
            .unwrap()
            .items
            .len(),
        0
    );
}

impl Player {
    async fn play_gwlock(mut self, client: kube::Client) {
        let timing = Timing::with_duration(Duration::from_secs(1)).unwrap();
        let lock = LeaseLock::builder(
            client,
            &self.namespace,
            LeaseName::new(LEASE).unwrap(),
            &*self.name,
        )
        .timing(timing)
        .request_timeout(Duration::from_secs(5))
        .build();
        let mut round = 0;
        while round < self.rounds {
            match lock.acquire(Duration::from_secs(60)).await {
                Ok(guard) => {
                    let from = Instant::now();
                    self.work().await;
                    // A hold that was lost ended when it was lost, wherever the work was.
                    if !guard.is_held() {
                        continue;
                    }
                    self.record(from);
                    round += 1;
                    if self
                        .crash_every
                        .is_some_and(|every| round % every == every / 2)
                    {
                        self.log.crashes.fetch_add(1, Ordering::Relaxed);
                        guard.leave().await;
                    } else {
                        assert!(
                            matches!(guard.release().await, Released::Deleted),
                            "{}",
                            self.name
                        );
                    }
                }
                Err(AcquireError::Busy { .. }) => {}
                Err(error) => panic!("{}: {error}", self.name),
            }
        }
    }

    async fn play_gateway(mut self, client: kube::Client) {
        let leases: Api<Lease> = Api::namespaced(client, &self.namespace);
        let gateway = GatewayLock::new(leases, &self.name, Arc::new(SystemClock));
        let mut round = 0;
        while round < self.rounds {
            // Ten attempts may all find it held; the next signal tries again.
            if gateway.acquire(LEASE, &mut self.rng).await.is_ok() {
                round += 1;
                let from = Instant::now();
                self.work().await;
                self.record(from);
                gateway.release(LEASE).await.unwrap();
            }
        }
    }

    async fn work(&mut self) {
        tokio::time::sleep(Duration::from_millis(self.rng.random_range(0..10))).await;
    }

    fn record(&self, from: Instant) {
        self.log
            .terms
            .lock()
            .unwrap()
            .push((from, Instant::now(), self.name.clone()));
    }
}
