//! etcd and kube-apiserver, started for tests.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Config};
use tempfile::NamedTempFile;

use crate::assets;
use crate::process::Process;

const START_TIMEOUT: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(50);

static NAMESPACES: AtomicU32 = AtomicU32::new(0);

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum User {
    /// May do everything.
    Admin,
    /// Has no rights until a test binds a role to the user `gateway`.
    Gateway,
    /// Has no rights until a test binds a role to the user `viewer`.
    Viewer,
}

impl User {
    /// The name in bindings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Gateway => "gateway",
            Self::Viewer => "viewer",
        }
    }

    fn token(self) -> String {
        format!("{}-token", self.name())
    }
}

/// A running control plane. Dropping it ends its processes; they also end with the test process.
#[derive(Debug)]
pub struct ControlPlane {
    assets: PathBuf,
    folder: PathBuf,
    etcd_port: u16,
    peer_port: u16,
    port: u16,
    ca_pem: String,
    apiserver: Option<Process>,
    etcd: Option<Process>,
    /// Does nothing but to remove the folder when it ends, last of all.
    _keeper: Process,
}

impl ControlPlane {
    pub(crate) fn start() -> Result<Self> {
        let assets = assets::folder()?;
        let folder = tempfile::Builder::new()
            .prefix("gwlock-controlplane-")
            .tempdir()?
            .keep();
        let keeper = Process::start(
            Path::new("sleep"),
            &["infinity"],
            &folder.join("keeper.log"),
            Some(&folder),
        )?;
        let [etcd_port, peer_port, port] = free_ports()?;
        let mut own = Self {
            assets,
            folder,
            etcd_port,
            peer_port,
            port,
            ca_pem: String::new(),
            apiserver: None,
            etcd: None,
            _keeper: keeper,
        };
        own.write_credentials()?;
        own.start_etcd()?;
        own.start_apiserver()?;
        own.wait_until_ready()?;
        Ok(own)
    }

    /// The address of the API server.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The program of the same version.
    #[must_use]
    pub fn kubectl(&self) -> PathBuf {
        self.assets.join("kubectl")
    }

    /// The API server's process.
    #[must_use]
    pub fn apiserver(&self) -> &Process {
        self.apiserver
            .as_ref()
            .unwrap_or_else(|| panic!("the API server was not started"))
    }

    /// etcd's process.
    #[must_use]
    pub fn etcd(&self) -> &Process {
        self.etcd
            .as_ref()
            .unwrap_or_else(|| panic!("etcd was not started"))
    }

    /// Kills etcd and starts it again on the same data.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart_etcd(&mut self) -> Result<()> {
        self.etcd = None;
        self.start_etcd()
    }

    /// Kills the API server and starts it again, without what it had in memory.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart_apiserver(&mut self) -> Result<()> {
        self.apiserver = None;
        self.start_apiserver()?;
        self.wait_until_ready()
    }

    /// A configuration for kube.
    ///
    /// # Panics
    /// When its own kubeconfig cannot be read.
    #[must_use]
    pub fn config(&self, user: User, namespace: &str) -> Config {
        let yaml = self.kubeconfig_text(user, namespace);
        let kubeconfig =
            kube::config::Kubeconfig::from_yaml(&yaml).unwrap_or_else(|error| panic!("{error}"));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap_or_else(|error| panic!("{error}"));
        let load = async move {
            Config::from_custom_kubeconfig(kubeconfig, &kube::config::KubeConfigOptions::default())
                .await
        };
        // A runtime of its own, in a thread of its own: the caller may be in one already.
        let loaded = std::thread::scope(|scope| scope.spawn(move || runtime.block_on(load)).join());
        match loaded {
            Ok(Ok(config)) => config,
            Ok(Err(error)) => panic!("{error}"),
            Err(_) => panic!("the thread that reads the kubeconfig died"),
        }
    }

    /// A kubeconfig file that only its owner can read.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn kubeconfig(&self, user: User, namespace: &str) -> Result<NamedTempFile> {
        let mut file = tempfile::Builder::new().prefix("kubeconfig-").tempfile()?;
        file.write_all(self.kubeconfig_text(user, namespace).as_bytes())?;
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

    fn kubeconfig_text(&self, user: User, namespace: &str) -> String {
        let (url, user_name, token) = (self.url(), user.name(), user.token());
        let ca = serde_json::Value::from(self.folder.join("ca.crt").to_string_lossy());
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: test\nclusters:\n- name: test\n  cluster:\n    server: \
             {url}\n    certificate-authority: {ca}\nusers:\n- name: {user_name}\n  user:\n    token: \
             {token}\ncontexts:\n- name: test\n  context: {{cluster: test, user: {user_name}, namespace: {namespace}}}\n"
        )
    }

    fn write_credentials(&self) -> Result<()> {
        let mut tokens = String::new();
        for user in [User::Admin, User::Gateway, User::Viewer] {
            let groups = if user == User::Admin {
                ",\"system:masters\""
            } else {
                ""
            };
            tokens.push_str(&format!(
                "{},{},{}{groups}\n",
                user.token(),
                user.name(),
                user.name()
            ));
        }
        fs::write(self.folder.join("tokens.csv"), tokens)?;
        // For signing service account tokens, which no test asks for.
        let key = rcgen::KeyPair::generate()?;
        fs::write(self.folder.join("sa.key"), key.serialize_pem())?;
        fs::write(self.folder.join("sa.pub"), key.public_key_pem())?;
        Ok(())
    }

    fn start_etcd(&mut self) -> Result<()> {
        let client = format!("http://127.0.0.1:{}", self.etcd_port);
        let peer = format!("http://127.0.0.1:{}", self.peer_port);
        let arguments = [
            "--data-dir".to_owned(),
            self.path("etcd"),
            "--listen-client-urls".to_owned(),
            client.clone(),
            "--advertise-client-urls".to_owned(),
            client,
            "--listen-peer-urls".to_owned(),
            peer,
            "--unsafe-no-fsync".to_owned(),
        ];
        let log = self.folder.join("etcd.log");
        self.etcd = Some(Process::start(
            &self.assets.join("etcd"),
            &arguments,
            &log,
            None,
        )?);
        Ok(())
    }

    fn start_apiserver(&mut self) -> Result<()> {
        let flags = [
            (
                "etcd-servers",
                format!("http://127.0.0.1:{}", self.etcd_port),
            ),
            ("cert-dir", self.path("certs")),
            ("secure-port", self.port.to_string()),
            ("bind-address", "127.0.0.1".to_owned()),
            ("service-account-issuer", "https://localhost".to_owned()),
            ("service-account-key-file", self.path("sa.pub")),
            ("service-account-signing-key-file", self.path("sa.key")),
            ("service-cluster-ip-range", "10.0.0.0/24".to_owned()),
            ("authorization-mode", "RBAC".to_owned()),
            ("token-auth-file", self.path("tokens.csv")),
            ("disable-admission-plugins", "ServiceAccount".to_owned()),
        ];
        let arguments: Vec<String> = flags
            .iter()
            .map(|(flag, value)| format!("--{flag}={value}"))
            .collect();
        let log = self.folder.join("apiserver.log");
        self.apiserver = Some(Process::start(
            &self.assets.join("kube-apiserver"),
            &arguments,
            &log,
            None,
        )?);
        Ok(())
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a process that starts tells nobody when it is ready"
    )]
    fn wait_until_ready(&mut self) -> Result<()> {
        let start = Instant::now();
        loop {
            if self.read_ca().is_ok() && self.is_ready() {
                return Ok(());
            }
            let log = fs::read_to_string(self.folder.join("apiserver.log")).unwrap_or_default();
            let failed = log.contains("\"command failed\"");
            if failed || start.elapsed() > START_TIMEOUT {
                let tail: Vec<&str> = log.lines().rev().take(8).collect();
                bail!(
                    "the API server does not start; it said last:\n{}",
                    tail.join("\n")
                );
            }
            std::thread::sleep(POLL);
        }
    }

    /// The serving certificate that the API server makes for itself is followed by the authority that signed it.
    fn read_ca(&mut self) -> Result<()> {
        const END: &str = "-----END CERTIFICATE-----";
        let chain = fs::read_to_string(self.folder.join("certs/apiserver.crt"))?;
        let start = chain
            .rfind("-----BEGIN CERTIFICATE-----")
            .context("no certificate")?;
        let end = chain.rfind(END).context("half a certificate")? + END.len();
        if start == 0 || end < start {
            bail!("no authority in the chain yet");
        }
        self.ca_pem = chain[start..end].to_owned();
        fs::write(self.folder.join("ca.crt"), &self.ca_pem)?;
        Ok(())
    }

    fn is_ready(&self) -> bool {
        let config = self.config(User::Admin, "default");
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
        else {
            return false;
        };
        let ask = async move {
            let client = kube::Client::try_from(config).ok()?;
            let request = http::Request::get("/readyz").body(Vec::new()).ok()?;
            let answer = client.request_text(request);
            tokio::time::timeout(Duration::from_secs(5), answer)
                .await
                .ok()?
                .ok()
        };
        std::thread::scope(|scope| scope.spawn(move || runtime.block_on(ask)).join())
            .is_ok_and(|text| text.as_deref() == Some("ok"))
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }
}

fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let listeners: Vec<TcpListener> = (0..N)
        .map(|_| TcpListener::bind("127.0.0.1:0"))
        .collect::<std::io::Result<_>>()?;
    let mut ports = [0; N];
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
}

/// The log files, for a look at what went wrong.
impl ControlPlane {
    /// Where etcd's and the API server's output is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}
