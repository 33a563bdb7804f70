//! How far this machine's clock is off, by one answer of the API server.
//!
//! Nothing is decided by this machine's clock. It is measured because whoever compares the times of a lease with
//! `date`, or runs another program that trusts it, is misled by as much.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// This machine's clock against the server's, as far as one answer tells.
///
/// The server puts its `Date` on an answer at some moment between the request and the answer's arrival, and cuts it to
/// whole seconds. So what is known is an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MachineClock {
    /// This clock is ahead by no less; negative if it is behind.
    pub at_least: SignedDuration,
    /// This clock is ahead by no more.
    pub at_most: SignedDuration,
}

impl MachineClock {
    /// By the wall clock here when the request was sent, how long the answer took, and the answer's `Date`.
    #[must_use]
    pub fn measured(sent: Timestamp, took: Duration, date: Timestamp) -> Self {
        let before = sent.duration_since(date);
        Self {
            at_least: before.saturating_sub(SignedDuration::from_secs(1)),
            at_most: before
                .saturating_add(SignedDuration::try_from(took).unwrap_or(SignedDuration::MAX)),
        }
    }

    /// By how many seconds this clock is certainly off; zero if it may be right, positive if it is ahead.
    #[must_use]
    pub fn certain_seconds(self) -> i64 {
        if self.at_least.is_positive() {
            self.at_least.as_secs()
        } else if self.at_most.is_negative() {
            self.at_most.as_secs()
        } else {
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certain(sent_millis: i64, took_millis: u64) -> i64 {
        let sent = Timestamp::from_millisecond(1_000_000 + sent_millis).unwrap();
        let date = Timestamp::from_millisecond(1_000_000).unwrap();
        MachineClock::measured(sent, Duration::from_millis(took_millis), date).certain_seconds()
    }

    #[test]
    fn a_clock_is_off_by_no_more_than_an_answer_proves() {
        for (sent, took, expected) in [
            // The date is cut to whole seconds.
            (0, 1, 0),
            (999, 1, 0),
            (1999, 0, 0),
            (2000, 0, 1),
            (600_000, 10, 599),
            // A slow answer proves less.
            (-5, 5, 0),
            (-1000, 0, -1),
            (-600_000, 1000, -599),
            (-600_000, 700_000, 0),
        ] {
            assert_eq!(
                certain(sent, took),
                expected,
                "sent at {sent} ms, {took} ms"
            );
        }
    }
}
