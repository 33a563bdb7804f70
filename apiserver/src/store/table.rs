//! The objects of one kind, ordered by key, with a bounded history and the watchers that follow it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Event;
use super::index::{Index, TextOf};
use crate::object::Object;

/// Where a watcher's events come out, in the order of their versions.
pub(crate) type Subscription = UnboundedReceiver<Arc<Event>>;

/// The objects of one kind.
pub(crate) struct Table {
    objects: BTreeMap<Box<str>, Arc<Object>>,
    /// Of each field that objects have been looked for by.
    indices: Vec<Index>,
    history: VecDeque<Arc<Event>>,
    history_limit: usize,
    /// Version of the newest event that the history has dropped.
    compacted: u64,
    by_key: HashMap<Box<str>, Vec<UnboundedSender<Arc<Event>>>>,
    by_prefix: Vec<(Box<str>, UnboundedSender<Arc<Event>>)>,
}

/// Which keys a watcher follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WatchScope {
    /// One object.
    Key(String),
    /// Every object whose key starts so; empty for all.
    Prefix(String),
}

impl WatchScope {
    fn covers(&self, key: &str) -> bool {
        match self {
            WatchScope::Key(wanted) => wanted == key,
            WatchScope::Prefix(prefix) => key.starts_with(prefix.as_str()),
        }
    }
}

impl Table {
    /// An empty table whose history begins after `compacted`.
    pub(super) fn new(history_limit: usize, compacted: u64) -> Self {
        Self {
            objects: BTreeMap::new(),
            indices: Vec::new(),
            history: VecDeque::new(),
            history_limit,
            compacted,
            by_key: HashMap::new(),
            by_prefix: Vec::new(),
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Arc<Object>> {
        self.objects.get(key)
    }

    pub(super) fn insert(&mut self, key: &str, object: Arc<Object>) -> Option<Arc<Object>> {
        for index in &mut self.indices {
            let before = self.objects.get(key).map(AsRef::as_ref);
            index.replace(key, before, Some(&object));
        }
        match self.objects.get_mut(key) {
            Some(slot) => Some(std::mem::replace(slot, object)),
            None => self.objects.insert(key.into(), object),
        }
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<Arc<Object>> {
        let removed = self.objects.remove(key)?;
        for index in &mut self.indices {
            index.replace(key, Some(&removed), None);
        }
        Some(removed)
    }

    /// The objects whose keys start with `prefix`, in the order of the keys.
    pub(crate) fn range<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Arc<Object>)> {
        self.objects
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(move |(key, _)| key.starts_with(prefix))
            .map(|(key, object)| (&**key, object))
    }

    /// Those of them whose field has this text. The first time that is asked of a field every object is looked at.
    pub(crate) fn range_with<'a>(
        &'a mut self,
        prefix: &'a str,
        pointer: &str,
        text: &'a str,
        text_of: TextOf,
    ) -> impl Iterator<Item = (&'a str, &'a Arc<Object>)> {
        let known = self.indices.iter().position(|index| index.is_of(pointer));
        let place = known.unwrap_or_else(|| {
            let mut index = Index::new(pointer, text_of);
            for (key, object) in &self.objects {
                index.replace(key, None, Some(object));
            }
            self.indices.push(index);
            self.indices.len() - 1
        });
        let objects = &self.objects;
        self.indices[place]
            .keys(text)
            .filter(move |key| key.starts_with(prefix))
            .filter_map(move |key| Some((key, objects.get(key)?)))
    }

    /// The objects whose keys start with `prefix` as they were at an earlier version; `None` once the history no
    /// longer reaches back that far.
    pub(crate) fn range_at(
        &self,
        prefix: &str,
        revision: u64,
    ) -> Option<BTreeMap<Box<str>, Arc<Object>>> {
        if revision < self.compacted {
            return None;
        }
        let mut objects: BTreeMap<Box<str>, Arc<Object>> = self
            .range(prefix)
            .map(|(key, object)| (key.into(), Arc::clone(object)))
            .collect();
        for event in self
            .history
            .iter()
            .rev()
            .take_while(|event| event.revision > revision)
        {
            if !event.key.starts_with(prefix) {
                continue;
            }
            match &event.before {
                Some(before) => objects.insert(event.key.clone(), Arc::clone(before)),
                None => objects.remove(&event.key),
            };
        }
        Some(objects)
    }

    /// Version of the newest event that the history has dropped; watches can start from there or later.
    pub(crate) fn compacted(&self) -> u64 {
        self.compacted
    }

    /// Forgets the whole history, which ends at `revision`.
    pub(super) fn compact(&mut self, revision: u64) {
        self.history.clear();
        self.compacted = revision;
    }

    /// The remembered events after `revision` that fall into a scope.
    pub(crate) fn events_after<'a>(
        &'a self,
        revision: u64,
        scope: &'a WatchScope,
    ) -> impl Iterator<Item = &'a Arc<Event>> {
        let start = self
            .history
            .partition_point(|event| event.revision <= revision);
        self.history
            .range(start..)
            .filter(move |event| scope.covers(&event.key))
    }

    /// Follows a scope from now on.
    pub(crate) fn subscribe(&mut self, scope: &WatchScope) -> Subscription {
        let (sender, receiver) = unbounded_channel();
        match scope {
            WatchScope::Key(key) => {
                let senders = self.by_key.entry(key.as_str().into()).or_default();
                senders.retain(|sender| !sender.is_closed());
                senders.push(sender);
            }
            WatchScope::Prefix(prefix) => self.by_prefix.push((prefix.as_str().into(), sender)),
        }
        receiver
    }

    /// Remembers an event and hands it to the watchers, dropping those that have gone.
    pub(super) fn record(&mut self, event: Event) {
        let event = Arc::new(event);
        if let Some(senders) = self.by_key.get_mut(&event.key) {
            senders.retain(|sender| sender.send(Arc::clone(&event)).is_ok());
            if senders.is_empty() {
                self.by_key.remove(&event.key);
            }
        }
        self.by_prefix.retain(|(prefix, sender)| {
            if event.key.starts_with(&**prefix) {
                sender.send(Arc::clone(&event)).is_ok()
            } else {
                !sender.is_closed()
            }
        });
        if self.history.len() == self.history_limit {
            match self.history.pop_front() {
                Some(oldest) => self.compacted = oldest.revision,
                None => self.compacted = event.revision,
            }
        }
        if self.history_limit > 0 {
            self.history.push_back(event);
        }
    }
}
