//! A core/v1 Event, as something that forwards events sends it.
//!
//! What was sent, and no more. Events that nothing is done for are refused here: those of type `Normal`, and those
//! that say neither why nor about what.
//!
//! An event that was made through `events.k8s.io` has `eventTime` and `series` instead of the two timestamps, and
//! `reportingComponent` instead of a source; the running gateway refuses it, here it is read.

use jiff::Timestamp;

use super::payload::fields::Fields;
use super::payload::{self, PayloadError, Problem, excerpt};

/// An event of type `Warning` or `Error`. It keeps its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    body: String,
    /// `Warning` or `Error`.
    pub event_type: String,
    /// Why it was made, in one word; never empty.
    pub reason: String,
    /// The same for people.
    pub message: String,
    /// What it is about.
    pub involved_object: InvolvedObject,
    /// When this was seen first, if that is said.
    pub first_timestamp: Option<Timestamp>,
    /// When this was seen last, if that is said.
    pub last_timestamp: Option<Timestamp>,
    /// When this was seen first, in events that have no `firstTimestamp`.
    pub event_time: Option<Timestamp>,
    /// When this was seen last, in events that have no `lastTimestamp`.
    pub last_observed_time: Option<Timestamp>,
    /// How often it was seen; 0 where that is not said.
    pub count: i64,
    /// The component that made it; empty where that is not said.
    pub component: String,
    /// The node on which that component runs; empty where that is not said.
    pub host: String,
}

/// The object that an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvolvedObject {
    /// Never empty.
    pub kind: String,
    /// Empty for a cluster-scoped kind.
    pub namespace: String,
    /// Never empty.
    pub name: String,
    /// Empty where it is not said.
    pub api_version: String,
}

impl Event {
    /// Reads a body.
    ///
    /// # Errors
    /// [`PayloadError`]; also for an event whose type is neither `Warning` nor `Error`.
    pub fn parse(body: Vec<u8>) -> Result<Self, PayloadError> {
        let body = payload::text(body)?;
        let fields = Fields::of_body(&body)?;
        let involved = fields.object("involvedObject")?;
        let source = fields.object("source")?;
        let series = fields.object("series")?;
        let component = source.text("component")?;
        let reporting = fields.text("reportingComponent")?;
        let event = Self {
            event_type: fields.text("type")?,
            reason: required(&fields, "reason")?,
            message: fields.text("message")?,
            involved_object: InvolvedObject {
                kind: required(&involved, "kind")?,
                namespace: involved.text("namespace")?,
                name: required(&involved, "name")?,
                api_version: involved.text("apiVersion")?,
            },
            first_timestamp: fields.time("firstTimestamp")?,
            last_timestamp: fields.time("lastTimestamp")?,
            event_time: fields.time("eventTime")?,
            last_observed_time: series.time("lastObservedTime")?,
            count: fields.integer("count")?,
            component: if component.is_empty() {
                reporting
            } else {
                component
            },
            host: source.text("host")?,
            body: String::new(),
        };
        if !matches!(event.event_type.as_str(), "Warning" | "Error") {
            let problem = Problem::NotHandled {
                value: excerpt(&event.event_type),
                handled: "Warning and Error",
            };
            return Err(fields.wrong("type", problem).into());
        }
        Ok(Self { body, ..event })
    }

    /// When this happened last: `lastTimestamp`, else `firstTimestamp`, as the running gateway has it; else the end of
    /// the series, else `eventTime`.
    #[must_use]
    pub fn last_seen(&self) -> Option<Timestamp> {
        self.last_timestamp
            .or(self.first_timestamp)
            .or(self.last_observed_time)
            .or(self.event_time)
    }

    /// When this happened first: `firstTimestamp`, else `eventTime`.
    #[must_use]
    pub fn first_seen(&self) -> Option<Timestamp> {
        self.first_timestamp.or(self.event_time)
    }

    /// The body as it came.
    #[must_use]
    pub fn payload(&self) -> &str {
        &self.body
    }
}

fn required(fields: &Fields<'_>, name: &str) -> Result<String, PayloadError> {
    let text = fields.text(name)?;
    if text.is_empty() {
        return Err(fields.wrong(name, Problem::Missing).into());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn body() -> Value {
        json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": {"name": "payment-api-789.17a", "namespace": "prod"},
            "type": "Warning", "reason": "BackOff", "message": "back-off restarting failed container",
            "involvedObject": {
                "kind": "Pod", "namespace": "prod", "name": "payment-api-789", "uid": "u", "apiVersion": "v1",
                "resourceVersion": "7",
            },
            "firstTimestamp": "2026-11-23T08:50:00Z", "lastTimestamp": "2026-11-23T09:00:00Z", "count": 12,
            "eventTime": null, "source": {"component": "kubelet", "host": "worker-1"},
        })
    }

    fn parse(body: &Value) -> Result<Event, PayloadError> {
        Event::parse(body.to_string().into())
    }

    fn moment(text: &str) -> Option<Timestamp> {
        text.parse().ok()
    }

    #[test]
    fn an_event_is_read_as_the_api_server_writes_it() {
        let body = body();
        let event = parse(&body).unwrap();
        assert_eq!(
            event,
            Event {
                body: body.to_string(),
                event_type: "Warning".to_owned(),
                reason: "BackOff".to_owned(),
                message: "back-off restarting failed container".to_owned(),
                involved_object: InvolvedObject {
                    kind: "Pod".to_owned(),
                    namespace: "prod".to_owned(),
                    name: "payment-api-789".to_owned(),
                    api_version: "v1".to_owned(),
                },
                first_timestamp: moment("2026-11-23T08:50:00Z"),
                last_timestamp: moment("2026-11-23T09:00:00Z"),
                event_time: None,
                last_observed_time: None,
                count: 12,
                component: "kubelet".to_owned(),
                host: "worker-1".to_owned(),
            }
        );
        assert_eq!(event.payload(), body.to_string());
        assert_eq!(event.last_seen(), moment("2026-11-23T09:00:00Z"));
        assert_eq!(event.first_seen(), moment("2026-11-23T08:50:00Z"));
    }

    #[test]
    fn an_event_with_a_series_has_its_times_and_its_component_elsewhere() {
        let mut body = body();
        body["firstTimestamp"] = Value::Null;
        body["lastTimestamp"] = Value::Null;
        body["source"] = json!({});
        body["eventTime"] = json!("2026-11-23T08:50:00.250000Z");
        body["series"] = json!({"count": 3, "lastObservedTime": "2026-11-23T09:00:00.500000Z"});
        body["reportingComponent"] = json!("kubelet");
        let event = parse(&body).unwrap();
        assert_eq!(event.last_seen(), moment("2026-11-23T09:00:00.5Z"));
        assert_eq!(event.first_seen(), moment("2026-11-23T08:50:00.25Z"));
        assert_eq!(event.component, "kubelet");
        body["series"] = Value::Null;
        assert_eq!(
            parse(&body).unwrap().last_seen(),
            moment("2026-11-23T08:50:00.25Z")
        );
    }

    #[test]
    fn every_refusal_names_its_field() {
        for (pointer, value, expected) in [
            (
                "/type",
                json!("Normal"),
                "type: \"Normal\" is not handled, Warning and Error are",
            ),
            (
                "/type",
                json!("warning"),
                "type: \"warning\" is not handled, Warning and Error are",
            ),
            (
                "/type",
                Value::Null,
                "type: \"\" is not handled, Warning and Error are",
            ),
            ("/reason", json!(""), "reason: missing"),
            ("/reason", json!(7), "reason: text is expected"),
            (
                "/involvedObject/kind",
                Value::Null,
                "involvedObject.kind: missing",
            ),
            (
                "/involvedObject/name",
                json!(""),
                "involvedObject.name: missing",
            ),
            (
                "/involvedObject",
                json!("x"),
                "involvedObject: an object is expected",
            ),
            ("/source", json!([]), "source: an object is expected"),
            ("/count", json!(1.5), "count: a whole number is expected"),
            (
                "/lastTimestamp",
                json!("10000-01-01T00:00:00Z"),
                "lastTimestamp: \"10000-01-01T00:00:00Z\" is no RFC 3339 date",
            ),
        ] {
            let mut body = body();
            *body.pointer_mut(pointer).unwrap() = value;
            assert_eq!(parse(&body).unwrap_err().to_string(), expected);
        }
    }
}
