//! `gwlock release`.

use clap::Args;
use gwlock_engine::client::LeaseHandle;
use gwlock_engine::protocol::release::Released;
use gwlock_engine::protocol::timing::Timing;
use serde_json::json;

use super::claim::{ClaimArguments, inspect, lock_of};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::flags::{DryRun, DryRunFlag};
use crate::output::{self, API_VERSION, format::Format};

/// Release a claim
///
/// Deletes the lease only if it is still this claim's. A lease that is gone already is fine (exit code 0); one that is
/// somebody else's is left alone (exit code 1).
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gwlock release --handle-file lease.json
  gwlock release prod/Deployment/payment-api --holder ops@host_0123456789abcdef")]
pub(crate) struct Arguments {
    #[command(flatten)]
    claim: ClaimArguments,
    #[command(flatten)]
    dry_run: DryRunFlag,
    /// Output format: table, json, yaml, name, jsonpath=PATH
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Format,
}

pub(crate) async fn execute(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let cluster = context.cluster().await?;
    let handle = arguments.claim.handle(&cluster)?;
    let mut lock = lock_of(&cluster, &handle, Timing::default())?;
    match arguments.dry_run.mode {
        DryRun::None => {}
        DryRun::Server => lock = lock.with_dry_run(),
        DryRun::Client => {
            return say(
                arguments,
                &handle,
                "WouldRelease",
                "would be released if it still is this claim's",
            );
        }
    }
    match lock.release(&handle).await {
        Released::Deleted => say(arguments, &handle, "Released", "released"),
        Released::AlreadyGone => say(arguments, &handle, "AlreadyGone", "was gone already"),
        Released::NotOurs(record) => {
            let holder = record.holder().unwrap_or("nobody");
            let message = format!(
                "{} is held by {holder}, not by {}; nothing was deleted",
                handle.lease, handle.holder
            );
            Err(Failure::says(Exit::No, message).run(inspect(&handle), "who holds it now"))
        }
        Released::Refused(refusal) => Err(Failure::refused(&refusal, Some(&handle.namespace))),
        Released::Unreachable(message) => Err(Failure::unreachable(&message)),
        Released::Unknown(message) => {
            let message = format!(
                "nobody knows whether {} was deleted: {message}",
                handle.lease
            );
            Err(Failure::says(Exit::Unknown, message).run(inspect(&handle), "who holds it now"))
        }
    }
}

fn say(
    arguments: &Arguments,
    handle: &LeaseHandle,
    outcome: &str,
    words: &str,
) -> Result<Exit, Failure> {
    let name = format!("lease.coordination.k8s.io/{}", handle.lease);
    match &arguments.output {
        Format::Name => output::data(&name)?,
        format if format.is_structured() => format.show(&json!({
            "apiVersion": API_VERSION, "kind": "LeaseRelease", "lease": handle.lease, "namespace": handle.namespace,
            "holder": handle.holder, "outcome": outcome, "dryRun": arguments.dry_run.mode.as_str(),
        }))?,
        _ => output::data(&format!("{name} {words}{}", arguments.dry_run.mode.suffix()))?,
    }
    Ok(Exit::Done)
}
