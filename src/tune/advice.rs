//! Which timing is recommended, and why. What it is worth the model says; how it is printed the report.

use std::time::Duration;

use gwlock_engine::protocol::timing::Timing;

use super::bound;
use super::measured::Measured;
use super::model::{Load, Model, Recovery, Risk};

/// The durations that are looked at, in seconds; the API has whole ones.
const DURATIONS: [u64; 17] = [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 45, 60, 90, 120];
/// Longer than this no failed renewal waits for the next try, but for a server that asks for it.
const LONGEST_RETRY: Duration = Duration::from_secs(2);
/// So often a renewal is tried at least.
const FEWEST_TRIES: u32 = 3;
/// With fewer samples than these nothing is said.
const FEWEST_HOLDS: u64 = 10;
const FEWEST_REQUESTS: u64 = 30;

/// A timing and what it is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) timing: Timing,
    pub(crate) risk: Risk,
    pub(crate) recovery: Recovery,
    pub(crate) load: Load,
}

/// What is recommended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Advice {
    /// The largest probability of a hold to be lost by a holder that is alive.
    pub(crate) target: f64,
    /// From the shortest lease to the longest.
    pub(crate) candidates: Vec<Candidate>,
    /// The shortest that is good enough.
    pub(crate) chosen: Option<Candidate>,
    /// What the engine does when nobody says anything, and what plain gateways write.
    pub(crate) present: Candidate,
    /// The least target that these samples can show some timing to reach.
    pub(crate) reachable: f64,
    /// For how many hours a process has to be watched, without any outage or pause, to show the target.
    pub(crate) hours_needed: f64,
}

/// There are not enough samples to say anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "too few samples to say anything: {holds} holds and {requests} answered requests for leases; at least \
     {FEWEST_HOLDS} and {FEWEST_REQUESTS} are needed"
)]
pub(crate) struct TooFew {
    holds: u64,
    requests: u64,
}

impl Candidate {
    /// Whether a renewal is tried often enough before the deadline.
    pub(crate) fn is_tried_enough(&self) -> bool {
        self.load.tries >= FEWEST_TRIES
    }

    pub(crate) fn is_good(&self, target: f64) -> bool {
        self.is_tried_enough() && self.risk.per_hold() <= target
    }

    pub(crate) fn seconds(&self) -> u64 {
        self.timing.lease_duration().as_secs()
    }
}

/// Judges every duration, and chooses.
///
/// # Errors
/// Too few samples.
pub(crate) fn advise(measured: &Measured, target: f64) -> Result<Advice, TooFew> {
    let (holds, requests) = (measured.holds.count(), measured.leases.answered);
    let has_latencies = measured.leases.latencies.count() > 0;
    if holds < FEWEST_HOLDS || requests < FEWEST_REQUESTS || !has_latencies {
        return Err(TooFew {
            holds,
            requests: if has_latencies { requests } else { 0 },
        });
    }
    let model = Model::new(measured);
    let judge = |timing| Candidate {
        timing,
        risk: model.risk(timing),
        recovery: model.recovery(timing),
        load: model.load(timing),
    };
    let slow = Duration::try_from_secs_f64(model.slow_answer()).unwrap_or(LONGEST_RETRY);
    let candidates: Vec<Candidate> = DURATIONS
        .into_iter()
        .filter_map(|seconds| timing(Duration::from_secs(seconds), slow))
        .map(judge)
        .collect();
    let chosen = candidates
        .iter()
        .find(|candidate| candidate.is_good(target));
    let reachable = candidates
        .iter()
        .filter(|candidate| candidate.is_tried_enough())
        .map(|candidate| candidate.risk.per_hold())
        .fold(1.0, f64::min);
    let causes = if measured.pauses.is_some() { 2.0 } else { 1.0 };
    let held = measured.holds.mean().unwrap_or(0.0);
    Ok(Advice {
        target,
        chosen: chosen.copied(),
        present: judge(Timing::default()),
        reachable,
        hours_needed: causes * bound::events(0) * held / target / 3600.0,
        candidates,
    })
}

/// The usual proportions, but no retry before a slow answer could have come: a server that is slow is not helped by more
/// requests.
fn timing(lease_duration: Duration, slow: Duration) -> Option<Timing> {
    let usual = Timing::with_duration(lease_duration).ok()?;
    let deadline = whole_millis(usual.renew_deadline());
    let retry = usual.retry_period().max(slow.min(LONGEST_RETRY));
    // Flags are read by people.
    let retry = Duration::from_millis(u64::try_from(retry.as_millis()).ok()?.div_ceil(10) * 10);
    Timing::new(lease_duration, deadline, retry).ok()
}

/// As flags can say it.
fn whole_millis(duration: Duration) -> Duration {
    Duration::from_secs(duration.as_secs()) + Duration::from_millis(duration.subsec_millis().into())
}
