//! The clocks that drive the machines.
//!
//! Reading time and sleeping; what a moment means for a lease is decided in [`crate::protocol`].

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustix::time::{ClockId, clock_gettime};
use tokio::time::Instant;

use crate::protocol::clock::Moment;

/// A local clock.
pub trait Clock: Send + Sync + 'static {
    /// A clock that never goes back and runs through suspend.
    fn now(&self) -> Moment;

    /// The wall clock, which may be wrong by any amount.
    fn wall(&self) -> Timestamp;

    /// How long to sleep at most before looking at the clock again, when `left` remains.
    fn nap(&self, left: Duration) -> Duration;
}

/// Sleeps until a moment of this clock.
pub async fn sleep_until(clock: &dyn Clock, until: Moment) {
    loop {
        let left = until.since(clock.now());
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(clock.nap(left)).await;
    }
}

/// The machine's clocks: `CLOCK_BOOTTIME` and the wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

/// tokio's timers stand still while the machine sleeps, so naps are short enough to notice it in time.
const LONGEST_NAP: Duration = Duration::from_secs(1);

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        let time = clock_gettime(ClockId::Boottime);
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
        Moment::from_origin(Duration::new(seconds, nanos))
    }

    fn wall(&self) -> Timestamp {
        Timestamp::now()
    }

    fn nap(&self, left: Duration) -> Duration {
        left.min(LONGEST_NAP)
    }
}

/// The time of the tokio runtime, which tests and simulations can pause, with a wall clock that starts where it is told.
#[derive(Debug, Clone, Copy)]
pub struct TokioClock {
    origin: Instant,
    wall: Timestamp,
}

impl TokioClock {
    /// A clock whose wall shows `wall` now.
    #[must_use]
    pub fn starting_at(wall: Timestamp) -> Self {
        Self {
            origin: Instant::now(),
            wall,
        }
    }

    /// The same moments with another wall clock.
    #[must_use]
    pub fn with_wall_offset(self, offset: SignedDuration) -> Self {
        Self {
            wall: self.wall + offset,
            ..self
        }
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Moment {
        Moment::from_origin(self.origin.elapsed())
    }

    fn wall(&self) -> Timestamp {
        self.wall + SignedDuration::try_from(self.origin.elapsed()).unwrap_or(SignedDuration::MAX)
    }

    fn nap(&self, left: Duration) -> Duration {
        left
    }
}
