//! Label selectors: `app=web,tier in (a, b),!old`.

use serde_json::Value;

/// Requirements on labels; all of them must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LabelSelector {
    requirements: Vec<Requirement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    label: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Exists,
    Absent,
    In(Vec<String>),
    NotIn(Vec<String>),
    Above(i64),
    Below(i64),
}

const OPERATORS: &str = "in, notin, =, ==, !=, gt, lt";

impl LabelSelector {
    /// Reads a selector. The error is the message of a 400.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut tokens = Tokens { rest: text };
        let mut requirements = Vec::new();
        let failed = |why: String| format!("unable to parse requirement: {why}");
        if tokens.peek().is_empty() {
            return Ok(Self::default());
        }
        loop {
            requirements.push(requirement(&mut tokens).map_err(failed)?);
            match tokens.next() {
                "" => return Ok(Self { requirements }),
                "," => {}
                other => return Err(format!("found '{other}', expected: ',' or 'end of string'")),
            }
            if tokens.peek().is_empty() {
                return Err("found '', expected: identifier after ','".into());
            }
        }
    }

    pub(super) fn is_everything(&self) -> bool {
        self.requirements.is_empty()
    }

    pub(crate) fn matches(&self, object: &Value) -> bool {
        if self.requirements.is_empty() {
            return true;
        }
        let labels = &object["metadata"]["labels"];
        self.requirements.iter().all(|requirement| {
            let value = labels.get(&requirement.label).and_then(Value::as_str);
            let number = || value.and_then(|value| value.parse::<i64>().ok());
            match &requirement.test {
                Test::Exists => value.is_some(),
                Test::Absent => value.is_none(),
                Test::In(values) => {
                    value.is_some_and(|value| values.iter().any(|wanted| wanted == value))
                }
                Test::NotIn(values) => {
                    value.is_none_or(|value| values.iter().all(|wanted| wanted != value))
                }
                Test::Above(bound) => number().is_some_and(|number| number > *bound),
                Test::Below(bound) => number().is_some_and(|number| number < *bound),
            }
        })
    }
}

fn requirement(tokens: &mut Tokens<'_>) -> Result<Requirement, String> {
    let absent = tokens.peek() == "!";
    if absent {
        tokens.next();
    }
    let label = identifier(tokens.next())?.to_owned();
    if absent || matches!(tokens.peek(), "" | ",") {
        return Ok(Requirement {
            label,
            test: if absent { Test::Absent } else { Test::Exists },
        });
    }
    let test = match tokens.next() {
        "=" | "==" => Test::In(vec![value(tokens)]),
        "!=" => Test::NotIn(vec![value(tokens)]),
        "in" => Test::In(values(tokens)?),
        "notin" => Test::NotIn(values(tokens)?),
        "gt" | ">" => Test::Above(bound(tokens)?),
        "lt" | "<" => Test::Below(bound(tokens)?),
        other => return Err(format!("found '{other}', expected: {OPERATORS}")),
    };
    Ok(Requirement { label, test })
}

fn identifier(token: &str) -> Result<&str, String> {
    if token.is_empty() || token.contains(['=', '!', '(', ')', ',', '<', '>']) {
        return Err(format!("found '{token}', expected: identifier"));
    }
    Ok(token)
}

/// The value after `=`, which may be empty.
fn value(tokens: &mut Tokens<'_>) -> String {
    if matches!(tokens.peek(), "" | ",") {
        String::new()
    } else {
        tokens.next().to_owned()
    }
}

fn bound(tokens: &mut Tokens<'_>) -> Result<i64, String> {
    let text = tokens.next();
    text.parse().map_err(|_| {
        format!("for 'Gt', 'Lt' operators, the value must be an integer: found '{text}'")
    })
}

fn values(tokens: &mut Tokens<'_>) -> Result<Vec<String>, String> {
    match tokens.next() {
        "(" => {}
        other => return Err(format!("found '{other}' expected: '('")),
    }
    let mut values = Vec::new();
    loop {
        match tokens.next() {
            ")" => return Ok(values),
            "," => {}
            "" if values.is_empty() => {
                return Err("found '', expected: ',', ')' or identifier".into());
            }
            "" => return Err("found '', expected: ',' or ')'".into()),
            value => values.push(value.to_owned()),
        }
    }
}

struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    fn peek(&self) -> &'a str {
        let text = self.rest.trim_start();
        let length = match text.as_bytes() {
            [] => 0,
            [b'=' | b'!', b'=', ..] => 2,
            [b'=' | b'!' | b'(' | b')' | b',' | b'<' | b'>', ..] => 1,
            _ => text
                .find(|character: char| character.is_whitespace() || "=!(),<>".contains(character))
                .unwrap_or(text.len()),
        };
        &text[..length]
    }

    fn next(&mut self) -> &'a str {
        let token = self.peek();
        self.rest = &self.rest.trim_start()[token.len()..];
        token
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_form_of_a_requirement_is_understood() {
        let object = json!({ "metadata": { "labels": { "app": "web", "tier": "2" } } });
        let cases = [
            ("app", true),
            ("!app", false),
            ("app=web", true),
            ("app==web,tier=2", true),
            ("app!=web", false),
            ("other!=web", true),
            ("app in (a, web)", true),
            ("app notin (a,b)", true),
            ("other in (a)", false),
            ("tier gt 1,tier lt 3", true),
            ("app=", false),
            ("", true),
        ];
        for (text, expected) in cases {
            let selector = LabelSelector::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"));
            assert_eq!(selector.matches(&object), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_selector_is_refused_in_kubernetes_words() {
        let refusal = |text: &str| LabelSelector::parse(text).expect_err("must be refused");
        assert_eq!(
            refusal("a b"),
            "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"
        );
        assert_eq!(refusal("a,"), "found '', expected: identifier after ','");
        assert_eq!(
            refusal("=a"),
            "unable to parse requirement: found '=', expected: identifier"
        );
    }
}
