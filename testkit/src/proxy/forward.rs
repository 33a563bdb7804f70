//! Takes connections, and sends each request on as its rule says.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HOST, RETRY_AFTER, TRANSFER_ENCODING};
use http::uri::{Authority, Scheme};
use http::{HeaderMap, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::body::{AnyBody, Cuttable};
use super::fault::{self, Fault, Rule};
use super::seen::Seen;
use super::tls::Client;

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    scheme: Scheme,
    authority: Authority,
    client: Client,
    rules: Mutex<Vec<Rule>>,
    seen: Mutex<Vec<Seen>>,
    /// Rises with every cut; a watch ends when it differs from what it was at the watch's start.
    pub(super) cut: watch::Sender<u64>,
}

impl Shared {
    pub(super) fn new(upstream: &str, client: Client) -> Result<Self> {
        let parts = upstream.parse::<Uri>()?.into_parts();
        Ok(Self {
            scheme: parts.scheme.context("the server's address has no scheme")?,
            authority: parts
                .authority
                .context("the server's address has no host")?,
            client,
            rules: Mutex::default(),
            seen: Mutex::default(),
            cut: watch::Sender::new(0),
        })
    }

    pub(super) fn rules(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn seen(&self) -> MutexGuard<'_, Vec<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An error closes the client's connection: that is how a lost message looks.
    async fn handle(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<AnyBody>> {
        let seen = Seen::new(request.method(), request.uri());
        let fault = fault::decide(&mut self.rules(), request.method(), &seen.target);
        let is_watch = seen.is_watch();
        self.seen().push(seen);
        match fault {
            None => self.forward(request, is_watch).await,
            Some(Fault::LoseRequest) => bail!("the request was lost"),
            Some(Fault::LoseAnswer) => {
                let answer = self.forward(request, is_watch).await?;
                // The server has done its work when the answer is complete; a stream has no end to wait for.
                if !is_watch {
                    answer.into_body().collect().await?;
                }
                bail!("the answer was lost")
            }
            Some(Fault::DelayRequest(delay)) => {
                tokio::time::sleep(delay).await;
                self.forward(request, is_watch).await
            }
            Some(Fault::DelayAnswer(delay)) => {
                let answer = self.forward(request, is_watch).await?;
                tokio::time::sleep(delay).await;
                Ok(answer)
            }
            Some(Fault::ForwardAfterTheClientGaveUp) => self.forward_late(request).await,
            Some(Fault::Refuse {
                status,
                retry_after,
            }) => refuse(status, retry_after),
        }
    }

    async fn forward(
        &self,
        request: Request<Incoming>,
        is_watch: bool,
    ) -> Result<Response<AnyBody>> {
        let mut cut = self.cut.subscribe();
        let request = self.readdress(request).await?;
        let (mut parts, stream) = self.client.request(request).await?.into_parts();
        remove_hop_by_hop(&mut parts.headers);
        if !is_watch {
            let body = stream.map_err(anyhow::Error::from).boxed_unsync();
            return Ok(Response::from_parts(parts, body));
        }
        let (mut alive, receiver) = oneshot::channel();
        tokio::spawn(async move {
            tokio::select! {
                _ = cut.changed() => drop(alive.send(())),
                () = alive.closed() => {}
            }
        });
        let body = Cuttable {
            stream,
            cut: receiver,
        };
        Ok(Response::from_parts(parts, body.boxed_unsync()))
    }

    /// hyper drops this future when the client closes its connection, and with it the sender.
    async fn forward_late(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<AnyBody>> {
        let request = self.readdress(request).await?;
        let (_waiting, gave_up) = oneshot::channel::<()>();
        tokio::spawn(async move {
            let _ = gave_up.await;
            // Nobody is left to be told how it went.
            if let Ok(answer) = self.client.request(request).await {
                let _ = answer.into_body().collect().await;
            }
        });
        std::future::pending().await
    }

    /// The same request to the server; read to its end, so that it is sent whole or not at all.
    async fn readdress(&self, request: Request<Incoming>) -> Result<Request<AnyBody>> {
        let (mut parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let mut uri = parts.uri.into_parts();
        uri.scheme = Some(self.scheme.clone());
        uri.authority = Some(self.authority.clone());
        parts.uri = Uri::from_parts(uri)?;
        parts.headers.remove(HOST);
        remove_hop_by_hop(&mut parts.headers);
        Ok(Request::from_parts(parts, full(body)))
    }
}

pub(super) async fn accept(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    shared: Arc<Shared>,
) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let (acceptor, shared) = (acceptor.clone(), shared.clone());
        connections.spawn(async move {
            // Every error means one thing here: this connection is over, as its client sees for itself.
            let _ = stream.set_nodelay(true);
            match acceptor {
                None => serve(stream, shared).await,
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serve(stream, shared).await;
                    }
                }
            }
        });
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, shared: Arc<Shared>) {
    let service = service_fn(move |request| shared.clone().handle(request));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // The client has seen the same end.
    let _ = connection.await;
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    headers.remove(CONNECTION);
    headers.remove(TRANSFER_ENCODING);
}

fn full(bytes: Bytes) -> AnyBody {
    Full::new(bytes)
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// An API server's `Status` with the reason that goes with the code.
fn refuse(status: StatusCode, retry_after: Option<u32>) -> Result<Response<AnyBody>> {
    let reason = match status {
        StatusCode::CONFLICT => "Conflict",
        StatusCode::TOO_MANY_REQUESTS => "TooManyRequests",
        StatusCode::INTERNAL_SERVER_ERROR => "InternalError",
        StatusCode::SERVICE_UNAVAILABLE => "ServiceUnavailable",
        StatusCode::GATEWAY_TIMEOUT => "Timeout",
        _ => "Unknown",
    };
    let mut body = serde_json::json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "refused by the proxy", "reason": reason, "code": status.as_u16()
    });
    let mut answer = Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "application/json");
    if let Some(seconds) = retry_after {
        body["details"] = serde_json::json!({"retryAfterSeconds": seconds});
        answer = answer.header(RETRY_AFTER, seconds);
    }
    Ok(answer.body(full(Bytes::from(body.to_string())))?)
}
