//! Clocks: this machine's by all answers, and the holders' by what they wrote into their leases.

use gwlock_engine::client::list::Listing;
use gwlock_engine::protocol::timing::{DEFAULT_LEASE_DURATION, DEFAULT_MARGIN};
use serde_json::json;

use super::check::{Check, Outcome, Step, Subject, several, some};
use super::leases::locks;
use crate::evidence::acquisition::skew;
use crate::evidence::machine_clock::MachineClock;

/// What several answers say together, each of which narrows the interval. `None` if none had a `Date`, or if they
/// contradict each other because the clock was set meanwhile.
pub(crate) fn narrowed(answers: &[MachineClock]) -> Option<MachineClock> {
    let at_least = answers.iter().map(|answer| answer.at_least).max()?;
    let at_most = answers.iter().map(|answer| answer.at_most).min()?;
    (at_least <= at_most).then_some(MachineClock { at_least, at_most })
}

/// This machine's clock.
pub(crate) fn machine(answers: &[MachineClock]) -> Check {
    let check = |outcome, message| Check::new(Subject::Clock, "machine-clock", outcome, message);
    let Some(clock) = narrowed(answers) else {
        let message = if answers.is_empty() {
            "no answer has a Date, so that clocks cannot be compared: something on the way removes it"
        } else {
            "this machine's clock was set while it was measured"
        };
        return check(Outcome::Skipped, message.to_owned());
    };
    let evidence = json!({
        "aheadAtLeastSeconds": clock.at_least.as_secs_f64(), "aheadAtMostSeconds": clock.at_most.as_secs_f64(),
        "answers": answers.len(),
    });
    let off = clock.certain_seconds();
    if off == 0 {
        let message = "this machine's clock agrees with the server's".to_owned();
        return check(Outcome::Ok, message).with(evidence);
    }
    let direction = if off > 0 { "ahead of" } else { "behind" };
    let message = format!(
        "this machine's clock is at least {} s {direction} the server's: gwlock does not judge by it, but `date` and other \
         programs here do",
        off.unsigned_abs()
    );
    check(Outcome::Warning, message)
        .with(evidence)
        .step(Step::Shell("sudo timedatectl set-ntp true".to_owned()))
}

/// The clocks of those who hold leases: what they wrote against when the server saw it.
pub(crate) fn holders(leases: &Listing) -> Check {
    let mut off: Vec<(i64, &str, &str)> = locks(leases)
        .filter_map(|lease| {
            let record = &lease.record;
            Some((skew(record)?, record.holder()?, lease.name.as_str()))
        })
        .filter(|(skew, ..)| skew.unsigned_abs() > DEFAULT_MARGIN.as_secs())
        .collect();
    off.sort_by_key(|(skew, _, name)| (std::cmp::Reverse(skew.unsigned_abs()), *name));
    let check = |outcome, message| Check::new(Subject::Clock, "holder-clocks", outcome, message);
    let Some((worst, ..)) = off.first() else {
        return check(
            Outcome::Ok,
            "the clocks of all holders agree with the server's".to_owned(),
        );
    };
    let breaks = worst.unsigned_abs() >= DEFAULT_LEASE_DURATION.as_secs();
    let outcome = if breaks {
        Outcome::Failure
    } else {
        Outcome::Warning
    };
    let said: Vec<String> = off
        .iter()
        .map(|(skew, holder, name)| format!("{holder} by {skew:+} s in {name}"))
        .collect();
    let meaning = if breaks {
        "gateways judge by their own clocks, and these are off by a whole lease: one takes over what another holds, or \
         nobody takes over what is left"
    } else {
        "gateways judge by their own clocks: leases are taken over early or late by as much"
    };
    let message = format!(
        "{} written by a clock that is off: {}; {meaning}",
        several(off.len(), "lease"),
        some(&said, 3)
    );
    let evidence: Vec<_> = off
        .iter()
        .map(|(skew, holder, name)| json!({"lease": name, "holder": holder, "skewSeconds": skew}))
        .collect();
    let (_, _, name) = off[0];
    check(outcome, message)
        .with(json!({"leases": evidence}))
        .step(Step::Gwlock(format!(
            "inspect {name} -n {}",
            leases.items[0].namespace
        )))
        .step(Step::Says(
            "synchronise the clocks of the nodes that these pods run on".to_owned(),
        ))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::super::leases::tests::{held, listing};
    use super::*;

    fn answer(at_least: i64, at_most: i64) -> MachineClock {
        MachineClock {
            at_least: SignedDuration::from_millis(at_least),
            at_most: SignedDuration::from_millis(at_most),
        }
    }

    #[test]
    fn several_answers_prove_more_than_one() {
        assert_eq!(
            machine(&[answer(-500, 600), answer(-900, 200)]).outcome,
            Outcome::Ok
        );
        // One answer leaves open whether it is off; two do not.
        let answers = [answer(-100, 2500), answer(1200, 2600)];
        assert_eq!(narrowed(&answers), Some(answer(1200, 2500)));
        let check = machine(&answers);
        assert_eq!(check.outcome, Outcome::Warning);
        assert!(
            check
                .message
                .starts_with("this machine's clock is at least 1 s ahead of the server's"),
            "{}",
            check.message
        );
        let check = machine(&[answer(-601_000, -600_000)]);
        assert!(check.message.contains("600 s behind"), "{}", check.message);
    }

    #[test]
    fn without_answers_nothing_is_said_of_the_clock() {
        assert_eq!(machine(&[]).outcome, Outcome::Skipped);
        assert_eq!(
            machine(&[answer(5000, 6000), answer(-6000, -5000)]).outcome,
            Outcome::Skipped
        );
    }

    #[test]
    fn a_holder_whose_clock_is_off_by_a_lease_breaks_the_lock() {
        for (skew, expected) in [
            (0, Outcome::Ok),
            (2, Outcome::Ok),
            (-3, Outcome::Warning),
            (29, Outcome::Warning),
            (30, Outcome::Failure),
            (-3600, Outcome::Failure),
        ] {
            let leases = listing(vec![held("gw-lock-1", 1000, 1000 + skew)], 1010);
            assert_eq!(holders(&leases).outcome, expected, "{skew}");
        }
        let leases = listing(
            vec![held("gw-lock-1", 1000, 1005), held("gw-lock-2", 1000, 940)],
            1010,
        );
        let check = holders(&leases);
        assert!(
            check.message.starts_with("2 leases written by a clock that is off: gateway-1 by -60 s in gw-lock-2, gateway-1 by +5 s in gw-lock-1; "),
            "{}", check.message
        );
        assert_eq!(
            check.fix[0],
            Step::Gwlock("inspect gw-lock-2 -n ns".to_owned())
        );
    }

    #[test]
    fn other_leases_have_clocks_of_their_own() {
        let leases = listing(vec![held("cert-manager-controller", 1000, 2000)], 1010);
        assert_eq!(holders(&leases).outcome, Outcome::Ok);
    }
}
