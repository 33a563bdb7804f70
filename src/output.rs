//! All printing: data on stdout, everything else on stderr.
//!
//! One file for each crate that draws on a terminal. What is printed is decided by the commands.

pub(crate) mod age;
pub(crate) mod colour;
pub(crate) mod escape;
pub(crate) mod format;
pub(crate) mod log;
pub(crate) mod progress;
pub(crate) mod table;

use std::io::{ErrorKind, Write};

use anstyle::Style;

use crate::exit::Exit;

/// The `apiVersion` of everything that gwlock prints as JSON or YAML of its own.
pub(crate) const API_VERSION: &str = "gwlock.dev/v1alpha1";

/// Why an answer was not printed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutputError {
    /// The reader has gone, as with `| head`. That is no failure.
    #[error("nobody reads the output any more")]
    ReaderGone,
    /// stdout cannot be written to.
    #[error("cannot write to stdout")]
    Write(#[source] std::io::Error),
    /// `-o jsonpath=` with something that is no path.
    #[error("jsonpath {0:?} is not understood")]
    JsonPath(String),
    /// The value has no YAML form.
    #[error("cannot write YAML")]
    Yaml(#[source] serde_saphyr::ser::Error),
}

/// Prints data.
pub(crate) fn data(text: &str) -> Result<(), OutputError> {
    let mut out = anstream::stdout().lock();
    let newline = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    match write!(out, "{text}{newline}").and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(OutputError::ReaderGone),
        Err(error) => Err(OutputError::Write(error)),
    }
}

/// Prints a line for the person at the terminal. Nothing can be done when that fails.
pub(crate) fn note(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// Prints `error: …` or `hint: …`.
pub(crate) fn problem(label: &str, style: Style, text: &str) {
    note(&format!(
        "{style}{label}:{style:#} {}",
        escape::escape(text)
    ));
}

/// Prints candidates for a shell, which takes them as they are.
pub(crate) fn candidates(text: &str) {
    // A shell that has gone needs no candidates.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Prints what clap has to say: help and version on stdout, errors on stderr.
pub(crate) fn clap(error: &clap::Error) {
    // A closed pipe is no reason to complain.
    let _ = error.print();
}

/// Ends the process where no value can be returned any more.
#[expect(
    clippy::disallowed_methods,
    reason = "a panic hook cannot return an exit code"
)]
pub(crate) fn abort(exit: Exit) {
    std::process::exit(i32::from(exit.code()));
}
