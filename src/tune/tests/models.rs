//! The formulas: by hand, and against what chance makes of the same assumptions.

use std::time::Duration;

use gwlock_engine::protocol::timing::Timing;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::super::advice::{TooFew, advise};
use super::super::bound;
use super::super::distribution::Distribution;
use super::super::model::{Model, Tries};
use super::{measured, requests};

fn timing(seconds: u64) -> Timing {
    Timing::with_duration(Duration::from_secs(seconds)).unwrap()
}

fn assert_near(value: f64, expected: f64, within: f64) {
    assert!(
        (value - expected).abs() <= within * expected.abs(),
        "{value} is not {expected}"
    );
}

#[test]
fn a_window_fails_as_often_as_all_tries_that_fit_into_it() {
    let usual = Tries {
        unanswered: 0.0,
        refused: 0.0,
        timeout: 5.0,
        retry: 2.0,
    };
    let latencies = [(0.5, 1.0)];
    // Without an answer the second try begins after 7 s, and the third one would after 14 s.
    let unanswered = Tries {
        unanswered: 0.3,
        ..usual
    };
    assert_near(unanswered.all_fail(10.0, &latencies), 0.3 * 0.3, 1e-9);
    // Refused after half of a second each, tries begin after 0, 2.5, 5 and 7.5 s.
    let refused = Tries {
        refused: 0.2,
        ..usual
    };
    assert_near(refused.all_fail(10.0, &latencies), 0.2_f64.powi(4), 1e-9);
    // A second try that is left 0.4 s is too late, whatever its answer.
    let late = Tries {
        unanswered: 0.3,
        retry: 4.6,
        ..usual
    };
    assert_near(late.all_fail(10.0, &latencies), 0.3, 1e-9);
    assert_near(usual.all_fail(10.0, &[(6.0, 1.0)]), 1.0, 1e-9);
}

#[test]
fn a_window_fails_as_often_as_chance_lets_it() {
    let tries = Tries {
        unanswered: 0.15,
        refused: 0.3,
        timeout: 1.0,
        retry: 0.2,
    };
    let latencies: Vec<(f64, f64)> = (1..=10).map(|i| (f64::from(i) * 0.08, 1.0)).collect();
    let mut rng = StdRng::seed_from_u64(1);
    let runs = 200_000;
    let mut failed = 0;
    for _ in 0..runs {
        let mut left = 3.0;
        let is_lost = loop {
            let (latency, _) = latencies[rng.random_range(0..latencies.len())];
            let share: f64 = rng.random();
            let took = if share < tries.unanswered {
                tries.timeout
            } else if share < tries.unanswered + tries.refused {
                latency
            } else {
                break latency > left;
            };
            left -= took + tries.retry;
            if left <= 0.0 {
                break true;
            }
        };
        failed += u32::from(is_lost);
    }
    let seen = f64::from(failed) / f64::from(runs);
    let predicted = tries.all_fail(3.0, &latencies);
    // Time is rounded down to steps, so that the formula may only be a little too careful.
    assert_near(predicted, seen, 0.03);
}

#[test]
fn what_befalls_a_hold_counts_from_the_age_at_which_it_is_too_long() {
    // Of 30 s: renewed every 10 s, lost after 20 s. At an age of more than 5 s an outage of 15 s is too long: that are
    // 5 s of each renewal, and nothing of the 5 s behind the second one.
    let mut seen = measured(25.0, 1e6);
    seen.outages = Distribution::weighted([(15.0, 4)]);
    let risk = Model::new(&seen).risk(timing(30));
    assert_near(risk.outages_seen, 4.0 / 1e6 * 10.0, 1e-9);
    assert_near(risk.outages.unwrap(), bound::events(4) / 1e6 * 25.0, 1e-9);
    assert_near(risk.pauses.unwrap(), bound::events(0) / 1e6 * 25.0, 1e-9);
    // One of 45 s outlasts it with room for any renewal.
    let risk = Model::new(&seen).risk(timing(90));
    assert_eq!(risk.outages_seen, 0.0);
    assert_near(risk.outages.unwrap(), bound::events(0) / 1e6 * 25.0, 1e-9);
}

#[test]
fn outages_end_as_many_holds_as_chance_lets_them() {
    let (watched, hold) = (2e6, 37.0);
    let lengths = [3.0, 9.0, 14.0, 28.0];
    let mut seen = measured(hold, watched);
    seen.outages = Distribution::weighted(lengths.map(|length| (length, 250)));
    let predicted = Model::new(&seen).risk(timing(30)).outages_seen;
    let mut rng = StdRng::seed_from_u64(2);
    let (runs, mut lost) = (1_000_000, 0);
    for _ in 0..runs {
        // At most one befalls a hold: they are so rare.
        let share: f64 = rng.random();
        if share >= 1000.0 / watched * hold {
            continue;
        }
        let begins = rng.random_range(0.0..hold);
        let length = lengths[rng.random_range(0..lengths.len())];
        lost += u32::from(begins % 10.0 + length > 20.0);
    }
    assert_near(predicted, f64::from(lost) / f64::from(runs), 0.05);
}

#[test]
fn a_renewal_that_fails_costs_a_hold_that_lasts_beyond_the_deadline() {
    let per_hold = |hold| {
        let seen = measured(hold, 1e6);
        let risk = Model::new(&seen).risk(timing(30));
        risk.retries / risk.window
    };
    // Renewed after 10, 20, … s, and lost 10 s after the first try.
    assert_near(per_hold(45.0), 3.0, 1e-9);
    assert_near(per_hold(20.0), 1.0, 1e-9);
    // None of ten thousand is so long.
    assert_near(per_hold(19.9), bound::share(0, 10_000), 1e-9);
}

#[test]
fn a_crash_is_felt_for_what_is_left_of_the_lease() {
    let mut seen = measured(20.0, 1e6);
    seen.hand_overs = Distribution::of([0.1, 0.3]);
    let recovery = Model::new(&seen).recovery(timing(30));
    // 5 s old on the average.
    assert_near(recovery.mean, 32.0 + 1.0 - 5.0 + 0.2, 1e-9);
    assert_near(recovery.worst, 34.3, 1e-9);
    seen.hand_overs = Distribution::default();
    let recovery = Model::new(&seen).recovery(timing(30));
    assert_near(recovery.mean, 28.02, 1e-9);
}

#[test]
fn recoveries_are_what_whole_seconds_make_of_them() {
    let hold = 13.0;
    let seen = measured(hold, 1e6);
    let predicted = Model::new(&seen).recovery(timing(9));
    let mut rng = StdRng::seed_from_u64(3);
    let (runs, mut sum, mut most) = (100_000, 0.0, 0.0_f64);
    for _ in 0..runs {
        let crash = rng.random_range(0.0..hold);
        // Somewhere in a second the hold began, and somewhere in one the waiter read: he looks again a whole number of
        // seconds later, when he may expect that the age is more than 11 s.
        let written = rng.random_range(0.0..1000.0) + (crash / 3.0_f64).floor() * 3.0;
        let read: f64 = written + rng.random_range(0.0..1.0);
        let age = read.floor() - written.floor();
        let taken = read + (11.0 - age) + 1.0;
        let gone = written + crash % 3.0;
        sum += taken - gone + 0.02;
        most = most.max(taken - gone + 0.02);
    }
    assert_near(predicted.mean, sum / f64::from(runs), 0.01);
    assert!(most <= predicted.worst, "{most} is more than {predicted:?}");
    assert_near(predicted.worst, most, 0.02);
}

#[test]
fn the_shortest_lease_that_is_safe_enough_is_chosen() {
    let advice = advise(&measured(0.05, 1e6), 1e-6).unwrap();
    let chosen = advice.chosen.unwrap();
    assert_eq!(chosen.seconds(), 1);
    assert!(chosen.risk.per_hold() <= 1e-6);
    // Outages of 5 s are too long for it from the beginning of a hold on.
    let mut outages = measured(0.05, 1e6);
    outages.outages = Distribution::weighted([(5.0, 100)]);
    let advice = advise(&outages, 1e-6).unwrap();
    let chosen = advice.chosen.unwrap();
    // With 15 s there are 5 s left for a renewal, and more than that with nothing shorter.
    assert_eq!(chosen.seconds(), 15);
    for candidate in advice
        .candidates
        .iter()
        .filter(|other| other.seconds() < 15)
    {
        assert!(candidate.risk.per_hold() > 1e-6, "{candidate:?}");
    }
    assert_eq!(chosen.timing.lease_duration(), Duration::from_secs(15));
}

#[test]
fn a_slow_server_is_not_asked_again_before_it_could_have_answered() {
    let mut slow = measured(0.05, 1e6);
    slow.leases = requests(10_000, 0.9);
    let advice = advise(&slow, 1e-5).unwrap();
    for candidate in &advice.candidates {
        assert!(
            candidate.timing.retry_period() >= Duration::from_millis(900),
            "{candidate:?}"
        );
    }
    let chosen = advice.chosen.unwrap();
    // 4 s leave 1.3 s for tries, of which each takes 1.8 s; 12 s leave 4 s.
    assert_eq!((chosen.seconds(), chosen.load.tries), (12, 3));
    let shorter = advice
        .candidates
        .iter()
        .filter(|other| other.seconds() < 12);
    assert!(shorter.clone().count() > 0);
    assert!(shorter.clone().all(|other| !other.is_tried_enough()));
}

#[test]
fn few_samples_show_little_and_fewer_nothing() {
    // 100 s without an outage: of 50 ms holds less than 3/100 · 0.05, and as many by pauses.
    let advice = advise(&measured(0.05, 100.0), 1e-6).unwrap();
    assert_eq!(advice.chosen, None);
    assert_near(advice.reachable, 2.0 * 2.9957 / 100.0 * 0.05, 1e-3);
    let needed = measured(0.05, advice.hours_needed * 3600.0 * 1.01);
    assert!(advise(&needed, 1e-6).unwrap().chosen.is_some());
    let unwatched = advise(&measured(0.05, 0.0), 0.9).unwrap();
    assert_eq!((unwatched.chosen, unwatched.reachable), (None, 1.0));
    let mut few = measured(0.05, 1e6);
    few.holds = Distribution::weighted([(0.05, 9)]);
    let error: TooFew = advise(&few, 0.5).unwrap_err();
    assert_eq!(
        error.to_string(),
        "too few samples to say anything: 9 holds and 10000 answered requests for leases; at least 10 and 30 are needed"
    );
    let mut few = measured(0.05, 1e6);
    few.leases = requests(29, 0.01);
    assert!(advise(&few, 0.5).is_err());
}
