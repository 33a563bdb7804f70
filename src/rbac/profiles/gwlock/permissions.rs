//! Every kind of request that gwlock makes, once, with what it is for. Which operation makes it is not known here.

use gwlock_engine::protocol::exchange::Verb;
use gwlock_engine::remediation::exchange::Rule;

use super::{Permission, Place};

const CORE: &str = "";
const AUTHENTICATION: &str = "authentication.k8s.io";
const AUTHORIZATION: &str = "authorization.k8s.io";
const RBAC: &str = "rbac.authorization.k8s.io";

pub(super) const LEASE_CREATE: Permission = lease(Verb::Create, "acquire a lease that nobody has");
pub(super) const LEASE_GET: Permission = lease(Verb::Get, "see who holds a lease");
pub(super) const LEASE_UPDATE: Permission = lease(
    Verb::Update,
    "renew a lease, and take over one that has expired",
);
pub(super) const LEASE_DELETE: Permission = lease(
    Verb::Delete,
    "release a lease, and remove one that has expired",
);
pub(super) const LEASE_LIST: Permission = lease(Verb::List, "find leases");
pub(super) const LEASE_WATCH: Permission = lease(
    Verb::Watch,
    "wait for a lease without polling, and show changes as they happen",
);

pub(super) const REQUEST_LIST: Permission =
    request(Rule::LIST, "find the RemediationRequests of a fingerprint");
pub(super) const REQUEST_GET: Permission = request(
    Rule::GET,
    "find out what became of a write whose answer was lost",
);
pub(super) const REQUEST_CREATE: Permission =
    request(Rule::CREATE, "create the RemediationRequest of a signal");
pub(super) const REQUEST_COUNT: Permission = request(Rule::COUNT, "count an occurrence");
pub(super) const REQUEST_DELETE: Permission = Permission {
    verb: "delete",
    why: "remove the RemediationRequests of a benchmark or a simulation",
    ..REQUEST_LIST
};

pub(super) const REQUEST_COUNT_WHOLE: Permission = Permission {
    verb: "update",
    why: "count as the gateway's protocol does, in a simulation",
    ..REQUEST_COUNT
};
pub(super) const LEASE_TOUCH: Permission = Permission {
    verb: "patch",
    why: "label leases in a simulation",
    ..LEASE_UPDATE
};
const MEET: &str = "begin at the same time as the other members of a simulation";
pub(super) const MEETING_CREATE: Permission = beside_leases("configmaps", "create", MEET);
pub(super) const MEETING_GET: Permission = beside_leases("configmaps", "get", MEET);
pub(super) const MEETING_PATCH: Permission = beside_leases("configmaps", "patch", MEET);
pub(super) const SUBJECT_GET: Permission = Permission {
    group: "apps",
    ..beside_leases(
        "deployments",
        "get",
        "look up what the signals of a simulation are about",
    )
};
pub(super) const SIMULATION_GET: Permission = Permission {
    group: "batch",
    ..beside_leases("jobs", "get", "see which simulation it is")
};
pub(super) const HISTORY_GET: Permission =
    beside_leases("pods/log", "get", "read the histories of a simulation");

/// What stands behind a lease. Whoever asks for it names what is missing, because others ask the same for other reasons.
pub(super) const EVIDENCE: &[Permission] = &[
    HOLDER_POD_GET,
    HOLDER_POD_LIST,
    HOLDER_NODE_GET,
    HOLDER_NODE_LIST,
    BEHIND_GET,
    EVENT_LIST,
];
const LIVES: &str = "see whether the pod of a holder lives";
pub(super) const HOLDER_POD_GET: Permission = beside_leases("pods", "get", LIVES);
pub(super) const HOLDER_POD_LIST: Permission = beside_leases(
    "pods",
    "list",
    "find the pods of holders, and those of a simulation",
);
const READY: &str = "see whether the node of a holder is ready";
pub(super) const HOLDER_NODE_GET: Permission = cluster(CORE, "nodes", "get", READY);
pub(super) const HOLDER_NODE_LIST: Permission = cluster(CORE, "nodes", "list", READY);
pub(super) const BEHIND_GET: Permission =
    request(Rule::GET, "show the RemediationRequest behind a lease");
pub(super) const EVENT_LIST: Permission =
    beside_leases("events", "list", "show the Events about a lease");

pub(super) const DEFINITION_GET: Permission = cluster(
    "apiextensions.k8s.io",
    "customresourcedefinitions",
    "get",
    "look at the definition of RemediationRequests",
);
const WHO_CREATES: &str = "see who may create leases";
pub(super) const LOCK_ROLE_LIST: Permission = Permission {
    group: RBAC,
    ..beside_leases("roles", "list", WHO_CREATES)
};
pub(super) const LOCK_BINDING_LIST: Permission = Permission {
    group: RBAC,
    ..beside_leases("rolebindings", "list", WHO_CREATES)
};

pub(super) const EVENT_CREATE: Permission = Permission {
    group: "events.k8s.io",
    resource: "events",
    verb: "create",
    name: None,
    place: Place::Leases,
    why: "write an Event about a lease that was removed",
};

pub(super) const TOKEN_REVIEW: Permission = cluster(
    AUTHENTICATION,
    "tokenreviews",
    "create",
    "find out who sends a signal",
);
pub(super) const ACCESS_REVIEW: Permission = cluster(
    AUTHORIZATION,
    "subjectaccessreviews",
    "create",
    "find out what somebody else may do",
);

pub(super) const NAMESPACE_GET: Permission = cluster(
    CORE,
    "namespaces",
    "get",
    "see whether the objects of a namespace are managed",
);
pub(super) const NAMESPACE_LIST: Permission =
    cluster(CORE, "namespaces", "list", "offer namespaces after TAB");
pub(super) const NAMESPACE_CREATE: Permission = cluster(
    CORE,
    "namespaces",
    "create",
    "make a namespace for a benchmark",
);
pub(super) const NAMESPACE_DELETE: Permission = cluster(
    CORE,
    "namespaces",
    "delete",
    "remove the namespace of a benchmark",
);

const LOOK_UP: &str = "look up objects that signals are about, and their owners";
pub(super) const POD_GET: Permission = cluster(CORE, "pods", "get", LOOK_UP);
pub(super) const POD_LIST: Permission = cluster(CORE, "pods", "list", "find pods by their labels");
pub(super) const SERVICE_GET: Permission = cluster(CORE, "services", "get", LOOK_UP);
pub(super) const NODE_GET: Permission = cluster(CORE, "nodes", "get", LOOK_UP);
pub(super) const VOLUME_GET: Permission = cluster(CORE, "persistentvolumes", "get", LOOK_UP);
pub(super) const CLAIM_GET: Permission = cluster(CORE, "persistentvolumeclaims", "get", LOOK_UP);
pub(super) const DEPLOYMENT_GET: Permission = cluster("apps", "deployments", "get", LOOK_UP);
pub(super) const REPLICA_SET_GET: Permission = cluster("apps", "replicasets", "get", LOOK_UP);
pub(super) const STATEFUL_SET_GET: Permission = cluster("apps", "statefulsets", "get", LOOK_UP);
pub(super) const DAEMON_SET_GET: Permission = cluster("apps", "daemonsets", "get", LOOK_UP);
pub(super) const JOB_GET: Permission = cluster("batch", "jobs", "get", LOOK_UP);
pub(super) const CRON_JOB_GET: Permission = cluster("batch", "cronjobs", "get", LOOK_UP);
pub(super) const AUTOSCALER_GET: Permission =
    cluster("autoscaling", "horizontalpodautoscalers", "get", LOOK_UP);
pub(super) const BUDGET_GET: Permission = cluster("policy", "poddisruptionbudgets", "get", LOOK_UP);

const READ_ROLES: &str = "compare what is granted with what is needed";
pub(super) const ROLE_LIST: Permission = cluster(RBAC, "roles", "list", READ_ROLES);
pub(super) const BINDING_LIST: Permission = cluster(RBAC, "rolebindings", "list", READ_ROLES);
pub(super) const CLUSTER_ROLE_LIST: Permission = cluster(RBAC, "clusterroles", "list", READ_ROLES);
pub(super) const CLUSTER_BINDING_LIST: Permission =
    cluster(RBAC, "clusterrolebindings", "list", READ_ROLES);

/// What every authenticated user may do.
pub(super) const OF_EVERYBODY: &[Permission] = &[
    cluster(
        AUTHENTICATION,
        "selfsubjectreviews",
        "create",
        "tell who removes a lease",
    ),
    cluster(
        AUTHORIZATION,
        "selfsubjectaccessreviews",
        "create",
        "find out what one may do",
    ),
];

/// What a replica asks of whoever sends it signals, not of the API server: it is the right of the sender.
pub(crate) const SENDER: Permission = Permission {
    group: CORE,
    resource: "services",
    verb: "create",
    name: Some("gateway-service"),
    place: Place::Requests,
    why: "send signals to the gateway",
};

const fn lease(verb: Verb, why: &'static str) -> Permission {
    Permission {
        group: "coordination.k8s.io",
        resource: "leases",
        verb: verb.as_str(),
        name: None,
        place: Place::Leases,
        why,
    }
}

const fn beside_leases(
    resource: &'static str,
    verb: &'static str,
    why: &'static str,
) -> Permission {
    Permission {
        group: CORE,
        resource,
        verb,
        name: None,
        place: Place::Leases,
        why,
    }
}

const fn request(rule: Rule, why: &'static str) -> Permission {
    Permission {
        group: rule.api_group,
        resource: rule.resource,
        verb: rule.verb,
        name: None,
        place: Place::Requests,
        why,
    }
}

const fn cluster(
    group: &'static str,
    resource: &'static str,
    verb: &'static str,
    why: &'static str,
) -> Permission {
    Permission {
        group,
        resource,
        verb,
        name: None,
        place: Place::Cluster,
        why,
    }
}
