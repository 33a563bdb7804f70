//! `gwlock send`: a signal, to a gateway or through the protocol.

mod answer;
mod burst;
mod direct;
mod gateway;
mod report;
mod signal;
mod trace;

use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use serde_json::Value;
use tokio::time::timeout;

use crate::context::{Context, interrupted};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::flags::{DryRun, DryRunFlag};
use crate::gateway::compose::Source;
use crate::gateway::payload::MAX_BODY;
use crate::output::{self, format::Format};

use super::resolve::Version;
use answer::Answer;
use burst::BurstArguments;
use direct::{Direct, DirectArguments};
use gateway::{Gateway, GatewayArguments};
use signal::SignalArguments;
use trace::Tracer;

const LAB_EXAMPLE: &str =
    "gwlock lab -- gwlock send --direct --alertname A --namespace prod --pod checkout-6b5d4c-k8s2p";

/// How long releases may take at the end, after everything has been answered.
const RELEASES: Duration = Duration::from_secs(10);

/// Send a signal to a gateway, or through the protocol on the current cluster
///
/// A signal is made from flags, or read from a file: a webhook of Alertmanager or a Kubernetes event. --gateway sends it
/// to a running gateway, ours or another one; --direct does here what a gateway would do, and starts a real remediation.
///
/// Exit codes: 0 created, counted or resolved, 1 rejected, 65 bad payload, 69 not reachable or the gateway failed, 75
/// lease busy, 76 outcome unknown, 77 not allowed, 78 configuration. Of several signals the worst counts: 76, 77, 78, 69,
/// 75, 65, 1, 0.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gwlock lab -- gwlock send --direct --alertname HighMemoryUsage --severity warning --namespace prod --pod checkout-6b5d4c-k8s2p
  gwlock send --gateway http://127.0.0.1:8080 --event BackOff --namespace prod --kind Pod --name checkout-6b5d4c-k8s2p
  gwlock send --template prometheus | gwlock send --gateway https://gateway:8443 --token-file token -f -
  gwlock send --direct --dry-run=server --trace -f payload.json
  gwlock send --gateway http://127.0.0.1:8080 --alertname Storm --namespace prod --pod load --repeat 10 --concurrency 5 --distinct-targets")]
pub(crate) struct Arguments {
    #[command(flatten)]
    signal: SignalArguments,
    #[command(flatten)]
    gateway: GatewayArguments,
    #[command(flatten)]
    direct: DirectArguments,
    #[command(flatten)]
    burst: BurstArguments,
    #[command(flatten)]
    dry_run: DryRunFlag,
    /// Show every step on stderr: signal, target, fingerprint, lease, each request, decision
    #[arg(long)]
    trace: bool,
    /// Whose rules for targets and fingerprints are followed
    #[arg(long, value_enum, default_value = "current", value_name = "VERSION")]
    gateway_version: Version,
    /// Output format: table, wide, json, yaml, name, jsonpath=PATH
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Format,
}

/// Where signals go.
enum Way {
    Gateway(Box<Gateway>),
    Direct(Box<Direct>),
}

pub(crate) async fn execute(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    if let Some(source) = arguments.signal.template() {
        Format::Json.show(&source.template(signal::now()))?;
        return Ok(Exit::Done);
    }
    arguments.signal.check()?;
    arguments.check_way()?;
    if arguments.output.is_structured() {
        // A path that is not understood is said before anything is started.
        arguments.output.print(&Value::Null)?;
    }
    let tracer = Tracer::new(arguments.trace);
    let sent = send(arguments, context, &tracer).await;
    tracer.end();
    let sent = sent?;
    report::print(arguments, sent)
}

async fn send(
    arguments: &Arguments,
    context: &Context,
    tracer: &Tracer,
) -> Result<burst::Sent, Failure> {
    // What is wrong with where it goes is said before a payload is asked for on stdin.
    let gateway = Gateway::of(arguments, context, tracer)?;
    let limit = match gateway {
        Some(_) => signal::MOST_SENT,
        None => MAX_BODY,
    };
    let mut payload = arguments.signal.payload(limit)?;
    if arguments.burst.distinct_targets {
        payload = payload.about_distinct_targets()?;
    }
    let way = match gateway {
        Some(gateway) => Way::Gateway(Box::new(gateway)),
        None => {
            let direct = Direct::on(arguments, context, tracer).await?;
            direct.confirm(arguments, &payload).await?;
            Way::Direct(Box::new(direct))
        }
    };
    let sent = burst::send(arguments, &way, &payload).await;
    way.settle().await;
    sent
}

/// Refuses flags that nothing would come of. The parser lets them pass where the one that they need is excluded.
fn refuse_without(needed: &str, is_there: bool, flags: &[(&str, bool)]) -> Result<(), Failure> {
    match flags.iter().find(|(_, is_given)| *is_given && !is_there) {
        Some((flag, _)) => {
            let message = format!("{flag} goes with {needed}, which is not given");
            Err(Failure::says(Exit::Usage, message))
        }
        None => Ok(()),
    }
}

impl Arguments {
    fn check_way(&self) -> Result<(), Failure> {
        if self.gateway.url().is_none() && !self.direct.is_wanted() {
            return Err(
                Failure::says(Exit::Usage, "one of --gateway URL and --direct is needed")
                    .again("--gateway http://127.0.0.1:8080", "sends it to a gateway")
                    .again("--direct", "does here what a gateway would do")
                    .hint(format!("{LAB_EXAMPLE}   # on a cluster to try things on")),
            );
        }
        self.gateway.check()?;
        self.direct.check()?;
        if self.gateway.url().is_some() && self.dry_run.mode == DryRun::Server {
            return Err(Failure::says(
                Exit::Usage,
                "no gateway can be asked to check a signal and not act on it",
            )
            .again("--dry-run=client", "shows what would be sent"));
        }
        Ok(())
    }
}

impl Way {
    /// What came of one request.
    async fn send(&self, source: Source, body: Bytes) -> Answer {
        match self {
            Self::Gateway(gateway) => gateway.send(source, body).await,
            Self::Direct(direct) => direct.send(source, body).await,
        }
    }

    /// Waits until leases are released, which goes on behind the answers.
    async fn settle(&self) {
        let Self::Direct(direct) = self else { return };
        let settled = async {
            tokio::select! {
                settled = timeout(RELEASES, direct.settled()) => settled.is_ok(),
                _ = interrupted() => false,
            }
        };
        if !settled.await {
            output::note("some leases could not be released; they expire by themselves");
        }
    }
}
