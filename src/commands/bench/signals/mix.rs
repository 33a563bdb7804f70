//! Which signals are sent and when: intended times, and which of them repeat an earlier one. Pure; nothing is sent here.
//!
//! New fingerprints are spread evenly over the signals, so that their number is exact. Half of the duplicates are of the
//! oldest tenth of the working set, which is a storm that goes on and on, and the other half are of any of its newest
//! fingerprints, among them such as are being created at that moment.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

const MILLION: u64 = 1_000_000;

/// A load, before it is sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Load {
    /// Signals per second.
    pub(super) rate: f64,
    /// Without the warm-up.
    pub(super) duration: Duration,
    /// How long the rate grows before, from nothing; what is sent in that time is not measured.
    pub(super) warm_up: Duration,
    /// The share of signals whose fingerprint has been sent before.
    pub(super) duplicates: f64,
    /// Duplicates are of so many fingerprints at a time.
    pub(super) working_set: u32,
}

/// The fingerprints of a load, one after the other.
#[derive(Debug)]
pub(super) struct Mix {
    /// New fingerprints of a million signals.
    new_of_a_million: u64,
    working_set: u32,
    sent: u64,
    known: u32,
    rng: StdRng,
}

impl Load {
    /// How many signals are sent, those of the warm-up included.
    pub(super) fn signals(&self) -> u64 {
        self.before() + whole(self.rate * self.duration.as_secs_f64())
    }

    /// How many of them come before what is measured.
    pub(super) fn before(&self) -> u64 {
        whole(self.growing())
    }

    /// When a signal is to be sent, counted from the start.
    pub(super) fn due(&self, signal: u64) -> Duration {
        let (signal, growing) = (count(signal), self.growing());
        let warm_up = self.warm_up.as_secs_f64();
        Duration::from_secs_f64(if signal < growing {
            (2.0 * signal * warm_up / self.rate).sqrt()
        } else {
            warm_up + (signal - growing) / self.rate
        })
    }

    /// Half of what would come at the whole rate.
    fn growing(&self) -> f64 {
        self.rate * self.warm_up.as_secs_f64() / 2.0
    }

    /// Which replica gets it: in turn, and in each round one further, so that no replica gets every new fingerprint.
    pub(super) fn replica(signal: u64, replicas: usize) -> usize {
        let replicas = replicas as u64;
        let turn = (signal + signal / replicas) % replicas;
        usize::try_from(turn).unwrap_or(0)
    }

    pub(super) fn mix(&self) -> Mix {
        Mix {
            new_of_a_million: MILLION - per_million(self.duplicates),
            working_set: self.working_set.max(1),
            sent: 0,
            known: 0,
            // The same load is the same signals in the same order.
            rng: StdRng::seed_from_u64(0),
        }
    }
}

impl Mix {
    /// The number of the next signal's fingerprint; they are numbered in the order in which they first come.
    pub(super) fn next(&mut self) -> u32 {
        let place = self.sent.wrapping_mul(self.new_of_a_million) % MILLION;
        let is_new = self.known == 0 || place < self.new_of_a_million;
        self.sent += 1;
        if is_new {
            self.known += 1;
            return self.known - 1;
        }
        let working = self.working_set.min(self.known);
        if self.rng.random_bool(0.5) {
            return self.rng.random_range(0..working.div_ceil(10));
        }
        self.known - 1 - self.rng.random_range(0..working)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share is between 0 and 1"
)]
fn per_million(share: f64) -> u64 {
    (share * 1e6).round() as u64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of signals is not negative, and far below 2^52"
)]
fn whole(signals: f64) -> u64 {
    signals.round() as u64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "numbers of signals are far below 2^52"
)]
pub(super) fn count(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(rate: f64, duplicates: f64, working_set: u32) -> Load {
        Load {
            rate,
            duration: Duration::from_secs(10),
            warm_up: Duration::from_secs(1),
            duplicates,
            working_set,
        }
    }

    fn fingerprints(load: &Load) -> Vec<u32> {
        let mut mix = load.mix();
        (0..load.signals()).map(|_| mix.next()).collect()
    }

    fn distinct(mut fingerprints: Vec<u32>) -> usize {
        fingerprints.sort_unstable();
        fingerprints.dedup();
        fingerprints.len()
    }

    #[test]
    fn times_are_apart_by_the_rate_and_do_not_drift() {
        let load = load(400.0, 0.9, 100);
        assert_eq!((load.signals(), load.before()), (4200, 200));
        assert_eq!(load.due(200), Duration::from_secs(1));
        assert_eq!(load.due(201), Duration::from_micros(1_002_500));
        assert_eq!(load.due(4_000_200), Duration::from_secs(10_001));
    }

    #[test]
    fn the_rate_grows_from_nothing_until_it_is_measured() {
        let load = load(400.0, 0.9, 100);
        assert_eq!(load.due(0), Duration::ZERO);
        // A quarter of them in the first half of the time.
        assert_eq!(load.due(50), Duration::from_millis(500));
        let cold = Load {
            warm_up: Duration::ZERO,
            ..load
        };
        assert_eq!((cold.signals(), cold.before()), (4000, 0));
        assert_eq!(cold.due(1), Duration::from_micros(2500));
    }

    #[test]
    fn the_share_of_new_fingerprints_is_exact() {
        for (duplicates, new) in [(0.9, 420), (0.5, 2100), (0.0, 4200), (1.0, 1), (0.999, 5)] {
            let fingerprints = fingerprints(&load(400.0, duplicates, 100));
            assert_eq!(distinct(fingerprints), new, "{duplicates}");
        }
    }

    #[test]
    fn a_duplicate_is_of_what_has_been_sent_before() {
        let mut known = 0;
        for fingerprint in fingerprints(&load(400.0, 0.9, 100)) {
            assert!(fingerprint <= known, "{fingerprint} comes before {known}");
            known = known.max(fingerprint + 1);
        }
    }

    #[test]
    fn half_of_the_duplicates_are_hot_and_the_rest_are_spread_over_the_newest() {
        let fingerprints = fingerprints(&load(400.0, 0.9, 100));
        let hot = fingerprints.iter().filter(|number| **number < 10).count();
        assert!((1800..2100).contains(&hot), "{hot}");
        let late = &fingerprints[3800..];
        let is_old = |number: &&u32| (10..280).contains(*number);
        assert_eq!(late.iter().filter(is_old).count(), 0);
        assert!(distinct(late.to_vec()) > 100);
    }

    #[test]
    fn one_fingerprint_is_one() {
        let fingerprints = fingerprints(&load(50.0, 1.0, 1));
        assert_eq!(fingerprints, vec![0; 525]);
    }

    #[test]
    fn replicas_share_signals_and_new_fingerprints() {
        for replicas in [1, 2, 3, 5, 10] {
            let mut signals = vec![0; replicas];
            let mut new = vec![0; replicas];
            for signal in 0..3000 {
                let replica = Load::replica(signal, replicas);
                signals[replica] += 1;
                new[replica] += usize::from(signal % 10 == 0);
            }
            assert_eq!(signals, vec![3000 / replicas; replicas], "{replicas}");
            assert_eq!(new, vec![300 / replicas; replicas], "{replicas}");
        }
    }

    #[test]
    fn the_same_load_is_the_same_signals() {
        let load = load(400.0, 0.9, 100);
        assert_eq!(fingerprints(&load), fingerprints(&load));
    }
}
