//! RBAC over the stored roles and bindings.

use std::sync::Arc;

use serde_json::Value;

use crate::registry;
use crate::server::Shared;

use super::{Attributes, GROUP, UserInfo};

/// The binding that allows it, in the words of the real authorizer; `None` when none does.
pub(super) fn decide(server: &Shared, user: &UserInfo, asked: &Attributes) -> Option<String> {
    for binding in objects(server, "clusterrolebindings", None) {
        if let Some(subject) = subject_of(&binding, user, "")
            && allows(&cluster_role_rules(server, &role_name(&binding)), asked)
        {
            return Some(format!(
                "RBAC: allowed by ClusterRoleBinding \"{}\" of ClusterRole \"{}\" to {subject}",
                name(&binding),
                role_name(&binding)
            ));
        }
    }
    if asked.namespace.is_empty() || asked.path.is_some() {
        return None;
    }
    for binding in objects(server, "rolebindings", Some(&asked.namespace)) {
        let Some(subject) = subject_of(&binding, user, &asked.namespace) else {
            continue;
        };
        let kind = binding["roleRef"]["kind"].as_str().unwrap_or_default();
        let rules = if kind == "ClusterRole" {
            cluster_role_rules(server, &role_name(&binding))
        } else {
            let role = get(server, "roles", &asked.namespace, &role_name(&binding));
            role.map(|role| rules(&role)).unwrap_or_default()
        };
        if allows(&rules, asked) {
            return Some(format!(
                "RBAC: allowed by RoleBinding \"{}/{}\" of {kind} \"{}\" to {subject}",
                name(&binding),
                asked.namespace,
                role_name(&binding)
            ));
        }
    }
    None
}

/// The rules that a user has in a namespace.
pub(super) fn rules_for(server: &Shared, user: &UserInfo, namespace: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for binding in objects(server, "clusterrolebindings", None) {
        if subject_of(&binding, user, "").is_some() {
            all.extend(cluster_role_rules(server, &role_name(&binding)));
        }
    }
    for binding in objects(server, "rolebindings", Some(namespace)) {
        if subject_of(&binding, user, namespace).is_none() {
            continue;
        }
        if binding["roleRef"]["kind"] == "ClusterRole" {
            all.extend(cluster_role_rules(server, &role_name(&binding)));
        } else if let Some(role) = get(server, "roles", namespace, &role_name(&binding)) {
            all.extend(rules(&role));
        }
    }
    all
}

fn objects(server: &Shared, plural: &str, namespace: Option<&str>) -> Vec<Arc<Value>> {
    let transaction = server.store.transaction();
    transaction
        .list(&registry::key(GROUP, plural), namespace)
        .map(|(_, object)| object.clone())
        .collect()
}

fn get(server: &Shared, plural: &str, namespace: &str, name: &str) -> Option<Arc<Value>> {
    server
        .store
        .transaction()
        .get(&registry::key(GROUP, plural), namespace, name)
}

fn name(object: &Value) -> &str {
    crate::object::meta(object, "name").unwrap_or_default()
}

fn role_name(binding: &Value) -> String {
    binding["roleRef"]["name"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

fn rules(role: &Value) -> Vec<Value> {
    role["rules"].as_array().cloned().unwrap_or_default()
}

/// A role with an aggregation rule has the rules of every role that it selects by label.
fn cluster_role_rules(server: &Shared, name: &str) -> Vec<Value> {
    let Some(role) = get(server, "clusterroles", "", name) else {
        return Vec::new();
    };
    let mut all = rules(&role);
    let selectors = role["aggregationRule"]["clusterRoleSelectors"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    if !selectors.is_empty() {
        for other in objects(server, "clusterroles", None) {
            if selectors
                .iter()
                .any(|selector| labels_match(&selector["matchLabels"], &other))
            {
                all.extend(rules(&other));
            }
        }
    }
    all
}

fn labels_match(wanted: &Value, object: &Value) -> bool {
    let labels = &object["metadata"]["labels"];
    wanted.as_object().is_some_and(|wanted| {
        wanted
            .iter()
            .all(|(key, value)| labels.get(key) == Some(value))
    })
}

fn subject_of(binding: &Value, user: &UserInfo, namespace: &str) -> Option<String> {
    binding["subjects"].as_array()?.iter().find_map(|subject| {
        let name = subject["name"].as_str().unwrap_or_default();
        match subject["kind"].as_str().unwrap_or_default() {
            "User" if name == user.username => Some(format!("User \"{name}\"")),
            "Group" if user.groups.iter().any(|group| group == name) => {
                Some(format!("Group \"{name}\""))
            }
            "ServiceAccount" => {
                let own = subject["namespace"].as_str().unwrap_or(namespace);
                (user.username == format!("system:serviceaccount:{own}:{name}"))
                    .then(|| format!("ServiceAccount \"{name}/{own}\""))
            }
            _ => None,
        }
    })
}

fn allows(rules: &[Value], asked: &Attributes) -> bool {
    rules.iter().any(|rule| match &asked.path {
        Some(path) => contains(rule, "verbs", &asked.verb) && allows_path(rule, path),
        None => {
            contains(rule, "verbs", &asked.verb)
                && contains(rule, "apiGroups", &asked.group)
                && allows_resource(rule, asked)
                && allows_name(rule, asked)
        }
    })
}

fn list<'a>(rule: &'a Value, key: &str) -> impl Iterator<Item = &'a str> {
    rule[key]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

fn contains(rule: &Value, key: &str, wanted: &str) -> bool {
    list(rule, key).any(|own| own == "*" || own == wanted)
}

fn allows_resource(rule: &Value, asked: &Attributes) -> bool {
    let wanted = if asked.subresource.is_empty() {
        asked.resource.clone()
    } else {
        format!("{}/{}", asked.resource, asked.subresource)
    };
    list(rule, "resources").any(|own| {
        own == "*"
            || own == wanted
            || (!asked.subresource.is_empty() && own == format!("*/{}", asked.subresource))
    })
}

fn allows_name(rule: &Value, asked: &Attributes) -> bool {
    let mut names = list(rule, "resourceNames").peekable();
    names.peek().is_none() || names.any(|own| own == asked.name)
}

fn allows_path(rule: &Value, path: &str) -> bool {
    list(rule, "nonResourceURLs").any(|own| match own.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix),
        None => own == path,
    })
}
