//! A page of Leases as protobuf.
//!
//! Field numbers are those of `k8s.io/api/coordination/v1` and `k8s.io/apimachinery`; only what the expiry rule needs is
//! read.

use bytes::Bytes;
use jiff::Timestamp;
use prost::Message;
use serde_json::{Value, json};

use crate::protocol::record::{Claim, FieldsEntry, LeaseRecord, claim_stamp};

use super::{Listed, Page, json as leases};

const MAGIC: &[u8] = b"k8s\0";

/// `runtime.Unknown`, which wraps every object.
#[derive(Message)]
struct Unknown {
    #[prost(bytes = "bytes", tag = "2")]
    raw: Bytes,
}

/// `meta/v1.Status`.
#[derive(Message)]
struct Status {
    #[prost(string, tag = "3")]
    message: String,
    #[prost(string, tag = "4")]
    reason: String,
}

#[derive(Message)]
struct LeaseList {
    #[prost(message, optional, tag = "1")]
    metadata: Option<ListMeta>,
    #[prost(message, repeated, tag = "2")]
    items: Vec<Lease>,
}

/// The same without its items, which are skipped.
#[derive(Message)]
struct Head {
    #[prost(message, optional, tag = "1")]
    metadata: Option<ListMeta>,
}

#[derive(Message)]
struct ListMeta {
    #[prost(string, tag = "2")]
    resource_version: String,
    #[prost(string, tag = "3")]
    next: String,
}

#[derive(Message)]
struct Lease {
    #[prost(message, optional, tag = "1")]
    metadata: Option<ObjectMeta>,
    #[prost(message, optional, tag = "2")]
    spec: Option<LeaseSpec>,
}

#[derive(Message)]
struct ObjectMeta {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "3")]
    namespace: String,
    #[prost(string, tag = "5")]
    uid: String,
    #[prost(string, tag = "6")]
    resource_version: String,
    #[prost(message, optional, tag = "8")]
    created: Option<Time>,
    #[prost(message, optional, tag = "9")]
    deleted: Option<Time>,
    #[prost(message, repeated, tag = "17")]
    managed_fields: Vec<ManagedFields>,
}

#[derive(Message)]
struct ManagedFields {
    #[prost(message, optional, tag = "4")]
    time: Option<Time>,
    #[prost(message, optional, tag = "7")]
    fields: Option<FieldsV1>,
}

/// The fields as JSON, as they are stored.
#[derive(Message)]
struct FieldsV1 {
    #[prost(bytes = "bytes", tag = "1")]
    raw: Bytes,
}

/// `Time` and `MicroTime` are the same on the wire.
#[derive(Message)]
struct Time {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

#[derive(Message)]
struct LeaseSpec {
    #[prost(string, optional, tag = "1")]
    holder_identity: Option<String>,
    #[prost(int32, optional, tag = "2")]
    lease_duration_seconds: Option<i32>,
    #[prost(message, optional, tag = "3")]
    acquire_time: Option<Time>,
    #[prost(message, optional, tag = "4")]
    renew_time: Option<Time>,
    #[prost(int32, optional, tag = "5")]
    lease_transitions: Option<i32>,
}

pub(super) fn page(bytes: Bytes) -> Result<Page, String> {
    let list = LeaseList::decode(unwrap(bytes)?).map_err(|error| error.to_string())?;
    let metadata = list.metadata.unwrap_or_default();
    Ok(Page {
        items: list.items.into_iter().map(Lease::into_listed).collect(),
        resource_version: metadata.resource_version,
        next: Some(metadata.next).filter(|token| !token.is_empty()),
    })
}

/// The token for the next page.
pub(super) fn next(bytes: Bytes) -> Result<Option<String>, String> {
    let head = Head::decode(unwrap(bytes)?).map_err(|error| error.to_string())?;
    let metadata = head.metadata.unwrap_or_default();
    Ok(Some(metadata.next).filter(|token| !token.is_empty()))
}

/// A failure's Status, with what is read of it as JSON.
pub(super) fn status(bytes: Bytes) -> Option<Value> {
    let status = Status::decode(unwrap(bytes).ok()?).ok()?;
    Some(json!({"message": status.message, "reason": status.reason}))
}

fn unwrap(mut bytes: Bytes) -> Result<Bytes, String> {
    if !bytes.starts_with(MAGIC) {
        return Err("it does not begin as protobuf of Kubernetes does".to_owned());
    }
    let wrapped = Unknown::decode(bytes.split_off(MAGIC.len()));
    Ok(wrapped.map_err(|error| error.to_string())?.raw)
}

impl Lease {
    fn into_listed(self) -> Listed {
        let metadata = self.metadata.unwrap_or_default();
        let spec = self.spec.unwrap_or_default();
        let entries = metadata.managed_fields.iter().filter_map(|entry| {
            let (owns_renew_time, owns_holder) = leases::owned_fields(&entry.fields.as_ref()?.raw);
            Some(FieldsEntry {
                time: entry.time.as_ref()?.timestamp()?,
                owns_renew_time,
                owns_holder,
            })
        });
        let stamp = claim_stamp(entries, spec.renew_time.is_some());
        let time = |time: Option<Time>| time.and_then(|time| time.timestamp());
        Listed {
            namespace: metadata.namespace,
            name: metadata.name,
            record: LeaseRecord {
                uid: metadata.uid,
                resource_version: metadata.resource_version,
                created: time(metadata.created),
                deleting: metadata.deleted.is_some(),
                stamp,
                claim: Claim {
                    holder: spec.holder_identity,
                    lease_duration_seconds: spec.lease_duration_seconds,
                    acquire_time: time(spec.acquire_time),
                    renew_time: time(spec.renew_time),
                    lease_transitions: spec.lease_transitions,
                },
            },
        }
    }
}

impl Time {
    fn timestamp(&self) -> Option<Timestamp> {
        Timestamp::new(self.seconds, self.nanos).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_what_was_refused() {
        let bytes = Bytes::from_static(
            b"k8s\0\x0a\x0c\x0a\x02v1\x12\x06Status\x12\x1a\x12\x07Failure\x1a\x04none\x22\x09Forbidden",
        );
        assert_eq!(
            status(bytes),
            Some(json!({"message": "none", "reason": "Forbidden"}))
        );
        assert_eq!(status(Bytes::from_static(b"{}")), None);
    }
}
