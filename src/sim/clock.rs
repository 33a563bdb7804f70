//! The clocks of a simulated pod: off by as much as it is told, and running at a speed of their own.

use std::time::Duration;

use gwlock_engine::client::Clock;
use gwlock_engine::protocol::clock::Moment;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// A clock that runs with tokio's time, faster or slower.
#[derive(Debug, Clone, Copy)]
pub(super) struct PodClock {
    pub(super) origin: Instant,
    /// What it shows at its origin.
    pub(super) wall: Timestamp,
    /// How much faster than true time it runs, in parts per million.
    pub(super) drift_ppm: i32,
}

impl PodClock {
    /// How long a time of this clock really lasts.
    pub(super) fn really(&self, time: Duration) -> Duration {
        time.div_f64(self.rate())
    }

    fn rate(&self) -> f64 {
        1.0 + f64::from(self.drift_ppm) / 1e6
    }

    fn elapsed(&self) -> Duration {
        self.origin.elapsed().mul_f64(self.rate())
    }
}

impl Clock for PodClock {
    fn now(&self) -> Moment {
        Moment::from_origin(self.elapsed())
    }

    fn wall(&self) -> Timestamp {
        self.wall + SignedDuration::try_from(self.elapsed()).unwrap_or(SignedDuration::MAX)
    }

    fn nap(&self, left: Duration) -> Duration {
        // Rounding must not make it a nap of nothing, again and again.
        self.really(left) + Duration::from_micros(1)
    }
}
