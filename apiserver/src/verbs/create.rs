//! POST to a collection.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Reply, admit, options, written};
use crate::access::{self, Authenticator, ReviewContext, ReviewError};
use crate::call::Call;
use crate::cluster::Cluster;
use crate::definitions;
use crate::fields::{self, Writer};
use crate::object::{self, Object, metadata_mut};
use crate::registry::{Origin, Resource};
use crate::status::Status;
use crate::store::{self, State};
use crate::validate;

/// Kubernetes tries this many generated names.
const NAME_ATTEMPTS: usize = 8;

pub(super) fn create(cluster: &Arc<Cluster>, call: &Call<'_>) -> Result<Reply, Status> {
    let (mut object, warnings) = admit::decode_body(call)?;
    admit::settle_namespace(&call.resource, call.namespace, &mut object)?;
    let dry_run = options::check(call)?;
    let mut state = cluster.store.lock();
    let object = insert(cluster, &mut state, call, object, dry_run)?;
    Ok(Reply::Object {
        code: 201,
        object,
        warnings,
    })
}

/// Stores a new object. A PUT of a name that does not exist comes here as well.
pub(super) fn insert(
    cluster: &Cluster,
    state: &mut State,
    call: &Call<'_>,
    mut object: Value,
    dry_run: bool,
) -> Result<Arc<Object>, Status> {
    let resource = &call.resource;
    admit::check_namespace(state, call, object::text(&object, "name"))?;
    prepare(state, call, &mut object);
    let generated = object::text(&object, "name").is_empty()
        && !object::text(&object, "generateName").is_empty();
    let key = if generated {
        free_name(state, call, &mut object)?
    } else {
        store::key(call.namespace, object::text(&object, "name"))
    };
    admit::check_escalation(state, call, &object, None)?;
    admit::validate(call, &object, None)?;
    if object["metadata"].get("resourceVersion").is_some() {
        return Err(Status::unexplained(
            "resourceVersion should not be set on objects to be created",
        ));
    }
    if let Some(existing) = state.get(&resource.stored_as, &key) {
        return Err(Status::already_exists(
            resource,
            object::text(&object, "name"),
            existing.is_deleting(),
        ));
    }
    if dry_run {
        return Ok(Arc::new(Object::new(object, 0)));
    }
    let stored = state.put(&resource.stored_as, &key, object);
    written::after_create(cluster, state, call, &key, &stored);
    Ok(stored)
}

/// Fills in what belongs to the server, and clears what a client cannot set. Only what the client sent is tracked.
fn prepare(state: &mut State, call: &Call<'_>, object: &mut Value) {
    let resource = &call.resource;
    if resource.has_status()
        && let Some(fields) = object.as_object_mut()
    {
        fields.remove("status");
    }
    if matches!(resource.origin, Origin::BuiltIn) {
        validate::prepare(&resource.group, &resource.kind, object);
    }
    let uid = state.uids.uid();
    let metadata = metadata_mut(object);
    metadata.insert("uid".into(), uid.into());
    metadata.insert("creationTimestamp".into(), call.stamp().into());
    for field in [
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
    ] {
        metadata.remove(field);
    }
    // Kinds that do not count generations keep what the client says.
    if resource.write.generation {
        metadata.insert("generation".into(), 1.into());
    }
    track(call, object);
    give_first_state(resource, object);
}

/// Some kinds are given a status, or more, as soon as they are created.
fn give_first_state(resource: &Resource, object: &mut Value) {
    match (resource.group.as_str(), resource.kind.as_str()) {
        ("", "Pod") => object["status"] = json!({ "phase": "Pending", "qosClass": "BestEffort" }),
        ("", "Namespace") => {
            // The finalizer is the namespace controller's.
            object["spec"] = json!({ "finalizers": ["kubernetes"] });
            object["status"] = json!({ "phase": "Active" });
        }
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            object["status"] = definitions::first_status(object);
        }
        _ if resource.has_status() && resource.custom().is_none() => object["status"] = json!({}),
        _ => {}
    }
}

/// Chooses a name that is not taken yet and returns its key.
fn free_name(state: &mut State, call: &Call<'_>, object: &mut Value) -> Result<String, Status> {
    let base: String = object::text(object, "generateName")
        .chars()
        .take(58)
        .collect();
    let mut name = String::new();
    for _ in 0..NAME_ATTEMPTS {
        name = format!("{base}{}", state.uids.name_suffix());
        let key = store::key(call.namespace, &name);
        if state.get(&call.resource.stored_as, &key).is_none() {
            metadata_mut(object).insert("name".into(), name.into());
            return Ok(key);
        }
    }
    Err(Status::no_free_name(&call.resource, &name))
}

fn track(call: &Call<'_>, object: &mut Value) {
    let api_version = call.resource.api_version();
    let (manager, time) = (call.manager(), call.stamp());
    let writer = Writer {
        manager: &manager,
        api_version: &api_version,
        subresource: call.subresource_name(),
        time: &time,
    };
    fields::track_creation(object, call.resource.shape(), writer);
}

/// Answers a review: a question that is posted and never stored.
pub(super) fn review(cluster: &Arc<Cluster>, call: &Call<'_>) -> Result<Reply, Status> {
    let (mut object, _) = admit::decode_body(call)?;
    if call.resource.is_namespaced() {
        admit::settle_namespace(&call.resource, call.namespace, &mut object)?;
    }
    let nobody = Authenticator::default();
    let tokens = cluster.tokens.as_ref().unwrap_or(&nobody);
    let context = ReviewContext {
        user: call.user,
        source: &cluster.store,
        tokens,
        now: call.began,
    };
    let namespace = Some(call.namespace).filter(|namespace| !namespace.is_empty());
    match access::review(&call.resource.kind, namespace, &object, context) {
        Some(Ok(value)) => Ok(Reply::Value { code: 201, value }),
        Some(Err(ReviewError::BadRequest(message))) => Err(Status::bad_request(message)),
        Some(Err(ReviewError::Invalid(errors))) => Err(Status::invalid(
            &format!(".{}", call.resource.group),
            "",
            &validate::summary(&errors),
            validate::causes(&errors),
        )),
        None => Err(Status::no_such_resource()),
    }
}
