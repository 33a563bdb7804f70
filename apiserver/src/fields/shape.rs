//! How the parts of an object merge: field by field, item by item, or as one whole.
//!
//! One description serves field ownership and strategic merge patches. Built-in kinds follow the markers in the Go
//! types of Kubernetes, as a table; custom kinds follow the `x-kubernetes-*` extensions of their schema.

use serde_json::{Map, Value};

/// A place in the type of an object.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape<'a> {
    /// A field of a built-in kind; `parent` is the name of the field around it, past any list items.
    BuiltIn {
        parent: &'a str,
        field: &'a str,
        is_item: bool,
    },
    /// A part of a custom kind's schema; null where the schema says nothing.
    Schema { schema: &'a Value, is_root: bool },
}

/// How a value merges.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Merge<'a> {
    /// As one whole.
    Atomic,
    /// A map or structure, field by field.
    Granular,
    /// A list of scalars, each once.
    Set,
    /// A list whose items are told apart by these fields.
    Keyed(Keys<'a>),
}

/// The names of the key fields of a list.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Keys<'a> {
    Table(&'static [&'static str]),
    Schema(&'a [Value]),
}

static NOTHING: Value = Value::Null;

impl<'a> Shape<'a> {
    /// The whole of a built-in object.
    pub(crate) const BUILT_IN: Shape<'static> = Shape::BuiltIn {
        parent: "",
        field: "",
        is_item: false,
    };

    /// The whole of a custom object.
    pub(crate) fn custom(schema: &'a Value) -> Self {
        Shape::Schema {
            schema,
            is_root: true,
        }
    }

    /// A field of a structure, or the value under a key of a map.
    pub(crate) fn child<'b>(self, name: &'b str) -> Shape<'b>
    where
        'a: 'b,
    {
        match self {
            Shape::BuiltIn { field, .. } => Shape::BuiltIn {
                parent: field,
                field: name,
                is_item: false,
            },
            Shape::Schema { is_root: true, .. } if name == "metadata" => {
                Shape::BUILT_IN.child(name)
            }
            Shape::Schema { schema, .. } => {
                let schema = schema
                    .get("properties")
                    .and_then(|properties| properties.get(name))
                    .or_else(|| schema.get("additionalProperties"))
                    .unwrap_or(&NOTHING);
                Shape::Schema {
                    schema,
                    is_root: false,
                }
            }
        }
    }

    /// The items of a list.
    pub(crate) fn item(self) -> Shape<'a> {
        match self {
            Shape::BuiltIn { parent, field, .. } => Shape::BuiltIn {
                parent,
                field,
                is_item: true,
            },
            Shape::Schema { schema, .. } => Shape::Schema {
                schema: schema.get("items").unwrap_or(&NOTHING),
                is_root: false,
            },
        }
    }

    /// How `value`, which stands in this place, merges.
    pub(crate) fn merge(self, value: &Value) -> Merge<'a> {
        match (self, value) {
            (
                Shape::BuiltIn {
                    is_item: true,
                    field,
                    ..
                },
                Value::Object(_),
            ) => {
                if field == "ownerReferences" {
                    Merge::Atomic
                } else {
                    Merge::Granular
                }
            }
            (Shape::BuiltIn { parent, field, .. }, Value::Object(_)) => {
                if is_atomic_map(parent, field) {
                    Merge::Atomic
                } else {
                    Merge::Granular
                }
            }
            (Shape::BuiltIn { parent, field, .. }, Value::Array(_)) => list_rule(parent, field),
            (Shape::Schema { schema, .. }, Value::Object(_)) => {
                if schema["x-kubernetes-map-type"] == "atomic" {
                    Merge::Atomic
                } else {
                    Merge::Granular
                }
            }
            (Shape::Schema { schema, .. }, Value::Array(_)) => {
                match schema["x-kubernetes-list-type"].as_str() {
                    Some("set") => Merge::Set,
                    Some("map") => Merge::Keyed(Keys::Schema(
                        schema["x-kubernetes-list-map-keys"]
                            .as_array()
                            .map_or(&[], Vec::as_slice),
                    )),
                    _ => Merge::Atomic,
                }
            }
            _ => Merge::Atomic,
        }
    }

    /// Whether an object has this container even before anything was written into it: in the Go types it is a
    /// structure and no pointer.
    pub(super) fn is_always_present(self) -> bool {
        match self {
            Shape::BuiltIn {
                parent,
                field,
                is_item: false,
            } => matches!(
                (parent, field),
                ("", "metadata" | "spec" | "status")
                    | (
                        "spec",
                        "strategy" | "updateStrategy" | "template" | "jobTemplate" | "containers"
                    )
                    | ("template" | "jobTemplate", "metadata" | "spec")
            ),
            Shape::BuiltIn { .. } | Shape::Schema { .. } => false,
        }
    }
}

fn is_atomic_map(parent: &str, field: &str) -> bool {
    match field {
        "selector" => parent == "spec",
        "nodeSelector" | "labelSelector" | "namespaceSelector" => true,
        "roleRef" | "claimRef" | "involvedObject" | "regarding" | "related" => true,
        "fieldRef" | "resourceFieldRef" | "configMapKeyRef" | "secretKeyRef" => true,
        _ => false,
    }
}

fn list_rule(parent: &str, field: &str) -> Merge<'static> {
    let keys: &'static [&'static str] = match (parent, field) {
        ("metadata", "finalizers") => return Merge::Set,
        ("metadata", "ownerReferences") => &["uid"],
        (
            "spec",
            "containers"
            | "initContainers"
            | "ephemeralContainers"
            | "volumes"
            | "imagePullSecrets",
        ) => &["name"],
        (_, "env") => &["name"],
        ("containers" | "initContainers" | "ephemeralContainers", "ports") => {
            &["containerPort", "protocol"]
        }
        ("spec", "ports") => &["port", "protocol"],
        (_, "volumeMounts") => &["mountPath"],
        (_, "volumeDevices") => &["devicePath"],
        ("spec", "hostAliases") => &["ip"],
        ("spec", "topologySpreadConstraints") => &["topologyKey", "whenUnsatisfiable"],
        ("status", "conditions") => &["type"],
        ("status", "podIPs" | "hostIPs") => &["ip"],
        ("", "secrets") => &["name"],
        _ => return Merge::Atomic,
    };
    Merge::Keyed(Keys::Table(keys))
}

impl Keys<'_> {
    /// The names of the fields.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let (table, schema) = match self {
            Keys::Table(names) => (*names, [].as_slice()),
            Keys::Schema(names) => ([].as_slice(), *names),
        };
        table
            .iter()
            .copied()
            .chain(schema.iter().filter_map(Value::as_str))
    }

    /// The path element of an item: `k:{"name":"web"}`.
    pub(super) fn element_of(&self, item: &Value) -> String {
        let mut key = Map::new();
        for name in self.names() {
            // The protocol of a port is left out as often as it is TCP.
            let value = match item.get(name) {
                Some(value) => value.clone(),
                None if name == "protocol" => "TCP".into(),
                None => continue,
            };
            key.insert(name.to_owned(), value);
        }
        format!("k:{}", Value::Object(key))
    }
}
