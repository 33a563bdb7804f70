//! RemediationRequests by their keys: which of them are active, and which one counts new signals. Pure: objects and the
//! server's time go in.
//!
//! What is wrong with them is said by [`findings`]. How they are listed and shown is not known here.

pub mod findings;
mod origin;

use std::collections::BTreeMap;

use gwlock_engine::protocol::key::Target;
use gwlock_engine::remediation::RemediationRequest;
use gwlock_engine::remediation::dedup::{Reason, decide, is_active};
use jiff::Timestamp;
use serde_json::Value;

pub use origin::Origin;

/// A RemediationRequest as it was listed: what decides, and what is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What decides.
    pub request: RemediationRequest,
    /// What is known beside it.
    pub facts: Facts,
}

/// What is known of a request beside what decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// What it is about, with the cluster that it names.
    pub target: Target,
    /// Where its fingerprint comes from.
    pub origin: Origin,
    /// The alert's name or the event's reason.
    pub signal: String,
    /// The sender's own word.
    pub severity: String,
    /// When it ended, as far as that is known; see [`Listed::read`].
    pub ended: Option<Timestamp>,
}

/// All requests of one fingerprint in one namespace: those that a signal is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The namespace.
    pub namespace: String,
    /// The fingerprint.
    pub fingerprint: String,
    /// Active ones first, the oldest of them first; then those that have ended, the newest first.
    pub requests: Vec<RemediationRequest>,
    /// What is known beside each of them.
    pub facts: Vec<Facts>,
}

impl Listed {
    /// Reads an object as the API server sends it; `None` for one without a name, uid or version.
    ///
    /// A request has ended at `completedAt` or `timeoutTime` of its status, or of the parts of the status where newer
    /// versions of the API have them. Without either it is the server's stamp of the last writer of the phase: not
    /// before the end, and after it only if the same writer wrote something else later.
    #[must_use]
    pub fn read(object: &Value) -> Option<Self> {
        let request = RemediationRequest::read(object).ok()?;
        let spec = &object["spec"];
        let resource = &spec["targetResource"];
        let target = Target {
            cluster: Some(text(&spec["clusterID"])).filter(|cluster| !cluster.is_empty()),
            namespace: text(&resource["namespace"]),
            kind: text(&resource["kind"]),
            name: text(&resource["name"]),
        };
        let facts = Facts {
            origin: Origin::of(&request.fingerprint, &target, spec),
            target,
            signal: text(&spec["signalName"]),
            severity: text(&spec["severity"]),
            ended: Some(&request)
                .filter(|request| !is_active(request))
                .and_then(|_| end(object)),
        };
        Some(Self { request, facts })
    }
}

impl Group {
    /// The request that counts the next signal, by its place, and why; `None` if the next signal makes a new one.
    #[must_use]
    pub fn suppressing(&self, now: Timestamp) -> Option<(usize, Reason)> {
        let suppression = decide(&self.requests, now)?;
        let uid = &suppression.request.uid;
        let at = self.requests.iter().position(|request| &request.uid == uid);
        Some((at?, suppression.reason))
    }

    /// Those that are at work and stay, the oldest first.
    pub fn active(&self) -> impl Iterator<Item = &RemediationRequest> {
        let requests = self.requests.iter();
        requests.filter(|request| is_active(request) && !request.deleting)
    }

    /// The text that the fingerprint is made of, or what the first request says that it is about.
    #[must_use]
    pub fn about(&self) -> String {
        let known = self.facts.iter().find_map(|facts| facts.origin.key());
        let first = || self.facts.first().map(|facts| facts.target.to_string());
        known.map(str::to_owned).or_else(first).unwrap_or_default()
    }
}

/// Puts requests together by namespace and fingerprint, sorted by what they are about.
#[must_use]
pub fn group(listed: Vec<Listed>) -> Vec<Group> {
    let mut by_key: BTreeMap<(String, String), Vec<Listed>> = BTreeMap::new();
    for item in listed {
        let key = (
            item.request.namespace.clone(),
            item.request.fingerprint.clone(),
        );
        by_key.entry(key).or_default().push(item);
    }
    let mut groups: Vec<Group> = by_key
        .into_iter()
        .map(|((namespace, fingerprint), mut members)| {
            members.sort_by(|a, b| {
                let (a, b) = (&a.request, &b.request);
                let by_age = (a.created, &a.name).cmp(&(b.created, &b.name));
                match (is_active(a), is_active(b)) {
                    (true, true) => by_age,
                    (false, false) => by_age.reverse(),
                    (true, false) => std::cmp::Ordering::Less,
                    (false, true) => std::cmp::Ordering::Greater,
                }
            });
            let (requests, facts) = members
                .into_iter()
                .map(|member| (member.request, member.facts))
                .unzip();
            Group {
                namespace,
                fingerprint,
                requests,
                facts,
            }
        })
        .collect();
    groups.sort_by_cached_key(|group| (group.namespace.clone(), group.about()));
    groups
}

fn end(object: &Value) -> Option<Timestamp> {
    let status = &object["status"];
    let said = [
        &status["completionStatus"]["completedAt"],
        &status["completedAt"],
        &status["timeoutStatus"]["timeoutTime"],
        &status["timeoutTime"],
    ];
    let said = said.into_iter().find_map(time);
    said.or_else(|| phase_stamp(&object["metadata"]["managedFields"]))
}

/// When the server last saw a write of a writer that owns the phase.
fn phase_stamp(managed_fields: &Value) -> Option<Timestamp> {
    let entries = managed_fields.as_array()?.iter();
    entries
        .filter(|entry| entry["fieldsV1"]["f:status"]["f:overallPhase"].is_object())
        .filter_map(|entry| time(&entry["time"]))
        .max()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests;
