//! Candidates as the current gateway finds and ranks them.

use std::collections::{BTreeMap, VecDeque};

use crate::gateway::kinds::{Kind, Kinds};
use crate::gateway::names::{is_label, is_subdomain};

use super::{Object, Question, Reason, Selection};

/// Labels that say where a metric was scraped, never what it is about.
const NEVER: [&str; 6] = [
    "job",
    "service",
    "instance",
    "endpoint",
    "container",
    "namespace",
];

/// Kinds that make others; they come first.
const MAKERS: [&str; 5] = [
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "CronJob",
    "DeploymentConfig",
];

/// Kinds that are made, and what they run on; they come last.
const LEAVES: [&str; 2] = ["Pod", "Node"];

/// Where a namespace is looked for, and where an object is whose alert names none.
const NAMESPACE_LABELS: [&str; 2] = ["exported_namespace", "namespace"];
const DEFAULT_NAMESPACE: &str = "default";

/// A label that names an object.
struct Candidate<'a> {
    kind: &'a str,
    name: &'a str,
}

pub(super) fn select(kinds: &Kinds, labels: &BTreeMap<String, String>) -> Selection {
    let namespace = NAMESPACE_LABELS
        .iter()
        .filter_map(|label| labels.get(*label))
        .map(String::as_str)
        .find(|value| is_label(value));
    let plain = candidates(kinds, labels, is_label);
    if !plain.is_empty() {
        let scope = |kind: &Kind| match (kind.namespaced, namespace) {
            (true, Some(namespace)) => Some(namespace),
            (false, None) => Some(""),
            (true, None) | (false, Some(_)) => None,
        };
        let home = |kind: &Kind| match namespace {
            Some(namespace) => namespace,
            None if kind.namespaced => DEFAULT_NAMESPACE,
            None => "",
        };
        return selection(kinds, &plain, scope, home);
    }
    let dotted = candidates(kinds, labels, is_subdomain);
    let home = |kind: &Kind| match namespace {
        _ if !kind.namespaced => "",
        Some(namespace) => namespace,
        None => DEFAULT_NAMESPACE,
    };
    selection(kinds, &dotted, |kind| Some(home(kind)), home)
}

/// The labels that name an object, the best first. Of two labels for one kind the alphabetically first wins, where the
/// running gateway takes either.
fn candidates<'a>(
    kinds: &'a Kinds,
    labels: &'a BTreeMap<String, String>,
    is_name: fn(&str) -> bool,
) -> Vec<Candidate<'a>> {
    let mut found: Vec<Candidate<'a>> = labels
        .iter()
        .filter(|(label, value)| !NEVER.contains(&label.as_str()) && is_name(value))
        .filter_map(|(label, name)| {
            let kind = kinds.of_label(label)?;
            Some(Candidate { kind, name })
        })
        .collect();
    found.sort_by_key(|candidate| (tier(candidate.kind), candidate.kind));
    found
}

fn tier(kind: &str) -> u8 {
    if MAKERS.contains(&kind) {
        1
    } else if LEAVES.contains(&kind) {
        3
    } else {
        2
    }
}

/// Asks for the candidates in their order, for each in every group that has its kind. `scope` says in which namespace
/// one is to be asked for, if at all, and `home` where the first is if none exists.
fn selection<'a>(
    kinds: &Kinds,
    candidates: &[Candidate<'a>],
    scope: impl Fn(&Kind) -> Option<&'a str>,
    home: impl Fn(&Kind) -> &'a str,
) -> Selection {
    let mut open = VecDeque::new();
    for candidate in candidates {
        for kind in kinds.all(candidate.kind) {
            if let Some(namespace) = scope(kind) {
                open.push_back(Question {
                    kind: kind.clone(),
                    namespace: namespace.to_owned(),
                    name: candidate.name.to_owned(),
                });
            }
        }
    }
    let first = candidates.first().and_then(|candidate| {
        let kind = kinds.get(candidate.kind)?;
        Some(Object {
            kind: candidate.kind.to_owned(),
            name: candidate.name.to_owned(),
            namespace: home(kind).to_owned(),
            api_version: Some(kind.api_version()),
        })
    });
    Selection {
        first,
        reason: Reason::First,
        open,
        chosen: None,
    }
}
