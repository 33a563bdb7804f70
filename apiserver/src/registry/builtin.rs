//! The table of built-in kinds. Data only; the rules come from the registry strategies of Kubernetes 1.36.

use super::{
    Origin, Resource, Scope, SelectableField, SelectorWording, Subresource, Verb, WriteRules,
};

/// One line of the table; whatever is left out takes the commonest value.
struct Line {
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    short_names: &'static [&'static str],
    scope: Scope,
    status: bool,
    generation: bool,
    create_on_update: bool,
    unconditional_update: bool,
    in_all: bool,
    /// Whether a whole collection can be deleted.
    delete_collection: bool,
    review: bool,
    /// `None` for kinds that select by metadata alone and refuse other fields in the generic words.
    fields: Option<&'static [&'static str]>,
}

const fn namespaced(group: &'static str, kind: &'static str, plural: &'static str) -> Line {
    Line {
        group,
        version: "v1",
        kind,
        plural,
        short_names: &[],
        scope: Scope::Namespaced,
        status: false,
        generation: false,
        create_on_update: false,
        unconditional_update: true,
        in_all: false,
        delete_collection: true,
        review: false,
        fields: None,
    }
}

const fn cluster(group: &'static str, kind: &'static str, plural: &'static str) -> Line {
    Line {
        scope: Scope::Cluster,
        ..namespaced(group, kind, plural)
    }
}

const fn review(group: &'static str, kind: &'static str, plural: &'static str) -> Line {
    Line {
        review: true,
        ..cluster(group, kind, plural)
    }
}

const POD_FIELDS: &[&str] = &[
    "spec.hostNetwork",
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "status.nominatedNodeName",
    "status.phase",
    "status.podIP",
];

const EVENT_FIELDS: &[&str] = &[
    "involvedObject.apiVersion",
    "involvedObject.fieldPath",
    "involvedObject.kind",
    "involvedObject.name",
    "involvedObject.namespace",
    "involvedObject.resourceVersion",
    "involvedObject.uid",
    "reason",
    "reportingComponent",
    "source",
    "type",
];

const APPS: &str = "apps";
const AUTHENTICATION: &str = "authentication.k8s.io";
const AUTHORIZATION: &str = "authorization.k8s.io";
const BATCH: &str = "batch";
const RBAC: &str = "rbac.authorization.k8s.io";

const LINES: &[Line] = &[
    Line {
        short_names: &["cm"],
        ..namespaced("", "ConfigMap", "configmaps")
    },
    Line {
        short_names: &["ev"],
        create_on_update: true,
        fields: Some(EVENT_FIELDS),
        ..namespaced("", "Event", "events")
    },
    Line {
        short_names: &["ns"],
        status: true,
        delete_collection: false,
        fields: Some(&["status.phase"]),
        ..cluster("", "Namespace", "namespaces")
    },
    Line {
        short_names: &["no"],
        status: true,
        fields: Some(&["spec.unschedulable"]),
        ..cluster("", "Node", "nodes")
    },
    Line {
        short_names: &["po"],
        status: true,
        generation: true,
        in_all: true,
        fields: Some(POD_FIELDS),
        ..namespaced("", "Pod", "pods")
    },
    Line {
        fields: Some(&["type"]),
        ..namespaced("", "Secret", "secrets")
    },
    Line {
        short_names: &["sa"],
        ..namespaced("", "ServiceAccount", "serviceaccounts")
    },
    Line {
        short_names: &["svc"],
        status: true,
        create_on_update: true,
        in_all: true,
        fields: Some(&["spec.clusterIP", "spec.type"]),
        ..namespaced("", "Service", "services")
    },
    Line {
        short_names: &["crd", "crds"],
        status: true,
        generation: true,
        unconditional_update: false,
        ..cluster(
            "apiextensions.k8s.io",
            "CustomResourceDefinition",
            "customresourcedefinitions",
        )
    },
    Line {
        short_names: &["ds"],
        status: true,
        generation: true,
        in_all: true,
        ..namespaced(APPS, "DaemonSet", "daemonsets")
    },
    Line {
        short_names: &["deploy"],
        status: true,
        generation: true,
        in_all: true,
        ..namespaced(APPS, "Deployment", "deployments")
    },
    Line {
        short_names: &["rs"],
        status: true,
        generation: true,
        in_all: true,
        fields: Some(&["status.replicas"]),
        ..namespaced(APPS, "ReplicaSet", "replicasets")
    },
    Line {
        short_names: &["sts"],
        status: true,
        generation: true,
        in_all: true,
        ..namespaced(APPS, "StatefulSet", "statefulsets")
    },
    review(AUTHENTICATION, "SelfSubjectReview", "selfsubjectreviews"),
    review(AUTHENTICATION, "TokenReview", "tokenreviews"),
    Line {
        scope: Scope::Namespaced,
        ..review(
            AUTHORIZATION,
            "LocalSubjectAccessReview",
            "localsubjectaccessreviews",
        )
    },
    review(
        AUTHORIZATION,
        "SelfSubjectAccessReview",
        "selfsubjectaccessreviews",
    ),
    review(
        AUTHORIZATION,
        "SelfSubjectRulesReview",
        "selfsubjectrulesreviews",
    ),
    review(AUTHORIZATION, "SubjectAccessReview", "subjectaccessreviews"),
    Line {
        short_names: &["cj"],
        status: true,
        generation: true,
        in_all: true,
        ..namespaced(BATCH, "CronJob", "cronjobs")
    },
    Line {
        status: true,
        generation: true,
        in_all: true,
        fields: Some(&["status.successful"]),
        ..namespaced(BATCH, "Job", "jobs")
    },
    Line {
        create_on_update: true,
        unconditional_update: false,
        ..namespaced("coordination.k8s.io", "Lease", "leases")
    },
    Line {
        short_names: &["ev"],
        create_on_update: true,
        fields: Some(EVENT_FIELDS),
        ..namespaced("events.k8s.io", "Event", "events")
    },
    Line {
        create_on_update: true,
        ..cluster(RBAC, "ClusterRole", "clusterroles")
    },
    Line {
        create_on_update: true,
        ..cluster(RBAC, "ClusterRoleBinding", "clusterrolebindings")
    },
    Line {
        create_on_update: true,
        ..namespaced(RBAC, "Role", "roles")
    },
    Line {
        create_on_update: true,
        ..namespaced(RBAC, "RoleBinding", "rolebindings")
    },
];

/// Every built-in kind.
pub(super) fn resources() -> impl Iterator<Item = Resource> {
    LINES.iter().map(Line::resource)
}

impl Line {
    fn resource(&self) -> Resource {
        Resource {
            group: self.group.into(),
            version: self.version.into(),
            plural: self.plural.into(),
            singular: self.kind.to_ascii_lowercase(),
            kind: self.kind.into(),
            list_kind: format!("{}List", self.kind),
            short_names: self.short_names.iter().map(ToString::to_string).collect(),
            categories: if self.in_all {
                vec!["all".into()]
            } else {
                Vec::new()
            },
            scope: self.scope,
            verbs: Verb::ALL
                .into_iter()
                .filter(|verb| self.has_verb(*verb))
                .collect(),
            subresources: if self.status {
                vec![Subresource::Status]
            } else {
                Vec::new()
            },
            selectable_fields: self
                .fields
                .unwrap_or_default()
                .iter()
                .map(|name| self.selectable(name))
                .collect(),
            selector_wording: if self.fields.is_some() {
                SelectorWording::Label
            } else {
                SelectorWording::Metadata
            },
            write: WriteRules {
                create_on_update: self.create_on_update,
                unconditional_update: self.unconditional_update,
                generation: self.generation,
            },
            origin: if self.review {
                Origin::Review
            } else {
                Origin::BuiltIn
            },
            // Events of both groups are one set of objects.
            stored_as: self.plural.into(),
        }
    }

    fn has_verb(&self, verb: Verb) -> bool {
        match verb {
            Verb::Create => true,
            Verb::DeleteCollection => self.delete_collection && !self.review,
            _ => !self.review,
        }
    }

    fn selectable(&self, name: &str) -> SelectableField {
        // An Event names its reporter `source`; the value stands one level deeper.
        let pointer = if self.kind == "Event" && name == "source" {
            "/source/component".into()
        } else {
            format!("/{}", name.replace('.', "/"))
        };
        SelectableField {
            name: name.into(),
            pointer,
        }
    }
}
