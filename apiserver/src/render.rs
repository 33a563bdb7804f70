//! Objects and lists in the form that a client asked for.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::convert;
use crate::golang::indent::indent;
use crate::negotiate::{Encoding, Form, Output};
use crate::object::{self, List, Object};
use crate::protobuf::encode;
use crate::registry::Resource;
use crate::table::{self, Columns};
use crate::types;

/// One object. `headers` says whether a table names its columns, which only the first of a watch does.
pub(crate) fn one(
    resource: &Resource,
    output: Output,
    object: &Arc<Object>,
    now: Timestamp,
    headers: bool,
) -> Bytes {
    let json = match (output.form, output.encoding) {
        (Form::Objects, Encoding::Protobuf(ty)) => {
            let object = convert::present(resource, object);
            return encode::object(ty, &resource.api_version(), &object.value).into();
        }
        (Form::Objects, _) => convert::present(resource, object).json(),
        (Form::Metadata(version) | Form::MetadataList(version), _) => {
            object::to_json(&table::partial(&object.value, version))
        }
        (Form::Table(options), _) => {
            let object = convert::present(resource, object);
            let mut metadata = Map::new();
            metadata.insert(
                "resourceVersion".into(),
                object::text(&object.value, "resourceVersion").into(),
            );
            let columns = Columns::of(resource);
            object::to_json(&table::table(
                &columns,
                [&*object.value],
                metadata,
                options,
                now,
                headers,
            ))
        }
    };
    text(json, output.encoding)
}

/// A list.
pub(crate) fn list(resource: &Resource, output: Output, list: &List, now: Timestamp) -> Bytes {
    let presented = || -> Vec<Arc<Object>> {
        let items = list.items.iter();
        items.map(|item| convert::present(resource, item)).collect()
    };
    let json = match (output.form, output.encoding) {
        (Form::Objects, Encoding::Protobuf(ty)) => {
            let items = presented();
            let metadata = Value::Object(metadata(list));
            let values = items.iter().map(|item| &*item.value);
            return encode::list(ty, &resource.api_version(), &metadata, values).into();
        }
        (Form::Objects, _) => objects(resource, list, &presented()),
        (Form::Metadata(version) | Form::MetadataList(version), _) => {
            let items = list.items.iter().map(|item| &*item.value);
            object::to_json(&table::partial_list(items, metadata(list), version))
        }
        (Form::Table(options), _) => {
            let items = presented();
            let columns = Columns::of(resource);
            let values = items.iter().map(|item| &*item.value);
            object::to_json(&table::table(
                &columns,
                values,
                metadata(list),
                options,
                now,
                true,
            ))
        }
    };
    text(json, output.encoding)
}

/// An answer that is no object of the kind: a review, or a `Status`.
pub(crate) fn value(value: &Value, encoding: Encoding) -> Bytes {
    match encoding {
        Encoding::Protobuf(ty) => {
            let ty = if value["kind"] == types::STATUS.name {
                &types::STATUS
            } else {
                ty
            };
            let version = value["apiVersion"].as_str().unwrap_or_default();
            encode::object(ty, version, value).into()
        }
        _ => text(object::to_json(value), encoding),
    }
}

/// JSON text in another text form. What is no text has been written already.
fn text(json: Bytes, encoding: Encoding) -> Bytes {
    match encoding {
        Encoding::Json | Encoding::Protobuf(_) => json,
        Encoding::PrettyJson => indent(&json).into(),
        Encoding::Yaml => {
            let value: Value = serde_json::from_slice(&json).expect("the server writes JSON");
            let yaml = serde_saphyr::to_string(&value).expect("JSON can be written as YAML");
            yaml.into()
        }
    }
}

fn objects(resource: &Resource, list: &List, items: &[Arc<Object>]) -> Bytes {
    let is_custom = resource.custom().is_some();
    let size: usize = items
        .iter()
        .map(|item| item.json_after_kind().len() + 96)
        .sum();
    let mut body = Vec::with_capacity(size + 192);
    let head = object::to_json(
        &json!({ "kind": resource.list_kind, "apiVersion": resource.api_version() }),
    );
    body.extend_from_slice(&head[..head.len() - 1]);
    body.extend_from_slice(b",\"metadata\":");
    let mut metadata = metadata(list);
    if is_custom {
        metadata.entry("continue").or_insert_with(|| "".into());
    }
    body.extend_from_slice(&object::to_json(&Value::Object(metadata)));
    body.extend_from_slice(b",\"items\":[");
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        // Only the items of custom kinds repeat their kind.
        if is_custom {
            body.extend_from_slice(&item.json());
        } else {
            body.push(b'{');
            body.extend_from_slice(item.json_after_kind());
        }
    }
    body.extend_from_slice(b"]}");
    body.into()
}

fn metadata(list: &List) -> Map<String, Value> {
    let mut metadata = Map::new();
    metadata.insert("resourceVersion".into(), list.revision.to_string().into());
    if let Some(token) = &list.continue_token {
        metadata.insert("continue".into(), token.as_str().into());
    }
    if let Some(remaining) = list.remaining {
        metadata.insert("remainingItemCount".into(), remaining.into());
    }
    metadata
}
