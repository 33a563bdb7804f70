//! Twenty thousand leases on a real control plane, with the pods that hold them and the RemediationRequests behind them.
//! What `inspect` shows of them is checked; how long it takes and how much memory is printed:
//!
//! `cargo test --release --test cluster long_lists -- --ignored --nocapture`

use std::fs;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::Instant;

use futures_util::{StreamExt as _, stream};
use gwlock_engine::client::convert::micro_time;
use gwlock_engine::client::transport;
use gwlock_engine::protocol::key::Fingerprint;
use gwlock_testkit::{ControlPlane, User, private_control_plane};
use http::{Method, Request};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::definition::serve_remediation_requests;

const LEASES: usize = 20_000;
const PODS: usize = 50;
const REQUESTS: usize = 2_000;
const NAMESPACE: &str = "kubernaut-system";

/// Writes at a time.
const AT_ONCE: usize = 16;

/// What a run printed, and its largest resident set in MB.
struct Measured {
    printed: String,
    megabytes: u64,
}

async fn send(client: &kube::Client, method: Method, path: &str, object: &Value) -> Value {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .body(object.to_string().into_bytes());
    client.request(request.unwrap()).await.unwrap()
}

fn fingerprint(number: usize) -> Fingerprint {
    Fingerprint::of(&format!("prod:Deployment:app-{number}"))
}

async fn fill(client: &kube::Client) {
    let namespace = json!({"metadata": {"name": NAMESPACE}});
    send(client, Method::POST, "/api/v1/namespaces", &namespace).await;
    serve_remediation_requests(client).await;
    let requests =
        format!("/apis/kubernaut.ai/v1alpha1/namespaces/{NAMESPACE}/remediationrequests");
    let pods = format!("/api/v1/namespaces/{NAMESPACE}/pods");
    for number in 0..PODS {
        let pod = json!({
            "metadata": {"name": format!("gateway-{number}")},
            "spec": {
                "automountServiceAccountToken": false, "containers": [{"name": "gateway", "image": "gateway"}],
            },
        });
        send(client, Method::POST, &pods, &pod).await;
    }
    let leases = format!("/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases");
    let (leases, requests) = (&leases, &requests);
    stream::iter(0..LEASES)
        .for_each_concurrent(AT_ONCE, |number| async move {
            let now = micro_time(Timestamp::now());
            let lease = json!({
                "metadata": {"name": fingerprint(number).lease_name().to_string()},
                "spec": {
                    "holderIdentity": format!("gateway-{}", number % PODS), "leaseDurationSeconds": 3600,
                    "acquireTime": now, "renewTime": now,
                },
            });
            send(client, Method::POST, leases, &lease).await;
            if number >= REQUESTS {
                return;
            }
            let (fingerprint, now) = (fingerprint(number), Timestamp::now());
            let request = json!({
                "apiVersion": "kubernaut.ai/v1alpha1", "kind": "RemediationRequest",
                "metadata": {"name": format!("rr-{}-0a1b2c3d", &fingerprint.as_str()[..12])},
                "spec": {
                    "signalFingerprint": fingerprint.as_str(), "signalName": "HighCPU", "severity": "warning",
                    "signalType": "alert", "targetType": "kubernetes", "firingTime": now, "receivedTime": now,
                    "targetResource": {"namespace": "prod", "kind": "Deployment", "name": format!("app-{number}")},
                },
            });
            send(client, Method::POST, requests, &request).await;
        })
        .await;
}

fn inspect(control_plane: &ControlPlane, flags: &[&str]) -> Measured {
    let kubeconfig = control_plane.kubeconfig(User::Admin, NAMESPACE).unwrap();
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_gwlock"))
        .arg("inspect")
        .args(flags)
        .env_remove("POD_NAMESPACE")
        .env("KUBECONFIG", kubeconfig.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut stdout = child.stdout.take().unwrap();
    let (mut printed, mut buffer, mut megabytes) = (Vec::new(), vec![0; 1 << 20], 0);
    loop {
        let read = stdout.read(&mut buffer).unwrap();
        printed.extend_from_slice(&buffer[..read]);
        // The peak only grows, and the process is there for as long as it has something to print.
        let text = fs::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = peak.and_then(|peak| peak.trim().split(' ').next()?.parse::<u64>().ok());
        megabytes = megabytes.max(kilobytes.unwrap_or(0) / 1024);
        if read == 0 {
            break;
        }
    }
    assert!(child.wait().unwrap().success(), "{flags:?}");
    let seconds = began.elapsed().as_secs_f64();
    let mut out = std::io::stdout();
    let _ = writeln!(
        out,
        "inspect {}: {seconds:.3} s, {megabytes} MB",
        flags.join(" ")
    );
    Measured {
        printed: String::from_utf8(printed).unwrap(),
        megabytes,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "soak"]
async fn twenty_thousand_leases_are_shown_with_what_stands_behind_them() {
    let Some(control_plane) = private_control_plane() else {
        return;
    };
    let client = transport::connect(control_plane.config(User::Admin, NAMESPACE)).unwrap();
    fill(&client).await;
    let plain = inspect(&control_plane, &["-A"]);
    assert_eq!(plain.printed.lines().count(), LEASES + 1);
    let wide = inspect(&control_plane, &["-A", "-o", "wide"]);
    assert_eq!(wide.printed.matches(" rr-").count(), REQUESTS);
    assert_eq!(wide.printed.matches(" Pending ").count(), LEASES);
    let json = inspect(&control_plane, &["-A", "-o", "json"]);
    let list: Value = serde_json::from_str(&json.printed).unwrap();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(LEASES));
    let one = inspect(&control_plane, &["prod/Deployment/app-7"]);
    assert!(
        one.printed.contains("about prod:Deployment:app-7"),
        "{}",
        one.printed
    );
    // Time depends on what else the machine does, and a debug build is larger; this much is promised for either.
    assert!(wide.megabytes <= 100);
}
