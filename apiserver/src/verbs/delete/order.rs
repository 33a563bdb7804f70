//! What a DELETE orders: its options, from query and body, and what they mean for an object. Nothing is removed here.

use serde::Deserialize;
use serde_json::Value;

use crate::call::Call;
use crate::object::{self, Object};
use crate::protobuf;
use crate::registry::Resource;
use crate::status::Status;
use crate::verbs::{admit, options};

/// How an object is to be removed.
#[derive(Debug)]
pub(super) struct Order {
    /// Nothing is stored.
    pub(super) is_dry_run: bool,
    dependents: Option<Dependents>,
    preconditions: Option<Preconditions>,
}

/// What becomes of the objects whose owner is deleted. A garbage collector sees to it; on a server without one an owner
/// that has to wait for it stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dependents {
    /// They lose their owner before it goes.
    Orphan,
    /// They go before it.
    Foreground,
    /// They go after it.
    Background,
}

/// `DeleteOptions`, as far as it matters here. Grace periods are accepted and have no effect: nothing runs that they could
/// end.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DeleteOptions {
    preconditions: Option<Preconditions>,
    dry_run: Vec<String>,
    propagation_policy: Option<String>,
    orphan_dependents: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Preconditions {
    uid: Option<String>,
    resource_version: Option<String>,
}

impl Dependents {
    /// The finalizer that keeps the owner for the collector.
    const fn finalizer(self) -> Option<&'static str> {
        match self {
            Dependents::Orphan => Some("orphan"),
            Dependents::Foreground => Some("foregroundDeletion"),
            Dependents::Background => None,
        }
    }
}

impl Order {
    /// Reads the order of a request. Query and body can both say how.
    pub(super) fn of(call: &Call<'_>) -> Result<Self, Status> {
        let options = decode(call)?;
        let mut dry_run: Vec<&str> = call.query.dry_run.iter().map(AsRef::as_ref).collect();
        dry_run.extend(options.dry_run.iter().map(String::as_str));
        let policy = options
            .propagation_policy
            .as_deref()
            .or(call.query.propagation_policy.as_deref())
            .filter(|policy| !policy.is_empty());
        let is_dry_run = options::check_deletion(&dry_run, policy, options.orphan_dependents)?;
        let dependents = match (options.orphan_dependents, policy) {
            (Some(true), _) | (_, Some("Orphan")) => Some(Dependents::Orphan),
            (None, Some("Foreground")) => Some(Dependents::Foreground),
            (Some(false), _) | (_, Some(_)) => Some(Dependents::Background),
            (None, None) => None,
        };
        Ok(Self {
            is_dry_run,
            dependents,
            preconditions: options.preconditions,
        })
    }

    /// The finalizers of the object under this order; `None` where they stay as they are.
    pub(super) fn finalizers(&self, object: &Value) -> Option<Vec<Value>> {
        let wanted = self.dependents?.finalizer();
        let old = object["metadata"]["finalizers"].as_array();
        let old = old.map(Vec::as_slice).unwrap_or_default();
        let is_collectors = |finalizer: &Value| {
            let collectors = [Dependents::Orphan, Dependents::Foreground];
            collectors
                .iter()
                .any(|own| finalizer.as_str() == own.finalizer())
        };
        let mut new: Vec<Value> = old
            .iter()
            .filter(|finalizer| !is_collectors(finalizer))
            .cloned()
            .collect();
        new.extend(wanted.map(Value::from));
        let is_same = new.len() == old.len() && new.iter().all(|own| old.contains(own));
        (!is_same).then_some(new)
    }

    /// Whether the object is the one that is meant.
    pub(super) fn check(
        &self,
        resource: &Resource,
        name: &str,
        object: &Object,
    ) -> Result<(), Status> {
        let Some(wanted) = &self.preconditions else {
            return Ok(());
        };
        if let Some(uid) = wanted.uid.as_deref().filter(|uid| *uid != object.uid()) {
            let why = format!(
                "the UID in the precondition ({uid}) does not match the UID in record ({}). The object might have been deleted and \
             then recreated",
                object.uid()
            );
            return Err(Status::failed_precondition(resource, name, &why));
        }
        let stored = object::text(&object.value, "resourceVersion");
        if let Some(version) = wanted
            .resource_version
            .as_deref()
            .filter(|version| *version != stored)
        {
            let why = format!(
                "the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record ({stored}). The \
             object might have been modified"
            );
            return Err(Status::failed_precondition(resource, name, &why));
        }
        Ok(())
    }
}

fn decode(call: &Call<'_>) -> Result<DeleteOptions, Status> {
    if call.body.is_empty() {
        return Ok(DeleteOptions::default());
    }
    if call.content_type() == protobuf::MEDIA_TYPE {
        let options = protobuf::decode(&call.body).map_err(|error| admit::unread(&error))?;
        return serde_json::from_value(options)
            .map_err(|error| Status::bad_request(error.to_string()));
    }
    serde_json::from_slice(&call.body).map_err(|error| {
        Status::bad_request(format!(
            "couldn't get version/kind; json parse error: {error}"
        ))
    })
}
