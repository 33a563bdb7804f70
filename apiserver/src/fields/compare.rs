//! Which fields differ between two versions of an object.

use serde_json::{Map, Value};

use super::set::FieldSet;
use super::shape::{Keys, Merge, Shape};

/// The paths that were added or modified, and those that were removed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) changed: FieldSet,
    pub(super) removed: FieldSet,
}

/// Metadata that belongs to the server and so to no manager.
const UNTRACKED_METADATA: [&str; 8] = [
    "creationTimestamp",
    "generation",
    "managedFields",
    "name",
    "namespace",
    "resourceVersion",
    "selfLink",
    "uid",
];

impl Difference {
    pub(super) fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.removed.is_empty()
    }

    fn attach(&mut self, element: impl Fn() -> String, child: Difference) {
        self.changed.attach(&element, child.changed);
        self.removed.attach(&element, child.removed);
    }
}

/// Compares two versions of an object; `old` is missing when the object is new.
pub(super) fn compare(old: Option<&Value>, new: &Value, shape: Shape<'_>) -> Difference {
    let empty = Map::new();
    let before = old.and_then(Value::as_object).unwrap_or(&empty);
    let after = new.as_object().unwrap_or(&empty);
    let mut difference = Difference::default();
    for field in union_of_keys(before, after) {
        match field {
            "apiVersion" | "kind" => {}
            "metadata" => {
                let child = metadata(before.get(field), after.get(field), shape.child(field));
                difference.attach(|| "f:metadata".into(), child);
            }
            _ => {
                let child = value(before.get(field), after.get(field), shape.child(field));
                difference.attach(|| format!("f:{field}"), child);
            }
        }
    }
    difference
}

fn metadata(old: Option<&Value>, new: Option<&Value>, shape: Shape<'_>) -> Difference {
    let empty = Map::new();
    let before = old.and_then(Value::as_object).unwrap_or(&empty);
    let after = new.and_then(Value::as_object).unwrap_or(&empty);
    let mut difference = Difference::default();
    for field in union_of_keys(before, after) {
        if !UNTRACKED_METADATA.contains(&field) {
            let child = value(before.get(field), after.get(field), shape.child(field));
            difference.attach(|| format!("f:{field}"), child);
        }
    }
    difference
}

fn value(old: Option<&Value>, new: Option<&Value>, shape: Shape<'_>) -> Difference {
    let mut difference = Difference::default();
    if old == new {
        return difference;
    }
    match shape.merge(new.or(old).unwrap_or(&Value::Null)) {
        Merge::Atomic => match new {
            Some(_) => difference.changed = FieldSet::leaf(),
            None => difference.removed = FieldSet::leaf(),
        },
        Merge::Granular => {
            let empty = Map::new();
            let before = old.and_then(Value::as_object).unwrap_or(&empty);
            let after = new.and_then(Value::as_object).unwrap_or(&empty);
            for field in union_of_keys(before, after) {
                let child = value(before.get(field), after.get(field), shape.child(field));
                difference.attach(|| format!("f:{field}"), child);
            }
            container(&mut difference, old, new, shape);
        }
        Merge::Set => {
            for item in only_in(old, new) {
                difference
                    .removed
                    .attach(|| format!("v:{item}"), FieldSet::leaf());
            }
            for item in only_in(new, old) {
                difference
                    .changed
                    .attach(|| format!("v:{item}"), FieldSet::leaf());
            }
            container(&mut difference, old, new, shape);
        }
        Merge::Keyed(keys) => {
            keyed_items(&mut difference, old, new, shape, keys);
            container(&mut difference, old, new, shape);
        }
    }
    difference
}

/// A container that comes or goes counts as a field of its own, but for those that an object always has.
fn container(
    difference: &mut Difference,
    old: Option<&Value>,
    new: Option<&Value>,
    shape: Shape<'_>,
) {
    if shape.is_always_present() {
        return;
    }
    difference.changed.member = old.is_none() && new.is_some();
    difference.removed.member = old.is_some() && new.is_none();
}

fn keyed_items(
    difference: &mut Difference,
    old: Option<&Value>,
    new: Option<&Value>,
    shape: Shape<'_>,
    keys: Keys<'_>,
) {
    let (before, after) = (items(old), items(new));
    let item_shape = shape.item();
    for item in before {
        let element = keys.element_of(item);
        if !after
            .iter()
            .any(|candidate| keys.element_of(candidate) == element)
        {
            difference.attach(|| element.clone(), value(Some(item), None, item_shape));
        }
    }
    for item in after {
        let element = keys.element_of(item);
        let previous = before
            .iter()
            .find(|candidate| keys.element_of(candidate) == element);
        difference.attach(|| element.clone(), value(previous, Some(item), item_shape));
    }
}

fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn only_in<'a>(
    here: Option<&'a Value>,
    there: Option<&'a Value>,
) -> impl Iterator<Item = &'a Value> {
    let others = items(there);
    items(here)
        .iter()
        .filter(move |item| !others.contains(item))
}

fn union_of_keys<'a>(
    before: &'a Map<String, Value>,
    after: &'a Map<String, Value>,
) -> impl Iterator<Item = &'a str> {
    let gone = before.keys().filter(|key| !after.contains_key(*key));
    after.keys().chain(gone).map(String::as_str)
}
