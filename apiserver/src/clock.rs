//! Where the server reads the wall clock. Timeouts never come from here: they are tokio's time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// A source of wall-clock time: the `Date` of answers, creation times and field stamps.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

/// A wall clock that advances with tokio's time, so that a paused runtime moves it too.
#[derive(Debug, Clone, Copy)]
pub struct TokioClock {
    epoch: Timestamp,
    origin: Instant,
    /// Parts per million by which this clock runs faster than tokio's.
    drift_ppm: i64,
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

impl TokioClock {
    /// A clock that shows `epoch` at this moment of tokio's time.
    #[must_use]
    pub fn starting_at(epoch: Timestamp) -> Self {
        Self {
            epoch,
            origin: Instant::now(),
            drift_ppm: 0,
        }
    }

    /// The same clock running faster by `ppm` parts per million, slower where `ppm` is negative.
    #[must_use]
    pub fn with_drift_ppm(self, ppm: i64) -> Self {
        Self {
            drift_ppm: ppm,
            ..self
        }
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        self.epoch + drifted(self.origin.elapsed(), self.drift_ppm)
    }
}

fn drifted(elapsed: Duration, ppm: i64) -> SignedDuration {
    let nanos = i128::try_from(elapsed.as_nanos()).unwrap_or(i128::MAX);
    let shown = nanos.saturating_add(nanos.saturating_mul(ppm.into()) / 1_000_000);
    SignedDuration::from_nanos(i64::try_from(shown).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_tokio_clock_moves_with_the_paused_runtime_and_drifts_as_told() {
        let epoch: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a valid instant");
        let exact = TokioClock::starting_at(epoch);
        let fast = exact.with_drift_ppm(1_000);
        tokio::time::advance(Duration::from_secs(1_000)).await;
        assert_eq!(exact.now(), epoch + SignedDuration::from_secs(1_000));
        assert_eq!(fast.now(), epoch + SignedDuration::from_secs(1_001));
    }
}
