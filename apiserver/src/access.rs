//! Who asks, and whether he may: authentication by token, impersonation, and RBAC.
//!
//! The answers and their wording are those of a server that runs with `--authorization-mode RBAC`.
//! Objects are read through [`RbacSource`]; this module has no store, knows no HTTP beyond request
//! headers, and never reads a clock.

mod aggregation;
mod authenticate;
mod bootstrap;
mod escalation;
mod impersonate;
mod review;
mod rules;
mod selector;
mod user;

use std::sync::Arc;

use serde_json::Value;

pub use authenticate::{Authentication, Authenticator, Unauthorized};
pub use bootstrap::bootstrap_objects;
pub use escalation::{EscalationError, check_escalation};
pub use impersonate::{ImpersonationError, impersonate};
pub use review::{ReviewContext, ReviewError, review};
pub use user::UserInfo;

use crate::golang::quote::quote;

/// What a request wants to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection` or a verb
    /// that only RBAC knows; for a path the HTTP method in lower case.
    pub verb: String,
    /// API group; empty for the core group.
    pub group: String,
    /// API version. RBAC does not look at it.
    pub version: String,
    /// Resource, in the plural.
    pub resource: String,
    /// Subresource, or empty.
    pub subresource: String,
    /// Namespace, or empty for cluster-scoped resources and for all namespaces.
    pub namespace: String,
    /// Name of the object. A `list` or `watch` with the field selector `metadata.name=X` carries X.
    pub name: String,
    /// The path of a request that is not for a resource; everything but the verb is unused then.
    pub path: Option<String>,
}

/// The outcome of an authorization.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Decision {
    /// Whether the request may go on.
    pub allowed: bool,
    /// Which binding allowed it, or what kept the server from deciding. Often empty.
    pub reason: String,
}

/// Where the authorizer reads roles and bindings from.
pub trait RbacSource {
    /// All objects of a resource of `rbac.authorization.k8s.io`, in one namespace or in all.
    fn list(&self, resource: &str, namespace: Option<&str>) -> Vec<Arc<Value>>;

    /// One object; a source that has an index overrides this.
    fn get(&self, resource: &str, namespace: Option<&str>, name: &str) -> Option<Arc<Value>> {
        self.list(resource, namespace)
            .into_iter()
            .find(|object| object["metadata"]["name"] == name)
    }
}

/// Decides by the roles and bindings that a source holds at the moment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Authorizer;

impl Authorizer {
    /// Whether `user` may do what `attributes` say.
    ///
    /// Members of `system:masters` may do everything, as on a server whose privileged group it is.
    pub fn authorize(
        &self,
        source: &dyn RbacSource,
        user: &UserInfo,
        attributes: &Attributes,
    ) -> Decision {
        if user.is_in(user::MASTERS) {
            return Decision {
                allowed: true,
                reason: String::new(),
            };
        }
        rules::authorize(source, user, attributes)
    }
}

/// The message of a `Forbidden` status: `leases.coordination.k8s.io "x" is forbidden: User "u" cannot …`.
#[must_use]
pub fn forbidden_message(user: &UserInfo, attributes: &Attributes, reason: &str) -> String {
    let cannot = cannot(user, attributes);
    let reason = if reason.is_empty() {
        String::new()
    } else {
        format!(": {reason}")
    };
    if attributes.resource.is_empty() {
        return format!("forbidden: {cannot}{reason}");
    }
    let resource = if attributes.group.is_empty() {
        attributes.resource.clone()
    } else {
        format!("{}.{}", attributes.resource, attributes.group)
    };
    let name = if attributes.name.is_empty() {
        String::new()
    } else {
        format!(" {}", quote(&attributes.name))
    };
    format!("{resource}{name} is forbidden: {cannot}{reason}")
}

fn cannot(user: &UserInfo, attributes: &Attributes) -> String {
    let user = quote(&user.username);
    let verb = &attributes.verb;
    let text = match &attributes.path {
        Some(path) => format!("User {user} cannot {verb} path {}", quote(path)),
        None => {
            let resource = if attributes.subresource.is_empty() {
                quote(&attributes.resource)
            } else {
                quote(&format!(
                    "{}/{}",
                    attributes.resource, attributes.subresource
                ))
            };
            let scope = if attributes.namespace.is_empty() {
                "at the cluster scope".to_owned()
            } else {
                format!("in the namespace {}", quote(&attributes.namespace))
            };
            format!(
                "User {user} cannot {verb} resource {resource} in API group {} {scope}",
                quote(&attributes.group)
            )
        }
    };
    // The server keeps such messages from looking like HTML.
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod fixtures;

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(verb: &str, name: &str, namespace: &str) -> Attributes {
        Attributes {
            verb: verb.to_owned(),
            group: "coordination.k8s.io".to_owned(),
            version: "v1".to_owned(),
            resource: "leases".to_owned(),
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            ..Attributes::default()
        }
    }

    #[test]
    fn a_refusal_names_user_verb_resource_and_scope() {
        let user = UserInfo::new("gateway", &["dev"]);
        let status = Attributes {
            subresource: "status".to_owned(),
            ..lease("patch", "x1", "a")
        };
        let path = Attributes {
            verb: "get".to_owned(),
            path: Some("/metrics".to_owned()),
            ..Attributes::default()
        };
        let cases = [
            (
                lease("get", "x1", "kubernaut-system"),
                "",
                r#"leases.coordination.k8s.io "x1" is forbidden: User "gateway" cannot get resource "leases" in API group "coordination.k8s.io" in the namespace "kubernaut-system""#,
            ),
            (
                lease("list", "", ""),
                "RBAC: role not found",
                r#"leases.coordination.k8s.io is forbidden: User "gateway" cannot list resource "leases" in API group "coordination.k8s.io" at the cluster scope: RBAC: role not found"#,
            ),
            (
                status,
                "",
                r#"leases.coordination.k8s.io "x1" is forbidden: User "gateway" cannot patch resource "leases/status" in API group "coordination.k8s.io" in the namespace "a""#,
            ),
            (
                path,
                "",
                r#"forbidden: User "gateway" cannot get path "/metrics""#,
            ),
        ];
        for (attributes, reason, expected) in cases {
            assert_eq!(forbidden_message(&user, &attributes, reason), expected);
        }
    }

    #[test]
    fn the_masters_may_do_everything() {
        let nothing = fixtures::Objects::default();
        let admin = UserInfo::new("admin", &["system:masters"]);
        assert_eq!(
            Authorizer.authorize(&nothing, &admin, &lease("delete", "x", "y")),
            Decision {
                allowed: true,
                reason: String::new()
            }
        );
    }
}
