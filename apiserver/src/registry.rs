//! Which kinds the server knows.
//!
//! Names and traits of kinds; custom kinds are added when their definition is stored.

pub(crate) mod custom;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;

use crate::schema::Schema;
use crate::store::ResourceKey;

/// One kind of object.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Resource {
    /// API group; empty for the core group.
    pub group: String,
    /// API version.
    pub version: String,
    /// Plural name, as in paths.
    pub plural: String,
    /// Singular name.
    pub singular: String,
    /// Kind.
    pub kind: String,
    /// Short names for kubectl.
    pub short_names: Vec<String>,
    /// kubectl's categories.
    pub categories: Vec<String>,
    /// Whether objects live in a namespace.
    pub namespaced: bool,
    /// Whether there is a `/status` subresource.
    pub has_status: bool,
    /// Whether a PUT of a name that does not exist creates it.
    pub create_on_update: bool,
    /// Whether a PUT without resourceVersion is taken.
    pub unconditional_update: bool,
    /// Whether `metadata.generation` counts changes of the spec.
    pub has_generation: bool,
    /// Field selectors beside `metadata.name` and `metadata.namespace`.
    pub selectable: Vec<String>,
    /// What a custom kind's definition says.
    pub custom: Option<Arc<Custom>>,
    pub(crate) key: ResourceKey,
}

/// What a CustomResourceDefinition says of its kind.
#[derive(Debug)]
#[non_exhaustive]
pub struct Custom {
    pub(crate) schema: Schema,
    pub(crate) columns: Vec<Value>,
}

impl Resource {
    /// `plural.group`, as messages name it; the plural alone in the core group.
    #[must_use]
    pub fn qualified(&self) -> &str {
        &self.key
    }

    /// `Kind.group`, as other messages name it; the kind alone in the core group.
    #[must_use]
    pub fn qualified_kind(&self) -> String {
        if self.group.is_empty() {
            self.kind.clone()
        } else {
            format!("{}.{}", self.kind, self.group)
        }
    }

    /// `group/version`; the version alone in the core group.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }
}

/// All kinds.
#[derive(Debug)]
pub struct Registry {
    resources: RwLock<BTreeMap<(String, String, String), Arc<Resource>>>,
}

impl Registry {
    /// The built-in kinds.
    #[must_use]
    pub fn built_in() -> Self {
        let registry = Self {
            resources: RwLock::default(),
        };
        for resource in built_in() {
            registry.add(resource);
        }
        registry
    }

    /// The kind that a path names.
    #[must_use]
    pub fn find(&self, group: &str, version: &str, plural: &str) -> Option<Arc<Resource>> {
        let key = (group.to_owned(), version.to_owned(), plural.to_owned());
        self.resources
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .cloned()
    }

    /// Every kind, sorted by group, version and plural.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Resource>> {
        self.resources
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }

    pub(crate) fn add(&self, resource: Resource) {
        let key = (
            resource.group.clone(),
            resource.version.clone(),
            resource.plural.clone(),
        );
        self.resources
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, Arc::new(resource));
    }

    pub(crate) fn remove(&self, group: &str, plural: &str) {
        self.resources
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|(its_group, _, its_plural), _| !(its_group == group && its_plural == plural));
    }
}

pub(crate) fn key(group: &str, plural: &str) -> ResourceKey {
    if group.is_empty() {
        Arc::from(plural)
    } else {
        Arc::from(format!("{plural}.{group}"))
    }
}

fn built_in() -> Vec<Resource> {
    const CLUSTER: bool = false;
    const NAMESPACED: bool = true;
    let all = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    let rows: &[(&str, &str, &str, &[&str], bool, bool)] = &[
        // group, plural, Kind, short names, namespaced, status
        ("", "configmaps", "ConfigMap", &["cm"], NAMESPACED, false),
        ("", "events", "Event", &["ev"], NAMESPACED, false),
        ("", "namespaces", "Namespace", &["ns"], CLUSTER, true),
        ("", "nodes", "Node", &["no"], CLUSTER, true),
        ("", "pods", "Pod", &["po"], NAMESPACED, true),
        ("", "secrets", "Secret", &[], NAMESPACED, false),
        (
            "",
            "serviceaccounts",
            "ServiceAccount",
            &["sa"],
            NAMESPACED,
            false,
        ),
        ("", "services", "Service", &["svc"], NAMESPACED, true),
        (
            "apiextensions.k8s.io",
            "customresourcedefinitions",
            "CustomResourceDefinition",
            &["crd", "crds"],
            CLUSTER,
            true,
        ),
        ("apps", "daemonsets", "DaemonSet", &["ds"], NAMESPACED, true),
        (
            "apps",
            "deployments",
            "Deployment",
            &["deploy"],
            NAMESPACED,
            true,
        ),
        (
            "apps",
            "replicasets",
            "ReplicaSet",
            &["rs"],
            NAMESPACED,
            true,
        ),
        (
            "apps",
            "statefulsets",
            "StatefulSet",
            &["sts"],
            NAMESPACED,
            true,
        ),
        ("batch", "cronjobs", "CronJob", &["cj"], NAMESPACED, true),
        ("batch", "jobs", "Job", &[], NAMESPACED, true),
        (
            "coordination.k8s.io",
            "leases",
            "Lease",
            &[],
            NAMESPACED,
            false,
        ),
        (
            "rbac.authorization.k8s.io",
            "clusterrolebindings",
            "ClusterRoleBinding",
            &[],
            CLUSTER,
            false,
        ),
        (
            "rbac.authorization.k8s.io",
            "clusterroles",
            "ClusterRole",
            &[],
            CLUSTER,
            false,
        ),
        (
            "rbac.authorization.k8s.io",
            "rolebindings",
            "RoleBinding",
            &[],
            NAMESPACED,
            false,
        ),
        (
            "rbac.authorization.k8s.io",
            "roles",
            "Role",
            &[],
            NAMESPACED,
            false,
        ),
    ];
    rows.iter()
        .map(
            |&(group, plural, kind, short_names, namespaced, has_status)| {
                let workload = matches!(group, "apps" | "batch");
                Resource {
                    group: group.to_owned(),
                    version: "v1".to_owned(),
                    plural: plural.to_owned(),
                    singular: kind.to_lowercase(),
                    kind: kind.to_owned(),
                    short_names: all(short_names),
                    categories: if workload || matches!(plural, "pods" | "services") {
                        all(&["all"])
                    } else {
                        Vec::new()
                    },
                    namespaced,
                    has_status,
                    create_on_update: matches!(
                        plural,
                        "leases"
                            | "events"
                            | "clusterroles"
                            | "roles"
                            | "clusterrolebindings"
                            | "rolebindings"
                    ),
                    unconditional_update: !matches!(plural, "leases" | "customresourcedefinitions"),
                    has_generation: workload || plural == "customresourcedefinitions",
                    selectable: all(selectable(plural)),
                    custom: None,
                    key: key(group, plural),
                }
            },
        )
        .collect()
}

fn selectable(plural: &str) -> &'static [&'static str] {
    match plural {
        "pods" => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        "events" => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        "nodes" => &["spec.unschedulable"],
        "namespaces" => &["status.phase"],
        "secrets" => &["type"],
        "services" => &["spec.clusterIP", "spec.type"],
        "replicasets" => &["status.replicas"],
        "jobs" => &["status.successful"],
        _ => &[],
    }
}
