//! `doctor` on a real control plane: its reviews, its roles, and a proposed role applied by kubectl.

use std::path::PathBuf;
use std::process::Command;

use gwlock_engine::client::transport;
use gwlock_testkit::{ControlPlane, User, control_plane};
use http::Request;
use serde_json::{Value, json};

use crate::definition::serve_remediation_requests;

const GROUP: &str = "rbac.authorization.k8s.io";

struct World {
    control_plane: &'static ControlPlane,
    client: kube::Client,
    namespace: String,
}

impl World {
    async fn post(&self, path: &str, object: &Value) -> Value {
        let request = Request::post(path)
            .header("content-type", "application/json")
            .body(object.to_string().into_bytes());
        self.client.request(request.unwrap()).await.unwrap()
    }

    /// Lets a user do this in the namespace.
    async fn allow(&self, user: User, rules: Value) {
        let path = format!("/apis/{GROUP}/v1/namespaces/{}", self.namespace);
        let name = user.name();
        self.post(
            &format!("{path}/roles"),
            &json!({"metadata": {"name": name}, "rules": rules}),
        )
        .await;
        let binding = json!({
            "metadata": {"name": name}, "roleRef": {"apiGroup": GROUP, "kind": "Role", "name": name},
            "subjects": [{"kind": "User", "name": name, "apiGroup": GROUP}],
        });
        self.post(&format!("{path}/rolebindings"), &binding).await;
    }

    /// The exit code and the checks, as this user sees them.
    fn doctor(&self, user: User) -> (Option<i32>, Vec<Value>) {
        let kubeconfig = self
            .control_plane
            .kubeconfig(user, &self.namespace)
            .unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_gwlock"))
            .args(["doctor", "-o", "json", "-n", &self.namespace])
            .env("KUBECONFIG", kubeconfig.path())
            .env_remove("KUBERNAUT_CONTROLLER_NAMESPACE")
            .output()
            .unwrap();
        let printed: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {output:?}"));
        (
            output.status.code(),
            printed["checks"].as_array().unwrap().clone(),
        )
    }

    /// Runs what a check proposes, as the administrator.
    fn run(&self, fix: &str) {
        let kubeconfig = self
            .control_plane
            .kubeconfig(User::Admin, &self.namespace)
            .unwrap();
        let tools: PathBuf = self.control_plane.kubectl().parent().unwrap().to_owned();
        let mut path = tools.into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let output = Command::new("sh")
            .args(["-c", fix])
            .env("KUBECONFIG", kubeconfig.path())
            .env("PATH", path)
            .output()
            .unwrap();
        assert!(output.status.success(), "{fix}: {output:?}");
    }
}

fn of<'a>(checks: &'a [Value], name: &str) -> &'a Value {
    checks
        .iter()
        .find(|check| check["check"] == name)
        .unwrap_or_else(|| panic!("no {name} in {checks:?}"))
}

fn result<'a>(checks: &'a [Value], name: &str) -> &'a str {
    of(checks, name)["result"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_is_told_what_they_may_and_kubectl_takes_what_is_proposed() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let namespace = control_plane.namespace().await;
    let client = transport::connect(control_plane.config(User::Admin, &namespace)).unwrap();
    let world = World {
        control_plane,
        client,
        namespace,
    };
    serve_remediation_requests(&world.client).await;
    let rule = |group: &str, resource: &str, verbs: &[&str]| json!({"apiGroups": [group], "resources": [resource], "verbs": verbs});
    let look = || {
        vec![
            rule("coordination.k8s.io", "leases", &["get", "list", "watch"]),
            rule("kubernaut.ai", "remediationrequests", &["get", "list"]),
            rule("", "pods", &["get", "list"]),
        ]
    };
    world.allow(User::Viewer, json!(look())).await;
    let mut rules = look();
    rules.push(rule(
        "coordination.k8s.io",
        "leases",
        &["create", "update", "delete"],
    ));
    rules.push(rule("events.k8s.io", "events", &["create"]));
    world.allow(User::Operator, json!(rules)).await;

    let (code, checks) = world.doctor(User::Stranger);
    assert_eq!(code, Some(1));
    assert_eq!(
        (result(&checks, "may-look"), result(&checks, "may-act")),
        ("failure", "warning")
    );
    assert_eq!(result(&checks, "stale-leases"), "skipped");

    let (code, checks) = world.doctor(User::Viewer);
    assert_eq!(code, Some(0), "{checks:?}");
    let missing = "viewer may not look at leases and requests: it lacks get, list nodes everywhere";
    assert_eq!(
        (
            of(&checks, "may-look")["message"].as_str(),
            result(&checks, "may-act")
        ),
        (Some(missing), "warning")
    );
    assert_eq!(result(&checks, "stale-leases"), "ok");
    assert_eq!(result(&checks, "lease-creators"), "skipped");
    let fix = of(&checks, "may-act")["fix"].as_str().unwrap();
    world.run(fix);
    assert_eq!(result(&world.doctor(User::Viewer).1, "may-act"), "ok");

    let (code, checks) = world.doctor(User::Operator);
    assert_eq!(
        (code, result(&checks, "may-act")),
        (Some(0), "ok"),
        "{checks:?}"
    );

    // A gateway whose account may nothing, and the role that it needs.
    let (accounts, pods) = (
        format!("/api/v1/namespaces/{}/serviceaccounts", world.namespace),
        format!("/api/v1/namespaces/{}/pods", world.namespace),
    );
    world
        .post(&accounts, &json!({"metadata": {"name": "gateway"}}))
        .await;
    let field = |name: &str, path: &str| json!({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}});
    let env = [
        field("POD_NAME", "metadata.name"),
        field("POD_NAMESPACE", "metadata.namespace"),
    ];
    let spec = json!({
        "serviceAccountName": "gateway", "containers": [{"name": "gateway", "image": "gateway", "env": env}],
    });
    world
        .post(
            &pods,
            &json!({"metadata": {"name": "gateway-a", "labels": {"app": "gateway"}}, "spec": spec}),
        )
        .await;
    let name = format!("system:serviceaccount:{}:gateway", world.namespace);
    let own = |checks: &[Value]| {
        let is_own = |check: &&Value| {
            check["check"] == "gateway-permissions" && check["evidence"]["subject"] == name
        };
        checks.iter().find(is_own).cloned().unwrap()
    };
    let (_, checks) = world.doctor(User::Admin);
    let rights = own(&checks);
    assert_eq!(rights["result"], "failure", "{rights}");
    world.run(rights["fix"].as_str().unwrap());
    let (_, checks) = world.doctor(User::Admin);
    assert_eq!(own(&checks)["result"], "ok");
    let skipped: Vec<&Value> = checks
        .iter()
        .filter(|check| check["result"] == "skipped")
        .collect();
    assert_eq!(skipped, Vec::<&Value>::new());
    for name in [
        "api-server",
        "answers",
        "lease-api",
        "machine-clock",
        "definition",
        "selectable-fingerprint",
    ] {
        assert_eq!(result(&checks, name), "ok", "{}", of(&checks, name));
    }
    let creators = &of(&checks, "lease-creators")["evidence"];
    assert_eq!(
        creators["broad"],
        json!({}),
        "a new cluster lets nobody create leases"
    );
    assert_eq!(
        creators["others"]["operator"],
        json!(["rolebinding/operator"])
    );
    assert_eq!(
        creators["others"]["viewer"],
        json!(["rolebinding/gwlock-act-viewer"])
    );
}
