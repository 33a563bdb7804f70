//! What a program asks of an API server, as data. What a role grants is not known here.

use std::borrow::Cow;
use std::fmt;

/// One kind of request that a program makes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Requirement {
    /// The API group; empty for the core group.
    pub group: Cow<'static, str>,
    /// The resource, in the plural.
    pub resource: Cow<'static, str>,
    /// The part of an object that has a path of its own, such as `status`.
    pub subresource: Option<Cow<'static, str>>,
    /// The verb, as RBAC has it.
    pub verb: Cow<'static, str>,
    /// The one object that it is about, if only one.
    pub name: Option<Cow<'static, str>>,
    /// Where.
    pub scope: Scope,
    /// Whether the program works without it.
    pub need: Need,
    /// What the program does with it: an English phrase that follows "to".
    pub why: Cow<'static, str>,
}

/// Where a request is made.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The namespace of the lock's leases.
    LockNamespace,
    /// The namespace of the RemediationRequests.
    ControllerNamespace,
    /// This namespace, whatever the others are.
    Namespace(Cow<'static, str>),
    /// Every namespace, or a resource that has none: only a ClusterRoleBinding can grant it.
    Cluster,
}

/// Whether a program works without a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Need {
    /// It fails.
    Needed,
    /// It does less, and says so.
    Optional,
}

/// All that one program asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its name, as `--profile` takes it.
    pub name: Cow<'static, str>,
    /// What it asks, in the order of its tables.
    pub requirements: Vec<Requirement>,
}

impl Requirement {
    /// The resource as a rule names it: `remediationrequests/status`.
    #[must_use]
    pub fn resource_path(&self) -> String {
        match &self.subresource {
            None => self.resource.to_string(),
            Some(subresource) => format!("{}/{subresource}", self.resource),
        }
    }
}

impl fmt::Display for Requirement {
    /// `update remediationrequests/status.kubernaut.ai`, and behind it the one object if it is about one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource_path())?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        match &self.name {
            Some(name) => write!(f, " {name}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_is_named_as_kubectl_names_a_resource() {
        let status = Requirement {
            group: "kubernaut.ai".into(),
            resource: "remediationrequests".into(),
            subresource: Some("status".into()),
            verb: "update".into(),
            name: None,
            scope: Scope::ControllerNamespace,
            need: Need::Needed,
            why: "count".into(),
        };
        let pods = Requirement {
            group: "".into(),
            resource: "pods".into(),
            subresource: None,
            ..status.clone()
        };
        let one = Requirement {
            name: Some("gateway-0".into()),
            ..pods.clone()
        };
        assert_eq!(
            [status.to_string(), pods.to_string(), one.to_string()],
            [
                "update remediationrequests/status.kubernaut.ai",
                "update pods",
                "update pods gateway-0"
            ]
        );
    }
}
