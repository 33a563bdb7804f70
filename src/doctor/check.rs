//! One check: what was looked at, how it is, and what to do about it.

use serde::Serialize;
use serde_json::{Value, json};

/// How a check ended, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    /// As it should be.
    Ok,
    /// It could not be looked at, and the message says why.
    Skipped,
    /// It works, but not as well as it could, or not for long.
    Warning,
    /// Signals are lost, counted wrongly or blocked, or will be.
    Failure,
}

/// What checks are about. They are shown in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Subject {
    /// The way to the API server, and what it serves.
    Connection,
    /// Clocks.
    Clock,
    /// What gwlock and the gateways may do.
    Permissions,
    /// The definition of RemediationRequests.
    Definition,
    /// The gateways' pods.
    Gateway,
    /// The leases.
    Leases,
    /// The RemediationRequests.
    Requests,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// A command of gwlock: what stands behind its name.
    Gwlock(String),
    /// A command of kubectl.
    Kubectl(String),
    /// The same, in words that have to be quoted: names that may hold anything.
    KubectlWords(Vec<String>),
    /// A command of the machine.
    Shell(String),
    /// YAML to apply.
    Apply(String),
    /// In words.
    Says(String),
}

/// One line of a report.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Check {
    pub(crate) subject: Subject,
    /// Its name, which scripts rely on.
    pub(crate) name: &'static str,
    pub(crate) outcome: Outcome,
    /// A lower-case fragment.
    pub(crate) message: String,
    pub(crate) fix: Vec<Step>,
    /// What the message rests on.
    pub(crate) evidence: Value,
}

/// Why something could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The server refused: the HTTP status and its words.
    Refused { code: u16, message: String },
    /// No clear answer in time.
    NoAnswer(String),
    /// It was not asked, because something that it needs was not known.
    NotAsked(String),
}

/// What was read, or why it was not.
pub(crate) type Read<T> = Result<T, Trouble>;

impl Outcome {
    /// As it is printed.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Warning => "warning",
            Self::Failure => "failure",
        }
    }
}

impl Subject {
    /// As it is printed.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Clock => "clock",
            Self::Permissions => "permissions",
            Self::Definition => "definition",
            Self::Gateway => "gateway",
            Self::Leases => "leases",
            Self::Requests => "requests",
        }
    }
}

impl Trouble {
    /// By the HTTP status. What no permission, no other question and no other object explains was not answered: `skipped`
    /// would hide a server in trouble.
    pub(crate) fn of(code: u16, message: String) -> Self {
        match code {
            400 | 401 | 403 | 404 => Self::Refused { code, message },
            _ => Self::NoAnswer(message),
        }
    }

    /// Why, in words.
    pub(crate) fn words(&self) -> &str {
        match self {
            Self::Refused { message, .. } | Self::NoAnswer(message) | Self::NotAsked(message) => {
                message
            }
        }
    }

    /// Whether a permission is missing.
    pub(crate) fn is_forbidden(&self) -> bool {
        matches!(self, Self::Refused { code: 403, .. })
    }

    /// Whether the server has no such field to select by.
    pub(crate) fn is_not_selectable(&self) -> bool {
        matches!(self, Self::Refused { code: 400, .. })
    }

    /// Whether there is no such thing.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { code: 404, .. })
    }
}

impl Check {
    pub(crate) fn new(
        subject: Subject,
        name: &'static str,
        outcome: Outcome,
        message: impl Into<String>,
    ) -> Self {
        Self {
            subject,
            name,
            outcome,
            message: message.into(),
            fix: Vec::new(),
            evidence: json!({}),
        }
    }

    pub(crate) fn ok(subject: Subject, name: &'static str, message: impl Into<String>) -> Self {
        Self::new(subject, name, Outcome::Ok, message)
    }

    /// A check that could not be made.
    pub(crate) fn skipped(subject: Subject, name: &'static str, why: &Trouble) -> Self {
        let evidence = match why {
            Trouble::Refused { code, .. } => json!({"httpStatus": code}),
            Trouble::NoAnswer(_) | Trouble::NotAsked(_) => json!({}),
        };
        Self::new(subject, name, Outcome::Skipped, why.words()).with(evidence)
    }

    /// What it rests on.
    #[must_use]
    pub(crate) fn with(mut self, evidence: Value) -> Self {
        self.evidence = evidence;
        self
    }

    /// One more thing to do.
    #[must_use]
    pub(crate) fn step(mut self, step: Step) -> Self {
        self.fix.push(step);
        self
    }

    #[must_use]
    pub(crate) fn steps(mut self, steps: impl IntoIterator<Item = Step>) -> Self {
        self.fix.extend(steps);
        self
    }
}

/// The worst of all: what the report as a whole says. What could not be looked at is no verdict.
pub(crate) fn verdict(checks: &[Check]) -> Outcome {
    let outcomes = checks.iter().map(|check| check.outcome);
    outcomes
        .filter(|outcome| *outcome != Outcome::Skipped)
        .max()
        .unwrap_or(Outcome::Ok)
}

/// `1 lease`, `2 leases`.
pub(crate) fn several(count: usize, what: &str) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{count} {what}{end}")
}

/// The first few of many, and how many more there are.
pub(crate) fn some<T: AsRef<str>>(names: &[T], most: usize) -> String {
    let shown: Vec<&str> = names.iter().take(most).map(AsRef::as_ref).collect();
    let mut text = shown.join(", ");
    if names.len() > most {
        text.push_str(&format!(" and {} more", names.len() - most));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_as_good_as_its_worst_check_and_what_was_skipped_is_no_verdict() {
        let of = |outcomes: &[Outcome]| {
            let checks = outcomes.iter();
            let checks =
                checks.map(|outcome| Check::new(Subject::Clock, "machine-clock", *outcome, ""));
            verdict(&checks.collect::<Vec<_>>())
        };
        assert_eq!(of(&[]), Outcome::Ok);
        assert_eq!(of(&[Outcome::Ok, Outcome::Skipped]), Outcome::Ok);
        assert_eq!(of(&[Outcome::Warning, Outcome::Ok]), Outcome::Warning);
        assert_eq!(of(&[Outcome::Failure, Outcome::Warning]), Outcome::Failure);
    }

    #[test]
    fn many_names_are_counted() {
        assert_eq!(some(&["a", "b"], 2), "a, b");
        assert_eq!(some(&["a", "b", "c", "d"], 2), "a, b and 2 more");
        assert_eq!(
            (several(1, "lease"), several(0, "lease")),
            ("1 lease".to_owned(), "0 leases".to_owned())
        );
    }
}
