//! `gwlock force-expire`: judges every lease first, then asks, then deletes what was shown, and accounts for it.

mod account;
mod case;

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use clap::Args;
use gwlock_engine::protocol::key::LeaseName;
use serde_json::{Value, json};

use super::consent::{self, Consent};
use super::key::{self, KeyAs};
use crate::context::{Cluster, Context, stdin_is_terminal};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::flags::{DryRun, DryRunFlag};
use crate::output::{self, API_VERSION, format::Format};

use account::Account;
use case::Case;

/// Remove a stale holder: delete a lease that has expired
///
/// Deletes the lease exactly as it was shown, by uid and resourceVersion: a holder that renews meanwhile keeps it, and a
/// successor is never touched. The lease is not taken over; the next candidate creates it anew.
///
/// Only what has expired by the server's clock, or names no holder, is proven stale. The holder's pod is looked for and
/// shown, but that it is gone or cannot be reached is evidence for whoever decides, and by itself makes no lease stale; an
/// interactive session never expires, and a lease without the server's stamp cannot be judged by one look: all these are
/// refused (exit code 1) without --even-if-live.
///
/// All keys are read and judged first, in the order given, and if one cannot be read nothing is deleted. Then one question
/// is asked for all, and they are deleted in that order. The exit code is the worst of all: 76, 77, 69, 65, 1, 0. A lease
/// that is gone already is fine.
#[derive(Debug, Args)]
#[command(
    visible_alias = "force-unlock",
    after_help = "Examples:
  gwlock force-expire prod/Deployment/payment-api
  gwlock force-expire gw-lock-91fce8d5c4949766 --if-holder gateway-1 --reason 'node lost' --yes
  gwlock force-expire gw-lock-91fce8d5c4949766 --dry-run=server -o json"
)]
pub(crate) struct Arguments {
    /// Leases to remove: names, fingerprints, targets, any text; - reads them from stdin
    #[arg(value_name = "KEY", required = true, add = key::completer())]
    keys: Vec<String>,
    /// How the keys are read
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    key_as: KeyAs,
    /// Delete it although its holder may be alive and at work: two may then work at once
    #[arg(long, requires = "reason")]
    even_if_live: bool,
    /// Why, for the Event and the audit log
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: Option<String>,
    /// Only if this is the holder
    #[arg(long, value_name = "IDENTITY")]
    if_holder: Option<String>,
    /// Only if the lease has this uid
    #[arg(long, value_name = "UID")]
    if_uid: Option<String>,
    /// Only if the lease has this resourceVersion
    #[arg(long, value_name = "VERSION")]
    if_resource_version: Option<String>,
    /// Do not ask; without a terminal this is needed, except on the lab
    #[arg(short, long)]
    yes: bool,
    /// File to add an audit event to for each deleted lease, a JSON object a line; - is stderr
    #[arg(long, value_name = "FILE")]
    audit_log: Option<PathBuf>,
    #[command(flatten)]
    dry_run: DryRunFlag,
    /// Output format: table, json, yaml, name, jsonpath=PATH
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Format,
}

/// Where audit events go.
enum AuditLog {
    Nowhere,
    Stderr,
    File(PathBuf, File),
}

pub(crate) async fn execute(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let leases = unique(key::several(&arguments.keys, arguments.key_as)?);
    let of_one = arguments.if_uid.is_some() || arguments.if_resource_version.is_some();
    if of_one && leases.len() > 1 {
        let message = "--if-uid and --if-resource-version are of one lease, and several were named";
        return Err(Failure::says(Exit::Usage, message));
    }
    let cluster = context.cluster().await?;
    let mut audit = AuditLog::open(arguments)?;
    let mut cases = Vec::with_capacity(leases.len());
    for lease in leases {
        cases.push(Case::look(lease, arguments, &cluster).await?);
    }
    if is_watched(arguments) {
        cases.iter().for_each(|case| output::note(&case.shown()));
    }
    let removable = cases.iter().filter(|case| case.is_removable()).count();
    let (mut account, mut failures) = (None, Vec::new());
    if removable > 0 && arguments.dry_run.mode == DryRun::None {
        confirm(arguments, &cluster, removable).await?;
        account = Some(Account::new(&cluster, arguments.reason.as_deref()).await);
    }
    for case in &mut cases {
        case.remove(arguments.dry_run.mode).await;
        if let (Some(account), Some(deleted)) = (&account, case.deleted()) {
            // What cannot be recorded of one must not hide what became of the others.
            failures.extend(audit.write(&account.audit_line(&deleted)).err());
            case.event_written = Some(account.write_event(&deleted).await);
        }
    }
    show(arguments, &cases, account.as_ref())?;
    failures.extend(cases.into_iter().filter_map(Case::failure));
    match worst(failures) {
        None => Ok(Exit::Done),
        Some(failure) => Err(failure),
    }
}

/// Whether what is known of the leases is told on stderr: to a person, who reads a table or is asked.
fn is_watched(arguments: &Arguments) -> bool {
    let asks = !arguments.yes && arguments.dry_run.mode == DryRun::None;
    let is_terminal = stdin_is_terminal() && output::stderr_is_terminal();
    arguments.output == Format::Table || arguments.output == Format::Wide || asks && is_terminal
}

async fn confirm(
    arguments: &Arguments,
    cluster: &Cluster,
    removable: usize,
) -> Result<(), Failure> {
    let leases = match removable {
        1 => "a lease".to_owned(),
        several => format!("{several} leases"),
    };
    let server = &cluster.config.cluster_url;
    let question = format!("This deletes {leases} on {server}.");
    match consent::ask(cluster, arguments.yes, &question).await {
        Consent::Given => Ok(()),
        Consent::Refused => Err(Failure::says(Exit::No, "nothing was deleted")),
        Consent::NobodyThere => {
            let message = format!(
                "force-expire deletes {leases} on {server}, and nobody can be asked whether that is meant"
            );
            Err(Failure::says(Exit::Usage, message)
                .again("--yes", "deletes without asking")
                .again("--dry-run=server", "shows what would be done"))
        }
    }
}

fn show(
    arguments: &Arguments,
    cases: &[Case],
    account: Option<&Account<'_>>,
) -> Result<(), Failure> {
    let suffix = arguments.dry_run.mode.suffix();
    if arguments.output.is_structured() {
        let items: Vec<Value> = cases.iter().map(Case::value).collect();
        arguments.output.show(&json!({
            "apiVersion": API_VERSION, "kind": "LeaseForceExpiryList", "items": items,
            "by": account.map(|account| &account.by), "reason": arguments.reason,
            "dryRun": arguments.dry_run.mode.as_str(),
        }))?;
        return Ok(());
    }
    for case in cases {
        let Some(words) = case.done() else { continue };
        let name = format!("lease.coordination.k8s.io/{}", case.name);
        if arguments.output == Format::Name {
            output::data(&name)?;
        } else {
            output::data(&format!("{name} {words}{suffix}"))?;
        }
    }
    Ok(())
}

/// All failures as one, the worst first.
fn worst(mut failures: Vec<Failure>) -> Option<Failure> {
    failures.sort_by_key(|failure| match failure.exit {
        Exit::Unknown => 0,
        Exit::Forbidden => 1,
        Exit::Unreachable => 2,
        Exit::No => 4,
        _ => 3,
    });
    failures.into_iter().reduce(Failure::and)
}

/// The same leases in the same order, each once.
fn unique(leases: Vec<LeaseName>) -> Vec<LeaseName> {
    let mut unique = Vec::with_capacity(leases.len());
    for lease in leases {
        if !unique.contains(&lease) {
            unique.push(lease);
        }
    }
    unique
}

/// A reason that says something.
fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("a reason has to say something".to_owned());
    }
    Ok(text.to_owned())
}

impl AuditLog {
    /// Opened before anything is deleted, so that no deletion goes without its record.
    fn open(arguments: &Arguments) -> Result<Self, Failure> {
        let path = match arguments.audit_log.as_deref() {
            _ if arguments.dry_run.mode != DryRun::None => return Ok(Self::Nowhere),
            None => return Ok(Self::Nowhere),
            Some(path) if path == Path::new("-") => return Ok(Self::Stderr),
            Some(path) => path,
        };
        let file = OpenOptions::new().append(true).create(true).open(path);
        let file = file.map_err(|error| {
            let message = format!("cannot write the audit log {}", path.display());
            Failure::new(Exit::Config, anyhow::Error::new(error).context(message))
        })?;
        Ok(Self::File(path.to_owned(), file))
    }

    fn write(&mut self, line: &str) -> Result<(), Failure> {
        use std::io::Write as _;
        match self {
            Self::Nowhere => {}
            Self::Stderr => output::note(line),
            Self::File(path, file) => {
                file.write_all(format!("{line}\n").as_bytes())
                    .map_err(|error| {
                        let message = format!(
                            "the lease was deleted, but {} cannot be written",
                            path.display()
                        );
                        let error = anyhow::Error::new(error).context(message);
                        Failure::new(Exit::Unreachable, error).hint(format!("its line: {line}"))
                    })?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_failure_decides_and_all_are_told() {
        let failures = [Exit::No, Exit::Unreachable, Exit::Unknown, Exit::Forbidden]
            .map(|exit| Failure::says(exit, exit.reason()));
        let failure = worst(failures.into()).unwrap();
        assert_eq!(
            (failure.exit, failure.message().as_str()),
            (Exit::Unknown, "OutcomeUnknown\nForbidden\nUnreachable\nNo")
        );
        assert!(worst(Vec::new()).is_none());
    }

    #[test]
    fn a_lease_that_is_named_twice_is_removed_once() {
        let names = ["b", "a", "b"].map(|name| LeaseName::new(name).unwrap());
        let expected = [names[0].clone(), names[1].clone()];
        assert_eq!(unique(names.into()), expected);
    }

    #[test]
    fn an_empty_reason_is_none() {
        assert_eq!(reason(" node lost "), Ok("node lost".to_owned()));
        assert!(reason(" \n").is_err());
    }
}
