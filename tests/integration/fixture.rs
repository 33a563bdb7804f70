//! A served API server, and gwlock as a process on it. No expectations are here.

#[cfg(feature = "serve")]
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use gwlock_apiserver::access::UserInfo;
use gwlock_apiserver::faults::Fault;
use gwlock_apiserver::serve::{Credentials, ServeOptions, Serving, serve};
use gwlock_apiserver::{ApiServer, Clock, Exchange};
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use jiff::{SignedDuration, Timestamp};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpSocket;
use tokio::runtime::Runtime;
use tower::ServiceExt;

pub(crate) const NAMESPACE: &str = "kubernaut-system";

/// Longer than anything here takes on a slow machine; a test that reaches it has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A terminal: what somebody sits at, and how a process opens the other end. No child of another test keeps it open.
pub(crate) fn pty() -> (File, impl Fn() -> File) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let controller = openpt(flags).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap();
    let terminal = move || {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        options.open(name.to_str().unwrap()).unwrap()
    };
    (File::from(controller), terminal)
}

/// How a process ended and what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// gwlock in an environment of its own.
#[derive(Debug)]
pub(crate) struct Gwlock {
    command: Command,
    stdin: Option<String>,
    stdout: Stdio,
}

/// A served API server. It ends with the value.
pub(crate) struct Server {
    folder: TempDir,
    runtime: Runtime,
    api: ApiServer,
    serving: Option<Serving>,
    closed: Option<TcpSocket>,
    credentials: Credentials,
    clock: Arc<WallClock>,
    seen: Arc<(Mutex<Vec<Exchange>>, Condvar)>,
}

/// The server's clock, which can be set back while objects are made that have to be old, and be off for good.
#[derive(Debug, Default)]
struct WallClock {
    seconds_back: AtomicI64,
    seconds_ahead: AtomicI64,
}

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        let ahead = self.seconds_ahead.load(Ordering::Relaxed);
        let back = self.seconds_back.load(Ordering::Relaxed);
        Timestamp::now() + SignedDuration::from_secs(ahead - back)
    }
}

impl Run {
    /// What was printed as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A failure that was told as JSON.
    pub(crate) fn json_error(&self) -> Value {
        serde_json::from_str(&self.stderr).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

impl Gwlock {
    /// gwlock without a cluster, and without anything of this machine's.
    pub(crate) fn new(arguments: &[&str]) -> Self {
        Self::program(Path::new(env!("CARGO_BIN_EXE_gwlock")), arguments)
    }

    /// The same under another path.
    pub(crate) fn program(program: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .env("HOME", "/nonexistent")
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("USER", "ops");
        Self {
            command,
            stdin: None,
            stdout: Stdio::piped(),
        }
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Where it runs.
    pub(crate) fn folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    pub(crate) fn stdin(mut self, text: &str) -> Self {
        self.stdin = Some(text.to_owned());
        self
    }

    pub(crate) fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.stdout = stdout.into();
        self
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Run {
        self.start().wait_with_output().unwrap().into()
    }

    /// Starts it.
    pub(crate) fn start(mut self) -> Child {
        let mut child = self
            .command
            .stdin(Stdio::piped())
            .stdout(self.stdout)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin
            .write_all(self.stdin.unwrap_or_default().as_bytes())
            .unwrap();
        child
    }
}

impl Server {
    /// A server with the users `admin`, who may do everything, and `viewer`, who may do nothing.
    pub(crate) fn start() -> Self {
        let clock = Arc::new(WallClock::default());
        let seen: Arc<(Mutex<Vec<Exchange>>, Condvar)> = Arc::default();
        let credentials = Credentials::generate([
            ("admin", UserInfo::new("admin", &["system:masters"])),
            ("viewer", UserInfo::new("viewer", &[])),
        ]);
        let observed = seen.clone();
        let api = ApiServer::builder()
            .clock(clock.clone())
            .authentication(credentials.authentication())
            .observer(move |exchange| {
                observed.0.lock().unwrap().push(exchange.clone());
                observed.1.notify_all();
            })
            .build();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let options = ServeOptions {
            cluster: "test".to_owned(),
            namespace: NAMESPACE.to_owned(),
            ..ServeOptions::default()
        };
        let serving = runtime
            .block_on(serve(api.clone(), &credentials, &options))
            .unwrap();
        let server = Self {
            folder: TempDir::new().unwrap(),
            runtime,
            api,
            serving: Some(serving),
            closed: None,
            credentials,
            clock,
            seen,
        };
        server.post(
            "/api/v1/namespaces",
            &json!({"metadata": {"name": NAMESPACE}}),
        );
        server
    }

    /// The same whose clock is so many seconds ahead of this machine's, so that this machine's is as much behind.
    pub(crate) fn start_ahead(seconds: i64) -> Self {
        let server = Self::start();
        server.clock.seconds_ahead.store(seconds, Ordering::Relaxed);
        server
    }

    /// The server's time so many seconds ago, as a lease has it.
    pub(crate) fn micro_time(&self, seconds_ago: i64) -> String {
        let time = self.clock.now() - SignedDuration::from_secs(seconds_ago);
        time.strftime("%Y-%m-%dT%H:%M:%S.000000Z").to_string()
    }

    /// Makes a pod of the lock namespace so many seconds ago, and says what its status is.
    pub(crate) fn pod(&self, name: &str, seconds_ago: i64, node: &str, status: &Value) -> Value {
        let pods = format!("/api/v1/namespaces/{NAMESPACE}/pods");
        let pod = json!({
            "metadata": {"name": name},
            "spec": {"nodeName": node, "containers": [{"name": "gateway", "image": "gateway"}]},
        });
        let mut pod = self.create(&pods, seconds_ago, &pod);
        pod["status"] = status.clone();
        self.send(Method::PUT, &format!("{pods}/{name}/status"), Some(&pod))
    }

    /// Makes a node whose `Ready` condition is this.
    pub(crate) fn node(&self, name: &str, ready: &str) {
        let nodes = "/api/v1/nodes";
        let mut node = self.post(nodes, &json!({"metadata": {"name": name}}));
        node["status"] = json!({"conditions": [{"type": "Ready", "status": ready}]});
        self.send(Method::PUT, &format!("{nodes}/{name}/status"), Some(&node));
    }

    /// Lets a user do this in the lock namespace: API group, resource and verbs.
    pub(crate) fn allow(&self, user: &str, rules: &[(&str, &str, &[&str])]) {
        let rbac = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}");
        let rule = |(group, resource, verbs): &(&str, &str, &[&str])| json!({"apiGroups": [group], "resources": [resource], "verbs": verbs});
        let rules: Vec<Value> = rules.iter().map(rule).collect();
        let role = json!({"metadata": {"name": user}, "rules": rules});
        self.post(&format!("{rbac}/roles"), &role);
        let binding = json!({
            "metadata": {"name": user},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": user},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
        });
        self.post(&format!("{rbac}/rolebindings"), &binding);
    }

    /// A folder that ends with the server.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A path in that folder.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// A kubeconfig file for a user: `admin`, `viewer`, or somebody whom the server does not know.
    pub(crate) fn kubeconfig(&self, user: &str) -> PathBuf {
        let path = self.folder.path().join(format!("{user}.kubeconfig"));
        let serving = self.serving.as_ref().unwrap();
        let mut kubeconfig: Value = serde_json::from_str(serving.kubeconfig()).unwrap();
        kubeconfig["users"][0]["user"]["token"] =
            json!(self.credentials.token(user).unwrap_or("nobody's"));
        fs::write(&path, kubeconfig.to_string()).unwrap();
        path
    }

    /// gwlock as the admin.
    pub(crate) fn gwlock(&self, arguments: &[&str]) -> Gwlock {
        self.gwlock_as("admin", arguments)
    }

    /// gwlock as a user.
    pub(crate) fn gwlock_as(&self, user: &str, arguments: &[&str]) -> Gwlock {
        Gwlock::new(arguments).env("KUBECONFIG", self.kubeconfig(user))
    }

    /// Makes a lease, written so many seconds ago.
    pub(crate) fn lease(&self, name: &str, seconds_ago: i64, spec: &Value) -> Value {
        let path = format!("/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases");
        let lease = json!({"metadata": {"name": name}, "spec": spec});
        self.create(&path, seconds_ago, &lease)
    }

    /// The same for any object in a collection.
    pub(crate) fn create(&self, collection: &str, seconds_ago: i64, object: &Value) -> Value {
        self.clock
            .seconds_back
            .store(seconds_ago, Ordering::Relaxed);
        let created = self.post(collection, object);
        self.clock.seconds_back.store(0, Ordering::Relaxed);
        created
    }

    /// Sets the server's clock back for good.
    pub(crate) fn set_back(&self, seconds: i64) {
        self.clock.seconds_back.store(seconds, Ordering::Relaxed);
    }

    /// Deletes a lease.
    pub(crate) fn delete(&self, name: &str) {
        let path = format!("/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{name}");
        self.send(Method::DELETE, &path, None);
    }

    /// The spec of a lease that a gateway wrote so many seconds ago, by a clock that is right.
    pub(crate) fn held_by(holder: &str, seconds_ago: i64) -> Value {
        let written = Timestamp::now() - SignedDuration::from_secs(seconds_ago);
        let written = written.strftime("%Y-%m-%dT%H:%M:%S.000000Z").to_string();
        json!({
            "holderIdentity": holder, "leaseDurationSeconds": 30, "acquireTime": written, "renewTime": written,
        })
    }

    /// The names of all leases.
    pub(crate) fn leases(&self) -> Vec<String> {
        self.names("/apis/coordination.k8s.io/v1/leases")
    }

    /// Adds the RemediationRequest to what the server serves.
    pub(crate) fn serve_remediation_requests(&self) {
        let definition = serde_yaml::from_str(gwlock_testkit::REMEDIATION_REQUESTS).unwrap();
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        self.post(path, &definition);
    }

    /// The names of all objects of a kind, by the path of its collection.
    pub(crate) fn names(&self, collection: &str) -> Vec<String> {
        let list = self.send(Method::GET, collection, None);
        let items = list["items"].as_array().unwrap();
        let name = |item: &Value| item["metadata"]["name"].as_str().unwrap().to_owned();
        items.iter().map(name).collect()
    }

    pub(crate) fn inject(&self, fault: Fault) {
        self.api.faults().inject(fault);
    }

    /// Every request so far.
    #[cfg(feature = "serve")]
    pub(crate) fn seen(&self) -> Vec<Exchange> {
        self.seen.0.lock().unwrap().clone()
    }

    /// Waits until the server has answered a request like this.
    pub(crate) fn wait_for(&self, wanted: impl Fn(&Exchange) -> bool) {
        let (seen, changed) = &*self.seen;
        let is_missing = |seen: &mut Vec<Exchange>| !seen.iter().any(&wanted);
        let waited = changed.wait_timeout_while(seen.lock().unwrap(), PATIENCE, is_missing);
        let (seen, timeout) = waited.unwrap();
        assert!(!timeout.timed_out(), "no such request: {seen:?}");
    }

    /// How often a verb was used on leases.
    pub(crate) fn count(&self, verb: &str) -> usize {
        self.count_of(verb, "leases")
    }

    /// How often a verb was used on a resource.
    pub(crate) fn count_of(&self, verb: &str, resource: &str) -> usize {
        let seen = self.seen.0.lock().unwrap();
        let is_counted =
            |exchange: &&Exchange| exchange.verb == verb && exchange.resource == resource;
        seen.iter().filter(is_counted).count()
    }

    /// Takes all faults back, and lets go on what waits at a pause.
    pub(crate) fn resume(&self) {
        self.api.faults().clear();
        self.api.faults().resume();
    }

    /// How often a fault has hit.
    pub(crate) fn faults_hit(&self) -> u32 {
        self.api.faults().hits()
    }

    /// The names of the objects whose requests faults have hit, each once.
    #[cfg(feature = "serve")]
    pub(crate) fn names_hit(&self) -> HashSet<String> {
        let hits = self.api.faults().record().into_iter();
        hits.map(|hit| hit.subject.name).collect()
    }

    /// Closes the port, and keeps it from being anybody else's: a socket that is bound and does not listen refuses.
    pub(crate) fn stop_serving(&mut self) {
        let Some(serving) = self.serving.take() else {
            return;
        };
        let url = serving.url();
        let address: SocketAddr = url.trim_start_matches("https://").parse().unwrap();
        self.runtime.block_on(serving.shut_down());
        // A process that another test is starting has a copy of the port between fork and exec.
        let began = Instant::now();
        self.closed = loop {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_reuseaddr(true).unwrap();
            match socket.bind(address) {
                Ok(()) => break Some(socket),
                Err(error) => assert!(began.elapsed() < PATIENCE, "{error}"),
            }
            std::thread::yield_now();
        };
    }

    /// Makes an object.
    pub(crate) fn post(&self, path: &str, object: &Value) -> Value {
        self.send(Method::POST, path, Some(object))
    }

    /// Reads an object or a list.
    pub(crate) fn get(&self, path: &str) -> Value {
        self.send(Method::GET, path, None)
    }

    /// The server in process, for whoever needs no network to it.
    #[cfg(feature = "serve")]
    pub(crate) fn api(&self) -> &ApiServer {
        &self.api
    }

    /// Where the server runs, and what else a test serves.
    #[cfg(feature = "serve")]
    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// The bearer token of a user.
    pub(crate) fn token(&self, user: &str) -> &str {
        self.credentials.token(user).unwrap()
    }

    /// Changes an object by a JSON patch.
    pub(crate) fn patch_json(&self, path: &str, patch: &str) -> Value {
        let kind = "application/json-patch+json";
        self.send_as(Method::PATCH, path, kind, patch.to_owned())
    }

    pub(crate) fn send(&self, method: Method, path: &str, object: Option<&Value>) -> Value {
        let body = object.map(ToString::to_string).unwrap_or_default();
        self.send_as(method, path, "application/json", body)
    }

    fn send_as(&self, method: Method, path: &str, kind: &str, body: String) -> Value {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(
                "authorization",
                format!("Bearer {}", self.credentials.token("admin").unwrap()),
            )
            .header("content-type", kind)
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        let answer = self.runtime.block_on(async {
            let response = self.api.clone().oneshot(request).await.unwrap();
            assert!(
                response.status().is_success(),
                "{path}: {}",
                response.status()
            );
            response.into_body().collect().await.unwrap().to_bytes()
        });
        serde_json::from_slice(&answer).unwrap()
    }
}
