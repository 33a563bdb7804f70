//! JSON merge patches, RFC 7386.

use serde_json::{Map, Value};

/// Applies a merge patch: null removes a field, an object merges, everything else replaces.
pub(super) fn apply(target: &mut Value, patch: &Value) {
    let Some(fields) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(target) = target.as_object_mut() else {
        return;
    };
    for (field, value) in fields {
        if value.is_null() {
            target.remove(field);
        } else {
            apply(target.entry(field).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn null_removes_objects_merge_and_everything_else_replaces() {
        let mut target = json!({ "a": { "b": 1, "c": 2 }, "d": [1, 2], "e": "x" });
        apply(
            &mut target,
            &json!({ "a": { "b": null, "f": { "g": null } }, "d": [3], "e": { "h": 1 } }),
        );
        assert_eq!(
            target,
            json!({ "a": { "c": 2, "f": {} }, "d": [3], "e": { "h": 1 } })
        );
    }
}
