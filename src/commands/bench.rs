//! `gwlock bench`.

mod bare;
mod block;
mod handoff;
mod place;
mod report;
mod requests;
#[cfg(all(feature = "serve", feature = "sim"))]
mod signals;

#[cfg(feature = "sim")]
use clap::ValueEnum;
use clap::{Args, Subcommand};
use gwlock_engine::client::list;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::DeleteParams;
use rand::rngs::{StdRng, SysRng};
use rand::{Rng, SeedableRng};

use crate::context::{Cluster, Context, interrupted};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, format::Format};

/// Measure on the current cluster
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

/// What is measured.
#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// Measure acquire and release, next to bare requests in the same run
    ///
    /// Blocks of gwlock's rounds and of bare hyper POST + DELETE alternate, so that the ratio holds although the
    /// machine's speed drifts. Leases named gwlock-bench-* are made in the namespace and removed, also on Ctrl-C.
    #[command(after_help = "Examples:
  gwlock bench lease
  gwlock bench lease --clients 8 --compare gateway -o json
  gwlock bench lease --handoff")]
    Lease(LeaseArguments),
    /// Count the API requests of a signal in every case, and what they add up to at a rate of signals
    ///
    /// Really sends signals through gwlock's protocol and counts what goes to the API server. On a cluster other than
    /// that of `gwlock lab` it asks first, because RemediationRequests start remediations. Works in a namespace of its
    /// own unless --namespace names one, and removes what it made, also on Ctrl-C.
    #[command(after_help = "Examples:
  gwlock lab -- gwlock bench requests
  gwlock lab -- gwlock bench requests --compare gateway -o wide
  gwlock bench requests --yes -o json")]
    Requests(requests::Arguments),
    /// Send signals at a constant rate to replicas, and measure latency, failures and API requests
    ///
    /// Starts replicas (gwlock serve) on this machine that work on the current cluster, and sends alerts to them over
    /// HTTP. Each signal has its time, whatever became of those before it, and its latency counts from that time. Ends
    /// with 1 if a signal failed or the RemediationRequests do not say what the senders were told. On a cluster other
    /// than that of `gwlock lab` it asks first, because RemediationRequests start remediations. Works in namespaces of
    /// its own unless --namespace names one, and removes what it made, also on Ctrl-C.
    #[cfg(all(feature = "serve", feature = "sim"))]
    #[command(after_help = "Examples:
  gwlock lab -- gwlock bench signals --rate 200
  gwlock lab -- gwlock bench signals --preset thousand
  gwlock bench signals --yes --find-rate --compare gateway
  gwlock bench signals --yes --rates 1,4,8,100,1000,5000 --duration 10s --markdown")]
    Signals(Box<signals::Arguments>),
}

/// See [`What::Lease`].
#[derive(Debug, Args)]
pub(crate) struct LeaseArguments {
    /// How many clients at once, several numbers one after the other
    #[arg(long, value_delimiter = ',', default_value = "1,8,32", value_name = "N,…", value_parser = clap::value_parser!(u32).range(1..=1000))]
    clients: Vec<u32>,
    /// Rounds of one block
    #[arg(long, default_value_t = 500, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    total: u32,
    /// How often the blocks alternate; medians are taken over these
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    repeats: u32,
    /// Also measure this protocol
    #[cfg(feature = "sim")]
    #[arg(long, value_enum, value_name = "PROTOCOL")]
    compare: Option<Compare>,
    /// Measure how long a waiting candidate needs to acquire after a release, instead of rounds
    #[arg(long)]
    handoff: bool,
    /// Output format: table, json, yaml, jsonpath=PATH
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Format,
}

/// What gwlock is compared with.
#[cfg(feature = "sim")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Compare {
    /// The Kubernaut Gateway's protocol
    Gateway,
}

pub(crate) async fn execute(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    match &arguments.what {
        What::Lease(arguments) => lease(arguments, context).await,
        What::Requests(arguments) => requests::execute(arguments, context).await,
        #[cfg(all(feature = "serve", feature = "sim"))]
        What::Signals(arguments) => signals::execute(arguments, context).await,
    }
}

async fn lease(arguments: &LeaseArguments, context: &Context) -> Result<Exit, Failure> {
    let cluster = context.cluster().await?;
    let run = StdRng::try_from_rng(&mut SysRng)
        .map_err(|error| Failure::new(Exit::Bug, error))?
        .next_u32();
    let prefix = format!("gwlock-bench-{run:08x}-");
    let measured = tokio::select! {
        measured = measure(arguments, &cluster, &prefix) => measured.map(Some),
        number = interrupted() => {
            output::note("interrupted; removing what the benchmark made");
            clean_up(&cluster, &prefix).await?;
            return Ok(Exit::Signal(number));
        }
    };
    clean_up(&cluster, &prefix).await?;
    if let Some(text) = measured? {
        output::data(&text)?;
    }
    Ok(Exit::Done)
}

async fn measure(
    arguments: &LeaseArguments,
    cluster: &Cluster,
    prefix: &str,
) -> Result<String, Failure> {
    if arguments.handoff {
        let report = handoff::measure(cluster, prefix, arguments.total.min(500)).await?;
        return Ok(report.print(&arguments.output)?);
    }
    let mut rows = Vec::new();
    let steps = u64::from(arguments.repeats) * arguments.clients.len() as u64;
    let bar = output::progress::bar(steps, "measuring");
    for &clients in &arguments.clients {
        let mut row = report::Row::new(clients);
        for repeat in 0..arguments.repeats {
            let names = block::Names {
                prefix,
                repeat,
                clients,
                total: arguments.total,
            };
            row.ours.push(block::ours(cluster, names).await?);
            row.bare.push(bare::block(cluster, names).await?);
            #[cfg(feature = "sim")]
            if arguments.compare == Some(Compare::Gateway) {
                row.gateway.push(block::gateway(cluster, names).await?);
            }
            bar.inc(1);
        }
        rows.push(row);
    }
    bar.finish_and_clear();
    Ok(report::print(&rows, &arguments.output)?)
}

async fn clean_up(cluster: &Cluster, prefix: &str) -> Result<(), Failure> {
    let timeout = std::time::Duration::from_secs(30);
    let left = list::list(
        &cluster.client,
        Some(&cluster.namespace),
        None,
        timeout,
        |name| name.starts_with(prefix),
    )
    .await
    .map_err(|error| Failure::unlisted(&error, Some(&cluster.namespace)))?;
    let leases: Api<Lease> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    for lease in left.items {
        match leases.delete(&lease.name, &DeleteParams::default()).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(error) => return Err(Failure::api(&error)),
        }
    }
    Ok(())
}
