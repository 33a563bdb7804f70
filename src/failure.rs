//! What went wrong, and what to do about it.

use std::panic;

use gwlock_engine::client::list::ListError;
use gwlock_engine::protocol::exchange::Refusal;
use serde_json::json;

use crate::exit::Exit;
use crate::output;
use crate::rbac::Rule;

/// The end of a command that did not succeed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    source: anyhow::Error,
    hints: Vec<String>,
    /// Printed as JSON, because the command's answers are.
    json: bool,
}

impl Failure {
    pub(crate) fn new(exit: Exit, source: impl Into<anyhow::Error>) -> Self {
        Self {
            exit,
            source: source.into(),
            hints: Vec::new(),
            json: false,
        }
    }

    pub(crate) fn says(exit: Exit, message: impl Into<String>) -> Self {
        Self::new(exit, anyhow::Error::msg(message.into()))
    }

    /// Something to do about it, best a command to run.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    #[must_use]
    pub(crate) fn as_json(mut self, json: bool) -> Self {
        self.json = json;
        self
    }

    /// The server refused a request for leases.
    pub(crate) fn refused(refusal: &Refusal, namespace: Option<&str>) -> Self {
        let exit = match refusal.code {
            401 | 403 => Exit::Forbidden,
            404 => Exit::No,
            400 | 422 => Exit::BadInput,
            _ => Exit::Unreachable,
        };
        let failure = Self::says(exit, refusal.message.clone());
        match (refusal.code, namespace) {
            (403, namespace) => {
                let rule = Rule {
                    group: "coordination.k8s.io",
                    resource: "leases",
                    verb: refusal.verb.as_str(),
                    namespace,
                };
                failure.hint(format!("the rule that is missing:\n{rule}"))
            }
            (401, _) => {
                failure.hint("the credentials of the kubeconfig were not accepted; log in again")
            }
            (404, Some(namespace)) => failure.hint(format!("kubectl create namespace {namespace}")),
            _ => failure,
        }
    }

    /// The server gave no clear answer.
    pub(crate) fn unreachable(message: &str) -> Self {
        Self::says(
            Exit::Unreachable,
            format!("the API server did not answer: {message}"),
        )
        .hint("kubectl get --raw /readyz, with the same --context and --kubeconfig")
    }

    pub(crate) fn print(&self) {
        let message = self.message();
        if self.json {
            let error = json!({
                "apiVersion": output::API_VERSION, "kind": "Error", "code": self.exit.code(),
                "reason": self.exit.reason(), "message": message, "hints": self.hints,
            });
            return output::note(&error.to_string());
        }
        if !message.is_empty() {
            output::note(&format!("error: {message}"));
        }
        for hint in &self.hints {
            output::note(&format!("hint: {hint}"));
        }
    }

    /// The error and its causes, without what a cause repeats.
    fn message(&self) -> String {
        let mut words: Vec<String> = Vec::new();
        for cause in self.source.chain().map(ToString::to_string) {
            if !words.iter().any(|earlier| earlier.contains(&cause)) {
                words.push(cause);
            }
        }
        words.join(": ")
    }
}

impl From<ListError> for Failure {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Refused(refusal) => Self::refused(&refusal, None),
            ListError::Unreachable(message) => Self::unreachable(&message),
        }
    }
}

/// Makes a panic end with the code for a bug, and say what to do with it.
pub(crate) fn report_bugs() {
    panic::set_hook(Box::new(|panic| {
        output::note(&format!(
            "error: this is a bug in gwlock {}: {panic}",
            env!("CARGO_PKG_VERSION")
        ));
        output::note("hint: please report it with the command line and this text");
        output::abort(Exit::Bug);
    }));
}
