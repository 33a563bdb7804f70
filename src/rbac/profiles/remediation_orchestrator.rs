//! What the lock of Kubernaut's remediation orchestrator asks. Its other work is not known here, and not judged.

use super::{Environment, Program};
use crate::rbac::requirement::{Need, Profile, Requirement, Scope};

pub(super) const NAME: &str = "remediation-orchestrator";

const GROUP: &str = "coordination.k8s.io";

pub(super) fn program() -> Program {
    let lease = |verb: &'static str, scope: Scope, need: Need, why: &'static str| Requirement {
        group: GROUP.into(),
        resource: "leases".into(),
        subresource: None,
        verb: verb.into(),
        name: None,
        scope,
        need,
        why: why.into(),
    };
    // It reads leases from a cache, and that cache lists and watches those of the whole cluster: no GET is ever sent.
    let cache = "fill the cache that it reads leases from";
    let lock = "take and release the lock of a target";
    let profile = Profile {
        name: NAME.into(),
        requirements: vec![
            lease("list", Scope::Cluster, Need::Needed, cache),
            lease("watch", Scope::Cluster, Need::Needed, cache),
            lease("create", Scope::LockNamespace, Need::Needed, lock),
            lease("update", Scope::LockNamespace, Need::Needed, lock),
            lease("delete", Scope::LockNamespace, Need::Needed, lock),
            lease(
                "get",
                Scope::LockNamespace,
                Need::Optional,
                "read a lease without its cache",
            ),
        ],
    };
    let mut program = Program::new(
        profile,
        &[
            "remediation-orchestrator",
            "remediationorchestrator",
            "remediationorchestrator-controller",
        ],
    );
    program.environment = Environment {
        holder: Some("POD_NAME".into()),
        lock_namespace: Some("KUBERNAUT_CONTROLLER_NAMESPACE".into()),
        lock_fallback: Some("kubernaut-system".into()),
        controller_namespace: Some("KUBERNAUT_CONTROLLER_NAMESPACE".into()),
    };
    program.judged = Some(vec![GROUP.into()]);
    program
}
