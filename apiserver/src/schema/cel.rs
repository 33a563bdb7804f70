//! `x-kubernetes-validations`: the part of CEL that this server evaluates.
//!
//! Literals, lists, `self` and `oldSelf` with field and index access, `== != < <= > >= in`, `&&`,
//! `||`, `!`, `?:`, `has()`, `size()`, `startsWith()`, `endsWith()` and `contains()`. Everything
//! else, macros and arithmetic above all, is refused when the definition is stored. Strings with a
//! date format are compared as strings.

mod eval;
mod lexer;
mod parser;

use serde_json::Value;

use self::{eval::Scope, parser::Expr};
use super::{correlate, node::Node};
use crate::validate::{FieldError, FieldErrorKind};

/// One rule of a schema.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    expression: Expr,
    /// Rules that name `oldSelf` hold for changes only.
    is_transition: bool,
    message: String,
    /// The message if there is one, otherwise the rule: how errors of the evaluation name it.
    title: String,
    kind: FieldErrorKind,
    /// Appended to the path of an error.
    field_path: String,
}

impl Rule {
    /// Compiles a rule at `path`.
    ///
    /// # Errors
    /// What this server does not evaluate.
    pub(super) fn compile(rule: &Value, path: &str) -> Result<Self, FieldError> {
        let text = |name: &str| rule[name].as_str().unwrap_or_default().trim();
        let source = text("rule");
        if source.is_empty() {
            return Err(FieldError::required(
                format!("{path}.rule"),
                "rule is not specified",
            ));
        }
        for unsupported in ["messageExpression", "optionalOldSelf"] {
            if !rule[unsupported].is_null() {
                let detail = "this server does not evaluate this field";
                return Err(FieldError::forbidden(
                    format!("{path}.{unsupported}"),
                    detail,
                ));
            }
        }
        let expression = parser::parse(source).map_err(|detail| {
            FieldError::invalid(
                format!("{path}.rule"),
                source,
                format!("this server does not evaluate it: {detail}"),
            )
        })?;
        let kind = match text("reason") {
            "" | "FieldValueInvalid" => FieldErrorKind::Invalid,
            "FieldValueForbidden" => FieldErrorKind::Forbidden,
            "FieldValueRequired" => FieldErrorKind::Required,
            "FieldValueDuplicate" => FieldErrorKind::Duplicate,
            other => {
                let supported = [
                    "FieldValueRequired",
                    "FieldValueInvalid",
                    "FieldValueForbidden",
                    "FieldValueDuplicate",
                ];
                return Err(FieldError::not_supported(
                    format!("{path}.reason"),
                    other,
                    &supported,
                ));
            }
        };
        let message = text("message");
        Ok(Self {
            is_transition: expression.names_old_self(),
            expression,
            message: if message.is_empty() {
                format!("failed rule: {source}")
            } else {
                message.to_owned()
            },
            title: if message.is_empty() {
                source.to_owned()
            } else {
                message.to_owned()
            },
            kind,
            field_path: text("fieldPath").to_owned(),
        })
    }

    fn check(&self, value: &Value, old: Option<&Value>, path: &str) -> Option<FieldError> {
        if self.is_transition && old.is_none() {
            return None;
        }
        let scope = Scope {
            this: value,
            old: old.unwrap_or(&Value::Null),
        };
        // Objects and lists are not quoted in the message; only the kinds that show a value have one.
        let shown = if value.is_object() || value.is_array() {
            None
        } else {
            Some(value.clone())
        };
        let path = if path.is_empty() {
            "<nil>".to_owned()
        } else {
            path.to_owned()
        };
        match eval::evaluate(&self.expression, scope) {
            Ok(Value::Bool(true)) => None,
            Ok(_) => Some(FieldError {
                path: format!("{path}{}", self.field_path),
                kind: self.kind,
                bad_value: if matches!(
                    self.kind,
                    FieldErrorKind::Invalid | FieldErrorKind::Duplicate
                ) {
                    shown
                } else {
                    None
                },
                detail: if self.kind == FieldErrorKind::Duplicate {
                    String::new()
                } else {
                    self.message.clone()
                },
            }),
            Err(error) => {
                let ty = super::node::Type::of(value).map_or("null", super::node::Type::name);
                Some(FieldError::invalid(
                    path,
                    ty,
                    format!("{error} evaluating rule: {}", self.title),
                ))
            }
        }
    }
}

/// The errors of all rules of a schema and of those in it, outer rules first.
pub(super) fn validate(root: &Node, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    walk(root, object, old, "", &mut errors);
    errors
}

fn walk(node: &Node, value: &Value, old: Option<&Value>, path: &str, errors: &mut Vec<FieldError>) {
    // Rules of a value that is null are those of the schema around it.
    if value.is_null() {
        return;
    }
    let old = old.filter(|old| !old.is_null());
    for rule in &node.rules {
        let error = rule.check(value, old, path);
        // A rule about the value itself does not hold what was bad before against an update.
        errors.extend(error.filter(|_| rule.is_transition || old != Some(value)));
    }
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if let Some(child) = node.property(name) {
                    let path = if path.is_empty() {
                        name.clone()
                    } else {
                        format!("{path}.{name}")
                    };
                    walk(child, value, correlate::property(old, name), &path, errors);
                }
            }
        }
        Value::Array(items) => {
            if let Some(child) = node.items.as_deref() {
                for (i, item) in items.iter().enumerate() {
                    walk(
                        child,
                        item,
                        correlate::item(node, old, item),
                        &format!("{path}[{i}]"),
                        errors,
                    );
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::compile::compile, *};

    fn errors(rule: &Value, value: &Value, old: Option<&Value>) -> Vec<String> {
        let schema =
            json!({"type": "object", "properties": {"v": {"x-kubernetes-validations": [rule]}}});
        let node = compile(&schema, "schema").unwrap();
        let wrap = |value: &Value| json!({ "v": value });
        let old = old.map(wrap);
        validate(&node, &wrap(value), old.as_ref())
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_transition_rule_holds_for_changes_of_what_was_there() {
        let rule = json!({"rule": "oldSelf == '' || self == oldSelf", "message": "v is immutable once set"});
        let expected = [r#"v: Invalid value: "b": v is immutable once set"#];
        assert_eq!(errors(&rule, &json!("b"), Some(&json!("a"))), expected);
        for (value, old) in [
            (json!("a"), Some(json!("a"))),
            (json!("a"), Some(json!(""))),
            (json!("a"), None),
        ] {
            assert_eq!(errors(&rule, &value, old.as_ref()), Vec::<String>::new());
        }
    }

    #[test]
    fn a_rule_without_message_is_quoted_itself() {
        assert_eq!(
            errors(
                &json!({"rule": "self.min <= self.max"}),
                &json!({"min": 2, "max": 1}),
                None
            ),
            ["v: Invalid value: failed rule: self.min <= self.max"]
        );
    }

    #[test]
    fn reason_and_field_path_shape_the_error() {
        let rule = json!({"rule": "has(self.a)", "message": "a is needed", "reason": "FieldValueRequired", "fieldPath": ".a"});
        assert_eq!(
            errors(&rule, &json!({}), None),
            ["v.a: Required value: a is needed"]
        );
    }

    #[test]
    fn what_was_bad_before_may_stay_unless_the_rule_is_about_the_change() {
        let rule = json!({"rule": "self.size() < 3", "message": "too long"});
        assert_eq!(
            errors(&rule, &json!("abcd"), Some(&json!("abcd"))),
            Vec::<String>::new()
        );
        assert_eq!(
            errors(&rule, &json!("abcde"), Some(&json!("abcd"))),
            [r#"v: Invalid value: "abcde": too long"#]
        );
    }

    #[test]
    fn a_missing_field_is_an_error_of_the_evaluation() {
        assert_eq!(
            errors(&json!({"rule": "self.a == 1"}), &json!({}), None),
            [r#"v: Invalid value: "object": no such key: a evaluating rule: self.a == 1"#]
        );
    }

    #[test]
    fn rules_that_are_not_evaluated_are_refused() {
        for rule in [
            "self.all(x, x > 1)",
            "self + 1 == 2",
            "self.matches('a')",
            "now() > self",
            "self ==",
            "",
            "self = 1",
        ] {
            assert!(
                Rule::compile(&json!({ "rule": rule }), "r").is_err(),
                "{rule}"
            );
        }
        let error = Rule::compile(&json!({"rule": "self.all(x, x > 1)"}), "r").unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"r.rule: Invalid value: "self.all(x, x > 1)": this server does not evaluate it: function "all""#
        );
    }
}
