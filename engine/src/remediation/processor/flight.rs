//! Single flight: at most one run at a time for each fingerprint, and who waits for it.
//!
//! Nothing is sent here.

use std::collections::HashMap;
use std::sync::Mutex;

use tokio::sync::oneshot;

use crate::protocol::key::Fingerprint;

use super::super::outcome::{Counted, Failure, Processed};
use super::super::signal::Signal;
use super::lock;

/// A signal and where its answer goes.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) signal: Signal,
    pub(super) answer: oneshot::Sender<Result<Processed, Failure>>,
}

/// Who waits, by fingerprint. An entry stands for as long as its fingerprint has a run.
#[derive(Debug, Default)]
pub(super) struct Flights {
    waiting: Mutex<HashMap<Fingerprint, Vec<Waiter>>>,
}

impl Flights {
    /// Adds a signal. True when its fingerprint has no run yet: the caller has to start one.
    pub(super) fn join(&self, fingerprint: &Fingerprint, waiter: Waiter) -> bool {
        let mut waiting = lock(&self.waiting);
        if let Some(waiters) = waiting.get_mut(fingerprint) {
            waiters.push(waiter);
            return false;
        }
        waiting.insert(fingerprint.clone(), vec![waiter]);
        true
    }

    /// How many wait. Those who have gone away are forgotten.
    pub(super) fn count(&self, fingerprint: &Fingerprint) -> usize {
        let mut waiting = lock(&self.waiting);
        let Some(waiters) = waiting.get_mut(fingerprint) else {
            return 0;
        };
        waiters.retain(|waiter| !waiter.answer.is_closed());
        waiters.len()
    }

    /// The signal that a request is made of: that of the first who waits.
    pub(super) fn first_signal(&self, fingerprint: &Fingerprint) -> Option<Signal> {
        let waiting = lock(&self.waiting);
        Some(waiting.get(fingerprint)?.first()?.signal.clone())
    }

    /// Takes the first `count` who wait, in the order in which they came.
    pub(super) fn take(&self, fingerprint: &Fingerprint, count: usize) -> Vec<Waiter> {
        let mut waiting = lock(&self.waiting);
        let Some(waiters) = waiting.get_mut(fingerprint) else {
            return Vec::new();
        };
        waiters.drain(..count.min(waiters.len())).collect()
    }

    /// Puts back whom [`Flights::take`] gave, before all who have come since.
    pub(super) fn put_back(&self, fingerprint: &Fingerprint, batch: Vec<Waiter>) {
        let mut waiting = lock(&self.waiting);
        if let Some(waiters) = waiting.get_mut(fingerprint) {
            waiters.splice(0..0, batch);
        }
    }

    /// Ends the runs of a fingerprint, unless somebody waits for another one.
    pub(super) fn end(&self, fingerprint: &Fingerprint) -> bool {
        let mut waiting = lock(&self.waiting);
        let is_over = waiting.get_mut(fingerprint).is_none_or(|waiters| {
            waiters.retain(|waiter| !waiter.answer.is_closed());
            waiters.is_empty()
        });
        if is_over {
            waiting.remove(fingerprint);
        }
        is_over
    }

    /// Forgets a fingerprint whose run was cut off, and with it everybody who waits.
    pub(super) fn forget(&self, fingerprint: &Fingerprint) {
        lock(&self.waiting).remove(fingerprint);
    }
}

/// Answers those who were counted together, in the order in which they came. Who has gone away does not hear it.
pub(super) fn answer(
    batch: Vec<Waiter>,
    fingerprint: &Fingerprint,
    result: &Result<Counted, Failure>,
) {
    for (i, waiter) in (1..).zip(batch) {
        let own = match result {
            Ok(counted) => Ok(counted.answer(fingerprint, i)),
            Err(failure) => Err(failure.clone()),
        };
        drop(waiter.answer.send(own));
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::remediation::{RemediationRequestSpec, TargetResource, TargetType};

    type Answered = oneshot::Receiver<Result<Processed, Failure>>;

    fn waiter(name: &str) -> (Waiter, Answered) {
        let (answer, answered) = oneshot::channel();
        let signal = Signal::new(RemediationRequestSpec {
            signal_fingerprint: Fingerprint::of("f"),
            signal_name: name.to_owned(),
            severity: "info".to_owned(),
            signal_type: "alert".to_owned(),
            signal_source: None,
            target_type: TargetType::Kubernetes,
            target_resource: TargetResource {
                api_version: None,
                kind: "Node".to_owned(),
                name: "a".to_owned(),
                namespace: None,
            },
            cluster_id: None,
            firing_time: Timestamp::UNIX_EPOCH,
            received_time: Timestamp::UNIX_EPOCH,
            signal_labels: Default::default(),
            signal_annotations: Default::default(),
            provider_data: None,
            original_payload: None,
        });
        (Waiter { signal, answer }, answered)
    }

    fn names(waiters: &[Waiter]) -> Vec<&str> {
        waiters
            .iter()
            .map(|waiter| waiter.signal.spec.signal_name.as_str())
            .collect()
    }

    #[test]
    fn only_the_first_signal_starts_a_run() {
        let (flights, fingerprint) = (Flights::default(), Fingerprint::of("f"));
        let (a, _a) = waiter("a");
        let (b, _b) = waiter("b");
        assert!(flights.join(&fingerprint, a));
        assert!(!flights.join(&fingerprint, b));
        assert_eq!(flights.count(&fingerprint), 2);
        let (c, _c) = waiter("c");
        assert!(flights.join(&Fingerprint::of("other"), c));
    }

    #[test]
    fn a_batch_that_is_put_back_comes_before_all_who_came_meanwhile() {
        let (flights, fingerprint) = (Flights::default(), Fingerprint::of("f"));
        let (waiters, _answers): (Vec<_>, Vec<_>) = ["a", "b", "c"].map(waiter).into_iter().unzip();
        for waiter in waiters {
            flights.join(&fingerprint, waiter);
        }
        let batch = flights.take(&fingerprint, 2);
        assert_eq!(names(&batch), ["a", "b"]);
        flights.put_back(&fingerprint, batch);
        assert_eq!(names(&flights.take(&fingerprint, 3)), ["a", "b", "c"]);
    }

    #[test]
    fn who_has_gone_away_is_not_counted() {
        let (flights, fingerprint) = (Flights::default(), Fingerprint::of("f"));
        let (a, gone) = waiter("a");
        let (b, _b) = waiter("b");
        flights.join(&fingerprint, a);
        flights.join(&fingerprint, b);
        drop(gone);
        assert_eq!(flights.count(&fingerprint), 1);
        assert_eq!(names(&flights.take(&fingerprint, 1)), ["b"]);
    }

    #[test]
    fn a_run_ends_only_when_nobody_waits_for_another() {
        let (flights, fingerprint) = (Flights::default(), Fingerprint::of("f"));
        let (a, gone) = waiter("a");
        flights.join(&fingerprint, a);
        assert!(!flights.end(&fingerprint));
        drop(gone);
        assert!(flights.end(&fingerprint));
        let (b, _b) = waiter("b");
        assert!(flights.join(&fingerprint, b), "a new run has to be started");
    }
}
