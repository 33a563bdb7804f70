//! The objects, their versions and their recent history, behind one mutex.
//!
//! A write checks and commits while it holds the mutex, so of many writers that start from one version exactly one
//! wins. The mutex is never held across an await. What a write may do is decided by the caller, in [`crate::verbs`];
//! nothing here knows HTTP or the meaning of a field but `metadata.resourceVersion`.

mod event;
mod index;
mod table;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

pub(crate) use event::Event;
pub(crate) use table::{Subscription, Table, WatchScope};

use crate::object::{self, Object};
use crate::uids::Uids;

/// The store of one server.
pub(crate) struct Store {
    state: Mutex<State>,
}

/// Everything the mutex guards.
pub(crate) struct State {
    /// Version of the newest write; every write adds one.
    revision: u64,
    /// Version up to which [`State::compact`] has forgotten everything.
    compacted: u64,
    tables: HashMap<String, Table>,
    history_limit: usize,
    pub(crate) uids: Uids,
}

impl Store {
    /// An empty store that remembers the last `history_limit` events of each kind.
    pub(crate) fn new(history_limit: usize, uids: Uids) -> Self {
        // etcd starts at version 1, before the first write.
        Self {
            state: Mutex::new(State {
                revision: 1,
                compacted: 0,
                tables: HashMap::new(),
                history_limit,
                uids,
            }),
        }
    }

    /// Takes the mutex. A panic of another thread cannot leave a half-made write behind: each write commits by a
    /// single insertion into maps that are whole before and after.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Version of the newest write.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// Forgets the history of every kind: watches and exact lists from before now are answered with 410.
    pub(crate) fn compact(&mut self) {
        self.compacted = self.revision;
        for table in self.tables.values_mut() {
            table.compact(self.revision);
        }
    }

    /// The table of a kind.
    pub(crate) fn table(&mut self, name: &str) -> &mut Table {
        if !self.tables.contains_key(name) {
            self.tables.insert(
                name.to_owned(),
                Table::new(self.history_limit, self.compacted),
            );
        }
        self.tables.get_mut(name).expect("the table was just made")
    }

    /// The stored object under a key.
    pub(crate) fn get(&self, table: &str, key: &str) -> Option<&Arc<Object>> {
        self.tables.get(table)?.get(key)
    }

    /// The objects of a kind whose keys start with `prefix`, in the order of their keys.
    pub(crate) fn range<'a>(
        &'a self,
        table: &str,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Arc<Object>)> {
        self.tables
            .get(table)
            .into_iter()
            .flat_map(move |table| table.range(prefix))
    }

    /// The names of all tables, in order.
    pub(crate) fn table_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.tables.keys().cloned().collect();
        names.sort_unstable();
        names
    }

    /// Stores `value` under a key as a new version and tells the watchers.
    pub(crate) fn put(&mut self, table: &str, key: &str, mut value: Value) -> Arc<Object> {
        self.revision += 1;
        let revision = self.revision;
        object::set_revision(&mut value, revision);
        let stored = Arc::new(Object::new(value, revision));
        let table = self.table(table);
        let before = table.insert(key, Arc::clone(&stored));
        table.record(Event::new(revision, key, before, Some(Arc::clone(&stored))));
        stored
    }

    /// Removes the object under a key and tells the watchers. Returns what was stored.
    pub(crate) fn remove(&mut self, table: &str, key: &str) -> Option<Arc<Object>> {
        let before = self.table(table).remove(key)?;
        self.revision += 1;
        let revision = self.revision;
        self.table(table)
            .record(Event::new(revision, key, Some(Arc::clone(&before)), None));
        Some(before)
    }
}

/// The key of an object: `namespace/name`, or the name alone where there is no namespace.
pub(crate) fn key(namespace: &str, name: &str) -> String {
    if namespace.is_empty() {
        return name.to_owned();
    }
    let mut key = String::with_capacity(namespace.len() + 1 + name.len());
    key.push_str(namespace);
    key.push('/');
    key.push_str(name);
    key
}
