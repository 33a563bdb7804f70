//! Label selectors as objects (`metav1.LabelSelector`), for aggregated cluster roles.

use serde_json::Value;

/// Whether the labels fulfil every requirement of the selector. An empty selector selects everything.
pub(super) fn matches(selector: &Value, labels: &Value) -> bool {
    let equal = selector["matchLabels"]
        .as_object()
        .into_iter()
        .flatten()
        .all(|(key, value)| labels[key] == *value);
    let expressions = selector["matchExpressions"]
        .as_array()
        .into_iter()
        .flatten();
    equal
        && expressions
            .into_iter()
            .all(|expression| fulfils(expression, labels))
}

fn fulfils(expression: &Value, labels: &Value) -> bool {
    let label = &labels[expression["key"].as_str().unwrap_or_default()];
    let among = || {
        expression["values"]
            .as_array()
            .is_some_and(|values| values.contains(label))
    };
    match expression["operator"].as_str().unwrap_or_default() {
        "In" => label.is_string() && among(),
        "NotIn" => !label.is_string() || !among(),
        "Exists" => label.is_string(),
        "DoesNotExist" => !label.is_string(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_requirement_has_to_hold() {
        let labels = json!({"tier": "a", "zone": "1"});
        let expression = |operator: &str, key: &str, values: &[&str]| json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]});
        let cases = [
            (json!({}), true),
            (json!({"matchLabels": {"tier": "a"}}), true),
            (json!({"matchLabels": {"tier": "a", "zone": "2"}}), false),
            (expression("In", "tier", &["a", "b"]), true),
            (expression("In", "none", &["a"]), false),
            (expression("NotIn", "tier", &["a"]), false),
            (expression("NotIn", "none", &["a"]), true),
            (expression("Exists", "zone", &[]), true),
            (expression("DoesNotExist", "zone", &[]), false),
            (expression("Unknown", "zone", &[]), false),
        ];
        for (selector, expected) in cases {
            assert_eq!(matches(&selector, &labels), expected, "{selector}");
        }
    }
}
