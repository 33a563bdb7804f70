//! A holder's pod and its node, and what they say about the holder.
//!
//! What is absent, finished or of another generation cannot work any more. A pod that cannot be reached is evidence and
//! no proof: it may go on working where nobody sees it.

use jiff::Timestamp;
use serde::Deserialize;

/// A pod, as far as it says something about a holder. Other fields are skipped while it is read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Default)]
#[serde(default)]
pub struct Pod {
    /// `metadata`.
    pub metadata: Metadata,
    /// `spec`.
    pub spec: Spec,
    /// `status`.
    pub status: Status,
}

/// A pod's metadata.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    /// `name`.
    pub name: String,
    /// `namespace`.
    pub namespace: String,
    /// `uid`.
    pub uid: String,
    /// `creationTimestamp`, by the server's clock.
    pub creation_timestamp: Option<Timestamp>,
    /// `deletionTimestamp`: when it has to be gone.
    pub deletion_timestamp: Option<Timestamp>,
}

/// A pod's spec.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    /// `nodeName`; empty until it is scheduled.
    pub node_name: String,
}

/// A pod's status.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// `phase`.
    pub phase: String,
    /// `containerStatuses`.
    pub container_statuses: Vec<Container>,
}

/// One container.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// How often it was started again.
    pub restart_count: u32,
    /// What it is now.
    pub state: ContainerState,
    /// What it was before.
    pub last_state: ContainerState,
}

/// What a container is, or was.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Default)]
#[serde(default)]
pub struct ContainerState {
    /// It runs.
    pub running: Option<Running>,
    /// It ended.
    pub terminated: Option<Terminated>,
}

/// Since when a container runs, by its node's clock.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Running {
    /// `startedAt`.
    pub started_at: Option<Timestamp>,
}

/// How a container ended, by its node's clock.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Terminated {
    /// `reason`, such as `OOMKilled`.
    pub reason: String,
    /// `exitCode`.
    pub exit_code: i32,
    /// `finishedAt`.
    pub finished_at: Option<Timestamp>,
}

/// A node, as far as it says something about its pods.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Default)]
#[serde(default)]
pub struct Node {
    /// `metadata`.
    pub metadata: Metadata,
    /// `status`.
    pub status: NodeStatus,
}

/// A node's status.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Default)]
#[serde(default)]
pub struct NodeStatus {
    /// `conditions`.
    pub conditions: Vec<Condition>,
}

/// One condition of a node.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    /// `type`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// Since when.
    pub last_transition_time: Option<Timestamp>,
}

/// What is known of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// Its `Ready` condition is `True`.
    Ready,
    /// It is `False` or `Unknown`: nothing that is said of its pods is current.
    NotReady {
        /// Since when.
        since: Option<Timestamp>,
    },
    /// There is no such node.
    Gone,
    /// It was not asked for, or cannot be read.
    Unknown,
}

/// What a holder's pod says about the holder. The strongest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PodState {
    /// There is no pod of that name.
    Absent,
    /// The pod of that name was created after the last write of the claim: another one wrote it.
    Later,
    /// It has ended: `Succeeded` or `Failed`.
    Finished,
    /// It cannot be reached: its node is not ready or gone, or its phase is `Unknown`. It may be at work.
    Unreachable,
    /// It is being deleted, and has to end by its deletionTimestamp.
    Terminating,
    /// A container was started after the lease was acquired: the process that acquired it may be gone.
    Restarted,
    /// It is there: nothing says that its holder is gone.
    Present,
}

impl Node {
    /// Its `Ready` condition.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        let mut conditions = self.status.conditions.iter();
        match conditions.find(|condition| condition.kind == "Ready") {
            Some(ready) if ready.status == "True" => Readiness::Ready,
            Some(ready) => Readiness::NotReady {
                since: ready.last_transition_time,
            },
            None => Readiness::NotReady { since: None },
        }
    }
}

impl Pod {
    /// What it says about a holder whose claim the server stamped last at `stamp`, and which acquired the lease at
    /// `acquired`. Both are in the server's time, as far as possible; when containers started is told by the node's.
    #[must_use]
    pub fn state(
        &self,
        node: Readiness,
        stamp: Option<Timestamp>,
        acquired: Option<Timestamp>,
    ) -> PodState {
        let created = self.metadata.creation_timestamp;
        if created
            .zip(stamp)
            .is_some_and(|(created, stamp)| created.as_second() > stamp.as_second())
        {
            return PodState::Later;
        }
        match self.status.phase.as_str() {
            "Succeeded" | "Failed" => return PodState::Finished,
            "Unknown" => return PodState::Unreachable,
            _ => {}
        }
        if matches!(node, Readiness::NotReady { .. } | Readiness::Gone) {
            return PodState::Unreachable;
        }
        if self.metadata.deletion_timestamp.is_some() {
            return PodState::Terminating;
        }
        if acquired.is_some_and(|acquired| self.started_after(acquired).next().is_some()) {
            return PodState::Restarted;
        }
        PodState::Present
    }

    /// The containers that were started after a moment, or ended after it and run no more, with that time.
    pub fn started_after(
        &self,
        moment: Timestamp,
    ) -> impl Iterator<Item = (&Container, Timestamp)> {
        self.status
            .container_statuses
            .iter()
            .filter_map(move |container| {
                let started = container
                    .state
                    .running
                    .as_ref()
                    .and_then(|running| running.started_at);
                let ended = |state: &ContainerState| {
                    let terminated = state.terminated.as_ref()?;
                    terminated.finished_at
                };
                let times = [
                    started,
                    ended(&container.state),
                    ended(&container.last_state),
                ];
                let later = |time: &Timestamp| time.as_second() > moment.as_second();
                times
                    .into_iter()
                    .flatten()
                    .filter(later)
                    .max()
                    .map(|time| (container, time))
            })
    }
}

impl PodState {
    /// Whether the pod that is named cannot be at work any more.
    #[must_use]
    pub fn is_gone(self) -> bool {
        matches!(self, Self::Absent | Self::Later | Self::Finished)
    }

    /// As JSON has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "Absent",
            Self::Later => "OtherGeneration",
            Self::Finished => "Finished",
            Self::Unreachable => "Unreachable",
            Self::Terminating => "Terminating",
            Self::Restarted => "Restarted",
            Self::Present => "Present",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn pod(phase: &str, more: &Value) -> Pod {
        let mut pod = json!({
            "metadata": {"name": "gateway-1", "uid": "u", "creationTimestamp": "1970-01-01T00:01:40Z", "labels": {}},
            "spec": {"nodeName": "n", "containers": [{"name": "gateway"}]},
            "status": {"phase": phase, "containerStatuses": [{
                "name": "gateway", "restartCount": 0, "ready": true,
                "state": {"running": {"startedAt": "1970-01-01T00:01:50Z"}},
            }]},
        });
        for (part, fields) in more.as_object().unwrap() {
            let fields = fields.as_object().unwrap().clone();
            pod[part].as_object_mut().unwrap().extend(fields);
        }
        serde_json::from_value(pod).unwrap()
    }

    /// Written last at 200 and acquired at 150, unless the pod says otherwise.
    fn state(phase: &str, node: Readiness, more: &Value) -> PodState {
        pod(phase, more).state(node, Some(second(200)), Some(second(150)))
    }

    #[test]
    fn a_pod_that_is_there_proves_nothing_against_its_holder() {
        let state = state("Running", Readiness::Ready, &json!({}));
        assert_eq!((state, state.is_gone()), (PodState::Present, false));
    }

    #[test]
    fn a_pod_that_was_created_after_the_last_write_did_not_make_it() {
        let created = |time: &str| json!({"metadata": {"creationTimestamp": time}});
        let later = state(
            "Running",
            Readiness::Ready,
            &created("1970-01-01T00:03:21Z"),
        );
        assert_eq!((later, later.is_gone()), (PodState::Later, true));
        let same_second = state(
            "Running",
            Readiness::Ready,
            &created("1970-01-01T00:03:20Z"),
        );
        assert_eq!(same_second, PodState::Present);
    }

    #[test]
    fn what_has_ended_is_gone_and_what_cannot_be_reached_is_not() {
        for phase in ["Succeeded", "Failed"] {
            let state = state(phase, Readiness::NotReady { since: None }, &json!({}));
            assert_eq!((state, state.is_gone()), (PodState::Finished, true));
        }
        for (phase, node) in [
            ("Unknown", Readiness::Ready),
            ("Running", Readiness::NotReady { since: None }),
            ("Running", Readiness::Gone),
        ] {
            let state = state(phase, node, &json!({}));
            assert_eq!((state, state.is_gone()), (PodState::Unreachable, false));
        }
    }

    #[test]
    fn deletion_and_restarts_are_told() {
        let deleted = json!({"metadata": {"deletionTimestamp": "1970-01-01T00:05:00Z"}});
        assert_eq!(
            state("Running", Readiness::Unknown, &deleted),
            PodState::Terminating
        );
        let restarted = json!({"status": {"containerStatuses": [{
            "name": "gateway", "restartCount": 1,
            "state": {"running": {"startedAt": "1970-01-01T00:02:31Z"}},
            "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": "1970-01-01T00:02:30Z"}},
        }]}});
        assert_eq!(
            state("Running", Readiness::Ready, &restarted),
            PodState::Restarted
        );
        let pod = pod("Running", &restarted);
        let started: Vec<_> = pod
            .started_after(second(150))
            .map(|(container, at)| (container.name.as_str(), at.as_second()))
            .collect();
        assert_eq!(started, [("gateway", 151)]);
        assert_eq!(pod.started_after(second(151)).count(), 0);
    }

    #[test]
    fn a_node_is_ready_only_if_it_says_so() {
        let node = |conditions: Value| -> Node {
            serde_json::from_value(json!({"status": {"conditions": conditions}})).unwrap()
        };
        let ready = json!([{"type": "DiskPressure", "status": "False"}, {"type": "Ready", "status": "True"}]);
        assert_eq!(node(ready).readiness(), Readiness::Ready);
        let unknown = json!([{"type": "Ready", "status": "Unknown", "lastTransitionTime": "1970-01-01T00:01:00Z"}]);
        assert_eq!(
            node(unknown).readiness(),
            Readiness::NotReady {
                since: Some(second(60))
            }
        );
        assert_eq!(
            node(json!([])).readiness(),
            Readiness::NotReady { since: None }
        );
    }
}
