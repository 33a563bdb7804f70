//! Which kinds there are, and which label means which kind.
//!
//! A table that is filled from outside, by [`discovery`] or with the kinds that every cluster has. The order in which
//! kinds come in matters: of two with one name, or with one label, the first counts, as in the running gateway.

mod built_in;
pub mod discovery;
pub mod served;

use std::collections::HashMap;
use std::sync::Arc;

/// The groups whose kinds own each other in a way that can be followed. Owners of other groups are not looked into.
const FOLLOWED_GROUPS: [&str; 5] = ["", "apps", "batch", "autoscaling", "policy"];

/// A kind as the API server serves it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Kind {
    /// Empty for the core group.
    pub group: String,
    /// Such as `v1`.
    pub version: String,
    /// Such as `Deployment`.
    pub name: String,
    /// Such as `deployments`; the last part of its URLs.
    pub plural: String,
    /// Such as `deployment`; may be empty.
    pub singular: String,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
}

/// All kinds of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kinds {
    /// Every kind of one name, one for each group.
    by_name: HashMap<String, Vec<Arc<Kind>>>,
    /// The name of the kind that a label means.
    by_label: HashMap<String, String>,
}

impl Kind {
    /// `group/version`, or the version alone in the core group.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Whether its owners are followed.
    #[must_use]
    pub fn is_followed(&self) -> bool {
        FOLLOWED_GROUPS.contains(&self.group.as_str())
    }
}

impl Kinds {
    /// The kinds that Kubernetes itself serves, for use without a cluster.
    #[must_use]
    pub fn built_in() -> Self {
        built_in::kinds().collect()
    }

    /// The first kind of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Kind>> {
        self.all(name).first()
    }

    /// The kinds of this name, one for each group that has one.
    #[must_use]
    pub fn all(&self, name: &str) -> &[Arc<Kind>] {
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }

    /// The name of the kind that a label means: its singular name, or its name in lower case.
    #[must_use]
    pub fn of_label(&self, label: &str) -> Option<&str> {
        self.by_label.get(label).map(String::as_str)
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.by_name.values().flatten()
    }
}

impl FromIterator<Kind> for Kinds {
    fn from_iter<T: IntoIterator<Item = Kind>>(kinds: T) -> Self {
        let mut by_name: HashMap<String, Vec<Arc<Kind>>> = HashMap::new();
        let mut by_label = HashMap::new();
        for kind in kinds {
            for label in [kind.singular.clone(), kind.name.to_lowercase()] {
                if !label.is_empty() {
                    by_label.entry(label).or_insert_with(|| kind.name.clone());
                }
            }
            let same_name = by_name.entry(kind.name.clone()).or_default();
            if same_name.iter().all(|known| known.group != kind.group) {
                same_name.push(Arc::new(kind));
            }
        }
        Self { by_name, by_label }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(group: &str, name: &str, singular: &str) -> Kind {
        Kind {
            group: group.to_owned(),
            version: "v1".to_owned(),
            name: name.to_owned(),
            plural: format!("{}s", name.to_lowercase()),
            singular: singular.to_owned(),
            namespaced: true,
        }
    }

    #[test]
    fn a_label_means_the_first_kind_that_has_it() {
        let kinds: Kinds = [
            kind("", "Node", "node"),
            kind("metrics.k8s.io", "NodeMetrics", "node"),
            kind("route.openshift.io", "Route", "route"),
            kind("serving.knative.dev", "Route", "route"),
            kind("example.com", "Gadget", "gizmo"),
        ]
        .into_iter()
        .collect();
        assert_eq!(kinds.of_label("node"), Some("Node"));
        assert_eq!(kinds.of_label("nodemetrics"), Some("NodeMetrics"));
        assert_eq!(kinds.of_label("gizmo"), Some("Gadget"));
        assert_eq!(kinds.of_label("gadget"), Some("Gadget"));
        assert_eq!(kinds.of_label("Gadget"), None);
        let groups: Vec<_> = kinds.all("Route").iter().map(|kind| &kind.group).collect();
        assert_eq!(groups, ["route.openshift.io", "serving.knative.dev"]);
        assert_eq!(kinds.get("Route").unwrap().group, "route.openshift.io");
    }

    #[test]
    fn the_built_in_kinds_know_their_scope_and_group() {
        let kinds = Kinds::built_in();
        for (name, api_version, plural, namespaced, followed) in [
            ("Pod", "v1", "pods", true, true),
            ("Node", "v1", "nodes", false, true),
            ("Deployment", "apps/v1", "deployments", true, true),
            ("CronJob", "batch/v1", "cronjobs", true, true),
            (
                "PodDisruptionBudget",
                "policy/v1",
                "poddisruptionbudgets",
                true,
                true,
            ),
            (
                "NetworkPolicy",
                "networking.k8s.io/v1",
                "networkpolicies",
                true,
                false,
            ),
            (
                "StorageClass",
                "storage.k8s.io/v1",
                "storageclasses",
                false,
                false,
            ),
        ] {
            let kind = kinds.get(name).unwrap();
            assert_eq!(kind.api_version(), api_version);
            assert_eq!(kind.plural, plural);
            assert_eq!(kind.namespaced, namespaced, "{name}");
            assert_eq!(kind.is_followed(), followed, "{name}");
        }
    }
}
