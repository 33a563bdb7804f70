//! `gwlock simulate collect`: the histories of a simulation's pods as one, and its verdict.

mod logs;
mod standing;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use super::{Shape, write};
use crate::commands::rbac::object_name;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, escape::escape_line};
use crate::sim::join::{Gap, Part, Standing};
use crate::sim::log::{Found, Log};
use crate::sim::{self, Report};

/// Gather the histories that pods of a simulation have logged, and judge them as one
///
/// Reads the logs of the pods of a Job that `simulate job` printed, and what stands on the cluster in the end; or the same
/// from files, wherever logs are kept. Clocks of different nodes are not the same: nobody is accused of an order that they
/// leave open. Exit code 1 if a rule was broken; 69, and 65 of files, if a history is not there or not complete.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gwlock simulate collect --job gwlock-simulate -n gwlock-simulation
  gwlock simulate collect --job gwlock-simulate -n gwlock-simulation --history joined.jsonl -o junit
  gwlock simulate collect pod-0.log pod-1.log")]
pub(crate) struct Arguments {
    /// Logs with histories, instead of those of a Job's pods
    #[arg(value_name = "FILE", required_unless_present = "job", conflicts_with = "job", value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,
    /// The Job, in the current namespace
    #[arg(long, value_name = "NAME", value_parser = object_name)]
    job: Option<String>,
    /// Judge what there is, where histories are missing or stop before their end
    #[arg(long)]
    partial: bool,
    /// Write the joined history into a file, a JSON object a line
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    history: Option<PathBuf>,
    /// Output format: table, json, yaml, junit, jsonpath=PATH
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Shape,
}

/// How many reasons are told.
const SHOWN: usize = 20;

/// What was found, wherever it was looked for.
#[derive(Debug, Default)]
struct Gathered {
    parts: Vec<Part>,
    /// Why there is less than there should be, a sentence each.
    lacks: Vec<String>,
    /// The members that one of these sentences is about.
    told: Vec<u32>,
    /// Lines of logs that are no history.
    others: usize,
}

impl Gathered {
    fn add(&mut self, from: &str, found: Found) {
        self.others += found.others;
        let parts = found.histories.into_iter().map(|history| Part {
            from: from.to_owned(),
            history,
        });
        self.parts.extend(parts);
    }
}

pub(crate) fn execute(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let Some(job) = &arguments.job else {
        let gathered = of_files(&arguments.files)?;
        return judge(arguments, gathered, None, Exit::BadInput);
    };
    context.block_on(async {
        let cluster = context.cluster().await?;
        let gathered = logs::gather(&cluster, job).await?;
        let standing = standing::read(&cluster, &gathered.parts).await?;
        judge(arguments, gathered, Some(standing), Exit::Unreachable)
    })
}

fn judge(
    arguments: &Arguments,
    gathered: Gathered,
    standing: Option<Standing>,
    incomplete: Exit,
) -> Result<Exit, Failure> {
    let Gathered {
        parts,
        mut lacks,
        told,
        others,
    } = gathered;
    if others > 0 {
        let lines = if others == 1 {
            "line was"
        } else {
            "lines were"
        };
        output::note(&format!("{others} other {lines} passed over"));
    }
    let is_empty = parts.is_empty();
    let joined = sim::gather(parts, standing);
    if let Ok((_, gaps)) = &joined {
        let news = gaps
            .iter()
            .filter(|gap| !matches!(gap, Gap::NoHistory(number) if told.contains(number)));
        for gap in news {
            if gap.is_harmless() {
                output::note(&gap.to_string());
            } else {
                lacks.push(gap.to_string());
            }
        }
    }
    if !lacks.is_empty() && (is_empty || !arguments.partial) {
        let more = lacks.len().saturating_sub(SHOWN);
        let lines = lacks.iter().take(SHOWN);
        let mut lacks: Vec<String> = lines.map(|lack| escape_line(lack).into_owned()).collect();
        if more > 0 {
            lacks.push(format!("and {more} more"));
        }
        let failure = Failure::says(
            incomplete,
            format!("not all histories are there:\n  {}", lacks.join("\n  ")),
        );
        return Err(match is_empty {
            true => failure,
            false => failure.again("--partial", "judges what there is"),
        });
    }
    for lack in &lacks {
        output::note(&escape_line(lack));
    }
    let (run, _) = joined.map_err(|error| Failure::new(Exit::BadInput, error))?;
    if let Some(doubt) = run.doubt() {
        output::note(&format!(
            "the clocks of the pods are known to {:.1} ms: what is closer together has no order",
            doubt.as_secs_f64() * 1000.0
        ));
    }
    if let Some(path) = &arguments.history {
        write(path, |file| run.write(file))?;
    }
    arguments.output.print(&Report::of_recorded(&run))
}

fn of_files(paths: &[PathBuf]) -> Result<Gathered, Failure> {
    let mut gathered = Gathered::default();
    for path in paths {
        let from = path.display().to_string();
        let found = of_file(path).map_err(|error| {
            Failure::new(Exit::BadInput, error.context(format!("cannot use {from}")))
        })?;
        if found.histories.is_empty() {
            gathered.lacks.push(nothing_in(&from, &found));
        }
        gathered.add(&from, found);
    }
    Ok(gathered)
}

fn of_file(path: &Path) -> anyhow::Result<Found> {
    let (mut file, mut log) = (File::open(path)?, Log::default());
    let mut bytes = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut bytes)?;
        if read == 0 {
            return Ok(log.finish());
        }
        log.feed(&bytes[..read])?;
    }
}

/// Why there is no history in a log.
fn nothing_in(from: &str, found: &Found) -> String {
    if found.headless > 0 {
        return format!(
            "the beginning of {from} is gone, {} events are left: nodes keep the end of long logs only",
            found.headless
        );
    }
    format!("there is no history in {from}")
}
