//! An embedded API server, pods of both kinds on it, and an orchestrator. No expectations are here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gwlock::sim::protocols::gateway::{GatewaySignals, Place, Reply};
use gwlock_apiserver::access::{Authentication, UserInfo};
use gwlock_apiserver::faults::{Action, Fault};
use gwlock_apiserver::{ApiServer, TokioClock as ServerClock, Uids};
use gwlock_engine::client::TokioClock;
use gwlock_engine::protocol::key::Target;
use gwlock_engine::remediation::{
    Failure, Processed, RemediationRequestSpec, Signal, SignalProcessor, TargetResource, TargetType,
};
use http::Request;
use jiff::{SignedDuration, Timestamp};
use kube::client::Body;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use tower::Service;

pub(crate) const LOCKS: &str = "locks";
pub(crate) const REQUESTS: &str = "requests";

const ADMIN: &str = "admin";
const POD: &str = "pod";

pub(crate) struct World {
    pub(crate) server: ApiServer,
    clock: TokioClock,
    asked: Arc<Mutex<Vec<String>>>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let definition = serde_yaml::from_str(gwlock_testkit::REMEDIATION_REQUESTS).unwrap();
        Self::with(&definition, &["system:masters"]).await
    }

    /// Pods may do everything but write the status of a request.
    pub(crate) async fn without_the_right_to_count() -> Self {
        let definition = serde_yaml::from_str(gwlock_testkit::REMEDIATION_REQUESTS).unwrap();
        let world = Self::with(&definition, &[]).await;
        let rbac = "rbac.authorization.k8s.io";
        let rules = json!([
            {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["*"]},
            {"apiGroups": ["kubernaut.ai"], "resources": ["remediationrequests"], "verbs": ["*"]},
        ]);
        let role = json!({"metadata": {"name": POD}, "rules": rules});
        let path = format!("/apis/{rbac}/v1");
        world.post(&format!("{path}/clusterroles"), &role).await;
        let binding = json!({
            "metadata": {"name": POD},
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": POD},
            "subjects": [{"kind": "User", "name": POD, "apiGroup": rbac}],
        });
        let bindings = format!("{path}/clusterrolebindings");
        world.post(&bindings, &binding).await;
        world.asked();
        world
    }

    /// The fingerprint cannot be selected by.
    pub(crate) async fn of_an_old_cluster() -> Self {
        let mut definition: Value =
            serde_yaml::from_str(gwlock_testkit::REMEDIATION_REQUESTS).unwrap();
        let version = definition["spec"]["versions"][0].as_object_mut().unwrap();
        version.remove("selectableFields").unwrap();
        Self::with(&definition, &["system:masters"]).await
    }

    async fn with(definition: &Value, groups: &[&str]) -> Self {
        let start: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = asked.clone();
        let users = HashMap::from([
            (ADMIN.to_owned(), UserInfo::new(ADMIN, &["system:masters"])),
            (POD.to_owned(), UserInfo::new(POD, groups)),
        ]);
        let server = ApiServer::builder()
            .clock(Arc::new(ServerClock::starting_at(start)))
            .uids(Uids::seeded(1))
            .authentication(Authentication::Tokens(users))
            .observer(move |exchange| {
                if exchange.user != POD {
                    return;
                }
                let subresource = match exchange.subresource.as_str() {
                    "" => String::new(),
                    subresource => format!("/{subresource}"),
                };
                let (verb, resource) = (exchange.verb, &exchange.resource);
                let status = exchange.status.map_or("lost".to_owned(), |s| s.to_string());
                let line = format!("{verb} {resource}{subresource} {status}");
                seen.lock().unwrap().push(line);
            })
            .build();
        let world = Self {
            server,
            clock: TokioClock::starting_at(start),
            asked,
        };
        let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        world.post(definitions, definition).await;
        for namespace in [LOCKS, REQUESTS] {
            let namespace = json!({"metadata": {"name": namespace}});
            world.post("/api/v1/namespaces", &namespace).await;
        }
        world
    }

    /// What pods have asked since the last call.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    fn client(&self, user: &'static str) -> kube::Client {
        let server = self.server.clone();
        let service = tower::service_fn(move |mut request: Request<Body>| {
            let token = format!("Bearer {user}").parse().unwrap();
            request.headers_mut().insert("authorization", token);
            Service::call(&mut server.clone(), request)
        });
        kube::Client::new(service, REQUESTS)
    }

    /// A pod of the gateway, whose clock is ahead by so many seconds.
    pub(crate) fn gateway_ahead(&self, pod: Option<&str>, seconds: i64) -> GatewaySignals {
        let clock = self
            .clock
            .with_wall_offset(SignedDuration::from_secs(seconds));
        let place = Place {
            locks: LOCKS,
            requests: REQUESTS,
            pod,
        };
        let seed = pod.map_or(0, |pod| pod.bytes().map(u64::from).sum());
        let rng = StdRng::seed_from_u64(seed);
        GatewaySignals::new(self.client(POD), place, Arc::new(clock), rng)
    }

    pub(crate) fn gateway(&self, pod: &str) -> GatewaySignals {
        self.gateway_ahead(Some(pod), 0)
    }

    /// One signal through a pod of the gateway.
    pub(crate) async fn to_gateway(&self) -> Reply {
        let gateway = self.gateway("gateway-1");
        gateway.process(&signal()).await.unwrap()
    }

    /// A replica of ours, whose clock is ahead by so many seconds.
    pub(crate) fn replica_ahead(&self, name: &str, seconds: i64) -> SignalProcessor {
        let clock = self
            .clock
            .with_wall_offset(SignedDuration::from_secs(seconds));
        let seed = name.bytes().map(u64::from).sum();
        SignalProcessor::builder(self.client(POD), LOCKS, REQUESTS, name)
            .clock(Arc::new(clock))
            .rng(StdRng::seed_from_u64(seed))
            .build()
    }

    pub(crate) fn replica(&self, name: &str) -> SignalProcessor {
        self.replica_ahead(name, 0)
    }

    /// One signal through a replica of ours.
    pub(crate) async fn try_ours(&self) -> Result<Processed, Failure> {
        let replica = self.replica("replica-1");
        let processed = replica.process(signal()).await;
        replica.settled().await;
        processed
    }

    pub(crate) async fn to_us(&self) -> Processed {
        self.try_ours().await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, object: &Value) {
        self.admin("POST", path, "application/json", object).await;
    }

    async fn admin(&self, method: &str, path: &str, media_type: &str, body: &Value) -> Value {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", media_type)
            .body(body.to_string().into_bytes())
            .unwrap();
        self.client(ADMIN).request(request).await.unwrap()
    }

    /// Somebody's lease, written now.
    pub(crate) async fn lease_of(&self, holder: &str) {
        let now = gwlock_engine::client::Clock::wall(&self.clock);
        let now = now.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
        let lease = json!({
            "metadata": {"name": signal().fingerprint().lease_name().as_str()},
            "spec": {
                "holderIdentity": holder, "leaseDurationSeconds": 30, "acquireTime": now, "renewTime": now
            },
        });
        let path = format!("/apis/coordination.k8s.io/v1/namespaces/{LOCKS}/leases");
        self.post(&path, &lease).await;
    }

    pub(crate) async fn delete_lease(&self) {
        let name = signal().fingerprint().lease_name();
        let path = format!("/apis/coordination.k8s.io/v1/namespaces/{LOCKS}/leases/{name}");
        self.admin("DELETE", &path, "application/json", &json!({}))
            .await;
    }

    fn path(rest: &str) -> String {
        format!("/apis/kubernaut.ai/v1alpha1/namespaces/{REQUESTS}/remediationrequests{rest}")
    }

    /// Somebody's RemediationRequest for [`signal`].
    pub(crate) async fn request(&self, name: &str, status: Value) {
        let now = gwlock_engine::client::Clock::wall(&self.clock);
        let object = signal().to_object(REQUESTS, name, now);
        self.post(&Self::path(""), &object).await;
        if !status.is_null() {
            self.orchestrate(name, status).await;
        }
    }

    /// The orchestrator merges this into a status.
    pub(crate) async fn orchestrate(&self, name: &str, status: Value) {
        let path = Self::path(&format!("/{name}/status"));
        let patch = json!({"status": status});
        self.admin("PATCH", &path, "application/merge-patch+json", &patch)
            .await;
    }

    pub(crate) async fn delete(&self, name: &str) {
        let path = Self::path(&format!("/{name}"));
        self.admin("DELETE", &path, "application/json", &json!({}))
            .await;
    }

    /// Deletes it, but it stays for a finalizer.
    pub(crate) async fn begin_to_delete(&self, name: &str) {
        let path = Self::path(&format!("/{name}"));
        let patch = json!({"metadata": {"finalizers": ["kubernaut.ai/audit"]}});
        self.admin("PATCH", &path, "application/merge-patch+json", &patch)
            .await;
        self.delete(name).await;
    }

    pub(crate) async fn status(&self, name: &str) -> Value {
        let path = Self::path(&format!("/{name}"));
        let mut object = self
            .admin("GET", &path, "application/json", &json!({}))
            .await;
        object["status"].take()
    }

    /// Phase and count of every RemediationRequest, in the order of their names; no count is -1.
    pub(crate) async fn counts(&self) -> Vec<(String, i64)> {
        let list = self
            .admin("GET", &Self::path(""), "application/json", &json!({}))
            .await;
        let items = list["items"].as_array().unwrap().iter();
        let counts = items.map(|item| {
            let phase = item["status"]["overallPhase"].as_str().unwrap_or_default();
            let count = &item["status"]["deduplication"]["occurrenceCount"];
            (phase.to_owned(), count.as_i64().unwrap_or(-1))
        });
        counts.collect()
    }

    pub(crate) fn inject(&self, action: Action, verb: &str, resource: &str, times: u32) {
        // Only pods have trouble: whoever prepares the world must not use a fault up.
        let fault = Fault::new(action).user(POD).verb(verb);
        let fault = fault.resource(resource).times(times);
        self.server.faults().inject(fault);
    }

    /// Every request of a pod is answered a little late, so that those who begin together go in step.
    pub(crate) fn slow_down(&self) {
        let late = Action::DelayAnswer(Duration::from_millis(3));
        self.server.faults().inject(Fault::new(late).user(POD));
    }
}

/// What a gateway counted before.
pub(crate) fn counted(phase: &str, count: i64) -> Value {
    let seen = "2026-11-23T08:00:00Z";
    json!({
        "overallPhase": phase,
        "deduplication": {"firstSeenAt": seen, "lastSeenAt": seen, "occurrenceCount": count},
    })
}

pub(crate) fn signal() -> Signal {
    signal_for("prod/Deployment/payment-api")
}

pub(crate) fn signal_for(target: &str) -> Signal {
    let target = Target::parse(target).unwrap();
    let time: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
    Signal::new(RemediationRequestSpec {
        signal_fingerprint: target.fingerprint(),
        signal_name: "HighMemoryUsage".to_owned(),
        severity: "critical".to_owned(),
        signal_type: "alert".to_owned(),
        signal_source: Some("prometheus".to_owned()),
        target_type: TargetType::Kubernetes,
        target_resource: TargetResource {
            api_version: None,
            kind: target.kind,
            name: target.name,
            namespace: Some(target.namespace),
        },
        cluster_id: None,
        firing_time: time,
        received_time: time,
        signal_labels: [].into(),
        signal_annotations: [].into(),
        provider_data: None,
        original_payload: None,
    })
}
