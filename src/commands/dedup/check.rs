//! `gwlock dedup check`: the two lists that findings are made of, and how it ends.

use clap::Args;
use gwlock_engine::client::list::{self, ListError, Listing};
use gwlock_engine::protocol::key::GATEWAY_PREFIX;

use super::report::{Extent, NotLookedAt, Report};
use super::{Wanted, Where, in_place, is_of_keys, now};
use crate::commands::inspect::DEFAULT_TIMEOUT;
use crate::commands::requests;
use crate::context::{Cluster, Context};
use crate::exit::Exit;
use crate::failure::{Failure, missing_rule};
use crate::gateway::dedup::{findings, group};
use crate::output::colour::{ATTENTION, HINT};
use crate::output::{self, format::Format};

/// How many commands are proposed beside a table.
const HINTS: usize = 5;

/// Find what is wrong with RemediationRequests and their leases; exit code 1 if anything is
///
/// Several active requests of one key; requests without a count, or counted after their end; fingerprints of another
/// target; leases that expired and left no request, or are held although none is needed. Nothing is written: each finding
/// comes with a command to run next, and one that changes something takes effect only on what was found.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gwlock dedup check
  gwlock dedup check -A -o wide
  gwlock dedup check prod/Deployment/payment-api
  gwlock dedup check -o jsonpath='{range .findings[*]}{.fix}{\"\\n\"}{end}'")]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Where,
    /// No header line
    #[arg(long)]
    no_headers: bool,
    /// Output format: table, wide, json, yaml, name, jsonpath=PATH
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Format,
}

pub(super) async fn execute(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let place = &arguments.place;
    let wanted = place.wanted()?;
    let cluster = context.cluster().await?;
    let request_namespace = place.requests_in(&cluster);
    requests::check_selectable(&cluster, request_namespace.as_deref()).await?;
    // Leases first: what their holders had created by then is among the requests.
    let lease_namespace = place.leases_in(&cluster);
    let (leases, not_looked_at) = match leases(&cluster, lease_namespace, &wanted).await? {
        Ok(leases) => (Some(leases), None),
        Err(why) => (None, Some(why)),
    };
    let listing = place.list(&cluster, &wanted, None).await?;
    let now = now(listing.date);
    let count = listing.items.len();
    let groups = group(listing.items);
    let (program, flags) = context.called();
    let report = Report {
        findings: findings::find(&groups, now, leases.as_ref()),
        extent: Extent {
            controller_namespace: request_namespace.clone(),
            keys: groups.len(),
            lease_namespace: lease_namespace.map(str::to_owned),
            leases: leases.as_ref().map(|leases| leases.items.len()),
            remediation_requests: count,
        },
        not_looked_at,
        program,
        flags,
        lease_namespace: cluster.namespace.clone(),
    };
    if arguments.output.is_structured() {
        arguments.output.show(&report.value())?;
        return Ok(report.exit());
    }
    if let Some(why) = &report.not_looked_at {
        output::problem(
            "warning",
            ATTENTION,
            &format!("leases were not looked at: {}", why.reason),
        );
        if let Some(rule) = missing_rule(&why.reason) {
            output::problem("hint", HINT, &rule);
        }
    }
    if report.findings.is_empty() {
        if arguments.output != Format::Name {
            let place = in_place(request_namespace.as_deref());
            output::data(&format!("consistent: {} {place}", report.extent.text()))?;
        }
        return Ok(report.exit());
    }
    if arguments.output == Format::Name {
        output::data(&report.names().join("\n"))?;
        return Ok(report.exit());
    }
    let (namespaces, wide) = (place.all_namespaces, arguments.output == Format::Wide);
    report.show_table(namespaces, wide, !arguments.no_headers)?;
    Err(told(&report, wide))
}

/// The findings as the end of a command whose table has been printed.
fn told(report: &Report, wide: bool) -> Failure {
    let count = report.findings.len();
    let findings = if count == 1 { "finding" } else { "findings" };
    let extent = report.extent.text();
    let mut failure = Failure::says(
        report.exit(),
        format!("inconsistent: {count} {findings} in {extent}"),
    );
    if wide {
        return failure;
    }
    for finding in report.findings.iter().take(HINTS) {
        let fix = report.fix(finding);
        failure = failure.hint(format!("{fix}   # {}", finding.class.as_str()));
    }
    if count > HINTS {
        failure = failure.hint(format!("-o wide shows a command for all {count}"));
    }
    failure
}

/// The gateway's leases of these keys, or why they cannot be looked at.
async fn leases(
    cluster: &Cluster,
    namespace: Option<&str>,
    wanted: &[Wanted],
) -> Result<Result<Listing, NotLookedAt>, Failure> {
    let timeout = cluster.request_timeout.unwrap_or(DEFAULT_TIMEOUT);
    let is_gateways = |name: &str| name.starts_with(GATEWAY_PREFIX);
    match list::list(&cluster.client, namespace, None, timeout, is_gateways).await {
        Ok(mut listing) => {
            listing.items.retain(|lease| is_of_keys(lease, wanted));
            Ok(Ok(listing))
        }
        Err(ListError::Refused(refusal)) if refusal.code == 403 => Ok(Err(NotLookedAt {
            reason: refusal.message,
            namespace: namespace.map(str::to_owned),
        })),
        Err(error) => Err(Failure::unlisted(&error, namespace)),
    }
}
