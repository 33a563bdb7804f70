//! `gwlock simulate`.

use std::time::Duration;

use clap::Args;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::flags::duration;
use crate::output::{self, format::Format};
use crate::sim::{self, Protocol, Settings};

/// Simulate many pods that contend for leases, and judge what happened
///
/// Runs on the embedded API server under a paused clock: nothing is installed, no time passes, and one seed gives the
/// same run every time. Each pod runs the real client code. Exit code 1 if two ever held a lease at once.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gwlock simulate
  gwlock simulate --pods 100 --keys 10 --seed 7
  gwlock simulate --protocol gateway --handlers 2")]
pub(crate) struct Arguments {
    /// How many pods
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10_000), value_name = "N")]
    pods: u32,
    /// How many requests each pod handles at the same time
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000), value_name = "N")]
    handlers: u32,
    /// How many keys they contend for
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000), value_name = "N")]
    keys: u32,
    /// How often each handler acquires
    #[arg(long, default_value_t = 4, value_name = "N")]
    rounds: u32,
    /// Longest time that a lease is held
    #[arg(long, value_parser = duration, default_value = "50ms", value_name = "DURATION")]
    hold: Duration,
    /// How long a handler waits for a lease
    #[arg(long, value_parser = duration, default_value = "35s", value_name = "DURATION")]
    wait: Duration,
    /// How far the pods' wall clocks are off at most, either way
    #[arg(long, value_parser = duration, default_value = "0s", value_name = "DURATION")]
    clock_skew: Duration,
    /// Which protocol the pods speak
    #[arg(long, value_enum, default_value_t, value_name = "PROTOCOL")]
    protocol: Protocol,
    /// What everything random is drawn from
    #[arg(long, default_value_t = 1, value_name = "SEED")]
    seed: u64,
    /// Output format: table, json, yaml, jsonpath=PATH
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Format,
}

pub(crate) fn execute(arguments: &Arguments) -> Result<Exit, Failure> {
    let report = sim::run(Settings {
        seed: arguments.seed,
        protocol: arguments.protocol,
        pods: arguments.pods,
        handlers: arguments.handlers,
        keys: arguments.keys,
        rounds: arguments.rounds,
        hold: arguments.hold,
        wait: arguments.wait,
        clock_skew: arguments.clock_skew,
    })
    .map_err(|error| Failure::new(Exit::Bug, error))?;
    let text = match &arguments.output {
        format if format.is_structured() => format.print(&report.value())?,
        _ => report.text(),
    };
    output::data(&text)?;
    Ok(if report.is_ok() { Exit::Done } else { Exit::No })
}
