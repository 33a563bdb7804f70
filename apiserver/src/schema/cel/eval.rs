//! Evaluating an expression on two values.

use std::cmp::Ordering;

use serde_json::Value;

use super::parser::{Comparison, Expr, Test};

/// What `self` and `oldSelf` stand for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) this: &'a Value,
    pub(super) old: &'a Value,
}

/// The value of an expression.
///
/// # Errors
/// The text of CEL's own error, such as `no such key: x`.
pub(super) fn evaluate(expression: &Expr, scope: Scope<'_>) -> Result<Value, String> {
    match expression {
        Expr::Literal(value) => Ok(value.clone()),
        Expr::This => Ok(scope.this.clone()),
        Expr::OldSelf => Ok(scope.old.clone()),
        Expr::List(items) => Ok(Value::Array(
            items
                .iter()
                .map(|item| evaluate(item, scope))
                .collect::<Result<_, _>>()?,
        )),
        Expr::Field(object, name) => evaluate(object, scope)?
            .get(name)
            .cloned()
            .ok_or_else(|| format!("no such key: {name}")),
        Expr::Index(object, index) => at(&evaluate(object, scope)?, &evaluate(index, scope)?),
        Expr::Has(object, name) => Ok(Value::Bool(evaluate(object, scope)?.get(name).is_some())),
        Expr::Size(value) => size(&evaluate(value, scope)?),
        Expr::Not(value) => Ok(Value::Bool(!truth(evaluate(value, scope))?)),
        Expr::And(a, b) => logic(truth(evaluate(a, scope)), truth(evaluate(b, scope)), false),
        Expr::Or(a, b) => logic(truth(evaluate(a, scope)), truth(evaluate(b, scope)), true),
        Expr::If(parts) => {
            let branch = if truth(evaluate(&parts.0, scope))? {
                &parts.1
            } else {
                &parts.2
            };
            evaluate(branch, scope)
        }
        Expr::Compare(operator, a, b) => {
            compare(*operator, &evaluate(a, scope)?, &evaluate(b, scope)?)
        }
        Expr::Test(test, text, argument) => {
            let (text, argument) = (evaluate(text, scope)?, evaluate(argument, scope)?);
            let (Value::String(text), Value::String(argument)) = (text, argument) else {
                return Err(overload());
            };
            Ok(Value::Bool(match test {
                Test::StartsWith => text.starts_with(&argument),
                Test::EndsWith => text.ends_with(&argument),
                Test::Contains => text.contains(&argument),
            }))
        }
    }
}

fn overload() -> String {
    "no such overload".to_owned()
}

fn truth(value: Result<Value, String>) -> Result<bool, String> {
    value?.as_bool().ok_or_else(overload)
}

/// `&&` and `||` forgive an error on one side if the other side decides alone.
fn logic(
    a: Result<bool, String>,
    b: Result<bool, String>,
    decisive: bool,
) -> Result<Value, String> {
    if a == Ok(decisive) || b == Ok(decisive) {
        return Ok(Value::Bool(decisive));
    }
    a?;
    b?;
    Ok(Value::Bool(!decisive))
}

fn at(object: &Value, index: &Value) -> Result<Value, String> {
    match (object, index) {
        (Value::Array(items), Value::Number(number)) => number
            .as_u64()
            .and_then(|index| items.get(usize::try_from(index).ok()?))
            .cloned()
            .ok_or_else(|| format!("index out of bounds: {number}")),
        (Value::Object(fields), Value::String(name)) => fields
            .get(name)
            .cloned()
            .ok_or_else(|| format!("no such key: {name}")),
        _ => Err(overload()),
    }
}

fn size(value: &Value) -> Result<Value, String> {
    match value {
        Value::String(text) => Ok(text.chars().count().into()),
        Value::Array(items) => Ok(items.len().into()),
        Value::Object(fields) => Ok(fields.len().into()),
        _ => Err(overload()),
    }
}

fn compare(operator: Comparison, a: &Value, b: &Value) -> Result<Value, String> {
    let order = || order(a, b).ok_or_else(overload);
    Ok(Value::Bool(match operator {
        Comparison::Equal => equal(a, b),
        Comparison::NotEqual => !equal(a, b),
        Comparison::Less => order()?.is_lt(),
        Comparison::LessOrEqual => order()?.is_le(),
        Comparison::Greater => order()?.is_gt(),
        Comparison::GreaterOrEqual => order()?.is_ge(),
        Comparison::In => match b {
            Value::Array(items) => items.iter().any(|item| equal(a, item)),
            Value::Object(fields) => a.as_str().is_some_and(|name| fields.contains_key(name)),
            _ => return Err(overload()),
        },
    }))
}

/// Integers and floats of the same value are equal.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(_), Value::Number(_)) => order(a, b) == Some(Ordering::Equal),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(name, a)| b.get(name).is_some_and(|b| equal(a, b)))
        }
        _ => a == b,
    }
}

fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
        },
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::parser::parse, *};

    fn evaluate_on(source: &str, this: &Value) -> Result<Value, String> {
        evaluate(
            &parse(source).unwrap(),
            Scope {
                this,
                old: &Value::Null,
            },
        )
    }

    #[test]
    fn expressions_have_the_values_that_cel_gives_them() {
        let this = json!({"a": 1, "f": 1.0, "s": "héllo", "l": [1, 2], "m": {"k": "v"}, "t": true});
        let cases = [
            ("self.a == 1 && self.a == self.f", json!(true)),
            ("self.a < 2 ? 'x' : 'y'", json!("x")),
            ("size(self.s)", json!(5)),
            ("self.l.size() == size(self.m) + 0", Value::Null),
            ("2 in self.l", json!(true)),
            ("'k' in self.m", json!(true)),
            ("self.l[1]", json!(2)),
            ("self.m['k']", json!("v")),
            ("has(self.none)", json!(false)),
            ("!has(self.none) || self.none == 1", json!(true)),
            ("self.none == 1 || self.t", json!(true)),
            ("self.none == 1 && false", json!(false)),
            (
                "self.s.startsWith('hé') && self.s.endsWith('o') && self.s.contains('ll')",
                json!(true),
            ),
            ("self.l == [1.0, 2]", json!(true)),
            ("self.a != null", json!(true)),
            ("self.a >= -1", json!(true)),
        ];
        for (source, expected) in cases {
            if expected.is_null() {
                assert!(parse(source).is_err(), "{source}");
            } else {
                assert_eq!(evaluate_on(source, &this), Ok(expected), "{source}");
            }
        }
    }

    #[test]
    fn errors_are_those_of_cel() {
        let this = json!({"l": [1], "s": "a"});
        for (source, error) in [
            ("self.x", "no such key: x"),
            ("self.l[3]", "index out of bounds: 3"),
            ("self.s < 1", "no such overload"),
            ("self.x == 1 || false", "no such key: x"),
            ("!self.s", "no such overload"),
        ] {
            assert_eq!(
                evaluate_on(source, &this),
                Err(error.to_owned()),
                "{source}"
            );
        }
    }
}
