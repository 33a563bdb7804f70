//! What is told of each request, to whoever wants to print, measure or count them.
//!
//! Nothing is decided by it.

use std::sync::Arc;
use std::time::Duration;

use crate::protocol::clock::Moment;

/// A request and how it ended. One whose caller went away before the answer is not told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// As RBAC rules spell it.
    pub verb: &'static str,
    /// The API group.
    pub api_group: &'static str,
    /// The resource, with its subresource.
    pub resource: &'static str,
    /// The object's namespace.
    pub namespace: String,
    /// The object's name; empty for a LIST.
    pub name: String,
    /// The resourceVersion that the object had to have for a write to take effect.
    pub required_version: Option<String>,
    /// When it was sent.
    pub sent: Moment,
    /// How long it took until the whole answer was there, or until it was given up.
    pub took: Duration,
    /// The HTTP status; `None` where no answer came.
    pub status: Option<u16>,
    /// The resourceVersion of the object or list in the answer.
    pub resource_version: Option<String>,
    /// What went wrong: the server's message, or why there is no answer.
    pub trouble: Option<String>,
}

/// Is told of every exchange when it has ended.
pub type ExchangeObserver = Arc<dyn Fn(&Exchange) + Send + Sync>;
