//! Leases: what their JSON has to look like, and which values they take.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::FieldError;

const MICRO_TIME: &str = "2006-01-02T15:04:05.000000Z07:00";
const FIELDS: [&str; 7] = [
    "holderIdentity",
    "leaseDurationSeconds",
    "acquireTime",
    "renewTime",
    "leaseTransitions",
    "strategy",
    "preferredHolder",
];

/// Reads a Lease as the typed API does: drops unknown fields, which it returns, and refuses what does not parse.
///
/// # Errors
/// The text of the 400.
pub(crate) fn decode(object: &mut Value) -> Result<Vec<String>, String> {
    let mut unknown = Vec::new();
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        for (key, value) in spec.iter().filter(|(_, value)| !value.is_null()) {
            field(key, value).map_err(|why| {
                format!("Lease in version \"v1\" cannot be handled as a Lease: {why}")
            })?;
        }
        spec.retain(|key, value| {
            let known = FIELDS.contains(&key.as_str());
            if !known {
                unknown.push(format!("unknown field \"spec.{key}\""));
            }
            known && !value.is_null()
        });
    }
    if let Some(object) = object.as_object_mut() {
        object.retain(|key, _| {
            let known = matches!(key.as_str(), "apiVersion" | "kind" | "metadata" | "spec");
            if !known {
                unknown.push(format!("unknown field \"{key}\""));
            }
            known
        });
    }
    Ok(unknown)
}

/// Checks the values of a Lease that was read.
pub(super) fn validate(object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let spec = &object["spec"];
    if let Some(seconds) = spec.get("leaseDurationSeconds").and_then(Value::as_i64)
        && seconds <= 0
    {
        errors.push(FieldError::invalid(
            "spec.leaseDurationSeconds",
            json!(seconds),
            "must be greater than 0",
        ));
    }
    if let Some(transitions) = spec.get("leaseTransitions").and_then(Value::as_i64)
        && transitions < 0
    {
        let detail = "must be greater than or equal to 0";
        errors.push(FieldError::invalid(
            "spec.leaseTransitions",
            json!(transitions),
            detail,
        ));
    }
    errors
}

fn field(key: &str, value: &Value) -> Result<(), String> {
    match key {
        "acquireTime" | "renewTime" => time(key, value),
        "leaseDurationSeconds" | "leaseTransitions" => number(key, value),
        "holderIdentity" | "strategy" | "preferredHolder" if !value.is_string() => {
            Err(mismatch(key, value, "string"))
        }
        _ => Ok(()),
    }
}

fn time(key: &str, value: &Value) -> Result<(), String> {
    let Some(text) = value.as_str() else {
        return Err(mismatch(key, value, "Time"));
    };
    let fail = |rest: &str, part: &str| {
        Err(format!(
            "parsing time {text:?} as {MICRO_TIME:?}: cannot parse {rest:?} as {part:?}"
        ))
    };
    let bytes = text.as_bytes();
    let digits = |from: usize, to: usize| {
        bytes
            .get(from..to)
            .is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    if !digits(0, 4) {
        return fail(text, "2006");
    }
    let parts = [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")];
    for (at, separator) in parts {
        if bytes.get(at) != Some(&separator.as_bytes()[0]) {
            return fail(text.get(at..).unwrap_or_default(), separator);
        }
    }
    let rest = text.get(19..).unwrap_or_default();
    if bytes.get(19) != Some(&b'.') || !digits(20, 26) || digits(26, 27) {
        return fail(rest, ".000000");
    }
    match text.parse::<Timestamp>() {
        Ok(_) => Ok(()),
        Err(_) => fail(text.get(26..).unwrap_or_default(), "Z07:00"),
    }
}

fn number(key: &str, value: &Value) -> Result<(), String> {
    match value {
        Value::Number(number) => match number.as_i64().map(i32::try_from) {
            Some(Ok(_)) => Ok(()),
            _ => Err(format!(
                "json: cannot unmarshal number {number} into Go struct field LeaseSpec.spec.{key} of type int32"
            )),
        },
        other => Err(mismatch(key, other, "int32")),
    }
}

fn mismatch(key: &str, value: &Value, expected: &str) -> String {
    let found = match value {
        Value::String(_) => "string",
        Value::Number(_) => "number",
        Value::Bool(_) => "bool",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        Value::Null => "null",
    };
    if expected == "Time" {
        return format!("json: cannot unmarshal {found} into Go value of type string");
    }
    format!(
        "json: cannot unmarshal {found} into Go struct field LeaseSpec.spec.{key} of type {expected}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(spec: Value) -> String {
        decode(&mut json!({"spec": spec})).unwrap_err()
    }

    #[test]
    fn a_time_needs_exactly_six_decimals() {
        assert_eq!(
            refusal(json!({"renewTime": "yesterday"})),
            "Lease in version \"v1\" cannot be handled as a Lease: parsing time \"yesterday\" as \
             \"2006-01-02T15:04:05.000000Z07:00\": cannot parse \"yesterday\" as \"2006\""
        );
        assert_eq!(
            refusal(json!({"renewTime": "2026-11-23T09:00:00Z"})),
            "Lease in version \"v1\" cannot be handled as a Lease: parsing time \"2026-11-23T09:00:00Z\" as \
             \"2006-01-02T15:04:05.000000Z07:00\": cannot parse \"Z\" as \".000000\""
        );
        assert_eq!(
            decode(&mut json!({"spec": {"renewTime": "2026-11-23T09:00:00.000000Z"}})),
            Ok(vec![])
        );
    }

    #[test]
    fn unknown_fields_are_dropped_and_named() {
        let mut lease = json!({"spec": {"holderIdentity": "a", "bogus": 1}});
        assert_eq!(
            decode(&mut lease),
            Ok(vec!["unknown field \"spec.bogus\"".to_owned()])
        );
        assert_eq!(lease, json!({"spec": {"holderIdentity": "a"}}));
    }

    #[test]
    fn a_duration_has_to_be_positive() {
        for seconds in [0, -1] {
            let errors = validate(&json!({"spec": {"leaseDurationSeconds": seconds}}));
            assert_eq!(
                errors.iter().map(ToString::to_string).collect::<Vec<_>>(),
                [format!(
                    "spec.leaseDurationSeconds: Invalid value: {seconds}: must be greater than 0"
                )]
            );
        }
    }
}
