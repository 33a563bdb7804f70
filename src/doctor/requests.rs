//! The RemediationRequests: `gateway::dedup`'s findings as checks.

use gwlock_engine::client::list::Listing;
use jiff::Timestamp;
use serde_json::json;

use super::check::{Check, Outcome, Step, Subject, several, some};
use crate::gateway::dedup::Group;
use crate::gateway::dedup::findings::{Class, Finding, find};

/// How many keys are named in a message.
const SHOWN: usize = 3;

/// Where was looked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) lock: &'a str,
    pub(crate) controller: &'a str,
}

/// How many keys have an active request.
pub(crate) fn active_keys(groups: &[Group]) -> usize {
    groups
        .iter()
        .filter(|group| group.active().next().is_some())
        .count()
}

/// Several active requests of one key, and everything else that `gwlock dedup check` finds.
pub(crate) fn findings(
    groups: &[Group],
    now: Timestamp,
    leases: Option<&Listing>,
    place: Place<'_>,
) -> [Check; 2] {
    let found = find(groups, now, leases);
    let (several_active, others): (Vec<Finding>, Vec<Finding>) = found
        .into_iter()
        .partition(|finding| finding.class == Class::SeveralActive);
    [
        active(groups, &several_active, place),
        rest(groups, &others, leases.is_some(), place),
    ]
}

fn dedup_check(place: Place<'_>) -> Step {
    Step::Gwlock(format!(
        "dedup check -n {} --controller-namespace {} -o wide",
        place.lock, place.controller
    ))
}

fn active(groups: &[Group], found: &[Finding], place: Place<'_>) -> Check {
    let check =
        |outcome, message| Check::new(Subject::Requests, "active-requests", outcome, message);
    if found.is_empty() {
        let keys = several(active_keys(groups), "active key");
        let message = format!("{keys} in {}, each with one request", place.controller);
        return check(Outcome::Ok, message).with(json!({"of": []}));
    }
    let keys: Vec<&str> = found.iter().map(|finding| finding.key.as_str()).collect();
    let message = format!(
        "several requests are active of {}: {}; the lock was passed by, and one alert is remediated more than once",
        several(found.len(), "key"),
        some(&keys, SHOWN)
    );
    check(Outcome::Failure, message)
        .with(json!({"of": keys}))
        .step(dedup_check(place))
}

fn rest(groups: &[Group], found: &[Finding], leases_were_read: bool, place: Place<'_>) -> Check {
    let check =
        |outcome, message| Check::new(Subject::Requests, "request-findings", outcome, message);
    let by_class = |class: Class| {
        found
            .iter()
            .filter(|finding| finding.class == class)
            .count()
    };
    let counts: Vec<(Class, usize)> = Class::ALL
        .into_iter()
        .map(|class| (class, by_class(class)))
        .filter(|(_, count)| *count > 0)
        .collect();
    let evidence = json!({
        "leasesLookedAt": leases_were_read,
        "findings": counts.iter().map(|(class, count)| (class.as_str().to_owned(), json!(count))).collect::<serde_json::Map<_, _>>(),
    });
    if counts.is_empty() {
        let requests = groups.iter().map(|group| group.requests.len()).sum();
        let message = format!(
            "{} in {}, and nothing is wrong with them",
            several(requests, "request"),
            place.controller
        );
        return check(Outcome::Ok, message).with(evidence);
    }
    let said: Vec<String> = counts
        .iter()
        .map(|(class, count)| format!("{count} {}", class.as_str()))
        .collect();
    check(
        Outcome::Warning,
        format!("requests are inconsistent: {}", said.join(", ")),
    )
    .with(evidence)
    .step(dedup_check(place))
}

#[cfg(test)]
mod tests {
    use gwlock_engine::protocol::key::Fingerprint;
    use serde_json::{Value, json};

    use super::*;
    use crate::gateway::dedup::{Listed, group};

    const NOW: &str = "2026-11-25T12:00:00Z";

    fn request(name: &str, target: &str, created: &str, counted: bool) -> Listed {
        let mut object = json!({
            "metadata": {"name": name, "namespace": "rr", "uid": name, "resourceVersion": "1", "creationTimestamp": created},
            "spec": {
                "signalFingerprint": Fingerprint::of(target).as_str(),
                "targetResource": {"namespace": "prod", "kind": "Pod", "name": target.rsplit(':').next()},
            },
            "status": {"overallPhase": "Executing"},
        });
        if counted {
            object["status"]["deduplication"] =
                json!({"occurrenceCount": 1, "firstSeenAt": created, "lastSeenAt": created});
        }
        Listed::read(&object).unwrap()
    }

    fn checks(requests: Vec<Listed>) -> [Check; 2] {
        let place = Place {
            lock: "ns",
            controller: "rr",
        };
        findings(&group(requests), NOW.parse().unwrap(), None, place)
    }

    #[test]
    fn one_request_for_each_key_is_as_it_should_be() {
        let [active, rest] = checks(vec![
            request("a", "prod:Pod:a", "2026-11-25T11:59:00Z", true),
            request("b", "prod:Pod:b", "2026-11-25T11:59:00Z", true),
        ]);
        assert_eq!((active.outcome, rest.outcome), (Outcome::Ok, Outcome::Ok));
        assert_eq!(active.message, "2 active keys in rr, each with one request");
        assert_eq!(
            rest.message,
            "2 requests in rr, and nothing is wrong with them"
        );
        assert_eq!(active_keys(&[]), 0);
    }

    #[test]
    fn two_active_requests_of_a_key_are_a_failure_and_a_missing_count_a_warning() {
        let [active, rest] = checks(vec![
            request("a", "prod:Pod:a", "2026-11-25T11:00:00Z", true),
            request("b", "prod:Pod:a", "2026-11-25T11:00:01Z", true),
            request("c", "prod:Pod:c", "2026-11-25T11:00:00Z", false),
        ]);
        assert_eq!(
            (active.outcome, rest.outcome),
            (Outcome::Failure, Outcome::Warning)
        );
        assert!(
            active
                .message
                .starts_with("several requests are active of 1 key: prod:Pod:a; "),
            "{}",
            active.message
        );
        assert_eq!(rest.message, "requests are inconsistent: 1 not-counted");
        let expected: Value = json!({"leasesLookedAt": false, "findings": {"not-counted": 1}});
        assert_eq!(rest.evidence, expected);
        let command = "dedup check -n ns --controller-namespace rr -o wide";
        assert_eq!(rest.fix, [Step::Gwlock(command.to_owned())]);
    }
}
