//! From JSON values to messages, guided by the descriptions of their types.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use prost::encoding::{WireType, encode_key, encode_varint};
use serde_json::Value;

use super::MAGIC;
use crate::types::{FieldType, StructType};

/// An object in its envelope.
pub(crate) fn object(ty: &StructType, api_version: &str, value: &Value) -> Vec<u8> {
    envelope(api_version, ty.name, &structure(ty, value))
}

/// A list in its envelope; `metadata` is that of the list as JSON.
pub(crate) fn list<'a>(
    ty: &StructType,
    api_version: &str,
    metadata: &Value,
    items: impl Iterator<Item = &'a Value>,
) -> Vec<u8> {
    let mut raw = Vec::new();
    let mut own = Vec::new();
    let text = |field: &str| metadata[field].as_str().unwrap_or_default().as_bytes();
    bytes(&mut own, 1, b"");
    bytes(&mut own, 2, text("resourceVersion"));
    bytes(&mut own, 3, text("continue"));
    if let Some(remaining) = metadata["remainingItemCount"].as_i64() {
        number(&mut own, 4, remaining);
    }
    bytes(&mut raw, 1, &own);
    for item in items {
        bytes(&mut raw, 2, &structure(ty, item));
    }
    envelope(api_version, &format!("{}List", ty.name), &raw)
}

/// `runtime.Unknown`: 1 is the TypeMeta, 2 the object; encoding and content type stay empty.
fn envelope(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
    let mut type_meta = Vec::new();
    bytes(&mut type_meta, 1, api_version.as_bytes());
    bytes(&mut type_meta, 2, kind.as_bytes());
    let mut envelope = Vec::with_capacity(raw.len() + type_meta.len() + 16);
    envelope.extend_from_slice(MAGIC);
    bytes(&mut envelope, 1, &type_meta);
    bytes(&mut envelope, 2, raw);
    bytes(&mut envelope, 3, b"");
    bytes(&mut envelope, 4, b"");
    envelope
}

fn structure(ty: &StructType, value: &Value) -> Vec<u8> {
    let mut message = Vec::new();
    for field in ty.fields.iter().filter(|field| field.number != 0) {
        match (&field.ty, value.get(field.name)) {
            (_, None | Some(Value::Null)) => {}
            (FieldType::List(item), Some(Value::Array(items))) => {
                for own in items {
                    self::value(&mut message, field.number, item, own);
                }
            }
            (FieldType::Map(item), Some(Value::Object(entries))) => {
                for (key, own) in entries {
                    let mut entry = Vec::new();
                    bytes(&mut entry, 1, key.as_bytes());
                    self::value(&mut entry, 2, item, own);
                    bytes(&mut message, field.number, &entry);
                }
            }
            (ty, Some(own)) => self::value(&mut message, field.number, ty, own),
        }
    }
    message
}

/// Writes one value. A value of another type than the description says is left out: it cannot have been decoded.
fn value(message: &mut Vec<u8>, tag: u32, ty: &FieldType, value: &Value) {
    match (ty, value) {
        (FieldType::String | FieldType::Named(_), Value::String(text)) => {
            bytes(message, tag, text.as_bytes());
        }
        (FieldType::Bool, Value::Bool(flag)) => number(message, tag, i64::from(*flag)),
        (FieldType::Int32 | FieldType::Int64, Value::Number(own)) => {
            number(message, tag, own.as_i64().unwrap_or_default());
        }
        (FieldType::Bytes, Value::String(text)) => {
            bytes(message, tag, &STANDARD.decode(text).unwrap_or_default());
        }
        (FieldType::Time | FieldType::MicroTime, Value::String(text)) => {
            if let Ok(moment) = text.parse() {
                bytes(message, tag, &time(moment));
            }
        }
        (FieldType::Struct(ty), own) => bytes(message, tag, &structure(ty, own)),
        (FieldType::FieldsV1, own) => {
            let mut fields = Vec::new();
            bytes(&mut fields, 1, own.to_string().as_bytes());
            bytes(message, tag, &fields);
        }
        // A list as the value of a map is a message of its own, whose field 1 repeats.
        (FieldType::List(item), Value::Array(items)) => {
            let mut list = Vec::new();
            for own in items {
                self::value(&mut list, 1, item, own);
            }
            bytes(message, tag, &list);
        }
        _ => {}
    }
}

/// `metav1.Time` is seconds and nanoseconds.
fn time(moment: Timestamp) -> Vec<u8> {
    let mut time = Vec::new();
    number(&mut time, 1, moment.as_second());
    number(&mut time, 2, moment.subsec_nanosecond().into());
    time
}

fn number(message: &mut Vec<u8>, tag: u32, value: i64) {
    encode_key(tag, WireType::Varint, message);
    encode_varint(value.cast_unsigned(), message);
}

fn bytes(message: &mut Vec<u8>, tag: u32, value: &[u8]) {
    encode_key(tag, WireType::LengthDelimited, message);
    encode_varint(value.len() as u64, message);
    message.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::types;

    #[test]
    fn what_was_encoded_is_decoded_again() {
        let lease = json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": "a",
                "labels": { "x": "y" },
                "creationTimestamp": "2026-11-23T09:00:00Z",
                "ownerReferences": [{ "apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u" }],
                "managedFields": [{
                    "manager": "m",
                    "operation": "Update",
                    "time": "2026-11-23T09:00:00Z",
                    "fieldsType": "FieldsV1",
                    "fieldsV1": { "f:spec": { "f:renewTime": {} } },
                }],
            },
            "spec": { "renewTime": "2026-11-23T09:00:00.000001Z", "leaseTransitions": 3, "holderIdentity": "" },
        });
        let ty = types::of("coordination.k8s.io", "Lease").expect("leases are described");
        let body = object(ty, "coordination.k8s.io/v1", &lease);
        assert_eq!(super::super::decode(&body), Ok(lease));
    }
}
