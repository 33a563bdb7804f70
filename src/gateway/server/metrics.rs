//! What a replica counts, in the running gateway's names, and in those that it planned for its lock.
//!
//! Labels have few values: severities are mapped, signal names beyond the first hundred are `other`, and no label holds
//! a fingerprint.

mod retries;

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use gwlock_engine::client::AcquireError;
use gwlock_engine::remediation::trace::{Decision, Event, LeaseEvent, Traced};
use gwlock_engine::remediation::{Disposition, Failure, Processed};
use http::{StatusCode, header};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::super::ingest::Resolution;
use super::super::kinds::Kinds;
use super::Server;
use retries::Tries;

/// How many signal names are told apart.
const SIGNAL_NAMES: usize = 100;

/// Seconds, from a request on a quiet server to a wait that outlasts a crashed holder.
const SECONDS: [f64; 14] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 60.0,
];

/// The counters of a replica.
pub struct Metrics {
    registry: Registry,
    names: Mutex<HashSet<String>>,
    received: Family<Received, Counter>,
    deduplicated: Family<SignalName, Counter>,
    created: Family<Created, Counter>,
    creation_errors: Family<ErrorType, Counter>,
    rejected: Family<Why, Counter>,
    dropped: Family<Why, Counter>,
    requests: Family<HttpRequest, Histogram, fn() -> Histogram>,
    lock_attempts: Counter,
    lock_success: Counter,
    lock_failures: Family<Why, Counter>,
    lock_contention: Counter,
    lock_wait: Histogram,
    lock_hold: Histogram,
    lock_takeovers: Counter,
    lock_lost: Counter,
    lock_ambiguous: Counter,
    lock_retries: Counter,
    lock_retry_success: Counter,
    lock_retry_timeout: Counter,
    tries: Tries,
    api_requests: Family<ApiRequest, Counter>,
    owners: Family<OwnerResolution, Counter>,
    discovery_errors: Counter,
    /// The kinds that are told apart.
    kinds: Kinds,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Received {
    source_type: &'static str,
    severity: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SignalName {
    signal_name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Created {
    source_type: &'static str,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ErrorType {
    error_type: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Why {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HttpRequest {
    endpoint: &'static str,
    method: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OwnerResolution {
    kind: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ApiRequest {
    verb: &'static str,
    resource: &'static str,
    status: u16,
}

impl Default for Metrics {
    fn default() -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(SECONDS);
        let mut metrics = Self {
            registry: Registry::default(),
            names: Mutex::default(),
            received: Family::default(),
            deduplicated: Family::default(),
            created: Family::default(),
            creation_errors: Family::default(),
            rejected: Family::default(),
            dropped: Family::default(),
            requests: Family::new_with_constructor(histogram),
            lock_attempts: Counter::default(),
            lock_success: Counter::default(),
            lock_failures: Family::default(),
            lock_contention: Counter::default(),
            lock_wait: histogram(),
            lock_hold: histogram(),
            lock_takeovers: Counter::default(),
            lock_lost: Counter::default(),
            lock_ambiguous: Counter::default(),
            lock_retries: Counter::default(),
            lock_retry_success: Counter::default(),
            lock_retry_timeout: Counter::default(),
            tries: Tries::default(),
            api_requests: Family::default(),
            owners: Family::default(),
            discovery_errors: Counter::default(),
            kinds: Kinds::built_in(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "gateway_signals_received",
            "Signals that came in",
            self.received.clone(),
        );
        registry.register(
            "gateway_signals_deduplicated",
            "Signals that were counted on a RemediationRequest",
            self.deduplicated.clone(),
        );
        registry.register(
            "gateway_crds_created",
            "RemediationRequests created",
            self.created.clone(),
        );
        registry.register(
            "gateway_crd_creation_errors",
            "Signals that failed",
            self.creation_errors.clone(),
        );
        registry.register(
            "gateway_signals_rejected",
            "Signals about what is not managed",
            self.rejected.clone(),
        );
        registry.register(
            "gateway_signals_parse_dropped",
            "Signals that could not be read or placed",
            self.dropped.clone(),
        );
        registry.register(
            "gateway_http_request_duration_seconds",
            "Time to the answer",
            self.requests.clone(),
        );
        registry.register(
            "gateway_lock_acquisition_attempts",
            "Acquisitions that began",
            self.lock_attempts.clone(),
        );
        registry.register(
            "gateway_lock_acquisition_success",
            "Acquisitions that held the lease",
            self.lock_success.clone(),
        );
        registry.register(
            "gateway_lock_acquisition_failures",
            "Acquisitions that did not",
            self.lock_failures.clone(),
        );
        registry.register(
            "gateway_lock_contention",
            "Acquisitions that found somebody else's lease",
            self.lock_contention.clone(),
        );
        registry.register(
            "gateway_lock_wait_duration_seconds",
            "Time until the lease was held",
            self.lock_wait.clone(),
        );
        registry.register(
            "gateway_lock_hold_duration_seconds",
            "Time from the acquisition to the end of the release",
            self.lock_hold.clone(),
        );
        registry.register(
            "gateway_lock_takeovers",
            "Leases taken over from a holder whose lease had expired",
            self.lock_takeovers.clone(),
        );
        registry.register(
            "gateway_lock_lost",
            "Leases that could no longer be proven to be held",
            self.lock_lost.clone(),
        );
        registry.register(
            "gateway_lock_ambiguous",
            "Writes whose outcome stayed unknown",
            self.lock_ambiguous.clone(),
        );
        registry.register(
            "gateway_lock_retry_attempts",
            "Writes for a lease after one that did not get it",
            self.lock_retries.clone(),
        );
        registry.register(
            "gateway_lock_retry_success",
            "Acquisitions that held the lease after a retry",
            self.lock_retry_success.clone(),
        );
        registry.register(
            "gateway_lock_retry_timeout",
            "Acquisitions that were given up while somebody else had the lease",
            self.lock_retry_timeout.clone(),
        );
        registry.register(
            "gateway_owner_resolution",
            "Objects of signals whose owner was looked for",
            self.owners.clone(),
        );
        registry.register(
            "gateway_discovery_refresh_errors",
            "Failures to ask which kinds the API server serves",
            self.discovery_errors.clone(),
        );
        registry.register(
            "gateway_api_requests",
            "Requests for leases and RemediationRequests; status 0 is no answer",
            self.api_requests.clone(),
        );
    }

    /// The text that Prometheus scrapes.
    ///
    /// # Errors
    /// None that is known: text is written into memory.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }

    pub(super) fn received(&self, source: &'static str, severity: &'static str) {
        let labels = Received {
            source_type: source,
            severity,
        };
        self.received.get_or_create(&labels).inc();
    }

    pub(super) fn processed(&self, source: &'static str, signal: &str, processed: &Processed) {
        if processed.disposition == Disposition::Created {
            let labels = Created {
                source_type: source,
                status: "created",
            };
            self.created.get_or_create(&labels).inc();
        } else {
            let signal_name = self.bounded(signal);
            self.deduplicated
                .get_or_create(&SignalName { signal_name })
                .inc();
        }
    }

    pub(super) fn failed(&self, failure: &Failure) {
        let error_type = match failure {
            Failure::Refused(_) | Failure::NoFreeName => "k8s_api_error",
            Failure::Lease(_) | Failure::LeaseLost => "lock",
            Failure::DeadlineExceeded(_) | Failure::Cancelled => "deadline",
            Failure::Unknown(_) => "unknown_outcome",
        };
        self.creation_errors
            .get_or_create(&ErrorType { error_type })
            .inc();
        if matches!(failure, Failure::Unknown(_)) {
            self.lock_ambiguous.inc();
        }
    }

    pub(super) fn rejected(&self) {
        self.rejected
            .get_or_create(&Why {
                reason: "unmanaged_resource",
            })
            .inc();
    }

    pub(super) fn dropped(&self, reason: &'static str) {
        self.dropped.get_or_create(&Why { reason }).inc();
    }

    /// An object's owner was looked for. Kinds that not every cluster has are one.
    pub(super) fn owner_resolved(&self, kind: &str, outcome: Resolution) {
        let kind = self.kinds.get(kind).map_or("other", |known| &known.name);
        let labels = OwnerResolution {
            kind: kind.to_owned(),
            outcome: outcome.as_str(),
        };
        self.owners.get_or_create(&labels).inc();
    }

    pub(super) fn discovery_failed(&self) {
        self.discovery_errors.inc();
    }

    pub(super) fn answered(&self, endpoint: &'static str, status: StatusCode, took: Duration) {
        let labels = HttpRequest {
            endpoint,
            method: "POST",
            status: status.as_u16(),
        };
        self.requests
            .get_or_create(&labels)
            .observe(took.as_secs_f64());
    }

    /// A request for a lease or a RemediationRequest that no event tells of; status 0 is no answer.
    pub fn asked(&self, verb: &'static str, resource: &'static str, status: u16) {
        let labels = ApiRequest {
            verb,
            resource,
            status,
        };
        self.api_requests.get_or_create(&labels).inc();
    }

    /// Takes an event of the processor.
    pub fn observe(&self, traced: &Traced) {
        match &traced.event {
            Event::Exchanged(exchange) => {
                let status = exchange.status.unwrap_or(0);
                self.asked(exchange.verb, exchange.resource, status);
                if self.tries.is_retry(traced.run, exchange) {
                    self.lock_retries.inc();
                }
            }
            Event::Lease(event) => self.observe_lease(traced.run, event),
            Event::Decided(Decision::Acquire) => {
                self.lock_attempts.inc();
                self.tries.begin(traced.run);
            }
            Event::Finished { .. } => drop(self.tries.end(traced.run)),
            Event::Decided(_) | Event::Started => {}
        }
    }

    fn observe_lease(&self, run: u64, event: &LeaseEvent) {
        match event {
            LeaseEvent::Contended => drop(self.lock_contention.inc()),
            LeaseEvent::Acquired {
                taken_over, waited, ..
            } => {
                self.lock_success.inc();
                self.lock_wait.observe(waited.as_secs_f64());
                if *taken_over {
                    self.lock_takeovers.inc();
                }
                if self.tries.end(run) {
                    self.lock_retry_success.inc();
                }
            }
            LeaseEvent::NotAcquired(error) => {
                let reason = match error {
                    AcquireError::Busy { .. } => "busy",
                    AcquireError::Refused(_) => "refused",
                    AcquireError::Unknown { .. } => "unknown_outcome",
                    _ => "other",
                };
                self.lock_failures.get_or_create(&Why { reason }).inc();
                if reason == "unknown_outcome" {
                    self.lock_ambiguous.inc();
                }
                if reason == "busy" {
                    self.lock_retry_timeout.inc();
                }
                self.tries.end(run);
            }
            LeaseEvent::NotNeeded => drop(self.tries.end(run)),
            LeaseEvent::Lost => drop(self.lock_lost.inc()),
            LeaseEvent::Released { held, .. } => self.lock_hold.observe(held.as_secs_f64()),
        }
    }

    fn bounded(&self, name: &str) -> String {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if names.contains(name) {
            return name.to_owned();
        }
        if names.len() >= SIGNAL_NAMES {
            return "other".to_owned();
        }
        names.insert(name.to_owned());
        name.to_owned()
    }
}

pub(super) async fn show(State(server): State<Server>) -> Response {
    match server.0.parts.metrics.text() {
        Ok(text) => (
            [(
                header::CONTENT_TYPE,
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
            )],
            text,
        )
            .into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_the_hundredth_are_one() {
        let metrics = Metrics::default();
        for number in 0..SIGNAL_NAMES {
            assert_eq!(metrics.bounded(&number.to_string()), number.to_string());
        }
        assert_eq!(metrics.bounded("one more"), "other");
        assert_eq!(metrics.bounded("7"), "7");
    }

    #[test]
    fn counters_have_the_gateways_names() {
        let metrics = Metrics::default();
        metrics.received("prometheus", "critical");
        metrics.rejected();
        metrics.answered("prometheus", StatusCode::CREATED, Duration::from_millis(3));
        let text = metrics.text().unwrap();
        for line in [
            "gateway_signals_received_total{source_type=\"prometheus\",severity=\"critical\"} 1",
            "gateway_signals_rejected_total{reason=\"unmanaged_resource\"} 1",
            "gateway_http_request_duration_seconds_bucket{le=\"0.005\",endpoint=\"prometheus\",method=\"POST\",status=\"201\"} 1",
            "gateway_lock_contention_total 0",
            "gateway_lock_wait_duration_seconds_bucket{le=\"60.0\"} 0",
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
    }
}
