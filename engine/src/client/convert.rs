//! Between the wire's JSON and the protocol's record.
//!
//! Objects are kept as they came, so that a write drops no field that a newer Kubernetes knows.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::protocol::record::{Claim, FieldsEntry, LeaseRecord, claim_stamp};

/// An object that is no Lease.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the answer is no Lease: {0}")]
pub struct NotALease(&'static str);

/// Reads a Lease.
///
/// # Errors
/// [`NotALease`] when uid or resourceVersion are missing.
pub fn record(object: &Value) -> Result<LeaseRecord, NotALease> {
    let metadata = object
        .get("metadata")
        .ok_or(NotALease("it has no metadata"))?;
    let claim = claim(object.get("spec").unwrap_or(&Value::Null));
    let entries = metadata.get("managedFields").and_then(Value::as_array);
    let stamp = claim_stamp(
        entries.into_iter().flatten().filter_map(fields_entry),
        claim.renew_time.is_some(),
    );
    Ok(LeaseRecord {
        uid: text(metadata, "uid").ok_or(NotALease("it has no uid"))?,
        resource_version: text(metadata, "resourceVersion")
            .ok_or(NotALease("it has no resourceVersion"))?,
        created: time(metadata, "creationTimestamp"),
        deleting: metadata
            .get("deletionTimestamp")
            .is_some_and(|value| !value.is_null()),
        stamp,
        claim,
    })
}

/// Reads a Lease's spec.
#[must_use]
pub fn claim(spec: &Value) -> Claim {
    Claim {
        holder: text(spec, "holderIdentity"),
        lease_duration_seconds: number(spec, "leaseDurationSeconds"),
        acquire_time: time(spec, "acquireTime"),
        renew_time: time(spec, "renewTime"),
        lease_transitions: number(spec, "leaseTransitions"),
    }
}

/// A new Lease to create.
#[must_use]
pub fn new_object(namespace: &str, name: &str, claim: &Claim) -> Value {
    let mut spec = Map::new();
    write_claim(&mut spec, claim);
    json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    })
}

/// The object that was read, with another claim.
///
/// `managedFields` is left out, which the server takes as unchanged; an empty list would switch its stamps off for
/// good.
#[must_use]
pub fn replaced_object(base: &Value, claim: &Claim) -> Value {
    let mut object = base.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    if !object.get("spec").is_some_and(Value::is_object) {
        object["spec"] = json!({});
    }
    if let Some(spec) = object["spec"].as_object_mut() {
        write_claim(spec, claim);
    }
    object
}

fn write_claim(spec: &mut Map<String, Value>, claim: &Claim) {
    let mut set = |key: &str, value: Option<Value>| match value {
        Some(value) => drop(spec.insert(key.to_owned(), value)),
        None => drop(spec.remove(key)),
    };
    set("holderIdentity", claim.holder.clone().map(Value::from));
    set(
        "leaseDurationSeconds",
        claim.lease_duration_seconds.map(Value::from),
    );
    set(
        "acquireTime",
        claim.acquire_time.map(micro_time).map(Value::from),
    );
    set(
        "renewTime",
        claim.renew_time.map(micro_time).map(Value::from),
    );
    set("leaseTransitions", claim.lease_transitions.map(Value::from));
}

/// Kubernetes' `MicroTime`: RFC 3339 in UTC with exactly six decimals; the API server refuses any other number.
#[must_use]
pub fn micro_time(time: Timestamp) -> String {
    format!("{time:.6}")
}

fn fields_entry(entry: &Value) -> Option<FieldsEntry> {
    let spec = entry
        .get("fieldsV1")
        .and_then(|fields| fields.get("f:spec"));
    let owns = |field: &str| spec.is_some_and(|spec| spec.get(field).is_some());
    Some(FieldsEntry {
        time: time(entry, "time")?,
        owns_renew_time: owns("f:renewTime"),
        owns_holder: owns("f:holderIdentity"),
    })
}

fn text(object: &Value, key: &str) -> Option<String> {
    object.get(key)?.as_str().map(str::to_owned)
}

fn number(object: &Value, key: &str) -> Option<i32> {
    object
        .get(key)?
        .as_i64()
        .and_then(|number| i32::try_from(number).ok())
}

fn time(object: &Value, key: &str) -> Option<Timestamp> {
    object.get(key)?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_lease() -> Value {
        json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": "gw-lock-1", "namespace": "ns", "uid": "u1", "resourceVersion": "7",
                "creationTimestamp": "2026-11-23T09:00:00Z",
                "labels": {"team": "a"},
                "managedFields": [
                    {"manager": "gateway", "time": "2026-11-23T09:00:05Z",
                     "fieldsV1": {"f:spec": {"f:holderIdentity": {}, "f:renewTime": {}}}},
                    {"manager": "labeller", "time": "2026-11-23T09:00:09Z",
                     "fieldsV1": {"f:metadata": {"f:labels": {".": {}, "f:team": {}}}}}
                ]
            },
            "spec": {
                "holderIdentity": "gateway-1", "leaseDurationSeconds": 30,
                "renewTime": "2026-11-23T09:00:05.123456Z", "strategy": "OldestEmulationVersion",
                "ofTheFuture": {"a": 1}
            }
        })
    }

    #[test]
    fn a_lease_is_read_with_the_stamp_of_the_claims_writer() {
        let record = record(&read_lease()).unwrap();
        assert_eq!(record.stamp, "2026-11-23T09:00:05Z".parse().ok());
        assert_eq!(
            record.claim.renew_time,
            "2026-11-23T09:00:05.123456Z".parse().ok()
        );
        assert_eq!(record.holder(), Some("gateway-1"));
        assert!(!record.deleting);
    }

    #[test]
    fn a_write_keeps_every_field_it_does_not_know_and_never_sends_managed_fields() {
        let claim = Claim {
            holder: Some("me".to_owned()),
            lease_duration_seconds: Some(15),
            renew_time: "2026-11-23T10:00:00Z".parse().ok(),
            ..Claim::default()
        };
        let mut expected = read_lease();
        expected["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("managedFields");
        expected["spec"] = json!({
            "holderIdentity": "me", "leaseDurationSeconds": 15, "renewTime": "2026-11-23T10:00:00.000000Z",
            "strategy": "OldestEmulationVersion", "ofTheFuture": {"a": 1}
        });
        assert_eq!(replaced_object(&read_lease(), &claim), expected);
    }

    #[test]
    fn a_claim_survives_the_way_to_the_wire_and_back() {
        let written = Claim {
            holder: Some("me_0123456789abcdef".to_owned()),
            lease_duration_seconds: Some(30),
            acquire_time: "2026-11-23T10:00:00.000001Z".parse().ok(),
            renew_time: "2026-11-23T10:00:00.999999Z".parse().ok(),
            lease_transitions: Some(3),
        };
        let object = new_object("ns", "gw-lock-1", &written);
        assert_eq!(claim(&object["spec"]), written);
    }
}
