//! What follows from a write to one of the few kinds that the server itself lives by: namespaces and definitions.
//!
//! Controllers of a real cluster do this some time later; here it is done before the answer, under the same lock.

use std::sync::{Arc, PoisonError};

use serde_json::Value;

use super::admit;
use crate::call::Call;
use crate::cluster::Cluster;
use crate::definitions;
use crate::object::{self, Object, metadata_mut};
use crate::registry::Registry;
use crate::status::Status;
use crate::store::State;

const NAMESPACES: &str = "namespaces";

/// After an object was created under `key`.
pub(super) fn after_create(
    cluster: &Cluster,
    state: &mut State,
    call: &Call<'_>,
    key: &str,
    stored: &Arc<Object>,
) {
    if admit::is_definition(&call.resource) {
        let established = definitions::established(&stored.value, &call.stamp());
        let established = state.put(definitions::TABLE, key, established);
        serve(cluster, &established.value);
    }
}

/// After an object was replaced under `key`.
pub(super) fn after_update(
    cluster: &Cluster,
    state: &mut State,
    call: &Call<'_>,
    key: &str,
    stored: &Arc<Object>,
) {
    if admit::is_definition(&call.resource) && call.subresource.is_none() {
        let established = definitions::established(&stored.value, &call.stamp());
        if established == *stored.value {
            serve(cluster, &stored.value);
        } else {
            serve(
                cluster,
                &state.put(definitions::TABLE, key, established).value,
            );
        }
    }
}

/// A cluster cannot do without some of its namespaces.
pub(super) fn check_removable(call: &Call<'_>) -> Result<(), Status> {
    let is_needed = matches!(call.name, "default" | "kube-public" | "kube-system");
    if call.resource.stored_as == NAMESPACES && is_needed {
        let why = "this namespace may not be deleted";
        return Err(Status::not_admitted(&call.resource, call.name, why));
    }
    Ok(())
}

/// Removes the object under `key` for good.
pub(super) fn remove(cluster: &Cluster, state: &mut State, call: &Call<'_>, key: &str) {
    let Some(removed) = state.remove(&call.resource.stored_as, key) else {
        return;
    };
    if admit::is_definition(&call.resource) {
        end_definition(cluster, state, &removed.value);
    }
    let namespace = object::text(&removed.value, "namespace");
    if !namespace.is_empty() {
        end_namespace_when_empty(state, namespace);
    }
}

/// Marks a namespace as terminating and removes what is in it, and itself unless a finalizer holds something.
/// Returns the namespace as it was marked.
pub(super) fn terminate_namespace(
    state: &mut State,
    namespace: &Arc<Object>,
    stamp: &str,
) -> Arc<Object> {
    let name = object::text(&namespace.value, "name").to_owned();
    let marked = if namespace.is_deleting() {
        Arc::clone(namespace)
    } else {
        let mut marked = Value::clone(&namespace.value);
        metadata_mut(&mut marked).insert("deletionTimestamp".into(), stamp.into());
        marked["status"]["phase"] = "Terminating".into();
        state.put(NAMESPACES, &name, marked)
    };
    let prefix = format!("{name}/");
    for table in state.table_names() {
        let inside: Vec<(String, Arc<Object>)> = state
            .range(&table, &prefix)
            .map(|(key, object)| (key.to_owned(), Arc::clone(object)))
            .collect();
        for (key, object) in inside {
            if !object::has_finalizers(&object.value) {
                state.remove(&table, &key);
            } else if !object.is_deleting() {
                let mut held = Value::clone(&object.value);
                let metadata = metadata_mut(&mut held);
                metadata.insert("deletionTimestamp".into(), stamp.into());
                metadata.insert("deletionGracePeriodSeconds".into(), 0.into());
                state.put(&table, &key, held);
            }
        }
    }
    end_namespace_when_empty(state, &name);
    marked
}

fn end_namespace_when_empty(state: &mut State, namespace: &str) {
    let Some(found) = state.get(NAMESPACES, namespace) else {
        return;
    };
    if !found.is_deleting() || object::has_finalizers(&found.value) {
        return;
    }
    let prefix = format!("{namespace}/");
    let is_empty = state
        .table_names()
        .iter()
        .all(|table| state.range(table, &prefix).next().is_none());
    if is_empty {
        state.remove(NAMESPACES, namespace);
    }
}

fn serve(cluster: &Cluster, definition: &Value) {
    change_registry(cluster, |registry| {
        let (group, plural) = definitions::group_and_plural(definition);
        registry.remove(group, plural);
        for resource in definitions::resources(definition) {
            registry.insert(resource);
        }
    });
}

fn end_definition(cluster: &Cluster, state: &mut State, definition: &Value) {
    let table = object::text(definition, "name");
    let keys: Vec<String> = state
        .range(table, "")
        .map(|(key, _)| key.to_owned())
        .collect();
    for key in keys {
        state.remove(table, &key);
    }
    change_registry(cluster, |registry| {
        let (group, plural) = definitions::group_and_plural(definition);
        registry.remove(group, plural);
    });
}

fn change_registry(cluster: &Cluster, change: impl FnOnce(&mut Registry)) {
    let mut registry = cluster
        .registry
        .write()
        .unwrap_or_else(PoisonError::into_inner);
    change(Arc::make_mut(&mut registry));
}
