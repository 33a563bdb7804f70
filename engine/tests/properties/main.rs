//! Random histories: many processes, one lease, and everything that goes wrong.
//!
//! `GWLOCK_SEED=N` replays one run of each test and prints its last events when it goes wrong.

mod chaos;
mod gateway;
mod gateway_defects;
mod judge;
mod lab;
mod process;
mod server;
mod weakened;
mod weakness;
mod world;

use std::ops::Range;
use std::sync::Mutex;
use std::thread;

use chaos::Setting;
use judge::Counts;
use weakness::Weakness;
use world::run;

#[expect(
    clippy::disallowed_methods,
    reason = "a test has no context module, and a replay has to be asked for somehow"
)]
/// Runs these seeds, or the one to replay; panics with the story of the first one that goes wrong. What happened in all
/// of them has to be worth the name, but for a replay, which returns nothing.
fn check(setting: Setting, seeds: Range<u64>) -> Option<Counts> {
    let replay = std::env::var("GWLOCK_SEED").ok();
    let replay = replay.map(|seed| seed.parse::<u64>().expect("GWLOCK_SEED is a number"));
    let seeds = replay.map_or(seeds, |seed| seed..seed + 1);
    let (total, wrong) = run_all(setting, Weakness::Nothing, seeds);
    if let Some((seed, violation)) = wrong {
        let trace = run(seed, setting, Weakness::Nothing, true).trace.join("\n");
        panic!(
            "{trace}\n\nseed {seed}, {setting:?}: {violation}\nreplay it with GWLOCK_SEED={seed}"
        );
    }
    if replay.is_some() {
        return None;
    }
    assert_eventful(&total);
    Some(total)
}

/// Runs seeds on all processors until one goes wrong.
fn run_all(
    setting: Setting,
    weakness: Weakness,
    seeds: Range<u64>,
) -> (Counts, Option<(u64, String)>) {
    let next = Mutex::new(seeds);
    let result = Mutex::new((Counts::default(), None::<(u64, String)>));
    let work = || {
        loop {
            let Some(seed) = next.lock().expect("no panic").next() else {
                return;
            };
            let verdict = run(seed, setting, weakness, false);
            let mut result = result.lock().expect("no panic");
            result.0.add(&verdict.counts);
            if let Some(violation) = verdict.violation {
                next.lock().expect("no panic").end = 0;
                if result.1.as_ref().is_none_or(|(earlier, _)| seed < *earlier) {
                    result.1 = Some((seed, violation));
                }
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    result.into_inner().expect("no panic")
}

/// A checker that sees nothing happen proves nothing.
fn assert_eventful(counts: &Counts) {
    for (what, count) in [
        ("held", counts.held),
        ("taken over", counts.taken_over),
        ("busy", counts.busy),
        ("cancelled", counts.cancelled),
        ("unknown", counts.unknown),
        ("lost", counts.lost),
        ("released", counts.released),
    ] {
        assert!(count > 10, "{what} only {count} times: {counts:?}");
    }
    // Saying "unknown" to everything would be safe.
    assert!(counts.unknown * 10 < counts.held, "{counts:?}");
}

#[test]
fn there_are_never_two_holders() {
    check(Setting::Alone, 0..1000);
}

#[test]
fn servers_that_disagree_within_the_margin_make_no_second_holder() {
    check(Setting::ServersApart, 0..500);
}

#[test]
fn a_date_that_lies_makes_no_second_holder() {
    if let Some(counts) = check(Setting::LyingDates, 0..500) {
        assert!(counts.lied > 10, "{counts:?}");
    }
}

#[test]
fn gateways_beside_us_are_kept_out() {
    check(Setting::WithGateways, 0..500);
}

#[test]
fn a_seed_gives_the_same_run_again() {
    let once = run(7, Setting::Alone, Weakness::Nothing, true);
    assert_eq!(once, run(7, Setting::Alone, Weakness::Nothing, true));
}

#[test]
#[ignore = "soak"]
fn there_are_never_two_holders_in_very_many_runs() {
    check(Setting::Alone, 10_000..22_000);
    check(Setting::ServersApart, 10_000..14_000);
    check(Setting::LyingDates, 10_000..14_000);
    check(Setting::WithGateways, 10_000..14_000);
}
