//! `gwlock bench requests`: what a signal costs the API server, by sending signals and counting.

mod cases;
mod clock;
mod place;
mod report;
mod tap;

use std::time::Duration;

use clap::Args;
use futures_util::future::try_join_all;

#[cfg(feature = "sim")]
use super::Compare;
use super::place::Place;
use crate::context::{Context, interrupted};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, format::Format};

use cases::{Case, Protocol};
use place::Scene;
use report::{Report, Row};

/// A case that takes longer than this does not work.
const PATIENCE: Duration = Duration::from_secs(120);

/// See [`super::What::Requests`].
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// How many signals come at once in the cases with several
    #[arg(long, default_value_t = 20, value_name = "K", value_parser = clap::value_parser!(u32).range(1..=1000))]
    simultaneous: u32,
    /// Also count this protocol's requests
    #[cfg(feature = "sim")]
    #[arg(long, value_enum, value_name = "PROTOCOL")]
    compare: Option<Compare>,
    /// Create RemediationRequests on this cluster without asking
    #[arg(short = 'y', long)]
    yes: bool,
    /// Print tables for a document, with every request
    #[arg(long, conflicts_with = "output")]
    markdown: bool,
    /// Output format: table, wide (with every request), json, yaml, jsonpath=PATH
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Format,
}

pub(super) async fn execute(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let cluster = context.cluster().await?;
    let place = Place::new(&cluster, "bench requests")?;
    place.ask(&cluster, arguments.yes).await?;
    place.check().await?;
    let scene = Scene::new(place);
    let counted = tokio::select! {
        counted = count(arguments, &scene) => counted.map(Some),
        number = interrupted() => {
            output::note("interrupted; removing what the benchmark made");
            scene.clean_up().await?;
            return Ok(Exit::Signal(number));
        }
    };
    scene.clean_up().await?;
    if let Some(report) = counted? {
        let text = if arguments.markdown {
            report.markdown()
        } else {
            report.print(&arguments.output)?
        };
        output::data(&text)?;
    }
    Ok(Exit::Done)
}

async fn count(arguments: &Arguments, scene: &Scene) -> Result<Report, Failure> {
    scene.place.prepare().await?;
    let protocols = &protocols(arguments);
    let _waiting = output::progress::waiting("counting requests".to_owned());
    // Cases have nothing to do with each other, and one of them waits until a lease has expired.
    let rows = Case::all(arguments.simultaneous).map(async |case| {
        let mut row = Row::of(case);
        for protocol in protocols {
            let counting = cases::count(scene, case, *protocol);
            let counted = tokio::time::timeout(PATIENCE, counting).await;
            let late = |_| Failure::says(Exit::Unreachable, format!("{case} takes too long"));
            row.add(*protocol, counted.map_err(late)??);
        }
        Ok::<_, Failure>(row)
    });
    let mut rows = try_join_all(rows).await?;
    rows.retain(|row| !row.is_empty());
    Ok(Report {
        simultaneous: arguments.simultaneous,
        rows,
    })
}

fn protocols(arguments: &Arguments) -> Vec<Protocol> {
    #[cfg(feature = "sim")]
    if arguments.compare == Some(Compare::Gateway) {
        return vec![Protocol::Gwlock, Protocol::Gateway];
    }
    let _ = arguments;
    vec![Protocol::Gwlock]
}
