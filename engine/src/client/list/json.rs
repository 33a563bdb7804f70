//! A page of Leases as JSON.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::protocol::record::{Claim, FieldsEntry, LeaseRecord, claim_stamp};

use super::{Listed, Page};

pub(super) fn page(bytes: &[u8]) -> Result<Page, String> {
    let list: WireList = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    Ok(Page {
        items: list.items.into_iter().map(WireLease::into_listed).collect(),
        resource_version: list.metadata.resource_version,
        next: list.metadata.continue_.filter(|token| !token.is_empty()),
    })
}

/// Which fields of the claim an entry of `managedFields` owns.
pub(super) fn owned_fields(fields_v1: &[u8]) -> (bool, bool) {
    let fields: WireFields = serde_json::from_slice(fields_v1).unwrap_or_default();
    fields.owns()
}

#[derive(Deserialize)]
struct WireList {
    metadata: WireListMeta,
    #[serde(default)]
    items: Vec<WireLease>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireListMeta {
    #[serde(default)]
    resource_version: String,
    #[serde(rename = "continue")]
    continue_: Option<String>,
}

#[derive(Deserialize)]
struct WireLease {
    metadata: WireMeta,
    #[serde(default)]
    spec: WireSpec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireMeta {
    name: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    uid: String,
    #[serde(default)]
    resource_version: String,
    creation_timestamp: Option<Timestamp>,
    deletion_timestamp: Option<IgnoredAny>,
    #[serde(default)]
    managed_fields: Vec<WireEntry>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct WireSpec {
    holder_identity: Option<String>,
    lease_duration_seconds: Option<i32>,
    acquire_time: Option<Timestamp>,
    renew_time: Option<Timestamp>,
    lease_transitions: Option<i32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireEntry {
    time: Option<Timestamp>,
    #[serde(default)]
    fields_v1: WireFields,
}

#[derive(Deserialize, Default)]
struct WireFields {
    #[serde(rename = "f:spec", default)]
    spec: WireSpecFields,
}

#[derive(Deserialize, Default)]
struct WireSpecFields {
    #[serde(rename = "f:renewTime")]
    renew_time: Option<IgnoredAny>,
    #[serde(rename = "f:holderIdentity")]
    holder: Option<IgnoredAny>,
}

impl WireLease {
    fn into_listed(self) -> Listed {
        let Self { metadata, spec } = self;
        let entries = metadata.managed_fields.iter().filter_map(|entry| {
            let (owns_renew_time, owns_holder) = entry.fields_v1.owns();
            Some(FieldsEntry {
                time: entry.time?,
                owns_renew_time,
                owns_holder,
            })
        });
        let stamp = claim_stamp(entries, spec.renew_time.is_some());
        Listed {
            namespace: metadata.namespace,
            name: metadata.name,
            record: LeaseRecord {
                uid: metadata.uid,
                resource_version: metadata.resource_version,
                created: metadata.creation_timestamp,
                deleting: metadata.deletion_timestamp.is_some(),
                stamp,
                claim: Claim {
                    holder: spec.holder_identity,
                    lease_duration_seconds: spec.lease_duration_seconds,
                    acquire_time: spec.acquire_time,
                    renew_time: spec.renew_time,
                    lease_transitions: spec.lease_transitions,
                },
            },
        }
    }
}

impl WireFields {
    /// `renewTime` and `holderIdentity`.
    fn owns(&self) -> (bool, bool) {
        (self.spec.renew_time.is_some(), self.spec.holder.is_some())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::client::convert;

    #[test]
    fn a_listed_lease_is_the_same_record_as_one_that_was_read_alone() {
        let lease = json!({
            "metadata": {
                "name": "gw-lock-1", "namespace": "ns", "uid": "u1", "resourceVersion": "7",
                "creationTimestamp": "2026-11-23T09:00:00Z", "deletionTimestamp": "2026-11-23T09:10:00Z",
                "managedFields": [
                    {"manager": "gateway", "time": "2026-11-23T09:00:05Z", "fieldsV1": {"f:spec": {"f:renewTime": {}}}},
                    {"manager": "other", "time": "2026-11-23T09:00:09Z", "fieldsV1": {"f:metadata": {"f:labels": {}}}}
                ]
            },
            "spec": {"holderIdentity": "gateway-1", "leaseDurationSeconds": 30, "renewTime": "2026-11-23T09:00:05.123456Z"}
        });
        let listed: WireLease = serde_json::from_value(lease.clone()).unwrap();
        assert_eq!(
            listed.into_listed().record,
            convert::record(&lease).unwrap()
        );
    }
}
