//! The RemediationRequests of one namespace, as an API server keeps them: whole objects, and patches applied to them.

use gwlock_engine::protocol::key::Fingerprint;
use gwlock_engine::remediation::exchange::{Answer, Request};
use gwlock_engine::remediation::request::{CREATED_BY, whole_seconds};
use gwlock_engine::remediation::{RemediationRequest, dedup};
use jiff::Timestamp;
use serde_json::{Value, json};

#[derive(Debug, Default)]
pub(crate) struct Server {
    stored: Vec<Stored>,
    /// What its cache has shown, by version.
    past: Vec<(u64, Vec<RemediationRequest>)>,
    /// What is gone, for its counts.
    gone: Vec<RemediationRequest>,
    version: u64,
}

#[derive(Debug)]
struct Stored {
    object: Value,
    /// The object as it is read.
    read: RemediationRequest,
}

impl Stored {
    fn new(object: Value) -> Self {
        let read = RemediationRequest::read(&object).expect("a request");
        Self { object, read }
    }
}

impl Server {
    pub(crate) fn execute(
        &mut self,
        request: &Request,
        fingerprint: &Fingerprint,
        now: Timestamp,
        age: f64,
    ) -> Answer {
        match request {
            Request::List { not_older_than } => {
                Answer::Listed(self.list(not_older_than.as_deref(), age))
            }
            Request::Get { name } => self
                .find(name)
                .map_or(Answer::NotFound, |at| self.answer(at)),
            Request::Create {
                name, created_by, ..
            } => {
                if self.find(name).is_some() {
                    return Answer::AlreadyExists;
                }
                self.version += 1;
                let uid = Fingerprint::of(&self.version.to_string());
                let object = json!({
                    "metadata": {
                        "name": name, "uid": &uid.as_str()[..8], "resourceVersion": self.version.to_string(),
                        "creationTimestamp": whole_seconds(now), "annotations": {CREATED_BY: created_by},
                    },
                    "spec": {"signalFingerprint": fingerprint.as_str()},
                });
                self.stored.push(Stored::new(object));
                self.remember();
                self.answer(self.stored.len() - 1)
            }
            Request::Count(count) => {
                let Some(at) = self.find(&count.request().name) else {
                    return Answer::NotFound;
                };
                let mut patched = self.stored[at].object.clone();
                if !apply(&mut patched, &count.to_patch()) {
                    return Answer::Changed("a test of the patch failed".to_owned());
                }
                self.replace(at, patched);
                self.answer(at)
            }
        }
    }

    /// Writes a count without looking.
    pub(crate) fn force(&mut self, request: &Request) -> Option<Answer> {
        let Request::Count(count) = request else {
            return None;
        };
        let at = self.find(&count.request().name)?;
        let mut patched = self.stored[at].object.clone();
        patched["status"]["deduplication"]["occurrenceCount"] = json!(count.after());
        self.replace(at, patched);
        Some(self.answer(at))
    }

    pub(crate) fn requests(&self) -> Vec<RemediationRequest> {
        self.stored
            .iter()
            .map(|stored| stored.read.clone())
            .collect()
    }

    /// Everything that ever was.
    pub(crate) fn ever(&self) -> Vec<RemediationRequest> {
        let gone = self.gone.iter().cloned();
        gone.chain(self.requests()).collect()
    }

    pub(crate) fn active(&self) -> usize {
        let reads = self.stored.iter().map(|stored| &stored.read);
        reads
            .filter(|read| !read.deleting && dedup::is_active(read))
            .count()
    }

    /// What the orchestrator writes into the status of a request.
    pub(crate) fn set_status(&mut self, name: &str, fields: &Value) {
        let Some(at) = self.find(name) else { return };
        let mut changed = self.stored[at].object.clone();
        if !changed["status"].is_object() {
            changed["status"] = json!({});
        }
        for (field, value) in fields.as_object().expect("fields") {
            changed["status"][field] = value.clone();
        }
        self.replace(at, changed);
    }

    /// Marks a request, or removes one that is marked already or has no finalizer.
    pub(crate) fn delete(&mut self, name: &str, has_finalizer: bool, now: Timestamp) {
        let Some(at) = self.find(name) else { return };
        if has_finalizer && !self.stored[at].read.deleting {
            let mut marked = self.stored[at].object.clone();
            marked["metadata"]["deletionTimestamp"] = json!(whole_seconds(now));
            return self.replace(at, marked);
        }
        self.gone.push(self.stored.remove(at).read);
        self.version += 1;
        self.remember();
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.stored
            .iter()
            .position(|stored| stored.read.name == name)
    }

    fn replace(&mut self, at: usize, mut object: Value) {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.stored[at] = Stored::new(object);
        self.remember();
    }

    fn remember(&mut self) {
        self.past.push((self.version, self.requests()));
    }

    /// What is, or, where something older will do, how it was at a moment since that version: 0 is now, and 1 as long
    /// ago as may be.
    fn list(&self, not_older_than: Option<&str>, age: f64) -> Vec<RemediationRequest> {
        let Some(version) = not_older_than else {
            return self.requests();
        };
        let version: u64 = version.parse().expect("a version");
        let first = self.past.partition_point(|(past, _)| *past < version);
        let past = &self.past[first..];
        let back = (past.len() as f64 * age) as usize;
        match past
            .len()
            .checked_sub(1 + back.min(past.len().saturating_sub(1)))
        {
            Some(at) => past[at].1.clone(),
            None => self.requests(),
        }
    }

    fn answer(&self, at: usize) -> Answer {
        Answer::Request(Box::new(self.stored[at].read.clone()))
    }
}

/// Applies a JSON patch of `test` and `add` as the API server does: an absent member tests as null if its parent is
/// there. False when it does not apply, and then the object is to be thrown away.
fn apply(object: &mut Value, patch: &Value) -> bool {
    patch.as_array().expect("a list").iter().all(|operation| {
        let path = operation["path"].as_str().expect("a path");
        let (parent, member) = path.rsplit_once('/').expect("a member");
        let Some(parent) = object.pointer_mut(parent).and_then(Value::as_object_mut) else {
            return false;
        };
        let value = &operation["value"];
        match operation["op"].as_str() {
            Some("test") => parent.get(member).unwrap_or(&Value::Null) == value,
            Some("add") => {
                parent.insert(member.to_owned(), value.clone());
                true
            }
            other => panic!("{other:?}"),
        }
    })
}
