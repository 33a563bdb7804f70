//! A gateway replica over HTTP: signals in, RemediationRequests and counts out.
//!
//! ```text
//! listen (tls) -> gate (slots, who, media type, size) -> intake -> processor of the engine -> reply | problem
//!                                                                  metrics, audit
//! ```
//!
//! What a body means and what a signal leads to is decided elsewhere; here it is carried. Nothing is printed, and no
//! environment is read.

pub mod audit;
mod auth;
mod gate;
mod health;
mod intake;
mod linger;
pub mod listen;
pub mod metrics;
mod problem;
pub mod signals;
pub mod tls;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use tokio::sync::Semaphore;

use super::ingest::Ingestion;
use super::kinds::served::{REFRESH_EVERY, ServedKinds};
use super::objects::Objects;

pub use super::{EVENT_PATH, PROMETHEUS_PATH};
use audit::Audit;
pub use auth::Authenticator;
use metrics::Metrics;
use signals::Signals;

/// What is taken at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests for signals that are in flight; more are answered 503 with Retry-After.
    pub in_flight: usize,
    /// How long one request may take; then it is answered 504.
    pub request: Duration,
    /// How long a body may take to arrive.
    pub body: Duration,
}

impl Default for Limits {
    /// The running gateway's: 100 requests, 15 s, 30 s.
    fn default() -> Self {
        Self {
            in_flight: 100,
            request: Duration::from_secs(15),
            body: Duration::from_secs(30),
        }
    }
}

impl Limits {
    /// How long one signal may be processed: less than its request, so that a batch is answered signal by signal.
    #[must_use]
    pub fn signal(&self) -> Duration {
        self.request.mul_f64(0.9)
    }
}

/// Everything that a replica is made of.
pub struct Parts {
    /// From bodies to signals.
    pub ingestion: Ingestion,
    /// From signals to counts.
    pub processor: Arc<dyn Signals>,
    /// The kinds that the cluster serves.
    pub kinds: Arc<ServedKinds>,
    /// The objects whose labels say what is managed; `None` takes every object for managed.
    pub scope: Option<Objects>,
    /// Who may send; `None` is everybody.
    pub authenticator: Option<Authenticator>,
    /// Asked whether the API server answers.
    pub client: kube::Client,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What is recorded.
    pub audit: Arc<Audit>,
    /// What is taken at most.
    pub limits: Limits,
}

/// A replica. Cheap to clone.
#[derive(Clone)]
pub struct Server(Arc<Shared>);

struct Shared {
    parts: Parts,
    slots: Semaphore,
    draining: AtomicBool,
    health: health::Health,
}

impl Server {
    /// A replica of these parts. Nothing is listened to yet.
    #[must_use]
    pub fn new(mut parts: Parts) -> Self {
        let metrics = parts.metrics.clone();
        let observer = move |kind: &str, outcome| metrics.owner_resolved(kind, outcome);
        parts.ingestion = parts.ingestion.observed_by(Arc::new(observer));
        let slots = Semaphore::new(parts.limits.in_flight);
        let health = health::Health::new(parts.client.clone());
        Self(Arc::new(Shared {
            parts,
            slots,
            draining: AtomicBool::new(false),
            health,
        }))
    }

    /// The routes for signals.
    pub fn api(&self) -> Router {
        Router::new()
            .route(PROMETHEUS_PATH, post(intake::prometheus))
            .route(EVENT_PATH, post(intake::event))
            .fallback(gate::no_such_path)
            .method_not_allowed_fallback(gate::method_not_allowed)
            .with_state(self.clone())
    }

    /// `/healthz` and `/readyz`.
    pub fn probes(&self) -> Router {
        Router::new()
            .route("/healthz", get(health::alive))
            .route("/readyz", get(health::ready))
            .with_state(self.clone())
    }

    /// `/metrics`.
    pub fn metrics(&self) -> Router {
        Router::new()
            .route("/metrics", get(metrics::show))
            .with_state(self.clone())
    }

    /// From now on `/readyz` says 503, so that no new connections are sent here. Requests are still answered.
    pub fn drain(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    /// Asks for the cluster's kinds now and then, for ever.
    pub async fn keep_kinds_fresh(self) {
        loop {
            tokio::time::sleep(REFRESH_EVERY).await;
            if let Err(error) = self.0.parts.kinds.refresh().await {
                self.0.parts.metrics.discovery_failed();
                tracing::error!("{error}");
            }
        }
    }

    fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Relaxed)
    }

    /// Waits until every lease that was acquired is released.
    pub async fn settled(&self) {
        self.0.parts.processor.settled().await;
    }
}
