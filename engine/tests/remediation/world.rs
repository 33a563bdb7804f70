//! A small world: the embedded API server, pods that process signals, and an orchestrator.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use gwlock_apiserver::access::{Authentication, UserInfo};
use gwlock_apiserver::faults::{Action, Fault};
use gwlock_apiserver::{ApiServer, TokioClock as ServerClock, Uids};
use gwlock_engine::client::TokioClock;
use gwlock_engine::protocol::key::Target;
use gwlock_engine::remediation::processor::SignalProcessorBuilder;
use gwlock_engine::remediation::{
    RemediationRequest, RemediationRequestSpec, Signal, SignalProcessor, TargetResource, TargetType,
};
use gwlock_testkit::REMEDIATION_REQUESTS;
use http::Method;
use http_body_util::BodyExt;
use jiff::{SignedDuration, Timestamp};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

/// Leases and requests live apart, as a gateway may be set up.
pub(crate) const LOCKS: &str = "locks";
pub(crate) const REQUESTS: &str = "requests";
/// The name of the first request for [`signal`].
pub(crate) const FIRST: &str = "rr-91fce8d5c494-4500491e";

const ADMIN: &str = "admin-token";
const GATEWAY: &str = "gateway-token";

pub(crate) struct World {
    pub(crate) server: ApiServer,
    clock: TokioClock,
    log: Arc<Mutex<Vec<String>>>,
    has_users: bool,
    /// How many generators were seeded: the same test makes the same requests every time.
    drawn: AtomicU64,
}

impl World {
    pub(crate) fn start() -> Timestamp {
        "2026-11-23T09:00:00Z".parse().unwrap()
    }

    pub(crate) async fn new() -> Self {
        Self::build(Authentication::Open, false).await
    }

    /// Pods may do just this with requests, and everything with leases.
    pub(crate) async fn with_rules(rules: Value) -> Self {
        let users = HashMap::from([
            (
                ADMIN.to_owned(),
                UserInfo::new("admin", &["system:masters"]),
            ),
            (GATEWAY.to_owned(), UserInfo::new("gateway", &[])),
        ]);
        let world = Self::build(Authentication::Tokens(users), true).await;
        let leases = json!([{"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["*"]}]);
        for (namespace, rules) in [(LOCKS, leases), (REQUESTS, rules)] {
            let path = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}");
            let role = json!({"metadata": {"name": "gateway"}, "rules": rules});
            world.create(&format!("{path}/roles"), role).await;
            let binding = json!({
                "metadata": {"name": "gateway"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "gateway"},
                "subjects": [{"kind": "User", "name": "gateway", "apiGroup": "rbac.authorization.k8s.io"}]
            });
            world.create(&format!("{path}/rolebindings"), binding).await;
        }
        world.forget();
        world
    }

    async fn build(authentication: Authentication, has_users: bool) -> Self {
        let log = Arc::new(Mutex::new(Vec::new()));
        let seen = log.clone();
        let server = ApiServer::builder()
            .clock(Arc::new(ServerClock::starting_at(Self::start())))
            .uids(Uids::seeded(1))
            .authentication(authentication)
            .observer(move |exchange| {
                let status = exchange
                    .status
                    .map_or_else(|| "lost".to_owned(), |status| status.to_string());
                let mut what = exchange.resource.clone();
                if !exchange.subresource.is_empty() {
                    what.push('/');
                    what.push_str(&exchange.subresource);
                }
                seen.lock()
                    .unwrap()
                    .push(format!("{} {what} {status}", exchange.verb));
            })
            .build();
        let world = Self {
            server,
            clock: TokioClock::starting_at(Self::start()),
            log,
            has_users,
            drawn: AtomicU64::new(0),
        };
        let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        let definition = REMEDIATION_REQUESTS.to_owned();
        world
            .ask(Method::POST, definitions, "application/yaml", definition)
            .await;
        for namespace in [LOCKS, REQUESTS] {
            let namespace = json!({"metadata": {"name": namespace}});
            world.create("/api/v1/namespaces", namespace).await;
        }
        world.forget();
        world
    }

    async fn ask(&self, method: Method, path: &str, media_type: &str, body: String) -> Value {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", media_type)
            .header("authorization", format!("Bearer {ADMIN}"))
            .body(http_body_util::Full::new(bytes::Bytes::from(body)))
            .unwrap();
        let response = tower::ServiceExt::oneshot(self.server.clone(), request)
            .await
            .unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        assert!(status.is_success(), "{path}: {answer}");
        answer
    }

    async fn create(&self, path: &str, object: Value) {
        self.ask(Method::POST, path, "application/json", object.to_string())
            .await;
    }

    fn path(rest: &str) -> String {
        format!("/apis/kubernaut.ai/v1alpha1/namespaces/{REQUESTS}/remediationrequests{rest}")
    }

    /// Somebody else's request for the same fingerprint as [`signal`].
    pub(crate) async fn request(&self, name: &str, status: Value) {
        self.request_of(&signal(), name, status).await;
    }

    pub(crate) async fn request_of(&self, signal: &Signal, name: &str, status: Value) {
        let object = signal.to_object(REQUESTS, name, Self::start());
        self.create(&Self::path(""), object).await;
        if !status.is_null() {
            self.set_status(name, status).await;
        }
        self.forget();
    }

    /// What the orchestrator does.
    pub(crate) async fn set_status(&self, name: &str, status: Value) {
        let patch = json!({ "status": status }).to_string();
        let path = Self::path(&format!("/{name}/status"));
        self.ask(Method::PATCH, &path, "application/merge-patch+json", patch)
            .await;
    }

    pub(crate) async fn finalize(&self, name: &str) {
        let patch = json!({"metadata": {"finalizers": ["kubernaut.ai/audit"]}}).to_string();
        let path = Self::path(&format!("/{name}"));
        self.ask(Method::PATCH, &path, "application/merge-patch+json", patch)
            .await;
    }

    pub(crate) async fn delete(&self, name: &str) {
        let path = Self::path(&format!("/{name}"));
        self.ask(Method::DELETE, &path, "application/json", String::new())
            .await;
    }

    pub(crate) async fn object(&self, name: &str) -> Value {
        let path = Self::path(&format!("/{name}"));
        self.ask(Method::GET, &path, "application/json", String::new())
            .await
    }

    pub(crate) async fn delete_lease(&self) {
        let name = signal().fingerprint().lease_name();
        let path = format!("/apis/coordination.k8s.io/v1/namespaces/{LOCKS}/leases/{name}");
        self.ask(Method::DELETE, &path, "application/json", String::new())
            .await;
    }

    pub(crate) async fn lease_of_a_crashed_gateway(&self) {
        let now = "2026-11-23T09:00:00.000000Z";
        let name = signal().fingerprint().lease_name();
        let lease = json!({
            "metadata": {"name": name.as_str()},
            "spec": {"holderIdentity": "gateway-9", "leaseDurationSeconds": 30, "acquireTime": now, "renewTime": now}
        });
        let path = format!("/apis/coordination.k8s.io/v1/namespaces/{LOCKS}/leases");
        self.create(&path, lease).await;
    }

    /// All requests, in the order of their names.
    pub(crate) async fn requests(&self) -> Vec<RemediationRequest> {
        let list = self
            .ask(
                Method::GET,
                &Self::path(""),
                "application/json",
                String::new(),
            )
            .await;
        let items = list["items"].as_array().unwrap().iter();
        items
            .map(|item| RemediationRequest::read(item).unwrap())
            .collect()
    }

    /// Name, phase and count of all requests.
    pub(crate) async fn counts(&self) -> Vec<(String, String, i32)> {
        let requests = self.requests().await;
        let mut counts: Vec<_> = requests
            .iter()
            .map(|request| {
                let phase = request.phase().to_owned();
                (request.name.clone(), phase, request.count())
            })
            .collect();
        counts.sort();
        counts
    }

    pub(crate) fn pod(&self, name: &str) -> SignalProcessorBuilder {
        let seed = self.drawn.fetch_add(1, Ordering::Relaxed);
        SignalProcessor::builder(self.client(), LOCKS, REQUESTS, name)
            .clock(Arc::new(self.clock))
            .rng(StdRng::seed_from_u64(seed))
    }

    /// A clock of the same world whose wall is off by so many seconds.
    pub(crate) fn clock_off_by(&self, seconds: i64) -> Arc<TokioClock> {
        let offset = SignedDuration::from_secs(seconds);
        Arc::new(self.clock.with_wall_offset(offset))
    }

    pub(crate) fn client(&self) -> kube::Client {
        let (server, has_users) = (self.server.clone(), self.has_users);
        let service = tower::service_fn(move |mut request: http::Request<kube::client::Body>| {
            if has_users {
                let value = format!("Bearer {GATEWAY}").parse().unwrap();
                request.headers_mut().insert("authorization", value);
            }
            tower::Service::call(&mut server.clone(), request)
        });
        kube::Client::new(service, REQUESTS)
    }

    pub(crate) fn fail(&self, action: Action, verb: &str, resource: &str, times: u32) {
        let fault = Fault::new(action).verb(verb).resource(resource);
        self.server.faults().inject(fault.times(times));
    }

    /// What has been asked of the server since it was last forgotten.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn forget(&self) {
        self.log.lock().unwrap().clear();
    }
}

pub(crate) fn signal() -> Signal {
    signal_for("prod/Deployment/payment-api")
}

pub(crate) fn signal_for(target: &str) -> Signal {
    let target = Target::parse(target).unwrap();
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
        firing_time: World::start(),
        received_time: World::start(),
        signal_labels: [("severity".to_owned(), "critical".to_owned())].into(),
        signal_annotations: [].into(),
        provider_data: None,
        original_payload: None,
    })
}
