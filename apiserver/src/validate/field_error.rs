//! One thing that is wrong with one field, and how Kubernetes says it.

use std::fmt;

use serde_json::{Value, json};

use crate::golang::quote::quote;

/// An error of one field of an object. `Display` gives Kubernetes' wording.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldError {
    /// Path of the field: `spec.leaseDurationSeconds`, `rules[0].verbs`, or `<nil>` for the object.
    pub path: String,
    /// What is wrong.
    pub kind: FieldErrorKind,
    /// The value that was refused, where the wording names it.
    pub bad_value: Option<Value>,
    /// Explanation; may be empty.
    pub detail: String,
}

/// The kinds of field errors; [`reason`](FieldErrorKind::reason) is what a `Status` cause carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldErrorKind {
    /// A malformed value.
    Invalid,
    /// A value that is missing.
    Required,
    /// Not one of the values of an enumeration.
    NotSupported,
    /// A text that is too long.
    TooLong,
    /// A list with too many items.
    TooMany,
    /// A value that is well formed and not permitted here.
    Forbidden,
    /// A second item with a key that must be unique.
    Duplicate,
    /// A value of another type than the schema names.
    TypeInvalid,
}

impl FieldErrorKind {
    /// The `reason` of a cause in a `Status`.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Invalid => "FieldValueInvalid",
            Self::Required => "FieldValueRequired",
            Self::NotSupported => "FieldValueNotSupported",
            Self::TooLong => "FieldValueTooLong",
            Self::TooMany => "FieldValueTooMany",
            Self::Forbidden => "FieldValueForbidden",
            Self::Duplicate => "FieldValueDuplicate",
            Self::TypeInvalid => "FieldValueTypeInvalid",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Invalid | Self::TypeInvalid => "Invalid value",
            Self::Required => "Required value",
            Self::NotSupported => "Unsupported value",
            Self::TooLong => "Too long",
            Self::TooMany => "Too many",
            Self::Forbidden => "Forbidden",
            Self::Duplicate => "Duplicate value",
        }
    }
}

impl FieldError {
    /// A malformed value.
    #[must_use]
    pub fn invalid(
        path: impl Into<String>,
        bad_value: impl Into<Value>,
        detail: impl Into<String>,
    ) -> Self {
        Self::with_value(FieldErrorKind::Invalid, path, bad_value.into(), detail)
    }

    /// A missing value.
    #[must_use]
    pub fn required(path: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            kind: FieldErrorKind::Required,
            bad_value: None,
            detail: detail.into(),
        }
    }

    /// A value that is none of `supported`.
    #[must_use]
    pub fn not_supported(
        path: impl Into<String>,
        bad_value: impl Into<Value>,
        supported: &[&str],
    ) -> Self {
        let quoted: Vec<String> = supported.iter().map(|value| quote(value)).collect();
        let detail = if quoted.is_empty() {
            String::new()
        } else {
            format!("supported values: {}", quoted.join(", "))
        };
        Self::with_value(FieldErrorKind::NotSupported, path, bad_value.into(), detail)
    }

    /// A text that is longer than `max` bytes.
    #[must_use]
    pub fn too_long(path: impl Into<String>, max: usize) -> Self {
        let unit = if max == 1 { "byte" } else { "bytes" };
        Self {
            path: path.into(),
            kind: FieldErrorKind::TooLong,
            bad_value: None,
            detail: format!("may not be more than {max} {unit}"),
        }
    }

    /// A list of `actual` items where `max` are allowed.
    #[must_use]
    pub fn too_many(path: impl Into<String>, actual: usize, max: usize) -> Self {
        let unit = if max == 1 { "item" } else { "items" };
        Self::with_value(
            FieldErrorKind::TooMany,
            path,
            Value::from(actual),
            format!("must have at most {max} {unit}"),
        )
    }

    /// A value that is not permitted here.
    #[must_use]
    pub fn forbidden(path: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            kind: FieldErrorKind::Forbidden,
            bad_value: None,
            detail: detail.into(),
        }
    }

    /// A second item with the same key.
    #[must_use]
    pub fn duplicate(path: impl Into<String>, bad_value: impl Into<Value>) -> Self {
        Self::with_value(FieldErrorKind::Duplicate, path, bad_value.into(), "")
    }

    /// A value of the wrong type.
    #[must_use]
    pub fn type_invalid(
        path: impl Into<String>,
        bad_value: impl Into<Value>,
        detail: impl Into<String>,
    ) -> Self {
        Self::with_value(FieldErrorKind::TypeInvalid, path, bad_value.into(), detail)
    }

    /// The wording without the path: the `message` of a cause.
    #[must_use]
    pub fn body(&self) -> String {
        let mut body = self.kind.title().to_owned();
        if let Some(value) = &self.bad_value {
            body.push_str(": ");
            match value {
                Value::String(text) => body.push_str(&quote(text)),
                other => body.push_str(&other.to_string()),
            }
        }
        if !self.detail.is_empty() {
            body.push_str(": ");
            body.push_str(&self.detail);
        }
        body
    }

    fn with_value(
        kind: FieldErrorKind,
        path: impl Into<String>,
        bad_value: Value,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            path: path.into(),
            kind,
            bad_value: Some(bad_value),
            detail: detail.into(),
        }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.body())
    }
}

/// The errors as the message of a `Status` lists them: one bare, several in brackets, none twice.
#[must_use]
pub fn summary(errors: &[FieldError]) -> String {
    let mut texts: Vec<String> = Vec::with_capacity(errors.len());
    for text in errors.iter().map(ToString::to_string) {
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    match texts.as_slice() {
        [one] => one.clone(),
        _ => format!("[{}]", texts.join(", ")),
    }
}

/// The `details.causes` of a `Status`.
#[must_use]
pub fn causes(errors: &[FieldError]) -> Vec<Value> {
    errors
        .iter()
        .map(|error| json!({ "reason": error.kind.reason(), "message": error.body(), "field": error.path }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_reads_as_kubernetes_words_it() {
        let cases = [
            (
                FieldError::invalid("spec.leaseDurationSeconds", 0, "must be greater than 0"),
                "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
            ),
            (
                FieldError::invalid("a", "x\"y", ""),
                r#"a: Invalid value: "x\"y""#,
            ),
            (
                FieldError::invalid("a", json!({"k": ["v"]}), "no"),
                r#"a: Invalid value: {"k":["v"]}: no"#,
            ),
            (
                FieldError::required("metadata.name", "name or generateName is required"),
                "metadata.name: Required value: name or generateName is required",
            ),
            (FieldError::required("rules", ""), "rules: Required value"),
            (
                FieldError::not_supported("a", "x", &["a", "b"]),
                r#"a: Unsupported value: "x": supported values: "a", "b""#,
            ),
            (
                FieldError::too_long("metadata.name", 253),
                "metadata.name: Too long: may not be more than 253 bytes",
            ),
            (
                FieldError::too_many("items", 3, 1),
                "items: Too many: 3: must have at most 1 item",
            ),
            (
                FieldError::forbidden("a", "not here"),
                "a: Forbidden: not here",
            ),
            (
                FieldError::duplicate("a[1]", "x"),
                r#"a[1]: Duplicate value: "x""#,
            ),
            (
                FieldError::type_invalid("a", "string", "no"),
                r#"a: Invalid value: "string": no"#,
            ),
        ];
        for (error, expected) in cases {
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn a_summary_names_each_error_once_and_causes_name_all() {
        let error = FieldError::forbidden("a", "no");
        let other = FieldError::required("b", "");
        assert_eq!(summary(std::slice::from_ref(&error)), "a: Forbidden: no");
        assert_eq!(summary(&[error.clone(), error.clone()]), "a: Forbidden: no");
        assert_eq!(
            summary(&[error.clone(), other.clone()]),
            "[a: Forbidden: no, b: Required value]"
        );
        assert_eq!(
            causes(&[error, other]),
            [
                json!({"reason": "FieldValueForbidden", "message": "Forbidden: no", "field": "a"}),
                json!({"reason": "FieldValueRequired", "message": "Required value", "field": "b"}),
            ]
        );
    }
}
