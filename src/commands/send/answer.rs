//! What came of a request, and of each signal in it. Nothing is sent or printed here.

use std::time::Duration;

use gwlock_engine::protocol::key::{Fingerprint, Target};
use gwlock_engine::remediation::Signal;
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::gateway::normalize::severity;

/// The exit codes from the worst to the best: what nobody knows comes first, then what fails for every signal alike.
const WORST_FIRST: [Exit; 8] = [
    Exit::Unknown,
    Exit::Forbidden,
    Exit::Config,
    Exit::Unreachable,
    Exit::Busy,
    Exit::BadInput,
    Exit::No,
    Exit::Done,
];

/// The worst of several.
pub(super) fn worst(exits: impl IntoIterator<Item = Exit>) -> Exit {
    let rank = |exit: &Exit| {
        let place = WORST_FIRST.iter().position(|known| known == exit);
        // A code that is in no list is a surprise, and those are the worst.
        place.map_or(0, |place| place + 1)
    };
    exits.into_iter().min_by_key(rank).unwrap_or(Exit::Done)
}

/// The answer to one request.
#[derive(Debug)]
pub(super) struct Answer {
    /// Each of its signals; one that stands for all where they are not known.
    pub(super) signals: Vec<Told>,
    /// What was answered, as JSON, if it was.
    pub(super) body: Option<Value>,
    /// The HTTP status, if there was one.
    pub(super) status: Option<u16>,
    /// `X-Request-ID`.
    pub(super) request_id: Option<String>,
    /// How long the answer took.
    pub(super) took: Duration,
    /// What went wrong, of the request as a whole or of the first signal that failed.
    pub(super) failure: Option<Failure>,
}

impl Answer {
    /// Of a request that was not sent, because no signal can be made of it or nobody may be sent to.
    pub(super) fn unsent(failure: Failure) -> Self {
        Self {
            signals: vec![Told::failed(None, failure.exit, failure.message())],
            body: None,
            status: None,
            request_id: None,
            took: Duration::ZERO,
            failure: Some(failure),
        }
    }
}

/// What came of one signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) outcome: Outcome,
    pub(super) known: Option<Known>,
    /// Which occurrence it is.
    pub(super) count: Option<i64>,
    /// The RemediationRequest's name.
    pub(super) request: Option<String>,
    /// As answered; the one of `known` is what was computed here.
    pub(super) fingerprint: Option<String>,
    pub(super) message: String,
    pub(super) exit: Exit,
}

/// How a signal ended, in the gateway's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Created,
    Duplicate,
    Rejected,
    Resolved,
    Failed,
    /// It was not sent.
    NotSent,
}

/// What is known here of a signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) name: String,
    pub(super) source: String,
    /// The sender's word.
    pub(super) severity: String,
    /// `[cluster:]namespace:Kind:name`.
    pub(super) target: String,
    pub(super) fingerprint: String,
}

impl Outcome {
    pub(super) const ALL: [Self; 6] = [
        Self::Created,
        Self::Duplicate,
        Self::Rejected,
        Self::Resolved,
        Self::Failed,
        Self::NotSent,
    ];

    /// Where it stands among all.
    pub(super) fn place(self) -> usize {
        self as usize
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Duplicate => "duplicate",
            Self::Rejected => "rejected",
            Self::Resolved => "resolved",
            Self::Failed => "failed",
            Self::NotSent => "not sent",
        }
    }

    /// The outcome that a word of the gateway stands for.
    pub(super) fn of(word: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|outcome| *outcome != Self::NotSent && outcome.as_str() == word)
    }

    /// How to end, unless it failed, which has many reasons.
    pub(super) fn exit(self) -> Exit {
        match self {
            Self::Created | Self::Duplicate | Self::Resolved | Self::NotSent => Exit::Done,
            Self::Rejected => Exit::No,
            Self::Failed => Exit::Unreachable,
        }
    }
}

impl Known {
    pub(super) fn of(signal: &Signal) -> Self {
        let spec = &signal.spec;
        let resource = &spec.target_resource;
        // The key of a cluster-scoped object has the alert's namespace, which its target has not.
        let provider: Value = spec
            .provider_data
            .as_deref()
            .and_then(|data| serde_json::from_str(data).ok())
            .unwrap_or_default();
        let target = Target {
            cluster: spec.cluster_id.clone(),
            namespace: provider["namespace"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            kind: resource.kind.clone(),
            name: resource.name.clone(),
        };
        Self {
            name: spec.signal_name.clone(),
            source: spec.signal_source.clone().unwrap_or_default(),
            severity: spec.severity.clone(),
            target: target.to_string(),
            fingerprint: signal.fingerprint().to_string(),
        }
    }

    pub(super) fn lease(&self) -> Option<String> {
        lease(&self.fingerprint)
    }

    /// The word for the severity in audit events.
    pub(super) fn audit_severity(&self) -> &'static str {
        severity::audit(&self.severity)
    }
}

impl Told {
    pub(super) fn failed(known: Option<Known>, exit: Exit, message: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Failed,
            known,
            count: None,
            request: None,
            fingerprint: None,
            message: message.into(),
            exit,
        }
    }

    /// Of one signal, what a body of A3.4 says of it: a whole one or a result of a batch.
    pub(super) fn of_body(body: &Value, known: Option<Known>) -> Self {
        let text = |field: &str| {
            let text = body[field].as_str().filter(|text| !text.is_empty());
            text.map(str::to_owned)
        };
        let outcome = Outcome::of(body["status"].as_str().unwrap_or_default());
        let rejection = body["rejection"]["message"].as_str().map(str::to_owned);
        let message = text("error").or(rejection).or_else(|| text("message"));
        let message = message.unwrap_or_default();
        let outcome = outcome.unwrap_or(Outcome::Failed);
        let exit = match outcome {
            // A field that is wrong now is wrong at the next try.
            Outcome::Failed if names_a_field(&message) => Exit::BadInput,
            outcome => outcome.exit(),
        };
        Self {
            outcome,
            known,
            count: match outcome {
                Outcome::Created => Some(1),
                _ => body["metadata"]["count"].as_i64(),
            },
            request: text("remediationRequestName"),
            fingerprint: text("fingerprint"),
            message,
            exit,
        }
    }

    /// The fingerprint: as answered, or as computed here.
    pub(super) fn fingerprint(&self) -> Option<&str> {
        let own = || self.known.as_ref().map(|known| known.fingerprint.as_str());
        self.fingerprint.as_deref().or_else(own)
    }

    pub(super) fn lease(&self) -> Option<String> {
        lease(self.fingerprint()?)
    }

    /// Whether the gateway answers another fingerprint than the one computed here: then it has followed owners, and
    /// only it knows whom to.
    pub(super) fn is_about_an_owner(&self) -> bool {
        let known = self.known.as_ref().map(|known| &known.fingerprint);
        self.fingerprint.is_some() && known.is_some() && self.fingerprint.as_ref() != known
    }

    /// What it is about, as far as that is known.
    pub(super) fn target(&self) -> Option<String> {
        let known = self.known.as_ref()?;
        Some(if self.is_about_an_owner() {
            format!("owner of {}", known.target)
        } else {
            known.target.clone()
        })
    }

    /// What is put beside a body: what the signal is, with both words for its severity.
    pub(super) fn signal(&self) -> Value {
        let Some(known) = &self.known else {
            return Value::Null;
        };
        json!({
            "name": known.name,
            "source": known.source,
            "severity": known.severity,
            "auditSeverity": known.audit_severity(),
            "target": self.target(),
            "fingerprint": self.fingerprint(),
            "lease": self.lease(),
        })
    }
}

fn lease(fingerprint: &str) -> Option<String> {
    let fingerprint = Fingerprint::parse(fingerprint)?;
    Some(fingerprint.lease_name().to_string())
}

fn names_a_field(message: &str) -> bool {
    ["alerts[", "commonLabels", "involvedObject"]
        .iter()
        .any(|field| message.starts_with(field))
}

/// The first of several failures in the name of all, if there are several signals.
pub(super) fn of_many(first: Failure, failed: usize, total: usize) -> Failure {
    if total == 1 {
        return first;
    }
    let (exit, message) = (first.exit, first.message());
    first.reworded(
        exit,
        format!("{failed} of {total} signals failed, the first because: {message}"),
    )
}

impl Answer {
    /// How a command ends that sent this alone.
    pub(super) fn exit(&self) -> Exit {
        worst(self.signals.iter().map(|told| told.exit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_exit_is_what_nobody_knows_and_the_best_is_done() {
        let mut all = WORST_FIRST.to_vec();
        all.reverse();
        while !all.is_empty() {
            let expected = WORST_FIRST[WORST_FIRST.len() - all.len()];
            assert_eq!(worst(all.clone()), expected);
            all.pop();
        }
        assert_eq!(worst([]), Exit::Done);
        assert_eq!(worst([Exit::Unknown, Exit::Bug]), Exit::Bug);
    }

    #[test]
    fn a_target_that_the_gateway_did_not_find_is_the_owners() {
        let known = Known {
            name: "A".to_owned(),
            source: "prometheus".to_owned(),
            severity: "warning".to_owned(),
            target: "prod:Pod:p".to_owned(),
            fingerprint: Fingerprint::of("prod:Pod:p").to_string(),
        };
        let answered = |fingerprint: &str| {
            let body = json!({"status": "created", "fingerprint": fingerprint});
            Told::of_body(&body, Some(known.clone())).target()
        };
        assert_eq!(answered(&known.fingerprint), Some("prod:Pod:p".to_owned()));
        assert_eq!(answered(""), Some("prod:Pod:p".to_owned()));
        let other = Fingerprint::of("prod:Deployment:d");
        assert_eq!(
            answered(other.as_str()),
            Some("owner of prod:Pod:p".to_owned())
        );
    }

    #[test]
    fn a_result_of_a_batch_ends_by_its_reason() {
        for (result, exit) in [
            (json!({"status": "created"}), Exit::Done),
            (json!({"status": "duplicate"}), Exit::Done),
            (json!({"status": "rejected"}), Exit::No),
            (
                json!({"status": "failed", "error": "alerts[1].labels: no label names a Kubernetes object"}),
                Exit::BadInput,
            ),
            (
                json!({"status": "failed", "error": "Internal server error"}),
                Exit::Unreachable,
            ),
            (json!({"status": "odd"}), Exit::Unreachable),
        ] {
            assert_eq!(Told::of_body(&result, None).exit, exit, "{result}");
        }
    }
}
