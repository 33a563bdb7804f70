//! Writes the history while it happens. Nothing is judged here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::time::Instant;

use super::history::{Event, What};

/// The history so far. Clones write to the same one.
#[derive(Clone)]
pub(super) struct Recorder {
    start: Instant,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    events: Vec<Event>,
    calls: u64,
    signals: u64,
    uids: BTreeMap<String, String>,
    by_verb: BTreeMap<String, u64>,
}

/// Everything that was recorded.
pub(super) struct Recorded {
    pub(super) events: Vec<Event>,
    pub(super) by_verb: BTreeMap<String, u64>,
}

impl Recorder {
    pub(super) fn new(start: Instant) -> Self {
        Self {
            start,
            state: Arc::default(),
        }
    }

    /// How much time has passed.
    pub(super) fn elapsed(&self) -> std::time::Duration {
        self.start.elapsed()
    }

    /// Something that the world did.
    pub(super) fn world(&self, what: What) {
        self.tell("", 0, what);
    }

    pub(super) fn tell(&self, pod: &str, incarnation: u32, what: What) {
        let at = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.lock().events.push(Event {
            at,
            pod: pod.to_owned(),
            incarnation,
            what,
        });
    }

    /// The number of a new request.
    pub(super) fn next_call(&self, verb: &str, resource: &str) -> u64 {
        let mut state = self.lock();
        let verb = format!("{verb} {resource}");
        *state.by_verb.entry(verb).or_default() += 1;
        state.calls += 1;
        state.calls
    }

    /// The number of a new signal.
    pub(super) fn next_signal(&self) -> u64 {
        let mut state = self.lock();
        state.signals += 1;
        state.signals
    }

    /// A RemediationRequest as it is now.
    pub(super) fn request(&self, object: &Value, deleted: bool) {
        let metadata = &object["metadata"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (uid, name) = (text(&metadata["uid"]), text(&metadata["name"]));
        let status = &object["status"];
        let phase = text(&status["overallPhase"]);
        let ended = ["Completed", "Failed", "TimedOut", "Skipped", "Cancelled"];
        let key = text(&object["spec"]["signalFingerprint"]);
        self.lock().uids.insert(name.clone(), uid.clone());
        self.world(What::Request {
            active: !deleted
                && metadata["deletionTimestamp"].is_null()
                && !ended.contains(&phase.as_str()),
            count: status["deduplication"]["occurrenceCount"].as_i64(),
            key: short(&key).to_owned(),
            uid,
            name,
            phase,
            version: metadata["resourceVersion"].as_str().map(str::to_owned),
            deleted,
        });
    }

    /// The uid of the request of this name that was there last.
    pub(super) fn uid_of(&self, name: &str) -> Option<String> {
        self.lock().uids.get(name).cloned()
    }

    pub(super) fn take(&self) -> Recorded {
        let mut state = self.lock();
        Recorded {
            events: std::mem::take(&mut state.events),
            by_verb: std::mem::take(&mut state.by_verb),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A fingerprint as histories have it: the part that names its lease.
pub(super) fn short(fingerprint: &str) -> &str {
    fingerprint.get(..16).unwrap_or(fingerprint)
}
