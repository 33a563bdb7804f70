//! Parts of one run become one history, and what they lack is told.

use super::*;
use crate::sim::check::{Rule, check};
use crate::sim::history::{Member, Outcome};

/// What one pod has recorded, which began so many milliseconds after the first and may be off by so many.
fn part(number: u32, began: i64, off: u64, events: Vec<Event>) -> Part {
    let origin: Timestamp = "2026-11-26T09:00:00Z".parse().unwrap();
    let began = origin + jiff::SignedDuration::from_millis(began);
    Part {
        from: format!("pod-{number}"),
        history: History {
            header: Header {
                format: FORMAT.to_owned(),
                seed: Some(1),
                began: Some(began),
                uncertainty: off * 1000,
                member: Some(Member {
                    run: "r".to_owned(),
                    number,
                    of: 2,
                    present: vec![0, 1],
                }),
                ..Header::default()
            },
            events,
        },
    }
}

fn event(at: u64, pod: &str, what: What) -> Event {
    Event {
        at: at * 1000,
        pod: pod.to_owned(),
        incarnation: 0,
        what,
    }
}

fn signal(number: u64) -> What {
    What::Signal {
        signal: number,
        key: "f".to_owned(),
    }
}

fn answer(number: u64, count: i64) -> What {
    What::Answer {
        signal: number,
        outcome: Outcome::Duplicate,
        uid: Some("u".to_owned()),
        count: Some(count),
        why: None,
    }
}

fn request(uid: &str, version: u32, active: bool, count: i64) -> What {
    What::Request {
        uid: uid.to_owned(),
        name: format!("rr-{uid}"),
        key: "f".to_owned(),
        phase: String::new(),
        active,
        count: Some(count),
        version: Some(version.to_string()),
        deleted: false,
    }
}

fn held(key: &str, term: &str, token: u32) -> What {
    What::Held {
        key: key.to_owned(),
        term: term.to_owned(),
        holder: term.to_owned(),
        token: Some(token.to_string()),
        valid: None,
    }
}

fn ended(key: &str, term: &str) -> What {
    What::Ended {
        key: key.to_owned(),
        term: term.to_owned(),
        why: "finished".to_owned(),
    }
}

fn end(at: u64) -> Event {
    event(at, "", What::End)
}

fn rules(history: &History) -> Vec<Rule> {
    check(history).iter().map(|found| found.rule).collect()
}

/// Two pods that each count a signal under number 1, the second one 100 ms later.
fn two() -> Vec<Part> {
    let first = vec![
        event(0, "a", What::Started),
        event(10, "a", signal(1)),
        event(20, "", request("u", 5, true, 1)),
        event(30, "a", answer(1, 1)),
        end(5000),
    ];
    let second = vec![
        event(0, "b", What::Started),
        event(5, "b", signal(1)),
        event(15, "", request("u", 7, true, 2)),
        event(25, "b", answer(1, 2)),
        end(4000),
    ];
    vec![part(0, 0, 1, first), part(1, 100, 2, second)]
}

#[test]
fn parts_are_put_on_one_clock_and_their_signals_are_told_apart() {
    let mut parts = two();
    parts.reverse();
    let joined = join(parts, None).unwrap();
    assert_eq!(joined.gaps, []);
    let header = &joined.history.header;
    assert_eq!((header.uncertainty, header.member.as_ref()), (3000, None));
    let told = joined.history.events.iter().map(|event| {
        let number = match &event.what {
            What::Signal { signal, .. } | What::Answer { signal, .. } => *signal,
            _ => 0,
        };
        (event.at / 1000, event.pod.as_str(), number)
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            (0, "a", 0),
            (10, "a", 1),
            (20, "", 0),
            (30, "a", 1),
            (100, "b", 0),
            (105, "b", 2),
            (115, "", 0),
            (125, "b", 2),
            (125, "", 0),
        ]
    );
    let ends = joined
        .history
        .events
        .iter()
        .filter(|event| event.what == What::End);
    assert_eq!(ends.count(), 1);
    assert_eq!(rules(&joined.history), []);
}

#[test]
fn what_stands_in_the_end_is_judged_with_what_was_told() {
    let standing = |count| Standing {
        requests: vec![request("u", 9, true, count)],
        leases: vec![What::Left {
            key: "ns/other".to_owned(),
            holder: "somebody else".to_owned(),
            expired: false,
        }],
    };
    let good = join(two(), Some(standing(2))).unwrap();
    assert_eq!(rules(&good.history), []);
    let low = join(two(), Some(standing(1))).unwrap();
    assert_eq!(rules(&low.history), [Rule::CountTooLow]);
    let high = join(two(), Some(standing(3))).unwrap();
    assert!(rules(&high.history).contains(&Rule::CountTooHigh));
}

#[test]
fn a_request_that_ended_before_another_was_created_is_not_active_beside_it() {
    let standing = |ended| Standing {
        requests: vec![request("u", ended, false, 2), request("v", 20, true, 0)],
        leases: Vec::new(),
    };
    let parts = || {
        let mut parts = two();
        let created = event(200, "", request("v", 20, true, 0));
        parts[0].history.events.insert(4, created);
        parts
    };
    let good = join(parts(), Some(standing(19))).unwrap();
    assert_eq!(rules(&good.history), []);
    let bad = join(parts(), Some(standing(21))).unwrap();
    assert_eq!(rules(&bad.history), [Rule::TwoActive]);
}

#[test]
fn a_request_that_is_gone_was_deleted_with_the_count_that_it_had() {
    let joined = join(two(), Some(Standing::default())).unwrap();
    let last = joined
        .history
        .events
        .iter()
        .rev()
        .find_map(|event| match &event.what {
            What::Request { count, deleted, .. } => Some((*count, *deleted)),
            _ => None,
        });
    assert_eq!(last, Some((Some(2), true)));
    assert_eq!(rules(&joined.history), []);
}

#[test]
fn holds_and_calls_of_two_pods_with_the_same_numbers_are_not_mixed_up() {
    let call = |call, verb: &str| What::Call {
        call,
        verb: verb.to_owned(),
        resource: "leases".to_owned(),
        object: "k".to_owned(),
        requires: None,
        holder: None,
    };
    let reply = |call, version: Option<u32>| What::Reply {
        call,
        status: Some(200),
        version: version.map(|version| version.to_string()),
    };
    let events = |pod: &str, token, release| {
        let mut events = vec![
            event(0, pod, call(1, "create")),
            event(1, pod, reply(1, Some(token))),
            event(1, pod, held("k", "1", token)),
            event(50, pod, ended("k", "1")),
        ];
        if release {
            events.push(event(51, pod, call(2, "delete")));
            events.push(event(52, pod, reply(2, None)));
        }
        events.push(end(60));
        events
    };
    let join_two = |release| {
        let first = part(0, 0, 1, events("a", 5, release));
        let joined = join(vec![first, part(1, 100, 1, events("b", 8, true))], None).unwrap();
        rules(&joined.history)
    };
    assert_eq!(join_two(true), []);
    assert_eq!(join_two(false), [Rule::Linearizable]);
}

#[test]
fn two_holders_are_told_where_their_clocks_leave_no_doubt() {
    let events = |pod: &str, from, token| {
        let hold = [
            event(from, pod, held("k", "1", token)),
            event(from + 100, pod, ended("k", "1")),
        ];
        hold.into_iter().chain([end(5000)]).collect::<Vec<_>>()
    };
    let overlapping_by = |overlap: i64, off| {
        let first = part(0, 0, off, events("a", 0, 5));
        let second = part(1, 100 - overlap, off, events("b", 0, 6));
        rules(&join(vec![first, second], None).unwrap().history)
    };
    assert_eq!(overlapping_by(-1, 0), []);
    assert_eq!(overlapping_by(20, 10), []);
    assert_eq!(overlapping_by(21, 10)[0], Rule::TwoHolders);
    assert_eq!(overlapping_by(20, 9)[0], Rule::TwoHolders);
}

#[test]
fn what_is_missing_is_told_and_nothing_is_judged_by_it() {
    let mut parts = two();
    parts.remove(1);
    let joined = join(parts, None).unwrap();
    assert_eq!(joined.gaps, [Gap::NoHistory(1)]);
    assert_eq!(joined.history.header.incomplete, ["member 1"]);
    // Somebody else's signal is in this count.
    let standing = Standing {
        requests: vec![request("u", 9, true, 2)],
        leases: Vec::new(),
    };
    let mut parts = two();
    parts.remove(1);
    let joined = join(parts, Some(standing)).unwrap();
    assert_eq!(rules(&joined.history), []);

    let mut parts = two();
    parts[0]
        .history
        .events
        .retain(|event| event.what != What::End);
    parts[0]
        .history
        .events
        .push(event(200, "a", held("k", "1", 5)));
    let joined = join(parts, None).unwrap();
    assert_eq!(joined.gaps, [Gap::NoEnd("pod-0".to_owned())]);
    let crashed = joined
        .history
        .events
        .iter()
        .filter(|event| event.what == What::Crashed);
    assert_eq!(
        crashed.map(|event| event.pod.as_str()).collect::<Vec<_>>(),
        ["a"]
    );
}

#[test]
fn whoever_never_came_is_told_and_everything_is_judged() {
    let mut parts = two();
    for part in &mut parts {
        if let Some(member) = &mut part.history.header.member {
            member.of = 3;
        }
    }
    let joined = join(parts, None).unwrap();
    assert_eq!(joined.gaps, [Gap::NeverCame(2)]);
    assert_eq!(joined.history.header.incomplete, [""; 0]);
    assert_eq!(joined.history.events.last().unwrap().what, What::End);
}

#[test]
fn a_pod_that_came_late_for_the_place_of_another_one_does_not_stand_for_it() {
    let mut parts = two();
    let member = parts[1].history.header.member.as_mut().unwrap();
    member.present = vec![0];
    parts[1]
        .history
        .events
        .retain(|event| event.what == What::End);
    let joined = join(parts, None).unwrap();
    assert_eq!(joined.gaps, [Gap::NoHistory(1)]);
}

#[test]
fn a_pod_that_began_anew_is_another_process() {
    let began = |version, at| {
        vec![
            event(0, "a", What::Started),
            event(1, "a", held("k", "1", version)),
            event(2, "a", ended("k", "1")),
            event(at, "", What::End),
        ]
    };
    let joined = join(
        vec![part(0, 0, 1, began(5, 3)), part(0, 50, 1, began(6, 9))],
        None,
    )
    .unwrap();
    let incarnations = joined
        .history
        .events
        .iter()
        .filter(|event| event.what == What::Started);
    assert_eq!(
        incarnations
            .map(|event| event.incarnation)
            .collect::<Vec<_>>(),
        [0, 1]
    );
}

#[test]
fn histories_of_different_runs_are_not_joined() {
    assert_eq!(join(Vec::new(), None).unwrap_err(), JoinError::Nothing);
    let with = |change: fn(&mut Header)| {
        let mut parts = two();
        change(&mut parts[1].history.header);
        join(parts, None).unwrap_err()
    };
    let runs = |what| JoinError::Runs("pod-0".to_owned(), "pod-1".to_owned(), what);
    assert_eq!(with(|own| own.seed = Some(2)), runs("their seeds differ"));
    let other = with(|own| own.member.as_mut().unwrap().run.push('x'));
    assert_eq!(other, runs("their runs differ"));
    let clock = with(|own| own.began = None);
    assert_eq!(clock, JoinError::Clock("pod-1".to_owned()));
    let mut parts = two();
    parts.remove(1);
    parts.push(part(0, 0, 1, parts[0].history.events.clone()));
    let twice = join(parts, None).unwrap_err();
    assert_eq!(
        twice,
        JoinError::Twice("pod-0".to_owned(), "pod-0".to_owned())
    );
}
