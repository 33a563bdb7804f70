//! The connection to the API server.
//!
//! kube's own connector leaves Nagle's algorithm on, which costs about 40 ms on the first request of every TLS
//! connection. This one switches it off, and leaves out kube's retry layer: that would send a POST or PUT again after
//! 503 and 504, whose outcome is unknown.

use http::{HeaderValue, header};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ClientBuilder, ConfigExt};
use tower::{BoxError, ServiceBuilder};

/// Also the field manager of every write: one constant name, so that the server keeps one stamp for it.
pub const FIELD_MANAGER: &str = "gwlock";

const USER_AGENT: &str = concat!("gwlock/", env!("CARGO_PKG_VERSION"));

/// Makes a client from a configuration. Nothing is sent yet. Has to be called within a tokio runtime.
///
/// Behind a proxy kube's own stack is used, without its retries.
///
/// # Errors
/// When certificates, keys or the credentials of the configuration cannot be used.
pub fn connect(mut config: kube::Config) -> Result<kube::Client, kube::Error> {
    config.default_retry = false;
    if !config
        .headers
        .iter()
        .any(|(name, _)| name == header::USER_AGENT)
    {
        config
            .headers
            .push((header::USER_AGENT, HeaderValue::from_static(USER_AGENT)));
    }
    if config.proxy_url.is_some() {
        return Ok(ClientBuilder::try_from(config)?.build());
    }
    let hyper = bare(&config)?;
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(hyper);
    Ok(ClientBuilder::new(service, config.default_namespace).build())
}

/// The connection pool alone, without authentication or headers, for measuring what is added on top of it.
///
/// # Errors
/// When certificates or keys of the configuration cannot be used.
pub fn bare(
    config: &kube::Config,
) -> Result<Client<impl Connect + Clone + use<>, Body>, kube::Error> {
    Ok(Client::builder(TokioExecutor::new()).build(connector(config)?))
}

/// Connections to the server of a configuration, with TLS where its URL says https.
///
/// # Errors
/// When certificates or keys of the configuration cannot be used.
pub fn connector(config: &kube::Config) -> Result<HttpsConnector<HttpConnector>, kube::Error> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(config.connect_timeout);
    config.rustls_https_connector_with_connector(tcp)
}
