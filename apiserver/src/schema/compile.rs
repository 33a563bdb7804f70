//! From the JSON of a schema to [`Node`]s, or to what is wrong with it.

use regex::Regex;
use serde_json::{Map, Number, Value};

use super::{
    cel::Rule,
    format::Format,
    keywords::{Keyword, keyword},
    node::{Additional, ListType, Node, NumberRules, SizeRules, StringRules, Type},
};
use crate::validate::FieldError;

pub(super) fn compile(schema: &Value, path: &str) -> Result<Node, Vec<FieldError>> {
    let mut compiler = Compiler { errors: Vec::new() };
    let node = compiler.node(schema, path);
    if compiler.errors.is_empty() {
        Ok(node)
    } else {
        Err(compiler.errors)
    }
}

struct Compiler {
    errors: Vec<FieldError>,
}

impl Compiler {
    fn node(&mut self, schema: &Value, path: &str) -> Node {
        let Value::Object(schema) = schema else {
            self.errors.push(FieldError::invalid(
                path,
                schema.clone(),
                "must be an object",
            ));
            return Node::default();
        };
        self.check_keywords(schema, path);
        let flag = |name: &str| schema.get(name) == Some(&Value::Bool(true));
        let mut node = Node {
            types: self.types(schema, path),
            nullable: flag("nullable"),
            default: schema.get("default").cloned(),
            values: list(schema, "enum").to_vec(),
            string: self.string_rules(schema, path),
            number: NumberRules {
                minimum: number(schema, "minimum"),
                exclusive_minimum: flag("exclusiveMinimum"),
                maximum: number(schema, "maximum"),
                exclusive_maximum: flag("exclusiveMaximum"),
                multiple_of: number(schema, "multipleOf"),
            },
            size: SizeRules {
                min_items: count(schema, "minItems"),
                max_items: count(schema, "maxItems"),
                min_properties: count(schema, "minProperties"),
                max_properties: count(schema, "maxProperties"),
            },
            required: texts(schema, "required"),
            list: self.list_type(schema, path),
            all_of: self.nodes(schema, "allOf", path),
            any_of: self.nodes(schema, "anyOf", path),
            one_of: self.nodes(schema, "oneOf", path),
            not: schema
                .get("not")
                .map(|not| Box::new(self.node(not, &format!("{path}.not")))),
            preserve_unknown_fields: flag("x-kubernetes-preserve-unknown-fields"),
            embedded: flag("x-kubernetes-embedded-resource"),
            rules: self.rules(schema, path),
            ..Node::default()
        };
        for (name, property) in schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let property = self.node(property, &format!("{path}.properties[{name}]"));
            node.properties.insert(name.clone(), property);
        }
        if let Some(items) = schema.get("items") {
            node.items = Some(Box::new(self.node(items, &format!("{path}.items"))));
        }
        node.additional = self.additional(schema, path);
        node
    }

    fn check_keywords(&mut self, schema: &Map<String, Value>, path: &str) {
        for (name, value) in schema.iter().filter(|(_, value)| !value.is_null()) {
            let path = format!("{path}.{name}");
            match keyword(name) {
                Some(Keyword::Evaluated | Keyword::Documentation) => {}
                Some(Keyword::Forbidden(_)) if *value == Value::Bool(false) => {}
                Some(Keyword::Forbidden(detail)) => {
                    self.errors.push(FieldError::forbidden(path, detail));
                }
                None => self.errors.push(FieldError::forbidden(
                    path,
                    "this server does not know this keyword",
                )),
            }
        }
    }

    fn types(&mut self, schema: &Map<String, Value>, path: &str) -> Vec<Type> {
        if schema.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true)) {
            return vec![Type::Integer, Type::String];
        }
        match schema.get("type").and_then(Value::as_str) {
            None | Some("") => Vec::new(),
            Some(name) => match Type::from_name(name) {
                Some(ty) => vec![ty],
                None => {
                    let supported = ["array", "boolean", "integer", "number", "object", "string"];
                    self.errors.push(FieldError::not_supported(
                        format!("{path}.type"),
                        name,
                        &supported,
                    ));
                    Vec::new()
                }
            },
        }
    }

    fn string_rules(&mut self, schema: &Map<String, Value>, path: &str) -> StringRules {
        let mut rules = StringRules {
            min_length: count(schema, "minLength"),
            max_length: count(schema, "maxLength"),
            ..StringRules::default()
        };
        if let Some(pattern) = schema
            .get("pattern")
            .and_then(Value::as_str)
            .filter(|pattern| !pattern.is_empty())
        {
            match Regex::new(pattern) {
                Ok(regex) => rules.pattern = Some(regex),
                Err(error) => self.errors.push(FieldError::invalid(
                    format!("{path}.pattern"),
                    pattern,
                    format!("must be a valid regular expression, but isn't: {error}"),
                )),
            }
        }
        let ty = schema
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if let Some(format) = schema
            .get("format")
            .and_then(Value::as_str)
            .filter(|format| !format.is_empty())
        {
            match Format::of(ty, format) {
                Ok(format) => rules.format = format,
                Err(detail) => self.errors.push(FieldError::invalid(
                    format!("{path}.format"),
                    format,
                    detail,
                )),
            }
        }
        rules
    }

    fn list_type(&mut self, schema: &Map<String, Value>, path: &str) -> ListType {
        match schema.get("x-kubernetes-list-type").and_then(Value::as_str) {
            None | Some("atomic") => ListType::Atomic,
            Some("set") => ListType::Set,
            Some("map") => {
                let keys = texts(schema, "x-kubernetes-list-map-keys");
                if keys.is_empty() {
                    let detail = "must not be empty if x-kubernetes-list-type is map";
                    self.errors.push(FieldError::required(
                        format!("{path}.x-kubernetes-list-map-keys"),
                        detail,
                    ));
                }
                ListType::Map(keys)
            }
            Some(other) => {
                let path = format!("{path}.x-kubernetes-list-type");
                self.errors.push(FieldError::not_supported(
                    path,
                    other,
                    &["atomic", "map", "set"],
                ));
                ListType::Atomic
            }
        }
    }

    fn additional(&mut self, schema: &Map<String, Value>, path: &str) -> Additional {
        match schema.get("additionalProperties") {
            None | Some(Value::Null) => Additional::Unknown,
            Some(Value::Bool(true)) => Additional::Any,
            Some(Value::Bool(false)) => {
                let path = format!("{path}.additionalProperties");
                self.errors.push(FieldError::forbidden(
                    path,
                    "additionalProperties cannot be set to false",
                ));
                Additional::Unknown
            }
            Some(schema) => Additional::Schema(Box::new(
                self.node(schema, &format!("{path}.additionalProperties")),
            )),
        }
    }

    fn nodes(&mut self, schema: &Map<String, Value>, name: &str, path: &str) -> Vec<Node> {
        let schemas = list(schema, name).iter().enumerate();
        schemas
            .map(|(i, schema)| self.node(schema, &format!("{path}.{name}[{i}]")))
            .collect()
    }

    fn rules(&mut self, schema: &Map<String, Value>, path: &str) -> Vec<Rule> {
        let mut rules = Vec::new();
        for (i, rule) in list(schema, "x-kubernetes-validations").iter().enumerate() {
            match Rule::compile(rule, &format!("{path}.x-kubernetes-validations[{i}]")) {
                Ok(rule) => rules.push(rule),
                Err(error) => self.errors.push(error),
            }
        }
        rules
    }
}

fn list<'a>(schema: &'a Map<String, Value>, name: &str) -> &'a [Value] {
    schema
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn texts(schema: &Map<String, Value>, name: &str) -> Vec<String> {
    list(schema, name)
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn count(schema: &Map<String, Value>, name: &str) -> Option<u64> {
    schema.get(name).and_then(Value::as_u64)
}

fn number(schema: &Map<String, Value>, name: &str) -> Option<Number> {
    schema.get(name).and_then(Value::as_number).cloned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusals(schema: &Value) -> Vec<String> {
        compile(schema, "schema")
            .err()
            .unwrap_or_default()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn what_cannot_be_evaluated_is_refused_by_its_path() {
        let schema = json!({
            "type": "object",
            "properties": {
                "a": {"type": "text"},
                "b": {"type": "array", "uniqueItems": true, "items": {"$ref": "#/x"}},
                "c": {"type": "string", "pattern": "("},
                "d": {"type": "string", "format": "isbn"},
                "e": {"type": "object", "additionalProperties": false},
                "f": {"type": "string", "x-kubernetes-validations": [{"rule": "self.matches('a')"}]},
                "g": {"type": "array", "x-kubernetes-list-type": "map"},
                "h": {"type": "string", "maximumLength": 1},
            },
        });
        let heads: Vec<String> = refusals(&schema)
            .iter()
            .map(|error| error.split(": ").take(2).collect::<Vec<_>>().join(": "))
            .collect();
        assert_eq!(
            heads,
            [
                "schema.properties[a].type: Unsupported value",
                "schema.properties[b].uniqueItems: Forbidden",
                "schema.properties[b].items.$ref: Forbidden",
                "schema.properties[c].pattern: Invalid value",
                "schema.properties[d].format: Invalid value",
                "schema.properties[e].additionalProperties: Forbidden",
                "schema.properties[f].x-kubernetes-validations[0].rule: Invalid value",
                "schema.properties[g].x-kubernetes-list-map-keys: Required value",
                "schema.properties[h].maximumLength: Forbidden",
            ]
        );
    }

    #[test]
    fn documentation_and_unset_keywords_are_fine() {
        let schema = json!({"type": "object", "description": "d", "x-kubernetes-map-type": "atomic", "uniqueItems": false, "$ref": null});
        assert_eq!(refusals(&schema), Vec::<String>::new());
    }
}
