//! How often an acquisition had to try again. What is sent for a lease tells it; nothing else of a run is kept.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use gwlock_engine::client::Exchange;

/// Acquisitions under way, by the number of their run.
#[derive(Debug, Default)]
pub(super) struct Tries(Mutex<HashMap<u64, Acquisition>>);

#[derive(Debug, Default)]
struct Acquisition {
    has_tried: bool,
    has_written: bool,
    has_retried: bool,
}

impl Tries {
    /// An acquisition begins.
    pub(super) fn begin(&self, run: u64) {
        self.lock().insert(run, Acquisition::default());
    }

    /// Whether this request is another try of an acquisition: a write for the lease after one that did not get it.
    pub(super) fn is_retry(&self, run: u64, exchange: &Exchange) -> bool {
        let is_try = exchange.resource == "leases" && matches!(exchange.verb, "create" | "update");
        let mut acquisitions = self.lock();
        let Some(acquisition) = acquisitions.get_mut(&run).filter(|_| is_try) else {
            return false;
        };
        let is_retry = acquisition.has_tried && !acquisition.has_written;
        acquisition.has_tried = true;
        acquisition.has_retried |= is_retry;
        acquisition.has_written |= matches!(exchange.status, Some(200..300));
        is_retry
    }

    /// Ends an acquisition, and says whether it was tried again.
    pub(super) fn end(&self, run: u64) -> bool {
        let ended = self.lock().remove(&run);
        ended.is_some_and(|acquisition| acquisition.has_retried)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Acquisition>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use gwlock_engine::protocol::clock::Moment;

    use super::*;

    fn sent(resource: &'static str, verb: &'static str, status: u16) -> Exchange {
        Exchange {
            verb,
            api_group: "",
            resource,
            namespace: String::new(),
            name: String::new(),
            required_version: None,
            sent: Moment::default(),
            took: Duration::ZERO,
            status: Some(status),
            resource_version: None,
            trouble: None,
        }
    }

    /// Which of these requests are retries, and whether the acquisition had any.
    fn retries(requests: &[(&'static str, &'static str, u16)]) -> (Vec<bool>, bool) {
        let tries = Tries::default();
        tries.begin(1);
        let seen = requests
            .iter()
            .map(|(resource, verb, status)| tries.is_retry(1, &sent(resource, verb, *status)));
        (seen.collect(), tries.end(1))
    }

    #[test]
    fn a_write_after_one_that_did_not_get_the_lease_is_a_retry() {
        assert_eq!(retries(&[("leases", "create", 201)]), (vec![false], false));
        assert_eq!(
            retries(&[
                ("leases", "create", 409),
                ("leases", "get", 200),
                ("remediationrequests", "list", 200),
                ("leases", "create", 409),
                ("leases", "update", 200),
            ]),
            (vec![false, false, false, true, true], true)
        );
    }

    #[test]
    fn a_correction_is_no_retry_and_neither_is_what_belongs_to_no_acquisition() {
        let corrected = [("leases", "create", 201), ("leases", "update", 200)];
        assert_eq!(retries(&corrected), (vec![false, false], false));
        let tries = Tries::default();
        assert!(!tries.is_retry(7, &sent("leases", "update", 200)));
        assert!(!tries.end(7));
    }
}
