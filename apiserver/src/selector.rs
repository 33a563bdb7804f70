//! Label and field selectors.

use serde_json::Value;

use crate::object::at_path;
use crate::registry::Resource;
use crate::request::Query;
use crate::status::Status;

/// Which objects of a collection are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    labels: Vec<LabelTerm>,
    fields: Vec<FieldTerm>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct FieldTerm {
    path: String,
    value: String,
    negated: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum LabelTerm {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
}

impl Selector {
    pub(crate) fn parse(query: &Query, resource: &Resource) -> Result<Self, Status> {
        let labels = query
            .get("labelSelector")
            .map_or(Ok(Vec::new()), label_terms)?;
        let fields = query
            .get("fieldSelector")
            .map_or(Ok(Vec::new()), |text| field_terms(text, resource))?;
        Ok(Self { labels, fields })
    }

    pub(crate) fn matches(&self, object: &Value) -> bool {
        self.labels.iter().all(|term| term.matches(object))
            && self.fields.iter().all(|term| term.matches(object))
    }

    /// The name, where the selection is one object: RBAC rules with resourceNames can allow that.
    pub(crate) fn name(&self) -> Option<&str> {
        let mut names = self
            .fields
            .iter()
            .filter(|term| term.path == "metadata.name" && !term.negated);
        names.next().map(|term| term.value.as_str())
    }
}

impl FieldTerm {
    fn matches(&self, object: &Value) -> bool {
        let actual = match at_path(object, &self.path) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        };
        (actual == self.value) != self.negated
    }
}

impl LabelTerm {
    fn matches(&self, object: &Value) -> bool {
        let labels = object
            .get("metadata")
            .and_then(|metadata| metadata.get("labels"));
        let value = |key: &str| {
            labels
                .and_then(|labels| labels.get(key))
                .and_then(Value::as_str)
        };
        match self {
            Self::In(key, values) => {
                value(key).is_some_and(|actual| values.iter().any(|value| value == actual))
            }
            Self::NotIn(key, values) => {
                value(key).is_none_or(|actual| values.iter().all(|value| value != actual))
            }
            Self::Exists(key) => value(key).is_some(),
            Self::Absent(key) => value(key).is_none(),
        }
    }
}

fn field_terms(text: &str, resource: &Resource) -> Result<Vec<FieldTerm>, Status> {
    text.split(',')
        .filter(|term| !term.is_empty())
        .map(|term| field_term(term, resource))
        .collect()
}

fn field_term(term: &str, resource: &Resource) -> Result<FieldTerm, Status> {
    let (path, value, negated) = if let Some((path, value)) = term.split_once("!=") {
        (path, value, true)
    } else if let Some((path, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
        (path, value, false)
    } else {
        return Err(Status::bad_request(format!(
            "invalid selector: '{term}'; can't understand '{term}'"
        )));
    };
    let known = matches!(path, "metadata.name" | "metadata.namespace")
        || resource.selectable.iter().any(|own| own == path);
    if !known {
        let message = if resource.selectable.is_empty() {
            format!(
                "\"{path}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
            )
        } else {
            format!("field label not supported: {path}")
        };
        return Err(Status::bad_request(message));
    }
    Ok(FieldTerm {
        path: path.to_owned(),
        value: value.to_owned(),
        negated,
    })
}

fn label_terms(text: &str) -> Result<Vec<LabelTerm>, Status> {
    let mut terms = Vec::new();
    let mut depth = 0;
    let mut start = 0;
    for (at, character) in text.char_indices().chain([(text.len(), ',')]) {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                terms.push(label_term(text[start..at].trim())?);
                start = at + 1;
            }
            _ => {}
        }
    }
    Ok(terms)
}

fn label_term(term: &str) -> Result<LabelTerm, Status> {
    let owned = |text: &str| text.trim().to_owned();
    let set = |list: &str| {
        list.trim()
            .trim_start_matches('(')
            .trim_end_matches(')')
            .split(',')
            .map(owned)
            .collect()
    };
    if let Some((key, list)) = term.split_once(" notin ") {
        return Ok(LabelTerm::NotIn(owned(key), set(list)));
    }
    if let Some((key, list)) = term.split_once(" in ") {
        return Ok(LabelTerm::In(owned(key), set(list)));
    }
    if let Some((key, value)) = term.split_once("!=") {
        return Ok(LabelTerm::NotIn(owned(key), vec![owned(value)]));
    }
    if let Some((key, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
        return Ok(LabelTerm::In(owned(key), vec![owned(value)]));
    }
    let (absent, key) = term
        .strip_prefix('!')
        .map_or((false, term), |key| (true, key));
    let valid = !key.is_empty() && !key.contains(char::is_whitespace);
    match (valid, absent) {
        (false, _) => Err(Status::bad_request(format!(
            "unable to parse requirement: found '{term}', expected: identifier"
        ))),
        (true, true) => Ok(LabelTerm::Absent(owned(key))),
        (true, false) => Ok(LabelTerm::Exists(owned(key))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::registry::Registry;

    fn matching(selector: &str) -> Vec<&'static str> {
        let leases = Registry::built_in()
            .find("coordination.k8s.io", "v1", "leases")
            .unwrap();
        let query = Query {
            pairs: vec![("labelSelector".to_owned(), selector.to_owned())],
        };
        let selector = Selector::parse(&query, &leases).unwrap();
        [
            ("none", json!({})),
            ("a", json!({"team": "a"})),
            ("b", json!({"team": "b", "x": "1"})),
        ]
        .into_iter()
        .filter(|(_, labels)| selector.matches(&json!({"metadata": {"labels": labels}})))
        .map(|(name, _)| name)
        .collect()
    }

    #[test]
    fn labels_are_selected_by_equality_and_by_sets() {
        assert_eq!(matching("team=a"), ["a"]);
        assert_eq!(matching("team!=a"), ["none", "b"]);
        assert_eq!(matching("team in (a,b)"), ["a", "b"]);
        assert_eq!(matching("team in (a,b),x"), ["b"]);
        assert_eq!(matching("team notin (a)"), ["none", "b"]);
        assert_eq!(matching("!team"), ["none"]);
    }

    #[test]
    fn a_field_that_is_not_selectable_is_refused_by_name() {
        let leases = Registry::built_in()
            .find("coordination.k8s.io", "v1", "leases")
            .unwrap();
        let query = Query {
            pairs: vec![(
                "fieldSelector".to_owned(),
                "spec.holderIdentity=a".to_owned(),
            )],
        };
        assert_eq!(
            Selector::parse(&query, &leases).unwrap_err().message,
            "\"spec.holderIdentity\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
        );
    }
}
