//! Replicas as processes: one alert over several of them, and what is left when one is killed.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::future::join_all;
use gwlock_engine::client::transport;
use gwlock_testkit::{ControlPlane, REMEDIATION_REQUESTS, User, control_plane};
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use kube::client::Body;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

pub(super) const ROUTE: &str = "/api/v1/signals/prometheus";

/// A namespace of a real cluster with a pod to complain about, which is managed.
pub(super) struct World {
    pub(super) client: kube::Client,
    pub(super) namespace: String,
    pub(super) kubeconfig: NamedTempFile,
}

/// A process of `gwlock serve`; killed when it is dropped.
pub(super) struct Replica {
    child: Child,
    pub(super) url: String,
}

/// What became of signals that were sent.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    created: usize,
    duplicate: usize,
    /// Answered with something else.
    failed: usize,
    /// Not answered: they may have been counted.
    lost: usize,
}

impl World {
    pub(super) async fn new(control_plane: &ControlPlane) -> Self {
        let namespace = control_plane.namespace().await;
        let world = Self {
            client: transport::connect(control_plane.config(User::Admin, &namespace)).unwrap(),
            kubeconfig: control_plane.kubeconfig(User::Admin, &namespace).unwrap(),
            namespace,
        };
        let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        let definition = Request::post(definitions)
            .header("content-type", "application/yaml")
            .body(Body::from(REMEDIATION_REQUESTS.as_bytes().to_vec()))
            .unwrap();
        // Another test may have defined them.
        let code = world.client.send(definition).await.unwrap().status();
        assert!(code == 201 || code == 409, "{code}");
        while world.try_requests().await.is_none() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let namespace = &world.namespace;
        let label = json!({"metadata": {"labels": {"kubernaut.ai/managed": "true"}}});
        let label = Request::patch(format!("/api/v1/namespaces/{namespace}"))
            .header("content-type", "application/merge-patch+json")
            .body(label.to_string().into_bytes());
        let _: Value = world.client.request(label.unwrap()).await.unwrap();
        let pod = json!({
            "metadata": {"name": "api"}, "spec": {"containers": [{"name": "api", "image": "api"}]}
        });
        let pod = Request::post(format!("/api/v1/namespaces/{namespace}/pods"))
            .header("content-type", "application/json")
            .body(pod.to_string().into_bytes());
        let _: Value = world.client.request(pod.unwrap()).await.unwrap();
        world
    }

    pub(super) async fn try_requests(&self) -> Option<Vec<Value>> {
        let namespace = &self.namespace;
        let path =
            format!("/apis/kubernaut.ai/v1alpha1/namespaces/{namespace}/remediationrequests");
        let list = Request::get(path).body(Vec::new()).unwrap();
        let list: Value = self.client.request(list).await.ok()?;
        list["items"].as_array().cloned()
    }

    /// The occurrence counts of all RemediationRequests.
    pub(super) async fn counts(&self) -> Vec<usize> {
        let requests = self.try_requests().await.unwrap();
        let count = |request: &Value| {
            let count = &request["status"]["deduplication"]["occurrenceCount"];
            usize::try_from(count.as_u64().unwrap()).unwrap()
        };
        requests.iter().map(count).collect()
    }

    async fn leases(&self) -> usize {
        let namespace = &self.namespace;
        let path = format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases");
        let list = Request::get(path).body(Vec::new()).unwrap();
        let list: Value = self.client.request(list).await.unwrap();
        list["items"].as_array().unwrap().len()
    }

    fn replica(&self, name: &str) -> Replica {
        Replica::start(self.kubeconfig.path(), name, &["--auth", "none"])
    }

    /// One alert so many times at once, to the replicas in turn.
    async fn storm(&self, replicas: &[Replica], times: usize) -> Tally {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let alert = json!({
            "status": "firing", "startsAt": "2026-11-23T08:59:00Z",
            "labels": {
                "alertname": "HighCPU", "severity": "critical", "namespace": self.namespace, "pod": "api",
            },
        });
        let body = json!({"version": "4", "alerts": [alert]}).to_string();
        let answers = join_all((0..times).map(|number| {
            let url = &replicas[number % replicas.len()].url;
            let request = Request::post(format!("{url}{ROUTE}"))
                .header("content-type", "application/json")
                .body(Full::new(bytes::Bytes::from(body.clone())))
                .unwrap();
            let client = client.clone();
            async move {
                let response = client.request(request).await.ok()?;
                let status = response.status();
                response.into_body().collect().await.ok()?;
                Some(status)
            }
        }));
        let mut tally = Tally::default();
        for answer in answers.await {
            *match answer {
                Some(StatusCode::CREATED) => &mut tally.created,
                Some(StatusCode::ACCEPTED) => &mut tally.duplicate,
                Some(_) => &mut tally.failed,
                None => &mut tally.lost,
            } += 1;
        }
        tally
    }
}

impl Replica {
    /// With these arguments beside the usual ones; `url` says where it listens.
    pub(super) fn start(kubeconfig: &Path, name: &str, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gwlock"))
            .args(["serve", "--bind-address", "127.0.0.1:0"])
            .args([
                "--health-probe-bind-address",
                "0",
                "--metrics-bind-address",
                "0",
            ])
            .args(["--shutdown-delay", "0s", "--identity", name])
            .args(more)
            .env("KUBECONFIG", kubeconfig)
            .env_remove("POD_NAMESPACE")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = child.stderr.take().unwrap();
        let mut lines = BufReader::new(stderr).lines();
        let line = lines.next().unwrap().unwrap();
        let url = line.strip_prefix("serving signals on ");
        let url = url.unwrap_or_else(|| panic!("{line}")).to_owned();
        // What it says later has to go somewhere.
        std::thread::spawn(move || lines.count());
        Self { child, url }
    }

    pub(super) fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Ends it as a cluster does, and says how it ended.
    fn end(mut self) -> Option<i32> {
        self.send(Signal::TERM);
        self.child.wait().unwrap().code()
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_of_one_alert_over_three_replicas_are_one_request_counted_a_hundred() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let replicas = ["a", "b", "c"].map(|name| world.replica(name));
    let tally = world.storm(&replicas, 100).await;
    assert_eq!(
        tally,
        Tally {
            created: 1,
            duplicate: 99,
            ..Tally::default()
        }
    );
    assert_eq!(world.counts().await, [100]);
    for replica in replicas {
        assert_eq!(replica.end(), Some(0));
    }
    assert_eq!(world.leases().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_is_killed_loses_nothing_that_was_answered() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let replicas = ["a", "b", "c"].map(|name| world.replica(name));
    let first = world.storm(&replicas[1..], 1).await;
    assert_eq!(first.created, 1);
    let victim = async {
        while world.counts().await == [1] {}
        replicas[0].send(Signal::KILL);
    };
    let (tally, ()) = tokio::join!(world.storm(&replicas, 300), victim);
    assert_eq!((tally.created, tally.failed), (0, 0), "{tally:?}");
    let answered = first.created + tally.duplicate;
    let [count] = world.counts().await.try_into().unwrap();
    assert!(
        (answered..=answered + tally.lost).contains(&count),
        "{count} with {tally:?}"
    );
    // What was not answered is sent again, to those that are left.
    let again = world.storm(&replicas[1..], tally.lost).await;
    assert_eq!(again.duplicate, tally.lost);
    assert_eq!(world.counts().await, [count + tally.lost]);
}
