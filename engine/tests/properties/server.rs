//! A model of the API server: one Lease, and what the real one was seen to do with it.
//!
//! No network, no clock: the moment of every request comes in.

use gwlock_engine::protocol::exchange::{Answer, Request};
use gwlock_engine::protocol::record::{Claim, FieldsEntry, LeaseRecord, claim_stamp};
use jiff::Timestamp;

/// A request and what it is sent with.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) request: Request,
    /// The uid goes along as a precondition.
    pub(crate) with_uid: bool,
    /// The resourceVersion goes along as a precondition.
    pub(crate) with_version: bool,
    pub(crate) manager: &'static str,
}

impl Call {
    /// As this protocol sends it.
    pub(crate) fn guarded(request: Request) -> Self {
        Self {
            request,
            with_uid: true,
            with_version: true,
            manager: "gwlock",
        }
    }
}

/// What a watch would tell of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Deleted,
    Freed,
    Other,
}

#[derive(Debug, Clone)]
struct Entry {
    manager: &'static str,
    time: Timestamp,
    owns_claim: bool,
}

#[derive(Debug, Clone)]
struct Object {
    uid: u64,
    version: u64,
    created: Timestamp,
    claim: Claim,
    entries: Vec<Entry>,
    /// A write with an empty `managedFields` switches this off for good.
    tracked: bool,
}

/// The one Lease, present or absent.
#[derive(Debug, Default)]
pub(crate) struct Server {
    object: Option<Object>,
    uids: u64,
    versions: u64,
    /// All changes with their versions, as a watch would replay them.
    log: Vec<(u64, Change)>,
}

impl Server {
    /// Executes a request that the server started to handle at `stamp` (cut to the second).
    pub(crate) fn execute(&mut self, call: &Call, stamp: Timestamp) -> Answer {
        match &call.request {
            Request::Create(_) if self.object.is_some() => Answer::AlreadyExists,
            Request::Create(claim) => self.create(claim, call.manager, stamp),
            Request::Get => self
                .record()
                .map_or(Answer::NotFound, |record| Answer::Lease(Box::new(record))),
            Request::Replace { version, claim } => {
                let stale = |object: &Object| {
                    call.with_uid && version.uid != object.uid_text()
                        || call.with_version
                            && version.resource_version != object.version.to_string()
                };
                match &self.object {
                    None if call.with_uid => Answer::Conflict,
                    None => self.create(claim, call.manager, stamp),
                    Some(object) if stale(object) => Answer::Conflict,
                    Some(_) => self.replace(claim, call.manager, stamp),
                }
            }
            Request::Delete(version) => match &self.object {
                None => Answer::NotFound,
                Some(object)
                    if call.with_uid && version.uid != object.uid_text()
                        || call.with_version
                            && version.resource_version != object.version.to_string() =>
                {
                    Answer::Conflict
                }
                Some(_) => {
                    self.object = None;
                    self.change(Change::Deleted);
                    Answer::Deleted
                }
            },
        }
    }

    /// Somebody sets a label.
    pub(crate) fn label(&mut self, manager: &'static str, stamp: Timestamp) {
        let version = self.versions + 1;
        let Some(object) = &mut self.object else {
            return;
        };
        object.version = version;
        match object
            .entries
            .iter_mut()
            .find(|entry| entry.manager == manager)
        {
            Some(entry) => entry.time = stamp,
            None if object.tracked => object.entries.push(Entry {
                manager,
                time: stamp,
                owns_claim: false,
            }),
            None => {}
        }
        self.change(Change::Other);
    }

    /// Somebody writes the object with `managedFields: []`.
    pub(crate) fn stop_tracking(&mut self) {
        let version = self.versions + 1;
        let Some(object) = &mut self.object else {
            return;
        };
        object.version = version;
        object.tracked = false;
        object.entries.clear();
        self.change(Change::Other);
    }

    pub(crate) fn record(&self) -> Option<LeaseRecord> {
        let object = self.object.as_ref()?;
        let entries = object.entries.iter().map(|entry| FieldsEntry {
            time: entry.time,
            owns_renew_time: entry.owns_claim,
            owns_holder: entry.owns_claim,
        });
        Some(LeaseRecord {
            uid: object.uid_text(),
            resource_version: object.version.to_string(),
            created: Some(object.created),
            deleting: false,
            stamp: claim_stamp(entries, object.claim.renew_time.is_some()),
            claim: object.claim.clone(),
        })
    }

    /// The newest entry of `managedFields`, whatever it owns.
    pub(crate) fn newest_entry(&self) -> Option<Timestamp> {
        self.object
            .as_ref()?
            .entries
            .iter()
            .map(|entry| entry.time)
            .max()
    }

    pub(crate) fn holder(&self) -> Option<&str> {
        self.object
            .as_ref()
            .and_then(|object| object.claim.holder.as_deref())
    }

    /// The first change after a version that concerns a waiter.
    pub(crate) fn news_since(&self, version: &str) -> Option<Change> {
        let version: u64 = version.parse().expect("a version of this server");
        let later = self.log.iter().rev().take_while(|(at, _)| *at > version);
        later
            .map(|(_, change)| *change)
            .filter(|change| *change != Change::Other)
            .last()
    }

    fn create(&mut self, claim: &Claim, manager: &'static str, stamp: Timestamp) -> Answer {
        self.uids += 1;
        self.object = Some(Object {
            uid: self.uids,
            version: self.versions + 1,
            created: stamp,
            claim: claim.clone(),
            entries: vec![Entry {
                manager,
                time: stamp,
                owns_claim: true,
            }],
            tracked: true,
        });
        self.change(Change::Other);
        self.answer()
    }

    fn replace(&mut self, claim: &Claim, manager: &'static str, stamp: Timestamp) -> Answer {
        let version = self.versions + 1;
        if let Some(object) = &mut self.object {
            object.version = version;
            object.claim = claim.clone();
            if object.tracked {
                object
                    .entries
                    .iter_mut()
                    .for_each(|entry| entry.owns_claim = false);
                object.entries.retain(|entry| entry.manager != manager);
                object.entries.push(Entry {
                    manager,
                    time: stamp,
                    owns_claim: true,
                });
            }
        }
        let is_free = claim.holder.as_deref().unwrap_or_default().is_empty();
        self.change(if is_free {
            Change::Freed
        } else {
            Change::Other
        });
        self.answer()
    }

    fn change(&mut self, change: Change) {
        self.versions += 1;
        self.log.push((self.versions, change));
    }

    fn answer(&self) -> Answer {
        Answer::Lease(Box::new(
            self.record().expect("the object that was just written"),
        ))
    }
}

impl Object {
    fn uid_text(&self) -> String {
        format!("u{}", self.uid)
    }
}
