//! The namespaces in which an operation is run, who runs it, and what is there.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use gwlock::rbac::profiles::gwlock::{Permission, Place};
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Failed, PATIENCE};

/// An API server, asked by somebody who may do everything.
pub(crate) trait Cluster: Sync {
    /// A request that has to succeed.
    fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Value;
    /// The kubeconfig of a ServiceAccount.
    fn account(&self, namespace: &str, name: &str) -> PathBuf;
    /// The kubeconfig of the administrator.
    fn admin(&self) -> PathBuf;
    /// The token of somebody who may send signals.
    fn sender(&self) -> String;
    /// Makes a lease that has expired.
    fn expired_lease(&self, namespace: &str, name: &str);
    /// Loses the answer to the next RemediationRequest that is made in this namespace; `false` where that cannot be done.
    fn lose_an_answer(&self, namespace: &str) -> bool;
}

/// Namespaces for one operation.
pub(crate) struct Ground<'a> {
    pub(crate) cluster: &'a dyn Cluster,
    pub(crate) locks: String,
    pub(crate) requests: String,
    /// Where the workloads are.
    pub(crate) shop: String,
    /// The ServiceAccount, in the namespace of the locks.
    pub(crate) account: String,
    kubeconfig: PathBuf,
    pub(super) folder: TempDir,
    log: Mutex<String>,
    leases: AtomicU32,
}

impl<'a> Ground<'a> {
    /// New namespaces, whose names begin so.
    pub(crate) fn new(cluster: &'a dyn Cluster, label: &str) -> Self {
        let name = |what: &str| format!("{label}-{what}");
        Self::named(cluster, &name("locks"), &name("requests"), label)
    }

    /// The same with these names for the namespaces of the leases and of the RemediationRequests, which can be one.
    pub(crate) fn named(
        cluster: &'a dyn Cluster,
        locks: &str,
        requests: &str,
        label: &str,
    ) -> Self {
        let shop = format!("{label}-shop");
        let mut names = vec![locks, requests, shop.as_str()];
        names.dedup();
        for name in names {
            let labels = json!({"kubernaut.ai/managed": "true"});
            let namespace = json!({"metadata": {"name": name, "labels": labels}});
            cluster.call(Method::POST, "/api/v1/namespaces", Some(&namespace));
        }
        let account = format!("{label}-account");
        let path = format!("/api/v1/namespaces/{locks}/serviceaccounts");
        let object = json!({"metadata": {"name": account}});
        cluster.call(Method::POST, &path, Some(&object));
        Self {
            kubeconfig: cluster.account(locks, &account),
            cluster,
            locks: locks.to_owned(),
            requests: requests.to_owned(),
            shop,
            account,
            folder: TempDir::new().unwrap(),
            log: Mutex::default(),
            leases: AtomicU32::new(0),
        }
    }

    /// Waits until the API server knows what the account was granted: it reads roles from a cache.
    pub(crate) fn wait_for(&self, permissions: &[Permission]) {
        for permission in permissions {
            let namespace = match permission.place {
                Place::Leases => self.locks.as_str(),
                Place::Requests => self.requests.as_str(),
                Place::Cluster => "",
            };
            let (resource, subresource) = permission
                .resource
                .split_once('/')
                .unwrap_or((permission.resource, ""));
            let review = json!({"spec": {
                "user": format!("system:serviceaccount:{}:{}", self.locks, self.account),
                "resourceAttributes": {
                    "group": permission.group, "resource": resource, "subresource": subresource,
                    "verb": permission.verb, "namespace": namespace,
                },
            }});
            let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
            let began = Instant::now();
            while self.make(path, &review)["status"]["allowed"] != true {
                assert!(began.elapsed() < PATIENCE, "never granted: {permission:?}");
                std::thread::yield_now();
            }
        }
    }

    /// Makes an object as the administrator.
    pub(crate) fn make(&self, collection: &str, object: &Value) -> Value {
        self.cluster.call(Method::POST, collection, Some(object))
    }

    pub(super) fn leases_path(&self) -> String {
        format!(
            "/apis/coordination.k8s.io/v1/namespaces/{}/leases",
            self.locks
        )
    }

    /// A name that no lease has yet.
    pub(super) fn new_lease(&self) -> String {
        let number = self.leases.fetch_add(1, Ordering::Relaxed);
        format!("gw-lock-{number:016x}")
    }

    /// A lease that somebody else holds for so many seconds.
    pub(super) fn hold(&self, name: &str, seconds: u32) {
        self.hold_by(name, "other", seconds);
    }

    /// The same with who it is.
    pub(super) fn hold_by(&self, name: &str, holder: &str, seconds: u32) {
        let now = jiff::Timestamp::now()
            .strftime("%Y-%m-%dT%H:%M:%S.%6fZ")
            .to_string();
        let lease = json!({"metadata": {"name": name}, "spec": {
            "holderIdentity": holder, "leaseDurationSeconds": seconds, "acquireTime": now, "renewTime": now,
        }});
        self.make(&self.leases_path(), &lease);
    }

    /// A pod beside the leases, on a node.
    pub(super) fn pod(&self, name: &str) {
        let node = format!("{}-{name}", self.account);
        self.make("/api/v1/nodes", &json!({"metadata": {"name": node}}));
        let container = json!({"name": "gateway", "image": "gateway"});
        let pod = json!({
            "metadata": {"name": name},
            "spec": {"nodeName": node, "automountServiceAccountToken": false, "containers": [container]},
        });
        self.make(&format!("/api/v1/namespaces/{}/pods", self.locks), &pod);
    }

    /// What every process has said so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub(super) fn note(&self, text: &str) {
        self.log.lock().unwrap().push_str(text);
    }

    /// Runs gwlock as the account, in the namespace of the locks.
    pub(crate) fn gwlock(&self, arguments: &[&str], code: i32) -> Result<String, Failed> {
        self.with_stdin(arguments, "", code)
    }

    /// The same with something on stdin. What it prints on stdout if it ends as it should.
    pub(super) fn with_stdin(
        &self,
        arguments: &[&str],
        stdin: &str,
        code: i32,
    ) -> Result<String, Failed> {
        let mut child = self.start(self.command(arguments).stdin(Stdio::piped()));
        let mut pipe = child.stdin.take().unwrap();
        // Whoever fails first does not read.
        let _ = std::io::Write::write_all(&mut pipe, stdin.as_bytes());
        drop(pipe);
        self.ended(child.wait_with_output().unwrap(), code)
    }

    pub(super) fn ended(&self, output: Output, code: i32) -> Result<String, Failed> {
        let text = String::from_utf8(output.stderr).unwrap();
        self.note(&text);
        let ended = output.status.code().unwrap_or(-1);
        if ended == code {
            return Ok(String::from_utf8(output.stdout).unwrap());
        }
        Err(Failed { code: ended, text })
    }

    pub(super) fn start(&self, command: &mut Command) -> Child {
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// gwlock as the account.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        self.of(&self.kubeconfig, arguments)
    }

    /// gwlock as the administrator, which has to end well.
    pub(crate) fn as_admin(&self, arguments: &[&str]) -> String {
        let output = self.of(&self.cluster.admin(), arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn of(&self, kubeconfig: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gwlock"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", "/nonexistent")
            .env("USER", "ops")
            .env("KUBECONFIG", kubeconfig)
            .env("POD_NAMESPACE", &self.locks)
            .env("KUBERNAUT_CONTROLLER_NAMESPACE", &self.requests);
        command
    }

    pub(super) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }
}
