//! `gwlock simulate job`: the contention of a scenario as pods of a cluster. No cluster is asked.

mod manifest;

use std::time::Duration;

use clap::{Args, ValueHint};

use crate::commands::rbac::object_name;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::flags::duration;
use crate::output::{self, escape::shell_word};
use crate::sim;
use crate::sim::protocol::Protocol;
use crate::sim::scenario::Scenario;

use manifest::{Files, Job};

/// What the gateway's own leases are never in.
const NAMESPACE: &str = "gwlock-simulation";
/// The image of `deploy/`.
const IMAGE: &str = concat!("gwlock:", env!("CARGO_PKG_VERSION"));

/// Print an Indexed Job that runs the contention of a scenario as pods of a cluster
///
/// Each pod plays its part of the plan of the seed in real time: it starts a replica of its own, sends it its signals, and
/// kills and stops it as planned, all pods at the same time. It logs its history, which `simulate collect` gathers and
/// judges. Printed are the Job, its ServiceAccount with the least that it has to be granted, and what the signals are
/// about, in a namespace of its own unless -n names one; no cluster is asked.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gwlock simulate job --pods 5 --signals 200 | kubectl apply -f -
  kubectl -n gwlock-simulation wait --for=condition=complete --timeout=30m job/gwlock-simulate
  gwlock simulate collect --job gwlock-simulate -n gwlock-simulation
  gwlock simulate job --pods 5 --signals 200 | kubectl delete -f -")]
pub(crate) struct Arguments {
    /// What goes wrong: a name of --list-scenarios, or a YAML file
    #[arg(long, value_name = "NAME|FILE", default_value = "storm", value_hint = ValueHint::FilePath)]
    scenario: String,
    /// What everything random is drawn from
    #[arg(long, default_value_t = 1, value_name = "SEED")]
    seed: u64,
    /// How many pods [default: the scenario's]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000), value_name = "N")]
    pods: Option<u32>,
    /// How many signals [default: the scenario's]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000), value_name = "M")]
    signals: Option<u32>,
    /// How many fingerprints they have [default: the scenario's]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000), value_name = "K")]
    fingerprints: Option<u32>,
    /// When they come: burst, poisson:RATE a second, or a file with a line for each: seconds, and which fingerprint
    #[arg(long, value_name = "HOW")]
    arrival: Option<String>,
    /// Which protocol the pods speak: gwlock, gateway, or both in turn, as mixed:gwlock,gateway [default: the scenario's]
    #[arg(long, value_name = "PROTOCOL")]
    protocol: Option<Protocol>,
    /// Name of the Job and of what belongs to it
    #[arg(long, value_name = "NAME", default_value = "gwlock-simulate", value_parser = object_name)]
    name: String,
    /// Image of the pods; `gwlock` has to be its entry point
    #[arg(long, value_name = "IMAGE", default_value = IMAGE)]
    image: String,
    /// How long pods wait for each other, from when the first one has started; who comes later takes no part
    #[arg(long, value_parser = duration, default_value = "5m", value_name = "DURATION")]
    meet_within: Duration,
}

pub(crate) fn execute(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let namespace = context.given_namespace().map(object_name).transpose();
    let namespace = namespace.map_err(|error| Failure::says(Exit::Usage, error))?;
    let (mut scenario, mut files) = (super::read_scenario(&arguments.scenario)?, Files::default());
    let mut words = Vec::new();
    let mut word = |flag: &str, value: String| words.extend([flag.to_owned(), value]);
    if Scenario::built_in(&arguments.scenario).is_none() {
        files.add("scenario.yaml", read(&arguments.scenario)?);
        word("--scenario", Files::path("scenario.yaml"));
    } else {
        word("--scenario", arguments.scenario.clone());
    }
    word("--seed", arguments.seed.to_string());
    if let Some(protocol) = &arguments.protocol {
        word("--protocol", protocol.to_string());
        scenario.protocol = protocol.clone();
    }
    for (flag, value, own) in [
        ("--signals", arguments.signals, &mut scenario.signals),
        (
            "--fingerprints",
            arguments.fingerprints,
            &mut scenario.fingerprints,
        ),
    ] {
        if let Some(value) = value {
            word(flag, value.to_string());
            *own = value;
        }
    }
    if let Some(arrival) = &arguments.arrival {
        scenario.arrival = super::read_arrival(arrival)?;
        if arrival.parse::<sim::scenario::Arrival>().is_ok() {
            word("--arrival", arrival.clone());
        } else {
            files.add("arrivals", read(arrival)?);
            word("--arrival", Files::path("arrivals"));
        }
    }
    scenario.pods = arguments.pods.unwrap_or(scenario.pods);
    playable(&scenario)?;
    let lasting = sim::lasting(&scenario, arguments.seed);
    let job = Job {
        name: &arguments.name,
        namespace: namespace.as_deref().unwrap_or(NAMESPACE),
        has_namespace: namespace.is_some(),
        image: &arguments.image,
        pods: scenario.pods,
        fingerprints: scenario.fingerprints,
        words,
        files,
        meet_within: arguments.meet_within,
        lasting,
    };
    output::data(
        job.yaml()
            .map_err(|error| Failure::new(Exit::Bug, error))?
            .trim_end(),
    )?;
    let clocks = &scenario.clocks;
    if !(clocks.offset.is_zero() && clocks.api_server_offset.is_zero() && clocks.drift_ppm == 0) {
        output::note("pods have the clocks of their nodes: the scenario's clocks are left out");
    }
    output::note(&next(arguments, context, &job));
    Ok(Exit::Done)
}

/// Refuses what processes cannot be made to do.
fn playable(scenario: &Scenario) -> Result<(), Failure> {
    let protocol = scenario.protocol.to_string();
    if protocol.contains("create-only") {
        let message = "create-only needs a namespace of its own for each process, which pods are not allowed to make";
        return Err(Failure::says(Exit::Usage, message)
            .run("simulate --protocol create-only", "without a cluster"));
    }
    Ok(())
}

fn read(path: &str) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::says(Exit::BadInput, format!("cannot read {path}: {error}")))
}

/// The commands that follow.
fn next(arguments: &Arguments, context: &Context, job: &Job<'_>) -> String {
    let (program, cluster) = context.called();
    let mut own = format!("{program} simulate job");
    let mut flag = |flag: &str, value: Option<String>| {
        if let Some(value) = value {
            own.push_str(&format!(" {flag} {}", shell_word(&value)));
        }
    };
    let number = |value: Option<u32>| value.map(|value| value.to_string());
    let other = |value: &str, usual: &str| (value != usual).then(|| value.to_owned());
    flag("--scenario", other(&arguments.scenario, "storm"));
    flag("--seed", Some(arguments.seed.to_string()));
    flag("--pods", number(arguments.pods));
    flag("--signals", number(arguments.signals));
    flag("--fingerprints", number(arguments.fingerprints));
    flag("--arrival", arguments.arrival.clone());
    flag(
        "--protocol",
        arguments.protocol.as_ref().map(ToString::to_string),
    );
    flag("--name", other(&arguments.name, "gwlock-simulate"));
    flag("--image", other(&arguments.image, IMAGE));
    flag("-n", job.has_namespace.then(|| job.namespace.to_owned()));
    let (name, namespace) = (job.name, job.namespace);
    let longest = (job.deadline().as_secs() / 60).max(1);
    format!(
        "the plan of seed {} takes {} s with {} pods; next:\n  \
         {own} | kubectl{cluster} apply -f -\n  \
         kubectl{cluster} -n {namespace} wait --for=condition=complete --timeout={longest}m job/{name}\n  \
         {program} simulate collect --job {name} -n {namespace}{cluster}\n  \
         {own} | kubectl{cluster} delete -f -",
        arguments.seed,
        job.lasting.as_secs() + 1,
        job.pods,
    )
}
