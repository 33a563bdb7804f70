//! An embedded API server with workloads in it, and what was asked of it. No expectations are here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use gwlock::gateway::kinds::{Kinds, discovery};
use gwlock::gateway::objects::Objects;
use gwlock::gateway::target::Object;
use gwlock_apiserver::access::{Authentication, UserInfo};
use gwlock_apiserver::faults::Fault;
use gwlock_apiserver::{ApiServer, TokioClock, Uids};
use http::Request;
use http_body_util::{BodyExt, Full};
use jiff::Timestamp;
use serde_json::{Value, json};
use tower::{Service, ServiceExt};

const ADMIN: &str = "admin-token";
const GATEWAY: &str = "gateway-token";
/// Of somebody who may do nothing.
const SENDER: &str = "sender-token";

/// The API server, and what the gateway has asked it so far.
pub(crate) struct Cluster {
    server: ApiServer,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Cluster {
    pub(crate) fn now() -> Timestamp {
        "2026-11-23T09:00:00Z".parse().unwrap()
    }

    /// A cluster with the namespace `prod`, whose gateway may do everything.
    pub(crate) async fn new() -> Self {
        Self::with_gateway(&["system:masters"]).await
    }

    /// The same with a gateway that may do nothing but what `allowed` says, as `verb resource.group`.
    pub(crate) async fn with_rights(allowed: &[&str]) -> Self {
        let cluster = Self::with_gateway(&[]).await;
        let rules: Vec<Value> = allowed
            .iter()
            .map(|rule| {
                let (verb, resource) = rule.split_once(' ').unwrap();
                let (resource, group) = resource.split_once('.').unwrap_or((resource, ""));
                json!({"verbs": [verb], "resources": [resource], "apiGroups": [group]})
            })
            .collect();
        let rbac = "rbac.authorization.k8s.io";
        let path = format!("/apis/{rbac}/v1");
        let role = json!({"metadata": {"name": "gateway"}, "rules": rules});
        cluster.post(&format!("{path}/clusterroles"), &role).await;
        let binding = json!({
            "metadata": {"name": "gateway"},
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "gateway"},
            "subjects": [{"kind": "User", "name": "gateway", "apiGroup": rbac}],
        });
        cluster
            .post(&format!("{path}/clusterrolebindings"), &binding)
            .await;
        cluster
    }

    async fn with_gateway(groups: &[&str]) -> Self {
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = asked.clone();
        let users = HashMap::from([
            (
                ADMIN.to_owned(),
                UserInfo::new("admin", &["system:masters"]),
            ),
            (GATEWAY.to_owned(), UserInfo::new("gateway", groups)),
            (SENDER.to_owned(), UserInfo::new("sender", &[])),
        ]);
        let server = ApiServer::builder()
            .clock(Arc::new(TokioClock::starting_at(Self::now())))
            .uids(Uids::seeded(1))
            .authentication(Authentication::Tokens(users))
            .observer(move |exchange| {
                if exchange.user == "gateway" {
                    let name = [exchange.namespace.as_str(), exchange.name.as_str()].join("/");
                    let request = format!("{} {} {name}", exchange.verb, exchange.resource);
                    seen.lock().unwrap().push(request);
                }
            })
            .build();
        let cluster = Self { server, asked };
        let namespace = json!({"metadata": {"name": "prod"}});
        cluster.post("/api/v1/namespaces", &namespace).await;
        cluster
    }

    /// Makes an object `namespace/Kind/name`, `Kind/name` for a cluster-scoped one, controlled by `Kind/name` or
    /// nobody.
    pub(crate) async fn create(&self, object: &str, controller: Option<&str>) {
        self.create_with(object, controller, json!({})).await;
    }

    /// The same with a spec and labels.
    pub(crate) async fn create_with(&self, object: &str, controller: Option<&str>, more: Value) {
        let mut parts = object.rsplit('/');
        let (name, kind) = (parts.next().unwrap(), parts.next().unwrap());
        let kind = Kinds::built_in().get(kind).unwrap().clone();
        let group = match kind.group.as_str() {
            "" => "/api/v1".to_owned(),
            group => format!("/apis/{group}/v1"),
        };
        let path = match parts.next() {
            Some(namespace) => format!("{group}/namespaces/{namespace}/{}", kind.plural),
            None => format!("{group}/{}", kind.plural),
        };
        // Owners that do not control an object come first, as far as they can.
        let bystander =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "bystander", "uid": "b"});
        let controller = controller.map(owner);
        let owners: Vec<Value> = std::iter::once(bystander).chain(controller).collect();
        let Value::Object(mut object) = more else {
            panic!("{more}");
        };
        let metadata = object.entry("metadata").or_insert_with(|| json!({}));
        metadata["name"] = json!(name);
        metadata["ownerReferences"] = json!(owners);
        self.post(&path, &Value::Object(object)).await;
    }

    pub(crate) fn inject(&self, fault: Fault) {
        self.server.faults().inject(fault);
    }

    #[cfg(feature = "serve")]
    pub(crate) fn clear_faults(&self) {
        self.server.faults().clear();
    }

    /// The cluster's objects as the gateway sees them, with nothing remembered.
    pub(crate) fn objects(&self) -> Objects {
        Objects::new(self.client())
    }

    /// The kinds that the cluster serves.
    pub(crate) async fn kinds(&self) -> Arc<Kinds> {
        let kinds = discovery::kinds(&self.client()).await.unwrap();
        self.asked();
        Arc::new(kinds)
    }

    /// What was asked since the last call, as `verb resource namespace/name`.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    /// Adds the RemediationRequest to what the cluster serves.
    pub(crate) async fn serve_remediation_requests(&self) {
        let definition: Value = serde_yaml::from_str(gwlock_testkit::REMEDIATION_REQUESTS).unwrap();
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        self.post(path, &definition).await;
    }

    /// The RemediationRequests of a namespace.
    pub(crate) async fn remediation_requests(&self, namespace: &str) -> Vec<Value> {
        let path =
            format!("/apis/kubernaut.ai/v1alpha1/namespaces/{namespace}/remediationrequests");
        let request = Request::get(path).body(Vec::new()).unwrap();
        let list: Value = self.client().request(request).await.unwrap();
        list["items"].as_array().unwrap().clone()
    }

    /// A client of the gateway's.
    pub(crate) fn client(&self) -> kube::Client {
        let server = self.server.clone();
        let service = tower::service_fn(move |mut request: Request<kube::client::Body>| {
            let token = format!("Bearer {GATEWAY}").parse().unwrap();
            request.headers_mut().insert("authorization", token);
            Service::call(&mut server.clone(), request)
        });
        kube::Client::new(service, "default")
    }

    pub(crate) async fn post(&self, path: &str, object: &Value) {
        let request = Request::post(path)
            .header("authorization", format!("Bearer {ADMIN}"))
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(object.to_string())))
            .unwrap();
        let response = self.server.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(status, 201, "{path}: {}", String::from_utf8_lossy(&body));
    }
}

/// `namespace:Kind:name` as an object whose version nobody knows.
pub(crate) fn object(text: &str) -> Object {
    let [namespace, kind, name] = text.split(':').collect::<Vec<_>>().try_into().unwrap();
    Object {
        kind: kind.to_owned(),
        name: name.to_owned(),
        namespace: namespace.to_owned(),
        api_version: None,
    }
}

/// An object as `namespace:Kind:name api/version`.
pub(crate) fn text(object: &Object) -> String {
    let Object {
        kind,
        name,
        namespace,
        api_version,
    } = object;
    let version = api_version.as_deref().unwrap_or("?");
    format!("{namespace}:{kind}:{name} {version}")
}

fn owner(text: &str) -> Value {
    let (kind, name) = text.split_once('/').unwrap();
    let api_version = Kinds::built_in()
        .get(kind)
        .map_or_else(|| "example.com/v1".to_owned(), |kind| kind.api_version());
    json!({"apiVersion": api_version, "kind": kind, "name": name, "uid": "u", "controller": true})
}
