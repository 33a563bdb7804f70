//! GET of one object.

use std::sync::Arc;

use super::Reply;
use crate::call::Call;
use crate::cluster::Cluster;
use crate::status::Status;
use crate::store;

pub(super) fn get(cluster: &Arc<Cluster>, call: &Call<'_>) -> Result<Reply, Status> {
    let wanted = call
        .query
        .revision()
        .map_err(Status::unexplained)?
        .unwrap_or(0);
    let state = cluster.store.lock();
    if wanted > state.revision() {
        return Ok(Reply::NotYet { wanted });
    }
    match state.get(
        &call.resource.stored_as,
        &store::key(call.namespace, call.name),
    ) {
        Some(object) => Ok(Reply::Object {
            code: 200,
            object: Arc::clone(object),
            warnings: Vec::new(),
        }),
        None => Err(Status::not_found(&call.resource, call.name)),
    }
}
