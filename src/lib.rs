//! The gwlock command line. A library for its own tests and benches, not a stable API.
//!
//! Arrows point one way: commands use the output, the simulator and the engine; nothing points back.

pub mod cli;
mod commands;
mod context;
pub mod exit;
mod failure;
mod output;
mod rbac;
#[cfg(feature = "sim")]
pub mod sim;

use std::process::ExitCode;

use clap::Parser;

use cli::Cli;
use exit::Exit;

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    clap_complete::CompleteEnv::with_factory(cli::command).complete();
    failure::report_bugs();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return output::usage(&error),
    };
    output::log::init(&cli.global);
    match commands::run(cli) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            failure.print();
            failure.exit.into()
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
