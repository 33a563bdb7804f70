//! The part of kubectl's JSONPath templates that scripts use: text, `{.a.b[0].c[*]}`, `{"\n"}` and
//! `{range .items[*]}…{end}`. Nothing of what is printed is known here.

use std::iter::Peekable;
use std::str::Chars;

use serde_json::Value;

/// What a template is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Path(Vec<Step>),
    Range(Vec<Step>, Vec<Part>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(i64),
    All,
}

/// One path, such as `.evidence.ageSeconds` or `{.items[*].name}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path(Vec<Step>);

impl Path {
    /// Reads a path; braces around it and the dot before it can be left out, as with kubectl.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let inner = match text.strip_prefix('{') {
            Some(rest) => rest.strip_suffix('}')?,
            None => text,
        };
        if inner.is_empty() {
            return None;
        }
        if inner.starts_with(['.', '[', '$', '@']) {
            steps(inner).map(Self)
        } else {
            steps(&format!(".{inner}")).map(Self)
        }
    }

    /// What is at this path.
    pub(crate) fn find<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        find(&self.0, value)
    }
}

/// The text that a template makes of a value; `None` for a template that is not understood.
///
/// As with kubectl, braces around a whole path can be left out, several values are separated by spaces, and what does
/// not exist is nothing.
pub(super) fn render(template: &str, value: &Value) -> Option<String> {
    let template = template.trim();
    let whole;
    let template = if template.contains('{') {
        template
    } else {
        whole = format!(
            "{{{}{template}}}",
            if template.starts_with(['.', '[', '$', '@']) {
                ""
            } else {
                "."
            }
        );
        &whole
    };
    let mut text = String::new();
    let mut chars = template.chars().peekable();
    let parts = parse(&mut chars, false)?;
    write(&parts, value, &mut text);
    Some(text)
}

fn parse(chars: &mut Peekable<Chars<'_>>, in_range: bool) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    loop {
        let text: String = std::iter::from_fn(|| chars.next_if(|&c| c != '{')).collect();
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        if chars.next().is_none() {
            return (!in_range).then_some(parts);
        }
        let expression = expression(chars)?;
        let expression = expression.trim();
        if expression == "end" {
            return in_range.then_some(parts);
        }
        parts.push(if let Some(path) = expression.strip_prefix("range ") {
            Part::Range(steps(path.trim())?, parse(chars, true)?)
        } else if expression.starts_with('"') {
            Part::Text(serde_json::from_str(expression).ok()?)
        } else {
            Part::Path(steps(expression)?)
        });
    }
}

/// What stands before the closing brace; braces in quotes are text.
fn expression(chars: &mut Peekable<Chars<'_>>) -> Option<String> {
    let mut expression = String::new();
    let (mut is_quoted, mut is_escaped) = (false, false);
    loop {
        let c = chars.next()?;
        match c {
            '}' if !is_quoted => return Some(expression),
            '"' if !is_escaped => is_quoted = !is_quoted,
            _ => {}
        }
        is_escaped = c == '\\' && !is_escaped;
        expression.push(c);
    }
}

fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.trim_start_matches(['$', '@']);
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (index, behind) = inner.split_once(']')?;
            steps.push(match index.trim_matches('\'') {
                "*" => Step::All,
                name if name.len() < index.len() => Step::Name(name.to_owned()),
                number => Step::Index(number.parse().ok()?),
            });
            rest = behind;
        } else {
            let name = rest.strip_prefix('.')?;
            let end = name.find(['.', '[']).unwrap_or(name.len());
            match &name[..end] {
                "" if steps.is_empty() && name.is_empty() => {}
                "" => return None,
                "*" => steps.push(Step::All),
                name => steps.push(Step::Name(name.to_owned())),
            }
            rest = &name[end..];
        }
    }
    Some(steps)
}

fn write(parts: &[Part], value: &Value, text: &mut String) {
    for part in parts {
        match part {
            Part::Text(words) => text.push_str(words),
            Part::Path(steps) => {
                let found: Vec<String> = find(steps, value).into_iter().map(shown).collect();
                text.push_str(&found.join(" "));
            }
            Part::Range(steps, inner) => {
                for item in find(steps, value) {
                    write(inner, item, text);
                }
            }
        }
    }
}

fn find<'a>(steps: &[Step], value: &'a Value) -> Vec<&'a Value> {
    let mut found = vec![value];
    for step in steps {
        found = match step {
            Step::Name(name) => found
                .into_iter()
                .filter_map(|value| value.get(name))
                .collect(),
            Step::Index(index) => found
                .into_iter()
                .filter_map(|value| at(value, *index))
                .collect(),
            Step::All => found.into_iter().flat_map(all).collect(),
        };
    }
    found
}

/// Negative numbers count from the end.
fn at(value: &Value, index: i64) -> Option<&Value> {
    let items = value.as_array()?;
    let from_start = usize::try_from(index).ok();
    let from_end = || {
        items
            .len()
            .checked_sub(usize::try_from(index.unsigned_abs()).ok()?)
    };
    items.get(from_start.or_else(from_end)?)
}

fn all(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(fields) => fields.values().collect(),
        _ => Vec::new(),
    }
}

pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rendered(template: &str) -> Option<String> {
        let value = json!({
            "kind": "List", "items": [{"holder": "a", "problems": []}, {"holder": "b", "age": 3, "left": null}],
        });
        render(template, &value)
    }

    #[test]
    fn paths_find_names_indexes_and_all_items() {
        for (template, expected) in [
            ("{.kind}", "List"),
            (".kind", "List"),
            ("kind", "List"),
            ("{.items[0].holder}", "a"),
            ("{.items[-1].holder}", "b"),
            ("{.items[*].holder}", "a b"),
            ("{$.items[1]['age']}", "3"),
            ("{.items[0].problems}", "[]"),
            ("{.items[1].left}", ""),
            ("{.nothing.at.all}", ""),
        ] {
            assert_eq!(rendered(template).as_deref(), Some(expected), "{template}");
        }
    }

    #[test]
    fn text_and_ranges_make_lines() {
        assert_eq!(
            rendered("{range .items[*]}{.holder}={.age}{\"\\n\"}{end}").as_deref(),
            Some("a=\nb=3\n")
        );
        assert_eq!(
            rendered("kind: {.kind}{\"}\"}").as_deref(),
            Some("kind: List}")
        );
    }

    #[test]
    fn a_path_alone_needs_neither_braces_nor_a_dot() {
        let value = json!({"items": [{"age": 3}, {"age": 4}]});
        for text in ["{.items[*].age}", ".items[*].age", "items[*].age"] {
            let path = Path::parse(text).unwrap();
            assert_eq!(path.find(&value), [&json!(3), &json!(4)], "{text}");
        }
        for text in ["", "{}", "{.a", ".a..b", "a[x]"] {
            assert_eq!(Path::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_nothing() {
        for template in [
            "{.items[x]}",
            "{.kind",
            "{range .items[*]}",
            "{.kind}{end}",
            "{kind}",
            "{.a..b}",
        ] {
            assert_eq!(rendered(template), None, "{template}");
        }
    }
}
