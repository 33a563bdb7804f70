//! Never two active RemediationRequests of one fingerprint.
//!
//! One case is documented: a POST that lands after a request was deleted that stood when its sender decided on it. It
//! has a rule of its own, so that nobody takes it for another.

use std::collections::BTreeMap;

use super::{Rule, Slack, Violation, seconds};
use crate::sim::history::{Event, Header, What};

pub(super) fn check(header: &Header, events: &[&Event], violations: &mut Vec<Violation>) {
    let slack = Slack::of(header);
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
        // Whoever ended the other one may be of those of whom not everything is known.
        let mut others = of_key.keys().filter(|other| **other != uid);
        if !header.incomplete.is_empty() && !others.any(|other| is_still_active(events, at, other))
        {
            continue;
        }
        let names: Vec<&str> = of_key.values().copied().collect();
        let names = names.join(" and ");
        // What was sent before may stand a little behind.
        let until = event.at.saturating_add(slack.most());
        let before = events.partition_point(|event| event.at <= until);
        let before = if slack.most() == 0 { at } else { before };
        let decided = decided(&events[..before], name);
        let deletions = deleted.get(key.as_str()).map_or(&[][..], Vec::as_slice);
        let (rule, more) = match deletions
            .iter()
            .find(|at| at.saturating_add(slack.most()) >= decided)
        {
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

/// Whether the next that is known of a request is that it is active.
fn is_still_active(events: &[&Event], at: usize, own: &str) -> bool {
    let mut later = events[at + 1..]
        .iter()
        .filter_map(|event| match &event.what {
            What::Request {
                uid,
                active,
                deleted,
                ..
            } if uid == own => Some(*active && !deleted),
            _ => None,
        });
    later.next() == Some(true)
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
