//! All printing: data on stdout, everything else on stderr.
//!
//! One file for each crate that draws on a terminal. What is printed is decided by the commands.

pub(crate) mod age;
pub(crate) mod format;
pub(crate) mod log;
pub(crate) mod progress;
pub(crate) mod table;

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

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
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::says(Exit::Done, "")),
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

/// What clap has to say: help and version on stdout, errors on stderr.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let exit = if error.use_stderr() {
        Exit::Usage
    } else {
        Exit::Done
    };
    // A closed pipe is no reason to complain.
    let _ = error.print();
    exit.into()
}

/// Ends the process where no value can be returned any more.
#[expect(clippy::exit, reason = "a panic hook cannot return an exit code")]
pub(crate) fn abort(exit: Exit) {
    std::process::exit(i32::from(exit.code()));
}
