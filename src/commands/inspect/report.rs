//! What is known of one lease, by one consistent read.

use std::borrow::Cow;
use std::time::Duration;

use anstyle::Style;
use gwlock_engine::client::list::{Listed, Listing};
use gwlock_engine::protocol::clock::Moment;
use gwlock_engine::protocol::expiry::{Evidence, Reading, Rule, Verdict, judge};
use gwlock_engine::protocol::key::{GATEWAY_PREFIX, INTERACTIVE_PREFIX};
use gwlock_engine::protocol::timing::DEFAULT_MARGIN;
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::output::API_VERSION;
use crate::output::age::age;
use crate::output::colour::{ATTENTION, PLAIN};

/// A holder's clock that is off by no more than this is not worth a word.
const SKEW_WORTH_SAYING: i64 = 2;

/// A cell without a value.
const NONE: Cow<'static, str> = Cow::Borrowed("-");

/// The state of a lease that was there before.
const GONE: &str = "gone";

/// One lease, as `-o json` prints it. Fields are sorted by their names, as kubectl sorts keys.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report<'a> {
    evidence: Proof,
    holder: Option<&'a str>,
    name: &'a str,
    namespace: &'a str,
    problems: Vec<String>,
    stale: bool,
    pub(super) state: &'static str,
    #[serde(skip)]
    created: Option<Duration>,
    /// The resourceVersion that was read.
    #[serde(skip)]
    pub(super) version: &'a str,
}

/// What the state rests on. Fields are sorted.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Proof {
    age_seconds: Option<u64>,
    /// The holder's clock against the server's: what it wrote minus when the server saw it.
    clock_skew_seconds: Option<i64>,
    /// Negative once expired: how long ago.
    remaining_seconds: Option<i64>,
    /// `server`, `observed` or `none`.
    rule: &'static str,
}

/// Reports on all leases of a listing. They are made where they are needed, because there can be very many.
pub(super) struct Reports<'a>(pub(super) &'a Listing);

/// The object that `-o json` prints. Fields are sorted.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportList<'a> {
    api_version: &'static str,
    items: Reports<'a>,
    kind: &'static str,
}

impl<'a> Reports<'a> {
    pub(super) fn iter(&self) -> impl Iterator<Item = Report<'a>> + use<'a> {
        let date = self.0.date;
        self.0.items.iter().map(move |item| Report::of(item, date))
    }

    pub(super) fn list(self) -> ReportList<'a> {
        ReportList {
            api_version: API_VERSION,
            items: self,
            kind: "LeaseReportList",
        }
    }
}

impl Serialize for Reports<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'a> Report<'a> {
    pub(super) fn of(listed: &'a Listed, date: Option<Timestamp>) -> Self {
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
            problems(listed, skew)
        } else {
            Vec::new()
        };
        let created = record.created.zip(date);
        Self {
            evidence: Proof::of(verdict, has_expiry, skew),
            holder: record.claim.holder.as_deref(),
            name: &listed.name,
            namespace: &listed.namespace,
            problems,
            stale: state == "expired",
            state,
            created: created
                .and_then(|(created, date)| date.duration_since(created).try_into().ok()),
            version: &record.resource_version,
        }
    }

    /// A lease that was there before.
    pub(super) fn gone(namespace: &'a str, name: &'a str) -> Self {
        Self {
            evidence: Proof::of(Verdict::Free, false, None),
            holder: None,
            name,
            namespace,
            problems: Vec::new(),
            stale: false,
            state: GONE,
            created: None,
            version: "",
        }
    }

    pub(super) fn is_gone(&self) -> bool {
        self.state == GONE
    }

    /// Whether its holder is proven to hold it no more.
    pub(super) fn is_stale(&self) -> bool {
        self.stale
    }

    /// Its namespace and its name.
    pub(super) fn lease(&self) -> (String, String) {
        (self.namespace.to_owned(), self.name.to_owned())
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

    pub(super) fn style(&self) -> Style {
        if self.stale || !self.problems.is_empty() {
            ATTENTION
        } else {
            PLAIN
        }
    }

    pub(super) fn header(namespaces: bool, wide: bool) -> Vec<&'static str> {
        let mut header = Vec::with_capacity(10);
        if namespaces {
            header.push("NAMESPACE");
        }
        header.extend(["NAME", "HOLDER", "STATE", "AGE", "EXPIRES"]);
        if wide {
            header.extend(["RENEWED", "RULE", "SKEW"]);
        }
        header.push("PROBLEMS");
        header
    }

    pub(super) fn cells(&self, namespaces: bool, wide: bool) -> Vec<Cow<'a, str>> {
        let short =
            |duration: Option<Duration>| duration.map_or(NONE, |duration| age(duration).into());
        let evidence = &self.evidence;
        let mut cells = Vec::with_capacity(10);
        if namespaces {
            cells.push(self.namespace.into());
        }
        cells.push(self.name.into());
        cells.push(
            self.holder
                .filter(|holder| !holder.is_empty())
                .map_or(NONE, Cow::from),
        );
        cells.push(self.state.into());
        cells.push(short(self.created));
        cells.push(evidence.remaining_seconds.map_or(NONE, |left| {
            let duration = age(Duration::from_secs(left.unsigned_abs()));
            if left < 0 {
                format!("{duration} ago").into()
            } else {
                format!("in {duration}").into()
            }
        }));
        if wide {
            cells.push(short(evidence.age_seconds.map(Duration::from_secs)));
            cells.push(evidence.rule.into());
            cells.push(
                evidence
                    .clock_skew_seconds
                    .map_or(NONE, |skew| format!("{skew:+}s").into()),
            );
        }
        cells.push(match self.problems.as_slice() {
            [] => NONE,
            problems => problems.join("; ").into(),
        });
        cells
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

    fn report(listed: &Listed, date: i64) -> Report<'_> {
        Report::of(listed, Timestamp::from_second(date).ok())
    }

    #[test]
    fn a_report_says_by_which_evidence_a_lease_is_held() {
        assert_eq!(
            json!(report(&listed("gw-lock-1", held_by_gateway(1000)), 1010)),
            json!({
                "name": "gw-lock-1", "namespace": "ns", "holder": "gateway-1", "state": "held", "stale": false,
                "evidence": {"rule": "server", "ageSeconds": 10, "remainingSeconds": 22, "clockSkewSeconds": 0},
                "problems": []
            })
        );
    }

    #[test]
    fn expiry_and_a_wrong_clock_are_told_apart() {
        let listed = listed("gw-lock-1", held_by_gateway(940));
        let report = report(&listed, 1041);
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
            report(&listed("gw-lock-1", claim), 1010).problems,
            ["no renewTime: a gateway would wait for ever"]
        );
    }

    #[test]
    fn an_interactive_session_never_expires_by_the_locks_rule() {
        let claim = Claim {
            renew_time: None,
            ..held_by_gateway(1000)
        };
        let listed = listed("kubernaut-interactive-rr-1", claim);
        let report = report(&listed, 9000);
        assert_eq!(
            (report.state, report.stale, report.problems.len()),
            ("held", false, 0)
        );
        assert_eq!(report.evidence.rule, "none");
    }

    #[test]
    fn keys_are_sorted_without_a_map() {
        let listing = Listing {
            items: vec![listed("gw-lock-1", held_by_gateway(1000))],
            date: Timestamp::from_second(1010).ok(),
            resource_version: String::new(),
        };
        let list = Reports(&listing).list();
        assert_eq!(
            serde_json::to_string(&list).unwrap(),
            json!(list).to_string()
        );
    }
}
