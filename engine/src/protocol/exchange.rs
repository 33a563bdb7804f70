//! What the state machines send and what they are answered.
//!
//! Requests and answers by meaning; HTTP is the client's part.

use std::time::Duration;

use jiff::Timestamp;

use super::clock::Moment;
use super::record::{Claim, LeaseRecord};

/// One request for the machine's lease. All carry the deadline that the caller was given with the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// POST.
    Create(Claim),
    /// GET, consistent.
    Get,
    /// PUT of the object that was read last, with this claim.
    Replace {
        /// Of the version that was read.
        version: Version,
        /// The new claim.
        claim: Claim,
    },
    /// DELETE with both preconditions.
    Delete(Version),
}

impl Request {
    /// The verb, as RBAC rules spell it.
    #[must_use]
    pub fn verb(&self) -> Verb {
        match self {
            Self::Create(_) => Verb::Create,
            Self::Get => Verb::Get,
            Self::Replace { .. } => Verb::Update,
            Self::Delete(_) => Verb::Delete,
        }
    }
}

/// A verb of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// `create`
    Create,
    /// `get`
    Get,
    /// `list`
    List,
    /// `watch`
    Watch,
    /// `update`
    Update,
    /// `delete`
    Delete,
}

impl Verb {
    /// As RBAC rules spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// What a write has to find unchanged. Without the uid a PUT would create a deleted lease again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.resourceVersion`.
    pub resource_version: String,
}

impl From<&LeaseRecord> for Version {
    fn from(record: &LeaseRecord) -> Self {
        Self {
            uid: record.uid.clone(),
            resource_version: record.resource_version.clone(),
        }
    }
}

/// An answer, or its absence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// When it arrived, or when it was given up.
    pub arrived: Moment,
    /// The answer's `Date`.
    pub date: Option<Timestamp>,
    /// What it means.
    pub answer: Answer,
}

/// The meanings of an answer, classified once by the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The lease, as it stands after the request.
    Lease(Box<LeaseRecord>),
    /// It was deleted.
    Deleted,
    /// 404 for the lease.
    NotFound,
    /// 409 `AlreadyExists`.
    AlreadyExists,
    /// 409 `Conflict`: a precondition did not hold.
    Conflict,
    /// The request was not executed and may be sent again: 429, or no connection at all.
    NotExecuted(NotExecuted),
    /// The server understood and will not do it: 400, 401, 403, 404 of the namespace, 422.
    Refused(Refusal),
    /// No clear answer: time-out, 5xx, connection lost. A write may or may not have happened, or may still happen.
    Unclear(String),
}

impl Answer {
    /// Why the request did not do what it was for, in the words of whoever said so. A lost race has no words.
    #[must_use]
    pub fn trouble(&self) -> Option<&str> {
        match self {
            Self::NotExecuted(why) => Some(&why.message),
            Self::Refused(refusal) => Some(&refusal.message),
            Self::Unclear(message) => Some(message),
            Self::Lease(_)
            | Self::Deleted
            | Self::NotFound
            | Self::AlreadyExists
            | Self::Conflict => None,
        }
    }
}

/// Why a request had no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotExecuted {
    /// The server's or the network's words.
    pub message: String,
    /// `Retry-After`.
    pub retry_after: Option<Duration>,
}

/// A refusal that another try does not change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The HTTP status.
    pub code: u16,
    /// `reason` of the Status, such as `Forbidden`.
    pub reason: String,
    /// `message` of the Status.
    pub message: String,
    /// What was asked for.
    pub verb: Verb,
}

/// A write of ours and when it was sent.
///
/// The claim in a record is tied to the attempt that wrote it by `renewTime`, which no two attempts share; validity
/// counts from that attempt's send time, because the answer may have been late by any amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The `renewTime` it wrote.
    pub renew_time: Timestamp,
    /// When it was sent.
    pub sent: Moment,
    /// The version that a PUT replaces; `None` for a POST.
    pub on: Option<Version>,
    /// From when on it cannot land any more, if it has not: sent + time-out + grace. `None` once its outcome is known.
    pub open_until: Option<Moment>,
}

impl Attempt {
    /// Whether it may still land at `now`.
    #[must_use]
    pub fn is_open(&self, now: Moment) -> bool {
        self.open_until.is_some_and(|until| now < until)
    }

    /// Whether `current`, as an answer to a later request shows it, keeps this write from landing ever: no version of an
    /// object comes again, so a PUT is bound to the one that it names, while a POST only needs a free name.
    #[must_use]
    pub fn is_outdated(&self, current: Option<&Version>) -> bool {
        self.on.as_ref().is_some_and(|on| current != Some(on))
    }
}
