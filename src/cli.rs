//! The command line: the subcommands and what stands beside them. Parsing only; what several of them take is in `flags`.

use clap::builder::styling::{AnsiColor, Styles};
use clap::{CommandFactory, Parser, Subcommand};

#[cfg(feature = "serve")]
use crate::commands::serve;
use crate::commands::{
    acquire, bench, completion, dedup, doctor, force_expire, gc, inspect, rbac, release, renew,
    resolve, run, send, verify,
};
#[cfg(feature = "sim")]
use crate::commands::{lab, simulate, tune};
use crate::flags::Global;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Yellow.on_default())
    .usage(AnsiColor::Yellow.on_default())
    .literal(AnsiColor::Green.on_default())
    .placeholder(AnsiColor::Cyan.on_default());

/// Examples come first: they are what most people open the help for.
const HELP: &str = "{about}{after-help}\n\n{usage-heading} {usage}\n\n{all-args}";

/// Lock, inspect and prove the Kubernetes Leases that serialise Kubernaut Gateway signals
///
/// Works on the current cluster of the kubeconfig, and without any cluster on the API server that it embeds: try
/// `gwlock simulate` and `gwlock lab`. As `kubectl-gwlock` on the PATH it is the kubectl plugin `kubectl gwlock`.
#[derive(Debug, Parser)]
#[command(name = "gwlock", version, styles = STYLES, max_term_width = 100)]
#[command(after_help = "Examples:
  gwlock inspect
  gwlock acquire prod/Deployment/payment-api --handle-file lease.json
  gwlock release --handle-file lease.json
  gwlock simulate")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

// The help text of each is the documentation of its arguments.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Acquire(acquire::Arguments),
    Renew(renew::Arguments),
    Release(release::Arguments),
    Verify(verify::Arguments),
    Run(Box<run::Arguments>),
    Inspect(inspect::Arguments),
    ForceExpire(force_expire::Arguments),
    Gc(gc::Arguments),
    Doctor(Box<doctor::Arguments>),
    Resolve(resolve::Arguments),
    Send(Box<send::Arguments>),
    Dedup(dedup::Arguments),
    Rbac(rbac::Arguments),
    #[cfg(feature = "serve")]
    Serve(Box<serve::Arguments>),
    #[cfg(feature = "sim")]
    Simulate(Box<simulate::Arguments>),
    #[cfg(feature = "sim")]
    Tune(tune::Arguments),
    #[cfg(feature = "sim")]
    Lab(lab::Arguments),
    Bench(bench::Arguments),
    Completion(completion::Arguments),
}

/// The whole command line.
#[must_use]
pub fn command() -> clap::Command {
    examples_first(Cli::command())
}

fn examples_first(command: clap::Command) -> clap::Command {
    command.help_template(HELP).mut_subcommands(examples_first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn verbosity_is_counted_or_taken_from_kubectls_levels() {
        for (words, expected) in [
            (vec!["gwlock", "completion", "bash"], 0),
            (vec!["gwlock", "-v", "completion", "bash"], 1),
            (vec!["gwlock", "completion", "-vv", "bash"], 2),
            (vec!["gwlock", "completion", "-v", "bash", "-v"], 2),
            (vec!["gwlock", "completion", "-v=6", "bash"], 2),
            (vec!["gwlock", "completion", "-v=2", "bash"], 1),
            (vec!["gwlock", "completion", "-v=9", "bash"], 3),
        ] {
            let cli = Cli::try_parse_from(&words).unwrap();
            assert_eq!(cli.global.verbosity(), expected, "{words:?}");
        }
        assert!(Cli::try_parse_from(["gwlock", "-v=loud", "completion", "bash"]).is_err());
    }
}
