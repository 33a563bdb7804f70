//! A claim that outlives the process which made it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::protocol::exchange::Version;
use crate::protocol::record::LeaseRecord;

/// Everything that is needed to renew, verify or release one acquisition later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaseHandle {
    /// The lease's name.
    pub lease: String,
    /// Its namespace.
    pub namespace: String,
    /// The holder with its nonce.
    pub holder: String,
    /// The resourceVersion of the acquiring write.
    pub fencing_token: String,
    /// The lease's uid.
    pub uid: String,
    /// The resourceVersion of the last write.
    pub resource_version: String,
    /// Seconds.
    pub lease_duration_seconds: i32,
    /// By the server's clock.
    pub acquired_at: Timestamp,
    /// By the server's clock: the last renewal plus the duration.
    pub expires_at: Timestamp,
    /// How many requests the last command needed.
    pub requests: u32,
}

impl LeaseHandle {
    /// The version that the next write has to find.
    #[must_use]
    pub fn version(&self) -> Version {
        Version {
            uid: self.uid.clone(),
            resource_version: self.resource_version.clone(),
        }
    }

    pub(crate) fn of(
        namespace: &str,
        name: &str,
        token: &str,
        record: &LeaseRecord,
        requests: u32,
    ) -> Self {
        let claim = &record.claim;
        let renewed = claim.renew_time.unwrap_or(Timestamp::UNIX_EPOCH);
        let seconds = claim.lease_duration_seconds.unwrap_or(0);
        Self {
            lease: name.to_owned(),
            namespace: namespace.to_owned(),
            holder: claim.holder.clone().unwrap_or_default(),
            fencing_token: token.to_owned(),
            uid: record.uid.clone(),
            resource_version: record.resource_version.clone(),
            lease_duration_seconds: seconds,
            acquired_at: claim.acquire_time.unwrap_or(renewed),
            expires_at: renewed + SignedDuration::from_secs(i64::from(seconds)),
            requests,
        }
    }
}
