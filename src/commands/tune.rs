//! `gwlock tune`: reads what was measured, and shows which timing follows from it. What follows is in `crate::tune`.

mod bench;
mod read;

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueHint};
use gwlock_engine::protocol::timing::Timing;
use tokio::sync::oneshot;

use super::simulate::range;
use crate::context::{Context, interrupted};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::flags::duration;
use crate::output::colour::ATTENTION;
use crate::output::{self, format::Format};
use crate::tune::Measured;
use crate::tune::advice::{Advice, TooFew, advise};
use crate::tune::report::Report;
use crate::tune::trial::{self, Trial};
use read::Source;

/// Recommend lease duration, renew deadline and retry period from what was measured
///
/// Shows for each duration how often a holder that is alive would lose its lease, and how long a crash is felt; takes the
/// shortest one that is safe enough, and simulates it on the same latencies and failures next to the present timing.
/// docs/tuning.md has the formulas. Exit code 1 if the samples cannot show that any duration is safe enough.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gwlock tune history.jsonl
  gwlock tune history-*.jsonl --target 1e-4 -o json
  gwlock tune --metrics http://127.0.0.1:9090/metrics --over 60s
  gwlock tune --metrics monday.txt --over 24h --no-simulation
  gwlock lab -- gwlock tune --bench --target 1e-3 -- --rate 100 --duration 60s
  gwlock simulate --scenario crash --signals 1000 --fingerprints 200 --arrival poisson:5 --history history.jsonl")]
pub(crate) struct Arguments {
    /// Histories, a JSON object a line, as `gwlock simulate --history` writes them; - is stdin
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, required_unless_present_any = ["metrics", "bench"])]
    histories: Vec<String>,
    /// Metrics of a replica: its URL, or a file with what it answered (repeatable)
    #[arg(long, value_name = "FILE|URL", value_hint = ValueHint::FilePath)]
    metrics: Vec<Source>,
    /// Run `gwlock bench signals` first, with the arguments behind --, on the current cluster, and use what its replicas count
    #[arg(long)]
    bench: bool,
    /// Arguments of `gwlock bench signals`
    #[arg(last = true, requires = "bench", value_name = "ARGUMENTS")]
    bench_arguments: Vec<OsString>,
    /// How long metrics are measured: two readings of each URL so far apart; for how long a file has counted
    #[arg(long, value_parser = some_time, requires = "metrics", value_name = "DURATION")]
    over: Option<Duration>,
    /// Which share of the holds may be lost while their holder is alive
    #[arg(long, value_parser = share, default_value = "1e-6", value_name = "SHARE")]
    target: f64,
    /// The seeds that are simulated, both ends included
    #[arg(long, value_parser = range, default_value = "1..50", value_name = "FIRST..LAST")]
    seeds: (u64, u64),
    /// How many seeds at the same time [default: the number of processors]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024), value_name = "N")]
    jobs: Option<u16>,
    /// Simulate nothing
    #[arg(long, conflicts_with_all = ["seeds", "jobs"])]
    no_simulation: bool,
    /// Output format: table, json, yaml, jsonpath=PATH
    #[arg(short, long, value_name = "FORMAT", value_parser = shape, default_value = "table")]
    output: Format,
}

fn shape(text: &str) -> Result<Format, String> {
    match text.parse() {
        Ok(format @ (Format::Table | Format::Json | Format::Yaml | Format::JsonPath(_))) => {
            Ok(format)
        }
        _ => Err("allowed formats are: table, json, yaml, jsonpath=".to_owned()),
    }
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok();
    share
        .filter(|share| *share > 0.0 && *share < 1.0)
        .ok_or_else(|| format!("\"{text}\" is no share between 0 and 1: 1e-6 is"))
}

fn some_time(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("nothing can be measured in no time: 60s".to_owned()),
        some => Ok(some),
    }
}

pub(crate) async fn execute(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let benched = match arguments.bench {
        // It has to be waited for in its own way.
        true => Some(bench::measured(arguments, context).await?),
        false => None,
    };
    let examined = tokio::select! {
        examined = examine(arguments, context, benched) => examined?,
        number = interrupted() => return Ok(Exit::Signal(number)),
    };
    match arguments.output.is_structured() {
        true => arguments.output.show(&examined.value())?,
        false => output::data(&examined.text())?,
    }
    if examined.is_ok() {
        return Ok(Exit::Done);
    }
    Err(refused(&examined))
}

async fn examine(
    arguments: &Arguments,
    context: &Context,
    benched: Option<(String, Measured)>,
) -> Result<Report, Failure> {
    let (mut sources, mut measured) = read::all(arguments, context).await?;
    if let Some((source, benched)) = benched {
        measured.absorb(&benched);
        sources.push(source);
    }
    let advice = advise(&measured, arguments.target).map_err(too_few)?;
    warn(&measured);
    let measured = Arc::new(measured);
    let mut trials = Vec::new();
    if !arguments.no_simulation {
        for timing in to_be_tried(&advice) {
            trials.push(tried(arguments, measured.clone(), timing).await?);
        }
    }
    Ok(Report {
        sources,
        measured: Arc::unwrap_or_clone(measured),
        advice,
        trials,
    })
}

/// The recommended timing, then the present one. What is not recommended is not tried.
fn to_be_tried(advice: &Advice) -> Vec<Timing> {
    let Some(chosen) = &advice.chosen else {
        return Vec::new();
    };
    let mut timings = vec![chosen.timing];
    if chosen.timing != advice.present.timing {
        timings.push(advice.present.timing);
    }
    timings
}

/// On threads of its own, which end with the process if nobody waits any more.
async fn tried(
    arguments: &Arguments,
    measured: Arc<Measured>,
    timing: Timing,
) -> Result<Trial, Failure> {
    let threads = match arguments.jobs {
        Some(jobs) => usize::from(jobs),
        None => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let (tell, told) = oneshot::channel();
    let seeds = arguments.seeds;
    std::thread::spawn(move || {
        // Whoever waited may have gone.
        let _ = tell.send(trial::run(&measured, timing, seeds, threads));
    });
    let trial = told.await.map_err(|error| Failure::new(Exit::Bug, error))?;
    trial.map_err(|error| Failure::new(Exit::Bug, error))
}

fn too_few(error: TooFew) -> Failure {
    Failure::new(Exit::No, error)
        .run(
            "simulate --scenario crash --signals 1000 --fingerprints 200 --arrival poisson:5 --history history.jsonl",
            "writes a history that is long enough",
        )
        .hint("give more histories, or longer ones, or metrics over a longer time")
}

fn warn(measured: &Measured) {
    let mut warnings = Vec::new();
    if measured.pauses.is_none() {
        warnings.push("how often processes stand still is left out: neither metrics nor recorded histories tell of it");
    }
    if measured.watched <= 0.0 {
        warnings.push(
            "nothing says for how long the metrics have counted, so nothing is known of outages; --over says it",
        );
    }
    for warning in warnings {
        output::problem("warning", ATTENTION, warning);
    }
}

/// The answer is no: nothing can be recommended, or a simulation speaks against it.
fn refused(report: &Report) -> Failure {
    let advice = &report.advice;
    if advice.chosen.is_some() {
        return Failure::says(Exit::No, "a rule was broken in the simulation");
    }
    let message = format!(
        "the samples cannot show that at most {:.0e} of the holds are lost",
        advice.target
    );
    let failure = Failure::says(Exit::No, message);
    match report.advice.reachable {
        reachable if reachable < 0.5 => failure.again(
            format!("--target {}", rounded_up(reachable)),
            "what they can show",
        ),
        _ => failure.hint("give histories, or metrics with --over, of a longer time"),
    }
}

/// To one digit, never down.
fn rounded_up(share: f64) -> String {
    let size = 10_f64.powf(share.log10().floor());
    format!("{:.0e}", (share / size).ceil() * size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_to_one_that_is_taken_and_not_less() {
        for (given, expected) in [
            (3.2e-4, "4e-4"),
            (9.5e-4, "1e-3"),
            (2e-7, "2e-7"),
            (0.11, "2e-1"),
        ] {
            let text = rounded_up(given);
            assert_eq!(text, expected);
            assert!(share(&text).unwrap() >= given * 0.999_999, "{given}");
        }
    }

    /// The flags that are printed, as every command takes them.
    #[derive(Debug, clap::Parser)]
    struct Pasted {
        #[command(flatten)]
        timing: crate::commands::claim::TimingArguments,
    }

    #[test]
    fn flags_that_are_printed_are_the_timing_that_was_judged() {
        use clap::Parser as _;

        let ms = Duration::from_millis;
        for (duration, deadline, retry) in [(30_000, 20_000, 2000), (20_000, 13_333, 1340)] {
            let timing = Timing::new(ms(duration), ms(deadline), ms(retry)).unwrap();
            let flags = crate::tune::report::flags(timing);
            let words = std::iter::once("x").chain(flags.split(' '));
            let pasted = Pasted::try_parse_from(words).unwrap();
            assert_eq!(pasted.timing.timing().unwrap(), timing);
        }
    }

    #[test]
    fn shares_and_times_that_cannot_be_meant_are_refused() {
        for text in ["0", "1", "-1", "NaN", "little"] {
            assert!(share(text).is_err(), "{text}");
        }
        assert!(some_time("0s").is_err());
        assert_eq!(some_time("60s"), Ok(Duration::from_secs(60)));
        assert!(shape("wide").is_err());
    }
}
