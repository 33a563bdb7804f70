//! Groups of RemediationRequests, made of objects as the API server sends them.

use gwlock_engine::protocol::key::Fingerprint;
use serde_json::json;

use super::*;

pub(super) const TARGET: &str = "prod:Deployment:payment-api";

pub(super) fn at(text: &str) -> Timestamp {
    format!("2026-11-23T{text}Z").parse().unwrap()
}

/// A request about a target, with the right fingerprint.
pub(super) fn object(name: &str, created: &str, target: &str, status: Value) -> Value {
    let about = Target::parse(target).unwrap();
    let mut object = json!({
        "metadata": {
            "name": name, "namespace": "ns", "uid": format!("uid of {name}"), "resourceVersion": "1",
            "creationTimestamp": at(created).to_string(),
        },
        "spec": {
            "signalFingerprint": Fingerprint::of(target).as_str(), "signalName": "HighCPU", "severity": "warning",
            "targetType": "kubernetes", "clusterID": about.cluster,
            "targetResource": {"namespace": about.namespace, "kind": about.kind, "name": about.name},
        },
    });
    object["status"] = status;
    object
}

pub(super) fn groups(objects: &[Value]) -> Vec<Group> {
    group(objects.iter().filter_map(Listed::read).collect())
}

fn names(group: &Group) -> Vec<&str> {
    let requests = group.requests.iter();
    requests.map(|request| request.name.as_str()).collect()
}

#[test]
fn requests_of_one_key_stand_together_active_ones_first() {
    let status = |phase: &str| json!({"overallPhase": phase});
    let groups = groups(&[
        object("old", "09:00:00", TARGET, status("Completed")),
        object("second", "09:03:00", TARGET, status("Blocked")),
        object("first", "09:02:00", TARGET, status("Executing")),
        object("newer", "09:01:00", TARGET, status("Failed")),
        object("other", "09:00:00", "prod:Deployment:a", Value::Null),
    ]);
    let [other, ours] = groups.as_slice() else {
        panic!("{groups:?}")
    };
    assert_eq!(
        (other.about(), names(other)),
        ("prod:Deployment:a".to_owned(), vec!["other"])
    );
    assert_eq!(ours.about(), TARGET);
    assert_eq!(ours.fingerprint, Fingerprint::of(TARGET).as_str());
    assert_eq!(names(ours), ["first", "second", "newer", "old"]);
    assert_eq!(ours.suppressing(at("10:00:00")), Some((0, Reason::Active)));
}

#[test]
fn two_namespaces_are_two_groups() {
    let mut elsewhere = object("a", "09:00:00", TARGET, Value::Null);
    elsewhere["metadata"]["namespace"] = json!("elsewhere");
    let groups = groups(&[object("a", "09:00:00", TARGET, Value::Null), elsewhere]);
    let namespaces: Vec<&str> = groups
        .iter()
        .map(|group| group.namespace.as_str())
        .collect();
    assert_eq!(namespaces, ["elsewhere", "ns"]);
}

#[test]
fn an_ended_request_that_backs_off_suppresses_until_then() {
    let until = at("12:00:00");
    let status = json!({
        "overallPhase": "Failed", "routingStatus": {"nextAllowedExecution": until.to_string()},
    });
    let groups = groups(&[object("a", "09:00:00", TARGET, status)]);
    let suppressing = |now: &str| groups[0].suppressing(at(now));
    assert_eq!(
        suppressing("11:59:59"),
        Some((0, Reason::BackOff { until }))
    );
    assert_eq!(suppressing("12:00:00"), None);
}

#[test]
fn the_end_of_a_request_is_what_its_status_says_or_when_the_phase_was_last_written() {
    let ended = |more: Value| {
        let mut status = json!({"overallPhase": "Completed"});
        status
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let mut object = object("a", "09:00:00", TARGET, status);
        let entry = |time: &str, field: &str| json!({"time": at(time).to_string(), "fieldsV1": {"f:status": {field: {}}}});
        object["metadata"]["managedFields"] = json!([
            entry("09:30:00", "f:overallPhase"),
            entry("09:20:00", "f:overallPhase"),
            entry("09:40:00", "f:deduplication"),
        ]);
        Listed::read(&object).unwrap().facts.ended
    };
    let time = at("09:10:00").to_string();
    assert_eq!(ended(json!({})), Some(at("09:30:00")));
    for said in [
        json!({"completedAt": time}),
        json!({"completionStatus": {"completedAt": time}}),
        json!({"timeoutTime": time}),
        json!({"timeoutStatus": {"timeoutTime": time}}),
    ] {
        assert_eq!(ended(said), Some(at("09:10:00")));
    }
    // An active one has not ended, whatever was written.
    let active = object("a", "09:00:00", TARGET, json!({"completedAt": time}));
    assert_eq!(Listed::read(&active).unwrap().facts.ended, None);
}

#[test]
fn what_has_no_name_is_no_request() {
    assert_eq!(Listed::read(&json!({"spec": {}})), None);
}
