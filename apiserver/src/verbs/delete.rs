//! DELETE of one object or of a collection.

mod order;

use std::sync::Arc;

use serde_json::Value;

use self::order::Order;
use super::{Reply, list, options, written};
use crate::call::Call;
use crate::cluster::Cluster;
use crate::object::{self, List, Object, metadata_mut};
use crate::registry::Resource;
use crate::selector::Selector;
use crate::status::{self, Status};
use crate::store::{self, State};

pub(super) fn delete(cluster: &Arc<Cluster>, call: &Call<'_>) -> Result<Reply, Status> {
    let order = Order::of(call)?;
    let mut state = cluster.store.lock();
    let key = store::key(call.namespace, call.name);
    let Some(object) = state.get(&call.resource.stored_as, &key).cloned() else {
        return Err(Status::not_found(&call.resource, call.name));
    };
    order.check(&call.resource, call.name, &object)?;
    written::check_removable(call)?;
    Ok(
        match remove(cluster, &mut state, call, &key, &object, &order) {
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

pub(super) fn delete_collection(cluster: &Arc<Cluster>, call: &Call<'_>) -> Result<Reply, Status> {
    let order = Order::of(call)?;
    options::check_list(call)?;
    let selector = Selector::parse(call.query, &call.resource)?;
    let mut state = cluster.store.lock();
    let items = list::selected(&mut state, call, &selector);
    let mut deleted = Vec::with_capacity(items.len());
    for (key, object) in items {
        deleted.push(
            match remove(cluster, &mut state, call, &key, &object, &order) {
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
    cluster: &Cluster,
    state: &mut State,
    call: &Call<'_>,
    key: &str,
    object: &Arc<Object>,
    order: &Order,
) -> Removal {
    let table = &call.resource.stored_as;
    if table == "namespaces" && !order.is_dry_run {
        return Removal::Marked(written::terminate_namespace(state, object, &call.stamp()));
    }
    // Nothing collects events, which own nothing.
    let finalizers = match call.resource.kind.as_str() {
        "Event" if call.resource.custom().is_none() => None,
        _ => order.finalizers(&object.value),
    };
    let stays = match &finalizers {
        Some(finalizers) => !finalizers.is_empty(),
        None => object::has_finalizers(&object.value),
    };
    if stays {
        if object.is_deleting() && finalizers.is_none() {
            return Removal::Marked(Arc::clone(object));
        }
        let marked = marked(&call.resource, &object.value, finalizers, &call.stamp());
        return Removal::Marked(if order.is_dry_run {
            Arc::new(Object::new(marked, object.revision))
        } else {
            state.put(table, key, marked)
        });
    }
    if !order.is_dry_run {
        written::remove(cluster, state, call, key);
    }
    Removal::Done
}

fn marked(
    resource: &Resource,
    object: &Value,
    finalizers: Option<Vec<Value>>,
    stamp: &str,
) -> Value {
    let mut marked = object.clone();
    let metadata = metadata_mut(&mut marked);
    if let Some(finalizers) = finalizers {
        metadata.insert("finalizers".into(), finalizers.into());
    }
    // A deletion that has begun keeps its time.
    if metadata.contains_key("deletionTimestamp") {
        return marked;
    }
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
