//! What is read off histories: every sample by hand, and what says nothing left out.

use serde_json::{Value, json};

use super::super::distribution::Distribution;
use super::super::history::measure;
use super::super::measured::Measured;
use crate::sim::history::{FORMAT, History};

const LEASE: &str = "kubernaut-system/gw-lock-aaaaaaaaaaaaaaaa";
const KEY: &str = "aaaaaaaaaaaaaaaa";

/// A simulated history of these lines, in which times are milliseconds.
fn history(lines: &[Value]) -> Measured {
    read(&json!({"format": FORMAT, "seed": 1}), lines)
}

fn read(header: &Value, lines: &[Value]) -> Measured {
    let mut text = header.to_string();
    for line in lines {
        let mut line = line.clone();
        line["at"] = json!(line["at"].as_u64().unwrap() * 1000);
        text.push_str(&format!("\n{line}"));
    }
    measure(&History::read(&mut text.as_bytes()).unwrap())
}

fn told(at: u64, pod: &str, event: &str) -> Value {
    json!({"at": at, "pod": pod, "event": event})
}

fn with(at: u64, pod: &str, event: &str, fields: &Value) -> Value {
    let mut line = told(at, pod, event);
    for (name, value) in fields.as_object().unwrap() {
        line[name] = value.clone();
    }
    line
}

fn call(at: u64, pod: &str, number: u64, verb: &str) -> Value {
    let mut fields = json!({"call": number, "verb": verb, "resource": "leases", "object": LEASE});
    if matches!(verb, "create" | "update") {
        fields["holder"] = json!(format!("{pod}_1"));
    }
    with(at, pod, "call", &fields)
}

fn reply(at: u64, pod: &str, number: u64, status: u16) -> Value {
    with(at, pod, "reply", &json!({"call": number, "status": status}))
}

fn held(at: u64, pod: &str) -> Value {
    let holder = format!("{pod}_1");
    with(
        at,
        pod,
        "held",
        &json!({"key": LEASE, "term": holder, "holder": holder}),
    )
}

fn ended(at: u64, pod: &str, why: &str) -> Value {
    let term = format!("{pod}_1");
    with(
        at,
        pod,
        "ended",
        &json!({"key": LEASE, "term": term, "why": why}),
    )
}

fn signal(at: u64, pod: &str, number: u64) -> Value {
    with(at, pod, "signal", &json!({"signal": number, "key": KEY}))
}

fn of(seconds: impl IntoIterator<Item = f64>) -> Distribution {
    Distribution::of(seconds)
}

#[test]
fn a_hold_counts_from_the_write_that_got_it_and_requests_to_their_answers() {
    let measured = history(&[
        told(0, "a", "started"),
        call(1000, "a", 1, "create"),
        reply(1100, "a", 1, 201),
        held(1100, "a"),
        with(
            1200,
            "a",
            "call",
            &json!({"call": 2, "verb": "list", "resource": "remediationrequests", "object": "kubernaut-system/"}),
        ),
        reply(1250, "a", 2, 200),
        call(1300, "a", 3, "delete"),
        reply(1500, "a", 3, 200),
        ended(1500, "a", "finished"),
        json!({"at": 20_000, "event": "end"}),
    ]);
    assert_eq!(measured.holds, of([0.5]));
    assert_eq!(measured.leases.latencies, of([0.1, 0.2]));
    assert_eq!(measured.all.latencies, of([0.05, 0.1, 0.2]));
    assert_eq!((measured.leases.answered, measured.all.answered), (2, 3));
    assert_eq!(measured.watched, 20.0);
    assert_eq!(measured.rate.per_day(), Some(86_400.0 / 20.0));
    assert_eq!((measured.lost, measured.pauses), (0, Some(of([]))));
}

#[test]
fn only_simulations_tell_of_pauses() {
    let lines = [told(0, "a", "started"), told(9000, "a", "crashed")];
    assert_eq!(history(&lines).pauses, Some(of([])));
    let recorded = read(&json!({"format": FORMAT}), &lines);
    assert_eq!(recorded.pauses, None);
}

#[test]
fn failures_one_by_one_are_shares_and_a_row_of_them_is_an_outage() {
    let mut lines = vec![told(0, "a", "started")];
    let mut number = 0;
    let mut at = 0;
    let mut ask = |status: Option<u16>, lines: &mut Vec<Value>| {
        number += 1;
        lines.push(call(at, "a", number, "get"));
        if let Some(status) = status {
            lines.push(reply(at + 10, "a", number, status));
        }
        at += 100;
    };
    // One after another, far from each other.
    for status in [None, Some(500), Some(429)] {
        for _ in 0..33 {
            ask(Some(200), &mut lines);
        }
        ask(status, &mut lines);
    }
    for _ in 0..30 {
        ask(Some(200), &mut lines);
    }
    let begins = at;
    let mut ask = |status: u16, lines: &mut Vec<Value>| {
        number += 1;
        lines.push(call(at, "a", number, "get"));
        lines.push(reply(at + 10, "a", number, status));
        at += 100;
    };
    for _ in 0..5 {
        ask(503, &mut lines);
    }
    for _ in 0..60 {
        ask(404, &mut lines);
    }
    lines.push(told(at + 10_000, "a", "crashed"));
    let measured = history(&lines);
    assert_eq!(begins, 13_200);
    // From the first failure to the first answer.
    assert_eq!(measured.outages, of([0.51]));
    assert_eq!(measured.leases.unanswered, 1);
    let refused: Vec<_> = measured.leases.refused.into_iter().collect();
    assert_eq!(refused, [(429, 1), (500, 1)]);
    // The first answer is a part of the outage.
    assert_eq!(measured.leases.answered, 99 + 30 + 59);
}

#[test]
fn what_a_pause_or_an_end_came_between_says_nothing() {
    let stopped = |at, event: &str, why| with(at, "a", event, &json!({"why": why}));
    let measured = history(&[
        told(0, "a", "started"),
        call(1000, "a", 1, "create"),
        reply(1100, "a", 1, 201),
        held(1100, "a"),
        call(1900, "a", 2, "update"),
        stopped(2000, "stopped", "paused"),
        stopped(5000, "stopped", "paused"),
        stopped(9000, "resumed", "paused"),
        stopped(42_000, "resumed", "paused"),
        reply(42_000, "a", 2, 200),
        ended(42_001, "a", "lost"),
        stopped(50_000, "stopped", "cut off"),
        call(50_001, "a", 3, "get"),
        stopped(57_000, "resumed", "cut off"),
        call(60_000, "a", 4, "get"),
        told(61_000, "a", "crashed"),
    ]);
    assert_eq!(measured.pauses, Some(of([40.0])));
    assert_eq!(measured.outages, of([7.0]));
    assert_eq!(measured.watched, 21.0);
    assert_eq!(
        (measured.holds, measured.lost, measured.lost_stopped),
        (of([]), 0, 1)
    );
    // Neither the request that was paused, nor the one in the outage, nor the last one.
    assert_eq!(measured.leases.attempts(), 1);
    assert_eq!(measured.leases.latencies, of([0.1]));
}

/// A holder that crashes after 5 s, and somebody who has the lease after 38 s.
fn crash(between: &[Value]) -> Measured {
    let mut lines = vec![
        told(0, "a", "started"),
        told(0, "b", "started"),
        call(1000, "a", 1, "create"),
        reply(1100, "a", 1, 201),
        held(1100, "a"),
    ];
    lines.extend_from_slice(between);
    lines.extend([
        told(5000, "a", "crashed"),
        call(37_900, "b", 9, "update"),
        reply(38_000, "b", 9, 200),
        held(38_000, "b"),
        told(40_000, "b", "crashed"),
    ]);
    lines.sort_by_key(|line| line["at"].as_u64());
    history(&lines)
}

#[test]
fn a_crash_is_felt_until_somebody_who_waits_has_the_lease() {
    let waits = |from, number| signal(from, "b", number);
    let answer = |at, number| {
        with(
            at,
            "b",
            "answer",
            &json!({"signal": number, "outcome": "failed"}),
        )
    };
    let always = [waits(4000, 1), answer(19_000, 1), waits(19_500, 2)];
    assert_eq!(crash(&always).recoveries, of([33.0]));
    assert_eq!(crash(&always).takeovers, 1);
    // Without signals nobody knows who waits, and with them nobody did.
    assert_eq!(crash(&[]).recoveries, of([33.0]));
    assert_eq!(
        crash(&[waits(4000, 1), answer(19_000, 1)]).recoveries,
        of([])
    );
    assert_eq!(crash(&[waits(37_000, 1)]).recoveries, of([]));
    // A release that was on its way may have arrived.
    let mut released = always.to_vec();
    released.push(call(4900, "a", 2, "delete"));
    assert_eq!(crash(&released).recoveries, of([]));
}

#[test]
fn a_lease_is_handed_over_to_who_waited_for_it() {
    let lines = |waits_from| {
        history(&[
            told(0, "a", "started"),
            told(0, "b", "started"),
            call(1000, "a", 1, "create"),
            reply(1100, "a", 1, 201),
            held(1100, "a"),
            signal(waits_from, "b", 1),
            call(2000, "a", 2, "delete"),
            reply(2010, "a", 2, 200),
            ended(2010, "a", "finished"),
            call(2100, "b", 3, "create"),
            reply(2150, "b", 3, 201),
            held(2150, "b"),
            told(9000, "b", "crashed"),
        ])
    };
    assert_eq!(lines(1500).hand_overs, of([0.15]));
}
