//! Tables: the rows and columns that kubectl prints, and objects reduced to their metadata.
//!
//! The columns of a kind are those of the real server's printers. The wide ones are always part of a
//! table, with priority 1; kubectl leaves them out. Which objects a table shows, and whether a
//! client wants one at all, is decided elsewhere; ages are counted from a `now` that is handed in.

mod age;
mod custom;
mod jsonpath;
mod printers;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use self::{custom::CustomColumn, printers::Printer};
use crate::{golang::quote::quote, registry::Resource};

pub(crate) use custom::validate as validate_columns;

/// The columns of one kind.
#[derive(Debug)]
pub(crate) enum Columns {
    /// Of a kind that a printer knows.
    BuiltIn(&'static Printer),
    /// Of a custom resource: its name and `additionalPrinterColumns`.
    Custom(Vec<CustomColumn>),
}

/// How much of an object a row carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IncludeObject {
    Metadata,
    Object,
    None,
}

/// The versions of `meta.k8s.io` that tables and metadata are served in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MetaVersion {
    V1,
    V1Beta1,
}

/// A table that a client asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TableOptions {
    pub(crate) version: MetaVersion,
    pub(crate) include: IncludeObject,
}

/// One column as the table announces it.
#[derive(Debug, Clone, Copy)]
struct Definition<'a> {
    name: &'a str,
    ty: &'a str,
    format: &'a str,
    description: &'a str,
    priority: i64,
}

impl IncludeObject {
    /// Reads the query parameter `includeObject`.
    ///
    /// # Errors
    /// The message of a `BadRequest`.
    pub(crate) fn parse(parameter: &str) -> Result<Self, String> {
        match parameter {
            "" | "Metadata" => Ok(Self::Metadata),
            "Object" => Ok(Self::Object),
            "None" => Ok(Self::None),
            other => Err(format!(
                "Unable to convert to Table as requested: includeObject: Invalid value: {}: must be 'Metadata', 'Object', \
                 'None', or empty",
                quote(other)
            )),
        }
    }
}

impl MetaVersion {
    /// The version of that name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "v1" => Some(Self::V1),
            "v1beta1" => Some(Self::V1Beta1),
            _ => None,
        }
    }

    fn api_version(self) -> &'static str {
        match self {
            Self::V1 => "meta.k8s.io/v1",
            Self::V1Beta1 => "meta.k8s.io/v1beta1",
        }
    }
}

impl Columns {
    /// The columns of the kind.
    pub(crate) fn of(resource: &Resource) -> Self {
        match resource.custom() {
            Some(custom) => Self::Custom(custom::columns(&custom.printer_columns)),
            None => Self::BuiltIn(printers::of(&resource.group, &resource.kind)),
        }
    }

    fn definitions(&self) -> Value {
        match self {
            Self::BuiltIn(printer) => printer
                .columns
                .iter()
                .map(|column| column.definition().to_value())
                .collect(),
            Self::Custom(columns) => {
                let name = printers::NAME.definition().to_value();
                std::iter::once(name)
                    .chain(columns.iter().map(|column| column.definition().to_value()))
                    .collect()
            }
        }
    }

    fn cells(&self, object: &Value, now: Timestamp) -> Vec<Value> {
        match self {
            Self::BuiltIn(printer) => (printer.cells)(object, now),
            Self::Custom(columns) => {
                let name = object["metadata"]["name"].clone();
                std::iter::once(name)
                    .chain(columns.iter().map(|column| column.cell(object, now)))
                    .collect()
            }
        }
    }
}

/// A table of the objects. `metadata` is that of the list, or the resource version of a single
/// object; only the first table of a watch has `headers`.
pub(crate) fn table<'a>(
    columns: &Columns,
    objects: impl IntoIterator<Item = &'a Value>,
    metadata: Map<String, Value>,
    options: TableOptions,
    now: Timestamp,
    headers: bool,
) -> Value {
    let rows: Vec<Value> = objects
        .into_iter()
        .map(|object| {
            let row = match options.include {
                IncludeObject::Metadata => partial(object, options.version),
                IncludeObject::Object => object.clone(),
                IncludeObject::None => Value::Null,
            };
            json!({ "cells": columns.cells(object, now), "object": row })
        })
        .collect();
    json!({
        "kind": "Table",
        "apiVersion": options.version.api_version(),
        "metadata": Value::Object(metadata),
        "columnDefinitions": if headers { columns.definitions() } else { Value::Null },
        "rows": rows,
    })
}

/// An object reduced to its metadata.
pub(crate) fn partial(object: &Value, version: MetaVersion) -> Value {
    json!({
        "kind": "PartialObjectMetadata",
        "apiVersion": version.api_version(),
        "metadata": object["metadata"],
    })
}

/// A list of objects reduced to their metadata.
pub(crate) fn partial_list<'a>(
    objects: impl IntoIterator<Item = &'a Value>,
    metadata: Map<String, Value>,
    version: MetaVersion,
) -> Value {
    json!({
        "kind": "PartialObjectMetadataList",
        "apiVersion": version.api_version(),
        "metadata": Value::Object(metadata),
        "items": objects.into_iter().map(|object| partial(object, version)).collect::<Vec<_>>(),
    })
}

impl Definition<'_> {
    fn to_value(self) -> Value {
        json!({
            "name": self.name,
            "type": self.ty,
            "format": self.format,
            "description": self.description,
            "priority": self.priority,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Registry;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn leases() -> Columns {
        Columns::of(
            Registry::built_in()
                .resource("coordination.k8s.io", "v1", "leases")
                .unwrap(),
        )
    }

    fn show(include: IncludeObject, headers: bool) -> Value {
        let lease = json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": "a", "creationTimestamp": "1969-12-31T23:59:00Z"}, "spec": {"holderIdentity": "me"},
        });
        let options = TableOptions {
            version: MetaVersion::V1,
            include,
        };
        table(&leases(), [&lease], Map::new(), options, NOW, headers)
    }

    #[test]
    fn a_table_of_leases_has_name_holder_and_age() {
        let table = show(IncludeObject::Metadata, true);
        let names: Vec<&Value> = table["columnDefinitions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|column| &column["name"])
            .collect();
        assert_eq!(names, ["Name", "Holder", "Age"]);
        assert_eq!(table["columnDefinitions"][0]["format"], "name");
        assert_eq!(
            table["rows"],
            json!([{
                "cells": ["a", "me", "60s"],
                "object": {
                    "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                    "metadata": {"name": "a", "creationTimestamp": "1969-12-31T23:59:00Z"},
                },
            }])
        );
    }

    #[test]
    fn a_row_carries_as_much_as_was_asked_for() {
        assert_eq!(
            show(IncludeObject::None, false)["rows"][0]["object"],
            Value::Null
        );
        assert_eq!(
            show(IncludeObject::Object, false)["rows"][0]["object"]["kind"],
            "Lease"
        );
        assert_eq!(
            show(IncludeObject::None, false)["columnDefinitions"],
            Value::Null
        );
        assert_eq!(
            IncludeObject::parse("x"),
            Err("Unable to convert to Table as requested: includeObject: Invalid value: \"x\": must be 'Metadata', \
                 'Object', 'None', or empty"
                .to_owned())
        );
    }

    #[test]
    fn every_row_is_as_wide_as_the_header() {
        let empty = json!({"metadata": {"name": "a"}});
        for (_, group) in Registry::built_in().groups() {
            for resource in group
                .versions
                .iter()
                .flat_map(|version| version.resources.values())
            {
                let columns = Columns::of(resource);
                let header = columns.definitions();
                assert_eq!(
                    columns.cells(&empty, NOW).len(),
                    header.as_array().unwrap().len(),
                    "{}",
                    resource.qualified_plural()
                );
            }
        }
    }
}
