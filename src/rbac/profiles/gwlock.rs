//! What gwlock itself asks of an API server: what each of its operations asks, and the profiles that are made of them.
//!
//! A new request is a line in `permissions`, and that line's name in the operations that make the request. A test runs
//! every operation and compares.

mod operations;
mod permissions;

use super::{Environment, Program};
use crate::rbac::requirement::{Need, Profile, Requirement, Scope};

pub(crate) use permissions::SENDER;

/// One kind of request, and what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The resource, with its subresource: `remediationrequests/status`.
    pub resource: &'static str,
    /// The verb, as RBAC has it.
    pub verb: &'static str,
    /// The one object that it is about, if only one.
    pub name: Option<&'static str>,
    /// Where.
    pub place: Place,
    /// An English phrase that follows "to".
    pub why: &'static str,
}

/// Where a request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The namespace of the leases.
    Leases,
    /// The namespace of the RemediationRequests.
    Requests,
    /// Any namespace, or none.
    Cluster,
}

/// Something that gwlock does, and what it asks for it.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// The command, as it is typed, and flags that make a difference.
    pub name: &'static str,
    /// Without these it fails.
    pub needed: &'static [Permission],
    /// Without these it does less, and says so.
    pub optional: &'static [Permission],
}

/// The names of the profiles, as `--profile` takes them, and the operations of each.
const PROFILES: [(&str, &[Operation]); 6] = [
    ("gwlock-serve", operations::SERVES),
    ("gwlock-operator", operations::REPAIRS),
    ("gwlock-readonly", operations::READS),
    ("gwlock-run", operations::HOLDS),
    ("gwlock-gc", operations::COLLECTS),
    ("gwlock-simulate", operations::SIMULATES),
];

/// The names of the profiles of gwlock.
pub(crate) const NAMES: [&str; 6] = [
    PROFILES[0].0,
    PROFILES[1].0,
    PROFILES[2].0,
    PROFILES[3].0,
    PROFILES[4].0,
    PROFILES[5].0,
];

/// What a profile is of, in a line.
pub(crate) fn about(name: &str) -> &'static str {
    match name {
        "gwlock-serve" => "Replicas of gwlock serve",
        "gwlock-operator" => "Whoever looks at leases and RemediationRequests, and removes leases",
        "gwlock-readonly" => "Whoever looks at them only",
        "gwlock-run" => "Whoever holds leases: run, acquire, renew, release, verify",
        "gwlock-gc" => "The collection of expired leases",
        "gwlock-simulate" => "A pod of a simulation, as gwlock simulate job prints it",
        _ => "",
    }
}

/// Every operation, also those of no profile.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    operations::ALL.iter()
}

/// What every authenticated user may ask of a cluster as it comes, by the ClusterRole `system:basic-user`: in no profile.
#[must_use]
pub fn of_everybody() -> &'static [Permission] {
    permissions::OF_EVERYBODY
}

/// The operations of a profile.
#[must_use]
pub fn operations_of(profile: &str) -> Option<&'static [Operation]> {
    let mut profiles = PROFILES.iter();
    let (_, operations) = profiles.find(|(name, _)| *name == profile)?;
    Some(operations)
}

/// The profile of this name.
#[must_use]
pub fn profile(name: &str) -> Option<Profile> {
    let name = NAMES.into_iter().find(|known| *known == name)?;
    let requirements = together(operations_of(name)?);
    Some(Profile {
        name: name.into(),
        requirements,
    })
}

/// The same, with what has to be known of it to read manifests.
pub(crate) fn program(name: &str) -> Option<Program> {
    let profile = profile(name)?;
    let holds_as_a_pod = [PROFILES[0].0, PROFILES[5].0].contains(&&*profile.name);
    let known_as: &[&str] = match name {
        "gwlock-serve" => &["gwlock-serve"],
        "gwlock-gc" => &["gwlock-gc"],
        "gwlock-simulate" => &["gwlock-simulate"],
        _ => &[],
    };
    let mut program = Program::new(profile, known_as);
    if holds_as_a_pod {
        program.environment = Environment {
            holder: Some("POD_NAME".into()),
            lock_namespace: Some("POD_NAMESPACE".into()),
            lock_fallback: Some("kubernaut-system".into()),
            controller_namespace: Some("KUBERNAUT_CONTROLLER_NAMESPACE".into()),
        };
    }
    Some(program)
}

/// What it takes to compare what is granted with what is needed.
pub(crate) fn reads_roles() -> Vec<Requirement> {
    together(operations::READS_ROLES)
}

/// The permission that allows such a request, if gwlock makes any.
#[must_use]
pub fn permission(group: &str, resource: &str, verb: &str) -> Option<&'static Permission> {
    let of_operations = operations().flat_map(Operation::permissions);
    of_operations
        .chain(permissions::OF_EVERYBODY)
        .chain([&SENDER])
        .filter(|known| !permissions::EVIDENCE.contains(known))
        .find(|known| known.is_for(group, resource, verb))
}

/// The same of what is asked about the holder of a lease, which others ask for other reasons.
pub(crate) fn evidence(group: &str, resource: &str, verb: &str) -> Option<&'static Permission> {
    let mut evidence = permissions::EVIDENCE.iter();
    evidence
        .find(|known| known.is_for(group, resource, verb))
        .or_else(|| permission(group, resource, verb))
}

/// What operations ask together: what one of them needs is needed, and what is asked everywhere is not asked of one
/// namespace as well.
fn together(operations: &[Operation]) -> Vec<Requirement> {
    let mut asked: Vec<(&Permission, Need)> = Vec::new();
    for operation in operations {
        let needed = operation.needed.iter().map(|own| (own, Need::Needed));
        let optional = operation.optional.iter().map(|own| (own, Need::Optional));
        for (permission, need) in needed.chain(optional) {
            match asked.iter_mut().find(|(known, _)| *known == permission) {
                Some((_, known)) if need == Need::Needed => *known = need,
                Some(_) => {}
                None => asked.push((permission, need)),
            }
        }
    }
    let is_everywhere = |own: &Permission| {
        let mut others = asked.iter().map(|(other, _)| other);
        own.place != Place::Cluster
            && others.any(|other| {
                other.place == Place::Cluster && other.is_for(own.group, own.resource, own.verb)
            })
    };
    let requirements = asked
        .iter()
        .filter(|(permission, _)| !is_everywhere(permission))
        .map(|(permission, need)| permission.requirement(*need));
    requirements.collect()
}

impl Operation {
    /// All that it asks, the needed ones first.
    pub fn permissions(&self) -> impl Iterator<Item = &'static Permission> + use<> {
        self.needed.iter().chain(self.optional)
    }
}

impl Permission {
    fn is_for(&self, group: &str, resource: &str, verb: &str) -> bool {
        self.group == group && self.resource == resource && self.verb == verb
    }

    fn requirement(&self, need: Need) -> Requirement {
        let (resource, subresource) = match self.resource.split_once('/') {
            None => (self.resource, None),
            Some((resource, subresource)) => (resource, Some(subresource)),
        };
        Requirement {
            group: self.group.into(),
            resource: resource.into(),
            subresource: subresource.map(Into::into),
            verb: self.verb.into(),
            name: self.name.map(Into::into),
            scope: match self.place {
                Place::Leases => Scope::LockNamespace,
                Place::Requests => Scope::ControllerNamespace,
                Place::Cluster => Scope::Cluster,
            },
            need,
            why: self.why.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_of_a_profile_is_among_all_and_every_name_is_used_once() {
        let mut names: Vec<&str> = operations().map(|operation| operation.name).collect();
        for name in NAMES {
            for operation in operations_of(name).unwrap() {
                assert!(names.contains(&operation.name), "{}", operation.name);
            }
        }
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn one_kind_of_request_in_one_place_has_one_reason() {
        for own in operations().flat_map(Operation::permissions) {
            let found = [permission, evidence].map(|find| find(own.group, own.resource, own.verb));
            let is_elsewhere = |known: &Permission| known.place != own.place;
            assert!(
                found.contains(&Some(own)) || found.into_iter().flatten().all(is_elsewhere),
                "{own:?}"
            );
        }
    }

    #[test]
    fn what_one_operation_needs_is_needed_by_the_profile() {
        let profile = profile("gwlock-operator").unwrap();
        let need = |words: &str| {
            let asked = profile.requirements.iter();
            let mut found = asked.filter(|asked| asked.to_string() == words);
            let need = found.next().map(|asked| asked.need);
            assert_eq!(found.next(), None, "{words} is asked once");
            need
        };
        // `dedup check` does without it, `gc` does not.
        assert_eq!(need("list leases.coordination.k8s.io"), Some(Need::Needed));
        assert_eq!(need("create events.events.k8s.io"), Some(Need::Optional));
        assert_eq!(need("create leases.coordination.k8s.io"), None);
    }
}
