//! Defaults, and nulls where none are allowed.

use serde_json::Value;

use super::node::{Additional, Node};

/// Fills in the defaults of missing fields, top down, so that a default is completed by the
/// defaults inside it. A null that is not allowed counts as missing and is dropped if there is no
/// default for it.
pub(super) fn fill_in(node: &Node, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, value| {
                !value.is_null()
                    || node
                        .property(name)
                        .is_none_or(|child| child.nullable || child.default.is_some())
            });
            for (name, child) in &node.properties {
                let Some(default) = &child.default else {
                    continue;
                };
                if fields
                    .get(name)
                    .is_none_or(|value| value.is_null() && !child.nullable)
                {
                    fields.insert(name.clone(), default.clone());
                }
            }
            for (name, value) in fields.iter_mut() {
                let child = match (node.properties.get(name), &node.additional) {
                    (Some(child), _) => child,
                    (None, Additional::Schema(child)) => {
                        if let (true, false, Some(default)) =
                            (value.is_null(), child.nullable, &child.default)
                        {
                            *value = default.clone();
                        }
                        child
                    }
                    _ => continue,
                };
                fill_in(child, value);
            }
        }
        Value::Array(items) => {
            let Some(node) = node.items.as_deref() else {
                return;
            };
            for item in items {
                if let (true, false, Some(default)) = (item.is_null(), node.nullable, &node.default)
                {
                    *item = default.clone();
                }
                fill_in(node, item);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::compile::compile, *};

    #[test]
    fn defaults_fill_in_what_is_missing_and_nulls_go() {
        let schema = json!({"type": "object", "properties": {
            "a": {"type": "string", "default": "x"},
            "b": {"type": "object", "default": {}, "properties": {"c": {"type": "integer", "default": 3}}},
            "d": {"type": "string"},
            "e": {"type": "string", "nullable": true},
            "f": {"type": "array", "items": {"type": "object", "properties": {"g": {"type": "boolean", "default": true}}}},
        }});
        let node = compile(&schema, "schema").unwrap();
        let mut object = json!({"a": null, "d": null, "e": null, "f": [{}]});
        fill_in(&node, &mut object);
        assert_eq!(
            object,
            json!({"a": "x", "b": {"c": 3}, "e": null, "f": [{"g": true}]})
        );
        let mut given = json!({"a": "y", "b": {"c": 4}});
        fill_in(&node, &mut given);
        assert_eq!(given, json!({"a": "y", "b": {"c": 4}}));
    }
}
