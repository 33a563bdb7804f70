//! `gwlock simulate check`.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use clap::Args;

use super::Shape;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::sim::{Report, Run};

/// Judge a history that was recorded
///
/// By the same rules as a simulation: --history writes what is read here, and docs/simulation.md describes the lines, so
/// that other programs can write them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gwlock simulate --scenario pause --history history.jsonl
  gwlock simulate check history.jsonl
  gwlock simulate check history.jsonl -o json")]
pub(crate) struct Arguments {
    /// The history, a JSON object a line
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Output format: table, json, yaml, junit, jsonpath=PATH
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Shape,
}

pub(super) fn execute(arguments: &Arguments) -> Result<Exit, Failure> {
    let path = arguments.file.display();
    let file = File::open(&arguments.file).map_err(|error| {
        let error = anyhow::Error::new(error).context(format!("cannot read {path}"));
        Failure::new(Exit::BadInput, error)
    })?;
    let run = Run::read(&mut BufReader::new(file))
        .map_err(|error| Failure::new(Exit::BadInput, error.context(path.to_string())))?;
    arguments.output.print(&Report::of_recorded(&run))
}
