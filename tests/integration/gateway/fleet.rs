//! Replicas on one embedded API server, whose routes are called without a network. No expectations are here.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use futures_util::future::join_all;
use gwlock::gateway::GatewayVersion::Current;
use gwlock::gateway::ingest::Ingestion;
use gwlock::gateway::kinds::served::ServedKinds;
use gwlock::gateway::server::audit::Audit;
use gwlock::gateway::server::metrics::Metrics;
use gwlock::gateway::server::{Authenticator, EVENT_PATH, Limits, PROMETHEUS_PATH, Parts, Server};
use gwlock_engine::client::TokioClock;
use gwlock_engine::remediation::SignalProcessor;
use http::Request;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, ListParams, Patch, PatchParams};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::cluster::Cluster;

/// Where leases and RemediationRequests are.
pub(crate) const LOCKS: &str = "kubernaut-system";

/// Replicas of one cluster.
pub(crate) struct Fleet {
    pub(crate) cluster: Cluster,
    replicas: Vec<Replica>,
}

struct Replica {
    routes: Router,
    server: Server,
    metrics: Arc<Metrics>,
    audit: Lines,
}

/// What is different from the usual.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Options {
    pub(crate) authenticated: bool,
    pub(crate) limits: Option<Limits>,
}

/// Text that is written by one and read by another.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Fleet {
    /// Replicas on a cluster whose namespace `prod` is managed.
    pub(crate) async fn new(replicas: usize) -> Self {
        Self::with(Cluster::new().await, replicas, Options::default()).await
    }

    pub(crate) async fn with(cluster: Cluster, replicas: usize, options: Options) -> Self {
        cluster.serve_remediation_requests().await;
        cluster
            .post("/api/v1/namespaces", &json!({"metadata": {"name": LOCKS}}))
            .await;
        let managed =
            json!({"metadata": {"name": "shop", "labels": {"kubernaut.ai/managed": "true"}}});
        cluster.post("/api/v1/namespaces", &managed).await;
        let kinds = cluster.kinds().await;
        let limits = options.limits.unwrap_or_default();
        let replicas = (0..replicas).map(|number| {
            let (metrics, audit) = (Arc::new(Metrics::default()), Lines::default());
            let record = Arc::new(Audit::to(Box::new(audit.clone())));
            let observer = {
                let (metrics, record) = (metrics.clone(), record.clone());
                Arc::new(move |traced: &_| {
                    metrics.observe(traced);
                    record.observe(traced);
                })
            };
            let base = format!("gateway-{number}");
            let processor = SignalProcessor::builder(cluster.client(), LOCKS, LOCKS, base)
                .clock(Arc::new(TokioClock::starting_at(Cluster::now())))
                .budget(limits.signal())
                .observer(observer)
                .build();
            let server = Server::new(Parts {
                ingestion: Ingestion::new(Current, kinds.clone(), cluster.objects()),
                processor: Arc::new(processor),
                kinds: Arc::new(ServedKinds::new(cluster.client(), kinds.clone())),
                scope: Some(cluster.objects()),
                authenticator: options
                    .authenticated
                    .then(|| Authenticator::new(cluster.client(), LOCKS)),
                client: cluster.client(),
                metrics: metrics.clone(),
                audit: record,
                limits,
            });
            Replica {
                routes: server.api(),
                server,
                metrics,
                audit,
            }
        });
        let replicas = replicas.collect();
        Self { cluster, replicas }
    }

    /// A request to one replica.
    pub(crate) async fn call(&self, replica: usize, request: Request<Body>) -> (u16, Value) {
        let routes = self.replicas[replica % self.replicas.len()].routes.clone();
        let response = routes.oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (
            status,
            serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        )
    }

    pub(crate) async fn webhook(&self, replica: usize, alerts: &[Value]) -> (u16, Value) {
        let body = json!({"version": "4", "alerts": alerts}).to_string();
        self.call(replica, post(PROMETHEUS_PATH, body)).await
    }

    pub(crate) async fn event(&self, replica: usize, event: &Value) -> (u16, Value) {
        self.call(replica, post(EVENT_PATH, event.to_string()))
            .await
    }

    /// The statuses of these alerts, each sent on its own, all at once, to the replicas in turn. Sorted.
    pub(crate) async fn storm(&self, alerts: impl IntoIterator<Item = Value>) -> Vec<u16> {
        let alerts: Vec<[Value; 1]> = alerts.into_iter().map(|alert| [alert]).collect();
        let sent = alerts.iter().enumerate();
        let answers = join_all(sent.map(|(replica, alert)| self.webhook(replica, alert))).await;
        let mut statuses: Vec<u16> = answers.into_iter().map(|(status, _)| status).collect();
        statuses.sort_unstable();
        statuses
    }

    /// A probe of the first replica.
    pub(crate) async fn readiness(&self) -> u16 {
        let request = Request::get("/readyz").body(Body::empty()).unwrap();
        let probes = self.replicas[0].server.probes();
        probes.oneshot(request).await.unwrap().status().as_u16()
    }

    /// The first replica's routes, to serve them on a socket.
    pub(crate) fn routes(&self) -> Router {
        self.replicas[0].routes.clone()
    }

    pub(crate) fn drain(&self) {
        self.replicas[0].server.drain();
    }

    /// What `/metrics` of the first replica answers: the value of every sample, by its name with its labels.
    pub(crate) async fn scrape(&self) -> BTreeMap<String, String> {
        let request = Request::get("/metrics").body(Body::empty()).unwrap();
        let response = self.replicas[0]
            .server
            .metrics()
            .oneshot(request)
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        samples
            .filter_map(|line| line.rsplit_once(' '))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// A replica as a process runs it beside its routes.
    pub(crate) fn server(&self) -> Server {
        self.replicas[0].server.clone()
    }

    pub(crate) fn metrics(&self) -> String {
        self.replicas[0].metrics.text().unwrap()
    }

    /// What the first replica recorded.
    pub(crate) fn audit(&self) -> Vec<Value> {
        let lines = self.replicas[0].audit.0.lock().unwrap().clone();
        let lines = String::from_utf8(lines).unwrap();
        lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Every RemediationRequest, sorted by fingerprint and name.
    pub(crate) async fn requests(&self) -> Vec<Value> {
        let list = self.api().list(&ListParams::default()).await.unwrap();
        let mut requests: Vec<Value> = list
            .items
            .into_iter()
            .map(|request| serde_json::to_value(request).unwrap())
            .collect();
        requests.sort_by_key(|request| {
            (
                request["spec"]["signalFingerprint"].to_string(),
                request["metadata"]["name"].to_string(),
            )
        });
        requests
    }

    /// The occurrence counts of all requests.
    pub(crate) async fn counts(&self) -> Vec<i64> {
        let requests = self.requests().await;
        let count =
            |request: &Value| request["status"]["deduplication"]["occurrenceCount"].as_i64();
        requests
            .iter()
            .map(|request| count(request).unwrap_or(0))
            .collect()
    }

    /// How many leases there are, once every replica has released its own.
    pub(crate) async fn leases(&self) -> usize {
        for replica in &self.replicas {
            replica.server.settled().await;
        }
        let leases: Api<k8s_openapi::api::coordination::v1::Lease> =
            Api::namespaced(self.cluster.client(), LOCKS);
        leases
            .list(&ListParams::default())
            .await
            .unwrap()
            .items
            .len()
    }

    /// The orchestrator writes a status.
    pub(crate) async fn orchestrate(&self, name: &str, status: Value) {
        let patch = Patch::Merge(json!({"status": status}));
        self.api()
            .patch_status(name, &PatchParams::default(), &patch)
            .await
            .unwrap();
    }

    /// The RemediationRequests, for whoever writes them in another way.
    pub(crate) fn api(&self) -> Api<DynamicObject> {
        let resource = ApiResource {
            group: "kubernaut.ai".to_owned(),
            version: "v1alpha1".to_owned(),
            api_version: "kubernaut.ai/v1alpha1".to_owned(),
            kind: "RemediationRequest".to_owned(),
            plural: "remediationrequests".to_owned(),
        };
        Api::namespaced_with(self.cluster.client(), LOCKS, &resource)
    }
}

pub(crate) fn post(path: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::post(path).header("content-type", "application/json");
    request.body(body.into()).unwrap()
}

/// A firing alert about a pod of the namespace that is managed. The pod has to exist.
pub(crate) fn alert(name: &str, pod: &str) -> Value {
    json!({
        "status": "firing", "startsAt": "2026-11-23T08:59:00Z",
        "labels": {"alertname": name, "severity": "warning", "namespace": "shop", "pod": pod},
    })
}
