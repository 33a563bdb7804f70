//! How long a lease lasts and when its holder acts.
//!
//! Numbers and their consistency only.

use std::time::Duration;

/// What a `spec.leaseDurationSeconds` that is absent counts as, and what the gateway writes: 30 s.
pub const DEFAULT_LEASE_DURATION: Duration = Duration::from_secs(30);

/// How much later than the duration a takeover happens by default, so that API servers may disagree by that much: 2 s.
pub const DEFAULT_MARGIN: Duration = Duration::from_secs(2);

const DEFAULT_RETRY_PERIOD: Duration = Duration::from_secs(2);

/// client-go's factor between retry period and renew deadline.
const JITTER_FACTOR: f64 = 1.2;

/// Why three durations do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimingError {
    /// The API stores whole seconds in an int32.
    #[error("the lease duration {0:?} is not a whole number of seconds from 1 to 2147483647")]
    NotWholeSeconds(Duration),
    /// Renewal happens every third of the duration, so the deadline has to leave room for one failure.
    #[error(
        "the renew deadline {deadline:?} has to be longer than a third of the lease duration plus 1.2 retry periods ({least:?})"
    )]
    DeadlineTooShort {
        /// As given.
        deadline: Duration,
        /// The bound.
        least: Duration,
    },
    /// The holder stops at the deadline; with no time left it would still work when the lease expires.
    #[error(
        "the renew deadline {deadline:?} has to be shorter than the lease duration {duration:?}"
    )]
    DeadlineTooLong {
        /// As given.
        deadline: Duration,
        /// As given.
        duration: Duration,
    },
    /// A retry period of zero would be a hot loop.
    #[error("the retry period has to be longer than zero")]
    NoRetryPeriod,
}

/// Lease duration, renew deadline and retry period (client-go's names and meanings), consistent with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    lease_duration: Duration,
    renew_deadline: Duration,
    retry_period: Duration,
}

impl Timing {
    /// Checks all three together.
    ///
    /// # Errors
    /// [`TimingError`], the first rule that is broken.
    pub fn new(
        lease_duration: Duration,
        renew_deadline: Duration,
        retry_period: Duration,
    ) -> Result<Self, TimingError> {
        let whole = lease_duration.subsec_nanos() == 0
            && (1..=i32::MAX as u64).contains(&lease_duration.as_secs());
        if !whole {
            return Err(TimingError::NotWholeSeconds(lease_duration));
        }
        if retry_period.is_zero() {
            return Err(TimingError::NoRetryPeriod);
        }
        if renew_deadline >= lease_duration {
            return Err(TimingError::DeadlineTooLong {
                deadline: renew_deadline,
                duration: lease_duration,
            });
        }
        let least = lease_duration / 3 + retry_period.mul_f64(JITTER_FACTOR);
        if renew_deadline <= least {
            return Err(TimingError::DeadlineTooShort {
                deadline: renew_deadline,
                least,
            });
        }
        Ok(Self {
            lease_duration,
            renew_deadline,
            retry_period,
        })
    }

    /// The usual proportions: a renew deadline of two thirds, a retry period of 2 s or a fifteenth of the duration if
    /// that is less, so that several tries fit in before the deadline.
    ///
    /// # Errors
    /// [`TimingError::NotWholeSeconds`].
    pub fn with_duration(lease_duration: Duration) -> Result<Self, TimingError> {
        let retry_period = DEFAULT_RETRY_PERIOD
            .min(lease_duration / 15)
            .max(Duration::from_nanos(1));
        Self::new(lease_duration, lease_duration * 2 / 3, retry_period)
    }

    /// How long the lease lasts after a write.
    #[must_use]
    pub fn lease_duration(&self) -> Duration {
        self.lease_duration
    }

    /// As it stands in the record.
    #[must_use]
    pub fn lease_duration_seconds(&self) -> i32 {
        i32::try_from(self.lease_duration.as_secs()).unwrap_or(i32::MAX)
    }

    /// How long after the last good renewal the holder still works.
    #[must_use]
    pub fn renew_deadline(&self) -> Duration {
        self.renew_deadline
    }

    /// How long after the last good renewal the next one is sent: a third of the duration.
    #[must_use]
    pub fn renew_interval(&self) -> Duration {
        self.lease_duration / 3
    }

    /// How long after a failed renewal the next try is sent.
    #[must_use]
    pub fn retry_period(&self) -> Duration {
        self.retry_period
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            lease_duration: DEFAULT_LEASE_DURATION,
            renew_deadline: DEFAULT_LEASE_DURATION * 2 / 3,
            retry_period: DEFAULT_RETRY_PERIOD,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_default_is_the_gateways_duration_in_the_usual_proportions() {
        assert_eq!(Timing::with_duration(s(30)).unwrap(), Timing::default());
        assert_eq!(Timing::new(s(30), s(20), s(2)).unwrap(), Timing::default());
    }

    #[test]
    fn one_second_is_the_shortest_lease() {
        let timing = Timing::with_duration(s(1)).unwrap();
        assert_eq!(timing.renew_deadline(), s(2) / 3);
        assert_eq!(
            Timing::with_duration(s(0)),
            Err(TimingError::NotWholeSeconds(s(0)))
        );
        let half = Duration::from_millis(1500);
        assert_eq!(
            Timing::with_duration(half),
            Err(TimingError::NotWholeSeconds(half))
        );
    }

    #[test]
    fn contradictory_durations_are_refused_together() {
        assert_eq!(
            Timing::new(s(30), s(30), s(2)),
            Err(TimingError::DeadlineTooLong {
                deadline: s(30),
                duration: s(30)
            })
        );
        assert_eq!(
            Timing::new(s(30), s(20), s(10)),
            Err(TimingError::DeadlineTooShort {
                deadline: s(20),
                least: s(22)
            })
        );
        assert_eq!(
            Timing::new(s(30), s(20), s(0)),
            Err(TimingError::NoRetryPeriod)
        );
    }
}
