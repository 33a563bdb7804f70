//! `gwlock verify`.

use clap::Args;
use gwlock_engine::client::LeaseHandle;
use gwlock_engine::client::lock::Standing;
use gwlock_engine::protocol::expiry::{Evidence, Verdict};
use gwlock_engine::protocol::record::LeaseRecord;
use gwlock_engine::protocol::timing::Timing;
use serde_json::json;

use super::claim::{ClaimArguments, handle_failure, inspect, lock_of};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, API_VERSION, age::age, format::Format};

/// Say whether a claim still stands
///
/// Exit code 0 only while the lease exists with the claim's uid and holder and has not expired by the server's clock.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gwlock verify --handle-file lease.json && deploy
  gwlock verify prod/Deployment/payment-api --holder ops@host_0123456789abcdef")]
pub(crate) struct Arguments {
    #[command(flatten)]
    claim: ClaimArguments,
    /// Output format: table, json, yaml, name, jsonpath=PATH
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Format,
}

pub(crate) async fn execute(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let cluster = context.cluster().await?;
    let handle = arguments.claim.handle(&cluster)?;
    let lock = lock_of(&cluster, &handle, Timing::default())?;
    let standing = lock
        .verify(&handle)
        .await
        .map_err(|error| handle_failure(error, &handle))?;
    let why = match standing {
        Standing::Stands {
            verdict: Verdict::Held { evidence, .. },
            ..
        } => return stands(arguments, &handle, &evidence),
        Standing::Gone => "there is no such lease".to_owned(),
        Standing::Stands { record, verdict } | Standing::Broken { record, verdict } => {
            broken(&handle, &record, verdict)
        }
    };
    let message = format!("the claim on {} no longer stands: {why}", handle.lease);
    Err(Failure::says(Exit::No, message).run(inspect(&handle), "who holds it now"))
}

fn stands(
    arguments: &Arguments,
    handle: &LeaseHandle,
    evidence: &Evidence,
) -> Result<Exit, Failure> {
    let name = format!("lease.coordination.k8s.io/{}", handle.lease);
    let left = evidence.remaining();
    match &arguments.output {
        Format::Name => output::data(&name)?,
        format if format.is_structured() => format.show(&json!({
            "apiVersion": API_VERSION, "kind": "LeaseVerification", "lease": handle.lease,
            "namespace": handle.namespace, "holder": handle.holder, "stands": true,
            "remainingSeconds": left.as_secs(),
        }))?,
        _ => output::data(&format!(
            "{name} is held by {}, {} left",
            handle.holder,
            age(left)
        ))?,
    }
    Ok(Exit::Done)
}

/// Why a claim is broken, the surest reason first.
fn broken(handle: &LeaseHandle, record: &LeaseRecord, verdict: Verdict) -> String {
    let holder = record.holder().unwrap_or("nobody");
    match verdict {
        Verdict::Deleting => "it is being deleted".to_owned(),
        _ if holder != handle.holder => format!("it is held by {holder}"),
        _ if !handle.uid.is_empty() && record.uid != handle.uid => {
            "it was deleted and created again".to_owned()
        }
        Verdict::Expired(evidence) => {
            let since = evidence.age.saturating_sub(evidence.limit);
            format!("it expired {} ago", age(since))
        }
        Verdict::Free | Verdict::Held { .. } => format!("it is held by {holder}"),
    }
}
