//! One stored object and the parts of its metadata that the server itself reads and writes.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::{Map, Value};

/// One version of one object. Never changed once it is stored.
#[derive(Debug)]
pub(crate) struct Object {
    /// The object as its storage version.
    pub(crate) value: Arc<Value>,
    /// `metadata.resourceVersion` as a number.
    pub(crate) revision: u64,
    json: OnceLock<Bytes>,
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
        self.json.get_or_init(|| to_json(&self.value)).clone()
    }

    pub(crate) fn uid(&self) -> &str {
        text(&self.value, "uid")
    }

    pub(crate) fn is_deleting(&self) -> bool {
        self.value["metadata"].get("deletionTimestamp").is_some()
    }
}

/// A value as JSON text.
pub(crate) fn to_json(value: &Value) -> Bytes {
    // Most objects here are a Lease with its managed fields: about a kilobyte.
    let mut buffer = Vec::with_capacity(1024);
    serde_json::to_writer(&mut buffer, value)
        .expect("a JSON value can always be written to memory");
    buffer.into()
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
