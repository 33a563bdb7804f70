//! The pods of a Job and what they have logged, over the API.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use gwlock_engine::client::api_error::describe;
use gwlock_engine::client::list::encode;
use http::Request;
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde_json::Value;
use tokio::time::timeout;

use super::{Gathered, nothing_in};
use crate::context::Cluster;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::sim::log::{Found, Log};

/// How long an answer, or its next piece, may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pods of one page.
const PAGE: usize = 500;
/// Logs that are read at the same time.
const AT_ONCE: usize = 8;

const JOB_NAME: &str = "batch.kubernetes.io/job-name";
const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// A pod, as far as it matters.
#[derive(Debug, PartialEq, Eq)]
struct Pod {
    name: String,
    /// Its number among the members.
    index: Option<u32>,
    container: String,
    phase: String,
    /// Why it ended, such as `Evicted`.
    reason: String,
    /// Whether its container was started before, so that there is a log of that as well.
    restarted: bool,
}

/// What a log holds, or why it cannot be read.
type Read = Result<Found, String>;

impl Pod {
    fn of(object: &Value) -> Self {
        let (metadata, status) = (&object["metadata"], &object["status"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let index = [&metadata["labels"][INDEX], &metadata["annotations"][INDEX]];
        let restarts = &status["containerStatuses"][0]["restartCount"];
        Self {
            name: text(&metadata["name"]),
            index: index
                .into_iter()
                .find_map(|index| index.as_str()?.parse().ok()),
            container: text(&object["spec"]["containers"][0]["name"]),
            phase: text(&status["phase"]),
            reason: text(&status["reason"]),
            restarted: restarts.as_u64().is_some_and(|restarts| restarts > 0),
        }
    }

    fn has_begun(&self) -> bool {
        !matches!(self.phase.as_str(), "" | "Pending")
    }

    fn has_ended(&self) -> bool {
        matches!(self.phase.as_str(), "Succeeded" | "Failed")
    }

    /// Its name with how it ended, if that was not well.
    fn told(&self) -> String {
        let ended = match (self.phase.as_str(), self.reason.as_str()) {
            ("Failed", "") => " (failed)".to_owned(),
            ("Failed", reason) => format!(" (failed: {reason})"),
            _ => String::new(),
        };
        format!("pod {}{ended}", self.name)
    }
}

/// Reads everything that the pods of a Job have logged.
pub(super) async fn gather(cluster: &Cluster, job: &str) -> Result<Gathered, Failure> {
    let namespace = &cluster.namespace;
    let object = job_of(cluster, job).await?;
    let pods = pods(cluster, job).await?;
    let mut gathered = Gathered::default();
    let of = object["spec"]["completions"].as_u64().unwrap_or(0);
    for number in 0..u32::try_from(of).unwrap_or(0) {
        if !pods.iter().any(|pod| pod.index == Some(number)) {
            let lack = format!("no pod of index {number} is in {namespace}");
            gathered.lacks.push(lack);
            gathered.told.push(number);
        }
    }
    let (begun, waiting): (Vec<Pod>, Vec<Pod>) = pods.into_iter().partition(Pod::has_begun);
    let pending = waiting
        .iter()
        .map(|pod| (pod, format!("pod {} has not started", pod.name)));
    let running = begun.iter().filter(|pod| !pod.has_ended());
    let running = running.map(|pod| (pod, format!("pod {} is still running", pod.name)));
    for (pod, lack) in pending.chain(running) {
        gathered.lacks.push(lack);
        gathered.told.extend(pod.index);
    }
    let reading: Vec<_> = begun
        .iter()
        .map(|pod| async move { (pod, logs(cluster, pod).await) })
        .collect();
    let mut reading = stream::iter(reading).buffered(AT_ONCE);
    while let Some((pod, read)) = reading.next().await {
        let lack = match read? {
            Err(why) => Some(format!("the log of {} cannot be read: {why}", pod.told())),
            Ok(found) => {
                let is_empty = found.histories.is_empty();
                let lack = is_empty.then(|| nothing_in(&pod.told(), &found));
                gathered.add(&pod.name, found);
                lack
            }
        };
        // That it still runs has been said.
        if let Some(lack) = lack.filter(|_| pod.has_ended()) {
            gathered.lacks.push(lack);
            gathered.told.extend(pod.index);
        }
    }
    Ok(gathered)
}

async fn job_of(cluster: &Cluster, job: &str) -> Result<Value, Failure> {
    let namespace = &cluster.namespace;
    let uri = format!("/apis/batch/v1/namespaces/{namespace}/jobs/{job}");
    match ask(cluster, &uri).await {
        Err(Trouble::Refused(404, _)) => Err(Failure::says(
            Exit::No,
            format!("there is no Job {job} in {namespace}"),
        )
        .kubectl(format!("get jobs -n {namespace}"), "those that there are")),
        answer => answer.map_err(Trouble::failure),
    }
}

async fn pods(cluster: &Cluster, job: &str) -> Result<Vec<Pod>, Failure> {
    let namespace = &cluster.namespace;
    let selector = encode(&format!("{JOB_NAME}={job}"));
    let (mut pods, mut next) = (Vec::new(), String::new());
    loop {
        let mut uri =
            format!("/api/v1/namespaces/{namespace}/pods?labelSelector={selector}&limit={PAGE}");
        if !next.is_empty() {
            uri.push_str(&format!("&continue={}", encode(&next)));
        }
        let page = ask(cluster, &uri).await.map_err(Trouble::failure)?;
        pods.extend(page["items"].as_array().into_iter().flatten().map(Pod::of));
        page["metadata"]["continue"]
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut next);
        if next.is_empty() {
            pods.sort_by(|a, b| (a.index, &a.name).cmp(&(b.index, &b.name)));
            return Ok(pods);
        }
    }
}

/// Reads what a pod has logged, and what it had logged before its container was started again.
async fn logs(cluster: &Cluster, pod: &Pod) -> Result<Read, Failure> {
    let now = log(cluster, pod, false).await?;
    if !pod.restarted {
        return Ok(now);
    }
    // Nodes do not keep it for ever.
    let Ok(mut found) = log(cluster, pod, true).await? else {
        return Ok(now);
    };
    if let Ok(now) = now {
        found.histories.extend(now.histories);
        found.others += now.others;
        found.headless += now.headless;
    }
    Ok(Ok(found))
}

/// Reads a log as it comes, so that only the history is kept of it.
async fn log(cluster: &Cluster, pod: &Pod, previous: bool) -> Result<Read, Failure> {
    let (namespace, name) = (&cluster.namespace, &pod.name);
    let mut uri = format!(
        "/api/v1/namespaces/{namespace}/pods/{name}/log?container={}",
        encode(&pod.container)
    );
    if previous {
        uri.push_str("&previous=true");
    }
    let mut body = match open(cluster, &uri).await {
        Ok(body) => body,
        // Anything else is about this one pod: its node, or its log, is gone.
        Err(Trouble::Refused(code, message)) if code != 401 && code != 403 => {
            return Ok(Err(message));
        }
        Err(trouble) => return Err(trouble.failure()),
    };
    let mut log = Log::default();
    loop {
        let Ok(frame) = timeout(PATIENCE, body.frame()).await else {
            return Ok(Err(format!("it stopped for {PATIENCE:?}")));
        };
        let bytes = match frame {
            None => return Ok(Ok(log.finish())),
            Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
            Some(Err(error)) => return Ok(Err(describe(&error))),
        };
        if let Err(error) = log.feed(&bytes) {
            let error = anyhow::Error::new(error).context(pod.told());
            return Err(Failure::new(Exit::BadInput, error));
        }
    }
}

/// Why there is no answer.
enum Trouble {
    Refused(u16, String),
    Unanswered(String),
}

impl Trouble {
    fn failure(self) -> Failure {
        match self {
            Self::Refused(401, message) => Failure::unauthorised(message),
            Self::Refused(403, message) => Failure::denied(message),
            Self::Refused(_, message) => Failure::says(Exit::Unreachable, message),
            Self::Unanswered(message) => Failure::unreachable(&message),
        }
    }
}

async fn ask(cluster: &Cluster, uri: &str) -> Result<Value, Trouble> {
    let patience = cluster.request_timeout.unwrap_or(PATIENCE);
    let body = open(cluster, uri).await?;
    let body = timeout(patience, body.collect()).await;
    let body = body.map_err(|_| Trouble::Unanswered(format!("no answer within {patience:?}")))?;
    let body = body.map_err(|error| Trouble::Unanswered(describe(&error)))?;
    serde_json::from_slice(&body.to_bytes())
        .map_err(|error| Trouble::Unanswered(format!("the answer is no JSON: {error}")))
}

/// Sends a question, and hands its answer out when it begins.
async fn open(cluster: &Cluster, uri: &str) -> Result<Body, Trouble> {
    let patience = cluster.request_timeout.unwrap_or(PATIENCE);
    let unanswered = |error: String| Trouble::Unanswered(error);
    let request = Request::get(uri)
        .body(Body::empty())
        .map_err(|error| unanswered(error.to_string()))?;
    let answer = timeout(patience, cluster.client.send(request)).await;
    let answer = answer.map_err(|_| unanswered(format!("no answer within {patience:?}")))?;
    let (parts, body) = answer
        .map_err(|error| unanswered(describe(&error)))?
        .into_parts();
    if parts.status.is_success() {
        return Ok(body);
    }
    let body = timeout(patience, body.collect()).await;
    let body = body
        .ok()
        .and_then(Result::ok)
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let status: Value = serde_json::from_slice(&body).unwrap_or_default();
    let message = status["message"]
        .as_str()
        .map_or_else(|| parts.status.to_string(), str::to_owned);
    Err(Trouble::Refused(parts.status.as_u16(), message))
}
