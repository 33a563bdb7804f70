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
use crate::failure::Failure;

/// The `apiVersion` of everything that gwlock prints as JSON or YAML of its own.
pub(crate) const API_VERSION: &str = "gwlock.dev/v1alpha1";

/// Prints data. A reader that has gone, as with `| head`, ends the command quietly.
pub(crate) fn data(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    let newline = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    match write!(out, "{text}{newline}").and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::reader_gone()),
        Err(error) => Err(Failure::new(
            Exit::Unreachable,
            anyhow::Error::new(error).context("cannot write to stdout"),
        )),
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

/// What clap has to say: help and version on stdout, errors on stderr.
pub(crate) fn usage(error: &clap::Error, json: bool) -> Exit {
    if !error.use_stderr() {
        // A closed pipe is no reason to complain.
        let _ = error.print();
        return Exit::Done;
    }
    if json {
        let text = error.render().to_string();
        let what = text.split("\n\nUsage:").next().unwrap_or_default();
        let words: Vec<&str> = what.split_whitespace().collect();
        let message = words.join(" ");
        return Failure::says(Exit::Usage, message.trim_start_matches("error: "))
            .hint("gwlock help shows the commands and their flags")
            .print(json);
    }
    let _ = error.print();
    Exit::Usage
}

/// Ends the process where no value can be returned any more.
#[expect(clippy::exit, reason = "a panic hook cannot return an exit code")]
pub(crate) fn abort(exit: Exit) {
    std::process::exit(i32::from(exit.code()));
}
