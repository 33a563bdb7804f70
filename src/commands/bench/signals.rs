//! `gwlock bench signals`: load over HTTP at a constant rate, through replicas that are processes.
//!
//! ```text
//! mix (what, when) -> generator (open loop) -> alerts (HTTP) -> replicas
//!                     tally, scrape, exact <- answers, metrics, RemediationRequests
//!                     measured -> checks, report
//! ```

mod alerts;
mod block;
mod checks;
mod exact;
mod fleet;
mod generator;
mod measured;
mod mix;
mod plan;
mod progress;
mod report;
mod rows;
mod scrape;
mod search;
mod stop;
mod tally;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};

use super::Compare;
use super::place::Place;
use crate::context::{Cluster, Context};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::flags::duration;
use crate::output::{self, format::Format};

use block::{Block, Ended};
use measured::Measured;
use report::Report;
use stop::Stop;

/// See [`super::What::Signals`].
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Signals per second [default: 100]
    #[arg(long, value_parser = rate, value_name = "R")]
    rate: Option<f64>,
    /// How long each load takes [default: 30s, 10s with --find-rate]
    #[arg(long, value_parser = some_time, value_name = "DURATION")]
    duration: Option<Duration>,
    /// Share of signals whose fingerprint has been sent before [default: 0.9]
    #[arg(long, value_parser = share, value_name = "SHARE")]
    duplicates: Option<f64>,
    /// How many of the newest fingerprints duplicates are of; half of them are of the oldest tenth of so many
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000), default_value_t = 100, value_name = "K")]
    fingerprints: u32,
    /// How many replicas are started; signals go to them in turn
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=50), default_value_t = 3, value_name = "N")]
    replicas: u32,
    /// How long the rate grows before it is measured
    #[arg(long, value_parser = duration, default_value = "2s", value_name = "DURATION")]
    warm_up: Duration,
    /// Measure several rates, one after the other
    #[arg(long, value_parser = rate, value_delimiter = ',', conflicts_with_all = ["rate", "preset"], value_name = "R,…")]
    rates: Vec<f64>,
    /// Search the highest rate that is held, starting with --rate: no failure, the p99 within --limit, and 98 % achieved
    #[arg(long, conflicts_with_all = ["rates", "preset"])]
    find_rate: bool,
    /// The p99 that has to be kept by --find-rate and by the preset thousand
    #[arg(long, value_parser = some_time, default_value = "50ms", value_name = "DURATION")]
    limit: Duration,
    /// Measure what has been promised, and say whether it is kept
    #[arg(long, value_enum, value_name = "NAME")]
    preset: Option<Preset>,
    /// Also measure this protocol, in turn
    #[arg(long, value_enum, value_name = "PROTOCOL")]
    compare: Option<Compare>,
    /// How often both protocols are measured with --compare
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100), default_value_t = 2, requires = "compare", value_name = "N")]
    repeats: u32,
    /// Write the metrics of gwlock's replicas, as if they were those of one, for `gwlock tune --metrics`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    save_metrics: Option<PathBuf>,
    /// Create RemediationRequests on this cluster without asking
    #[arg(short = 'y', long)]
    yes: bool,
    /// Print a table for a document
    #[arg(long, conflicts_with = "output")]
    markdown: bool,
    /// Output format: table, wide (with every block), json, yaml, jsonpath=PATH
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Format,
}

/// What is measured without having to be described.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Preset {
    /// 50 signals a second for 60 s: without a lock, with one each, and all with the same one
    P5,
    /// 1000 signals a second for 60 s, nine in ten of them duplicates
    Thousand,
}

/// What replicas speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Gwlock,
    Gateway,
    Unlocked,
}

impl Protocol {
    fn name(self) -> &'static str {
        match self {
            Self::Gwlock => "gwlock",
            Self::Gateway => "gateway",
            Self::Unlocked => "unlocked",
        }
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.1..=100_000.0).contains(&rate) => Ok(rate),
        _ => Err("a rate is a number of signals per second between 0.1 and 100000".to_owned()),
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a share is a number between 0 and 1".to_owned()),
    }
}

fn some_time(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("nothing is measured in no time".to_owned()),
        time => Ok(time),
    }
}

/// Where blocks are measured, one after the other.
struct Bench<'a> {
    context: &'a Context,
    cluster: &'a Cluster,
    place: Place,
    stop: Stop,
    /// How many blocks there have been.
    blocks: usize,
    /// Of gwlock's replicas.
    metrics: Vec<String>,
}

/// Why there is no report.
enum Broken {
    Interrupted(u8),
    Failed(Failure),
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Bench<'_> {
    /// Measures a block in a place of its own.
    async fn measure(&mut self, block: Block) -> Result<Measured, Broken> {
        let place = self.place.part(self.blocks);
        self.blocks += 1;
        let run = block.run(self.context, self.cluster, &place, &self.stop);
        match run.await? {
            Ended::Interrupted(number) => Err(Broken::Interrupted(number)),
            Ended::Measured(measured) => {
                if block.protocol == Protocol::Gwlock {
                    self.metrics.push(measured.metrics.clone());
                }
                Ok(*measured)
            }
        }
    }
}

pub(super) async fn execute(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    check(arguments)?;
    let cluster = context.cluster().await?;
    let place = Place::new(&cluster, "bench signals")?;
    place.ask(&cluster, arguments.yes).await?;
    place.check().await?;
    let mut bench = Bench {
        context,
        cluster: &cluster,
        place,
        stop: Stop::listen(),
        blocks: 0,
        metrics: Vec::new(),
    };
    let report = match plan::measure(arguments, &mut bench).await {
        Ok(report) => report,
        Err(Broken::Interrupted(number)) => return Ok(Exit::Signal(number)),
        Err(Broken::Failed(failure)) => return Err(failure),
    };
    print(arguments, &report)?;
    if let Some(path) = &arguments.save_metrics {
        save(path, &scrape::sum(&bench.metrics))?;
    }
    Ok(if report.is_met() {
        Exit::Done
    } else {
        Exit::No
    })
}

/// What can be known before anything is measured.
fn check(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.preset == Some(Preset::P5) && arguments.duplicates.is_some() {
        let message = "the preset p5 says itself how many duplicates there are";
        return Err(Failure::says(Exit::Usage, message));
    }
    match &arguments.save_metrics {
        Some(path) => save(path, ""),
        None => Ok(()),
    }
}

fn save(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| {
        let message = format!("cannot write {}", path.display());
        Failure::new(Exit::Config, anyhow::Error::new(error).context(message))
    })
}

fn print(arguments: &Arguments, report: &Report) -> Result<(), Failure> {
    if arguments.markdown {
        output::data(&report.markdown())?;
    } else if arguments.output.is_structured() {
        arguments.output.show(&report.value())?;
    } else {
        output::data(&report.text(arguments.output == Format::Wide))?;
    }
    Ok(())
}
