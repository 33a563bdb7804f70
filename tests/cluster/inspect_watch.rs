//! `inspect --watch` on a real API server that goes away and comes back.

use std::io::{BufRead as _, BufReader, Lines, Read};
use std::process::{Command, Stdio};

use gwlock_engine::client::transport;
use gwlock_testkit::{User, private_control_plane};
use http::{Method, Request};
use serde_json::{Value, json};

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases";

async fn send(client: &kube::Client, method: Method, path: &str, body: &Value) {
    let kind = if method == Method::PATCH {
        "application/merge-patch+json"
    } else {
        "application/json"
    };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", kind)
        .body(body.to_string().into_bytes());
    let _: Value = client.request(request.unwrap()).await.unwrap();
}

async fn create(client: &kube::Client, name: &str) {
    let spec = json!({"holderIdentity": "a", "leaseDurationSeconds": 3600});
    let lease = json!({"metadata": {"name": name}, "spec": spec});
    send(client, Method::POST, LEASES, &lease).await;
}

/// Name, holder and state of the next row.
fn next(lines: &mut Lines<BufReader<impl Read>>) -> [String; 3] {
    let report: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    ["name", "holder", "state"].map(|key| report[key].as_str().unwrap_or("-").to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_goes_on_when_the_api_server_has_been_restarted() {
    let Some(mut control_plane) = private_control_plane() else {
        return;
    };
    let client = transport::connect(control_plane.config(User::Admin, "default")).unwrap();
    create(&client, "gw-lock-1").await;
    create(&client, "gw-lock-2").await;
    let kubeconfig = control_plane.kubeconfig(User::Admin, "default").unwrap();
    let mut watching = Command::new(env!("CARGO_BIN_EXE_gwlock"))
        .args(["inspect", "-w", "-o", "json"])
        .env_remove("POD_NAMESPACE")
        .env("KUBECONFIG", kubeconfig.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let mut notes = BufReader::new(watching.stderr.take().unwrap()).lines();
    assert_eq!(next(&mut lines), ["gw-lock-1", "a", "held"]);
    assert_eq!(next(&mut lines), ["gw-lock-2", "a", "held"]);

    control_plane.restart_apiserver().unwrap();
    let lost = notes.next().unwrap().unwrap();
    assert!(
        lost.starts_with("the connection is lost, trying again: "),
        "{lost}"
    );
    let found = notes.next().unwrap().unwrap();
    assert!(found.starts_with("connected again after "), "{found}");

    // What has not changed is not shown again.
    let client = transport::connect(control_plane.config(User::Admin, "default")).unwrap();
    let change = json!({"spec": {"holderIdentity": "b"}});
    let path = format!("{LEASES}/gw-lock-2");
    send(&client, Method::PATCH, &path, &change).await;
    assert_eq!(next(&mut lines), ["gw-lock-2", "b", "held"]);
    send(&client, Method::DELETE, &path, &json!({})).await;
    assert_eq!(next(&mut lines), ["gw-lock-2", "-", "gone"]);
    watching.kill().unwrap();
    watching.wait().unwrap();
    assert_eq!(notes.map(Result::unwrap).collect::<Vec<_>>(), [""; 0]);
}
