//! The rules of roles and bindings. Who may grant what is not decided here.

use serde_json::{Value, json};

use super::{FieldError, RBAC, formats, metadata};

pub(super) fn validate_role(role: &Value, namespaced: bool) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (i, rule) in items(role, "rules").iter().enumerate() {
        errors.extend(policy_rule(rule, namespaced, &format!("rules[{i}]")));
    }
    let aggregation = &role["aggregationRule"];
    if aggregation.is_object() {
        const PATH: &str = "aggregationRule.clusterRoleSelectors";
        let selectors = items(aggregation, "clusterRoleSelectors");
        if selectors.is_empty() {
            errors.push(FieldError::required(
                PATH,
                "at least one clusterRoleSelector required if aggregationRule is non-nil",
            ));
        }
        for (i, selector) in selectors.iter().enumerate() {
            errors.extend(metadata::labels(
                &format!("{PATH}[{i}].matchLabels"),
                selector["matchLabels"].as_object(),
            ));
        }
    }
    errors
}

pub(super) fn validate_binding(
    binding: &Value,
    old: Option<&Value>,
    namespaced: bool,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let role = &binding["roleRef"];
    if text(role, "apiGroup") != RBAC {
        errors.push(FieldError::not_supported(
            "roleRef.apiGroup",
            text(role, "apiGroup"),
            &[RBAC],
        ));
    }
    let kinds: &[&str] = if namespaced {
        &["Role", "ClusterRole"]
    } else {
        &["ClusterRole"]
    };
    if !kinds.contains(&text(role, "kind")) {
        errors.push(FieldError::not_supported(
            "roleRef.kind",
            text(role, "kind"),
            kinds,
        ));
    }
    match text(role, "name") {
        "" => errors.push(FieldError::required("roleRef.name", "")),
        name => errors.extend(
            formats::path_segment(name)
                .into_iter()
                .map(|detail| FieldError::invalid("roleRef.name", name, detail)),
        ),
    }
    for (i, subject) in items(binding, "subjects").iter().enumerate() {
        errors.extend(validate_subject(
            subject,
            namespaced,
            &format!("subjects[{i}]"),
        ));
    }
    if old.is_some_and(|old| old["roleRef"] != *role) {
        errors.push(FieldError::invalid(
            "roleRef",
            go_role_ref(role),
            "cannot change roleRef",
        ));
    }
    errors
}

/// The server prints the type that it works with, whose fields have no JSON names.
fn go_role_ref(role: &Value) -> Value {
    json!({"APIGroup": text(role, "apiGroup"), "Kind": text(role, "kind"), "Name": text(role, "name")})
}

fn policy_rule(rule: &Value, namespaced: bool, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if items(rule, "verbs").is_empty() {
        errors.push(FieldError::required(
            format!("{path}.verbs"),
            "verbs must contain at least one value",
        ));
    }
    if !items(rule, "nonResourceURLs").is_empty() {
        let urls_path = format!("{path}.nonResourceURLs");
        let urls = || rule["nonResourceURLs"].clone();
        if namespaced {
            errors.push(FieldError::invalid(
                urls_path.clone(),
                urls(),
                "namespaced rules cannot apply to non-resource URLs",
            ));
        }
        if ["apiGroups", "resources", "resourceNames"]
            .iter()
            .any(|field| !items(rule, field).is_empty())
        {
            let detail = "rules cannot apply to both regular resources and non-resource URLs";
            errors.push(FieldError::invalid(urls_path, urls(), detail));
        }
        return errors;
    }
    if items(rule, "apiGroups").is_empty() {
        errors.push(FieldError::required(
            format!("{path}.apiGroups"),
            "resource rules must supply at least one api group",
        ));
    }
    if items(rule, "resources").is_empty() {
        errors.push(FieldError::required(
            format!("{path}.resources"),
            "resource rules must supply at least one resource",
        ));
    }
    errors
}

fn validate_subject(subject: &Value, namespaced: bool, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let name = text(subject, "name");
    if name.is_empty() {
        errors.push(FieldError::required(format!("{path}.name"), ""));
    }
    let group = text(subject, "apiGroup");
    match text(subject, "kind") {
        "ServiceAccount" => {
            if !name.is_empty() {
                errors.extend(
                    formats::dns_subdomain(name)
                        .into_iter()
                        .map(|detail| FieldError::invalid(format!("{path}.name"), name, detail)),
                );
            }
            if !group.is_empty() {
                errors.push(FieldError::not_supported(
                    format!("{path}.apiGroup"),
                    group,
                    &[""],
                ));
            }
            if !namespaced && text(subject, "namespace").is_empty() {
                errors.push(FieldError::required(format!("{path}.namespace"), ""));
            }
        }
        "User" | "Group" => {
            if group != RBAC {
                errors.push(FieldError::not_supported(
                    format!("{path}.apiGroup"),
                    group,
                    &[RBAC],
                ));
            }
        }
        kind => errors.push(FieldError::not_supported(
            format!("{path}.kind"),
            kind,
            &["ServiceAccount", "User", "Group"],
        )),
    }
    errors
}

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or_default()
}

fn items<'a>(object: &'a Value, field: &str) -> &'a [Value] {
    object[field].as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(errors: &[FieldError]) -> Vec<String> {
        errors.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_rule_needs_verbs_and_either_resources_or_urls() {
        let role = json!({"rules": [{}, {"verbs": ["get"], "nonResourceURLs": ["/x"], "resources": ["pods"]}]});
        assert_eq!(
            texts(&validate_role(&role, true)),
            [
                "rules[0].verbs: Required value: verbs must contain at least one value",
                "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
                "rules[0].resources: Required value: resource rules must supply at least one resource",
                r#"rules[1].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs"#,
                r#"rules[1].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs"#,
            ]
        );
        let good = json!({"rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]});
        assert_eq!(validate_role(&good, true), []);
    }

    #[test]
    fn an_aggregation_needs_a_selector() {
        assert_eq!(
            texts(&validate_role(
                &json!({"rules": null, "aggregationRule": {}}),
                false
            )),
            [
                "aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil"
            ]
        );
    }

    #[test]
    fn a_role_ref_cannot_change() {
        let binding =
            |role: &str| json!({"roleRef": {"apiGroup": RBAC, "kind": "Role", "name": role}});
        assert_eq!(
            validate_binding(&binding("a"), Some(&binding("a")), true),
            []
        );
        assert_eq!(
            texts(&validate_binding(&binding("b"), Some(&binding("a")), true)),
            [format!(
                r#"roleRef: Invalid value: {{"APIGroup":"{RBAC}","Kind":"Role","Name":"b"}}: cannot change roleRef"#
            )]
        );
    }

    #[test]
    fn subjects_name_the_group_of_their_kind() {
        let binding = json!({
            "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": "r"},
            "subjects": [
                {"kind": "User", "name": "u"},
                {"kind": "ServiceAccount", "name": "s"},
                {"kind": "Robot", "name": "r"},
            ],
        });
        assert_eq!(
            texts(&validate_binding(&binding, None, false)),
            [
                r#"roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole""#.to_owned(),
                format!(r#"subjects[0].apiGroup: Unsupported value: "": supported values: "{RBAC}""#),
                "subjects[1].namespace: Required value".to_owned(),
                r#"subjects[2].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group""#.to_owned(),
            ]
        );
    }
}
