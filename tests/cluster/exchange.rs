//! Requests over plain HTTP, each sent once and on a connection of its own. No expectations are here.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::time::timeout;

use crate::serve::PATIENCE;

/// An answer of a replica.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Null where it is no JSON.
    pub(super) body: Value,
    pub(super) text: String,
}

/// Sends a body to wherever a replica is or was.
pub(super) async fn post(url: &str, body: impl Into<Bytes>) -> Option<Answer> {
    let request = Request::post(url).header("content-type", "application/json");
    exchange(request.body(Full::new(body.into())).unwrap()).await
}

/// Asks for a page that is there.
pub(super) async fn get(url: &str) -> Answer {
    let request = Request::get(url).body(Full::default()).unwrap();
    exchange(request).await.expect("it answers")
}

/// A request that is sent once, whatever becomes of it.
pub(super) async fn exchange(request: Request<Full<Bytes>>) -> Option<Answer> {
    let client = Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(0)
        .retry_canceled_requests(false)
        .build_http();
    let exchange = async {
        let response = client.request(request).await.ok()?;
        let status = response.status();
        let body = response.into_body().collect().await.ok()?.to_bytes();
        Some(Answer {
            status: status.as_u16(),
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
            text: String::from_utf8_lossy(&body).into_owned(),
        })
    };
    timeout(PATIENCE, exchange).await.ok()?
}
