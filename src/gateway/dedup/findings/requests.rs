//! What is wrong with requests by themselves and beside each other.

use std::collections::HashMap;

use gwlock_engine::client::list::Listing;
use gwlock_engine::protocol::key::{Fingerprint, Target};
use gwlock_engine::remediation::RemediationRequest;
use gwlock_engine::remediation::count::Count;
use gwlock_engine::remediation::dedup::{MANUAL_REVIEW, is_active};
use jiff::Timestamp;

use super::super::{Facts, Group, Origin};
use super::{Class, DECISION, Finding, GRACE, Next, Object, SKEW, is_later_by};

/// Phases in which nothing has been done yet.
const NOT_BEGUN: [&str; 3] = ["", "Pending", "Blocked"];

pub(super) fn find(groups: &[Group], now: Timestamp, leases: Option<&Listing>) -> Vec<Finding> {
    let holders = holders(leases);
    let mut findings = Vec::new();
    for group in groups {
        findings.extend(several_active(group));
        for (request, facts) in group.requests.iter().zip(&group.facts) {
            findings.extend(not_counted(group, request, now, &holders));
            findings.extend(counted_wrongly(group, request, facts));
            findings.extend(wrong_fingerprint(group, request, facts));
        }
    }
    findings
}

/// Who holds the leases, by their names.
fn holders(leases: Option<&Listing>) -> HashMap<&str, &str> {
    let leases = leases.into_iter().flat_map(|listing| &listing.items);
    leases
        .filter_map(|lease| Some((lease.name.as_str(), lease.record.holder()?)))
        .collect()
}

fn several_active(group: &Group) -> Option<Finding> {
    let active: Vec<&RemediationRequest> = group.active().collect();
    let [original, younger @ ..] = active.as_slice() else {
        return None;
    };
    if younger.is_empty() {
        return None;
    }
    let idle: Vec<String> = younger
        .iter()
        .filter(|request| NOT_BEGUN.contains(&request.phase()))
        .map(|request| request.name.clone())
        .collect();
    let names = || active.iter().map(|request| request.name.clone());
    Some(Finding {
        class: Class::SeveralActive,
        namespace: group.namespace.clone(),
        key: group.about(),
        objects: names().map(Object::Request).collect(),
        message: format!(
            "{} are active at once; signals are counted on {}, the oldest",
            active.len(),
            original.name
        ),
        next: if idle.is_empty() {
            Next::Show(names().collect())
        } else {
            Next::Delete(idle)
        },
    })
}

fn not_counted(
    group: &Group,
    request: &RemediationRequest,
    now: Timestamp,
    holders: &HashMap<&str, &str>,
) -> Option<Finding> {
    let deduplication = request.deduplication().unwrap_or_default();
    let created = request.created?;
    if deduplication.count.is_some() || request.deleting || !is_later_by(now, created, GRACE) {
        return None;
    }
    // Whoever made it may still be at it, and renew its lease meanwhile.
    let lease = Fingerprint::parse(&request.fingerprint).map(|own| own.lease_name());
    let holder = lease.and_then(|lease| holders.get(lease.as_str()).copied());
    if holder.is_some() && holder == request.created_by.as_deref() {
        return None;
    }
    let creator = match &request.created_by {
        Some(holder) => format!("its creator {holder}"),
        None => "its creator".to_owned(),
    };
    let message = format!(
        "it has no occurrence count: {creator} ended before the first count, or may not patch \
         remediationrequests/status"
    );
    let patch = Count::of(request, 1, created).to_patch();
    let next = Next::Count(request.name.clone(), patch);
    Some(of(Class::NotCounted, group, request, message, next))
}

fn counted_wrongly(group: &Group, request: &RemediationRequest, facts: &Facts) -> Option<Finding> {
    if is_active(request) || request.deleting {
        return None;
    }
    let last_seen = request.deduplication()?.last_seen?;
    let show = || Next::Show(vec![request.name.clone()]);
    let beside = group.active().find(|active| {
        let created = active.created;
        created.is_some_and(|created| is_later_by(last_seen, created, DECISION))
    });
    if let Some(active) = beside {
        let message = format!(
            "it has ended and was last counted at {last_seen}, although {} was active",
            active.name
        );
        let class = Class::CountedBesideActive;
        return Some(of(class, group, request, message, show()));
    }
    let status = request.status.as_ref()?;
    if status.outcome.as_deref() == Some(MANUAL_REVIEW) {
        return None;
    }
    let ended = facts.ended?;
    let (what, until, tolerance) = match status.next_allowed_execution {
        Some(until) if until > ended => ("its back-off ended", until, DECISION),
        _ => ("it ended", ended, SKEW),
    };
    let message = format!(
        "{what} at {until} and it was last counted at {last_seen}: that signal made no new request"
    );
    is_later_by(last_seen, until, tolerance)
        .then(|| of(Class::CountedAfterEnd, group, request, message, show()))
}

fn wrong_fingerprint(
    group: &Group,
    request: &RemediationRequest,
    facts: &Facts,
) -> Option<Finding> {
    if facts.origin != Origin::Foreign {
        return None;
    }
    let target = &facts.target;
    let message = format!(
        "its fingerprint is not that of {target}, neither by today's rule nor by January's: signals about that are \
         not counted on it"
    );
    let text = target.to_string();
    let next = if Target::parse(&text).as_ref() == Some(target) {
        Next::Resolve(text)
    } else {
        Next::Show(vec![request.name.clone()])
    };
    Some(of(Class::WrongFingerprint, group, request, message, next))
}

fn of(
    class: Class,
    group: &Group,
    request: &RemediationRequest,
    message: String,
    next: Next,
) -> Finding {
    Finding {
        class,
        namespace: group.namespace.clone(),
        key: group.about(),
        objects: vec![Object::Request(request.name.clone())],
        message,
        next,
    }
}
