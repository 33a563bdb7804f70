//! How objects are shown: whole, as metadata only, or as the rows of a table.

mod columns;

use std::sync::Arc;

use http::HeaderValue;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::registry::Resource;

/// What the client accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// The objects themselves.
    Object,
    /// `PartialObjectMetadata`.
    Metadata,
    /// `Table`, with what is included of each object.
    Table(Include),
}

/// What a row carries of its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Include {
    Metadata,
    Object,
    None,
}

impl Format {
    /// The first of the accepted formats that the server can print.
    pub(crate) fn of(accept: Option<&HeaderValue>, include: Option<&str>) -> Self {
        let accept = accept
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        for format in accept.split(',') {
            let has = |parameter: &str| format.split(';').any(|part| part.trim() == parameter);
            if !format.trim_start().starts_with("application/json") {
                continue;
            }
            if has("as=Table") {
                return Self::Table(match include {
                    Some("Object") => Include::Object,
                    Some("None") => Include::None,
                    _ => Include::Metadata,
                });
            }
            if has("as=PartialObjectMetadata") || has("as=PartialObjectMetadataList") {
                return Self::Metadata;
            }
            return Self::Object;
        }
        Self::Object
    }

    /// A single object, or one of a watch: there only the first table has column definitions.
    pub(crate) fn event(
        self,
        resource: &Resource,
        object: &Arc<Value>,
        first: bool,
        now: Timestamp,
    ) -> Value {
        match self {
            Self::Object => Value::clone(object),
            Self::Metadata => partial(object),
            Self::Table(include) => {
                let metadata = json!({"resourceVersion": crate::object::version(object)});
                let mut table = table(
                    resource,
                    std::slice::from_ref(object),
                    metadata,
                    include,
                    now,
                );
                if !first {
                    table["columnDefinitions"] = Value::Null;
                }
                table
            }
        }
    }

    /// A collection, as bytes: a large one is not copied before it is written.
    pub(crate) fn list(
        self,
        resource: &Resource,
        items: &[Arc<Value>],
        metadata: Value,
        now: Timestamp,
    ) -> Vec<u8> {
        let written = match self {
            Self::Object => serde_json::to_vec(&List {
                api_version: &resource.api_version(),
                kind: &format!("{}List", resource.kind),
                metadata: &metadata,
                items,
            }),
            Self::Metadata => serde_json::to_vec(&List {
                api_version: "meta.k8s.io/v1",
                kind: "PartialObjectMetadataList",
                metadata: &metadata,
                items: &items
                    .iter()
                    .map(|item| Arc::new(partial(item)))
                    .collect::<Vec<_>>(),
            }),
            Self::Table(include) => {
                serde_json::to_vec(&table(resource, items, metadata, include, now))
            }
        };
        // Writing values into memory cannot fail.
        written.unwrap_or_default()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List<'a> {
    api_version: &'a str,
    kind: &'a str,
    metadata: &'a Value,
    items: &'a [Arc<Value>],
}

fn partial(object: &Value) -> Value {
    json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": object["metadata"]})
}

fn table(
    resource: &Resource,
    items: &[Arc<Value>],
    metadata: Value,
    include: Include,
    now: Timestamp,
) -> Value {
    let columns = columns::of(resource);
    let rows: Vec<Value> = items
        .iter()
        .map(|item| {
            let cells: Vec<Value> = columns
                .iter()
                .map(|column| column.cell(item, now))
                .collect();
            match include {
                Include::Metadata => json!({"cells": cells, "object": partial(item)}),
                Include::Object => json!({"cells": cells, "object": item}),
                Include::None => json!({"cells": cells}),
            }
        })
        .collect();
    let definitions: Vec<Value> = columns.iter().map(columns::Column::definition).collect();
    json!({
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": definitions,
        "rows": rows,
    })
}
