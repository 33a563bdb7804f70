//! What the server refuses, in Kubernetes' words.
//!
//! Names and metadata of every kind, and the fields of Leases. Custom kinds are checked by [`crate::schema`]; the other
//! built-in kinds are stored as they come.

mod lease;

use std::fmt;

use serde_json::{Value, json};

use crate::object::meta;
use crate::registry::{self, Resource};

pub(crate) use lease::decode;

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or \
                         '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used \
                         for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
                     start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for \
                     validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or \
                           '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or \
                           'my_value',  or '12345', regex used for validation is \
                           '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    Invalid,
    Required,
    NotSupported,
    TooLong,
    TooMany,
}

/// A field that is wrong; its text is Kubernetes'.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FieldError {
    pub(crate) path: String,
    pub(crate) kind: ErrorKind,
    pub(crate) value: Value,
    pub(crate) detail: String,
}

impl FieldError {
    pub(crate) fn new(
        path: impl Into<String>,
        kind: ErrorKind,
        value: Value,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            path: path.into(),
            kind,
            value,
            detail: detail.into(),
        }
    }

    pub(crate) fn invalid(
        path: impl Into<String>,
        value: Value,
        detail: impl Into<String>,
    ) -> Self {
        Self::new(path, ErrorKind::Invalid, value, detail)
    }

    pub(crate) fn required(path: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(path, ErrorKind::Required, Value::Null, detail)
    }

    /// As it stands in `details.causes` of a Status.
    pub(crate) fn cause(&self) -> Value {
        let reason = match self.kind {
            ErrorKind::Invalid => "FieldValueInvalid",
            ErrorKind::Required => "FieldValueRequired",
            ErrorKind::NotSupported => "FieldValueNotSupported",
            ErrorKind::TooLong => "FieldValueTooLong",
            ErrorKind::TooMany => "FieldValueTooMany",
        };
        json!({"reason": reason, "message": self.body(), "field": self.path})
    }

    fn body(&self) -> String {
        let value = match &self.value {
            Value::String(text) => format!("{text:?}"),
            Value::Object(_) | Value::Array(_) => self.value.to_string(),
            other => other.to_string(),
        };
        let text = match self.kind {
            ErrorKind::Invalid => format!("Invalid value: {value}"),
            ErrorKind::Required => "Required value".to_owned(),
            ErrorKind::NotSupported => format!("Unsupported value: {value}"),
            ErrorKind::TooLong => "Too long".to_owned(),
            ErrorKind::TooMany => format!("Too many: {value}"),
        };
        if self.detail.is_empty() {
            text
        } else {
            format!("{text}: {}", self.detail)
        }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.body())
    }
}

/// Checks a whole object before it is stored.
pub(crate) fn object(resource: &Resource, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if old.is_none() {
        errors.extend(name(resource, meta(object, "name").unwrap_or_default()));
    }
    errors.extend(metadata(object));
    match &resource.custom {
        Some(custom) => errors.extend(custom.schema.validate(object, old)),
        None if resource.kind == "Lease" => errors.extend(lease::validate(object)),
        None if resource.kind == "CustomResourceDefinition" => {
            if let Err(error) = registry::custom::resources(object) {
                errors.push(FieldError::invalid(error.path, Value::Null, error.why));
            }
        }
        None if resource.plural.ends_with("rolebindings") => {
            if let Some(old) = old
                && old["roleRef"] != object["roleRef"]
            {
                let detail = "cannot change roleRef";
                errors.push(FieldError::invalid(
                    "roleRef",
                    object["roleRef"].clone(),
                    detail,
                ));
            }
        }
        None => {}
    }
    errors
}

/// Checks `metadata.name` by the rule of its kind.
fn name(resource: &Resource, name: &str) -> Option<FieldError> {
    let path = "metadata.name";
    if name.is_empty() {
        return Some(FieldError::required(
            path,
            "name or generateName is required",
        ));
    }
    let value = || json!(name);
    let too_long = |most: usize| {
        FieldError::invalid(path, value(), format!("must be no more than {most} bytes"))
    };
    if resource.group == "rbac.authorization.k8s.io" {
        let bad = matches!(name, "." | "..") || name.contains('/') || name.contains('%');
        return bad.then(|| FieldError::invalid(path, value(), "may not contain '/' or '%'"));
    }
    if matches!(resource.kind.as_str(), "Namespace" | "Service") {
        return match name {
            _ if name.len() > 63 => Some(too_long(63)),
            _ if !is_label(name) => Some(FieldError::invalid(path, value(), LABEL)),
            _ => None,
        };
    }
    match name {
        _ if name.len() > 253 => Some(too_long(253)),
        _ if !name.split('.').all(is_label) => Some(FieldError::invalid(path, value(), SUBDOMAIN)),
        _ => None,
    }
}

fn metadata(object: &Value) -> Vec<FieldError> {
    let labels = object
        .get("metadata")
        .and_then(|metadata| metadata.get("labels"))
        .and_then(Value::as_object);
    let mut errors = Vec::new();
    for value in labels.into_iter().flatten().map(|(_, value)| value) {
        let text = value.as_str().unwrap_or_default();
        if text.len() > 63 {
            errors.push(FieldError::invalid(
                "metadata.labels",
                value.clone(),
                "must be no more than 63 bytes",
            ));
        } else if !is_label_value(text) {
            errors.push(FieldError::invalid(
                "metadata.labels",
                value.clone(),
                LABEL_VALUE,
            ));
        }
    }
    errors
}

fn is_label(label: &str) -> bool {
    let edge = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = label.as_bytes();
    bytes.first().is_some_and(edge)
        && bytes.last().is_some_and(edge)
        && bytes.iter().all(|b| edge(b) || *b == b'-')
}

fn is_label_value(value: &str) -> bool {
    let bytes = value.as_bytes();
    let edge = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_alphanumeric);
    edge(bytes.first())
        && edge(bytes.last())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}
