//! A small world: the embedded API server and pods with clocks of their own.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use gwlock_apiserver::access::{Authentication, UserInfo};
use gwlock_apiserver::{ApiServer, TokioClock as ServerClock, Uids};
use gwlock_engine::client::removal::Remover;
use gwlock_engine::client::{LeaseApi, LeaseLock, TokioClock};
use gwlock_engine::protocol::key::LeaseName;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::{ListParams, PostParams};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::json;

pub(crate) const NAMESPACE: &str = "locks";
const ADMIN: &str = "admin-token";
const GATEWAY: &str = "gateway-token";

static DRAWN: AtomicU64 = AtomicU64::new(0);

pub(crate) struct World {
    pub(crate) server: ApiServer,
    clock: TokioClock,
    log: Arc<Mutex<Vec<String>>>,
    token: Option<&'static str>,
}

pub(crate) struct Pod {
    client: kube::Client,
    clock: TokioClock,
    name: String,
}

impl World {
    pub(crate) fn start() -> Timestamp {
        "2026-11-23T09:00:00Z".parse().unwrap()
    }

    pub(crate) fn new() -> Self {
        Self::build(Authentication::Open, None)
    }

    /// Pods have a token whose user may do just this with leases.
    pub(crate) async fn with_tokens(verbs: &[&str]) -> Self {
        let users = HashMap::from([
            (
                ADMIN.to_owned(),
                UserInfo::new("admin", &["system:masters"]),
            ),
            (GATEWAY.to_owned(), UserInfo::new("gateway", &[])),
        ]);
        let world = Self::build(Authentication::Tokens(users), Some(GATEWAY));
        world.create("roles", json!({
            "metadata": {"name": "lock"},
            "rules": [{"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": verbs}]
        }))
        .await;
        world.create("rolebindings", json!({
            "metadata": {"name": "lock"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "lock"},
            "subjects": [{"kind": "User", "name": "gateway", "apiGroup": "rbac.authorization.k8s.io"}]
        }))
        .await;
        world.log.lock().unwrap().clear();
        world
    }

    fn build(authentication: Authentication, token: Option<&'static str>) -> Self {
        let log = Arc::new(Mutex::new(Vec::new()));
        let seen = log.clone();
        let server = ApiServer::builder()
            .clock(Arc::new(ServerClock::starting_at(Self::start())))
            .uids(Uids::seeded(1))
            .authentication(authentication)
            .observer(move |exchange| {
                let name = if exchange.name.is_empty() {
                    String::new()
                } else {
                    format!("/{}", exchange.name)
                };
                let status = exchange
                    .status
                    .map_or_else(|| "lost".to_owned(), |status| status.to_string());
                seen.lock().unwrap().push(format!(
                    "{} {}{name} {status}",
                    exchange.verb, exchange.resource
                ));
            })
            .build();
        let world = Self {
            server,
            clock: TokioClock::starting_at(Self::start()),
            log,
            token,
        };
        world.namespace();
        world
    }

    fn namespace(&self) {
        let namespace = json!({"metadata": {"name": NAMESPACE}}).to_string();
        let request = self.request("/api/v1/namespaces", namespace);
        let response = futures_util::FutureExt::now_or_never(tower::ServiceExt::oneshot(
            self.server.clone(),
            request,
        ));
        assert_eq!(
            response.expect("nothing to wait for").unwrap().status(),
            201
        );
        self.log.lock().unwrap().clear();
    }

    async fn create(&self, plural: &str, object: serde_json::Value) {
        let path = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/{plural}");
        let response = tower::ServiceExt::oneshot(
            self.server.clone(),
            self.request(&path, object.to_string()),
        )
        .await;
        assert_eq!(response.unwrap().status(), 201);
    }

    fn request(
        &self,
        path: &str,
        body: String,
    ) -> http::Request<http_body_util::Full<bytes::Bytes>> {
        let request = http::Request::post(path).header("content-type", "application/json");
        let request = request.header("authorization", format!("Bearer {ADMIN}"));
        request.body(http_body_util::Full::from(body)).unwrap()
    }

    pub(crate) fn pod(&self, name: &str) -> Pod {
        self.pod_with_clock(name, 0)
    }

    /// A pod whose wall clock is off by so many seconds.
    pub(crate) fn pod_with_clock(&self, name: &str, seconds: i64) -> Pod {
        Pod {
            client: self.client(self.token),
            clock: self
                .clock
                .with_wall_offset(SignedDuration::from_secs(seconds)),
            name: name.to_owned(),
        }
    }

    fn client(&self, token: Option<&'static str>) -> kube::Client {
        let server = self.server.clone();
        let service = tower::service_fn(move |mut request: http::Request<kube::client::Body>| {
            if let Some(token) = token {
                let value = format!("Bearer {token}").parse().unwrap();
                request.headers_mut().insert("authorization", value);
            }
            tower::Service::call(&mut server.clone(), request)
        });
        kube::Client::new(service, NAMESPACE)
    }

    pub(crate) fn leases(&self) -> Api<Lease> {
        Api::namespaced(self.client(self.token.map(|_| ADMIN)), NAMESPACE)
    }

    /// Looked up by a LIST, which no fault of these tests hits.
    pub(crate) async fn holder(&self, name: &str) -> Option<String> {
        let named = ListParams::default().fields(&format!("metadata.name={name}"));
        let found = self.leases().list(&named).await.unwrap();
        found
            .items
            .into_iter()
            .next()
            .and_then(|lease| lease.spec?.holder_identity)
    }

    pub(crate) async fn lease_of_a_crashed_gateway(&self, name: &str) {
        let now = "2026-11-23T09:00:00.000000Z";
        let lease = serde_json::from_value(json!({
            "metadata": {"name": name},
            "spec": {"holderIdentity": "gateway-1", "leaseDurationSeconds": 30, "acquireTime": now, "renewTime": now}
        }));
        self.leases()
            .create(&PostParams::default(), &lease.unwrap())
            .await
            .unwrap();
    }

    /// What was asked of the server, without what the test itself asked.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

impl Pod {
    pub(crate) fn lock(&self, lease: &str) -> LeaseLock {
        let seed = DRAWN.fetch_add(1, Ordering::Relaxed);
        let lock = LeaseLock::builder(
            self.client.clone(),
            NAMESPACE,
            LeaseName::new(lease).unwrap(),
            &*self.name,
        )
        .clock(Arc::new(self.clock))
        .rng(StdRng::seed_from_u64(seed));
        lock.build()
    }

    /// Removes a lease, each request of it within 10 s.
    pub(crate) fn remover(&self, lease: &str) -> Remover {
        let name = LeaseName::new(lease).unwrap();
        let api = LeaseApi::new(self.client.clone(), NAMESPACE, name);
        let timeout = std::time::Duration::from_secs(10);
        Remover::new(api, Arc::new(self.clock), timeout, timeout * 3)
    }
}
