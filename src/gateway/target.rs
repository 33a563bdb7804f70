//! Which object an alert's labels mean.
//!
//! Pure: candidates are ranked, and [`Selection::next`] hands out the questions whether they exist, one after another,
//! until one does. Who asks, and whom, is not known here.
//!
//! The key that a running gateway computes decides. Its rules therefore stay, whatever they cost:
//!
//! | Rule | What it costs |
//! |---|---|
//! | only an alert's own labels are read, not those that its group shares | nothing: Alertmanager repeats them |
//! | `job`, `service`, `instance`, `endpoint`, `container` and `namespace` never name a target | no alert is about a Service or a Job |
//! | a value with a dot in it is no candidate beside one without | an alert about a node becomes one about a pod |
//! | a candidate of a cluster-scoped kind counts as absent when the alert has a namespace, one of a namespaced kind when it has none: the running gateway asks for them at a path that no API server has | the same |
//! | a cluster-scoped target keeps the alert's namespace, `monitoring:Node:worker-1` | an alert and an event about one node have two keys |
//! | if no candidate exists, the first one is the target | a target that never was, which is found out when its owner is looked for |
//!
//! Where it makes no RemediationRequest, there is no key to agree on, and these differ:
//!
//! | There | Here |
//! |---|---|
//! | all values have dots (nodes of cloud providers): `Unknown/unknown`, the lease is taken, then 500 | they are candidates, and a cluster-scoped target has no namespace, as in an event about it |
//! | no label names an object: the same | refused before any lease is taken |
//!
//! And one thing differs because the key would otherwise be left to chance: where the API server does not answer, the
//! running gateway takes the candidate for absent and goes on to another target; here that is an error, and the sender
//! tries again.

mod current;
mod january;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::event::{Event, InvolvedObject};
use super::kinds::{Kind, Kinds};
use super::payload::FieldError;
use super::{GatewayVersion, names};

/// The object that a signal is about, before its owners are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Empty for none.
    pub namespace: String,
    /// Its group and version, where they are known.
    pub api_version: Option<String>,
}

impl Object {
    /// The object that an event is about, which it says itself.
    ///
    /// # Errors
    /// [`FieldError`] for what no object can be called.
    pub fn of_event(event: &Event) -> Result<Self, FieldError> {
        let InvolvedObject {
            kind,
            namespace,
            name,
            api_version,
        } = &event.involved_object;
        let wrong = |field: &str| {
            let field = format!("involvedObject.{field}");
            |problem| FieldError::new(field, problem)
        };
        names::check_kind(kind).map_err(wrong("kind"))?;
        names::check_namespace(namespace).map_err(wrong("namespace"))?;
        names::check_object(name).map_err(wrong("name"))?;
        Ok(Self {
            kind: kind.clone(),
            name: name.clone(),
            namespace: namespace.clone(),
            api_version: Some(api_version.clone()).filter(|version| !version.is_empty()),
        })
    }
}

/// Does this object exist?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Its kind.
    pub kind: Arc<Kind>,
    /// Empty for a cluster-scoped kind.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// Why an object was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It is the first candidate that exists.
    Exists,
    /// No candidate exists, or none could be asked for; it is the first.
    First,
    /// The version has a fixed order and asks for nothing.
    Fixed,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Answer this through [`Selection::answer`].
    Ask(Question),
    /// This is the target.
    Chosen(Object, Reason),
    /// No label names an object.
    Nothing,
}

/// The choice of one alert's target.
#[derive(Debug, Clone)]
pub struct Selection {
    first: Option<Object>,
    reason: Reason,
    open: VecDeque<Question>,
    chosen: Option<Object>,
}

impl Selection {
    /// Begins with an alert's own labels.
    #[must_use]
    pub fn new(version: GatewayVersion, kinds: &Kinds, labels: &BTreeMap<String, String>) -> Self {
        match version {
            GatewayVersion::Current => current::select(kinds, labels),
            GatewayVersion::January => january::select(labels),
        }
    }

    /// What to do now. The same until a question is answered.
    #[must_use]
    pub fn next(&self) -> Step {
        if let Some(object) = &self.chosen {
            return Step::Chosen(object.clone(), Reason::Exists);
        }
        if let Some(question) = self.open.front() {
            return Step::Ask(question.clone());
        }
        match &self.first {
            Some(object) => Step::Chosen(object.clone(), self.reason),
            None => Step::Nothing,
        }
    }

    /// Answers the question that [`Self::next`] asks.
    pub fn answer(&mut self, exists: bool) {
        if let Some(question) = self.open.pop_front()
            && exists
        {
            self.open.clear();
            self.chosen = Some(Object {
                api_version: Some(question.kind.api_version()),
                kind: question.kind.name.clone(),
                name: question.name,
                namespace: question.namespace,
            });
        }
    }
}

#[cfg(test)]
mod tests;
