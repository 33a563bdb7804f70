//! `gwlock renew`.

use clap::Args;

use super::claim::{
    ClaimArguments, TimingArguments, handle_failure, handle_value, lock_of, write_handle,
};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::flags::{DryRun, DryRunFlag};
use crate::output::{self, format::Format};

/// Renew a claim, once
///
/// Fails with exit code 1, and writes nothing, when the claim no longer stands.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gwlock renew --handle-file lease.json
  gwlock renew prod/Deployment/payment-api --holder ops@host_0123456789abcdef")]
pub(crate) struct Arguments {
    #[command(flatten)]
    claim: ClaimArguments,
    #[command(flatten)]
    timing: TimingArguments,
    #[command(flatten)]
    dry_run: DryRunFlag,
    /// Output format: table, json, yaml, name, jsonpath=PATH
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Format,
}

pub(crate) async fn execute(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let timing = arguments.timing.timing()?;
    let cluster = context.cluster().await?;
    let handle = arguments.claim.handle(&cluster)?;
    let mut lock = lock_of(&cluster, &handle, timing)?;
    match arguments.dry_run.mode {
        DryRun::Client => {
            output::data(&format!(
                "lease.coordination.k8s.io/{} would be renewed (dry run)",
                handle.lease
            ))?;
            return Ok(Exit::Done);
        }
        DryRun::Server => lock = lock.with_dry_run(),
        DryRun::None => {}
    }
    let renewed = lock
        .renew(&handle)
        .await
        .map_err(|error| handle_failure(error, &handle))?;
    if let Some(path) = arguments
        .claim
        .handle_file
        .as_ref()
        .filter(|_| arguments.dry_run.mode == DryRun::None)
    {
        write_handle(path, &renewed)?;
    }
    let name = format!("lease.coordination.k8s.io/{}", renewed.lease);
    match &arguments.output {
        Format::Table | Format::Wide => {
            let expires = renewed.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ");
            output::data(&format!(
                "{name} renewed until {expires}{}",
                arguments.dry_run.mode.suffix()
            ))?;
        }
        Format::Name => output::data(&name)?,
        format => format.show(&handle_value(&renewed))?,
    }
    Ok(Exit::Done)
}
