//! One compiled schema and the schemas in it.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Number, Value};

use super::{cel::Rule, format::Format};

/// A schema of one value.
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    /// The types that the value may have; empty for any. Only `x-kubernetes-int-or-string` has two.
    pub(super) types: Vec<Type>,
    pub(super) nullable: bool,
    pub(super) default: Option<Value>,
    pub(super) values: Vec<Value>,
    pub(super) string: StringRules,
    pub(super) number: NumberRules,
    pub(super) size: SizeRules,
    pub(super) properties: BTreeMap<String, Node>,
    pub(super) required: Vec<String>,
    pub(super) additional: Additional,
    pub(super) items: Option<Box<Node>>,
    pub(super) list: ListType,
    pub(super) all_of: Vec<Node>,
    pub(super) any_of: Vec<Node>,
    pub(super) one_of: Vec<Node>,
    pub(super) not: Option<Box<Node>>,
    pub(super) preserve_unknown_fields: bool,
    /// The value is a whole object with `apiVersion`, `kind` and `metadata`.
    pub(super) embedded: bool,
    pub(super) rules: Vec<Rule>,
}

/// A JSON type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
}

/// `additionalProperties`.
#[derive(Debug, Clone, Default)]
pub(super) enum Additional {
    /// Not given: other properties are unknown.
    #[default]
    Unknown,
    /// `true`.
    Any,
    /// A schema for every other property.
    Schema(Box<Node>),
}

/// `x-kubernetes-list-type`.
#[derive(Debug, Clone, Default)]
pub(super) enum ListType {
    #[default]
    Atomic,
    /// No item twice.
    Set,
    /// No two items with the same values in these fields.
    Map(Vec<String>),
}

/// What a string has to be like.
#[derive(Debug, Clone, Default)]
pub(super) struct StringRules {
    pub(super) min_length: Option<u64>,
    pub(super) max_length: Option<u64>,
    pub(super) pattern: Option<Regex>,
    /// `format`, of numbers too.
    pub(super) format: Option<Format>,
}

/// What a number has to be like.
#[derive(Debug, Clone, Default)]
pub(super) struct NumberRules {
    pub(super) minimum: Option<Number>,
    pub(super) exclusive_minimum: bool,
    pub(super) maximum: Option<Number>,
    pub(super) exclusive_maximum: bool,
    pub(super) multiple_of: Option<Number>,
}

/// How many items or properties there may be.
#[derive(Debug, Clone, Default)]
pub(super) struct SizeRules {
    pub(super) min_items: Option<u64>,
    pub(super) max_items: Option<u64>,
    pub(super) min_properties: Option<u64>,
    pub(super) max_properties: Option<u64>,
}

impl Node {
    /// Whether the predicate holds for this schema or one in it.
    pub(super) fn any(&self, predicate: &dyn Fn(&Node) -> bool) -> bool {
        predicate(self)
            || self.properties.values().any(|node| node.any(predicate))
            || self
                .items
                .as_deref()
                .is_some_and(|node| node.any(predicate))
            || matches!(&self.additional, Additional::Schema(node) if node.any(predicate))
    }

    /// The schema of a property, if one is given for it.
    pub(super) fn property(&self, name: &str) -> Option<&Node> {
        match (self.properties.get(name), &self.additional) {
            (Some(node), _) => Some(node),
            (None, Additional::Schema(node)) => Some(node),
            (None, _) => None,
        }
    }

    /// The types as messages name them.
    pub(super) fn type_names(&self) -> String {
        let names: Vec<&str> = self.types.iter().map(|ty| ty.name()).collect();
        names.join(",")
    }
}

impl Type {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Array => "array",
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        [
            Self::Object,
            Self::Array,
            Self::String,
            Self::Integer,
            Self::Number,
            Self::Boolean,
        ]
        .into_iter()
        .find(|ty| ty.name() == name)
    }

    /// The type of a value; `None` for null.
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Null => None,
            Value::Bool(_) => Some(Self::Boolean),
            Value::Number(number) if number.is_f64() => Some(Self::Number),
            Value::Number(_) => Some(Self::Integer),
            Value::String(_) => Some(Self::String),
            Value::Array(_) => Some(Self::Array),
            Value::Object(_) => Some(Self::Object),
        }
    }
}
