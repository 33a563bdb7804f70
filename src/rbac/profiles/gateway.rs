//! What a Kubernaut Gateway asks, read from its code; not what its own chart grants.

use super::{Allowed, Environment, Program, Text};
use crate::rbac::requirement::{Need, Profile, Requirement, Scope};

pub(super) const NAME: &str = "gateway";

/// Which gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Version {
    /// The one of today: it knows who asks it, resolves owners and looks at namespaces.
    #[default]
    Current,
    /// The first one with a lock, of January 2026: it does none of that.
    January,
}

/// Requests of one kind: group, resource, subresource, verbs, scope, need, why.
type Line = (
    &'static str,
    &'static str,
    Option<&'static str>,
    &'static [&'static str],
    Scope,
    Need,
    &'static str,
);

const READS: &[&str] = &["get", "list", "watch"];
const LEASES: &str = "coordination.k8s.io";
const KUBERNAUT: &str = "kubernaut.ai";

/// What every gateway with a lock asks.
const ALWAYS: [Line; 4] = [
    (
        LEASES,
        "leases",
        None,
        &["get", "create", "update", "delete"],
        Scope::LockNamespace,
        Need::Needed,
        "take and release the lock of a signal",
    ),
    (
        KUBERNAUT,
        "remediationrequests",
        None,
        &["get", "list", "create"],
        Scope::ControllerNamespace,
        Need::Needed,
        "look for duplicates and start remediations",
    ),
    (
        KUBERNAUT,
        "remediationrequests",
        None,
        &["watch"],
        Scope::ControllerNamespace,
        Need::Needed,
        "fill the cache of its client",
    ),
    (
        KUBERNAUT,
        "remediationrequests",
        Some("status"),
        &["update"],
        Scope::ControllerNamespace,
        Need::Needed,
        "count duplicates",
    ),
];

/// What only the one of today asks.
const CURRENT: [Line; 7] = [
    (
        "",
        "namespaces",
        None,
        READS,
        Scope::Cluster,
        Need::Needed,
        "know which namespaces are managed, and that it is ready",
    ),
    (
        "",
        "pods",
        None,
        READS,
        Scope::Cluster,
        Need::Needed,
        OWNERS,
    ),
    (
        "",
        "nodes",
        None,
        READS,
        Scope::Cluster,
        Need::Needed,
        OWNERS,
    ),
    (
        "",
        "services",
        None,
        READS,
        Scope::Cluster,
        Need::Needed,
        OWNERS,
    ),
    (
        "",
        "persistentvolumes",
        None,
        READS,
        Scope::Cluster,
        Need::Needed,
        OWNERS,
    ),
    (
        "authentication.k8s.io",
        "tokenreviews",
        None,
        &["create"],
        Scope::Cluster,
        Need::Needed,
        "know who sends a signal",
    ),
    (
        "authorization.k8s.io",
        "subjectaccessreviews",
        None,
        &["create"],
        Scope::Cluster,
        Need::Needed,
        "know who may send signals",
    ),
];

const OWNERS: &str = "find the owner of a signal's target";

/// The kinds of the groups `apps` and `batch` that own what signals are about.
const OWNING: [(&str, &str); 6] = [
    ("apps", "deployments"),
    ("apps", "replicasets"),
    ("apps", "statefulsets"),
    ("apps", "daemonsets"),
    ("batch", "jobs"),
    ("batch", "cronjobs"),
];

pub(crate) fn program(version: Version) -> Program {
    let mut requirements: Vec<Requirement> = ALWAYS.into_iter().flat_map(each_verb).collect();
    if version == Version::Current {
        requirements.extend(CURRENT.into_iter().flat_map(each_verb));
        for (group, resource) in OWNING {
            let line = (
                group,
                resource,
                None,
                READS,
                Scope::Cluster,
                Need::Needed,
                OWNERS,
            );
            requirements.extend(each_verb(line));
        }
        requirements.push(data_storage());
    }
    let profile = Profile {
        name: NAME.into(),
        requirements,
    };
    let mut program = Program::new(
        profile,
        &["gateway", "kubernaut-gateway", "gateway-service"],
    );
    program.environment = Environment {
        holder: Some("POD_NAME".into()),
        lock_namespace: Some("POD_NAMESPACE".into()),
        lock_fallback: Some("kubernaut-system".into()),
        controller_namespace: Some("KUBERNAUT_CONTROLLER_NAMESPACE".into()),
    };
    if version == Version::Current {
        // It looks whether the target of a signal exists, of whichever kind that is. Its chart binds `view` for it.
        program.allowed = vec![
            Allowed::Permission {
                group: "*".into(),
                resource: "*".into(),
                verb: "get".into(),
            },
            Allowed::ClusterRole("view".into()),
        ];
    }
    program
}

fn each_verb(line: Line) -> impl Iterator<Item = Requirement> {
    let (group, resource, subresource, verbs, scope, need, why) = line;
    verbs.iter().map(move |verb| Requirement {
        group: group.into(),
        resource: resource.into(),
        subresource: subresource.map(Text::from),
        verb: (*verb).into(),
        name: None,
        scope: scope.clone(),
        need,
        why: why.into(),
    })
}

/// DataStorage asks whether the gateway may create this one service, and takes audit events if it may.
fn data_storage() -> Requirement {
    Requirement {
        group: "".into(),
        resource: "services".into(),
        subresource: None,
        verb: "create".into(),
        name: Some("data-storage-service".into()),
        scope: Scope::ControllerNamespace,
        need: Need::Optional,
        why: "send audit events to DataStorage".into(),
    }
}
