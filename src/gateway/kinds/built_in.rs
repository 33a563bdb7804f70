//! The kinds of Kubernetes 1.36. Data only; reviews and other kinds that no object is stored of are left out.

use super::Kind;

/// Kinds whose objects are in namespaces, by group.
const NAMESPACED: &[(&str, &[(&str, &str)])] = &[
    (
        "",
        &[
            ("ConfigMap", "configmaps"),
            ("Endpoints", "endpoints"),
            ("Event", "events"),
            ("LimitRange", "limitranges"),
            ("PersistentVolumeClaim", "persistentvolumeclaims"),
            ("Pod", "pods"),
            ("PodTemplate", "podtemplates"),
            ("ReplicationController", "replicationcontrollers"),
            ("ResourceQuota", "resourcequotas"),
            ("Secret", "secrets"),
            ("Service", "services"),
            ("ServiceAccount", "serviceaccounts"),
        ],
    ),
    (
        "apps",
        &[
            ("ControllerRevision", "controllerrevisions"),
            ("DaemonSet", "daemonsets"),
            ("Deployment", "deployments"),
            ("ReplicaSet", "replicasets"),
            ("StatefulSet", "statefulsets"),
        ],
    ),
    (
        "autoscaling",
        &[("HorizontalPodAutoscaler", "horizontalpodautoscalers")],
    ),
    ("batch", &[("CronJob", "cronjobs"), ("Job", "jobs")]),
    ("coordination.k8s.io", &[("Lease", "leases")]),
    ("discovery.k8s.io", &[("EndpointSlice", "endpointslices")]),
    ("events.k8s.io", &[("Event", "events")]),
    (
        "networking.k8s.io",
        &[
            ("Ingress", "ingresses"),
            ("NetworkPolicy", "networkpolicies"),
        ],
    ),
    ("policy", &[("PodDisruptionBudget", "poddisruptionbudgets")]),
    (
        "rbac.authorization.k8s.io",
        &[("Role", "roles"), ("RoleBinding", "rolebindings")],
    ),
    (
        "resource.k8s.io",
        &[
            ("ResourceClaim", "resourceclaims"),
            ("ResourceClaimTemplate", "resourceclaimtemplates"),
        ],
    ),
    (
        "storage.k8s.io",
        &[("CSIStorageCapacity", "csistoragecapacities")],
    ),
];

/// Kinds whose objects belong to the cluster, by group.
const CLUSTER_SCOPED: &[(&str, &[(&str, &str)])] = &[
    (
        "",
        &[
            ("Namespace", "namespaces"),
            ("Node", "nodes"),
            ("PersistentVolume", "persistentvolumes"),
        ],
    ),
    (
        "admissionregistration.k8s.io",
        &[
            (
                "MutatingWebhookConfiguration",
                "mutatingwebhookconfigurations",
            ),
            ("ValidatingAdmissionPolicy", "validatingadmissionpolicies"),
            (
                "ValidatingAdmissionPolicyBinding",
                "validatingadmissionpolicybindings",
            ),
            (
                "ValidatingWebhookConfiguration",
                "validatingwebhookconfigurations",
            ),
        ],
    ),
    (
        "apiextensions.k8s.io",
        &[("CustomResourceDefinition", "customresourcedefinitions")],
    ),
    ("apiregistration.k8s.io", &[("APIService", "apiservices")]),
    (
        "certificates.k8s.io",
        &[("CertificateSigningRequest", "certificatesigningrequests")],
    ),
    (
        "flowcontrol.apiserver.k8s.io",
        &[
            ("FlowSchema", "flowschemas"),
            ("PriorityLevelConfiguration", "prioritylevelconfigurations"),
        ],
    ),
    (
        "networking.k8s.io",
        &[
            ("IPAddress", "ipaddresses"),
            ("IngressClass", "ingressclasses"),
            ("ServiceCIDR", "servicecidrs"),
        ],
    ),
    ("node.k8s.io", &[("RuntimeClass", "runtimeclasses")]),
    (
        "rbac.authorization.k8s.io",
        &[
            ("ClusterRole", "clusterroles"),
            ("ClusterRoleBinding", "clusterrolebindings"),
        ],
    ),
    (
        "resource.k8s.io",
        &[
            ("DeviceClass", "deviceclasses"),
            ("ResourceSlice", "resourceslices"),
        ],
    ),
    ("scheduling.k8s.io", &[("PriorityClass", "priorityclasses")]),
    (
        "storage.k8s.io",
        &[
            ("CSIDriver", "csidrivers"),
            ("CSINode", "csinodes"),
            ("StorageClass", "storageclasses"),
            ("VolumeAttachment", "volumeattachments"),
            ("VolumeAttributesClass", "volumeattributesclasses"),
        ],
    ),
];

/// Kinds whose first version is another than `v1`.
const VERSIONS: &[(&str, &str)] = &[("HorizontalPodAutoscaler", "v2")];

/// All of them.
pub(super) fn kinds() -> impl Iterator<Item = Kind> {
    let table = [(NAMESPACED, true), (CLUSTER_SCOPED, false)];
    table.into_iter().flat_map(|(groups, namespaced)| {
        groups.iter().flat_map(move |(group, kinds)| {
            kinds.iter().map(move |(name, plural)| Kind {
                group: (*group).to_owned(),
                version: version(name).to_owned(),
                name: (*name).to_owned(),
                plural: (*plural).to_owned(),
                singular: name.to_lowercase(),
                namespaced,
            })
        })
    })
}

fn version(name: &str) -> &'static str {
    let other = VERSIONS.iter().find(|(kind, _)| *kind == name);
    other.map_or("v1", |(_, version)| version)
}
