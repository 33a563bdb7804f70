//! `metadata.managedFields`: who last changed which field, and when.
//!
//! Only the bookkeeping of updates; server-side apply is not offered. A write that changes a field makes its manager
//! the owner and moves that manager's stamp; other managers lose the field and keep their stamps.

use serde_json::{Map, Value, json};

use crate::object::{Object, meta_mut};

/// Above this number of managers the oldest are merged into one entry.
const MAX_MANAGERS: usize = 10;
const MERGED_MANAGER: &str = "ancient-changes";

/// Metadata that the server or the path sets, which nobody owns.
const UNOWNED_METADATA: [&str; 11] = [
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "managedFields",
    "selfLink",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generateName",
];

/// Who writes, and under which version.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writer<'a> {
    pub(crate) manager: &'a str,
    pub(crate) api_version: &'a str,
    pub(crate) subresource: Option<&'a str>,
    /// RFC 3339, whole seconds.
    pub(crate) time: &'a str,
    /// Custom kinds also own the maps that their fields are in.
    pub(crate) own_parents: bool,
}

/// Brings `managedFields` of `new` up to date after a write that turned `old` into it.
///
/// What the caller sent for the field decides whether tracking goes on: absent means unchanged, an empty list (or one
/// with an empty entry) switches it off for good.
pub(crate) fn track(old: Option<&Value>, new: &mut Value, writer: Writer<'_>) {
    let sent = new
        .get("metadata")
        .and_then(|metadata| metadata.get("managedFields"))
        .cloned();
    let kept = old
        .and_then(|old| old.get("metadata")?.get("managedFields"))
        .cloned();
    let switched_off = old.is_some() && kept.is_none() || sent.as_ref().is_some_and(is_reset);
    let metadata = meta_mut(new);
    metadata.remove("managedFields");
    if switched_off {
        return;
    }
    let mut entries = match kept {
        Some(Value::Array(entries)) => entries,
        _ => Vec::new(),
    };
    let changes = changes(old, new, writer.own_parents);
    if changes.set.is_empty() && changes.removed.is_empty() {
        restore(new, entries);
        return;
    }
    let is_writer = |entry: &Value| {
        entry["manager"] == writer.manager
            && entry["operation"] == "Update"
            && entry["apiVersion"] == writer.api_version
            && entry.get("subresource").and_then(Value::as_str) == writer.subresource
    };
    for entry in &mut entries {
        let owner = is_writer(entry);
        if let Some(fields) = entry.get_mut("fieldsV1").and_then(Value::as_object_mut) {
            subtract(fields, &changes.removed);
            if !owner {
                subtract(fields, &changes.set);
            }
        }
    }
    if !changes.set.is_empty() {
        take(&mut entries, is_writer, &changes.set, writer);
    }
    entries.retain(|entry| {
        entry["fieldsV1"]
            .as_object()
            .is_some_and(|fields| !fields.is_empty())
    });
    merge_oldest(&mut entries);
    entries.sort_by(|a, b| order(a).cmp(&order(b)));
    restore(new, entries);
}

fn is_reset(sent: &Value) -> bool {
    match sent {
        Value::Array(entries) => entries.is_empty() || entries == &[json!({})],
        _ => false,
    }
}

fn restore(object: &mut Value, entries: Vec<Value>) {
    if !entries.is_empty() {
        meta_mut(object).insert("managedFields".to_owned(), Value::Array(entries));
    }
}

fn take(
    entries: &mut Vec<Value>,
    is_writer: impl Fn(&Value) -> bool,
    set: &Object,
    writer: Writer<'_>,
) {
    if let Some(entry) = entries.iter_mut().find(|entry| is_writer(entry)) {
        entry["time"] = json!(writer.time);
        if let Some(fields) = entry["fieldsV1"].as_object_mut() {
            union(fields, set);
        }
        return;
    }
    let mut entry = json!({
        "manager": writer.manager,
        "operation": "Update",
        "apiVersion": writer.api_version,
        "time": writer.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": set,
    });
    if let Some(subresource) = writer.subresource {
        entry["subresource"] = json!(subresource);
    }
    entries.push(entry);
}

fn order(entry: &Value) -> (&str, &str) {
    (
        entry["time"].as_str().unwrap_or_default(),
        entry["manager"].as_str().unwrap_or_default(),
    )
}

fn merge_oldest(entries: &mut Vec<Value>) {
    while entries.len() > MAX_MANAGERS {
        entries.sort_by(|a, b| order(a).cmp(&order(b)));
        let oldest = entries.remove(0);
        let Some(next) = entries.first_mut() else {
            return;
        };
        next["manager"] = json!(MERGED_MANAGER);
        if let (Some(fields), Some(more)) = (
            next["fieldsV1"].as_object_mut(),
            oldest["fieldsV1"].as_object(),
        ) {
            union(fields, more);
        }
    }
}

/// The fields that a write set or removed, as trees of `f:name` keys.
struct Changes {
    set: Object,
    removed: Object,
}

fn changes(old: Option<&Value>, new: &Value, own_parents: bool) -> Changes {
    let mut changes = Changes {
        set: Map::new(),
        removed: Map::new(),
    };
    let empty = Map::new();
    let new = new.as_object().unwrap_or(&empty);
    let old = old.and_then(Value::as_object).unwrap_or(&empty);
    for key in new
        .keys()
        .chain(old.keys().filter(|key| !new.contains_key(*key)))
    {
        if matches!(key.as_str(), "apiVersion" | "kind") {
            continue;
        }
        let is_metadata = key == "metadata";
        let parents = if is_metadata {
            Parents::Maps
        } else {
            Parents::of(own_parents)
        };
        let mut walk = Walk {
            skip_unowned: is_metadata,
            parents,
        };
        walk.field(
            key,
            old.get(key),
            new.get(key),
            &mut changes.set,
            &mut changes.removed,
        );
    }
    changes
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Parents {
    /// Structs of built-in kinds have no entry of their own, maps of strings do.
    Maps,
    All,
}

impl Parents {
    fn of(all: bool) -> Self {
        if all { Self::All } else { Self::Maps }
    }
}

struct Walk {
    skip_unowned: bool,
    parents: Parents,
}

impl Walk {
    fn field(
        &mut self,
        key: &str,
        old: Option<&Value>,
        new: Option<&Value>,
        set: &mut Object,
        removed: &mut Object,
    ) {
        if old == new {
            return;
        }
        match (old, new) {
            (_, Some(Value::Object(new))) => {
                let empty = Map::new();
                let before = old.and_then(Value::as_object);
                let (mut child_set, mut child_removed) = (Map::new(), Map::new());
                let is_new = before.is_none();
                let before = before.unwrap_or(&empty);
                let skip = std::mem::take(&mut self.skip_unowned);
                let owned = |key: &&String| !(skip && UNOWNED_METADATA.contains(&key.as_str()));
                for key in new
                    .keys()
                    .chain(before.keys().filter(|key| !new.contains_key(*key)))
                    .filter(owned)
                {
                    self.field(
                        key,
                        before.get(key),
                        new.get(key),
                        &mut child_set,
                        &mut child_removed,
                    );
                }
                let is_map = matches!(
                    key,
                    "labels" | "annotations" | "matchLabels" | "data" | "nodeSelector" | "selector"
                );
                let has_entry = !skip && (is_map || self.parents == Parents::All);
                if is_new && has_entry {
                    child_set.insert(".".to_owned(), json!({}));
                }
                insert(set, key, child_set);
                insert(removed, key, child_removed);
            }
            (_, Some(new)) if !new.is_null() => {
                set.insert(format!("f:{key}"), leaf(key, new));
            }
            (Some(old), _) => {
                removed.insert(format!("f:{key}"), all_of(old));
            }
            (None, _) => {}
        }
    }
}

fn insert(tree: &mut Object, key: &str, child: Object) {
    if !child.is_empty() {
        tree.insert(format!("f:{key}"), Value::Object(child));
    }
}

/// Lists are owned as a whole, but for those of metadata whose items are named.
fn leaf(key: &str, value: &Value) -> Value {
    let mut fields = Map::new();
    match (key, value.as_array()) {
        ("finalizers", Some(items)) => {
            fields.insert(".".to_owned(), json!({}));
            for item in items {
                fields.insert(format!("v:{item}"), json!({}));
            }
        }
        ("ownerReferences", Some(items)) => {
            fields.insert(".".to_owned(), json!({}));
            for item in items {
                fields.insert(format!("k:{{\"uid\":{}}}", item["uid"]), json!({}));
            }
        }
        _ => {}
    }
    Value::Object(fields)
}

fn all_of(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (format!("f:{key}"), all_of(value)))
            .chain([(".".to_owned(), json!({}))])
            .collect(),
        _ => json!({}),
    }
}

fn union(into: &mut Object, more: &Object) {
    for (key, child) in more {
        match (
            into.get_mut(key).and_then(Value::as_object_mut),
            child.as_object(),
        ) {
            (Some(existing), Some(child)) => union(existing, child),
            _ => drop(into.insert(key.clone(), child.clone())),
        }
    }
}

/// Removes the leaves of `less`, and what has no leaf left.
fn subtract(from: &mut Object, less: &Object) {
    for (key, child) in less {
        let Some(child) = child.as_object() else {
            continue;
        };
        let Some(existing) = from.get_mut(key).and_then(Value::as_object_mut) else {
            continue;
        };
        if child.is_empty() {
            from.remove(key);
            continue;
        }
        subtract(existing, child);
        if existing.is_empty() {
            from.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(old: Option<&Value>, mut new: Value, manager: &str, time: &str) -> Value {
        let writer = Writer {
            manager,
            api_version: "coordination.k8s.io/v1",
            subresource: None,
            time,
            own_parents: false,
        };
        track(old, &mut new, writer);
        new
    }

    fn stamps(object: &Value) -> Vec<(String, String, Value)> {
        let entries = object["metadata"]["managedFields"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        entries
            .iter()
            .map(|entry| {
                (
                    text(&entry["manager"]),
                    text(&entry["time"]),
                    entry["fieldsV1"].clone(),
                )
            })
            .collect()
    }

    fn lease(renew: &str) -> Value {
        json!({"metadata": {"name": "x"}, "spec": {"holderIdentity": "a", "renewTime": renew}})
    }

    #[test]
    fn the_creator_owns_what_it_wrote() {
        let created = write(None, lease("1"), "gw", "t1");
        let fields = json!({"f:spec": {"f:holderIdentity": {}, "f:renewTime": {}}});
        assert_eq!(
            stamps(&created),
            [("gw".to_owned(), "t1".to_owned(), fields)]
        );
    }

    #[test]
    fn a_renewal_moves_its_writers_stamp() {
        let created = write(None, lease("1"), "gw", "t1");
        let renewed = write(Some(&created), lease("2"), "gw", "t2");
        let fields = json!({"f:spec": {"f:holderIdentity": {}, "f:renewTime": {}}});
        assert_eq!(
            stamps(&renewed),
            [("gw".to_owned(), "t2".to_owned(), fields)]
        );
    }

    #[test]
    fn another_managers_label_leaves_the_claims_stamp_alone() {
        let created = write(None, lease("1"), "gw", "t1");
        let mut labelled = lease("1");
        labelled["metadata"]["labels"] = json!({"team": "a"});
        let labelled = write(Some(&created), labelled, "kubectl-label", "t2");
        let claim = json!({"f:spec": {"f:holderIdentity": {}, "f:renewTime": {}}});
        let label = json!({"f:metadata": {"f:labels": {".": {}, "f:team": {}}}});
        assert_eq!(
            stamps(&labelled),
            [
                ("gw".to_owned(), "t1".to_owned(), claim),
                ("kubectl-label".to_owned(), "t2".to_owned(), label)
            ]
        );
    }

    #[test]
    fn a_field_belongs_to_whoever_changed_it_last() {
        let created = write(None, lease("1"), "gw", "t1");
        let taken = write(Some(&created), lease("2"), "other", "t2");
        assert_eq!(
            stamps(&taken),
            [
                (
                    "gw".to_owned(),
                    "t1".to_owned(),
                    json!({"f:spec": {"f:holderIdentity": {}}})
                ),
                (
                    "other".to_owned(),
                    "t2".to_owned(),
                    json!({"f:spec": {"f:renewTime": {}}})
                ),
            ]
        );
    }

    #[test]
    fn an_empty_list_switches_tracking_off_for_good() {
        let created = write(None, lease("1"), "gw", "t1");
        let mut reset = lease("2");
        reset["metadata"]["managedFields"] = json!([]);
        let reset = write(Some(&created), reset, "gw", "t2");
        assert_eq!(stamps(&reset), []);
        assert_eq!(stamps(&write(Some(&reset), lease("3"), "gw", "t3")), []);
    }

    #[test]
    fn a_write_that_changes_nothing_leaves_the_stamp() {
        let created = write(None, lease("1"), "gw", "t1");
        assert_eq!(
            stamps(&write(Some(&created), lease("1"), "gw", "t2")),
            stamps(&created)
        );
    }

    #[test]
    fn past_ten_managers_the_oldest_are_merged() {
        let mut object = write(None, lease("1"), "m00", "t00");
        for number in 1..=11 {
            let mut next = object.clone();
            next["metadata"]
                .as_object_mut()
                .unwrap()
                .remove("managedFields");
            next["metadata"]["labels"][format!("l{number:02}")] = json!("x");
            object = write(
                Some(&object),
                next,
                &format!("m{number:02}"),
                &format!("t{number:02}"),
            );
        }
        let stamps = stamps(&object);
        assert_eq!(stamps.len(), MAX_MANAGERS);
        assert_eq!(stamps[0].0, MERGED_MANAGER);
    }
}
