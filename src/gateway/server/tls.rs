//! Certificate and key from files, read again when they change: whoever renews a certificate writes new files.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// How often the files are looked at.
pub const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Why the files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// One of them is no PEM, or cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: rustls::pki_types::pem::Error,
    },
    /// They do not fit together, or not to TLS.
    #[error("cannot use {path}: {source}")]
    Use {
        /// The certificate's file.
        path: PathBuf,
        /// What is wrong.
        source: rustls::Error,
    },
}

/// The two files, and what was last read from them.
#[derive(Debug)]
pub struct Certificate {
    certificate: PathBuf,
    key: PathBuf,
    current: RwLock<(Stamp, Arc<CertifiedKey>)>,
    /// The files that could not be used, as they were then.
    rejected: Mutex<Option<Stamp>>,
}

/// When both files were written, as far as that is known.
type Stamp = [Option<SystemTime>; 2];

impl Certificate {
    /// Reads both files.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let stamp = stamp(certificate, key);
        let read = read(certificate, key)?;
        Ok(Self {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            current: RwLock::new((stamp, Arc::new(read))),
            rejected: Mutex::new(None),
        })
    }

    /// Reads the files again if they have changed. Says whether they had.
    ///
    /// # Errors
    /// [`TlsError`]; the certificate before stays in use, and the files are read again at the next look.
    pub fn refresh(&self) -> Result<bool, TlsError> {
        let stamp = stamp(&self.certificate, &self.key);
        if self.current.read().is_ok_and(|current| current.0 == stamp) {
            return Ok(false);
        }
        let read = Arc::new(read(&self.certificate, &self.key)?);
        if let Ok(mut current) = self.current.write() {
            *current = (stamp, read);
        }
        Ok(true)
    }

    /// TLS with whatever certificate is current when a connection begins.
    ///
    /// # Errors
    /// [`rustls::Error`] where the protocol versions do not fit the provider, which they do.
    pub fn config(self: &Arc<Self>) -> Result<ServerConfig, rustls::Error> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(self.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    /// Looks at the files for ever, and tells of every change of them once, whether they can be used or not.
    pub async fn keep_fresh(self: Arc<Self>, told: impl Fn(&Self, &Result<(), TlsError>)) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        loop {
            looks.tick().await;
            let outcome = match self.refresh() {
                Ok(false) => continue,
                Ok(true) => Ok(()),
                Err(error) => Err(error),
            };
            if self.is_new(outcome.is_err()) {
                match &outcome {
                    Ok(()) => tracing::info!("the certificate has been read again"),
                    Err(error) => tracing::error!("the certificate before stays in use: {error}"),
                }
                told(&self, &outcome);
            }
        }
    }

    /// The two files: certificate and key.
    #[must_use]
    pub fn files(&self) -> (&Path, &Path) {
        (&self.certificate, &self.key)
    }

    /// Whether the files are others than those that were last rejected. They are looked at again at every look.
    fn is_new(&self, is_rejected: bool) -> bool {
        let stamp = Some(stamp(&self.certificate, &self.key)).filter(|_| is_rejected);
        let mut rejected = self.rejected.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = stamp.is_none() || *rejected != stamp;
        *rejected = stamp;
        is_new
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.read().ok()?.1.clone())
    }
}

fn stamp(certificate: &Path, key: &Path) -> Stamp {
    [certificate, key].map(|path| path.metadata().and_then(|file| file.modified()).ok())
}

fn read(certificate: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        |source| TlsError::Read { path, source }
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(unreadable(certificate))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(unreadable(key))?;
    CertifiedKey::from_der(chain, private, &ring::default_provider()).map_err(|source| {
        TlsError::Use {
            path: certificate.to_owned(),
            source,
        }
    })
}
