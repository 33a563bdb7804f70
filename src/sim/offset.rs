//! How far the API server's clock is ahead of one's own, from the whole seconds of its `Date`, and how well that is known.
//!
//! The engine's estimate is a lower bound, which is what a lease needs. Histories of several pods need both bounds. No
//! clock is read here.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

const SECOND: i64 = 1_000_000;

/// Bounds for what has to be added to moments of one's own clock, in microseconds since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Offset {
    bounds: Option<(i64, i64)>,
}

impl Offset {
    /// Takes an answer with this `Date`, to a question that was sent and answered at these moments.
    ///
    /// Answers that contradict each other, because the server's clock was set or because there are several servers, are
    /// all believed: the bounds then reach from one to the other.
    pub(crate) fn observe(&mut self, date: Timestamp, sent: Duration, arrived: Duration) {
        let date = date.as_second().saturating_mul(SECOND);
        let (least, most) = (date - micros(arrived), date + SECOND - micros(sent));
        self.bounds = Some(match self.bounds {
            None => (least, most),
            Some((low, high)) if least > high || most < low => (low.min(least), high.max(most)),
            Some((low, high)) => (low.max(least), high.min(most)),
        });
    }

    /// What holds at the time of both measurements and between them, though clocks do not run at the same speed.
    pub(crate) fn and(self, other: Self) -> Self {
        let bounds = match (self.bounds, other.bounds) {
            (Some((low, high)), Some((least, most))) => Some((low.min(least), high.max(most))),
            (one, other) => one.or(other),
        };
        Self { bounds }
    }

    /// The same with so much more doubt either way.
    pub(crate) fn widened(self, doubt: Duration) -> Self {
        let doubt = micros(doubt);
        Self {
            bounds: self.bounds.map(|(low, high)| (low - doubt, high + doubt)),
        }
    }

    /// How far apart the bounds are.
    pub(crate) fn width(self) -> Duration {
        let width = self.bounds.map(|(low, high)| high - low);
        width.map_or(Duration::MAX, |width| {
            Duration::from_micros(u64::try_from(width).unwrap_or(0))
        })
    }

    /// When the next question says most: the second then changes halfway between the bounds while the server answers.
    /// `trip` is how long a question and its answer take together.
    pub(crate) fn ask_at(self, now: Duration, trip: Duration) -> Duration {
        let Some((low, high)) = self.bounds else {
            return now;
        };
        let half = micros(trip) / 2;
        let answered = micros(now) + half + low.midpoint(high);
        let wait = (-answered).rem_euclid(SECOND);
        now + Duration::from_micros(u64::try_from(wait).unwrap_or(0))
    }

    /// The server's time at a moment of one's own, and how far that may be off either way; `None` without any answer.
    pub(crate) fn at(self, moment: Duration) -> Option<(Timestamp, Duration)> {
        let (low, high) = self.bounds?;
        let time = Timestamp::from_microsecond(low.midpoint(high) + micros(moment)).ok()?;
        let off = u64::try_from(high - low).unwrap_or(0).div_ceil(2);
        Some((time, Duration::from_micros(off)))
    }

    /// When on one's own clock the server's time will be this, as well as it is known.
    pub(crate) fn when(self, time: Timestamp) -> Option<Duration> {
        let (low, high) = self.bounds?;
        let own = time.as_microsecond() - low.midpoint(high);
        Some(Duration::from_micros(u64::try_from(own).unwrap_or(0)))
    }
}

fn micros(duration: Duration) -> i64 {
    SignedDuration::try_from(duration)
        .ok()
        .and_then(|duration| i64::try_from(duration.as_micros()).ok())
        .unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server whose clock is ahead by so many microseconds, and answers halfway through a trip.
    struct Server {
        ahead: i64,
        trip: Duration,
    }

    impl Server {
        fn ask(&self, offset: &mut Offset, sent: Duration) -> Duration {
            let time = Timestamp::from_microsecond(micros(sent + self.trip / 2) + self.ahead);
            let date = Timestamp::from_second(time.unwrap().as_second()).unwrap();
            let arrived = sent + self.trip;
            offset.observe(date, sent, arrived);
            arrived
        }
    }

    #[test]
    fn a_dozen_answers_say_the_time_to_a_few_milliseconds_and_are_not_wrong() {
        for ahead in [
            1_700_000_000_000_000,
            1_700_000_000_000_001,
            1_700_000_000_999_999,
            123_456_789,
        ] {
            for trip in [200, 3_000, 40_000] {
                let server = Server {
                    ahead,
                    trip: Duration::from_micros(trip),
                };
                let mut offset = Offset::default();
                let mut now = Duration::from_micros(777);
                for _ in 0..12 {
                    let sent = offset.ask_at(now, server.trip);
                    assert!(sent >= now && sent <= now + Duration::from_secs(1));
                    now = server.ask(&mut offset, sent);
                }
                let width = offset.width();
                let narrow = Duration::from_millis(1) + server.trip * 2;
                assert!(width <= narrow, "{ahead} {trip}: {width:?}");
                let (time, off) = offset.at(now).unwrap();
                let wrong = time.as_microsecond() - (micros(now) + ahead);
                assert!(
                    wrong.abs() <= micros(off),
                    "{ahead} {trip}: {wrong} {off:?}"
                );
                assert!(offset.when(time).unwrap().abs_diff(now) <= Duration::from_micros(1));
            }
        }
    }

    #[test]
    fn a_clock_that_runs_fast_leaves_a_doubt_that_grows_between_two_measurements() {
        let moment = Duration::from_secs(100);
        let observed = |text: &str| {
            let mut offset = Offset::default();
            offset.observe(text.parse().unwrap(), moment, moment);
            offset
        };
        let (one, other) = (
            observed("2026-11-26T09:00:00Z"),
            observed("2026-11-26T09:00:02Z"),
        );
        assert_eq!(one.and(other).width(), Duration::from_secs(3));
        assert_eq!(one.and(Offset::default()), one);
        let doubt = Duration::from_millis(50);
        assert_eq!(one.widened(doubt).width(), Duration::from_millis(1100));
    }

    #[test]
    fn servers_that_contradict_each_other_leave_a_doubt_that_holds_both() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let mut offset = Offset::default();
        assert_eq!(
            (offset.width(), offset.at(Duration::ZERO)),
            (Duration::MAX, None)
        );
        let moment = Duration::from_secs(100);
        offset.observe(at("2026-11-26T09:00:00Z"), moment, moment);
        assert_eq!(offset.width(), Duration::from_secs(1));
        offset.observe(at("2026-11-26T09:00:05Z"), moment, moment);
        assert_eq!(offset.width(), Duration::from_secs(6));
        let (time, off) = offset.at(moment).unwrap();
        assert_eq!(
            (time, off),
            (at("2026-11-26T09:00:03Z"), Duration::from_secs(3))
        );
    }
}
