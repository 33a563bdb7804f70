//! Cluster roles that are made of others.
//!
//! In a cluster a controller copies the rules of the selected roles into the aggregating one. No
//! controller runs beside this server, so the rules are collected whenever they are asked for.

use serde_json::Value;

use super::{RbacSource, selector};

/// The rules of every cluster role that the aggregation rule selects, in the order of their names,
/// aggregated roles included, none twice.
pub(super) fn rules(source: &dyn RbacSource, role: &Value) -> Vec<Value> {
    let mut collected = Vec::new();
    let mut seen = vec![name(role).to_owned()];
    collect(source, role, &mut seen, &mut collected);
    collected
}

fn collect(
    source: &dyn RbacSource,
    role: &Value,
    seen: &mut Vec<String>,
    collected: &mut Vec<Value>,
) {
    let selectors = role["aggregationRule"]["clusterRoleSelectors"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let mut selected = source.list("clusterroles", None);
    selected.retain(|role| {
        selectors
            .iter()
            .any(|selector| selector::matches(selector, &role["metadata"]["labels"]))
    });
    selected.sort_by(|a, b| name(a).cmp(name(b)));
    for role in selected {
        if seen.iter().any(|seen| seen == name(&role)) {
            continue;
        }
        seen.push(name(&role).to_owned());
        if role["aggregationRule"].is_object() {
            collect(source, &role, seen, collected);
            continue;
        }
        for rule in role["rules"].as_array().into_iter().flatten() {
            if !collected.contains(rule) {
                collected.push(rule.clone());
            }
        }
    }
}

fn name(role: &Value) -> &str {
    role["metadata"]["name"].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::fixtures::Objects, *};

    fn role(name: &str, label: &str, rules: &[&str]) -> Value {
        let rules: Vec<Value> = rules.iter().map(|verb| json!({"verbs": [verb]})).collect();
        json!({"metadata": {"name": name, "labels": {label: "true"}}, "rules": rules})
    }

    fn aggregating(name: &str, label: &str, selects: &str) -> Value {
        json!({
            "metadata": {"name": name, "labels": {label: "true"}}, "rules": null,
            "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {selects: "true"}}]},
        })
    }

    #[test]
    fn rules_are_collected_through_aggregated_roles_and_loops_end() {
        let admin = aggregating("admin", "to-edit", "to-admin");
        let objects = Objects::default()
            .with("clusterroles", admin.clone())
            .with("clusterroles", aggregating("edit", "to-admin", "to-edit"))
            .with("clusterroles", role("b", "to-edit", &["update", "get"]))
            .with("clusterroles", role("a", "to-admin", &["get"]))
            .with("clusterroles", role("c", "other", &["delete"]));
        assert_eq!(
            rules(&objects, &admin),
            [json!({"verbs": ["get"]}), json!({"verbs": ["update"]})]
        );
    }
}
