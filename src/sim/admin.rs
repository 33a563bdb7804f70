//! What others do on the cluster: set it up, orchestrate, label, delete, and look at what was left.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full};
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::history::What;
use super::network::Upstream;
use super::recorder::Recorder;
use super::scenario::Kind;

const DEFINITION: &str = include_str!("../commands/lab/remediationrequest-crd.yaml");
const LEASES: &str = "/apis/coordination.k8s.io/v1";
const JSON: &str = "application/json";
const MERGE: &str = "application/merge-patch+json";
/// The phases of a request, in the order in which it goes through them.
const PHASES: [&str; 4] = ["Pending", "Processing", "Executing", "Completed"];

/// Somebody who may do everything, at once and without anything going wrong.
pub(super) struct Admin {
    upstream: Upstream,
    /// Of the leases and the requests.
    namespace: String,
    recorder: Recorder,
    rng: Mutex<StdRng>,
    /// That it made, in the order of their names.
    made: Mutex<BTreeSet<String>>,
}

impl Admin {
    pub(super) fn new(upstream: Upstream, namespace: &str, recorder: Recorder, seed: u64) -> Self {
        let rng = Mutex::new(StdRng::seed_from_u64(seed));
        Self {
            upstream,
            namespace: namespace.to_owned(),
            recorder,
            rng,
            made: Mutex::default(),
        }
    }

    /// Makes what a server needs that has nothing.
    pub(super) async fn prepare(&self) -> anyhow::Result<()> {
        let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        let definition: Value = serde_yaml::from_str(DEFINITION)?;
        self.ask(Method::POST, definitions, JSON, &definition)
            .await?;
        self.namespace(&self.namespace).await
    }

    /// Does what somebody else on the cluster does, if it is something of that kind.
    pub(super) async fn act(&self, kind: Kind) -> anyhow::Result<()> {
        match kind {
            Kind::Touch => self.touch().await,
            Kind::Orchestrate => self.orchestrate().await,
            Kind::Delete => self.delete().await,
            _ => Ok(()),
        }
    }

    /// Makes a namespace.
    pub(super) async fn namespace(&self, name: &str) -> anyhow::Result<()> {
        let namespace = json!({"metadata": {"name": name}});
        self.made().insert(name.to_owned());
        self.ask(Method::POST, "/api/v1/namespaces", JSON, &namespace)
            .await?;
        Ok(())
    }

    /// Deletes every namespace that it made.
    #[cfg(feature = "serve")]
    pub(super) async fn clean_up(&self) -> anyhow::Result<()> {
        let made = self.made().clone();
        for name in made {
            let path = format!("/api/v1/namespaces/{name}");
            self.ask(Method::DELETE, &path, JSON, &Value::Null).await?;
            self.made().remove(&name);
        }
        Ok(())
    }

    /// Makes something that signals can be about. It runs nothing.
    #[cfg(feature = "serve")]
    pub(super) async fn deployment(&self, name: &str) -> anyhow::Result<()> {
        let labels = json!({"app": name});
        let container = json!({"name": "none", "image": "none"});
        let deployment = json!({
            "metadata": {"name": name},
            "spec": {
                "replicas": 0, "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            },
        });
        let path = format!("/apis/apps/v1/namespaces/{}/deployments", self.namespace);
        self.ask(Method::POST, &path, JSON, &deployment).await?;
        Ok(())
    }

    /// A lease of a process that is gone, as it wrote it a moment ago.
    pub(super) async fn leak(&self, name: &str, now: Timestamp) -> anyhow::Result<()> {
        let now = now.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
        let lease = json!({
            "metadata": {"name": name},
            "spec": {
                "holderIdentity": "pod-gone", "leaseDurationSeconds": 30, "acquireTime": now, "renewTime": now
            },
        });
        let path = self.leases();
        self.ask(Method::POST, &path, JSON, &lease).await?;
        Ok(())
    }

    /// Labels one lease.
    async fn touch(&self) -> anyhow::Result<()> {
        let path = self.leases();
        let Some(lease) = self.any(&path, |_| true).await? else {
            return Ok(());
        };
        let value = self.draw(1000).to_string();
        let patch = json!({"metadata": {"labels": {"touched": value}}});
        self.ask(Method::PATCH, &lease, MERGE, &patch).await?;
        Ok(())
    }

    /// Moves one request to its next phase, or lets it fail.
    async fn orchestrate(&self) -> anyhow::Result<()> {
        let is_active = |request: &Value| next_phase(request).is_some();
        let path = self.requests();
        let Some(own) = self.any(&path, is_active).await? else {
            return Ok(());
        };
        let request = self.ask(Method::GET, &own, JSON, &Value::Null).await?;
        let next = next_phase(&request).unwrap_or(PHASES[0]);
        let phase = match self.draw(8) {
            0 => "Failed",
            _ => next,
        };
        let patch = json!({"status": {"overallPhase": phase}});
        let status = format!("{own}/status");
        let request = self.ask(Method::PATCH, &status, MERGE, &patch).await?;
        self.recorder.request(&request, false);
        Ok(())
    }

    /// Deletes a request that has ended.
    async fn delete(&self) -> anyhow::Result<()> {
        let has_ended = |request: &Value| next_phase(request).is_none();
        let Some(own) = self.any(&self.requests(), has_ended).await? else {
            return Ok(());
        };
        let request = self.ask(Method::GET, &own, JSON, &Value::Null).await?;
        self.ask(Method::DELETE, &own, JSON, &Value::Null).await?;
        self.recorder.request(&request, true);
        Ok(())
    }

    /// Tells which leases are there, and whether they have expired by the server's clock and stamps.
    pub(super) async fn tell_of_leases(&self) -> anyhow::Result<()> {
        for left in self.left().await? {
            self.recorder.world(left);
        }
        Ok(())
    }

    /// Whether nobody holds a lease any more.
    #[cfg(feature = "serve")]
    pub(super) async fn nothing_is_held(&self) -> anyhow::Result<bool> {
        let left = self.left().await?;
        Ok(!left
            .iter()
            .any(|left| matches!(left, What::Left { expired: false, .. })))
    }

    async fn left(&self) -> anyhow::Result<Vec<What>> {
        let mut left = Vec::new();
        let namespaces = self.made().clone();
        for namespace in namespaces {
            let path = format!("{LEASES}/namespaces/{namespace}/leases");
            let (list, now) = self
                .exchange(Method::GET, &path, JSON, &Value::Null)
                .await?;
            left.extend(items(&list).map(|lease| left_lease(&namespace, lease, now)));
        }
        Ok(left)
    }

    /// Tells of all requests as they are now.
    #[cfg(feature = "serve")]
    pub(super) async fn tell_of_requests(&self) -> anyhow::Result<()> {
        let path = self.requests();
        let list = self.ask(Method::GET, &path, JSON, &Value::Null).await?;
        for request in items(&list) {
            self.recorder.request(request, false);
        }
        Ok(())
    }

    /// The path of one of those that match, any one.
    async fn any(
        &self,
        path: &str,
        matches: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Option<String>> {
        let list = self.ask(Method::GET, path, JSON, &Value::Null).await?;
        let names: Vec<&str> = items(&list)
            .filter(|item| matches(item))
            .filter_map(|item| item["metadata"]["name"].as_str())
            .collect();
        if names.is_empty() {
            return Ok(None);
        }
        let name = names[self.draw(names.len())];
        Ok(Some(format!("{path}/{name}")))
    }

    fn made(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw(&self, below: usize) -> usize {
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        rng.random_range(0..below)
    }

    fn leases(&self) -> String {
        format!("{LEASES}/namespaces/{}/leases", self.namespace)
    }

    fn requests(&self) -> String {
        let namespace = &self.namespace;
        format!("/apis/kubernaut.ai/v1alpha1/namespaces/{namespace}/remediationrequests")
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        media_type: &str,
        body: &Value,
    ) -> anyhow::Result<Value> {
        let exchanged = self.exchange(method, path, media_type, body).await;
        exchanged.map(|(answer, _)| answer)
    }

    /// The answer, and when the server gave it by its own clock.
    async fn exchange(
        &self,
        method: Method,
        path: &str,
        media_type: &str,
        body: &Value,
    ) -> anyhow::Result<(Value, Timestamp)> {
        let body = match body {
            Value::Null => Bytes::new(),
            body => Bytes::from(body.to_string()),
        };
        let request = Request::builder()
            .method(method.clone())
            .uri(path)
            .header(header::CONTENT_TYPE, media_type)
            .body(Full::new(body))?;
        let response = self.upstream.serve(request, SignedDuration::ZERO).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        let answer: Value = serde_json::from_slice(&body).context("an answer is no JSON")?;
        if !parts.status.is_success() {
            bail!(
                "{method} {path} is answered {}: {}",
                parts.status,
                answer["message"]
            );
        }
        let date = parts
            .headers
            .get(header::DATE)
            .context("an answer has no Date")?;
        let date = rfc2822::parse(date.to_str()?)?;
        Ok((answer, date.timestamp()))
    }
}

fn left_lease(namespace: &str, lease: &Value, now: Timestamp) -> What {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (metadata, spec) = (&lease["metadata"], &lease["spec"]);
    let written = metadata["managedFields"].as_array().into_iter().flatten();
    let stamps = written.filter(|entry| entry["fieldsV1"]["f:spec"]["f:renewTime"].is_object());
    let stamp = stamps.filter_map(|entry| entry["time"].as_str()?.parse().ok());
    let stamp: Option<Timestamp> = stamp.max();
    let lasts = SignedDuration::from_secs(spec["leaseDurationSeconds"].as_i64().unwrap_or(30));
    let holder = text(&spec["holderIdentity"]);
    What::Left {
        key: format!("{namespace}/{}", text(&metadata["name"])),
        expired: holder.is_empty() || stamp.is_some_and(|stamp| stamp + lasts < now),
        holder,
    }
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list["items"].as_array().into_iter().flatten()
}

/// The phase that comes next; none once a request has ended.
fn next_phase(request: &Value) -> Option<&'static str> {
    let phase = request["status"]["overallPhase"]
        .as_str()
        .unwrap_or_default();
    if phase == "Failed" {
        return None;
    }
    let next = PHASES
        .iter()
        .position(|own| *own == phase)
        .map_or(0, |at| at + 1);
    PHASES.get(next).copied()
}
