//! Who sends signals to processes: one alert, one POST, and what the answer says.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::gateway::PROMETHEUS_PATH;
use crate::gateway::compose::Alert;
use crate::sim::history::Outcome;
use crate::sim::subject;

/// A connection is made at once or not at all.
const CONNECT: Duration = Duration::from_secs(5);

/// Clones share connections.
#[derive(Clone)]
pub(super) struct Sender {
    client: Client<HttpConnector, Full<Bytes>>,
    /// Of the deployments that the alerts are about.
    namespace: String,
}

/// What the answer to a signal says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answered {
    pub(super) outcome: Outcome,
    /// Of the request that it was counted on.
    pub(super) name: Option<String>,
    pub(super) count: Option<i64>,
    pub(super) why: Option<String>,
}

impl Sender {
    pub(super) fn new(namespace: &str) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT));
        let client = Client::builder(TokioExecutor::new())
            // A signal that is sent twice would be counted twice.
            .retry_canceled_requests(false)
            .pool_max_idle_per_host(0)
            .build(connector);
        Self {
            client,
            namespace: namespace.to_owned(),
        }
    }

    /// Sends a signal of this key to a replica, and waits for its answer as long as that takes.
    pub(super) async fn send(&self, replica: &str, key: u32) -> Answered {
        match self.exchange(replica, key).await {
            Ok((status, body)) => read(status, &body),
            // Whether it had been read is not known.
            Err(error) => Answered {
                outcome: Outcome::Unknown,
                name: None,
                count: None,
                why: Some(format!("{error:#}")),
            },
        }
    }

    async fn exchange(&self, replica: &str, key: u32) -> anyhow::Result<(u16, Value)> {
        let labels = [
            ("alertname", "HighMemoryUsage"),
            ("severity", "critical"),
            ("namespace", &self.namespace),
            ("deployment", &subject(key)),
        ];
        let alert = Alert {
            labels: labels
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            annotations: [].into(),
            starts_at: Timestamp::now() - SignedDuration::from_mins(1),
            ends_at: None,
        };
        let body = alert.webhook().to_string();
        let request = Request::post(format!("{replica}{PROMETHEUS_PATH}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))?;
        let response = self.client.request(request).await?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await?.to_bytes();
        Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
    }
}

fn read(status: u16, body: &Value) -> Answered {
    let outcome = match status {
        201 => Outcome::Created,
        202 => Outcome::Duplicate,
        // Nothing is done with what is refused.
        400..500 => Outcome::Failed,
        _ => Outcome::Unknown,
    };
    let counted = matches!(outcome, Outcome::Created | Outcome::Duplicate);
    let name = body["remediationRequestName"].as_str();
    Answered {
        outcome,
        name: name.filter(|_| counted).map(str::to_owned),
        count: match outcome {
            // Whoever created it is told no number: others may have counted on it before.
            Outcome::Duplicate => body["metadata"]["count"].as_i64(),
            _ => None,
        },
        why: (!counted).then(|| {
            let detail = body["detail"].as_str().or(body["message"].as_str());
            format!("{status} {}", detail.unwrap_or_default())
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_refused_was_certainly_not_counted() {
        let created = json!({"status": "created", "remediationRequestName": "rr-1"});
        let counted = json!({"remediationRequestName": "rr-1", "metadata": {"count": 7}});
        let failed = json!({"detail": "the API server does not answer"});
        let answered = |outcome, name: Option<&str>, count, why: Option<&str>| Answered {
            outcome,
            name: name.map(str::to_owned),
            count,
            why: why.map(str::to_owned),
        };
        for (status, body, expected) in [
            (
                201,
                &created,
                answered(Outcome::Created, Some("rr-1"), None, None),
            ),
            (
                202,
                &counted,
                answered(Outcome::Duplicate, Some("rr-1"), Some(7), None),
            ),
            (
                400,
                &failed,
                answered(
                    Outcome::Failed,
                    None,
                    None,
                    Some("400 the API server does not answer"),
                ),
            ),
            (
                500,
                &failed,
                answered(
                    Outcome::Unknown,
                    None,
                    None,
                    Some("500 the API server does not answer"),
                ),
            ),
            (
                200,
                &Value::Null,
                answered(Outcome::Unknown, None, None, Some("200 ")),
            ),
        ] {
            assert_eq!(read(status, body), expected);
        }
    }
}
