//! What each verb does to the store. Every function here runs to its end without waiting.
//!
//! Authorization, deadlines and faults lie outside, in [`crate::server`].

mod admit;
mod create;
mod delete;
mod list;
mod options;
mod patch;
mod read;
mod update;
mod watch;
mod written;

use std::sync::Arc;

use serde_json::Value;

use crate::call::Call;
use crate::cluster::Cluster;
use crate::object::{List, Object};
use crate::registry::{Origin, Verb};
use crate::status::Status;
use crate::watch::WatchStream;

/// How a request that was not refused is answered.
pub(crate) enum Reply {
    /// An object, with 200 or 201.
    Object {
        code: u16,
        object: Arc<Object>,
        warnings: Vec<String>,
    },
    /// An answer that is no object of the kind: a `Status`, a review.
    Value { code: u16, value: Value },
    /// A list.
    List(List),
    /// A watch.
    Watch(Box<WatchStream>),
    /// The version that the request names has not been written yet.
    NotYet { wanted: u64 },
}

/// Executes a request.
pub(crate) fn execute(cluster: &Arc<Cluster>, call: &Call<'_>) -> Result<Reply, Status> {
    if matches!(call.resource.origin, Origin::Review) {
        return create::review(cluster, call);
    }
    match call.verb {
        Verb::Create => create::create(cluster, call),
        Verb::Get => read::get(cluster, call),
        Verb::List => list::list(cluster, call),
        Verb::Watch => watch::watch(cluster, call),
        Verb::Update => update::update(cluster, call),
        Verb::Patch => patch::patch(cluster, call),
        Verb::Delete => delete::delete(cluster, call),
        Verb::DeleteCollection => delete::delete_collection(cluster, call),
    }
}
