//! Histories that are known to be bad, each with the rule that it breaks; good ones; and what is left when they are
//! reduced.

mod bad;
mod told;

use std::collections::BTreeSet;

use super::{Rule, check, shrink};
use crate::sim::history::{History, What};
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
