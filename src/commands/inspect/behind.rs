//! What stands behind a lease, as a report shows it: the holder's pod with its node, and the RemediationRequests.

use std::borrow::Cow;
use std::time::Duration;

use gwlock_engine::client::list::Listed;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::gather::{Gathered, Looked, Request, Requests, Why};
use super::report::NONE;
use crate::evidence::acquisition::{Acquired, acquired};
use crate::evidence::holder::{Family, Generation};
use crate::evidence::pod::{Pod, PodState, Readiness};
use crate::output::age::age;

/// What is known of a holder's pod.
#[derive(Debug, Clone, Copy)]
pub(in crate::commands) enum PodView<'a> {
    /// Nothing was asked, or the holder can be no pod.
    Unasked,
    Unread(Why),
    Seen(Seen<'a>),
}

/// A pod that was looked for.
#[derive(Debug, Clone, Copy)]
pub(in crate::commands) struct Seen<'a> {
    pub(in crate::commands) name: &'a str,
    pub(in crate::commands) state: PodState,
    /// `None` if there is none of that name.
    pub(in crate::commands) pod: Option<&'a Pod>,
    pub(in crate::commands) node: Readiness,
    pub(in crate::commands) unread_node: Option<Why>,
    /// When the lease was acquired, by the server's clock as far as possible.
    acquired: Option<Timestamp>,
    /// The lease names the pod alone, so that it is certain that a pod is meant.
    pub(in crate::commands) is_certain: bool,
}

impl<'a> PodView<'a> {
    /// Of the holder of a lease, by what was gathered.
    pub(in crate::commands) fn behind(listed: &'a Listed, gathered: &'a Gathered) -> Self {
        let family = Family::of(&listed.name);
        let acquired = acquired(family, &listed.record);
        Self::of(listed, family, acquired, Some(gathered))
    }

    pub(super) fn of(
        listed: &'a Listed,
        family: Family,
        acquired: Option<Acquired>,
        gathered: Option<&'a Gathered>,
    ) -> Self {
        let generation = listed.record.holder().and_then(Generation::of);
        let generation = generation.filter(|_| family.is_lock());
        let (Some(gathered), Some(generation)) = (gathered, generation) else {
            return Self::Unasked;
        };
        let Some(name) = generation.pod() else {
            return Self::Unasked;
        };
        let acquired = acquired.map(|acquired| acquired.at);
        let seen = |state, pod, node, unread_node| {
            Self::Seen(Seen {
                acquired,
                name,
                state,
                pod,
                node,
                unread_node,
                is_certain: generation.nonce().is_none(),
            })
        };
        match gathered.pod(&listed.namespace, name) {
            None => Self::Unasked,
            Some(Looked::Unread(why)) => Self::Unread(*why),
            Some(Looked::Absent) => seen(PodState::Absent, None, Readiness::Unknown, None),
            Some(Looked::There(pod)) => {
                let node = gathered.readiness(pod);
                let state = pod.state(node, listed.record.stamp, acquired);
                seen(state, Some(pod), node, gathered.unread_node(pod))
            }
        }
    }

    /// What is worth a word of a lease that is held. That there is no pod of a name that somebody chose is not.
    pub(super) fn finding(&self) -> Option<PodState> {
        let Self::Seen(seen) = self else { return None };
        let is_worth_it = match seen.state {
            PodState::Absent => seen.is_certain,
            PodState::Later | PodState::Finished | PodState::Unreachable => true,
            PodState::Terminating | PodState::Restarted | PodState::Present => false,
        };
        is_worth_it.then_some(seen.state)
    }

    /// The pod and its node in a word each.
    pub(super) fn cells(&self) -> [Cow<'a, str>; 2] {
        match self {
            Self::Unasked => [NONE, NONE],
            Self::Unread(why) => [why.word().into(), NONE],
            Self::Seen(seen) => [seen.word().into(), seen.node_cell()],
        }
    }

    /// In a sentence, with ages at `date`; `None` where nothing was asked.
    pub(in crate::commands) fn sentence(
        &self,
        namespace: &str,
        date: Option<Timestamp>,
    ) -> Option<String> {
        match self {
            Self::Unasked => None,
            Self::Unread(why) => Some(why.word().to_owned()),
            Self::Seen(seen) => Some(seen.sentence(namespace, date)),
        }
    }

    pub(in crate::commands) fn value(&self) -> Value {
        let seen = match self {
            Self::Unasked => return Value::Null,
            Self::Unread(why) => return json!({"state": "Unread", "unread": why.word()}),
            Self::Seen(seen) => seen,
        };
        let pod = seen.pod;
        let node = pod.map(|pod| pod.spec.node_name.as_str());
        json!({
            "createdAt": pod.and_then(|pod| pod.metadata.creation_timestamp),
            "deletionTimestamp": pod.and_then(|pod| pod.metadata.deletion_timestamp),
            "exists": pod.is_some(),
            "gone": seen.is_gone(),
            "name": seen.name,
            "node": node.filter(|name| !name.is_empty()),
            "nodeReady": seen.node_ready(),
            "phase": pod.map(|pod| pod.status.phase.as_str()),
            "restarts": pod.map(|pod| {
                let counts = pod.status.container_statuses.iter();
                counts.map(|container| u64::from(container.restart_count)).sum::<u64>()
            }),
            "restartedSinceAcquired": seen.restarted(),
            "state": seen.state.as_str(),
            "uid": pod.map(|pod| pod.metadata.uid.as_str()),
        })
    }
}

impl<'a> Seen<'a> {
    fn sentence(&self, namespace: &str, date: Option<Timestamp>) -> String {
        let name = self.name;
        let Some(pod) = self.pod else {
            return if self.is_certain {
                format!("{name} is gone: there is none in {namespace}")
            } else {
                format!(
                    "there is none called {name} in {namespace}; the name may be one that was chosen"
                )
            };
        };
        let created = pod.metadata.creation_timestamp;
        let since = created.map_or(String::new(), |at| format!(", created {}", when(at, date)));
        let facts = format!("{}{since}, uid {}", pod.status.phase, pod.metadata.uid);
        match self.state {
            PodState::Later => format!(
                "{name} is gone: the one of that name was created after the last write, so another one made it ({facts})"
            ),
            PodState::Finished => format!("{name} is gone: it has ended ({facts})"),
            PodState::Unreachable => {
                format!("{name} cannot be reached, which is no proof ({facts})")
            }
            PodState::Terminating => format!("{name} is being deleted ({facts})"),
            PodState::Restarted => format!("{name}: {facts}; restarted since the acquisition"),
            PodState::Absent | PodState::Present => format!("{name}: {facts}"),
        }
    }

    /// Whether it is certain that the pod that is meant cannot be at work any more.
    pub(in crate::commands) fn is_gone(&self) -> bool {
        self.state.is_gone() && (self.is_certain || self.pod.is_some())
    }

    /// The containers that were started or ended after the lease was acquired, by their node's clock.
    fn restarted(&self) -> Vec<Value> {
        let Some((pod, acquired)) = self.pod.zip(self.acquired) else {
            return Vec::new();
        };
        let restarted = pod.started_after(acquired);
        restarted
            .map(|(container, at)| json!({"at": at, "container": container.name}))
            .collect()
    }

    fn word(&self) -> &'a str {
        let phase = self.pod.map_or("", |pod| pod.status.phase.as_str());
        match self.state {
            PodState::Absent if self.is_certain => "gone",
            PodState::Absent => "none",
            PodState::Later => "gone (another has its name)",
            PodState::Unreachable => "unreachable",
            PodState::Terminating => "terminating",
            PodState::Restarted => "restarted",
            PodState::Finished | PodState::Present if phase.is_empty() => "Pending",
            PodState::Finished | PodState::Present => phase,
        }
    }

    fn node_cell(&self) -> Cow<'a, str> {
        let Some(name) = self.pod.map(|pod| pod.spec.node_name.as_str()) else {
            return NONE;
        };
        if let Some(why) = self.unread_node {
            return format!("{name} ({})", why.word()).into();
        }
        match self.node {
            _ if name.is_empty() => NONE,
            Readiness::Ready | Readiness::Unknown => name.into(),
            Readiness::NotReady { .. } => format!("{name} (not ready)").into(),
            Readiness::Gone => format!("{name} (gone)").into(),
        }
    }

    fn node_ready(&self) -> Option<bool> {
        match self.node {
            Readiness::Ready => Some(true),
            Readiness::NotReady { .. } | Readiness::Gone => Some(false),
            Readiness::Unknown => None,
        }
    }
}

/// `5s ago`, `in 5s`, or the time itself where the server's is not known.
pub(super) fn when(at: Timestamp, date: Option<Timestamp>) -> String {
    let Some(date) = date else {
        return at.to_string();
    };
    let seconds = date.as_second() - at.as_second();
    let distance = age(Duration::from_secs(seconds.unsigned_abs()));
    if seconds < 0 {
        format!("in {distance}")
    } else {
        format!("{distance} ago")
    }
}

/// The newest request, and how many more there are.
pub(super) fn request_cell<'a>(requests: &Requests<'a>) -> Cow<'a, str> {
    match requests {
        Requests::Unasked => NONE,
        Requests::Unread(why) => why.word().into(),
        Requests::Known(known) => match known.as_slice() {
            [] => NONE,
            [one] => one.name.as_str().into(),
            [newest, rest @ ..] => format!("{} (+{})", newest.name, rest.len()).into(),
        },
    }
}

/// The requests as JSON has them, the newest first; null where none were asked for or none can be read.
pub(super) fn requests_value(requests: &Requests<'_>) -> Value {
    let Requests::Known(known) = requests else {
        return Value::Null;
    };
    let value = |request: &&Request| {
        let details = request.details.as_ref();
        json!({
            "createdAt": request.created,
            "endedAt": details.and_then(|details| details.ended),
            "lastSeenAt": details.and_then(|details| details.last_seen),
            "name": request.name,
            "namespace": request.namespace,
            "occurrenceCount": details.and_then(|details| details.count),
            "phase": details.map(|details| details.phase.as_str()),
            "target": details.map(|details| details.target.as_str()),
        })
    };
    known.iter().map(value).collect()
}
