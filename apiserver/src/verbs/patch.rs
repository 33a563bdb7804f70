//! PATCH of one object: the patch is applied to the stored object, and the result is written like a PUT.

use std::sync::Arc;

use super::{Reply, admit, update};
use crate::call::Call;
use crate::convert;
use crate::object::metadata_mut;
use crate::patch::Patch;
use crate::server::Inner;
use crate::status::Status;
use crate::store;

pub(super) fn patch(server: &Arc<Inner>, call: &Call<'_>) -> Result<Reply, Status> {
    let patch = Patch::parse(
        call.content_type(),
        &call.body,
        call.resource.custom().is_some(),
    )?;
    let dry_run = call.query.is_dry_run()?;
    let mut state = server.store.lock();
    let key = store::key(call.namespace, call.name);
    let Some(old) = state.get(&call.resource.stored_as, &key).cloned() else {
        return Err(Status::not_found(&call.resource, call.name));
    };
    let mut object = patch.apply(
        &convert::presented(&call.resource, &old.value),
        call.resource.shape(),
    )?;
    let warnings = admit::decode(call, &mut object)?;
    admit::settle_namespace(&call.resource, call.namespace, &mut object)?;
    // A patch without these carries them over from the stored object, so only a patch that sets them can differ.
    update::check_uid(call, &object, old.uid())?;
    if update::requested_revision(&object)?.is_some_and(|revision| revision != old.revision) {
        return Err(Status::modified(&call.resource, call.name));
    }
    metadata_mut(&mut object).insert("name".into(), call.name.into());
    let object = update::replace(server, &mut state, call, &key, &old, object, dry_run)?;
    Ok(Reply::Object {
        code: 200,
        object,
        warnings,
    })
}
