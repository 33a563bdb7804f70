//! What the gateway's service account may do in a drill.

use serde_json::{Value, json};

use super::super::fixtures::{Lab, NAMESPACE};
use super::GATEWAY;

/// Allows the gateway what a signal needs, and on leases these verbs.
pub(super) async fn create(lab: &Lab<'_>, on_leases: &[&str]) -> anyhow::Result<()> {
    let mut rules = vec![
        json!({"apiGroups": ["kubernaut.ai"], "resources": ["remediationrequests"], "verbs": ["list", "get", "create"]}),
        json!({"apiGroups": ["kubernaut.ai"], "resources": ["remediationrequests/status"], "verbs": ["patch"]}),
    ];
    if !on_leases.is_empty() {
        rules.push(
            json!({"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": on_leases}),
        );
    }
    let metadata = json!({"name": GATEWAY});
    let paths = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}");
    let role = json!({"metadata": metadata, "rules": rules});
    lab.post(&format!("{paths}/roles"), role).await?;
    let binding =
        json!({"metadata": metadata, "roleRef": role_ref("Role", GATEWAY), "subjects": subjects()});
    lab.post(&format!("{paths}/rolebindings"), binding).await?;
    // It looks at the objects that alerts are about.
    let binding = json!({
        "metadata": {"name": "gateway-view"}, "roleRef": role_ref("ClusterRole", "view"), "subjects": subjects(),
    });
    let path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
    lab.post(path, binding).await?;
    Ok(())
}

fn role_ref(kind: &str, name: &str) -> Value {
    json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name})
}

fn subjects() -> Value {
    json!([{"kind": "ServiceAccount", "name": GATEWAY, "namespace": NAMESPACE}])
}
