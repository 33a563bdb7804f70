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
}

impl Known {
    /// Takes in what a read has shown that arrived at this moment. Whether it is news: two events may be followed by one
    /// read that answers both.
    pub(super) fn take_in(&mut self, report: &Report<'_>, arrived: Moment) -> bool {
        let lease = report.lease();
        let before = self.leases.remove(&lease);
        if let Some(expires) = before.as_ref().and_then(|seen| seen.expires) {
            self.expiring.remove(&(expires, lease.clone()));
        }
        if report.is_gone() {
            return before.is_some();
        }
        let is_news = before
            .is_none_or(|before| before.version != report.version || before.state != report.state);
        let expires = report.expires_in().map(|left| arrived + left + A_SECOND);
        if let Some(expires) = expires {
            self.expiring.insert((expires, lease.clone()));
        }
        let seen = Seen {
            version: report.version.to_owned(),
            state: report.state,
            expires,
        };
        self.leases.insert(lease, seen);
        is_news
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
