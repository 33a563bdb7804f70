//! Watches: the history of a collection as a stream.
//!
//! Events come from the store in the order of their versions; nothing is buffered beside them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, stream};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch::Receiver;
use tokio::time::Instant;

use crate::body::ConnectionLost;
use crate::faults::Control;
use crate::object::{meta, version};
use crate::registry::Resource;
use crate::selector::Selector;
use crate::server::Shared;
use crate::status::Status;
use crate::store::{Change, Event};
use crate::table::Format;

/// How long a watch lasts that does not say it.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1800);
/// How long before its end a watch that allows bookmarks gets one.
const BOOKMARK_BEFORE_END: Duration = Duration::from_secs(2);
/// How often such a watch gets one while nothing happens.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);

/// What a watch wants to see.
pub(crate) struct Options {
    pub(crate) resource: Arc<Resource>,
    pub(crate) namespace: Option<String>,
    pub(crate) selector: Selector,
    /// `None`: the present state first.
    pub(crate) from: Option<u64>,
    pub(crate) bookmarks: bool,
    /// The present state comes first, and a bookmark says where it ends.
    pub(crate) initial_events: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) format: Format,
}

struct Watch {
    server: Arc<Shared>,
    options: Options,
    lines: VecDeque<Bytes>,
    seen: u64,
    control: Receiver<Control>,
    cut: u64,
    ends: Instant,
    next_bookmark: Instant,
    first: bool,
    over: bool,
}

/// Opens a watch.
pub(crate) fn open(
    server: Arc<Shared>,
    options: Options,
) -> impl Stream<Item = Result<Bytes, ConnectionLost>> + Send {
    let control = server.faults.control();
    let cut = control.borrow().cut;
    let now = Instant::now();
    let ends = now + options.timeout.unwrap_or(DEFAULT_TIMEOUT);
    let mut watch = Watch {
        server,
        lines: VecDeque::new(),
        seen: options.from.unwrap_or(0),
        control,
        cut,
        ends,
        next_bookmark: (now + BOOKMARK_EVERY).min(ends - BOOKMARK_BEFORE_END.min(ends - now)),
        first: true,
        over: false,
        options,
    };
    if watch.options.from.is_none() || watch.options.initial_events {
        watch.present_state();
    }
    if watch.options.initial_events && watch.options.bookmarks {
        watch.bookmark(json!({"k8s.io/initial-events-end": "true"}));
    }
    stream::unfold(watch, |mut watch| async move {
        Some((Ok(watch.next().await?), watch))
    })
}

impl Watch {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(line) = self.lines.pop_front() {
                return Some(line);
            }
            if self.over {
                return None;
            }
            let control = *self.control.borrow_and_update();
            if control.cut != self.cut {
                return None;
            }
            let known = self.server.store.transaction().version();
            if !control.stalled {
                self.collect();
                // Everything up to here was either shown or is not for this watch.
                self.seen = self.seen.max(known);
                if !self.lines.is_empty() || self.over {
                    continue;
                }
            }
            let bookmark = self.options.bookmarks && self.next_bookmark < self.ends;
            tokio::select! {
                biased;
                _ = self.server.store.versions().after(known) => {}
                changed = self.control.changed() => if changed.is_err() { return None },
                () = tokio::time::sleep_until(self.ends) => self.over = true,
                () = tokio::time::sleep_until(self.next_bookmark), if bookmark => {
                    self.bookmark(Value::Null);
                    self.next_bookmark = (Instant::now() + BOOKMARK_EVERY).max(self.next_bookmark + BOOKMARK_EVERY);
                }
            }
        }
    }

    fn present_state(&mut self) {
        let transaction = self.server.store.transaction();
        self.seen = transaction.version();
        let objects: Vec<Arc<Value>> = transaction
            .list(
                &self.options.resource.key,
                self.options.namespace.as_deref(),
            )
            .filter(|(_, object)| self.options.selector.matches(object))
            .map(|(_, object)| object.clone())
            .collect();
        drop(transaction);
        for object in objects {
            self.push("ADDED", &object);
        }
    }

    fn collect(&mut self) {
        match self
            .server
            .store
            .events_after(&self.options.resource.key, self.seen)
        {
            Ok(events) => {
                for event in events {
                    self.seen = event.version;
                    if let Some(kind) = self.kind_of(&event) {
                        self.push(kind, &event.object);
                    }
                }
            }
            Err(compacted) => {
                let status = Status::expired(compacted.asked, compacted.oldest).to_value();
                self.lines.push_back(line("ERROR", &status));
                self.over = true;
            }
        }
    }

    /// An object that leaves the selection is deleted for this watch, one that enters it is new.
    fn kind_of(&self, event: &Event) -> Option<&'static str> {
        let in_namespace = self
            .options
            .namespace
            .as_deref()
            .is_none_or(|own| meta(&event.object, "namespace") == Some(own));
        let selected = |object: &Value| in_namespace && self.options.selector.matches(object);
        let before = event.before.as_deref().is_some_and(selected);
        let after = event.change != Change::Deleted && selected(&event.object);
        match (before, after) {
            (false, false) => None,
            (false, true) => Some("ADDED"),
            (true, true) => Some("MODIFIED"),
            (true, false) => Some("DELETED"),
        }
    }

    fn push(&mut self, kind: &str, object: &Arc<Value>) {
        let now = self.server.clock.now();
        let shown = self
            .options
            .format
            .event(&self.options.resource, object, self.first, now);
        self.first = false;
        self.lines.push_back(line(kind, &shown));
    }

    fn bookmark(&mut self, annotations: Value) {
        let resource = &self.options.resource;
        let mut object = json!({
            "apiVersion": resource.api_version(),
            "kind": resource.kind,
            "metadata": {"resourceVersion": self.seen.to_string(), "creationTimestamp": null},
        });
        if annotations.is_object() {
            object["metadata"]["annotations"] = annotations;
        }
        let shown =
            self.options
                .format
                .event(resource, &Arc::new(object), false, Timestamp::UNIX_EPOCH);
        self.lines.push_back(line("BOOKMARK", &shown));
    }
}

fn line(kind: &str, object: &Value) -> Bytes {
    debug_assert!(
        kind == "ERROR"
            || kind == "BOOKMARK"
            || !version(object).is_empty()
            || object["kind"] == "Table"
    );
    let mut text = format!("{{\"type\":\"{kind}\",\"object\":");
    text.push_str(&object.to_string());
    text.push_str("}\n");
    Bytes::from(text)
}
