//! `gwlock verify`.

use clap::Args;
use gwlock_engine::client::lock::Standing;
use gwlock_engine::protocol::expiry::Verdict;
use gwlock_engine::protocol::timing::Timing;

use super::claim::{ClaimArguments, handle_failure, inspect, lock_of};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, age::age};

/// Say whether a claim still stands
///
/// Exit code 0 only while the lease exists with the claim's uid and holder and has not expired by the server's clock.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gwlock verify --handle-file lease.json && deploy
  gwlock verify prod/Deployment/payment-api --holder ops@host_0123456789abcdef")]
pub struct Arguments {
    #[command(flatten)]
    claim: ClaimArguments,
}

pub(crate) async fn execute(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let cluster = context.cluster().await?;
    let handle = arguments.claim.handle(&cluster.namespace)?;
    let lock = lock_of(&cluster, &handle, Timing::default())?;
    let lease = &handle.lease;
    let no = |why: String| {
        Err(Failure::says(
            Exit::No,
            format!("the claim on {lease} no longer stands: {why}"),
        )
        .hint(inspect(&handle)))
    };
    match lock
        .verify(&handle)
        .await
        .map_err(|error| handle_failure(error, &handle))?
    {
        Standing::Stands {
            verdict: Verdict::Held { evidence, .. },
            ..
        } => {
            let left = age(evidence.remaining());
            output::data(&format!(
                "lease.coordination.k8s.io/{lease} is held by {}, {left} left",
                handle.holder
            ))?;
            Ok(Exit::Done)
        }
        Standing::Gone => no("there is no such lease".to_owned()),
        Standing::Stands { record, verdict } | Standing::Broken { record, verdict } => {
            let holder = record.holder().unwrap_or("nobody");
            no(match verdict {
                Verdict::Deleting => "it is being deleted".to_owned(),
                _ if record.holder() != Some(handle.holder.as_str()) => {
                    format!("it is held by {holder}")
                }
                _ if !handle.uid.is_empty() && record.uid != handle.uid => {
                    "it was deleted and created again".to_owned()
                }
                Verdict::Expired(evidence) => format!(
                    "it expired {} ago",
                    age(evidence.age.saturating_sub(evidence.limit))
                ),
                Verdict::Free | Verdict::Held { .. } => format!("it is held by {holder}"),
            })
        }
    }
}
