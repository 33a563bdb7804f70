//! `gwlock acquire`.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueHint};
use gwlock_engine::client::list::Listed;
use gwlock_engine::client::{AcquireError, LeaseHandle, LeaseLock};
use gwlock_engine::protocol::expiry::{Rule, Verdict};
use gwlock_engine::protocol::key::LeaseName;
use gwlock_engine::protocol::record::LeaseRecord;
use gwlock_engine::protocol::release::Released;

use super::claim::{self, TimingArguments, handle_value, write_handle};
use super::gather::Gathered;
use super::inspect::behind::PodView;
use super::key::KeyArguments;
use crate::context::{Cluster, Context, interrupted};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::flags::{DryRun, DryRunFlag, duration};
use crate::output::escape::shell_word;
use crate::output::{self, OutputError, age::age, format::Format, progress, table};

/// How long it may take to see whether a holder's pod is gone.
const PATIENCE: Duration = Duration::from_secs(2);

/// Acquire a lease and leave it held
///
/// The lease is not renewed after gwlock has ended: it expires after its duration unless `gwlock renew` is called. To
/// hold it while a command runs, renewals included, use `gwlock run`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gwlock acquire prod/Deployment/payment-api --handle-file lease.json
  gwlock renew --handle-file lease.json
  gwlock release --handle-file lease.json
  gwlock acquire nightly-backup --wait 0 || echo somebody else does it")]
pub(crate) struct Arguments {
    #[command(flatten)]
    key: KeyArguments,
    #[command(flatten)]
    timing: TimingArguments,
    /// How long to wait for a lease that somebody holds; 0 tries once. The default outlives a crashed holder
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "35s")]
    wait: Duration,
    /// Who acquires [default: $POD_NAME, user@host]; a nonce is appended
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    identity: Option<String>,
    /// Write the claim to this file, for renew, verify and release
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    handle_file: Option<PathBuf>,
    /// Exit code when the lease is busy, instead of 75
    #[arg(short = 'E', long, value_name = "CODE")]
    busy_exit_code: Option<u8>,
    #[command(flatten)]
    dry_run: DryRunFlag,
    /// Output format: table, json, yaml, name, jsonpath=PATH
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Format,
}

pub(crate) async fn execute(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let name = arguments.key.lease()?;
    let timing = arguments.timing.timing()?;
    let cluster = context.cluster().await?;
    let base = Context::identity(arguments.identity.as_deref());
    let mut builder = claim::builder(&cluster, &cluster.namespace, name.clone(), &base, timing);
    match arguments.dry_run.mode {
        DryRun::Client => {
            output::data(&format!(
                "lease.coordination.k8s.io/{name} would be acquired by {base} in {} (dry run)",
                cluster.namespace
            ))?;
            return Ok(Exit::Done);
        }
        DryRun::Server => builder = builder.dry_run(),
        DryRun::None => {}
    }
    let lock = builder.build();
    let waiting = progress::waiting(format!("waiting for {name} in {}", cluster.namespace));
    let acquired = tokio::select! {
        acquired = lock.acquire(arguments.wait) => acquired,
        interrupted = interrupted() => {
            drop(waiting);
            return cancelled(&lock, interrupted).await;
        }
    };
    drop(waiting);
    let guard = match acquired {
        Ok(guard) => guard,
        Err(error) => {
            let removal = removal(&error, &name, &cluster).await;
            let busy = arguments.busy_exit_code.map_or(Exit::Busy, Exit::BusyAs);
            let duration = arguments.timing.lease_duration;
            let namespace = &cluster.namespace;
            let failure = failure(error, busy, duration, &name, namespace, Some("acquire"));
            return Err(match removal {
                Some((command, why)) => failure.run(command, why),
                None => failure,
            });
        }
    };
    let requests = guard.requests();
    let handle = LeaseHandle {
        requests,
        ..guard.leave().await
    };
    if let Err(failure) = hand_over(&handle, arguments) {
        // A claim that nobody can find again would only block others.
        return Err(match lock.release(&handle).await {
            Released::Deleted | Released::AlreadyGone => {
                failure.hint("the lease was released again")
            }
            Released::Refused(refusal) => {
                failure.and(Failure::refused(&refusal, Some(&handle.namespace)))
            }
            Released::NotOurs(_) | Released::Unreachable(_) | Released::Unknown(_) => {
                failure.hint("the lease could not be released again; it expires by itself")
            }
        });
    }
    Ok(Exit::Done)
}

/// Tells whoever called of the claim: by the file, if there is to be one, otherwise by what is printed.
fn hand_over(handle: &LeaseHandle, arguments: &Arguments) -> Result<(), Failure> {
    let path = arguments.handle_file.as_ref();
    if let Some(path) = path.filter(|_| arguments.dry_run.mode == DryRun::None) {
        write_handle(path, handle)?;
    }
    match show(handle, arguments) {
        // Whoever has the file needs no output.
        Err(OutputError::ReaderGone) if path.is_some() => Ok(()),
        shown => shown.map_err(|error| Failure::new(Exit::Unreachable, error)),
    }
}

fn show(handle: &LeaseHandle, arguments: &Arguments) -> Result<(), OutputError> {
    let suffix = arguments.dry_run.mode.suffix();
    match &arguments.output {
        Format::Name => output::data(&format!(
            "lease.coordination.k8s.io/{}{suffix}",
            handle.lease
        )),
        format if format.is_structured() => format.show(&handle_value(handle)),
        _ => {
            let row = vec![
                format!("{}{suffix}", handle.lease),
                handle.holder.clone(),
                handle.fencing_token.clone(),
                handle.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            ];
            output::data(&table::render(
                &["LEASE", "HOLDER", "TOKEN", "EXPIRES"],
                &[row],
            ))
        }
    }
}

/// A half-made acquisition is undone in the background; a second signal does not wait for that.
async fn cancelled(lock: &LeaseLock, number: u8) -> Result<Exit, Failure> {
    output::note("cancelled; undoing what was half made");
    tokio::select! {
        () = lock.settled() => {}
        _ = interrupted() => {}
    }
    Ok(Exit::Signal(number))
}

/// The command that removes whoever holds a busy lease, and why it may be run: the lease has expired and nobody took it,
/// or its holder's pod is gone. Whether the pod is there is a question of its own, which holds nobody up for long.
async fn removal(
    error: &AcquireError,
    name: &LeaseName,
    cluster: &Cluster,
) -> Option<(String, &'static str)> {
    let AcquireError::Busy {
        holder: Some((record, verdict)),
    } = error
    else {
        return None;
    };
    let namespace = &cluster.namespace;
    let command = format!("force-expire {name} -n {namespace}");
    match verdict {
        Verdict::Expired(_) => return Some((command, "removes its holder: it has expired")),
        Verdict::Held { .. } => {}
        Verdict::Free | Verdict::Deleting => return None,
    }
    let listed = Listed {
        namespace: namespace.clone(),
        name: name.to_string(),
        record: record.as_ref().clone(),
    };
    let question = Gathered::pod_alone(cluster, &listed);
    let gathered = tokio::time::timeout(PATIENCE, question).await.ok()?;
    let PodView::Seen(seen) = PodView::behind(&listed, &gathered) else {
        return None;
    };
    let reason = shell_word(&format!("pod {} is gone", seen.name));
    seen.is_gone().then(|| {
        (
            format!("{command} --even-if-live --reason {reason}"),
            "removes its holder, whose pod is gone",
        )
    })
}

/// Why a lease was not acquired. `busy` is the exit for one that somebody holds; `again` is the command that could be
/// tried again with no more than a key.
pub(super) fn failure(
    error: AcquireError,
    busy: Exit,
    lease_duration: Duration,
    name: &LeaseName,
    namespace: &str,
    again: Option<&str>,
) -> Failure {
    let inspect = format!("inspect {name} -n {namespace}");
    match error {
        AcquireError::Busy {
            holder: Some((record, verdict)),
        } => {
            let message = format!("{name} in {namespace} is {}", held_by(&record, verdict));
            let failure = Failure::says(busy, message).run(inspect, "who holds it now");
            match again {
                Some(command) => failure.run(
                    format!("{command} {name} -n {namespace} --wait {}s", wait_for(verdict)),
                    "waits until it can have expired",
                ),
                None => failure.again(
                    format!("--wait {}s", wait_for(verdict)),
                    "waits until that can have expired",
                ),
            }
        }
        AcquireError::Busy { holder: None } => {
            let message = format!("{name} in {namespace} is contended: others were faster each time it was free");
            Failure::says(busy, message).run(inspect, "who holds it now")
        }
        AcquireError::Refused(refusal) => Failure::refused(&refusal, Some(namespace)),
        AcquireError::Unreachable(message) => Failure::unreachable(&message),
        AcquireError::Unknown(message) => {
            let after = age(lease_duration);
            let message = format!(
                "nobody knows whether {name} was acquired: {message}; if it was, it expires {after} after its last write"
            );
            Failure::says(Exit::Unknown, message).run(inspect, "whether it was")
        }
        AcquireError::ClockLied { .. } => Failure::new(Exit::Unreachable, error)
            .hint("the clocks of the API servers, or a proxy's Date header, are wrong: compare date -u on the control plane's nodes"),
        AcquireError::Cancelled => Failure::new(Exit::Bug, error),
    }
}

fn held_by(record: &LeaseRecord, verdict: Verdict) -> String {
    let holder = record.holder().unwrap_or("nobody");
    match verdict {
        Verdict::Held { evidence, .. } | Verdict::Expired(evidence) => {
            let by = match evidence.rule {
                Rule::Server { .. } => "by the server's clock",
                Rule::Observed => "as observed from here; its server-side stamps are switched off",
            };
            format!(
                "held by {holder}, last renewed {} ago and expiring in {} {by}",
                age(evidence.age),
                age(evidence.remaining())
            )
        }
        Verdict::Deleting => {
            format!("being deleted, which a finalizer holds up; its holder was {holder}")
        }
        Verdict::Free => "free, but others were faster".to_owned(),
    }
}

fn wait_for(verdict: Verdict) -> u64 {
    match verdict {
        Verdict::Held { evidence, .. } => evidence.remaining().as_secs() + 3,
        _ => 35,
    }
}
