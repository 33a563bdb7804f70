//! What was measured, whatever it was read from. Nothing is judged here.

use std::collections::BTreeMap;

use super::distribution::Distribution;

/// Samples of one or several sources.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Measured {
    /// How long leases were held by processes that nothing hindered, from the write that got them.
    pub(crate) holds: Distribution,
    pub(crate) rate: Rate,
    /// Requests for leases, outside of outages.
    pub(crate) leases: Requests,
    /// All requests, outside of outages.
    pub(crate) all: Requests,
    /// For how many seconds processes were watched, together; outages and pauses would have been seen in that time.
    pub(crate) watched: f64,
    /// Seconds for which a process got nothing done at the API server.
    pub(crate) outages: Distribution,
    /// Failed requests of which nobody knows whether they were one outage, and how long.
    pub(crate) unexplained: u64,
    /// Seconds for which a process stood still; none where the sources do not tell of it.
    pub(crate) pauses: Option<Distribution>,
    /// From the crash of a holder to the next holder, where somebody wanted the lease all the time.
    pub(crate) recoveries: Distribution,
    /// From a release to the next holder, who was waiting.
    pub(crate) hand_overs: Distribution,
    /// Holds that ended because nobody could prove them any more, although their process had not been stopped.
    pub(crate) lost: u64,
    /// The same while it was stopped or cut off, or where nobody knows.
    pub(crate) lost_stopped: u64,
    pub(crate) takeovers: u64,
}

/// How often leases are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Rate {
    /// By histories, one after another.
    pub(super) holds: u64,
    pub(super) seconds: f64,
    /// Holds a second, by replicas side by side.
    pub(super) beside: f64,
}

/// Requests and how they ended.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Requests {
    /// Seconds to the answer.
    pub(crate) latencies: Distribution,
    /// Those that an API server answered as it should, conflicts included.
    pub(crate) answered: u64,
    pub(crate) unanswered: u64,
    /// By status; 0 for a connection that ended.
    pub(crate) refused: BTreeMap<u16, u64>,
}

/// What an answer is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Answered,
    Refused(u16),
    Unanswered,
}

impl Ending {
    /// Of a request that got this status. A renewal that is refused is tried again, whatever the reason.
    pub(super) fn of(status: u16) -> Self {
        match status {
            0 | 401 | 403 | 429 | 500.. => Self::Refused(status),
            _ => Self::Answered,
        }
    }
}

impl Rate {
    /// None where the sources do not say how long they lasted.
    pub(crate) fn per_day(&self) -> Option<f64> {
        let per_second = match self.seconds > 0.0 {
            true => self.holds as f64 / self.seconds,
            false => self.beside,
        };
        (per_second > 0.0).then_some(per_second * 86_400.0)
    }
}

impl Requests {
    pub(super) fn add(&mut self, ending: Ending, times: u64) {
        match ending {
            Ending::Answered => self.answered += times,
            Ending::Refused(status) => *self.refused.entry(status).or_default() += times,
            Ending::Unanswered => self.unanswered += times,
        }
    }

    pub(crate) fn refusals(&self) -> u64 {
        self.refused.values().sum()
    }

    pub(crate) fn attempts(&self) -> u64 {
        self.answered + self.unanswered + self.refusals()
    }

    fn absorb(&mut self, other: &Self) {
        self.latencies.absorb(&other.latencies);
        self.answered += other.answered;
        self.unanswered += other.unanswered;
        for (status, count) in &other.refused {
            *self.refused.entry(*status).or_default() += count;
        }
    }
}

impl Measured {
    /// Adds another source.
    pub(crate) fn absorb(&mut self, other: &Self) {
        self.holds.absorb(&other.holds);
        self.rate.holds += other.rate.holds;
        self.rate.seconds += other.rate.seconds;
        self.rate.beside += other.rate.beside;
        self.leases.absorb(&other.leases);
        self.all.absorb(&other.all);
        self.watched += other.watched;
        self.outages.absorb(&other.outages);
        self.unexplained += other.unexplained;
        if let Some(pauses) = &other.pauses {
            self.pauses.get_or_insert_default().absorb(pauses);
        }
        self.recoveries.absorb(&other.recoveries);
        self.hand_overs.absorb(&other.hand_overs);
        self.lost += other.lost;
        self.lost_stopped += other.lost_stopped;
        self.takeovers += other.takeovers;
    }
}
