//! RemediationRequests that several observers tell of, each with its own delay, in the order in which they changed.

use std::collections::BTreeSet;

use super::history::{Event, What};

/// Puts the events of requests into the order of their versions, which is that of the changes, and tells each state once.
///
/// A change was over by the time at which anybody knew of it, or of a later one.
pub(crate) fn by_version(events: Vec<Event>) -> Vec<Event> {
    let (mut requests, others): (Vec<_>, Vec<_>) = events
        .into_iter()
        .map(|event| (version(&event), event))
        .partition(|(version, _)| version.is_some());
    requests.sort_by_key(|(version, event)| (*version, event.at));
    let mut seen = BTreeSet::new();
    requests.retain(|(version, event)| match &event.what {
        What::Request { uid, deleted, .. } => seen.insert((uid.clone(), *version, *deleted)),
        _ => true,
    });
    let mut known = u64::MAX;
    for (_, event) in requests.iter_mut().rev() {
        known = known.min(event.at);
        event.at = known;
    }
    // Whoever is told of a change is told after it.
    requests.extend(others);
    requests.sort_by_key(|(_, event)| event.at);
    requests.into_iter().map(|(_, event)| event).collect()
}

fn version(event: &Event) -> Option<u128> {
    match &event.what {
        What::Request { version, .. } => version.as_deref()?.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(at: u64, uid: &str, version: u32, count: i64) -> Event {
        Event {
            at,
            pod: String::new(),
            incarnation: 0,
            what: What::Request {
                uid: uid.to_owned(),
                name: uid.to_owned(),
                key: "k".to_owned(),
                phase: String::new(),
                active: true,
                count: Some(count),
                version: Some(version.to_string()),
                deleted: false,
            },
        }
    }

    fn end(at: u64) -> Event {
        Event {
            at,
            pod: String::new(),
            incarnation: 0,
            what: What::End,
        }
    }

    #[test]
    fn a_change_that_was_told_late_comes_before_those_that_followed_it() {
        let events = vec![
            request(10, "a", 9, 1),
            end(10),
            request(30, "a", 100, 3),
            request(40, "b", 99, 1),
            request(50, "a", 100, 3),
            request(50, "a", 101, 4),
        ];
        let ordered = by_version(events);
        assert_eq!(
            ordered,
            [
                request(10, "a", 9, 1),
                end(10),
                request(30, "b", 99, 1),
                request(30, "a", 100, 3),
                request(50, "a", 101, 4),
            ]
        );
    }
}
