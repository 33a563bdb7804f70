//! Where the benchmark works: a namespace, what others do there, and its removal.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gwlock_engine::client::lease_api::server_date;
use gwlock_engine::protocol::key::Fingerprint;
use gwlock_engine::remediation::Signal;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use kube::client::Body;
use serde_json::{Value, json};

use super::tap::Gate;
use crate::context::Cluster;
use crate::exit::Exit;
use crate::failure::Failure;

/// What the benchmark's RemediationRequests are found again by.
const LABEL: &str = "gwlock.dev/bench";

/// An expired lease is to be had as soon as this has passed, and the margin.
const SHORT_LEASE_SECONDS: i64 = 1;
const MARGIN_SECONDS: i64 = 2;

/// A namespace in which signals are sent.
#[derive(Clone)]
pub(super) struct Place {
    /// Of whoever prepares the cases; its requests are not counted.
    pub(super) client: kube::Client,
    pub(super) namespace: String,
    pub(super) gate: Gate,
    /// Made for this run, and removed with it.
    is_own: bool,
    run: String,
    leases: Arc<Mutex<Vec<String>>>,
}

impl Place {
    /// The namespace that was asked for, or one of its own.
    pub(super) fn new(cluster: &Cluster, run: u32) -> Self {
        let given = cluster.given_namespace.clone();
        let run = format!("{run:08x}");
        Self {
            client: cluster.client.clone(),
            is_own: given.is_none(),
            namespace: given.unwrap_or_else(|| format!("gwlock-bench-{run}")),
            gate: Gate::default(),
            run,
            leases: Arc::default(),
        }
    }

    /// Whether signals can be processed at all; nothing is made.
    pub(super) async fn check(&self) -> Result<(), Failure> {
        let fingerprint = Fingerprint::of(&self.run);
        let selector = format!("?fieldSelector=spec.signalFingerprint%3D{fingerprint}");
        match self.try_send(Method::GET, &self.requests(&selector), None).await {
            Err(kube::Error::Api(status)) if status.code == 404 => Err(Failure::says(
                Exit::Config,
                "this cluster has no RemediationRequests",
            )
            .run("lab -- gwlock bench requests", "counts on one that has them")),
            Err(kube::Error::Api(status)) if status.code == 400 => Err(Failure::says(
                Exit::Config,
                format!(
                    "RemediationRequests cannot be selected by fingerprint: {}",
                    status.message
                ),
            )
            .hint("this needs Kubernetes 1.31 or later, and Kubernaut's CustomResourceDefinition of today")),
            Err(error) => Err(Failure::api(&error)),
            Ok(_) => Ok(()),
        }
    }

    /// Makes the namespace, if it is one of its own.
    pub(super) async fn prepare(&self) -> Result<(), Failure> {
        if !self.is_own {
            return Ok(());
        }
        let namespace = json!({"metadata": {"name": self.namespace}});
        let made = self
            .try_send(Method::POST, "/api/v1/namespaces", Some(&namespace))
            .await;
        match made {
            Err(kube::Error::Api(status)) if status.code == 403 => {
                Err(Failure::denied(&status.message)
                    .hint("name one to work in: --namespace NAMESPACE"))
            }
            made => made.map(drop).map_err(|error| Failure::api(&error)),
        }
    }

    /// Removes whatever the run has made.
    pub(super) async fn clean_up(&self) -> Result<(), Failure> {
        self.gate.close().await;
        let selector = format!(
            "?labelSelector={}%3D{}",
            LABEL.replace('/', "%2F"),
            self.run
        );
        let list = self
            .send(Method::GET, &self.requests(&selector), None)
            .await;
        let items = match &list {
            Ok(list) => list["items"].as_array().cloned().unwrap_or_default(),
            // The namespace was never made.
            Err(_) if self.is_own => Vec::new(),
            Err(_) => return list.map(drop),
        };
        for item in items {
            let name = item["metadata"]["name"].as_str().unwrap_or_default();
            self.delete(&self.requests(&format!("/{name}"))).await?;
        }
        let leases = std::mem::take(&mut *self.noted());
        for lease in leases {
            self.delete(&self.leases(&format!("/{lease}"))).await?;
        }
        if self.is_own {
            self.delete(&format!("/api/v1/namespaces/{}", self.namespace))
                .await?;
        }
        Ok(())
    }

    /// Marks a signal, so that its request is removed; its lease as well.
    pub(super) fn mark(&self, signal: &mut Signal) {
        signal.labels.insert(LABEL.to_owned(), self.run.clone());
        let lease = signal.fingerprint().lease_name();
        self.noted().push(lease.as_str().to_owned());
    }

    /// Somebody has created a request for this signal, and this is its status.
    pub(super) async fn request(&self, signal: &Signal, status: &Value) -> Result<(), Failure> {
        let name = format!("rr-{}-00000000", &signal.fingerprint().as_str()[..12]);
        let object = signal.to_object(&self.namespace, &name, Timestamp::now());
        self.send(Method::POST, &self.requests(""), Some(&object))
            .await?;
        self.status(signal, status).await
    }

    /// Somebody writes the status of that request.
    pub(super) async fn status(&self, signal: &Signal, status: &Value) -> Result<(), Failure> {
        let name = format!("rr-{}-00000000", &signal.fingerprint().as_str()[..12]);
        let path = self.requests(&format!("/{name}/status"));
        let patch = json!({ "status": status });
        self.send(Method::PATCH, &path, Some(&patch)).await?;
        Ok(())
    }

    /// Somebody holds the signal's lease.
    pub(super) async fn lease(&self, signal: &Signal) -> Result<(), Failure> {
        self.lease_written(signal, 30, Timestamp::now()).await
    }

    /// Somebody held the signal's lease long ago, by the times that he wrote.
    pub(super) async fn old_lease(&self, signal: &Signal) -> Result<(), Failure> {
        let long_ago = Timestamp::now() - jiff::SignedDuration::from_hours(1);
        self.lease_written(signal, SHORT_LEASE_SECONDS, long_ago)
            .await
    }

    /// Waits until that lease has expired by the server's clock.
    pub(super) async fn expiry(&self, signal: &Signal) -> Result<(), Failure> {
        let path = self.leases(&format!("/{}", signal.fingerprint().lease_name()));
        while !self.is_expired(&path).await? {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    async fn lease_written(
        &self,
        signal: &Signal,
        seconds: i64,
        at: Timestamp,
    ) -> Result<(), Failure> {
        let name = signal.fingerprint().lease_name();
        let at = gwlock_engine::client::convert::micro_time(at);
        let lease = json!({
            "metadata": {"name": name.as_str()},
            "spec": {
                "holderIdentity": "gwlock-bench-somebody", "leaseDurationSeconds": seconds,
                "acquireTime": at, "renewTime": at,
            },
        });
        self.send(Method::POST, &self.leases(""), Some(&lease))
            .await?;
        Ok(())
    }

    pub(super) async fn delete_lease(&self, signal: &Signal) -> Result<(), Failure> {
        let name = signal.fingerprint().lease_name();
        self.delete(&self.leases(&format!("/{name}"))).await
    }

    /// By the server's clock and its stamp of the one write.
    async fn is_expired(&self, path: &str) -> Result<bool, Failure> {
        let request = Request::get(path).body(Body::empty());
        let request = request.map_err(|error| Failure::new(Exit::Bug, error))?;
        let answer = self.client.send(request).await;
        let (parts, body) = answer.map_err(|error| Failure::api(&error))?.into_parts();
        let body = body.collect().await;
        let body = body.map_err(|error| Failure::api(&error))?.to_bytes();
        let lease: Value = serde_json::from_slice(&body).unwrap_or_default();
        if parts.status == StatusCode::FORBIDDEN {
            return Err(Failure::denied(
                lease["message"].as_str().unwrap_or_default(),
            ));
        }
        let stamp = lease["metadata"]["managedFields"][0]["time"].as_str();
        let stamp: Option<Timestamp> = stamp.and_then(|stamp| stamp.parse().ok());
        let (Some(stamp), Some(date)) = (stamp, server_date(&parts.headers)) else {
            let message = "the API server stamps nothing, so that no lease is seen to expire";
            return Err(Failure::says(Exit::Unreachable, message));
        };
        Ok(date.as_second() - stamp.as_second() > SHORT_LEASE_SECONDS + MARGIN_SECONDS)
    }

    fn requests(&self, rest: &str) -> String {
        let namespace = &self.namespace;
        format!("/apis/kubernaut.ai/v1alpha1/namespaces/{namespace}/remediationrequests{rest}")
    }

    fn leases(&self, rest: &str) -> String {
        let namespace = &self.namespace;
        format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases{rest}")
    }

    async fn delete(&self, path: &str) -> Result<(), Failure> {
        match self.try_send(Method::DELETE, path, None).await {
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            deleted => deleted.map(drop).map_err(|error| Failure::api(&error)),
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        let answer = self.try_send(method, path, body).await;
        answer.map_err(|error| Failure::api(&error))
    }

    async fn try_send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, kube::Error> {
        let media_type = match method {
            Method::PATCH => "application/merge-patch+json",
            _ => "application/json",
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(http::header::CONTENT_TYPE, media_type)
            .body(body.map(Value::to_string).unwrap_or_default().into_bytes())
            .map_err(kube::Error::HttpError)?;
        self.client.request(request).await
    }

    fn noted(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
