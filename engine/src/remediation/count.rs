//! Counting signals on a request: a JSON patch of its status that takes effect once or not at all.
//!
//! The patch is built here, and a later read is compared with it. What is done about an answer is decided by the
//! machine of a run.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::request::{RemediationRequest, whole_seconds};

/// One patch: so many occurrences are added to the count as it was read.
///
/// It tests that the request is the same, is not being deleted, and has phase and count exactly as they were read, and
/// writes nothing else than `deduplication`. Of two patches from one reading at most one takes effect, so the same one
/// can be sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    before: Box<RemediationRequest>,
    added: i32,
    now: Timestamp,
}

impl Count {
    /// Adds `added` occurrences that came in by `now`, the server's time.
    #[must_use]
    pub fn of(request: &RemediationRequest, added: i32, now: Timestamp) -> Self {
        Self {
            before: Box::new(request.clone()),
            added,
            now,
        }
    }

    /// The request as it was read.
    #[must_use]
    pub fn request(&self) -> &RemediationRequest {
        &self.before
    }

    /// How many occurrences had been counted before: none where there is no count, because whoever has not counted
    /// has not answered.
    #[must_use]
    pub fn before(&self) -> i32 {
        self.before.count()
    }

    /// How many are added.
    #[must_use]
    pub fn added(&self) -> i32 {
        self.added
    }

    /// The new count. The API has 32 bits for it.
    #[must_use]
    pub fn after(&self) -> i32 {
        self.before().saturating_add(self.added)
    }

    /// `firstSeenAt` after the patch.
    #[must_use]
    pub fn first_seen(&self) -> Timestamp {
        let before = self.before.deduplication();
        before
            .and_then(|before| before.first_seen)
            .unwrap_or(self.now)
    }

    /// `lastSeenAt` after the patch; it never goes back.
    #[must_use]
    pub fn last_seen(&self) -> Timestamp {
        let before = self.before.deduplication();
        let before = before.and_then(|before| before.last_seen);
        before.map_or(self.now, |before| before.max(self.now))
    }

    /// Whether a later read shows that this patch has had no effect so far, nor any other count.
    #[must_use]
    pub fn is_without_effect(&self, read: &RemediationRequest) -> bool {
        read.uid == self.before.uid && read.deduplication() == self.before.deduplication()
    }

    /// The JSON patch (RFC 6902) for the status subresource. `test` takes an absent member for `null`, but needs its
    /// parent.
    #[must_use]
    pub fn to_patch(&self) -> Value {
        let test = |path: &str, value: Value| json!({"op": "test", "path": path, "value": value});
        let add = |path: &str, value: Value| json!({"op": "add", "path": path, "value": value});
        let whole = json!({
            "firstSeenAt": whole_seconds(self.first_seen()),
            "lastSeenAt": whole_seconds(self.last_seen()),
            "occurrenceCount": self.after(),
        });
        let mut patch = vec![
            test("/metadata/uid", json!(self.before.uid)),
            test("/metadata/deletionTimestamp", Value::Null),
        ];
        let Some(status) = &self.before.status else {
            patch.push(test("/status", Value::Null));
            patch.push(add("/status", json!({"deduplication": whole})));
            return Value::Array(patch);
        };
        patch.push(test("/status/overallPhase", json!(status.phase)));
        let Some(deduplication) = status.deduplication else {
            patch.push(test("/status/deduplication", Value::Null));
            patch.push(add("/status/deduplication", whole));
            return Value::Array(patch);
        };
        let count = "/status/deduplication/occurrenceCount";
        patch.push(test(count, json!(deduplication.count)));
        patch.push(add(count, json!(self.after())));
        if let Value::Object(members) = whole {
            for (member, value) in members
                .into_iter()
                .filter(|(member, _)| member != "occurrenceCount")
            {
                patch.push(add(&format!("/status/deduplication/{member}"), value));
            }
        }
        Value::Array(patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remediation::request::{Deduplication, RequestStatus};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn request(status: Option<RequestStatus>) -> RemediationRequest {
        RemediationRequest {
            name: "rr-1".to_owned(),
            namespace: "ns".to_owned(),
            uid: "u1".to_owned(),
            resource_version: "7".to_owned(),
            created: None,
            deleting: false,
            created_by: None,
            fingerprint: "f".to_owned(),
            status,
        }
    }

    fn counted(count: Option<i32>) -> RequestStatus {
        RequestStatus {
            phase: Some("Executing".to_owned()),
            deduplication: Some(Deduplication {
                first_seen: Some(at("2026-11-23T09:00:00Z")),
                last_seen: Some(at("2026-11-23T09:10:00Z")),
                count,
            }),
            ..RequestStatus::default()
        }
    }

    fn patch(status: Option<RequestStatus>) -> Value {
        Count::of(&request(status), 2, at("2026-11-23T09:20:00.9Z")).to_patch()
    }

    #[test]
    fn the_first_count_makes_the_status_where_there_is_none() {
        assert_eq!(
            patch(None),
            json!([
                {"op": "test", "path": "/metadata/uid", "value": "u1"},
                {"op": "test", "path": "/metadata/deletionTimestamp", "value": null},
                {"op": "test", "path": "/status", "value": null},
                {"op": "add", "path": "/status", "value": {"deduplication": {
                    "firstSeenAt": "2026-11-23T09:20:00Z", "lastSeenAt": "2026-11-23T09:20:00Z", "occurrenceCount": 2
                }}},
            ])
        );
    }

    #[test]
    fn a_status_of_the_orchestrator_gets_the_first_count_beside_its_own_fields() {
        assert_eq!(
            patch(Some(RequestStatus::default())),
            json!([
                {"op": "test", "path": "/metadata/uid", "value": "u1"},
                {"op": "test", "path": "/metadata/deletionTimestamp", "value": null},
                {"op": "test", "path": "/status/overallPhase", "value": null},
                {"op": "test", "path": "/status/deduplication", "value": null},
                {"op": "add", "path": "/status/deduplication", "value": {
                    "firstSeenAt": "2026-11-23T09:20:00Z", "lastSeenAt": "2026-11-23T09:20:00Z", "occurrenceCount": 2
                }},
            ])
        );
    }

    #[test]
    fn a_later_count_tests_what_was_read_and_replaces_no_more_than_it_owns() {
        assert_eq!(
            patch(Some(counted(Some(3)))),
            json!([
                {"op": "test", "path": "/metadata/uid", "value": "u1"},
                {"op": "test", "path": "/metadata/deletionTimestamp", "value": null},
                {"op": "test", "path": "/status/overallPhase", "value": "Executing"},
                {"op": "test", "path": "/status/deduplication/occurrenceCount", "value": 3},
                {"op": "add", "path": "/status/deduplication/occurrenceCount", "value": 5},
                {"op": "add", "path": "/status/deduplication/firstSeenAt", "value": "2026-11-23T09:00:00Z"},
                {"op": "add", "path": "/status/deduplication/lastSeenAt", "value": "2026-11-23T09:20:00Z"},
            ])
        );
    }

    #[test]
    fn a_missing_count_is_none_and_the_last_moment_never_goes_back() {
        let count = Count::of(&request(Some(counted(None))), 1, at("2026-11-23T09:05:00Z"));
        assert_eq!((count.before(), count.after()), (0, 1));
        assert_eq!(count.first_seen(), at("2026-11-23T09:00:00Z"));
        assert_eq!(count.last_seen(), at("2026-11-23T09:10:00Z"));
    }

    #[test]
    fn a_full_count_stays_full() {
        let full = request(Some(counted(Some(i32::MAX))));
        assert_eq!(Count::of(&full, 1, Timestamp::UNIX_EPOCH).after(), i32::MAX);
    }

    #[test]
    fn only_the_same_request_with_the_same_count_proves_that_nothing_happened() {
        let count = Count::of(&request(Some(counted(Some(3)))), 1, Timestamp::UNIX_EPOCH);
        let mut read = request(Some(counted(Some(3))));
        read.resource_version = "8".to_owned();
        assert!(count.is_without_effect(&read));
        assert!(!count.is_without_effect(&request(Some(counted(Some(4))))));
        assert!(!count.is_without_effect(&request(None)));
        let other = RemediationRequest {
            uid: "u2".to_owned(),
            ..read
        };
        assert!(!count.is_without_effect(&other));
    }
}
