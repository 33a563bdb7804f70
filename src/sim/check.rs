//! The referee: judges a history. Pure, and shares no code with the players.
//!
//! Each rule is a module below; `shrink` reduces a history to what shows that a rule was broken.

mod calls;
mod counts;
mod requests;
mod shrink;
mod slack;
mod terms;
mod waits;

use std::fmt;

use super::history::{Event, Header, History, What};

pub(crate) use shrink::shrink;
use slack::Slack;
pub(crate) use terms::Term;

/// What must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    TwoHolders,
    ClaimsOverlap,
    Linearizable,
    TokensGrow,
    TwoActive,
    TwoActiveAfterDeletion,
    CountTooLow,
    CountTooHigh,
    NumberTwice,
    AnsweredWithoutEffect,
    LeaseLeft,
    WaitTooLong,
}

/// A rule that was broken.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Violation {
    pub(crate) rule: Rule,
    /// The lease or fingerprint that it is about.
    pub(crate) key: String,
    pub(crate) message: String,
    /// The event with which it shows, by its place in the history.
    pub(crate) at: usize,
}

impl Rule {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 12] = [
        Self::TwoHolders,
        Self::ClaimsOverlap,
        Self::Linearizable,
        Self::TokensGrow,
        Self::TwoActive,
        Self::TwoActiveAfterDeletion,
        Self::CountTooLow,
        Self::CountTooHigh,
        Self::NumberTwice,
        Self::AnsweredWithoutEffect,
        Self::LeaseLeft,
        Self::WaitTooLong,
    ];

    /// As it is printed.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::TwoHolders => "two-holders",
            Self::ClaimsOverlap => "claims-overlap",
            Self::Linearizable => "linearizable",
            Self::TokensGrow => "tokens-grow",
            Self::TwoActive => "two-active",
            Self::TwoActiveAfterDeletion => "two-active-after-deletion",
            Self::CountTooLow => "count-too-low",
            Self::CountTooHigh => "count-too-high",
            Self::NumberTwice => "number-twice",
            Self::AnsweredWithoutEffect => "answered-without-effect",
            Self::LeaseLeft => "lease-left",
            Self::WaitTooLong => "wait-too-long",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is broken in a history, in the order in which it shows: of each rule and key the first.
pub(crate) fn check(history: &History) -> Vec<Violation> {
    let events: Vec<&Event> = history.events.iter().collect();
    check_events(&history.header, &events)
}

/// The holds of a history.
pub(crate) fn terms(history: &History) -> Vec<Term> {
    let events: Vec<&Event> = history.events.iter().collect();
    terms::of(&events)
}

fn check_events(header: &Header, events: &[&Event]) -> Vec<Violation> {
    let mut violations = Vec::new();
    let slack = Slack::of(header);
    terms::check(slack, events, &mut violations);
    calls::check(header, events, &mut violations);
    requests::check(header, events, &mut violations);
    counts::check(slack, events, &mut violations);
    waits::check(header, events, &mut violations);
    for (at, event) in events.iter().enumerate() {
        if let What::Left {
            key,
            holder,
            expired: false,
        } = &event.what
        {
            violations.push(Violation {
                rule: Rule::LeaseLeft,
                key: key.clone(),
                message: format!(
                    "{key} is still held by {holder}, and has not expired, after everybody had come to rest"
                ),
                at,
            });
        }
    }
    violations.sort_by(|a, b| (a.at, a.rule, &a.key).cmp(&(b.at, b.rule, &b.key)));
    let mut seen = std::collections::BTreeSet::new();
    violations.retain(|violation| seen.insert((violation.rule, violation.key.clone())));
    violations
}

/// Microseconds as people read them.
fn seconds(at: u64) -> String {
    format!("{}.{:03}s", at / 1_000_000, at % 1_000_000 / 1000)
}

/// Versions and tokens are opaque, but in every Kubernetes they are numbers that grow.
fn number(version: Option<&str>) -> Option<u128> {
    version?.parse().ok()
}

#[cfg(test)]
mod tests;
