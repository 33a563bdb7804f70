//! Replicas of `gwlock serve` as processes, and the namespace of a real cluster in which they work.
//!
//! No expectations are here.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use gwlock_engine::client::transport;
use gwlock_engine::protocol::key::Fingerprint;
use gwlock_testkit::{ControlPlane, User};
use http::{Method, Request};
use jiff::{SignedDuration, Timestamp};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio::time::{sleep, timeout};

use crate::definition::serve_remediation_requests;
use crate::exchange::{Answer, get, post};

/// Where Alertmanager sends.
pub(super) const ROUTE: &str = "/api/v1/signals/prometheus";
/// Where forwarders of events send.
pub(super) const EVENT_ROUTE: &str = "/api/v1/signals/kubernetes-event";

/// After this long a test gives up, whatever it waits for.
pub(super) const PATIENCE: Duration = Duration::from_secs(90);

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
    probes: String,
    metrics: String,
    log: Arc<Mutex<Vec<String>>>,
}

/// What became of signals that were sent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) created: usize,
    pub(super) duplicate: usize,
    /// Answered with something else.
    pub(super) failed: usize,
    /// Not answered: they may have been counted.
    pub(super) lost: usize,
}

impl World {
    pub(super) async fn new(control_plane: &ControlPlane) -> Self {
        let namespace = control_plane.namespace().await;
        let world = Self {
            client: transport::connect(control_plane.config(User::Admin, &namespace)).unwrap(),
            kubeconfig: control_plane.kubeconfig(User::Admin, &namespace).unwrap(),
            namespace,
        };
        serve_remediation_requests(&world.client).await;
        world.manage(&world.namespace).await;
        world.pods(["api"]).await;
        world
    }

    /// A request to the API server that has to succeed.
    pub(super) async fn call(&self, method: Method, path: &str, body: &Value) -> Value {
        let content_type = if method == Method::PATCH {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", content_type)
            .body(body.to_string().into_bytes())
            .unwrap();
        self.client.request(request).await.unwrap()
    }

    /// Puts the label that makes a namespace's objects managed.
    pub(super) async fn manage(&self, namespace: &str) {
        let label = json!({"metadata": {"labels": {"kubernaut.ai/managed": "true"}}});
        let path = format!("/api/v1/namespaces/{namespace}");
        self.call(Method::PATCH, &path, &label).await;
    }

    /// Makes pods that nobody controls.
    pub(super) async fn pods(&self, names: impl IntoIterator<Item = impl Into<String>>) {
        let path = format!("/api/v1/namespaces/{}/pods", self.namespace);
        let path = path.as_str();
        join_all(names.into_iter().map(|name| async move {
            let pod = json!({
                "metadata": {"name": name.into()}, "spec": {"containers": [{"name": "c", "image": "i"}]}
            });
            self.call(Method::POST, path, &pod).await
        }))
        .await;
    }

    pub(super) fn requests_path(&self) -> String {
        let namespace = &self.namespace;
        format!("/apis/kubernaut.ai/v1alpha1/namespaces/{namespace}/remediationrequests")
    }

    pub(super) fn leases_path(&self) -> String {
        let namespace = &self.namespace;
        format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases")
    }

    pub(super) async fn try_requests(&self) -> Option<Vec<Value>> {
        let list = Request::get(self.requests_path()).body(Vec::new()).unwrap();
        let list: Value = self.client.request(list).await.ok()?;
        list["items"].as_array().cloned()
    }

    /// Every RemediationRequest.
    pub(super) async fn requests(&self) -> Vec<Value> {
        self.try_requests().await.unwrap()
    }

    /// The occurrence counts of all RemediationRequests.
    pub(super) async fn counts(&self) -> Vec<usize> {
        self.requests().await.iter().map(count).collect()
    }

    /// Writes into a status as the orchestrator does.
    pub(super) async fn orchestrate(&self, name: &str, status: Value) {
        let path = format!("{}/{name}/status", self.requests_path());
        let status = json!({"status": status});
        self.call(Method::PATCH, &path, &status).await;
    }

    pub(super) async fn lease_list(&self) -> Vec<Value> {
        let list = Request::get(self.leases_path()).body(Vec::new()).unwrap();
        let list: Value = self.client.request(list).await.unwrap();
        list["items"].as_array().unwrap().clone()
    }

    /// The names of all leases.
    pub(super) async fn lease_names(&self) -> Vec<String> {
        let leases = self.lease_list().await;
        let name = |lease: &Value| lease["metadata"]["name"].as_str().unwrap().to_owned();
        leases.iter().map(name).collect()
    }

    pub(super) async fn leases(&self) -> usize {
        self.lease_names().await.len()
    }

    /// Waits for the releases, which no answer waits for.
    pub(super) async fn until_no_lease_is_left(&self) {
        until("no lease is left", async || self.leases().await == 0).await;
    }

    /// The fingerprint of an object of this namespace.
    pub(super) fn fingerprint(&self, kind: &str, name: &str) -> Fingerprint {
        Fingerprint::of(&format!("{}:{kind}:{name}", self.namespace))
    }

    /// A replica with every right, to which everybody may send.
    pub(super) fn replica(&self, name: &str) -> Replica {
        self.start(name, self.kubeconfig.path(), &["--auth", "none"])
    }

    /// Three of them.
    pub(super) fn replicas(&self) -> [Replica; 3] {
        ["a", "b", "c"].map(|name| self.replica(name))
    }

    /// A replica of one's own making.
    pub(super) fn start(&self, name: &str, kubeconfig: &Path, arguments: &[&str]) -> Replica {
        let anywhere = "127.0.0.1:0";
        let mut child = Command::new(env!("CARGO_BIN_EXE_gwlock"))
            .args(["serve", "--bind-address", anywhere])
            .args(["--health-probe-bind-address", anywhere])
            .args(["--metrics-bind-address", anywhere])
            .args(["--shutdown-delay", "0s", "--identity", name])
            .args(arguments)
            .env("KUBECONFIG", kubeconfig)
            .env_remove("POD_NAMESPACE")
            .env_remove("KUBERNAUT_CONTROLLER_NAMESPACE")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = child.stderr.take().unwrap();
        let mut lines = BufReader::new(stderr).lines();
        let mut address = |what: &str| {
            let line = lines.next().unwrap().unwrap();
            let address = line.strip_prefix(&format!("serving {what} on "));
            address.unwrap_or_else(|| panic!("{line}")).to_owned()
        };
        let [url, probes, metrics] = ["signals", "probes", "metrics"].map(&mut address);
        let log = Arc::new(Mutex::new(Vec::new()));
        let written = log.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                written.lock().unwrap().push(line);
            }
        });
        Replica {
            child,
            url,
            probes,
            metrics,
            log,
        }
    }

    /// An alert about a pod of this namespace.
    pub(super) fn alert(&self, name: &str, pod: &str) -> Value {
        let since = Timestamp::now() - SignedDuration::from_mins(1);
        json!({
            "status": "firing", "startsAt": since,
            "labels": {
                "alertname": name, "severity": "critical", "namespace": self.namespace, "pod": pod,
            },
        })
    }

    /// One alert so many times at once, to the replicas in turn.
    pub(super) async fn storm(&self, replicas: &[Replica], times: usize) -> Tally {
        let alert = self.alert("HighCPU", "api");
        Tally::of(&spread(replicas, vec![alert; times]).await)
    }
}

/// Each alert on its own, all at once, to the replicas in turn.
pub(super) async fn spread(
    replicas: &[Replica],
    alerts: impl IntoIterator<Item = Value>,
) -> Vec<Option<Answer>> {
    let sent = alerts.into_iter().enumerate().map(|(number, alert)| {
        let replica = &replicas[number % replicas.len()];
        async move { replica.try_post(ROUTE, webhook(&[alert])).await }
    });
    join_all(sent).await
}

/// The body of Alertmanager's webhook.
pub(super) fn webhook(alerts: &[Value]) -> Bytes {
    json!({"version": "4", "alerts": alerts}).to_string().into()
}

/// The statuses, sorted; 0 for no answer.
pub(super) fn statuses(answers: &[Option<Answer>]) -> Vec<u16> {
    let status = |answer: &Option<Answer>| answer.as_ref().map_or(0, |answer| answer.status);
    let mut statuses: Vec<u16> = answers.iter().map(status).collect();
    statuses.sort_unstable();
    statuses
}

/// The occurrence count of a RemediationRequest; 0 where none stands.
pub(super) fn count(request: &Value) -> usize {
    let count = request["status"]["deduplication"]["occurrenceCount"].as_u64();
    usize::try_from(count.unwrap_or(0)).unwrap()
}

/// Waits for a condition that comes by itself.
pub(super) async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let waiting = async {
        while !holds().await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(
        timeout(PATIENCE, waiting).await.is_ok(),
        "waited for: {what}"
    );
}

impl Tally {
    pub(super) fn of(answers: &[Option<Answer>]) -> Self {
        let mut tally = Self::default();
        for answer in answers {
            *match answer.as_ref().map(|answer| answer.status) {
                Some(201) => &mut tally.created,
                Some(202) => &mut tally.duplicate,
                Some(_) => &mut tally.failed,
                None => &mut tally.lost,
            } += 1;
        }
        tally
    }

    /// How many stand in a count for certain.
    pub(super) fn answered(&self) -> usize {
        self.created + self.duplicate
    }

    /// How many may stand in a count.
    pub(super) fn unanswered(&self) -> usize {
        self.failed + self.lost
    }
}

impl Replica {
    pub(super) fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Stops it as a frozen node does, and waits until it stands still.
    pub(super) async fn stop(&self) {
        self.send(Signal::STOP);
        until("the process stands still", async || self.state() == "T").await;
    }

    fn state(&self) -> String {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let (_, state) = stat.rsplit_once(") ").unwrap();
        state.split(' ').next().unwrap().to_owned()
    }

    /// The most memory that it ever had, in kB.
    pub(super) fn most_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let words: Vec<&str> = line.unwrap().split_whitespace().collect();
        words[1].parse().unwrap()
    }

    /// Ends it as a cluster does, and says how it ended.
    pub(super) fn end(mut self) -> Option<i32> {
        self.send(Signal::TERM);
        self.child.wait().unwrap().code()
    }

    /// Waits until it has said all of these words. What it says before an answer arrives after it.
    pub(super) async fn until_it_says(&self, words: &[&str]) {
        until(&format!("{words:?} in the log"), async || {
            words.iter().all(|words| self.log().contains(words))
        })
        .await;
    }

    /// What it has said since it serves.
    pub(super) fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// Sends a body on a connection of its own. `None` is no answer.
    pub(super) async fn try_post(&self, route: &str, body: impl Into<Bytes>) -> Option<Answer> {
        post(&format!("{}{route}", self.url), body).await
    }

    pub(super) async fn post(&self, route: &str, body: impl Into<Bytes>) -> Answer {
        let answer = self.try_post(route, body).await;
        answer.expect("it answers")
    }

    pub(super) async fn alerts(&self, alerts: &[Value]) -> Answer {
        self.post(ROUTE, webhook(alerts)).await
    }

    pub(super) async fn alert(&self, alert: &Value) -> Answer {
        self.alerts(std::slice::from_ref(alert)).await
    }

    /// The status of a probe.
    pub(super) async fn probe(&self, path: &str) -> u16 {
        get(&format!("{}{path}", self.probes)).await.status
    }

    pub(super) async fn metrics(&self) -> String {
        get(&format!("{}/metrics", self.metrics)).await.text
    }

    /// The sum of all series with this name, or the one series with these labels; 0 where there is none.
    pub(super) async fn metric(&self, series: &str) -> u64 {
        let metrics = self.metrics().await;
        let own = metrics.lines().filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            let of_name = name.split('{').next() == Some(series);
            (name == series || of_name).then(|| value.parse::<u64>().unwrap())
        });
        own.sum()
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The sum of a metric over replicas.
pub(super) async fn sum(replicas: &[Replica], series: &str) -> u64 {
    let all = replicas.iter().map(|replica| replica.metric(series));
    join_all(all).await.into_iter().sum()
}
