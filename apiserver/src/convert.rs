//! Between the version in which an object is stored and the one in which it is asked for.
//!
//! Versions of a custom kind differ in `apiVersion` alone. Events of both groups are one set of objects, stored in the
//! form of the core group.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::object::Object;
use crate::registry::{Origin, Resource};

/// Fields of an Event in the core group, and in `events.k8s.io`.
const EVENT_FIELDS: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
];

enum Conversion<'a> {
    None,
    /// Only `apiVersion` changes; this is the stored one's version.
    Version(&'a str),
    Event,
}

fn conversion(resource: &Resource) -> Conversion<'_> {
    match &resource.origin {
        Origin::Custom(kind) if kind.storage_version != resource.version => {
            Conversion::Version(&kind.storage_version)
        }
        Origin::BuiltIn if resource.group == "events.k8s.io" => Conversion::Event,
        Origin::Custom(_) | Origin::BuiltIn | Origin::Review => Conversion::None,
    }
}

/// Brings an object from the version of a request to the stored one.
pub(crate) fn to_stored(resource: &Resource, object: &mut Value) {
    match conversion(resource) {
        Conversion::None => {}
        Conversion::Version(stored) => {
            object["apiVersion"] = format!("{}/{stored}", resource.group).into();
        }
        Conversion::Event => {
            object["apiVersion"] = "v1".into();
            rename(object, EVENT_FIELDS.map(|(core, events)| (events, core)));
        }
    }
}

/// An object in the version of a request.
pub(crate) fn present(resource: &Resource, stored: &Arc<Object>) -> Arc<Object> {
    if matches!(conversion(resource), Conversion::None) {
        return Arc::clone(stored);
    }
    Arc::new(Object::new(
        presented(resource, &stored.value),
        stored.revision,
    ))
}

/// A value in the version of a request.
pub(crate) fn presented(resource: &Resource, stored: &Value) -> Value {
    let mut object = stored.clone();
    match conversion(resource) {
        Conversion::None => {}
        Conversion::Version(_) => object["apiVersion"] = resource.api_version().into(),
        Conversion::Event => {
            object["apiVersion"] = resource.api_version().into();
            rename(&mut object, EVENT_FIELDS);
        }
    }
    object
}

fn rename(object: &mut Value, fields: [(&str, &str); 7]) {
    let Some(object) = object.as_object_mut() else {
        return;
    };
    let renamed: Map<String, Value> = std::mem::take(object)
        .into_iter()
        .map(
            |(field, value)| match fields.iter().find(|(from, _)| *from == field) {
                Some((_, to)) => ((*to).to_owned(), value),
                None => (field, value),
            },
        )
        .collect();
    *object = renamed;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::registry::Registry;

    #[test]
    fn an_event_of_either_group_is_one_object() {
        let registry = Registry::built_in();
        let events = registry
            .resource("events.k8s.io", "v1", "events")
            .expect("built in");
        let sent = json!({ "apiVersion": "events.k8s.io/v1", "kind": "Event", "note": "n", "regarding": { "name": "p" } });
        let mut stored = sent.clone();
        to_stored(events, &mut stored);
        assert_eq!(
            stored,
            json!({ "apiVersion": "v1", "kind": "Event", "message": "n", "involvedObject": { "name": "p" } })
        );
        assert_eq!(presented(events, &stored), sent);
    }
}
