//! A cluster with workloads in it, and `send` on it. No expectations are here.

use serde_json::{Value, json};

use crate::fixture::{Gwlock, Run, Server};

/// The Deployment that [`POD`] belongs to.
pub(super) const TARGET: &str = "prod:Deployment:payment-api";
pub(super) const FINGERPRINT: &str =
    "91fce8d5c4949766458bd4bd58859a4fb2e8470ef64ef438c22903744799a9b1";
pub(super) const LEASE: &str = "gw-lock-91fce8d5c4949766";
/// The first RemediationRequest for it.
pub(super) const REQUEST: &str = "rr-91fce8d5c494-4500491e";
pub(super) const POD: &str = "payment-api-1";

const REQUESTS: &str =
    "/apis/kubernaut.ai/v1alpha1/namespaces/kubernaut-system/remediationrequests";

/// A cluster. In `prod`, which is managed, are the pod [`POD`] and bare pods `p-0` to `p-3`; in `staging`, which is not,
/// is the pod `u`.
pub(super) struct Arena {
    pub(super) server: Server,
}

impl Arena {
    pub(super) fn new() -> Self {
        let arena = Self::without_requests();
        let definition: Value = serde_yaml::from_str(gwlock_testkit::REMEDIATION_REQUESTS).unwrap();
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        arena.server.post(path, &definition);
        arena
    }

    /// One that knows no RemediationRequests.
    pub(super) fn without_requests() -> Self {
        let server = Server::start();
        let managed = json!({"name": "prod", "labels": {"kubernaut.ai/managed": "true"}});
        for metadata in [managed, json!({"name": "staging"})] {
            server.post("/api/v1/namespaces", &json!({"metadata": metadata}));
        }
        let arena = Self { server };
        let set = arena.workload(
            "replicasets",
            "payment-api-7d9",
            "Deployment",
            "payment-api",
        );
        arena.pod("prod", POD, &set);
        for number in 0..4 {
            arena.pod("prod", &format!("p-{number}"), &json!([]));
        }
        arena.pod("staging", "u", &json!([]));
        arena
    }

    /// A controller and one that it controls; the references to the latter.
    fn workload(&self, plural: &str, name: &str, owner_kind: &str, owner: &str) -> Value {
        let spec = json!({
            "selector": {"matchLabels": {"app": owner}},
            "template": {
                "metadata": {"labels": {"app": owner}},
                "spec": {"containers": [{"name": "app", "image": "app"}]},
            },
        });
        let path = "/apis/apps/v1/namespaces/prod";
        let made = json!({"metadata": {"name": owner}, "spec": spec});
        let made = self.server.post(&format!("{path}/deployments"), &made);
        let references = controlled_by(owner_kind, &made);
        let metadata = json!({"name": name, "ownerReferences": references});
        let made = json!({"metadata": metadata, "spec": spec});
        let made = self.server.post(&format!("{path}/{plural}"), &made);
        controlled_by("ReplicaSet", &made)
    }

    fn pod(&self, namespace: &str, name: &str, references: &Value) {
        let pod = json!({
            "metadata": {"name": name, "ownerReferences": references},
            "spec": {"containers": [{"name": "app", "image": "app"}]},
        });
        let path = format!("/api/v1/namespaces/{namespace}/pods");
        self.server.post(&path, &pod);
    }

    /// `gwlock send --direct` as the admin, whom nobody asks.
    pub(super) fn direct(&self, arguments: &[&str]) -> Run {
        self.direct_as("admin", arguments).run()
    }

    pub(super) fn direct_as(&self, user: &str, arguments: &[&str]) -> Gwlock {
        let always = ["send", "--direct", "--yes", "--identity", "me"];
        self.server.gwlock_as(user, &[&always, arguments].concat())
    }

    /// All RemediationRequests, as they are counted.
    pub(super) fn counts(&self) -> Vec<i64> {
        let list = self.server.get(REQUESTS);
        let items = list["items"].as_array().unwrap();
        let count = |item: &Value| item["status"]["deduplication"]["occurrenceCount"].as_i64();
        items.iter().map(|item| count(item).unwrap_or(0)).collect()
    }

    /// Everything that `send` could write, and the version of the whole store.
    pub(super) fn store(&self) -> [Value; 2] {
        [REQUESTS, "/apis/coordination.k8s.io/v1/leases"].map(|path| self.server.get(path))
    }

    /// Lets the viewer do what `rules` says, as `verb resource.group`.
    pub(super) fn allow(&self, rules: &[&str]) {
        let rules: Vec<Value> = rules
            .iter()
            .map(|rule| {
                let (verb, resource) = rule.split_once(' ').unwrap();
                let (resource, group) = resource.split_once('.').unwrap_or((resource, ""));
                json!({"verbs": [verb], "resources": [resource], "apiGroups": [group]})
            })
            .collect();
        let rbac = "rbac.authorization.k8s.io";
        let path = format!("/apis/{rbac}/v1");
        let role = json!({"metadata": {"name": "viewer"}, "rules": rules});
        self.server.post(&format!("{path}/clusterroles"), &role);
        let binding = json!({
            "metadata": {"name": "viewer"},
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "viewer"},
            "subjects": [{"kind": "User", "name": "viewer", "apiGroup": rbac}],
        });
        self.server
            .post(&format!("{path}/clusterrolebindings"), &binding);
    }

    /// A file in the folder of the test.
    pub(super) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.server.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

/// Flags for an alert about a pod in `prod`.
pub(super) fn alert(pod: &str) -> Vec<&str> {
    vec![
        "--alertname",
        "HighMemoryUsage",
        "--severity",
        "warning",
        "--namespace",
        "prod",
        "--pod",
        pod,
    ]
}

/// A webhook with these labels, an alert each.
pub(super) fn webhook(alerts: &[Value]) -> String {
    let alerts: Vec<Value> = alerts
        .iter()
        .map(|labels| json!({"status": "firing", "labels": labels, "startsAt": "2026-11-23T09:00:00Z"}))
        .collect();
    json!({"version": "4", "alerts": alerts}).to_string()
}

fn controlled_by(kind: &str, owner: &Value) -> Value {
    json!([{
        "apiVersion": "apps/v1", "kind": kind, "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"], "controller": true,
    }])
}
