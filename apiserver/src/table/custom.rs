//! Columns of custom resources: `additionalPrinterColumns`.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    Definition, age,
    jsonpath::{JsonPath, plain},
};
use crate::{golang::time::parse_time, validate::FieldError};

/// One column of a custom resource.
#[derive(Debug)]
pub(crate) struct CustomColumn {
    name: String,
    ty: String,
    format: String,
    description: String,
    priority: i64,
    path: JsonPath,
}

/// The columns that a definition names. Those whose path cannot be followed have been refused by
/// [`validate`] when it was stored.
pub(super) fn columns(definitions: &[Value]) -> Vec<CustomColumn> {
    definitions
        .iter()
        .filter_map(|definition| CustomColumn::compile(definition).ok())
        .collect()
}

/// What is wrong with the columns of a definition at `path`.
pub(crate) fn validate(definitions: &[Value], path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (i, definition) in definitions.iter().enumerate() {
        let path = format!("{path}[{i}]");
        if definition["name"].as_str().unwrap_or_default().is_empty() {
            errors.push(FieldError::required(format!("{path}.name"), ""));
        }
        let (ty, types) = (
            text(definition, "type"),
            ["integer", "number", "string", "boolean", "date"],
        );
        if !types.contains(&ty.as_str()) {
            errors.push(FieldError::invalid(
                format!("{path}.type"),
                ty,
                format!("must be one of {}", types.join(",")),
            ));
        }
        if let Err(detail) = CustomColumn::compile(definition) {
            let detail = format!("is an invalid path: {detail}");
            errors.push(FieldError::invalid(
                format!("{path}.jsonPath"),
                text(definition, "jsonPath"),
                detail,
            ));
        }
    }
    errors
}

impl CustomColumn {
    fn compile(definition: &Value) -> Result<Self, String> {
        let json_path = text(definition, "jsonPath");
        let description = match text(definition, "description") {
            text if text.is_empty() => {
                format!("Custom resource definition column (in JSONPath format): {json_path}")
            }
            text => text,
        };
        Ok(Self {
            name: text(definition, "name"),
            ty: text(definition, "type"),
            format: text(definition, "format"),
            description,
            priority: definition["priority"].as_i64().unwrap_or_default(),
            path: JsonPath::parse(&json_path)?,
        })
    }

    pub(super) fn definition(&self) -> Definition<'_> {
        Definition {
            name: &self.name,
            ty: &self.ty,
            format: &self.format,
            description: &self.description,
            priority: self.priority,
        }
    }

    pub(super) fn cell(&self, object: &Value, now: Timestamp) -> Value {
        let Some(value) = self.path.first(object).filter(|value| !value.is_null()) else {
            return Value::Null;
        };
        match (self.ty.as_str(), value) {
            ("string", value) => Value::String(plain(value)),
            ("integer", Value::Number(number)) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => whole.into(),
                (None, Some(number)) => {
                    serde_json::from_str(&format!("{:.0}", number.trunc())).unwrap_or(Value::Null)
                }
                (None, None) => Value::Null,
            },
            ("number", Value::Number(_)) | ("boolean", Value::Bool(_)) => value.clone(),
            ("date", Value::String(text)) => Value::String(match parse_time(text) {
                Ok(time) => age::between(time, now),
                Err(_) => "<invalid>".to_owned(),
            }),
            _ => Value::Null,
        }
    }
}

fn text(definition: &Value, field: &str) -> String {
    definition[field].as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::validate::summary;

    fn cell(ty: &str, path: &str, object: &Value) -> Value {
        let column =
            CustomColumn::compile(&json!({"name": "C", "type": ty, "jsonPath": path})).unwrap();
        column.cell(object, Timestamp::from_second(60).unwrap())
    }

    #[test]
    fn a_cell_is_of_the_type_of_its_column() {
        let object = json!({"s": "x", "n": 3, "f": 1.7, "b": true, "l": ["x", "y"], "t": "1970-01-01T00:00:00Z", "z": null});
        let cases = [
            ("string", ".s", json!("x")),
            ("string", ".n", json!("3")),
            ("string", ".l", json!(r#"["x","y"]"#)),
            ("integer", ".n", json!(3)),
            ("integer", ".f", json!(1)),
            ("integer", ".s", Value::Null),
            ("number", ".f", json!(1.7)),
            ("boolean", ".b", json!(true)),
            ("date", ".t", json!("60s")),
            ("date", ".s", json!("<invalid>")),
            ("string", ".none", Value::Null),
            ("string", ".z", Value::Null),
        ];
        for (ty, path, expected) in cases {
            assert_eq!(cell(ty, path, &object), expected, "{ty} {path}");
        }
    }

    #[test]
    fn a_column_is_refused_by_its_path_and_type() {
        let columns = [json!({"name": "", "type": "text", "jsonPath": "a"})];
        assert_eq!(
            summary(&validate(&columns, "cols")),
            "[cols[0].name: Required value, cols[0].type: Invalid value: \"text\": must be one of \
             integer,number,string,boolean,date, cols[0].jsonPath: Invalid value: \"a\": is an invalid path: \"a\" without a \
             dot before it]"
        );
        assert_eq!(
            validate(
                &[json!({"name": "A", "type": "date", "jsonPath": ".a"})],
                "cols"
            ),
            []
        );
    }
}
