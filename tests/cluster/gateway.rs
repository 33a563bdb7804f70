//! What the ingestion of signals assumes of an API server, asked of a real one.

use std::sync::Arc;

use gwlock::gateway::GatewayVersion;
use gwlock::gateway::ingest::{Ingestion, Refusal};
use gwlock::gateway::kinds::{Kinds, discovery};
use gwlock::gateway::objects::Objects;
use gwlock::gateway::prometheus::Webhook;
use gwlock::gateway::target::{Object, Reason};
use gwlock_engine::client::transport;
use gwlock_testkit::{User, control_plane};
use http::{Method, Request};
use serde_json::{Value, json};

/// A namespace of a real cluster and everything that is needed to ask about it.
struct Cluster {
    client: kube::Client,
    namespace: String,
    kinds: Arc<Kinds>,
}

impl Cluster {
    async fn new() -> Option<Self> {
        let control_plane = control_plane()?;
        let namespace = control_plane.namespace().await;
        let config = control_plane.config(User::Admin, &namespace);
        let client = transport::connect(config).unwrap();
        let kinds = Arc::new(discovery::kinds(&client).await.unwrap());
        Some(Self {
            client,
            namespace,
            kinds,
        })
    }

    fn ingestion(&self) -> Ingestion {
        let objects = Objects::new(self.client.clone());
        Ingestion::new(GatewayVersion::Current, self.kinds.clone(), objects)
    }

    /// Makes an object of a kind, controlled by `Kind/name` or nobody.
    async fn create(&self, kind: &str, name: &str, controller: Option<&str>, mut object: Value) {
        let owner = controller.map(|text| {
            let (kind, name) = text.split_once('/').unwrap();
            let api_version = self.kinds.get(kind).unwrap().api_version();
            json!({"apiVersion": api_version, "kind": kind, "name": name, "uid": "u", "controller": true})
        });
        object["metadata"]["name"] = json!(name);
        object["metadata"]["ownerReferences"] = json!(Vec::from_iter(owner));
        let path = self.path(kind, true);
        let request = Request::post(path)
            .header("content-type", "application/json")
            .body(object.to_string().into_bytes())
            .unwrap();
        self.client.request::<Value>(request).await.unwrap();
    }

    fn path(&self, kind: &str, in_namespace: bool) -> String {
        let kind = self.kinds.get(kind).unwrap();
        let group = match kind.group.as_str() {
            "" => format!("/api/{}", kind.version),
            group => format!("/apis/{group}/{}", kind.version),
        };
        if kind.namespaced && in_namespace {
            format!("{group}/namespaces/{}/{}", self.namespace, kind.plural)
        } else {
            format!("{group}/{}", kind.plural)
        }
    }

    fn object(&self, kind: &str, name: &str) -> Object {
        Object {
            kind: kind.to_owned(),
            name: name.to_owned(),
            namespace: self.namespace.clone(),
            api_version: None,
        }
    }

    async fn owner(&self, kind: &str, name: &str) -> Result<String, Refusal> {
        let owner = self.ingestion().owner(self.object(kind, name)).await?;
        assert_eq!(owner.namespace, self.namespace);
        Ok(format!("{}/{}", owner.kind, owner.name))
    }

    /// The target of an alert with these labels and the namespace's.
    async fn target(&self, labels: &[(&str, &str)]) -> (String, Reason) {
        let mut labels: serde_json::Map<String, Value> = labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        labels.insert("namespace".to_owned(), json!(self.namespace));
        let body = json!({"alerts": [{"labels": labels}]}).to_string();
        let webhook = Webhook::parse(body.into()).unwrap();
        let (object, reason) = self.ingestion().target(&webhook.alerts[0]).await.unwrap();
        (format!("{}/{}", object.kind, object.name), reason)
    }
}

fn pod() -> Value {
    json!({"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}})
}

fn template() -> Value {
    let mut pod = pod();
    pod["spec"]["restartPolicy"] = json!("Always");
    json!({"spec": {"selector": {"matchLabels": {"app": "a"}}, "template": pod}})
}

fn job() -> Value {
    let mut pod = pod();
    pod["spec"]["restartPolicy"] = json!("Never");
    json!({"spec": {"template": {"spec": pod["spec"]}}})
}

#[tokio::test]
async fn owners_are_found_on_a_real_server_as_on_the_embedded_one() {
    let Some(cluster) = Cluster::new().await else {
        return;
    };
    let cron_job = json!({"spec": {"schedule": "* * * * *", "jobTemplate": job()}});
    let service = json!({"spec": {"selector": {"app": "a"}, "ports": [{"port": 80}]}});
    for (kind, name, controller, object) in [
        ("Deployment", "api", None, template()),
        ("ReplicaSet", "api-5d", Some("Deployment/api"), template()),
        ("Pod", "api-5d-x", Some("ReplicaSet/api-5d"), pod()),
        ("Pod", "zz", None, pod()),
        ("CronJob", "nightly", None, cron_job),
        ("Job", "nightly-1", Some("CronJob/nightly"), job()),
        ("Pod", "nightly-1-a", Some("Job/nightly-1"), pod()),
        ("Service", "web", None, service),
    ] {
        cluster.create(kind, name, controller, object).await;
    }
    for (kind, name, expected) in [
        ("Pod", "api-5d-x", "Deployment/api"),
        ("Pod", "nightly-1-a", "CronJob/nightly"),
        ("Pod", "zz", "Pod/zz"),
        ("Service", "web", "Deployment/api"),
        ("Service", "never", "Service/never"),
        ("Certificate", "tls", "Certificate/tls"),
    ] {
        assert_eq!(
            cluster.owner(kind, name).await,
            Ok(expected.to_owned()),
            "{kind}/{name}"
        );
    }
    let refusal = cluster.owner("Pod", "never").await.unwrap_err();
    assert_eq!(refusal.status(), 400, "{refusal}");

    let labels = [("deployment", "metrics"), ("pod", "zz")];
    assert_eq!(
        cluster.target(&labels).await,
        ("Pod/zz".to_owned(), Reason::Exists)
    );
}

#[tokio::test]
async fn the_kinds_of_a_real_server_include_every_built_in_one() {
    let Some(cluster) = Cluster::new().await else {
        return;
    };
    let missing: Vec<String> = Kinds::built_in()
        .iter()
        .filter(|kind| {
            let served = cluster.kinds.all(&kind.name);
            !served.iter().any(|served| served.as_ref() == kind.as_ref())
        })
        .map(|kind| format!("{kind:?}"))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[tokio::test]
async fn a_cluster_scoped_object_is_not_found_below_a_namespace() {
    let Some(cluster) = Cluster::new().await else {
        return;
    };
    let node = format!("node-of-{}", cluster.namespace);
    cluster.create("Node", &node, None, json!({})).await;
    let get = async |path: String| {
        let request = Request::builder().method(Method::GET).uri(path);
        let request = request.body(Vec::new()).unwrap();
        match cluster.client.request::<Value>(request).await {
            Ok(_) => 200,
            Err(kube::Error::Api(status)) => status.code,
            Err(error) => panic!("{error}"),
        }
    };
    let namespace = &cluster.namespace;
    assert_eq!(get(format!("/api/v1/nodes/{node}")).await, 200);
    assert_eq!(
        get(format!("/api/v1/namespaces/{namespace}/nodes/{node}")).await,
        404
    );
    // So that a pod beside it wins, and the first candidate if there is none.
    cluster.create("Pod", "p", None, pod()).await;
    let both = [("node", node.as_str()), ("pod", "p")];
    assert_eq!(
        cluster.target(&both).await,
        ("Pod/p".to_owned(), Reason::Exists)
    );
    let gone = [("node", node.as_str()), ("pod", "gone")];
    assert_eq!(
        cluster.target(&gone).await,
        (format!("Node/{node}"), Reason::First)
    );
}
