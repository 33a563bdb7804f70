//! How soon `gwlock inspect --watch` shows what changes, on a real control plane: `cargo bench --bench watch_cluster`.
//!
//! A writer changes leases at a steady rate, and the rows of a gwlock process are read beside it, all on one machine. The
//! lag of a change is from when its write was sent to the first row that shows it or a later change of the same lease, so
//! the write itself is part of it; how long that took stands beside it.

#[path = "watch_cluster/watcher.rs"]
mod watcher;
#[path = "watch_cluster/writer.rs"]
mod writer;

use std::time::Duration;

use gwlock_testkit::control_plane;

use watcher::Watcher;
use writer::Writer;

/// How long each rate is kept up.
const LASTS: Duration = Duration::from_secs(20);

/// How long the last rows may take before they count as missing.
const PATIENCE: Duration = Duration::from_secs(10);

/// Changes per second, and the leases that they are spread over.
const LOADS: [(u32, usize); 4] = [(50, 200), (500, 200), (500, 2000), (1000, 200)];

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_macros, reason = "this is what it is run for")]
async fn main() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    println!(
        "| Changes/s | Leases | Reached | Rows/s | Lag p50 | p99 | most | Write p50 | p99 | CPU | Memory | Leases not shown as they are |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    for (rate, leases) in LOADS {
        let writer = Writer::new(control_plane, leases).await;
        let mut watcher = Watcher::start(control_plane, writer.namespace());
        watcher.wait_for(leases);
        let (cpu_before, _) = watcher.usage();
        let (writes, took) = writer.write(rate, LASTS).await;
        let missing = watcher.wait_until_shown(&writer.holders().await, PATIENCE);
        let (cpu, memory) = watcher.usage();
        let rows = watcher.end();
        let count = |rows: usize| rows as f64 / took.as_secs_f64();
        let lag = sorted(watcher::lags(&writes, &rows));
        let write = sorted(
            writes
                .iter()
                .map(|write| write.answered - write.sent)
                .collect(),
        );
        println!(
            "| {rate} | {leases} | {:.0} | {:.0} | {} | {} | {} | {} | {} | {:.0} % | {} MB | {missing} |",
            count(writes.len()),
            count(rows.len() - leases),
            ms(quantile(&lag, 50)),
            ms(quantile(&lag, 99)),
            ms(quantile(&lag, 100)),
            ms(quantile(&write, 50)),
            ms(quantile(&write, 99)),
            (cpu - cpu_before).as_secs_f64() / took.as_secs_f64() * 100.0,
            memory / 1_000_000,
        );
    }
}

fn sorted(mut times: Vec<Duration>) -> Vec<Duration> {
    times.sort();
    times
}

fn quantile(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() - 1) * percent / 100]
}

fn ms(time: Duration) -> String {
    format!("{:.0} ms", time.as_secs_f64() * 1000.0)
}
