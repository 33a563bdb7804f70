//! Whether a lease may be taken over, and the evidence for it.
//!
//! One function. It never looks at the holder's clock or at ours.

use std::time::Duration;

use jiff::Timestamp;

use super::clock::Moment;
use super::record::LeaseRecord;

/// The answer of one consistent read (a GET or LIST without `resourceVersion`), never of a watch or a cache.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// What was read.
    pub record: &'a LeaseRecord,
    /// The `Date` of that same answer; for a LIST in pages that of page one.
    pub date: Option<Timestamp>,
    /// When the answer arrived.
    pub arrived: Moment,
    /// When the answer arrived that first showed this uid and spec to us; the same as `arrived` on a first look.
    pub unchanged_since: Moment,
}

impl<'a> Reading<'a> {
    /// The first read of a record: nothing has been observed before it. For whoever does not look again.
    #[must_use]
    pub fn first(record: &'a LeaseRecord, date: Option<Timestamp>) -> Self {
        Self {
            record,
            date,
            arrived: Moment::default(),
            unchanged_since: Moment::default(),
        }
    }
}

/// By which rule the age was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The server's `Date` minus the server's stamp of the claim.
    Server {
        /// The stamp.
        stamp: Timestamp,
        /// The date.
        date: Timestamp,
    },
    /// How long uid and spec stayed the same under our own eyes, where the server's stamp is missing.
    Observed,
}

/// What the verdict rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// The rule.
    pub rule: Rule,
    /// The age by that rule; zero when the stamp is not in the past.
    pub age: Duration,
    /// The age that has to be exceeded: the record's duration, plus the margin under the server's rule.
    pub limit: Duration,
}

impl Evidence {
    /// How long until the age exceeds the limit; zero when it does.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.limit.saturating_sub(self.age)
    }
}

/// What may be done with a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// No holder is named: anybody may take it.
    Free,
    /// A finalizer keeps a deleted object: nobody may take it.
    Deleting,
    /// The duration has passed: anybody may take it over.
    Expired(Evidence),
    /// Somebody has it; it cannot have expired before `look_again`.
    Held {
        /// The measured age.
        evidence: Evidence,
        /// When a new read can find it expired.
        look_again: Moment,
    },
}

/// Judges a record by one read.
///
/// The server's rule: `Date` minus stamp is *more than* duration plus `margin`, in whole seconds. Where no stamp is to
/// be had, the observed rule: uid and spec unchanged for more than the duration, counted from the arrival of the first
/// answer that showed them. A missing duration counts as 30 s; a missing `renewTime` changes nothing.
#[must_use]
pub fn judge(reading: &Reading<'_>, margin: Duration) -> Verdict {
    let record = reading.record;
    if record.deleting {
        return Verdict::Deleting;
    }
    if record.holder().is_none() {
        return Verdict::Free;
    }
    match (record.stamp, reading.date) {
        (Some(stamp), Some(date)) => by_server(record, stamp, date, reading.arrived, margin),
        _ => by_observation(record, reading),
    }
}

fn by_server(
    record: &LeaseRecord,
    stamp: Timestamp,
    date: Timestamp,
    arrived: Moment,
    margin: Duration,
) -> Verdict {
    let seconds = date.as_second() - stamp.as_second();
    let age = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    let evidence = Evidence {
        rule: Rule::Server { stamp, date },
        age,
        limit: record.duration() + margin,
    };
    if age > evidence.limit {
        return Verdict::Expired(evidence);
    }
    // Whole seconds on both sides: the comparison can first hold when the next second begins.
    let until = u64::try_from(stamp.as_second() - date.as_second()).unwrap_or(0);
    let look_again =
        arrived + Duration::from_secs(until) + evidence.remaining() + Duration::from_secs(1);
    Verdict::Held {
        evidence,
        look_again,
    }
}

fn by_observation(record: &LeaseRecord, reading: &Reading<'_>) -> Verdict {
    let evidence = Evidence {
        rule: Rule::Observed,
        age: reading.arrived.since(reading.unchanged_since),
        limit: record.duration(),
    };
    if evidence.age > evidence.limit {
        return Verdict::Expired(evidence);
    }
    let look_again = reading.unchanged_since + evidence.limit + Duration::from_millis(1);
    Verdict::Held {
        evidence,
        look_again,
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::Claim;
    use super::*;

    const MARGIN: Duration = Duration::from_secs(2);

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    const fn moment(seconds: u64) -> Moment {
        Moment::from_origin(Duration::from_secs(seconds))
    }

    fn record(stamp: Option<i64>) -> LeaseRecord {
        LeaseRecord {
            uid: "u1".to_owned(),
            resource_version: "7".to_owned(),
            created: Some(second(0)),
            deleting: false,
            stamp: stamp.map(second),
            claim: Claim {
                holder: Some("gateway-1".to_owned()),
                lease_duration_seconds: Some(30),
                renew_time: Some(second(1)),
                ..Claim::default()
            },
        }
    }

    fn read(record: &LeaseRecord, date: Option<i64>) -> Reading<'_> {
        Reading {
            record,
            date: date.map(second),
            arrived: moment(50),
            unchanged_since: moment(10),
        }
    }

    #[test]
    fn the_server_rule_is_strict_and_has_the_margin() {
        let record = record(Some(100));
        let evidence = |age: i64| Evidence {
            rule: Rule::Server {
                stamp: second(100),
                date: second(100 + age),
            },
            age: Duration::from_secs(u64::try_from(age).unwrap()),
            limit: Duration::from_secs(32),
        };
        assert_eq!(
            judge(&read(&record, Some(132)), MARGIN),
            Verdict::Held {
                evidence: evidence(32),
                look_again: moment(51)
            }
        );
        assert_eq!(
            judge(&read(&record, Some(133)), MARGIN),
            Verdict::Expired(evidence(33))
        );
    }

    #[test]
    fn a_stamp_in_the_future_is_not_expired_before_its_own_duration() {
        let record = record(Some(160));
        let Verdict::Held {
            evidence,
            look_again,
        } = judge(&read(&record, Some(100)), MARGIN)
        else {
            panic!("held")
        };
        assert_eq!(
            (evidence.age, look_again),
            (Duration::ZERO, moment(50 + 60 + 32 + 1))
        );
    }

    #[test]
    fn without_a_stamp_only_our_own_eyes_count() {
        let record = record(None);
        assert_eq!(
            judge(&read(&record, Some(9_999)), MARGIN),
            Verdict::Expired(Evidence {
                rule: Rule::Observed,
                age: Duration::from_secs(40),
                limit: Duration::from_secs(30)
            })
        );
        let first_look = Reading {
            unchanged_since: moment(50),
            ..read(&record, Some(9_999))
        };
        let Verdict::Held { look_again, .. } = judge(&first_look, MARGIN) else {
            panic!("held")
        };
        assert_eq!(look_again, moment(80) + Duration::from_millis(1));
    }

    #[test]
    fn nil_fields_count_as_thirty_seconds_and_change_no_rule() {
        let mut record = record(Some(100));
        record.claim.lease_duration_seconds = None;
        record.claim.renew_time = None;
        assert!(matches!(
            judge(&read(&record, Some(132)), MARGIN),
            Verdict::Held { .. }
        ));
        assert!(matches!(
            judge(&read(&record, Some(133)), MARGIN),
            Verdict::Expired(_)
        ));
    }

    #[test]
    fn an_empty_holder_is_free_and_a_deleted_lease_is_nobodys() {
        let mut record = record(Some(100));
        record.claim.holder = Some(String::new());
        assert_eq!(judge(&read(&record, Some(100)), MARGIN), Verdict::Free);
        record.deleting = true;
        assert_eq!(judge(&read(&record, Some(999)), MARGIN), Verdict::Deleting);
    }
}
