//! The HTTP client: one connection pool, one POST, and whether a request without an answer had left.

use std::fs;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use gwlock_engine::client::transport;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;
use tokio::time::timeout;

use crate::exit::Exit;
use crate::failure::Failure;

/// The largest answer that is read: a thousand results with long messages have less.
const LARGEST_REPLY: usize = 8 * 1024 * 1024;
/// The header that names a request in the gateway's log.
const REQUEST_ID: &str = "x-request-id";
/// The header with the moment of sending.
const TIMESTAMP: &str = "x-timestamp";

const USER_AGENT: &str = concat!("gwlock/", env!("CARGO_PKG_VERSION"));

/// How a gateway is reached.
#[derive(Clone, Copy)]
pub(super) struct Settings<'a> {
    pub(super) uri: &'a Uri,
    pub(super) token_file: Option<&'a Path>,
    pub(super) ca_file: Option<&'a Path>,
    pub(super) accepts_any_certificate: bool,
    /// For a request as a whole.
    pub(super) timeout: Duration,
}

/// A gateway's address, and the connections to it.
pub(super) struct Client {
    pool: legacy::Client<hyper_rustls::HttpsConnector<HttpConnector>, Noted>,
    base: String,
    authorization: Option<HeaderValue>,
    timeout: Duration,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) request_id: Option<String>,
    pub(super) retry_after: Option<Duration>,
    body: String,
}

/// No answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    /// Nothing was sent.
    #[error("{0}")]
    NotSent(String),
    /// The request had left; what came of it is not known.
    #[error("{0}")]
    Unclear(String),
    /// The certificate of the server is not accepted.
    #[error("{0}")]
    Untrusted(String),
}

/// A body that notes when it begins to be sent.
struct Noted {
    body: Full<Bytes>,
    is_sent: Arc<AtomicBool>,
}

impl Client {
    /// A client that has sent nothing yet.
    pub(super) fn new(settings: Settings<'_>) -> Result<Self, Failure> {
        let Settings {
            uri,
            token_file,
            ca_file,
            accepts_any_certificate,
            timeout,
        } = settings;
        let authorization = match token_file {
            Some(_) if !is_private(uri) => return Err(would_leak(uri)),
            Some(path) => Some(bearer(path)?),
            None => None,
        };
        let mut config = kube::Config::new(uri.clone());
        config.connect_timeout = Some(timeout);
        config.accept_invalid_certs = accepts_any_certificate;
        config.root_cert = match (ca_file, uri.scheme_str()) {
            (Some(path), _) => Some(authorities(path)?),
            // Without TLS the system's certificates are not worth loading.
            (None, Some("http")) => Some(Vec::new()),
            (None, _) => None,
        };
        let connector = transport::connector(&config).map_err(|error| {
            let why = gwlock_engine::client::api_error::describe(&error);
            Failure::says(Exit::Config, format!("no TLS to the gateway: {why}"))
        })?;
        let executor = hyper_util::rt::TokioExecutor::new();
        Ok(Self {
            pool: legacy::Client::builder(executor).build(connector),
            base: uri.to_string().trim_end_matches('/').to_owned(),
            authorization,
            timeout,
        })
    }

    /// The URL of an endpoint.
    pub(super) fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Sends a body, once.
    pub(super) async fn post(
        &self,
        path: &str,
        body: Bytes,
        timestamp: Option<i64>,
    ) -> Result<Reply, Trouble> {
        let is_sent = Arc::new(AtomicBool::new(false));
        let body = Noted {
            body: Full::new(body),
            is_sent: is_sent.clone(),
        };
        let request = self.request(path, body, timestamp);
        let request = request.map_err(|error| Trouble::NotSent(error.to_string()))?;
        let answer = timeout(self.timeout, self.exchange(request)).await;
        let message = match answer {
            Ok(Ok(reply)) => return Ok(reply),
            Ok(Err(message)) => message,
            Err(_) => format!("no answer within {:?}", self.timeout),
        };
        if message.contains("invalid peer certificate") {
            return Err(Trouble::Untrusted(message));
        }
        Err(if is_sent.load(Ordering::Relaxed) {
            Trouble::Unclear(message)
        } else {
            Trouble::NotSent(message)
        })
    }

    fn request(
        &self,
        path: &str,
        body: Noted,
        timestamp: Option<i64>,
    ) -> http::Result<Request<Noted>> {
        let mut request = Request::post(self.endpoint(path))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json, application/problem+json")
            .header(header::USER_AGENT, USER_AGENT);
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        if let Some(seconds) = timestamp {
            request = request.header(TIMESTAMP, seconds);
        }
        request.body(body)
    }

    async fn exchange(&self, request: Request<Noted>) -> Result<Reply, String> {
        let response = self.pool.request(request).await;
        let response = response.map_err(|error| causes(&error))?;
        Reply::read(response).await
    }
}

impl Reply {
    async fn read(response: Response<Incoming>) -> Result<Self, String> {
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, LARGEST_REPLY).collect().await;
        let body = body.map_err(|error| format!("the answer broke off: {error}"))?;
        let text = |name: &str| parts.headers.get(name)?.to_str().ok();
        Ok(Self {
            status: parts.status,
            request_id: text(REQUEST_ID).map(str::to_owned),
            retry_after: retry_after(&parts.headers),
            body: String::from_utf8_lossy(&body.to_bytes()).trim().to_owned(),
        })
    }

    /// The body as it came.
    pub(super) fn text(&self) -> &str {
        &self.body
    }

    /// The body, if it is a JSON object.
    pub(super) fn json(&self) -> Option<Value> {
        serde_json::from_str(&self.body)
            .ok()
            .filter(Value::is_object)
    }
}

impl Body for Noted {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.is_sent.store(true, Ordering::Relaxed);
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Whole seconds; the form with a date is not used by gateways.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    seconds.parse().ok().map(Duration::from_secs)
}

/// Whether nobody beyond this machine reads what is sent.
fn is_private(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let is_loopback = host.eq_ignore_ascii_case("localhost")
        || host
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    uri.scheme_str() == Some("https") || is_loopback
}

fn would_leak(uri: &Uri) -> Failure {
    let host = uri.host().unwrap_or_default();
    let message = format!("the token would be sent to {host} for everybody to read");
    Failure::says(Exit::Usage, message)
        .hint("--gateway https://HOST:PORT, if it has TLS")
        .kubectl(
            "port-forward -n kubernaut-system service/gateway-service 8080",
            "then --gateway http://127.0.0.1:8080",
        )
}

fn bearer(path: &Path) -> Result<HeaderValue, Failure> {
    let unusable = |why: String| {
        let message = format!("cannot use the token file {}: {why}", path.display());
        Failure::says(Exit::Config, message)
    };
    let token = fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
    let token = token.trim();
    if token.is_empty() {
        return Err(unusable("it is empty".to_owned()));
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| unusable("it holds no token".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn authorities(path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let unusable = |why: String| {
        let message = format!("cannot use the CA file {}: {why}", path.display());
        Failure::says(Exit::Config, message)
    };
    let read = CertificateDer::pem_file_iter(path).map_err(|error| unusable(error.to_string()))?;
    let certificates: Result<Vec<Vec<u8>>, _> = read
        .map(|certificate| certificate.map(|der| der.to_vec()))
        .collect();
    let certificates = certificates.map_err(|error| unusable(error.to_string()))?;
    if certificates.is_empty() {
        return Err(unusable("there is no certificate in it".to_owned()));
    }
    Ok(certificates)
}

/// An error and its causes, each once.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if !words.iter().any(|earlier| earlier.contains(&text)) {
            words.push(text);
        }
        next = error.source();
    }
    words.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leaves_the_machine_only_under_tls() {
        for (uri, expected) in [
            ("http://127.0.0.1:8080", true),
            ("http://127.8.9.1", true),
            ("http://[::1]:8080", true),
            ("http://localhost:8080", true),
            ("https://gateway", true),
            ("http://gateway:8080", false),
            ("http://10.0.0.1", false),
            ("http://localhost.example", false),
            ("http://127.0.0.1.example", false),
            ("http://0.0.0.0:8080", false),
        ] {
            assert_eq!(is_private(&uri.parse().unwrap()), expected, "{uri}");
        }
    }
}
