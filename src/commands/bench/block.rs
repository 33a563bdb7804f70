//! A block of rounds: acquire and release on distinct names, by so many clients at once.

use std::future::Future;
#[cfg(feature = "sim")]
use std::sync::Arc;
use std::time::{Duration, Instant};

use gwlock_engine::client::LeaseLock;
#[cfg(feature = "sim")]
use gwlock_engine::client::SystemClock;
use gwlock_engine::protocol::key::LeaseName;
use gwlock_engine::protocol::release::Released;
#[cfg(feature = "sim")]
use kube::Api;
#[cfg(feature = "sim")]
use rand::{SeedableRng, rngs::StdRng};
use rustix::time::{ClockId, clock_gettime};
use tokio::task::JoinSet;

use crate::context::Cluster;
use crate::exit::Exit;
use crate::failure::Failure;
#[cfg(feature = "sim")]
use crate::sim::protocols::gateway::GatewayLock;

/// Which leases a block uses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) prefix: &'a str,
    pub(super) repeat: u32,
    pub(super) clients: u32,
    pub(super) total: u32,
}

/// What a block measured.
#[derive(Debug, Clone, Default)]
pub(super) struct Block {
    pub(super) elapsed: Duration,
    pub(super) cpu: Duration,
    pub(super) requests: u64,
    pub(super) rounds: Vec<Duration>,
}

impl Block {
    pub(super) fn rounds_per_second(&self) -> f64 {
        count(self.rounds.len()) / self.elapsed.as_secs_f64()
    }

    pub(super) fn cpu_ms_per_round(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e3 / count(self.rounds.len())
    }

    pub(super) fn requests_per_round(&self) -> f64 {
        count(usize::try_from(self.requests).unwrap_or(usize::MAX)) / count(self.rounds.len())
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "numbers of rounds are far below 2^52"
)]
fn count(number: usize) -> f64 {
    number as f64
}

/// Runs `rounds` of a client function on every client, and times each round and the whole.
pub(super) async fn time<F, R>(names: Names<'_>, client: impl Fn() -> F) -> Result<Block, Failure>
where
    F: FnMut(String) -> R + Send + 'static,
    R: Future<Output = anyhow::Result<u64>> + Send,
{
    let per_client = names.total.div_ceil(names.clients);
    let (start, cpu) = (Instant::now(), process_cpu());
    let mut clients = JoinSet::new();
    for number in 0..names.clients {
        let mut round = client();
        let prefix = format!("{}{}-{number}-", names.prefix, names.repeat);
        clients.spawn(async move {
            let mut rounds = Vec::new();
            let mut requests = 0;
            for index in 0..per_client {
                let begin = Instant::now();
                requests += round(format!("{prefix}{index}")).await?;
                rounds.push(begin.elapsed());
            }
            Ok::<_, anyhow::Error>((rounds, requests))
        });
    }
    let mut block = Block::default();
    while let Some(ended) = clients.join_next().await {
        let ended = ended.map_err(|error| Failure::new(Exit::Bug, error))?;
        let (rounds, requests) = ended.map_err(Failure::unclear)?;
        block.rounds.extend(rounds);
        block.requests += requests;
    }
    block.elapsed = start.elapsed();
    block.cpu = process_cpu().saturating_sub(cpu);
    Ok(block)
}

/// gwlock's own rounds.
pub(super) async fn ours(cluster: &Cluster, names: Names<'_>) -> Result<Block, Failure> {
    time(names, || {
        let cluster = cluster.clone();
        move |name: String| {
            let cluster = cluster.clone();
            async move {
                let name = LeaseName::new(&name)?;
                let lock = LeaseLock::builder(
                    cluster.client.clone(),
                    &cluster.namespace,
                    name,
                    "gwlock-bench",
                )
                .build();
                let guard = lock.acquire(Duration::ZERO).await?;
                match guard.release().await {
                    Released::Deleted => Ok(lock.api().requests()),
                    other => anyhow::bail!("not released: {other:?}"),
                }
            }
        }
    })
    .await
}

/// Rounds of the gateway's protocol.
#[cfg(feature = "sim")]
pub(super) async fn gateway(cluster: &Cluster, names: Names<'_>) -> Result<Block, Failure> {
    time(names, || {
        let leases = Api::namespaced(cluster.client.clone(), &cluster.namespace);
        let lock = Arc::new(GatewayLock::new(
            leases,
            "gwlock-bench",
            Arc::new(SystemClock),
        ));
        let rng = Arc::new(tokio::sync::Mutex::new(StdRng::seed_from_u64(0)));
        move |name: String| {
            let (lock, rng) = (lock.clone(), rng.clone());
            async move {
                lock.acquire(&name, &mut *rng.lock().await).await?;
                lock.release(&name).await?;
                // GET, POST, GET, DELETE.
                Ok(4)
            }
        }
    })
    .await
}

fn process_cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}
