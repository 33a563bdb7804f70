//! Lists of type set and map: nothing twice.

use serde_json::{Map, Value};

use super::node::{ListType, Node};
use crate::validate::FieldError;

pub(super) fn validate(node: &Node, value: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    walk(node, value, "", &mut errors);
    errors
}

fn walk(node: &Node, value: &Value, path: &str, errors: &mut Vec<FieldError>) {
    match value {
        Value::Object(fields) => {
            // Most values have nothing below them, and then nobody asks where they are.
            let deep = fields
                .iter()
                .filter(|(_, value)| value.is_object() || value.is_array());
            for (name, value) in deep {
                if let Some(child) = node.property(name) {
                    let path = if path.is_empty() {
                        name.clone()
                    } else {
                        format!("{path}.{name}")
                    };
                    walk(child, value, &path, errors);
                }
            }
        }
        Value::Array(items) => {
            match &node.list {
                ListType::Atomic => {}
                ListType::Set => duplicates(items, Value::clone, path, errors),
                ListType::Map(keys) => {
                    let not_object = items
                        .iter()
                        .position(|item| !item.is_object() && !item.is_null());
                    match not_object {
                        Some(i) => errors.push(FieldError::invalid(
                            format!("{path}[{i}]"),
                            items[i].clone(),
                            "must be an object for an array of list-type map",
                        )),
                        None => duplicates(items, |item| key(keys, item), path, errors),
                    }
                }
            }
            if let Some(child) = node.items.as_deref() {
                for (i, item) in items.iter().enumerate() {
                    walk(child, item, &format!("{path}[{i}]"), errors);
                }
            }
        }
        _ => {}
    }
}

/// The second item of each key is an error; further ones are not reported again.
fn duplicates(
    items: &[Value],
    key: impl Fn(&Value) -> Value,
    path: &str,
    errors: &mut Vec<FieldError>,
) {
    let mut seen: Vec<(Value, usize)> = Vec::with_capacity(items.len());
    for (i, item) in items.iter().enumerate() {
        let key = key(item);
        match seen.iter_mut().find(|(other, _)| *other == key) {
            None => seen.push((key, 1)),
            Some((_, times)) => {
                if *times == 1 {
                    errors.push(FieldError::duplicate(format!("{path}[{i}]"), key));
                }
                *times += 1;
            }
        }
    }
}

fn key(keys: &[String], item: &Value) -> Value {
    let fields = keys
        .iter()
        .filter_map(|key| Some((key.clone(), item.get(key)?.clone())));
    Value::Object(fields.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::compile::compile, *};
    use crate::validate::summary;

    #[test]
    fn items_of_sets_and_maps_are_unique() {
        let schema = json!({"type": "object", "properties": {
            "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
            "map": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"],
                "items": {"type": "object"}},
            "free": {"type": "array", "items": {"type": "string"}},
        }});
        let node = compile(&schema, "schema").unwrap();
        let object = json!({
            "set": ["a", "b", "a", "a"], "map": [{"type": "x", "v": 1}, {"type": "x", "v": 2}], "free": ["a", "a"],
        });
        assert_eq!(
            summary(&validate(&node, &object)),
            r#"[map[1]: Duplicate value: {"type":"x"}, set[2]: Duplicate value: "a"]"#
        );
    }
}
