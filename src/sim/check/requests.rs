//! Never two active RemediationRequests of one fingerprint.
//!
//! One case is documented: a POST that lands after a request was deleted that stood when its sender decided on it. It
//! has a rule of its own, so that nobody takes it for another.

use std::collections::BTreeMap;

use super::{Rule, Violation, seconds};
use crate::sim::history::{Event, What};

pub(super) fn check(events: &[&Event], violations: &mut Vec<Violation>) {
    let mut active: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    let mut deleted: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (at, event) in events.iter().enumerate() {
        let What::Request {
            uid,
            name,
            key,
            active: is_active,
            deleted: is_deleted,
            ..
        } = &event.what
        else {
            continue;
        };
        let of_key = active.entry(key).or_default();
        if *is_deleted {
            deleted.entry(key).or_default().push(event.at);
        }
        if !is_active || *is_deleted {
            of_key.remove(uid.as_str());
            continue;
        }
        of_key.insert(uid, name);
        if of_key.len() < 2 {
            continue;
        }
        let names: Vec<&str> = of_key.values().copied().collect();
        let names = names.join(" and ");
        let decided = decided(&events[..at], name);
        let deletions = deleted.get(key.as_str()).map_or(&[][..], Vec::as_slice);
        let (rule, more) = match deletions.iter().find(|at| **at >= decided) {
            Some(deletion) => (
                Rule::TwoActiveAfterDeletion,
                format!(
                    "; it was decided on by {}, and a request was deleted at {}: the case that docs/protocol.md leaves \
                     open (\"What stays open\")",
                    seconds(decided),
                    seconds(*deletion)
                ),
            ),
            None => (Rule::TwoActive, String::new()),
        };
        violations.push(Violation {
            rule,
            key: key.clone(),
            message: format!(
                "{key} has two active requests at {}: {names}{more}",
                seconds(event.at)
            ),
            at,
        });
    }
}

/// When the creator of a request read last before it sent its first POST of that name; never, if that is not known.
fn decided(before: &[&Event], name: &str) -> u64 {
    let posts = before.iter().position(|event| {
        matches!(&event.what, What::Call { verb, resource, object, .. }
            if verb == "create" && resource == "remediationrequests" && object.ends_with(name))
    });
    let Some(post) = posts else {
        return u64::MAX;
    };
    let (pod, incarnation) = (&before[post].pod, before[post].incarnation);
    let read = before[..post].iter().rev().find(|event| {
        event.pod == *pod
            && event.incarnation == incarnation
            && matches!(&event.what, What::Call { verb, resource, .. }
                if verb == "list" && resource == "remediationrequests")
    });
    read.map_or(before[post].at, |read| read.at)
}
