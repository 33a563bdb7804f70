//! Faults to inject, per request.
//!
//! Which requests are hit and what happens to them. The server asks before it handles a request; nothing here knows
//! how a request is handled.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// What happens to a request that is hit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// It is handled this much later. A `?timeout=` that is over by then answers 504 and nothing is done.
    Delay(Duration),
    /// It is handled at once and answered this much later.
    DelayAnswer(Duration),
    /// It is handled, and the connection closes without an answer.
    LoseAnswer,
    /// It is not handled, and the connection closes.
    LoseRequest,
    /// It is handled this much later, even if the client has given up by then.
    Late(Duration),
    /// It is not handled, and this status answers: 409, 429, 500, 503 or 504.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// Seconds for `Retry-After`.
        retry_after: Option<u32>,
    },
    /// It is handled, and this status answers all the same.
    Disguise {
        /// The HTTP status.
        status: u16,
    },
    /// It waits until [`Faults::resume`], as behind an etcd that does not answer: watches and reads with
    /// `resourceVersion=0` come from the cache and do not wait. A `?timeout=` that is over by then answers 504 and
    /// nothing is done.
    Pause,
    /// If it is a watch, its connection closes this long after it began.
    CutWatch(Duration),
    /// If it is a watch, nothing comes any more this long after it began, and the connection stays.
    StallWatch(Duration),
}

/// A fault and the requests that it hits. Every condition that is set has to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Fault {
    action: Action,
    verb: Option<String>,
    resource: Option<String>,
    name: Option<String>,
    user: Option<String>,
    skip: u32,
    times: Option<u32>,
}

impl Fault {
    /// A fault that hits every request.
    pub fn new(action: Action) -> Self {
        Self {
            action,
            verb: None,
            resource: None,
            name: None,
            user: None,
            skip: 0,
            times: None,
        }
    }

    /// Only this verb: `create`, `get`, `list`, `watch`, `update`, `patch`, `delete`.
    pub fn verb(mut self, verb: &str) -> Self {
        self.verb = Some(verb.to_owned());
        self
    }

    /// Only this resource, by its plural.
    pub fn resource(mut self, plural: &str) -> Self {
        self.resource = Some(plural.to_owned());
        self
    }

    /// Only objects of this name.
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Only requests of this user.
    pub fn user(mut self, user: &str) -> Self {
        self.user = Some(user.to_owned());
        self
    }

    /// Not the first `skip` requests that it would hit.
    pub fn after(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    /// Only so many requests.
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    fn hits(&mut self, subject: &Subject) -> bool {
        let matches = |condition: &Option<String>, actual: &str| {
            condition.as_ref().is_none_or(|own| own == actual)
        };
        let hit = matches(&self.verb, subject.verb)
            && matches(&self.resource, &subject.resource)
            && matches(&self.name, &subject.name)
            && matches(&self.user, &subject.user)
            && self.times != Some(0);
        if !hit {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        if let Some(times) = &mut self.times {
            *times -= 1;
        }
        true
    }
}

/// What a request is about: faults are matched on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subject {
    /// The verb; `get` for paths that are no resource.
    pub verb: &'static str,
    /// The plural; empty for paths that are no resource.
    pub resource: String,
    /// The subresource, or empty.
    pub subresource: String,
    /// The namespace; empty for cluster-scoped kinds and for all namespaces.
    pub namespace: String,
    /// The object's name, from the path, the field selector or the body; empty for collections.
    pub name: String,
    /// Who asks, before impersonation; empty if nobody can tell.
    pub user: String,
}

/// A fault that hit a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hit {
    /// What happened to the request.
    pub action: Action,
    /// The request.
    pub subject: Subject,
    /// When it came in, by the runtime's clock.
    pub at: Instant,
}

/// The faults of one server; they can change while it runs. Clones share them.
#[derive(Debug, Clone)]
pub struct Faults {
    plan: Arc<Mutex<Plan>>,
    /// Whether there is any fault; looked at for every request, so it must not need the mutex.
    active: Arc<AtomicBool>,
    control: Arc<watch::Sender<Control>>,
}

#[derive(Debug, Default)]
struct Plan {
    faults: Vec<Fault>,
    hits: Vec<Hit>,
}

/// What running watches and paused requests look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Control {
    pub(crate) cut: u64,
    pub(crate) stalled: bool,
    pub(crate) resumed: u64,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            plan: Arc::default(),
            active: Arc::default(),
            control: Arc::new(watch::channel(Control::default()).0),
        }
    }
}

impl Faults {
    /// Adds a fault. Of several that hit a request the first one acts.
    pub fn inject(&self, fault: Fault) {
        self.lock().faults.push(fault);
        self.active.store(true, Ordering::SeqCst);
    }

    /// Replaces all faults.
    pub fn replace(&self, faults: Vec<Fault>) {
        let mut plan = self.lock();
        self.active.store(!faults.is_empty(), Ordering::SeqCst);
        plan.faults = faults;
    }

    /// Removes all faults, and forgets what they hit.
    pub fn clear(&self) {
        self.replace(Vec::new());
        self.lock().hits.clear();
    }

    /// How many requests have been hit since the last [`Faults::clear`].
    #[must_use]
    pub fn hits(&self) -> u32 {
        u32::try_from(self.lock().hits.len()).unwrap_or(u32::MAX)
    }

    /// Which requests have been hit since the last [`Faults::clear`], in the order in which they came in.
    #[must_use]
    pub fn record(&self) -> Vec<Hit> {
        self.lock().hits.clone()
    }

    /// Lets every paused request go on.
    pub fn resume(&self) {
        self.control.send_modify(|control| control.resumed += 1);
    }

    /// Closes every open watch.
    pub fn cut_watches(&self) {
        self.control.send_modify(|control| control.cut += 1);
    }

    /// Keeps events from every open watch until it is called with `false`.
    pub fn stall_watches(&self, stalled: bool) {
        self.control
            .send_modify(|control| control.stalled = stalled);
    }

    /// Whether no request can be hit now.
    pub(crate) fn is_idle(&self) -> bool {
        !self.active.load(Ordering::SeqCst)
    }

    /// What happens to a request.
    pub(crate) fn act_on(&self, subject: Subject) -> Option<Action> {
        if self.is_idle() {
            return None;
        }
        let mut plan = self.lock();
        let action = plan
            .faults
            .iter_mut()
            .find_map(|fault| fault.hits(&subject).then(|| fault.action.clone()))?;
        plan.hits.push(Hit {
            action: action.clone(),
            subject,
            at: Instant::now(),
        });
        Some(action)
    }

    pub(crate) fn control(&self) -> watch::Receiver<Control> {
        self.control.subscribe()
    }

    /// Waits for the next [`Faults::resume`].
    pub(crate) async fn resumed(self) {
        let mut control = self.control();
        let resumed = control.borrow().resumed;
        // The sender lives as long as `self`, so waiting cannot fail.
        drop(control.wait_for(|control| control.resumed != resumed).await);
    }

    fn lock(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(verb: &'static str) -> Subject {
        Subject {
            verb,
            resource: "leases".into(),
            name: "x".into(),
            user: "u".into(),
            ..Subject::default()
        }
    }

    #[tokio::test]
    async fn a_fault_hits_what_it_describes_as_often_as_it_says() {
        let faults = Faults::default();
        faults.inject(
            Fault::new(Action::LoseAnswer)
                .verb("create")
                .resource("leases")
                .after(1)
                .times(1),
        );
        let acts = ["create", "get", "create", "create"]
            .map(|verb| faults.act_on(request(verb)).is_some());
        assert_eq!(acts, [false, false, true, false]);
        assert_eq!(faults.hits(), 1);
        assert_eq!(faults.record()[0].subject, request("create"));
    }

    #[tokio::test]
    async fn without_faults_nothing_is_hit() {
        let faults = Faults::default();
        faults.inject(Fault::new(Action::Pause));
        faults.clear();
        assert!(faults.is_idle());
        assert_eq!(faults.act_on(request("get")), None);
    }
}
