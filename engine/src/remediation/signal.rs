//! What comes in: an alert or event that wants something remediated.
//!
//! How a signal is made of a payload is the business of whoever takes payloads in.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::protocol::key::Fingerprint;

use super::request::{GROUP, KIND, RemediationRequestSpec, VERSION, whole_seconds};

/// The annotation that says when a request was made.
pub const CREATED_AT: &str = "kubernaut.ai/created-at";

/// The labels that the gateway gives its requests, which other components select them by.
pub const GATEWAY_LABELS: [(&str, &str); 2] = [
    ("app.kubernetes.io/managed-by", "gateway-service"),
    ("app.kubernetes.io/component", "remediation"),
];

/// One occurrence of an alert or event: what a request for it would be created from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// The spec of the request that it makes if it is the first one. Its fingerprint is what decides.
    pub spec: RemediationRequestSpec,
    /// Labels of that request.
    pub labels: BTreeMap<String, String>,
    /// Annotations of that request; [`CREATED_AT`] is added when it is made.
    pub annotations: BTreeMap<String, String>,
}

impl Signal {
    /// A signal with the labels that the gateway gives its requests.
    #[must_use]
    pub fn new(spec: RemediationRequestSpec) -> Self {
        let own = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        Self {
            spec,
            labels: GATEWAY_LABELS.into_iter().map(own).collect(),
            annotations: BTreeMap::new(),
        }
    }

    /// What signals are told apart by.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.spec.signal_fingerprint
    }

    /// The request to create, made at `now`. A status in it would be dropped by the server, so there is none.
    #[must_use]
    pub fn to_object(&self, namespace: &str, name: &str, now: Timestamp) -> Value {
        let mut annotations = self.annotations.clone();
        annotations
            .entry(CREATED_AT.to_owned())
            .or_insert_with(|| whole_seconds(now));
        json!({
            "apiVersion": format!("{GROUP}/{VERSION}"),
            "kind": KIND,
            "metadata": {
                "name": name,
                "namespace": namespace,
                "labels": self.labels,
                "annotations": annotations,
            },
            "spec": self.spec,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remediation::request::{TargetResource, TargetType};

    #[test]
    fn a_signal_becomes_the_request_that_the_gateway_would_make() {
        let received: Timestamp = "2026-11-23T09:00:01.5Z".parse().unwrap();
        let signal = Signal::new(RemediationRequestSpec {
            signal_fingerprint: Fingerprint::of(":Node:worker-node-1"),
            signal_name: "NodeNotReady".to_owned(),
            severity: "Warning".to_owned(),
            signal_type: "alert".to_owned(),
            signal_source: None,
            target_type: TargetType::Kubernetes,
            target_resource: TargetResource {
                api_version: None,
                kind: "Node".to_owned(),
                name: "worker-node-1".to_owned(),
                namespace: None,
            },
            cluster_id: None,
            firing_time: received,
            received_time: received,
            signal_labels: BTreeMap::new(),
            signal_annotations: BTreeMap::new(),
            provider_data: None,
            original_payload: None,
        });
        assert_eq!(
            signal.to_object("kubernaut-system", "rr-54010c454af1-00000000", received),
            json!({
                "apiVersion": "kubernaut.ai/v1alpha1",
                "kind": "RemediationRequest",
                "metadata": {
                    "name": "rr-54010c454af1-00000000",
                    "namespace": "kubernaut-system",
                    "labels": {
                        "app.kubernetes.io/managed-by": "gateway-service",
                        "app.kubernetes.io/component": "remediation"
                    },
                    "annotations": {"kubernaut.ai/created-at": "2026-11-23T09:00:01Z"},
                },
                "spec": {
                    "signalFingerprint": "54010c454af195aadec824d25dba6fa52adfcc717f0b3f0430e4111acddfe728",
                    "signalName": "NodeNotReady",
                    "severity": "Warning",
                    "signalType": "alert",
                    "targetType": "kubernetes",
                    "targetResource": {"kind": "Node", "name": "worker-node-1"},
                    "firingTime": "2026-11-23T09:00:01Z",
                    "receivedTime": "2026-11-23T09:00:01Z",
                }
            })
        );
    }
}
