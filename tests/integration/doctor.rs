//! `doctor` on an embedded server: every check as it should be and as it should not, and what leaves in a bundle.

mod bundle;
mod checks;
mod connection;
mod rights;

use gwlock_engine::protocol::key::{Fingerprint, Target};
use gwlock_engine::remediation::request::whole_seconds;
use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::fixture::{NAMESPACE, Run, Server};

const TARGET: &str = "prod:Deployment:payment-api";
const LEASE: &str = "gw-lock-91fce8d5c4949766";
const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
const GROUP: &str = "rbac.authorization.k8s.io";

/// A server on which everything is as it should be: two gateways, a lease that one of them holds, and its request.
fn healthy() -> Server {
    let server = Server::start();
    server.serve_remediation_requests();
    gateway_rights(&server);
    for name in ["gateway-a", "gateway-b"] {
        gateway(&server, NAMESPACE, name, &downward());
    }
    // It lasts longer than a slow machine takes to a test.
    let mut held = Server::held_by("gateway-a", 0);
    held["leaseDurationSeconds"] = json!(3600);
    server.lease(LEASE, 0, &held);
    request(&server, "rr-91fce8d5c494-0a1b2c3d", TARGET, 10, true);
    server
}

/// What a gateway's account needs, as its manifests grant it.
fn gateway_rights(server: &Server) {
    let rule = |group: &str, resources: &[&str], verbs: &[&str]| json!({"apiGroups": [group], "resources": resources, "verbs": verbs});
    let all = ["get", "list", "watch"];
    let account = json!([{"kind": "ServiceAccount", "name": "gateway", "namespace": NAMESPACE}]);
    let role = json!({"metadata": {"name": "gateway"}, "rules": [
        rule("coordination.k8s.io", &["leases"], &["get", "create", "update", "delete"]),
        rule("kubernaut.ai", &["remediationrequests"], &["get", "list", "create", "watch"]),
        rule("kubernaut.ai", &["remediationrequests/status"], &["update"]),
        json!({"apiGroups": [""], "resources": ["services"], "resourceNames": ["data-storage-service"], "verbs": ["create"]}),
    ]});
    bind(server, Some(NAMESPACE), &role, &account);
    let role = json!({"metadata": {"name": "gateway-cluster"}, "rules": [
        rule("", &["namespaces", "pods", "nodes", "services", "persistentvolumes"], &all),
        rule("apps", &["deployments", "replicasets", "statefulsets", "daemonsets"], &all),
        rule("batch", &["jobs", "cronjobs"], &all),
        rule("authentication.k8s.io", &["tokenreviews"], &["create"]),
        rule("authorization.k8s.io", &["subjectaccessreviews"], &["create"]),
    ]});
    bind(server, None, &role, &account);
}

/// Makes a role, of a namespace or the cluster, and gives it to these subjects.
fn bind(server: &Server, namespace: Option<&str>, role: &Value, subjects: &Value) {
    let (folder, kind) = match namespace {
        Some(namespace) => (format!("{RBAC}/namespaces/{namespace}/"), "Role"),
        None => (format!("{RBAC}/"), "ClusterRole"),
    };
    let name = &role["metadata"]["name"];
    let plural = kind.to_lowercase();
    server.post(&format!("{folder}{plural}s"), role);
    let binding = json!({
        "metadata": {"name": name}, "roleRef": {"apiGroup": GROUP, "kind": kind, "name": name}, "subjects": subjects,
    });
    server.post(&format!("{folder}{plural}bindings"), &binding);
}

fn user(name: &str) -> Value {
    json!([{"kind": "User", "name": name, "apiGroup": GROUP}])
}

fn field(name: &str, path: &str) -> Value {
    json!({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}})
}

fn downward() -> Value {
    json!([
        field("POD_NAME", "metadata.name"),
        field("POD_NAMESPACE", "metadata.namespace")
    ])
}

/// A gateway's pod that is ready.
fn gateway(server: &Server, namespace: &str, name: &str, env: &Value) {
    pod(
        server,
        namespace,
        name,
        &json!([{"name": "gateway", "image": "quay.io/kubernaut/gateway:1", "env": env}]),
        true,
    );
}

fn pod(server: &Server, namespace: &str, name: &str, containers: &Value, is_ready: bool) {
    let path = format!("/api/v1/namespaces/{namespace}/pods");
    let mut pod = server.post(
        &path,
        &json!({
            "metadata": {
                "name": name, "labels": {"app": "gateway", "pod-template-hash": "7f9c"},
                "ownerReferences": [{
                    "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "gateway-7f9c", "uid": "u", "controller": true,
                }],
            },
            "spec": {"serviceAccountName": "gateway", "containers": containers},
        }),
    );
    let ready = if is_ready { "True" } else { "False" };
    pod["status"] = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]});
    server.send(Method::PUT, &format!("{path}/{name}/status"), Some(&pod));
}

/// A request at work, created so many seconds ago.
fn request(server: &Server, name: &str, target: &str, created: i64, is_counted: bool) {
    let about = Target::parse(target).unwrap();
    let time = json!(whole_seconds(
        Timestamp::now() - SignedDuration::from_secs(created)
    ));
    let path = format!("/apis/kubernaut.ai/v1alpha1/namespaces/{NAMESPACE}/remediationrequests");
    let mut object = server.create(
        &path,
        created,
        &json!({
            "apiVersion": "kubernaut.ai/v1alpha1", "kind": "RemediationRequest", "metadata": {"name": name},
            "spec": {
                "signalFingerprint": Fingerprint::of(target).as_str(), "signalName": "HighCPU", "severity": "warning",
                "signalType": "alert", "targetType": "kubernetes", "firingTime": time, "receivedTime": time,
                "targetResource": {"namespace": about.namespace, "kind": about.kind, "name": about.name},
            },
        }),
    );
    object["status"] = json!({"overallPhase": "Executing"});
    if is_counted {
        object["status"]["deduplication"] =
            json!({"firstSeenAt": time, "lastSeenAt": time, "occurrenceCount": 1});
    }
    server.send(Method::PUT, &format!("{path}/{name}/status"), Some(&object));
}

fn doctor(server: &Server, flags: &[&str]) -> Run {
    server.gwlock(&[&["doctor"], flags].concat()).run()
}

/// The lines of a report as `result check message`, without what depends on the moment.
fn lines(run: &Run) -> Vec<String> {
    let is_check = |line: &&str| line.starts_with("  ") && !line.starts_with("   ");
    let checks = run.stdout.lines().filter(is_check);
    checks
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            settled(&words.join(" "))
        })
        .collect()
}

/// Without ports, milliseconds and seconds.
fn settled(text: &str) -> String {
    let words = text.split(' ').collect::<Vec<_>>();
    let is_number = |at: usize| words[at].parse::<u64>().is_ok();
    let words = words.iter().enumerate().map(|(at, word)| {
        let next = words
            .get(at + 1)
            .map(|next| next.trim_end_matches([',', ';', ':']));
        if word.contains("127.0.0.1:") {
            let end = if word.ends_with(',') { "," } else { "" };
            format!("SERVER{end}")
        } else if is_number(at) && matches!(next, Some("s" | "ms")) {
            "N".to_owned()
        } else {
            (*word).to_owned()
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The line of one check, of which there has to be one, and how the report ended.
fn line(server: &Server, check: &str, flags: &[&str]) -> (i32, String) {
    let run = doctor(server, flags);
    let word = format!(" {check} ");
    let mut found: Vec<String> = lines(&run)
        .into_iter()
        .filter(|line| line.contains(&word))
        .collect();
    assert_eq!(found.len(), 1, "{check}: {run:?}");
    (run.code, found.remove(0))
}

/// One check as `-o json` prints it.
fn check(server: &Server, name: &str) -> Value {
    let printed = doctor(server, &["-o", "json"]).json();
    let checks = printed["checks"].as_array().unwrap();
    checks
        .iter()
        .find(|check| check["check"] == name)
        .unwrap_or_else(|| panic!("no {name} in {printed}"))
        .clone()
}
