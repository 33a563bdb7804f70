//! `gwlock completion`.

use clap::{Args, ValueEnum};
use clap_complete::Shell as Static;

use crate::cli::command;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

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
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  source <(gwlock completion bash)
  gwlock completion fish > ~/.config/fish/completions/gwlock.fish")]
pub struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn execute(arguments: &Arguments) -> Result<Exit, Failure> {
    output::data(&script(arguments.shell))?;
    Ok(Exit::Done)
}

/// The script that is also shipped in `completions/`.
#[must_use]
pub(crate) fn script(shell: Shell) -> String {
    let shell = match shell {
        Shell::Bash => Static::Bash,
        Shell::Zsh => Static::Zsh,
        Shell::Fish => Static::Fish,
    };
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut command(), "gwlock", &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}
