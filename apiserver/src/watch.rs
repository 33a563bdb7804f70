//! A watch: changes of the selected objects, one JSON document after the other, until its time is over.
//!
//! Which objects and from where on is decided in [`crate::verbs`]; here is only the stream.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::body::ConnectionLost;
use crate::cluster::Cluster;
use crate::faults::Control;
use crate::negotiate::Output;
use crate::object::Object;
use crate::registry::Resource;
use crate::render;
use crate::selector::Selector;
use crate::status::Status;
use crate::store::{Event, Subscription};
use crate::validate;

/// Bookmarks come this often, and this long before the end.
const BOOKMARK_INTERVAL: Duration = Duration::from_secs(60);
const BOOKMARK_BEFORE_END: Duration = Duration::from_secs(2);

/// Which objects a watch shows, and in which form.
pub(crate) struct Filter {
    pub(crate) selector: Selector,
    pub(crate) resource: Arc<Resource>,
    pub(crate) output: Output,
}

/// Where a watch begins.
pub(crate) enum Start {
    /// With the objects as they are; `announce_end` marks the end of them by a bookmark.
    Objects {
        objects: Vec<Arc<Object>>,
        revision: u64,
        announce_end: bool,
    },
    /// With remembered events.
    Events(Vec<Arc<Event>>),
    /// Nowhere: the version lies before what is remembered.
    Expired { asked: u64, oldest: u64 },
}

/// The state of one watch.
pub(crate) struct WatchStream {
    cluster: Arc<Cluster>,
    filter: Filter,
    queued: VecDeque<Bytes>,
    events: Subscription,
    /// Version of the newest event that was seen; older ones are passed over.
    seen: u64,
    ends: Instant,
    next_bookmark: Option<Instant>,
    ended: bool,
    /// Whether a first document has gone out, which names the columns of a table.
    headed: bool,
    control: watch::Receiver<Control>,
    /// How often watches had been cut when this one began.
    cuts: u64,
}

/// What happened to an object as seen through a selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Added,
    Modified,
    Deleted,
    /// Nothing; the version has moved on.
    Bookmark,
}

impl Change {
    const fn as_str(self) -> &'static str {
        match self {
            Change::Added => "ADDED",
            Change::Modified => "MODIFIED",
            Change::Deleted => "DELETED",
            Change::Bookmark => "BOOKMARK",
        }
    }
}

impl WatchStream {
    pub(crate) fn new(
        cluster: Arc<Cluster>,
        filter: Filter,
        start: Start,
        events: Subscription,
        asked: u64,
        lifetime: Duration,
        bookmarks: bool,
    ) -> Self {
        let now = Instant::now();
        let ends = now + lifetime;
        let control = cluster.faults.control();
        let cuts = control.borrow().cut;
        let mut stream = Self {
            control,
            cuts,
            cluster,
            filter,
            queued: VecDeque::new(),
            events,
            seen: asked,
            ends,
            next_bookmark: None,
            ended: false,
            headed: false,
        };
        if bookmarks {
            stream.next_bookmark = Some(stream.bookmark_after(now));
        }
        stream.begin(start);
        stream
    }

    fn begin(&mut self, start: Start) {
        match start {
            Start::Objects {
                objects,
                revision,
                announce_end,
            } => {
                for object in &objects {
                    if self.filter.selector.matches(&object.value) {
                        let document = self.document(Change::Added, object);
                        self.queued.push_back(document);
                    }
                }
                self.seen = revision;
                if announce_end {
                    let document = self.bookmark(revision, true);
                    self.queued.push_back(document);
                }
            }
            Start::Events(events) => {
                for event in events {
                    self.take(&event);
                }
            }
            Start::Expired { asked, oldest } => {
                let status =
                    Status::expired(format!("too old resource version: {asked} ({oldest})"));
                let line = json!({ "type": "ERROR", "object": status.to_value() });
                self.queued.push_back(Bytes::from(format!("{line}\n")));
                self.ended = true;
            }
        }
    }

    /// The next document, or `None` at the end of the watch.
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, ConnectionLost>> {
        loop {
            let Control { cut, stalled, .. } = *self.control.borrow_and_update();
            if cut != self.cuts && !self.ended {
                self.ended = true;
                self.queued.clear();
                return Some(Err(ConnectionLost));
            }
            if stalled {
                // The sender lives in the server, which this stream holds.
                drop(self.control.changed().await);
                continue;
            }
            if let Some(document) = self.queued.pop_front() {
                return Some(Ok(document));
            }
            if self.ended {
                return None;
            }
            let wake = self
                .next_bookmark
                .map_or(self.ends, |bookmark| bookmark.min(self.ends));
            tokio::select! {
                biased;
                _ = self.control.changed() => {}
                event = self.events.recv() => match event {
                    Some(event) => self.take(&event),
                    None => self.ended = true,
                },
                () = tokio::time::sleep_until(wake) => self.wake(),
            }
        }
    }

    fn wake(&mut self) {
        let now = Instant::now();
        if now >= self.ends {
            self.ended = true;
            return;
        }
        if self.next_bookmark.is_some_and(|bookmark| now >= bookmark) {
            let revision = self.cluster.store.lock().revision();
            // Every event up to that version is in the channel by now.
            while let Ok(event) = self.events.try_recv() {
                self.take(&event);
            }
            let document = self.bookmark(revision.max(self.seen), false);
            self.queued.push_back(document);
            self.next_bookmark = Some(self.bookmark_after(now)).filter(|bookmark| *bookmark > now);
        }
    }

    fn bookmark_after(&self, now: Instant) -> Instant {
        let last = self
            .ends
            .checked_sub(BOOKMARK_BEFORE_END)
            .unwrap_or(self.ends);
        if now >= last {
            self.ends
        } else {
            last.min(now + BOOKMARK_INTERVAL)
        }
    }

    fn take(&mut self, event: &Event) {
        if event.revision <= self.seen {
            return;
        }
        self.seen = event.revision;
        let selector = &self.filter.selector;
        let was = event
            .before
            .as_ref()
            .is_some_and(|before| selector.matches(&before.value));
        let is = event
            .after
            .as_ref()
            .filter(|after| selector.matches(&after.value));
        let document = match (was, is) {
            (false, Some(after)) => self.document(Change::Added, after),
            (true, Some(after)) => self.document(Change::Modified, after),
            (true, None) => match event.departed() {
                Some(departed) => self.document(Change::Deleted, departed),
                None => return,
            },
            (false, None) => return,
        };
        self.queued.push_back(document);
    }

    fn document(&mut self, change: Change, object: &Arc<Object>) -> Bytes {
        let headers = !std::mem::replace(&mut self.headed, true);
        let now = self.cluster.clock.now();
        let body = render::one(
            &self.filter.resource,
            self.filter.output,
            object,
            now,
            headers,
        );
        let mut document = Vec::with_capacity(body.len() + 32);
        document.extend_from_slice(b"{\"type\":\"");
        document.extend_from_slice(change.as_str().as_bytes());
        document.extend_from_slice(b"\",\"object\":");
        document.extend_from_slice(&body);
        document.extend_from_slice(b"}\n");
        document.into()
    }

    /// An object without content but a version, in the form of all the others.
    fn bookmark(&mut self, revision: u64, ends_initial_events: bool) -> Bytes {
        let resource = &self.filter.resource;
        let mut object = validate::empty(&resource.group, &resource.kind);
        object["kind"] = resource.kind.as_str().into();
        object["apiVersion"] = resource.api_version().into();
        object["metadata"] = json!({ "resourceVersion": revision.to_string() });
        if ends_initial_events {
            object["metadata"]["annotations"] = json!({ "k8s.io/initial-events-end": "true" });
        }
        self.document(Change::Bookmark, &Arc::new(Object::new(object, revision)))
    }
}
