//! Histories that are known to be bad, each with the rule that it breaks; good ones; and what is left when they are
//! reduced.

mod bad;
mod doubt;
mod told;

use std::collections::BTreeSet;

use super::{Rule, check, shrink};
use crate::sim::history::{History, Outcome, What};
use told::{History as Told, told};

fn rules(history: &History) -> Vec<&'static str> {
    let violations = check(history);
    let rules: BTreeSet<Rule> = violations.iter().map(|violation| violation.rule).collect();
    rules.into_iter().map(Rule::as_str).collect()
}

#[test]
fn thirty_bad_histories_are_each_found_to_break_the_rule_that_they_break() {
    let cases = bad::cases();
    assert!(cases.len() >= 30, "only {} cases", cases.len());
    for (name, expected, history) in &cases {
        assert_eq!(rules(history), [expected.as_str()], "{name}");
    }
    let shown: BTreeSet<Rule> = cases.iter().map(|(_, rule, _)| *rule).collect();
    assert_eq!(shown, Rule::ALL.into_iter().collect());
}

#[test]
fn good_histories_are_found_good() {
    for (name, history) in bad::good() {
        assert_eq!(rules(&history), [""; 0], "{name}");
    }
}

#[test]
fn what_shows_a_violation_still_shows_it_alone_and_nothing_can_be_spared() {
    for (name, rule, history) in bad::cases() {
        let violation = check(&history).remove(0);
        let events: Vec<_> = shrink(&history, &violation).into_iter().cloned().collect();
        let reduced = History {
            header: history.header.clone(),
            events,
        };
        assert_eq!(rules(&reduced), [rule.as_str()], "{name}");
        let again = check(&reduced).remove(0);
        assert_eq!(
            shrink(&reduced, &again).len(),
            reduced.events.len(),
            "{name}"
        );
    }
}

#[test]
fn what_has_nothing_to_do_with_a_violation_is_left_out() {
    let history = told(
        Told::new()
            .at(1, "a", |t| t.signal(1, "f"))
            .at(2, "c", |t| t.held("other", "c1", "1"))
            .at(3, "c", |t| t.ended("other", "c1"))
            .at(4, "a", |t| t.held("k", "a1", "2"))
            .at(5, "b", |t| t.held("k", "b1", "3"))
            .at(6, "a", |t| t.ended("k", "a1"))
            .at(7, "b", |t| t.ended("k", "b1")),
    );
    let violation = check(&history).remove(0);
    let kept: Vec<u64> = shrink(&history, &violation)
        .iter()
        .map(|event| event.at)
        .collect();
    assert_eq!(kept, [4000, 5000]);
}

#[test]
fn no_end_of_a_hold_is_left_out_to_make_it_overlap() {
    let history = told(
        Told::new()
            .at(1, "a", |t| t.held("k", "a1", "1"))
            .at(2, "a", |t| t.ended("k", "a1"))
            .at(3, "b", |t| t.held("k", "b1", "2"))
            .at(4, "c", |t| t.held("k", "c1", "3")),
    );
    let violation = check(&history).remove(0);
    let kept = shrink(&history, &violation);
    let pods: Vec<&str> = kept.iter().map(|event| event.pod.as_str()).collect();
    assert_eq!(pods, ["b", "c"]);
    assert!(matches!(kept[0].what, What::Held { .. }));
}

/// The same history, where times of different pods may be off each other by so many milliseconds.
fn off_by(history: &History, millis: u64) -> History {
    let mut off = history.clone();
    off.header.uncertainty = millis * 1000;
    off
}

#[test]
fn nobody_is_accused_of_what_clocks_leave_open_and_everybody_of_what_they_do_not() {
    for (name, rule, doubt, events) in doubt::cases() {
        let history = told(events);
        let found = |millis| rules(&off_by(&history, millis));
        assert_eq!(found(0), [rule.as_str()], "{name}");
        assert_eq!(
            found(doubt - 1),
            [rule.as_str()],
            "{name}: less than the doubt"
        );
        assert_eq!(found(doubt), [""; 0], "{name}: within the doubt");
    }
}

#[test]
fn what_no_clock_changes_is_judged_by_whoever_has_seen_it() {
    let without_time = [
        Rule::CountTooLow,
        Rule::CountTooHigh,
        Rule::NumberTwice,
        Rule::LeaseLeft,
    ];
    let own = |rule: &Rule| without_time.contains(rule);
    for (name, rule, history) in bad::cases().into_iter().filter(|(_, rule, _)| own(rule)) {
        assert_eq!(rules(&off_by(&history, 60_000)), [rule.as_str()], "{name}");
    }
    for (name, history) in bad::good() {
        assert_eq!(rules(&off_by(&history, 300)), [""; 0], "{name}");
    }
}

#[test]
fn what_somebody_may_have_done_of_whom_nothing_is_known_is_nobodys_fault() {
    for (name, rule, events) in doubt::unseen() {
        let mut history = told(events);
        assert_eq!(rules(&history), [rule.as_str()], "{name}");
        history.header.incomplete = vec!["member 3".to_owned()];
        assert_eq!(rules(&history), [""; 0], "{name}");
    }
    let history = told(doubt::active_all_the_time());
    let mut incomplete = history.clone();
    incomplete.header.incomplete = vec!["member 3".to_owned()];
    assert_eq!(rules(&incomplete), ["two-active"]);
}

#[test]
fn whoever_is_told_no_number_has_one_all_the_same() {
    let of = |number: Option<i64>| {
        let created = move |_| What::Answer {
            signal: 1,
            outcome: Outcome::Created,
            uid: Some("u".to_owned()),
            count: number,
            why: None,
        };
        let events = Told::new()
            .at(0, "a", |t| t.signal(1, "f"))
            .at(1, "b", |t| t.signal(2, "f"))
            .at(2, "", |t| t.request("u", "active", 1))
            .at(3, "b", |t| t.duplicate(2, "u", 1))
            .at(4, "", |t| t.request("u", "active", 2))
            .at(5, "a", created);
        rules(&told(events.end(6)))
    };
    assert_eq!(of(None), [""; 0]);
    assert_eq!(of(Some(2)), [""; 0]);
    assert_eq!(of(Some(1)), ["number-twice"]);
}
