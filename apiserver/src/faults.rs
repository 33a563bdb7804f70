//! Faults to inject, per request.
//!
//! Which requests are hit and what happens to them. The server asks before it handles a request; nothing here knows
//! how a request is handled.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

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
    /// It waits until [`Faults::resume`].
    Pause,
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
    hits: u32,
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
            hits: 0,
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

    fn hits(&mut self, request: &Description<'_>) -> bool {
        let matches = |condition: &Option<String>, actual: &str| {
            condition.as_ref().is_none_or(|own| own == actual)
        };
        let hit = matches(&self.verb, request.verb)
            && matches(&self.resource, request.resource)
            && matches(&self.name, request.name)
            && matches(&self.user, request.user)
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
        self.hits += 1;
        true
    }
}

/// What a fault can be matched on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Description<'a> {
    pub(crate) verb: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) name: &'a str,
    pub(crate) user: &'a str,
}

/// The faults of one server; they can change while it runs. Clones share them.
#[derive(Debug, Clone)]
pub struct Faults {
    plan: Arc<Mutex<Vec<Fault>>>,
    control: Arc<watch::Sender<Control>>,
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
            control: Arc::new(watch::channel(Control::default()).0),
        }
    }
}

impl Faults {
    /// Adds a fault. Of several that hit a request the first one acts.
    pub fn inject(&self, fault: Fault) {
        self.lock().push(fault);
    }

    /// Removes all faults.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// How many requests have been hit by the faults that are there.
    #[must_use]
    pub fn hits(&self) -> u32 {
        self.lock().iter().map(|fault| fault.hits).sum()
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

    pub(crate) fn act_on(&self, request: &Description<'_>) -> Option<Action> {
        let mut plan = self.lock();
        if plan.is_empty() {
            return None;
        }
        plan.iter_mut()
            .find_map(|fault| fault.hits(request).then(|| fault.action.clone()))
    }

    pub(crate) fn control(&self) -> watch::Receiver<Control> {
        self.control.subscribe()
    }

    pub(crate) async fn paused(&self) {
        let mut control = self.control();
        let resumed = control.borrow().resumed;
        drop(control.wait_for(|control| control.resumed != resumed).await);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Fault>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_hits_what_it_describes_as_often_as_it_says() {
        let faults = Faults::default();
        faults.inject(
            Fault::new(Action::LoseAnswer)
                .verb("create")
                .resource("leases")
                .after(1)
                .times(1),
        );
        let request = |verb| Description {
            verb,
            resource: "leases",
            name: "x",
            user: "u",
        };
        let acts: Vec<bool> = ["create", "get", "create", "create"]
            .map(|verb| faults.act_on(&request(verb)).is_some())
            .to_vec();
        assert_eq!(acts, [false, false, true, false]);
        assert_eq!(faults.hits(), 1);
    }
}
