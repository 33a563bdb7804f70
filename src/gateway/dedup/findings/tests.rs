//! One test for each class of finding: what is found, and what looks like it and is none.

use gwlock_engine::client::list::Listed as ListedLease;
use gwlock_engine::protocol::key::Fingerprint;
use gwlock_engine::protocol::record::{Claim, LeaseRecord};
use serde_json::json;

use super::super::tests::{TARGET, at, groups, object};
use super::*;

const NOW: &str = "10:00:00";
const LEASE: &str = "gw-lock-91fce8d5c4949766";

fn found(objects: &[Value]) -> Vec<Finding> {
    find(&groups(objects), at(NOW), None)
}

fn classes(objects: &[Value]) -> Vec<Class> {
    found(objects).iter().map(|finding| finding.class).collect()
}

fn counted(phase: &str, last_seen: &str) -> Value {
    let last_seen = at(last_seen).to_string();
    json!({
        "overallPhase": phase,
        "deduplication": {"firstSeenAt": at("09:00:00").to_string(), "lastSeenAt": last_seen, "occurrenceCount": 2},
    })
}

/// A status with more in it.
fn with(mut status: Value, more: &Value) -> Value {
    let status_fields = status.as_object_mut().unwrap();
    status_fields.extend(more.as_object().unwrap().clone());
    status
}

fn names(finding: &Finding) -> Vec<&str> {
    let objects = finding.objects.iter();
    objects
        .map(|object| match object {
            Object::Request(name) | Object::Lease(name) => name.as_str(),
        })
        .collect()
}

#[test]
fn a_key_with_one_active_request_and_any_number_of_ended_ones_is_fine() {
    let ended = |name: &str| {
        let status = with(
            counted("Completed", "09:10:00"),
            &json!({"completedAt": at("09:10:00").to_string()}),
        );
        object(name, "09:00:00", TARGET, status)
    };
    let active = object("c", "09:30:00", TARGET, counted("Executing", "09:40:00"));
    assert_eq!(found(&[ended("a"), ended("b"), active]), []);
}

#[test]
fn several_active_requests_are_named_with_the_one_that_counts() {
    let objects = [
        object("b", "09:00:01", TARGET, counted("Pending", "09:40:00")),
        object("a", "09:00:00", TARGET, counted("Executing", "09:40:00")),
        object("c", "09:00:02", TARGET, counted("Analyzing", "09:40:00")),
    ];
    let [finding] = found(&objects).try_into().unwrap();
    assert_eq!(finding.class, Class::SeveralActive);
    assert_eq!(
        (finding.namespace.as_str(), finding.key.as_str()),
        ("ns", TARGET)
    );
    assert_eq!(names(&finding), ["a", "b", "c"]);
    assert_eq!(
        finding.message,
        "3 are active at once; signals are counted on a, the oldest"
    );
    assert_eq!(
        finding.next,
        Next::Delete(vec!["b".to_owned()]),
        "the others are at work"
    );
    // Where all are at work, there is only something to look at.
    let at_work = [objects[1].clone(), objects[2].clone()];
    let [finding] = found(&at_work).try_into().unwrap();
    assert_eq!(
        finding.next,
        Next::Show(vec!["a".to_owned(), "c".to_owned()])
    );
}

#[test]
fn one_that_is_being_deleted_is_not_active() {
    let mut going = object("a", "09:00:00", TARGET, counted("Executing", "09:40:00"));
    going["metadata"]["deletionTimestamp"] = json!(at("09:50:00").to_string());
    let staying = object("b", "09:00:01", TARGET, counted("Executing", "09:40:00"));
    assert_eq!(found(&[going, staying]), []);
}

#[test]
fn a_request_without_a_count_is_found_after_its_creators_grace() {
    for (created, expected) in [
        ("09:59:29", vec![Class::NotCounted]),
        ("09:59:30", vec![]),
        ("10:00:05", vec![]),
    ] {
        for status in [
            Value::Null,
            json!({}),
            json!({"overallPhase": "Pending"}),
            json!({"deduplication": {"firstSeenAt": at("09:00:00").to_string()}}),
        ] {
            let objects = [object("a", created, TARGET, status)];
            assert_eq!(classes(&objects), expected, "{created}: {objects:?}");
        }
    }
    let counted_zero = json!({"deduplication": {"occurrenceCount": 0}});
    assert_eq!(
        found(&[object("a", "09:00:00", TARGET, counted_zero)]),
        [],
        "it is there"
    );
}

#[test]
fn the_patch_that_counts_takes_effect_only_on_what_was_read() {
    let objects = [object(
        "a",
        "09:00:00",
        TARGET,
        json!({"overallPhase": "Pending"}),
    )];
    let [finding] = found(&objects).try_into().unwrap();
    let time = at("09:00:00").to_string();
    assert_eq!(
        finding.next,
        Next::Count(
            "a".to_owned(),
            json!([
                {"op": "test", "path": "/metadata/uid", "value": "uid of a"},
                {"op": "test", "path": "/metadata/deletionTimestamp", "value": null},
                {"op": "test", "path": "/status/overallPhase", "value": "Pending"},
                {"op": "test", "path": "/status/deduplication", "value": null},
                {"op": "add", "path": "/status/deduplication",
                 "value": {"firstSeenAt": time, "lastSeenAt": time, "occurrenceCount": 1}},
            ])
        )
    );
}

#[test]
fn a_creator_that_holds_its_lease_may_still_be_at_it() {
    let mut request = object("a", "09:00:00", TARGET, Value::Null);
    request["metadata"]["annotations"] =
        json!({"gwlock.dev/created-by": "gateway-1_0123456789abcdef"});
    let groups = groups(&[request]);
    let leases = |holder: &str| listing(vec![lease(LEASE, Some(holder), "09:59:50", "09:59:50")]);
    let found = |holder: &str| find(&groups, at(NOW), Some(&leases(holder)));
    assert_eq!(found("gateway-1_0123456789abcdef"), []);
    let [finding] = found("gateway-2_fedcba9876543210").try_into().unwrap();
    assert_eq!(
        finding.message,
        "it has no occurrence count: its creator gateway-1_0123456789abcdef ended before the first count, or may not \
         patch remediationrequests/status"
    );
}

#[test]
fn a_count_after_the_end_is_found_unless_the_request_suppresses() {
    let ended = |at_: &str| json!({"completedAt": at(at_).to_string()});
    let found = |last_seen: &str, more: &Value| {
        let status = with(counted("Completed", last_seen), more);
        classes(&[object("a", "09:00:00", TARGET, status)])
    };
    assert_eq!(found("09:30:02", &ended("09:30:00")), [], "two clocks");
    assert_eq!(
        found("09:30:03", &ended("09:30:00")),
        [Class::CountedAfterEnd]
    );
    let review = with(
        ended("09:30:00"),
        &json!({"completionStatus": {"outcome": "ManualReviewRequired"}}),
    );
    assert_eq!(found("09:50:00", &review), []);
    let back_off = with(
        ended("09:30:00"),
        &json!({"routingStatus": {"nextAllowedExecution": at("09:40:00").to_string()}}),
    );
    assert_eq!(found("09:39:00", &back_off), []);
    assert_eq!(found("09:40:17", &back_off), [], "decided before");
    assert_eq!(found("09:40:18", &back_off), [Class::CountedAfterEnd]);
    assert_eq!(found("09:50:00", &json!({})), [], "nobody knows its end");
}

#[test]
fn a_count_after_the_end_says_both_times() {
    let status = with(
        counted("Failed", "09:31:00"),
        &json!({"completedAt": at("09:30:00").to_string()}),
    );
    let [finding] = found(&[object("a", "09:00:00", TARGET, status)])
        .try_into()
        .unwrap();
    assert_eq!(
        finding.message,
        "it ended at 2026-11-23T09:30:00Z and it was last counted at 2026-11-23T09:31:00Z: that signal made no new \
         request"
    );
    assert_eq!(finding.next, Next::Show(vec!["a".to_owned()]));
}

#[test]
fn a_count_that_went_past_an_active_request_is_found() {
    let review = json!({"completionStatus": {"outcome": "ManualReviewRequired"}});
    let found = |last_seen: &str| {
        let ended = with(counted("Completed", last_seen), &review);
        classes(&[
            object("a", "09:00:00", TARGET, ended),
            object("b", "09:20:00", TARGET, counted("Executing", "09:50:00")),
        ])
    };
    assert_eq!(found("09:20:17"), [], "decided before it was created");
    assert_eq!(found("09:20:18"), [Class::CountedBesideActive]);
}

#[test]
fn a_fingerprint_of_another_target_is_found() {
    let mut request = object("a", "09:00:00", TARGET, counted("Executing", "09:50:00"));
    request["spec"]["targetResource"]["name"] = json!("other");
    let [finding] = found(&[request]).try_into().unwrap();
    assert_eq!(finding.class, Class::WrongFingerprint);
    assert_eq!(
        finding.message,
        "its fingerprint is not that of prod:Deployment:other, neither by today's rule nor by January's: signals about \
         that are not counted on it"
    );
    assert_eq!(
        finding.next,
        Next::Resolve("prod:Deployment:other".to_owned())
    );
}

fn listing(items: Vec<ListedLease>) -> Listing {
    Listing {
        items,
        date: Some(at(NOW)),
        took: std::time::Duration::ZERO,
        resource_version: String::new(),
    }
}

fn lease(name: &str, holder: Option<&str>, created: &str, renewed: &str) -> ListedLease {
    ListedLease {
        namespace: "locks".to_owned(),
        name: name.to_owned(),
        record: LeaseRecord {
            uid: "u".to_owned(),
            resource_version: "1".to_owned(),
            created: Some(at(created)),
            deleting: false,
            stamp: Some(at(renewed)),
            claim: Claim {
                holder: holder.map(str::to_owned),
                lease_duration_seconds: Some(30),
                acquire_time: Some(at(created)),
                renew_time: Some(at(renewed)),
                lease_transitions: None,
            },
        },
    }
}

fn with_lease(objects: &[Value], lease: ListedLease) -> Vec<Finding> {
    find(&groups(objects), at(NOW), Some(&listing(vec![lease])))
}

#[test]
fn a_lease_that_expired_and_left_no_request_is_an_orphan() {
    let held = |renewed: &str| lease(LEASE, Some("gateway-1"), renewed, renewed);
    assert_eq!(
        with_lease(&[], held("09:59:28")),
        [],
        "its creator may be at it"
    );
    let [finding] = with_lease(&[], held("09:59:27")).try_into().unwrap();
    assert_eq!(
        finding,
        Finding {
            class: Class::OrphanLease,
            namespace: "locks".to_owned(),
            key: "91fce8d5c4949766…".to_owned(),
            objects: vec![Object::Lease(LEASE.to_owned())],
            message: "it has expired and its key has no RemediationRequest: gateway-1 wrote it last, 33 s ago by the \
                      server's clock"
                .to_owned(),
            next: Next::Clear(LEASE.to_owned()),
        }
    );
    let [finding] = with_lease(&[], lease(LEASE, None, "09:00:00", "09:59:00"))
        .try_into()
        .unwrap();
    assert_eq!(
        finding.message,
        "it has expired and its key has no RemediationRequest: nobody has held it for 60 s by the server's clock"
    );
}

#[test]
fn a_lease_with_a_request_without_a_stamp_or_of_another_program_is_no_orphan() {
    let ended = with(
        counted("Completed", "09:10:00"),
        &json!({"completedAt": at("09:20:00").to_string()}),
    );
    let request = [object("a", "09:00:00", TARGET, ended)];
    let old = lease(LEASE, Some("gateway-1"), "09:00:00", "09:00:00");
    assert_eq!(with_lease(&request, old.clone()), []);
    let mut unstamped = old.clone();
    unstamped.record.stamp = None;
    assert_eq!(with_lease(&[], unstamped), []);
    let mut going = old.clone();
    going.record.deleting = true;
    assert_eq!(with_lease(&[], going), []);
    let mut other = old;
    other.name = "ro-lock-91fce8d5c4949766".to_owned();
    assert_eq!(with_lease(&[], other), []);
}

#[test]
fn a_lease_that_is_held_long_beside_an_active_request_is_found() {
    let active = [object(
        "a",
        "09:00:00",
        TARGET,
        counted("Executing", "09:50:00"),
    )];
    let held = |since: &str| lease(LEASE, Some("gateway-1"), since, "09:59:55");
    assert_eq!(with_lease(&active, held("09:59:00")), []);
    let [finding] = with_lease(&active, held("09:58:59")).try_into().unwrap();
    assert_eq!(finding.class, Class::LongHeldLease);
    assert_eq!(
        (finding.namespace.as_str(), finding.key.as_str()),
        ("locks", TARGET)
    );
    assert_eq!(names(&finding), [LEASE, "a"]);
    assert_eq!(
        finding.message,
        "gateway-1 has held it for 61 s while a is active: when that ends, no signal of this key gets through"
    );
    assert_eq!(finding.next, Next::Inspect(LEASE.to_owned()));
    // One that has expired is nobody's any more, and a takeover begins a new hold.
    let expired = lease(LEASE, Some("gateway-1"), "09:00:00", "09:00:00");
    assert_eq!(with_lease(&active, expired), []);
    let mut taken_over = held("09:00:00");
    taken_over.record.claim.acquire_time = Some(at("09:59:50"));
    assert_eq!(with_lease(&active, taken_over), []);
}

#[test]
fn without_leases_only_requests_are_judged() {
    assert_eq!(find(&[], at(NOW), None), []);
}

#[test]
fn findings_are_sorted_by_class_and_key() {
    let uncounted = |target: &str| {
        object(
            target.rsplit(':').next().unwrap(),
            "09:00:00",
            target,
            Value::Null,
        )
    };
    let objects = [
        uncounted("prod:Deployment:b"),
        uncounted("prod:Deployment:a"),
        object(
            "x",
            "09:00:00",
            "prod:Deployment:c",
            counted("Executing", "09:50:00"),
        ),
        object(
            "y",
            "09:00:00",
            "prod:Deployment:c",
            counted("Executing", "09:50:00"),
        ),
    ];
    let found = found(&objects);
    let keys: Vec<(&str, &str)> = found
        .iter()
        .map(|finding| (finding.class.as_str(), finding.key.as_str()))
        .collect();
    assert_eq!(
        keys,
        [
            ("several-active", "prod:Deployment:c"),
            ("not-counted", "prod:Deployment:a"),
            ("not-counted", "prod:Deployment:b"),
        ]
    );
}

#[test]
fn every_class_has_a_name_of_its_own_which_json_has_too() {
    for class in Class::ALL {
        assert_eq!(serde_json::to_value(class).unwrap(), class.as_str());
    }
    assert_eq!(Fingerprint::of(TARGET).lease_name().as_str(), LEASE);
}
