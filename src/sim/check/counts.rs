//! What senders were told against what stands in the requests.

use std::collections::{BTreeMap, BTreeSet};

use super::{Rule, Slack, Violation};
use crate::sim::history::{Event, Outcome, What};

#[derive(Default)]
struct Request<'a> {
    name: &'a str,
    key: &'a str,
    /// As it stands.
    count: i64,
    /// What it has been at most.
    most: i64,
    answered: i64,
    numbers: BTreeSet<i64>,
}

pub(super) fn check(slack: Slack, events: &[&Event], violations: &mut Vec<Violation>) {
    let mut requests: BTreeMap<&str, Request<'_>> = BTreeMap::new();
    let mut keys: BTreeMap<u64, &str> = BTreeMap::new();
    let mut open: BTreeMap<&str, i64> = BTreeMap::new();
    for (at, event) in known_early(slack, events) {
        match &event.what {
            What::Request {
                uid,
                name,
                key,
                count,
                ..
            } => {
                let request = requests.entry(uid).or_default();
                (request.name, request.key) = (name, key);
                request.count = count.unwrap_or(0);
                request.most = request.most.max(request.count);
            }
            What::Signal { signal, key } => {
                keys.insert(*signal, key);
                *open.entry(key).or_default() += 1;
            }
            What::Answer {
                signal,
                outcome,
                uid,
                count,
                ..
            } => {
                let Some(key) = keys.get(signal).copied() else {
                    continue;
                };
                if *outcome == Outcome::Unknown {
                    continue;
                }
                *open.entry(key).or_default() -= 1;
                if *outcome == Outcome::Failed {
                    continue;
                }
                let counted_on = uid.as_deref().and_then(|uid| requests.get_mut(uid));
                let Some(request) = counted_on else {
                    violations.push(Violation {
                        rule: Rule::AnsweredWithoutEffect,
                        key: key.to_owned(),
                        message: format!(
                            "signal {signal} was answered 2xx, but the request that it was counted on does not exist"
                        ),
                        at,
                    });
                    continue;
                };
                request.answered += 1;
                let Some(told) = *count else { continue };
                if request.most < told || told < 1 {
                    violations.push(Violation {
                        rule: Rule::AnsweredWithoutEffect,
                        key: key.to_owned(),
                        message: format!(
                            "signal {signal} was answered with count {told} of {}, where {} stands",
                            request.name, request.count
                        ),
                        at,
                    });
                }
                if !request.numbers.insert(told) {
                    violations.push(Violation {
                        rule: Rule::NumberTwice,
                        key: key.to_owned(),
                        message: format!(
                            "two signals were answered with count {told} of {}, signal {signal} the second time",
                            request.name
                        ),
                        at,
                    });
                }
            }
            What::End => {
                for request in requests.values() {
                    balance(request, &open, at, violations);
                }
                totals(&requests, &open, at, violations);
            }
            _ => {}
        }
    }
}

/// The events with their places, those of requests as early as the clocks allow: whoever was told of a count has seen it
/// before, though the pod that tells of the request may have a clock that is behind.
fn known_early<'a>(
    slack: Slack,
    events: &'a [&'a Event],
) -> impl Iterator<Item = (usize, &'a Event)> {
    let mut order: Vec<usize> = (0..events.len()).collect();
    order.sort_by_key(|at| match &events[*at].what {
        What::Request { .. } => (events[*at].at.saturating_sub(slack.most()), false),
        _ => (events[*at].at, slack.most() > 0),
    });
    order.into_iter().map(|at| (at, events[at]))
}

fn balance(
    request: &Request<'_>,
    open: &BTreeMap<&str, i64>,
    at: usize,
    violations: &mut Vec<Violation>,
) {
    let Request {
        name,
        key,
        count,
        answered,
        numbers,
        ..
    } = request;
    let unanswered = open.get(key).copied().unwrap_or(0);
    let highest = numbers.last().copied().unwrap_or(0);
    if count < answered || *count < highest {
        violations.push(Violation {
            rule: Rule::CountTooLow,
            key: (*key).to_owned(),
            message: format!(
                "{name} has count {count}, but {answered} signals were answered with counts of up to {highest}"
            ),
            at,
        });
    }
    if *count > answered + unanswered {
        violations.push(Violation {
            rule: Rule::CountTooHigh,
            key: (*key).to_owned(),
            message: format!(
                "{name} has count {count}, but {answered} signals were answered, and {unanswered} more may have been \
                 counted"
            ),
            at,
        });
    }
}

/// The same of all requests of a key together: a signal may have been counted once.
fn totals(
    requests: &BTreeMap<&str, Request<'_>>,
    open: &BTreeMap<&str, i64>,
    at: usize,
    violations: &mut Vec<Violation>,
) {
    let mut by_key: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for request in requests.values() {
        let (count, answered) = by_key.entry(request.key).or_default();
        *count += request.count;
        *answered += request.answered;
    }
    for (key, (count, answered)) in by_key {
        let unanswered = open.get(key).copied().unwrap_or(0);
        if count > answered + unanswered {
            violations.push(Violation {
                rule: Rule::CountTooHigh,
                key: key.to_owned(),
                message: format!(
                    "the requests of {key} have counts of {count} together, but {answered} signals were answered, and \
                     {unanswered} more may have been counted"
                ),
                at,
            });
        }
    }
}
