//! Objects and lists in the form that a client asked for.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::convert;
use crate::negotiate::Output;
use crate::object::{self, Object};
use crate::registry::Resource;
use crate::server::Inner;
use crate::verbs::List;

/// One object.
pub(crate) fn one(
    _server: &Inner,
    resource: &Resource,
    output: Output,
    object: &Arc<Object>,
) -> Bytes {
    match output {
        Output::Objects | Output::Table => convert::present(resource, object).json(),
        Output::Metadata => object::to_json(&partial(&object.value)),
    }
}

/// A list.
pub(crate) fn list(_server: &Inner, resource: &Resource, output: Output, list: &List) -> Bytes {
    match output {
        Output::Objects | Output::Table => objects(resource, list),
        Output::Metadata => object::to_json(&json!({
            "kind": "PartialObjectMetadataList",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": metadata(list),
            "items": list.items.iter().map(|item| partial(&item.value)).collect::<Vec<_>>(),
        })),
    }
}

fn partial(object: &Value) -> Value {
    json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"] })
}

fn objects(resource: &Resource, list: &List) -> Bytes {
    let is_custom = resource.custom().is_some();
    let items: usize = list
        .items
        .iter()
        .map(|item| item.json_after_kind().len() + 96)
        .sum();
    let mut body = Vec::with_capacity(items + 192);
    let head = json!({ "kind": resource.list_kind, "apiVersion": resource.api_version() });
    let head = object::to_json(&head);
    body.extend_from_slice(&head[..head.len() - 1]);
    body.extend_from_slice(b",\"metadata\":");
    body.extend_from_slice(&object::to_json(&Value::Object(metadata(list))));
    body.extend_from_slice(b",\"items\":[");
    for (index, item) in list.items.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        // Only the items of custom kinds repeat their kind.
        let item = convert::present(resource, item);
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

/// `metadata` of a list.
pub(crate) fn metadata(list: &List) -> Map<String, Value> {
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
