//! The server as a tower service: from an HTTP request to an HTTP answer.

mod answer;
mod builder;
mod exchange;
mod gate;
mod observe;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use jiff::Timestamp;

pub use builder::ApiServerBuilder;
pub use observe::Exchange;

use crate::body::{Body, ConnectionLost};
use crate::cluster::Cluster;
use crate::faults::Faults;
use crate::registry::Registry;
use observe::{Counts, Observer};

/// A Kubernetes API server. Clones are the same server.
///
/// It is a tower service, so a client can sit directly on it: `kube::Client::new(server, "default")`.
#[derive(Clone)]
pub struct ApiServer {
    inner: Arc<Inner>,
}

/// What the clones share.
struct Inner {
    cluster: Arc<Cluster>,
    observer: Option<Observer>,
    counts: Counts,
    date: Mutex<(i64, HeaderValue)>,
}

/// The future of an answer.
pub type Answering = Pin<Box<dyn Future<Output = Result<Response<Body>, ConnectionLost>> + Send>>;

impl ApiServer {
    /// A server with the machine's clock, random uids and no access control.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Starts from the defaults of [`ApiServer::new`].
    pub fn builder() -> ApiServerBuilder {
        ApiServerBuilder::default()
    }

    /// The faults, which can be changed at any time.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.inner.cluster.faults
    }

    /// Which kinds there are now.
    #[must_use]
    pub fn registry(&self) -> Arc<Registry> {
        self.inner.cluster.registry()
    }

    /// The version of the newest write.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.inner.cluster.store.lock().revision()
    }

    /// Forgets the history: watches and exact lists from older versions are answered with 410.
    pub fn compact(&self) {
        self.inner.cluster.store.lock().compact();
    }

    /// How many requests came in for a resource, by its plural and a verb: `requests("leases", "create")`.
    #[must_use]
    pub fn requests(&self, resource: &str, verb: &str) -> u64 {
        self.inner.counts.get(resource, verb)
    }
}

impl Default for ApiServer {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for ApiServer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ApiServer")
            .field("revision", &self.revision())
            .finish_non_exhaustive()
    }
}

impl Inner {
    /// The value of `Date`, which changes once a second.
    fn date(&self, now: Timestamp) -> HeaderValue {
        let mut cached = self.date.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.0 != now.as_second() {
            *cached = (now.as_second(), date_header(now));
        }
        cached.1.clone()
    }
}

/// A moment in the format of the `Date` header, RFC 9110.
fn date_header(moment: Timestamp) -> HeaderValue {
    let text = moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    HeaderValue::from_str(&text).expect("a date is plain ASCII")
}

impl<B> tower::Service<Request<B>> for ApiServer
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: std::fmt::Display,
{
    type Response = Response<Body>;
    type Error = ConnectionLost;
    type Future = Answering;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), ConnectionLost>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        Box::pin(exchange::handle(Arc::clone(&self.inner), request))
    }
}
