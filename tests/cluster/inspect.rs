//! `inspect` on a real control plane: its pods and nodes, lists of metadata, Events, and what a role leaves out. There is
//! no kubelet: statuses are written through the API.

use std::process::{Command, Output};

use gwlock_engine::client::convert::micro_time;
use gwlock_engine::client::transport;
use gwlock_engine::protocol::key::Fingerprint;
use gwlock_testkit::{ControlPlane, User, control_plane};
use http::{Method, Request};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::definition::serve_remediation_requests;

const TARGET: &str = "prod:Deployment:payment-api";
const KEY: &str = "gw-lock-91fce8d5c4949766";
const REQUEST: &str = "rr-91fce8d5c494-0a1b2c3d";

struct World {
    control_plane: &'static ControlPlane,
    client: kube::Client,
    namespace: String,
}

impl World {
    async fn new() -> Option<Self> {
        let control_plane = control_plane()?;
        let namespace = control_plane.namespace().await;
        let client = transport::connect(control_plane.config(User::Admin, &namespace)).unwrap();
        let world = Self {
            control_plane,
            client,
            namespace,
        };
        serve_remediation_requests(&world.client).await;
        Some(world)
    }

    fn within(&self, resource: &str) -> String {
        format!("namespaces/{}/{resource}", self.namespace)
    }

    async fn send(&self, method: Method, path: &str, object: &Value) -> Value {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .body(object.to_string().into_bytes());
        self.client.request(request.unwrap()).await.unwrap()
    }

    /// Makes an object and writes its status.
    async fn make(&self, collection: &str, mut object: Value, status: Value) {
        object = self.send(Method::POST, collection, &object).await;
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        object["status"] = status;
        self.send(Method::PUT, &format!("{collection}/{name}/status"), &object)
            .await;
    }

    async fn node(&self, name: &str, ready: &str) {
        let condition = json!({
            "type": "Ready", "status": ready, "reason": "Test", "message": "",
            "lastHeartbeatTime": "2026-01-01T00:00:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z",
        });
        let object = json!({"metadata": {"name": name}});
        self.make("/api/v1/nodes", object, json!({"conditions": [condition]}))
            .await;
    }

    async fn pod(&self, name: &str, node: &str) {
        let object = json!({
            "metadata": {"name": name},
            "spec": {
                "nodeName": node, "automountServiceAccountToken": false,
                "containers": [{"name": "gateway", "image": "gateway"}],
            },
        });
        self.make(
            &format!("/api/v1/{}", self.within("pods")),
            object,
            json!({"phase": "Running"}),
        )
        .await;
    }

    async fn lease(&self, name: &str, holder: &str, seconds: i32) {
        let now = micro_time(Timestamp::now());
        let lease = json!({
            "metadata": {"name": name},
            "spec": {
                "holderIdentity": holder, "leaseDurationSeconds": seconds, "acquireTime": now, "renewTime": now,
            },
        });
        let path = format!("/apis/coordination.k8s.io/v1/{}", self.within("leases"));
        self.send(Method::POST, &path, &lease).await;
    }

    async fn request(&self) {
        let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
        let object = json!({
            "apiVersion": "kubernaut.ai/v1alpha1", "kind": "RemediationRequest", "metadata": {"name": REQUEST},
            "spec": {
                "signalFingerprint": Fingerprint::of(TARGET).as_str(), "signalName": "HighCPU",
                "severity": "warning", "signalType": "alert", "targetType": "kubernetes",
                "targetResource": {"namespace": "prod", "kind": "Deployment", "name": "payment-api"},
                "firingTime": now, "receivedTime": now,
            },
        });
        let status = json!({
            "overallPhase": "Processing",
            "deduplication": {"firstSeenAt": now, "lastSeenAt": now, "occurrenceCount": 3},
        });
        let path = format!(
            "/apis/kubernaut.ai/v1alpha1/{}",
            self.within("remediationrequests")
        );
        self.make(&path, object, status).await;
    }

    /// How it ended, what it printed, and what it told.
    fn gwlock(&self, user: User, arguments: &[&str]) -> (Option<i32>, String, String) {
        let kubeconfig = self
            .control_plane
            .kubeconfig(user, &self.namespace)
            .unwrap();
        let Output {
            status,
            stdout,
            stderr,
        } = Command::new(env!("CARGO_BIN_EXE_gwlock"))
            .args(arguments)
            .env_remove("POD_NAMESPACE")
            .env("KUBECONFIG", kubeconfig.path())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (status.code(), text(stdout), text(stderr))
    }

    fn reports(&self, arguments: &[&str]) -> Vec<Value> {
        let (code, printed, told) = self.gwlock(
            User::Admin,
            &[&["inspect", "-o", "json"], arguments].concat(),
        );
        assert_eq!((code, told.as_str()), (Some(0), ""));
        let list: Value = serde_json::from_str(&printed).unwrap();
        list["items"].as_array().unwrap().clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stands_behind_leases_is_read_from_a_real_server() {
    let Some(world) = World::new().await else {
        return;
    };
    let (good, lost) = (
        format!("good-{}", world.namespace),
        format!("lost-{}", world.namespace),
    );
    world.node(&good, "True").await;
    world.node(&lost, "Unknown").await;
    world.pod("gateway-0", &good).await;
    world.pod("gateway-1", &lost).await;
    world.request().await;
    world.lease(KEY, "gateway-0", 3600).await;
    for (at, holder) in ["gateway-1", "gateway-2"].into_iter().enumerate() {
        world
            .lease(&format!("gw-lock-a00000000000000{at}"), holder, 3600)
            .await;
    }
    let reports = world.reports(&["--evidence"]);
    let told: Vec<[&Value; 3]> = reports
        .iter()
        .map(|report| {
            let pod = &report["pod"];
            [
                &pod["state"],
                &pod["nodeReady"],
                &report["remediationRequests"][0]["name"],
            ]
        })
        .collect();
    assert_eq!(
        told,
        [
            [&json!("Present"), &json!(true), &json!(REQUEST)],
            [&json!("Unreachable"), &json!(false), &Value::Null],
            [&json!("Absent"), &Value::Null, &Value::Null],
        ]
    );
    // By the whole fingerprint, and by the 16 digits of the lease's name, it is the same.
    for key in ["prod/Deployment/payment-api", KEY] {
        let reports = world.reports(&[key]);
        let request = &reports[0]["remediationRequests"][0];
        assert_eq!(
            (
                &request["phase"],
                &request["occurrenceCount"],
                &request["target"]
            ),
            (&json!("Processing"), &json!(3), &json!(TARGET))
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_of_a_removal_stands_in_the_timeline_of_the_next_holder() {
    let Some(world) = World::new().await else {
        return;
    };
    world.lease(KEY, "gateway-0", 3600).await;
    let force = [
        "force-expire",
        KEY,
        "--yes",
        "--even-if-live",
        "--reason",
        "drill",
        "-o",
        "name",
    ];
    let (code, _, told) = world.gwlock(User::Admin, &force);
    assert_eq!((code, told.as_str()), (Some(0), ""));
    world.lease(KEY, "gateway-1", 3600).await;
    let reports = world.reports(&[KEY]);
    let timeline = reports[0]["timeline"].as_array().unwrap().iter();
    let events: Vec<&str> = timeline
        .filter_map(|entry| entry["what"].as_str().unwrap().strip_prefix("Event "))
        .collect();
    let [event] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert!(
        event.starts_with("ForceExpired: admin removed gateway-0: expires in "),
        "{event}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_for_leases_alone_shows_leases_and_what_it_lacks() {
    let Some(world) = World::new().await else {
        return;
    };
    world.lease(KEY, "gateway-0", 3600).await;
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    let roles = format!("{rbac}/{}", world.within("roles"));
    let role = json!({"metadata": {"name": "look"}, "rules": [
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "list"]},
    ]});
    world.send(Method::POST, &roles, &role).await;
    let binding = json!({
        "metadata": {"name": "look"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "look"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": User::Viewer.name()}],
    });
    let bindings = format!("{rbac}/{}", world.within("rolebindings"));
    world.send(Method::POST, &bindings, &binding).await;
    // The server learns of the role a moment later.
    let arguments = ["inspect", KEY, "-o", "json"];
    let (printed, told) = loop {
        match world.gwlock(User::Viewer, &arguments) {
            (Some(0), printed, told) => break (printed, told),
            (code, _, told) => assert_eq!(code, Some(77), "{told}"),
        }
    };
    let list: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(
        list["unread"],
        json!([
            {"resource": "pods", "why": "forbidden"},
            {"resource": "remediationrequests", "why": "forbidden"},
            {"resource": "events", "why": "forbidden"},
        ])
    );
    assert_eq!(list["items"][0]["state"], json!("held"));
    assert_eq!(
        told.matches("the rule that is missing:").count(),
        3,
        "{told}"
    );
}
