//! Every operation of gwlock, run by a ServiceAccount in namespaces of its own, on whatever API server. What it is granted
//! and what has to come of it is decided by the tests.

mod commands;
mod ground;
mod replica;
#[cfg(feature = "sim")]
mod simulation;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use gwlock::rbac::profiles::gwlock::{Operation, Permission, Place};

pub(crate) use ground::{Cluster, Ground};

/// Longer than anything here takes on a slow machine; a test that reaches it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// How a command ends that may not do what it has to.
const FORBIDDEN: i32 = 77;
/// The outcome of a write is unknown.
const UNKNOWN: i32 = 76;
/// What a replica answers that may not do what it has to.
const INTERNAL: i32 = 500;

/// Operations are run so many at a time: nearly all of what they do is waiting.
const AT_ONCE: usize = 8;

/// A process that ended otherwise than it should have, or a replica's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failed {
    /// The exit code, or the HTTP status.
    pub(crate) code: i32,
    /// What it said.
    pub(crate) text: String,
}

/// Runs an operation with everything that it can lead to.
pub(crate) fn run(operation: &Operation, ground: &Ground<'_>) -> Result<(), Failed> {
    let steps = match operation.name {
        "run" => commands::run,
        "acquire" => commands::acquire,
        "renew" => commands::renew,
        "release" => commands::release,
        "verify" => commands::verify,
        "inspect" => commands::inspect,
        "inspect --evidence" => commands::inspect_evidence,
        "inspect --watch" => commands::inspect_watch,
        "doctor" => commands::doctor,
        "force-expire" => commands::force_expire,
        "force-expire or bench without --yes" => commands::asks_for_the_lab,
        "gc" => commands::gc,
        "resolve" => commands::resolve,
        "dedup list" => commands::dedup_list,
        "dedup check" => commands::dedup_check,
        "bench lease" => commands::bench_lease,
        "bench requests" => commands::bench_requests,
        "bench requests in a namespace of its own" => commands::bench_requests_of_its_own,
        "bench signals" => commands::bench_signals,
        "bench signals in namespaces of its own" => commands::bench_signals_of_its_own,
        "completion" => commands::completion,
        "rbac check --live" => commands::check_live,
        "rbac check --live --serviceaccount" => commands::check_others,
        "send --direct" => replica::send_direct,
        "serve" => replica::serve,
        "serve --auth token" => replica::serve_auth,
        #[cfg(feature = "sim")]
        "simulate --member" => simulation::member,
        #[cfg(feature = "sim")]
        "simulate collect" => simulation::collect,
        other => panic!("nobody knows how to run {other}"),
    };
    steps(ground)
}

/// The role that gwlock prints for a permission that is missing.
fn as_a_role(permission: &Permission, ground: &Ground<'_>) -> String {
    let namespace = match permission.place {
        Place::Leases => Some(&ground.locks),
        Place::Requests => Some(&ground.requests),
        Place::Cluster => None,
    };
    let (kind, namespace) = match namespace {
        Some(namespace) => ("Role", format!("    namespace: {namespace}\n")),
        None => ("ClusterRole", String::new()),
    };
    let Permission {
        group,
        resource,
        verb,
        why,
        ..
    } = permission;
    format!(
        "hint: the rule that is missing:\n  apiVersion: rbac.authorization.k8s.io/v1\n  kind: {kind}\n  metadata:\n    \
         name: gwlock\n{namespace}  rules:\n  # to {why}\n  - apiGroups: [\"{group}\"]\n    resources: \
         [\"{resource}\"]\n    verbs: [\"{verb}\"]\n"
    )
}

/// The rule in a line of a log.
fn in_a_log(permission: &Permission) -> String {
    let Permission {
        group,
        resource,
        verb,
        ..
    } = permission;
    format!(
        "the role lacks the rule {{apiGroups: [\"{group}\"], resources: [\"{resource}\"], verbs: [\"{verb}\"]}}"
    )
}

/// The member of a replica's answer.
fn in_an_answer(permission: &Permission) -> String {
    let Permission {
        group,
        resource,
        verb,
        ..
    } = permission;
    format!(
        "\"missing_rule\":{{\"apiGroups\":[\"{group}\"],\"resources\":[\"{resource}\"],\"verbs\":[\"{verb}\"]}}"
    )
}

/// What is told of a permission that is missing.
fn expected(
    operation: &Operation,
    permission: &Permission,
    ground: &Ground<'_>,
) -> (Result<(), i32>, Vec<String>) {
    let name = operation.name;
    let is_release = permission.verb == "delete" && permission.resource == "leases";
    let is_answer = permission.verb == "get" && permission.resource == "remediationrequests";
    let is_evidence = matches!(permission.resource, "pods" | "nodes");
    let (role, log) = (as_a_role(permission, ground), in_a_log(permission));
    let is_needed = operation.needed.contains(permission);
    match name {
        // The signal is answered by then.
        "serve" | "send --direct" if is_release => (Ok(()), vec![log]),
        "serve" | "serve --auth token" if is_needed => {
            (Err(INTERNAL), vec![log, in_an_answer(permission)])
        }
        // A question whose answer changes nothing, and TAB, which never says anything.
        "completion" | "force-expire or bench without --yes" => (Ok(()), Vec::new()),
        // They are told together.
        "rbac check --live" | "rbac check --live --serviceaccount" if !is_needed => {
            let resource = format!("    resources: [\"{}\"]\n", permission.resource);
            (
                Ok(()),
                vec!["hint: the rules that are missing:\n".to_owned(), resource],
            )
        }
        // Its page says so. The node matters to it only where the pod lives, and `acquire` tells of a pod that is gone.
        "force-expire" if permission.resource == "pods" => (Ok(()), vec!["forbidden".to_owned()]),
        "force-expire" | "acquire" if is_evidence => (Ok(()), Vec::new()),
        "inspect --evidence" if !is_needed => {
            let rule = role.strip_prefix("hint: ").unwrap_or_default().to_owned();
            (Ok(()), vec![rule])
        }
        // Without the one it polls; lists take the place of the other.
        "inspect --watch" if permission.verb == "watch" => (Ok(()), vec![role]),
        "inspect --watch" if !is_needed => (Ok(()), Vec::new()),
        // The role that a check was skipped for.
        "doctor" => {
            let resource = format!("  resources: [\"{}\"]\n", permission.resource);
            (Ok(()), vec![resource])
        }
        "send --direct" if is_answer => (Err(UNKNOWN), vec![role]),
        // Others ask the same, and what is printed is what it is for there.
        "simulate collect" if is_evidence || permission.resource == "jobs" => {
            let resource = format!("    resources: [\"{}\"]\n", permission.resource);
            (Err(FORBIDDEN), vec![resource])
        }
        _ if is_needed => (Err(FORBIDDEN), vec![role]),
        _ if permission.verb == "watch" => (Ok(()), vec![log]),
        _ => (Ok(()), vec![role]),
    }
}

/// Whether an operation has one namespace for leases and requests.
pub(crate) fn is_in_one_namespace(operation: &Operation) -> bool {
    ["bench requests", "bench signals", "simulate"]
        .iter()
        .any(|begins| operation.name.starts_with(begins))
}

/// Whether what an operation asks is asked in the same way by another one: benchmarks do what is measured, and a pod of a
/// simulation is a replica, but for the meeting with the others.
pub(crate) fn is_like_another(operation: &Operation, permission: &Permission) -> bool {
    let is_look_up = permission.place == Place::Cluster && permission.resource != "namespaces";
    let name = operation.name;
    name.starts_with("bench")
        // It looks objects of every kind up as a replica does.
        || (name == "send --direct" && is_look_up)
        || (name == "simulate --member" && permission.resource != "configmaps")
}

/// Runs an operation that lacks this permission: it fails and names it, or does less and says so.
pub(crate) fn run_without(operation: &Operation, missing: &Permission, ground: &Ground<'_>) {
    let ended = run(operation, ground);
    let Permission { verb, resource, .. } = missing;
    let what = format!("{} without {verb} {resource}", operation.name);
    let (end, words) = expected(operation, missing, ground);
    let log = match &ended {
        Ok(()) => ground.log(),
        Err(failed) => failed.text.clone(),
    };
    assert_eq!(ended.map_err(|failed| failed.code), end, "{what}: {log}");
    for words in &words {
        assert!(
            log.contains(words.as_str()),
            "{what}: {words} is not in: {log}"
        );
    }
    // They tell of more than their own requests.
    if operation.name.starts_with("rbac check") || operation.name == "doctor" {
        return;
    }
    // No other rule is said to be missing.
    let is_another = |line: &&str| {
        let is_rule = line.contains("apiGroups") && !line.contains("resources");
        let of_group = format!("- apiGroups: [\"{}\"]", missing.group);
        is_rule && !line.contains(&of_group)
    };
    assert_eq!(log.lines().find(is_another), None, "{what}: {log}");
}

/// Runs cases, several at a time.
pub(crate) fn all_at_once<T: Sync>(cases: &[T], case: impl Fn(usize, &T) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(own) = cases.get(number) else { break };
                    case(number, own);
                }
            });
        }
    });
}
