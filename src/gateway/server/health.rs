//! `/healthz`: the process answers. `/readyz`: it should be sent signals, because it is not ending and the API server
//! answers.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use gwlock_engine::client::api_error::{Refused, describe};
use http::StatusCode;
use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::Server;

/// How long an answer of the API server counts: probes come every few seconds, from several sides.
const BELIEVED_FOR: Duration = Duration::from_secs(1);
/// How long is waited for one.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether the API server answers.
pub(super) struct Health {
    client: kube::Client,
    last: Mutex<Option<(Instant, Result<(), String>)>>,
}

impl Health {
    pub(super) fn new(client: kube::Client) -> Self {
        Self {
            client,
            last: Mutex::new(None),
        }
    }

    /// Whoever comes while it is asked waits for that answer.
    async fn api_server(&self) -> Result<(), String> {
        let mut last = self.last.lock().await;
        if let Some((at, answer)) = &*last
            && at.elapsed() < BELIEVED_FOR
        {
            return answer.clone();
        }
        let answer = match timeout(PATIENCE, self.client.apiserver_version()).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Refused(&describe(&error)).to_string()),
            Err(_) => Err(format!("no answer within {PATIENCE:?}")),
        };
        *last = Some((Instant::now(), answer.clone()));
        answer
    }
}

pub(super) async fn alive() -> Response {
    axum::Json(json!({"status": "healthy"})).into_response()
}

pub(super) async fn ready(State(server): State<Server>) -> Response {
    let trouble = if server.is_draining() {
        Some("shutting down".to_owned())
    } else {
        server.0.health.api_server().await.err()
    };
    match trouble {
        None => axum::Json(json!({"status": "ready"})).into_response(),
        Some(trouble) => (
            StatusCode::SERVICE_UNAVAILABLE,
            axum::Json(json!({"status": "not ready", "reason": trouble})),
        )
            .into_response(),
    }
}
