//! `update` and `patch`.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};

use crate::object::{Object, as_object_mut, has_finalizers, is_deleting, meta, meta_mut, version};
use crate::patch;
use crate::status::Status;
use crate::store::Transaction;

use super::create::insert;
use super::{Answer, Call};

/// Replaces an object, or only its status through the subresource.
pub(crate) fn update(call: &Call<'_>) -> Result<Answer, Status> {
    let (mut object, warnings) = call.object()?;
    let name = call.name();
    match meta(&object, "name") {
        Some(own) if own != name => {
            return Err(Status::bad_request(format!(
                "the name of the object ({own}) does not match the name on the URL ({name})"
            )));
        }
        _ => drop(meta_mut(&mut object).insert("name".to_owned(), json!(name))),
    }
    let transaction = call.server.store.transaction();
    let Some(current) = call.current(&transaction) else {
        drop(transaction);
        return Ok(Answer {
            warnings,
            ..missing(call, object)?
        });
    };
    check_version(call, &current, &object)?;
    let answer = replace(call, transaction, &current, object)?;
    Ok(Answer { warnings, ..answer })
}

/// Changes an object by a patch.
pub(crate) fn patch(call: &Call<'_>) -> Result<Answer, Status> {
    let kind = patch::Kind::of(call.content_type)?;
    let transaction = call.server.store.transaction();
    let current = call
        .current(&transaction)
        .ok_or_else(|| Status::not_found(call.resource(), call.name()))?;
    let patched = patch::apply(kind, &current, &call.body)?;
    let (mut object, warnings) = call.accept(patched)?;
    if meta(&object, "resourceVersion").is_none() {
        meta_mut(&mut object).insert("resourceVersion".to_owned(), json!(version(&current)));
    }
    check_version(call, &current, &object)?;
    let answer = replace(call, transaction, &current, object)?;
    Ok(Answer { warnings, ..answer })
}

/// A PUT of a name that does not exist creates it, where the kind allows that and the sender did not say which object
/// it means.
fn missing(call: &Call<'_>, object: Value) -> Result<Answer, Status> {
    let resource = call.resource();
    if !resource.create_on_update || call.target.subresource.is_some() {
        return Err(Status::not_found(resource, call.name()));
    }
    match meta(&object, "uid").filter(|uid| !uid.is_empty()) {
        Some(uid) => Err(Status::conflict(
            resource,
            call.name(),
            &uid_precondition(call, uid, ""),
        )),
        None => insert(call, object),
    }
}

fn uid_precondition(call: &Call<'_>, expected: &str, actual: &str) -> String {
    let key = format!(
        "/registry/{}/{}/{}",
        call.resource().plural,
        call.target.namespace,
        call.name()
    );
    format!(
        "StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition \
         failed: UID in precondition: {expected}, UID in object meta: {actual}"
    )
}

fn check_version(call: &Call<'_>, current: &Value, object: &Value) -> Result<(), Status> {
    let resource = call.resource();
    let current_uid = meta(current, "uid").unwrap_or_default();
    if let Some(uid) = meta(object, "uid").filter(|uid| !uid.is_empty() && *uid != current_uid) {
        let why = format!(
            "Precondition failed: UID in precondition: {uid}, UID in object meta: {current_uid}"
        );
        return Err(Status::conflict(resource, call.name(), &why));
    }
    match version(object) {
        "" if !resource.unconditional_update => Err(Status::version_missing(resource, call.name())),
        "" => Ok(()),
        sent if sent == version(current) => Ok(()),
        _ => Err(Status::modified(resource, call.name())),
    }
}

fn replace(
    call: &Call<'_>,
    mut transaction: Transaction<'_>,
    current: &Arc<Value>,
    object: Value,
) -> Result<Answer, Status> {
    let resource = call.resource();
    let mut object = merge_parts(call, current, object);
    keep_server_metadata(current, &mut object);
    call.finish(Some(current), &mut object)?;
    if (resource.has_generation || resource.custom.is_some())
        && current.get("spec") != object.get("spec")
    {
        let generation = current["metadata"]["generation"].as_i64().unwrap_or(0) + 1;
        meta_mut(&mut object).insert("generation".to_owned(), json!(generation));
    }
    let name = call.name();
    if is_deleting(&object) && !has_finalizers(&object) && !call.is_dry_run() {
        transaction.remove(&resource.key, &call.target.namespace, name);
        drop(transaction);
        call.server.removed(resource, current);
        return Ok(Answer::new(StatusCode::OK, Arc::new(object)));
    }
    if object == **current {
        return Ok(Answer::new(StatusCode::OK, current.clone()));
    }
    Ok(Answer::new(
        StatusCode::OK,
        call.store(transaction, name, object),
    ))
}

/// With a status subresource each of the two writes changes only its part.
fn merge_parts(call: &Call<'_>, current: &Value, object: Value) -> Value {
    if !call.resource().has_status {
        return object;
    }
    let (mut base, part) = if call.is_status() {
        (current.clone(), object)
    } else {
        (object, current.clone())
    };
    let target = as_object_mut(&mut base);
    match part.get("status") {
        Some(status) => drop(target.insert("status".to_owned(), status.clone())),
        None => drop(target.remove("status")),
    }
    if call.is_status()
        && let (Some(metadata), Some(sent)) = (
            target.get_mut("metadata").and_then(Value::as_object_mut),
            part.get("metadata"),
        )
    {
        copy_or_remove(metadata, sent, "managedFields");
    }
    base
}

fn keep_server_metadata(current: &Value, object: &mut Value) {
    let metadata = meta_mut(object);
    for key in [
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "resourceVersion",
        "generateName",
    ] {
        copy_or_remove(metadata, &current["metadata"], key);
    }
}

fn copy_or_remove(into: &mut Object, from: &Value, key: &str) {
    match from.get(key) {
        Some(value) => drop(into.insert(key.to_owned(), value.clone())),
        None => drop(into.remove(key)),
    }
}
