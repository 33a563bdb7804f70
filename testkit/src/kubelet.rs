//! A node that has no containers: what a kubelet serves of logs, so that an API server hands them out.
//!
//! A control plane without kubelets cannot answer `pods/log`. What a pod would have logged is a file that a test names. An API
//! server that was given no authority for kubelets trusts any of them.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use crate::proxy::acceptor;

/// The files of logs, by the path and query that they are asked for with.
type Logs = Arc<Mutex<BTreeMap<String, PathBuf>>>;

/// A node's server. Dropping it closes its connections.
#[derive(Debug)]
pub struct Kubelet {
    name: String,
    port: u16,
    logs: Logs,
    runtime: Option<Runtime>,
}

impl Kubelet {
    /// Listens on loopback, for a node of this name.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn start(name: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("kubelet")
            .enable_all()
            .build()?;
        let (_, acceptor) = acceptor()?;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let logs = Logs::default();
        runtime.spawn(accept(listener, acceptor, logs.clone()));
        Ok(Self {
            name: name.to_owned(),
            port,
            logs,
            runtime: Some(runtime),
        })
    }

    /// The Node by which an API server finds it.
    #[must_use]
    pub fn node(&self) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Node", "metadata": {"name": self.name},
            "status": {
                "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
                "daemonEndpoints": {"kubeletEndpoint": {"Port": self.port}},
            },
        })
    }

    /// From now on this file is what a container has logged, now or, if it was `previous`, before it was started again.
    pub fn log(&self, namespace: &str, pod: &str, container: &str, previous: bool, file: PathBuf) {
        let key = key(
            &format!("/containerLogs/{namespace}/{pod}/{container}"),
            previous,
        );
        lock(&self.logs).insert(key, file);
    }

    /// Forgets every log, as a node that is gone does.
    pub fn forget(&self) {
        lock(&self.logs).clear();
    }
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Does not wait, which would be forbidden inside another runtime.
            runtime.shutdown_background();
        }
    }
}

fn key(path: &str, previous: bool) -> String {
    format!("{path} {previous}")
}

fn lock(logs: &Logs) -> MutexGuard<'_, BTreeMap<String, PathBuf>> {
    logs.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, logs: Logs) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, logs) = (acceptor.clone(), logs.clone());
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            let service = service_fn(move |request| {
                let answer = answer(&request, &logs);
                async move { Ok::<_, Infallible>(answer) }
            });
            // A connection that the API server ends is its own business.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

fn answer<B>(request: &Request<B>, logs: &Logs) -> Response<Full<Bytes>> {
    let query = request.uri().query().unwrap_or_default();
    let previous = query.split('&').any(|pair| pair == "previous=true");
    let file = lock(logs)
        .get(&key(request.uri().path(), previous))
        .cloned();
    let (status, text) = match file.map(std::fs::read) {
        Some(Ok(bytes)) => (StatusCode::OK, bytes),
        Some(Err(error)) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            error.to_string().into_bytes(),
        ),
        None => (
            StatusCode::NOT_FOUND,
            b"there is no such container".to_vec(),
        ),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response
}
