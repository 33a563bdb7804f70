//! How this process was called: its name, and what has to be known of its words before they are parsed.
//!
//! No command is parsed here; that is the `cli` module's.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::process::guard;

/// The name under which kubectl finds gwlock as a plugin.
const PLUGIN: &str = "kubectl-gwlock";

/// The name under which kubectl asks the plugin for completions.
const PLUGIN_COMPLETION: &str = "kubectl_complete-gwlock";

/// The words of this process.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    words: Vec<OsString>,
}

/// What gwlock was called as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CalledAs {
    /// A program of its own.
    Program,
    /// `kubectl gwlock`.
    Plugin,
    /// kubectl's request for completions of `kubectl gwlock`.
    PluginCompletion,
    /// The guard process of `gwlock run`.
    Guard,
}

impl CalledAs {
    /// What a user types.
    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Program | Self::Guard => "gwlock",
            Self::Plugin | Self::PluginCompletion => "kubectl gwlock",
        }
    }
}

impl Invocation {
    pub(crate) fn of_this_process() -> Self {
        Self::of(env::args_os())
    }

    pub(crate) fn of(words: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        Self {
            words: words.into_iter().map(Into::into).collect(),
        }
    }

    /// The name and everything behind it.
    pub(crate) fn words(&self) -> &[OsString] {
        &self.words
    }

    pub(crate) fn called_as(&self) -> CalledAs {
        let name = self
            .words
            .first()
            .and_then(|name| Path::new(name).file_stem());
        match name.and_then(OsStr::to_str) {
            Some(PLUGIN) => CalledAs::Plugin,
            Some(PLUGIN_COMPLETION) => CalledAs::PluginCompletion,
            Some(guard::NAME) => CalledAs::Guard,
            _ => CalledAs::Program,
        }
    }

    /// Whether the answer was asked for as JSON, so that a failure is told as JSON as well: one to parse the words
    /// included.
    pub(crate) fn wants_json(&self) -> bool {
        self.flag("-o", "--output")
            .is_some_and(|value| value == "json")
    }

    /// The value of `--color`, which matters for the help as well.
    pub(crate) fn color(&self) -> Option<&str> {
        self.flag("--color", "--color")
    }

    /// The last value of a flag before `--`: `-o json`, `-ojson`, `-o=json`, `--output json` or `--output=json`.
    fn flag(&self, short: &str, long: &str) -> Option<&str> {
        let words: Vec<&str> = self
            .words
            .iter()
            .skip(1)
            .map(|word| word.to_str().unwrap_or_default())
            .take_while(|word| *word != "--")
            .collect();
        let value = |at: usize| {
            let word = words[at];
            if word == short || word == long {
                return words.get(at + 1).copied();
            }
            match word.strip_prefix(long) {
                Some(rest) => rest.strip_prefix('='),
                None if word.starts_with("--") => None,
                None => word
                    .strip_prefix(short)
                    .map(|rest| rest.strip_prefix('=').unwrap_or(rest)),
            }
        };
        (0..words.len()).rev().find_map(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_tells_who_calls() {
        for (name, expected) in [
            ("gwlock", CalledAs::Program),
            ("/usr/bin/gwlock", CalledAs::Program),
            ("/opt/bin/kubectl-gwlock", CalledAs::Plugin),
            ("kubectl_complete-gwlock", CalledAs::PluginCompletion),
            ("gwlock-guard", CalledAs::Guard),
        ] {
            assert_eq!(Invocation::of([name]).called_as(), expected, "{name}");
        }
    }

    #[test]
    fn json_is_asked_for_in_every_way_that_the_parser_takes() {
        for (words, expected) in [
            (["gwlock", "inspect", "-o", "json"], true),
            (["gwlock", "inspect", "-ojson", "x"], true),
            (["gwlock", "inspect", "-o=json", "x"], true),
            (["gwlock", "inspect", "--output", "json"], true),
            (["gwlock", "inspect", "--output=json", "x"], true),
            (["gwlock", "-o=json", "inspect", "-oyaml"], false),
            (["gwlock", "lab", "--", "-ojson"], false),
            (["gwlock", "inspect", "--other", "x"], false),
            (["gwlock", "inspect", "x", "-o"], false),
        ] {
            assert_eq!(Invocation::of(words).wants_json(), expected, "{words:?}");
        }
    }
}
