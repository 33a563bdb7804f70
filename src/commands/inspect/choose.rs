//! Which of the leases that were read are shown, in which order, and which of them are a reason to fail.

use std::cmp::Ordering;
use std::time::Duration;

use clap::ValueEnum;
use gwlock_engine::client::list::Listed;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Arguments;
use super::report::{Report, Surroundings};
use crate::output::jsonpath::Path;

/// What makes `inspect` end with 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// A lease that has expired
    Stale,
    /// A lease with fields or a name that its protocol does not write
    Malformed,
    /// A lease that is stale or about which something is odd
    Any,
}

/// How rows are sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SortBy(Path);

impl FailOn {
    fn is_met_by(self, report: &Report<'_>) -> bool {
        match self {
            Self::Stale => report.is_stale(),
            Self::Malformed => report.is_malformed(),
            Self::Any => report.is_stale() || !report.findings().is_empty(),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Stale => "stale",
            Self::Malformed => "malformed",
            Self::Any => "stale or odd",
        }
    }
}

impl SortBy {
    /// The name of a column, or a path into the JSON of one lease.
    ///
    /// # Errors
    /// What is expected.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let path = match text.to_ascii_uppercase().as_str() {
            "NAME" => ".name",
            "NAMESPACE" => ".namespace",
            "HOLDER" => ".holder",
            "STATE" => ".state",
            "AGE" => ".existsSeconds",
            "EXPIRES" => ".evidence.remainingSeconds",
            "RENEWED" => ".ages.stampedSeconds",
            "CLAIMED" => ".ages.claimedSeconds",
            "RULE" => ".evidence.rule",
            "SKEW" => ".evidence.clockSkewSeconds",
            "GENERATION" => ".generation",
            "POD" => ".pod.state",
            "NODE" => ".pod.node",
            "REQUEST" => ".remediationRequests[0].name",
            "STALE" => ".stale",
            "PROBLEMS" => ".problems[0]",
            _ => text,
        };
        let is_path = path.starts_with(['.', '{', '[', '$']);
        let path = Path::parse(path).filter(|_| is_path);
        path.map(Self).ok_or_else(|| {
            format!(
                "\"{text}\" is neither a column such as AGE nor a path such as .evidence.ageSeconds"
            )
        })
    }

    fn key(&self, report: &Report<'_>) -> Value {
        let mut value = json!(report);
        value["existsSeconds"] = json!(report.age().map(|age| age.as_secs()));
        let found = self.0.find(&value);
        found.first().map_or(Value::Null, |value| (*value).clone())
    }
}

/// Numbers as numbers, words as words; what is missing comes last.
fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Greater,
        (_, Value::Null) => Ordering::Less,
        (Value::Number(a), Value::Number(b)) => {
            let number = |number: &serde_json::Number| number.as_f64().unwrap_or(f64::NAN);
            number(a).total_cmp(&number(b))
        }
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (a, b) => a.to_string().cmp(&b.to_string()),
    }
}

/// Keeps what the flags choose.
pub(super) fn keep(arguments: &Arguments, items: &mut Vec<Listed>, date: Option<Timestamp>) {
    let (stale, holder) = (arguments.stale, arguments.holder.as_deref());
    let older_than = arguments.older_than;
    if !stale && holder.is_none() && older_than.is_none() {
        return;
    }
    items.retain(|item| {
        let report = Report::of(item, date);
        let is_holder = |text: &str| {
            let generation = report.generation();
            generation.is_some_and(|generation| generation.is_meant_by(text))
        };
        let is_old = |least: Duration| {
            let age = report.ages().stamped_seconds;
            let age = age.and_then(|seconds| u64::try_from(seconds).ok());
            age.is_some_and(|seconds| Duration::from_secs(seconds) > least)
        };
        (!stale || report.is_stale())
            && holder.is_none_or(is_holder)
            && older_than.is_none_or(is_old)
    });
}

/// Sorts by `--sort-by`; leases that are the same by it stay in the order of their names.
pub(super) fn sort(
    arguments: &Arguments,
    items: &mut [Listed],
    date: Option<Timestamp>,
    surroundings: &Surroundings<'_>,
) {
    if let Some(by) = &arguments.sort_by {
        items.sort_by_cached_key(|item| Key(by.key(&Report::within(item, date, surroundings))));
    }
}

struct Key(Value);

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(&self.0, &other.0)
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key {}

/// How many names a message holds.
const NAMED: usize = 3;

/// Why `--fail-on` fails, if it does.
pub(super) fn failing<'a>(
    fail_on: &[FailOn],
    reports: impl Iterator<Item = Report<'a>>,
) -> Option<String> {
    let is_met = |report: &Report<'a>| fail_on.iter().any(|one| one.is_met_by(report));
    let met: Vec<&str> = reports.filter(is_met).map(|report| report.name()).collect();
    if met.is_empty() {
        return None;
    }
    let words: Vec<&str> = fail_on.iter().map(|one| one.word()).collect();
    let (leases, are) = match met.len() {
        1 => ("lease", "is"),
        _ => ("leases", "are"),
    };
    let more = match met.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named = met[..met.len().min(NAMED)].join(", ");
    Some(format!(
        "{} {leases} {are} {}: {named}{more}",
        met.len(),
        words.join(" or ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_sorted_last_and_numbers_by_their_size() {
        let mut values = [json!(null), json!(10), json!(9), json!(-1)];
        values.sort_by(compare);
        assert_eq!(values, [json!(-1), json!(9), json!(10), json!(null)]);
        let mut words = [json!("b"), json!(null), json!("a")];
        words.sort_by(compare);
        assert_eq!(words, [json!("a"), json!("b"), json!(null)]);
    }

    #[test]
    fn columns_and_paths_can_be_sorted_by() {
        for text in ["age", "EXPIRES", ".evidence.ageSeconds", "{.name}"] {
            assert!(SortBy::parse(text).is_ok(), "{text}");
        }
        for text in ["", "colour", ".a..b"] {
            assert!(SortBy::parse(text).is_err(), "{text}");
        }
    }
}
