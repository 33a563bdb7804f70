//! One RBAC rule as YAML, for whoever has to add it. What it is for stands in the tables of the profiles.

use std::fmt;

use gwlock_engine::client::api_error::Denied;

use super::profiles::gwlock::{Permission, Place, evidence, permission};

/// One missing permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rule<'a> {
    pub(crate) group: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) verb: &'a str,
    /// `None` for the whole cluster.
    pub(crate) namespace: Option<&'a str>,
}

/// What a role lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing<'a> {
    /// A rule about a resource.
    Rule(Rule<'a>),
    /// A rule about a path, such as those of discovery.
    Path { verb: &'a str, path: &'a str },
}

impl<'a> From<Denied<'a>> for Missing<'a> {
    fn from(denied: Denied<'a>) -> Self {
        match denied {
            Denied::Resource {
                verb,
                group,
                resource,
                namespace,
            } => Self::Rule(Rule {
                group,
                resource,
                verb,
                namespace,
            }),
            Denied::Path { verb, path } => Self::Path { verb, path },
        }
    }
}

impl fmt::Display for Rule<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.told(permission(self.group, self.resource, self.verb), f)
    }
}

/// A rule about what stands behind a lease.
pub(crate) struct OfEvidence<'a>(pub(crate) Rule<'a>);

impl fmt::Display for OfEvidence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(rule) = self;
        rule.told(evidence(rule.group, rule.resource, rule.verb), f)
    }
}

impl Rule<'_> {
    fn told(&self, known: Option<&Permission>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            group,
            resource,
            verb,
            ..
        } = self;
        // What is asked in any namespace is granted in all at once.
        let is_everywhere = known.is_some_and(|known| known.place == Place::Cluster);
        head(f, self.namespace.filter(|_| !is_everywhere))?;
        if let Some(known) = known {
            writeln!(f, "  # to {}", known.why)?;
        }
        writeln!(f, "  - apiGroups: [\"{group}\"]")?;
        writeln!(f, "    resources: [\"{resource}\"]")?;
        if let Some(name) = known.and_then(|known| known.name) {
            writeln!(f, "    resourceNames: [\"{name}\"]")?;
        }
        write!(f, "    verbs: [\"{verb}\"]")
    }
}

impl fmt::Display for Missing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(rule) => rule.fmt(f),
            Self::Path { verb, path } => {
                head(f, None)?;
                writeln!(f, "  - nonResourceURLs: [\"{path}\"]")?;
                write!(f, "    verbs: [\"{verb}\"]")
            }
        }
    }
}

/// All of the role down to its rules.
fn head(f: &mut fmt::Formatter<'_>, namespace: Option<&str>) -> fmt::Result {
    let kind = if namespace.is_some() {
        "Role"
    } else {
        "ClusterRole"
    };
    writeln!(f, "  apiVersion: rbac.authorization.k8s.io/v1")?;
    writeln!(f, "  kind: {kind}")?;
    writeln!(f, "  metadata:")?;
    writeln!(f, "    name: gwlock")?;
    if let Some(namespace) = namespace {
        writeln!(f, "    namespace: {namespace}")?;
    }
    writeln!(f, "  rules:")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(message: &str) -> String {
        Missing::from(Denied::read(message).unwrap()).to_string()
    }

    #[test]
    fn a_rule_is_a_role_that_says_what_it_is_for() {
        assert_eq!(
            told(
                "x is forbidden: User \"a\" cannot patch resource \"remediationrequests/status\" in API group \"kubernaut.ai\" in the namespace \"ns\""
            ),
            "  apiVersion: rbac.authorization.k8s.io/v1\n  kind: Role\n  metadata:\n    name: gwlock\n    \
             namespace: ns\n  rules:\n  # to count an occurrence\n  - apiGroups: [\"kubernaut.ai\"]\n    \
             resources: [\"remediationrequests/status\"]\n    verbs: [\"patch\"]"
        );
    }

    #[test]
    fn what_is_asked_in_any_namespace_is_granted_by_a_cluster_role() {
        let role = told(
            "x is forbidden: User \"a\" cannot get resource \"pods\" in API group \"\" in the namespace \"prod\"",
        );
        assert!(role.contains("kind: ClusterRole\n"), "{role}");
        assert!(!role.contains("namespace:"), "{role}");
    }

    #[test]
    fn a_rule_that_is_not_gwlocks_own_is_told_without_a_reason() {
        let role = told(
            "x is forbidden: User \"a\" cannot impersonate resource \"users\" in API group \"\" at the cluster scope",
        );
        assert_eq!(
            role,
            "  apiVersion: rbac.authorization.k8s.io/v1\n  kind: ClusterRole\n  metadata:\n    name: gwlock\n  rules:\n  \
             - apiGroups: [\"\"]\n    resources: [\"users\"]\n    verbs: [\"impersonate\"]"
        );
    }

    #[test]
    fn a_path_is_granted_as_such() {
        assert!(
            told("forbidden: User \"a\" cannot get path \"/apis\"")
                .ends_with("  rules:\n  - nonResourceURLs: [\"/apis\"]\n    verbs: [\"get\"]")
        );
    }
}
