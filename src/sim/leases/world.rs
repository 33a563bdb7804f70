//! The server, the pods and what lies between them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use gwlock_apiserver::{ApiServer, TokioClock as ServerClock, Uids};
use gwlock_engine::client::{LeaseLock, TokioClock};
use gwlock_engine::protocol::key::{Fingerprint, LeaseName};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::{ListParams, ObjectMeta, PostParams};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tower::Service;

use super::Settings;
use super::history::{History, Term};
use crate::sim::protocol::Speaks;
use crate::sim::protocols::gateway::GatewayLock;

const NAMESPACE: &str = "kubernaut-system";
/// A request is on its way for between these times, there and back together.
const LATENCY: std::ops::Range<f64> = 0.0005..0.003;

struct Handler {
    pod: String,
    number: u32,
    settings: Settings,
    start: Instant,
    rng: StdRng,
    keys: Vec<LeaseName>,
    player: Player,
    history: Arc<Mutex<History>>,
}

enum Player {
    Engine(kube::Client, TokioClock),
    Gateway(GatewayLock),
}

/// Plays a whole simulation. Has to run under a paused clock.
pub(super) async fn play(settings: Settings) -> anyhow::Result<History> {
    let start = Instant::now();
    let wall: Timestamp = "2026-01-01T00:00:00Z".parse()?;
    let counts: Arc<Mutex<BTreeMap<String, u64>>> = Arc::default();
    let counted = counts.clone();
    let server = ApiServer::builder()
        .clock(Arc::new(ServerClock::starting_at(wall)))
        .uids(Uids::seeded(settings.seed))
        .observer(move |exchange| {
            if exchange.resource == "leases" {
                *lock(&counted).entry(exchange.verb.to_owned()).or_default() += 1;
            }
        })
        .build();
    create_namespace(&server).await?;
    let history: Arc<Mutex<History>> = Arc::default();
    let mut rng = StdRng::seed_from_u64(settings.seed);
    let keys: Vec<LeaseName> = (0..settings.keys)
        .map(|key| Fingerprint::of(&format!("prod:Deployment:app-{key}")).lease_name())
        .collect();
    let mut handlers = JoinSet::new();
    for pod in 0..settings.pods {
        let skew = settings.clock_skew.as_secs_f64() * rng.random_range(-1.0..=1.0);
        let clock =
            TokioClock::starting_at(wall).with_wall_offset(SignedDuration::from_secs_f64(skew));
        let client = client(&server, rng.next_u64());
        let name = format!("pod-{pod}");
        for number in 0..settings.handlers {
            let api = || Api::namespaced(client.clone(), NAMESPACE);
            let gateway = || GatewayLock::new(api(), &name, Arc::new(clock));
            let player = match settings.protocol.of_pod(pod) {
                Speaks::Gateway => Player::Gateway(gateway()),
                Speaks::GatewayJanuary => Player::Gateway(gateway().of_january()),
                _ => Player::Engine(client.clone(), clock),
            };
            let handler = Handler {
                pod: name.clone(),
                number,
                settings: settings.clone(),
                start,
                rng: StdRng::seed_from_u64(rng.next_u64()),
                keys: keys.clone(),
                player,
                history: history.clone(),
            };
            handlers.spawn(handler.play());
        }
    }
    while let Some(ended) = handlers.join_next().await {
        ended.context("a handler of the simulation panicked")?;
    }
    let simulated = start.elapsed();
    let left: Api<Lease> = Api::namespaced(kube::Client::new(server, NAMESPACE), NAMESPACE);
    let left = left.list(&ListParams::default()).await?.items;
    let mut history = std::mem::take(&mut *lock(&history));
    history.leases_left = left
        .into_iter()
        .filter_map(|lease| lease.metadata.name)
        .collect();
    history.requests = std::mem::take(&mut *lock(&counts));
    history.requests.remove("list");
    history.simulated = simulated;
    history
        .terms
        .sort_by(|a, b| (a.from, &a.pod, a.handler).cmp(&(b.from, &b.pod, b.handler)));
    Ok(history)
}

impl Handler {
    async fn play(mut self) {
        for _ in 0..self.settings.rounds {
            let pause = self.settings.hold.mul_f64(self.rng.random::<f64>());
            tokio::time::sleep(pause).await;
            let key = self.keys[self.rng.random_range(0..self.keys.len())].clone();
            let asked = self.start.elapsed();
            match self.round(&key, asked).await {
                Ok(term) => lock(&self.history).terms.push(term),
                Err(why) => lock(&self.history)
                    .failures
                    .push(format!("{}/{}: {why}", self.pod, self.number)),
            }
        }
    }

    async fn round(&mut self, key: &LeaseName, asked: Duration) -> Result<Term, String> {
        let hold = self.settings.hold.mul_f64(self.rng.random::<f64>());
        let (from, to, token) = match &self.player {
            Player::Engine(client, clock) => {
                let seed = self.rng.next_u64();
                let lease_lock =
                    LeaseLock::builder(client.clone(), NAMESPACE, key.clone(), &*self.pod)
                        .clock(Arc::new(*clock))
                        .rng(StdRng::seed_from_u64(seed))
                        .build();
                let guard = lease_lock
                    .acquire(self.settings.wait)
                    .await
                    .map_err(|error| error.to_string())?;
                let from = self.start.elapsed();
                guard
                    .run(tokio::time::sleep(hold))
                    .await
                    .map_err(|loss| loss.to_string())?;
                let (to, token) = (self.start.elapsed(), guard.fencing_token().to_string());
                let _ = guard.release().await;
                (from, to, Some(token))
            }
            Player::Gateway(gateway) => {
                gateway
                    .acquire(key.as_str(), &mut self.rng)
                    .await
                    .map_err(|error| error.to_string())?;
                let from = self.start.elapsed();
                tokio::time::sleep(hold).await;
                let to = self.start.elapsed();
                gateway
                    .release(key.as_str())
                    .await
                    .map_err(|error| error.to_string())?;
                (from, to, None)
            }
        };
        Ok(Term {
            pod: self.pod.clone(),
            handler: self.number,
            key: key.to_string(),
            asked,
            from,
            to,
            released: self.start.elapsed(),
            token,
        })
    }
}

async fn create_namespace(server: &ApiServer) -> anyhow::Result<()> {
    let namespaces: Api<Namespace> = Api::all(kube::Client::new(server.clone(), NAMESPACE));
    let metadata = ObjectMeta {
        name: Some(NAMESPACE.to_owned()),
        ..ObjectMeta::default()
    };
    namespaces
        .create(
            &PostParams::default(),
            &Namespace {
                metadata,
                ..Namespace::default()
            },
        )
        .await?;
    Ok(())
}

/// The real client on a network that takes its time.
fn client(server: &ApiServer, seed: u64) -> kube::Client {
    let server = server.clone();
    let rng = Arc::new(Mutex::new(StdRng::seed_from_u64(seed)));
    let service = tower::service_fn(move |request: http::Request<kube::client::Body>| {
        let mut server = server.clone();
        let (there, back) = {
            let mut rng = lock(&rng);
            let latency = rng.random_range(LATENCY);
            let share: f64 = rng.random();
            (latency * share, latency * (1.0 - share))
        };
        async move {
            tokio::time::sleep(Duration::from_secs_f64(there)).await;
            let answer = server.call(request).await;
            tokio::time::sleep(Duration::from_secs_f64(back)).await;
            answer
        }
    });
    kube::Client::new(service, NAMESPACE)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
