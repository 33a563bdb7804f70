//! `gwlock dedup list`.

use std::collections::HashSet;

use clap::Args;
use gwlock_engine::remediation::RemediationRequest;
use gwlock_engine::remediation::dedup::is_active;
use jiff::Timestamp;
use serde::Serialize;

use super::row::{Item, Row};
use super::{Wanted, Where, in_place, now};
use crate::context::{Cluster, Context};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::gateway::dedup::{Listed, group};
use crate::output::table::Columns;
use crate::output::{self, API_VERSION, OutputError, colour, format::Format};

/// List RemediationRequests: what each has counted, and whether it suppresses new signals
///
/// Requests of one key stand together, active ones (*) first. SUPPRESSES says which of them counts the next signal of its
/// key, and why; where none does, the next signal makes a new one. Times are ages by the server's clock.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gwlock dedup list
  gwlock dedup list --active -A
  gwlock dedup list prod/Deployment/payment-api -o wide
  gwlock dedup list -o jsonpath='{range .items[*]}{.key}{\"\\t\"}{.active}{\"\\n\"}{end}'")]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Where,
    /// Label selector
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    selector: Option<String>,
    /// Only requests that are at work
    #[arg(long)]
    active: bool,
    /// No header line
    #[arg(long)]
    no_headers: bool,
    /// Output format: table, wide, json, yaml, name, jsonpath=PATH
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Format,
}

/// The object that `-o json` prints. Fields are sorted.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DedupList<'a> {
    api_version: &'static str,
    items: Vec<Item<'a>>,
    kind: &'static str,
}

pub(super) async fn execute(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let place = &arguments.place;
    let wanted = place.wanted()?;
    let cluster = context.cluster().await?;
    let selected = selected(arguments, &cluster, &wanted).await?;
    let listing = place.list(&cluster, &wanted, None).await?;
    let now = now(listing.date);
    let is_shown = |request: &RemediationRequest| {
        let is_active = is_active(request) && !request.deleting;
        let is_selected = selected
            .as_ref()
            .is_none_or(|selected| selected.contains(&request.uid));
        is_selected && (is_active || !arguments.active)
    };
    let shown: Vec<&Listed> = listing
        .items
        .iter()
        .filter(|listed| is_shown(&listed.request))
        .collect();
    let namespace = place.requests_in(&cluster);
    let missing: Vec<&str> = wanted
        .iter()
        .filter(|key| !key.is_among(&shown))
        .map(|key| key.text.as_str())
        .collect();
    let groups = group(listing.items);
    let items = groups.iter().map(|group| Item::of(group, now, is_shown));
    let items: Vec<Item<'_>> = items.filter(|item| !item.requests.is_empty()).collect();
    if !items.is_empty() || arguments.output.is_structured() {
        show(arguments, items, now)?;
    } else if wanted.is_empty() {
        output::note(&match &namespace {
            None => "No resources found".to_owned(),
            Some(namespace) => format!("No resources found in {namespace} namespace."),
        });
    }
    if missing.is_empty() {
        return Ok(Exit::Done);
    }
    let what = if arguments.active {
        "no active RemediationRequest"
    } else {
        "no RemediationRequest"
    };
    let place = in_place(namespace.as_deref());
    let message = format!("there is {what} of {} {place}", missing.join(", "));
    let list = match &namespace {
        Some(namespace) => format!("dedup list --controller-namespace {namespace}"),
        None => "dedup list -A".to_owned(),
    };
    Err(Failure::says(Exit::No, message).run(list, "the requests that there are"))
}

/// The uids of those that the label selector selects. The others are listed as well: one of them may be what suppresses.
async fn selected(
    arguments: &Arguments,
    cluster: &Cluster,
    wanted: &[Wanted],
) -> Result<Option<HashSet<String>>, Failure> {
    let Some(selector) = &arguments.selector else {
        return Ok(None);
    };
    let place = &arguments.place;
    let listing = place.list(cluster, wanted, Some(selector)).await?;
    let uids = listing.items.into_iter().map(|listed| listed.request.uid);
    Ok(Some(uids.collect()))
}

fn show(arguments: &Arguments, items: Vec<Item<'_>>, now: Timestamp) -> Result<(), OutputError> {
    match &arguments.output {
        Format::Name => output::stream(|out| {
            rows(&items).try_for_each(|row| writeln!(out, "{}", row.resource_name()))
        }),
        format if format.is_structured() => format.show_large(&DedupList {
            api_version: API_VERSION,
            items,
            kind: "DedupList",
        }),
        format => {
            let (namespaces, wide) = (arguments.place.all_namespaces, *format == Format::Wide);
            let mut columns = Columns::new(Row::header(namespaces, wide), colour::on_stdout());
            rows(&items).for_each(|row| columns.measure(&row.cells(now, namespaces, wide)));
            output::stream(|out| {
                if !arguments.no_headers {
                    columns.write_header(out)?;
                }
                let rows = rows(&items).map(|row| (row.cells(now, namespaces, wide), row.style()));
                columns.write_all(out, rows)
            })
        }
    }
}

fn rows<'i, 'a>(items: &'i [Item<'a>]) -> impl Iterator<Item = &'i Row<'a>> {
    items.iter().flat_map(|item| &item.requests)
}
