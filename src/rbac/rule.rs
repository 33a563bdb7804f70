//! One RBAC rule as YAML, for whoever has to add it.

use std::fmt;

/// One missing permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rule<'a> {
    pub(crate) group: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) verb: &'a str,
    /// `None` for the whole cluster.
    pub(crate) namespace: Option<&'a str>,
}

impl fmt::Display for Rule<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            group,
            resource,
            verb,
            namespace,
        } = self;
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
        writeln!(f, "  rules:")?;
        writeln!(f, "  - apiGroups: [\"{group}\"]")?;
        writeln!(f, "    resources: [\"{resource}\"]")?;
        write!(f, "    verbs: [\"{verb}\"]")
    }
}
