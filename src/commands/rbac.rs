//! `gwlock rbac`: what a program may do on an API server, and what it needs.

mod check;
mod generate;
mod live;

use std::fs;
use std::path::Path;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, Subcommand};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::rbac::profiles::{self, Program};

use check::Version;
#[cfg(feature = "sim")]
pub(crate) use generate::name as object_name;

/// Prove that RBAC manifests are sufficient and not excessive
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

// The help text of each is the documentation of its arguments.
#[derive(Debug, Subcommand)]
enum Command {
    Check(Box<check::Arguments>),
    Generate(generate::Arguments),
}

/// The program of a profile, or of a file that describes one.
fn program(name: &str, version: Version, file: Option<&Path>) -> Result<Program, Failure> {
    let Some(path) = file else {
        return profiles::find(name, version.into())
            .ok_or_else(|| Failure::says(Exit::Bug, "a profile without a program"));
    };
    let unusable =
        |error: String| Failure::says(Exit::BadInput, format!("{}: {error}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::says(
            Exit::BadInput,
            format!("cannot read {}: {error}", path.display()),
        )
    })?;
    profiles::read(&text).map_err(|error| unusable(error.to_string()))
}

/// The names of the profiles.
fn profile() -> PossibleValuesParser {
    let value = |name| PossibleValue::new(name).help(profiles::about(name));
    PossibleValuesParser::new(profiles::NAMES.map(value))
}

pub(crate) fn execute(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    match &arguments.command {
        Command::Check(arguments) => check::execute(arguments, context),
        Command::Generate(arguments) => generate::execute(arguments, context),
    }
}
