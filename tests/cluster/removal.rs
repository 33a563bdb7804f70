//! `force-expire` and `gc` on a real control plane: its stamps, its preconditions, its finalizers and its Events.

use std::process::{Command, Output};
use std::time::Duration;

use gwlock_engine::client::transport;
use gwlock_testkit::{User, control_plane};
use http::Request;
use serde_json::{Value, json};

struct World {
    client: kube::Client,
    namespace: String,
    kubeconfig: tempfile::NamedTempFile,
}

impl World {
    async fn get(&self, path: &str) -> Value {
        let request = Request::get(path).body(Vec::new()).unwrap();
        self.client.request(request).await.unwrap()
    }

    fn leases(&self) -> String {
        let namespace = &self.namespace;
        format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases")
    }

    /// A lease that expires after a second and the margin.
    async fn lease(&self, name: &str, finalizers: &[&str]) {
        let lease = json!({
            "metadata": {"name": name, "finalizers": finalizers},
            "spec": {"holderIdentity": "gateway-1", "leaseDurationSeconds": 1, "renewTime": "2026-01-01T00:00:00.000000Z"},
        });
        let request = Request::post(self.leases())
            .header("content-type", "application/json")
            .body(lease.to_string().into_bytes());
        let _: Value = self.client.request(request.unwrap()).await.unwrap();
    }

    async fn names(&self) -> Vec<String> {
        let list = self.get(&self.leases()).await;
        let items = list["items"].as_array().unwrap().iter();
        let name = |item: &Value| item["metadata"]["name"].as_str().unwrap().to_owned();
        items.map(name).collect()
    }

    fn gwlock(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let Output {
            status,
            stdout,
            stderr,
        } = Command::new(env!("CARGO_BIN_EXE_gwlock"))
            .args(arguments)
            .env_remove("POD_NAMESPACE")
            .env("KUBECONFIG", self.kubeconfig.path())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (status.code(), text(stdout), text(stderr))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stale_holder_is_removed_on_a_real_server() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let namespace = control_plane.namespace().await;
    let world = World {
        client: transport::connect(control_plane.config(User::Admin, &namespace)).unwrap(),
        kubeconfig: control_plane.kubeconfig(User::Admin, &namespace).unwrap(),
        namespace,
    };
    for (name, finalizers) in [
        ("gw-lock-1", &[][..]),
        ("gw-lock-2", &["gwlock.dev/test"]),
        ("gw-lock-3", &[]),
    ] {
        world.lease(name, finalizers).await;
    }
    let names = ["gw-lock-1", "gw-lock-2", "gw-lock-3"];
    let rehearsal = [&["force-expire", "--dry-run=server"], &names[..]].concat();
    // Refused while it may be held by the server's clock; the rehearsal stores nothing.
    while world.gwlock(&rehearsal).0 == Some(1) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(world.names().await, names);

    let forced = world.gwlock(&["force-expire", "gw-lock-1", "--yes", "-o", "name"]);
    let printed = "lease.coordination.k8s.io/gw-lock-1\n".to_owned();
    assert_eq!(forced, (Some(0), printed, String::new()));
    let events = format!(
        "/apis/events.k8s.io/v1/namespaces/{}/events",
        world.namespace
    );
    let events = world.get(&events).await;
    let [event] = events["items"].as_array().unwrap().as_slice() else {
        panic!("{events}")
    };
    assert_eq!(
        (&event["reason"], &event["regarding"]["name"]),
        (&json!("ForceExpired"), &json!("gw-lock-1"))
    );

    let (code, _, told) = world.gwlock(&["force-expire", "gw-lock-2", "--yes", "-o", "name"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(
        told.contains("gw-lock-2 in ")
            && told.contains("a finalizer keeps it, and nobody can acquire it"),
        "{told}"
    );

    let (code, deleted, told) = world.gwlock(&["gc"]);
    assert_eq!(
        (code, deleted.as_str(), told.as_str()),
        (
            Some(0),
            "lease.coordination.k8s.io/gw-lock-3 deleted\n",
            "2 leases, 1 expired: 1 deleted, 0 changed meanwhile, 0 gone meanwhile, 0 kept by a finalizer\n"
        )
    );
    assert_eq!(world.names().await, ["gw-lock-2"]);
}
