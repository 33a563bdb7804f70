//! Reads histories, and metrics out of files and over HTTP. What they say is read off elsewhere.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::str::FromStr;
use std::time::Duration;

use futures_util::future::try_join_all;
use gwlock_engine::client::api_error::describe;
use gwlock_engine::client::transport;
use http::uri::PathAndQuery;
use http::{Request, Uri, header};
use http_body_util::{BodyExt as _, Limited};
use kube::client::Body;
use tokio::time::{sleep, timeout};

use super::Arguments;
use crate::context::{Context, stdin_bytes};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::progress;
use crate::sim::history::History;
use crate::tune::metrics::{Samples, Time};
use crate::tune::{Measured, measure};

/// For the answer to a reading.
const PATIENCE: Duration = Duration::from_secs(10);
/// More than a replica can have counted.
const LARGEST: usize = 64 * 1024 * 1024;
/// More than anybody pipes.
const LARGEST_STDIN: u64 = 1024 * 1024 * 1024;

/// Where metrics are.
#[derive(Debug, Clone)]
pub(super) enum Source {
    File(String),
    Url(Uri),
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.contains("://") {
            return Ok(Self::File(text.to_owned()));
        }
        let uri: Option<Uri> = text.parse().ok();
        let uri = uri.filter(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some_and(|host| !host.is_empty())
        });
        uri.map(Self::Url)
            .ok_or_else(|| format!("\"{text}\" is no URL: http://HOST:PORT/metrics is"))
    }
}

/// Everything that the flags name: what it is, and what it says.
pub(super) async fn all(
    arguments: &Arguments,
    context: &Context,
) -> Result<(Vec<String>, Measured), Failure> {
    let (mut sources, mut measured) = (Vec::new(), Measured::default());
    for path in &arguments.histories {
        let history = history(path)?;
        measured.absorb(&measure(&history));
        sources.push(format!("history {path}"));
    }
    let over = arguments.over;
    let time = Time::of(over);
    let within = over.map_or(String::new(), |over| format!(" over {over:?}"));
    let mut urls = Vec::new();
    for source in &arguments.metrics {
        match source {
            Source::Url(uri) => urls.push(uri),
            Source::File(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| unread(path, error))?;
                measured.absorb(&samples(path, &text)?.measured(time));
                sources.push(format!("metrics {path}{within}"));
            }
        }
    }
    for (uri, samples) in scraped(&urls, over, context).await? {
        measured.absorb(&samples.measured(time));
        sources.push(format!("metrics {uri}{within}"));
    }
    Ok((sources, measured))
}

fn history(path: &str) -> Result<History, Failure> {
    let refuse = |error: anyhow::Error| {
        Failure::new(Exit::BadInput, error.context(path.to_owned())).run(
            "simulate --scenario crash --history history.jsonl",
            "writes a history",
        )
    };
    let read = |from: &mut dyn BufRead| History::read(from).map_err(|error| refuse(error.into()));
    if path == "-" {
        let bytes = stdin_bytes(LARGEST_STDIN).map_err(|error| unread("stdin", error))?;
        return read(&mut bytes.as_slice());
    }
    let file = File::open(path).map_err(|error| unread(path, error))?;
    read(&mut BufReader::new(file))
}

fn unread(path: &str, error: std::io::Error) -> Failure {
    let error = anyhow::Error::new(error).context(format!("cannot read {path}"));
    Failure::new(Exit::BadInput, error)
}

fn samples(from: &str, text: &str) -> Result<Samples, Failure> {
    Samples::parse(text).map_err(|error| {
        let error = anyhow::Error::new(error).context(format!("cannot use the metrics of {from}"));
        Failure::new(Exit::BadInput, error).hint(
            "a replica has them at http://HOST:9090/metrics, gwlock bench signals prints where",
        )
    })
}

/// One reading of each, or the difference of two.
async fn scraped<'a>(
    urls: &[&'a Uri],
    over: Option<Duration>,
    context: &Context,
) -> Result<Vec<(&'a Uri, Samples)>, Failure> {
    let patience = context.request_timeout().unwrap_or(PATIENCE);
    let read = || try_join_all(urls.iter().map(|uri| reading(uri, patience)));
    let first = read().await?;
    let Some(over) = over.filter(|_| !urls.is_empty()) else {
        return Ok(urls.iter().copied().zip(first).collect());
    };
    {
        let _waiting = progress::waiting(format!("measuring for {over:?}"));
        sleep(over).await;
    }
    let second = read().await?.into_iter().zip(&first);
    let differences = second.map(|(second, first)| second.since(first));
    Ok(urls.iter().copied().zip(differences).collect())
}

/// With no credentials: replicas ask for none there.
async fn reading(uri: &Uri, patience: Duration) -> Result<Samples, Failure> {
    let unreachable = |why: String| {
        Failure::says(Exit::Unreachable, format!("no metrics from {uri}: {why}"))
            .hint("gwlock serve has them at :9090/metrics, which --metrics-bind-address moves")
    };
    let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::from_static("/"));
    let base = Uri::from_parts(parts).map_err(|error| unreachable(error.to_string()))?;
    let mut config = kube::Config::new(base);
    config.connect_timeout = Some(patience);
    let client = transport::connect(config).map_err(|error| unreachable(error.to_string()))?;
    let request = Request::get(path)
        .header(
            header::ACCEPT,
            "application/openmetrics-text, text/plain;q=0.9",
        )
        .body(Body::empty())
        .map_err(|error| Failure::new(Exit::Bug, error))?;
    let answer = async {
        let response = client.send(request).await;
        let response = response.map_err(|error| unreachable(describe(&error)))?;
        let status = response.status();
        if !status.is_success() {
            return Err(unreachable(format!("it answered {status}")));
        }
        let body = Limited::new(response.into_body(), LARGEST).collect().await;
        let body = body.map_err(|error| unreachable(format!("the answer broke off: {error}")))?;
        Ok(String::from_utf8_lossy(&body.to_bytes()).into_owned())
    };
    let text = timeout(patience, answer)
        .await
        .map_err(|_| unreachable(format!("no answer within {patience:?}")))??;
    samples(&uri.to_string(), &text)
}
