//! When a request is tried again, and until when. What is sent, and what it means that time is up, is not known here.

use std::time::Duration;

use super::clock::Moment;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// Pauses that double from 50 ms to 1 s, within a budget.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    due: Moment,
    deadline: Moment,
    pause: Duration,
}

impl Backoff {
    /// The first try is due at once.
    pub(super) fn new(now: Moment, budget: Duration) -> Self {
        Self {
            due: now,
            deadline: now + budget,
            pause: FIRST_PAUSE,
        }
    }

    /// When the next try is due.
    pub(super) fn due(&self) -> Moment {
        self.due
    }

    /// Puts the next try off, by what the server asks for if that is more; whether there is still time for it.
    pub(super) fn put_off(&mut self, now: Moment, retry_after: Option<Duration>) -> bool {
        self.due = now + self.pause.max(retry_after.unwrap_or_default());
        self.pause = (self.pause * 2).min(LAST_PAUSE);
        self.due < self.deadline
    }
}
