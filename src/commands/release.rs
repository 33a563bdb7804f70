//! `gwlock release`.

use clap::Args;
use gwlock_engine::protocol::release::Released;
use gwlock_engine::protocol::timing::Timing;

use super::claim::{ClaimArguments, inspect, lock_of};
use crate::cli::DryRun;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// Release a claim
///
/// Deletes the lease only if it is still this claim's. A lease that is gone already is fine (exit code 0); one that is
/// somebody else's is left alone (exit code 1).
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gwlock release --handle-file lease.json
  gwlock release prod/Deployment/payment-api --holder ops@host_0123456789abcdef")]
pub struct Arguments {
    #[command(flatten)]
    claim: ClaimArguments,
    /// Check, but do not write
    #[arg(long, value_enum, default_value_t, value_name = "MODE")]
    dry_run: DryRun,
}

pub(crate) async fn execute(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let cluster = context.cluster().await?;
    let handle = arguments.claim.handle(&cluster.namespace)?;
    let mut lock = lock_of(&cluster, &handle, Timing::default())?;
    let lease = format!("lease.coordination.k8s.io/{}", handle.lease);
    let suffix = match arguments.dry_run {
        DryRun::None => "",
        DryRun::Server => " (server dry run)",
        DryRun::Client => {
            output::data(&format!(
                "{lease} would be released if it is held by {} (dry run)",
                handle.holder
            ))?;
            return Ok(Exit::Done);
        }
    };
    if arguments.dry_run == DryRun::Server {
        lock = lock.with_dry_run();
    }
    match lock.release(&handle).await {
        Released::Deleted => {
            output::data(&format!("{lease} released{suffix}"))?;
            Ok(Exit::Done)
        }
        Released::AlreadyGone => {
            output::data(&format!("{lease} was gone already"))?;
            Ok(Exit::Done)
        }
        Released::NotOurs(record) => {
            let holder = record.holder().unwrap_or("nobody");
            let message = format!(
                "{} is held by {holder}, not by {}; nothing was deleted",
                handle.lease, handle.holder
            );
            Err(Failure::says(Exit::No, message).hint(inspect(&handle)))
        }
        Released::Refused(refusal) => Err(Failure::refused(&refusal, Some(&handle.namespace))),
        Released::Unreachable(message) => Err(Failure::unreachable(&message)),
        Released::Unknown(message) => {
            let message = format!(
                "nobody knows whether {} was deleted: {message}",
                handle.lease
            );
            Err(Failure::says(Exit::Unknown, message).hint(inspect(&handle)))
        }
    }
}
