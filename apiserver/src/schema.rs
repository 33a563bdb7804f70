//! Structural schemas of custom kinds.
//!
//! What `openAPIV3Schema` says of types, required fields, patterns, enums, lengths and bounds. Of CEL only the rule
//! `self == oldSelf` is understood; a definition with another rule is refused rather than checked less than it asks.

use regex::Regex;
use serde_json::{Map, Value, json};

use crate::validate::{ErrorKind, FieldError};

/// A definition that this server cannot enforce.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {why}")]
pub(crate) struct SchemaError {
    pub(crate) path: String,
    pub(crate) why: String,
}

/// A compiled schema.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    kind: Option<String>,
    nullable: bool,
    properties: Vec<(String, Schema)>,
    additional: Option<Box<Schema>>,
    items: Option<Box<Schema>>,
    required: Vec<String>,
    choices: Vec<Value>,
    pattern: Option<Regex>,
    min_length: Option<u64>,
    max_length: Option<u64>,
    minimum: Option<f64>,
    maximum: Option<f64>,
    max_items: Option<u64>,
    date_time: bool,
    preserve_unknown: bool,
    int_or_string: bool,
    immutable: Option<String>,
    default: Option<Value>,
}

impl Schema {
    /// Compiles `openAPIV3Schema`.
    pub(crate) fn compile(schema: &Value) -> Result<Self, SchemaError> {
        Self::at("spec.versions.schema.openAPIV3Schema", schema)
    }

    fn at(path: &str, schema: &Value) -> Result<Self, SchemaError> {
        let fail = |why: String| SchemaError {
            path: path.to_owned(),
            why,
        };
        let text = |key: &str| schema[key].as_str().map(str::to_owned);
        let child = |key: &str| match &schema[key] {
            Value::Object(_) => Self::at(&format!("{path}.{key}"), &schema[key])
                .map(|schema| Some(Box::new(schema))),
            _ => Ok(None),
        };
        let properties = schema["properties"].as_object().into_iter().flatten();
        let properties = properties
            .map(|(name, schema)| Ok((name.clone(), Self::at(&format!("{path}.{name}"), schema)?)));
        let mut immutable = None;
        for rule in schema["x-kubernetes-validations"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let rule_text = rule["rule"].as_str().unwrap_or_default();
            if rule_text.split_whitespace().collect::<String>() != "self==oldSelf" {
                return Err(fail(format!(
                    "this server does not evaluate the CEL rule {rule_text:?}"
                )));
            }
            let message = rule["message"]
                .as_str()
                .map_or_else(|| format!("failed rule: {rule_text}"), str::to_owned);
            immutable = Some(message);
        }
        let pattern = match text("pattern") {
            Some(pattern) => Some(Regex::new(&pattern).map_err(|error| fail(error.to_string()))?),
            None => None,
        };
        Ok(Self {
            kind: text("type"),
            nullable: schema["nullable"] == true,
            properties: properties.collect::<Result<_, SchemaError>>()?,
            additional: child("additionalProperties")?,
            items: child("items")?,
            required: schema["required"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|name| name.as_str().map(str::to_owned))
                .collect(),
            choices: schema["enum"].as_array().cloned().unwrap_or_default(),
            pattern,
            min_length: schema["minLength"].as_u64(),
            max_length: schema["maxLength"].as_u64(),
            minimum: schema["minimum"].as_f64(),
            maximum: schema["maximum"].as_f64(),
            max_items: schema["maxItems"].as_u64(),
            date_time: schema["format"] == "date-time",
            preserve_unknown: schema["x-kubernetes-preserve-unknown-fields"] == true,
            int_or_string: schema["x-kubernetes-int-or-string"] == true,
            immutable,
            default: schema.get("default").cloned(),
        })
    }

    /// Removes fields that the schema does not name, and returns their paths.
    pub(crate) fn prune(&self, object: &mut Value) -> Vec<String> {
        let mut pruned = Vec::new();
        if let Some(fields) = object.as_object_mut() {
            let known = |key: &str| matches!(key, "apiVersion" | "kind" | "metadata");
            self.prune_fields("", fields, &known, &mut pruned);
        }
        pruned
    }

    fn prune_fields(
        &self,
        path: &str,
        fields: &mut Map<String, Value>,
        known: &dyn Fn(&str) -> bool,
        pruned: &mut Vec<String>,
    ) {
        let join = |key: &str| {
            if path.is_empty() {
                key.to_owned()
            } else {
                format!("{path}.{key}")
            }
        };
        fields.retain(|key, _| {
            let keep = known(key) || self.preserve_unknown || self.child(key).is_some();
            if !keep {
                pruned.push(join(key));
            }
            keep
        });
        for (key, value) in fields.iter_mut().filter(|(key, _)| !known(key)) {
            if let Some(schema) = self.child(key) {
                schema.prune_value(&join(key), value, pruned);
            }
        }
    }

    fn prune_value(&self, path: &str, value: &mut Value, pruned: &mut Vec<String>) {
        match value {
            Value::Object(fields) => self.prune_fields(path, fields, &|_| false, pruned),
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    if let Some(schema) = &self.items {
                        schema.prune_value(&format!("{path}[{index}]"), item, pruned);
                    }
                }
            }
            _ => {}
        }
    }

    /// Sets fields that have a default and are absent.
    pub(crate) fn default(&self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, schema) in &self.properties {
                    if let Some(default) = schema
                        .default
                        .as_ref()
                        .filter(|_| !fields.contains_key(name))
                    {
                        fields.insert(name.clone(), default.clone());
                    }
                    if let Some(child) = fields.get_mut(name) {
                        schema.default(child);
                    }
                }
            }
            Value::Array(items) => {
                for (item, schema) in items.iter_mut().zip(std::iter::repeat(&self.items)) {
                    if let Some(schema) = schema {
                        schema.default(item);
                    }
                }
            }
            _ => {}
        }
    }

    /// Checks an object, and against what it was where it may not change.
    pub(crate) fn validate(&self, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
        let mut errors = Vec::new();
        self.check("", object, old, &mut errors);
        errors
    }

    fn child(&self, key: &str) -> Option<&Self> {
        let named = self
            .properties
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, schema)| schema);
        named.or(self.additional.as_deref())
    }

    fn check(&self, path: &str, value: &Value, old: Option<&Value>, errors: &mut Vec<FieldError>) {
        if value.is_null() && self.nullable {
            return;
        }
        if let Some(expected) = self.wrong_type(value) {
            let detail = format!(
                "{path} in body must be of type {expected}: {:?}",
                type_name(value)
            );
            errors.push(FieldError::new(
                path,
                ErrorKind::Invalid,
                json!(type_name(value)),
                detail,
            ));
            return;
        }
        self.check_value(path, value, errors);
        match value {
            Value::Object(fields) => self.check_fields(path, fields, old, errors),
            Value::Array(items) => {
                if let Some(schema) = &self.items {
                    for (index, item) in items.iter().enumerate() {
                        schema.check(&format!("{path}[{index}]"), item, None, errors);
                    }
                }
            }
            _ => {}
        }
        if let (Some(message), Some(old)) = (&self.immutable, old)
            && old != value
        {
            let shown = if value.is_object() {
                json!("object")
            } else {
                value.clone()
            };
            errors.push(FieldError::invalid(path, shown, message.clone()));
        }
    }

    fn check_fields(
        &self,
        path: &str,
        fields: &Map<String, Value>,
        old: Option<&Value>,
        errors: &mut Vec<FieldError>,
    ) {
        let join = |key: &str| {
            if path.is_empty() {
                key.to_owned()
            } else {
                format!("{path}.{key}")
            }
        };
        for name in self
            .required
            .iter()
            .filter(|name| !fields.contains_key(*name))
        {
            errors.push(FieldError::required(join(name), ""));
        }
        for (key, value) in fields {
            if path.is_empty() && key == "metadata" {
                continue;
            }
            if let Some(schema) = self.child(key) {
                schema.check(&join(key), value, old.and_then(|old| old.get(key)), errors);
            }
        }
    }

    fn check_value(&self, path: &str, value: &Value, errors: &mut Vec<FieldError>) {
        let mut invalid = |kind: ErrorKind, detail: String| {
            errors.push(FieldError::new(path, kind, value.clone(), detail))
        };
        if !self.choices.is_empty() && !self.choices.contains(value) {
            let choices: Vec<String> = self.choices.iter().map(ToString::to_string).collect();
            invalid(
                ErrorKind::NotSupported,
                format!("supported values: {}", choices.join(", ")),
            );
        }
        if let Some(text) = value.as_str() {
            let length = text.chars().count() as u64;
            if let Some(most) = self.max_length.filter(|most| length > *most) {
                invalid(
                    ErrorKind::TooLong,
                    format!("may not be more than {most} bytes"),
                );
            }
            if let Some(least) = self.min_length.filter(|least| length < *least) {
                invalid(
                    ErrorKind::Invalid,
                    format!("{path} in body should be at least {least} chars long"),
                );
            }
            if let Some(pattern) = self
                .pattern
                .as_ref()
                .filter(|pattern| !pattern.is_match(text))
            {
                invalid(
                    ErrorKind::Invalid,
                    format!("{path} in body should match '{pattern}'"),
                );
            }
            if self.date_time && text.parse::<jiff::Timestamp>().is_err() {
                invalid(
                    ErrorKind::Invalid,
                    format!("{path} in body must be of type date-time: {text:?}"),
                );
            }
        }
        if let Some(number) = value.as_f64() {
            if let Some(least) = self.minimum.filter(|least| number < *least) {
                invalid(
                    ErrorKind::Invalid,
                    format!("{path} in body should be greater than or equal to {least}"),
                );
            }
            if let Some(most) = self.maximum.filter(|most| number > *most) {
                invalid(
                    ErrorKind::Invalid,
                    format!("{path} in body should be less than or equal to {most}"),
                );
            }
        }
        if let (Some(items), Some(most)) = (value.as_array(), self.max_items)
            && items.len() as u64 > most
        {
            invalid(
                ErrorKind::TooMany,
                format!("must have at most {most} items"),
            );
        }
    }

    fn wrong_type(&self, value: &Value) -> Option<&str> {
        if self.int_or_string {
            return (!value.is_string() && !value.is_i64() && !value.is_u64())
                .then_some("integer,string");
        }
        let expected = self.kind.as_deref()?;
        let fits = match expected {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            _ => true,
        };
        (!fits).then_some(expected)
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Schema {
        Schema::compile(&json!({
            "type": "object",
            "properties": {
                "spec": {
                    "type": "object",
                    "required": ["fingerprint"],
                    "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "spec is immutable"}],
                    "properties": {
                        "fingerprint": {"type": "string", "pattern": "^[a-f0-9]{4}$", "maxLength": 4},
                        "severity": {"type": "string", "enum": ["low", "high"]},
                        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                    }
                }
            }
        }))
        .unwrap()
    }

    fn errors(object: Value, old: Option<&Value>) -> Vec<String> {
        schema()
            .validate(&object, old)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn values_are_checked_in_kubernetes_words() {
        assert_eq!(
            errors(
                json!({"spec": {"fingerprint": "xyz", "severity": "mid"}}),
                None
            ),
            [
                "spec.fingerprint: Invalid value: \"xyz\": spec.fingerprint in body should match '^[a-f0-9]{4}$'",
                "spec.severity: Unsupported value: \"mid\": supported values: \"low\", \"high\"",
            ]
        );
        assert_eq!(
            errors(json!({"spec": {}}), None),
            ["spec.fingerprint: Required value"]
        );
        assert_eq!(
            errors(json!({"spec": {"fingerprint": "abcd"}}), None),
            [""; 0]
        );
    }

    #[test]
    fn what_may_not_change_is_compared_with_what_it_was() {
        let old = json!({"spec": {"fingerprint": "abcd"}});
        assert_eq!(errors(old.clone(), Some(&old)), [""; 0]);
        assert_eq!(
            errors(json!({"spec": {"fingerprint": "abce"}}), Some(&old)),
            ["spec: Invalid value: \"object\": spec is immutable"]
        );
    }

    #[test]
    fn unknown_fields_are_pruned_and_named() {
        let mut object = json!({"metadata": {"x": 1}, "spec": {"fingerprint": "abcd", "bogus": 1, "labels": {"a": "b"}}});
        assert_eq!(schema().prune(&mut object), ["spec.bogus"]);
        assert_eq!(
            object,
            json!({"metadata": {"x": 1}, "spec": {"fingerprint": "abcd", "labels": {"a": "b"}}})
        );
    }

    #[test]
    fn a_cel_rule_that_is_not_understood_is_refused() {
        let definition =
            json!({"type": "object", "x-kubernetes-validations": [{"rule": "self.a > 1"}]});
        assert_eq!(
            Schema::compile(&definition).unwrap_err().to_string(),
            "spec.versions.schema.openAPIV3Schema: this server does not evaluate the CEL rule \"self.a > 1\""
        );
    }
}
