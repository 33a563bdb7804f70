//! The gateway's service account and what it may do.

use serde_json::{Value, json};

use super::fixtures::{Lab, NAMESPACE};

/// The gateway's service account, and its name in the kubeconfig.
pub(super) const GATEWAY: &str = "gateway";

/// What a gateway does with leases.
pub(super) const ON_LEASES: &[&str] = &["create", "get", "update", "delete"];

/// Allows the gateway what a signal needs, and on leases these verbs.
pub(super) async fn create(lab: &Lab<'_>, on_leases: &[&str]) -> anyhow::Result<()> {
    let mut rules = vec![
        json!({"apiGroups": ["kubernaut.ai"], "resources": ["remediationrequests"], "verbs": ["get", "list", "watch", "create"]}),
        json!({"apiGroups": ["kubernaut.ai"], "resources": ["remediationrequests/status"], "verbs": ["patch", "update"]}),
    ];
    if !on_leases.is_empty() {
        rules.push(
            json!({"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": on_leases}),
        );
    }
    // By this the store of audit events knows who may write to it.
    rules.push(json!({
        "apiGroups": [""], "resources": ["services"], "resourceNames": ["data-storage-service"], "verbs": ["create"],
    }));
    let metadata = json!({"name": GATEWAY});
    let paths = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}");
    let role = json!({"metadata": metadata, "rules": rules});
    lab.post(&format!("{paths}/roles"), role).await?;
    let binding =
        json!({"metadata": metadata, "roleRef": role_ref("Role", GATEWAY), "subjects": subjects()});
    lab.post(&format!("{paths}/rolebindings"), binding).await?;
    let cluster = "/apis/rbac.authorization.k8s.io/v1";
    // It looks at the objects that alerts are about, and asks who sends them.
    let rules = json!([
        {"apiGroups": [""], "resources": ["nodes", "persistentvolumes"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]},
        {"apiGroups": ["authorization.k8s.io"], "resources": ["subjectaccessreviews"], "verbs": ["create"]},
    ]);
    let role = json!({"metadata": metadata, "rules": rules});
    lab.post(&format!("{cluster}/clusterroles"), role).await?;
    for (name, role) in [(GATEWAY, GATEWAY), ("gateway-view", "view")] {
        let binding = json!({
            "metadata": {"name": name}, "roleRef": role_ref("ClusterRole", role), "subjects": subjects(),
        });
        lab.post(&format!("{cluster}/clusterrolebindings"), binding)
            .await?;
    }
    Ok(())
}

fn role_ref(kind: &str, name: &str) -> Value {
    json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name})
}

fn subjects() -> Value {
    json!([{"kind": "ServiceAccount", "name": GATEWAY, "namespace": NAMESPACE}])
}
