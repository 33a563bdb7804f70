//! From a violation to the fewest events that show it.
//!
//! Only what cannot make a violation by its absence is left out: a whole hold, not its end alone; no signal where one too
//! few is counted. So what remains shows what really happened.

use std::collections::BTreeSet;

use super::{Rule, Violation, check_events};
use crate::sim::history::{Event, History, What};

/// Events that stay or go together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Group<'a> {
    Pod(&'a str),
    Signal(u64),
    Call(u64),
    Term(&'a str),
    Request(&'a str),
    Other(usize),
}

/// The events of a history that show this violation, as few as possible, in their order.
pub(crate) fn shrink<'a>(history: &'a History, violation: &Violation) -> Vec<&'a Event> {
    let mut kept: Vec<(Group<'a>, &'a Event)> = Vec::new();
    for (at, event) in history.events[..=violation.at].iter().enumerate() {
        kept.push((group(at, event), event));
    }
    let protected = protected(&kept, violation);
    let mut candidates: Vec<Group<'a>> = Vec::new();
    let mut seen = BTreeSet::new();
    for (group, _) in &kept {
        if !protected.contains(group) && seen.insert(group.clone()) {
            candidates.push(group.clone());
        }
    }
    // What happened long before matters least: it is tried first, in halves, quarters and so on.
    let mut size = candidates.len();
    while size > 0 {
        let mut from = 0;
        while from < candidates.len() {
            let to = (from + size).min(candidates.len());
            let without: BTreeSet<&Group<'a>> = candidates[from..to].iter().collect();
            let events: Vec<&Event> = kept
                .iter()
                .filter(|(group, _)| !without.contains(group))
                .map(|(_, event)| *event)
                .collect();
            let still = check_events(&history.header, &events)
                .iter()
                .any(|other| other.rule == violation.rule && other.key == violation.key);
            if still {
                kept.retain(|(group, _)| !without.contains(group));
                candidates.drain(from..to);
            } else {
                from = to;
            }
        }
        size = match size {
            1 => 0,
            size => size.div_ceil(2),
        };
    }
    let pods: BTreeSet<&str> = kept
        .iter()
        .filter(|(group, _)| !matches!(group, Group::Pod(_)))
        .map(|(_, event)| event.pod.as_str())
        .collect();
    // That a pod began at some time goes without saying.
    let is_news = |event: &Event| event.incarnation > 0 || event.what != What::Started;
    kept.iter()
        .filter(|(group, event)| {
            is_news(event) && !matches!(group, Group::Pod(pod) if !pods.contains(pod))
        })
        .map(|(_, event)| *event)
        .collect()
}

fn group(at: usize, event: &Event) -> Group<'_> {
    match &event.what {
        What::Started | What::Crashed | What::Stopped { .. } | What::Resumed { .. } => {
            Group::Pod(&event.pod)
        }
        What::Signal { signal, .. } | What::Answer { signal, .. } => Group::Signal(*signal),
        What::Call { call, .. } | What::Reply { call, .. } => Group::Call(*call),
        What::Held { term, .. } | What::Ended { term, .. } => Group::Term(term),
        What::Request { uid, .. } => Group::Request(uid),
        What::Fault { .. } | What::Left { .. } | What::End => Group::Other(at),
    }
}

/// What must not be left out, because its absence could be the violation.
fn protected<'a>(events: &[(Group<'a>, &'a Event)], violation: &Violation) -> BTreeSet<Group<'a>> {
    let is_protected = |event: &Event| match (&event.what, violation.rule) {
        (
            What::Started | What::Crashed | What::Stopped { .. } | What::Resumed { .. } | What::End,
            _,
        ) => true,
        (What::Signal { key, .. }, Rule::CountTooHigh) => *key == violation.key,
        (
            What::Request { key, .. },
            Rule::CountTooLow
            | Rule::CountTooHigh
            | Rule::AnsweredWithoutEffect
            | Rule::NumberTwice,
        ) => *key == violation.key,
        (What::Call { object, .. }, Rule::ClaimsOverlap) => *object == violation.key,
        (What::Call { verb, object, .. }, Rule::Linearizable) => {
            verb == "delete" && *object == violation.key
        }
        _ => false,
    };
    events
        .iter()
        .filter(|(_, event)| is_protected(event))
        .map(|(group, _)| group.clone())
        .collect()
}
