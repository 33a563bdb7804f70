//! `metadata.managedFields`: who last wrote which field, and when.
//!
//! A write moves the fields whose values it changed to its manager's entry and stamps that entry with the moment at
//! which the server began to handle the request. Fields that keep their values keep their owner, and an entry whose
//! fields do not change keeps its time. Tracking ends for good once an object has no entries.
//!
//! Only the operation `Update` is tracked. This module compares and merges; it does not know which writes are allowed.

mod compare;
mod entries;
mod set;
mod shape;

use serde_json::Value;

use entries::Entries;
pub(crate) use shape::{Merge, Shape};

/// Who writes, as an entry names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writer<'a> {
    /// `fieldManager`, or what stands for it.
    pub(crate) manager: &'a str,
    /// The API version that the write came in.
    pub(crate) api_version: &'a str,
    /// `status`, or empty for the object itself.
    pub(crate) subresource: &'a str,
    /// When the request began, as an RFC 3339 time in whole seconds.
    pub(crate) time: &'a str,
}

/// Kubernetes keeps this many managers of operation `Update` apart.
const MAX_MANAGERS: usize = 10;
/// The manager that the oldest entries are merged into past that number.
const ANCIENT: &str = "ancient-changes";

/// Gives a new object its first entry.
pub(crate) fn track_creation(object: &mut Value, shape: Shape<'_>, writer: Writer<'_>) {
    let requested = take_entries(object)
        .map(Entries::decode)
        .unwrap_or_default();
    let difference = compare::compare(None, object, shape);
    let mut entries = requested;
    entries.apply(difference, writer);
    store(object, &entries);
}

/// Moves the fields that differ between `old` and `new` to the writer. `new` carries the entries that the request
/// sent: absent to keep those of `old`, an empty list to switch tracking off.
pub(crate) fn track_update(old: &Value, new: &mut Value, shape: Shape<'_>, writer: Writer<'_>) {
    let requested = take_entries(new);
    let stored = &old["metadata"]["managedFields"];
    if writer.subresource.is_empty() && requested.as_ref().is_some_and(Entries::is_reset) {
        return;
    }
    let usable =
        requested.filter(|value| writer.subresource.is_empty() && Entries::is_usable(value));
    let Some(mut current) = usable.or_else(|| Entries::is_usable(stored).then(|| stored.clone()))
    else {
        return;
    };
    let difference = compare::compare(Some(old), new, shape);
    if difference.is_empty() || entries::restamp(&mut current, &difference, writer) {
        new["metadata"]["managedFields"] = current;
        return;
    }
    let mut entries = Entries::decode(current);
    entries.apply(difference, writer);
    store(new, &entries);
}

/// Takes the list out of an object if it asks to end the tracking. Decoding would drop it as empty.
pub(crate) fn take_reset(object: &mut Value) -> Option<Value> {
    let is_reset = Entries::is_reset(&object["metadata"]["managedFields"]);
    if is_reset { take_entries(object) } else { None }
}

fn take_entries(object: &mut Value) -> Option<Value> {
    object
        .get_mut("metadata")?
        .as_object_mut()?
        .remove("managedFields")
        .filter(|entries| !entries.is_null())
}

fn store(object: &mut Value, entries: &Entries) {
    if let Some(encoded) = entries.encode() {
        object["metadata"]["managedFields"] = encoded;
    }
}

#[cfg(test)]
mod tests;
