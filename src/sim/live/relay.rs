//! The network of a process that is not ours to look into: an HTTP server on loopback, which is all that it knows of the
//! API server.
//!
//! What may go wrong is the network's business. Nobody else on this machine gets through: it wants a token of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use gwlock_apiserver::ConnectionLost;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rand::RngExt as _;
use rand::rngs::StdRng;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::sim::network::{AnswerBody, Link, whole};

/// Closed when it is dropped.
pub(super) struct Relay {
    address: SocketAddr,
    token: String,
    link: Arc<Mutex<Arc<Link>>>,
    /// Ends its tasks when it is dropped.
    _accepting: JoinSet<()>,
}

/// Belongs to one connection, or says whom the answer is for.
const OF_THE_CONNECTION: [header::HeaderName; 7] = [
    header::HOST,
    header::AUTHORIZATION,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    // Answers are read on their way.
    header::ACCEPT_ENCODING,
    header::UPGRADE,
];

impl Relay {
    /// Listens, and carries what comes on this network.
    pub(super) async fn start(link: Arc<Link>, rng: &mut StdRng) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let token = format!("{:032x}", rng.random::<u128>());
        let link = Arc::new(Mutex::new(link));
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, format!("Bearer {token}"), link.clone()));
        Ok(Self {
            address,
            token,
            link,
            _accepting: accepting,
        })
    }

    /// From now on it is the network of another process.
    pub(super) fn serve(&self, link: Arc<Link>) {
        *self.link.lock().unwrap_or_else(PoisonError::into_inner) = link;
    }

    /// What a client has to know to use it.
    pub(super) fn kubeconfig(&self) -> String {
        let name = "simulation";
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": name,
            "clusters": [{"name": name, "cluster": {"server": format!("http://{}", self.address)}}],
            "users": [{"name": name, "user": {"token": self.token}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        });
        config.to_string()
    }
}

async fn accept(listener: TcpListener, token: String, link: Arc<Mutex<Arc<Link>>>) {
    let token: Arc<str> = token.into();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(stream, token.clone(), link.clone()));
                }
            }
            // Reaps what has ended.
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, token: Arc<str>, link: Arc<Mutex<Arc<Link>>>) {
    drop(stream.set_nodelay(true));
    let service = service_fn(move |request| {
        let link = link.lock().unwrap_or_else(PoisonError::into_inner).clone();
        answer(request, token.clone(), link)
    });
    // A connection that is lost, also on purpose, is what this is about.
    drop(
        http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await,
    );
}

async fn answer(
    request: Request<Incoming>,
    token: Arc<str>,
    link: Arc<Link>,
) -> Result<Response<AnswerBody>, ConnectionLost> {
    let (mut parts, body) = request.into_parts();
    let shown = parts.headers.get(header::AUTHORIZATION);
    if shown.is_none_or(|shown| shown.as_bytes() != token.as_bytes()) {
        let mut refused = Response::new(whole("this relay is for one process\n".into()));
        *refused.status_mut() = StatusCode::UNAUTHORIZED;
        return Ok(refused);
    }
    strip(&mut parts.headers);
    let body = body.collect().await.map_err(|_| ConnectionLost)?;
    let mut response = link.relay(parts, body.to_bytes()).await?;
    strip(response.headers_mut());
    Ok(response)
}

fn strip(headers: &mut HeaderMap) {
    for name in OF_THE_CONNECTION {
        headers.remove(name);
    }
}
