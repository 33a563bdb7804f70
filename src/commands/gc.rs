//! `gwlock gc`: deletes leases that have expired, each only after a look of its own. Safe to run unattended.

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use gwlock_engine::client::SystemClock;
use gwlock_engine::client::lease_api::LeaseApi;
use gwlock_engine::client::list::{self, Listed, Listing};
use gwlock_engine::client::removal::{LookError, Remover};
use gwlock_engine::protocol::expiry::{Reading, Verdict, judge};
use gwlock_engine::protocol::key::{GATEWAY_PREFIX, LeaseName, ORCHESTRATOR_PREFIX};
use gwlock_engine::protocol::removal::Removed;
use gwlock_engine::protocol::timing::DEFAULT_MARGIN;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::inspect::DEFAULT_TIMEOUT;
use crate::context::{Cluster, Context, interrupted};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::flags::{self, DryRun, DryRunFlag};
use crate::output::{self, API_VERSION, format::Format};

/// Whose leases are collected. Others may mean something else by their fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Prefix {
    /// The gateway's
    GwLock,
    /// The remediation orchestrator's
    RoLock,
}

/// Delete leases that have expired and that nobody took over or released
///
/// Expiry is judged by the server's clock alone. Each lease is read again before it is deleted, by uid and
/// resourceVersion: what was renewed, taken over or released meanwhile is left alone and no failure. Leases without a
/// holder, without the server's stamp, or with another prefix are never deleted, nor is one because a pod is missing.
///
/// Asks nothing, and ends with 0 also if there was nothing to do: it can run as a CronJob.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gwlock gc --dry-run=client
  gwlock gc --older-than 1h
  gwlock gc -A --prefix gw-lock --max-per-second 5 -o json")]
pub(crate) struct Arguments {
    /// Whose leases (repeatable)
    #[arg(long, value_enum, value_name = "PREFIX", default_values = ["gw-lock", "ro-lock"])]
    prefix: Vec<Prefix>,
    /// All namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Only what has been expired for so long
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = flags::duration)]
    older_than: Duration,
    /// At most so many leases a second; a dry run on the client's side only lists
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    max_per_second: u32,
    #[command(flatten)]
    dry_run: DryRunFlag,
    /// Output format: table, json, yaml, name, jsonpath=PATH
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Format,
}

/// What became of one lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Deleted,
    /// It was renewed or taken over since the list.
    Changed,
    /// It was released since the list.
    Gone,
    /// A finalizer keeps it.
    Kept,
}

/// What became of all.
#[derive(Debug, Default)]
struct Tally {
    ended: Vec<(Listed, Outcome)>,
}

impl Prefix {
    const fn text(self) -> &'static str {
        match self {
            Self::GwLock => GATEWAY_PREFIX,
            Self::RoLock => ORCHESTRATOR_PREFIX,
        }
    }
}

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "Deleted",
            Self::Changed => "Changed",
            Self::Gone => "Gone",
            Self::Kept => "KeptByFinalizer",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Changed => "changed meanwhile",
            Self::Gone => "gone meanwhile",
            Self::Kept => "kept by a finalizer",
        }
    }
}

pub(crate) async fn execute(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let cluster = context.cluster().await?;
    let listing = list_all(arguments, &cluster).await?;
    let listed = listing.items.len();
    let expired = expired(listing, arguments.older_than);
    let found = expired.len();
    let mut tally = Tally::default();
    let ended = tokio::select! {
        ended = sweep(arguments, &cluster, expired, &mut tally) => ended.map(|()| Exit::Done),
        number = interrupted() => Ok(Exit::Signal(number)),
    };
    // What was deleted is told however it ended.
    tally.show(arguments, listed, found)?;
    ended
}

async fn list_all(arguments: &Arguments, cluster: &Cluster) -> Result<Listing, Failure> {
    let namespace = Some(cluster.namespace.as_str()).filter(|_| !arguments.all_namespaces);
    let timeout = cluster.request_timeout.unwrap_or(DEFAULT_TIMEOUT);
    let wanted = |name: &str| {
        let mut prefixes = arguments.prefix.iter();
        prefixes.any(|prefix| name.starts_with(prefix.text()))
    };
    list::list(&cluster.client, namespace, None, timeout, wanted)
        .await
        .map_err(|error| Failure::unlisted(&error, namespace))
}

/// What had expired when the list was made.
fn expired(listing: Listing, older_than: Duration) -> Vec<Listed> {
    let is_expired = |listed: &Listed| {
        let reading = Reading::first(&listed.record, listing.date);
        is_old_enough(&judge(&reading, DEFAULT_MARGIN), older_than)
    };
    listing.items.into_iter().filter(is_expired).collect()
}

fn is_old_enough(verdict: &Verdict, older_than: Duration) -> bool {
    match verdict {
        Verdict::Expired(evidence) => evidence.age.saturating_sub(evidence.limit) >= older_than,
        Verdict::Free | Verdict::Deleting | Verdict::Held { .. } => false,
    }
}

/// Between the beginnings of two.
fn pause(max_per_second: u32) -> Duration {
    Duration::from_secs(1) / max_per_second
}

async fn sweep(
    arguments: &Arguments,
    cluster: &Cluster,
    expired: Vec<Listed>,
    tally: &mut Tally,
) -> Result<(), Failure> {
    if arguments.dry_run.mode == DryRun::Client {
        // The list has shown what would be deleted; nothing is asked again.
        let would_be = expired.into_iter().map(|listed| (listed, Outcome::Deleted));
        tally.ended.extend(would_be);
        return Ok(());
    }
    let bar = output::progress::bar(expired.len() as u64, "collecting");
    let pause = pause(arguments.max_per_second);
    let mut due = Instant::now();
    for listed in expired {
        sleep_until(due).await;
        due = Instant::now() + pause;
        let outcome = collect(arguments, cluster, &listed).await?;
        tally.ended.push((listed, outcome));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

/// Looks at a lease again, and deletes what that look shows if it has expired still.
async fn collect(
    arguments: &Arguments,
    cluster: &Cluster,
    listed: &Listed,
) -> Result<Outcome, Failure> {
    let namespace = listed.namespace.as_str();
    let name = LeaseName::new(&listed.name).map_err(|error| Failure::new(Exit::Bug, error))?;
    let mut api = LeaseApi::new(cluster.client.clone(), namespace, name);
    if arguments.dry_run.mode == DryRun::Server {
        api = api.dry_run();
    }
    let timeout = cluster.request_timeout.unwrap_or(DEFAULT_TIMEOUT);
    let remover = Remover::new(
        api,
        Arc::new(SystemClock),
        timeout,
        timeout.saturating_mul(3),
    );
    let seen = match remover.look().await {
        Ok(Some(seen)) => seen,
        Ok(None) => return Ok(Outcome::Gone),
        Err(LookError::Refused(refusal)) => {
            return Err(Failure::refused(&refusal, Some(namespace)));
        }
        Err(LookError::Unreachable(message)) => return Err(Failure::unreachable(&message)),
    };
    if !is_old_enough(&seen.verdict, arguments.older_than) {
        return Ok(Outcome::Changed);
    }
    match remover.remove(&seen).await {
        Removed::Deleted => Ok(Outcome::Deleted),
        Removed::Kept => Ok(Outcome::Kept),
        Removed::AlreadyGone => Ok(Outcome::Gone),
        Removed::Changed(_) => Ok(Outcome::Changed),
        Removed::Refused(refusal) => Err(Failure::refused(&refusal, Some(namespace))),
        Removed::Unreachable(message) => Err(Failure::unreachable(&message)),
        Removed::Unknown(message) => {
            let name = &listed.name;
            let message = format!("nobody knows whether {name} was deleted: {message}");
            let inspect = format!("inspect {name} -n {namespace}");
            Err(Failure::says(Exit::Unknown, message).run(inspect, "whether it was"))
        }
    }
}

impl Tally {
    fn count(&self, wanted: Outcome) -> usize {
        let outcomes = self.ended.iter().map(|(_, outcome)| *outcome);
        outcomes.filter(|outcome| *outcome == wanted).count()
    }

    fn show(&self, arguments: &Arguments, listed: usize, expired: usize) -> Result<(), Failure> {
        if arguments.output.is_structured() {
            arguments
                .output
                .show(&self.value(arguments, listed, expired))?;
            return Ok(());
        }
        let suffix = arguments.dry_run.mode.suffix();
        for (lease, outcome) in &self.ended {
            let name = format!("lease.coordination.k8s.io/{}", lease.name);
            if arguments.output != Format::Name {
                let place = if arguments.all_namespaces {
                    format!(" in {}", lease.namespace)
                } else {
                    String::new()
                };
                output::data(&format!("{name}{place} {}{suffix}", outcome.words()))?;
            } else if *outcome == Outcome::Deleted {
                output::data(&name)?;
            }
        }
        let [deleted, changed, gone, kept] = self.counts();
        output::note(&format!(
            "{listed} leases, {expired} expired: {deleted} deleted, {changed} changed meanwhile, {gone} gone meanwhile, \
             {kept} kept by a finalizer{suffix}"
        ));
        Ok(())
    }

    fn counts(&self) -> [usize; 4] {
        [
            Outcome::Deleted,
            Outcome::Changed,
            Outcome::Gone,
            Outcome::Kept,
        ]
        .map(|outcome| self.count(outcome))
    }

    fn value(&self, arguments: &Arguments, listed: usize, expired: usize) -> Value {
        let [deleted, changed, gone, kept] = self.counts();
        let item = |(lease, outcome): &(Listed, Outcome)| {
            json!({
                "namespace": lease.namespace, "name": lease.name, "holder": lease.record.holder(),
                "outcome": outcome.as_str(),
            })
        };
        json!({
            "apiVersion": API_VERSION, "kind": "LeaseCollection", "dryRun": arguments.dry_run.mode.as_str(),
            "listed": listed, "expired": expired, "deleted": deleted, "changed": changed, "gone": gone,
            "keptByFinalizer": kept, "items": self.ended.iter().map(item).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use gwlock_engine::protocol::clock::Moment;
    use gwlock_engine::protocol::expiry::{Evidence, Rule};

    use super::*;

    #[test]
    fn a_pause_keeps_the_pace() {
        assert_eq!(pause(1), Duration::from_secs(1));
        assert_eq!(pause(20), Duration::from_millis(50));
    }

    #[test]
    fn what_is_old_enough_has_been_expired_for_so_long() {
        let evidence = |seconds: u64| Evidence {
            rule: Rule::Observed,
            age: Duration::from_secs(seconds),
            limit: Duration::from_secs(32),
        };
        let hour = Duration::from_secs(3600);
        for (verdict, expected) in [
            (Verdict::Expired(evidence(3632)), true),
            (Verdict::Expired(evidence(3631)), false),
            (Verdict::Free, false),
            (Verdict::Deleting, false),
            (
                Verdict::Held {
                    evidence: evidence(9999),
                    look_again: Moment::default(),
                },
                false,
            ),
        ] {
            assert_eq!(is_old_enough(&verdict, hour), expected, "{verdict:?}");
            assert!(!is_old_enough(&verdict, Duration::MAX), "{verdict:?}");
        }
    }
}
