//! What the scenarios show of each protocol. A violation of the engine's own is told with its seed.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::{rules, run, settings};
use crate::sim::check::shrink;
use crate::sim::history::{Event, History, What};
use crate::sim::report::line;
use crate::sim::scenario::Scenario;
use crate::sim::sweep;

/// How often what happened.
type Tally = BTreeMap<String, usize>;

/// Nothing is broken with any of these seeds.
fn holds(scenario: &str, protocol: &str, seeds: RangeInclusive<u64>) -> Tally {
    let mut tally = Tally::new();
    for seed in seeds {
        let run = run(&settings(scenario, protocol), seed).unwrap();
        if let Some(first) = run.violations.first() {
            let events = shrink(&run.history, first);
            let events: Vec<String> = events.into_iter().map(line).collect();
            panic!(
                "{scenario}, {protocol}, seed {seed}: {}: {}\n{}",
                first.rule,
                first.message,
                events.join("\n")
            );
        }
        for word in run.history.events.iter().filter_map(word) {
            *tally.entry(word).or_default() += 1;
        }
    }
    tally
}

fn word(event: &Event) -> Option<String> {
    Some(match &event.what {
        What::Crashed => "crashed".to_owned(),
        What::Stopped { why } => why.clone(),
        What::Fault { what } => what.clone(),
        What::Held { .. } => "held".to_owned(),
        What::Answer { outcome, .. } => format!("{outcome:?}"),
        What::Reply { status, .. } => match status {
            Some(status) => status.to_string(),
            None => "no answer".to_owned(),
        },
        What::Call { verb, resource, .. } => format!("{verb} {resource}"),
        What::Request { active: false, .. } => "ended".to_owned(),
        _ => return None,
    })
}

/// A checker that sees nothing happen proves nothing.
fn assert_eventful(tally: &Tally) {
    for what in [
        "crashed",
        "paused",
        "cut off",
        "the API server restarts",
        "nobody may write the status of a request",
        "nobody may use leases",
        "held",
        "Created",
        "Duplicate",
        "Failed",
        "Unknown",
        "no answer",
        "403",
        "404",
        "409",
        "422",
        "429",
        "500",
        "503",
        "504",
        "update leases",
        "watch leases",
        "ended",
    ] {
        let count = tally.get(what).copied().unwrap_or(0);
        assert!(count > 10, "{what} only {count} times: {tally:?}");
    }
    // Failing every signal would be safe.
    let of = |what: &str| tally.get(what).copied().unwrap_or(0);
    assert!(
        of("Created") + of("Duplicate") > of("Failed") + of("Unknown"),
        "{tally:?}"
    );
}

/// The first of these seeds with which this rule is broken.
fn breaks(scenario: &str, protocol: &str, pods: u32, rule: &str) -> u64 {
    let mut settings = settings(scenario, protocol);
    settings.scenario.pods = pods;
    (1..=200)
        .find(|seed| rules(&run(&settings, *seed).unwrap()).contains(&rule))
        .unwrap_or_else(|| panic!("{protocol} never breaks {rule} in {scenario}"))
}

#[test]
fn the_engine_breaks_no_rule_in_any_scenario_but_where_requests_are_deleted() {
    for (name, _) in Scenario::list() {
        if !["retention", "mixed-fleet", "everything"].contains(&name) {
            holds(name, "gwlock", 1..=4);
        }
    }
}

#[test]
fn everything_at_once_breaks_no_rule_of_the_engine() {
    assert_eventful(&holds("everything", "gwlock", 1..=40));
}

#[test]
fn the_name_alone_keeps_a_second_request_out() {
    holds("everything", "create-only", 1..=25);
}

#[test]
fn the_one_case_that_stays_open_is_found_and_named_as_such() {
    let settings = settings("retention", "gwlock");
    let found: Vec<&str> = (1..=12)
        .flat_map(|seed| rules(&run(&settings, seed).unwrap()))
        .collect();
    assert!(!found.is_empty());
    assert!(
        found
            .iter()
            .all(|rule| *rule == "two-active-after-deletion"),
        "{found:?}"
    );
}

#[test]
fn the_gateways_protocol_breaks_where_its_contract_says() {
    for (scenario, pods) in [
        ("storm", 1),
        ("crash", 5),
        ("pause", 5),
        ("skew", 5),
        ("lost-answers", 5),
    ] {
        breaks(scenario, "gateway", pods, "two-holders");
    }
}

#[test]
fn where_the_promise_ends_the_checker_sees_two_holders_and_the_name_still_keeps_one_request() {
    let yaml = "arrival: poisson:4\nlatency: 20ms..800ms\nclocks: {apiServerOffset: 2m}\n\
                often: {orchestrate: {every: 300ms}}";
    let mut settings = settings("storm", "gwlock");
    settings.scenario = Scenario::parse(yaml).unwrap();
    let found: Vec<&str> = (1..=6)
        .flat_map(|seed| rules(&run(&settings, seed).unwrap()))
        .collect();
    assert!(found.contains(&"two-holders"), "{found:?}");
    assert!(!found.contains(&"two-active"), "{found:?}");
}

#[test]
fn without_a_lease_the_first_storm_makes_two_requests() {
    assert_eq!(breaks("storm", "unlocked", 5, "two-active"), 1);
}

#[test]
fn a_seed_is_one_history_whoever_runs_it() {
    let settings = settings("everything", "mixed:gwlock,gateway");
    let text = |seed| {
        let mut text = Vec::new();
        run(&settings, seed).unwrap().write(&mut text).unwrap();
        text
    };
    let here: Vec<Vec<u8>> = (1..=6).map(text).collect();
    let there: Vec<Vec<u8>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..=6)
            .map(|seed| scope.spawn(move || text(seed)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert!(here == there, "a history differs from thread to thread");
    assert_ne!(here[0], here[1]);
}

#[test]
fn a_sweep_prints_the_same_however_many_threads_there_are() {
    let settings = settings("crash", "gateway");
    let one = sweep(&settings, 1, 4, 1).unwrap();
    let many = sweep(&settings, 1, 4, 3).unwrap();
    assert_eq!(one.value(), many.value());
    assert_eq!(one.text(), many.text());
    assert_eq!(one.junit(), many.junit());
    assert!(!one.is_ok());
}

#[test]
fn a_storm_is_one_request_with_the_exact_count() {
    let run = run(&settings("storm", "gwlock"), 3).unwrap();
    let last = run
        .history
        .events
        .iter()
        .rev()
        .find_map(|event| match &event.what {
            What::Request { count, .. } => Some(*count),
            _ => None,
        });
    assert_eq!(last, Some(Some(50)));
    let mut text = Vec::new();
    run.write(&mut text).unwrap();
    assert_eq!(History::read(&mut text.as_slice()).unwrap(), run.history);
}

#[test]
#[ignore = "soak"]
fn everything_at_once_breaks_no_rule_in_five_hundred_seeds() {
    assert_eventful(&holds("everything", "gwlock", 1_000..=1_499));
    holds("everything", "create-only", 1_000..=1_499);
}
