//! A process: its run, and the signals that wait for it.

use std::time::Duration;

use gwlock_engine::protocol::clock::{Moment, ServerTime};
use gwlock_engine::remediation::run::{Run, Settings, Situation};
use rand::rngs::StdRng;

use super::world::{START, Truth, fingerprint};

pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
pub(crate) const GRACE: Duration = Duration::from_secs(1);
pub(crate) const BUDGET: Duration = Duration::from_secs(15);

/// What a process believes of the lease.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Lease {
    None,
    /// It asks for it until then.
    Asking(Moment),
    Held {
        holder: String,
        until: Truth,
    },
}

#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) machine: Option<Run>,
    /// Signals that are not counted yet.
    pub(crate) waiting: Vec<usize>,
    /// Signals whose count was sent and not refused.
    pub(crate) batch: Vec<usize>,
    pub(crate) lease: Lease,
    /// Events of earlier turns are of no interest any more.
    pub(crate) turn: u64,
    /// The request that an answer is awaited to.
    pub(crate) awaiting: Option<u64>,
    pub(crate) still_until: Truth,
    /// The newest version that it has read or written.
    pub(crate) seen: Option<String>,
    /// How far its wall clock is off, in seconds.
    pub(crate) skew: i64,
}

impl Process {
    pub(crate) fn new(skew: i64) -> Self {
        Self {
            machine: None,
            waiting: Vec::new(),
            batch: Vec::new(),
            lease: Lease::None,
            turn: 0,
            awaiting: None,
            still_until: Duration::ZERO,
            seen: None,
            skew,
        }
    }

    pub(crate) fn start(&mut self, now: Truth, rng: StdRng) {
        let settings = Settings {
            fingerprint: fingerprint(),
            budget: BUDGET,
            request_timeout: REQUEST_TIMEOUT,
            grace: GRACE,
            seen: self.seen.clone(),
        };
        let wall = START + jiff::SignedDuration::from_secs(self.skew) + now;
        let now = Moment::from_origin(now);
        self.machine = Some(Run::new(settings, now, ServerTime::guess(now, wall), rng));
    }

    pub(crate) fn situation(&mut self) -> Situation {
        let is_counting = self.machine.as_ref().is_some_and(Run::is_counting);
        if !is_counting {
            let later = std::mem::take(&mut self.waiting);
            self.waiting = std::mem::take(&mut self.batch);
            self.waiting.extend(later);
        }
        let sent = self.batch.len();
        Situation {
            waiting: if sent == 0 { self.waiting.len() } else { sent },
            held_until: match &self.lease {
                Lease::Held { until, .. } => Some(Moment::from_origin(*until)),
                _ => None,
            },
        }
    }

    /// Ends without a word; whom it leaves without an answer.
    pub(crate) fn crash(&mut self) -> (Vec<usize>, Vec<usize>) {
        self.machine = None;
        self.seen = None;
        self.lease = Lease::None;
        self.turn += 1;
        self.awaiting = None;
        (
            std::mem::take(&mut self.waiting),
            std::mem::take(&mut self.batch),
        )
    }
}
