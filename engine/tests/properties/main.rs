//! Random histories: many processes, one lease, and everything that goes wrong.
//!
//! `GWLOCK_SEED=N` replays one run and prints its last events.

mod chaos;
mod gateway;
mod judge;
mod process;
mod server;
mod weakness;
mod world;

use chaos::Setting;
use judge::Counts;
use weakness::Weakness;
use world::{Verdict, run};

/// Runs that many seeds and adds up what happened.
fn check(setting: Setting, seeds: std::ops::Range<u64>) -> Counts {
    let replay = std::env::var("GWLOCK_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seeds = replay.map_or(seeds, |seed: u64| seed..seed + 1);
    let mut total = Counts::default();
    for seed in seeds {
        let Verdict {
            violation, counts, ..
        } = run(seed, setting, Weakness::Nothing, false);
        if let Some(violation) = violation {
            let trace = run(seed, setting, Weakness::Nothing, true).trace.join("\n");
            panic!(
                "{trace}\n\nseed {seed}, {setting:?}: {violation}\nreplay it with GWLOCK_SEED={seed}"
            );
        }
        total.add(&counts);
    }
    total
}

#[test]
fn there_are_never_two_holders() {
    let counts = check(Setting::Alone, 0..1000);
    println!("{counts:?}");
}

#[test]
fn a_date_that_lies_makes_no_second_holder() {
    let counts = check(Setting::LyingDates, 0..500);
    println!("{counts:?}");
}

#[test]
fn gateways_beside_us_are_kept_out() {
    let counts = check(Setting::WithGateways, 0..500);
    println!("{counts:?}");
}
