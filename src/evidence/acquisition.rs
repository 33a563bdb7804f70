//! When a holder acquired its lease, in the server's time as far as that can be had.

use gwlock_engine::protocol::record::LeaseRecord;
use jiff::{SignedDuration, Timestamp};

use super::holder::{Family, Generation};

/// Two whole seconds of the server's own clock differ by no more than this if they are of one write.
const SAME_WRITE: i64 = 2;

/// When a lease was acquired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acquired {
    /// When.
    pub at: Timestamp,
    /// By which clock.
    pub by: Clock,
}

/// Whose time it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The server's own stamp.
    Server,
    /// The holder's, less what it was off when the server stamped its last write.
    Corrected,
    /// The holder's, as it wrote it.
    Holder,
}

/// How far the holder's clock is ahead of the server's, in whole seconds: what it wrote minus when the server saw it.
#[must_use]
pub fn skew(record: &LeaseRecord) -> Option<i64> {
    let (written, stamp) = record.claim.renew_time.zip(record.stamp)?;
    Some(written.as_second() - stamp.as_second())
}

/// When the present holder acquired the lease.
///
/// A gateway writes its lease only to acquire it, so the server's stamp of the last write is the moment. So it is where
/// `acquireTime` and `renewTime` are the same. A lease that changed hands never was acquired when it was created.
/// Otherwise `acquireTime` is all there is, and the holder's clock is corrected by what it was off at the last write.
#[must_use]
pub fn acquired(family: Family, record: &LeaseRecord) -> Option<Acquired> {
    let claim = &record.claim;
    let by_server = |at| Acquired {
        at,
        by: Clock::Server,
    };
    let generation = Generation::of(record.holder()?)?;
    let writes_once = family == Family::Gateway && generation.nonce().is_none();
    let is_first_write = claim.acquire_time.is_some() && claim.acquire_time == claim.renew_time;
    if let Some(stamp) = record.stamp.filter(|_| writes_once || is_first_write) {
        return Some(by_server(stamp));
    }
    let claimed = claim.acquire_time?;
    let Some(skew) = skew(record) else {
        return Some(Acquired {
            at: claimed,
            by: Clock::Holder,
        });
    };
    let at = claimed
        .checked_sub(SignedDuration::from_secs(skew))
        .unwrap_or(claimed);
    let is_near = |created: &Timestamp| (at.as_second() - created.as_second()).abs() <= SAME_WRITE;
    let never_changed_hands = claim.lease_transitions.unwrap_or(0) == 0;
    if let Some(created) = record
        .created
        .filter(|_| never_changed_hands)
        .filter(is_near)
    {
        return Some(by_server(created));
    }
    Some(Acquired {
        at,
        by: Clock::Corrected,
    })
}

#[cfg(test)]
mod tests {
    use gwlock_engine::protocol::record::Claim;

    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Acquired and renewed by the holder's clock; created and stamped by the server's.
    fn record(
        holder: &str,
        acquired: i64,
        renewed: i64,
        created: i64,
        stamp: Option<i64>,
    ) -> LeaseRecord {
        LeaseRecord {
            uid: "u1".to_owned(),
            resource_version: "7".to_owned(),
            created: Some(second(created)),
            deleting: false,
            stamp: stamp.map(second),
            claim: Claim {
                holder: Some(holder.to_owned()),
                acquire_time: Some(second(acquired)),
                renew_time: Some(second(renewed)),
                ..Claim::default()
            },
        }
    }

    const OURS: &str = "gateway-1_0123456789abcdef";

    fn found(record: &LeaseRecord) -> Option<(i64, Clock)> {
        acquired(Family::Gateway, record).map(|acquired| (acquired.at.as_second(), acquired.by))
    }

    #[test]
    fn a_gateway_acquires_with_every_write() {
        // Taken over: acquireTime is still that of the holder before.
        let taken_over = record("gateway-1", 100, 200, 100, Some(200));
        assert_eq!(found(&taken_over), Some((200, Clock::Server)));
    }

    #[test]
    fn the_first_write_of_a_holder_is_stamped_by_the_server() {
        // The holder's clock is an hour ahead.
        assert_eq!(
            found(&record(OURS, 3700, 3700, 50, Some(100))),
            Some((100, Clock::Server))
        );
    }

    #[test]
    fn a_holder_that_renewed_created_its_lease_or_is_corrected() {
        let created = record(OURS, 3700, 3800, 101, Some(200));
        assert_eq!(found(&created), Some((101, Clock::Server)));
        let mut taken_over = record(OURS, 3700, 3800, 20, Some(200));
        taken_over.claim.lease_transitions = Some(1);
        assert_eq!(found(&taken_over), Some((100, Clock::Corrected)));
    }

    #[test]
    fn without_a_stamp_there_is_only_the_holders_word() {
        assert_eq!(
            found(&record(OURS, 3700, 3800, 20, None)),
            Some((3700, Clock::Holder))
        );
        assert_eq!(found(&record("", 3700, 3800, 20, None)), None);
    }
}
