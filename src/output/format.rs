//! The formats of `-o`.

use std::io::Write;
use std::str::FromStr;

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

use super::columns::CustomColumns;
use super::{OutputError, jsonpath, stream};

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
    /// A table of the values at paths: `NAME:.name,…`. It is made of the same value as JSON.
    CustomColumns(CustomColumns),
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
            _ => {
                if let Some(path) = text.strip_prefix("jsonpath=") {
                    return Ok(Self::JsonPath(path.to_owned()));
                }
                if let Some(spec) = text.strip_prefix("custom-columns=") {
                    return CustomColumns::parse(spec).map(Self::CustomColumns);
                }
                return Err(
                    "allowed formats are: table, wide, json, yaml, name, jsonpath=, custom-columns="
                        .to_owned(),
                );
            }
        })
    }
}

impl Format {
    /// Whether the answer is for a program.
    pub(crate) fn is_structured(&self) -> bool {
        matches!(
            self,
            Self::Json | Self::Yaml | Self::JsonPath(_) | Self::CustomColumns(_)
        )
    }

    /// The same without a line of names above the columns.
    #[must_use]
    pub(crate) fn without_header(self) -> Self {
        match self {
            Self::CustomColumns(columns) => Self::CustomColumns(columns.without_header()),
            other => other,
        }
    }

    /// Prints a value in a structured format.
    pub(crate) fn show(&self, value: &Value) -> Result<(), OutputError> {
        stream(|out| self.write(out, value))
    }

    /// A value in a structured format.
    pub(crate) fn print(&self, value: &Value) -> Result<String, OutputError> {
        let mut text = Vec::new();
        self.write(&mut text, value)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// The same for what is too large to be a [`Value`] first. Fields are not sorted here, as kubectl does it.
    pub(crate) fn show_large(&self, value: &impl Serialize) -> Result<(), OutputError> {
        stream(|out| self.write(out, value))
    }

    /// One of many values that come as they happen: a line of JSON, a YAML document.
    pub(crate) fn print_line(&self, value: &Value) -> Result<String, OutputError> {
        match self {
            Self::Json => Ok(value.to_string()),
            Self::Yaml => Ok(format!("---\n{}", self.print(value)?)),
            Self::CustomColumns(_) => self.clone().without_header().print(value),
            format => format.print(value),
        }
    }

    fn write(&self, out: &mut dyn Write, value: &impl Serialize) -> Result<(), OutputError> {
        match self {
            Self::Yaml => {
                let yaml = serde_saphyr::to_string(value);
                let yaml = yaml.map_err(|error| OutputError::Format(error.into()))?;
                out.write_all(yaml.as_bytes())?;
            }
            Self::JsonPath(path) => {
                let value = serde_json::to_value(value);
                let value = value.map_err(|error| OutputError::Format(error.into()))?;
                let text = jsonpath::render(path, &value);
                let text = text.ok_or_else(|| OutputError::JsonPath(path.clone()))?;
                out.write_all(text.as_bytes())?;
            }
            Self::CustomColumns(columns) => {
                let value = serde_json::to_value(value);
                let value = value.map_err(|error| OutputError::Format(error.into()))?;
                out.write_all(columns.render(&value).as_bytes())?;
            }
            Self::Table | Self::Wide | Self::Json | Self::Name => {
                let indented = PrettyFormatter::with_indent(b"    ");
                value
                    .serialize(&mut Serializer::with_formatter(&mut *out, indented))
                    .map_err(json_error)?;
                writeln!(out)?;
            }
        }
        Ok(())
    }
}

fn json_error(error: serde_json::Error) -> OutputError {
    match error.io_error_kind() {
        Some(kind) => std::io::Error::from(kind).into(),
        None => OutputError::Format(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn yaml_keeps_words_that_other_readers_take_for_booleans() {
        assert_eq!(
            Format::Yaml.print(&json!({"name": "no"})).unwrap(),
            "name: \"no\"\n"
        );
    }

    #[test]
    fn json_is_indented_by_four() {
        assert_eq!(
            Format::Json.print(&json!({"b": [1], "a": null})).unwrap(),
            "{\n    \"a\": null,\n    \"b\": [\n        1\n    ]\n}\n"
        );
    }
}
