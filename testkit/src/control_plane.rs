//! etcd and kube-apiserver, started for tests, and what a test may do to them.

mod ready;

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Config};
use tempfile::NamedTempFile;

use crate::assets;
use crate::process::Process;
use crate::users::{self, User};

static NAMESPACES: AtomicU32 = AtomicU32::new(0);

/// A running control plane. Dropping it ends its processes; they also end with the test process, however that ends.
#[derive(Debug)]
pub struct ControlPlane {
    assets: PathBuf,
    folder: PathBuf,
    etcd_port: u16,
    peer_port: u16,
    port: u16,
    ca_pem: String,
    // Dropped in this order: the API server first, so that it does not complain about a lost etcd.
    apiserver: Process,
    etcd: Process,
}

impl ControlPlane {
    pub(crate) fn start() -> Result<Self> {
        let assets = assets::control_plane()?;
        let folder = tempfile::Builder::new()
            .prefix("gwlock-controlplane-")
            .tempdir()?
            .keep();
        write_credentials(&folder)?;
        let [etcd_port, peer_port, port] = free_ports()?;
        let etcd = start_etcd(&assets, &folder, etcd_port, peer_port)?;
        let apiserver = start_apiserver(&assets, &folder, etcd_port, port)?;
        let mut own = Self {
            assets,
            folder,
            etcd_port,
            peer_port,
            port,
            ca_pem: String::new(),
            apiserver,
            etcd,
        };
        own.wait_until_ready()?;
        Ok(own)
    }

    /// The address of the API server.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The address of etcd, which serves its v3 API as JSON as well.
    #[must_use]
    pub fn etcd_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.etcd_port)
    }

    /// The authority that signed the API server's certificate, as PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The program of the same version.
    #[must_use]
    pub fn kubectl(&self) -> PathBuf {
        self.assets.join("kubectl")
    }

    /// Where data, logs and certificates are, for a look at what went wrong.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A configuration for kube that repeats no request by itself.
    ///
    /// # Panics
    /// When the control plane's own certificate cannot be read.
    #[must_use]
    pub fn config(&self, user: User, namespace: &str) -> Config {
        users::config(&self.url(), &self.ca_pem, user, namespace)
    }

    /// A kubeconfig file that only its owner can read; it goes when it is dropped.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn kubeconfig(&self, user: User, namespace: &str) -> Result<NamedTempFile> {
        let text = users::kubeconfig(&self.url(), &self.ca_pem, user, namespace);
        let mut file = tempfile::Builder::new().prefix("kubeconfig-").tempfile()?;
        file.write_all(text.as_bytes())?;
        Ok(file)
    }

    /// A new namespace for one test.
    ///
    /// # Panics
    /// When the API server does not make it.
    pub async fn namespace(&self) -> String {
        let name = format!(
            "test-{}-{}",
            std::process::id(),
            NAMESPACES.fetch_add(1, Ordering::Relaxed)
        );
        let client = kube::Client::try_from(self.config(User::Admin, "default"))
            .unwrap_or_else(|error| panic!("{error}"));
        let metadata = ObjectMeta {
            name: Some(name.clone()),
            ..ObjectMeta::default()
        };
        let namespace = Namespace {
            metadata,
            ..Namespace::default()
        };
        let namespaces: Api<Namespace> = Api::all(client);
        if let Err(error) = namespaces.create(&PostParams::default(), &namespace).await {
            panic!("no namespace for the test: {error}");
        }
        name
    }
}

/// For a control plane of one's own: what the shared one must be spared.
impl ControlPlane {
    /// The API server's process, to pause, resume or kill.
    #[must_use]
    pub fn apiserver(&self) -> &Process {
        &self.apiserver
    }

    /// etcd's process, to pause, resume or kill.
    #[must_use]
    pub fn etcd(&self) -> &Process {
        &self.etcd
    }

    /// Kills etcd and starts it again on the same data. Returns at once; the API server answers again when it has
    /// found it.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart_etcd(&mut self) -> Result<()> {
        // The port is free as soon as the process is gone, which a kill alone does not wait for.
        self.etcd.end();
        self.etcd = start_etcd(&self.assets, &self.folder, self.etcd_port, self.peer_port)?;
        Ok(())
    }

    /// Kills the API server, starts it again on the same data and the same port, and waits until it is ready.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart_apiserver(&mut self) -> Result<()> {
        self.apiserver.end_and_keep_the_folder();
        self.apiserver = start_apiserver(&self.assets, &self.folder, self.etcd_port, self.port)?;
        self.wait_until_ready()
    }
}

fn write_credentials(folder: &Path) -> Result<()> {
    fs::write(folder.join("tokens.csv"), users::token_file())?;
    // For signing the tokens of service accounts.
    let key = rcgen::KeyPair::generate()?;
    fs::write(folder.join("sa.key"), key.serialize_pem())?;
    fs::write(folder.join("sa.pub"), key.public_key_pem())?;
    Ok(())
}

fn start_etcd(assets: &Path, folder: &Path, port: u16, peer_port: u16) -> Result<Process> {
    let client = format!("http://127.0.0.1:{port}");
    let peer = format!("http://127.0.0.1:{peer_port}");
    let arguments = [
        format!("--data-dir={}", folder.join("etcd").display()),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=default={peer}"),
        "--unsafe-no-fsync".to_owned(),
    ];
    let log = folder.join("etcd.log");
    Process::start(&assets.join("etcd"), &arguments, &log, None)
}

fn start_apiserver(assets: &Path, folder: &Path, etcd_port: u16, port: u16) -> Result<Process> {
    let file = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let arguments = [
        format!("--etcd-servers=http://127.0.0.1:{etcd_port}"),
        format!("--cert-dir={}", file("certs")),
        format!("--secure-port={port}"),
        "--bind-address=127.0.0.1".to_owned(),
        "--service-account-issuer=https://localhost".to_owned(),
        format!("--service-account-key-file={}", file("sa.pub")),
        format!("--service-account-signing-key-file={}", file("sa.key")),
        "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
        "--authorization-mode=RBAC".to_owned(),
        format!("--token-auth-file={}", file("tokens.csv")),
        "--disable-admission-plugins=ServiceAccount".to_owned(),
    ];
    let log = folder.join("apiserver.log");
    Process::start(
        &assets.join("kube-apiserver"),
        &arguments,
        &log,
        Some(folder),
    )
}

/// Ports that nobody listens on. Somebody could take one before it is used; then the program says so in its log.
pub(crate) fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let listeners: Vec<TcpListener> = (0..N)
        .map(|_| TcpListener::bind("127.0.0.1:0"))
        .collect::<std::io::Result<_>>()?;
    let mut ports = [0; N];
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
}
