//! How often what goes wrong, drawn anew for every run.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, RngExt};

/// What kind of world it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    /// The lease works as it promises; a holder that stands still for too long loses it without noticing.
    Leased,
    /// Everybody is told at once to hold the lease.
    Unlocked,
    /// As leased, and somebody deletes requests.
    Deleting,
}

/// A rule that is broken on purpose, to show that the judge notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weakness {
    Nothing,
    /// Every CREATE has a random name, as with the gateway.
    NamesOfChance,
    /// A count is written without looking what stands there.
    CountsTestNothing,
    /// A count without an answer is decided again like one that was refused.
    UnclearCountsAreDecidedAgain,
}

/// Probabilities of one run.
#[derive(Debug, Clone)]
pub(crate) struct Chaos {
    pub(crate) setting: Setting,
    pub(crate) processes: usize,
    pub(crate) signals: usize,
    /// How long signals come.
    pub(crate) lasting: Duration,
    /// A request gets lost on the way.
    pub(crate) lost: f64,
    /// An answer gets lost on the way.
    pub(crate) unanswered: f64,
    /// A request or its answer takes long.
    pub(crate) slow: f64,
    /// 429.
    pub(crate) too_many: f64,
    /// 500, executed or not.
    pub(crate) failing: f64,
    /// The process stands still between deciding to send and sending.
    pub(crate) stalled: f64,
    /// The process stands still at a signal.
    pub(crate) paused: f64,
    /// The process crashes at a signal.
    pub(crate) crashed: f64,
    /// The sender of a signal goes away.
    pub(crate) withdrawn: f64,
    /// How often the orchestrator does something.
    pub(crate) orchestrated_every: Duration,
    /// How often somebody deletes a request.
    pub(crate) deleted_every: Option<Duration>,
}

impl Chaos {
    pub(crate) fn draw(setting: Setting, rng: &mut StdRng) -> Self {
        // Most faults are rare in most runs, so that those that are not come in all combinations.
        let rate = |rng: &mut StdRng, most: f64| match rng.next_u32() % 3 {
            0 => 0.0,
            1 => most / 8.0,
            _ => most,
        };
        Self {
            setting,
            processes: rng.random_range(2..=5),
            signals: rng.random_range(10..=60),
            lasting: Duration::from_millis(rng.random_range(50..=120_000)),
            lost: rate(rng, 0.1),
            unanswered: rate(rng, 0.1),
            slow: rate(rng, 0.2),
            too_many: rate(rng, 0.1),
            failing: rate(rng, 0.1),
            stalled: rate(rng, 0.05),
            paused: rate(rng, 0.1),
            crashed: rate(rng, 0.05),
            withdrawn: rate(rng, 0.1),
            orchestrated_every: Duration::from_millis(20 << rng.random_range(0..=10)),
            deleted_every: (setting == Setting::Deleting)
                .then(|| Duration::from_millis(rng.random_range(50..=20_000))),
        }
    }

    /// From now on nothing goes wrong.
    pub(crate) fn calm(&mut self) {
        for rate in [
            &mut self.lost,
            &mut self.unanswered,
            &mut self.slow,
            &mut self.too_many,
            &mut self.failing,
            &mut self.stalled,
            &mut self.paused,
            &mut self.crashed,
            &mut self.withdrawn,
        ] {
            *rate = 0.0;
        }
        self.deleted_every = None;
    }
}
