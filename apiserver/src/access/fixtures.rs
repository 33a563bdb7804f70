//! Roles and bindings for the tests of this module.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Attributes, RbacSource};

/// A source that holds a list of objects by resource.
#[derive(Debug, Default)]
pub(super) struct Objects(pub(super) Vec<(&'static str, Arc<Value>)>);

impl Objects {
    pub(super) fn with(mut self, resource: &'static str, object: Value) -> Self {
        self.0.push((resource, Arc::new(object)));
        self
    }

    pub(super) fn role(self, namespace: &str, name: &str, rules: &Value) -> Self {
        self.with(
            "roles",
            json!({"metadata": {"name": name, "namespace": namespace}, "rules": rules}),
        )
    }

    pub(super) fn cluster_role(self, name: &str, rules: &Value) -> Self {
        self.with(
            "clusterroles",
            json!({"metadata": {"name": name}, "rules": rules}),
        )
    }

    pub(super) fn role_binding(
        self,
        namespace: &str,
        name: &str,
        role: (&str, &str),
        subject: &Value,
    ) -> Self {
        self.with(
            "rolebindings",
            json!({
                "metadata": {"name": name, "namespace": namespace},
                "roleRef": {"kind": role.0, "name": role.1},
                "subjects": [subject],
            }),
        )
    }

    pub(super) fn cluster_role_binding(self, name: &str, role: &str, subject: &Value) -> Self {
        self.with(
            "clusterrolebindings",
            json!({
                "metadata": {"name": name},
                "roleRef": {"kind": "ClusterRole", "name": role},
                "subjects": [subject],
            }),
        )
    }
}

impl RbacSource for Objects {
    fn list(&self, resource: &str, namespace: Option<&str>) -> Vec<Arc<Value>> {
        self.0
            .iter()
            .filter(|(name, object)| {
                *name == resource
                    && namespace
                        .is_none_or(|namespace| object["metadata"]["namespace"] == namespace)
            })
            .map(|(_, object)| Arc::clone(object))
            .collect()
    }
}

/// A subject of kind User.
pub(super) fn user(name: &str) -> Value {
    json!({"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": name})
}

/// Attributes from `verb group/resource[/subresource] namespace/name`.
pub(super) fn attributes(verb: &str, resource: &str, object: &str) -> Attributes {
    let mut parts = resource.split('/');
    let mut next = || parts.next().unwrap_or_default().to_owned();
    let (namespace, name) = object.split_once('/').unwrap_or(("", object));
    Attributes {
        verb: verb.to_owned(),
        group: next(),
        resource: next(),
        subresource: next(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        ..Attributes::default()
    }
}
