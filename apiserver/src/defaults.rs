//! What the API server fills into objects of built-in kinds, as far as something here or in kubectl's output reads it.
//!
//! Most defaults of Pods and workloads are left out: no kubelet and no controller runs that would act on them.

use serde_json::{Value, json};

use crate::object::{self, metadata_mut};
use crate::registry::Resource;

const RBAC: &str = "rbac.authorization.k8s.io";

/// Fills in the defaults of an object's kind. A part that is missing, or no structure, is left alone.
pub(crate) fn fill_in(resource: &Resource, object: &mut Value) {
    match (resource.group.as_str(), resource.kind.as_str()) {
        ("", "Namespace") => namespace(object),
        ("", "Pod") => pod_spec(object.get_mut("spec")),
        ("", "Secret") => fill(Some(object), "type", "Opaque"),
        ("", "Service") => service(object.get_mut("spec")),
        ("apps", "Deployment" | "ReplicaSet" | "StatefulSet") => {
            fill(object.get_mut("spec"), "replicas", 1);
            pod_spec(object.pointer_mut("/spec/template/spec"));
        }
        ("apps", "DaemonSet") => pod_spec(object.pointer_mut("/spec/template/spec")),
        ("batch", "Job") => job(object.get_mut("spec")),
        ("batch", "CronJob") => {
            fill(object.get_mut("spec"), "suspend", false);
            fill(object.get_mut("spec"), "concurrencyPolicy", "Allow");
        }
        (RBAC, "RoleBinding" | "ClusterRoleBinding") => binding(object),
        _ => {}
    }
}

fn fill(structure: Option<&mut Value>, field: &str, default: impl Into<Value>) {
    if let Some(fields) = structure.and_then(Value::as_object_mut) {
        fields.entry(field).or_insert_with(|| default.into());
    }
}

/// The label makes namespaces selectable by their names.
fn namespace(namespace: &mut Value) {
    let name = object::text(namespace, "name").to_owned();
    if !name.is_empty() {
        fill(Some(namespace), "metadata", json!({}));
        let metadata = metadata_mut(namespace);
        let labels = metadata.entry("labels").or_insert_with(|| json!({}));
        fill(Some(labels), "kubernetes.io/metadata.name", name);
    }
    fill(Some(namespace), "spec", json!({}));
}

fn pod_spec(spec: Option<&mut Value>) {
    let Some(spec) = spec else { return };
    fill(Some(spec), "restartPolicy", "Always");
    fill(Some(spec), "terminationGracePeriodSeconds", 30);
    fill(Some(spec), "dnsPolicy", "ClusterFirst");
    fill(Some(spec), "schedulerName", "default-scheduler");
}

fn service(spec: Option<&mut Value>) {
    let Some(spec) = spec else { return };
    fill(Some(spec), "type", "ClusterIP");
    fill(Some(spec), "sessionAffinity", "None");
    for port in items(spec, "ports") {
        fill(Some(port), "protocol", "TCP");
        let number = port.get("port").cloned();
        if let Some(number) = number {
            fill(Some(port), "targetPort", number);
        }
    }
}

fn job(spec: Option<&mut Value>) {
    let Some(spec) = spec else { return };
    fill(Some(spec), "parallelism", 1);
    fill(Some(spec), "completions", 1);
    fill(Some(spec), "backoffLimit", 6);
    fill(Some(spec), "suspend", false);
}

fn binding(binding: &mut Value) {
    fill(binding.get_mut("roleRef"), "apiGroup", RBAC);
    for subject in items(binding, "subjects") {
        if subject
            .get("kind")
            .is_some_and(|kind| kind != "ServiceAccount")
        {
            fill(Some(subject), "apiGroup", RBAC);
        }
    }
}

fn items<'a>(structure: &'a mut Value, field: &str) -> impl Iterator<Item = &'a mut Value> {
    structure
        .get_mut(field)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Registry;

    fn filled(group: &str, plural: &str, mut object: Value) -> Value {
        let registry = Registry::built_in();
        fill_in(
            registry
                .resource(group, "v1", plural)
                .expect("a built-in kind"),
            &mut object,
        );
        object
    }

    #[test]
    fn a_namespace_gets_its_label() {
        assert_eq!(
            filled("", "namespaces", json!({ "metadata": { "name": "x" } })),
            json!({
                "metadata": { "name": "x", "labels": { "kubernetes.io/metadata.name": "x" } },
                "spec": {},
            })
        );
    }

    #[test]
    fn a_binding_names_the_group_of_its_role_and_users() {
        let binding = json!({ "roleRef": { "kind": "Role", "name": "r" }, "subjects": [
            { "kind": "User", "name": "u" },
            { "kind": "ServiceAccount", "name": "s", "namespace": "n" },
        ] });
        assert_eq!(
            filled(RBAC, "rolebindings", binding),
            json!({ "roleRef": { "apiGroup": RBAC, "kind": "Role", "name": "r" }, "subjects": [
                { "apiGroup": RBAC, "kind": "User", "name": "u" },
                { "kind": "ServiceAccount", "name": "s", "namespace": "n" },
            ] })
        );
    }

    #[test]
    fn a_part_that_is_missing_stays_missing() {
        assert_eq!(
            filled("apps", "deployments", json!({ "kind": "Deployment" })),
            json!({ "kind": "Deployment" })
        );
        assert_eq!(
            filled("", "services", json!({ "spec": "text" })),
            json!({ "spec": "text" })
        );
    }
}
