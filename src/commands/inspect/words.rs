//! Findings about a lease in words, each with what to do about it: a command that works when it is pasted.

use std::time::Duration;

use super::behind::PodView;
use super::report::Report;
use crate::evidence::findings::Finding;
use crate::evidence::holder::{Family, Generation};
use crate::evidence::pod::PodState;
use crate::evidence::shared_name::Shared;
use crate::output::age::age;
use crate::output::escape::shell_word;

/// How this program was called, so that commands reach the same cluster by the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Voice {
    pub(super) program: &'static str,
    /// The flags that choose the cluster, each behind a space.
    pub(super) flags: String,
}

impl Voice {
    pub(super) const PLAIN: Self = Self {
        program: "gwlock",
        flags: String::new(),
    };

    /// A command of this program and what it is good for.
    pub(super) fn run(&self, command: &str, why: &str) -> String {
        format!("{} {command}{}   # {why}", self.program, self.flags)
    }

    pub(super) fn kubectl(&self, command: &str, why: &str) -> String {
        format!("kubectl {command}{}   # {why}", self.flags)
    }
}

impl Default for Voice {
    fn default() -> Self {
        Self::PLAIN
    }
}

/// What is odd.
pub(super) fn problem(finding: Finding, report: &Report<'_>) -> String {
    let base = report.generation().map_or("nobody", Generation::base);
    match finding {
        Finding::NoRenewTime => format!("no renewTime{}", waits(report.family())),
        Finding::NoDuration => format!("no leaseDurationSeconds{}", waits(report.family())),
        Finding::NoHolder => {
            "no holder: a gateway takes it for somebody else's until it expires".to_owned()
        }
        Finding::KeptByFinalizer => "deleted, but a finalizer keeps it".to_owned(),
        Finding::NoStamp => "no server stamp: expiry can only be observed".to_owned(),
        Finding::HolderClock(skew) => {
            format!("the holder's clock is {} the server's", off(skew))
        }
        Finding::AcquireTimeKept(behind) => format!(
            "acquireTime is that of the holder before: {} older than the takeover",
            seconds(behind)
        ),
        Finding::AcquiredBeforeCreation(before) => format!(
            "acquireTime is {} before the lease was created",
            seconds(before)
        ),
        Finding::AcquiredAfterRenewal => "acquireTime is after renewTime".to_owned(),
        Finding::ImpossibleName => {
            "no fingerprint makes this name: gw-lock- and 16 hex digits is a gateway's".to_owned()
        }
        Finding::UnknownPrefix => {
            "looks like a lock, but neither a gateway nor an orchestrator uses this prefix"
                .to_owned()
        }
        Finding::Leaked(durations) => {
            format!("leaked: nobody has written or removed it for {durations} of its durations")
        }
        Finding::SharedName(Shared::TwoNamespaces) => format!(
            "{base} holds leases in several namespaces, and a gateway locks in one: several processes have this POD_NAME"
        ),
        Finding::SharedName(Shared::TwoClocks { seconds: apart }) => format!(
            "the leases of {base} were written by clocks {} apart: several processes have this POD_NAME, or its clock was set",
            seconds(apart)
        ),
        Finding::Pod(state) => pod_problem(state, report, base),
    }
}

/// What to do about it.
pub(super) fn fix(finding: Finding, report: &Report<'_>, voice: &Voice) -> String {
    let (name, namespace) = (report.name(), report.namespace());
    let lease = format!("{name} -n {namespace}");
    let base = report.generation().map_or("", Generation::base);
    let writers = |why: &str| {
        let command = format!("get lease {lease} -o yaml --show-managed-fields");
        voice.kubectl(&command, why)
    };
    match finding {
        Finding::NoRenewTime | Finding::NoDuration => voice.run(
            &format!("force-expire {lease}"),
            "once it has expired by the server's clock; the next holder writes every field",
        ),
        Finding::NoHolder => voice.run(
            &format!("force-expire {lease}"),
            "the next candidate creates it anew",
        ),
        Finding::KeptByFinalizer => voice.kubectl(
            &format!("get lease {lease} -o jsonpath='{{.metadata.finalizers}}'"),
            "whose finalizer it is",
        ),
        Finding::NoStamp => voice.run(
            &format!("inspect {lease} --watch"),
            "shows whether it changes; somebody wrote it with an empty managedFields",
        ),
        Finding::HolderClock(_) => match report.generation().and_then(Generation::pod) {
            Some(pod) => voice.kubectl(
                &format!("get pod {pod} -n {namespace} -o wide"),
                "set the clock of its node",
            ),
            None => voice.run(
                &format!("inspect {lease} -o json"),
                "holderBase says on which machine to set the clock",
            ),
        },
        Finding::AcquireTimeKept(_) => voice.run(
            &format!("inspect {lease} -o wide"),
            "nothing is to be done: RENEWED says when it was taken over",
        ),
        Finding::AcquiredBeforeCreation(_) | Finding::AcquiredAfterRenewal => {
            writers("who writes such times")
        }
        Finding::ImpossibleName => voice.run(
            &format!("force-expire {lease}"),
            "once it has expired: no signal will ever take it over",
        ),
        Finding::UnknownPrefix => writers("who writes it"),
        Finding::Leaked(_) => voice.run(
            &format!("gc -n {namespace}"),
            "deletes what has expired, this one among it",
        ),
        Finding::SharedName(_) => voice.kubectl(
            &format!(
                "get pods -A -o wide --field-selector metadata.name={}",
                shell_word(base)
            ),
            "give each gateway its own POD_NAME and POD_NAMESPACE, by the downward API",
        ),
        Finding::Pod(PodState::Unreachable) => voice.kubectl(
            &format!("get pod {} -n {namespace} -o wide", shell_word(base)),
            "it may be at work where nobody sees it: wait until the lease expires",
        ),
        Finding::Pod(_) => removal_of_live(report, voice, &format!("pod {base} is gone")),
    }
}

/// The command that removes a lease that is not proven stale, and what else can be done.
pub(super) fn removal_of_live(report: &Report<'_>, voice: &Voice, reason: &str) -> String {
    let (name, namespace) = (report.name(), report.namespace());
    let command = format!(
        "force-expire {name} -n {namespace} --even-if-live --reason {}",
        shell_word(reason)
    );
    match report.expires_in() {
        Some(left) => voice.run(&command, &format!("or wait: it expires in {}", age(left))),
        None => voice.run(&command, "removes its holder"),
    }
}

fn pod_problem(state: PodState, report: &Report<'_>, base: &str) -> String {
    let namespace = report.namespace();
    match state {
        PodState::Absent => format!("the holder's pod {base} is gone"),
        PodState::Later => format!(
            "the holder's pod {base} is gone: the one of that name in {namespace} was created after the last write"
        ),
        PodState::Finished => format!("the holder's pod {base} is gone: it has ended"),
        PodState::Unreachable => format!(
            "the holder's pod {base} cannot be reached{}, which proves nothing",
            node_words(report.pod())
        ),
        PodState::Terminating => format!("the holder's pod {base} is being deleted"),
        PodState::Restarted => format!("a container of the holder's pod {base} was restarted"),
        PodState::Present => format!("the holder's pod {base} is there"),
    }
}

fn node_words(pod: &PodView<'_>) -> String {
    let PodView::Seen(seen) = pod else {
        return String::new();
    };
    let node = seen.pod.map_or("", |pod| pod.spec.node_name.as_str());
    if node.is_empty() {
        String::new()
    } else {
        format!(" on node {node}")
    }
}

/// What a missing field means to whoever compares it.
fn waits(family: Family) -> &'static str {
    match family {
        Family::Gateway => ": a gateway would wait for ever",
        Family::Orchestrator => ": an orchestrator would wait for ever",
        Family::Interactive | Family::Foreign => "",
    }
}

/// `60s behind`, `2m ahead of`.
pub(super) fn off(skew: i64) -> String {
    let direction = if skew > 0 { "ahead of" } else { "behind" };
    format!("{} {direction}", seconds(skew))
}

fn seconds(seconds: i64) -> String {
    age(Duration::from_secs(seconds.unsigned_abs()))
}
