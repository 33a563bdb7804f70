//! Looking into stored objects.

use jiff::Timestamp;
use serde_json::{Map, Value};

pub(crate) type Object = Map<String, Value>;

pub(crate) fn meta<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.get("metadata")?.get(key)?.as_str()
}

/// The metadata of an object, made if it is missing.
pub(crate) fn meta_mut(object: &mut Value) -> &mut Object {
    child_mut(as_object_mut(object), "metadata")
}

/// The map at this key, made if it is missing or something else.
pub(crate) fn child_mut<'a>(object: &'a mut Object, key: &str) -> &'a mut Object {
    let child = object
        .entry(key)
        .or_insert_with(|| Value::Object(Object::new()));
    as_object_mut(child)
}

/// The map that a value is, made so if it is something else.
pub(crate) fn as_object_mut(value: &mut Value) -> &mut Object {
    if !value.is_object() {
        *value = Value::Object(Object::new());
    }
    match value {
        Value::Object(object) => object,
        _ => unreachable!("it was made an object"),
    }
}

pub(crate) fn is_deleting(object: &Value) -> bool {
    meta(object, "deletionTimestamp").is_some()
}

pub(crate) fn has_finalizers(object: &Value) -> bool {
    let finalizers = object
        .get("metadata")
        .and_then(|metadata| metadata.get("finalizers"));
    finalizers
        .and_then(Value::as_array)
        .is_some_and(|list| !list.is_empty())
}

pub(crate) fn version(object: &Value) -> &str {
    meta(object, "resourceVersion").unwrap_or_default()
}

/// RFC 3339 in UTC with whole seconds, cut as Kubernetes' `Time` is.
pub(crate) fn whole_seconds(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second())
        .unwrap_or(time)
        .to_string()
}

/// Looks up `a.b.c`.
pub(crate) fn at_path<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    path.trim_start_matches('.')
        .split('.')
        .try_fold(object, |value, key| value.get(key))
}
