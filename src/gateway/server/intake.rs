//! The two routes for signals: from a request to its answer.

use std::time::Instant;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use futures_util::stream;
use gwlock_engine::client::api_error::{Denied, Refused};
use gwlock_engine::remediation::{Failure, Signal};
use http::StatusCode;
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::timeout;

use super::super::freshness;
use super::super::ingest::Refusal;
use super::super::normalize::severity;
use super::super::objects::LookupError;
use super::super::payload::PayloadError;
use super::super::prometheus::{Alert, Webhook};
use super::super::reply::{self, Answered, Failed};
use super::super::scope;
use super::problem::Problem;
use super::{Server, gate};

/// Signals of one batch that are worked on at the same time. Those of one fingerprint share a run.
const AT_ONCE: usize = 32;

pub(super) async fn prometheus(State(server): State<Server>, request: Request) -> Response {
    server.take(Source::Prometheus, request).await
}

pub(super) async fn event(State(server): State<Server>, request: Request) -> Response {
    server.take(Source::Event, request).await
}

/// Who sends, by the route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Prometheus,
    Event,
}

impl Source {
    /// As metrics call it.
    fn name(self) -> &'static str {
        match self {
            Self::Prometheus => "prometheus",
            Self::Event => "kubernetes-events",
        }
    }
}

impl Server {
    async fn take(&self, source: Source, request: Request) -> Response {
        let began = Instant::now();
        let id = gate::request_id();
        let path = request.uri().path().to_owned();
        let response = match self.answer(source, request).await {
            Ok(response) => response,
            Err(problem) => {
                tracing::info!(
                    request = id,
                    status = problem.status().as_u16(),
                    "{}",
                    problem.detail()
                );
                problem.response(&path, &id)
            }
        };
        let metrics = &self.0.parts.metrics;
        metrics.answered(source.name(), response.status(), began.elapsed());
        gate::named(response, &id)
    }

    async fn answer(&self, source: Source, request: Request) -> Result<Response, Problem> {
        let _slot = self.slot()?;
        self.authenticate(request.headers()).await?;
        let header = request.headers().get(freshness::HEADER);
        let header = header
            .map(|value| value.to_str().map(str::to_owned))
            .transpose()
            .map_err(|_| Problem::invalid(format!("{} is no text", freshness::HEADER)))?;
        let body = self.body(request).await?;
        let answer = async {
            match source {
                Source::Prometheus => self.webhook(body, header.as_deref()).await,
                Source::Event => self.one_event(body, header.as_deref()).await,
            }
        };
        timeout(self.0.parts.limits.request, answer)
            .await
            .unwrap_or_else(|_| Err(Problem::timeout()))
    }

    async fn webhook(&self, body: Vec<u8>, header: Option<&str>) -> Result<Response, Problem> {
        let now = Timestamp::now();
        let ingestion = &self.0.parts.ingestion;
        let webhook = ingestion
            .webhook(body, header, now)
            .map_err(|error| self.unreadable(&error))?;
        let alerts: Vec<&Alert> = ingestion.alerts(&webhook).collect();
        if alerts.is_empty() {
            return Ok(told_as(reply::single(&Answered::Resolved)));
        }
        if let [alert] = alerts.as_slice() {
            return self
                .alert(&webhook, alert, now)
                .await
                .map(|answered| told_as(reply::single(&answered)));
        }
        let answers: Vec<_> = alerts
            .into_iter()
            .map(|alert| self.one_of_many(&webhook, alert, now))
            .collect();
        let answers: Vec<Answered> = stream::iter(answers).buffered(AT_ONCE).collect().await;
        Ok(told_as(reply::batch(&answers)))
    }

    async fn alert(
        &self,
        webhook: &Webhook,
        alert: &Alert,
        now: Timestamp,
    ) -> Result<Answered, Problem> {
        let signal = self.signal_of(webhook, alert, now).await;
        self.signal(
            Source::Prometheus,
            signal.map_err(|refusal| self.refused(&refusal))?,
        )
        .await
    }

    /// An alert that names no kind that is known may name one that has come since. While that cannot be asked, it is not
    /// known to be about nothing.
    async fn signal_of(
        &self,
        webhook: &Webhook,
        alert: &Alert,
        now: Timestamp,
    ) -> Result<Signal, Refusal> {
        let parts = &self.0.parts;
        let kinds = parts.kinds.current();
        let ingestion = parts.ingestion.clone().with_kinds(kinds.clone());
        let signal = ingestion.alert(webhook, alert, now).await;
        if !matches!(&signal, Err(refusal) if refusal.is_without_target()) {
            return signal;
        }
        match parts.kinds.refresh_for(&kinds).await {
            Ok(false) => signal,
            Ok(true) => {
                let ingestion = ingestion.with_kinds(parts.kinds.current());
                ingestion.alert(webhook, alert, now).await
            }
            Err(error) => {
                if error.is_new {
                    parts.metrics.discovery_failed();
                    tracing::error!("{error}");
                }
                let message = error.to_string();
                Err(Refusal::Lookup(LookupError::Unavailable { message }))
            }
        }
    }

    async fn one_of_many(&self, webhook: &Webhook, alert: &Alert, now: Timestamp) -> Answered {
        let answered = self.alert(webhook, alert, now).await;
        answered.unwrap_or_else(|problem| Answered::Failed(Failed::of(&problem)))
    }

    async fn one_event(&self, body: Vec<u8>, header: Option<&str>) -> Result<Response, Problem> {
        let now = Timestamp::now();
        let parts = &self.0.parts;
        let ingestion = parts.ingestion.clone().with_kinds(parts.kinds.current());
        let event = ingestion
            .event(body, header, now)
            .map_err(|error| self.unreadable(&error))?;
        let signal = ingestion.event_signal(&event, now).await;
        let signal = signal.map_err(|refusal| self.refused(&refusal))?;
        self.signal(Source::Event, signal)
            .await
            .map(|answered| told_as(reply::single(&answered)))
    }

    async fn signal(&self, source: Source, signal: Signal) -> Result<Answered, Problem> {
        let parts = &self.0.parts;
        parts
            .metrics
            .received(source.name(), severity::audit(&signal.spec.severity));
        parts.audit.received(&signal);
        if let Some(objects) = &parts.scope {
            let kinds = parts.kinds.current();
            let rejection = scope::check_signal(objects, &kinds, &signal).await;
            if let Some(rejection) =
                rejection.map_err(|error| self.refused(&Refusal::Lookup(error)))?
            {
                parts.metrics.rejected();
                return Ok(Answered::Rejected(rejection));
            }
        }
        match parts.processor.process(signal.clone()).await {
            Ok(processed) => {
                parts
                    .metrics
                    .processed(source.name(), &signal.spec.signal_name, &processed);
                parts.audit.processed(&signal, &processed);
                Ok(Answered::Processed(Box::new(processed)))
            }
            Err(failure) => {
                parts.metrics.failed(&failure);
                parts.audit.failed(&signal, &failure.to_string());
                Err(told(&signal, &failure))
            }
        }
    }

    fn unreadable(&self, error: &PayloadError) -> Problem {
        self.0.parts.metrics.dropped("body");
        match error {
            PayloadError::TooLarge { .. } => Problem::too_large(super::super::payload::MAX_BODY),
            _ => Problem::invalid(error.to_string()),
        }
    }

    fn refused(&self, refusal: &Refusal) -> Problem {
        let reason = match refusal {
            Refusal::Field(_) => "field",
            Refusal::Target(_) => "target_not_found",
            Refusal::Lookup(_) => "lookup",
        };
        self.0.parts.metrics.dropped(reason);
        if let Refusal::Lookup(error) = refusal {
            let words = refusal.to_string();
            tracing::error!("a signal's object cannot be looked up: {}", Refused(&words));
            let denied = match error {
                LookupError::Refused { code: 403, message } => Denied::read(message),
                _ => None,
            };
            return Problem::internal().lacking(denied);
        }
        Problem::invalid(refusal.to_string())
    }
}

fn told_as((status, body): (StatusCode, Value)) -> Response {
    (status, axum::Json(body)).into_response()
}

/// What goes into the log is not told to the sender, but for a rule that is missing.
fn told(signal: &Signal, failure: &Failure) -> Problem {
    let fingerprint = signal.fingerprint().as_str();
    let denied = failure.missing_rule().map(Denied::from);
    match denied {
        Some(rule) => tracing::error!(fingerprint, "{failure}; the role lacks the rule {rule}"),
        None => tracing::error!(fingerprint, "{failure}"),
    }
    match failure {
        Failure::DeadlineExceeded(_) => Problem::timeout(),
        _ => Problem::internal().lacking(denied),
    }
}

impl Failed {
    fn of(problem: &Problem) -> Self {
        Self {
            fingerprint: String::new(),
            message: problem.detail().to_owned(),
            retriable: problem.status().is_server_error(),
        }
    }
}
