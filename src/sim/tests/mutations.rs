//! A good history that is damaged in one place is found to be bad, by the rule that the damage is about.

#![expect(clippy::ptr_arg, reason = "all damages have the same signature")]

use super::{rules, run, settings};
use crate::sim::check::{Rule, check};
use crate::sim::history::{Event, History, Outcome, What};

/// Damages a history in the first place where it can; whether there is one.
type Damage = fn(&mut Vec<Event>) -> bool;

const DAMAGES: [(&str, Rule, Damage); 12] = [
    ("a hold does not end", Rule::TwoHolders, no_end),
    (
        "a hold begins as long ago as the one before",
        Rule::TwoHolders,
        early,
    ),
    ("a release is not sent", Rule::ClaimsOverlap, no_release),
    ("two tokens are exchanged", Rule::TokensGrow, tokens),
    (
        "an update succeeds on what had been overwritten",
        Rule::Linearizable,
        old_update,
    ),
    (
        "a lease that is there is not found",
        Rule::Linearizable,
        not_found,
    ),
    (
        "a request that had ended is active",
        Rule::TwoActive,
        never_ends,
    ),
    (
        "a count is one less in the end",
        Rule::CountTooLow,
        one_less,
    ),
    (
        "a count is ten more in the end",
        Rule::CountTooHigh,
        ten_more,
    ),
    ("a number is told twice", Rule::NumberTwice, same_number),
    (
        "a request was never counted on",
        Rule::AnsweredWithoutEffect,
        never_counted,
    ),
    ("an answer is missing", Rule::WaitTooLong, no_answer),
];

#[test]
fn every_damage_is_found_by_its_rule() {
    let mut tried = [0; DAMAGES.len()];
    for (scenario, seeds) in [
        ("skew", 1..=3),
        ("label-touches", 1..=3),
        ("restart", 1..=2),
    ] {
        for seed in seeds {
            let run = run(&settings(scenario, "gwlock"), seed).unwrap();
            assert_eq!(rules(&run), [""; 0]);
            for (index, (name, rule, damage)) in DAMAGES.iter().enumerate() {
                let mut events = run.history.events.clone();
                if !damage(&mut events) {
                    continue;
                }
                tried[index] += 1;
                let header = run.history.header.clone();
                let found = check(&History { header, events });
                let found: Vec<Rule> = found.iter().map(|violation| violation.rule).collect();
                assert!(found.contains(rule), "{scenario} {seed}: {name}: {found:?}");
            }
        }
    }
    for ((name, ..), tried) in DAMAGES.iter().zip(tried) {
        assert!(tried > 0, "{name} was never tried");
    }
}

/// Two holds of one lease, one after the other, by their places.
fn neighbours(events: &[Event]) -> Option<(usize, usize)> {
    let held = |event: &Event| match &event.what {
        What::Held { key, .. } => Some(key.clone()),
        _ => None,
    };
    let holds: Vec<(usize, String)> = events
        .iter()
        .enumerate()
        .filter_map(|(at, event)| held(event).map(|key| (at, key)))
        .collect();
    holds.iter().enumerate().find_map(|(index, (at, key))| {
        let next = holds[index + 1..].iter().find(|(_, other)| other == key)?;
        Some((*at, next.0))
    })
}

fn no_end(events: &mut Vec<Event>) -> bool {
    let Some((first, _)) = neighbours(events) else {
        return false;
    };
    let What::Held { term: own, .. } = events[first].what.clone() else {
        return false;
    };
    events.retain(|event| !matches!(&event.what, What::Ended { term, .. } if *term == own));
    true
}

fn early(events: &mut Vec<Event>) -> bool {
    let Some((first, second)) = neighbours(events) else {
        return false;
    };
    let mut moved = events.remove(second);
    moved.at = events[first].at;
    events.insert(first + 1, moved);
    true
}

fn no_release(events: &mut Vec<Event>) -> bool {
    let Some((first, second)) = neighbours(events) else {
        return false;
    };
    // The second one comes while the first one still relies on what it wrote.
    if events[second].at > events[first].at + 15_000_000 {
        return false;
    }
    let What::Held { key, .. } = events[first].what.clone() else {
        return false;
    };
    events.retain(|event| {
        !matches!(&event.what, What::Call { verb, object, .. } if verb == "delete" && *object == key)
    });
    true
}

fn tokens(events: &mut Vec<Event>) -> bool {
    let Some((first, second)) = neighbours(events) else {
        return false;
    };
    let token = |event: &Event| match &event.what {
        What::Held { token, .. } => token.clone(),
        _ => None,
    };
    let (a, b) = (token(&events[first]), token(&events[second]));
    for (at, new) in [(first, b), (second, a)] {
        if let What::Held { token, .. } = &mut events[at].what {
            *token = new;
        }
    }
    true
}

fn old_update(events: &mut Vec<Event>) -> bool {
    // A second create becomes an update of what was there before the first one.
    let mut seen = std::collections::BTreeSet::new();
    let replies: std::collections::BTreeSet<u64> = events
        .iter()
        .filter_map(|event| match event.what {
            What::Reply {
                call,
                status: Some(201),
                ..
            } => Some(call),
            _ => None,
        })
        .collect();
    for event in events {
        if let What::Call {
            call,
            verb,
            resource,
            object,
            requires,
            ..
        } = &mut event.what
            && resource == "leases"
            && verb == "create"
            && replies.contains(call)
            && !seen.insert(object.clone())
        {
            "update".clone_into(verb);
            *requires = Some("1".to_owned());
            return true;
        }
    }
    false
}

fn not_found(events: &mut Vec<Event>) -> bool {
    // Right after a hold began somebody looks and finds nothing.
    let Some(at) = events
        .iter()
        .position(|event| matches!(event.what, What::Held { .. }))
    else {
        return false;
    };
    let What::Held { key, .. } = events[at].what.clone() else {
        return false;
    };
    let time = events[at].at;
    let event = |what| Event {
        at: time + 1,
        pod: "pod-x".to_owned(),
        incarnation: 0,
        what,
    };
    let call = event(What::Call {
        call: u64::MAX,
        verb: "get".to_owned(),
        resource: "leases".to_owned(),
        object: key,
        requires: None,
        holder: None,
    });
    let reply = event(What::Reply {
        call: u64::MAX,
        status: Some(404),
        version: None,
    });
    let place = events.partition_point(|event| event.at <= time);
    events.splice(place..place, [call, reply]);
    true
}

fn never_ends(events: &mut Vec<Event>) -> bool {
    let mut by_key = std::collections::BTreeMap::new();
    for event in &*events {
        if let What::Request { key, uid, .. } = &event.what {
            let uids: &mut Vec<String> = by_key.entry(key.clone()).or_default();
            if !uids.contains(uid) {
                uids.push(uid.clone());
            }
        }
    }
    let Some(first) = by_key
        .values()
        .find(|uids| uids.len() > 1)
        .map(|uids| uids[0].clone())
    else {
        return false;
    };
    for event in events {
        if let What::Request { uid, active, .. } = &mut event.what
            && *uid == first
        {
            *active = true;
        }
    }
    true
}

fn last_count(events: &mut [Event]) -> Option<&mut Option<i64>> {
    events
        .iter_mut()
        .rev()
        .find_map(|event| match &mut event.what {
            What::Request { count, .. } if count.is_some() => Some(count),
            _ => None,
        })
}

fn one_less(events: &mut Vec<Event>) -> bool {
    let Some(count) = last_count(events) else {
        return false;
    };
    *count = count.map(|count| count - 1);
    true
}

fn ten_more(events: &mut Vec<Event>) -> bool {
    let Some(count) = last_count(events) else {
        return false;
    };
    *count = count.map(|count| count + 10);
    true
}

fn same_number(events: &mut Vec<Event>) -> bool {
    for event in events {
        if let What::Answer {
            outcome: Outcome::Duplicate,
            count: Some(count @ 2),
            ..
        } = &mut event.what
        {
            *count = 1;
            return true;
        }
    }
    false
}

fn never_counted(events: &mut Vec<Event>) -> bool {
    let answered = events.iter().find_map(|event| match &event.what {
        What::Answer { uid: Some(uid), .. } => Some(uid.clone()),
        _ => None,
    });
    let Some(answered) = answered else {
        return false;
    };
    events.retain(|event| !matches!(&event.what, What::Request { uid, .. } if *uid == answered));
    true
}

fn no_answer(events: &mut Vec<Event>) -> bool {
    let answer = events
        .iter()
        .position(|event| matches!(event.what, What::Answer { .. }));
    answer.map(|at| events.remove(at)).is_some()
}
