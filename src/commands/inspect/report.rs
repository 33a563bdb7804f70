//! What is known of one lease, by one consistent read and by what was gathered beside it. What is odd about it is put
//! into words by [`super::words`].

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use anstyle::Style;
use gwlock_engine::client::list::Listed;
use gwlock_engine::protocol::expiry::{Evidence, Reading, Rule, Verdict, judge};
use gwlock_engine::protocol::timing::DEFAULT_MARGIN;
use jiff::Timestamp;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::super::gather::{Gathered, Requests};
use super::behind::{PodView, requests_value};
use super::words::{self, Voice};
use crate::evidence::acquisition::{Acquired, acquired, skew};
use crate::evidence::findings::{Class, Finding, Looking, of_lease};
use crate::evidence::holder::{Family, Generation};
use crate::evidence::shared_name::Shared;
use crate::output::API_VERSION;
use crate::output::age::age;
use crate::output::colour::{ATTENTION, PLAIN};

/// A cell without a value.
pub(super) const NONE: Cow<'static, str> = Cow::Borrowed("-");

/// The state of a lease that was there before.
const GONE: &str = "gone";

/// What is known beside the leases themselves.
#[derive(Debug, Default)]
pub(super) struct Surroundings<'a> {
    pub(super) looking: Looking,
    pub(super) voice: Voice,
    /// `None` where nothing was asked for.
    pub(super) gathered: Option<&'a Gathered>,
    /// Names that several processes use.
    pub(super) shared: HashMap<String, Shared>,
}

/// One lease.
#[derive(Debug, Clone)]
pub(super) struct Report<'a> {
    evidence: Proof,
    ages: Ages,
    findings: Vec<Finding>,
    family: Family,
    pod: PodView<'a>,
    requests: Requests<'a>,
    stale: bool,
    pub(super) state: &'static str,
    holder: Option<&'a str>,
    name: &'a str,
    namespace: &'a str,
    /// How long it has existed.
    created: Option<Duration>,
    acquired: Option<Acquired>,
    voice: Option<&'a Voice>,
    /// The resourceVersion that was read.
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

/// How long ago the claim was written, by each who can say so. Fields are sorted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ages {
    /// The holder's `renewTime` (or `acquireTime`) against the server's `Date`; negative if that is in the future.
    pub(super) claimed_seconds: Option<i64>,
    /// How long this process has seen the claim unchanged.
    pub(super) observed_seconds: Option<u64>,
    /// The server's stamp against its `Date`.
    pub(super) stamped_seconds: Option<i64>,
}

/// How much of a report a table shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Detail {
    #[default]
    Short,
    /// All that the lease says.
    Wide,
    /// And what stands behind it.
    Joined,
}

/// Reports on leases within their surroundings, as `-o json` prints them. They are made where they are needed, because
/// there can be very many.
pub(super) struct Sheet<'a> {
    pub(super) items: &'a [Listed],
    pub(super) date: Option<Timestamp>,
    pub(super) surroundings: &'a Surroundings<'a>,
}

impl<'a> Sheet<'a> {
    pub(super) fn iter(&self) -> impl Iterator<Item = Report<'a>> + use<'a> {
        let (date, surroundings) = (self.date, self.surroundings);
        let items = self.items.iter();
        items.map(move |item| Report::within(item, date, surroundings))
    }
}

impl Serialize for Sheet<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'a> Report<'a> {
    /// By itself.
    pub(super) fn of(listed: &'a Listed, date: Option<Timestamp>) -> Self {
        Self::made(listed, date, None)
    }

    /// With all that is known beside it.
    pub(super) fn within(
        listed: &'a Listed,
        date: Option<Timestamp>,
        surroundings: &'a Surroundings<'a>,
    ) -> Self {
        Self::made(listed, date, Some(surroundings))
    }

    fn made(
        listed: &'a Listed,
        date: Option<Timestamp>,
        surroundings: Option<&'a Surroundings<'a>>,
    ) -> Self {
        let record = &listed.record;
        let verdict = judge(&Reading::first(record, date), DEFAULT_MARGIN);
        let family = Family::of(&listed.name);
        let has_expiry = family != Family::Interactive;
        let state = match verdict {
            Verdict::Free => "free",
            Verdict::Deleting => "deleting",
            Verdict::Expired(_) if has_expiry => "expired",
            Verdict::Expired(_) | Verdict::Held { .. } => "held",
        };
        let looking = surroundings.map_or_else(Looking::default, |known| known.looking);
        let acquired = acquired(family, record);
        let gathered = surroundings.and_then(|known| known.gathered);
        let pod = PodView::of(listed, family, acquired, gathered);
        let mut findings = of_lease(listed, &verdict, looking);
        if let Some(holder) = record.holder().filter(|_| family == Family::Gateway) {
            let shared = surroundings.and_then(|known| known.shared.get(holder));
            findings.extend(shared.copied().map(Finding::SharedName));
        }
        if state == "held" {
            findings.extend(pod.finding().map(Finding::Pod));
        }
        let requests = gathered.map_or(Requests::Unasked, |gathered| {
            gathered.requests(&listed.namespace, &listed.name)
        });
        let skew = skew(record);
        Self {
            evidence: Proof::of(verdict, has_expiry, skew),
            ages: Ages::of(listed, date),
            findings,
            family,
            pod,
            requests,
            stale: state == "expired",
            state,
            holder: record.claim.holder.as_deref(),
            name: &listed.name,
            namespace: &listed.namespace,
            created: record
                .created
                .zip(date)
                .and_then(|(created, date)| date.duration_since(created).try_into().ok()),
            acquired,
            voice: surroundings.map(|known| &known.voice),
            version: &record.resource_version,
        }
    }

    /// A lease that was there before.
    pub(super) fn gone(namespace: &'a str, name: &'a str) -> Self {
        Self {
            evidence: Proof::of(Verdict::Free, false, None),
            ages: Ages::default(),
            findings: Vec::new(),
            family: Family::of(name),
            pod: PodView::Unasked,
            requests: Requests::Unasked,
            stale: false,
            state: GONE,
            holder: None,
            name,
            namespace,
            created: None,
            acquired: None,
            voice: None,
            version: "",
        }
    }

    /// The same, seen unchanged by this process for so long.
    pub(super) fn observed_for(mut self, duration: Duration) -> Self {
        self.ages.observed_seconds = Some(duration.as_secs());
        self
    }

    pub(super) fn is_gone(&self) -> bool {
        self.state == GONE
    }

    /// Whether its holder is proven to hold it no more: only the server's expiry rule proves that.
    pub(super) fn is_stale(&self) -> bool {
        self.stale
    }

    /// Whether something in it cannot be what its protocol writes.
    pub(super) fn is_malformed(&self) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|finding| finding.class() == Class::Malformed)
    }

    /// What is odd about it.
    pub(super) fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Its namespace and its name.
    pub(super) fn lease(&self) -> (String, String) {
        (self.namespace.to_owned(), self.name.to_owned())
    }

    pub(super) fn name(&self) -> &'a str {
        self.name
    }

    pub(super) fn namespace(&self) -> &'a str {
        self.namespace
    }

    pub(super) fn family(&self) -> Family {
        self.family
    }

    pub(super) fn ages(&self) -> Ages {
        self.ages
    }

    pub(super) fn pod(&self) -> &PodView<'a> {
        &self.pod
    }

    pub(super) fn requests(&self) -> &Requests<'a> {
        &self.requests
    }

    pub(super) fn acquired(&self) -> Option<Acquired> {
        self.acquired
    }

    /// How long it has existed.
    pub(super) fn age(&self) -> Option<Duration> {
        self.created
    }

    /// Positive if the holder's clock is ahead.
    pub(super) fn clock_skew(&self) -> Option<i64> {
        self.evidence.clock_skew_seconds
    }

    /// Negative once expired: how long ago.
    pub(super) fn remaining_seconds(&self) -> Option<i64> {
        self.evidence.remaining_seconds
    }

    pub(super) fn generation(&self) -> Option<Generation<'a>> {
        Generation::of(self.holder?)
    }

    /// As `-o name` prints it.
    pub(super) fn resource_name(&self) -> String {
        format!("lease.coordination.k8s.io/{}", self.name)
    }

    /// Why it is stale, in words.
    pub(super) fn stale_reason(&self) -> Option<String> {
        let left = self.evidence.remaining_seconds.filter(|_| self.stale)?;
        let ago = age(Duration::from_secs(left.unsigned_abs()));
        Some(format!("expired {ago} ago by the server's clock"))
    }

    /// What is odd, in words.
    pub(super) fn problems(&self) -> impl Iterator<Item = String> {
        let findings = self.findings.iter();
        findings.map(|finding| words::problem(*finding, self))
    }

    /// What to do about something odd.
    pub(super) fn fix(&self, finding: Finding) -> String {
        words::fix(finding, self, self.voice.unwrap_or(&Voice::PLAIN))
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
        if self.stale || !self.findings.is_empty() {
            ATTENTION
        } else {
            PLAIN
        }
    }

    pub(super) fn header(namespaces: bool, detail: Detail) -> Vec<&'static str> {
        let mut header = Vec::with_capacity(17);
        if namespaces {
            header.push("NAMESPACE");
        }
        header.extend(["NAME", "HOLDER", "STATE", "AGE", "EXPIRES"]);
        if detail > Detail::Short {
            header.extend(["RENEWED", "CLAIMED", "RULE", "SKEW", "GENERATION"]);
        }
        if detail == Detail::Joined {
            header.extend(["POD", "NODE", "REQUEST"]);
        }
        if detail > Detail::Short {
            header.push("STALE");
        }
        header.push("PROBLEMS");
        header
    }

    pub(super) fn cells(&self, namespaces: bool, detail: Detail) -> Vec<Cow<'a, str>> {
        let short =
            |duration: Option<Duration>| duration.map_or(NONE, |duration| age(duration).into());
        let evidence = &self.evidence;
        let mut cells = Vec::with_capacity(17);
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
        if detail > Detail::Short {
            cells.push(short(evidence.age_seconds.map(Duration::from_secs)));
            cells.push(
                self.ages
                    .claimed_seconds
                    .map_or(NONE, |seconds| signed_age(seconds).into()),
            );
            cells.push(evidence.rule.into());
            cells.push(
                evidence
                    .clock_skew_seconds
                    .map_or(NONE, |skew| format!("{skew:+}s").into()),
            );
            cells.push(self.generation().map_or(NONE, |known| known.word().into()));
        }
        if detail == Detail::Joined {
            let [pod, node] = self.pod.cells();
            cells.extend([pod, node, super::behind::request_cell(&self.requests)]);
        }
        if detail > Detail::Short {
            cells.push(self.stale_reason().map_or(NONE, Cow::from));
        }
        cells.push(if self.findings.is_empty() {
            NONE
        } else {
            self.problems().collect::<Vec<_>>().join("; ").into()
        });
        cells
    }
}

/// An age, negative for a time that has not come yet.
pub(super) fn signed_age(seconds: i64) -> String {
    let sign = if seconds < 0 { "-" } else { "" };
    format!("{sign}{}", age(Duration::from_secs(seconds.unsigned_abs())))
}

impl Serialize for Report<'_> {
    /// Keys are sorted by their names, as kubectl sorts them.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("ages", &self.ages)?;
        map.serialize_entry("evidence", &self.evidence)?;
        let findings: Vec<Value> = self
            .findings
            .iter()
            .map(|finding| {
                json!({
                    "code": finding.code(), "fix": self.fix(*finding), "problem": words::problem(*finding, self),
                })
            })
            .collect();
        map.serialize_entry("findings", &findings)?;
        let generation = self.generation();
        map.serialize_entry("generation", &generation.map(Generation::word))?;
        map.serialize_entry("holder", &self.holder)?;
        map.serialize_entry("holderBase", &generation.map(Generation::base))?;
        map.serialize_entry("name", self.name)?;
        map.serialize_entry("namespace", self.namespace)?;
        map.serialize_entry("nonce", &generation.and_then(Generation::nonce))?;
        map.serialize_entry("pod", &self.pod.value())?;
        map.serialize_entry("problems", &self.problems().collect::<Vec<_>>())?;
        map.serialize_entry("remediationRequests", &requests_value(&self.requests))?;
        map.serialize_entry("stale", &self.stale)?;
        map.serialize_entry("staleReason", &self.stale_reason())?;
        map.serialize_entry("state", self.state)?;
        map.end()
    }
}

impl Ages {
    fn of(listed: &Listed, date: Option<Timestamp>) -> Self {
        let record = &listed.record;
        let since = |time: Option<Timestamp>| Some(date?.as_second() - time?.as_second());
        Self {
            claimed_seconds: since(record.claim.renew_time.or(record.claim.acquire_time)),
            observed_seconds: None,
            stamped_seconds: since(record.stamp),
        }
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

#[cfg(test)]
mod tests;
