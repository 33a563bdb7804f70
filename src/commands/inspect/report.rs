//! What is known of one lease, by one consistent read.

use std::time::Duration;

use gwlock_engine::client::list::Listed;
use gwlock_engine::protocol::clock::Moment;
use gwlock_engine::protocol::expiry::{Evidence, Reading, Rule, Verdict, judge};
use gwlock_engine::protocol::key::{GATEWAY_PREFIX, INTERACTIVE_PREFIX};
use gwlock_engine::protocol::timing::DEFAULT_MARGIN;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::output::API_VERSION;
use crate::output::age::age;
use crate::output::colour::{ATTENTION, PLAIN};
use crate::output::table::Row;

/// A holder's clock that is off by no more than this is not worth a word.
const SKEW_WORTH_SAYING: i64 = 2;

/// The state of a lease that was there before.
const GONE: &str = "gone";

/// One lease, as `-o json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    name: String,
    namespace: String,
    holder: Option<String>,
    pub(super) state: &'static str,
    stale: bool,
    evidence: Proof,
    problems: Vec<String>,
    #[serde(skip)]
    created: Option<Duration>,
    /// The resourceVersion that was read.
    #[serde(skip)]
    pub(super) version: String,
}

/// What the state rests on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Proof {
    /// `server`, `observed` or `none`.
    rule: &'static str,
    age_seconds: Option<u64>,
    /// Negative once expired: how long ago.
    remaining_seconds: Option<i64>,
    /// The holder's clock against the server's: what it wrote minus when the server saw it.
    clock_skew_seconds: Option<i64>,
}

impl Report {
    pub(super) fn of(listed: Listed, date: Option<Timestamp>) -> Self {
        let record = &listed.record;
        let now = Moment::default();
        let verdict = judge(
            &Reading {
                record,
                date,
                arrived: now,
                unchanged_since: now,
            },
            DEFAULT_MARGIN,
        );
        let has_expiry = !listed.name.starts_with(INTERACTIVE_PREFIX);
        let state = match verdict {
            Verdict::Free => "free",
            Verdict::Deleting => "deleting",
            Verdict::Expired(_) if has_expiry => "expired",
            Verdict::Expired(_) | Verdict::Held { .. } => "held",
        };
        let skew = match (record.claim.renew_time, record.stamp) {
            (Some(written), Some(stamp)) => Some(written.as_second() - stamp.as_second()),
            _ => None,
        };
        let problems = if has_expiry {
            problems(&listed, skew)
        } else {
            Vec::new()
        };
        let created = record.created.zip(date);
        Self {
            state,
            stale: state == "expired",
            evidence: Proof::of(verdict, has_expiry, skew),
            problems,
            created: created
                .and_then(|(created, date)| date.duration_since(created).try_into().ok()),
            name: listed.name,
            namespace: listed.namespace,
            holder: listed.record.claim.holder,
            version: listed.record.resource_version,
        }
    }

    /// A lease that was there before.
    pub(super) fn gone(namespace: String, name: String) -> Self {
        Self {
            name,
            namespace,
            holder: None,
            state: GONE,
            stale: false,
            evidence: Proof::of(Verdict::Free, false, None),
            problems: Vec::new(),
            created: None,
            version: String::new(),
        }
    }

    pub(super) fn is_gone(&self) -> bool {
        self.state == GONE
    }

    /// Its namespace and its name.
    pub(super) fn lease(&self) -> (String, String) {
        (self.namespace.clone(), self.name.clone())
    }

    /// As `-o name` prints it.
    pub(super) fn resource_name(&self) -> String {
        format!("lease.coordination.k8s.io/{}", self.name)
    }

    /// The report as an object of its own.
    pub(super) fn value(&self) -> Value {
        let mut value = json!(self);
        value["apiVersion"] = json!(API_VERSION);
        value["kind"] = json!("LeaseReport");
        value
    }

    /// How long it takes until the lease expires, unless that has happened.
    pub(super) fn expires_in(&self) -> Option<Duration> {
        let left = self
            .evidence
            .remaining_seconds
            .filter(|_| self.state == "held")?;
        u64::try_from(left).ok().map(Duration::from_secs)
    }

    pub(super) fn header(namespaces: bool, wide: bool) -> Vec<&'static str> {
        let mut header = vec!["NAME", "HOLDER", "STATE", "AGE", "EXPIRES", "PROBLEMS"];
        if wide {
            header.splice(5..5, ["RENEWED", "RULE", "SKEW"]);
        }
        if namespaces {
            header.insert(0, "NAMESPACE");
        }
        header
    }

    pub(super) fn row(&self, namespaces: bool, wide: bool) -> Row {
        let needs_attention = self.stale || !self.problems.is_empty();
        let style = if needs_attention { ATTENTION } else { PLAIN };
        Row::new(self.cells(namespaces, wide)).styled(style)
    }

    fn cells(&self, namespaces: bool, wide: bool) -> Vec<String> {
        let none = || "-".to_owned();
        let expires = self.evidence.remaining_seconds.map_or_else(none, |left| {
            let duration = age(Duration::from_secs(left.unsigned_abs()));
            if left < 0 {
                format!("{duration} ago")
            } else {
                format!("in {duration}")
            }
        });
        let mut row = vec![
            self.name.clone(),
            self.holder
                .clone()
                .filter(|holder| !holder.is_empty())
                .unwrap_or_else(none),
            self.state.to_owned(),
            self.created.map_or_else(none, age),
            expires,
            if self.problems.is_empty() {
                none()
            } else {
                self.problems.join("; ")
            },
        ];
        if wide {
            let renewed = self
                .evidence
                .age_seconds
                .map_or_else(none, |age_seconds| age(Duration::from_secs(age_seconds)));
            let skew = self
                .evidence
                .clock_skew_seconds
                .map_or_else(none, |skew| format!("{skew:+}s"));
            row.splice(5..5, [renewed, self.evidence.rule.to_owned(), skew]);
        }
        if namespaces {
            row.insert(0, self.namespace.clone());
        }
        row
    }
}

impl Proof {
    fn of(verdict: Verdict, has_expiry: bool, skew: Option<i64>) -> Self {
        let nothing = Self {
            rule: "none",
            age_seconds: None,
            remaining_seconds: None,
            clock_skew_seconds: skew,
        };
        match verdict {
            Verdict::Held { evidence, .. } | Verdict::Expired(evidence) if has_expiry => Self {
                rule: match evidence.rule {
                    Rule::Server { .. } => "server",
                    Rule::Observed => "observed",
                },
                age_seconds: Some(evidence.age.as_secs())
                    .filter(|_| evidence.rule != Rule::Observed),
                remaining_seconds: Some(remaining(&evidence))
                    .filter(|_| evidence.rule != Rule::Observed),
                ..nothing
            },
            _ => nothing,
        }
    }
}

fn remaining(evidence: &Evidence) -> i64 {
    let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    seconds(evidence.limit) - seconds(evidence.age)
}

fn problems(listed: &Listed, skew: Option<i64>) -> Vec<String> {
    let claim = &listed.record.claim;
    let gateway = listed.name.starts_with(GATEWAY_PREFIX);
    let mut problems = Vec::new();
    let mut missing = |field: &str, is_missing: bool| {
        if is_missing {
            let effect = if gateway {
                ": a gateway would wait for ever"
            } else {
                ""
            };
            problems.push(format!("no {field}{effect}"));
        }
    };
    missing("renewTime", claim.renew_time.is_none());
    missing(
        "leaseDurationSeconds",
        claim.lease_duration_seconds.is_none(),
    );
    if listed.record.holder().is_none() && gateway {
        problems
            .push("no holder: a gateway takes it for somebody else's until it expires".to_owned());
    }
    if listed.record.deleting {
        problems.push("deleted, but a finalizer keeps it".to_owned());
    }
    if listed.record.stamp.is_none() {
        problems.push("no server stamp: expiry can only be observed".to_owned());
    }
    if let Some(skew) = skew.filter(|skew| skew.abs() > SKEW_WORTH_SAYING) {
        let direction = if skew > 0 { "ahead of" } else { "behind" };
        let off = age(Duration::from_secs(skew.unsigned_abs()));
        problems.push(format!(
            "the holder's clock is {off} {direction} the server's"
        ));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use gwlock_engine::protocol::record::{Claim, LeaseRecord};

    fn listed(name: &str, claim: Claim) -> Listed {
        let record = LeaseRecord {
            uid: "u1".to_owned(),
            resource_version: "7".to_owned(),
            created: Timestamp::from_second(1000).ok(),
            deleting: false,
            stamp: Timestamp::from_second(1000).ok(),
            claim,
        };
        Listed {
            namespace: "ns".to_owned(),
            name: name.to_owned(),
            record,
        }
    }

    fn held_by_gateway(renewed: i64) -> Claim {
        Claim {
            holder: Some("gateway-1".to_owned()),
            lease_duration_seconds: Some(30),
            renew_time: Timestamp::from_second(renewed).ok(),
            ..Claim::default()
        }
    }

    fn report(name: &str, claim: Claim, date: i64) -> Report {
        Report::of(listed(name, claim), Timestamp::from_second(date).ok())
    }

    #[test]
    fn a_report_says_by_which_evidence_a_lease_is_held() {
        assert_eq!(
            json!(report("gw-lock-1", held_by_gateway(1000), 1010)),
            json!({
                "name": "gw-lock-1", "namespace": "ns", "holder": "gateway-1", "state": "held", "stale": false,
                "evidence": {"rule": "server", "ageSeconds": 10, "remainingSeconds": 22, "clockSkewSeconds": 0},
                "problems": []
            })
        );
    }

    #[test]
    fn expiry_and_a_wrong_clock_are_told_apart() {
        let report = report("gw-lock-1", held_by_gateway(940), 1041);
        assert_eq!(
            report.cells(false, true),
            [
                "gw-lock-1",
                "gateway-1",
                "expired",
                "41s",
                "9s ago",
                "41s",
                "server",
                "-60s",
                "the holder's clock is 60s behind the server's"
            ]
        );
    }

    #[test]
    fn missing_fields_are_named_with_what_a_gateway_does() {
        let claim = Claim {
            renew_time: None,
            ..held_by_gateway(1000)
        };
        assert_eq!(
            report("gw-lock-1", claim, 1010).problems,
            ["no renewTime: a gateway would wait for ever"]
        );
    }

    #[test]
    fn an_interactive_session_never_expires_by_the_locks_rule() {
        let claim = Claim {
            renew_time: None,
            ..held_by_gateway(1000)
        };
        let report = report("kubernaut-interactive-rr-1", claim, 9000);
        assert_eq!(
            (report.state, report.stale, report.problems.len()),
            ("held", false, 0)
        );
        assert_eq!(report.evidence.rule, "none");
    }
}
