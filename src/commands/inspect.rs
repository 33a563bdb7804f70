//! `gwlock inspect`: first what is known of each lease, then how it is shown.

mod asking;
pub(super) mod behind;
mod choose;
mod page;
mod reading;
mod report;
mod show;
mod watch;
mod words;

use std::time::Duration;

use clap::{Args, ValueEnum};
use gwlock_engine::client::list::Listing;
use gwlock_engine::protocol::key::{
    Fingerprint, GATEWAY_PREFIX, INTERACTIVE_PREFIX, Key, KeyOrigin, LeaseName, ORCHESTRATOR_PREFIX,
};
use jiff::Timestamp;
use serde_json::Value;

use super::key::{self, KeyAs};
use crate::context::{Cluster, Context};
use crate::evidence::findings::{LEAKED_AFTER, Looking, SKEW_WORTH_SAYING};
use crate::evidence::shared_name::shared_names;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::flags;
use crate::output::{self, colour, format::Format};

use asking::{Seen, behind as ask_behind};
use choose::{FailOn, SortBy};
use page::Page;
use reading::{look, read};
use report::{Detail, Report, Sheet, Surroundings};
use words::Voice;

pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

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
///
/// One KEY is shown as a page: holder, pod, node, RemediationRequest, ages by each clock, problems with what to do about
/// them, what happened, and the command to run next.
///
/// With KEYs, -o wide or --evidence the holder's pod, its node and the RemediationRequests are asked for as well. What
/// cannot be read is shown as forbidden, and a warning holds the rule that is missing. A pod that is gone or cannot be
/// reached is evidence, and never makes a lease stale: only the server's clock does.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gwlock inspect
  gwlock inspect prod/Deployment/payment-api
  gwlock inspect -A --prefix all -o json
  gwlock inspect -A --stale --fail-on stale -o name
  gwlock inspect --holder gateway-7f9c-x2x --sort-by expires -o wide
  gwlock inspect -o custom-columns=NAME:.name,AGE:.evidence.ageSeconds
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
    /// Only those that have expired
    #[arg(long, conflicts_with = "watch")]
    stale: bool,
    /// Only those of this holder: a pod or other base, or a whole identity
    #[arg(long, value_name = "POD", conflicts_with = "watch")]
    holder: Option<String>,
    /// Only those whose claim the server saw written longer ago than this (RENEWED of -o wide)
    #[arg(long, value_name = "DURATION", value_parser = flags::duration, conflicts_with = "watch")]
    older_than: Option<Duration>,
    /// Sort by a column, such as AGE, or a path, such as .evidence.ageSeconds
    #[arg(long, value_name = "COLUMN", value_parser = SortBy::parse, conflicts_with = "watch")]
    sort_by: Option<SortBy>,
    /// End with 1 if one that is shown is like this (repeatable); all are shown all the same
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "WHAT",
        conflicts_with = "watch"
    )]
    fail_on: Vec<FailOn>,
    /// After how many of its durations without a write an expired lease is called leaked
    #[arg(long, value_name = "N", default_value_t = LEAKED_AFTER)]
    leaked_after: u32,
    /// Ask for pods, nodes and RemediationRequests, whatever is shown
    #[arg(long, overrides_with = "no_evidence", conflicts_with = "watch")]
    evidence: bool,
    /// Ask for leases alone
    #[arg(long, overrides_with = "evidence")]
    no_evidence: bool,
    /// Namespace of the RemediationRequests [default: $KUBERNAUT_CONTROLLER_NAMESPACE, that of each lease]
    #[arg(long, value_name = "NAMESPACE")]
    controller_namespace: Option<String>,
    /// Show every change as it happens: a live table on a terminal, and otherwise a row per change
    ///
    /// Every row is a consistent read. Reads are shared when much changes at once: the last state of each lease is always
    /// shown, and what a read did not see on the way there is not shown.
    #[arg(short, long)]
    watch: bool,
    /// No header line
    #[arg(long)]
    no_headers: bool,
    /// Output format: table, wide, json, yaml, name, jsonpath=PATH, custom-columns=NAME:PATH,…
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

    /// What a table shows. `is_joined`: it was asked what stands behind the leases.
    fn detail(&self, is_joined: bool) -> Detail {
        match (self.is_wide(), is_joined) {
            (false, _) => Detail::Short,
            (true, false) => Detail::Wide,
            (true, true) => Detail::Joined,
        }
    }

    /// Whether it is asked what stands behind the leases. Names alone need nothing.
    fn wants_evidence(&self) -> bool {
        let is_usual = !self.keys.is_empty() || self.is_wide();
        !self.no_evidence && (self.evidence || is_usual && self.output != Format::Name)
    }

    /// Whether one lease is shown with all that is known of it.
    fn shows_one(&self, keys: &[LeaseName]) -> bool {
        keys.len() == 1 && (self.output == Format::Table || self.output.is_structured())
    }

    fn looking(&self) -> Looking {
        Looking {
            at_all_prefixes: self.prefix.contains(&Prefix::All) && self.keys.is_empty(),
            leaked_after: self.leaked_after,
        }
    }
}

pub(crate) async fn execute(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let (keys, fingerprints) = names(arguments)?;
    let cluster = context.cluster().await?;
    if arguments.watch {
        let listing = look(arguments, &keys, &cluster).await?;
        return watch::run(arguments, &keys, &cluster, listing).await;
    }
    let mut seen = Seen::read(arguments, &keys, &fingerprints, &cluster).await?;
    warn_of_this_clock(seen.machine_skew());
    let missing = missing(keys.clone(), &seen.listing);
    let were_there = seen.listing.items.len();
    let date = seen.listing.date;
    let shared = shared_names(&seen.listing.items, date).into_iter();
    let shared = shared.map(|(name, how)| (name.to_owned(), how)).collect();
    choose::keep(arguments, &mut seen.listing.items, date);
    let (gathered, events) = ask_behind(arguments, &fingerprints, &mut seen, &cluster).await;
    let (program, flags) = context.called();
    let surroundings = Surroundings {
        looking: arguments.looking(),
        voice: Voice { program, flags },
        gathered: gathered.as_ref(),
        shared,
    };
    choose::sort(arguments, &mut seen.listing.items, date, &surroundings);
    let sheet = Sheet {
        items: &seen.listing.items,
        date,
        surroundings: &surroundings,
    };
    if let ([listed], true) = (sheet.items, arguments.shows_one(&keys)) {
        let report = Report::within(listed, date, &surroundings);
        let page = Page {
            report: &report,
            listed,
            object: &seen.object,
            date,
            events,
            machine_skew: seen.machine_skew(),
            voice: &surroundings.voice,
        };
        show::one(arguments, &page, &sheet, seen.machine_skew())?;
    } else if !sheet.items.is_empty() || arguments.output.is_structured() {
        show::list(arguments, &sheet, seen.machine_skew())?;
        if !keys.is_empty() && arguments.is_table() {
            point_to_removal(&sheet);
        }
    } else if were_there > 0 {
        output::note(&format!(
            "No resources found that are like that, of {were_there}"
        ));
    } else if keys.is_empty() {
        output::note(&match arguments.namespace(&cluster) {
            None => "No resources found".to_owned(),
            Some(namespace) => format!("No resources found in {namespace} namespace."),
        });
    }
    if !missing.is_empty() {
        let message = format!(
            "there is no lease {} in namespace {}: nobody holds it",
            missing.join(", "),
            cluster.namespace
        );
        let all = format!("inspect -n {} --prefix all", cluster.namespace);
        return Err(Failure::says(Exit::No, message).run(all, "the leases that there are"));
    }
    match choose::failing(&arguments.fail_on, sheet.iter()) {
        None => Ok(Exit::Done),
        Some(message) => Err(fails(message, arguments)),
    }
}

/// The leases that the keys name, each once, and the fingerprints that are known as a whole.
fn names(arguments: &Arguments) -> Result<(Vec<LeaseName>, Vec<Fingerprint>), Failure> {
    let (mut names, mut fingerprints) = (Vec::new(), Vec::new());
    for text in key::words(&arguments.keys)? {
        let Key { lease, origin } = key::read(&text, arguments.key_as)?;
        if names.contains(&lease) {
            continue;
        }
        names.push(lease);
        fingerprints.extend(match origin {
            KeyOrigin::Target { fingerprint, .. } => Some(fingerprint),
            KeyOrigin::Fingerprint => Fingerprint::parse(&text.to_ascii_lowercase()),
            KeyOrigin::Name | KeyOrigin::Text | KeyOrigin::Raw => None,
        });
    }
    Ok((names, fingerprints))
}

fn missing(keys: Vec<LeaseName>, listing: &Listing) -> Vec<String> {
    let is_there = |key: &LeaseName| listing.items.iter().any(|item| item.name == key.as_str());
    let missing = keys.into_iter().filter(|key| !is_there(key));
    missing.map(|key| key.to_string()).collect()
}

/// Nothing is judged by this machine's clock, but whoever compares times with it is misled.
fn warn_of_this_clock(skew: i64) {
    if skew.abs() > SKEW_WORTH_SAYING {
        let off = words::off(skew);
        let text =
            format!("this machine's clock is {off} the server's; nothing here is judged by it");
        output::problem("warning", colour::ATTENTION, &text);
    }
}

fn fails(message: String, arguments: &Arguments) -> Failure {
    let place = if arguments.all_namespaces { "-A " } else { "" };
    Failure::says(Exit::No, message).run(
        format!("inspect {place}-o wide"),
        "what is wrong with each, and what to do about it stands in findings of -o json",
    )
}

/// Whoever asks for leases by name is told what to do about them.
fn point_to_removal(sheet: &Sheet<'_>) {
    let voice = &sheet.surroundings.voice;
    for report in sheet.iter().filter(Report::is_stale) {
        let (namespace, name) = report.lease();
        let command = format!("force-expire {name} -n {namespace}");
        let hint = voice.run(&command, "removes its holder");
        output::problem("hint", colour::HINT, &hint);
    }
}

/// The report on one lease as JSON, `null` if there is none, and the `Date` of the answer.
pub(super) async fn report_on(
    key: &LeaseName,
    cluster: &Cluster,
) -> Result<(Value, Option<Timestamp>), Failure> {
    let (listed, date) = read(key, &cluster.namespace, cluster).await?;
    let report = listed.map(|listed| Report::of(&listed, date).value());
    Ok((report.unwrap_or_default(), date))
}
