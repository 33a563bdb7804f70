//! GET with `watch=true`: from which events a watch starts, and where it listens.

use std::sync::Arc;
use std::time::Duration;

use super::{Reply, list, options};
use crate::call::Call;
use crate::cluster::Cluster;
use crate::selector::Selector;
use crate::status::Status;
use crate::store::{self, WatchScope};
use crate::watch::{Filter, Start, WatchStream};

/// How long a watch lives that names no `timeoutSeconds`.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(1800);

pub(super) fn watch(cluster: &Arc<Cluster>, call: &Call<'_>) -> Result<Reply, Status> {
    options::check_list(call)?;
    let selector = Selector::parse(call.query, &call.resource)?;
    let revision = options::revision(call)?;
    let lifetime = call.query.lifetime()?;
    let scope = scope(call, &selector);
    let filter = Filter {
        selector,
        resource: Arc::clone(&call.resource),
        output: call.output,
    };
    let send_initial_events = call.query.send_initial_events.unwrap_or(false);
    let mut state = cluster.store.lock();
    let current = state.revision();
    let table = state.table(&call.resource.stored_as);
    let start = match revision {
        Some(revision) if revision > 0 && !send_initial_events => {
            if revision < table.compacted() {
                Start::Expired {
                    asked: revision,
                    oldest: table.compacted(),
                }
            } else {
                Start::Events(table.events_after(revision, &scope).cloned().collect())
            }
        }
        _ => {
            let objects = match &scope {
                WatchScope::Key(key) => table.get(key).cloned().into_iter().collect(),
                WatchScope::Prefix(prefix) => table
                    .range(prefix)
                    .map(|(_, object)| Arc::clone(object))
                    .collect(),
            };
            Start::Objects {
                objects,
                revision: current,
                announce_end: send_initial_events,
            }
        }
    };
    let events = table.subscribe(&scope);
    drop(state);
    Ok(Reply::Watch(Box::new(WatchStream::new(
        Arc::clone(cluster),
        filter,
        start,
        events,
        revision.unwrap_or(0),
        lifetime.unwrap_or(DEFAULT_LIFETIME),
        call.query.allow_watch_bookmarks,
    ))))
}

fn scope(call: &Call<'_>, selector: &Selector) -> WatchScope {
    let namespace = match call.namespace {
        "" => selector.only_namespace().unwrap_or_default(),
        namespace => namespace,
    };
    let name = if call.name.is_empty() {
        selector.only_name()
    } else {
        Some(call.name)
    };
    match name {
        Some(name) if !call.resource.is_namespaced() || !namespace.is_empty() => {
            WatchScope::Key(store::key(namespace, name))
        }
        _ if namespace.is_empty() => WatchScope::Prefix(list::prefix(call)),
        _ => WatchScope::Prefix(format!("{namespace}/")),
    }
}
