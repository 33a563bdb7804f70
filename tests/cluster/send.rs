//! `send --direct` on a real API server: what its dry run leaves alone, and what a burst adds up to.

use std::process::{Command, Output};

use gwlock_engine::client::transport;
use gwlock_testkit::{User, control_plane};
use http::Request;
use kube::client::Body;
use serde_json::{Value, json};

use crate::definition::serve_remediation_requests;

/// A namespace that is managed, with a pod to complain about.
struct World {
    client: kube::Client,
    namespace: String,
    kubeconfig: tempfile::NamedTempFile,
}

impl World {
    /// Sends a body; 409 is fine, because another test may have been first.
    async fn write(&self, request: http::request::Builder, media_type: &str, body: String) {
        let request = request.header("content-type", media_type);
        let request = request.body(Body::from(body.into_bytes())).unwrap();
        let status = self.client.send(request).await.unwrap().status();
        assert!(status.is_success() || status == 409, "{status}");
    }

    async fn list(&self, path: &str) -> Option<Vec<Value>> {
        let list = Request::get(path).body(Vec::new()).unwrap();
        let list: Value = self.client.request(list).await.ok()?;
        list["items"].as_array().cloned()
    }

    async fn requests(&self) -> Option<Vec<Value>> {
        let namespace = &self.namespace;
        let path =
            format!("/apis/kubernaut.ai/v1alpha1/namespaces/{namespace}/remediationrequests");
        self.list(&path).await
    }

    async fn leases(&self) -> Vec<Value> {
        let namespace = &self.namespace;
        let path = format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases");
        self.list(&path).await.unwrap()
    }

    fn send(&self, more: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_gwlock"))
            .args(["send", "--direct", "--yes", "--alertname", "HighCPU", "-n"])
            .args([self.namespace.as_str(), "--pod", "api"])
            .args(["--lease-namespace", &self.namespace])
            .args(more)
            .env("KUBECONFIG", self.kubeconfig.path())
            .output()
            .unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_dry_run_stores_nothing_and_a_burst_is_counted_to_the_last_one() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let namespace = control_plane.namespace().await;
    let world = World {
        client: transport::connect(control_plane.config(User::Admin, &namespace)).unwrap(),
        kubeconfig: control_plane.kubeconfig(User::Admin, &namespace).unwrap(),
        namespace,
    };
    serve_remediation_requests(&world.client).await;
    let path = format!("/api/v1/namespaces/{}", world.namespace);
    let label = json!({"metadata": {"labels": {"kubernaut.ai/managed": "true"}}}).to_string();
    let patch = Request::patch(&path);
    world
        .write(patch, "application/merge-patch+json", label)
        .await;
    let spec = json!({"containers": [{"name": "api", "image": "api"}]});
    let pod = json!({"metadata": {"name": "api"}, "spec": spec}).to_string();
    let pods = Request::post(format!("{path}/pods"));
    world.write(pods, "application/json", pod).await;

    let words = ["-o", "jsonpath={.status} {.remediationRequestName}"];
    let text = |output: &Output| String::from_utf8(output.stdout.clone()).unwrap();
    let rehearsed = world.send(&[&["--dry-run=server"], &words[..]].concat());
    assert!(rehearsed.status.success(), "{rehearsed:?}");
    assert_eq!(world.requests().await, Some(Vec::new()));
    assert_eq!(world.leases().await, Vec::<Value>::new());
    let created = world.send(&words);
    assert_eq!(text(&created), text(&rehearsed), "{created:?}");

    let before = world.requests().await;
    let rehearsed = world.send(&["--dry-run=server", "-o", "jsonpath={.metadata.count}"]);
    assert_eq!(text(&rehearsed), "2", "{rehearsed:?}");
    assert_eq!(world.requests().await, before);

    let burst = ["--repeat", "200", "--concurrency", "50", "-o"];
    let sum = "jsonpath={.summary.created} {.summary.duplicate} {.summary.failed}";
    let sent = world.send(&[&burst[..], &[sum]].concat());
    assert_eq!(text(&sent), "0 200 0", "{sent:?}");
    let [request] = world.requests().await.unwrap().try_into().unwrap();
    assert_eq!(request["status"]["deduplication"]["occurrenceCount"], 201);
    assert_eq!(world.leases().await, Vec::<Value>::new());
}
