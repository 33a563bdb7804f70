//! The rules of Events, which are looser in the core group than in `events.k8s.io`.
//!
//! An Event of either group is looked at in the form of the core group, in which it is stored.

use serde_json::Value;

use super::{FieldError, formats};

/// Characters of `reportingInstance`, `action` and `reason`.
const WORD_MAX: usize = 128;
/// Characters of `message`.
const MESSAGE_MAX: usize = 1024;

pub(super) fn validate(group: &str, event: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if event["eventTime"].is_string() {
        errors.extend(validate_new_form(group, event));
    } else {
        errors.extend(validate_namespace(event, |own, involved| {
            own == involved || (involved.is_empty() && own == "default")
        }));
    }
    if !group.is_empty() && old.is_none() {
        errors.extend(validate_strictly(event));
    }
    errors
}

/// What holds for Events with an `eventTime`.
fn validate_new_form(group: &str, event: &Value) -> Vec<FieldError> {
    let mut errors = validate_namespace(event, |own, involved| {
        !involved.is_empty() || matches!(own, "default" | "kube-system")
    });
    let controller = if group.is_empty() {
        "reportingComponent"
    } else {
        "reportingController"
    };
    match text(event, "reportingComponent") {
        "" => errors.push(FieldError::required(controller, "")),
        name => errors.extend(
            formats::label_key(name)
                .into_iter()
                .map(|detail| FieldError::invalid(controller, name, detail)),
        ),
    }
    for (field, max) in [
        ("reportingInstance", WORD_MAX),
        ("action", WORD_MAX),
        ("reason", WORD_MAX),
    ] {
        if text(event, field).is_empty() {
            errors.push(FieldError::required(field, ""));
        }
        errors.extend(validate_length(event, field, max));
    }
    errors.extend(validate_length(event, "message", MESSAGE_MAX));
    errors
}

/// What `events.k8s.io` asks of a new Event besides.
fn validate_strictly(event: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let series = &event["series"];
    if series.is_object() && series["count"].as_i64().unwrap_or_default() < 2 {
        errors.push(FieldError::invalid(
            "series.count",
            "",
            "should be at least 2",
        ));
    }
    if series.is_object() && !series["lastObservedTime"].is_string() {
        errors.push(FieldError::required("series.lastObservedTime", ""));
    }
    if !event["eventTime"].is_string() {
        errors.push(FieldError::required("eventTime", ""));
    }
    let ty = text(event, "type");
    if !matches!(ty, "Normal" | "Warning") {
        errors.push(FieldError::invalid(
            "type",
            "",
            format!("has invalid value: {ty}"),
        ));
    }
    let source = &event["source"];
    let has_source = ["component", "host"]
        .iter()
        .any(|field| !text(source, field).is_empty());
    for (field, is_set) in [
        ("firstTimestamp", event["firstTimestamp"].is_string()),
        ("lastTimestamp", event["lastTimestamp"].is_string()),
        ("count", event["count"].as_i64().unwrap_or_default() != 0),
        ("source", has_source),
    ] {
        if is_set {
            errors.push(FieldError::invalid(field, "", "needs to be unset"));
        }
    }
    errors
}

fn validate_namespace(event: &Value, fits: impl Fn(&str, &str) -> bool) -> Vec<FieldError> {
    let involved = text(&event["involvedObject"], "namespace");
    if fits(text(&event["metadata"], "namespace"), involved) {
        return Vec::new();
    }
    vec![FieldError::invalid(
        "involvedObject.namespace",
        involved,
        "does not match event.namespace",
    )]
}

fn validate_length(event: &Value, field: &str, max: usize) -> Option<FieldError> {
    (text(event, field).len() > max)
        .then(|| FieldError::invalid(field, "", format!("can have at most {max} characters")))
}

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::validate::summary;

    #[test]
    fn an_event_is_in_the_namespace_of_what_it_is_about() {
        let event = |own: &str, involved: &str| json!({"metadata": {"namespace": own}, "involvedObject": {"namespace": involved}});
        for (own, involved) in [("a", "a"), ("default", "")] {
            assert_eq!(validate("", &event(own, involved), None), []);
        }
        assert_eq!(
            summary(&validate("", &event("a", ""), None)),
            r#"involvedObject.namespace: Invalid value: "": does not match event.namespace"#
        );
        assert_eq!(
            summary(&validate("", &event("a", "b"), None)),
            r#"involvedObject.namespace: Invalid value: "b": does not match event.namespace"#
        );
    }

    #[test]
    fn the_newer_form_says_who_reports_what() {
        let event = json!({
            "metadata": {"namespace": "a"}, "involvedObject": {"namespace": "a"},
            "eventTime": "2026-11-23T09:00:00.000000Z", "reportingComponent": "example.com/c",
            "reportingInstance": "i", "action": "Held", "reason": "Held", "type": "Normal",
        });
        assert_eq!(validate("events.k8s.io", &event, None), []);
        let mut bad = event;
        bad["reportingComponent"] = json!("");
        bad["action"] = json!("");
        bad["type"] = json!("Loud");
        bad["count"] = json!(1);
        assert_eq!(
            summary(&validate("events.k8s.io", &bad, None)),
            "[reportingController: Required value, action: Required value, type: Invalid value: \"\": has invalid value: Loud, \
             count: Invalid value: \"\": needs to be unset]"
        );
        assert_eq!(
            summary(&validate("", &bad, None)),
            "[reportingComponent: Required value, action: Required value]"
        );
    }
}
