//! The timing of leases as a scenario's file says it: what is left out is in the usual proportions.

use std::time::Duration;

use gwlock_engine::protocol::timing::{DEFAULT_LEASE_DURATION, Timing};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    lease_duration: Option<String>,
    renew_deadline: Option<String>,
    retry_period: Option<String>,
}

/// Reads `{leaseDuration: 9s, renewDeadline: 6s, retryPeriod: 600ms}`.
pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timing, D::Error> {
    let written = Written::deserialize(deserializer)?;
    let given = |text: &Option<String>, usual: Duration| match text {
        Some(text) => super::duration(text).map_err(D::Error::custom),
        None => Ok(usual),
    };
    let lease_duration = given(&written.lease_duration, DEFAULT_LEASE_DURATION)?;
    let usual = Timing::with_duration(lease_duration).map_err(D::Error::custom)?;
    Timing::new(
        lease_duration,
        given(&written.renew_deadline, usual.renew_deadline())?,
        given(&written.retry_period, usual.retry_period())?,
    )
    .map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::super::Scenario;
    use super::*;

    #[test]
    fn what_a_file_leaves_out_of_the_timing_is_in_the_usual_proportions() {
        let timing = |yaml: &str| Scenario::parse(yaml).unwrap().timing;
        let (s, ms) = (Duration::from_secs, Duration::from_millis);
        assert_eq!(timing("pods: 3"), Timing::default());
        assert_eq!(
            timing("timing: {leaseDuration: 9s}"),
            Timing::new(s(9), s(6), ms(600)).unwrap()
        );
        assert_eq!(
            timing("timing: {leaseDuration: 9s, renewDeadline: 7s, retryPeriod: 1s}"),
            Timing::new(s(9), s(7), s(1)).unwrap()
        );
    }
}
