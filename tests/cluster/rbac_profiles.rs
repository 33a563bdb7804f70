//! On a real API server with RBAC: what is generated for a profile is enough for all its operations, and every rule of it
//! is needed. The operations are those that the embedded server is asked as well.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use gwlock::rbac::profiles::gwlock::{self as profiles, Operation, Permission};
use gwlock_engine::client::transport;
use gwlock_testkit::{ControlPlane, User, private_control_plane};
use http::{Method, Request};
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::definition::serve_remediation_requests;
use crate::rbac_steps::{
    Cluster, Ground, PATIENCE, all_at_once, is_in_one_namespace, is_like_another, run, run_without,
};

/// The profiles of gwlock.
const PROFILES: [&str; 6] = [
    "gwlock-serve",
    "gwlock-operator",
    "gwlock-readonly",
    "gwlock-run",
    "gwlock-gc",
    "gwlock-simulate",
];

/// Nobody else may bind a role to a group that every account is in: a rule that is taken away would not be missed.
static OWN: OnceLock<Option<ControlPlane>> = OnceLock::new();

/// A real control plane.
struct Real {
    control_plane: &'static ControlPlane,
    runtime: Runtime,
    client: kube::Client,
    folder: TempDir,
}

impl Real {
    fn start() -> Option<Self> {
        let control_plane = OWN.get_or_init(private_control_plane).as_ref()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let config = control_plane.config(User::Admin, "default");
        let client = runtime.block_on(async { transport::connect(config).unwrap() });
        let real = Self {
            control_plane,
            runtime,
            client,
            folder: TempDir::new().unwrap(),
        };
        real.runtime
            .block_on(serve_remediation_requests(&real.client));
        Some(real)
    }

    fn try_call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, kube::Error> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .body(body.map(Value::to_string).unwrap_or_default().into_bytes())
            .unwrap();
        self.runtime.block_on(self.client.request(request))
    }

    /// A prefix for names that no other test has.
    fn label(&self, what: &str) -> String {
        let namespace = self.runtime.block_on(self.control_plane.namespace());
        format!("{namespace}-{what}")
    }

    /// Applies manifests as the administrator.
    fn apply(&self, manifests: &str, flags: &[&str]) {
        let path = self
            .folder
            .path()
            .join(format!("{:?}", thread::current().id()));
        fs::write(&path, manifests).unwrap();
        let output = Command::new(self.control_plane.kubectl())
            .args(["apply", "--server-side", "-f"])
            .arg(&path)
            .args(flags)
            .env("KUBECONFIG", self.admin())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}\n{manifests}");
    }
}

impl Cluster for Real {
    fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let answer = self.try_call(method, path, body);
        answer.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// With a token of its own, as a pod has.
    fn account(&self, namespace: &str, name: &str) -> PathBuf {
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token");
        let request =
            json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
        let token = self.call(Method::POST, &path, Some(&request))["status"]["token"].clone();
        let kubeconfig = fs::read_to_string(self.admin()).unwrap();
        let mut kubeconfig: Value = serde_yaml::from_str(&kubeconfig).unwrap();
        kubeconfig["users"][0]["user"]["token"] = token;
        let path = self.folder.path().join(format!("{namespace}-{name}"));
        fs::write(&path, kubeconfig.to_string()).unwrap();
        path
    }

    fn admin(&self) -> PathBuf {
        let path = self.folder.path().join("admin");
        if !path.exists() {
            let kubeconfig = self.control_plane.kubeconfig(User::Admin, "default");
            let text = fs::read(kubeconfig.unwrap().path()).unwrap();
            // Never half a file for whoever reads it meanwhile.
            let own = self
                .folder
                .path()
                .join(format!("admin-{:?}", thread::current().id()));
            fs::write(&own, text).unwrap();
            fs::rename(&own, &path).unwrap();
        }
        path
    }

    fn sender(&self) -> String {
        User::Admin.token()
    }

    /// The server's stamp cannot be set back, so that it is waited for.
    fn expired_lease(&self, namespace: &str, name: &str) {
        let collection = format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases");
        let now = Timestamp::now()
            .strftime("%Y-%m-%dT%H:%M:%S.%6fZ")
            .to_string();
        let lease = json!({"metadata": {"name": name}, "spec": {
            "holderIdentity": "gone", "leaseDurationSeconds": 1, "acquireTime": now, "renewTime": now,
        }});
        self.call(Method::POST, &collection, Some(&lease));
        let began = Instant::now();
        loop {
            assert!(began.elapsed() < PATIENCE, "{name} does not expire");
            let output = Command::new(env!("CARGO_BIN_EXE_gwlock"))
                .args([
                    "inspect",
                    name,
                    "-n",
                    namespace,
                    "-o",
                    "jsonpath={.items[0].state}",
                ])
                .env("KUBECONFIG", self.admin())
                .output()
                .unwrap();
            if output.stdout.starts_with(b"expired") {
                return;
            }
            thread::sleep(Duration::from_millis(200));
        }
    }

    fn lose_an_answer(&self, _namespace: &str) -> bool {
        false
    }
}

/// What gwlock generates for a profile in these namespaces.
fn generated(profile: &str, ground: &Ground<'_>, format: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_gwlock"))
        .args(["rbac", "generate", "--profile", profile, "-o", format])
        .args([
            "--namespace",
            &ground.locks,
            "--serviceaccount",
            &ground.account,
        ])
        .args(["--controller-namespace", &ground.requests])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn permissions_of(profile: &str) -> Vec<Permission> {
    let operations = profiles::operations_of(profile).unwrap().iter();
    let mut permissions: Vec<Permission> = Vec::new();
    for permission in operations.flat_map(Operation::permissions) {
        if !permissions.contains(permission) {
            permissions.push(*permission);
        }
    }
    permissions
}

/// Namespaces for the operations of a profile.
fn ground_of<'a>(real: &'a Real, profile: &str, what: &str) -> Ground<'a> {
    let label = real.label(what);
    let operations = profiles::operations_of(profile).unwrap();
    if operations.iter().all(is_in_one_namespace) {
        let both = format!("{label}-both");
        return Ground::named(real, &both, &both, &label);
    }
    Ground::new(real, &label)
}

/// The whole of a profile, with what was generated for it and nothing else.
#[test]
fn what_is_generated_for_a_profile_is_enough_for_all_its_operations() {
    let Some(real) = Real::start() else {
        return;
    };
    all_at_once(&PROFILES, |_, profile| {
        let ground = ground_of(&real, profile, "all");
        let manifests = generated(profile, &ground, "yaml");
        real.apply(&manifests, &["--dry-run=server"]);
        real.apply(&manifests, &[]);
        ground.wait_for(&permissions_of(profile));
        check_live(profile, &ground);
        for operation in profiles::operations_of(profile).unwrap() {
            let ended = run(operation, &ground);
            assert_eq!(
                ended,
                Ok(()),
                "{profile} {}: {}",
                operation.name,
                ground.log()
            );
        }
        let log = ground.log();
        assert!(
            !log.contains("the rule that is missing"),
            "{profile}: {log}"
        );
        assert!(!log.contains("the role lacks"), "{profile}: {log}");
    });
}

/// The API server says that it is enough, to the account itself and to whoever asks for it, and nothing is too much.
fn check_live(profile: &str, ground: &Ground<'_>) {
    let check = ["rbac", "check", "--live", "--profile", profile];
    let own = ground.gwlock(&check, 0);
    let rows = own.unwrap_or_else(|failed| panic!("{profile}: {failed:?}"));
    assert!(
        rows.lines().skip(1).all(|row| row.starts_with("yes ")),
        "{rows}"
    );
    let account = format!("{}:{}", ground.locks, ground.account);
    let other = ["--serviceaccount", &account, "-o", "json"];
    let report = ground.as_admin(&[check.as_slice(), &other].concat());
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(
        (
            &report["verdict"],
            &report["findings"],
            &report["notLookedAt"]
        ),
        (&json!("sufficient"), &json!([]), &json!([])),
        "{profile}"
    );
}

#[test]
fn what_is_generated_for_kubernauts_own_programs_is_what_they_ask() {
    let Some(real) = Real::start() else {
        return;
    };
    for profile in ["gateway", "remediation-orchestrator"] {
        let ground = Ground::new(&real, &real.label("own"));
        let manifests = generated(profile, &ground, "yaml");
        real.apply(&manifests, &["--dry-run=server"]);
        real.apply(&manifests, &[]);
        let check = ["rbac", "check", "--live", "--profile", profile];
        // The API server reads roles from a cache.
        let began = Instant::now();
        while let Err(failed) = ground.gwlock(&check, 0) {
            assert!(began.elapsed() < PATIENCE, "{profile}: {failed:?}");
            thread::sleep(Duration::from_millis(50));
        }
        check_live(profile, &ground);
    }
}

/// A permission of an operation of a profile.
type Case = (&'static str, &'static Operation, &'static Permission);

/// Every permission of every operation of every profile.
fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for profile in PROFILES {
        for operation in profiles::operations_of(profile).unwrap() {
            // What became of a lost answer is asked only where one can be lost.
            let is_lost =
                |own: &&Permission| own.resource == "remediationrequests" && own.verb == "get";
            let permissions = operation.permissions().filter(|own| !is_lost(own));
            let permissions = permissions.filter(|own| !is_like_another(operation, own));
            cases.extend(permissions.map(|own| (profile, operation, own)));
        }
    }
    cases
}

/// Takes a permission out of what is generated for a profile.
fn check_without(real: &Real, (profile, operation, missing): &Case) {
    let ground = ground_of(real, profile, "case");
    let mut manifests: Value = serde_json::from_str(&generated(profile, &ground, "json")).unwrap();
    let mut taken = 0;
    for object in manifests["items"].as_array_mut().unwrap() {
        taken += take_out(object, missing);
    }
    assert_eq!(taken, 1, "{profile}: {missing:?}");
    for object in manifests["items"].as_array().unwrap() {
        make(real, object);
    }
    let mut rest = permissions_of(profile);
    // What is asked in one namespace is gone with what is asked in all.
    let kind = |own: &Permission| (own.group, own.resource, own.verb);
    rest.retain(|own| kind(own) != kind(missing));
    ground.wait_for(&rest);
    run_without(operation, missing, &ground);
}

/// Makes an object of what was generated. The account is there already.
fn make(real: &Real, object: &Value) {
    let (kind, metadata) = (object["kind"].as_str().unwrap(), &object["metadata"]);
    if kind == "ServiceAccount" {
        return;
    }
    let place = match metadata["namespace"].as_str() {
        Some(namespace) => format!("namespaces/{namespace}/"),
        None => String::new(),
    };
    let plural = format!("{}s", kind.to_lowercase());
    let path = format!("/apis/rbac.authorization.k8s.io/v1/{place}{plural}");
    real.call(Method::POST, &path, Some(object));
}

/// Takes a verb on a resource out of a role; how often it was there.
fn take_out(object: &mut Value, missing: &Permission) -> usize {
    let Some(Value::Array(rules)) = object.get_mut("rules") else {
        return 0;
    };
    let mut taken = 0;
    let mut others = Vec::new();
    for rule in rules.iter_mut() {
        let is_of_group = rule["apiGroups"] == json!([missing.group]);
        let resources = rule["resources"].as_array_mut().unwrap();
        if !is_of_group || !resources.contains(&json!(missing.resource)) {
            continue;
        }
        resources.retain(|resource| *resource != missing.resource);
        let mut own = rule.clone();
        own["resources"] = json!([missing.resource]);
        let verbs = own["verbs"].as_array_mut().unwrap();
        let before = verbs.len();
        verbs.retain(|verb| *verb != missing.verb);
        taken += before - verbs.len();
        others.push(own);
    }
    rules.extend(others);
    let is_empty = |rule: &Value, field: &str| rule[field].as_array().unwrap().is_empty();
    rules.retain(|rule| !is_empty(rule, "resources") && !is_empty(rule, "verbs"));
    taken
}

#[test]
fn every_rule_that_is_taken_out_of_a_profile_is_missed_by_an_operation_and_named() {
    let Some(real) = Real::start() else {
        return;
    };
    all_at_once(&cases(), |_, case| check_without(&real, case));
}

/// What kubectl makes of a kustomization.
fn kustomize(real: &Real, folder: &Path) -> String {
    let output = Command::new(real.control_plane.kubectl())
        .arg("kustomize")
        .arg(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The kinds of manifests, with their names.
fn kinds(manifests: &str) -> Vec<String> {
    let documents = manifests.split("\n---\n").map(|document| {
        let object: Value = serde_yaml::from_str(document).unwrap();
        let name = object["metadata"]["name"].as_str().unwrap();
        format!("{}/{name}", object["kind"].as_str().unwrap())
    });
    let mut kinds: Vec<String> = documents.collect();
    kinds.sort();
    kinds
}

#[test]
fn the_kustomization_is_taken_by_kubectl_and_by_the_api_server() {
    let Some(real) = Real::start() else {
        return;
    };
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    let manifests = kustomize(&real, &deploy);
    let expected = [
        "ClusterRole/kubernaut-system-gwlock-operator",
        "ClusterRole/kubernaut-system-gwlock-serve",
        "ClusterRoleBinding/kubernaut-system-gwlock-operator",
        "ClusterRoleBinding/kubernaut-system-gwlock-serve",
        "CronJob/gwlock-gc",
        "Deployment/gwlock-serve",
        "NetworkPolicy/gwlock-serve",
        "PodDisruptionBudget/gwlock-serve",
        "Role/gwlock-gc",
        "Role/gwlock-operator",
        "Role/gwlock-serve",
        "RoleBinding/gwlock-gc",
        "RoleBinding/gwlock-operator",
        "RoleBinding/gwlock-serve",
        "Service/gwlock-serve",
        "ServiceAccount/gwlock-gc",
        "ServiceAccount/gwlock-operator",
        "ServiceAccount/gwlock-serve",
    ];
    assert_eq!(kinds(&manifests), expected);
    let namespace = json!({"metadata": {"name": "kubernaut-system"}});
    // Another test may have made it.
    let _ = real.try_call(Method::POST, "/api/v1/namespaces", Some(&namespace));
    real.apply(&manifests, &["--dry-run=server"]);
    real.apply(&manifests, &[]);
    // The component adds what only some clusters have.
    let root = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = tempfile::Builder::new().tempdir_in(root).unwrap();
    let up: String = folder.path().components().skip(1).map(|_| "../").collect();
    let base = format!("{up}{}", deploy.strip_prefix("/").unwrap().display());
    let own = format!("resources:\n- {base}\ncomponents:\n- {base}/monitoring\n");
    fs::write(folder.path().join("kustomization.yaml"), own).unwrap();
    let monitored = kinds(&kustomize(&real, folder.path()));
    let added: Vec<&String> = monitored
        .iter()
        .filter(|kind| !expected.contains(&kind.as_str()))
        .collect();
    assert_eq!(added, ["ServiceMonitor/gwlock-serve"]);
    assert_eq!(monitored.len(), expected.len() + 1);
}
