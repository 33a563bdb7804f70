//! What was read last of each lease: what is news, and what may expire when. Nothing is read or shown here.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use gwlock_engine::protocol::clock::Moment;

use super::super::report::Report;
use super::Lease;

/// After the moment at which a lease expires by the server's whole seconds.
const A_SECOND: Duration = Duration::from_secs(1);

/// Every lease that is there.
#[derive(Debug, Default)]
pub(super) struct Known {
    leases: HashMap<Lease, Seen>,
    /// When a lease is worth to be read although nothing has changed.
    expiring: BTreeSet<(Moment, Lease)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    version: String,
    state: &'static str,
    expires: Option<Moment>,
    /// When the first read of this version arrived.
    since: Moment,
}

impl Known {
    /// Takes in what a read has shown that arrived at this moment. If it is news, for how long this version has been seen:
    /// two events may be followed by one read that answers both.
    pub(super) fn take_in(&mut self, report: &Report<'_>, arrived: Moment) -> Option<Duration> {
        let lease = report.lease();
        let before = self.leases.remove(&lease);
        if let Some(expires) = before.as_ref().and_then(|seen| seen.expires) {
            self.expiring.remove(&(expires, lease.clone()));
        }
        if report.is_gone() {
            return before.map(|_| Duration::ZERO);
        }
        let same = before.filter(|before| before.version == report.version);
        let is_news = same
            .as_ref()
            .is_none_or(|before| before.state != report.state);
        let since = same.map_or(arrived, |before| before.since);
        let expires = report.expires_in().map(|left| arrived + left + A_SECOND);
        if let Some(expires) = expires {
            self.expiring.insert((expires, lease.clone()));
        }
        let seen = Seen {
            version: report.version.to_owned(),
            state: report.state,
            expires,
            since,
        };
        self.leases.insert(lease, seen);
        is_news.then(|| arrived.since(since))
    }

    /// Those that are known and were not in a list.
    pub(super) fn missing_from(&self, is_listed: impl Fn(&Lease) -> bool) -> Vec<Lease> {
        let missing = self.leases.keys().filter(|lease| !is_listed(lease));
        missing.cloned().collect()
    }

    /// When the next lease may have expired.
    pub(super) fn next_expiry(&self) -> Option<Moment> {
        self.expiring.first().map(|(at, _)| *at)
    }

    /// A lease that may have expired by now. It is told once, until it has been read again.
    pub(super) fn pop_expired(&mut self, now: Moment) -> Option<Lease> {
        if self.next_expiry()? > now {
            return None;
        }
        let (_, lease) = self.expiring.pop_first()?;
        if let Some(seen) = self.leases.get_mut(&lease) {
            seen.expires = None;
        }
        Some(lease)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.leases.len()
    }
}

#[cfg(test)]
mod tests {
    use gwlock_engine::client::list::Listed;
    use gwlock_engine::protocol::record::{Claim, LeaseRecord};
    use jiff::Timestamp;

    use super::*;

    fn at(second: i64) -> Option<Timestamp> {
        Timestamp::from_second(second).ok()
    }

    fn moment(seconds: u64) -> Moment {
        Moment::from_origin(Duration::from_secs(seconds))
    }

    fn listed(version: &str) -> Listed {
        let record = LeaseRecord {
            uid: "u1".to_owned(),
            resource_version: version.to_owned(),
            created: at(1000),
            deleting: false,
            stamp: at(1000),
            claim: Claim {
                holder: Some("gateway-1".to_owned()),
                lease_duration_seconds: Some(30),
                renew_time: at(1000),
                ..Claim::default()
            },
        };
        Listed {
            namespace: "ns".to_owned(),
            name: "gw-lock-1".to_owned(),
            record,
        }
    }

    #[test]
    fn a_version_has_been_seen_since_the_first_read_that_showed_it() {
        let mut known = Known::default();
        let mut take_in = |version: &str, date: i64, arrived: u64| {
            known.take_in(&Report::of(&listed(version), at(date)), moment(arrived))
        };
        let news = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(take_in("7", 1010, 5), news(0));
        assert_eq!(take_in("7", 1020, 15), None);
        // It expires, which is news of the same version.
        assert_eq!(take_in("7", 1033, 28), news(23));
        assert_eq!(take_in("8", 1034, 29), news(0));
    }
}
