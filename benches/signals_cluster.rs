//! Signals per second on a real control plane, the gateway's protocol and ours in one run:
//! `cargo bench --bench signals_cluster`.
//!
//! Blocks of both alternate, and ratios are medians of neighbouring blocks, so that they hold although the machine's speed
//! drifts. Both use the same connector and the same runtime. A pod has a hundred signals under way at most, which is the
//! gateway's own limit.

#[path = "signals_cluster/blocks.rs"]
mod blocks;

use blocks::{Block, Cluster, Load, Protocol};
use gwlock_testkit::control_plane;

/// How often the blocks alternate.
const REPEATS: usize = 5;

const LOADS: [Load; 3] = [
    Load {
        name: "new signals",
        target: 1.15,
        signals: 240,
        fingerprints: 240,
        pods: 1,
        at_once: 8,
        exist: false,
    },
    Load {
        name: "duplicates",
        target: 2.5,
        signals: 480,
        fingerprints: 8,
        pods: 1,
        // Each of another fingerprint, so that none of them are counted together.
        at_once: 8,
        exist: true,
    },
    Load {
        name: "a storm of duplicates",
        target: 10.0,
        signals: 1000,
        fingerprints: 10,
        pods: 3,
        at_once: 100,
        exist: true,
    },
];

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_macros, reason = "this is what it is run for")]
async fn main() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let mut cluster = Cluster::new(control_plane).await;
    println!(
        "| Load | Signals/s | Gateway's signals/s | Ratio | Target | Requests | Gateway's | Counts lost | Gateway's |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for load in LOADS {
        // Connections are made, and caches are filled.
        cluster.run(load, Protocol::Gwlock).await;
        cluster.run(load, Protocol::Gateway).await;
        let mut pairs = Vec::new();
        for _ in 0..REPEATS {
            let ours = cluster.run(load, Protocol::Gwlock).await;
            pairs.push((ours, cluster.run(load, Protocol::Gateway).await));
        }
        println!("{}", line(load, &pairs));
    }
}

fn line(load: Load, pairs: &[(Block, Block)]) -> String {
    let ours = |figure: fn(&Block) -> f64| median(pairs.iter().map(|(ours, _)| figure(ours)));
    let theirs = |figure: fn(&Block) -> f64| median(pairs.iter().map(|(_, theirs)| figure(theirs)));
    let ratios = pairs
        .iter()
        .map(|(ours, theirs)| ours.rate() / theirs.rate());
    format!(
        "| {} | {:.0} | {:.0} | {:.2} | {} | {:.1} | {:.1} | {:.0} | {:.0} |",
        load.name,
        ours(Block::rate),
        theirs(Block::rate),
        median(ratios),
        load.target,
        ours(Block::requests_per_signal),
        theirs(Block::requests_per_signal),
        ours(Block::lost),
        theirs(Block::lost),
    )
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
