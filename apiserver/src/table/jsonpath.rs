//! The JSON paths of printer columns: `.a.b`, `.a['b']`, `.a[0]`, `.a[*]`, `.a[?(@.b=="c")].d`.

use serde_json::Value;

/// A path to values in an object.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct JsonPath(Vec<Step>);

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Field(String),
    /// Negative numbers count from the end.
    Index(i64),
    All,
    /// The items whose value at the path is (or is not) this text.
    Filter {
        path: JsonPath,
        equal: bool,
        text: String,
    },
}

impl JsonPath {
    /// Reads a path.
    ///
    /// # Errors
    /// Says what this server does not follow.
    pub(super) fn parse(source: &str) -> Result<Self, String> {
        let mut steps = Vec::new();
        let mut rest = source;
        while !rest.is_empty() {
            let (step, tail) = match rest.strip_prefix('.') {
                Some(tail) if tail.starts_with('[') => {
                    rest = tail;
                    continue;
                }
                Some(tail) => field(tail)?,
                None => bracket(rest)?,
            };
            steps.push(step);
            rest = tail;
        }
        if steps.is_empty() {
            Err("an empty path".to_owned())
        } else {
            Ok(Self(steps))
        }
    }

    /// The first value that the path leads to.
    pub(super) fn first<'a>(&self, object: &'a Value) -> Option<&'a Value> {
        self.all(object).into_iter().next()
    }

    fn all<'a>(&self, object: &'a Value) -> Vec<&'a Value> {
        let mut values = vec![object];
        for step in &self.0 {
            values = values
                .into_iter()
                .flat_map(|value| step.follow(value))
                .collect();
        }
        values
    }
}

impl Step {
    fn follow<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        match self {
            Self::Field(name) => value.get(name).into_iter().collect(),
            Self::Index(index) => {
                let items = value.as_array().map_or(&[][..], Vec::as_slice);
                let at = if *index < 0 {
                    items.len() as i64 + index
                } else {
                    *index
                };
                usize::try_from(at)
                    .ok()
                    .and_then(|at| items.get(at))
                    .into_iter()
                    .collect()
            }
            Self::All => match value {
                Value::Array(items) => items.iter().collect(),
                Value::Object(fields) => fields.values().collect(),
                _ => Vec::new(),
            },
            Self::Filter { path, equal, text } => {
                let items = value.as_array().map_or(&[][..], Vec::as_slice);
                let matches = |item: &&Value| {
                    path.first(item)
                        .is_some_and(|value| (plain(value) == *text) == *equal)
                };
                items.iter().filter(matches).collect()
            }
        }
    }
}

/// A field name after a dot; a backslash keeps a dot from ending it.
fn field(source: &str) -> Result<(Step, &str), String> {
    let mut name = String::new();
    let mut chars = source.char_indices();
    let mut end = source.len();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => name.extend(chars.next().map(|(_, c)| c)),
            '.' | '[' => {
                end = at;
                break;
            }
            c if c.is_whitespace() || "{}|()".contains(c) => {
                return Err(format!("{c:?} in a name"));
            }
            c => name.push(c),
        }
    }
    if name.is_empty() {
        return Err("a field without name".to_owned());
    }
    let step = if name == "*" {
        Step::All
    } else {
        Step::Field(name)
    };
    Ok((step, &source[end..]))
}

fn bracket(source: &str) -> Result<(Step, &str), String> {
    let inner = source
        .strip_prefix('[')
        .ok_or_else(|| format!("{source:?} without a dot before it"))?;
    if let Some(filter) = inner.strip_prefix("?(") {
        let (condition, rest) = filter.split_once(")]").ok_or("a filter without end")?;
        return Ok((condition_step(condition)?, rest));
    }
    if let Some(quote) = inner.chars().next().filter(|c| matches!(c, '\'' | '"')) {
        let (name, rest) = inner[1..]
            .split_once(&format!("{quote}]"))
            .ok_or("a name without end")?;
        return Ok((Step::Field(name.replace("\\.", ".")), rest));
    }
    let (index, rest) = inner.split_once(']').ok_or("a bracket without end")?;
    match index.trim() {
        "*" => Ok((Step::All, rest)),
        index => Ok((
            Step::Index(index.parse().map_err(|_| format!("index {index:?}"))?),
            rest,
        )),
    }
}

fn condition_step(condition: &str) -> Result<Step, String> {
    let (equal, operator) = if condition.contains("!=") {
        (false, "!=")
    } else {
        (true, "==")
    };
    let (path, text) = condition
        .split_once(operator)
        .ok_or_else(|| format!("filter {condition:?}"))?;
    let path = path
        .trim()
        .strip_prefix('@')
        .ok_or_else(|| format!("filter {condition:?}"))?;
    let text = text.trim();
    let text = ['"', '\'']
        .iter()
        .find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote))
        .unwrap_or(text);
    Ok(Step::Filter {
        path: JsonPath::parse(path)?,
        equal,
        text: text.to_owned(),
    })
}

/// A value as a filter compares it, and as a column of type string prints it.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_lead_to_their_first_value() {
        let object = json!({
            "metadata": {"labels": {"a.b/c": "x"}},
            "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Live", "status": "False"}], "n": [1, 2, 3]},
        });
        let cases = [
            (".status.n[0]", json!(1)),
            (".status.n[-1]", json!(3)),
            (".status.n[*]", json!(1)),
            (".status.n", json!([1, 2, 3])),
            (".metadata.labels['a.b/c']", json!("x")),
            (".metadata.labels['a\\.b/c']", json!("x")),
            (r".metadata.labels.a\.b/c", json!("x")),
            (
                ".status.conditions[?(@.type==\"Live\")].status",
                json!("False"),
            ),
            (
                ".status.conditions[?(@.type != 'Live')].status",
                json!("True"),
            ),
        ];
        for (path, expected) in cases {
            assert_eq!(
                JsonPath::parse(path).unwrap().first(&object),
                Some(&expected),
                "{path}"
            );
        }
        assert_eq!(
            JsonPath::parse(".status.none.more[0]")
                .unwrap()
                .first(&object),
            None
        );
    }

    #[test]
    fn other_paths_are_refused() {
        for path in [
            "",
            "status",
            ".a..b",
            ".a[",
            ".a[x]",
            ".a[?(b==1)]",
            ".a b",
            ".a[?(@.b=~'c')]",
        ] {
            assert!(JsonPath::parse(path).is_err(), "{path}");
        }
    }
}
