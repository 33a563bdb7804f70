//! DELETE of one object or of a collection.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::{List, Reply, admit, list, options, written};
use crate::call::Call;
use crate::object::{self, Object, metadata_mut};
use crate::protobuf;
use crate::registry::Resource;
use crate::selector::Selector;
use crate::server::Inner;
use crate::status::{self, Status};
use crate::store::{self, State};

/// `DeleteOptions`, as far as it matters here. Grace periods and propagation are accepted and have no effect: nothing
/// runs that a grace period could end, and no controller follows owner references.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DeleteOptions {
    preconditions: Option<Preconditions>,
    dry_run: Vec<String>,
    propagation_policy: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Preconditions {
    uid: Option<String>,
    resource_version: Option<String>,
}

pub(super) fn delete(server: &Arc<Inner>, call: &Call<'_>) -> Result<Reply, Status> {
    let options = decode(call)?;
    let dry_run = is_dry_run(call, &options)?;
    let mut state = server.store.lock();
    let key = store::key(call.namespace, call.name);
    let Some(object) = state.get(&call.resource.stored_as, &key).cloned() else {
        return Err(Status::not_found(&call.resource, call.name));
    };
    check(&call.resource, call.name, &object, &options)?;
    written::check_removable(call)?;
    Ok(
        match remove(server, &mut state, call, &key, &object, dry_run) {
            Removal::Marked(object) => Reply::Object {
                code: 200,
                object,
                warnings: Vec::new(),
            },
            Removal::Done => Reply::Value {
                code: 200,
                value: status::deleted(&call.resource, call.name, object.uid()),
            },
        },
    )
}

pub(super) fn delete_collection(server: &Arc<Inner>, call: &Call<'_>) -> Result<Reply, Status> {
    let options = decode(call)?;
    let dry_run = is_dry_run(call, &options)?;
    let selector = Selector::parse(call.query, &call.resource)?;
    let mut state = server.store.lock();
    let items = list::selected(&mut state, call, &selector);
    let mut deleted = Vec::with_capacity(items.len());
    for (key, object) in items {
        deleted.push(
            match remove(server, &mut state, call, &key, &object, dry_run) {
                Removal::Marked(object) => object,
                Removal::Done => object,
            },
        );
    }
    Ok(Reply::List(List {
        items: deleted,
        revision: state.revision(),
        continue_token: None,
        remaining: None,
    }))
}

enum Removal {
    /// Finalizers hold the object; it now has a deletion timestamp.
    Marked(Arc<Object>),
    /// The object is gone.
    Done,
}

fn remove(
    server: &Inner,
    state: &mut State,
    call: &Call<'_>,
    key: &str,
    object: &Arc<Object>,
    dry_run: bool,
) -> Removal {
    let table = &call.resource.stored_as;
    if table == "namespaces" && !dry_run {
        return Removal::Marked(written::terminate_namespace(state, object, &call.stamp()));
    }
    if object::has_finalizers(&object.value) {
        if object.is_deleting() {
            return Removal::Marked(Arc::clone(object));
        }
        let marked = marked(&call.resource, &object.value, &call.stamp());
        return Removal::Marked(if dry_run {
            Arc::new(Object::new(marked, object.revision))
        } else {
            state.put(table, key, marked)
        });
    }
    if !dry_run {
        written::remove(server, state, call, key);
    }
    Removal::Done
}

fn marked(resource: &Resource, object: &Value, stamp: &str) -> Value {
    let mut marked = object.clone();
    let metadata = metadata_mut(&mut marked);
    metadata.insert("deletionTimestamp".into(), stamp.into());
    metadata.insert("deletionGracePeriodSeconds".into(), 0.into());
    if resource.write.generation {
        let generation = metadata
            .get("generation")
            .and_then(Value::as_i64)
            .unwrap_or(0)
            + 1;
        metadata.insert("generation".into(), generation.into());
    }
    marked
}

fn decode(call: &Call<'_>) -> Result<DeleteOptions, Status> {
    if call.body.is_empty() {
        return Ok(DeleteOptions::default());
    }
    if call.content_type() == protobuf::MEDIA_TYPE {
        let options = protobuf::decode(&call.body).map_err(|error| admit::unread(&error))?;
        return serde_json::from_value(options)
            .map_err(|error| Status::bad_request(error.to_string()));
    }
    serde_json::from_slice(&call.body).map_err(|error| {
        Status::bad_request(format!(
            "couldn't get version/kind; json parse error: {error}"
        ))
    })
}

/// Whether nothing may be stored. Query and body can both say so.
fn is_dry_run(call: &Call<'_>, options: &DeleteOptions) -> Result<bool, Status> {
    let mut dry_run: Vec<&str> = call.query.dry_run.iter().map(AsRef::as_ref).collect();
    dry_run.extend(options.dry_run.iter().map(String::as_str));
    let policy = options
        .propagation_policy
        .as_deref()
        .or(call.query.propagation_policy.as_deref());
    options::check_deletion(&dry_run, policy.unwrap_or_default())
}

fn check(
    resource: &Resource,
    name: &str,
    object: &Object,
    options: &DeleteOptions,
) -> Result<(), Status> {
    let Some(wanted) = &options.preconditions else {
        return Ok(());
    };
    if let Some(uid) = wanted.uid.as_deref().filter(|uid| *uid != object.uid()) {
        let why = format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({}). The object might have been deleted and \
             then recreated",
            object.uid()
        );
        return Err(Status::failed_precondition(resource, name, &why));
    }
    let stored = object::text(&object.value, "resourceVersion");
    if let Some(version) = wanted
        .resource_version
        .as_deref()
        .filter(|version| *version != stored)
    {
        let why = format!(
            "the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record ({stored}). The \
             object might have been modified"
        );
        return Err(Status::failed_precondition(resource, name, &why));
    }
    Ok(())
}
