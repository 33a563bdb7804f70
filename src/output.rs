//! All printing: data on stdout, everything else on stderr.
//!
//! One file for each crate that draws on a terminal. What is printed is decided by the commands.

pub(crate) mod age;
pub(crate) mod colour;
mod columns;
pub(crate) mod escape;
pub(crate) mod format;
pub(crate) mod jsonpath;
pub(crate) mod live;
pub(crate) mod log;
pub(crate) mod progress;
pub(crate) mod table;

use std::io::{self, BufWriter, ErrorKind, IsTerminal as _, Write};

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
    Write(#[source] io::Error),
    /// `-o jsonpath=` with something that is no path.
    #[error("jsonpath {0:?} is not understood")]
    JsonPath(String),
    /// The value has no form in this format.
    #[error("cannot write it in this format")]
    Format(#[source] anyhow::Error),
}

impl From<io::Error> for OutputError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::BrokenPipe => Self::ReaderGone,
            _ => Self::Write(error),
        }
    }
}

/// Prints data.
pub(crate) fn data(text: &str) -> Result<(), OutputError> {
    let newline = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    stream(|out| write!(out, "{text}{newline}"))
}

/// Prints data that is made while it is printed.
pub(crate) fn stream<E: Into<OutputError>>(
    write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<(), OutputError> {
    let mut out = BufWriter::with_capacity(64 * 1024, io::stdout().lock());
    write(&mut out).map_err(Into::into)?;
    Ok(out.flush()?)
}

/// Prints a line for the person at the terminal. Nothing can be done when that fails.
pub(crate) fn note(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// Asks the person at the terminal; the answer is typed on the same line.
pub(crate) fn ask(question: &str) {
    let mut err = anstream::stderr().lock();
    let _ = write!(err, "{} ", escape::escape(question));
    let _ = err.flush();
}

/// Whether somebody sees what is asked on stderr.
pub(crate) fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// stderr as a place to write lines to.
#[cfg(feature = "serve")]
pub(crate) fn stderr() -> Box<dyn Write + Send> {
    Box::new(io::stderr())
}

/// Prints `error: …` or `hint: …`.
pub(crate) fn problem(label: &str, style: Style, text: &str) {
    note(&format!(
        "{style}{label}:{style:#} {}",
        escape::escape(text)
    ));
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
    live::restore();
    std::process::exit(i32::from(exit.code()));
}
