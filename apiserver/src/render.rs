//! Objects and lists in the form that a client asked for.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::convert;
use crate::negotiate::Output;
use crate::object::{self, Object};
use crate::protobuf::encode;
use crate::registry::Resource;
use crate::table::{self, Columns};
use crate::verbs::List;

/// One object. `headers` says whether a table names its columns, which only the first of a watch does.
pub(crate) fn one(
    resource: &Resource,
    output: Output,
    object: &Arc<Object>,
    now: Timestamp,
    headers: bool,
) -> Bytes {
    match output {
        Output::Objects => convert::present(resource, object).json(),
        Output::Protobuf(ty) => {
            let object = convert::present(resource, object);
            encode::object(ty, &resource.api_version(), &object.value).into()
        }
        Output::Metadata(version) => object::to_json(&table::partial(&object.value, version)),
        Output::Table(options) => {
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
    }
}

/// A list.
pub(crate) fn list(resource: &Resource, output: Output, list: &List, now: Timestamp) -> Bytes {
    match output {
        Output::Objects => objects(resource, list),
        Output::Protobuf(ty) => {
            let items: Vec<Arc<Object>> = list
                .items
                .iter()
                .map(|item| convert::present(resource, item))
                .collect();
            let metadata = Value::Object(metadata(list));
            let values = items.iter().map(|item| &*item.value);
            encode::list(ty, &resource.api_version(), &metadata, values).into()
        }
        Output::Metadata(version) => {
            let items = list.items.iter().map(|item| &*item.value);
            object::to_json(&table::partial_list(items, metadata(list), version))
        }
        Output::Table(options) => {
            let items: Vec<Arc<Object>> = list
                .items
                .iter()
                .map(|item| convert::present(resource, item))
                .collect();
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
    }
}

fn objects(resource: &Resource, list: &List) -> Bytes {
    let is_custom = resource.custom().is_some();
    let items: Vec<Arc<Object>> = list
        .items
        .iter()
        .map(|item| convert::present(resource, item))
        .collect();
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
