//! Audit events: what a line holds, for whoever writes one. Where lines go is decided elsewhere.
//!
//! [`SCHEMA`] is the whole of it, and what `docs/signals.md` says; a test holds both, and lines of every type, together.

use jiff::Timestamp;
use serde_json::{Value, json};

/// The `event_category` of every event.
pub const CATEGORY: &str = "gateway";

/// What stands in every line beside `event_data`.
pub const ENVELOPE: [&str; 5] = [
    "event_time",
    "event_type",
    "event_category",
    "event_action",
    "correlation_id",
];

/// The fields of a signal.
const SIGNAL: [&str; 10] = [
    "signal_type",
    "signal_name",
    "namespace",
    "fingerprint",
    "severity",
    "resource_kind",
    "resource_name",
    "original_payload",
    "signal_labels",
    "signal_annotations",
];

/// One type of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventType {
    /// `event_type`.
    pub name: &'static str,
    /// Whether `event_data` has the fields of the signal.
    pub has_signal: bool,
    /// What else `event_data` has, each always.
    pub fields: &'static [&'static str],
}

/// Every type of event.
pub const SCHEMA: [EventType; 12] = [
    EventType::of_signal("gateway.signal.received", &[]),
    EventType::of_signal("gateway.crd.created", COUNTED),
    EventType::of_signal("gateway.signal.deduplicated", COUNTED),
    EventType::of_signal("gateway.crd.failed", &["error"]),
    EventType::of(
        "gateway.config.reloaded",
        &["config", "certificate_file", "private_key_file"],
    ),
    EventType::of(
        "gateway.config.rejected",
        &["config", "certificate_file", "private_key_file", "error"],
    ),
    EventType::of("gateway.lock.acquired", ACQUIRED),
    EventType::of("gateway.lock.taken_over", ACQUIRED),
    EventType::of("gateway.lock.contended", &["lease", "run"]),
    EventType::of("gateway.lock.lost", &["lease", "run"]),
    EventType::of(
        "gateway.lock.released",
        &["lease", "run", "released", "held_seconds"],
    ),
    EventType::of(
        "gateway.lock.force_expired",
        &[
            "lease",
            "namespace",
            "holder",
            "fencing_token",
            "evidence",
            "by",
            "reason",
            "before",
        ],
    ),
];

const COUNTED: &[&str] = &[
    "remediation_request",
    "deduplication_status",
    "occurrence_count",
];
const ACQUIRED: &[&str] = &["lease", "run", "holder", "fencing_token", "waited_seconds"];

/// The JSON type of every field of `event_data`; `?` marks those that can be null.
pub const FIELDS: [(&str, &str); 28] = [
    ("signal_type", "string"),
    ("signal_name", "string"),
    ("namespace", "string?"),
    ("fingerprint", "string"),
    ("severity", "string"),
    ("resource_kind", "string"),
    ("resource_name", "string"),
    ("original_payload", "string?"),
    ("signal_labels", "object"),
    ("signal_annotations", "object"),
    ("remediation_request", "string"),
    ("deduplication_status", "string"),
    ("occurrence_count", "integer"),
    ("error", "string"),
    ("config", "string"),
    ("certificate_file", "string"),
    ("private_key_file", "string"),
    ("lease", "string"),
    ("run", "integer"),
    ("holder", "string?"),
    ("fencing_token", "string"),
    ("waited_seconds", "number"),
    ("released", "string"),
    ("held_seconds", "number"),
    ("evidence", "string"),
    ("by", "string"),
    ("reason", "string?"),
    ("before", "object"),
];

impl EventType {
    const fn of(name: &'static str, fields: &'static [&'static str]) -> Self {
        Self {
            name,
            has_signal: false,
            fields,
        }
    }

    const fn of_signal(name: &'static str, fields: &'static [&'static str]) -> Self {
        Self {
            name,
            has_signal: true,
            fields,
        }
    }

    /// `event_action`: the last part of the name.
    #[must_use]
    pub fn action(&self) -> &'static str {
        self.name.rsplit('.').next().unwrap_or_default()
    }

    /// Every field of `event_data`.
    pub fn data(&self) -> impl Iterator<Item = &'static str> {
        let signal = if self.has_signal { &SIGNAL[..] } else { &[] };
        signal.iter().chain(self.fields).copied()
    }
}

/// An event, before it is a line.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// `event_type`.
    pub name: &'static str,
    /// `correlation_id`: the RemediationRequest's name; the fingerprint, lease or file where there is none.
    pub correlation: String,
    /// `event_data`.
    pub data: Value,
}

impl Event {
    /// A lease was removed from its holder.
    #[must_use]
    pub fn force_expired(removed: &Removed<'_>) -> Self {
        Self {
            name: "gateway.lock.force_expired",
            correlation: removed.lease.to_owned(),
            data: json!({
                "lease": removed.lease,
                "namespace": removed.namespace,
                "holder": removed.holder,
                "fencing_token": removed.fencing_token,
                "evidence": removed.evidence,
                "by": removed.by,
                "reason": removed.reason,
                "before": removed.before,
            }),
        }
    }

    /// The line, without its end.
    #[must_use]
    pub fn line(&self, time: Timestamp) -> String {
        let action = self.name.rsplit('.').next().unwrap_or_default();
        json!({
            "event_time": time,
            "event_type": self.name,
            "event_category": CATEGORY,
            "event_action": action,
            "correlation_id": self.correlation,
            "event_data": self.data,
        })
        .to_string()
    }
}

/// A lease that somebody removed from its holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removed<'a> {
    /// Its name.
    pub lease: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
    /// Who held it, if it named anybody.
    pub holder: Option<&'a str>,
    /// Its resourceVersion: what the holder's writes are fenced by.
    pub fencing_token: &'a str,
    /// Why it could be removed, in words.
    pub evidence: &'a str,
    /// Who removed it.
    pub by: &'a str,
    /// Why, in the words of whoever removed it.
    pub reason: Option<&'a str>,
    /// The lease as it was, cut to a size that a log can take.
    pub before: &'a Value,
}
