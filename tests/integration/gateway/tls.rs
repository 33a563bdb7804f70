//! Certificates that are renewed while a replica runs: what a new connection sees, and what is told of it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::Router;
use gwlock::gateway::server::listen;
use gwlock::gateway::server::tls::{Certificate, LOOK_EVERY};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// An authority, and the files that it signs.
struct Authority {
    folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
    written: u64,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).unwrap().der().clone();
        Self {
            folder: TempDir::new().unwrap(),
            issuer: Issuer::new(params, key),
            root,
            written: 0,
        }
    }

    fn files(&self) -> (PathBuf, PathBuf) {
        let folder = self.folder.path();
        (folder.join("tls.crt"), folder.join("tls.key"))
    }

    /// Signs a new certificate and writes it with its key.
    fn renew(&mut self) -> CertificateDer<'static> {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        self.write(&certificate.pem(), &key.serialize_pem());
        certificate.der().clone()
    }

    /// Writes both files, each time under another time of change, however quickly they follow each other.
    fn write(&mut self, certificate: &str, key: &str) {
        self.written += 1;
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + self.written);
        let (certificate_file, key_file) = self.files();
        for (path, text) in [(certificate_file, certificate), (key_file, key)] {
            fs::write(&path, text).unwrap();
            let file = File::options().write(true).open(&path).unwrap();
            file.set_modified(time).unwrap();
        }
    }

    fn load(&self) -> Arc<Certificate> {
        let (certificate, key) = self.files();
        Arc::new(Certificate::load(&certificate, &key).unwrap())
    }

    /// The certificate that a new connection is shown, if it is this authority's.
    async fn shown(&self, port: u16) -> CertificateDer<'static> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let stream = connector.connect(name, stream).await.unwrap();
        let shown = stream.get_ref().1.peer_certificates().unwrap();
        shown[0].clone().into_owned()
    }
}

/// The files of a certificate in a folder.
pub(super) fn certificate(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new([name.to_owned()]).unwrap();
    let (file, key_file) = (folder.join("tls.crt"), folder.join("tls.key"));
    fs::write(&file, params.self_signed(&key).unwrap().pem()).unwrap();
    fs::write(&key_file, key.serialize_pem()).unwrap();
    (file, key_file)
}

#[tokio::test]
async fn a_new_connection_is_shown_the_renewed_certificate_and_never_a_broken_one() {
    let mut authority = Authority::new();
    let first = authority.renew();
    let certificate = authority.load();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = TlsAcceptor::from(Arc::new(certificate.config().unwrap()));
    let forever = std::future::pending();
    let serving = listen::serve(
        listener,
        Some(acceptor),
        Router::new(),
        forever,
        Duration::ZERO,
    );
    let serving = tokio::spawn(serving);
    assert_eq!(authority.shown(port).await, first);
    assert!(!certificate.refresh().unwrap(), "nothing has changed");

    let second = authority.renew();
    assert_eq!(authority.shown(port).await, first, "nobody has looked yet");
    assert!(certificate.refresh().unwrap());
    assert_eq!(authority.shown(port).await, second);

    authority.write("no certificate", "no key");
    assert!(certificate.refresh().is_err());
    assert_eq!(authority.shown(port).await, second);
    // A certificate without its own key is none either.
    authority.renew();
    let (file, _) = authority.files();
    let stranger = fs::read_to_string(&file).unwrap();
    authority.renew();
    let (_, key) = authority.files();
    let key = fs::read_to_string(key).unwrap();
    authority.write(&stranger, &key);
    assert!(certificate.refresh().is_err());
    assert_eq!(authority.shown(port).await, second);

    let third = authority.renew();
    assert!(certificate.refresh().unwrap());
    assert_eq!(authority.shown(port).await, third);
    serving.abort();
}

#[tokio::test(start_paused = true)]
async fn every_change_of_the_files_is_told_once() {
    let mut authority = Authority::new();
    authority.renew();
    let certificate = authority.load();
    let told: Arc<Mutex<Vec<bool>>> = Arc::default();
    let seen = told.clone();
    let looking = tokio::spawn(
        certificate.keep_fresh(move |_, outcome| seen.lock().unwrap().push(outcome.is_ok())),
    );
    let looks = async |times: u32| tokio::time::sleep(LOOK_EVERY * times).await;
    let told = || std::mem::take(&mut *told.lock().unwrap());
    looks(3).await;
    assert_eq!(told(), [] as [bool; 0]);
    authority.renew();
    looks(3).await;
    assert_eq!(told(), [true]);
    authority.write("no certificate", "no key");
    looks(3).await;
    assert_eq!(told(), [false]);
    authority.write("no certificate either", "no key");
    looks(3).await;
    assert_eq!(told(), [false]);
    authority.renew();
    looks(3).await;
    assert_eq!(told(), [true]);
    looking.abort();
}
