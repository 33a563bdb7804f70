//! JSON patches, RFC 6902, with the one liberty that Kubernetes' library takes.

use json_patch::{Patch, PatchOperation};
use serde_json::Value;

/// Applies every operation, or fails without saying where, as Kubernetes does.
///
/// A `test` for null passes where the last part of its path is absent: its parent has to exist.
pub(super) fn apply(object: &Value, patch: &Patch) -> Option<Value> {
    let mut patched = object.clone();
    for operation in &patch.0 {
        if let PatchOperation::Test(test) = operation
            && test.value.is_null()
            && is_absent(&patched, test.path.as_str())
        {
            continue;
        }
        json_patch::patch(&mut patched, std::slice::from_ref(operation)).ok()?;
    }
    Some(patched)
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
        apply(&object, &serde_json::from_value(patch).expect("a patch"))
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
    fn a_failing_operation_undoes_the_ones_before_it() {
        let patch = json!([
            { "op": "add", "path": "/a", "value": 1 },
            { "op": "test", "path": "/a", "value": 2 },
        ]);
        assert_eq!(patched(json!({}), patch), None);
    }
}
