//! What is wrong with leases beside the requests of their keys.

use std::collections::HashMap;

use gwlock_engine::client::list::{Listed, Listing};
use gwlock_engine::protocol::expiry::{Evidence, Reading, Rule, Verdict, judge};
use gwlock_engine::protocol::key::{FINGERPRINT_PREFIX_LEN, GATEWAY_PREFIX};
use gwlock_engine::protocol::record::LeaseRecord;
use gwlock_engine::protocol::timing::DEFAULT_MARGIN;
use jiff::Timestamp;

use super::super::Group;
use super::{Class, Finding, LONG, Next, Object, later};

pub(super) fn find(groups: &[Group], leases: &Listing) -> Vec<Finding> {
    let mut by_digits: HashMap<&str, Vec<&Group>> = HashMap::new();
    for group in groups {
        if let Some(digits) = group.fingerprint.get(..FINGERPRINT_PREFIX_LEN) {
            by_digits.entry(digits).or_default().push(group);
        }
    }
    let mut findings = Vec::new();
    for lease in &leases.items {
        let Some(digits) = lease.name.strip_prefix(GATEWAY_PREFIX) else {
            continue;
        };
        let finding = match by_digits.get(digits) {
            None => orphan(lease, digits, leases.date),
            Some(groups) => long_held(lease, groups, leases.date),
        };
        findings.extend(finding);
    }
    findings
}

fn orphan(lease: &Listed, digits: &str, date: Option<Timestamp>) -> Option<Finding> {
    let evidence = expired(&lease.record, date)?;
    let ago = evidence.age.as_secs();
    let last = match lease.record.holder() {
        Some(holder) => format!("{holder} wrote it last, {ago} s ago by the server's clock"),
        None => format!("nobody has held it for {ago} s by the server's clock"),
    };
    Some(Finding {
        class: Class::OrphanLease,
        namespace: lease.namespace.clone(),
        key: format!("{digits}…"),
        objects: vec![Object::Lease(lease.name.clone())],
        message: format!("it has expired and its key has no RemediationRequest: {last}"),
        next: Next::Clear(lease.name.clone()),
    })
}

/// The evidence that a lease has expired by the server's clock. One that names nobody needs it like one that does: its
/// next holder may be on the way.
fn expired(record: &LeaseRecord, date: Option<Timestamp>) -> Option<Evidence> {
    let mut record = record.clone();
    if record.holder().is_none() {
        record.claim.holder = Some("nobody".to_owned());
    }
    match verdict(&record, date) {
        Verdict::Expired(evidence) if matches!(evidence.rule, Rule::Server { .. }) => {
            Some(evidence)
        }
        _ => None,
    }
}

fn long_held(lease: &Listed, groups: &[&Group], date: Option<Timestamp>) -> Option<Finding> {
    let record = &lease.record;
    let holder = record.holder()?;
    if !matches!(verdict(record, date), Verdict::Held { .. }) {
        return None;
    }
    let (group, active) = groups
        .iter()
        .find_map(|group| Some((group, group.active().next()?)))?;
    // The holder's clock may be wrong, but no hold is older than its lease.
    let since = [record.created, record.claim.acquire_time];
    let held = since
        .into_iter()
        .flatten()
        .filter_map(|since| later(date?, since))
        .min()?;
    (held > LONG).then(|| Finding {
        class: Class::LongHeldLease,
        namespace: lease.namespace.clone(),
        key: group.about(),
        objects: vec![
            Object::Lease(lease.name.clone()),
            Object::Request(active.name.clone()),
        ],
        message: format!(
            "{holder} has held it for {} s while {} is active: when that ends, no signal of this key gets through",
            held.as_secs(),
            active.name
        ),
        next: Next::Inspect(lease.name.clone()),
    })
}

fn verdict(record: &LeaseRecord, date: Option<Timestamp>) -> Verdict {
    judge(&Reading::first(record, date), DEFAULT_MARGIN)
}
