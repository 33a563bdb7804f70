//! `gwlock inspect`: first what is known of each lease, then how it is shown.

mod report;
mod watch;

use std::io;
use std::panic::resume_unwind;
use std::thread;
use std::time::Duration;

use clap::{Args, ValueEnum};
use gwlock_engine::client::lease_api::LeaseApi;
use gwlock_engine::client::list::{self, Listed, Listing};
use gwlock_engine::client::{Clock, SystemClock};
use gwlock_engine::protocol::exchange::{Answer, Request};
use gwlock_engine::protocol::key::{
    GATEWAY_PREFIX, INTERACTIVE_PREFIX, LeaseName, ORCHESTRATOR_PREFIX,
};

use super::key::{self, KeyAs};
use crate::context::{Cluster, Context};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::table::Columns;
use crate::output::{self, OutputError, colour, format::Format};

use report::{Report, Reports};

pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// For fewer rows a thread is not worth its beginning.
const LEAST_SHARE: usize = 1000;

/// Which leases a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Prefix {
    /// The gateway's
    GwLock,
    /// The remediation orchestrator's
    RoLock,
    /// Those of interactive sessions, which do not expire
    KubernautInteractive,
    /// Every lease
    All,
}

/// Show leases: who holds them, whether they have expired, and by which evidence
///
/// Expiry is judged by the server's clock alone: the Date of the answer against the server's own stamp of the last
/// write to the lease's spec. Neither the holder's clock nor this machine's matters.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gwlock inspect
  gwlock inspect prod/Deployment/payment-api -o wide
  gwlock inspect -A --prefix all -o json
  kubectl get remediationrequests -o name | gwlock inspect --key-as text -")]
pub(crate) struct Arguments {
    /// Leases to show: names, fingerprints, targets, any text; - reads them from stdin [default: all]
    #[arg(value_name = "KEY", add = key::completer())]
    keys: Vec<String>,
    /// How the keys are read
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    key_as: KeyAs,
    /// Which leases to list (repeatable)
    #[arg(
        long,
        value_enum,
        default_value = "gw-lock",
        value_name = "PREFIX",
        conflicts_with = "keys"
    )]
    prefix: Vec<Prefix>,
    /// All namespaces
    #[arg(short = 'A', long, conflicts_with = "keys")]
    all_namespaces: bool,
    /// Label selector
    #[arg(short = 'l', long, value_name = "SELECTOR", conflicts_with = "keys")]
    selector: Option<String>,
    /// Show every change as it happens: a live table on a terminal, and otherwise a row per change
    ///
    /// Every row is a consistent read. Reads are shared when much changes at once: the last state of each lease is always
    /// shown, and what a read did not see on the way there is not shown.
    #[arg(short, long)]
    watch: bool,
    /// No header line
    #[arg(long)]
    no_headers: bool,
    /// Output format: table, wide, json, yaml, name, jsonpath=PATH
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Format,
}

impl Prefix {
    fn matches(self, name: &str) -> bool {
        match self {
            Self::GwLock => name.starts_with(GATEWAY_PREFIX),
            Self::RoLock => name.starts_with(ORCHESTRATOR_PREFIX),
            Self::KubernautInteractive => name.starts_with(INTERACTIVE_PREFIX),
            Self::All => true,
        }
    }
}

impl Arguments {
    fn wants(&self, name: &str, keys: &[LeaseName]) -> bool {
        if keys.is_empty() {
            self.prefix.iter().any(|prefix| prefix.matches(name))
        } else {
            keys.iter().any(|key| key.as_str() == name)
        }
    }

    /// Where is looked; `None` is everywhere.
    fn namespace<'a>(&self, cluster: &'a Cluster) -> Option<&'a str> {
        Some(cluster.namespace.as_str()).filter(|_| !self.all_namespaces)
    }

    fn is_table(&self) -> bool {
        matches!(self.output, Format::Table | Format::Wide)
    }

    fn is_wide(&self) -> bool {
        self.output == Format::Wide
    }
}

pub(crate) async fn execute(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let keys = key::several(&arguments.keys, arguments.key_as)?;
    let cluster = context.cluster().await?;
    let listing = look(arguments, &keys, &cluster).await?;
    if arguments.watch {
        return watch::run(arguments, &keys, &cluster, listing).await;
    }
    if !listing.items.is_empty() || arguments.output.is_structured() {
        show(arguments, &listing)?;
        if !keys.is_empty() && arguments.is_table() {
            point_to_removal(&listing, context);
        }
    } else if keys.is_empty() {
        output::note(&match arguments.namespace(&cluster) {
            None => "No resources found".to_owned(),
            Some(namespace) => format!("No resources found in {namespace} namespace."),
        });
    }
    let missing: Vec<LeaseName> = keys
        .into_iter()
        .filter(|key| !listing.items.iter().any(|item| item.name == key.as_str()))
        .collect();
    if missing.is_empty() {
        return Ok(Exit::Done);
    }
    let names: Vec<&str> = missing.iter().map(LeaseName::as_str).collect();
    let message = format!(
        "there is no lease {} in namespace {}: nobody holds it",
        names.join(", "),
        cluster.namespace
    );
    let all = format!("inspect -n {} --prefix all", cluster.namespace);
    Err(Failure::says(Exit::No, message).run(all, "the leases that there are"))
}

/// Whoever asks for a lease by name is told what to do about it.
fn point_to_removal(listing: &Listing, context: &Context) {
    let (program, flags) = context.called();
    for report in Reports(listing).iter().filter(Report::is_stale) {
        let (namespace, name) = report.lease();
        let command = format!("{program} force-expire {name} -n {namespace}{flags}");
        let hint = format!("{command}   # removes its holder");
        output::problem("hint", colour::HINT, &hint);
    }
}

/// The report on one lease as JSON, `null` if there is none, and the `Date` of the answer.
pub(super) async fn report_on(
    key: &LeaseName,
    cluster: &Cluster,
) -> Result<(serde_json::Value, Option<jiff::Timestamp>), Failure> {
    let (listed, date) = read(key, &cluster.namespace, cluster).await?;
    let report = listed.map(|listed| Report::of(&listed, date).value());
    Ok((report.unwrap_or_default(), date))
}

async fn look(
    arguments: &Arguments,
    keys: &[LeaseName],
    cluster: &Cluster,
) -> Result<Listing, Failure> {
    match keys {
        [] => list_all(arguments, cluster).await,
        keys => read_each(keys, cluster).await,
    }
}

async fn list_all(arguments: &Arguments, cluster: &Cluster) -> Result<Listing, Failure> {
    let namespace = arguments.namespace(cluster);
    let timeout = cluster.request_timeout.unwrap_or(DEFAULT_TIMEOUT);
    let wanted = |name: &str| arguments.wants(name, &[]);
    match list::list(
        &cluster.client,
        namespace,
        arguments.selector.as_deref(),
        timeout,
        wanted,
    )
    .await
    {
        Ok(listing) => Ok(listing),
        Err(list::ListError::Refused(refusal)) => Err(Failure::refused(&refusal, namespace)),
        Err(error) => Err(error.into()),
    }
}

async fn read_each(keys: &[LeaseName], cluster: &Cluster) -> Result<Listing, Failure> {
    let mut listing = Listing {
        items: Vec::new(),
        date: None,
        resource_version: String::new(),
    };
    for key in keys {
        let (item, date) = read(key, &cluster.namespace, cluster).await?;
        listing.date = listing.date.or(date);
        if let Some(item) = item {
            listing
                .resource_version
                .clone_from(&item.record.resource_version);
            listing.items.push(item);
        }
    }
    Ok(listing)
}

async fn read(
    key: &LeaseName,
    namespace: &str,
    cluster: &Cluster,
) -> Result<(Option<Listed>, Option<jiff::Timestamp>), Failure> {
    let api = LeaseApi::new(cluster.client.clone(), namespace, key.clone());
    let timeout = cluster.request_timeout.unwrap_or(DEFAULT_TIMEOUT);
    let clock: &dyn Clock = &SystemClock;
    let reply = api
        .exchange(&Request::Get, None, timeout, clock)
        .await
        .reply;
    match reply.answer {
        Answer::Lease(record) => {
            let item = Listed {
                namespace: namespace.to_owned(),
                name: key.to_string(),
                record: *record,
            };
            Ok((Some(item), reply.date))
        }
        Answer::NotFound => Ok((None, reply.date)),
        Answer::Refused(refusal) => Err(Failure::refused(&refusal, Some(namespace))),
        Answer::NotExecuted(why) => Err(Failure::unreachable(&why.message)),
        Answer::Unclear(message) => Err(Failure::unreachable(&message)),
        other => Err(Failure::unreachable(&format!(
            "unexpected answer {other:?}"
        ))),
    }
}

fn show(arguments: &Arguments, listing: &Listing) -> Result<(), OutputError> {
    let reports = Reports(listing);
    match &arguments.output {
        Format::Name => output::stream(|out| {
            reports
                .iter()
                .try_for_each(|report| writeln!(out, "{}", report.resource_name()))
        }),
        format if format.is_structured() => format.show_large(&reports.list()),
        _ => show_table(arguments, listing),
    }
}

/// Rows are drawn by all processors: with very many leases that takes as long as the server takes to list them.
fn show_table(arguments: &Arguments, listing: &Listing) -> Result<(), OutputError> {
    let (namespaces, wide) = (arguments.all_namespaces, arguments.is_wide());
    let mut columns = Columns::new(Report::header(namespaces, wide), colour::on_stdout());
    for report in Reports(listing).iter() {
        columns.measure(&report.cells(namespaces, wide));
    }
    let draw = |items: &[Listed]| {
        let mut text = Vec::new();
        let reports = items.iter().map(|item| Report::of(item, listing.date));
        let rows = reports.map(|report| (report.cells(namespaces, wide), report.style()));
        columns.write_all(&mut text, rows).map(|()| text)
    };
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let share = listing.items.len().div_ceil(processors).max(LEAST_SHARE);
    let mut shares = listing.items.chunks(share);
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
