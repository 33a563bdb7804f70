//! Random histories of the dedup protocol: many processes, one fingerprint, and everything that goes wrong.
//!
//! `GWLOCK_SEED=N` replays one run of each test and prints its last events when it goes wrong.

mod chaos;
mod judge;
mod process;
mod server;
mod world;

use std::ops::Range;

use chaos::{Setting, Weakness};
use judge::Counts;
use world::run;

#[expect(
    clippy::disallowed_methods,
    reason = "a test has no context module, and a replay has to be asked for somehow"
)]
/// Runs these seeds and adds up what happened; panics with the story of the first one that goes wrong.
fn check(setting: Setting, seeds: Range<u64>) -> Counts {
    let replay = std::env::var("GWLOCK_SEED").ok();
    let replay = replay.map(|seed| seed.parse::<u64>().expect("GWLOCK_SEED is a number"));
    let seeds = replay.map_or(seeds, |seed| seed..seed + 1);
    let mut total = Counts::default();
    for seed in seeds {
        let verdict = run(seed, setting, Weakness::Nothing, false);
        if let Some(violation) = verdict.violation {
            let trace = run(seed, setting, Weakness::Nothing, true).trace.join("\n");
            panic!(
                "{trace}\n\nseed {seed}, {setting:?}: {violation}\nreplay it with GWLOCK_SEED={seed}"
            );
        }
        total.add(&verdict.counts);
    }
    total
}

/// What the judge says when a rule is broken on purpose; the first violation of these seeds.
fn broken(setting: Setting, weakness: Weakness) -> String {
    (0..300)
        .find_map(|seed| run(seed, setting, weakness, false).violation)
        .unwrap_or_else(|| panic!("{weakness:?} is not noticed"))
}

/// A checker that sees nothing happen proves nothing.
fn assert_eventful(counts: &Counts) {
    for (what, count) in [
        ("created", counts.created),
        ("counted as duplicate", counts.duplicates),
        ("counted together", counts.together),
        ("unknown", counts.unknown),
        ("failed clearly", counts.failed),
        ("crashed", counts.crashed),
        ("withdrawn", counts.withdrawn),
        ("found a name taken", counts.taken),
        ("found something changed", counts.changed),
        ("sent a count once more", counts.repeated),
    ] {
        assert!(count > 10, "{what} only {count} times: {counts:?}");
    }
    // Saying "unknown" to everything would be safe.
    assert!(
        counts.unknown * 5 < counts.created + counts.duplicates,
        "{counts:?}"
    );
}

#[test]
fn there_are_never_two_active_requests_and_every_answer_is_counted_once() {
    assert_eventful(&check(Setting::Leased, 0..600));
}

#[test]
fn even_without_any_lease_the_name_alone_keeps_a_second_request_out() {
    assert_eventful(&check(Setting::Unlocked, 0..600));
}

#[test]
fn deletions_make_no_count_wrong() {
    assert_eventful(&check(Setting::Deleting, 0..600));
}

#[test]
fn a_seed_gives_the_same_run_again() {
    let once = run(7, Setting::Leased, Weakness::Nothing, true);
    assert_eq!(once, run(7, Setting::Leased, Weakness::Nothing, true));
}

#[test]
fn names_of_chance_are_noticed() {
    let violation = broken(Setting::Unlocked, Weakness::NamesOfChance);
    assert!(violation.contains("two active requests"), "{violation}");
}

#[test]
fn a_count_that_tests_nothing_is_noticed() {
    let violation = broken(Setting::Leased, Weakness::CountsTestNothing);
    assert!(violation.contains("count"), "{violation}");
}

#[test]
fn deciding_again_after_an_unclear_count_is_noticed() {
    let violation = broken(Setting::Leased, Weakness::UnclearCountsAreDecidedAgain);
    assert!(violation.contains("can have been counted"), "{violation}");
}

#[test]
#[ignore = "soak"]
fn nothing_goes_wrong_in_very_many_runs() {
    for setting in [Setting::Leased, Setting::Unlocked, Setting::Deleting] {
        assert_eventful(&check(setting, 10_000..20_000));
    }
}
