//! The gwlock command line. A library for its own tests and benches, not a stable API.
//!
//! Arrows point one way: commands use the output, the simulator, the gateway and the engine; nothing points back.

pub mod cli;
mod commands;
mod complete;
mod context;
mod doctor;
pub mod evidence;
pub mod exit;
mod failure;
mod flags;
pub mod gateway;
mod output;
mod process;
pub mod rbac;
#[cfg(feature = "sim")]
pub mod sim;
#[cfg(feature = "sim")]
mod tune;

use std::process::ExitCode;

use clap::FromArgMatches;

use cli::Cli;
use context::{CalledAs, Invocation, variable};
use exit::Exit;
use failure::{Failure, Telling};
use output::colour::Color;
use output::escape::shell_word;

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let invocation = Invocation::of_this_process();
    if complete::answered(&invocation) {
        return Exit::Done.into();
    }
    if invocation.called_as() == CalledAs::Guard {
        return process::guard::main(invocation.words()).into();
    }
    let color = Color::of(invocation.color());
    color.apply();
    let mut telling = Telling {
        json: invocation.wants_json(),
        program: invocation.called_as().program(),
        flags: String::new(),
        words: invocation
            .words()
            .iter()
            .skip(1)
            .map(|word| shell_word(&word.to_string_lossy()))
            .collect(),
    };
    failure::report_bugs(telling.clone());
    let exit = match parse(&invocation, color) {
        Ok(cli) => {
            let global = &cli.global;
            output::log::init(
                global.verbosity(),
                variable("GWLOCK_LOG"),
                global.log_format,
            );
            telling.flags = global.cluster_flags();
            commands::run(cli).unwrap_or_else(|failure| failure.print(&telling))
        }
        Err(error) => Failure::print_usage(&error, &telling),
    };
    exit.into()
}

fn parse(invocation: &Invocation, color: Color) -> Result<Cli, clap::Error> {
    let mut command = cli::command().color(color.into());
    if invocation.called_as() == CalledAs::Plugin {
        command = command.bin_name(invocation.called_as().program());
    }
    let mut matches = command.clone().try_get_matches_from(invocation.words())?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
