//! `gwlock simulate`.

mod check;
mod collect;
mod job;
#[cfg(feature = "serve")]
mod member;
#[cfg(feature = "serve")]
mod processes;

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::flags::duration;
use crate::output::escape::shell_word;
use crate::output::{self, format::Format, table};
use crate::sim::leases;
use crate::sim::protocol::Protocol;
use crate::sim::scenario::{Arrival, Scenario};
use crate::sim::{self, Report, Run, Settings};

/// Simulate many pods that signals reach and that contend for leases, and judge what happened
///
/// Runs on the embedded API server under a paused clock: nothing is installed, no time passes, and one seed gives the
/// same run every time. Each pod runs the real client code, on a network and with clocks that a scenario makes go wrong.
/// Exit code 1 if a rule of the protocol was broken; docs/simulation.md lists the rules.
///
/// With --rounds, --handlers, --keys, --hold or --wait the pods acquire and release leases, and take no signals.
///
/// With --processes each pod is a process, `gwlock serve`, and a plan takes the time that it takes: signals come over HTTP,
/// a crash is a kill -9, a pause is a SIGSTOP, and everything else that goes wrong sits between the process and the API
/// server. Wall clocks and API servers that differ are left out then.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  gwlock simulate
  gwlock simulate --scenario everything --seeds 1..1000
  gwlock simulate --scenario pause --protocol gateway --seed 7 --timeline
  gwlock simulate --pods 3 --signals 20 --arrival poisson:2 --history history.jsonl
  gwlock simulate check history.jsonl
  gwlock simulate --protocol gateway --handlers 2
  gwlock simulate --processes 4 --scenario crash
  gwlock simulate --processes 4 --scenario everything --on cluster"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    signals: Signals,
    #[command(flatten)]
    leases: Leases,
    #[cfg(feature = "serve")]
    #[command(flatten)]
    processes: processes::Processes,
    #[cfg(feature = "serve")]
    #[command(flatten)]
    one: member::OneOfSeveral,
    /// How many pods [default: the scenario's; 5 without one]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000), value_name = "N")]
    pods: Option<u32>,
    /// How far the pods' wall clocks are off at most, either way [default: the scenario's; 0s without one]
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    clock_skew: Option<Duration>,
    /// Which protocol the pods speak: gwlock, gateway, gateway-january, create-only, unlocked, or several in turn, as
    /// mixed:gwlock,gateway [default: the scenario's; gwlock without one]
    #[arg(long, value_name = "PROTOCOL")]
    protocol: Option<Protocol>,
    /// What everything random is drawn from
    #[arg(long, default_value_t = 1, value_name = "SEED")]
    seed: u64,
    /// Output format: table, json, yaml, junit, jsonpath=PATH
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Shape,
}

#[derive(Debug, Subcommand)]
enum What {
    Check(check::Arguments),
    Job(Box<job::Arguments>),
    Collect(collect::Arguments),
}

/// What is simulated with signals.
#[derive(Debug, Args)]
#[command(next_help_heading = "Signals")]
struct Signals {
    /// What goes wrong: a name of --list-scenarios, or a YAML file [default: storm]
    #[arg(long, value_name = "NAME|FILE")]
    scenario: Option<String>,
    /// List the scenarios, and simulate nothing
    #[arg(long, conflicts_with_all = ["scenario", "seeds", "history", "svg", "timeline"])]
    list_scenarios: bool,
    /// How many signals
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000), value_name = "M")]
    signals: Option<u32>,
    /// How many fingerprints they have
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000), value_name = "K")]
    fingerprints: Option<u32>,
    /// When they come: burst, poisson:RATE a second, or a file with a line for each: seconds, and which fingerprint
    #[arg(long, value_name = "HOW")]
    arrival: Option<String>,
    /// Simulate every seed of a range instead, both ends included
    #[arg(long, value_parser = range, conflicts_with = "seed", value_name = "FIRST..LAST")]
    seeds: Option<(u64, u64)>,
    /// How many seeds at the same time [default: the number of processors]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024), requires = "seeds", value_name = "N")]
    jobs: Option<u16>,
    /// Draw who held what when
    #[arg(long, conflicts_with = "seeds")]
    timeline: bool,
    /// Draw it as a picture into a file
    #[arg(long, conflicts_with = "seeds", value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write everything that happened into a file, a JSON object a line
    #[arg(long, conflicts_with = "seeds", value_name = "FILE")]
    history: Option<PathBuf>,
}

/// What is simulated without signals.
#[derive(Debug, Args)]
#[command(next_help_heading = "Leases alone")]
#[group(id = "alone", multiple = true, conflicts_with = "Signals")]
struct Leases {
    /// How often each handler acquires [default: 4]
    #[arg(long, value_name = "N")]
    rounds: Option<u32>,
    /// How many requests each pod handles at the same time [default: 1]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000), value_name = "N")]
    handlers: Option<u32>,
    /// How many keys they contend for [default: 1]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000), value_name = "N")]
    keys: Option<u32>,
    /// Longest time that a lease is held [default: 50ms]
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    hold: Option<Duration>,
    /// How long a handler waits for a lease [default: 35s]
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    wait: Option<Duration>,
}

/// The formats of `-o`, and JUnit's.
#[derive(Debug, Clone)]
enum Shape {
    Of(Format),
    Junit,
}

impl FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "junit" => Ok(Self::Junit),
            "wide" | "name" => Err(expected()),
            _ => text.parse().map(Self::Of).map_err(|_| expected()),
        }
    }
}

fn expected() -> String {
    "allowed formats are: table, json, yaml, junit, jsonpath=".to_owned()
}

impl Shape {
    fn print(&self, report: &Report) -> Result<Exit, Failure> {
        match self {
            Self::Junit => output::data(&report.junit())?,
            Self::Of(format) if format.is_structured() => format.show(&report.value())?,
            Self::Of(_) => output::data(&report.text())?,
        }
        Ok(verdict(report.is_ok()))
    }
}

fn verdict(is_ok: bool) -> Exit {
    if is_ok { Exit::Done } else { Exit::No }
}

pub(crate) fn execute(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    match &arguments.what {
        Some(What::Check(check)) => return check::execute(check),
        Some(What::Job(job)) => return job::execute(job, context),
        Some(What::Collect(collect)) => return collect::execute(collect, context),
        None => {}
    }
    if arguments.signals.list_scenarios || arguments.signals.scenario.as_deref() == Some("list") {
        output::data(&list())?;
        return Ok(Exit::Done);
    }
    if arguments.leases.is_meant() {
        return contend(arguments);
    }
    let settings = settings(arguments)?;
    #[cfg(feature = "serve")]
    if arguments.one.member.is_some() {
        let played = member::execute(arguments, settings, context);
        return context.block_on(played);
    }
    #[cfg(feature = "serve")]
    if arguments.processes.are_meant() {
        let played = processes::execute(arguments, settings, context);
        return context.block_on(played);
    }
    let _ = context;
    let flags = &arguments.signals;
    if let Some((first, last)) = flags.seeds {
        let threads = match flags.jobs {
            Some(jobs) => usize::from(jobs),
            None => std::thread::available_parallelism().map_or(1, usize::from),
        };
        let report = sim::sweep(&settings, first, last, threads).map_err(bug)?;
        return arguments.output.print(&report);
    }
    let run = sim::run(&settings, arguments.seed).map_err(bug)?;
    tell(arguments, &settings, &run)
}

/// Everything that was asked for of one run.
fn tell(arguments: &Arguments, settings: &Settings, run: &Run) -> Result<Exit, Failure> {
    let flags = &arguments.signals;
    if let Some(path) = &flags.history {
        write(path, |file| run.write(file))?;
    }
    if let Some(path) = &flags.svg {
        write(path, |file| file.write_all(run.svg().as_bytes()))?;
    }
    if flags.timeline {
        match &arguments.output {
            Shape::Of(Format::Table) => output::data(&format!("{}\n\n", run.timeline()))?,
            // stdout is for a program then.
            _ => output::note(&run.timeline()),
        }
    }
    arguments.output.print(&Report::of_run(settings, run))
}

impl Leases {
    fn is_meant(&self) -> bool {
        self.rounds.is_some()
            || self.handlers.is_some()
            || self.keys.is_some()
            || self.hold.is_some()
            || self.wait.is_some()
    }
}

fn contend(arguments: &Arguments) -> Result<Exit, Failure> {
    let flags = &arguments.leases;
    let report = leases::run(&leases::Settings {
        seed: arguments.seed,
        protocol: arguments.protocol.clone().unwrap_or_default(),
        pods: arguments.pods.unwrap_or(5),
        handlers: flags.handlers.unwrap_or(1),
        keys: flags.keys.unwrap_or(1),
        rounds: flags.rounds.unwrap_or(4),
        hold: flags.hold.unwrap_or(Duration::from_millis(50)),
        wait: flags.wait.unwrap_or(Duration::from_secs(35)),
        clock_skew: arguments.clock_skew.unwrap_or_default(),
    })
    .map_err(bug)?;
    match &arguments.output {
        Shape::Of(format) if format.is_structured() => format.show(&report.value())?,
        Shape::Of(_) => output::data(&report.text())?,
        Shape::Junit => {
            let message = "-o junit is for signals; with leases alone there are table, json, yaml and jsonpath=";
            return Err(Failure::says(Exit::Usage, message));
        }
    }
    Ok(verdict(report.is_ok()))
}

fn settings(arguments: &Arguments) -> Result<Settings, Failure> {
    let flags = &arguments.signals;
    let name = flags.scenario.as_deref().unwrap_or("storm");
    let mut scenario = read_scenario(name)?;
    let mut command = format!("gwlock simulate --scenario {}", shell_word(name));
    let mut flag = |name: &str, value: &dyn std::fmt::Display| {
        command.push_str(&format!(" {name} {}", shell_word(&value.to_string())));
    };
    if let Some(protocol) = &arguments.protocol {
        flag("--protocol", protocol);
        scenario.protocol = protocol.clone();
    }
    for (name, value, own) in [
        ("--pods", arguments.pods, &mut scenario.pods),
        ("--signals", flags.signals, &mut scenario.signals),
        (
            "--fingerprints",
            flags.fingerprints,
            &mut scenario.fingerprints,
        ),
    ] {
        if let Some(value) = value {
            flag(name, &value);
            *own = value;
        }
    }
    if let Some(skew) = arguments.clock_skew {
        flag("--clock-skew", &format!("{}ms", skew.as_millis()));
        scenario.clocks.offset = skew;
    }
    if let Some(arrival) = &flags.arrival {
        flag("--arrival", arrival);
        scenario.arrival = read_arrival(arrival)?;
    }
    Ok(Settings {
        name: name.to_owned(),
        protocol: scenario.protocol.clone(),
        scenario,
        command,
    })
}

fn read_scenario(name: &str) -> Result<Scenario, Failure> {
    if let Some(scenario) = Scenario::built_in(name) {
        return Ok(scenario);
    }
    let unknown = || {
        let message = format!("\"{name}\" is neither a scenario nor a file that can be read");
        Failure::says(Exit::Usage, message).run("simulate --list-scenarios", "lists the scenarios")
    };
    let yaml = std::fs::read_to_string(name).map_err(|_| unknown())?;
    Scenario::parse(&yaml).map_err(|error| {
        Failure::new(
            Exit::BadInput,
            anyhow::Error::new(error).context(name.to_owned()),
        )
        .hint("docs/simulation.md lists the fields of a scenario")
    })
}

fn read_arrival(text: &str) -> Result<Arrival, Failure> {
    let wrong = match text.parse() {
        Ok(arrival) => return Ok(arrival),
        Err(wrong) => wrong,
    };
    let Ok(lines) = std::fs::read_to_string(text) else {
        return Err(Failure::says(Exit::Usage, wrong));
    };
    Arrival::of_lines(&lines)
        .map_err(|wrong| Failure::says(Exit::BadInput, format!("{text}: {wrong}")))
}

fn list() -> String {
    let rows: Vec<Vec<String>> = Scenario::list()
        .into_iter()
        .map(|(name, help)| vec![name.to_owned(), help])
        .collect();
    table::render(&["SCENARIO", "WHAT HAPPENS"], &rows)
}

/// Both ends of `1..1000`.
pub(super) fn range(text: &str) -> Result<(u64, u64), String> {
    let expected = || format!("\"{text}\" is no range of seeds: 1..1000 is");
    let (first, last) = text.split_once("..").ok_or_else(expected)?;
    let number = |text: &str| text.trim_start_matches('=').parse::<u64>();
    match (first.parse::<u64>(), number(last)) {
        (Ok(first), Ok(last)) if first <= last && last < u64::MAX => Ok((first, last)),
        _ => Err(expected()),
    }
}

fn write(
    path: &Path,
    content: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let written = File::create(path).and_then(|file| {
        let mut file = BufWriter::new(file);
        content(&mut file)?;
        file.flush()
    });
    written.map_err(|error| {
        let message = format!("cannot write {}", path.display());
        Failure::new(Exit::Config, anyhow::Error::new(error).context(message))
    })
}

fn bug(error: anyhow::Error) -> Failure {
    Failure::new(Exit::Bug, error)
}
