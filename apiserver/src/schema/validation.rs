//! Types, values and sizes.

use serde_json::Value;

use super::{
    correlate,
    node::{Node, StringRules, Type},
    number,
};
use crate::{
    golang::quote::quote,
    validate::{FieldError, FieldErrorKind},
};

/// A walk over one value. Messages name fields by their path inside the value that is validated,
/// which for a status write is the status, while the errors' paths start at the object.
pub(super) struct Validation {
    base: &'static str,
    errors: Vec<FieldError>,
}

impl Validation {
    pub(super) fn new(base: &'static str) -> Self {
        Self {
            base,
            errors: Vec::new(),
        }
    }

    /// The errors of a value; unchanged parts of the old one are not held against it.
    pub(super) fn run(
        mut self,
        node: &Node,
        value: &Value,
        old: Option<&Value>,
    ) -> Vec<FieldError> {
        self.value(node, value, old, "");
        self.errors
    }

    fn value(&mut self, node: &Node, value: &Value, old: Option<&Value>, name: &str) {
        let before = self.errors.len();
        self.check(node, value, old, name);
        if self.errors.len() > before && old == Some(value) {
            self.errors.truncate(before);
        }
    }

    fn check(&mut self, node: &Node, value: &Value, old: Option<&Value>, name: &str) {
        self.check_type(node, value, name);
        if !value.is_null() {
            self.check_combinations(node, value, old, name);
        }
        match value {
            Value::String(text) => self.check_string(&node.string, text, name),
            Value::Number(value) => {
                if let Some(message) =
                    number::out_of_format(&node.types, node.string.format, value, name)
                {
                    self.unplaced(message);
                }
                for detail in number::violations(&node.number, value, name) {
                    self.invalid(name, Value::Number(value.clone()), detail);
                }
            }
            Value::Array(items) => self.check_array(node, items, old, name),
            _ => {}
        }
        if !node.values.is_empty() && !node.values.contains(value) {
            let supported: Vec<String> = node
                .values
                .iter()
                .map(|value| {
                    value
                        .as_str()
                        .map_or_else(|| value.to_string(), str::to_owned)
                })
                .collect();
            let supported: Vec<&str> = supported.iter().map(String::as_str).collect();
            self.errors.push(FieldError::not_supported(
                self.path(name),
                value.clone(),
                &supported,
            ));
        }
        if let Value::Object(fields) = value {
            self.check_object(node, fields, old, name);
        }
    }

    fn check_type(&mut self, node: &Node, value: &Value, name: &str) {
        let format = node.string.format;
        if node.types.is_empty() && format.is_none() {
            return;
        }
        let Some(ty) = Type::of(value) else {
            if !node.types.is_empty() && !node.nullable {
                self.type_invalid(name, &node.type_names(), "null");
            }
            return;
        };
        let fits = node.types.contains(&ty)
            || (ty == Type::Integer && node.types.contains(&Type::Number))
            || (ty == Type::Number
                && node.types.contains(&Type::Integer)
                && number::is_whole(value));
        if fits {
            return;
        }
        match format {
            Some(format) if !matches!(ty, Type::String | Type::Array) => {
                let found = match ty {
                    Type::Integer => "int64",
                    Type::Number => "float64",
                    _ => "",
                };
                self.type_invalid(name, format.name(), found);
            }
            // The format itself says what is wrong with the text.
            Some(format) if !format.is_numeric() => {}
            _ => self.type_invalid(name, &node.type_names(), ty.name()),
        }
    }

    fn check_string(&mut self, rules: &StringRules, text: &str, name: &str) {
        let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
        if let Some(max) = rules.max_length.filter(|max| length > *max) {
            self.errors.push(FieldError::too_long(
                self.path(name),
                usize::try_from(max).unwrap_or(usize::MAX),
            ));
        } else if let Some(min) = rules.min_length.filter(|min| length < *min) {
            self.invalid(
                name,
                text.into(),
                format!("{name} in body should be at least {min} chars long"),
            );
        } else if let Some(pattern) = rules
            .pattern
            .as_ref()
            .filter(|pattern| !pattern.is_match(text))
        {
            self.invalid(
                name,
                text.into(),
                format!("{name} in body should match '{pattern}'"),
            );
        }
        if let Some(format) = rules.format.filter(|format| !format.accepts(text)) {
            let detail = format!(
                "{name} in body must be of type {}: {}",
                format.name(),
                quote(text)
            );
            self.errors
                .push(FieldError::type_invalid(self.path(name), text, detail));
        }
    }

    fn check_array(&mut self, node: &Node, items: &[Value], old: Option<&Value>, name: &str) {
        if let Some(child) = node.items.as_deref() {
            for (i, item) in items.iter().enumerate() {
                self.value(
                    child,
                    item,
                    correlate::item(node, old, item),
                    &format!("{name}[{i}]"),
                );
            }
        }
        let size = items.len();
        if let Some(min) = node.size.min_items.filter(|min| (size as u64) < *min) {
            self.invalid(
                name,
                size.into(),
                format!("{name} in body should have at least {min} items"),
            );
        }
        if let Some(max) = node.size.max_items.filter(|max| size as u64 > *max) {
            let max = usize::try_from(max).unwrap_or(usize::MAX);
            self.errors
                .push(FieldError::too_many(self.path(name), size, max));
        }
    }

    fn check_object(
        &mut self,
        node: &Node,
        fields: &serde_json::Map<String, Value>,
        old: Option<&Value>,
        name: &str,
    ) {
        let size = fields.len();
        if let Some(min) = node.size.min_properties.filter(|min| (size as u64) < *min) {
            self.invalid(
                name,
                size.into(),
                format!("{name} in body should have at least {min} properties"),
            );
        }
        if let Some(max) = node.size.max_properties.filter(|max| size as u64 > *max) {
            let max = usize::try_from(max).unwrap_or(usize::MAX);
            self.errors
                .push(FieldError::too_many(self.path(name), size, max));
        }
        for (property, value) in fields {
            if let Some(child) = node.property(property) {
                self.value(
                    child,
                    value,
                    correlate::property(old, property),
                    &join(name, property),
                );
            }
        }
        for property in node
            .required
            .iter()
            .filter(|property| !fields.contains_key(*property))
        {
            let path = self.path(&join(name, property));
            self.errors.push(FieldError::required(path, ""));
        }
    }

    fn check_combinations(&mut self, node: &Node, value: &Value, old: Option<&Value>, name: &str) {
        let errors_of = |this: &Self, node: &Node| {
            let mut inner = Self {
                base: this.base,
                errors: Vec::new(),
            };
            inner.value(node, value, old, name);
            inner.errors
        };
        if !node.any_of.is_empty() {
            let mut failures: Vec<_> = node
                .any_of
                .iter()
                .map(|node| errors_of(self, node))
                .collect();
            if failures.iter().all(|errors| !errors.is_empty()) {
                self.unplaced(format!(
                    "{} must validate at least one schema (anyOf)",
                    quote(name)
                ));
                self.errors.append(&mut failures[0]);
            }
        }
        if !node.one_of.is_empty() {
            let mut failures: Vec<_> = node
                .one_of
                .iter()
                .map(|node| errors_of(self, node))
                .collect();
            match failures.iter().filter(|errors| errors.is_empty()).count() {
                1 => {}
                0 => {
                    self.unplaced(format!(
                        "{} must validate one and only one schema (oneOf). Found none valid",
                        quote(name)
                    ));
                    self.errors.append(&mut failures[0]);
                }
                valid => self.unplaced(format!(
                    "{} must validate one and only one schema (oneOf). Found {valid} valid alternatives",
                    quote(name)
                )),
            }
        }
        if !node.all_of.is_empty() {
            let failures: Vec<_> = node
                .all_of
                .iter()
                .map(|node| errors_of(self, node))
                .collect();
            let failed = failures.iter().filter(|errors| !errors.is_empty()).count();
            self.errors.extend(failures.into_iter().flatten());
            if failed > 0 {
                let none = if failed == node.all_of.len() {
                    ". None validated"
                } else {
                    ""
                };
                self.unplaced(format!(
                    "{} must validate all the schemas (allOf){none}",
                    quote(name)
                ));
            }
        }
        if let Some(not) = node.not.as_deref()
            && errors_of(self, not).is_empty()
        {
            self.unplaced(format!(
                "{} must not validate the schema (not)",
                quote(name)
            ));
        }
    }

    fn invalid(&mut self, name: &str, value: Value, detail: String) {
        self.errors
            .push(FieldError::invalid(self.path(name), value, detail));
    }

    fn type_invalid(&mut self, name: &str, expected: &str, found: &str) {
        let detail = format!(
            "{name} in body must be of type {expected}: {}",
            quote(found)
        );
        self.errors
            .push(FieldError::type_invalid(self.path(name), found, detail));
    }

    /// An error that names its field in the text alone.
    fn unplaced(&mut self, detail: String) {
        let path = if self.base.is_empty() {
            "<nil>"
        } else {
            self.base
        };
        self.errors.push(FieldError {
            path: path.to_owned(),
            kind: FieldErrorKind::Invalid,
            bad_value: Some(Value::String(String::new())),
            detail,
        });
    }

    fn path(&self, name: &str) -> String {
        match (self.base, name) {
            ("", "") => "<nil>".to_owned(),
            (base, "") => base.to_owned(),
            (base, name) => join(base, name),
        }
    }
}

fn join(base: &str, name: &str) -> String {
    if base.is_empty() {
        name.to_owned()
    } else {
        format!("{base}.{name}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::compile::compile, *};

    fn errors(schema: &Value, value: &Value) -> Vec<String> {
        let node = compile(
            &json!({"type": "object", "properties": {"v": schema}}),
            "schema",
        )
        .unwrap();
        let object = json!({ "v": value });
        Validation::new("")
            .run(&node, &object, None)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn each_rule_is_worded_as_the_server_does() {
        let cases = [
            (
                json!({"type": "string"}),
                json!(5),
                r#"v: Invalid value: "integer": v in body must be of type string: "integer""#,
            ),
            (
                json!({"type": "string"}),
                json!(null),
                r#"v: Invalid value: "null": v in body must be of type string: "null""#,
            ),
            (
                json!({"x-kubernetes-int-or-string": true}),
                json!(true),
                r#"v: Invalid value: "boolean": v in body must be of type integer,string: "boolean""#,
            ),
            (
                json!({"type": "string", "format": "date-time"}),
                json!("yesterday"),
                r#"v: Invalid value: "yesterday": v in body must be of type date-time: "yesterday""#,
            ),
            (
                json!({"type": "string", "format": "date-time"}),
                json!(5),
                r#"v: Invalid value: "int64": v in body must be of type date-time: "int64""#,
            ),
            (
                json!({"type": "string", "maxLength": 2}),
                json!("abc"),
                "v: Too long: may not be more than 2 bytes",
            ),
            (
                json!({"type": "string", "minLength": 1}),
                json!(""),
                r#"v: Invalid value: "": v in body should be at least 1 chars long"#,
            ),
            (
                json!({"type": "string", "pattern": "^a+$"}),
                json!("b"),
                r#"v: Invalid value: "b": v in body should match '^a+$'"#,
            ),
            (
                json!({"type": "integer", "minimum": 0}),
                json!(-1),
                "v: Invalid value: -1: v in body should be greater than or equal to 0",
            ),
            (
                json!({"type": "integer", "format": "int32"}),
                json!("a"),
                r#"v: Invalid value: "string": v in body must be of type integer: "string""#,
            ),
            (
                json!({"type": "integer", "format": "int32"}),
                json!(true),
                r#"v: Invalid value: "": v in body must be of type int32: """#,
            ),
            (
                json!({"type": "integer", "format": "int32"}),
                json!(3_000_000_000_i64),
                r#"<nil>: Invalid value: "": Checked value must be of type integer with format int32 in v"#,
            ),
            (
                json!({"type": "array", "minItems": 1, "items": {"type": "string"}}),
                json!([]),
                "v: Invalid value: 0: v in body should have at least 1 items",
            ),
            (
                json!({"type": "array", "maxItems": 1, "items": {"type": "string"}}),
                json!(["a", "b"]),
                "v: Too many: 2: must have at most 1 item",
            ),
            (
                json!({"type": "array", "items": {"type": "string"}}),
                json!(["a", 1]),
                r#"v[1]: Invalid value: "integer": v[1] in body must be of type string: "integer""#,
            ),
            (
                json!({"type": "object", "required": ["a"]}),
                json!({}),
                "v.a: Required value",
            ),
            (
                json!({"type": "object", "additionalProperties": {"type": "string"}}),
                json!({"k": 1}),
                r#"v.k: Invalid value: "integer": v.k in body must be of type string: "integer""#,
            ),
            (
                json!({"type": "string", "enum": ["a", "b"]}),
                json!("c"),
                r#"v: Unsupported value: "c": supported values: "a", "b""#,
            ),
        ];
        for (schema, value, expected) in cases {
            assert_eq!(errors(&schema, &value), [expected], "{schema} {value}");
        }
    }

    #[test]
    fn a_fraction_is_no_integer_in_two_ways() {
        assert_eq!(
            errors(&json!({"type": "integer"}), &json!(1.5)),
            [
                r#"v: Invalid value: "number": v in body must be of type integer: "number""#,
                r#"<nil>: Invalid value: "": Checked value must be of type integer (default format) in v"#,
            ]
        );
        assert_eq!(
            errors(&json!({"type": "integer", "format": "int32"}), &json!(1.5)),
            [
                r#"v: Invalid value: "float64": v in body must be of type int32: "float64""#,
                r#"<nil>: Invalid value: "": Checked value must be of type integer with format int32 in v"#,
            ]
        );
    }

    #[test]
    fn values_that_fit_have_no_errors() {
        let cases = [
            (json!({"type": "string", "nullable": true}), json!(null)),
            (json!({"type": "integer"}), json!(1.0)),
            (json!({"type": "number"}), json!(1)),
            (json!({"x-kubernetes-int-or-string": true}), json!("50%")),
            (json!({}), json!({"anything": 1})),
            (json!({"type": "string", "maxLength": 2}), json!("éé")),
            (
                json!({"anyOf": [{"type": "integer"}, {"type": "string"}]}),
                json!("a"),
            ),
        ];
        for (schema, value) in cases {
            assert_eq!(
                errors(&schema, &value),
                Vec::<String>::new(),
                "{schema} {value}"
            );
        }
    }

    #[test]
    fn combinations_name_what_failed() {
        let enums = json!([{"enum": ["a"]}, {"enum": ["a"]}]);
        assert_eq!(
            errors(&json!({"type": "string", "allOf": enums}), &json!("b")),
            [
                r#"v: Unsupported value: "b": supported values: "a""#,
                r#"v: Unsupported value: "b": supported values: "a""#,
                r#"<nil>: Invalid value: "": "v" must validate all the schemas (allOf). None validated"#,
            ]
        );
        assert_eq!(
            errors(
                &json!({"anyOf": [{"type": "integer"}, {"type": "string"}]}),
                &json!(true)
            ),
            [
                r#"<nil>: Invalid value: "": "v" must validate at least one schema (anyOf)"#,
                r#"v: Invalid value: "boolean": v in body must be of type integer: "boolean""#,
            ]
        );
        assert_eq!(
            errors(
                &json!({"oneOf": [{"minLength": 1}, {"maxLength": 5}]}),
                &json!("abc")
            ),
            [
                r#"<nil>: Invalid value: "": "v" must validate one and only one schema (oneOf). Found 2 valid alternatives"#
            ]
        );
        assert_eq!(
            errors(&json!({"not": {"enum": ["a"]}}), &json!("a")),
            [r#"<nil>: Invalid value: "": "v" must not validate the schema (not)"#]
        );
    }

    #[test]
    fn what_was_bad_before_may_stay() {
        let node = compile(
            &json!({"type": "object", "properties": {"v": {"type": "string", "maxLength": 1},
            "w": {"type": "string"}}}),
            "schema",
        )
        .unwrap();
        let old = json!({"v": "long", "w": "a"});
        assert_eq!(
            Validation::new("").run(&node, &json!({"v": "long", "w": "b"}), Some(&old)),
            []
        );
        assert_eq!(
            Validation::new("")
                .run(&node, &json!({"v": "longer", "w": "b"}), Some(&old))
                .len(),
            1
        );
    }
}
