//! Blocks of signals through one protocol: what is sent, and what came of it. Nothing is compared here.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use gwlock::gateway::GatewayVersion;
use gwlock::gateway::ingest::Ingestion;
use gwlock::sim::protocols::gateway::{GatewaySignals, Place};
use gwlock_engine::client::{SystemClock, transport};
use gwlock_engine::remediation::{Signal, SignalProcessor};
use gwlock_testkit::{ControlPlane, REMEDIATION_REQUESTS, User};
use http::Request;
use jiff::Timestamp;
use kube::client::Body;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// What is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) name: &'static str,
    /// The ratio to reach.
    pub(crate) target: f64,
    pub(crate) signals: usize,
    pub(crate) fingerprints: usize,
    pub(crate) pods: usize,
    /// How many signals a pod has under way.
    pub(crate) at_once: usize,
    /// Whether each fingerprint has an active RemediationRequest before.
    pub(crate) exist: bool,
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block {
    signals: usize,
    answered: usize,
    counted: usize,
    requests: usize,
    took: Duration,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Protocol {
    Gwlock,
    Gateway,
}

enum Pods {
    Ours(Vec<SignalProcessor>),
    Theirs(Vec<GatewaySignals>),
}

/// A real cluster, and connections to it that both protocols use.
pub(crate) struct Cluster {
    control_plane: &'static ControlPlane,
    client: kube::Client,
    /// Each block has one of its own: a list looks at every request of a namespace.
    namespace: String,
    requests: Arc<AtomicUsize>,
    blocks: usize,
}

impl Pods {
    async fn process(&self, pod: usize, signal: &Signal) -> bool {
        match self {
            Self::Ours(pods) => pods[pod].process(signal.clone()).await.is_ok(),
            Self::Theirs(pods) => pods[pod].process(signal).await.is_ok(),
        }
    }
}

// Numbers of signals and requests are far below what a float holds exactly.
impl Block {
    /// Signals per second, those that failed included.
    pub(crate) fn rate(&self) -> f64 {
        self.signals as f64 / self.took.as_secs_f64()
    }

    pub(crate) fn requests_per_signal(&self) -> f64 {
        self.requests as f64 / self.signals as f64
    }

    /// Answered and not counted.
    pub(crate) fn lost(&self) -> f64 {
        self.answered.saturating_sub(self.counted) as f64
    }
}

impl Cluster {
    pub(crate) async fn new(control_plane: &'static ControlPlane) -> Self {
        let namespace = control_plane.namespace().await;
        let config = control_plane.config(User::Admin, &namespace);
        let inner = transport::connect(config).unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = requests.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            counted.fetch_add(1, Ordering::Relaxed);
            let inner = inner.clone();
            async move { inner.send(request).await }
        });
        let cluster = Self {
            control_plane,
            client: kube::Client::new(service, namespace.clone()),
            namespace,
            requests,
            blocks: 0,
        };
        let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        let definition = Request::post(definitions)
            .header("content-type", "application/yaml")
            .body(Body::from(REMEDIATION_REQUESTS.as_bytes().to_vec()))
            .unwrap();
        let code = cluster.client.send(definition).await.unwrap().status();
        assert_eq!(code, 201);
        while cluster.list().await.is_none() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        cluster
    }

    /// A block of this load through one protocol.
    pub(crate) async fn run(&mut self, load: Load, protocol: Protocol) -> Block {
        let signals = Arc::new(self.prepare(load).await);
        let pods = Arc::new(self.pods(load, protocol));
        let requests = self.requests.load(Ordering::Relaxed);
        let started = Instant::now();
        let answered = send(load, &signals, &pods).await;
        if let Pods::Ours(pods) = &*pods {
            for pod in pods {
                pod.settled().await;
            }
        }
        let took = started.elapsed();
        let requests = self.requests.load(Ordering::Relaxed) - requests;
        let counted = self.counted(&signals).await;
        Block {
            signals: load.signals,
            answered,
            counted: counted - if load.exist { load.fingerprints } else { 0 },
            requests,
            took,
        }
    }

    fn pods(&self, load: Load, protocol: Protocol) -> Pods {
        let (client, namespace) = (&self.client, &self.namespace);
        let names = (0..load.pods).map(|pod| format!("pod-{pod}"));
        match protocol {
            Protocol::Gwlock => Pods::Ours(
                names
                    .map(|name| {
                        SignalProcessor::builder(client.clone(), namespace, namespace, name).build()
                    })
                    .collect(),
            ),
            Protocol::Gateway => Pods::Theirs(
                names
                    .enumerate()
                    .map(|(pod, name)| {
                        let place = Place {
                            locks: namespace,
                            requests: namespace,
                            pod: Some(&name),
                        };
                        let rng = StdRng::seed_from_u64(pod as u64);
                        GatewaySignals::new(client.clone(), place, Arc::new(SystemClock), rng)
                    })
                    .collect(),
            ),
        }
    }

    /// Signals that nobody has sent before, and requests for them where there are to be some.
    async fn prepare(&mut self, load: Load) -> Vec<Signal> {
        self.namespace = self.control_plane.namespace().await;
        self.blocks += 1;
        let block = self.blocks;
        let signals = (0..load.fingerprints).map(|number| signal(format!("app-{block}-{number}")));
        let signals = join_all(signals).await;
        if load.exist {
            let exist = signals.iter().map(async |signal| {
                let (namespace, client) = (&self.namespace, self.client.clone());
                let first = SignalProcessor::builder(client, namespace, namespace, "first").build();
                drop(first.process(signal.clone()).await.unwrap());
                first.settled().await;
            });
            join_all(exist).await;
        }
        signals
    }

    /// The sum of the counts of these signals' requests.
    async fn counted(&self, signals: &[Signal]) -> usize {
        let requests = self.list().await.unwrap();
        let is_sent = |request: &&Value| {
            let fingerprint = request["spec"]["signalFingerprint"].as_str();
            let mut sent = signals.iter();
            sent.any(|signal| Some(signal.fingerprint().as_str()) == fingerprint)
        };
        let count = |request: &Value| {
            let count = &request["status"]["deduplication"]["occurrenceCount"];
            usize::try_from(count.as_u64().unwrap_or(0)).unwrap()
        };
        requests.iter().filter(is_sent).map(count).sum()
    }

    async fn list(&self) -> Option<Vec<Value>> {
        let namespace = &self.namespace;
        let path =
            format!("/apis/kubernaut.ai/v1alpha1/namespaces/{namespace}/remediationrequests");
        let list = Request::get(path).body(Vec::new()).unwrap();
        let list: Value = self.client.request(list).await.ok()?;
        list["items"].as_array().cloned()
    }
}

/// Sends the signals to the pods in turn, and says how many were answered with success. Each pod has so many senders,
/// and each of these sends one after the other.
async fn send(load: Load, signals: &Arc<Vec<Signal>>, pods: &Arc<Pods>) -> usize {
    let mut senders = JoinSet::new();
    let all = load.pods * load.at_once;
    for first in 0..all {
        let (signals, pods) = (signals.clone(), pods.clone());
        senders.spawn(async move {
            let mut answered = 0;
            for number in (first..load.signals).step_by(all) {
                let signal = &signals[number % signals.len()];
                answered += usize::from(pods.process(number % load.pods, signal).await);
            }
            answered
        });
    }
    senders.join_all().await.into_iter().sum()
}

async fn signal(deployment: String) -> Signal {
    let now = Timestamp::now();
    let body = json!({"version": "4", "alerts": [{
        "status": "firing", "startsAt": now.to_string(),
        "labels": {
            "alertname": "HighCPU", "severity": "critical", "namespace": "prod", "deployment": deployment,
        },
    }]});
    let ingestion = Ingestion::offline(GatewayVersion::Current);
    let webhook = ingestion
        .webhook(body.to_string().into_bytes(), None, now)
        .unwrap();
    let signal = ingestion.alert(&webhook, &webhook.alerts[0], now).await;
    signal.unwrap()
}
