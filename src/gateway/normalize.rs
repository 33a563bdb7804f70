//! From what was sent and the object it is about to the signal that is locked and counted.
//!
//! Pure. A [`Draft`] is everything but the object, so that what cannot become a signal is refused before anything is
//! asked of the API server, and long before a lease is taken.
//!
//! No value makes a RemediationRequest that the API server would refuse:
//!
//! | Field | Limit | What is longer |
//! |---|---|---|
//! | `severity` | 50 | is cut; empty becomes `unknown` |
//! | `signalName` | 253 | is cut, January's fingerprint is made of the whole; an alert without one is refused |
//! | `signalLabels` | 63 bytes a value, as the gateway has it | is cut |
//! | `signalAnnotations` | 262 000 bytes a value, as the gateway has it | is cut |
//! | `clusterID` | 253 | is refused, because two clusters must not become one |
//!
//! Limits count bytes and cuts are made between characters, which keeps them under a limit of characters as well. What
//! was cut stands whole in `originalPayload`, labels in `providerData` too.
//!
//! `originalPayload` holds of a batch only the signal's own alert; see
//! [`Webhook::payload_of`](super::prometheus::Webhook::payload_of).

mod alert;
mod event;
pub mod severity;

use std::collections::BTreeMap;
use std::sync::Arc;

use gwlock_engine::protocol::key::{Fingerprint, Target};
use gwlock_engine::remediation::{RemediationRequestSpec, Signal, TargetResource, TargetType};
use jiff::Timestamp;
use serde_json::json;

use super::GatewayVersion;
use super::kinds::Kinds;
use super::target::Object;

const LONGEST_SEVERITY: usize = 50;
const LONGEST_NAME: usize = 253;
const LONGEST_CLUSTER: usize = 253;
const LONGEST_LABEL: usize = 63;
const LONGEST_ANNOTATION: usize = 262_000;

/// A signal that lacks the object it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    version: GatewayVersion,
    name: String,
    severity: String,
    signal_type: &'static str,
    source: &'static str,
    cluster: Option<String>,
    firing_time: Timestamp,
    received_time: Timestamp,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    payload: Arc<str>,
}

impl Draft {
    /// The whole name of the alert, or the event's reason.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The sender's own word, at most 50 bytes of it.
    #[must_use]
    pub fn severity(&self) -> &str {
        &self.severity
    }

    /// The cluster that it is about, where it says so.
    #[must_use]
    pub fn cluster(&self) -> Option<&str> {
        self.cluster.as_deref()
    }

    /// The text that the fingerprint is the sha256 of.
    ///
    /// ```text
    /// current  [cluster:]namespace:Kind:name
    /// January  signal:namespace:Kind:name
    /// ```
    #[must_use]
    pub fn key(&self, object: &Object) -> String {
        let target = Target {
            cluster: self.cluster.clone(),
            namespace: object.namespace.clone(),
            kind: object.kind.clone(),
            name: object.name.clone(),
        };
        match self.version {
            GatewayVersion::Current => target.to_string(),
            GatewayVersion::January => format!("{}:{target}", self.name),
        }
    }

    /// The signal about this object.
    ///
    /// The object's namespace is part of the key in any case. The RemediationRequest names it only where the kind has
    /// one: a Node in a namespace is found by nobody.
    #[must_use]
    pub fn about(self, object: Object, kinds: &Kinds) -> Signal {
        let fingerprint = Fingerprint::of(&self.key(&object));
        let provider_data = json!({"namespace": object.namespace, "labels": self.labels});
        let has_namespace = kinds.get(&object.kind).is_none_or(|kind| kind.namespaced);
        let namespace = Some(object.namespace).filter(|name| has_namespace && !name.is_empty());
        Signal::new(RemediationRequestSpec {
            signal_fingerprint: fingerprint,
            signal_name: cut(&self.name, LONGEST_NAME),
            severity: self.severity,
            signal_type: self.signal_type.to_owned(),
            signal_source: Some(self.source.to_owned()),
            target_type: TargetType::Kubernetes,
            target_resource: TargetResource {
                api_version: object.api_version,
                kind: object.kind,
                name: object.name,
                namespace,
            },
            cluster_id: self.cluster,
            firing_time: self.firing_time,
            received_time: self.received_time,
            signal_labels: cut_values(self.labels, LONGEST_LABEL),
            signal_annotations: cut_values(self.annotations, LONGEST_ANNOTATION),
            provider_data: Some(provider_data.to_string()),
            original_payload: Some(self.payload),
        })
    }
}

/// The longest beginning of whole characters that has at most so many bytes.
fn cut(text: &str, bytes: usize) -> String {
    text[..text.floor_char_boundary(bytes)].to_owned()
}

fn cut_values(texts: BTreeMap<String, String>, bytes: usize) -> BTreeMap<String, String> {
    let cut = |(name, mut text): (String, String)| {
        text.truncate(text.floor_char_boundary(bytes));
        (name, text)
    };
    texts.into_iter().map(cut).collect()
}

#[cfg(test)]
mod tests;
