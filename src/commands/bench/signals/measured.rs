//! What a block has measured, in figures. How they are printed is not said here.

use std::fmt;
use std::time::Duration;

use super::block::Block;
use super::exact::Exactness;
use super::mix::count;
use super::scrape::Requests;
use super::tally::Tally;

/// A block that has come to its end.
#[derive(Debug, Clone)]
pub(super) struct Measured {
    pub(super) block: Block,
    pub(super) tally: Tally,
    /// Without those of the warm-up.
    pub(super) requests: Requests,
    pub(super) exactness: Exactness,
    /// The metrics of all replicas as one text, the warm-up included.
    pub(super) metrics: String,
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}/s", self.protocol.name(), self.load.rate)
    }
}

impl Measured {
    /// Signals that were answered with success, a second: until the end of the load, or until the last answer if that
    /// came later.
    pub(super) fn achieved(&self) -> f64 {
        count(self.tally.answered()) / self.seconds()
    }

    pub(super) fn signals(&self) -> u64 {
        self.tally.all().count()
    }

    /// The share of the signals that failed.
    pub(super) fn failed_share(&self) -> f64 {
        count(self.tally.failures()) / count(self.block.load.signals().max(1))
    }

    pub(super) fn p95(&self) -> Duration {
        self.tally.all().percentile(95.0)
    }

    pub(super) fn p99(&self) -> Duration {
        self.tally.all().percentile(99.0)
    }

    /// Requests to the API server, a second.
    pub(super) fn per_second(&self, requests: u64) -> f64 {
        count(requests) / self.seconds()
    }

    pub(super) fn requests_per_signal(&self) -> f64 {
        count(self.requests.total()) / count(self.signals().max(1))
    }

    /// Whether the rate was held: nothing failed, all was answered in time, and as much as was wanted.
    pub(super) fn is_held(&self) -> bool {
        self.tally.failures() == 0 && self.p99() <= self.block.limit && self.keeps_up()
    }

    pub(super) fn keeps_up(&self) -> bool {
        self.achieved() >= KEEPS_UP * self.block.load.rate
    }

    fn seconds(&self) -> f64 {
        let load = self.block.load;
        let until = self.tally.last_answer.saturating_sub(load.warm_up);
        until.max(load.duration).as_secs_f64()
    }
}

/// The share of a wanted rate that has to be achieved.
pub(super) const KEEPS_UP: f64 = 0.98;
