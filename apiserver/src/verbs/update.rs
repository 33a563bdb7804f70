//! PUT of one object, and the second half of every PATCH.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Reply, admit, create, options, written};
use crate::call::Call;
use crate::cluster::Cluster;
use crate::fields::{self, Writer};
use crate::object::{self, Object, metadata_mut};
use crate::registry::{Origin, Resource, Subresource};
use crate::status::Status;
use crate::store::{self, State};
use crate::validate;

pub(super) fn update(cluster: &Arc<Cluster>, call: &Call<'_>) -> Result<Reply, Status> {
    let (mut object, warnings) = admit::decode_body(call)?;
    check_name(call, &object)?;
    admit::settle_namespace(&call.resource, call.namespace, &mut object)?;
    let dry_run = options::check(call)?;
    let revision = requested_revision(&object)?;
    let mut state = cluster.store.lock();
    let key = store::key(call.namespace, call.name);
    let Some(old) = state.get(&call.resource.stored_as, &key).cloned() else {
        return create_on_update(cluster, &mut state, call, object, dry_run, warnings);
    };
    check_uid(call, &object, old.uid())?;
    if revision.is_none() && !call.resource.write.unconditional_update {
        return Err(Status::version_required(&call.resource, call.name));
    }
    if revision.is_some_and(|revision| revision != old.revision) {
        return Err(Status::modified(&call.resource, call.name));
    }
    let object = replace(cluster, &mut state, call, &key, &old, object, dry_run)?;
    Ok(Reply::Object {
        code: 200,
        object,
        warnings,
    })
}

pub(super) fn check_name(call: &Call<'_>, object: &Value) -> Result<(), Status> {
    let url = call.name;
    match object::text(object, "name") {
        "" => Err(Status::bad_request(format!(
            "the name of the object ({url} based on URL) was undeterminable: name must be provided"
        ))),
        name if name == url => Ok(()),
        name => Err(Status::bad_request(format!(
            "the name of the object ({name}) does not match the name on the URL ({url})"
        ))),
    }
}

/// The version that an update starts from; `None` where it names none.
pub(super) fn requested_revision(object: &Value) -> Result<Option<u64>, Status> {
    match object::text(object, "resourceVersion") {
        "" | "0" => Ok(None),
        text => text.parse().map(Some).map_err(|_| {
            Status::unexplained(format!(
                "strconv.ParseUint: parsing {text:?}: invalid syntax"
            ))
        }),
    }
}

/// A uid in the object is a precondition. `stored` is empty where nothing is stored.
fn check_uid(call: &Call<'_>, object: &Value, stored: &str) -> Result<(), Status> {
    let wanted = object::text(object, "uid");
    if wanted.is_empty() || wanted == stored {
        return Ok(());
    }
    let why = format!(
        "StorageError: invalid object, Code: 4, Key: {}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in \
         precondition: {wanted}, UID in object meta: {stored}",
        storage_path(call)
    );
    Err(Status::conflict(&call.resource, call.name, &why))
}

/// The key of the object in etcd, which error messages show.
fn storage_path(call: &Call<'_>) -> String {
    let resource = &call.resource;
    let group = if resource.custom().is_some() {
        format!("{}/", resource.group)
    } else {
        String::new()
    };
    format!(
        "/registry/{group}{}/{}",
        resource.plural,
        store::key(call.namespace, call.name)
    )
}

fn create_on_update(
    cluster: &Cluster,
    state: &mut State,
    call: &Call<'_>,
    mut object: Value,
    dry_run: bool,
    warnings: Vec<String>,
) -> Result<Reply, Status> {
    if !call.resource.write.create_on_update || call.subresource.is_some() {
        return Err(Status::not_found(&call.resource, call.name));
    }
    check_uid(call, &object, "")?;
    metadata_mut(&mut object).remove("resourceVersion");
    let object = create::insert(cluster, state, call, object, dry_run)?;
    Ok(Reply::Object {
        code: 201,
        object,
        warnings,
    })
}

/// Replaces a stored object. Preconditions have been checked; the object has been decoded.
pub(super) fn replace(
    cluster: &Cluster,
    state: &mut State,
    call: &Call<'_>,
    key: &str,
    old: &Arc<Object>,
    mut new: Value,
    dry_run: bool,
) -> Result<Arc<Object>, Status> {
    let resource = &call.resource;
    keep_what_is_not_written(call, &old.value, &mut new);
    keep_server_fields(&old.value, &mut new);
    if matches!(resource.origin, Origin::BuiltIn) && call.subresource.is_none() {
        validate::prepare(&resource.group, &resource.kind, &mut new);
    }
    if resource.write.generation
        && call.subresource.is_none()
        && specification_differs(resource, &old.value, &new)
    {
        let generation = old.value["metadata"]["generation"].as_i64().unwrap_or(0) + 1;
        metadata_mut(&mut new).insert("generation".into(), generation.into());
    }
    track(call, &old.value, &mut new);
    admit::check_escalation(state, call, &new, Some(&old.value))?;
    admit::validate(call, &new, Some(&old.value))?;
    if new == *old.value {
        return Ok(Arc::clone(old));
    }
    if old.is_deleting() && !object::has_finalizers(&new) {
        if !dry_run {
            written::remove(cluster, state, call, key);
        }
        return Ok(Arc::new(Object::new(new, old.revision)));
    }
    if dry_run {
        return Ok(Arc::new(Object::new(new, old.revision)));
    }
    let stored = state.put(&resource.stored_as, key, new);
    written::after_update(cluster, state, call, key, &stored);
    Ok(stored)
}

/// A write to the object leaves its status alone; a write to the status leaves everything else alone.
fn keep_what_is_not_written(call: &Call<'_>, old: &Value, new: &mut Value) {
    if call.subresource == Some(Subresource::Status) {
        let status = new.get_mut("status").map(Value::take);
        let metadata = new["metadata"].take();
        *new = without_status(old);
        match &call.resource.origin {
            Origin::Custom(_) => {}
            Origin::BuiltIn | Origin::Review => {
                let owners = old["metadata"].get("ownerReferences").cloned();
                new["metadata"] = metadata;
                set(new["metadata"].as_object_mut(), "ownerReferences", owners);
            }
        }
        set(new.as_object_mut(), "status", status);
    } else if call.resource.has_status() {
        set(new.as_object_mut(), "status", old.get("status").cloned());
    }
}

/// A copy without the status, which is written anew, and without the entries of `managedFields`, which a write to the
/// status takes from what is stored.
fn without_status(object: &Value) -> Value {
    let copied = |fields: &Map<String, Value>, but: &str| -> Map<String, Value> {
        let others = fields.iter().filter(|(name, _)| *name != but);
        others
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    let Some(fields) = object.as_object() else {
        return object.clone();
    };
    let others = fields.iter().filter(|(name, _)| *name != "status");
    let copies = others.map(|(name, value)| match (name.as_str(), value) {
        ("metadata", Value::Object(metadata)) => {
            (name.clone(), copied(metadata, "managedFields").into())
        }
        _ => (name.clone(), value.clone()),
    });
    Value::Object(copies.collect())
}

/// What an update cannot change.
fn keep_server_fields(old: &Value, new: &mut Value) {
    let metadata = metadata_mut(new);
    for field in [
        "generation",
        "creationTimestamp",
        "resourceVersion",
        "selfLink",
    ] {
        set(Some(metadata), field, old["metadata"].get(field).cloned());
    }
    if metadata.get("uid").is_none_or(|uid| uid == "") {
        set(Some(metadata), "uid", old["metadata"].get("uid").cloned());
    }
    // A deletion that has begun stays; one that a client makes up is left to validation.
    for field in ["deletionTimestamp", "deletionGracePeriodSeconds"] {
        if let Some(stored) = old["metadata"].get(field) {
            metadata.insert(field.into(), stored.clone());
        }
    }
}

fn set(fields: Option<&mut Map<String, Value>>, field: &str, value: Option<Value>) {
    let Some(fields) = fields else { return };
    match value {
        Some(value) => {
            fields.insert(field.to_owned(), value);
        }
        None => {
            fields.remove(field);
        }
    }
}

/// Whether a change counts as a new generation: one of the specification, and of a Deployment's annotations.
fn specification_differs(resource: &Resource, old: &Value, new: &Value) -> bool {
    let is_counted =
        |field: &str| field != "metadata" && !(resource.has_status() && field == "status");
    let differs = |field: &String| is_counted(field) && old.get(field) != new.get(field);
    let fields = |object: &Value| {
        object
            .as_object()
            .is_some_and(|fields| fields.keys().any(differs))
    };
    let annotations = |object: &Value| object.pointer("/metadata/annotations").cloned();
    fields(old)
        || fields(new)
        || resource.kind == "Deployment" && annotations(old) != annotations(new)
}

fn track(call: &Call<'_>, old: &Value, new: &mut Value) {
    let api_version = call.resource.api_version();
    let (manager, time) = (call.manager(), call.stamp());
    let writer = Writer {
        manager: &manager,
        api_version: &api_version,
        subresource: call.subresource_name(),
        time: &time,
    };
    fields::track_update(old, new, call.resource.shape(), writer);
}
