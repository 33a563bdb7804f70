//! A service on the loopback interface, over HTTPS, with credentials of its own.
//!
//! Generic over the service: this module knows neither objects nor what the service answers. Every
//! run has a new certificate authority and new tokens, so nothing that was written down from an
//! earlier run opens anything.

mod certificates;
mod credentials;
mod kubeconfig;
mod listener;

use std::{fmt, io, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tower::Service;

pub use credentials::{Credentials, Identity, random_token};
pub use kubeconfig::write as write_kubeconfig;

use kubeconfig::{Entry, Place};

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

/// A service that is being served. Dropping it ends every connection at once.
#[must_use]
pub struct Serving {
    address: SocketAddr,
    ca: String,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Serves clones of a service over HTTPS (HTTP/1.1) on a port of 127.0.0.1; 0 takes a free one.
///
/// Connections have TCP_NODELAY set: without it the first answer of each waits for some 40 ms.
///
/// # Errors
/// The port is taken, or TLS cannot be set up.
pub async fn serve<S, B>(service: S, port: u16) -> Result<Serving, ServeError>
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let certificates = certificates::generate()?;
    let tls = listener::tls(&certificates)?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let listen_error = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen_error)?;
    let address = listener.local_addr().map_err(listen_error)?;
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(listener::run(listener, tls, service, stopped, GRACE));
    Ok(Serving {
        address,
        ca: certificates.ca_pem,
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
    pub fn ca_pem(&self) -> &str {
        &self.ca
    }

    /// A kubeconfig with one user, whose context, like the cluster, is called `cluster`.
    #[must_use]
    pub fn kubeconfig(&self, cluster: &str, user: &str, token: &str, namespace: &str) -> String {
        let place = Place {
            url: &self.url(),
            ca_pem: &self.ca,
            cluster,
            namespace,
        };
        kubeconfig::text(
            place,
            &[Entry {
                context: cluster,
                user,
                token,
            }],
        )
    }

    /// A kubeconfig with a context for each identity, under its name; the first is the current one.
    #[must_use]
    pub fn kubeconfig_of_all(
        &self,
        cluster: &str,
        credentials: &Credentials,
        namespace: &str,
    ) -> String {
        let entries: Vec<Entry<'_>> = credentials
            .identities()
            .iter()
            .map(|identity| Entry {
                context: &identity.name,
                user: &identity.name,
                token: identity.token(),
            })
            .collect();
        kubeconfig::text(
            Place {
                url: &self.url(),
                ca_pem: &self.ca,
                cluster,
                namespace,
            },
            &entries,
        )
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

    type Answer = Result<Response<Full<Bytes>>, Infallible>;

    async fn hello(request: Request<Incoming>) -> Answer {
        Ok(Response::new(Full::new(Bytes::from(format!(
            "hello {}",
            request.uri()
        )))))
    }

    async fn get(serving: &Serving, path: &str) -> String {
        let mut roots = rustls::RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(serving.ca_pem().as_bytes()).unwrap())
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
        let serving = serve(service_fn(hello), 0).await.unwrap();
        assert_eq!(get(&serving, "/x?y=z").await, "hello /x?y=z");
        let address = serving.address;
        serving.shut_down().await;
        assert!(tokio::net::TcpStream::connect(address).await.is_err());
    }

    #[tokio::test]
    async fn a_taken_port_is_named_in_the_error() {
        let serving = serve(service_fn(hello), 0).await.unwrap();
        let error = serve(service_fn(hello), serving.address.port())
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("cannot listen on {}", serving.address)
        );
    }
}
