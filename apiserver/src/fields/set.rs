//! A set of field paths as a tree, in the notation of `FieldsV1`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A node of the tree: whether the path that leads here is in the set, and the paths below.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FieldSet {
    pub(super) member: bool,
    pub(super) children: BTreeMap<String, FieldSet>,
}

impl FieldSet {
    pub(super) fn is_empty(&self) -> bool {
        !self.member && self.children.is_empty()
    }

    /// A set of this path alone.
    pub(super) fn leaf() -> Self {
        Self {
            member: true,
            children: BTreeMap::new(),
        }
    }

    /// Puts a subtree under a path element, unless it is empty.
    pub(super) fn attach(&mut self, element: impl FnOnce() -> String, child: FieldSet) {
        if !child.is_empty() {
            self.children.insert(element(), child);
        }
    }

    pub(super) fn union(&mut self, other: FieldSet) {
        self.member |= other.member;
        for (element, child) in other.children {
            self.children.entry(element).or_default().union(child);
        }
    }

    pub(super) fn subtract(&mut self, other: &FieldSet) {
        self.member &= !other.member;
        for (element, theirs) in &other.children {
            if let Some(mine) = self.children.get_mut(element) {
                mine.subtract(theirs);
                if mine.is_empty() {
                    self.children.remove(element);
                }
            }
        }
    }

    /// Reads `fieldsV1`.
    pub(super) fn decode(value: &Value) -> Self {
        let Some(fields) = value.as_object() else {
            return Self::default();
        };
        let mut set = Self::default();
        for (element, below) in fields {
            if element == "." {
                set.member = true;
            } else {
                let mut child = Self::decode(below);
                child.member |= child.children.is_empty();
                set.children.insert(element.clone(), child);
            }
        }
        set
    }

    /// Writes `fieldsV1`.
    pub(super) fn encode(&self) -> Value {
        let mut fields = Map::new();
        if self.member && !self.children.is_empty() {
            fields.insert(".".into(), Value::Object(Map::new()));
        }
        for (element, child) in &self.children {
            fields.insert(element.clone(), child.encode());
        }
        Value::Object(fields)
    }

    /// Whether the encoded set holds every path of this one.
    pub(super) fn is_within(&self, encoded: &Value) -> bool {
        let Some(fields) = encoded.as_object() else {
            return false;
        };
        if self.member && !fields.is_empty() && !fields.contains_key(".") {
            return false;
        }
        self.children.iter().all(|(element, child)| {
            fields
                .get(element)
                .is_some_and(|below| child.is_within(below))
        })
    }
}
