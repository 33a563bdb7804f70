//! The lease as it was read.
//!
//! The fields that the protocol looks at, and which of the server's stamps counts. Wire formats are not here.

use std::time::Duration;

use jiff::Timestamp;

use super::timing::DEFAULT_LEASE_DURATION;

/// One version of a Lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRecord {
    /// `metadata.uid`: another one is another lease of the same name.
    pub uid: String,
    /// `metadata.resourceVersion`.
    pub resource_version: String,
    /// `metadata.creationTimestamp`, by the server's clock.
    pub created: Option<Timestamp>,
    /// Whether `metadata.deletionTimestamp` is set: a finalizer keeps the object, and it is nobody's to take.
    pub deleting: bool,
    /// When the server last stamped the entry of `metadata.managedFields` that owns the claim, see [`claim_stamp`].
    pub stamp: Option<Timestamp>,
    /// `spec`.
    pub claim: Claim,
}

impl LeaseRecord {
    /// Who holds it. An empty `holderIdentity` means nobody, as it does for client-go.
    #[must_use]
    pub fn holder(&self) -> Option<&str> {
        self.claim
            .holder
            .as_deref()
            .filter(|holder| !holder.is_empty())
    }

    /// The duration by which this record expires: its own one, 30 s where it has none.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.claim
            .lease_duration_seconds
            .and_then(|seconds| u64::try_from(seconds).ok())
            .map_or(DEFAULT_LEASE_DURATION, Duration::from_secs)
    }

    /// Whether both are the same lease with the same spec; labels and other metadata may differ.
    #[must_use]
    pub fn same_claim(&self, other: &Self) -> bool {
        self.uid == other.uid && self.claim == other.claim
    }
}

/// The spec of a Lease, as far as the protocol writes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claim {
    /// `holderIdentity`.
    pub holder: Option<String>,
    /// `leaseDurationSeconds`.
    pub lease_duration_seconds: Option<i32>,
    /// `acquireTime`.
    pub acquire_time: Option<Timestamp>,
    /// `renewTime`.
    pub renew_time: Option<Timestamp>,
    /// `leaseTransitions`.
    pub lease_transitions: Option<i32>,
}

/// What one entry of `metadata.managedFields` says of the claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldsEntry {
    /// When the server stamped it. Whole seconds, taken when it started to handle the write.
    pub time: Timestamp,
    /// It owns `f:spec.f:renewTime`.
    pub owns_renew_time: bool,
    /// It owns `f:spec.f:holderIdentity`.
    pub owns_holder: bool,
}

/// When the server last saw a write of the claim: the newest entry that owns `renewTime`, or `holderIdentity` where
/// the record has no `renewTime`.
///
/// `None` when no entry does, because a writer switched tracking off. creationTimestamp is no substitute: it stays
/// when somebody takes the lease over.
#[must_use]
pub fn claim_stamp(
    entries: impl IntoIterator<Item = FieldsEntry>,
    has_renew_time: bool,
) -> Option<Timestamp> {
    entries
        .into_iter()
        .filter(|entry| {
            if has_renew_time {
                entry.owns_renew_time
            } else {
                entry.owns_holder
            }
        })
        .map(|entry| entry.time)
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(second: i64, owns_renew_time: bool, owns_holder: bool) -> FieldsEntry {
        FieldsEntry {
            time: Timestamp::from_second(second).unwrap(),
            owns_renew_time,
            owns_holder,
        }
    }

    #[test]
    fn a_label_of_another_writer_does_not_move_the_stamp() {
        let entries = [entry(100, true, true), entry(200, false, false)];
        assert_eq!(claim_stamp(entries, true), Timestamp::from_second(100).ok());
    }

    #[test]
    fn the_newest_entry_that_owns_the_field_counts() {
        let entries = [
            entry(100, false, true),
            entry(150, true, false),
            entry(120, true, true),
        ];
        assert_eq!(claim_stamp(entries, true), Timestamp::from_second(150).ok());
        assert_eq!(
            claim_stamp(entries, false),
            Timestamp::from_second(120).ok()
        );
    }

    #[test]
    fn without_an_owner_there_is_no_stamp() {
        assert_eq!(claim_stamp([entry(100, false, true)], true), None);
        assert_eq!(claim_stamp([], true), None);
    }
}
