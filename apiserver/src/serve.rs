//! The server on loopback, over HTTPS.
//!
//! A certificate authority and tokens of its own for every run; kubectl sends no token over plain HTTP.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::server::ApiServer;

/// Why serving could not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be used.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's words.
        source: io::Error,
    },
    /// No certificate could be made.
    #[error("cannot make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The certificate was refused.
    #[error("cannot use the certificate: {0}")]
    Tls(#[from] rustls::Error),
}

/// A server that is being served. Dropping it closes every connection.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    ca_pem: String,
    accepting: JoinHandle<Infallible>,
}

/// Serves on `127.0.0.1`; port 0 takes any that is free.
///
/// # Errors
/// [`ServeError`].
pub async fn serve(server: ApiServer, port: u16) -> Result<Serving, ServeError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listen = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let (ca_pem, config) = tls()?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let accepting = tokio::spawn(accept(listener, acceptor, server));
    Ok(Serving {
        address,
        ca_pem,
        accepting,
    })
}

impl Serving {
    /// `https://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The certificate authority that signed the server's certificate, as PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// A kubeconfig for a user with this token.
    #[must_use]
    pub fn kubeconfig(&self, name: &str, user: &str, token: &str, namespace: &str) -> String {
        let ca = STANDARD.encode(&self.ca_pem);
        format!(
            "apiVersion: v1\nkind: Config\nclusters:\n- name: {name}\n  cluster:\n    server: {url}\n    \
             certificate-authority-data: {ca}\nusers:\n- name: {user}\n  user:\n    token: {token}\ncontexts:\n- name: \
             {name}\n  context:\n    cluster: {name}\n    user: {user}\n    namespace: {namespace}\ncurrent-context: \
             {name}\n",
            url = self.url(),
        )
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, server: ApiServer) -> Infallible {
    // Connections end with the set, which ends with this task.
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        let (acceptor, server) = (acceptor.clone(), server.clone());
        connections.spawn(async move {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!("cannot set TCP_NODELAY: {error}");
            }
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            let service = TowerToHyperService::new(server);
            let http = auto::Builder::new(TokioExecutor::new()).http1_only();
            if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
                tracing::debug!("connection ended: {error}");
            }
        });
    }
}

fn tls() -> Result<(String, rustls::ServerConfig), ServeError> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority
        .distinguished_name
        .push(DnType::CommonName, "embedded API server");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let leaf = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    let leaf = leaf.signed_by(&key, &authority)?;
    let certificate = CertificateDer::from(leaf.der().to_vec());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((authority.pem(), config))
}

/// A token that cannot be guessed.
#[must_use]
pub fn random_token() -> String {
    use rand::TryRng;
    let mut bytes = [0; 24];
    if rand::rngs::SysRng.try_fill_bytes(&mut bytes).is_err() {
        let key = KeyPair::generate()
            .map(|key| key.serialize_der())
            .unwrap_or_default();
        let from = key.len().saturating_sub(bytes.len());
        bytes.copy_from_slice(&key[from..]);
    }
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
