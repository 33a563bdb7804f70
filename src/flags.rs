//! Flags that several commands have, and what they take. Parsing only; subcommands are not known here.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum, ValueHint};
use clap_complete::engine::ArgValueCompleter;

use crate::complete;
use crate::output::colour::Color;
use crate::output::escape::shell_word;
use crate::output::log::LogFormat;

/// Flags that every command has; they are kubectl's where kubectl has them.
#[derive(Debug, Clone, Args, Default)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct Global {
    /// Namespace of the leases [default: $POD_NAMESPACE, the context's namespace, kubernaut-system]
    #[arg(short, long, global = true, value_name = "NAMESPACE", add = ArgValueCompleter::new(complete::namespaces))]
    pub(crate) namespace: Option<String>,
    /// Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod's service account]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig
    #[arg(long, global = true, value_name = "NAME", add = ArgValueCompleter::new(complete::contexts))]
    pub(crate) context: Option<String>,
    /// Cluster of the kubeconfig
    #[arg(long, global = true, value_name = "NAME", add = ArgValueCompleter::new(complete::clusters))]
    pub(crate) cluster: Option<String>,
    /// User of the kubeconfig
    #[arg(long, global = true, value_name = "NAME", add = ArgValueCompleter::new(complete::users))]
    pub(crate) user: Option<String>,
    /// Address of the API server
    #[arg(short, long, global = true, value_name = "URL", value_hint = ValueHint::Url)]
    pub(crate) server: Option<String>,
    /// File with a bearer token for the API server; a token in a flag would be seen by every user of the machine
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) token_file: Option<String>,
    /// Do not check the server's certificate
    #[arg(long, global = true)]
    pub(crate) insecure_skip_tls_verify: bool,
    /// Act as this user
    #[arg(long = "as", global = true, value_name = "USER")]
    pub(crate) as_user: Option<String>,
    /// Act as a member of this group (repeatable)
    #[arg(long, global = true, value_name = "GROUP", requires = "as_user")]
    pub(crate) as_group: Vec<String>,
    /// Act as the user with this uid
    #[arg(long, global = true, value_name = "UID", requires = "as_user")]
    pub(crate) as_uid: Option<String>,
    /// Longest time for one request, such as 5s; 0 is the default of each command
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration)]
    pub(crate) request_timeout: Option<Duration>,
    /// Log to stderr: -v what is done, -vv every request, -v=N kubectl's levels
    #[arg(
        short,
        long = "verbose",
        global = true,
        action = ArgAction::Append,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = MORE,
        value_parser = verbosity,
        value_name = "N",
        help_heading = "Output"
    )]
    pub(crate) verbose: Vec<Verbosity>,
    /// How logs are written
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        help_heading = "Output"
    )]
    pub(crate) log_format: LogFormat,
    /// When to use colours
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        help_heading = "Output"
    )]
    pub(crate) color: Color,
}

/// What stands for a `-v` without a number.
const MORE: &str = "more";

/// One `-v`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verbosity {
    /// `-v`
    More,
    /// `-v=6`
    Level(u8),
}

impl Global {
    /// 0 for warnings, 1 for what is done, 2 for every request, 3 for everything. kubectl shows requests from its
    /// level 6 on and their content from level 8 on.
    pub(crate) fn verbosity(&self) -> usize {
        match self.verbose.last() {
            None => 0,
            Some(Verbosity::More) => self.verbose.len(),
            Some(Verbosity::Level(0)) => 0,
            Some(Verbosity::Level(1..6)) => 1,
            Some(Verbosity::Level(6..8)) => 2,
            Some(Verbosity::Level(_)) => 3,
        }
    }
}

impl Global {
    /// The flags that choose the cluster and the user, as they are typed, each behind a space. The namespace is not
    /// among them: commands know it better.
    pub(crate) fn cluster_flags(&self) -> String {
        self.cluster_arguments()
            .iter()
            .map(|word| format!(" {}", shell_word(word)))
            .collect()
    }

    /// The same as arguments of a process.
    pub(crate) fn cluster_arguments(&self) -> Vec<String> {
        let kubeconfig = self
            .kubeconfig
            .as_ref()
            .map(|path| path.display().to_string());
        let groups = self
            .as_group
            .iter()
            .map(|group| ("--as-group", Some(group)));
        let values = [
            ("--kubeconfig", kubeconfig.as_ref()),
            ("--context", self.context.as_ref()),
            ("--cluster", self.cluster.as_ref()),
            ("--user", self.user.as_ref()),
            ("--server", self.server.as_ref()),
            ("--token-file", self.token_file.as_ref()),
            ("--as", self.as_user.as_ref()),
            ("--as-uid", self.as_uid.as_ref()),
        ];
        let mut words = Vec::new();
        for (flag, value) in values.into_iter().chain(groups) {
            if let Some(value) = value {
                words.extend([flag.to_owned(), value.clone()]);
            }
        }
        if self.insecure_skip_tls_verify {
            words.push("--insecure-skip-tls-verify".to_owned());
        }
        words
    }
}

fn verbosity(text: &str) -> Result<Verbosity, String> {
    if text == MORE {
        return Ok(Verbosity::More);
    }
    text.parse()
        .map(Verbosity::Level)
        .map_err(|_| format!("\"{text}\" is no level: 0 to 10 are"))
}

/// What a command that writes does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum DryRun {
    /// Write.
    #[default]
    None,
    /// Send nothing that writes; say what would be sent.
    Client,
    /// Let the server check the writes and store nothing.
    Server,
}

/// The flag of every command that writes.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct DryRunFlag {
    // Bare it is what it is for kubectl. As there, a mode needs a `=`, so that a key can follow the bare one.
    /// Check, but do not write: client sends nothing that writes, server lets the server check; bare it is client
    #[arg(
        id = "dry_run",
        long = "dry-run",
        value_enum,
        default_value_t,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = DryRun::Client.as_str(),
        value_name = "MODE"
    )]
    pub(crate) mode: DryRun,
}

impl DryRun {
    /// As the flag spells it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Client => "client",
            Self::Server => "server",
        }
    }

    /// What kubectl puts behind a line that tells of a write.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Client => " (dry run)",
            Self::Server => " (server dry run)",
        }
    }
}

/// A duration such as `30s`, `1m30s` or `500ms`; a bare number is seconds, as kubectl takes it.
///
/// # Errors
/// What is expected.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
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
