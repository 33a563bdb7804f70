//! JSON patches, RFC 6902, with the liberties that Kubernetes' library takes.

use json_patch::{AddOperation, Patch, PatchOperation};
use serde_json::Value;

/// Applies every operation, or fails without saying where, as Kubernetes does.
///
/// In an object a `test` for null passes where the last part of its path is absent, and a `replace` adds it.
pub(super) fn apply(object: Value, patch: &Patch) -> Option<Value> {
    let mut patched = object;
    for operation in &patch.0 {
        let is_absent = is_absent(&patched, operation.path().as_str());
        match operation {
            PatchOperation::Test(test) if test.value.is_null() && is_absent => {}
            PatchOperation::Replace(replace) if is_absent => {
                let (path, value) = (replace.path.clone(), replace.value.clone());
                step(
                    &mut patched,
                    &PatchOperation::Add(AddOperation { path, value }),
                )?;
            }
            operation => step(&mut patched, operation)?,
        }
    }
    Some(patched)
}

fn step(patched: &mut Value, operation: &PatchOperation) -> Option<()> {
    json_patch::patch(patched, std::slice::from_ref(operation)).ok()
}

fn is_absent(object: &Value, pointer: &str) -> bool {
    let Some((parent, _)) = pointer.rsplit_once('/') else {
        return false;
    };
    object.pointer(parent).is_some_and(Value::is_object) && object.pointer(pointer).is_none()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patched(object: Value, patch: Value) -> Option<Value> {
        apply(object, &serde_json::from_value(patch).expect("a patch"))
    }

    #[test]
    fn a_test_for_null_passes_where_only_the_last_part_is_absent() {
        let test = |path: &str| json!([{ "op": "test", "path": path, "value": null }]);
        let object = json!({ "status": { "phase": "" } });
        assert_eq!(
            patched(object.clone(), test("/status/count")),
            Some(object.clone())
        );
        assert_eq!(patched(object.clone(), test("/status/phase")), None);
        assert_eq!(patched(object, test("/missing/count")), None);
        assert_eq!(patched(json!({}), test("/status")), Some(json!({})));
    }

    #[test]
    fn a_replacement_of_what_an_object_lacks_adds_it() {
        let replace = |path: &str| json!([{ "op": "replace", "path": path, "value": 1 }]);
        assert_eq!(
            patched(json!({ "spec": {} }), replace("/spec/a")),
            Some(json!({ "spec": { "a": 1 } }))
        );
        assert_eq!(patched(json!({}), replace("/spec/a")), None);
        assert_eq!(patched(json!({ "list": [] }), replace("/list/0")), None);
    }

    #[test]
    fn a_failing_operation_undoes_the_ones_before_it() {
        let patch = json!([
            { "op": "add", "path": "/a", "value": 1 },
            { "op": "test", "path": "/a", "value": 2 },
        ]);
        assert_eq!(patched(json!({}), patch), None);
    }
}
