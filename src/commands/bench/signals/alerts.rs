//! Alerts over HTTP: what is sent to a replica, over connections that are kept, and what its answers mean.
//!
//! The alerts are about leases that do not exist. Every cluster serves that kind, nobody follows the owners of its objects,
//! and so an alert is taken without an object having been made for it; all that a replica asks is whether it exists.

use std::sync::Arc;

use bytes::Bytes;
use gwlock_engine::protocol::key::Fingerprint;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use serde_json::Value;

use super::generator::Sender;
use super::mix::Load;
use super::tally::{Answer, Failed};
use crate::gateway::PROMETHEUS_PATH;
use crate::gateway::compose::Alert;

/// What the alerts of a run, and so its RemediationRequests, are found again by.
pub(super) const LABEL: &str = "gwlock_bench";
/// Stands for the number of the fingerprint in the body.
const NUMBER: &str = "@number@";

/// Client for replicas on this machine.
pub(super) type Http = Client<HttpConnector, Full<Bytes>>;

/// Who sends the alerts of a run.
pub(super) struct Alerts {
    http: Http,
    replicas: Vec<Uri>,
    body: String,
}

/// A client that keeps its connections.
pub(super) fn http() -> Http {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).build(connector)
}

/// The fingerprint that a gateway makes of the alert with this number.
pub(super) fn fingerprint(namespace: &str, number: u32) -> Fingerprint {
    Fingerprint::of(&format!(
        "{namespace}:Lease:{}",
        object(&number.to_string())
    ))
}

fn object(number: &str) -> String {
    format!("checkout-{number}")
}

impl Alerts {
    /// Sends to replicas, by the addresses that they tell.
    pub(super) fn new(
        http: Http,
        replicas: &[String],
        namespace: &str,
        run: &str,
    ) -> Result<Self, http::uri::InvalidUri> {
        let uri = |address: &String| format!("{address}{PROMETHEUS_PATH}").parse();
        Ok(Self {
            http,
            replicas: replicas.iter().map(uri).collect::<Result<_, _>>()?,
            body: body(namespace, run),
        })
    }

    async fn exchange(&self, replica: usize, number: u32) -> Result<Answer, Failed> {
        let body = self.body.replace(NUMBER, &number.to_string());
        let request = Request::post(self.replicas[replica].clone())
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| failed("not sent", error.to_string()))?;
        let response = self.http.request(request).await;
        let response = response.map_err(|error| no_answer(&error))?;
        let status = response.status();
        let body = response.into_body().collect().await;
        let body = body.map_err(|error| failed("connection broke", error.to_string()))?;
        match status {
            StatusCode::CREATED => Ok(Answer::Created),
            StatusCode::ACCEPTED => Ok(Answer::Duplicate),
            other => Err(failed(other.as_str(), told(&body.to_bytes()))),
        }
    }
}

impl Sender for Alerts {
    async fn send(self: Arc<Self>, signal: u64, fingerprint: u32) -> Answer {
        let replica = Load::replica(signal, self.replicas.len());
        let exchanged = self.exchange(replica, fingerprint).await;
        exchanged.unwrap_or_else(Answer::Failed)
    }
}

/// About as long as what Alertmanager sends of one alert.
fn body(namespace: &str, run: &str) -> String {
    let texts = |texts: &[(&str, &str)]| {
        let own = |text: &&str| (*text).to_owned();
        let texts = texts.iter();
        texts.map(|(name, value)| (own(name), own(value))).collect()
    };
    let alert = Alert {
        labels: texts(&[
            ("alertname", "HighMemoryUsage"),
            ("severity", "warning"),
            ("namespace", namespace),
            ("lease", &object(NUMBER)),
            ("job", "kube-state-metrics"),
            ("instance", "10.42.0.17:8080"),
            (LABEL, run),
        ]),
        annotations: texts(&[
            ("summary", "memory usage is above 90 %"),
            (
                "description",
                "memory usage of checkout has been above 90 % of its limit for ten minutes",
            ),
            ("runbook_url", "https://runbooks.example/high-memory-usage"),
        ]),
        starts_at: Timestamp::now(),
        ends_at: None,
    };
    alert.webhook().to_string()
}

fn failed(kind: &str, message: String) -> Failed {
    Failed {
        kind: kind.to_owned(),
        message,
    }
}

fn no_answer(error: &legacy::Error) -> Failed {
    let kind = if error.is_connect() {
        "no connection"
    } else {
        "connection broke"
    };
    let mut message = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        message.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    failed(kind, message)
}

/// What a replica says of a failure: the detail of a problem, the status of a signal, or the body as it is.
fn told(body: &[u8]) -> String {
    let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
    let fields = ["detail", "message", "status"];
    let told = fields.iter().find_map(|field| parsed[field].as_str());
    told.map_or_else(
        || String::from_utf8_lossy(body).trim().to_owned(),
        str::to_owned,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::GatewayVersion;
    use crate::gateway::ingest::Ingestion;

    #[tokio::test]
    async fn a_gateway_makes_of_an_alert_the_fingerprint_that_is_expected_of_it() {
        let body = body("shop", "0badcafe").replace(NUMBER, "17");
        let ingestion = Ingestion::offline(GatewayVersion::Current);
        let now = Timestamp::now();
        let webhook = ingestion.webhook(body.into_bytes(), None, now).unwrap();
        let signal = ingestion.alert(&webhook, &webhook.alerts[0], now).await;
        let signal = signal.unwrap();
        assert_eq!(*signal.fingerprint(), fingerprint("shop", 17));
        assert_eq!(signal.spec.signal_labels[LABEL], "0badcafe");
    }

    #[test]
    fn failures_are_told_in_the_replicas_words() {
        for (body, expected) in [
            (r#"{"title": "x", "detail": "too many"}"#, "too many"),
            (r#"{"status": "rejected"}"#, "rejected"),
            ("  plain\n", "plain"),
        ] {
            assert_eq!(told(body.as_bytes()), expected);
        }
    }
}
