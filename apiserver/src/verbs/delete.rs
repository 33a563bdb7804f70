//! `delete` and `deletecollection`.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};

use crate::object::{has_finalizers, is_deleting, meta, meta_mut, version, whole_seconds};
use crate::registry::Resource;
use crate::selector::Selector;
use crate::status::Status;
use crate::store::Transaction;

use super::{Answer, Call};

/// What the caller asks of the object that it deletes.
#[derive(Debug, Default)]
struct Options {
    uid: Option<String>,
    resource_version: Option<String>,
    dry_run: bool,
}

/// Deletes one object, if it is the one that the preconditions describe.
pub(crate) fn delete(call: &Call<'_>) -> Result<Answer, Status> {
    let options = options(call)?;
    let (resource, name) = (call.resource(), call.name());
    let mut transaction = call.server.store.transaction();
    let current = call
        .current(&transaction)
        .ok_or_else(|| Status::not_found(resource, name))?;
    check_preconditions(resource, name, &options, &current)?;
    let answer = match remove(call, &mut transaction, name, &current, options.dry_run) {
        Removed::Marked(object) => object,
        Removed::Gone => Arc::new(success(resource, name, &current)),
    };
    drop(transaction);
    if !options.dry_run {
        call.server.removed(resource, &current);
    }
    Ok(Answer::new(StatusCode::OK, answer))
}

/// Deletes every selected object of a collection.
pub(crate) fn delete_collection(call: &Call<'_>, selector: &Selector) -> Result<Answer, Status> {
    let options = options(call)?;
    let resource = call.resource();
    let mut transaction = call.server.store.transaction();
    let namespace = Some(call.target.namespace.as_str()).filter(|_| resource.namespaced);
    let selected: Vec<Arc<Value>> = transaction
        .list(&resource.key, namespace)
        .filter(|(_, object)| selector.matches(object))
        .map(|(_, object)| object.clone())
        .collect();
    for object in &selected {
        let name = meta(object, "name").unwrap_or_default();
        remove(call, &mut transaction, name, object, options.dry_run);
    }
    let version = transaction.version().to_string();
    drop(transaction);
    let list = json!({
        "apiVersion": resource.api_version(),
        "kind": format!("{}List", resource.kind),
        "metadata": {"resourceVersion": version},
        "items": selected.iter().map(|object| Value::clone(object)).collect::<Vec<_>>(),
    });
    Ok(Answer::new(StatusCode::OK, Arc::new(list)))
}

enum Removed {
    /// A finalizer keeps it.
    Marked(Arc<Value>),
    Gone,
}

fn remove(
    call: &Call<'_>,
    transaction: &mut Transaction<'_>,
    name: &str,
    current: &Arc<Value>,
    dry_run: bool,
) -> Removed {
    let resource = call.resource();
    let namespace = &call.target.namespace;
    if has_finalizers(current) {
        if is_deleting(current) || dry_run {
            return Removed::Marked(current.clone());
        }
        let mut marked = Value::clone(current);
        let metadata = meta_mut(&mut marked);
        metadata.insert(
            "deletionTimestamp".to_owned(),
            json!(whole_seconds(call.started)),
        );
        metadata.insert("deletionGracePeriodSeconds".to_owned(), json!(0));
        return Removed::Marked(transaction.put(&resource.key, namespace, name, marked));
    }
    if !dry_run {
        transaction.remove(&resource.key, namespace, name);
        if resource.kind == "Namespace" {
            empty_namespace(call, transaction, name);
        }
    }
    Removed::Gone
}

/// A real cluster's controller empties a namespace in the background; here it happens at once.
fn empty_namespace(call: &Call<'_>, transaction: &mut Transaction<'_>, namespace: &str) {
    for resource in call
        .server
        .registry
        .all()
        .iter()
        .filter(|resource| resource.namespaced)
    {
        let names: Vec<String> = transaction
            .list(&resource.key, Some(namespace))
            .map(|((_, name), _)| name.clone())
            .collect();
        for name in names {
            transaction.remove(&resource.key, namespace, &name);
        }
    }
}

fn options(call: &Call<'_>) -> Result<Options, Status> {
    let mut options = Options {
        dry_run: call.is_dry_run(),
        ..Options::default()
    };
    if call.body.is_empty() {
        return Ok(options);
    }
    let body: Value = serde_json::from_slice(&call.body)
        .map_err(|error| Status::bad_request(format!("error decoding DeleteOptions: {error}")))?;
    let precondition = |key: &str| {
        body.get("preconditions")?
            .get(key)?
            .as_str()
            .map(str::to_owned)
    };
    options.uid = precondition("uid");
    options.resource_version = precondition("resourceVersion");
    options.dry_run |= body["dryRun"]
        .as_array()
        .is_some_and(|modes| modes.iter().any(|mode| mode == "All"));
    Ok(options)
}

fn check_preconditions(
    resource: &Resource,
    name: &str,
    options: &Options,
    current: &Value,
) -> Result<(), Status> {
    let actual = meta(current, "uid").unwrap_or_default();
    if let Some(uid) = options.uid.as_deref().filter(|uid| *uid != actual) {
        let why = format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({actual}). The object might have \
             been deleted and then recreated"
        );
        return Err(Status::precondition(resource, name, &why));
    }
    let actual = version(current);
    if let Some(asked) = options
        .resource_version
        .as_deref()
        .filter(|asked| *asked != actual)
    {
        let why = format!(
            "the ResourceVersion in the precondition ({asked}) does not match the ResourceVersion in record ({actual}). \
             The object might have been modified"
        );
        return Err(Status::precondition(resource, name, &why));
    }
    Ok(())
}

fn success(resource: &Resource, name: &str, object: &Value) -> Value {
    let mut details = json!({"name": name, "kind": resource.plural, "uid": meta(object, "uid").unwrap_or_default()});
    if !resource.group.is_empty() {
        details["group"] = json!(resource.group);
    }
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}
