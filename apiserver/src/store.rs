//! The objects and their history, behind one mutex.
//!
//! A transaction sees one state and changes it before anybody else sees it: that is all the concurrency control there
//! is. It knows keys and values; what a write is allowed to do is decided by the verbs within their transaction.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::Notify;

use crate::object::meta_mut;

/// `plural.group`, which tells the kinds apart.
pub(crate) type ResourceKey = Arc<str>;

type Objects = BTreeMap<(String, String), Arc<Value>>;

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Added,
    Modified,
    Deleted,
}

/// An entry of the history.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) version: u64,
    pub(crate) resource: ResourceKey,
    pub(crate) change: Change,
    /// The object after the change; for a deletion as it was, with the deletion's version.
    pub(crate) object: Arc<Value>,
    /// The object before the change.
    pub(crate) before: Option<Arc<Value>>,
}

/// Where a watch that asks for old versions stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Compacted {
    pub(crate) asked: u64,
    pub(crate) oldest: u64,
}

/// Announces versions. Waiters are woken in the order in which they began to wait, so that a simulation is the same on
/// every run; tokio's watch channel wakes them in a random one.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    newest: AtomicU64,
    changed: Notify,
}

impl Versions {
    /// Waits until there is a version after `seen`.
    pub(crate) async fn after(&self, seen: u64) -> u64 {
        loop {
            let changed = self.changed.notified();
            let newest = self.newest.load(Ordering::Acquire);
            if newest > seen {
                return newest;
            }
            changed.await;
        }
    }

    fn announce(&self, version: u64) {
        self.newest.store(version, Ordering::Release);
        self.changed.notify_waiters();
    }
}

pub(crate) struct Store {
    inner: Mutex<Inner>,
    versions: Versions,
    keep_events: usize,
}

#[derive(Default)]
struct Inner {
    version: u64,
    /// Versions up to this one are gone from the history.
    compacted: u64,
    objects: HashMap<ResourceKey, Objects>,
    history: VecDeque<Event>,
}

/// Exclusive access to the objects.
pub(crate) struct Transaction<'a> {
    inner: MutexGuard<'a, Inner>,
    store: &'a Store,
    start: u64,
}

impl Store {
    pub(crate) fn new(keep_events: usize) -> Self {
        Self {
            inner: Mutex::new(Inner {
                version: 1,
                ..Inner::default()
            }),
            versions: Versions::default(),
            keep_events,
        }
    }

    /// Starts a transaction. Nothing else runs until it is dropped, so it must not outlive a check and its write.
    pub(crate) fn transaction(&self) -> Transaction<'_> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        Transaction {
            start: inner.version,
            inner,
            store: self,
        }
    }

    /// Told of every new version.
    pub(crate) fn versions(&self) -> &Versions {
        &self.versions
    }

    /// Forgets the history up to now, as etcd's compaction does.
    pub(crate) fn compact(&self) {
        let mut transaction = self.transaction();
        transaction.inner.compacted = transaction.inner.version;
        transaction.inner.history.clear();
    }

    /// The events of one kind after a version.
    pub(crate) fn events_after(
        &self,
        resource: &ResourceKey,
        version: u64,
    ) -> Result<Vec<Event>, Compacted> {
        let transaction = self.transaction();
        let inner = &transaction.inner;
        if version < inner.compacted {
            return Err(Compacted {
                asked: version,
                oldest: inner.compacted,
            });
        }
        let first = inner
            .history
            .partition_point(|event| event.version <= version);
        Ok(inner
            .history
            .range(first..)
            .filter(|event| event.resource == *resource)
            .cloned()
            .collect())
    }
}

impl Transaction<'_> {
    pub(crate) fn version(&self) -> u64 {
        self.inner.version
    }

    pub(crate) fn get(
        &self,
        resource: &ResourceKey,
        namespace: &str,
        name: &str,
    ) -> Option<Arc<Value>> {
        self.inner
            .objects
            .get(resource)?
            .get(&(namespace.to_owned(), name.to_owned()))
            .cloned()
    }

    /// The objects of a kind in the order of their keys, in one namespace or in all.
    pub(crate) fn list<'s>(
        &'s self,
        resource: &ResourceKey,
        namespace: Option<&'s str>,
    ) -> impl Iterator<Item = (&'s (String, String), &'s Arc<Value>)> {
        let from = (namespace.unwrap_or_default().to_owned(), String::new());
        self.inner
            .objects
            .get(resource)
            .into_iter()
            .flat_map(move |objects| objects.range(from.clone()..))
            .take_while(move |((ns, _), _)| namespace.is_none_or(|namespace| ns == namespace))
    }

    /// Stores an object under a new version, which it carries afterwards.
    pub(crate) fn put(
        &mut self,
        resource: &ResourceKey,
        namespace: &str,
        name: &str,
        mut object: Value,
    ) -> Arc<Value> {
        let version = self.next_version();
        meta_mut(&mut object).insert(
            "resourceVersion".to_owned(),
            Value::String(version.to_string()),
        );
        let object = Arc::new(object);
        let objects = self.inner.objects.entry(resource.clone()).or_default();
        let before = objects.insert((namespace.to_owned(), name.to_owned()), object.clone());
        let change = if before.is_some() {
            Change::Modified
        } else {
            Change::Added
        };
        self.record(Event {
            version,
            resource: resource.clone(),
            change,
            object: object.clone(),
            before,
        });
        object
    }

    /// Removes an object. Returns it as it was last.
    pub(crate) fn remove(
        &mut self,
        resource: &ResourceKey,
        namespace: &str,
        name: &str,
    ) -> Option<Arc<Value>> {
        let key = (namespace.to_owned(), name.to_owned());
        let before = self.inner.objects.get_mut(resource)?.remove(&key)?;
        let version = self.next_version();
        let mut last = Value::clone(&before);
        meta_mut(&mut last).insert(
            "resourceVersion".to_owned(),
            Value::String(version.to_string()),
        );
        let object = Arc::new(last);
        let event = Event {
            version,
            resource: resource.clone(),
            change: Change::Deleted,
            object,
            before: Some(before.clone()),
        };
        self.record(event);
        Some(before)
    }

    fn next_version(&mut self) -> u64 {
        self.inner.version += 1;
        self.inner.version
    }

    fn record(&mut self, event: Event) {
        let inner = &mut *self.inner;
        inner.history.push_back(event);
        while inner.history.len() > self.store.keep_events {
            if let Some(oldest) = inner.history.pop_front() {
                inner.compacted = oldest.version;
            }
        }
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        let version = self.inner.version;
        if version != self.start {
            // Under the mutex, so that versions are announced in their order.
            self.store.versions.announce(version);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn leases() -> ResourceKey {
        Arc::from("leases.coordination.k8s.io")
    }

    #[test]
    fn every_write_has_a_version_of_its_own_and_an_event() {
        let store = Store::new(100);
        let mut transaction = store.transaction();
        transaction.put(&leases(), "a", "x", json!({}));
        transaction.put(&leases(), "a", "x", json!({"spec": 1}));
        transaction.remove(&leases(), "a", "x");
        drop(transaction);
        let events: Vec<_> = store
            .events_after(&leases(), 1)
            .unwrap()
            .iter()
            .map(|event| (event.version, event.change))
            .collect();
        assert_eq!(
            events,
            [
                (2, Change::Added),
                (3, Change::Modified),
                (4, Change::Deleted)
            ]
        );
        assert_eq!(store.versions().newest.load(Ordering::Acquire), 4);
    }

    #[test]
    fn a_version_older_than_the_kept_history_is_compacted() {
        let store = Store::new(2);
        for name in ["a", "b", "c"] {
            store.transaction().put(&leases(), "ns", name, json!({}));
        }
        assert_eq!(
            store.events_after(&leases(), 1).unwrap_err(),
            Compacted {
                asked: 1,
                oldest: 2
            }
        );
        assert_eq!(store.events_after(&leases(), 2).unwrap().len(), 2);
    }

    #[test]
    fn a_list_stays_within_its_namespace_and_is_sorted() {
        let store = Store::new(9);
        for (namespace, name) in [("b", "2"), ("a", "1"), ("b", "1"), ("ba", "0")] {
            store
                .transaction()
                .put(&leases(), namespace, name, json!({}));
        }
        let names = |namespace| -> Vec<String> {
            store
                .transaction()
                .list(&leases(), namespace)
                .map(|((ns, name), _)| format!("{ns}/{name}"))
                .collect()
        };
        assert_eq!(names(Some("b")), ["b/1", "b/2"]);
        assert_eq!(names(None), ["a/1", "b/1", "b/2", "ba/0"]);
    }
}
