//! What went wrong, and what to do about it.

mod hint;
mod reach;

use std::panic;

use gwlock_engine::client::api_error::{Denied, describe};
use gwlock_engine::client::list::ListError;
use gwlock_engine::protocol::exchange::Refusal;

use crate::exit::Exit;
use crate::output::colour::{ERROR, HINT};
use crate::output::{self, OutputError};
use crate::rbac::{Missing, Rule};

use hint::Hint;
pub(crate) use hint::Telling;
pub(crate) use reach::Reached;
use reach::Words;

/// The end of a command that did not succeed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    source: anyhow::Error,
    hints: Vec<Hint>,
    kind: Kind,
}

/// What has to be known of a failure to tell it better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The message says it all.
    Told,
    /// No clear answer; the message is the transport's.
    Unreachable,
    /// 401.
    Unauthorised,
}

impl Failure {
    pub(crate) fn new(exit: Exit, source: impl Into<anyhow::Error>) -> Self {
        Self {
            exit,
            source: source.into(),
            hints: Vec::new(),
            kind: Kind::Told,
        }
    }

    pub(crate) fn says(exit: Exit, message: impl Into<String>) -> Self {
        Self::new(exit, anyhow::Error::msg(message.into()))
    }

    /// Something to do about it, in words.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(Hint::Says(hint.into()));
        self
    }

    /// A command of gwlock to run next, and what it is good for. The flags that choose the cluster are added.
    #[must_use]
    pub(crate) fn run(mut self, command: impl Into<String>, why: &'static str) -> Self {
        self.hints.push(Hint::Run(command.into(), why));
        self
    }

    /// The same for kubectl.
    #[must_use]
    pub(crate) fn kubectl(mut self, command: impl Into<String>, why: &'static str) -> Self {
        self.hints.push(Hint::Kubectl(command.into(), why));
        self
    }

    /// The same command again, with these flags.
    #[must_use]
    pub(crate) fn again(mut self, flags: impl Into<String>, why: &'static str) -> Self {
        self.hints.push(Hint::Again(flags.into(), why));
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
        let message = refusal.message.clone();
        if refusal.code == 403 {
            return Self::forbidden(message, refusal.verb.as_str(), namespace);
        }
        match (refusal.code, namespace) {
            (401, _) => Self::unauthorised(message),
            (404, Some(namespace)) => {
                Self::says(exit, message).kubectl(format!("create namespace {namespace}"), "")
            }
            _ => Self::says(exit, message),
        }
    }

    /// A permission is missing.
    pub(crate) fn forbidden(message: String, verb: &str, namespace: Option<&str>) -> Self {
        let rule = Rule {
            group: "coordination.k8s.io",
            resource: "leases",
            verb,
            namespace,
        };
        Self::lacks(message, rule)
    }

    /// This permission is missing, unless the server's words name another one, such as that to act as somebody else, or
    /// say that it was not for lack of any.
    pub(crate) fn lacks(message: String, rule: Rule<'_>) -> Self {
        if Denied::read(&message).is_some() || is_by_admission(&message) {
            return Self::denied(message);
        }
        Self::says(Exit::Forbidden, message).hint(missing(&Missing::Rule(rule)))
    }

    /// The server answered 403, in these words. They name the permission, if it is one that is missing.
    pub(crate) fn denied(message: impl Into<String>) -> Self {
        let message = message.into();
        let missing = missing_rule(&message);
        let is_anonymous = message.contains(ANONYMOUS);
        let failure = Self::says(Exit::Forbidden, message);
        match missing {
            Some(rule) => failure.hint(rule),
            None if is_anonymous => failure
                .hint("no credentials were sent, so that the server takes this for anybody")
                .kubectl("config view --minify", "the user that is used"),
            None => failure,
        }
    }

    /// A request failed somewhere below, and only the words are left.
    pub(crate) fn unclear(error: anyhow::Error) -> Self {
        let words = format!("{error:#}");
        match missing_rule(&words) {
            Some(rule) => Self::new(Exit::Forbidden, error).hint(rule),
            None => Self::new(Exit::Unreachable, error),
        }
    }

    /// A request of kube's client failed.
    pub(crate) fn api(error: &kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => match status.code {
                401 => Self::unauthorised(status.message.clone()),
                403 => Self::denied(&status.message),
                _ => Self::says(Exit::Unreachable, &status.message),
            },
            error => Self::unreachable(&describe(error)),
        }
    }

    /// The server does not know who asks; `message` is the server's.
    pub(crate) fn unauthorised(message: String) -> Self {
        Self {
            kind: Kind::Unauthorised,
            ..Self::says(Exit::Forbidden, message)
        }
    }

    /// A list of leases failed, in one namespace or in all.
    pub(crate) fn unlisted(error: &ListError, namespace: Option<&str>) -> Self {
        match error {
            ListError::Refused(refusal) => Self::refused(refusal, namespace),
            ListError::Unreachable(message) => Self::unreachable(message),
        }
    }

    /// The server gave no clear answer; `message` is the transport's.
    pub(crate) fn unreachable(message: &str) -> Self {
        Self {
            kind: Kind::Unreachable,
            ..Self::says(Exit::Unreachable, message)
        }
    }

    /// The same hints under other words, and another exit.
    #[must_use]
    pub(crate) fn reworded(self, exit: Exit, message: String) -> Self {
        Self {
            hints: self.hints,
            ..Self::says(exit, message)
        }
    }

    /// Both as one, with the exit code of this one. What both say is said once.
    #[must_use]
    pub(crate) fn and(mut self, other: Self) -> Self {
        let (message, more) = (self.message(), other.message());
        if !message.lines().any(|line| line == more) {
            self.source = anyhow::Error::msg(format!("{message}\n{more}"));
        }
        for hint in other.hints {
            if !self.hints.contains(&hint) {
                self.hints.push(hint);
            }
        }
        self
    }

    /// The same in better words, once it is known which server was meant.
    #[must_use]
    pub(crate) fn explained(self, reached: Option<&Reached>) -> Self {
        let Some(reached) = reached else {
            return self;
        };
        let words = match self.kind {
            Kind::Told => return self,
            Kind::Unreachable => Words::unreachable(reached, &self.message()),
            Kind::Unauthorised => Words::unauthorised(reached, &self.message()),
        };
        let mut hints = self.hints;
        hints.push(words.hint);
        hints.push(Hint::Doctor);
        Self {
            hints,
            ..Self::says(words.exit, words.message)
        }
    }

    /// The command line was not understood. Help and version come as errors as well, and are none.
    pub(crate) fn print_usage(error: &clap::Error, telling: &Telling) -> Exit {
        if !error.use_stderr() {
            output::clap(error);
            return Exit::Done;
        }
        if !telling.json {
            output::clap(error);
            return Exit::Usage;
        }
        let text = error.render().to_string();
        let what = text.split("\n\nUsage:").next().unwrap_or_default();
        let words: Vec<&str> = what.split_whitespace().collect();
        let message = words.join(" ");
        Self::says(Exit::Usage, message.trim_start_matches("error: "))
            .run("help", "the commands and their flags")
            .print(telling)
    }

    /// Prints what went wrong, and returns how to end.
    pub(crate) fn print(&self, telling: &Telling) -> Exit {
        if self.exit == Exit::Done {
            return self.exit;
        }
        if telling.json {
            output::note(&self.value(telling).to_string());
            return self.exit;
        }
        output::problem("error", ERROR, &self.message());
        for hint in self.told_hints(telling) {
            output::problem("hint", HINT, &hint);
        }
        self.exit
    }

    fn told_hints(&self, telling: &Telling) -> Vec<String> {
        let default = hint::by_default(self.exit).filter(|_| self.hints.is_empty());
        let hints = self.hints.iter().chain(&default);
        // The doctor sends nobody to itself.
        let is_doctor = telling.words.iter().any(|word| word == "doctor");
        let hints = hints.filter(|hint| !(is_doctor && **hint == Hint::Doctor));
        hints.map(|hint| hint.text(telling)).collect()
    }

    /// The error and its causes, without what a cause repeats.
    pub(crate) fn message(&self) -> String {
        let mut words: Vec<String> = Vec::new();
        for cause in self.source.chain().map(ToString::to_string) {
            if !words.iter().any(|earlier| earlier.contains(&cause)) {
                words.push(cause);
            }
        }
        words.join(": ")
    }
}

/// The hint with the rule that these words of the server say is missing, if they say that. Nobody should grant one to
/// anybody.
pub(crate) fn missing_rule(message: &str) -> Option<String> {
    let denied = Denied::read(message).filter(|_| !message.contains(ANONYMOUS))?;
    Some(missing(&denied.into()))
}

fn missing(missing: &Missing<'_>) -> String {
    format!("the rule that is missing:\n{missing}")
}

/// Who sends no credentials, in the server's words.
const ANONYMOUS: &str = "User \"system:anonymous\" ";

/// Whether a 403 came from something that no role changes: a quota, a policy, a namespace that is ending.
fn is_by_admission(message: &str) -> bool {
    message.contains(" is forbidden: ") || message.contains(" denied the request")
}

impl From<OutputError> for Failure {
    fn from(error: OutputError) -> Self {
        match error {
            // Nothing is left to be said, and `| head` is no failure.
            OutputError::ReaderGone => Self::new(Exit::Done, error),
            OutputError::Write(_) => {
                Self::new(Exit::Unreachable, error).hint("df -h .   # whether a disk is full")
            }
            OutputError::JsonPath(_) => Self::new(Exit::Usage, error)
                .hint("such as {.items[0].holder} and {range .items[*]}{.name}{\"\\n\"}{end}"),
            OutputError::Format(_) => Self::new(Exit::Bug, error),
        }
    }
}

/// Makes a panic end with the code for a bug, and say what to do with it.
pub(crate) fn report_bugs(telling: Telling) {
    panic::set_hook(Box::new(move |panic| {
        let version = env!("CARGO_PKG_VERSION");
        let failure = Failure::says(
            Exit::Bug,
            format!("this is a bug in gwlock {version}: {panic}"),
        )
        .hint("please report it, with the command line and this text");
        output::abort(failure.print(&telling));
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_an_error_repeats_is_told_once() {
        let error = anyhow::anyhow!("connection refused")
            .context("cannot connect: connection refused")
            .context("cannot read the lease");
        assert_eq!(
            Failure::new(Exit::Unreachable, error).message(),
            "cannot read the lease: cannot connect: connection refused"
        );
    }

    #[test]
    fn a_refusal_for_lack_of_permission_names_the_rule() {
        let refusal = Refusal {
            code: 403,
            reason: "Forbidden".to_owned(),
            message: "no".to_owned(),
            verb: gwlock_engine::protocol::exchange::Verb::Update,
        };
        let failure = Failure::refused(&refusal, Some("ns"));
        assert_eq!(failure.exit, Exit::Forbidden);
        let Hint::Says(hint) = &failure.hints[0] else {
            panic!("{failure:?}");
        };
        assert_eq!(
            hint,
            "the rule that is missing:\n  apiVersion: rbac.authorization.k8s.io/v1\n  kind: Role\n  metadata:\n    \
              name: gwlock\n    namespace: ns\n  rules:\n  # to renew a lease, and take over one that has expired\n  \
              - apiGroups: [\"coordination.k8s.io\"]\n    \
              resources: [\"leases\"]\n    verbs: [\"update\"]"
        );
    }

    #[test]
    fn the_servers_words_say_which_rule_is_missing_and_whether_one_is() {
        let rule = Rule {
            group: "coordination.k8s.io",
            resource: "leases",
            verb: "get",
            namespace: Some("ns"),
        };
        let told = |message: &str| {
            let failure = Failure::lacks(message.to_owned(), rule);
            let hints = failure.hints.into_iter().map(|hint| match hint {
                Hint::Says(text) => text,
                other => panic!("{other:?}"),
            });
            hints.collect::<String>()
        };
        let acting = told(
            "users \"b\" is forbidden: User \"a\" cannot impersonate resource \"users\" in API group \"\" at the cluster scope",
        );
        assert!(
            acting.contains("resources: [\"users\"]\n    verbs: [\"impersonate\"]"),
            "{acting}"
        );
        assert_eq!(
            told("leases.coordination.k8s.io \"x\" is forbidden: exceeded quota: q"),
            ""
        );
        assert_eq!(told("admission webhook \"w\" denied the request: no"), "");
        let anonymous =
            Failure::denied("forbidden: User \"system:anonymous\" cannot get path \"/api\"");
        let hint = Hint::Says(
            "no credentials were sent, so that the server takes this for anybody".to_owned(),
        );
        assert_eq!(anonymous.hints[0], hint);
        let unknown = told("no");
        assert!(
            unknown.contains("resources: [\"leases\"]\n    verbs: [\"get\"]"),
            "{unknown}"
        );
    }

    #[test]
    fn every_kind_of_refusal_has_its_exit_code() {
        for (code, exit) in [
            (401, Exit::Forbidden),
            (403, Exit::Forbidden),
            (404, Exit::No),
            (400, Exit::BadInput),
            (422, Exit::BadInput),
            (410, Exit::Unreachable),
        ] {
            let refusal = Refusal {
                code,
                reason: String::new(),
                message: "m".to_owned(),
                verb: gwlock_engine::protocol::exchange::Verb::Get,
            };
            assert_eq!(Failure::refused(&refusal, None).exit, exit, "{code}");
        }
    }
}
