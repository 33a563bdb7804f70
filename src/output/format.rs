//! The formats of `-o`.

use std::str::FromStr;

use serde::Serialize;
use serde_json::Value;

use super::OutputError;

/// How data is printed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Format {
    /// A table.
    #[default]
    Table,
    /// A table with more columns.
    Wide,
    /// JSON, as kubectl indents it.
    Json,
    /// YAML.
    Yaml,
    /// `resource/name` lines.
    Name,
    /// The value at a path such as `{.items[0].holder}`.
    JsonPath(String),
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "table" => Self::Table,
            "wide" => Self::Wide,
            "json" => Self::Json,
            "yaml" => Self::Yaml,
            "name" => Self::Name,
            _ => match text.strip_prefix("jsonpath=") {
                Some(path) => Self::JsonPath(path.to_owned()),
                None => {
                    return Err(
                        "allowed formats are: table, wide, json, yaml, name, jsonpath=".to_owned(),
                    );
                }
            },
        })
    }
}

impl Format {
    /// Whether the answer is for a program.
    pub(crate) fn is_structured(&self) -> bool {
        matches!(self, Self::Json | Self::Yaml | Self::JsonPath(_))
    }

    /// A value in a structured format.
    pub(crate) fn print(&self, value: &Value) -> Result<String, OutputError> {
        match self {
            Self::Yaml => serde_saphyr::to_string(value).map_err(OutputError::Yaml),
            Self::JsonPath(path) => at(value, path),
            Self::Table | Self::Wide | Self::Json | Self::Name => Ok(json(value)),
        }
    }
}

impl Format {
    /// One of many values that come as they happen: a line of JSON, a YAML document.
    pub(crate) fn print_line(&self, value: &Value) -> Result<String, OutputError> {
        match self {
            Self::Json => Ok(value.to_string()),
            Self::Yaml => Ok(format!("---\n{}", self.print(value)?)),
            format => format.print(value),
        }
    }
}

/// JSON with four spaces and sorted keys.
fn json(value: &Value) -> String {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    // Writing a value into memory cannot fail.
    let _ = value.serialize(&mut serializer);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// kubectl's simplest paths: names, `[0]` and `[*]`.
fn at(value: &Value, path: &str) -> Result<String, OutputError> {
    let invalid = || OutputError::JsonPath(path.to_owned());
    let inner = path
        .trim()
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .unwrap_or(path.trim());
    let inner = inner.strip_prefix('.').unwrap_or(inner);
    let mut found = vec![value];
    for step in inner.split('.').filter(|step| !step.is_empty()) {
        let (name, indexes) = step.find('[').map_or((step, ""), |at| step.split_at(at));
        if !name.is_empty() {
            found = found
                .into_iter()
                .filter_map(|value| value.get(name))
                .collect();
        }
        for index in indexes.split_terminator(']') {
            let index = index.strip_prefix('[').ok_or_else(invalid)?;
            found = match index {
                "*" => found
                    .into_iter()
                    .filter_map(Value::as_array)
                    .flatten()
                    .collect(),
                number => {
                    let number: usize = number.parse().map_err(|_| invalid())?;
                    found
                        .into_iter()
                        .filter_map(|value| value.get(number))
                        .collect()
                }
            };
        }
    }
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    Ok(found.into_iter().map(text).collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_finds_names_indexes_and_all_items() {
        let value = json!({"items": [{"holder": "a"}, {"holder": "b", "age": 3}]});
        assert_eq!(at(&value, "{.items[0].holder}").unwrap(), "a");
        assert_eq!(at(&value, "{.items[*].holder}").unwrap(), "a b");
        assert_eq!(at(&value, ".items[1].age").unwrap(), "3");
        assert_eq!(at(&value, "{.nothing}").unwrap(), "");
        assert!(
            matches!(at(&value, "{.items[x]}"), Err(OutputError::JsonPath(path)) if path == "{.items[x]}")
        );
    }

    #[test]
    fn yaml_keeps_words_that_other_readers_take_for_booleans() {
        assert_eq!(
            Format::Yaml.print(&json!({"name": "no"})).unwrap(),
            "name: \"no\"\n"
        );
    }
}
