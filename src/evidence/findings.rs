//! What is odd about one lease, as data. How it is put into words, and what to do about it, is the commands' business.

use std::time::Duration;

use gwlock_engine::client::list::Listed;
use gwlock_engine::protocol::expiry::{Rule, Verdict};
use gwlock_engine::protocol::key::{FINGERPRINT_PREFIX_LEN, GATEWAY_PREFIX};

use super::acquisition::skew;
use super::holder::{Family, Generation};
use super::pod::PodState;
use super::shared_name::Shared;

/// A clock that is off by no more seconds than this is not worth a word.
pub const SKEW_WORTH_SAYING: i64 = 2;

/// How many durations without a write make a lease a leaked one, unless somebody says otherwise.
pub const LEAKED_AFTER: u32 = 10;

/// One odd thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// `renewTime` is missing: whoever compares it waits for ever.
    NoRenewTime,
    /// `leaseDurationSeconds` is missing: the same.
    NoDuration,
    /// It names no holder: a gateway takes it for somebody else's until it expires.
    NoHolder,
    /// It was deleted, and a finalizer keeps it.
    KeptByFinalizer,
    /// The server has no stamp of the claim: its expiry can only be observed.
    NoStamp,
    /// The holder's clock is off by so many seconds; positive if it is ahead.
    HolderClock(i64),
    /// A takeover kept the `acquireTime` of the holder before, so many seconds ago when it was written.
    AcquireTimeKept(i64),
    /// `acquireTime` is so many seconds before the lease was created, by the server's time.
    AcquiredBeforeCreation(i64),
    /// `acquireTime` is after `renewTime`.
    AcquiredAfterRenewal,
    /// No fingerprint makes this name.
    ImpossibleName,
    /// It looks like a lock, and nobody here has this prefix.
    UnknownPrefix,
    /// Nobody has written, taken over or released it for so many of its durations.
    Leaked(u64),
    /// Several processes use the holder's name.
    SharedName(Shared),
    /// The holder's pod is gone, or cannot be reached.
    Pod(PodState),
}

/// What kind of oddness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// What stands in the lease cannot be what its protocol writes.
    Malformed,
    /// Anything else.
    Odd,
}

/// What is looked for beside what always is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looking {
    /// All leases are listed, so that locks of unknown prefixes are worth a word.
    pub at_all_prefixes: bool,
    /// How many durations without a write make a lease a leaked one.
    pub leaked_after: u32,
}

impl Default for Looking {
    fn default() -> Self {
        Self {
            at_all_prefixes: false,
            leaked_after: LEAKED_AFTER,
        }
    }
}

impl Finding {
    /// What kind it is.
    #[must_use]
    pub fn class(self) -> Class {
        match self {
            Self::NoRenewTime
            | Self::NoDuration
            | Self::AcquireTimeKept(_)
            | Self::AcquiredBeforeCreation(_)
            | Self::AcquiredAfterRenewal
            | Self::ImpossibleName
            | Self::UnknownPrefix => Class::Malformed,
            Self::NoHolder
            | Self::KeptByFinalizer
            | Self::NoStamp
            | Self::HolderClock(_)
            | Self::Leaked(_)
            | Self::SharedName(_)
            | Self::Pod(_) => Class::Odd,
        }
    }

    /// As JSON has it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NoRenewTime => "NoRenewTime",
            Self::NoDuration => "NoDuration",
            Self::NoHolder => "NoHolder",
            Self::KeptByFinalizer => "KeptByFinalizer",
            Self::NoStamp => "NoStamp",
            Self::HolderClock(_) => "HolderClock",
            Self::AcquireTimeKept(_) => "AcquireTimeKept",
            Self::AcquiredBeforeCreation(_) => "AcquiredBeforeCreation",
            Self::AcquiredAfterRenewal => "AcquiredAfterRenewal",
            Self::ImpossibleName => "ImpossibleName",
            Self::UnknownPrefix => "UnknownPrefix",
            Self::Leaked(_) => "Leaked",
            Self::SharedName(_) => "SharedName",
            Self::Pod(_) => "Pod",
        }
    }
}

/// What is odd about a lease by itself. Interactive sessions have another protocol, and what the fields of other
/// leases mean is their owners' business: of those only what hurts everybody is said.
#[must_use]
pub fn of_lease(listed: &Listed, verdict: &Verdict, looking: Looking) -> Vec<Finding> {
    let family = Family::of(&listed.name);
    let mut findings = Vec::new();
    match family {
        Family::Interactive => return findings,
        Family::Gateway | Family::Orchestrator => {
            of_lock(family, listed, &mut findings);
            findings.extend(leaked(verdict, listed.record.duration(), looking));
        }
        Family::Foreign => {
            if looking.at_all_prefixes && looks_like_a_lock(&listed.name) {
                findings.push(Finding::UnknownPrefix);
            }
            if listed.record.deleting {
                findings.push(Finding::KeptByFinalizer);
            }
        }
    }
    let skew = skew(&listed.record).filter(|skew| skew.abs() > SKEW_WORTH_SAYING);
    findings.extend(skew.map(Finding::HolderClock));
    findings
}

fn of_lock(family: Family, listed: &Listed, findings: &mut Vec<Finding>) {
    let record = &listed.record;
    let claim = &record.claim;
    let mut say = |finding, is_so: bool| findings.extend(is_so.then_some(finding));
    say(Finding::NoRenewTime, claim.renew_time.is_none());
    say(Finding::NoDuration, claim.lease_duration_seconds.is_none());
    say(
        Finding::NoHolder,
        record.holder().is_none() && family == Family::Gateway,
    );
    say(Finding::KeptByFinalizer, record.deleting);
    say(Finding::NoStamp, record.stamp.is_none());
    say(
        Finding::ImpossibleName,
        family == Family::Gateway && !is_digits(&listed.name[GATEWAY_PREFIX.len()..]),
    );
    findings.extend(acquire_time(family, listed));
}

/// A gateway writes `acquireTime` and `renewTime` as one value when it creates a lease, and `renewTime` alone when it
/// takes one over, which is after its duration; it never renews. Nobody acquires a lease before it exists.
fn acquire_time(family: Family, listed: &Listed) -> Option<Finding> {
    let record = &listed.record;
    let (acquired, renewed) = record.claim.acquire_time.zip(record.claim.renew_time)?;
    let behind = renewed.as_second() - acquired.as_second();
    let generation = Generation::of(record.holder()?)?;
    if acquired > renewed {
        return Some(Finding::AcquiredAfterRenewal);
    }
    if family == Family::Gateway && generation.nonce().is_none() {
        let shortest = i64::try_from(record.duration().as_secs()).unwrap_or(i64::MAX);
        return (behind > shortest).then_some(Finding::AcquireTimeKept(behind));
    }
    let created = record.created?;
    let before = created.as_second() - (acquired.as_second() - skew(record)?);
    (before > SKEW_WORTH_SAYING).then_some(Finding::AcquiredBeforeCreation(before))
}

fn leaked(verdict: &Verdict, duration: Duration, looking: Looking) -> Option<Finding> {
    let Verdict::Expired(evidence) = verdict else {
        return None;
    };
    let is_server = matches!(evidence.rule, Rule::Server { .. });
    let durations = evidence.age.as_secs() / duration.as_secs().max(1);
    let is_leaked = is_server && durations >= u64::from(looking.leaked_after);
    is_leaked.then_some(Finding::Leaked(durations))
}

fn is_digits(text: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len() == FINGERPRINT_PREFIX_LEN && text.bytes().all(is_digit)
}

/// `…lock…-<16 hex digits>`, which is nobody's leader election.
fn looks_like_a_lock(name: &str) -> bool {
    let parts = name.rsplit_once('-');
    parts.is_some_and(|(prefix, digits)| prefix.contains("lock") && is_digits(digits))
}

#[cfg(test)]
mod tests {
    use gwlock_engine::protocol::expiry::{Reading, judge};
    use gwlock_engine::protocol::record::{Claim, LeaseRecord};
    use gwlock_engine::protocol::timing::DEFAULT_MARGIN;
    use jiff::Timestamp;

    use super::*;

    const NAME: &str = "gw-lock-91fce8d5c4949766";
    const OURS: &str = "gateway-1_0123456789abcdef";

    fn second(second: i64) -> Option<Timestamp> {
        Timestamp::from_second(second).ok()
    }

    /// Created, written and stamped at 1000 by a clock that is right.
    fn lease(name: &str, holder: &str) -> Listed {
        Listed {
            namespace: "ns".to_owned(),
            name: name.to_owned(),
            record: LeaseRecord {
                uid: "u1".to_owned(),
                resource_version: "7".to_owned(),
                created: second(1000),
                deleting: false,
                stamp: second(1000),
                claim: Claim {
                    holder: Some(holder.to_owned()),
                    lease_duration_seconds: Some(30),
                    acquire_time: second(1000),
                    renew_time: second(1000),
                    lease_transitions: None,
                },
            },
        }
    }

    fn found_at(listed: &Listed, date: i64, looking: Looking) -> Vec<Finding> {
        let reading = Reading::first(&listed.record, second(date));
        of_lease(listed, &judge(&reading, DEFAULT_MARGIN), looking)
    }

    fn found(listed: &Listed) -> Vec<Finding> {
        found_at(listed, 1010, Looking::default())
    }

    #[test]
    fn what_the_protocols_write_is_not_odd() {
        for (name, holder) in [
            (NAME, "gateway-1"),
            (NAME, OURS),
            ("ro-lock-e7eda236b9ebe6f2", "ro-0"),
        ] {
            assert_eq!(found(&lease(name, holder)), [], "{name} {holder}");
        }
        // Renewed since, by us and by the orchestrator.
        for (name, holder) in [(NAME, OURS), ("ro-lock-e7eda236b9ebe6f2", "ro-0")] {
            let mut renewed = lease(name, holder);
            renewed.record.claim.renew_time = second(1060);
            renewed.record.stamp = second(1060);
            assert_eq!(found_at(&renewed, 1070, Looking::default()), []);
        }
    }

    #[test]
    fn missing_fields_are_malformed() {
        let mut listed = lease(NAME, "gateway-1");
        listed.record.claim.renew_time = None;
        listed.record.claim.lease_duration_seconds = None;
        listed.record.claim.acquire_time = None;
        assert_eq!(found(&listed), [Finding::NoRenewTime, Finding::NoDuration]);
        assert_eq!(Finding::NoRenewTime.class(), Class::Malformed);
    }

    #[test]
    fn a_gateways_takeover_keeps_the_acquire_time_of_the_holder_before() {
        let mut listed = lease(NAME, "gateway-2");
        listed.record.claim.renew_time = second(1040);
        listed.record.stamp = second(1040);
        assert_eq!(
            found_at(&listed, 1050, Looking::default()),
            [Finding::AcquireTimeKept(40)]
        );
    }

    #[test]
    fn nobody_acquires_what_does_not_exist_or_after_having_renewed_it() {
        let mut listed = lease(NAME, OURS);
        listed.record.claim.acquire_time = second(900);
        assert_eq!(found(&listed), [Finding::AcquiredBeforeCreation(100)]);
        listed.record.claim.acquire_time = second(1001);
        assert_eq!(found(&listed), [Finding::AcquiredAfterRenewal]);
        // A clock that is an hour behind wrote both.
        listed.record.claim.acquire_time = second(1000 - 3600);
        listed.record.claim.renew_time = second(1000 - 3600);
        assert_eq!(found(&listed), [Finding::HolderClock(-3600)]);
    }

    #[test]
    fn names_that_no_fingerprint_makes_are_told() {
        for (name, is_odd) in [
            (NAME, false),
            ("gw-lock-1", true),
            ("gw-lock-91fce8d5c494976g", true),
            ("gw-lock-91fce8d5c49497660", true),
            ("ro-lock-1", false),
        ] {
            let expected: &[Finding] = if is_odd {
                &[Finding::ImpossibleName]
            } else {
                &[]
            };
            assert_eq!(found(&lease(name, "gateway-1")), expected, "{name}");
        }
    }

    #[test]
    fn other_leases_are_their_owners_business() {
        let all = Looking {
            at_all_prefixes: true,
            ..Looking::default()
        };
        for name in [
            "cert-manager-controller",
            "worker-1",
            "apiserver-ek6aikk6lpmtqvqpiqqxjnvpaq",
            "lock-controller",
        ] {
            let mut listed = lease(name, "x");
            listed.record.claim = Claim {
                holder: Some("x".to_owned()),
                ..Claim::default()
            };
            assert_eq!(found_at(&listed, 99_999, all), [], "{name}");
        }
        let foreign = lease("my-lock-91fce8d5c4949766", "x");
        assert_eq!(found_at(&foreign, 1010, all), [Finding::UnknownPrefix]);
        assert_eq!(found(&foreign), []);
    }

    #[test]
    fn a_lease_is_leaked_after_ten_durations_or_as_many_as_are_said() {
        let listed = lease(NAME, "gateway-1");
        assert_eq!(found_at(&listed, 1299, Looking::default()), []);
        assert_eq!(
            found_at(&listed, 1300, Looking::default()),
            [Finding::Leaked(10)]
        );
        let soon = Looking {
            leaked_after: 2,
            ..Looking::default()
        };
        assert_eq!(found_at(&listed, 1060, soon), [Finding::Leaked(2)]);
    }
}
