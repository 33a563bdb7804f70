//! Moments of a local clock, and an estimate of the server's time.
//!
//! No clock is read here; moments and dates come in.

use std::ops::Add;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// A `Date` header has whole seconds, so a difference below this says nothing.
const DATE_RESOLUTION: SignedDuration = SignedDuration::from_secs(1);

/// How far a first guess of the server's time may be off before a renewal has to correct what was written.
const GUESS_TOLERANCE: SignedDuration = SignedDuration::from_secs(2);

/// A point in time of one process, on a clock that never goes back and runs through suspend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(Duration);

impl Moment {
    /// `elapsed` after an origin that is the same for the whole process.
    #[must_use]
    pub const fn from_origin(elapsed: Duration) -> Self {
        Self(elapsed)
    }

    /// How long after the process' origin this is.
    #[must_use]
    pub const fn since_origin(self) -> Duration {
        self.0
    }

    /// How long `self` is after `earlier`; zero when it is not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        Self(self.0.saturating_add(rhs))
    }
}

/// The server's time: its `Date` at an answer plus what has elapsed locally since, never going back.
///
/// `renewTime` and `acquireTime` are written in it. With a local clock a minute behind, processes that compare
/// `renewTime` with their own clock, as the gateway does, would take over live leases.
#[derive(Debug, Clone)]
pub struct ServerTime {
    anchor: Moment,
    at_anchor: Timestamp,
    measured: bool,
    last_stamp: Option<Timestamp>,
}

impl ServerTime {
    /// Starts from the local wall clock, until the first answer measures it.
    #[must_use]
    pub fn guess(now: Moment, wall: Timestamp) -> Self {
        Self {
            anchor: now,
            at_anchor: wall,
            measured: false,
            last_stamp: None,
        }
    }

    /// Takes an answer's `Date`, which arrived at `arrived`.
    pub fn observe(&mut self, date: Timestamp, arrived: Moment) {
        // A Date is cut to the second, so it is a lower bound, and the latest bound is the best one.
        let wrong_guess = !self.measured && self.is_off(date, arrived);
        if wrong_guess || date > self.now(arrived) {
            self.anchor = arrived;
            self.at_anchor = date;
        }
        if wrong_guess {
            self.last_stamp = None;
        }
        self.measured = true;
    }

    /// Whether the estimate differs from a `Date` by more than its resolution and the tolerance allow.
    #[must_use]
    pub fn is_off(&self, date: Timestamp, arrived: Moment) -> bool {
        is_off(self.now(arrived), date)
    }

    /// Whether an answer has been seen.
    #[must_use]
    pub fn is_measured(&self) -> bool {
        self.measured
    }

    /// The server's time now, as far as it is known.
    #[must_use]
    pub fn now(&self, now: Moment) -> Timestamp {
        let elapsed =
            SignedDuration::try_from(now.since(self.anchor)).unwrap_or(SignedDuration::MAX);
        self.at_anchor
            .checked_add(elapsed)
            .unwrap_or(Timestamp::MAX)
    }

    /// The time to write: whole microseconds, as the API stores them, and later than every stamp before, so that the
    /// `renewTime` of a record tells which write it came from.
    pub fn stamp(&mut self, now: Moment) -> Timestamp {
        let micro = SignedDuration::from_micros(1);
        let mut stamp =
            Timestamp::from_microsecond(self.now(now).as_microsecond()).unwrap_or(Timestamp::MAX);
        if let Some(last) = self.last_stamp
            && stamp <= last
        {
            stamp = last.checked_add(micro).unwrap_or(Timestamp::MAX);
        }
        self.last_stamp = Some(stamp);
        stamp
    }
}

/// Whether a time that was written differs from the server's `Date` by more than resolution and tolerance allow.
#[must_use]
pub fn is_off(written: Timestamp, date: Timestamp) -> bool {
    is_off_by(written, date, Duration::ZERO)
}

/// The same for a stamp that the server may have made up to `took` after the writing.
#[must_use]
pub fn is_off_by(written: Timestamp, stamp: Timestamp, took: Duration) -> bool {
    let ahead = written.duration_since(stamp);
    let took = SignedDuration::try_from(took).unwrap_or(SignedDuration::MAX);
    ahead > GUESS_TOLERANCE + DATE_RESOLUTION || ahead < (-GUESS_TOLERANCE).saturating_sub(took)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    const fn ms(millis: u64) -> Moment {
        Moment::from_origin(Duration::from_millis(millis))
    }

    #[test]
    fn a_guess_that_is_minutes_behind_is_replaced_by_the_first_date() {
        let mut time = ServerTime::guess(ms(0), at("2026-11-23T08:58:00Z"));
        assert!(time.is_off(at("2026-11-23T09:00:00Z"), ms(10)));
        time.observe(at("2026-11-23T09:00:00Z"), ms(10));
        assert_eq!(time.now(ms(1010)), at("2026-11-23T09:00:01Z"));
    }

    #[test]
    fn a_guess_that_is_ahead_is_replaced_as_well() {
        let mut time = ServerTime::guess(ms(0), at("2026-11-23T09:05:00Z"));
        time.stamp(ms(0));
        time.observe(at("2026-11-23T09:00:00Z"), ms(10));
        assert_eq!(time.stamp(ms(10)), at("2026-11-23T09:00:00Z"));
    }

    #[test]
    fn a_date_that_was_cut_to_the_second_does_not_turn_the_time_back() {
        let mut time = ServerTime::guess(ms(0), at("2026-11-23T09:00:00.700Z"));
        time.observe(at("2026-11-23T09:00:00Z"), ms(100));
        assert_eq!(time.now(ms(100)), at("2026-11-23T09:00:00.800Z"));
        time.observe(at("2026-11-23T09:00:01Z"), ms(200));
        assert_eq!(time.now(ms(200)), at("2026-11-23T09:00:01Z"));
    }

    #[test]
    fn two_stamps_of_one_moment_differ() {
        let mut time = ServerTime::guess(ms(0), at("2026-11-23T09:00:00.0000019Z"));
        assert_eq!(time.stamp(ms(0)), at("2026-11-23T09:00:00.000001Z"));
        assert_eq!(time.stamp(ms(0)), at("2026-11-23T09:00:00.000002Z"));
    }
}
