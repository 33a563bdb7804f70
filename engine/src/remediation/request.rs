//! The RemediationRequest, as far as it is written and read here.
//!
//! The spec is complete, because whoever creates a request writes all of it, and it never changes afterwards. The
//! status belongs to other controllers as well: only the few fields that decide something are read, and nothing here
//! could write it back whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::protocol::key::Fingerprint;

/// The API group.
pub const GROUP: &str = "kubernaut.ai";
/// The version of the API group.
pub const VERSION: &str = "v1alpha1";
/// The kind.
pub const KIND: &str = "RemediationRequest";
/// The resource, in paths and in RBAC rules.
pub const PLURAL: &str = "remediationrequests";
/// The field of the spec that requests are selected by, which needs Kubernetes 1.31.
pub const FINGERPRINT_FIELD: &str = "spec.signalFingerprint";

/// The annotation that names the holder of the lease under which a request was made. Its nonce tells a creator whose
/// answer was lost that the request it finds is its own.
pub const CREATED_BY: &str = "gwlock.dev/created-by";

/// What is to be remediated, and which signal asked for it. The API server takes no change of it after creation.
///
/// Limits that the API server checks stand with the fields; whoever fills them in has to keep to them, because a
/// request that the server refuses fails its signal for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemediationRequestSpec {
    /// What signals are told apart by.
    #[serde(with = "fingerprint_text")]
    pub signal_fingerprint: Fingerprint,
    /// The alert's name or the event's reason; at most 253 characters.
    pub signal_name: String,
    /// The sender's own word; 1 to 50 characters.
    pub severity: String,
    /// `alert` for all that the gateway takes in.
    pub signal_type: String,
    /// Which adapter took it in: `prometheus` or `kubernetes-events`; at most 63 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal_source: Option<String>,
    /// What kind of system the target is part of.
    pub target_type: TargetType,
    /// The object that is to be remediated.
    pub target_resource: TargetResource,
    /// The cluster of the target, where several share one gateway; at most 253 characters.
    #[serde(rename = "clusterID", default, skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<String>,
    /// When the signal began, written in whole seconds.
    #[serde(with = "seconds")]
    pub firing_time: Timestamp,
    /// When the signal came in, written in whole seconds.
    #[serde(with = "seconds")]
    pub received_time: Timestamp,
    /// The signal's labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub signal_labels: BTreeMap<String, String>,
    /// The signal's annotations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub signal_annotations: BTreeMap<String, String>,
    /// JSON text of the form `{"namespace": …, "labels": …}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_data: Option<String>,
    /// The payload as it came in; shared by all signals of one payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_payload: Option<Arc<str>>,
}

/// The object that is to be remediated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetResource {
    /// `apps/v1`, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// The kind, in its own spelling.
    pub kind: String,
    /// The object's name.
    pub name: String,
    /// `None` for a cluster-scoped kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// The systems that the API knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetType {
    /// A Kubernetes object.
    #[default]
    Kubernetes,
    /// Something of AWS.
    Aws,
    /// Something of Azure.
    Azure,
    /// Something of Google Cloud.
    Gcp,
    /// Something of Datadog.
    Datadog,
}

/// A RemediationRequest as it was read: what the decisions need, and no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemediationRequest {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.resourceVersion`.
    pub resource_version: String,
    /// `metadata.creationTimestamp`.
    pub created: Option<Timestamp>,
    /// Whether it has a deletionTimestamp.
    pub deleting: bool,
    /// The annotation [`CREATED_BY`].
    pub created_by: Option<String>,
    /// `spec.signalFingerprint`; empty if there is none.
    pub fingerprint: String,
    /// What was read of the status; `None` where there is none at all, which is not the same as an empty one: a patch
    /// has to make the parent of what it adds.
    pub status: Option<RequestStatus>,
}

/// The fields of a status that decide something.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestStatus {
    /// `overallPhase` exactly as it stands: absent and empty are the same phase, but not the same to a patch.
    pub phase: Option<String>,
    /// `completionStatus.outcome`, or `outcome` as older versions of the API had it.
    pub outcome: Option<String>,
    /// `routingStatus.nextAllowedExecution`, or `nextAllowedExecution` as older versions had it.
    pub next_allowed_execution: Option<Timestamp>,
    /// `deduplication`.
    pub deduplication: Option<Deduplication>,
}

/// How often a signal came, as the status has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deduplication {
    /// `firstSeenAt`.
    pub first_seen: Option<Timestamp>,
    /// `lastSeenAt`.
    pub last_seen: Option<Timestamp>,
    /// `occurrenceCount`; an int32 in the API.
    pub count: Option<i32>,
}

/// An object that is no RemediationRequest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the answer is no RemediationRequest: {0}")]
pub struct NotARequest(&'static str);

impl RemediationRequest {
    /// Reads an object as the API server sends it. Fields that are missing or odd are absent, except for those
    /// without which nothing can be decided.
    ///
    /// # Errors
    /// [`NotARequest`] when name, uid or resourceVersion are missing.
    pub fn read(object: &Value) -> Result<Self, NotARequest> {
        let metadata = &object["metadata"];
        let needed = |key, missing| text(metadata, key).ok_or(NotARequest(missing));
        Ok(Self {
            name: needed("name", "it has no name")?,
            namespace: text(metadata, "namespace").unwrap_or_default(),
            uid: needed("uid", "it has no uid")?,
            resource_version: needed("resourceVersion", "it has no resourceVersion")?,
            created: time(metadata, "creationTimestamp"),
            deleting: !metadata["deletionTimestamp"].is_null(),
            created_by: text(&metadata["annotations"], CREATED_BY),
            fingerprint: text(&object["spec"], "signalFingerprint").unwrap_or_default(),
            status: object["status"]
                .is_object()
                .then(|| RequestStatus::read(&object["status"])),
        })
    }

    /// The phase as it is patched and shown; absent and empty are both "".
    #[must_use]
    pub fn phase(&self) -> &str {
        let status = self.status.as_ref();
        status
            .and_then(|status| status.phase.as_deref())
            .unwrap_or_default()
    }

    /// `deduplication`, if it is there.
    #[must_use]
    pub fn deduplication(&self) -> Option<Deduplication> {
        self.status.as_ref()?.deduplication
    }

    /// How often its signal has been counted. Without a count that is 0: nothing has been answered by it yet.
    #[must_use]
    pub fn count(&self) -> i32 {
        let deduplication = self.deduplication();
        deduplication
            .and_then(|deduplication| deduplication.count)
            .unwrap_or(0)
    }
}

impl RequestStatus {
    fn read(status: &Value) -> Self {
        let deduplication = &status["deduplication"];
        Self {
            phase: text(status, "overallPhase"),
            outcome: text(&status["completionStatus"], "outcome")
                .or_else(|| text(status, "outcome")),
            next_allowed_execution: time(&status["routingStatus"], "nextAllowedExecution")
                .or_else(|| time(status, "nextAllowedExecution")),
            deduplication: deduplication.is_object().then(|| Deduplication {
                first_seen: time(deduplication, "firstSeenAt"),
                last_seen: time(deduplication, "lastSeenAt"),
                count: deduplication["occurrenceCount"]
                    .as_i64()
                    .and_then(|count| i32::try_from(count).ok()),
            }),
        }
    }
}

fn text(object: &Value, key: &str) -> Option<String> {
    object.get(key)?.as_str().map(str::to_owned)
}

fn time(object: &Value, key: &str) -> Option<Timestamp> {
    object.get(key)?.as_str()?.parse().ok()
}

/// A time as Kubernetes' `Time` is written: RFC 3339 in UTC, cut to the second.
#[must_use]
pub fn whole_seconds(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second())
        .unwrap_or(time)
        .to_string()
}

mod seconds {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        time: &Timestamp,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::whole_seconds(*time))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Timestamp, D::Error> {
        Timestamp::deserialize(deserializer)
    }
}

mod fingerprint_text {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::protocol::key::Fingerprint;

    pub(super) fn serialize<S: Serializer>(
        fingerprint: &Fingerprint,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(fingerprint.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Fingerprint, D::Error> {
        let text = String::deserialize(deserializer)?;
        Fingerprint::parse(&text)
            .ok_or_else(|| Error::custom("a fingerprint is 64 lower-case hex digits"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_spec_is_written_as_the_api_spells_it() {
        let spec = RemediationRequestSpec {
            signal_fingerprint: Fingerprint::of("prod:Deployment:payment-api"),
            signal_name: "HighMemoryUsage".to_owned(),
            severity: "critical".to_owned(),
            signal_type: "alert".to_owned(),
            signal_source: Some("prometheus".to_owned()),
            target_type: TargetType::Kubernetes,
            target_resource: TargetResource {
                api_version: Some("apps/v1".to_owned()),
                kind: "Deployment".to_owned(),
                name: "payment-api".to_owned(),
                namespace: Some("prod".to_owned()),
            },
            cluster_id: Some("east".to_owned()),
            firing_time: at("2026-11-23T09:00:00.987Z"),
            received_time: at("2026-11-23T09:00:01Z"),
            signal_labels: BTreeMap::from([("team".to_owned(), "a".to_owned())]),
            signal_annotations: BTreeMap::new(),
            provider_data: Some("{}".to_owned()),
            original_payload: Some("[]".into()),
        };
        let written = json!({
            "signalFingerprint": "91fce8d5c4949766458bd4bd58859a4fb2e8470ef64ef438c22903744799a9b1",
            "signalName": "HighMemoryUsage",
            "severity": "critical",
            "signalType": "alert",
            "signalSource": "prometheus",
            "targetType": "kubernetes",
            "targetResource": {
                "apiVersion": "apps/v1", "kind": "Deployment", "name": "payment-api", "namespace": "prod"
            },
            "clusterID": "east",
            "firingTime": "2026-11-23T09:00:00Z",
            "receivedTime": "2026-11-23T09:00:01Z",
            "signalLabels": {"team": "a"},
            "providerData": "{}",
            "originalPayload": "[]",
        });
        assert_eq!(serde_json::to_value(&spec).unwrap(), written);
        let read: RemediationRequestSpec = serde_json::from_value(written).unwrap();
        let firing_time = at("2026-11-23T09:00:00Z");
        assert_eq!(
            read,
            RemediationRequestSpec {
                firing_time,
                ..spec
            }
        );
    }

    #[test]
    fn a_request_is_read_with_the_fields_that_decide() {
        let object = json!({
            "metadata": {
                "name": "rr-1", "namespace": "kubernaut-system", "uid": "u1", "resourceVersion": "7",
                "creationTimestamp": "2026-11-23T09:00:00Z", "deletionTimestamp": "2026-11-23T09:05:00Z",
                "annotations": {"gwlock.dev/created-by": "gateway-1_0123456789abcdef"}
            },
            "spec": {"signalFingerprint": "ab"},
            "status": {
                "overallPhase": "Completed",
                "completionStatus": {"outcome": "ManualReviewRequired"},
                "routingStatus": {"nextAllowedExecution": "2026-11-23T10:00:00Z"},
                "deduplication": {
                    "firstSeenAt": "2026-11-23T09:00:01Z", "lastSeenAt": "2026-11-23T09:00:02Z", "occurrenceCount": 3
                },
                "ofTheFuture": true
            }
        });
        assert_eq!(
            RemediationRequest::read(&object),
            Ok(RemediationRequest {
                name: "rr-1".to_owned(),
                namespace: "kubernaut-system".to_owned(),
                uid: "u1".to_owned(),
                resource_version: "7".to_owned(),
                created: Some(at("2026-11-23T09:00:00Z")),
                deleting: true,
                created_by: Some("gateway-1_0123456789abcdef".to_owned()),
                fingerprint: "ab".to_owned(),
                status: Some(RequestStatus {
                    phase: Some("Completed".to_owned()),
                    outcome: Some("ManualReviewRequired".to_owned()),
                    next_allowed_execution: Some(at("2026-11-23T10:00:00Z")),
                    deduplication: Some(Deduplication {
                        first_seen: Some(at("2026-11-23T09:00:01Z")),
                        last_seen: Some(at("2026-11-23T09:00:02Z")),
                        count: Some(3),
                    }),
                }),
            })
        );
    }

    #[test]
    fn an_older_status_has_the_same_fields_elsewhere() {
        let object = json!({
            "metadata": {"name": "rr-1", "uid": "u1", "resourceVersion": "7"},
            "status": {"outcome": "NoActionRequired", "nextAllowedExecution": "2026-11-23T10:00:00Z"}
        });
        let status = RemediationRequest::read(&object).unwrap().status.unwrap();
        assert_eq!(
            status,
            RequestStatus {
                outcome: Some("NoActionRequired".to_owned()),
                next_allowed_execution: Some(at("2026-11-23T10:00:00Z")),
                ..RequestStatus::default()
            }
        );
    }

    #[test]
    fn no_status_an_empty_status_and_an_empty_phase_are_told_apart() {
        let read = |status: Value| {
            let object = json!({"metadata": {"name": "rr-1", "uid": "u1", "resourceVersion": "7"}, "status": status});
            RemediationRequest::read(&object).unwrap().status
        };
        assert_eq!(read(Value::Null), None);
        assert_eq!(read(json!({})), Some(RequestStatus::default()));
        let phase = Some(String::new());
        assert_eq!(
            read(json!({"overallPhase": ""})),
            Some(RequestStatus {
                phase,
                ..RequestStatus::default()
            })
        );
    }

    #[test]
    fn an_object_without_a_uid_is_no_request() {
        let object = json!({"metadata": {"name": "rr-1", "resourceVersion": "7"}});
        assert_eq!(
            RemediationRequest::read(&object),
            Err(NotARequest("it has no uid"))
        );
    }
}
