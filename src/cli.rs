//! The command line: flags and subcommands. Parsing only.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::commands::{acquire, bench, completion, inspect, release, renew, verify};
#[cfg(feature = "sim")]
use crate::commands::{lab, simulate};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Yellow.on_default())
    .usage(AnsiColor::Yellow.on_default())
    .literal(AnsiColor::Green.on_default())
    .placeholder(AnsiColor::Cyan.on_default());

/// Lock, inspect and prove the Kubernetes Leases that serialise Kubernaut Gateway signals.
///
/// Works on the current cluster of the kubeconfig, and without any cluster on the API server that it embeds: try
/// `gwlock simulate` and `gwlock lab`.
#[derive(Debug, Parser)]
#[command(name = "gwlock", version, styles = STYLES, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// Flags that every command has.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// See `commands::acquire`.
    Acquire(acquire::Arguments),
    /// See `commands::renew`.
    Renew(renew::Arguments),
    /// See `commands::release`.
    Release(release::Arguments),
    /// See `commands::verify`.
    Verify(verify::Arguments),
    /// See `commands::inspect`.
    Inspect(inspect::Arguments),
    /// See `commands::simulate`.
    #[cfg(feature = "sim")]
    Simulate(simulate::Arguments),
    /// See `commands::lab`.
    #[cfg(feature = "sim")]
    Lab(lab::Arguments),
    /// See `commands::bench`.
    Bench(bench::Arguments),
    /// See `commands::completion`.
    Completion(completion::Arguments),
}

/// Flags that every command has; they are kubectl's where kubectl has them.
#[derive(Debug, Clone, Args, Default)]
pub struct Global {
    /// Namespace of the leases [default: $POD_NAMESPACE, the context's namespace, kubernaut-system]
    #[arg(
        short,
        long,
        global = true,
        value_name = "NAMESPACE",
        help_heading = "Cluster"
    )]
    pub namespace: Option<String>,
    /// Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod's service account]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Cluster")]
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig
    #[arg(long, global = true, value_name = "NAME", help_heading = "Cluster")]
    pub context: Option<String>,
    /// Cluster of the kubeconfig
    #[arg(long, global = true, value_name = "NAME", help_heading = "Cluster")]
    pub cluster: Option<String>,
    /// User of the kubeconfig
    #[arg(long, global = true, value_name = "NAME", help_heading = "Cluster")]
    pub user: Option<String>,
    /// Address of the API server
    #[arg(
        short,
        long,
        global = true,
        value_name = "URL",
        help_heading = "Cluster"
    )]
    pub server: Option<String>,
    /// Do not check the server's certificate
    #[arg(long, global = true, help_heading = "Cluster")]
    pub insecure_skip_tls_verify: bool,
    /// Act as this user
    #[arg(
        long = "as",
        global = true,
        value_name = "USER",
        help_heading = "Cluster"
    )]
    pub as_user: Option<String>,
    /// Act as a member of this group (repeatable)
    #[arg(long, global = true, value_name = "GROUP", help_heading = "Cluster")]
    pub as_group: Vec<String>,
    /// Act as the user with this uid
    #[arg(long, global = true, value_name = "UID", help_heading = "Cluster")]
    pub as_uid: Option<String>,
    /// Longest time for one request, such as 5s
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration, help_heading = "Cluster")]
    pub request_timeout: Option<Duration>,
    /// Log more to stderr: -v for what is done, -vv for every request; -v=6 is taken as kubectl's
    #[arg(short, long = "verbose", global = true, action = ArgAction::Count, help_heading = "Output")]
    pub verbose: u8,
    /// How logs are written
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        help_heading = "Output"
    )]
    pub log_format: LogFormat,
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

/// What a command that writes does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum DryRun {
    /// Write.
    #[default]
    None,
    /// Send nothing that writes; say what would be sent.
    Client,
    /// Let the server check the writes and store nothing.
    Server,
}

/// The whole command line, named as it was called: `gwlock`, or `kubectl gwlock` as a plugin.
#[must_use]
pub fn command() -> clap::Command {
    let called = std::env::args_os().next();
    let plugin = called
        .as_deref()
        .map(std::path::Path::new)
        .and_then(std::path::Path::file_name);
    let command = Cli::command();
    if plugin == Some(OsStr::new("kubectl-gwlock")) {
        command.bin_name("kubectl gwlock")
    } else {
        command
    }
}

/// A duration such as `30s`, `1m30s` or `500ms`; a bare number is seconds, as kubectl takes it.
///
/// # Errors
/// What is expected.
pub fn duration(text: &str) -> Result<Duration, String> {
    let expected = || format!("\"{text}\" is no duration: 30s, 1m30s and 500ms are");
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    let signed: jiff::SignedDuration = text.parse().map_err(|_| expected())?;
    Duration::try_from(signed).map_err(|_| expected())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn durations_are_read_as_kubectl_reads_them() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        assert_eq!(
            duration("-3s"),
            Err("\"-3s\" is no duration: 30s, 1m30s and 500ms are".to_owned())
        );
        assert!(duration("soon").is_err());
    }
}
