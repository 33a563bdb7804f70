//! Patches: JSON, merge, and strategic merge as far as kubectl needs it.

use serde_json::{Map, Value};

use crate::object::Object;
use crate::status::Status;

/// How a patch is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Json,
    Merge,
    Strategic,
}

impl Kind {
    pub(crate) fn of(content_type: &str) -> Result<Self, Status> {
        match content_type.split(';').next().unwrap_or_default().trim() {
            "application/json-patch+json" => Ok(Self::Json),
            "application/merge-patch+json" => Ok(Self::Merge),
            "application/strategic-merge-patch+json" => Ok(Self::Strategic),
            other => Err(Status::unsupported_media_type(format!(
                "the body of the request was in an unknown format - accepted media types include: \
                 application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json \
                 (got {other})"
            ))),
        }
    }
}

/// Applies a patch.
pub(crate) fn apply(kind: Kind, object: &Value, patch: &[u8]) -> Result<Value, Status> {
    let malformed =
        |error: serde_json::Error| Status::bad_request(format!("error decoding patch: {error}"));
    let mut patched = object.clone();
    match kind {
        Kind::Json => {
            let patch: json_patch::Patch = serde_json::from_slice(patch).map_err(malformed)?;
            apply_json(&mut patched, &patch)?;
        }
        Kind::Merge => json_patch::merge(
            &mut patched,
            &serde_json::from_slice(patch).map_err(malformed)?,
        ),
        Kind::Strategic => {
            let patch: Value = serde_json::from_slice(patch).map_err(malformed)?;
            strategic(&mut patched, patch);
        }
    }
    Ok(patched)
}

/// In Kubernetes a `test` for null also passes where the last part of the path is absent.
fn apply_json(object: &mut Value, patch: &json_patch::Patch) -> Result<(), Status> {
    for operation in &patch.0 {
        if let json_patch::PatchOperation::Test(test) = operation
            && test.value.is_null()
            && test.path.resolve(object).is_err()
        {
            let parent = test.path.parent();
            if parent.is_some_and(|parent| parent.resolve(object).is_ok()) {
                continue;
            }
            return Err(Status::patch_does_not_apply());
        }
        json_patch::patch(object, std::slice::from_ref(operation))
            .map_err(|_| Status::patch_does_not_apply())?;
    }
    Ok(())
}

/// By which field the items of a list are told apart, for the lists of built-in kinds that are merged by item.
fn merge_key(list: &str) -> Option<&'static str> {
    Some(match list {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "env"
        | "volumes"
        | "imagePullSecrets"
        | "secrets" => "name",
        "ownerReferences" => "uid",
        "volumeMounts" => "mountPath",
        "ports" => "containerPort",
        "conditions" => "type",
        "tolerations" | "subjects" | "rules" => return None,
        _ => return None,
    })
}

fn strategic(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    let target = crate::object::as_object_mut(target);
    if patch.get("$patch").and_then(Value::as_str) == Some("replace") {
        target.clear();
    }
    if let Some(keep) = patch.get("$retainKeys").and_then(Value::as_array) {
        target.retain(|key, _| keep.iter().any(|kept| kept == key));
    }
    for (key, value) in patch {
        if let Some(list) = key.strip_prefix("$deleteFromPrimitiveList/") {
            remove_items(target, list, &value);
        } else if key.starts_with('$') {
        } else if value.is_null() {
            target.remove(&key);
        } else if let (Some(merge_key), Value::Array(items)) = (merge_key(&key), &value) {
            merge_list(target, &key, merge_key, items);
        } else if key == "finalizers" && target.get(&key).is_some_and(Value::is_array) {
            add_items(target, &key, &value);
        } else {
            strategic(target.entry(key).or_insert(Value::Null), value);
        }
    }
}

fn merge_list(target: &mut Object, key: &str, merge_key: &str, items: &[Value]) {
    let list = target
        .entry(key)
        .or_insert_with(|| Value::Array(Vec::new()));
    let Value::Array(list) = list else { return };
    if items.iter().any(|item| item["$patch"] == "replace") {
        list.clear();
    }
    for item in items {
        let position = list
            .iter()
            .position(|existing| existing.get(merge_key) == item.get(merge_key));
        match (position, item["$patch"].as_str()) {
            (Some(at), Some("delete")) => drop(list.remove(at)),
            (_, Some(_)) => {}
            (Some(at), None) => strategic(&mut list[at], item.clone()),
            (None, None) => {
                let mut new = Value::Object(Map::new());
                strategic(&mut new, item.clone());
                list.push(new);
            }
        }
    }
}

fn remove_items(target: &mut Object, list: &str, items: &Value) {
    if let Some(Value::Array(list)) = target.get_mut(list) {
        list.retain(|item| !items.as_array().is_some_and(|items| items.contains(item)));
    }
}

fn add_items(target: &mut Object, list: &str, items: &Value) {
    if let (Some(Value::Array(list)), Some(items)) = (target.get_mut(list), items.as_array()) {
        for item in items
            .iter()
            .filter(|item| !list.contains(item))
            .collect::<Vec<_>>()
        {
            list.push(item.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patched(kind: Kind, object: Value, patch: Value) -> Result<Value, u16> {
        apply(kind, &object, patch.to_string().as_bytes()).map_err(|status| status.code.as_u16())
    }

    #[test]
    fn a_test_for_null_passes_where_the_field_is_absent_but_not_where_its_parent_is() {
        let test = |path| json!([{"op": "test", "path": path, "value": null}]);
        assert_eq!(
            patched(Kind::Json, json!({"status": {}}), test("/status/phase")),
            Ok(json!({"status": {}}))
        );
        assert_eq!(
            patched(Kind::Json, json!({}), test("/status")),
            Ok(json!({}))
        );
        assert_eq!(
            patched(Kind::Json, json!({}), test("/status/phase")),
            Err(422)
        );
        assert_eq!(
            patched(
                Kind::Json,
                json!({"status": {"phase": ""}}),
                test("/status/phase")
            ),
            Err(422)
        );
    }

    #[test]
    fn a_failed_test_leaves_nothing_changed() {
        let patch = json!([{"op": "test", "path": "/a", "value": 1}, {"op": "replace", "path": "/a", "value": 2}]);
        assert_eq!(
            patched(Kind::Json, json!({"a": 1}), patch.clone()),
            Ok(json!({"a": 2}))
        );
        assert_eq!(patched(Kind::Json, json!({"a": 2}), patch), Err(422));
    }

    #[test]
    fn a_merge_patch_removes_what_is_null() {
        assert_eq!(
            patched(
                Kind::Merge,
                json!({"a": 1, "b": {"c": 1}}),
                json!({"a": null, "b": {"d": 2}})
            ),
            Ok(json!({"b": {"c": 1, "d": 2}}))
        );
    }

    #[test]
    fn a_strategic_patch_merges_named_lists_by_item() {
        let object =
            json!({"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "1"}]});
        let patch = json!({
            "$setElementOrder/containers": [{"name": "b"}],
            "containers": [{"name": "b", "image": "2"}, {"name": "a", "$patch": "delete"}]
        });
        assert_eq!(
            patched(Kind::Strategic, object, patch),
            Ok(json!({"containers": [{"name": "b", "image": "2"}]}))
        );
    }
}
