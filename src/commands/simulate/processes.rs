//! `gwlock simulate --processes`.

use clap::{Args, ValueEnum};

use super::{Arguments, tell};
use crate::commands::consent::{self, Consent};
use crate::commands::served;
use crate::context::{Cluster, Context, interrupted};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;
use crate::process::replica::StartError;
use crate::sim::Settings;
use crate::sim::live::{self, Ground, Live};

/// Pods that are processes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Real processes")]
#[group(id = "real", multiple = true, conflicts_with_all = ["alone", "pods", "clock_skew", "seeds"])]
pub(super) struct Processes {
    /// Start so many processes instead of simulating pods, in real time
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100), value_name = "N")]
    processes: Option<u32>,
    /// Where they work
    #[arg(
        long,
        value_enum,
        default_value = "embedded",
        requires = "processes",
        value_name = "WHERE"
    )]
    on: On,
    /// Create RemediationRequests on that cluster without asking
    #[arg(short = 'y', long, requires = "processes")]
    yes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum On {
    /// On an API server in this process
    Embedded,
    /// On the current cluster, in a namespace that is made for it and removed
    Cluster,
}

impl Processes {
    pub(super) fn are_meant(&self) -> bool {
        self.processes.is_some()
    }
}

pub(super) async fn execute(
    arguments: &Arguments,
    mut settings: Settings,
    context: &Context,
) -> Result<Exit, Failure> {
    let flags = &arguments.processes;
    let count = flags.processes.unwrap_or(settings.scenario.pods);
    settings.scenario.pods = count;
    let clocks = &settings.scenario.clocks;
    if !(clocks.offset.is_zero() && clocks.api_server_offset.is_zero() && clocks.drift_ppm == 0) {
        output::note(
            "processes have the clock of this machine: the scenario's clocks are left out",
        );
    }
    let mut command = format!("{} --processes {count}", settings.command);
    let ground = match flags.on {
        On::Embedded => Ground::Embedded,
        On::Cluster => {
            let cluster = context.cluster().await?;
            ask(arguments, &cluster).await?;
            let elsewhere = format!("simulate --processes {count}");
            let namespace = &cluster.namespace;
            served::check(&cluster.client, namespace, elsewhere, "needs no cluster").await?;
            command.push_str(" --on cluster");
            Ground::Cluster(cluster.client)
        }
    };
    command.push_str(&format!(" --seed {}", arguments.seed));
    let live = Live::new(live::Settings {
        name: settings.name.clone(),
        scenario: settings.scenario.clone(),
        protocol: settings.protocol.clone(),
        seed: arguments.seed,
        ground,
        command,
    });
    let mut live = live.map_err(|error| Failure::new(Exit::Bug, error))?;
    let played = tokio::select! {
        biased;
        number = interrupted() => Err(number),
        played = live.play() => Ok(played),
    };
    if played.is_err() {
        live.abandon().await;
    }
    let cleaned = live.clean_up().await.map_err(failed);
    let run = match played {
        Err(number) => {
            output::note("interrupted; every process has been ended");
            cleaned?;
            return Ok(Exit::Signal(number));
        }
        Ok(played) => played.map_err(failed)?,
    };
    cleaned?;
    tell(arguments, &settings, &run)
}

/// How many there are to be.
pub(super) fn count(arguments: &Arguments) -> Option<u32> {
    arguments.processes.processes
}

/// Asks whether a cluster may be written to.
pub(super) async fn ask(arguments: &Arguments, cluster: &Cluster) -> Result<(), Failure> {
    let flags = &arguments.processes;
    let server = &cluster.config.cluster_url;
    let question = format!(
        "This makes a namespace on {server} and RemediationRequests in it; what watches them acts on them. It is removed at \
         the end."
    );
    match consent::ask(cluster, flags.yes, &question).await {
        Consent::Given => Ok(()),
        Consent::Refused => Err(Failure::says(Exit::No, "nothing was created")),
        Consent::NobodyThere => Err(Failure::says(
            Exit::Usage,
            "RemediationRequests start remediations, and nobody can be asked",
        )
        .again("--yes", "creates them without asking")
        .run(
            format!("simulate --processes {}", flags.processes.unwrap_or(1)),
            "needs no cluster",
        )),
    }
}

pub(super) fn failed(error: anyhow::Error) -> Failure {
    let exit = error.downcast_ref().map(StartError::exit);
    Failure::new(exit.unwrap_or(Exit::Unreachable), error)
}
