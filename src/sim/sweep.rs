//! Many seeds on all cores. What comes out does not depend on how many there are.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::report::{Report, Seed};
use super::{Settings, run};
use crate::output::progress;

/// How many violations are reduced to what shows them, and told in full.
const EXPLAINED: usize = 10;

/// Runs every seed of a range, both ends included.
pub(crate) fn sweep(
    settings: &Settings,
    first: u64,
    last: u64,
    threads: usize,
) -> anyhow::Result<Report> {
    let mut seeds = each(first, last, threads, |seed| {
        run(settings, seed).map(|run| Seed::of(&run, false))
    })?;
    // The first ones are run once more: the histories of all of them would not fit into memory.
    let violating = seeds.iter_mut().filter(|seed| !seed.violations.is_empty());
    for seed in violating.take(EXPLAINED) {
        *seed = Seed::of(&run(settings, seed.seed)?, true);
    }
    Ok(Report::of(settings, seeds))
}

/// Runs something with each seed of a range, both ends included, and returns what is kept of them in their order.
pub(crate) fn each<T: Send>(
    first: u64,
    last: u64,
    threads: usize,
    run: impl Fn(u64) -> anyhow::Result<T> + Sync,
) -> anyhow::Result<Vec<T>> {
    let next = AtomicU64::new(first);
    let failed = AtomicBool::new(false);
    let done: Mutex<Vec<(u64, anyhow::Result<T>)>> = Mutex::default();
    let bar = progress::bar(last - first + 1, "simulating");
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                while !failed.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > last {
                        return;
                    }
                    let run = run(seed);
                    failed.fetch_or(run.is_err(), Ordering::Relaxed);
                    done.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((seed, run));
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(seed, _)| *seed);
    done.into_iter().map(|(_, kept)| kept).collect()
}
