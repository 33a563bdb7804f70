//! The part of one pod, where the pods of a plan are pods of a cluster: each plays its own, at the same time as the others.
//!
//! How they come to begin at the same time is not known here.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::{ENDING, Live};
use crate::sim::history::{Event, History, What};
use crate::sim::plan::{self, Action, Step};
use crate::sim::scenario::Kind;

/// For so long after it was to be started again nobody counts on a process: others do not see when it serves.
const STARTING: Duration = Duration::from_secs(5);

/// Which pod this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Membership {
    pub(crate) number: u32,
    /// The pod's name, which tells its holders from those of others.
    pub(crate) pod: String,
    pub(crate) namespace: String,
}

impl Live {
    /// When the history began.
    pub(crate) fn time_zero(&self) -> Instant {
        self.start
    }

    /// Starts the process of this pod. What signals are about is there.
    pub(super) async fn get_ready(&mut self, own: &Membership) -> anyhow::Result<()> {
        self.place(own.number, &own.pod).await?;
        self.all_started().await
    }

    /// Starts the process of this pod, and waits until it serves.
    pub(crate) async fn ready(&mut self) -> anyhow::Result<()> {
        self.prepare().await
    }

    /// Plays the part of this pod from then on, among those who are there, until it has come to rest.
    pub(crate) async fn take_part(
        &mut self,
        own: u32,
        present: &[u32],
        begin: Instant,
    ) -> anyhow::Result<History> {
        let scenario = &self.settings.scenario;
        self.plan = part(&self.plan, scenario.pods, own, present);
        if scenario.leaked && present.first() == Some(&own) {
            for key in 0..scenario.fingerprints {
                let lease = self.target(key)?.fingerprint().lease_name();
                self.admin.leak(lease.as_str(), Timestamp::now()).await?;
            }
        }
        self.follow_plan(begin).await?;
        let holds = self.come_to_rest().await?;
        self.servers.recorder.world(What::End);
        Ok(self.told(holds).0)
    }

    /// Ends the process of this pod before its part is over, and says what has happened so far.
    pub(crate) async fn stop_here(&mut self) -> History {
        let mut holds = Vec::new();
        for place in std::mem::take(&mut self.places) {
            holds.extend(place.end(ENDING).await.unwrap_or_default());
        }
        self.told(holds).0
    }

    /// The history of somebody who came too late: nothing has happened, and that is all.
    pub(crate) async fn nothing(&mut self) -> History {
        let mut history = self.stop_here().await;
        history.events = vec![Event {
            at: 0,
            pod: String::new(),
            incarnation: 0,
            what: What::End,
        }];
        history
    }
}

/// The steps of a plan that one pod plays: its own faults and those of the network of all, the signals that reach it, and
/// what others do on the cluster if it is the first of those who are there.
///
/// A signal for a pod that is not there, or is down by the plan, reaches the next one: each pod knows from the plan which.
fn part(plan: &[Step], pods: u32, own: u32, present: &[u32]) -> Vec<Step> {
    let there: BTreeSet<u32> = present.iter().copied().collect();
    let mut up_from: Vec<Option<Duration>> = (0..pods)
        .map(|pod| there.contains(&pod).then_some(Duration::ZERO))
        .collect();
    let mut steps = Vec::new();
    for step in plan {
        let at = |pod: u32| pod % pods;
        let is_ours = match step.action {
            Action::Signal { pod, .. } => {
                let is_up = |pod: &u32| up_from[*pod as usize].is_some_and(|from| from <= step.at);
                (0..pods).map(|next| at(pod + next)).find(is_up) == Some(own)
            }
            Action::Begin { kind, pod } | Action::Finish { kind, pod }
                if plan::is_of_a_pod(kind) =>
            {
                let pod = at(pod);
                if kind == Kind::Crash && there.contains(&pod) {
                    let again = matches!(step.action, Action::Finish { .. });
                    up_from[pod as usize] = again.then_some(step.at + STARTING);
                }
                pod == own
            }
            Action::Begin { kind, .. } | Action::Finish { kind, .. } => {
                let is_done_by_one = matches!(kind, Kind::Touch | Kind::Orchestrate | Kind::Delete);
                !is_done_by_one || present.first() == Some(&own)
            }
        };
        if is_ours {
            steps.push(*step);
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(seconds: u64, action: Action) -> Step {
        Step {
            at: Duration::from_secs(seconds),
            action,
        }
    }

    fn signal(pod: u32) -> Action {
        Action::Signal { key: 0, pod }
    }

    /// The seconds at which each of three pods has a step.
    fn parts(plan: &[Step], present: &[u32]) -> [Vec<u64>; 3] {
        [0, 1, 2].map(|own| {
            let steps = part(plan, 3, own, present);
            steps.iter().map(|step| step.at.as_secs()).collect()
        })
    }

    #[test]
    fn every_signal_reaches_one_pod_that_is_there_and_up() {
        let crash =
            |seconds, action: fn(Kind, u32) -> Action| step(seconds, action(Kind::Crash, 1));
        let begin = |kind, pod| Action::Begin { kind, pod };
        let finish = |kind, pod| Action::Finish { kind, pod };
        let plan = [
            step(1, signal(1)),
            crash(2, begin),
            step(3, signal(1)),
            crash(4, finish),
            step(8, signal(1)),
            step(9, signal(1)),
            step(10, signal(2)),
        ];
        assert_eq!(
            parts(&plan, &[0, 1, 2]),
            [vec![], vec![1, 2, 4, 9], vec![3, 8, 10]]
        );
        assert_eq!(
            parts(&plan, &[0, 1])[..2],
            [vec![3, 8, 10], vec![1, 2, 4, 9]]
        );
    }

    #[test]
    fn the_network_is_everybodys_and_the_cluster_is_one_pods() {
        let begin = |kind| Action::Begin { kind, pod: 0 };
        let plan = [
            step(1, begin(Kind::Restart)),
            step(2, begin(Kind::Orchestrate)),
            step(3, begin(Kind::DenyLeases)),
            step(4, begin(Kind::Pause)),
        ];
        assert_eq!(
            parts(&plan, &[0, 1, 2]),
            [vec![1, 2, 3, 4], vec![1, 3], vec![1, 3]]
        );
        assert_eq!(parts(&plan, &[1, 2])[1..], [vec![1, 2, 3], vec![1, 3]]);
    }
}
