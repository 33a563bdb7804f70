//! Connections: accepted, with TLS or without, until they are asked to end.
//!
//! Knows nothing of what is served.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower::ServiceBuilder;

use super::linger::{Lingering, Unread};

/// How long the head of a request may take, and how long a connection may be idle.
const HEAD: Duration = Duration::from_secs(30);
/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// The most bytes of a request's head, its first line and its headers.
const LARGEST_HEAD: usize = 64 * 1024;
/// Connections of one listener. More have to wait to be accepted.
const CONNECTIONS: usize = 2048;
/// The answer to who speaks without TLS where TLS is expected.
const NOT_HERE: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 26\r\n\
    Connection: close\r\n\r\nthis address speaks HTTPS\n";
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
    serve_some(connections, listener, tls, routes, stop, grace).await
}

async fn serve_some(
    connections: Arc<Semaphore>,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    routes: Router,
    stop: impl Future<Output = ()>,
    grace: Duration,
) -> Drained {
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = accept(&listener, &connections) => accepted,
        };
        let (permit, stream) = match accepted {
            Ok(accepted) => accepted,
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

/// The next connection, when there is room for one.
async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> io::Result<(OwnedSemaphorePermit, TcpStream)> {
    let permit = connections.clone().acquire_owned().await;
    let permit = permit.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((permit, stream))
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, routes: Router, watcher: Watcher) {
    // Only a hint to the kernel.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else {
        return answer(stream, routes, watcher).await;
    };
    match timeout(HANDSHAKE, handshake(stream, &tls)).await {
        Ok(Ok(Some(stream))) => answer(stream, routes, watcher).await,
        Ok(Ok(None)) => tracing::debug!("no TLS, but a plain request"),
        Ok(Err(error)) => tracing::debug!("no TLS: {error}"),
        Err(_) => tracing::debug!("no TLS within {HANDSHAKE:?}"),
    }
}

/// The stream with TLS. A sender that begins with a letter, as HTTP does and TLS does not, is told so.
async fn handshake(
    stream: TcpStream,
    tls: &TlsAcceptor,
) -> io::Result<Option<TlsStream<TcpStream>>> {
    let mut first = [0];
    stream.peek(&mut first).await?;
    if !first[0].is_ascii_uppercase() {
        return tls.accept(stream).await.map(Some);
    }
    let unread = Unread::default();
    unread.set();
    let mut stream = Lingering::new(stream, unread);
    stream.write_all(NOT_HERE).await?;
    stream.shutdown().await?;
    Ok(None)
}

async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    routes: Router,
    watcher: Watcher,
) {
    let unread = Unread::default();
    let stream = Lingering::new(stream, unread.clone());
    let service = ServiceBuilder::new()
        .map_err(|never: Infallible| match never {})
        .map_request(move |request: Request<Incoming>| request.map(|body| unread.watch(body)))
        .service(routes);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!("a connection broke off: {error}");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::AsyncReadExt as _;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn it_ends_while_every_place_is_taken() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new().route("/", get(async || "here"));
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(serve_some(
            Arc::new(Semaphore::new(1)),
            listener,
            None,
            routes,
            async { drop(stopped.await) },
            Duration::from_secs(60),
        ));
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            .await
            .unwrap();
        let mut answer = [0; 15];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, *b"HTTP/1.1 200 OK");
        stop.send(()).unwrap();
        // Half of what an idle connection may take to end by itself.
        let ended = timeout(HEAD / 2, serving).await.unwrap().unwrap();
        assert_eq!(ended, Drained::All);
    }
}
