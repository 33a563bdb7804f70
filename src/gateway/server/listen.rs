//! Connections: accepted, with TLS or without, until they are asked to end.
//!
//! Knows nothing of what is served.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// How long the head of a request may take, and how long a connection may be idle.
const HEAD: Duration = Duration::from_secs(30);
/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Connections of one listener. More have to wait to be accepted.
const CONNECTIONS: usize = 2048;
/// After a failure to accept, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop` comes, then ends idle connections at once and the others after their answer, for as long as
/// `grace`. Returns how it ended.
pub async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    routes: Router,
    stop: impl Future<Output = ()>,
    grace: Duration,
) -> Drained {
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        // The semaphore is never closed.
        let permit = connections.clone().acquire_owned().await;
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let (tls, routes, watcher) = (tls.clone(), routes.clone(), graceful.watcher());
        tokio::spawn(async move {
            let _permit = permit;
            connection(stream, tls, routes, watcher).await;
        });
    }
    drop(listener);
    match timeout(grace, graceful.shutdown()).await {
        Ok(()) => Drained::All,
        Err(_) => Drained::CutOff,
    }
}

/// Whether every request was answered at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Drained {
    /// Yes.
    All,
    /// Some were still being answered.
    CutOff,
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, routes: Router, watcher: Watcher) {
    // Only a hint to the kernel.
    let _ = stream.set_nodelay(true);
    match tls {
        None => answer(stream, routes, watcher).await,
        Some(tls) => match timeout(HANDSHAKE, tls.accept(stream)).await {
            Ok(Ok(stream)) => answer(stream, routes, watcher).await,
            Ok(Err(error)) => tracing::debug!("no TLS: {error}"),
            Err(_) => tracing::debug!("no TLS within {HANDSHAKE:?}"),
        },
    }
}

async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    routes: Router,
    watcher: Watcher,
) {
    let service = TowerToHyperService::new(
        tower::ServiceExt::<http::Request<hyper::body::Incoming>>::map_err(
            routes,
            |never: Infallible| match never {},
        ),
    );
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!("a connection broke off: {error}");
    }
}
