//! How leases are printed: as a table, as names, or as data.

use std::io;
use std::panic::resume_unwind;
use std::thread;

use gwlock_engine::client::list::Listed;
use serde::Serialize;
use serde_json::{Value, json};

use super::Arguments;
use super::page::Page;
use super::report::{Report, Sheet};
use crate::output::table::Columns;
use crate::output::{self, API_VERSION, OutputError, colour, format::Format};

/// For fewer rows a thread is not worth its beginning.
const LEAST_SHARE: usize = 1000;

/// The object that `-o json` prints. Fields are sorted by their names, as kubectl sorts keys.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportList<T> {
    api_version: &'static str,
    items: T,
    kind: &'static str,
    /// By how many seconds this machine's clock is certainly ahead of the server's; negative if it is behind.
    machine_clock_skew_seconds: i64,
    /// What was asked for and could not be read.
    unread: Vec<Value>,
}

fn data<T: Serialize>(
    arguments: &Arguments,
    items: T,
    unread: Vec<Value>,
    machine_skew: i64,
) -> Result<(), OutputError> {
    let list = ReportList {
        api_version: API_VERSION,
        items,
        kind: "LeaseReportList",
        machine_clock_skew_seconds: machine_skew,
        unread,
    };
    if arguments.no_headers {
        return arguments.output.clone().without_header().show_large(&list);
    }
    arguments.output.show_large(&list)
}

fn unread(sheet: &Sheet<'_>) -> Vec<Value> {
    let gathered = sheet.surroundings.gathered.into_iter();
    let unread = gathered.flat_map(|gathered| &gathered.unread);
    unread
        .map(|one| json!({"resource": one.resource, "why": one.why.word()}))
        .collect()
}

/// One lease, with all that is known of it.
pub(super) fn one(
    arguments: &Arguments,
    page: &Page<'_>,
    sheet: &Sheet<'_>,
    machine_skew: i64,
) -> Result<(), OutputError> {
    if !arguments.output.is_structured() {
        return output::data(&page.text());
    }
    let mut value = json!(page.report);
    page.add_to(&mut value);
    data(arguments, [value], unread(sheet), machine_skew)
}

/// Many leases.
pub(super) fn list(
    arguments: &Arguments,
    sheet: &Sheet<'_>,
    machine_skew: i64,
) -> Result<(), OutputError> {
    match &arguments.output {
        Format::Name => output::stream(|out| {
            sheet
                .iter()
                .try_for_each(|report| writeln!(out, "{}", report.resource_name()))
        }),
        format if format.is_structured() => data(arguments, sheet, unread(sheet), machine_skew),
        _ => table(arguments, sheet),
    }
}

/// Rows are drawn by all processors: with very many leases that takes as long as the server takes to list them.
fn table(arguments: &Arguments, sheet: &Sheet<'_>) -> Result<(), OutputError> {
    let namespaces = arguments.all_namespaces;
    let detail = arguments.detail(sheet.surroundings.gathered.is_some());
    let mut columns = Columns::new(Report::header(namespaces, detail), colour::on_stdout());
    for report in sheet.iter() {
        columns.measure(&report.cells(namespaces, detail));
    }
    let draw = |items: &[Listed]| {
        let mut text = Vec::new();
        let share = Sheet { items, ..*sheet };
        let rows = share
            .iter()
            .map(|report| (report.cells(namespaces, detail), report.style()));
        columns.write_all(&mut text, rows).map(|()| text)
    };
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let share = sheet.items.len().div_ceil(processors).max(LEAST_SHARE);
    let mut shares = sheet.items.chunks(share);
    let first = shares.next().unwrap_or_default();
    output::stream(|out| {
        if !arguments.no_headers {
            columns.write_header(out)?;
        }
        thread::scope(|scope| {
            let others: Vec<_> = shares.map(|items| scope.spawn(|| draw(items))).collect();
            out.write_all(&draw(first)?)?;
            for drawn in others {
                // A panic over there goes on here.
                let text = drawn.join().unwrap_or_else(|panic| resume_unwind(panic))?;
                out.write_all(&text)?;
            }
            io::Result::Ok(())
        })
    })
}
