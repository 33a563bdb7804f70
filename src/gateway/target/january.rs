//! The fixed list of January's gateway: the first label that is there names the target, whatever its value is.

use std::collections::{BTreeMap, VecDeque};

use super::{Object, Reason, Selection};

const KINDS: [(&str, &str); 6] = [
    ("pod", "Pod"),
    ("deployment", "Deployment"),
    ("statefulset", "StatefulSet"),
    ("daemonset", "DaemonSet"),
    ("node", "Node"),
    ("service", "Service"),
];

const NAMESPACE_LABELS: [&str; 2] = ["namespace", "exported_namespace"];

const DEFAULT_NAMESPACE: &str = "default";

pub(super) fn select(labels: &BTreeMap<String, String>) -> Selection {
    let namespace = NAMESPACE_LABELS.iter().find_map(|label| labels.get(*label));
    let first = KINDS.iter().find_map(|(label, kind)| {
        Some(Object {
            kind: (*kind).to_owned(),
            name: labels.get(*label)?.clone(),
            namespace: namespace
                .map_or(DEFAULT_NAMESPACE, String::as_str)
                .to_owned(),
            api_version: None,
        })
    });
    Selection {
        // An object without a name is none; the label hides the ones after it all the same.
        first: first.filter(|object| !object.name.is_empty()),
        reason: Reason::Fixed,
        open: VecDeque::new(),
        chosen: None,
    }
}
