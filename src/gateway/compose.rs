//! Bodies to send: made of their parts, or recognised by their shape.
//!
//! The other direction of `prometheus` and `event`, and as pure: `now` comes in, and nothing is sent.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::kinds::Kinds;
use super::target::{Selection, Step};
use super::{EVENT_PATH, GatewayVersion, PROMETHEUS_PATH};

/// Alertmanager's word for "not over yet".
const NEVER: &str = "0001-01-01T00:00:00Z";

/// Whose format a body has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Alertmanager's webhook.
    Prometheus,
    /// A core/v1 Event.
    Event,
}

/// Why it cannot be told whose format a body has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unrecognised {
    /// It is no JSON object.
    #[error("the body is no JSON object: {0}")]
    NotAnObject(String),
    /// It has the fields of neither.
    #[error("neither a webhook of Alertmanager (alerts) nor an event (involvedObject)")]
    Neither,
}

/// An alert, as Alertmanager would send it alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Its labels, `alertname` and `severity` among them.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Since when it fires.
    pub starts_at: Timestamp,
    /// When it was over, if it is.
    pub ends_at: Option<Timestamp>,
}

/// An event, as the API server would show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// `Warning` or `Error`.
    pub event_type: String,
    /// Why it was made.
    pub reason: String,
    /// The same for people.
    pub message: String,
    /// The kind that it is about.
    pub kind: String,
    /// Empty for a cluster-scoped kind.
    pub namespace: String,
    /// The name of the object that it is about.
    pub name: String,
    /// When it happened.
    pub at: Timestamp,
}

impl Source {
    /// The path of its endpoint.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Prometheus => PROMETHEUS_PATH,
            Self::Event => EVENT_PATH,
        }
    }

    /// Whose format a body has, by its fields.
    ///
    /// # Errors
    /// [`Unrecognised`].
    pub fn of(body: &[u8]) -> Result<Self, Unrecognised> {
        let fields: BTreeMap<String, &RawValue> = serde_json::from_slice(body)
            .map_err(|error| Unrecognised::NotAnObject(error.to_string()))?;
        if fields.contains_key("alerts") {
            Ok(Self::Prometheus)
        } else if fields.contains_key("involvedObject") {
            Ok(Self::Event)
        } else {
            Err(Unrecognised::Neither)
        }
    }

    /// A body that is taken as it is, about an object that the lab has.
    #[must_use]
    pub fn template(self, now: Timestamp) -> Value {
        match self {
            Self::Prometheus => Alert {
                labels: texts([
                    ("alertname", "HighMemoryUsage"),
                    ("severity", "warning"),
                    ("namespace", "prod"),
                    ("pod", "checkout-6b5d4c-k8s2p"),
                ]),
                annotations: texts([("summary", "memory usage is above 90 %")]),
                starts_at: now,
                ends_at: None,
            }
            .webhook(),
            Self::Event => Event {
                event_type: "Warning".to_owned(),
                reason: "BackOff".to_owned(),
                message: "Back-off restarting failed container".to_owned(),
                kind: "Pod".to_owned(),
                namespace: "prod".to_owned(),
                name: "checkout-6b5d4c-k8s2p".to_owned(),
                at: now,
            }
            .body(),
        }
    }
}

/// A body that can be made about one object after the other.
#[derive(Debug, Clone)]
pub struct Numbered {
    source: Source,
    body: Value,
    kinds: Kinds,
}

impl Numbered {
    /// The body to start from.
    #[must_use]
    pub fn new(source: Source, body: Value) -> Self {
        let kinds = Kinds::built_in();
        Self {
            source,
            body,
            kinds,
        }
    }

    /// The body with this number appended to the names of all objects that it is about.
    #[must_use]
    pub fn number(&self, number: u64) -> Value {
        let mut body = self.body.clone();
        match self.source {
            Source::Event => {
                if let Some(Value::String(name)) = body.pointer_mut("/involvedObject/name") {
                    name.push_str(&format!("-{number}"));
                }
            }
            Source::Prometheus => {
                let alerts = body.get_mut("alerts").and_then(Value::as_array_mut);
                for alert in alerts.into_iter().flatten() {
                    number_names(alert.get_mut("labels"), &self.kinds, number);
                }
                // Alertmanager repeats here what all alerts have in common.
                number_names(body.get_mut("commonLabels"), &self.kinds, number);
            }
        }
        body
    }
}

fn number_names(labels: Option<&mut Value>, kinds: &Kinds, number: u64) {
    let labels = labels.and_then(Value::as_object_mut);
    for (label, value) in labels.into_iter().flatten() {
        if let Value::String(name) = value
            && names_an_object(label, name, kinds)
        {
            name.push_str(&format!("-{number}"));
        }
    }
}

fn names_an_object(label: &str, value: &str, kinds: &Kinds) -> bool {
    let alone = BTreeMap::from([(label.to_owned(), value.to_owned())]);
    let selection = Selection::new(GatewayVersion::Current, kinds, &alone);
    selection.next() != Step::Nothing
}

impl Alert {
    /// The body of a webhook with this alert alone.
    #[must_use]
    pub fn webhook(&self) -> Value {
        let status = if self.ends_at.is_some() {
            "resolved"
        } else {
            "firing"
        };
        let name = self.labels.get("alertname").map_or("", String::as_str);
        let ends_at = self
            .ends_at
            .map_or_else(|| NEVER.to_owned(), |at| at.to_string());
        json!({
            "version": "4",
            "groupKey": format!("{{}}:{{alertname={name:?}}}"),
            "truncatedAlerts": 0,
            "status": status,
            "receiver": "gwlock",
            "groupLabels": {"alertname": name},
            "commonLabels": self.labels,
            "commonAnnotations": self.annotations,
            "externalURL": "",
            "alerts": [{
                "status": status,
                "labels": self.labels,
                "annotations": self.annotations,
                "startsAt": self.starts_at,
                "endsAt": ends_at,
                "generatorURL": "",
                "fingerprint": "",
            }],
        })
    }
}

impl Event {
    /// The event as JSON.
    #[must_use]
    pub fn body(&self) -> Value {
        let kinds = Kinds::built_in();
        let mut involved =
            json!({"kind": self.kind, "namespace": self.namespace, "name": self.name});
        if let Some(kind) = kinds.get(&self.kind) {
            involved["apiVersion"] = kind.api_version().into();
        }
        json!({
            "apiVersion": "v1",
            "kind": "Event",
            "type": self.event_type,
            "reason": self.reason,
            "message": self.message,
            "involvedObject": involved,
            "firstTimestamp": self.at,
            "lastTimestamp": self.at,
            "count": 1,
            "source": {"component": "gwlock"},
        })
    }
}

fn texts<const N: usize>(entries: [(&str, &str); N]) -> BTreeMap<String, String> {
    entries
        .into_iter()
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::prometheus::{AlertStatus, Webhook};
    use crate::gateway::{event, freshness};

    fn now() -> Timestamp {
        "2026-11-23T09:00:00.123456789Z".parse().unwrap()
    }

    fn alert() -> Alert {
        Alert {
            labels: texts([
                ("alertname", "A\"b"),
                ("pod", "p"),
                ("namespace", "prod"),
                ("job", "j"),
            ]),
            annotations: texts([("summary", "ü")]),
            starts_at: now(),
            ends_at: None,
        }
    }

    #[test]
    fn what_is_made_of_an_alert_is_read_back_as_it() {
        let webhook = Webhook::parse(alert().webhook().to_string().into()).unwrap();
        let [read] = webhook.alerts.as_slice() else {
            panic!("{webhook:?}")
        };
        assert_eq!(
            (&read.labels, &read.annotations, read.starts_at, read.status),
            (
                &alert().labels,
                &alert().annotations,
                Some(now()),
                AlertStatus::Firing
            )
        );
        assert_eq!(webhook.common_labels, alert().labels);
        let over = Alert {
            ends_at: Some(now()),
            ..alert()
        };
        let webhook = Webhook::parse(over.webhook().to_string().into()).unwrap();
        assert_eq!(webhook.alerts[0].status, AlertStatus::Resolved);
    }

    #[test]
    fn a_template_is_recognised_and_taken_as_it_is() {
        for source in [Source::Prometheus, Source::Event] {
            let body = source.template(now()).to_string();
            assert_eq!(Source::of(body.as_bytes()), Ok(source));
            match source {
                Source::Prometheus => {
                    let webhook = Webhook::parse(body.into()).unwrap();
                    let version = GatewayVersion::Current;
                    freshness::check_webhook(version, None, &webhook, now()).unwrap();
                    freshness::check_alert(&webhook.alerts[0], now()).unwrap();
                }
                Source::Event => {
                    let event = event::Event::parse(body.into()).unwrap();
                    let version = GatewayVersion::Current;
                    freshness::check_event(version, None, &event, now()).unwrap();
                    assert_eq!(event.involved_object.api_version, "v1");
                }
            }
        }
    }

    #[test]
    fn a_body_is_told_by_its_fields() {
        for (body, expected) in [
            (r#"{"alerts": []}"#, Ok(Source::Prometheus)),
            (r#"{"involvedObject": {}, "x": [[[]]]}"#, Ok(Source::Event)),
            (r#"{"kind": "EventList"}"#, Err(Unrecognised::Neither)),
        ] {
            assert_eq!(Source::of(body.as_bytes()), expected, "{body}");
        }
        for body in ["", "[]", "{", "\"alerts\""] {
            let refused = Source::of(body.as_bytes());
            assert!(
                matches!(refused, Err(Unrecognised::NotAnObject(_))),
                "{body}: {refused:?}"
            );
        }
    }

    #[test]
    fn numbers_go_to_the_names_of_objects_alone() {
        let body = Numbered::new(Source::Prometheus, alert().webhook()).number(7);
        let expected = json!({"alertname": "A\"b", "pod": "p-7", "namespace": "prod", "job": "j"});
        assert_eq!(body["alerts"][0]["labels"], expected);
        assert_eq!(body["commonLabels"], expected);
        let event = Source::Event.template(now());
        let body = Numbered::new(Source::Event, event).number(0);
        assert_eq!(body["involvedObject"]["name"], "checkout-6b5d4c-k8s2p-0");
    }
}
