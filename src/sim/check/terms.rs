//! Holds: never two at the same time, by what really happened and by what each client claims, with tokens that grow.

use std::collections::BTreeMap;

use super::{Rule, Violation, number, seconds};
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

pub(super) fn check(events: &[&Event], violations: &mut Vec<Violation>) {
    let terms = of(events);
    let mut by_key: BTreeMap<&str, Vec<&Term>> = BTreeMap::new();
    for term in &terms {
        by_key.entry(&term.key).or_default().push(term);
    }
    for (key, terms) in by_key {
        let work = overlap(&terms, |term| term.to);
        let claim = overlap(&terms, |term| term.claimed);
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
        let tokens = terms.iter().filter(|term| term.token.is_some());
        let mut last: Option<&Term> = None;
        for term in tokens {
            if let Some(before) = last
                && number(before.token.as_deref()) >= number(term.token.as_deref())
            {
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
                break;
            }
            last = Some(term);
        }
    }
}

/// The first term that began while an earlier one of the same lease had not ended, with that one.
fn overlap<'a>(terms: &[&'a Term], end: impl Fn(&Term) -> u64) -> Option<(&'a Term, &'a Term)> {
    let mut longest: Option<&Term> = None;
    for term in terms {
        if let Some(before) = longest
            && term.from < end(before)
        {
            return Some((before, term));
        }
        if longest.is_none_or(|longest| end(term) >= end(longest)) {
            longest = Some(term);
        }
    }
    None
}

fn process(term: &Term) -> String {
    match term.incarnation {
        0 => term.pod.clone(),
        restarts => format!("{} (restart {restarts})", term.pod),
    }
}
