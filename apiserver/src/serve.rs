//! A service on the loopback interface, over HTTPS, with credentials of its own.
//!
//! Generic over the service: this module knows neither objects nor what the service answers. Every
//! run has a new certificate authority and new tokens, so nothing that was written down from an
//! earlier run opens anything.

mod certificates;
mod credentials;
mod kubeconfig;
mod listener;

use std::{fmt, io, net::SocketAddr, path::Path, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tower::Service;

pub use credentials::{Credentials, Identity};

/// How long [`Serving::shut_down`] waits for answers that are under way.
const GRACE: Duration = Duration::from_secs(2);

/// Why a service cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The port cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
    /// The certificates cannot be made.
    #[error("cannot make a certificate")]
    Certificate(#[from] rcgen::Error),
    /// The certificates cannot be used.
    #[error("cannot set up TLS")]
    Tls(#[from] rustls::Error),
}

/// What a served service is called, and where it is.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Name of the cluster in the kubeconfig.
    pub cluster: String,
    /// Namespace of the kubeconfig's contexts.
    pub namespace: String,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            port: 0,
            cluster: "embedded".to_owned(),
            namespace: "default".to_owned(),
        }
    }
}

/// A service that is being served. Dropping it ends every connection at once.
#[must_use]
pub struct Serving {
    address: SocketAddr,
    ca: String,
    kubeconfig: String,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Serves clones of a service over HTTPS (HTTP/1.1) on 127.0.0.1.
///
/// Connections have TCP_NODELAY set: without it the first answer of each waits for some 40 ms.
///
/// # Errors
/// The port is taken, or TLS cannot be set up.
pub async fn serve<S, B>(
    service: S,
    credentials: &Credentials,
    options: &ServeOptions,
) -> Result<Serving, ServeError>
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let certificates = certificates::generate()?;
    let tls = listener::tls(&certificates)?;
    let address = SocketAddr::from(([127, 0, 0, 1], options.port));
    let listen_error = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen_error)?;
    let address = listener.local_addr().map_err(listen_error)?;
    let kubeconfig = kubeconfig::text(&url(address), &certificates.ca_pem, credentials, options);
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(listener::run(listener, tls, service, stopped, GRACE));
    Ok(Serving {
        address,
        ca: certificates.ca_pem,
        kubeconfig,
        stop,
        task,
    })
}

impl Serving {
    /// The URL of the server: `https://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        url(self.address)
    }

    /// The certificate of the authority that signed the server's, in PEM.
    #[must_use]
    pub fn ca_certificate(&self) -> &str {
        &self.ca
    }

    /// A kubeconfig with a context for each identity; the first is the current one.
    #[must_use]
    pub fn kubeconfig(&self) -> &str {
        &self.kubeconfig
    }

    /// Writes the kubeconfig to a file that its owner alone can read (mode 0600). The file is
    /// replaced as a whole, so a reader never sees half of it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_kubeconfig(&self, path: &Path) -> io::Result<()> {
        kubeconfig::write(path, &self.kubeconfig)
    }

    /// Stops listening, lets answers that are under way end for up to two seconds, and then closes
    /// what is still open: watches, as a rule.
    pub async fn shut_down(mut self) {
        // Nobody listens any more only if the task has ended already.
        let _ = self.stop.send(true);
        let _ = (&mut self.task).await;
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Serving {
    /// Without the kubeconfig, which holds tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

fn url(address: SocketAddr) -> String {
    format!("https://{address}")
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, sync::Arc};

    use http_body_util::{BodyExt, Empty, Full};
    use hyper_util::rt::TokioIo;
    use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
    use tower::service_fn;

    use super::*;
    use crate::access::UserInfo;

    type Answer = Result<Response<Full<Bytes>>, Infallible>;

    async fn hello(request: Request<Incoming>) -> Answer {
        Ok(Response::new(Full::new(Bytes::from(format!(
            "hello {}",
            request.uri()
        )))))
    }

    fn credentials() -> Credentials {
        Credentials::generate([
            ("admin", UserInfo::new("admin", &["system:masters"])),
            ("guest", UserInfo::new("guest", &[])),
        ])
    }

    async fn get(serving: &Serving, path: &str) -> String {
        let mut roots = rustls::RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(serving.ca_certificate().as_bytes()).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let tcp = tokio::net::TcpStream::connect(serving.address)
            .await
            .unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let tls = tokio_rustls::TlsConnector::from(Arc::new(config))
            .connect(name, tcp)
            .await
            .unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tls))
            .await
            .unwrap();
        tokio::spawn(connection);
        let answer = sender
            .send_request(Request::get(path).body(Empty::<Bytes>::new()).unwrap())
            .await
            .unwrap();
        String::from_utf8(
            answer
                .into_body()
                .collect()
                .await
                .unwrap()
                .to_bytes()
                .to_vec(),
        )
        .unwrap()
    }

    #[tokio::test]
    async fn a_client_that_trusts_the_authority_is_answered() {
        let serving = serve(service_fn(hello), &credentials(), &ServeOptions::default())
            .await
            .unwrap();
        assert_eq!(get(&serving, "/x?y=z").await, "hello /x?y=z");
        let address = serving.address;
        serving.shut_down().await;
        assert!(tokio::net::TcpStream::connect(address).await.is_err());
    }

    #[tokio::test]
    async fn a_taken_port_is_named_in_the_error() {
        let serving = serve(service_fn(hello), &credentials(), &ServeOptions::default())
            .await
            .unwrap();
        let options = ServeOptions {
            port: serving.address.port(),
            ..ServeOptions::default()
        };
        let error = serve(service_fn(hello), &credentials(), &options)
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("cannot listen on {}", serving.address)
        );
    }

    #[tokio::test]
    async fn the_kubeconfig_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;

        let serving = serve(service_fn(hello), &credentials(), &ServeOptions::default())
            .await
            .unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        std::fs::write(&path, "old").unwrap();
        serving.write_kubeconfig(&path).unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            serving.kubeconfig()
        );
    }
}
