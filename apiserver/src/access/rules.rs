//! RBAC itself: which bindings apply to a user, and which of their rules allow a request.

use std::sync::Arc;

use serde_json::Value;

use super::{Attributes, Decision, RbacSource, UserInfo, aggregation, user::is_service_account};
use crate::golang::quote::quote;

/// A rule together with the binding that it came through.
pub(super) struct Granted<'a> {
    pub(super) rule: &'a Value,
    binding: &'a Value,
    subject: &'a Value,
}

pub(super) fn authorize(
    source: &dyn RbacSource,
    user: &UserInfo,
    attributes: &Attributes,
) -> Decision {
    let mut allowed_by = None;
    let errors = visit_rules(source, user, &attributes.namespace, &mut |granted| {
        if rule_allows(granted.rule, attributes) {
            allowed_by = Some(format!("RBAC: allowed by {}", granted.describe()));
        }
        allowed_by.is_none()
    });
    match allowed_by {
        Some(reason) => Decision {
            allowed: true,
            reason,
        },
        None if errors.is_empty() => Decision {
            allowed: false,
            reason: String::new(),
        },
        None => Decision {
            allowed: false,
            reason: format!("RBAC: {}", aggregate(&errors)),
        },
    }
}

/// Hands every rule that applies to the user in the namespace to `visit`, cluster role bindings
/// first, until it returns false. Returns what kept bindings from being resolved.
pub(super) fn visit_rules(
    source: &dyn RbacSource,
    user: &UserInfo,
    namespace: &str,
    visit: &mut dyn FnMut(&Granted<'_>) -> bool,
) -> Vec<String> {
    let mut errors = Vec::new();
    let mut bindings = source.list("clusterrolebindings", None);
    if !namespace.is_empty() {
        bindings.extend(source.list("rolebindings", Some(namespace)));
    }
    for binding in bindings {
        let scope = text(&binding["metadata"], "namespace");
        let Some(subject) = items(&binding, "subjects")
            .iter()
            .find(|subject| applies_to(subject, user, scope))
        else {
            continue;
        };
        let rules = match role_rules(source, &binding["roleRef"], scope) {
            Ok(rules) => rules,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        for rule in rules.iter() {
            if !visit(&Granted {
                rule,
                binding: &binding,
                subject,
            }) {
                return errors;
            }
        }
    }
    errors
}

/// All rules that apply to the user in the namespace, and what kept others from being found.
pub(super) fn rules_for(
    source: &dyn RbacSource,
    user: &UserInfo,
    namespace: &str,
) -> (Vec<Value>, Vec<String>) {
    let mut rules = Vec::new();
    let errors = visit_rules(source, user, namespace, &mut |granted| {
        rules.push(granted.rule.clone());
        true
    });
    (rules, errors)
}

/// The rules of the role that a binding in `namespace` (empty for the cluster) refers to.
///
/// # Errors
/// The role does not exist.
pub(super) fn role_rules(
    source: &dyn RbacSource,
    role: &Value,
    namespace: &str,
) -> Result<RoleRules, String> {
    let name = text(role, "name");
    match text(role, "kind") {
        "Role" => match source.get("roles", Some(namespace), name) {
            Some(role) => Ok(RoleRules::Own(role)),
            None => Err(format!(
                "role.rbac.authorization.k8s.io {} not found",
                quote(name)
            )),
        },
        "ClusterRole" => match source.get("clusterroles", None, name) {
            Some(role) if role["aggregationRule"].is_object() => {
                Ok(RoleRules::Collected(aggregation::rules(source, &role)))
            }
            Some(role) => Ok(RoleRules::Own(role)),
            None => Err(format!(
                "clusterrole.rbac.authorization.k8s.io {} not found",
                quote(name)
            )),
        },
        kind => Err(format!("unsupported role reference kind: {}", quote(kind))),
    }
}

/// The rules of one role.
pub(super) enum RoleRules {
    /// Those that stand in the role.
    Own(Arc<Value>),
    /// Those of the roles that it aggregates.
    Collected(Vec<Value>),
}

impl RoleRules {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Value> {
        match self {
            Self::Own(role) => items(role, "rules").iter(),
            Self::Collected(rules) => rules.iter(),
        }
    }
}

impl Granted<'_> {
    /// `RoleBinding "b/ns" of Role "r" to User "u"`.
    fn describe(&self) -> String {
        let metadata = &self.binding["metadata"];
        let (name, namespace) = (text(metadata, "name"), text(metadata, "namespace"));
        let role = &self.binding["roleRef"];
        let binding = if namespace.is_empty() {
            format!("ClusterRoleBinding {}", quote(name))
        } else {
            format!("RoleBinding {}", quote(&format!("{name}/{namespace}")))
        };
        let (kind, subject) = (text(self.subject, "kind"), text(self.subject, "name"));
        let subject = if kind == "ServiceAccount" {
            let own = text(self.subject, "namespace");
            quote(&format!(
                "{subject}/{}",
                if own.is_empty() { namespace } else { own }
            ))
        } else {
            quote(subject)
        };
        format!(
            "{binding} of {} {} to {kind} {subject}",
            text(role, "kind"),
            quote(text(role, "name"))
        )
    }
}

fn applies_to(subject: &Value, user: &UserInfo, namespace: &str) -> bool {
    let name = text(subject, "name");
    match text(subject, "kind") {
        "User" => user.username == name,
        "Group" => user.is_in(name),
        "ServiceAccount" => {
            let own = text(subject, "namespace");
            let namespace = if own.is_empty() { namespace } else { own };
            !namespace.is_empty() && is_service_account(&user.username, namespace, name)
        }
        _ => false,
    }
}

fn rule_allows(rule: &Value, attributes: &Attributes) -> bool {
    if !has(rule, "verbs", &attributes.verb) {
        return false;
    }
    match &attributes.path {
        Some(path) => items(rule, "nonResourceURLs")
            .iter()
            .filter_map(Value::as_str)
            .any(|url| url_covers(url, path)),
        None => {
            has(rule, "apiGroups", &attributes.group)
                && has_resource(rule, &attributes.resource, &attributes.subresource)
                && has_name(rule, &attributes.name)
        }
    }
}

/// Whether a list of the rule names the item, or everything by `*`.
fn has(rule: &Value, field: &str, item: &str) -> bool {
    items(rule, field)
        .iter()
        .any(|value| value == "*" || value == item)
}

/// `*` is every resource and subresource, `*/sub` a subresource of any resource. There is no
/// `resource/*`.
fn has_resource(rule: &Value, resource: &str, subresource: &str) -> bool {
    items(rule, "resources")
        .iter()
        .filter_map(Value::as_str)
        .any(|value| {
            value == "*"
                || match subresource {
                    "" => value == resource,
                    sub => value.split_once('/').is_some_and(|(head, tail)| {
                        tail == sub && (head == resource || head == "*")
                    }),
                }
        })
}

fn has_name(rule: &Value, name: &str) -> bool {
    let names = items(rule, "resourceNames");
    names.is_empty() || names.iter().any(|value| value == name)
}

/// A `*` at the end stands for any rest.
pub(super) fn url_covers(url: &str, path: &str) -> bool {
    url == path || (url.ends_with('*') && path.starts_with(url.trim_end_matches('*')))
}

/// Several errors as one text.
pub(super) fn aggregate(errors: &[String]) -> String {
    let mut unique: Vec<&str> = Vec::with_capacity(errors.len());
    for error in errors {
        if !unique.contains(&error.as_str()) {
            unique.push(error);
        }
    }
    match unique.as_slice() {
        [one] => (*one).to_owned(),
        _ => format!("[{}]", unique.join(", ")),
    }
}

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or_default()
}

fn items<'a>(object: &'a Value, field: &str) -> &'a [Value] {
    object[field].as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::fixtures::{Objects, attributes, user},
        *,
    };

    fn decide(
        objects: &Objects,
        who: &UserInfo,
        verb: &str,
        resource: &str,
        object: &str,
    ) -> (bool, String) {
        let decision = authorize(objects, who, &attributes(verb, resource, object));
        (decision.allowed, decision.reason)
    }

    fn alice() -> UserInfo {
        UserInfo::new("alice", &["system:authenticated"])
    }

    /// Alice with one rule in the namespace `a`.
    fn with_rule(rule: &Value) -> Objects {
        Objects::default()
            .role("a", "r", &json!([rule]))
            .role_binding("a", "b", ("Role", "r"), &user("alice"))
    }

    #[test]
    fn a_role_binding_grants_in_its_namespace_only() {
        let objects =
            with_rule(&json!({"apiGroups": ["g"], "resources": ["leases"], "verbs": ["get"]}));
        assert_eq!(
            decide(&objects, &alice(), "get", "g/leases", "a/x"),
            (
                true,
                r#"RBAC: allowed by RoleBinding "b/a" of Role "r" to User "alice""#.to_owned()
            )
        );
        for (verb, resource, object) in [
            ("get", "g/leases", "b/x"),
            ("get", "g/leases", ""),
            ("put", "g/leases", "a/x"),
            ("get", "h/leases", "a/x"),
        ] {
            assert_eq!(
                decide(&objects, &alice(), verb, resource, object),
                (false, String::new())
            );
        }
        assert_eq!(
            decide(
                &objects,
                &UserInfo::new("bob", &[]),
                "get",
                "g/leases",
                "a/x"
            ),
            (false, String::new())
        );
    }

    #[test]
    fn a_cluster_role_can_be_bound_in_a_namespace_or_everywhere() {
        let group = json!({"kind": "Group", "name": "dev"});
        let account = json!({"kind": "ServiceAccount", "name": "gw", "namespace": "sys"});
        let objects = Objects::default()
            .cluster_role(
                "all",
                &json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]),
            )
            .role_binding("a", "local", ("ClusterRole", "all"), &account)
            .cluster_role_binding("global", "all", &group);
        assert_eq!(
            decide(&objects, &UserInfo::new("x", &["dev"]), "any", "g/leases/status", "z/x"),
            (true, r#"RBAC: allowed by ClusterRoleBinding "global" of ClusterRole "all" to Group "dev""#.to_owned())
        );
        assert_eq!(
            decide(&objects, &UserInfo::service_account("sys", "gw"), "get", "g/leases", "a/x"),
            (true, r#"RBAC: allowed by RoleBinding "local/a" of ClusterRole "all" to ServiceAccount "gw/sys""#.to_owned())
        );
        assert!(
            !decide(
                &objects,
                &UserInfo::service_account("sys", "gw"),
                "get",
                "g/leases",
                "b/x"
            )
            .0
        );
    }

    #[test]
    fn a_service_account_subject_without_namespace_is_one_of_the_binding() {
        let objects =
            with_rule(&json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}))
                .role_binding(
                    "a",
                    "sa",
                    ("Role", "r"),
                    &json!({"kind": "ServiceAccount", "name": "gw"}),
                );
        assert_eq!(
            decide(
                &objects,
                &UserInfo::service_account("a", "gw"),
                "get",
                "/pods",
                "a/x"
            ),
            (
                true,
                r#"RBAC: allowed by RoleBinding "sa/a" of Role "r" to ServiceAccount "gw/a""#
                    .to_owned()
            )
        );
    }

    #[test]
    fn subresources_have_to_be_named() {
        let cases = [
            (json!(["leases"]), "g/leases/status", false),
            (json!(["leases/status"]), "g/leases/status", true),
            (json!(["leases/status"]), "g/leases", false),
            (json!(["*/status"]), "g/leases/status", true),
            (json!(["leases/*"]), "g/leases/status", false),
            (json!(["*"]), "g/leases/status", true),
        ];
        for (resources, resource, expected) in cases {
            let objects =
                with_rule(&json!({"apiGroups": ["g"], "resources": resources, "verbs": ["patch"]}));
            assert_eq!(
                decide(&objects, &alice(), "patch", resource, "a/x").0,
                expected,
                "{resources} {resource}"
            );
        }
    }

    #[test]
    fn resource_names_limit_to_these_names_and_exclude_requests_without_one() {
        let objects = with_rule(
            &json!({"apiGroups": ["g"], "resources": ["leases"], "verbs": ["*"], "resourceNames": ["x"]}),
        );
        assert!(decide(&objects, &alice(), "update", "g/leases", "a/x").0);
        assert!(!decide(&objects, &alice(), "update", "g/leases", "a/y").0);
        assert!(!decide(&objects, &alice(), "create", "g/leases", "a/").0);
        assert!(!decide(&objects, &alice(), "list", "g/leases", "a/").0);
        // A watch with the field selector metadata.name=x carries the name.
        assert!(decide(&objects, &alice(), "watch", "g/leases", "a/x").0);
    }

    #[test]
    fn urls_match_exactly_or_by_prefix() {
        let objects = Objects::default()
            .cluster_role(
                "urls",
                &json!([{"nonResourceURLs": ["/healthz", "/apis/*"], "verbs": ["get"]}]),
            )
            .cluster_role_binding("b", "urls", &user("alice"));
        for (path, expected) in [
            ("/healthz", true),
            ("/healthz/x", false),
            ("/apis/x", true),
            ("/apis", false),
        ] {
            let attributes = Attributes {
                verb: "get".to_owned(),
                path: Some(path.to_owned()),
                ..Attributes::default()
            };
            assert_eq!(
                authorize(&objects, &alice(), &attributes).allowed,
                expected,
                "{path}"
            );
        }
    }

    #[test]
    fn a_binding_to_a_missing_role_is_named_in_the_reason() {
        let objects = Objects::default().role_binding("a", "b", ("Role", "gone"), &user("alice"));
        assert_eq!(
            decide(&objects, &alice(), "get", "g/leases", "a/x"),
            (
                false,
                r#"RBAC: role.rbac.authorization.k8s.io "gone" not found"#.to_owned()
            )
        );
    }
}
