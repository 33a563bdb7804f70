//! `gwlock resolve`: from one name of a thing to all others, and what the cluster says of each.

use clap::Args;
use gwlock_engine::protocol::key::Fingerprint;
use gwlock_engine::remediation::RemediationRequest;
use gwlock_engine::remediation::dedup::decide;
use gwlock_engine::remediation::list::Selection;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::context::{Cluster, Context};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::gateway::GatewayVersion;
use crate::gateway::resolve::{Names, ResolveError, Rules};
use crate::output::age::age;
use crate::output::{self, API_VERSION, OutputError, format::Format, table};

use super::{inspect, requests};

/// Show every name of a target, fingerprint, lease or RemediationRequest, and what each is now
///
/// Any of them leads to all others. From a lease name alone, which holds 16 of the 64 digits of a fingerprint, the
/// RemediationRequest is looked up by what its name begins with.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gwlock resolve prod/Deployment/payment-api
  gwlock resolve gw-lock-91fce8d5c4949766 -o json
  gwlock resolve prod/Deployment/payment-api --offline --cluster-id east")]
pub(crate) struct Arguments {
    /// Target (prod/Deployment/payment-api), fingerprint, lease name or RemediationRequest name
    #[arg(value_name = "THING")]
    thing: String,
    /// Cluster of the target, where several share one gateway
    #[arg(long, value_name = "ID")]
    cluster_id: Option<String>,
    /// Whose rule for fingerprints is followed
    #[arg(long, value_enum, default_value = "current", value_name = "VERSION")]
    gateway_version: Version,
    /// Name of the alert, which January's fingerprints contain
    #[arg(long, value_name = "NAME")]
    signal: Option<String>,
    /// Ask no cluster
    #[arg(long)]
    offline: bool,
    /// Namespace of the RemediationRequests [default: $KUBERNAUT_CONTROLLER_NAMESPACE, that of the leases]
    #[arg(long, value_name = "NAMESPACE")]
    controller_namespace: Option<String>,
    /// Output format: table, json, yaml, jsonpath=PATH
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Format,
}

/// Whose rules for targets and fingerprints are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Version {
    /// The running gateway's
    Current,
    /// Those of the first gateway that took leases
    January,
}

impl From<Version> for GatewayVersion {
    fn from(version: Version) -> Self {
        match version {
            Version::Current => Self::Current,
            Version::January => Self::January,
        }
    }
}

/// What the cluster has of a thing.
struct Found {
    controller_namespace: String,
    /// The lease as `inspect` reports it, `null` if there is none.
    lease: Value,
    requests: Vec<Value>,
    date: Timestamp,
}

pub(crate) async fn execute(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let rules = Rules {
        version: arguments.gateway_version.into(),
        cluster_id: arguments.cluster_id.as_deref(),
        signal: arguments.signal.as_deref(),
    };
    let names = Names::of(&arguments.thing, rules).map_err(|error| match error {
        ResolveError::NoSignalName => Failure::new(Exit::Usage, error)
            .again("--signal HighMemoryUsage", "with the name of the alert"),
        ResolveError::ClusterId(_) => Failure::new(Exit::Usage, error),
        ResolveError::Unknown(_) => Failure::new(Exit::BadInput, error).run(
            "resolve prod/Deployment/payment-api --offline",
            "what one that is known looks like",
        ),
    })?;
    if arguments.offline {
        print(arguments, &names, None)?;
        return Ok(Exit::Done);
    }
    let cluster = context.cluster().await?;
    let (names, found) = look(arguments, names, &cluster).await?;
    print(arguments, &names, Some(&found))?;
    let named = names.request.as_deref();
    let is_there = |name: &str| found.requests.iter().any(|request| request["name"] == name);
    match named.filter(|name| !is_there(name)) {
        None => Ok(Exit::Done),
        Some(name) => {
            let namespace = &found.controller_namespace;
            let message = format!("there is no RemediationRequest {name} in namespace {namespace}");
            let list = format!("dedup list --controller-namespace {namespace}");
            Err(Failure::says(Exit::No, message).run(list, "the requests that there are"))
        }
    }
}

async fn look(
    arguments: &Arguments,
    names: Names,
    cluster: &Cluster,
) -> Result<(Names, Found), Failure> {
    let controller_namespace =
        cluster.controller_namespace(arguments.controller_namespace.as_deref());
    let (names, objects) = match &names.fingerprint {
        Some(fingerprint) => {
            let objects = list(cluster, &controller_namespace, fingerprint).await?;
            (names, objects)
        }
        None => match by_prefix(cluster, &controller_namespace, &names).await? {
            Some(fingerprint) => {
                let objects = list(cluster, &controller_namespace, &fingerprint).await?;
                (names.completed(fingerprint), objects)
            }
            None => (names, Vec::new()),
        },
    };
    let (lease, date) = match names.lease() {
        Some(lease) => inspect::report_on(&lease, cluster).await?,
        None => (Value::Null, None),
    };
    // Without a lease to read there is nothing whose age could be told wrongly.
    let date = date.unwrap_or_else(Timestamp::now);
    let found = Found {
        controller_namespace,
        lease,
        requests: told(&objects, date),
        date,
    };
    Ok((names, found))
}

/// The fingerprint of the RemediationRequest that is named, or of those whose name begins as it has to: the one that is
/// named may be gone. None where these have several.
async fn by_prefix(
    cluster: &Cluster,
    namespace: &str,
    names: &Names,
) -> Result<Option<Fingerprint>, Failure> {
    let prefix = names.request_prefix();
    let selection = Selection {
        namespace: Some(namespace),
        fingerprint: None,
        labels: None,
    };
    let listing = requests::list(cluster, selection, |object| {
        let name = object["metadata"]["name"].as_str()?;
        let fingerprint = object["spec"]["signalFingerprint"].as_str()?;
        let is_candidate = name.starts_with(&prefix) && names.fits(fingerprint);
        is_candidate.then(|| (name.to_owned(), fingerprint.to_owned()))
    });
    let candidates = listing.await.map_err(offline)?.items;
    let named = |(name, _): &&(String, String)| names.request.as_deref() == Some(name);
    let Some((_, fingerprint)) = candidates.iter().find(named).or(candidates.first()) else {
        return Ok(None);
    };
    let is_certain = candidates.iter().all(|(_, other)| other == fingerprint)
        || candidates.iter().any(|candidate| named(&candidate));
    Ok(Fingerprint::parse(fingerprint).filter(|_| is_certain))
}

async fn list(
    cluster: &Cluster,
    namespace: &str,
    fingerprint: &Fingerprint,
) -> Result<Vec<Value>, Failure> {
    let selection = Selection {
        namespace: Some(namespace),
        fingerprint: Some(fingerprint),
        labels: None,
    };
    let listing = requests::list(cluster, selection, |object| Some(object.clone()));
    Ok(listing.await.map_err(offline)?.items)
}

/// The names alone need no cluster.
fn offline(failure: Failure) -> Failure {
    failure.hint("--offline shows the names alone")
}

fn told(objects: &[Value], now: Timestamp) -> Vec<Value> {
    let read: Vec<RemediationRequest> = objects
        .iter()
        .filter_map(|object| RemediationRequest::read(object).ok())
        .collect();
    let suppressing = decide(&read, now).map(|suppression| suppression.request.name.clone());
    let values = read.iter().zip(objects).map(|(request, object)| {
        let deduplication = request.deduplication().unwrap_or_default();
        let target = &object["spec"]["targetResource"];
        json!({
            "name": request.name,
            "phase": request.phase(),
            "occurrenceCount": deduplication.count,
            "firstSeenAt": deduplication.first_seen,
            "lastSeenAt": deduplication.last_seen,
            "target": format!(
                "{}:{}:{}",
                target["namespace"].as_str().unwrap_or_default(),
                target["kind"].as_str().unwrap_or_default(),
                target["name"].as_str().unwrap_or_default()
            ),
            "suppresses": suppressing.as_deref() == Some(request.name.as_str()),
        })
    });
    values.collect()
}

fn print(arguments: &Arguments, names: &Names, found: Option<&Found>) -> Result<(), OutputError> {
    let lease = names.lease();
    // A RemediationRequest tells the target, unless its fingerprint is made of more than that.
    let target = names.target.as_ref().map(ToString::to_string).or_else(|| {
        let target = found?.requests.first()?["target"].as_str()?;
        let is_whole = names.fingerprint.as_ref() == Some(&Fingerprint::of(target));
        is_whole.then(|| target.to_owned())
    });
    if arguments.output.is_structured() {
        let value = json!({
            "apiVersion": API_VERSION,
            "kind": "Resolution",
            "target": target,
            "fingerprint": names.fingerprint.as_ref().map(Fingerprint::as_str),
            "lease": lease.as_ref().map(ToString::to_string),
            "remediationRequestPrefix": names.request_prefix(),
            "cluster": found.map(|found| json!({
                "controllerNamespace": found.controller_namespace,
                "lease": found.lease,
                "remediationRequests": found.requests,
            })),
        });
        return output::data(&arguments.output.print(&value)?);
    }
    let unknown = || "?".to_owned();
    let mut rows = vec![
        row("target", target.unwrap_or_else(unknown), String::new()),
        row(
            "fingerprint",
            names
                .fingerprint
                .as_ref()
                .map_or_else(|| format!("{}…", names.digits), ToString::to_string),
            String::new(),
        ),
        row(
            "lease",
            lease.as_ref().map_or_else(unknown, ToString::to_string),
            match (&lease, found) {
                (Some(_), Some(found)) => lease_now(&found.lease),
                (None, Some(_)) => {
                    "not known: a lease's name has 16 digits of the fingerprint".to_owned()
                }
                (_, None) => String::new(),
            },
        ),
    ];
    match found {
        Some(found) if !found.requests.is_empty() => {
            rows.extend(found.requests.iter().map(|request| {
                let name = request["name"].as_str().unwrap_or_default().to_owned();
                row("request", name, request_now(request, found.date))
            }));
        }
        Some(found) => rows.push(row(
            "request",
            format!("{}…", names.request_prefix()),
            format!("none in namespace {}", found.controller_namespace),
        )),
        None => rows.push(row(
            "request",
            format!("{}…", names.request_prefix()),
            String::new(),
        )),
    }
    output::data(&table::render(&["WHAT", "NAME", "NOW"], &rows))
}

fn row(what: &str, name: String, now: String) -> Vec<String> {
    vec![what.to_owned(), name, now]
}

fn lease_now(report: &Value) -> String {
    match (report["state"].as_str(), report["holder"].as_str()) {
        (None, _) => "nobody holds it".to_owned(),
        (Some("held"), Some(holder)) => format!("held by {holder}"),
        (Some(state), Some(holder)) => format!("{state}, last held by {holder}"),
        (Some(state), None) => state.to_owned(),
    }
}

fn request_now(request: &Value, now: Timestamp) -> String {
    let phase = match request["phase"].as_str().unwrap_or_default() {
        "" => "no phase yet",
        phase => phase,
    };
    let mut text = match request["occurrenceCount"].as_i64() {
        Some(count) => format!("{phase}, counted {count}"),
        None => format!("{phase}, not counted"),
    };
    let last_seen = request["lastSeenAt"]
        .as_str()
        .and_then(|time| time.parse().ok());
    if let Some(ago) =
        last_seen.and_then(|seen: Timestamp| now.duration_since(seen).try_into().ok())
    {
        text.push_str(&format!(", last seen {} ago", age(ago)));
    }
    if request["suppresses"] == true {
        text.push_str("; counts new signals");
    }
    text
}
