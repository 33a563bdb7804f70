//! Trials: what is simulated is what was measured, and it ends as the model says.

use std::time::Duration;

use gwlock_engine::protocol::timing::Timing;

use super::super::distribution::Distribution;
use super::super::history::measure;
use super::super::measured::{Ending, Measured};
use super::super::model::Model;
use super::super::trial::{self, scenario};
use super::measured;
use crate::sim::protocol::Protocol;
use crate::sim::scenario::{Arrival, Kind, Latency, Scenario};
use crate::sim::{self, Settings};

fn timing(seconds: u64) -> Timing {
    Timing::with_duration(Duration::from_secs(seconds)).unwrap()
}

/// What these seeds of a scenario show.
fn simulated(yaml: &str, seeds: u64) -> Measured {
    let scenario = Scenario::parse(yaml).unwrap();
    let settings = Settings {
        name: "test".to_owned(),
        scenario,
        protocol: Protocol::default(),
        command: String::new(),
    };
    let mut all = Measured::default();
    for seed in 1..=seeds {
        let run = sim::run(&settings, seed).unwrap();
        assert_eq!(run.violated().next(), None, "seed {seed}");
        all.absorb(&measure(run.history()));
    }
    all
}

#[test]
fn what_was_measured_is_what_is_simulated() {
    let mut seen = measured(0.1, 1000.0);
    seen.all.latencies = Distribution::of([0.3, 0.1]);
    seen.all.answered = 90;
    for (ending, times) in [
        (Ending::Unanswered, 3),
        (Ending::Refused(0), 1),
        (Ending::Refused(429), 2),
        (Ending::Refused(503), 1),
        (Ending::Refused(502), 3),
    ] {
        seen.all.add(ending, times);
    }
    seen.outages = Distribution::of([4.0, 9.0]);
    let tried = scenario(&seen, timing(9), 1);
    assert_eq!(tried.timing, timing(9));
    let Latency::Measured(times) = &tried.latency else {
        panic!("{:?}", tried.latency);
    };
    let ms = Duration::from_millis;
    assert_eq!(
        (times[0], times[500], times[501], times[1000]),
        (ms(100), ms(100), ms(300), ms(300))
    );
    let requests = &tried.requests;
    assert_eq!(
        [
            requests.lost,
            requests.unanswered,
            requests.too_many,
            requests.failing,
            requests.unavailable,
            requests.timed_out
        ],
        [0.02, 0.02, 0.02, 0.03, 0.01, 0.0]
    );
    let partition = tried.often.partition.unwrap();
    assert_eq!(partition.every, Duration::from_secs(500));
    assert_eq!(
        (partition.lasting.0, partition.lasting.1),
        (ms(4000), ms(9000))
    );
    // Of five pods one is left each time.
    let faults = |kind| {
        tried
            .at
            .iter()
            .filter(|planned| planned.fault == kind)
            .count()
    };
    assert_eq!((faults(Kind::Crash), faults(Kind::Pause)), (8, 4));
    let Arrival::Times(times) = &tried.arrival else {
        panic!("{:?}", tried.arrival);
    };
    assert!(times.iter().any(|(_, key)| *key == Some(2)));
    assert_eq!(
        scenario(&measured(0.1, 1000.0), timing(9), 1)
            .often
            .partition
            .map(|_| ()),
        None
    );
}

#[test]
fn crashes_are_felt_for_as_long_as_predicted() {
    let seen = simulated(
        "latency: 5ms..60ms\nsignals: 100\nfingerprints: 40\narrival: poisson:10",
        2,
    );
    let timing = timing(6);
    let predicted = Model::new(&seen).recovery(timing);
    let trial = trial::run(&seen, timing, (1, 8), 2).unwrap();
    assert!(trial.violations.is_empty(), "{:?}", trial.violations);
    assert_eq!((trial.seeds, trial.lost), (8, 0));
    assert!(trial.lost_stopped > 0, "pauses are longer than that lease");
    let recoveries = &trial.recoveries;
    assert_eq!(recoveries.count(), 10);
    let (mean, longest) = (recoveries.mean().unwrap(), recoveries.longest().unwrap());
    assert!(
        (mean / predicted.mean - 1.0).abs() < 0.1,
        "{mean}, {predicted:?}"
    );
    assert!(longest <= predicted.worst, "{longest}, {predicted:?}");
    let on = |threads| trial::run(&seen, timing, (1, 2), threads).unwrap();
    assert_eq!(on(1), on(2));
}

#[test]
fn healthy_holders_lose_their_leases_as_often_as_predicted() {
    let yaml = "latency: 200ms..700ms\nsignals: 150\nfingerprints: 100\narrival: poisson:1\n\
                timing: {leaseDuration: 3s}\nrequests: {lost: 0.2}";
    let seen = simulated(yaml, 4);
    let predicted = Model::new(&seen).risk(timing(3)).retries;
    let share = seen.lost as f64 / seen.rate.holds as f64;
    assert_eq!((seen.lost, seen.rate.holds), (54, 319));
    // Holds are as long as they are because their own requests fail, which the model takes for independent.
    let factor = predicted / share;
    assert!(
        (1.0 / 2.0..2.0).contains(&factor),
        "{predicted} and {share}"
    );
}
