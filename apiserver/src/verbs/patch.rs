//! PATCH of one object: the patch is applied to the stored object, and the result is written like a PUT.

use std::sync::Arc;

use serde_json::Value;

use super::{Reply, admit, options, update};
use crate::call::Call;
use crate::cluster::Cluster;
use crate::convert;
use crate::patch::Patch;
use crate::status::Status;
use crate::store;

pub(super) fn patch(cluster: &Arc<Cluster>, call: &Call<'_>) -> Result<Reply, Status> {
    let patch = Patch::parse(
        call.content_type(),
        &call.body,
        call.resource.custom().is_some(),
    )?;
    let dry_run = options::check(call)?;
    let mut state = cluster.store.lock();
    let key = store::key(call.namespace, call.name);
    let Some(old) = state.get(&call.resource.stored_as, &key).cloned() else {
        return Err(Status::not_found(&call.resource, call.name));
    };
    let patched = || {
        let object = convert::presented(&call.resource, &old.value);
        patch.apply(object, call.resource.shape())
    };
    let mut object = patched()?;
    let warnings =
        decode(call, &mut object).or_else(|status| Err(blamed(status, call, patched()?)))?;
    update::check_name(call, &object)?;
    admit::settle_namespace(&call.resource, call.namespace, &mut object)?;
    // A patch that does not name a version carries over the stored one.
    if update::requested_revision(&object)?.is_some_and(|revision| revision != old.revision) {
        return Err(Status::modified(&call.resource, call.name));
    }
    let object = update::replace(cluster, &mut state, call, &key, &old, object, dry_run)?;
    Ok(Reply::Object {
        code: 200,
        object,
        warnings,
    })
}

fn decode(call: &Call<'_>, patched: &mut Value) -> Result<Vec<String>, Status> {
    admit::check_kind(call, patched)?;
    admit::decode(call, patched, &[])
}

/// That a patched object cannot be decoded is the patch's fault, and is told as such with the object.
fn blamed(status: Status, call: &Call<'_>, patched: Value) -> Status {
    if status.code != 400 {
        return status;
    }
    // The wording of a body that cannot be decoded, without its beginning.
    let why = status
        .message
        .split_once(&format!(" cannot be handled as a {}: ", call.resource.kind));
    Status::invalid_patch(patched, why.map_or(status.message.as_str(), |(_, why)| why))
}
