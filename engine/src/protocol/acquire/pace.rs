//! How long to wait before the next request.

use std::time::Duration;

use rand::RngExt;

use super::super::clock::Moment;
use super::super::exchange::{Answer, NotExecuted};
use super::plan::{Plan, Sent, Then};
use super::{Acquire, NotHeld};

/// Where watch is forbidden the waits between two reads grow from this …
pub(super) const FIRST_POLL: Duration = Duration::from_millis(100);
/// … to this.
const LAST_POLL: Duration = Duration::from_secs(1);
/// A watch can stall without ending, so a read comes at least this often.
pub(super) const BACKSTOP: Duration = Duration::from_secs(10);
/// Waiters that have lost a race go at once or up to so many milliseconds later into the next one. Timers count in
/// milliseconds, so that any finer delay would cost a whole one.
const WAKE_SPREAD: u64 = 3;

impl Acquire {
    pub(super) fn on_not_executed(&mut self, sent: Sent, why: &NotExecuted, arrived: Moment) {
        let then = if sent == Sent::Create {
            Then::Create
        } else {
            Then::Look
        };
        self.retry(arrived, then, why.retry_after);
    }

    /// Tries again a little later, as long as there is time to wait or something to settle.
    pub(super) fn retry(&mut self, now: Moment, then: Then, retry_after: Option<Duration>) {
        if self.closing.is_some() {
            return self.settle_later(now, retry_after);
        }
        let delay = self.poll_delay().max(retry_after.unwrap_or_default());
        if now + delay >= self.patience() {
            let message = self.trouble.clone().unwrap_or_default();
            return self.give_up_later(NotHeld::Unreachable(message), now, retry_after);
        }
        self.plan = Plan::Idle {
            until: now + delay,
            watch_from: None,
            then,
        };
    }

    /// Until when it is tried again: for as long as there is time to wait, and for as long as a record of ours proves
    /// anything, wait or no wait.
    fn patience(&self) -> Moment {
        let sent = self.standing.as_ref().and_then(|standing| standing.sent);
        let proves = sent.map(|sent| sent + self.settings.timing.renew_deadline());
        proves.map_or(self.deadline, |proves| proves.max(self.deadline))
    }

    /// A write without an answer may be sent again at once; one that fails again and again may not.
    pub(super) fn count_failure(&mut self, answer: &Answer) {
        self.write_trouble = match answer {
            Answer::Unclear(message) => Some(message.clone()),
            Answer::NotExecuted(why) => Some(why.message.clone()),
            _ => None,
        };
        if matches!(answer, Answer::Unclear(_)) {
            self.failed_writes += 1;
            self.cooling = self.failed_writes > 1;
        } else {
            self.failed_writes = 0;
            self.cooling = false;
        }
    }

    /// Puts a write off that failed before, and looks again first.
    pub(super) fn cools_down(&mut self, now: Moment) -> bool {
        let cooling = std::mem::take(&mut self.cooling);
        if cooling {
            self.plan = Plan::Idle {
                until: now + self.poll_delay(),
                watch_from: None,
                then: Then::Look,
            };
        }
        cooling
    }

    pub(super) fn poll_delay(&mut self) -> Duration {
        let delay = self.poll;
        self.poll = (delay * 2).min(LAST_POLL);
        let half = delay / 2;
        half + half.mul_f64(self.rng.random::<f64>())
    }

    pub(super) fn spread(&mut self) -> Duration {
        Duration::from_millis(self.rng.random_range(0..=WAKE_SPREAD))
    }
}
