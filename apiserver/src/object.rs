//! Stored objects and lists of them, and the parts of their metadata that the server itself reads and writes.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};

/// One version of one object. Never changed once it is stored.
#[derive(Debug)]
pub(crate) struct Object {
    /// The object as its storage version.
    pub(crate) value: Arc<Value>,
    /// `metadata.resourceVersion` as a number.
    pub(crate) revision: u64,
    json: OnceLock<Text>,
}

/// An object as text, and where in it the fields after `kind` and `apiVersion` begin.
#[derive(Debug)]
struct Text {
    whole: Bytes,
    rest: usize,
}

impl Object {
    pub(crate) fn new(value: Value, revision: u64) -> Self {
        Self {
            value: Arc::new(value),
            revision,
            json: OnceLock::new(),
        }
    }

    /// The object as JSON text, written at most once however many readers and watchers want it.
    pub(crate) fn json(&self) -> Bytes {
        self.text().whole.clone()
    }

    /// The fields of the object but `kind` and `apiVersion`, as JSON text without the opening brace.
    pub(crate) fn json_after_kind(&self) -> &[u8] {
        let text = self.text();
        &text.whole[text.rest..]
    }

    fn text(&self) -> &Text {
        self.json.get_or_init(|| write(&self.value))
    }

    pub(crate) fn uid(&self) -> &str {
        text(&self.value, "uid")
    }

    pub(crate) fn is_deleting(&self) -> bool {
        self.value["metadata"].get("deletionTimestamp").is_some()
    }
}

/// A list and its metadata.
pub(crate) struct List {
    pub(crate) items: Vec<Arc<Object>>,
    pub(crate) revision: u64,
    pub(crate) continue_token: Option<String>,
    pub(crate) remaining: Option<u64>,
}

/// Writes `kind` and `apiVersion` first, as Kubernetes does; the items of a list leave both out.
fn write(object: &Value) -> Text {
    // Most objects here are a Lease with its managed fields: about a kilobyte.
    let mut buffer = Vec::with_capacity(1024);
    buffer.push(b'{');
    let mut rest = buffer.len();
    for field in ["kind", "apiVersion"] {
        if let Some(value) = object.get(field) {
            member(&mut buffer, field, value);
            rest = buffer.len() + 1;
        }
    }
    for (field, value) in object.as_object().into_iter().flatten() {
        if field != "kind" && field != "apiVersion" {
            member(&mut buffer, field, value);
        }
    }
    buffer.push(b'}');
    let rest = rest.min(buffer.len() - 1);
    Text {
        whole: buffer.into(),
        rest,
    }
}

fn member(buffer: &mut Vec<u8>, field: &str, value: &Value) {
    if buffer.len() > 1 {
        buffer.push(b',');
    }
    write_value(buffer, &field);
    buffer.push(b':');
    write_value(buffer, value);
}

fn write_value(buffer: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(buffer, value).expect("JSON can always be written to memory");
}

/// A value as JSON text.
pub(crate) fn to_json(value: &Value) -> Bytes {
    write(value).whole
}

/// `metadata.<field>` where it is a text, else the empty text.
pub(crate) fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object
        .get("metadata")
        .and_then(|metadata| metadata.get(field))
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The fields of `metadata`, which is created where it is missing or no object.
pub(crate) fn metadata_mut(object: &mut Value) -> &mut Map<String, Value> {
    if !object["metadata"].is_object() {
        object["metadata"] = Value::Object(Map::new());
    }
    object["metadata"]
        .as_object_mut()
        .expect("metadata was just made an object")
}

/// Sets `metadata.resourceVersion`.
pub(crate) fn set_revision(object: &mut Value, revision: u64) {
    metadata_mut(object).insert("resourceVersion".into(), revision.to_string().into());
}

/// Whether `metadata.finalizers` names any.
pub(crate) fn has_finalizers(object: &Value) -> bool {
    object["metadata"]["finalizers"]
        .as_array()
        .is_some_and(|finalizers| !finalizers.is_empty())
}

/// Drops the metadata fields that are empty, which Kubernetes never stores.
pub(crate) fn drop_empty_metadata(object: &mut Value) {
    metadata_mut(object).retain(|_, value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kind_and_version_come_first_and_can_be_left_out() {
        let object = Object::new(
            json!({ "apiVersion": "v1", "data": { "a": "b" }, "kind": "ConfigMap" }),
            1,
        );
        assert_eq!(
            &object.json()[..],
            br#"{"kind":"ConfigMap","apiVersion":"v1","data":{"a":"b"}}"#
        );
        assert_eq!(object.json_after_kind(), br#""data":{"a":"b"}}"#);
        let bare = Object::new(json!({ "apiVersion": "v1", "kind": "ConfigMap" }), 1);
        assert_eq!(bare.json_after_kind(), b"}");
    }
}
