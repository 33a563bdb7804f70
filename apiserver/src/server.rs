//! The server as a tower service: from an HTTP request to an HTTP answer.

mod builder;
mod exchange;
mod gate;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use jiff::Timestamp;

pub use builder::{Authentication, Builder};

use crate::body::{Body, ConnectionClosed};
use crate::clock::Clock;
use crate::registry::Registry;
use crate::store::Store;

/// A Kubernetes API server. Clones share one store.
///
/// It is a tower service, so a client can sit directly on it: `kube::Client::new(server, "default")`.
#[derive(Clone)]
pub struct ApiServer {
    inner: Arc<Inner>,
}

/// What the clones share.
pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) registry: RwLock<Arc<Registry>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) authentication: Authentication,
    date: Mutex<(i64, HeaderValue)>,
}

impl ApiServer {
    /// A server with its defaults: the machine's clock, and everybody an administrator.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Starts to describe a server.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The version of the newest write.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.inner.store.lock().revision()
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
    /// The kinds that are served now.
    pub(crate) fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.registry.read().unwrap_or_else(PoisonError::into_inner))
    }

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
    type Error = ConnectionClosed;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, ConnectionClosed>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), ConnectionClosed>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        Box::pin(exchange::handle(Arc::clone(&self.inner), request))
    }
}
