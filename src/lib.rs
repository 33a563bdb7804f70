//! The gwlock command line. A library for its own tests and benches, not a stable API.
//!
//! Arrows point one way: commands use the output, the simulator and the engine; nothing points back.

pub mod cli;
mod commands;
mod complete;
mod context;
pub mod exit;
mod failure;
mod output;
mod rbac;
#[cfg(feature = "sim")]
pub mod sim;

use std::process::ExitCode;

use clap::FromArgMatches;

use cli::Cli;
use context::{CalledAs, Invocation, variable};
use exit::Exit;
use failure::Failure;
use output::colour::Color;

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let invocation = Invocation::of_this_process();
    if complete::answered(&invocation) {
        return Exit::Done.into();
    }
    let json = invocation.wants_json();
    let color = Color::of(invocation.color());
    color.apply();
    failure::report_bugs(json);
    let exit = match parse(&invocation, color) {
        Ok(cli) => {
            let global = &cli.global;
            output::log::init(
                global.verbosity(),
                variable("GWLOCK_LOG"),
                global.log_format,
            );
            commands::run(cli).unwrap_or_else(|failure| failure.print(json))
        }
        Err(error) => Failure::print_usage(&error, json),
    };
    exit.into()
}

fn parse(invocation: &Invocation, color: Color) -> Result<Cli, clap::Error> {
    let mut command = cli::command().color(color.into());
    if invocation.called_as() == CalledAs::Plugin {
        command = command.bin_name("kubectl gwlock");
    }
    let mut matches = command.clone().try_get_matches_from(invocation.words())?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
