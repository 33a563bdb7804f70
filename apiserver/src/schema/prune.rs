//! Removing what the schema does not know.

use serde_json::Value;

use super::node::{Additional, Node};

/// Removes unknown fields of a whole object and returns their paths, sorted.
pub(super) fn prune(root: &Node, object: &mut Value) -> Vec<String> {
    let mut removed = Vec::new();
    let mut pruning = Pruning {
        path: String::new(),
        removed: &mut removed,
    };
    pruning.value(object, root, true);
    removed.sort();
    removed
}

struct Pruning<'a> {
    path: String,
    removed: &'a mut Vec<String>,
}

impl Pruning<'_> {
    fn value(&mut self, value: &mut Value, node: &Node, embedded: bool) {
        match value {
            Value::Object(fields) => {
                let mut unknown = Vec::new();
                for (name, value) in fields.iter_mut() {
                    if embedded && is_object_field(name) {
                        continue;
                    }
                    match (node.property(name), &node.additional) {
                        (Some(child), _) => self.child(name, value, child),
                        (None, Additional::Any) => {}
                        (None, _) if node.preserve_unknown_fields => {}
                        (None, _) => unknown.push(name.clone()),
                    }
                }
                for name in unknown {
                    fields.remove(&name);
                    self.removed.push(self.path_of(&name));
                }
            }
            Value::Array(items) => {
                let Some(node) = node.items.as_deref() else {
                    return;
                };
                let base = self.path.len();
                for (i, item) in items.iter_mut().enumerate() {
                    self.path.push_str(&format!("[{i}]"));
                    self.value(item, node, node.embedded);
                    self.path.truncate(base);
                }
            }
            _ => {}
        }
    }

    fn child(&mut self, name: &str, value: &mut Value, node: &Node) {
        // Most values have nothing below them, and then nobody asks where they are.
        if !(value.is_object() || value.is_array()) {
            return;
        }
        let base = self.path.len();
        if base > 0 {
            self.path.push('.');
        }
        self.path.push_str(name);
        self.value(value, node, node.embedded);
        self.path.truncate(base);
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }
}

fn is_object_field(name: &str) -> bool {
    matches!(name, "apiVersion" | "kind" | "metadata")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::compile::compile, *};

    #[test]
    fn unknown_fields_go_and_are_named() {
        let schema = json!({"type": "object", "properties": {
            "spec": {"type": "object", "properties": {
                "known": {"type": "string"},
                "list": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}},
                "map": {"type": "object", "additionalProperties": {"type": "object", "properties": {"a": {"type": "string"}}}},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                "any": {"type": "object", "additionalProperties": true},
            }},
        }});
        let node = compile(&schema, "schema").unwrap();
        let mut object = json!({
            "apiVersion": "g/v1", "kind": "K", "metadata": {"name": "a", "anything": 1}, "bogus": 1,
            "spec": {
                "known": "x", "other": 1, "list": [{"a": "x", "b": 1}], "map": {"k": {"a": "x", "c": 1}},
                "free": {"x": {"y": 1}}, "any": {"z": [1]},
            },
        });
        assert_eq!(
            prune(&node, &mut object),
            ["bogus", "spec.list[0].b", "spec.map.k.c", "spec.other"]
        );
        assert_eq!(
            object,
            json!({
                "apiVersion": "g/v1", "kind": "K", "metadata": {"name": "a", "anything": 1},
                "spec": {
                    "known": "x", "list": [{"a": "x"}], "map": {"k": {"a": "x"}},
                    "free": {"x": {"y": 1}}, "any": {"z": [1]},
                },
            })
        );
    }
}
