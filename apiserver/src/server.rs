//! The service: from an HTTP request to an answer.
//!
//! Authentication, authorization, faults and time-outs are applied here, in that order; objects are the verbs' part.

mod answer;
mod handle;

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use serde_json::Value;
use tower::Service;

use crate::access::Authentication;
use crate::body::{Body, ConnectionLost};
use crate::clock::{Clock, SystemClock, Uids};
use crate::faults::Faults;
use crate::registry::{Registry, Resource};
use crate::store::Store;

/// An API server. Clones are the same server.
#[derive(Clone)]
pub struct ApiServer {
    shared: Arc<Shared>,
}

/// A request and how it was answered, as the observer sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exchange {
    /// The verb, `get` for paths that are no objects.
    pub verb: &'static str,
    /// The plural, empty for paths that are no objects.
    pub resource: String,
    /// The namespace, empty for cluster-scoped kinds.
    pub namespace: String,
    /// The object's name, empty for collections.
    pub name: String,
    /// Who asked.
    pub user: String,
    /// The HTTP status; `None` when the connection was lost.
    pub status: Option<u16>,
    /// When the server began to handle it.
    pub started: Timestamp,
}

type Observer = Arc<dyn Fn(&Exchange) + Send + Sync>;

/// Settings of an [`ApiServer`].
#[must_use]
pub struct ApiServerBuilder {
    clock: Arc<dyn Clock>,
    uids: Uids,
    authentication: Authentication,
    keep_events: usize,
    observer: Option<Observer>,
}

pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) registry: Registry,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) faults: Faults,
    pub(crate) authentication: Authentication,
    uids: Mutex<Uids>,
    observer: Option<Observer>,
}

impl ApiServer {
    /// A server with the machine's clock, random uids and no access control.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Starts with the defaults of [`ApiServer::new`].
    pub fn builder() -> ApiServerBuilder {
        let seed = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| {
                u64::try_from(since.as_nanos() & u128::from(u64::MAX)).unwrap_or(0)
            });
        ApiServerBuilder {
            clock: Arc::new(SystemClock),
            uids: Uids::seeded(seed),
            authentication: Authentication::Open,
            keep_events: 100_000,
            observer: None,
        }
    }

    /// The faults, which can be changed at any time.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Forgets the history: watches from older versions are answered 410.
    pub fn compact(&self) {
        self.shared.store.compact();
    }

    /// Which kinds there are now.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.shared.registry
    }
}

impl Default for ApiServer {
    fn default() -> Self {
        Self::new()
    }
}

impl ApiServerBuilder {
    /// Another clock.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Another source of uids.
    pub fn uids(mut self, uids: Uids) -> Self {
        self.uids = uids;
        self
    }

    /// Who may ask. With tokens, RBAC decides from the stored objects.
    pub fn authentication(mut self, authentication: Authentication) -> Self {
        self.authentication = authentication;
        self
    }

    /// How many events a watch can go back. 100 000 unless set.
    pub fn keep_events(mut self, events: usize) -> Self {
        self.keep_events = events;
        self
    }

    /// Told of every request after it was answered.
    pub fn observer(mut self, observer: impl Fn(&Exchange) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// The server, with the namespaces and roles that every cluster has.
    #[must_use]
    pub fn build(self) -> ApiServer {
        let shared = Shared {
            store: Store::new(self.keep_events),
            registry: Registry::built_in(),
            clock: self.clock,
            faults: Faults::default(),
            authentication: self.authentication,
            uids: Mutex::new(self.uids),
            observer: self.observer,
        };
        handle::bootstrap(&shared);
        ApiServer {
            shared: Arc::new(shared),
        }
    }
}

impl Shared {
    pub(crate) fn uids(&self) -> MutexGuard<'_, Uids> {
        self.uids.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A stored definition makes its kind known.
    pub(crate) fn stored(&self, resource: &Resource, object: &Value) {
        if resource.kind == "CustomResourceDefinition" {
            for custom in crate::registry::custom::resources(object).unwrap_or_default() {
                self.registry.add(custom);
            }
        }
    }

    /// With a deleted definition its kind goes.
    pub(crate) fn removed(&self, resource: &Resource, object: &Value) {
        if resource.kind == "CustomResourceDefinition" {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            self.registry.remove(
                &text(&object["spec"]["group"]),
                &text(&object["spec"]["names"]["plural"]),
            );
        }
    }
}

/// The future of an answer.
pub type Answering = Pin<Box<dyn Future<Output = Result<Response<Body>, ConnectionLost>> + Send>>;

impl<B> Service<Request<B>> for ApiServer
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    type Response = Response<Body>;
    type Error = ConnectionLost;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectionLost>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Answering {
        let shared = self.shared.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = http_body_util::BodyExt::collect(body)
                .await
                .map_err(|_| ConnectionLost)?
                .to_bytes();
            handle::handle(shared, parts, body).await
        })
    }
}

/// For code that wants a service which cannot fail.
impl From<Infallible> for ConnectionLost {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
