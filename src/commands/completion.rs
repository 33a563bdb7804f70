//! `gwlock completion`.

use clap::{Args, ValueEnum};
use clap_complete::env::{Bash, EnvCompleter, Fish, Zsh};

use crate::complete::VARIABLE;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// The name by which shells know gwlock, and by which they ask it.
const NAME: &str = "gwlock";

/// The shells that there are completions for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    /// bash
    Bash,
    /// zsh
    Zsh,
    /// fish
    Fish,
}

/// Print the completion script for a shell
///
/// The script asks gwlock at every TAB, so that lease names, namespaces and contexts are completed as well. Load it when
/// the shell starts instead of keeping a copy: it changes with gwlock.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  source <(gwlock completion bash)
  source <(gwlock completion zsh)
  gwlock completion fish | source")]
pub(crate) struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn execute(arguments: &Arguments) -> Result<Exit, Failure> {
    let shell: &dyn EnvCompleter = match arguments.shell {
        Shell::Bash => &Bash,
        Shell::Zsh => &Zsh,
        Shell::Fish => &Fish,
    };
    let mut script = Vec::new();
    shell
        .write_registration(VARIABLE, NAME, NAME, NAME, &mut script)
        .map_err(|error| Failure::new(Exit::Bug, error))?;
    output::data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
