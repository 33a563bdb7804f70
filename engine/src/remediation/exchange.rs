//! What a run sends and what it is answered, by meaning.
//!
//! HTTP is the business of the requests' module; what follows from an answer is decided by the machine.

use jiff::Timestamp;

use crate::client::api_error::Denied;
use crate::protocol::clock::Moment;
use crate::protocol::exchange::NotExecuted;

use super::count::Count;
use super::request::{GROUP, PLURAL, RemediationRequest};

/// One request for the RemediationRequests of one fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// LIST by fingerprint.
    List {
        /// What the server has in its cache will do, if that is not older than this resourceVersion. Without one the
        /// list is consistent, for which a busy server waits up to a tenth of a second until its cache has caught up.
        not_older_than: Option<String>,
    },
    /// GET, consistent.
    Get {
        /// Whose.
        name: String,
    },
    /// POST.
    Create {
        /// Its name.
        name: String,
        /// The holder under whose lease it is made: [`super::request::CREATED_BY`].
        created_by: String,
        /// The server's time.
        now: Timestamp,
    },
    /// PATCH of the status.
    Count(Count),
}

impl Request {
    /// The rule that allows it.
    #[must_use]
    pub fn rule(&self) -> Rule {
        match self {
            Self::List { .. } => Rule::LIST,
            Self::Get { .. } => Rule::GET,
            Self::Create { .. } => Rule::CREATE,
            Self::Count(_) => Rule::COUNT,
        }
    }
}

/// What a role has to allow for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule {
    /// The API group.
    pub api_group: &'static str,
    /// The resource, with its subresource.
    pub resource: &'static str,
    /// The verb.
    pub verb: &'static str,
}

impl From<Rule> for Denied<'static> {
    fn from(rule: Rule) -> Self {
        Self::Resource {
            verb: rule.verb,
            group: rule.api_group,
            resource: rule.resource,
            namespace: None,
        }
    }
}

impl Rule {
    /// LIST of requests.
    pub const LIST: Self = Self::requests(PLURAL, "list");
    /// GET of a request.
    pub const GET: Self = Self::requests(PLURAL, "get");
    /// POST of a request.
    pub const CREATE: Self = Self::requests(PLURAL, "create");
    /// PATCH of a request's status.
    pub const COUNT: Self = Self::requests("remediationrequests/status", "patch");

    /// All that a processor needs besides the lease's `create`, `get`, `update`, `delete` and, to wait without
    /// polling, `watch`.
    pub const ALL: [Self; 4] = [Self::LIST, Self::GET, Self::CREATE, Self::COUNT];

    const fn requests(resource: &'static str, verb: &'static str) -> Self {
        Self {
            api_group: GROUP,
            resource,
            verb,
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

/// The meanings of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The requests of the fingerprint.
    Listed(Vec<RemediationRequest>),
    /// The request, as it stands after GET, POST or PATCH.
    Request(Box<RemediationRequest>),
    /// 404 for the request.
    NotFound,
    /// 409 `AlreadyExists`, also while the one of that name is being deleted.
    AlreadyExists,
    /// A PATCH found something else than it tested (422), or lost against another write (409). Nothing was written.
    Changed(String),
    /// The request was not executed and may be sent again: 429, or no connection at all.
    NotExecuted(NotExecuted),
    /// The server understood and will not do it.
    Refused(Refusal),
    /// No clear answer: time-out, 5xx, connection lost. A write may or may not have happened, or may still happen.
    Unclear(String),
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
    pub rule: Rule,
}
