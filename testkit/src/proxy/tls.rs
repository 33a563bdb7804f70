//! Certificates: one of its own towards the client, and trust in the server's.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{self, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use rustls::RootCertStore;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio_rustls::TlsAcceptor;

use super::body::AnyBody;
use crate::authority::Authority;

/// A client that speaks HTTP/1.1, over TLS where the address says so.
pub(super) type Client = legacy::Client<HttpsConnector<HttpConnector>, AnyBody>;

/// The authority as PEM, and what takes connections under a certificate that it signed.
pub(crate) fn acceptor() -> Result<(String, TlsAcceptor)> {
    let authority = Authority::new()?;
    let leaf = authority.certify()?;
    let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], leaf.key_der())?;
    // Counting and cutting is per connection; with HTTP/2 one cut would hit every request.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((authority.pem(), TlsAcceptor::from(Arc::new(config))))
}

pub(super) fn client(ca_pem: Option<&str>) -> Result<Client> {
    let mut roots = RootCertStore::empty();
    if let Some(pem) = ca_pem {
        let ca = CertificateDer::from_pem_slice(pem.as_bytes())
            .context("the server's authority is no certificate")?;
        roots.add(ca)?;
    }
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_or_http()
        .enable_http1()
        .wrap_connector(http);
    Ok(legacy::Client::builder(TokioExecutor::new())
        .retry_canceled_requests(false)
        .pool_max_idle_per_host(0)
        .build(connector))
}
