//! What is wrong with RemediationRequests and the leases of their keys, by what two LISTs showed.
//!
//! The leases have to be listed before the requests: whatever the holder of a lease had created by then is seen.
//!
//! | Class | Found when | What it means |
//! |---|---|---|
//! | `several-active` | two or more requests of one key are active and not being deleted | the lock was passed by; signals are counted on the oldest |
//! | `not-counted` | a request has no `deduplication` with a count, is older than [`GRACE`], and the holder that made it no longer has the lease | its creator crashed between its two writes, or may not write the status |
//! | `counted-after-end` | an ended request that suppresses nothing was last seen after its end, by more than [`SKEW`] | a signal was answered and nothing remediates it |
//! | `counted-beside-active` | an ended request was last seen more than [`DECISION`] after an active one was created | the count went to the wrong request |
//! | `wrong-fingerprint` | the fingerprint is that of no key that the request's target can have | no signal about this target is counted on it |
//! | `orphan-lease` | a `gw-lock-` lease expired, and there is no request of its key | its creator died before it created one |
//! | `long-held-lease` | a lease is held for more than [`LONG`] by one acquisition although a request of its key is active | its holder is stuck, or a person holds it |
//!
//! The partner of a lease is a request of its key that its holder makes; until its first count that lease is the partner
//! of the request. A request that is counted needs no lease any more, so that it is never missed.
//!
//! All is by the server's clock, but for `lastSeenAt` and the end of a request, which their writers may have by other
//! clocks. What happened between two whole seconds, or was counted and then counted again elsewhere, leaves no trace.

mod leases;
mod requests;

use std::time::Duration;

use gwlock_engine::client::list::Listing;
use gwlock_engine::protocol::timing::{DEFAULT_LEASE_DURATION, DEFAULT_MARGIN};
use gwlock_engine::remediation::processor::DEFAULT_BUDGET;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;

use super::Group;

/// How long a creator may take to its first count: it keeps its lease for no longer without renewing it.
pub const GRACE: Duration = DEFAULT_LEASE_DURATION;
/// How far two writers' clocks may be apart.
pub const SKEW: Duration = DEFAULT_MARGIN;
/// How old the reading may be by which a signal was counted: a signal is not worked on for longer.
pub const DECISION: Duration = DEFAULT_BUDGET.saturating_add(SKEW);
/// How long one acquisition holds a lease at most, as a rule: twice its duration.
pub const LONG: Duration = DEFAULT_LEASE_DURATION.saturating_mul(2);

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// More than one request of a key is active.
    SeveralActive,
    /// A request was never counted.
    NotCounted,
    /// A request was counted after it had ended.
    CountedAfterEnd,
    /// An ended request was counted although another one was active.
    CountedBesideActive,
    /// A fingerprint is not that of the target.
    WrongFingerprint,
    /// A lease expired and left no request.
    OrphanLease,
    /// A lease is held although nobody needs it.
    LongHeldLease,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::SeveralActive,
        Self::NotCounted,
        Self::CountedAfterEnd,
        Self::CountedBesideActive,
        Self::WrongFingerprint,
        Self::OrphanLease,
        Self::LongHeldLease,
    ];

    /// As it is printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SeveralActive => "several-active",
            Self::NotCounted => "not-counted",
            Self::CountedAfterEnd => "counted-after-end",
            Self::CountedBesideActive => "counted-beside-active",
            Self::WrongFingerprint => "wrong-fingerprint",
            Self::OrphanLease => "orphan-lease",
            Self::LongHeldLease => "long-held-lease",
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What it is.
    pub class: Class,
    /// The namespace of the objects.
    pub namespace: String,
    /// What the key is about, or as much of its fingerprint as is known.
    pub key: String,
    /// The objects that it is about.
    pub objects: Vec<Object>,
    /// What it means, in words.
    pub message: String,
    /// What to do next.
    pub next: Next,
}

/// An object that a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Object {
    /// A RemediationRequest, by name.
    Request(String),
    /// A Lease, by name.
    Lease(String),
}

/// What to do next. It changes something only where nothing that works can be harmed by it.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Delete requests that have not begun.
    Delete(Vec<String>),
    /// Look at requests.
    Show(Vec<String>),
    /// Count the signal that made a request: this JSON patch of its status takes effect only if it still has no count.
    Count(String, Value),
    /// See which key signals about this target have.
    Resolve(String),
    /// Take an expired lease over and release it, both of which fail if somebody else has it.
    Clear(String),
    /// See who holds a lease.
    Inspect(String),
}

/// All findings, sorted by class, namespace and key. Without leases nothing is said about them.
#[must_use]
pub fn find(groups: &[Group], now: Timestamp, leases: Option<&Listing>) -> Vec<Finding> {
    let mut findings = requests::find(groups, now, leases);
    if let Some(leases) = leases {
        findings.extend(leases::find(groups, leases));
    }
    findings.sort_by(|a, b| {
        let order = |finding: &Finding| {
            (
                finding.class,
                finding.namespace.clone(),
                finding.key.clone(),
            )
        };
        order(a).cmp(&order(b))
    });
    findings
}

/// How long after `since` it is, if it is.
fn later(now: Timestamp, since: Timestamp) -> Option<Duration> {
    now.duration_since(since).try_into().ok()
}

fn is_later_by(now: Timestamp, since: Timestamp, more_than: Duration) -> bool {
    let limit = SignedDuration::try_from(more_than).unwrap_or(SignedDuration::MAX);
    now.duration_since(since) > limit
}

#[cfg(test)]
mod tests;
