//! The same judgement that manifests get, on what a cluster has: what is granted and not needed, and what is never granted
//! although it is written. What is missing has been asked of the cluster itself.

use serde_json::Value;

use super::review::Subject;
use crate::rbac::finding::{Class, Finding};
use crate::rbac::judge::judge;
use crate::rbac::manifest;
use crate::rbac::place::{Namespaces, Runner};
use crate::rbac::profiles::Program;
use crate::rbac::resolve::{Identity, Model};

/// What the API server makes for itself in every cluster carries this label. Nobody can have less.
const BOOTSTRAPPING: &str = "kubernetes.io/bootstrapping";

/// A finding, and the object that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) object: String,
    pub(super) finding: Finding,
}

/// Judges objects as they were read; those of a list say their kinds.
pub(super) fn find(
    objects: &[Value],
    program: &Program,
    subject: &Subject,
    namespaces: (&str, &str),
) -> Result<Vec<Found>, String> {
    let own: Vec<Value> = objects.iter().map(without_those_of_every_cluster).collect();
    // A document for each, so that a finding says whose it is.
    let documents: Vec<String> = own.iter().map(ToString::to_string).collect();
    let read = manifest::read("the cluster", documents.join("\n---\n").as_bytes());
    let read = read.map_err(|unreadable| unreadable.message.clone())?;
    let (leases, requests) = namespaces;
    let model = Model::new(read, leases);
    let said = Namespaces {
        lock: Some(leases.to_owned()),
        controller: Some(requests.to_owned()),
    };
    let who = Identity {
        groups: subject.groups.clone(),
        ..Identity::user(&subject.user)
    };
    let runner = Runner::of_identity(program, who, leases, &said);
    let judged = judge(&model, &runner).sorted();
    let found = judged.findings.into_iter().filter_map(|finding| {
        let is_asked = finding.kind.class() == Class::Missing;
        let object = own.get(finding.place.document.saturating_sub(1))?;
        (!is_asked).then(|| Found {
            object: title(object),
            finding,
        })
    });
    Ok(found.collect())
}

/// `Role kubernaut-system/gateway`.
fn title(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (kind, metadata) = (text(&object["kind"]), &object["metadata"]);
    match metadata["namespace"].as_str() {
        Some(namespace) => format!("{kind} {namespace}/{}", text(&metadata["name"])),
        None => format!("{kind} {}", text(&metadata["name"])),
    }
}

/// The same without the subjects to whom it grants in every cluster. Somebody may have added others.
fn without_those_of_every_cluster(object: &Value) -> Value {
    let mut own = object.clone();
    if own["metadata"]["labels"][BOOTSTRAPPING] != "rbac-defaults" {
        return own;
    }
    if let Some(Value::Array(subjects)) = own.get_mut("subjects") {
        subjects.retain(|subject| {
            let name = subject["name"].as_str().unwrap_or_default();
            subject["kind"] == "ServiceAccount" || !name.starts_with("system:")
        });
    }
    own
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rbac::profiles::{self, GatewayVersion};

    fn binding(name: &str, role: &str, labels: &Value) -> Value {
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": name, "labels": labels},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:authenticated"}],
        })
    }

    fn role(name: &str, verbs: &[&str]) -> Value {
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name},
            "rules": [{"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": verbs}],
        })
    }

    #[test]
    fn what_every_cluster_has_is_not_too_much_and_what_somebody_added_is() {
        let program = profiles::find("gwlock-run", GatewayVersion::Current).unwrap();
        let subject = Subject {
            user: "system:serviceaccount:locks:job".to_owned(),
            groups: vec!["system:authenticated".to_owned()],
        };
        let found = |labels: &Value| {
            let objects = [
                role(
                    "everybody",
                    &["get", "create", "update", "delete", "watch", "patch"],
                ),
                binding("all", "everybody", labels),
            ];
            find(&objects, &program, &subject, ("locks", "locks")).unwrap()
        };
        let bootstrapped = json!({BOOTSTRAPPING: "rbac-defaults"});
        assert_eq!(found(&bootstrapped), []);
        let found = found(&json!({}));
        let mut added = binding("all", "r", &bootstrapped);
        let subjects = added["subjects"].as_array_mut().unwrap();
        subjects.push(json!({"kind": "User", "name": "bob"}));
        let kept = without_those_of_every_cluster(&added);
        assert_eq!(kept["subjects"], json!([{"kind": "User", "name": "bob"}]));
        let told: Vec<(&str, &str)> = found
            .iter()
            .map(|found| (found.object.as_str(), found.finding.kind.as_str()))
            .collect();
        assert!(
            told.contains(&("ClusterRole everybody", "unneeded-verb")),
            "{told:?}"
        );
        assert!(
            told.iter().any(|(_, kind)| *kind == "cluster-wide"),
            "{told:?}"
        );
        assert!(
            found
                .iter()
                .all(|found| found.finding.kind.class() != Class::Missing)
        );
    }
}
