//! What the outside learns about requests: how many there were, and how each of them ended.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::time::Instant;

/// A request and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exchange {
    /// The verb; for paths that are no resource the HTTP method in lower case.
    pub verb: &'static str,
    /// The API group; empty for the core group and for paths that are no resource.
    pub group: String,
    /// The plural; empty for paths that are no resource.
    pub resource: String,
    /// The subresource, or empty.
    pub subresource: String,
    /// The namespace; empty for cluster-scoped kinds and for all namespaces.
    pub namespace: String,
    /// The object's name in the path; empty for collections.
    pub name: String,
    /// Who asked, before impersonation; empty if nobody could tell.
    pub user: String,
    /// The HTTP status that the client got; `None` if it got no answer.
    pub status: Option<u16>,
    /// The HTTP status that handling the request gave, whatever the client got; `None` if it was not handled.
    pub outcome: Option<u16>,
    /// When the server began to handle it, by the server's wall clock.
    pub started: Timestamp,
    /// When it came in, by the runtime's clock.
    pub received: Instant,
    /// When it was answered or given up, by the runtime's clock. A watch counts as answered when it begins.
    pub ended: Instant,
}

pub(crate) type Observer = Arc<dyn Fn(&Exchange) + Send + Sync>;

/// Tells the observer of one request when the last clone is dropped: then it has ended for everybody, for its client,
/// who may have gone away, and for a task that handles it late.
#[derive(Clone)]
pub(super) struct Report(Arc<Ending>);

struct Ending {
    observer: Observer,
    exchange: Mutex<Exchange>,
}

impl Report {
    pub(super) fn new(observer: Observer, exchange: Exchange) -> Self {
        Self(Arc::new(Ending {
            observer,
            exchange: Mutex::new(exchange),
        }))
    }

    /// The client got this answer.
    pub(super) fn answered(&self, status: u16) {
        self.0
            .exchange
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .status = Some(status);
    }

    /// Handling the request gave this.
    pub(super) fn handled(&self, outcome: u16) {
        self.0
            .exchange
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .outcome = Some(outcome);
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let exchange = self
            .exchange
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        exchange.ended = Instant::now();
        (self.observer)(exchange);
    }
}

/// How many requests came in, by resource and verb.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    by_resource: Mutex<BTreeMap<String, BTreeMap<&'static str, u64>>>,
}

impl Counts {
    pub(super) fn add(&self, resource: &str, verb: &'static str) {
        let mut by_resource = self
            .by_resource
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match by_resource.get_mut(resource) {
            Some(by_verb) => *by_verb.entry(verb).or_default() += 1,
            None => {
                by_resource.insert(resource.to_owned(), BTreeMap::from([(verb, 1)]));
            }
        }
    }

    pub(super) fn get(&self, resource: &str, verb: &str) -> u64 {
        let by_resource = self
            .by_resource
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        by_resource
            .get(resource)
            .and_then(|by_verb| by_verb.get(verb))
            .copied()
            .unwrap_or(0)
    }
}
