//! How long a waiting candidate needs after a release.

use std::time::{Duration, Instant};

use gwlock_engine::client::{LeaseLock, transport};
use gwlock_engine::protocol::key::LeaseName;
use gwlock_engine::protocol::release::Released;
use serde_json::json;

use crate::context::Cluster;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, API_VERSION, OutputError, format::Format, table};

/// Long enough for the waiter to have found the lease held and opened its watch.
const SETTLE: Duration = Duration::from_millis(60);

/// From the answer to the release to the answer to the waiter's acquisition, sorted.
pub(super) struct Report(Vec<Duration>);

/// Two candidates with connections of their own hand one lease to and fro.
pub(super) async fn measure(
    cluster: &Cluster,
    prefix: &str,
    rounds: u32,
) -> Result<Report, Failure> {
    let name = LeaseName::new(&format!("{prefix}handoff"))
        .map_err(|error| Failure::new(Exit::Bug, error))?;
    let mut locks = Vec::new();
    for base in ["gwlock-bench-a", "gwlock-bench-b"] {
        let client = transport::connect(cluster.config.clone())
            .map_err(|error| Failure::new(Exit::Config, error))?;
        locks.push(LeaseLock::builder(client, &cluster.namespace, name.clone(), base).build());
    }
    let failed = Failure::unclear;
    let bar = output::progress::bar(u64::from(rounds), "handing over");
    let mut times = Vec::new();
    let mut held = locks[0]
        .acquire(Duration::ZERO)
        .await
        .map_err(|error| failed(error.into()))?;
    for round in 0..rounds {
        let next = locks[usize::from(round % 2 == 0)].clone();
        let waiting = tokio::spawn(async move {
            let guard = next.acquire(Duration::from_secs(30)).await;
            (guard, Instant::now())
        });
        tokio::time::sleep(SETTLE).await;
        let released = held.release().await;
        let answered = Instant::now();
        if released != Released::Deleted {
            return Err(failed(anyhow::anyhow!("not released: {released:?}")));
        }
        let (guard, acquired) = waiting.await.map_err(|error| failed(error.into()))?;
        held = guard.map_err(|error| failed(error.into()))?;
        times.push(acquired.saturating_duration_since(answered));
        bar.inc(1);
    }
    bar.finish_and_clear();
    let _ = held.release().await;
    times.sort();
    Ok(Report(times))
}

impl Report {
    fn percentile(&self, percent: usize) -> f64 {
        let last = self.0.len().saturating_sub(1);
        let time = self
            .0
            .get(last * percent / 100)
            .copied()
            .unwrap_or_default();
        (time.as_secs_f64() * 1e6).round() / 1e3
    }

    pub(super) fn print(&self, format: &Format) -> Result<String, OutputError> {
        let [p50, p95, max] = [50, 95, 100].map(|percent| self.percentile(percent));
        if format.is_structured() {
            return format.print(&json!({
                "apiVersion": API_VERSION, "kind": "LeaseHandoffReport", "rounds": self.0.len(), "p50Ms": p50,
                "p95Ms": p95, "maxMs": max,
            }));
        }
        let row = vec![
            self.0.len().to_string(),
            format!("{p50:.1}ms"),
            format!("{p95:.1}ms"),
            format!("{max:.1}ms"),
        ];
        Ok(table::render(&["HAND-OVERS", "P50", "P95", "MAX"], &[row]))
    }
}
