//! What to do about a failure, as a command that can be copied.

use crate::output::API_VERSION;

use super::Failure;

/// How this process was called, so that the commands in hints reach the same cluster by the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Telling {
    /// Failures are told as JSON.
    pub(crate) json: bool,
    /// `gwlock`, or `kubectl gwlock`.
    pub(crate) program: &'static str,
    /// The flags that choose the cluster, each behind a space.
    pub(crate) flags: String,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hint {
    /// In words.
    Says(String),
    /// A command of gwlock: what stands behind its name, and what it is good for.
    Run(String, &'static str),
    /// A command of kubectl.
    Kubectl(String, &'static str),
}

impl Hint {
    pub(super) fn text(&self, telling: &Telling) -> String {
        let (program, command, why) = match self {
            Self::Says(text) => return text.clone(),
            Self::Run(command, why) => (telling.program, command, why),
            Self::Kubectl(command, why) => ("kubectl", command, why),
        };
        let comment = if why.is_empty() {
            String::new()
        } else {
            format!("   # {why}")
        };
        format!("{program} {command}{}{comment}", telling.flags)
    }
}

impl Failure {
    /// The failure as `-o json` tells it.
    pub(super) fn value(&self, telling: &Telling) -> serde_json::Value {
        let hints: Vec<String> = self.hints.iter().map(|hint| hint.text(telling)).collect();
        serde_json::json!({
            "apiVersion": API_VERSION, "kind": "Error", "code": self.exit.code(), "reason": self.exit.reason(),
            "message": self.message(), "hints": hints,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_reaches_the_same_cluster_by_the_same_name() {
        let telling = Telling {
            json: false,
            program: "kubectl gwlock",
            flags: " --context prod".to_owned(),
        };
        assert_eq!(
            Hint::Run("inspect gw-lock-1 -n ns".to_owned(), "who holds it").text(&telling),
            "kubectl gwlock inspect gw-lock-1 -n ns --context prod   # who holds it"
        );
        assert_eq!(
            Hint::Kubectl("create namespace ns".to_owned(), "").text(&telling),
            "kubectl create namespace ns --context prod"
        );
    }
}
