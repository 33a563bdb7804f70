//! Rules and bindings as YAML, to be pasted.

use super::place::Needed;
use super::resolve::Identity;

/// The words of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words<'a> {
    pub(crate) groups: Vec<&'a str>,
    pub(crate) resources: Vec<&'a str>,
    pub(crate) names: Vec<&'a str>,
    pub(crate) verbs: Vec<&'a str>,
}

impl Words<'_> {
    /// As an item of `rules:`.
    pub(crate) fn rule(&self) -> String {
        let mut text = format!("- apiGroups: {}\n", list(&self.groups));
        text.push_str(&format!("  resources: {}\n", list(&self.resources)));
        if !self.names.is_empty() {
            text.push_str(&format!("  resourceNames: {}\n", list(&self.names)));
        }
        text.push_str(&format!("  verbs: {}", list(&self.verbs)));
        text
    }
}

/// The rules that grant just this. Resources of which the same is needed share one.
pub(crate) fn rules<'a>(needs: impl Iterator<Item = &'a Needed<'a>>) -> Vec<String> {
    let mut each: Vec<Words<'a>> = Vec::new();
    for needed in needs {
        let asked = needed.requirement;
        let (group, verb) = (asked.group.as_ref(), asked.verb.as_ref());
        let names: Vec<&str> = asked.name.as_deref().into_iter().collect();
        let same = each.iter_mut().find(|rule| {
            rule.groups == [group]
                && rule.resources == [needed.path.as_str()]
                && rule.names == names
        });
        match same {
            Some(rule) if rule.verbs.contains(&verb) => {}
            Some(rule) => rule.verbs.push(verb),
            None => each.push(Words {
                groups: vec![group],
                resources: vec![&needed.path],
                names,
                verbs: vec![verb],
            }),
        }
    }
    let mut rules: Vec<Words<'a>> = Vec::new();
    for rule in each {
        let same = rules.iter_mut().find(|other| {
            (&other.groups, &other.names, &other.verbs) == (&rule.groups, &rule.names, &rule.verbs)
        });
        match same {
            Some(other) => other.resources.extend(rule.resources),
            None => rules.push(rule),
        }
    }
    rules.iter().map(Words::rule).collect()
}

/// `["get", "list"]`. JSON's way of writing texts is YAML's as well.
pub(crate) fn list(words: &[&str]) -> String {
    let words: Vec<String> = words
        .iter()
        .map(|word| serde_json::Value::from(*word).to_string())
        .collect();
    format!("[{}]", words.join(", "))
}

/// A role of these rules, and what binds it; cluster-wide without a namespace.
pub(crate) fn role_and_binding(
    name: &str,
    namespace: Option<&str>,
    rules: &[String],
    who: &Identity,
) -> String {
    let prefix = if namespace.is_some() { "" } else { "Cluster" };
    let metadata = match namespace {
        Some(namespace) => format!("metadata:\n  name: {name}\n  namespace: {namespace}\n"),
        None => format!("metadata:\n  name: {name}\n"),
    };
    let group = "rbac.authorization.k8s.io";
    let head = |kind: &str| format!("apiVersion: {group}/v1\nkind: {prefix}{kind}\n{metadata}");
    format!(
        "{}rules:\n{}\n---\n{}roleRef:\n  apiGroup: {group}\n  kind: {prefix}Role\n  name: {name}\nsubjects:\n{}",
        head("Role"),
        rules.join("\n"),
        head("RoleBinding"),
        subject(who)
    )
}

/// Somebody as an item of `subjects:`.
pub(crate) fn subject(who: &Identity) -> String {
    match &who.account {
        Some((namespace, name)) => {
            format!("- kind: ServiceAccount\n  name: {name}\n  namespace: {namespace}")
        }
        None => {
            let (kind, name) = if who.user.is_empty() {
                ("Group", &who.groups[0])
            } else {
                ("User", &who.user)
            };
            let name = serde_json::Value::from(name.as_str());
            format!("- kind: {kind}\n  name: {name}\n  apiGroup: rbac.authorization.k8s.io")
        }
    }
}
