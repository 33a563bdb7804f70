//! What stands before replicas in a cluster, with a memory: hands each request to the next replica, and records what came
//! of it. It answers nothing itself; where a replica does not answer, the connection closes.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tower::BoxError;

const PATIENCE: Duration = Duration::from_secs(60);

/// Running until it is dropped.
pub(super) struct Service {
    pub(super) url: String,
    attempts: watch::Sender<Vec<Attempt>>,
    running: AbortHandle,
}

/// A request that arrived.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    /// The replica's place in the list.
    pub(super) replica: usize,
    pub(super) sent: Bytes,
    pub(super) outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    /// It is on its way.
    Open,
    /// The replica could not be reached, and knows nothing of it.
    Unreached,
    /// The replica may have done what was asked, and nobody knows.
    Unanswered,
    Answered {
        status: u16,
        retry_after: Option<String>,
        body: Value,
    },
}

struct Shared {
    replicas: Vec<String>,
    next: AtomicUsize,
    attempts: watch::Sender<Vec<Attempt>>,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Service {
    pub(super) async fn before(replicas: &[&str]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let attempts = watch::Sender::new(Vec::new());
        let shared = Arc::new(Shared {
            replicas: replicas.iter().map(ToString::to_string).collect(),
            next: AtomicUsize::new(0),
            attempts: attempts.clone(),
            // A connection that is kept could be closed by the replica in the moment of its use, and the request be
            // repeated without anybody's knowledge.
            client: Client::builder(TokioExecutor::new())
                .pool_max_idle_per_host(0)
                .retry_canceled_requests(false)
                .build_http(),
        });
        let running = tokio::spawn(accept(listener, shared)).abort_handle();
        Self {
            url,
            attempts,
            running,
        }
    }

    /// Every attempt so far, as soon as this holds of them.
    pub(super) async fn wait_until(
        &self,
        what: &str,
        holds: impl Fn(&[Attempt]) -> bool,
    ) -> Vec<Attempt> {
        let mut attempts = self.attempts.subscribe();
        let waiting = attempts.wait_for(|attempts| holds(attempts));
        match timeout(PATIENCE, waiting).await {
            Ok(attempts) => attempts.unwrap().clone(),
            Err(_) => panic!("{what}: not within {PATIENCE:?}, {:?}", self.attempts()),
        }
    }

    pub(super) fn attempts(&self) -> Vec<Attempt> {
        self.attempts.borrow().clone()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Attempt {
    /// What was sent, which is JSON.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.sent).unwrap()
    }

    pub(super) fn status(&self) -> Option<u16> {
        match self.outcome {
            Outcome::Answered { status, .. } => Some(status),
            _ => None,
        }
    }

    /// Whether a sender takes it as delivered.
    pub(super) fn is_delivered(&self) -> bool {
        self.status().is_some_and(|status| status / 100 == 2)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = shared.clone();
        let service = service_fn(move |request| shared.clone().hand_on(request));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

impl Shared {
    async fn hand_on(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, BoxError> {
        let (mut parts, body) = request.into_parts();
        let sent = body.collect().await.unwrap().to_bytes();
        let replica = self.next.fetch_add(1, Ordering::Relaxed) % self.replicas.len();
        let record = Record::open(self.clone(), replica, sent.clone());
        let path = parts.uri.path_and_query().unwrap();
        parts.uri = format!("{}{path}", self.replicas[replica]).parse().unwrap();
        parts.headers.remove(http::header::HOST);
        let asked = self
            .client
            .request(Request::from_parts(parts, Full::new(sent)))
            .await;
        let answer = asked.inspect_err(|error| {
            if error.is_connect() {
                record.close(Outcome::Unreached);
            }
        })?;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await?.to_bytes();
        record.close(Outcome::Answered {
            status: parts.status.as_u16(),
            retry_after: text(&parts.headers, "retry-after"),
            body: serde_json::from_slice(&body).unwrap_or_default(),
        });
        Ok(Response::from_parts(parts, Full::new(body)))
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().unwrap().to_owned())
}

/// An attempt that is written down when it begins. One that is dropped before it is closed was not answered: the
/// connection broke, or the sender gave up.
struct Record {
    shared: Arc<Shared>,
    number: usize,
}

impl Record {
    fn open(shared: Arc<Shared>, replica: usize, sent: Bytes) -> Self {
        let mut number = 0;
        shared.attempts.send_modify(|attempts| {
            number = attempts.len();
            attempts.push(Attempt {
                replica,
                sent,
                outcome: Outcome::Open,
            });
        });
        Self { shared, number }
    }

    fn close(&self, outcome: Outcome) {
        self.shared
            .attempts
            .send_modify(|attempts| attempts[self.number].outcome = outcome);
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.shared.attempts.send_if_modified(|attempts| {
            let outcome = &mut attempts[self.number].outcome;
            let is_open = *outcome == Outcome::Open;
            if is_open {
                *outcome = Outcome::Unanswered;
            }
            is_open
        });
    }
}
