//! A proxy in front of an API server that counts requests and makes them fail.
//!
//! It speaks HTTPS on both sides in front of a control plane, and plain HTTP in front of a test's own server. It runs
//! on a thread and a runtime of its own, so that a test may block, or have its clock paused.
//!
//! What it does not do: change what is sent, repeat a request, or forward upgraded connections (`exec`, `attach`).

mod body;
mod fault;
mod forward;
mod seen;
mod tls;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use kube::Config;
use tempfile::NamedTempFile;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::control_plane::ControlPlane;
use crate::users::{self, User};

pub use fault::{Fault, Rule};
pub use seen::Seen;
pub(crate) use tls::acceptor;

/// A running proxy. Dropping it closes its connections.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    ca_pem: Option<String>,
    shared: Arc<forward::Shared>,
    runtime: Option<Runtime>,
}

impl Proxy {
    /// A proxy in front of a control plane, with a certificate of its own.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn in_front_of(control_plane: &ControlPlane) -> Result<Self> {
        Self::https(&control_plane.url(), control_plane.ca_pem())
    }

    /// A proxy in front of any HTTPS server whose certificate this authority signed.
    ///
    /// # Errors
    /// When it cannot listen, or the authority is no certificate.
    pub fn https(upstream: &str, ca_pem: &str) -> Result<Self> {
        let (own_ca, acceptor) = tls::acceptor()?;
        let client = tls::client(Some(ca_pem))?;
        Self::start(upstream, client, Some((own_ca, acceptor)))
    }

    /// A proxy in front of a plain HTTP server; plain itself.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn http(upstream: &str) -> Result<Self> {
        Self::start(upstream, tls::client(None)?, None)
    }

    fn start(
        upstream: &str,
        client: tls::Client,
        own_tls: Option<(String, tokio_rustls::TlsAcceptor)>,
    ) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("proxy")
            .enable_all()
            .build()?;
        let (ca_pem, acceptor) = own_tls.unzip();
        let shared = Arc::new(forward::Shared::new(upstream, client)?);
        let (listener, address) = {
            let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            let _inside = runtime.enter();
            (TcpListener::from_std(listener)?, address)
        };
        runtime.spawn(forward::accept(listener, acceptor, shared.clone()));
        Ok(Self {
            address,
            ca_pem,
            shared,
            runtime: Some(runtime),
        })
    }

    /// Where it listens, with its scheme.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.ca_pem.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}", self.address)
    }

    /// The authority that signed its certificate, as PEM; none where it is plain.
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// A configuration for kube that goes through it.
    ///
    /// # Panics
    /// When the proxy is plain: a token must not be sent in the clear.
    #[must_use]
    pub fn config(&self, user: User, namespace: &str) -> Config {
        users::config(&self.url(), self.own_ca(), user, namespace)
    }

    /// A kubeconfig file that goes through it.
    ///
    /// # Errors
    /// When it cannot be written.
    ///
    /// # Panics
    /// When the proxy is plain.
    pub fn kubeconfig(&self, user: User, namespace: &str) -> Result<NamedTempFile> {
        let text = users::kubeconfig(&self.url(), self.own_ca(), user, namespace);
        let mut file = tempfile::Builder::new().prefix("kubeconfig-").tempfile()?;
        file.write_all(text.as_bytes()).context("kubeconfig")?;
        Ok(file)
    }

    /// Adds a rule. The first rule that hits a request decides about it.
    pub fn inject(&self, rule: Rule) {
        self.shared.rules().push(rule);
    }

    /// Removes every rule.
    pub fn heal(&self) {
        self.shared.rules().clear();
    }

    /// Ends every watch that is open now, in the middle of its stream.
    pub fn cut_watches(&self) {
        self.shared.cut.send_modify(|generation| *generation += 1);
    }

    /// Every request so far, in the order in which they arrived.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen().clone()
    }

    /// How many requests of each kind arrived, by verb and resource: `create leases`.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for seen in self.shared.seen().iter() {
            *counts
                .entry(format!("{} {}", seen.verb, seen.resource))
                .or_default() += 1;
        }
        counts
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        self.shared.seen().clear();
    }

    fn own_ca(&self) -> &str {
        self.ca_pem
            .as_deref()
            .unwrap_or_else(|| panic!("a plain proxy has no certificate"))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Does not wait, which would be forbidden inside another runtime.
            runtime.shutdown_background();
        }
    }
}
