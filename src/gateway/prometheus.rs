//! The body that Alertmanager's webhook sends, version 4.
//!
//! What was sent, and no more: no target is chosen and no clock is read.
//!
//! Alertmanager's own `fingerprint`, the group's labels and the URLs are not used for anything and not looked at.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use jiff::Timestamp;

use super::payload::fields::{Fields, Raw, span};
use super::payload::{self, FieldError, MAX_ALERTS, MAX_LABELS, PayloadError, Problem, excerpt};

/// The only version of the body that Alertmanager has sent since 2016.
const VERSION: &str = "4";

/// A webhook. It keeps its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    body: String,
    /// Where the array of alerts stands in the body.
    array: Range<usize>,
    /// Labels that all alerts of the group share.
    pub common_labels: BTreeMap<String, String>,
    /// Annotations that all alerts of the group share.
    pub common_annotations: BTreeMap<String, String>,
    /// How many alerts Alertmanager left out because of its `max_alerts`. They are lost for whoever only reads this.
    pub truncated_alerts: i64,
    /// At least one.
    pub alerts: Vec<Alert>,
}

/// One alert of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Where it stands in the array.
    pub index: usize,
    span: Range<usize>,
    /// Whether it still fires.
    pub status: AlertStatus,
    /// Its own labels.
    pub labels: BTreeMap<String, String>,
    /// Its own annotations.
    pub annotations: BTreeMap<String, String>,
    /// Since when it fires, if that is said.
    pub starts_at: Option<Timestamp>,
}

/// What has become of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertStatus {
    /// Any status but the other one: an alert is not dropped for a word that nobody knows.
    Firing,
    /// It is over, and there is nothing left to be remediated.
    Resolved,
}

impl Webhook {
    /// Reads a body.
    ///
    /// # Errors
    /// [`PayloadError`], in particular when there is no alert or there are more than [`MAX_ALERTS`], and when the body
    /// says that it is of another version, whose fields may mean something else.
    pub fn parse(body: Vec<u8>) -> Result<Self, PayloadError> {
        let body = payload::text(body)?;
        let fields = Fields::of_body(&body)?;
        let version = fields.text("version")?;
        if !matches!(version.as_str(), "" | VERSION) {
            let problem = Problem::NotHandled {
                value: excerpt(&version),
                handled: "webhooks of version 4",
            };
            return Err(fields.wrong("version", problem).into());
        }
        let (raw, array) = fields.array("alerts")?;
        let Some(array) = array.filter(|_| !raw.is_empty()) else {
            return Err(fields.wrong("alerts", Problem::Missing).into());
        };
        if raw.len() > MAX_ALERTS {
            let problem = Problem::TooMany {
                count: raw.len(),
                limit: MAX_ALERTS,
            };
            return Err(fields.wrong("alerts", problem).into());
        }
        let status = AlertStatus::of(&fields.text("status")?, AlertStatus::Firing);
        let alerts: Result<_, FieldError> = raw
            .into_iter()
            .enumerate()
            .map(|(index, raw)| Alert::read(&body, index, raw, status))
            .collect();
        Ok(Self {
            array: span(&body, array),
            common_labels: labels(&fields, "commonLabels")?,
            common_annotations: fields.texts("commonAnnotations")?,
            truncated_alerts: fields.integer("truncatedAlerts")?,
            alerts: alerts?,
            body,
        })
    }

    /// The alerts that fire.
    pub fn firing(&self) -> impl Iterator<Item = &Alert> {
        self.alerts
            .iter()
            .filter(|alert| alert.status == AlertStatus::Firing)
    }

    /// The alerts that are over.
    pub fn resolved(&self) -> impl Iterator<Item = &Alert> {
        self.alerts
            .iter()
            .filter(|alert| alert.status == AlertStatus::Resolved)
    }

    /// The body as if this alert had been sent alone; the body as it came if it was.
    ///
    /// The running gateway stores the whole body with each alert, which makes the square of the body's bytes of a
    /// batch. Every byte outside the array of alerts stays as it was sent.
    #[must_use]
    pub fn payload_of(&self, alert: &Alert) -> Cow<'_, str> {
        if self.alerts.len() == 1 {
            return Cow::Borrowed(&self.body);
        }
        let before = &self.body[..self.array.start];
        let own = &self.body[alert.span.clone()];
        let after = &self.body[self.array.end..];
        Cow::Owned([before, "[", own, "]", after].concat())
    }
}

impl Alert {
    fn read(
        body: &str,
        index: usize,
        raw: Raw<'_>,
        group: AlertStatus,
    ) -> Result<Self, FieldError> {
        let fields = Fields::of(raw, format!("alerts[{index}]"))?;
        Ok(Self {
            index,
            span: span(body, raw),
            status: AlertStatus::of(&fields.text("status")?, group),
            labels: labels(&fields, "labels")?,
            annotations: fields.texts("annotations")?,
            starts_at: fields.time("startsAt")?,
        })
    }

    /// The path of one of its fields in the body.
    #[must_use]
    pub fn path(&self, field: &str) -> String {
        format!("alerts[{}].{field}", self.index)
    }
}

impl AlertStatus {
    fn of(text: &str, unsaid: Self) -> Self {
        match text {
            "" => unsaid,
            "resolved" => Self::Resolved,
            _ => Self::Firing,
        }
    }
}

fn labels(fields: &Fields<'_>, name: &str) -> Result<BTreeMap<String, String>, FieldError> {
    let labels = fields.texts(name)?;
    let bytes = labels.iter().map(|(name, value)| name.len() + value.len());
    let bytes: usize = bytes.sum();
    if bytes > MAX_LABELS {
        let limit = MAX_LABELS;
        return Err(fields.wrong(name, Problem::TooLong { bytes, limit }));
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(body: &str) -> PayloadError {
        Webhook::parse(body.into()).unwrap_err()
    }

    fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |&(key, value): &(&str, &str)| (key.to_owned(), value.to_owned());
        entries.iter().map(owned).collect()
    }

    const STORM: &str = r#"{
  "version": "4", "groupKey": "{}:{alertname=\"HighMemoryUsage\"}", "truncatedAlerts": 2, "status": "firing",
  "receiver": "kubernaut", "groupLabels": {"alertname": "HighMemoryUsage"},
  "commonLabels": {"alertname": "HighMemoryUsage", "cluster": "prod-east"}, "commonAnnotations": {"runbook": "r"},
  "externalURL": "http://alertmanager:9093",
  "alerts": [
    {"status": "firing", "labels": {"pod": "a"}, "annotations": {"summary": "ü"},
     "startsAt": "2026-11-23T09:00:00.5Z", "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "", "fingerprint": "f"},
    {"status": "resolved", "labels": {"pod": "b"}, "startsAt": "0001-01-01T00:00:00Z"}
  ],
  "later": [1, 2]
}"#;

    #[test]
    fn a_webhook_is_read_as_alertmanager_writes_it() {
        let webhook = Webhook::parse(STORM.into()).unwrap();
        assert_eq!(
            webhook.common_labels,
            map(&[("alertname", "HighMemoryUsage"), ("cluster", "prod-east")])
        );
        assert_eq!(webhook.common_annotations, map(&[("runbook", "r")]));
        assert_eq!(webhook.truncated_alerts, 2);
        let [first, second] = webhook.alerts.as_slice() else {
            panic!("{webhook:?}");
        };
        assert_eq!(first.status, AlertStatus::Firing);
        assert_eq!(first.labels, map(&[("pod", "a")]));
        assert_eq!(first.annotations, map(&[("summary", "ü")]));
        assert_eq!(first.starts_at, "2026-11-23T09:00:00.5Z".parse().ok());
        assert_eq!(second.status, AlertStatus::Resolved);
        assert_eq!(second.annotations, map(&[]));
        assert_eq!(second.starts_at, None);
        let pods = |alert: &Alert| alert.labels["pod"].clone();
        assert_eq!(webhook.firing().map(pods).collect::<Vec<_>>(), ["a"]);
        assert_eq!(webhook.resolved().map(pods).collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn of_a_batch_every_alert_keeps_what_is_its_own() {
        let webhook = Webhook::parse(STORM.into()).unwrap();
        let own: serde_json::Value =
            serde_json::from_str(&webhook.payload_of(&webhook.alerts[1])).unwrap();
        let mut expected: serde_json::Value = serde_json::from_str(STORM).unwrap();
        expected["alerts"].as_array_mut().unwrap().remove(0);
        assert_eq!(own, expected);
    }

    #[test]
    fn an_alert_that_came_alone_keeps_its_body_to_the_byte() {
        let body = r#" {"alerts" : [ {"labels":{"a":"\u0062"}} ] } "#;
        let webhook = Webhook::parse(body.into()).unwrap();
        assert_eq!(webhook.payload_of(&webhook.alerts[0]), body);
    }

    #[test]
    fn the_groups_status_counts_where_an_alert_has_none() {
        for (group, own, expected) in [
            ("resolved", "", AlertStatus::Resolved),
            ("resolved", "firing", AlertStatus::Firing),
            ("firing", "resolved", AlertStatus::Resolved),
            ("firing", "", AlertStatus::Firing),
            ("", "", AlertStatus::Firing),
            ("", "pending", AlertStatus::Firing),
        ] {
            let body = format!(r#"{{"status": "{group}", "alerts": [{{"status": "{own}"}}]}}"#);
            let webhook = Webhook::parse(body.into()).unwrap();
            assert_eq!(webhook.alerts[0].status, expected, "{group}/{own}");
        }
    }

    #[test]
    fn every_refusal_names_its_field() {
        for (body, expected) in [
            ("{}", "alerts: missing"),
            (r#"{"alerts": null}"#, "alerts: missing"),
            (r#"{"alerts": []}"#, "alerts: missing"),
            (r#"{"alerts": {}}"#, "alerts: an array is expected"),
            (r#"{"alerts": [1]}"#, "alerts[0]: an object is expected"),
            (
                r#"{"version": "5", "alerts": [{}]}"#,
                "version: \"5\" is not handled, webhooks of version 4 are",
            ),
            (
                r#"{"version": 4, "alerts": [{}]}"#,
                "version: text is expected",
            ),
            (
                r#"{"alerts": [{}, {"labels": {"pod": 7}}]}"#,
                "alerts[1].labels.pod: text is expected",
            ),
            (
                r#"{"alerts": [{"annotations": "x"}]}"#,
                "alerts[0].annotations: an object is expected",
            ),
            (
                r#"{"alerts": [{"startsAt": "now"}]}"#,
                "alerts[0].startsAt: \"now\" is no RFC 3339 date",
            ),
            (
                r#"{"alerts": [{"startsAt": ""}]}"#,
                "alerts[0].startsAt: \"\" is no RFC 3339 date",
            ),
            (
                r#"{"alerts": [{"status": true}]}"#,
                "alerts[0].status: text is expected",
            ),
            (
                r#"{"alerts": [{}], "commonLabels": []}"#,
                "commonLabels: an object is expected",
            ),
            (
                r#"{"alerts": [{}], "truncatedAlerts": "2"}"#,
                "truncatedAlerts: a whole number is expected",
            ),
            (
                r#"{"alerts": [{}], "alerts": [{}]}"#,
                "alerts: given more than once",
            ),
        ] {
            let error = refusal(body);
            assert_eq!(error.to_string(), expected, "{body}");
            assert_eq!(error.status(), 400);
            assert_eq!(error.problem_type(), "validation-error");
        }
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let mut body = br#"{"alerts": [{"labels": {"pod": ""#.to_vec();
        body.extend([0xff, b'"']);
        let error = Webhook::parse(body).unwrap_err();
        assert_eq!(error, PayloadError::NotUtf8 { valid_up_to: 32 });
        assert_eq!(error.status(), 400);
    }

    #[test]
    fn one_byte_more_than_the_limit_is_too_large() {
        let exact = Webhook::parse(vec![b' '; MAX_BODY_BYTES]).unwrap_err();
        assert_eq!(exact.status(), 400);
        let over = Webhook::parse(vec![b' '; MAX_BODY_BYTES + 1]).unwrap_err();
        assert_eq!(over, PayloadError::TooLarge { bytes: 262_145 });
        assert_eq!(over.status(), 413);
        assert_eq!(over.problem_type(), "payload-too-large");
    }

    const MAX_BODY_BYTES: usize = 262_144;

    #[test]
    fn more_labels_than_a_request_could_hold_are_refused() {
        for (field, open, close) in [
            ("alerts[0].labels", r#"{"alerts": [{"labels": "#, "}]}"),
            ("commonLabels", r#"{"alerts": [{}], "commonLabels": "#, "}"),
        ] {
            let body = |bytes: usize| {
                let labels = format!(r#"{{"a": "", "l": "{}"}}"#, "x".repeat(bytes - 2));
                [open, &labels, close].concat()
            };
            assert!(Webhook::parse(body(65_536).into()).is_ok());
            assert_eq!(
                refusal(&body(65_537)).to_string(),
                format!("{field}: 65537 bytes, at most 65536 fit into a RemediationRequest")
            );
        }
    }

    #[test]
    fn more_alerts_than_alertmanager_could_send_are_refused() {
        let body = |count: usize| format!(r#"{{"alerts": [{}{{}}]}}"#, "{},".repeat(count - 1));
        let webhook = Webhook::parse(body(1000).into()).unwrap();
        assert_eq!(webhook.alerts.len(), 1000);
        assert_eq!(
            refusal(&body(1001)).to_string(),
            "alerts: 1001 are given, at most 1000 are taken"
        );
    }
}
