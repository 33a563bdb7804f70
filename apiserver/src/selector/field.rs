//! Field selectors: `metadata.name=x,status.phase!=Running`.

use serde_json::Value;

use crate::object::Object;
use crate::registry::{Resource, SelectorWording};

/// Conditions on single fields; all of them must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FieldSelector {
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Condition {
    pointer: String,
    value: String,
    negated: bool,
}

impl FieldSelector {
    /// Reads a selector for a kind. The error is the message of a 400.
    pub(super) fn parse(text: &str, resource: &Resource) -> Result<Self, String> {
        let mut conditions = Vec::new();
        for part in split(text) {
            let (field, value, negated) = condition(&part)
                .ok_or_else(|| format!("invalid selector: '{text}'; can't understand '{part}'"))?;
            let pointer = pointer_of(field, resource)?;
            conditions.push(Condition {
                pointer,
                value: unescape(value)?,
                negated,
            });
        }
        Ok(Self { conditions })
    }

    pub(super) fn is_everything(&self) -> bool {
        self.conditions.is_empty()
    }

    pub(super) fn matches(&self, object: &Value) -> bool {
        self.conditions.iter().all(|condition| {
            is_value(find(object, &condition.pointer), &condition.value) != condition.negated
        })
    }

    /// A condition that an absent field does not meet, other than on the metadata: its pointer and its value.
    pub(super) fn required_text(&self) -> Option<(&str, &str)> {
        let is_of_text = |condition: &&Condition| {
            let is_metadata = condition.pointer.starts_with("/metadata/");
            !condition.negated && !is_metadata && !is_value(None, &condition.value)
        };
        let condition = self.conditions.iter().find(is_of_text)?;
        Some((&condition.pointer, &condition.value))
    }

    pub(super) fn required(&self, pointer: &str) -> Option<&str> {
        self.conditions
            .iter()
            .find(|condition| !condition.negated && condition.pointer == pointer)
            .map(|condition| condition.value.as_str())
    }
}

/// What `Value::pointer` finds, without the two strings that it makes of every step: a list asks this of every object.
fn find<'a>(object: &'a Value, pointer: &str) -> Option<&'a Value> {
    if pointer.contains('~') {
        return object.pointer(pointer);
    }
    let steps = pointer.split('/').skip(1);
    steps
        .into_iter()
        .try_fold(object, |value, step| value.get(step))
}

/// The text that [`is_value`] compares a field as, unless an absent field would be equal to it.
pub(crate) fn text_of(object: &Object, pointer: &str) -> Option<String> {
    match find(&object.value, pointer)? {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Fields compare as text; an absent field is the empty text, an absent flag is `false` and an absent count is `0`.
fn is_value(field: Option<&Value>, wanted: &str) -> bool {
    match field {
        Some(Value::String(text)) => text == wanted,
        Some(Value::Null) | None => matches!(wanted, "" | "false" | "0"),
        Some(Value::Bool(flag)) => wanted == if *flag { "true" } else { "false" },
        Some(Value::Number(number)) => number.to_string().as_str() == wanted,
        Some(Value::Array(_) | Value::Object(_)) => false,
    }
}

fn pointer_of(field: &str, resource: &Resource) -> Result<String, String> {
    match field {
        "metadata.name" => return Ok("/metadata/name".into()),
        "metadata.namespace"
            if resource.is_namespaced()
                || resource.selector_wording == SelectorWording::Metadata =>
        {
            return Ok("/metadata/namespace".into());
        }
        _ => {}
    }
    if let Some(known) = resource
        .selectable_fields
        .iter()
        .find(|known| known.name == field)
    {
        return Ok(known.pointer.clone());
    }
    Err(match resource.selector_wording {
        SelectorWording::Metadata => {
            format!(
                "{field:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
            )
        }
        SelectorWording::Label => format!("field label not supported: {field}"),
    })
}

/// Splits at commas that are not escaped.
fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for character in text.chars() {
        if character == ',' && !escaped {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(character);
        }
        escaped = character == '\\' && !escaped;
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn condition(part: &str) -> Option<(&str, &str, bool)> {
    let position = part.find(['=', '!'])?;
    let (field, rest) = part.split_at(position);
    if let Some(value) = rest.strip_prefix("!=") {
        return Some((field, value, true));
    }
    let value = rest.strip_prefix("==").or_else(|| rest.strip_prefix('='))?;
    Some((field, value, false))
}

fn unescape(value: &str) -> Result<String, String> {
    let mut plain = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(escaped @ ('\\' | ',' | '=')) => plain.push(escaped),
                Some(other) => {
                    return Err(format!(
                        "invalid field selector: invalid escape sequence: \\{other}"
                    ));
                }
                None => return Err("invalid field selector: invalid escape sequence: \\".into()),
            },
            ',' | '=' => {
                return Err(format!(
                    "invalid field selector: unescaped character in value: {}",
                    u32::from(character)
                ));
            }
            other => plain.push(other),
        }
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::registry::Registry;

    fn parse(group: &str, plural: &str, text: &str) -> Result<FieldSelector, String> {
        let registry = Registry::built_in();
        FieldSelector::parse(
            text,
            registry
                .resource(group, "v1", plural)
                .expect("a built-in kind"),
        )
    }

    #[test]
    fn a_lease_is_selected_by_its_metadata_alone() {
        let selector = parse(
            "coordination.k8s.io",
            "leases",
            "metadata.name=x,metadata.namespace!=y",
        )
        .unwrap();
        assert!(selector.matches(&json!({ "metadata": { "name": "x", "namespace": "n" } })));
        assert!(!selector.matches(&json!({ "metadata": { "name": "x", "namespace": "y" } })));
        assert_eq!(
            parse("coordination.k8s.io", "leases", "spec.holderIdentity=x"),
            Err(
                "\"spec.holderIdentity\" is not a known field selector: only \"metadata.name\", \
                 \"metadata.namespace\""
                    .into()
            )
        );
    }

    #[test]
    fn what_an_absent_field_does_not_meet_is_looked_for_by_its_text() {
        for (text, expected) in [
            ("status.phase=Running", Some(("/status/phase", "Running"))),
            (
                "status.phase!=Failed,status.phase=Running",
                Some(("/status/phase", "Running")),
            ),
            ("status.phase!=Running", None),
            ("status.phase=", None),
            ("metadata.name=a", None),
        ] {
            let selector = parse("", "pods", text).unwrap();
            assert_eq!(selector.required_text(), expected, "{text}");
        }
    }

    #[test]
    fn kinds_with_fields_of_their_own_refuse_others_in_other_words() {
        let running = parse("", "pods", "status.phase=Running").unwrap();
        assert!(running.matches(&json!({ "status": { "phase": "Running" } })));
        assert!(!running.matches(&json!({ "status": {} })));
        assert_eq!(
            parse("", "pods", "spec.x=1"),
            Err("field label not supported: spec.x".into())
        );
    }

    #[test]
    fn a_selector_that_is_none_is_refused() {
        assert_eq!(
            parse("", "pods", "nothing"),
            Err("invalid selector: 'nothing'; can't understand 'nothing'".into())
        );
    }
}
