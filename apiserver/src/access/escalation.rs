//! Nobody grants what he does not have: the check before a role or binding is written.

use serde_json::{Value, json};

use super::{Attributes, RbacSource, UserInfo, rules, user::MASTERS};
use crate::golang::quote::{quote, quote_all};

const GROUP: &str = "rbac.authorization.k8s.io";

/// Why a role or binding may not be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EscalationError {
    /// 403; this is what the message says after `is forbidden: `.
    Forbidden(String),
    /// 404: the role of this name, to which a binding refers, does not exist. The server words it
    /// as if the name were that of the binding's own resource.
    NotFound(String),
}

/// Checks that a user may write a role or binding; `old` is the stored object on an update. Objects
/// of other kinds pass.
///
/// `object` carries its namespace. Members of `system:masters` may write anything, as may who is
/// allowed to `escalate` the role or to `bind` the role that a binding refers to.
///
/// # Errors
/// Rights that the user has not got himself, and a role that is not there.
pub fn check_escalation(
    source: &dyn RbacSource,
    user: &UserInfo,
    kind: &str,
    object: &Value,
    old: Option<&Value>,
) -> Result<(), EscalationError> {
    if user.is_in(MASTERS) || old.is_some_and(|old| differ_only_in_collection_fields(old, object)) {
        return Ok(());
    }
    match kind {
        "Role" | "ClusterRole" => check_role(source, user, kind, object, old),
        "RoleBinding" | "ClusterRoleBinding" => check_binding(source, user, object),
        _ => Ok(()),
    }
}

fn check_role(
    source: &dyn RbacSource,
    user: &UserInfo,
    kind: &str,
    role: &Value,
    old: Option<&Value>,
) -> Result<(), EscalationError> {
    let namespace = text(&role["metadata"], "namespace");
    let resource = if kind == "Role" {
        "roles"
    } else {
        "clusterroles"
    };
    // The name is part of the request only on an update.
    let name = if old.is_some() {
        text(&role["metadata"], "name")
    } else {
        ""
    };
    if may(source, user, "escalate", resource, namespace, name) {
        return Ok(());
    }
    confirm(source, user, namespace, items(role, "rules"))?;
    let aggregates =
        |role: &Value| !items(&role["aggregationRule"], "clusterRoleSelectors").is_empty();
    if aggregates(role) || old.is_some_and(aggregates) {
        let everything = [
            json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}),
            json!({"verbs": ["*"], "nonResourceURLs": ["*"]}),
        ];
        confirm(source, user, namespace, &everything).map_err(|_| {
            let detail = "must have cluster-admin privileges to use the aggregationRule";
            EscalationError::Forbidden(detail.to_owned())
        })?;
    }
    Ok(())
}

fn check_binding(
    source: &dyn RbacSource,
    user: &UserInfo,
    binding: &Value,
) -> Result<(), EscalationError> {
    let namespace = text(&binding["metadata"], "namespace");
    let role = &binding["roleRef"];
    let resource = match text(role, "kind") {
        "Role" => "roles",
        "ClusterRole" => "clusterroles",
        // Validation refuses any other kind.
        _ => return Ok(()),
    };
    if may(
        source,
        user,
        "bind",
        resource,
        namespace,
        text(role, "name"),
    ) {
        return Ok(());
    }
    let granted = rules::role_rules(source, role, namespace)
        .map_err(|_| EscalationError::NotFound(text(role, "name").to_owned()))?;
    let granted: Vec<Value> = granted.iter().cloned().collect();
    confirm(source, user, namespace, &granted)
}

/// The objects are equal but for what garbage collection writes.
fn differ_only_in_collection_fields(old: &Value, new: &Value) -> bool {
    let stripped = |object: &Value| {
        let mut object = object.clone();
        if let Some(metadata) = object["metadata"].as_object_mut() {
            for field in ["ownerReferences", "finalizers", "managedFields"] {
                metadata.remove(field);
            }
        }
        object
    };
    stripped(old) == stripped(new)
}

fn may(
    source: &dyn RbacSource,
    user: &UserInfo,
    verb: &str,
    resource: &str,
    namespace: &str,
    name: &str,
) -> bool {
    let attributes = Attributes {
        verb: verb.to_owned(),
        group: GROUP.to_owned(),
        version: "*".to_owned(),
        resource: resource.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        ..Attributes::default()
    };
    rules::authorize(source, user, &attributes).allowed
}

/// That the user's own rules cover all that would be granted.
fn confirm(
    source: &dyn RbacSource,
    user: &UserInfo,
    namespace: &str,
    granted: &[Value],
) -> Result<(), EscalationError> {
    let (own, errors) = rules::rules_for(source, user, namespace);
    let missing: Vec<Single<'_>> = granted
        .iter()
        .flat_map(break_down)
        .filter(|single| !own.iter().any(|rule| single.is_covered_by(rule)))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let errors = if errors.is_empty() {
        String::new()
    } else {
        format!("; resolution errors: {}", quote_resolution(&errors))
    };
    Err(EscalationError::Forbidden(format!(
        "user {} (groups={}) is attempting to grant RBAC permissions not currently held:\n{}{errors}",
        quote(&user.username),
        quote_all(user.groups.iter().map(String::as_str)),
        describe(&missing),
    )))
}

fn quote_resolution(errors: &[String]) -> String {
    format!("[{}]", rules::aggregate(errors))
}

/// A rule with one verb on one resource (of one name, perhaps) or on one URL.
enum Single<'a> {
    Resource {
        group: &'a str,
        resource: &'a str,
        name: Option<&'a str>,
        verb: &'a str,
    },
    Url {
        url: &'a str,
        verb: &'a str,
    },
}

fn break_down(rule: &Value) -> Vec<Single<'_>> {
    let mut singles = Vec::new();
    let names: Vec<Option<&str>> = match texts(rule, "resourceNames").map(Some).collect::<Vec<_>>()
    {
        names if names.is_empty() => vec![None],
        names => names,
    };
    for group in texts(rule, "apiGroups") {
        for resource in texts(rule, "resources") {
            for verb in texts(rule, "verbs") {
                singles.extend(names.iter().map(|name| Single::Resource {
                    group,
                    resource,
                    name: *name,
                    verb,
                }));
            }
        }
    }
    for url in texts(rule, "nonResourceURLs") {
        singles.extend(texts(rule, "verbs").map(|verb| Single::Url { url, verb }));
    }
    singles
}

impl Single<'_> {
    fn is_covered_by(&self, rule: &Value) -> bool {
        let has = |field, item: &str| texts(rule, field).any(|value| value == "*" || value == item);
        match self {
            Self::Resource {
                group,
                resource,
                name,
                verb,
            } => {
                let any_of = resource.split_once('/').map(|(_, sub)| format!("*/{sub}"));
                has("verbs", verb)
                    && has("apiGroups", group)
                    && (has("resources", resource)
                        || any_of.is_some_and(|any_of| has("resources", &any_of)))
                    && match name {
                        None => items(rule, "resourceNames").is_empty(),
                        Some(name) => {
                            items(rule, "resourceNames").is_empty()
                                || texts(rule, "resourceNames").any(|own| own == *name)
                        }
                    }
            }
            Self::Url { url, verb } => {
                has("verbs", verb)
                    && texts(rule, "nonResourceURLs").any(|own| rules::url_covers(own, url))
            }
        }
    }
}

/// The missing rules, those that differ only in the verb put together, sorted, one a line.
fn describe(missing: &[Single<'_>]) -> String {
    let mut grouped: Vec<(String, Vec<&str>)> = Vec::new();
    for single in missing {
        let (head, verb) = match single {
            Single::Resource {
                group,
                resource,
                name,
                verb,
            } => {
                let names = name
                    .map(|name| format!(", ResourceNames:{}", quote_all([name])))
                    .unwrap_or_default();
                (
                    format!(
                        "APIGroups:{}, Resources:{}{names}",
                        quote_all([*group]),
                        quote_all([*resource])
                    ),
                    *verb,
                )
            }
            Single::Url { url, verb } => (format!("NonResourceURLs:{}", quote_all([*url])), *verb),
        };
        let is_url = matches!(single, Single::Url { .. });
        match grouped
            .iter_mut()
            .find(|(other, _)| *other == head && !is_url)
        {
            Some((_, verbs)) => verbs.push(verb),
            None => grouped.push((head, vec![verb])),
        }
    }
    let mut lines: Vec<String> = grouped
        .into_iter()
        .map(|(head, verbs)| format!("{{{head}, Verbs:{}}}", quote_all(verbs)))
        .collect();
    lines.sort();
    lines.dedup();
    lines.join("\n")
}

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or_default()
}

fn items<'a>(object: &'a Value, field: &str) -> &'a [Value] {
    object[field].as_array().map_or(&[], Vec::as_slice)
}

fn texts<'a>(object: &'a Value, field: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    items(object, field).iter().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::{
        super::fixtures::{Objects, user},
        *,
    };

    /// Alice may read leases in the namespace `a`, and do what `more` says.
    fn objects(more: &Value) -> Objects {
        Objects::default()
            .role("a", "own", &json!([{"apiGroups": ["g"], "resources": ["leases"], "verbs": ["get", "list"]}, more]))
            .role_binding("a", "b", ("Role", "own"), &user("alice"))
            .role("a", "big", &json!([{"apiGroups": ["g"], "resources": ["*"], "verbs": ["get"]}]))
    }

    fn role(verbs: &[&str]) -> Value {
        json!({"metadata": {"name": "r", "namespace": "a"},
            "rules": [{"apiGroups": ["g"], "resources": ["leases"], "verbs": verbs}]})
    }

    fn check(objects: &Objects, kind: &str, object: &Value) -> Result<(), EscalationError> {
        check_escalation(
            objects,
            &UserInfo::new("alice", &["dev"]),
            kind,
            object,
            None,
        )
    }

    #[test]
    fn a_role_may_not_hold_more_than_its_author() {
        let nothing = json!({"verbs": ["get"], "apiGroups": ["h"], "resources": ["pods"]});
        assert_eq!(check(&objects(&nothing), "Role", &role(&["get"])), Ok(()));
        assert_eq!(
            check(&objects(&nothing), "Role", &role(&["get", "update", "delete"])),
            Err(EscalationError::Forbidden("user \"alice\" (groups=[\"dev\"]) is attempting to grant RBAC permissions not currently held:\n\
                 {APIGroups:[\"g\"], Resources:[\"leases\"], Verbs:[\"update\" \"delete\"]}"
                .to_owned()))
        );
        let escalate = json!({"verbs": ["escalate"], "apiGroups": [GROUP], "resources": ["roles"]});
        assert_eq!(
            check(&objects(&escalate), "Role", &role(&["delete"])),
            Ok(())
        );
    }

    #[test]
    fn a_binding_needs_the_rights_of_the_role_or_the_right_to_bind_it() {
        let binding = |name: &str| json!({"metadata": {"name": "x", "namespace": "a"}, "roleRef": {"apiGroup": GROUP, "kind": "Role", "name": name}});
        let nothing = json!({"verbs": ["get"], "apiGroups": ["h"], "resources": ["pods"]});
        assert_eq!(
            check(&objects(&nothing), "RoleBinding", &binding("own")),
            Ok(())
        );
        assert!(check(&objects(&nothing), "RoleBinding", &binding("big")).is_err());
        assert_eq!(
            check(&objects(&nothing), "RoleBinding", &binding("none")),
            Err(EscalationError::NotFound("none".to_owned()))
        );
        let bind = json!({"verbs": ["bind"], "apiGroups": [GROUP], "resources": ["roles"], "resourceNames": ["big"]});
        assert_eq!(
            check(&objects(&bind), "RoleBinding", &binding("big")),
            Ok(())
        );
    }

    #[test]
    fn the_masters_and_writes_that_change_no_right_pass() {
        let objects = objects(&json!({}));
        let admin = UserInfo::new("admin", &[MASTERS]);
        assert_eq!(
            check_escalation(&objects, &admin, "Role", &role(&["*"]), None),
            Ok(())
        );
        let mut released = role(&["*"]);
        released["metadata"]["finalizers"] = json!(["x"]);
        let alice = UserInfo::new("alice", &[]);
        assert_eq!(
            check_escalation(&objects, &alice, "Role", &released, Some(&role(&["*"]))),
            Ok(())
        );
    }

    #[test]
    fn an_aggregation_takes_all_rights() {
        let mut aggregated = role(&["get"]);
        aggregated["aggregationRule"] = json!({"clusterRoleSelectors": [{}]});
        assert_eq!(
            check(&objects(&json!({})), "ClusterRole", &aggregated),
            Err(EscalationError::Forbidden(
                "must have cluster-admin privileges to use the aggregationRule".to_owned()
            ))
        );
    }
}
