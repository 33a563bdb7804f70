//! Rules of numbers.

use serde_json::{Number, Value};

use super::{
    format::Format,
    node::{NumberRules, Type},
};

/// What is wrong with a number: the detail of an error on the value, in the server's words.
/// `name` is the path in messages.
pub(super) fn violations(rules: &NumberRules, number: &Number, name: &str) -> Vec<String> {
    let value = as_f64(number);
    let mut details = Vec::new();
    if let Some(factor) = &rules.multiple_of
        && !is_multiple(number, factor)
    {
        details.push(format!("{name} in body should be a multiple of {factor}"));
    }
    if let Some(minimum) = &rules.minimum {
        let (min, exclusive) = (as_f64(minimum), rules.exclusive_minimum);
        if value < min || (exclusive && value <= min) {
            let relation = if exclusive {
                "greater than"
            } else {
                "greater than or equal to"
            };
            details.push(format!(
                "{name} in body should be {relation} {}",
                bound(number, minimum)
            ));
        }
    }
    if let Some(maximum) = &rules.maximum {
        let (max, exclusive) = (as_f64(maximum), rules.exclusive_maximum);
        if value > max || (exclusive && value >= max) {
            let relation = if exclusive {
                "less than"
            } else {
                "less than or equal to"
            };
            details.push(format!(
                "{name} in body should be {relation} {}",
                bound(number, maximum)
            ));
        }
    }
    details
}

/// The message about a number that does not fit into its format, if it does not.
pub(super) fn out_of_format(
    types: &[Type],
    format: Option<Format>,
    number: &Number,
    name: &str,
) -> Option<String> {
    let whole = as_i64(number);
    let (fits, ty) = match (types, format) {
        ([Type::Integer], Some(Format::Int32)) => (
            whole.is_some_and(|whole| i32::try_from(whole).is_ok()),
            "integer",
        ),
        ([Type::Integer], _) => (whole.is_some(), "integer"),
        ([Type::Number], Some(Format::Float)) => {
            (as_f64(number).abs() <= f64::from(f32::MAX), "number")
        }
        _ => return None,
    };
    let format = match format {
        Some(format) => format!("with format {}", format.name()),
        None => "(default format)".to_owned(),
    };
    (!fits).then(|| format!("Checked value must be of type {ty} {format} in {name}"))
}

/// Whether a value is a whole number, as `1` and `1.0` are.
pub(super) fn is_whole(value: &Value) -> bool {
    value
        .as_number()
        .is_some_and(|number| number.as_i64().is_some() || as_f64(number).fract() == 0.0)
}

/// The number as an integer, if it is a whole one that fits.
#[expect(
    clippy::cast_possible_truncation,
    reason = "only whole numbers within the exact range of a double are cast"
)]
fn as_i64(number: &Number) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    number.as_i64().or_else(|| {
        let value = as_f64(number);
        (value.fract() == 0.0 && value.abs() <= EXACT).then_some(value as i64)
    })
}

fn as_f64(number: &Number) -> f64 {
    number.as_f64().unwrap_or(f64::NAN)
}

fn is_multiple(number: &Number, factor: &Number) -> bool {
    match (number.as_i64(), factor.as_i64()) {
        (Some(value), Some(factor)) if factor != 0 => value % factor == 0,
        _ => (as_f64(number) / as_f64(factor)).fract() == 0.0,
    }
}

/// Bounds are kept as floats by the server, and printed as integers beside an integer.
fn bound(number: &Number, bound: &Number) -> String {
    if number.as_i64().is_some() {
        format!("{:.0}", as_f64(bound).trunc())
    } else {
        as_f64(bound).to_string()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(rules: &NumberRules, value: &Value) -> Vec<String> {
        violations(rules, value.as_number().unwrap(), "spec.n")
    }

    fn number(value: &Value) -> Option<Number> {
        value.as_number().cloned()
    }

    #[test]
    fn bounds_and_multiples_are_named() {
        let rules = NumberRules {
            minimum: number(&json!(1)),
            maximum: number(&json!(10)),
            exclusive_maximum: true,
            multiple_of: number(&json!(2)),
            ..NumberRules::default()
        };
        assert_eq!(check(&rules, &json!(4)), Vec::<String>::new());
        assert_eq!(
            check(&rules, &json!(-1)),
            [
                "spec.n in body should be a multiple of 2",
                "spec.n in body should be greater than or equal to 1"
            ]
        );
        assert_eq!(
            check(&rules, &json!(10)),
            ["spec.n in body should be less than 10"]
        );
        let half = NumberRules {
            minimum: number(&json!(0.5)),
            ..NumberRules::default()
        };
        assert_eq!(
            check(&half, &json!(0.25)),
            ["spec.n in body should be greater than or equal to 0.5"]
        );
    }

    #[test]
    fn an_int32_has_32_bits() {
        let check = |value: &Value| {
            out_of_format(
                &[Type::Integer],
                Some(Format::Int32),
                value.as_number().unwrap(),
                "a",
            )
        };
        assert_eq!(check(&json!(2_147_483_647)), None);
        assert_eq!(
            check(&json!(2_147_483_648_i64)),
            Some("Checked value must be of type integer with format int32 in a".to_owned())
        );
    }
}
