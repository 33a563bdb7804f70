//! Holds: never two at the same time, by what really happened and by what each client claims, with tokens that grow.

use std::collections::BTreeMap;

use super::{Rule, Slack, Violation, number, seconds};
use crate::sim::history::{Event, What};

/// A hold of one lease, from when its client learned of it until it had nothing more to do under it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Term {
    pub(crate) key: String,
    pub(crate) pod: String,
    pub(crate) incarnation: u32,
    pub(crate) holder: String,
    pub(crate) token: Option<String>,
    /// Microseconds.
    pub(crate) from: u64,
    /// Microseconds; for ever where it never ended.
    pub(crate) to: u64,
    /// Until when its client relies on what it has written, or until it sends its release.
    claimed: u64,
    /// The place of the event that tells of it.
    index: usize,
}

struct Open {
    term: Term,
    id: String,
    valid: Option<u64>,
    ended: bool,
    released: bool,
}

/// A write of a holder to its lease that waits for its answer.
struct Writing<'a> {
    object: &'a str,
    holder: &'a str,
    sent: u64,
}

/// The holds of a history, in the order of their beginnings.
pub(super) fn of(events: &[&Event]) -> Vec<Term> {
    let mut terms: Vec<Open> = Vec::new();
    let mut by_id: BTreeMap<&str, usize> = BTreeMap::new();
    // The latest write that succeeded, or else the first that was sent, of each holder.
    let mut sent: BTreeMap<(&str, &str), (bool, u64)> = BTreeMap::new();
    let mut writing: BTreeMap<u64, Writing<'_>> = BTreeMap::new();
    // Which of them are open, so that a long history is read in one go.
    let mut open: BTreeMap<(&str, u32), Vec<usize>> = BTreeMap::new();
    for (index, event) in events.iter().enumerate() {
        let process = (event.pod.as_str(), event.incarnation);
        match &event.what {
            What::Held {
                key,
                term,
                holder,
                token,
                valid,
            } => {
                let relied_on = sent.get(&(key.as_str(), holder.as_str()));
                let since = relied_on.map_or(event.at, |(_, sent)| *sent);
                by_id.insert(term, terms.len());
                open.entry(process).or_default().push(terms.len());
                terms.push(Open {
                    term: Term {
                        key: key.clone(),
                        pod: event.pod.clone(),
                        incarnation: event.incarnation,
                        holder: holder.clone(),
                        token: token.clone(),
                        from: event.at,
                        to: u64::MAX,
                        claimed: valid.map_or(u64::MAX, |valid| since + valid),
                        index,
                    },
                    id: term.clone(),
                    valid: *valid,
                    ended: false,
                    released: false,
                });
            }
            What::Ended { term, .. } => {
                if let Some(open) = by_id.get(term.as_str()).map(|at| &mut terms[*at])
                    && !open.ended
                {
                    open.ended = true;
                    open.term.to = event.at;
                    if open.valid.is_none() {
                        open.term.claimed = event.at;
                    }
                }
            }
            What::Crashed => {
                for at in open.remove(&process).unwrap_or_default() {
                    let open = &mut terms[at];
                    open.term.to = open.term.to.min(event.at);
                    open.term.claimed = open.term.claimed.min(event.at);
                    (open.ended, open.released) = (true, true);
                }
            }
            What::Call {
                call,
                verb,
                resource,
                object,
                holder,
                ..
            } if resource == "leases" => {
                if let (Some(holder), "create" | "update") = (holder, verb.as_str()) {
                    let first = (false, event.at);
                    sent.entry((object, holder)).or_insert(first);
                    writing.insert(
                        *call,
                        Writing {
                            object,
                            holder,
                            sent: event.at,
                        },
                    );
                }
                if verb == "delete" {
                    let own = open.get(&process).map_or(&[][..], Vec::as_slice);
                    for at in own {
                        let open = &mut terms[*at];
                        if open.term.key == *object && open.ended && !open.released {
                            open.released = true;
                            open.term.claimed = open.term.claimed.min(event.at);
                        }
                    }
                }
            }
            What::Reply {
                call,
                status: Some(200..300),
                ..
            } => {
                if let Some(written) = writing.remove(call) {
                    let key = (written.object, written.holder);
                    sent.insert(key, (true, written.sent));
                    let own = open.get(&process).map_or(&[][..], Vec::as_slice);
                    for at in own {
                        let open = &mut terms[*at];
                        if let Some(valid) = open.valid
                            && !open.released
                            && open.term.key == written.object
                            && open.term.holder == written.holder
                        {
                            open.term.claimed = open.term.claimed.max(written.sent + valid);
                        }
                    }
                }
            }
            _ => {}
        }
        // What is over for good is not looked at again.
        if matches!(event.what, What::Ended { .. } | What::Call { .. })
            && let Some(own) = open.get_mut(&process)
        {
            own.retain(|at| {
                !(terms[*at].ended && (terms[*at].released || terms[*at].valid.is_none()))
            });
        }
    }
    debug_assert!(terms.iter().all(|open| !open.id.is_empty()));
    terms.into_iter().map(|open| open.term).collect()
}

pub(super) fn check(slack: Slack, events: &[&Event], violations: &mut Vec<Violation>) {
    let terms = of(events);
    let mut by_key: BTreeMap<&str, Vec<&Term>> = BTreeMap::new();
    for term in &terms {
        by_key.entry(&term.key).or_default().push(term);
    }
    for (key, terms) in by_key {
        let work = overlap(slack, &terms, |term| term.to);
        let claim = overlap(slack, &terms, |term| term.claimed);
        let found = [(Rule::TwoHolders, work), (Rule::ClaimsOverlap, claim)];
        for (rule, pair) in found {
            let Some((first, second)) = pair else {
                continue;
            };
            let (words, until) = match rule {
                Rule::TwoHolders => ("held", first.to),
                _ => ("claimed", first.claimed),
            };
            let until = match until {
                u64::MAX => "the end".to_owned(),
                until => seconds(until),
            };
            violations.push(Violation {
                rule,
                key: key.to_owned(),
                message: format!(
                    "{key} was {words} by {} as {} from {} until {until}, and held by {} as {} from {}",
                    process(first),
                    first.holder,
                    seconds(first.from),
                    process(second),
                    second.holder,
                    seconds(second.from)
                ),
                at: second.index,
            });
        }
        if let Some((before, term)) = not_grown(slack, &terms) {
            violations.push(Violation {
                rule: Rule::TokensGrow,
                key: key.to_owned(),
                message: format!(
                    "{key}: the fencing token {} of {} came after {} of {}",
                    term.token.as_deref().unwrap_or_default(),
                    process(term),
                    before.token.as_deref().unwrap_or_default(),
                    process(before)
                ),
                at: term.index,
            });
        }
    }
}

/// The first term whose token is not greater than that of one before it, with that one.
fn not_grown<'a>(slack: Slack, terms: &[&'a Term]) -> Option<(&'a Term, &'a Term)> {
    let with_tokens: Vec<&Term> = terms
        .iter()
        .copied()
        .filter(|term| term.token.is_some())
        .collect();
    let token = |term: &Term| number(term.token.as_deref());
    let greater = |one: Option<&'a Term>, other: &'a Term| match one {
        Some(one) if token(one) > token(other) => one,
        _ => other,
    };
    // The greatest of those that certainly came before, and of those of each pod.
    let (mut greatest, mut sure) = (None, 0);
    let mut of_pods: BTreeMap<&str, &Term> = BTreeMap::new();
    let mut of_tokens: BTreeMap<Option<u128>, &Term> = BTreeMap::new();
    for (index, term) in with_tokens.iter().copied().enumerate() {
        while sure < index
            && (slack.most() == 0 || with_tokens[sure].from + slack.most() < term.from)
        {
            greatest = Some(greater(greatest, with_tokens[sure]));
            sure += 1;
        }
        let own = of_pods.get(term.pod.as_str()).copied();
        let same = of_tokens.get(&token(term)).copied();
        let before = [greatest, own].into_iter().flatten();
        let mut wrong = before.filter(|before| token(before) >= token(term));
        // Two writes are never given one version, whichever came first.
        if let Some(before) = wrong.next().or(same) {
            return Some((before, term));
        }
        of_pods.insert(&term.pod, greater(own, term));
        of_tokens.insert(token(term), term);
    }
    None
}

/// The first term that began while an earlier one of the same lease had not ended, with that one: the one that lasts
/// longest, if there are several.
fn overlap<'a>(
    slack: Slack,
    terms: &[&'a Term],
    end: impl Fn(&Term) -> u64,
) -> Option<(&'a Term, &'a Term)> {
    let mut open: Vec<&Term> = Vec::new();
    for term in terms {
        open.retain(|before| term.from < end(before));
        let both = |before: &&&'a Term| {
            let slack = slack.between(&before.pod, &term.pod);
            let is_after = before.from.saturating_add(slack) < end(term);
            term.from.saturating_add(slack) < end(before) && (slack == 0 || is_after)
        };
        if let Some(before) = open.iter().filter(both).max_by_key(|before| end(before)) {
            return Some((before, term));
        }
        open.push(term);
    }
    None
}

fn process(term: &Term) -> String {
    match term.incarnation {
        0 => term.pod.clone(),
        restarts => format!("{} (restart {restarts})", term.pod),
    }
}
