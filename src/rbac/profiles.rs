//! The programs whose needs are known, by name, and how each of them is recognised in manifests.
//!
//! What one of them asks is in a file of its own; how a need is looked for in manifests is not known here.

mod file;
mod gateway;
pub mod gwlock;
mod remediation_orchestrator;

use std::borrow::Cow;

use super::requirement::Profile;

pub(crate) use file::read;
pub(crate) use gateway::{Version as GatewayVersion, program as gateway};

/// A text of a profile: fixed, or from a file.
pub(crate) type Text = Cow<'static, str>;

/// A program: what it asks, and what has to be known of it to read manifests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    /// What it asks.
    pub(crate) profile: Profile,
    /// What its workload, container, image or labels are called.
    pub(crate) known_as: Vec<Text>,
    /// What tells it where it works, and who it is.
    pub(crate) environment: Environment,
    /// What it may be granted beside what it asks.
    pub(crate) allowed: Vec<Allowed>,
    /// The API groups of which all that it asks is known; only there something can be too much. `None` for every one.
    pub(crate) judged: Option<Vec<Text>>,
}

/// The variables by which a program learns what the downward API knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Environment {
    /// The one with the name of the pod, by which the holder of a lock is known.
    pub(crate) holder: Option<Text>,
    /// The one with the namespace of the locks.
    pub(crate) lock_namespace: Option<Text>,
    /// The namespace of the locks if that one is not set; `None` for that of the workload.
    pub(crate) lock_fallback: Option<Text>,
    /// The one with the namespace of the RemediationRequests; that of the workload if it is not set.
    pub(crate) controller_namespace: Option<Text>,
}

/// What is not called excessive though nothing asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// These permissions; `*` is any.
    Permission {
        group: Text,
        resource: Text,
        verb: Text,
    },
    /// All that this ClusterRole of the API server grants.
    ClusterRole(Text),
}

impl Program {
    /// A program that is recognised by these names, needs nothing in its environment, and is judged by all it is granted.
    pub(crate) fn new(profile: Profile, known_as: &[&'static str]) -> Self {
        Self {
            profile,
            known_as: known_as.iter().map(|name| Text::from(*name)).collect(),
            environment: Environment::default(),
            allowed: Vec::new(),
            judged: None,
        }
    }
}

/// The names of all profiles, as `--profile` takes them.
pub(crate) const NAMES: [&str; 8] = [
    gateway::NAME,
    remediation_orchestrator::NAME,
    gwlock::NAMES[0],
    gwlock::NAMES[1],
    gwlock::NAMES[2],
    gwlock::NAMES[3],
    gwlock::NAMES[4],
    gwlock::NAMES[5],
];

/// What a profile is of, in a line.
pub(crate) fn about(name: &str) -> &'static str {
    match name {
        gateway::NAME => "A Kubernaut Gateway",
        remediation_orchestrator::NAME => "The lock of Kubernaut's remediation orchestrator",
        _ => gwlock::about(name),
    }
}

/// The program of this name. The version tells only gateways apart.
pub(crate) fn find(name: &str, gateway: GatewayVersion) -> Option<Program> {
    match name {
        gateway::NAME => Some(gateway::program(gateway)),
        remediation_orchestrator::NAME => Some(remediation_orchestrator::program()),
        _ => gwlock::program(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_the_profile_that_is_called_so() {
        for name in NAMES {
            let program = find(name, GatewayVersion::Current).unwrap();
            assert_eq!(program.profile.name, name);
            assert_ne!(about(name), "");
            assert!(!program.profile.requirements.is_empty(), "{name}");
        }
        assert_eq!(find("nothing", GatewayVersion::Current), None);
    }
}
