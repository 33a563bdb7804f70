//! `gwlock doctor`: reads what there is, has it judged, and shows the checks. What is judged and how is in `crate::doctor`.

mod ask;
mod bundle;
mod connection;
mod facts;
mod judge;
mod permissions;
mod report;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};

use crate::context::{Cluster, Context, interrupted};
use crate::doctor::check::{Check, Outcome, Read, Step, Subject, Trouble, verdict};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, format::Format};

use ask::Asker;
use facts::{Facts, FirstAnswer, Place};
use report::Report;

/// How long each request may take.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// From which result on the exit code is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum FailOn {
    /// On failures
    #[default]
    Failure,
    /// On warnings as well
    Warning,
}

/// Check everything that the locks depend on, with a fix for each thing that is wrong
///
/// Looks at the API server, clocks, permissions, the definition of RemediationRequests, the gateways' pods, leases and
/// requests. Each check is ok, warning, failure or skipped with the reason; exit code 1 if any failed. Nothing is written.
///
/// `--bundle` writes all of it into an archive for a ticket. It keeps names, times, phases, roles and fingerprints of
/// leases, requests, Events, gateway pods, RBAC and the definition, and the gateways' metrics. Redacted are: variables
/// but POD_NAME, POD_NAMESPACE, KUBERNAUT_CONTROLLER_NAMESPACE, GOMAXPROCS and LOG_LEVEL; words of command lines but the
/// names of flags; volumes; annotations and labels but those of Kubernetes' apps, Kubernaut and gwlock; labels,
/// annotations, provider data and payloads of signals, and what of a request's status does not decide; fields whose names
/// say password, token, secret, key, authorization or credential; bearer tokens, addresses' users and passwords in text.
/// Of the kubeconfig only the address and the namespaces are in it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gwlock doctor
  gwlock doctor -n kubernaut-system --fail-on warning
  gwlock doctor -o jsonpath='{range .checks[*]}{.result} {.check}{\"\\n\"}{end}'
  gwlock doctor --bundle ticket.tar.gz")]
pub(crate) struct Arguments {
    /// Labels of the gateways' pods
    #[arg(long, value_name = "SELECTOR", default_value = "app=gateway")]
    gateway_selector: String,
    /// Namespace of the gateways' pods [default: all, but of other namespaces than the leases' only Kubernaut's]
    #[arg(long, value_name = "NAMESPACE")]
    gateway_namespace: Option<String>,
    /// Namespace of the RemediationRequests [default: $KUBERNAUT_CONTROLLER_NAMESPACE, that of the leases]
    #[arg(long, value_name = "NAMESPACE")]
    controller_namespace: Option<String>,
    /// From which result on the exit code is 1
    #[arg(long, value_enum, default_value_t, value_name = "RESULT")]
    fail_on: FailOn,
    /// Write an archive (.tar.gz) with everything for a ticket, secrets redacted; - is stdout
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    bundle: Option<PathBuf>,
    /// Replace the archive if it is there
    #[arg(long, requires = "bundle")]
    force: bool,
    /// Where a gateway's metrics are, for the archive [default: port 9090 of each pod, through the API server]
    #[arg(long, value_name = "URL", requires = "bundle", value_hint = ValueHint::Url)]
    metrics_url: Option<http::Uri>,
    /// Output format: table, wide (with the fixes of what was skipped), json, yaml, name, jsonpath=PATH
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Format,
}

pub(crate) async fn execute(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    tokio::select! {
        ended = examine(arguments, context) => ended,
        number = interrupted() => Ok(Exit::Signal(number)),
    }
}

async fn examine(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    bundle::check(arguments)?;
    let cluster = match context.cluster().await {
        Ok(cluster) => cluster,
        Err(failure) => {
            let checks = vec![connection::no_kubeconfig(failure.message())];
            Report::new(checks, None, context).show(arguments)?;
            return Err(failure);
        }
    };
    let controller = cluster.controller_namespace(arguments.controller_namespace.as_deref());
    let place = Place {
        lock: &cluster.namespace,
        controller: &controller,
        selector: &arguments.gateway_selector,
        gateways: arguments.gateway_namespace.as_deref(),
    };
    let asker = Asker::new(
        cluster.client.clone(),
        cluster.request_timeout.unwrap_or(DEFAULT_TIMEOUT),
    );
    let waiting = output::progress::waiting("asking the cluster".to_owned());
    let first = facts::first_answer(&asker).await;
    if let Some(failure) = unreachable(&first.version, &connection::url(&cluster)) {
        let checks = without_server(&cluster, place, &first, &failure).await;
        drop(waiting);
        Report::new(checks, Some(place), context).show(arguments)?;
        return Err(failure);
    }
    let facts = Box::pin(Facts::read(&asker, place)).await;
    let checks = judge::all(&cluster, place, &asker, &first, &facts);
    let report = Report::new(checks, Some(place), context);
    let written = match &arguments.bundle {
        Some(path) => {
            Some(bundle::write(path, arguments, &asker, place, &first, &facts, &report).await?)
        }
        None => None,
    };
    drop(waiting);
    match written {
        Some(ref written) if written.is_on_stdout => output::note(&report.summary()),
        _ => report.show(arguments)?,
    }
    if let Some(written) = written {
        output::note(&written.words());
    }
    Ok(match (verdict(&report.checks), arguments.fail_on) {
        (Outcome::Failure, _) | (Outcome::Warning, FailOn::Warning) => Exit::No,
        _ => Exit::Done,
    })
}

/// The failure that ends everything: no answer at all, nobody that the server knows, or no API server.
fn unreachable(version: &Read<serde_json::Value>, url: &str) -> Option<Failure> {
    match version {
        Err(Trouble::NoAnswer(message)) => Some(Failure::unreachable(message)),
        Err(Trouble::Refused { code: 401, message }) => {
            Some(Failure::unauthorised(message.clone()))
        }
        // An API server may keep its version to itself, but it has one.
        Err(Trouble::Refused {
            code: 400 | 404,
            message,
        }) => {
            let message = format!("what answers at {url} is no API server: {message}");
            let failure = Failure::says(Exit::Unreachable, message);
            Some(failure.kubectl("config view --minify", "the address that is used"))
        }
        _ => None,
    }
}

/// What can be said without a server that answers.
async fn without_server(
    cluster: &Cluster,
    place: Place<'_>,
    first: &FirstAnswer,
    failure: &Failure,
) -> Vec<Check> {
    let mut checks = vec![connection::kubeconfig(cluster, place.controller)];
    checks.extend(connection::way(cluster).await);
    let message = match &first.version {
        // The error line says it in better words.
        Err(Trouble::NoAnswer(message)) => message.trim_start_matches("ServiceError: ").to_owned(),
        _ => failure.message(),
    };
    checks.push(
        Check::new(Subject::Connection, "api-server", Outcome::Failure, message)
            .with(serde_json::json!({"url": connection::url(cluster)}))
            .step(Step::Kubectl("config view --minify".to_owned())),
    );
    let rest = Trouble::NotAsked("nothing else can be asked without the API server".to_owned());
    checks.push(Check::skipped(
        Subject::Connection,
        "everything-else",
        &rest,
    ));
    checks
}
