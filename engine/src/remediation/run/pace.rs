//! How long a run waits before it tries something again.

use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;

use crate::protocol::clock::Moment;

use super::super::exchange::Answer;
use super::{Plan, Run};

/// Waits after a failure grow from this …
const FIRST_RETRY: Duration = Duration::from_millis(50);
/// … to this.
const LAST_RETRY: Duration = Duration::from_secs(1);
/// Of several processes that count on one request all but one have to read again, and each time one gets through. The
/// span over which they spread grows from this …
const FIRST_SPREAD: Duration = Duration::from_millis(10);
/// … to this.
const LAST_SPREAD: Duration = Duration::from_millis(640);
/// A holder creates within some milliseconds, so the first look while waiting for it comes soon; later ones come for
/// the case that it has trouble.
const FIRST_LOOK: Duration = Duration::from_millis(25);
/// The longest time between two looks.
const LAST_LOOK: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct Pace {
    retry: Duration,
    spread: Duration,
    look: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            retry: FIRST_RETRY,
            spread: FIRST_SPREAD,
            look: FIRST_LOOK,
        }
    }
}

impl Pace {
    /// When to look while somebody else holds the lease.
    pub(super) fn look_at(&mut self, now: Moment, rng: &mut StdRng) -> Moment {
        let delay = self.look;
        self.look = (delay * 2).min(LAST_LOOK);
        now + half_and_some(delay, rng)
    }

    /// When to read again after a write that found something else than it tested.
    fn after_conflict(&mut self, now: Moment, rng: &mut StdRng) -> Moment {
        let span = self.spread;
        self.spread = (span * 2).min(LAST_SPREAD);
        now + span.mul_f64(rng.random::<f64>())
    }

    fn after_failure(&mut self, now: Moment, rng: &mut StdRng) -> Moment {
        let delay = self.retry;
        self.retry = (delay * 2).min(LAST_RETRY);
        now + half_and_some(delay, rng)
    }
}

impl Run {
    /// Does `then` a little later, after an answer that left it undone.
    pub(super) fn retry(&mut self, then: Plan, answer: &Answer, now: Moment) {
        let mut until = self.pace.after_failure(now, &mut self.rng);
        if let Answer::NotExecuted(why) = answer {
            until = until.max(now + why.retry_after.unwrap_or_default());
        }
        self.plan = Plan::Wait {
            until,
            then: Box::new(then),
        };
    }

    /// Does `then` after a conflict.
    pub(super) fn after_conflict(&mut self, then: Plan, now: Moment) {
        self.distrust_caches();
        self.plan = Plan::Wait {
            until: self.pace.after_conflict(now, &mut self.rng),
            then: Box::new(then),
        };
    }
}

fn half_and_some(delay: Duration, rng: &mut StdRng) -> Duration {
    let half = delay / 2;
    half + half.mul_f64(rng.random::<f64>())
}
