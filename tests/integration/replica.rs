//! `gwlock serve` as a process: how it ends, and credentials that change while it runs.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::join_all;
use gwlock_apiserver::ApiServer;
use gwlock_apiserver::access::UserInfo;
use gwlock_apiserver::faults::{Action, Fault};
use gwlock_apiserver::serve::{Credentials, ServeOptions, serve};
use http::{HeaderValue, Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::fixture::{NAMESPACE, Server};

/// Longer than anything here takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);

const SIGNALS: usize = 40;

/// A process of `gwlock serve`; killed when it is dropped.
struct Replica {
    child: Child,
    address: String,
    metrics: String,
}

impl Replica {
    fn start(kubeconfig: &Path, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gwlock"))
            .args(["serve", "--bind-address", "127.0.0.1:0", "--auth", "none"])
            .args([
                "--health-probe-bind-address",
                "0",
                "--metrics-bind-address",
                "127.0.0.1:0",
            ])
            .args([
                "--shutdown-delay",
                "0s",
                "--identity",
                "replica",
                "--scope",
                "all",
            ])
            .args(more)
            .env_clear()
            .env("KUBECONFIG", kubeconfig)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut serving = |what: &str| {
            let line = lines.next().unwrap().unwrap();
            let address = line.strip_prefix(&format!("serving {what} on http://"));
            address.unwrap_or_else(|| panic!("{line}")).to_owned()
        };
        let (address, metrics) = (serving("signals"), serving("metrics"));
        // What it says later has to go somewhere.
        std::thread::spawn(move || lines.count());
        Self {
            child,
            address,
            metrics,
        }
    }

    /// The status of the answer to an alert about an object, `None` if there is no answer. It is of a kind whose owners
    /// nobody looks for, so that it need not exist.
    #[cfg(feature = "sim")]
    async fn metrics(&self) -> String {
        let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        let url = format!("http://{}/metrics", self.metrics);
        let response = client.get(url.parse().unwrap()).await.unwrap();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    async fn send(&self, object: &str) -> Option<u16> {
        let alert = json!({
            "status": "firing", "startsAt": "2026-11-23T08:59:00Z",
            "labels": {"alertname": "A", "severity": "warning", "namespace": "shop", "lease": object},
        });
        let body = json!({"version": "4", "alerts": [alert]}).to_string();
        let url = format!("http://{}/api/v1/signals/prometheus", self.address);
        let request = Request::post(url)
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let response = client.request(request).await.ok()?;
        let status = response.status().as_u16();
        response.into_body().collect().await.ok()?;
        Some(status)
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn counts(list: &Value) -> Vec<i64> {
    let items = list["items"].as_array().unwrap().iter();
    let count = |item: &Value| item["status"]["deduplication"]["occurrenceCount"].as_i64();
    items.map(|item| count(item).unwrap_or(0)).collect()
}

fn requests() -> String {
    format!("/apis/kubernaut.ai/v1alpha1/namespaces/{NAMESPACE}/remediationrequests")
}

#[test]
fn a_replica_that_is_told_to_end_answers_what_it_accepted_and_leaves_no_lease() {
    let server = Server::start();
    let definition = serde_yaml::from_str(gwlock_testkit::REMEDIATION_REQUESTS).unwrap();
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    server.create(definitions, 0, &definition);
    let mut replica = Replica::start(&server.kubeconfig("admin"), &[]);
    // Every signal stands still while it acquires the lease of its key.
    let pause = Fault::new(Action::Pause);
    server.inject(pause.verb("create").resource("leases"));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let answers = std::thread::scope(|scope| {
        let sent = scope.spawn(|| {
            let signals = (0..SIGNALS).map(|number| format!("object-{number}"));
            let signals: Vec<String> = signals.collect();
            let sent = signals.iter().map(|object| replica.send(object));
            runtime.block_on(join_all(sent))
        });
        let began = Instant::now();
        while server.names_hit().len() < SIGNALS {
            assert!(began.elapsed() < PATIENCE, "not all are under way");
            std::thread::yield_now();
        }
        kill_process(Pid::from_child(&replica.child), Signal::TERM).unwrap();
        while TcpStream::connect(&replica.address).is_ok() {
            assert!(began.elapsed() < PATIENCE, "it still accepts");
        }
        server.resume();
        sent.join().unwrap()
    });
    assert_eq!(answers, [Some(201); SIGNALS]);
    assert_eq!(replica.child.wait().unwrap().code(), Some(0));
    let list = server.send(http::Method::GET, &requests(), None);
    assert_eq!(counts(&list), [1; SIGNALS]);
    assert_eq!(server.leases(), Vec::<String>::new());
}

#[test]
#[cfg(feature = "sim")]
fn a_replica_of_the_gateways_protocol_asks_what_a_gateway_asks_and_counts_it() {
    let created = [
        "get leases",
        "create leases",
        "list remediationrequests",
        "create remediationrequests",
        "get remediationrequests",
        "update remediationrequests/status",
        "get leases",
        "delete leases",
    ];
    let counted = [&created[..3], &created[4..]].concat();
    let without_a_lease = [&created[2..6], &counted[2..5]].concat();
    for (protocol, expected) in [
        ("gateway", [&created[..], &counted].concat()),
        ("unlocked", without_a_lease),
    ] {
        let server = Server::start();
        server.serve_remediation_requests();
        let replica = Replica::start(&server.kubeconfig("admin"), &["--protocol", protocol]);
        let answers = server.runtime().block_on(async {
            let first = replica.send("object").await;
            (first, replica.send("object").await)
        });
        assert_eq!(answers, (Some(201), Some(202)));
        let is_counted = |resource: &str| matches!(resource, "leases" | "remediationrequests");
        let seen = server.seen().into_iter();
        // Whether the object of the signal exists is asked for like everything in that namespace.
        let seen = seen
            .filter(|exchange| is_counted(&exchange.resource) && exchange.namespace == NAMESPACE);
        let asked: Vec<String> = seen
            .map(|exchange| match exchange.subresource.as_str() {
                "" => format!("{} {}", exchange.verb, exchange.resource),
                sub => format!("{} {}/{sub}", exchange.verb, exchange.resource),
            })
            .collect();
        assert_eq!(asked, expected, "{protocol}");
        let metrics = server.runtime().block_on(replica.metrics());
        let lines = metrics
            .lines()
            .filter(|line| line.starts_with("gateway_api_requests_total{"));
        let total: usize = lines
            .filter_map(|line| line.rsplit_once(' ')?.1.parse::<usize>().ok())
            .sum();
        assert_eq!(total, expected.len(), "{protocol}: {metrics}");
        let list = server.send(http::Method::GET, &requests(), None);
        assert_eq!(counts(&list), [2], "{protocol}");
        assert_eq!(server.leases(), Vec::<String>::new());
    }
}

#[test]
#[ignore = "soak: the client reads its token file once a minute"]
fn a_rotated_token_is_picked_up_though_the_old_one_is_revoked() {
    let masters = |name| (name, UserInfo::new(name, &["system:masters"]));
    let credentials = Credentials::generate([masters("old"), masters("new")]);
    let api = ApiServer::builder()
        .authentication(credentials.authentication())
        .build();
    let old = format!("Bearer {}", credentials.token("old").unwrap());
    let revoked = Arc::new(AtomicBool::new(false));
    let service = {
        let (api, revoked) = (api.clone(), revoked.clone());
        tower::service_fn(move |mut request: Request<Incoming>| {
            let shown = request.headers().get(header::AUTHORIZATION);
            if revoked.load(Ordering::SeqCst) && shown.is_some_and(|shown| *shown == old) {
                let nobodys = HeaderValue::from_static("Bearer nobody's");
                request.headers_mut().insert(header::AUTHORIZATION, nobodys);
            }
            api.clone().oneshot(request)
        })
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let options = ServeOptions {
            namespace: NAMESPACE.to_owned(),
            ..ServeOptions::default()
        };
        let serving = serve(service, &credentials, &options).await.unwrap();
        let send = async |method: &str, path: &str, object: &Value| -> Value {
            let token = credentials.token("new").unwrap();
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header("authorization", format!("Bearer {token}"))
                .header("content-type", "application/json")
                .body(Full::new(Bytes::from(object.to_string())))
                .unwrap();
            let response = api.clone().oneshot(request).await.unwrap();
            assert!(
                response.status().is_success(),
                "{path}: {}",
                response.status()
            );
            let bytes = response.into_body().collect().await.unwrap().to_bytes();
            serde_json::from_slice(&bytes).unwrap()
        };
        let definition = serde_yaml::from_str(gwlock_testkit::REMEDIATION_REQUESTS).unwrap();
        let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        send("POST", definitions, &definition).await;
        let namespace = json!({"metadata": {"name": NAMESPACE}});
        send("POST", "/api/v1/namespaces", &namespace).await;

        let folder = tempfile::tempdir().unwrap();
        let token = folder.path().join("token");
        fs::write(&token, credentials.token("old").unwrap()).unwrap();
        let mut kubeconfig: Value = serde_json::from_str(serving.kubeconfig()).unwrap();
        let user = json!({"tokenFile": token});
        for entry in kubeconfig["users"].as_array_mut().unwrap() {
            entry["user"] = user.clone();
        }
        let path = folder.path().join("kubeconfig");
        fs::write(&path, kubeconfig.to_string()).unwrap();

        let replica = Replica::start(&path, &[]);
        assert_eq!(replica.send("object").await, Some(201));
        // As the kubelet does it: a new file takes the place of the old one.
        let next = folder.path().join("next");
        fs::write(&next, credentials.token("new").unwrap()).unwrap();
        fs::rename(&next, &token).unwrap();
        revoked.store(true, Ordering::SeqCst);
        assert_eq!(
            replica.send("object").await,
            Some(500),
            "the old one is revoked"
        );
        let began = Instant::now();
        let mut ticks = tokio::time::interval(Duration::from_millis(500));
        loop {
            ticks.tick().await;
            match replica.send("object").await {
                Some(202) => break,
                answer => assert_eq!(answer, Some(500)),
            }
            assert!(began.elapsed() < PATIENCE, "it still shows the old one");
        }
        assert_eq!(replica.send("object").await, Some(202));
        let list = send("GET", &requests(), &Value::Null).await;
        assert_eq!(counts(&list), [3]);
    });
}
