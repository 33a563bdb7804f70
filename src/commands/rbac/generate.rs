//! `gwlock rbac generate`: the least that a program has to be granted, as manifests.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use crate::context::{Context, DEFAULT_NAMESPACE};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, format::Format};
use crate::rbac::generate::{Manifests, Site};

use super::check::Version;

/// The longest name of a ServiceAccount that still fits into the names of its roles.
const LONGEST: usize = 63;

/// Print the least that a program has to be granted: ServiceAccount, roles and bindings
///
/// Every rule says what it is for. Roles are made where the requests go to; a ClusterRole only for what is asked in every
/// namespace. No cluster is asked.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gwlock rbac generate --profile gwlock-serve | kubectl apply -f -
  gwlock rbac generate --profile gateway --namespace kubernaut-system --serviceaccount gateway
  gwlock rbac generate --profile gwlock-operator --controller-namespace remediation -o json")]
pub(crate) struct Arguments {
    /// The program
    #[arg(long, value_name = "NAME", value_parser = super::profile(), required_unless_present = "profile_file")]
    profile: Option<String>,
    /// A program of one's own: YAML with what it asks
    #[arg(long, value_name = "FILE", conflicts_with_all = ["profile", "gateway_version"], value_hint = ValueHint::FilePath)]
    profile_file: Option<PathBuf>,
    /// Which gateway
    #[arg(long, value_enum, default_value_t, value_name = "VERSION")]
    gateway_version: Version,
    /// Name of the ServiceAccount, which is in the namespace of the leases [default: the profile's name]
    #[arg(long, value_name = "NAME", value_parser = name)]
    serviceaccount: Option<String>,
    /// Namespace of the RemediationRequests [default: that of the leases]
    #[arg(long, value_name = "NAMESPACE", value_parser = name)]
    controller_namespace: Option<String>,
    /// Leave out what the program works without
    #[arg(long)]
    needed_only: bool,
    /// Output format
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value = "yaml")]
    output: Form,
}

/// How manifests are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Documents with comments
    Yaml,
    /// One List
    Json,
}

pub(crate) fn execute(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let program = super::program(
        arguments.profile.as_deref().unwrap_or_default(),
        arguments.gateway_version,
        arguments.profile_file.as_deref(),
    )?;
    let leases = context.given_namespace().unwrap_or(DEFAULT_NAMESPACE);
    let leases = name(leases).map_err(|error| Failure::says(Exit::Usage, error))?;
    // A program of one's own may be called anything.
    let own = arguments.serviceaccount.as_deref();
    let own = name(own.unwrap_or(&program.profile.name))
        .map_err(|error| Failure::says(Exit::Usage, error).hint("--serviceaccount NAME"))?;
    let site = Site {
        leases: &leases,
        requests: arguments.controller_namespace.as_ref().unwrap_or(&leases),
        service_account: &own,
    };
    let manifests = Manifests::of(&program, site, !arguments.needed_only);
    match arguments.output {
        Form::Yaml => output::data(&manifests.to_string())?,
        Form::Json => Format::Json.show(&manifests.list())?,
    }
    Ok(Exit::Done)
}

/// The name of a namespace or a ServiceAccount.
pub(crate) fn name(text: &str) -> Result<String, String> {
    let is_inside = |character: char| {
        character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-'
    };
    let is_name = !text.is_empty()
        && text.len() <= LONGEST
        && text.chars().all(is_inside)
        && !text.starts_with('-')
        && !text.ends_with('-');
    if is_name {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "\"{text}\" is no name: up to {LONGEST} of a-z, 0-9 and -, which is not at an end, are"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_an_api_server_takes() {
        assert_eq!(name("kubernaut-system"), Ok("kubernaut-system".to_owned()));
        for wrong in ["", "A", "a_b", "-a", "a-", "a.b", &"a".repeat(64)] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
    }
}
