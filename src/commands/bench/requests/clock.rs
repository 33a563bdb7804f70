//! A clock that stands still while others act.
//!
//! How often a run looks while it waits depends on how long it waits. With this clock it waits for as long as the case
//! needs and no longer, so that the count is the same on a slow cluster.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gwlock_engine::client::Clock;
use gwlock_engine::protocol::clock::Moment;
use jiff::Timestamp;

/// How often a sleeper looks whether the clock has moved.
const NAP: Duration = Duration::from_millis(2);

#[derive(Debug, Default)]
pub(super) struct StandingClock {
    moved_ms: AtomicU64,
}

impl StandingClock {
    pub(super) fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.moved_ms.fetch_add(by, Ordering::Relaxed);
    }
}

impl Clock for StandingClock {
    fn now(&self) -> Moment {
        Moment::from_origin(Duration::from_millis(self.moved_ms.load(Ordering::Relaxed)))
    }

    fn wall(&self) -> Timestamp {
        Timestamp::now()
    }

    fn nap(&self, left: Duration) -> Duration {
        left.min(NAP)
    }
}
