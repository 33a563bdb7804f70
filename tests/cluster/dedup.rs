//! `dedup check` on a real control plane: its pages, its selectors, its stamps, and a proposed command run by a shell.

use std::process::Command;

use gwlock_engine::client::transport;
use gwlock_engine::protocol::key::Fingerprint;
use gwlock_testkit::{User, control_plane};
use http::{Method, Request};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::definition::serve_remediation_requests;

/// More than a page.
const MANY: usize = 260;

struct World {
    client: kube::Client,
    namespace: String,
}

impl World {
    fn collection(&self) -> String {
        let namespace = &self.namespace;
        format!("/apis/kubernaut.ai/v1alpha1/namespaces/{namespace}/remediationrequests")
    }

    async fn request(&self, name: &str, target: &str, about: &str, status: Value) {
        let now = Timestamp::now();
        let object = json!({
            "apiVersion": "kubernaut.ai/v1alpha1", "kind": "RemediationRequest", "metadata": {"name": name},
            "spec": {
                "signalFingerprint": Fingerprint::of(target).as_str(), "signalName": "HighCPU",
                "severity": "warning", "signalType": "alert", "targetType": "kubernetes",
                "targetResource": {"namespace": "prod", "kind": "Pod", "name": about}, "firingTime": now,
                "receivedTime": now,
            },
        });
        let mut object = self.send(Method::POST, &self.collection(), &object).await;
        if !status.is_null() {
            object["status"] = status;
            let path = format!("{}/{name}/status", self.collection());
            self.send(Method::PUT, &path, &object).await;
        }
    }

    async fn send(&self, method: Method, path: &str, object: &Value) -> Value {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .body(object.to_string().into_bytes());
        self.client.request(request.unwrap()).await.unwrap()
    }
}

fn counted(phase: &str, after_now: i64) -> Value {
    let time = Timestamp::now() + SignedDuration::from_secs(after_now);
    let time = Timestamp::from_second(time.as_second()).unwrap();
    json!({
        "overallPhase": phase,
        "deduplication": {"firstSeenAt": time, "lastSeenAt": time, "occurrenceCount": 1},
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn findings_on_a_real_server_are_fixed_by_the_command_beside_them() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let namespace = control_plane.namespace().await;
    let client = transport::connect(control_plane.config(User::Admin, &namespace)).unwrap();
    let kubeconfig = control_plane.kubeconfig(User::Admin, &namespace).unwrap();
    let world = World { client, namespace };
    serve_remediation_requests(&world.client).await;
    for number in 0..MANY {
        let pod = format!("pod-{number}");
        let status = Value::Null;
        world
            .request(
                &format!("rr-{number}"),
                &format!("prod:Pod:{pod}"),
                &pod,
                status,
            )
            .await;
    }
    world
        .request("a", "prod:Pod:a", "a", counted("Executing", 0))
        .await;
    world
        .request("b", "prod:Pod:a", "a", counted("Pending", 0))
        .await;
    // The end is not in the status: the server's stamp of the phase tells it.
    world
        .request("late", "prod:Pod:late", "late", counted("Completed", 600))
        .await;
    world
        .request(
            "renamed",
            "prod:Pod:before",
            "after",
            counted("Executing", 0),
        )
        .await;
    let check = || {
        let output = Command::new(env!("CARGO_BIN_EXE_gwlock"))
            .args(["dedup", "check", "-o", "json", "-n", &world.namespace])
            .env("KUBECONFIG", kubeconfig.path())
            .env_remove("KUBERNAUT_CONTROLLER_NAMESPACE")
            .output()
            .unwrap();
        let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), printed)
    };
    let found = |printed: &Value| -> Vec<(String, String)> {
        let findings = printed["findings"].as_array().unwrap().iter();
        findings
            // Those of the first part become old while the rest is made.
            .filter(|finding| finding["class"] != "not-counted")
            .map(|finding| {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                (
                    text(&finding["class"]),
                    text(&finding["objects"][0]["name"]),
                )
            })
            .collect()
    };
    let expected = |findings: &[(&str, &str)]| -> Vec<(String, String)> {
        let owned = findings.iter();
        owned
            .map(|(class, name)| ((*class).to_owned(), (*name).to_owned()))
            .collect()
    };
    let (code, printed) = check();
    assert_eq!(code, Some(1), "{printed}");
    assert_eq!(printed["lookedAt"]["remediationRequests"], MANY + 4);
    assert_eq!(
        found(&printed),
        expected(&[
            ("several-active", "a"),
            ("counted-after-end", "late"),
            ("wrong-fingerprint", "renamed"),
        ])
    );
    let fix = printed["findings"][0]["fix"].as_str().unwrap();
    let mut path = control_plane
        .kubectl()
        .parent()
        .unwrap()
        .as_os_str()
        .to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let output = Command::new("sh")
        .args(["-c", fix])
        .env("KUBECONFIG", kubeconfig.path())
        .env("PATH", path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{fix}: {output:?}");
    let expected_words = format!(
        "remediationrequest.kubernaut.ai \"b\" deleted from {} namespace\n",
        world.namespace
    );
    assert_eq!(said, expected_words);
    let (code, printed) = check();
    assert_eq!(code, Some(1));
    assert_eq!(
        found(&printed),
        expected(&[
            ("counted-after-end", "late"),
            ("wrong-fingerprint", "renamed")
        ])
    );
}
