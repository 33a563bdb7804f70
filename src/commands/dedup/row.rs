//! A RemediationRequest as it is shown: in JSON, and in a row of a table.

use std::borrow::Cow;

use anstyle::Style;
use gwlock_engine::protocol::key::Fingerprint;
use gwlock_engine::remediation::RemediationRequest;
use gwlock_engine::remediation::dedup::{Reason, is_active};
use jiff::Timestamp;
use serde::Serialize;

use crate::gateway::dedup::{Facts, Group};
use crate::output::age::age;
use crate::output::colour::{ATTENTION, PLAIN};

/// A cell without a value.
const NONE: Cow<'static, str> = Cow::Borrowed("-");

/// The requests of one key. Fields are sorted by their names, as kubectl sorts keys.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item<'a> {
    active: usize,
    fingerprint: &'a str,
    /// The text that the fingerprint is made of, as far as it is known.
    key: Option<&'a str>,
    lease: Option<String>,
    namespace: &'a str,
    pub(super) requests: Vec<Row<'a>>,
}

/// One request. Fields are sorted.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row<'a> {
    active: bool,
    created_at: Option<Timestamp>,
    created_by: Option<&'a str>,
    deleting: bool,
    first_seen_at: Option<Timestamp>,
    last_seen_at: Option<Timestamp>,
    pub(super) name: &'a str,
    next_allowed_execution: Option<Timestamp>,
    occurrence_count: Option<i32>,
    outcome: Option<&'a str>,
    phase: &'a str,
    severity: &'a str,
    signal: &'a str,
    /// Why it counts new signals; `null` if it does not.
    suppresses: Option<Suppresses>,
    target: String,
    #[serde(skip)]
    fingerprint: &'a str,
    #[serde(skip)]
    namespace: &'a str,
}

/// Why a request counts new signals. Fields are sorted.
#[derive(Debug, Serialize)]
struct Suppresses {
    /// `Active`, `ManualReview` or `BackOff`.
    reason: &'static str,
    /// Until when, if that is known.
    until: Option<Timestamp>,
}

impl<'a> Item<'a> {
    /// A key, with those of its requests that are to be shown.
    pub(super) fn of(
        group: &'a Group,
        now: Timestamp,
        is_shown: impl Fn(&RemediationRequest) -> bool,
    ) -> Self {
        let suppressing = group.suppressing(now);
        let members = group.requests.iter().zip(&group.facts).enumerate();
        let rows =
            members
                .filter(|(_, (request, _))| is_shown(request))
                .map(|(at, (request, facts))| {
                    let reason = suppressing.filter(|(own, _)| *own == at);
                    Row::of(request, facts, reason.map(|(_, reason)| reason))
                });
        let fingerprint = Fingerprint::parse(&group.fingerprint);
        Self {
            active: group.active().count(),
            fingerprint: &group.fingerprint,
            key: group.facts.iter().find_map(|facts| facts.origin.key()),
            lease: fingerprint.map(|fingerprint| fingerprint.lease_name().to_string()),
            namespace: &group.namespace,
            requests: rows.collect(),
        }
    }
}

impl<'a> Row<'a> {
    fn of(request: &'a RemediationRequest, facts: &'a Facts, reason: Option<Reason>) -> Self {
        let deduplication = request.deduplication().unwrap_or_default();
        let status = request.status.as_ref();
        Self {
            active: is_active(request) && !request.deleting,
            created_at: request.created,
            created_by: request.created_by.as_deref(),
            deleting: request.deleting,
            first_seen_at: deduplication.first_seen,
            last_seen_at: deduplication.last_seen,
            name: &request.name,
            next_allowed_execution: status.and_then(|status| status.next_allowed_execution),
            occurrence_count: deduplication.count,
            outcome: status.and_then(|status| status.outcome.as_deref()),
            phase: request.phase(),
            severity: &facts.severity,
            signal: &facts.signal,
            suppresses: reason.map(Suppresses::of),
            target: facts.target.to_string(),
            fingerprint: &request.fingerprint,
            namespace: &request.namespace,
        }
    }

    /// As kubectl takes it.
    pub(super) fn resource_name(&self) -> String {
        format!("remediationrequest.kubernaut.ai/{}", self.name)
    }

    pub(super) fn header(namespaces: bool, wide: bool) -> Vec<&'static str> {
        let mut header = Vec::with_capacity(16);
        if namespaces {
            header.push("NAMESPACE");
        }
        header.extend([
            "NAME",
            "ACTIVE",
            "PHASE",
            "COUNT",
            "FIRST SEEN",
            "LAST SEEN",
            "SUPPRESSES",
            "TARGET",
            "SIGNAL",
            "AGE",
        ]);
        if wide {
            header.extend(["OUTCOME", "SEVERITY", "CREATED BY", "FINGERPRINT"]);
        }
        header
    }

    pub(super) fn cells(&self, now: Timestamp, namespaces: bool, wide: bool) -> Vec<Cow<'a, str>> {
        let mut cells = Vec::with_capacity(16);
        if namespaces {
            cells.push(self.namespace.into());
        }
        cells.push(self.name.into());
        cells.push(if self.active { "*".into() } else { NONE });
        cells.push(match (self.deleting, self.phase) {
            (true, _) => "Terminating".into(),
            (false, "") => NONE,
            (false, phase) => phase.into(),
        });
        let count = self.occurrence_count;
        cells.push(count.map_or(NONE, |count| count.to_string().into()));
        cells.push(since(self.first_seen_at, now));
        cells.push(since(self.last_seen_at, now));
        let suppresses = self.suppresses.as_ref();
        cells.push(suppresses.map_or(NONE, |suppresses| suppresses.cell(now)));
        cells.push(self.target.clone().into());
        cells.push(text(self.signal));
        cells.push(since(self.created_at, now));
        if wide {
            cells.push(self.outcome.map_or(NONE, text));
            cells.push(text(self.severity));
            cells.push(self.created_by.map_or(NONE, text));
            cells.push(text(self.fingerprint));
        }
        cells
    }

    pub(super) fn style(&self) -> Style {
        if self.active { ATTENTION } else { PLAIN }
    }
}

impl Suppresses {
    fn of(reason: Reason) -> Self {
        let (reason, until) = match reason {
            Reason::Active => ("Active", None),
            Reason::ManualReview => ("ManualReview", None),
            Reason::BackOff { until } => ("BackOff", Some(until)),
        };
        Self { reason, until }
    }

    fn cell(&self, now: Timestamp) -> Cow<'static, str> {
        let left = self
            .until
            .and_then(|until| until.duration_since(now).try_into().ok());
        match left {
            Some(left) => format!("{} for {}", self.reason, age(left)).into(),
            None => self.reason.into(),
        }
    }
}

fn text(text: &str) -> Cow<'_, str> {
    if text.is_empty() { NONE } else { text.into() }
}

fn since(time: Option<Timestamp>, now: Timestamp) -> Cow<'static, str> {
    time.map_or(NONE, |time| {
        // A time that a fast clock wrote is not shown as one to come.
        let passed = now.duration_since(time).try_into().unwrap_or_default();
        age(passed).into()
    })
}
