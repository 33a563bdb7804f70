//! What to do about a failure, as a command that can be copied.

use crate::exit::Exit;
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
    /// The words behind the program, as a shell reads them.
    pub(crate) words: Vec<String>,
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
    /// Everything that can be wrong, looked at by one command.
    Doctor,
    /// The same command again with these flags, which replace those of the same names.
    Again(String, &'static str),
}

impl Hint {
    pub(super) fn text(&self, telling: &Telling) -> String {
        let flags = &telling.flags;
        let (command, why) = match self {
            Self::Says(text) => return text.clone(),
            Self::Run(command, why) => (format!("{} {command}{flags}", telling.program), why),
            Self::Kubectl(command, why) => (format!("kubectl {command}{flags}"), why),
            Self::Doctor => (
                format!("{} doctor{flags}", telling.program),
                &"checks the way to the API server and everything behind it",
            ),
            Self::Again(flags, why) => (again(telling, flags), why),
        };
        if why.is_empty() {
            return command;
        }
        format!("{command}   # {why}")
    }
}

/// The command line with other flags, which stand before the words of another command.
fn again(telling: &Telling, flags: &str) -> String {
    let given: Vec<&str> = flags
        .split(' ')
        .filter(|word| word.starts_with("--"))
        .collect();
    let name = |flag: &str| flag.split('=').next().unwrap_or_default().to_owned();
    let has_value =
        |flag: &str| flags.contains(&format!("{flag} ")) && !flags.contains(&format!("{flag} --"));
    let mut words = vec![telling.program.to_owned()];
    let mut is_value = false;
    let (own, rest) = match telling.words.iter().position(|word| word == "--") {
        Some(at) => telling.words.split_at(at),
        None => telling.words.split_at(telling.words.len()),
    };
    for word in own {
        let replaced = given.iter().find(|flag| name(flag) == name(word));
        if let Some(flag) = replaced {
            is_value = has_value(flag) && !word.contains('=');
        } else if !std::mem::take(&mut is_value) {
            words.push(word.clone());
        }
    }
    words.push(flags.to_owned());
    words.extend_from_slice(rest);
    words.join(" ")
}

/// What to do where nothing better is known.
pub(super) fn by_default(exit: Exit) -> Option<Hint> {
    match exit {
        Exit::Unreachable | Exit::Forbidden => Some(Hint::Doctor),
        Exit::Usage => Some(Hint::Again(
            "--help".to_owned(),
            "its flags and what they take",
        )),
        Exit::Bug => Some(Hint::Says(
            "please report it, with the command line and this text".to_owned(),
        )),
        _ => None,
    }
}

impl Failure {
    /// The failure as `-o json` tells it.
    pub(super) fn value(&self, telling: &Telling) -> serde_json::Value {
        let hints: Vec<String> = self.told_hints(telling);
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
            words: Vec::new(),
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

    #[test]
    fn a_command_that_is_run_again_has_each_flag_once_and_before_another_commands_words() {
        let again = |words: &[&str], flags: &str| {
            let telling = Telling {
                json: false,
                program: "gwlock",
                flags: " --context prod".to_owned(),
                words: words.iter().map(|word| (*word).to_owned()).collect(),
            };
            Hint::Again(flags.to_owned(), "").text(&telling)
        };
        assert_eq!(
            again(&["force-expire", "x", "--context", "prod"], "--yes"),
            "gwlock force-expire x --context prod --yes"
        );
        assert_eq!(
            again(
                &[
                    "run", "x", "--wait", "0", "-E", "0", "--", "sleep", "--wait", "9"
                ],
                "--wait 32s"
            ),
            "gwlock run x -E 0 --wait 32s -- sleep --wait 9"
        );
        assert_eq!(
            again(&["run", "x", "--wait=0"], "--wait 32s"),
            "gwlock run x --wait 32s"
        );
        assert_eq!(
            again(&["send", "--direct", "x"], "--direct --dry-run=client"),
            "gwlock send x --direct --dry-run=client"
        );
    }
}
