//! The schemas of custom resources: pruning, defaulting and validation by `openAPIV3Schema`.
//!
//! A schema is compiled when its CustomResourceDefinition is stored. What this server does not
//! evaluate (some formats, CEL beyond the subset of `cel`) is refused there, so that no rule is
//! ever passed over silently. The wording of errors is that of the real server. Whether a field of
//! `metadata` is valid is the business of [`crate::validate`].

mod cel;
mod compile;
mod correlate;
mod defaults;
mod format;
mod keywords;
mod list_type;
mod node;
mod number;
mod prune;
mod validation;

use serde_json::Value;

use self::{node::Node, validation::Validation};
use crate::validate::{FieldError, FieldErrorKind, decode_custom};

/// A compiled `openAPIV3Schema`.
#[derive(Debug, Clone)]
pub struct Schema {
    root: Node,
    has_rules: bool,
}

impl Schema {
    /// Compiles a schema; `path` is where it stands, for the errors.
    ///
    /// # Errors
    /// What is malformed, and what this server does not evaluate.
    pub fn compile(schema: &Value, path: &str) -> Result<Self, Vec<FieldError>> {
        let root = compile::compile(schema, path)?;
        let has_rules = root.any(&|node| !node.rules.is_empty());
        Ok(Self { root, has_rules })
    }

    /// Decodes an object in place: metadata, unknown fields, nulls and defaults. Returns the warnings
    /// about unknown fields (`unknown field "spec.bogus"`), which have been dropped.
    ///
    /// # Errors
    /// The message of a `BadRequest`: metadata of the wrong type.
    pub fn decode(
        &self,
        version: &str,
        kind: &str,
        object: &mut Value,
    ) -> Result<Vec<String>, String> {
        let warnings = decode_custom(version, kind, object, |object| self.prune(object))?;
        self.default(object);
        Ok(warnings)
    }

    /// Removes the fields that the schema does not know and returns their paths, sorted.
    /// `apiVersion`, `kind` and `metadata` of the object are left alone.
    pub fn prune(&self, object: &mut Value) -> Vec<String> {
        prune::prune(&self.root, object)
    }

    /// Fills in defaults, and drops nulls where the schema does not allow them.
    pub fn default(&self, object: &mut Value) {
        defaults::fill_in(&self.root, object);
    }

    /// What is wrong with an object; `old` is the stored one on an update, and what has not been
    /// changed since then is not held against it.
    #[must_use]
    pub fn validate(&self, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
        let errors = Validation::new("").run(&self.root, object, old);
        self.with_invariants(errors, object, old)
    }

    /// As [`validate`](Self::validate), for a write through the status subresource: the rules of
    /// types and values hold for the status alone.
    #[must_use]
    pub fn validate_status(&self, object: &Value, old: &Value) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if let (Some(node), Some(status)) =
            (self.root.properties.get("status"), object.get("status"))
        {
            errors = Validation::new("status").run(node, status, old.get("status"));
        }
        self.with_invariants(errors, object, Some(old))
    }

    /// Adds the errors of lists with unique items, and of the CEL rules, which are only looked at
    /// when the object is sound otherwise.
    fn with_invariants(
        &self,
        mut errors: Vec<FieldError>,
        object: &Value,
        old: Option<&Value>,
    ) -> Vec<FieldError> {
        if old.is_none_or(|old| list_type::validate(&self.root, old).is_empty()) {
            errors.extend(list_type::validate(&self.root, object));
        }
        if !self.has_rules {
            return errors;
        }
        if errors.iter().any(|error| blocks_rules(error.kind)) {
            errors.push(FieldError::invalid(
                "<nil>",
                Value::Null,
                "some validation rules were not checked because the object was invalid; correct the existing errors to \
                 complete validation",
            ));
        } else {
            errors.extend(cel::validate(&self.root, object, old));
        }
        errors
    }
}

fn blocks_rules(kind: FieldErrorKind) -> bool {
    matches!(
        kind,
        FieldErrorKind::NotSupported
            | FieldErrorKind::Required
            | FieldErrorKind::TooLong
            | FieldErrorKind::TooMany
            | FieldErrorKind::TypeInvalid
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::validate::summary;

    fn request() -> Schema {
        let schema = json!({
            "type": "object",
            "properties": {
                "spec": {
                    "type": "object",
                    "required": ["signalFingerprint"],
                    "properties": {
                        "signalFingerprint": {
                            "type": "string", "maxLength": 64, "pattern": "^[a-f0-9]{64}$",
                            "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "signalFingerprint is immutable"}],
                        },
                        "targetType": {"type": "string", "enum": ["kubernetes", "aws"]},
                    },
                    "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "spec is immutable"}],
                },
                "status": {"type": "object", "properties": {"count": {"type": "integer", "format": "int32"}}},
            },
        });
        Schema::compile(&schema, "schema").unwrap()
    }

    fn object(fingerprint: &str) -> Value {
        json!({"apiVersion": "g/v1", "kind": "K", "metadata": {"name": "a"}, "spec": {"signalFingerprint": fingerprint}})
    }

    #[test]
    fn a_sound_object_has_no_errors() {
        let object = object(&"a".repeat(64));
        assert_eq!(request().validate(&object, None), []);
        assert_eq!(request().validate(&object, Some(&object)), []);
    }

    #[test]
    fn decoding_names_unknown_fields_of_metadata_and_spec_together() {
        let mut sent = object("a");
        sent["metadata"]["bogus"] = json!(1);
        sent["spec"]["other"] = json!(1);
        let unknown = [
            r#"unknown field "metadata.bogus""#,
            r#"unknown field "spec.other""#,
        ];
        assert_eq!(
            request().decode("v1", "K", &mut sent),
            Ok(unknown.map(str::to_owned).to_vec())
        );
        assert_eq!(sent, object("a"));
        let mut bad = json!({"metadata": {"labels": {"a": 1}}});
        assert_eq!(
            request().decode("v1", "K", &mut bad),
            Err("K in version \"v1\" cannot be handled as a K: json: cannot unmarshal number into Go struct field \
                 ObjectMeta.labels of type string"
                .to_owned())
        );
    }

    #[test]
    fn an_immutable_spec_is_refused_by_the_message_of_its_rule() {
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        assert_eq!(
            summary(&request().validate(&object(&b), Some(&object(&a)))),
            format!(
                "[spec: Invalid value: spec is immutable, \
                 spec.signalFingerprint: Invalid value: \"{b}\": signalFingerprint is immutable]"
            )
        );
    }

    #[test]
    fn rules_wait_until_the_object_is_sound() {
        let mut bad = object("xyz");
        bad["spec"]["targetType"] = json!("mainframe");
        assert_eq!(
            summary(&request().validate(&bad, None)),
            "[spec.signalFingerprint: Invalid value: \"xyz\": spec.signalFingerprint in body should match '^[a-f0-9]{64}$', \
             spec.targetType: Unsupported value: \"mainframe\": supported values: \"kubernetes\", \"aws\", \
             <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the \
             existing errors to complete validation]"
        );
    }

    #[test]
    fn a_status_write_is_judged_by_the_status() {
        let old = object("short");
        let mut new = old.clone();
        new["status"] = json!({"count": "two"});
        assert_eq!(
            request().validate_status(&new, &old).first().map(ToString::to_string),
            Some(
                "status.count: Invalid value: \"string\": count in body must be of type integer: \"string\"".to_owned()
            )
        );
        new["status"] = json!({"count": 2});
        assert_eq!(request().validate_status(&new, &old), []);
    }
}
