//! Leases that nobody will release, that no gateway can take over, that somebody keeps, and too many of them.

use std::time::Duration;

use gwlock_engine::client::list::{Listed, Listing};
use gwlock_engine::protocol::expiry::{Evidence, Reading, Rule, Verdict, judge};
use gwlock_engine::protocol::key::GATEWAY_PREFIX;
use gwlock_engine::protocol::timing::DEFAULT_MARGIN;
use serde_json::json;

use super::check::{Check, Outcome, Step, Subject, several, some};
use crate::evidence::findings::{Finding, Looking, of_lease};
use crate::evidence::holder::Family;
use crate::gateway::dedup::findings::LONG;

/// How many are named in a message.
const SHOWN: usize = 3;

/// So many leases that have expired are more than crashes leave: nobody collects them.
pub(crate) const MANY_EXPIRED: usize = 1000;
/// So many leases for each active key are more than the signals of one moment need …
pub(crate) const LEASES_PER_KEY: usize = 10;
/// … and fewer than this are never too many: first signals have no active key yet.
pub(crate) const FEW: usize = 100;

/// Those whose holders are judged by the lock's rule.
pub(super) fn locks(leases: &Listing) -> impl Iterator<Item = &Listed> {
    let items = leases.items.iter();
    items.filter(|lease| Family::of(&lease.name).is_lock())
}

fn verdict(lease: &Listed, leases: &Listing) -> Verdict {
    judge(&Reading::first(&lease.record, leases.date), DEFAULT_MARGIN)
}

fn expired(lease: &Listed, leases: &Listing) -> Option<Evidence> {
    match verdict(lease, leases) {
        Verdict::Expired(evidence) if evidence.rule != Rule::Observed => Some(evidence),
        _ => None,
    }
}

/// Leases that have expired and are still there: their holders died, or could not delete them.
pub(crate) fn stale(leases: &Listing, namespace: &str) -> Check {
    let mut stale: Vec<(Duration, &Listed)> = locks(leases)
        .filter_map(|lease| {
            let evidence = expired(lease, leases)?;
            Some((evidence.age.saturating_sub(evidence.limit), lease))
        })
        .collect();
    stale.sort_by_key(|(since, lease)| (std::cmp::Reverse(*since), lease.name.as_str()));
    let check = |outcome, message| Check::new(Subject::Leases, "stale-leases", outcome, message);
    if stale.is_empty() {
        let message = format!("no lease in {namespace} has expired");
        return check(Outcome::Ok, message).with(json!({"expired": 0}));
    }
    let said: Vec<String> = stale
        .iter()
        .map(|(since, lease)| {
            let holder = lease.record.holder().unwrap_or_default();
            format!("{} of {holder}, {} s ago", lease.name, since.as_secs())
        })
        .collect();
    let message = format!(
        "{} expired and not released, so that the holder crashed or could not delete: {}",
        several(stale.len(), "lease"),
        some(&said, SHOWN)
    );
    let steps = match stale.as_slice() {
        [(_, lease)] => vec![
            Step::Gwlock(format!("inspect {} -n {namespace}", lease.name)),
            Step::Gwlock(format!("force-expire {} -n {namespace}", lease.name)),
        ],
        _ => vec![
            Step::Gwlock(format!(
                "inspect -n {namespace} --prefix gw-lock --prefix ro-lock --stale -o wide"
            )),
            Step::Gwlock(format!("gc -n {namespace}")),
        ],
    };
    let worst: Vec<_> = stale
        .iter()
        .take(10)
        .map(|(since, lease)| {
            json!({"name": lease.name, "holder": lease.record.holder(), "expiredSecondsAgo": since.as_secs()})
        })
        .collect();
    check(Outcome::Warning, message)
        .with(json!({"expired": stale.len(), "worst": worst}))
        .steps(steps)
}

/// Leases that block a gateway for longer than their duration, or for ever, by the findings of `inspect`.
pub(crate) fn malformed(leases: &Listing, namespace: &str) -> Check {
    let mut blocking: Vec<(String, String)> = Vec::new();
    let mut odd: Vec<(String, String)> = Vec::new();
    for lease in locks(leases) {
        let name = &lease.name;
        for finding in of_lease(lease, &verdict(lease, leases), Looking::default()) {
            let (found, words) = match finding {
                Finding::NoRenewTime => (&mut blocking, "has no renewTime"),
                Finding::NoDuration => (&mut blocking, "has no leaseDurationSeconds"),
                Finding::KeptByFinalizer => (&mut blocking, "is deleted, but a finalizer keeps it"),
                Finding::NoHolder => (&mut odd, "has no holder"),
                Finding::ImpossibleName => (&mut odd, "is no key's name"),
                Finding::NoStamp => (&mut odd, "has no server stamp: expiry can only be observed"),
                Finding::AcquireTimeKept(_)
                | Finding::AcquiredBeforeCreation(_)
                | Finding::AcquiredAfterRenewal => {
                    (&mut odd, "was acquired at another time than it says")
                }
                // Others tell of these: clocks, what has expired, and pods.
                Finding::UnknownPrefix
                | Finding::HolderClock(_)
                | Finding::Leaked(_)
                | Finding::SharedName(_)
                | Finding::Pod(_) => continue,
            };
            found.push((name.clone(), format!("{name} {words}")));
        }
    }
    let check =
        |outcome, message| Check::new(Subject::Leases, "malformed-leases", outcome, message);
    let evidence = json!({
        "blocking": blocking.iter().map(|(_, words)| words).collect::<Vec<_>>(),
        "odd": odd.iter().map(|(_, words)| words).collect::<Vec<_>>(),
    });
    let (outcome, found, meaning) = match (blocking.is_empty(), odd.is_empty()) {
        (true, true) => {
            let message = format!("every lease in {namespace} is one that gateways can judge");
            return check(Outcome::Ok, message).with(evidence);
        }
        (false, _) => (
            Outcome::Failure,
            &blocking,
            "a gateway waits for these for ever, and their signals fail",
        ),
        (true, false) => (Outcome::Warning, &odd, "no gateway writes these"),
    };
    let said: Vec<&str> = found.iter().map(|(_, words)| words.as_str()).collect();
    let name = &found[0].0;
    let check = check(outcome, format!("{}; {meaning}", some(&said, SHOWN))).with(evidence);
    let is_kept = locks(leases).any(|lease| lease.name == *name && lease.record.deleting);
    let check = check.step(Step::Gwlock(format!("inspect {name} -n {namespace}")));
    if is_kept {
        return check.step(Step::Kubectl(format!(
            "patch leases.coordination.k8s.io {name} -n {namespace} --type=merge -p '{{\"metadata\":{{\"finalizers\":null}}}}'"
        )));
    }
    check.step(Step::Gwlock(format!("force-expire {name} -n {namespace}")))
}

/// Leases that one acquisition holds for longer than any signal takes.
pub(crate) fn long_held(leases: &Listing, namespace: &str) -> Check {
    let mut held: Vec<(u64, &Listed, &str)> = locks(leases)
        .filter_map(|lease| {
            let record = &lease.record;
            if !matches!(verdict(lease, leases), Verdict::Held { .. }) {
                return None;
            }
            let since = [record.created, record.claim.acquire_time];
            let since = since.into_iter().flatten().max()?;
            let seconds = leases.date?.as_second() - since.as_second();
            Some((u64::try_from(seconds).ok()?, lease, record.holder()?))
        })
        .filter(|(seconds, ..)| *seconds > LONG.as_secs())
        .collect();
    held.sort_by_key(|(seconds, lease, _)| (std::cmp::Reverse(*seconds), lease.name.as_str()));
    let check =
        |outcome, message| Check::new(Subject::Leases, "long-held-leases", outcome, message);
    let Some((_, first, _)) = held.first() else {
        let message = format!("no lease is held for more than {} s", LONG.as_secs());
        return check(Outcome::Ok, message).with(json!({"held": 0}));
    };
    let said: Vec<String> = held
        .iter()
        .map(|(seconds, lease, holder)| format!("{} by {holder} for {seconds} s", lease.name))
        .collect();
    let message = format!(
        "{} held for longer than a signal takes, so that the holder is stuck or a person has it: {}",
        several(held.len(), "lease"),
        some(&said, SHOWN)
    );
    let evidence: Vec<_> = held
        .iter()
        .take(10)
        .map(|(seconds, lease, holder)| json!({"name": lease.name, "holder": holder, "heldSeconds": seconds}))
        .collect();
    check(Outcome::Warning, message)
        .with(json!({"held": held.len(), "longest": evidence}))
        .step(Step::Gwlock(format!(
            "inspect {} -n {namespace}",
            first.name
        )))
}

/// Whether there are more leases than the signals of a moment need. `active_keys` is how many keys have an active
/// RemediationRequest, if that is known.
pub(crate) fn count(leases: &Listing, active_keys: Option<usize>, namespace: &str) -> Check {
    let gateways = leases
        .items
        .iter()
        .filter(|lease| lease.name.starts_with(GATEWAY_PREFIX));
    let (mut all, mut gone) = (0, 0);
    for lease in gateways {
        all += 1;
        gone += usize::from(expired(lease, leases).is_some());
    }
    let check = |outcome, message| Check::new(Subject::Leases, "lease-count", outcome, message);
    let usual = active_keys.map(|keys| FEW.max(keys * LEASES_PER_KEY));
    let evidence = json!({
        "leases": all, "expired": gone, "active": active_keys, "usualAtMost": usual,
        "allInNamespace": leases.items.len(),
    });
    let collect = || {
        [
            Step::Gwlock(format!("gc -n {namespace} --dry-run=client")),
            Step::Gwlock(format!("gc -n {namespace}")),
        ]
    };
    if gone > MANY_EXPIRED {
        let message = format!(
            "{gone} of {} expired: they pile up, because nothing collects what crashes leave; run gc every hour, as \
             deploy/gc-cronjob.yaml does",
            several(all, "lease")
        );
        return check(Outcome::Warning, message)
            .with(evidence)
            .steps(collect());
    }
    match (usual, active_keys) {
        (Some(usual), Some(keys)) if all > usual => {
            let message = format!(
                "{} for {}: more than {usual}, which is what they need at most; they are not released, or somebody makes them",
                several(all, "lease"),
                several(keys, "active key")
            );
            check(Outcome::Warning, message)
                .with(evidence)
                .steps(collect())
        }
        _ => {
            let message = format!("{} of gateways in {namespace}", several(all, "lease"));
            check(Outcome::Ok, message).with(evidence)
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use gwlock_engine::protocol::record::{Claim, LeaseRecord};
    use jiff::Timestamp;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// A lease that was made when the server stamped it.
    pub(crate) fn held(name: &str, stamp: i64, written: i64) -> Listed {
        let record = LeaseRecord {
            uid: "u1".to_owned(),
            resource_version: "7".to_owned(),
            created: Some(at(stamp)),
            deleting: false,
            stamp: Some(at(stamp)),
            claim: Claim {
                holder: Some("gateway-1".to_owned()),
                lease_duration_seconds: Some(30),
                acquire_time: Some(at(written)),
                renew_time: Some(at(written)),
                ..Claim::default()
            },
        };
        Listed {
            namespace: "ns".to_owned(),
            name: name.to_owned(),
            record,
        }
    }

    pub(crate) fn listing(items: Vec<Listed>, date: i64) -> Listing {
        Listing {
            items,
            date: Some(at(date)),
            took: Duration::ZERO,
            resource_version: String::new(),
        }
    }

    fn name(number: usize) -> String {
        format!("gw-lock-{number:016x}")
    }

    #[test]
    fn one_stale_lease_is_removed_by_name_and_many_by_gc() {
        let one = listing(vec![held(&name(1), 1000, 1000)], 1041);
        let check = stale(&one, "ns");
        assert_eq!(
            (check.outcome, check.message.as_str()),
            (
                Outcome::Warning,
                "1 lease expired and not released, so that the holder crashed or could not delete: \
                 gw-lock-0000000000000001 of gateway-1, 9 s ago"
            )
        );
        assert_eq!(
            check.fix[1],
            Step::Gwlock("force-expire gw-lock-0000000000000001 -n ns".to_owned())
        );
        let many = (1..=5)
            .map(|number| held(&name(number), 1000 - number as i64, 1000))
            .collect();
        let check = stale(&listing(many, 1041), "ns");
        assert!(
            check.message.ends_with(
                "gw-lock-0000000000000005 of gateway-1, 14 s ago, gw-lock-0000000000000004 of gateway-1, 13 s ago, \
                 gw-lock-0000000000000003 of gateway-1, 12 s ago and 2 more"
            ),
            "{}",
            check.message
        );
        assert_eq!(check.fix[1], Step::Gwlock("gc -n ns".to_owned()));
        let live = listing(vec![held(&name(1), 1000, 1000)], 1032);
        assert_eq!(stale(&live, "ns").outcome, Outcome::Ok);
    }

    #[test]
    fn what_a_gateway_waits_for_for_ever_is_a_failure() {
        type Damage = fn(&mut Listed);
        let cases: [(Damage, Outcome, &str); 8] = [
            (|_| {}, Outcome::Ok, "every lease in ns"),
            (
                |lease| lease.record.claim.renew_time = None,
                Outcome::Failure,
                "gw-lock-0000000000000001 has no renewTime; ",
            ),
            (
                |lease| lease.record.claim.lease_duration_seconds = None,
                Outcome::Failure,
                "gw-lock-0000000000000001 has no leaseDurationSeconds; ",
            ),
            (
                |lease| lease.record.deleting = true,
                Outcome::Failure,
                "gw-lock-0000000000000001 is deleted",
            ),
            (
                |lease| lease.record.claim.holder = None,
                Outcome::Warning,
                "gw-lock-0000000000000001 has no holder; ",
            ),
            (
                |lease| lease.name = "gw-lock-short".to_owned(),
                Outcome::Warning,
                "gw-lock-short is no key's name; ",
            ),
            (
                |lease| lease.record.stamp = None,
                Outcome::Warning,
                "gw-lock-0000000000000001 has no server stamp",
            ),
            (
                |lease| lease.record.claim.acquire_time = Some(at(2000)),
                Outcome::Warning,
                "gw-lock-0000000000000001 was acquired at another time than it says; ",
            ),
        ];
        for (damage, outcome, message) in cases {
            let mut lease = held(&name(1), 1000, 1000);
            damage(&mut lease);
            let check = malformed(&listing(vec![lease], 1001), "ns");
            assert_eq!(check.outcome, outcome, "{}", check.message);
            assert!(check.message.starts_with(message), "{}", check.message);
        }
    }

    #[test]
    fn a_lease_that_is_held_for_long_is_told_by_who() {
        let mut lease = held(&name(1), 1055, 1055);
        lease.record.created = Some(at(900));
        lease.record.claim.acquire_time = Some(at(1000));
        assert_eq!(
            long_held(&listing(vec![lease.clone()], 1060), "ns").outcome,
            Outcome::Ok
        );
        let check = long_held(&listing(vec![lease], 1061), "ns");
        assert_eq!(check.outcome, Outcome::Warning);
        assert!(
            check
                .message
                .ends_with("gw-lock-0000000000000001 by gateway-1 for 61 s"),
            "{}",
            check.message
        );
    }

    #[test]
    fn interactive_sessions_and_the_leases_of_others_are_left_alone() {
        let leases = listing(
            vec![
                held("kubernaut-interactive-rr-1", 1, 1),
                held("cert-manager", 1, 1),
            ],
            9000,
        );
        for check in [
            stale(&leases, "ns"),
            malformed(&leases, "ns"),
            long_held(&leases, "ns"),
        ] {
            assert_eq!(check.outcome, Outcome::Ok, "{check:?}");
        }
    }

    #[test]
    fn too_many_leases_are_those_that_pile_up_and_those_that_no_signal_needs() {
        let of = |leases: usize, date: i64, keys: Option<usize>| {
            let items = (0..leases)
                .map(|number| held(&name(number), 1000, 1000))
                .collect();
            count(&listing(items, date), keys, "ns")
        };
        assert_eq!(of(MANY_EXPIRED, 1040, None).outcome, Outcome::Ok);
        let check = of(MANY_EXPIRED + 1, 1040, None);
        assert!(
            check
                .message
                .starts_with("1001 of 1001 leases expired: they pile up"),
            "{}",
            check.message
        );
        assert_eq!(of(FEW, 1001, Some(0)).outcome, Outcome::Ok);
        assert_eq!(of(FEW + 1, 1001, None).outcome, Outcome::Ok);
        let check = of(FEW + 1, 1001, Some(3));
        assert_eq!(check.outcome, Outcome::Warning);
        assert!(
            check
                .message
                .starts_with("101 leases for 3 active keys: more than 100"),
            "{}",
            check.message
        );
        assert_eq!(of(200, 1001, Some(20)).outcome, Outcome::Ok);
    }
}
