//! Whether a workload can use what it is granted: its token, its name and its namespace, and how many there are of it.

use super::finding::{Finding, Kind, Place};
use super::manifest::{Source, Workload};
use super::place::{LockIs, Needed, Runner};
use super::resolve::{Grant, Model};

const POD_NAME: &str = "metadata.name";
const POD_NAMESPACE: &str = "metadata.namespace";

/// What is wrong with the workload. The needs that are not met because the locks are elsewhere are taken out of
/// `unmet`.
pub(crate) fn find(
    model: &Model,
    runner: &Runner<'_>,
    grants: &[Grant<'_>],
    unmet: &mut Vec<&Needed<'_>>,
) -> Vec<Finding> {
    let Some(workload) = runner.workload else {
        return Vec::new();
    };
    let mut look = Look {
        model,
        runner,
        workload,
        findings: Vec::new(),
        lock_fails: false,
    };
    look.at_token();
    look.at_account();
    let locks = runner.needs().iter().any(Needed::is_of_locks);
    if locks {
        look.at_holder();
        look.at_namespace(grants, unmet);
        look.at_replicas();
    }
    look.findings
}

struct Look<'a> {
    model: &'a Model,
    runner: &'a Runner<'a>,
    workload: &'a Workload,
    findings: Vec<Finding>,
    /// Several of them would not keep each other out.
    lock_fails: bool,
}

/// An item of `env:` that takes a field of the pod.
fn variable(name: &str, path: &str) -> String {
    format!("- name: {name}\n  valueFrom:\n    fieldRef:\n      fieldPath: {path}")
}

impl Look<'_> {
    fn at_token(&mut self) {
        let workload = self.workload;
        if workload.projects_token {
            return;
        }
        let namespace = &workload.meta.namespace;
        let account = self.model.objects.accounts.iter().find(|account| {
            account.meta.namespace == *namespace && account.meta.name == workload.account_name()
        });
        let (meta, line) = match (workload.automount, account) {
            (Some((false, line)), _) => (&workload.meta, line),
            (None, Some(account)) => match account.automount {
                Some((false, line)) => (&account.meta, line),
                _ => return,
            },
            _ => return,
        };
        let title = workload.meta.title();
        let message = if std::ptr::eq(meta, &raw const workload.meta) {
            format!("{title} mounts no token, and cannot ask the API server anything")
        } else {
            let account = meta.title();
            format!("{title} mounts no token: {account} says so, and it says nothing itself")
        };
        let fix = "automountServiceAccountToken: true".to_owned();
        let finding = Finding::new(Kind::NoToken, Place::of(meta, line), message, fix);
        self.findings.push(finding.blocking());
    }

    fn at_account(&mut self) {
        let workload = self.workload;
        let name = workload.account_name();
        let named = || {
            let accounts = self.model.objects.accounts.iter();
            accounts.filter(|account| account.meta.name == name)
        };
        let own = &workload.meta.namespace;
        if named().any(|account| account.meta.namespace == *own) {
            return;
        }
        // One that no file has may be there already; one that is in another namespace was meant.
        let Some(other) = named().next() else {
            return;
        };
        let line = workload
            .account
            .as_ref()
            .map_or(workload.meta.line, |account| account.line);
        let message = format!(
            "{} runs as ServiceAccount {}/{name}, and the one of that name is in namespace {}: no pod starts",
            workload.meta.title(),
            own.as_deref().unwrap_or_default(),
            other.meta.namespace.as_deref().unwrap_or_default()
        );
        let fix = format!(
            "metadata.namespace: {}   # of ServiceAccount {name}",
            own.as_deref().unwrap_or_default()
        );
        let place = Place::of(&workload.meta, line);
        let finding = Finding::new(Kind::AccountElsewhere, place, message, fix);
        self.findings.push(finding.blocking());
    }

    fn at_holder(&mut self) {
        let (Some(name), Some(container)) = (
            self.runner.program.environment.holder.as_deref(),
            self.runner.container,
        ) else {
            return;
        };
        let title = self.workload.meta.title();
        let (line, message) = match container.variable(name) {
            None if container.env_from => return,
            None => (
                container.env_line,
                format!("{title} does not set {name}: the lock is silently off"),
            ),
            Some(variable) => match &variable.source {
                Source::Field(path) if path == POD_NAME => return,
                Source::Literal(value) if value.is_empty() => (
                    variable.line,
                    format!("{title} sets {name} to nothing: the lock is silently off"),
                ),
                Source::Literal(value) => (
                    variable.line,
                    format!(
                        "{title} sets {name} to {value:?}: all its pods are the same holder, and none waits for another"
                    ),
                ),
                Source::Field(path) => (
                    variable.line,
                    format!("{title} sets {name} to {path}, which is not the name of the pod"),
                ),
                Source::Elsewhere => (
                    variable.line,
                    format!(
                        "{title} takes {name} from elsewhere: all its pods are the same holder, and none waits for another"
                    ),
                ),
            },
        };
        self.lock_fails = true;
        let finding = Finding::new(
            Kind::PodName,
            Place::of(&self.workload.meta, line),
            message,
            variable(name, POD_NAME),
        );
        self.findings.push(finding.blocking());
    }

    fn at_namespace(&mut self, grants: &[Grant<'_>], unmet: &mut Vec<&Needed<'_>>) {
        let (Some(name), Some(container)) = (
            self.runner.program.environment.lock_namespace.as_deref(),
            self.runner.container,
        ) else {
            return;
        };
        let title = self.workload.meta.title();
        let own = self.workload.meta.namespace.as_deref().unwrap_or_default();
        let lock = self.runner.lock.as_str();
        let line = container
            .variable(name)
            .map_or(container.env_line, |variable| variable.line);
        let place = Place::of(&self.workload.meta, line);
        if self.runner.lock_is != LockIs::Said && lock != own {
            let elsewhere = |needed: &&Needed<'_>| {
                let asked = needed.asked_in(Some(own));
                needed.is_of_locks() && grants.iter().any(|grant| grant.allows(&asked))
            };
            let before = unmet.len();
            let verbs: Vec<String> = unmet
                .iter()
                .filter(|needed| elsewhere(needed))
                .map(|needed| needed.requirement.verb.to_string())
                .collect();
            unmet.retain(|needed| !elsewhere(needed));
            if unmet.len() < before {
                let how = match self.runner.lock_is {
                    LockIs::Literal(_) => format!("sets {name} to {lock}"),
                    _ => format!("does not set {name}, and works in {lock} for that reason"),
                };
                let message = format!(
                    "{title} {how}: its locks are there, and the rule for them is in {own}"
                );
                let finding = Finding::new(
                    Kind::NamespaceDiffers,
                    place,
                    message,
                    variable(name, POD_NAMESPACE),
                );
                let finding =
                    finding.about("coordination.k8s.io", "leases", verbs.join(","), Some(lock));
                self.findings.push(finding.blocking());
                return;
            }
        }
        let message = match container.variable(name) {
            None if container.env_from => return,
            None => match self.runner.program.environment.lock_fallback.as_deref() {
                None => return,
                Some(fallback) => {
                    format!(
                        "{title} does not set {name}: its locks are in {fallback}, wherever it runs"
                    )
                }
            },
            Some(variable) => match &variable.source {
                Source::Field(path) if path == POD_NAMESPACE => return,
                Source::Literal(value) => {
                    format!("{title} sets {name} to {value:?}, wherever it runs")
                }
                Source::Field(path) => {
                    format!("{title} sets {name} to {path}, which is not the namespace of the pod")
                }
                Source::Elsewhere => {
                    format!(
                        "{title} takes {name} from elsewhere: replicas that differ in it do not keep each other out"
                    )
                }
            },
        };
        let fix = variable(name, POD_NAMESPACE);
        self.findings
            .push(Finding::new(Kind::PodNamespace, place, message, fix));
    }

    fn at_replicas(&mut self) {
        if !self.lock_fails {
            return;
        }
        let workload = self.workload;
        let title = workload.meta.title();
        let autoscaler = self.model.objects.autoscalers.iter().find(|autoscaler| {
            autoscaler.kind == workload.meta.kind
                && autoscaler.name == workload.meta.name
                && autoscaler.meta.namespace == workload.meta.namespace
                && autoscaler.most > 1
        });
        let (place, count, fix) = match (workload.replicas, autoscaler) {
            (_, Some(autoscaler)) => (
                Place::of(&autoscaler.meta, autoscaler.line),
                format!("up to {} replicas", autoscaler.most),
                "maxReplicas: 1   # until the lock works",
            ),
            (Some((count, line)), None) if count > 1 => (
                Place::of(&workload.meta, line),
                format!("{count} replicas"),
                "replicas: 1   # until the lock works",
            ),
            _ if workload.meta.kind == "DaemonSet" => (
                Place::of(&workload.meta, workload.meta.line),
                "a replica on each node".to_owned(),
                "kind: Deployment   # with one replica, until the lock works",
            ),
            _ => return,
        };
        let message = format!(
            "{title} has {count} without a working lock: the same signal is processed twice"
        );
        let finding = Finding::new(Kind::Replicas, place, message, fix);
        self.findings.push(finding.blocking());
    }
}
