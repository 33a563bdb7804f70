//! What others do where the cases are counted, and the removal of what a run has made.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gwlock_engine::client::lease_api::server_date;
use gwlock_engine::remediation::Signal;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use kube::client::Body;
use serde_json::{Value, json};

use super::tap::Gate;
use crate::commands::bench::place::Place;
use crate::exit::Exit;
use crate::failure::Failure;

/// What the benchmark's RemediationRequests are found again by.
const LABEL: &str = "gwlock.dev/bench";

/// An expired lease is to be had as soon as this has passed, and the margin.
const SHORT_LEASE_SECONDS: i64 = 1;
const MARGIN_SECONDS: i64 = 2;

/// The namespace of the cases. No request gets there any more once they are over.
#[derive(Clone)]
pub(super) struct Scene {
    pub(super) place: Place,
    pub(super) gate: Gate,
    leases: Arc<Mutex<Vec<String>>>,
}

impl Scene {
    pub(super) fn new(place: Place) -> Self {
        Self {
            place,
            gate: Gate::default(),
            leases: Arc::default(),
        }
    }

    /// Removes whatever the run has made.
    pub(super) async fn clean_up(&self) -> Result<(), Failure> {
        self.gate.close().await;
        let selector = format!(
            "?labelSelector={}%3D{}",
            LABEL.replace('/', "%2F"),
            self.place.run
        );
        let list = self
            .place
            .send(Method::GET, &self.place.requests(&selector), None)
            .await;
        let items = match &list {
            Ok(list) => list["items"].as_array().cloned().unwrap_or_default(),
            // The namespace was never made.
            Err(_) if self.place.is_own => Vec::new(),
            Err(_) => return list.map(drop),
        };
        for item in items {
            let name = item["metadata"]["name"].as_str().unwrap_or_default();
            self.place
                .delete(&self.place.requests(&format!("/{name}")))
                .await?;
        }
        let leases = std::mem::take(&mut *self.noted());
        for lease in leases {
            self.place
                .delete(&self.place.leases(&format!("/{lease}")))
                .await?;
        }
        self.place.remove().await
    }

    /// Marks a signal, so that its request is removed; its lease as well.
    pub(super) fn mark(&self, signal: &mut Signal) {
        signal
            .labels
            .insert(LABEL.to_owned(), self.place.run.clone());
        let lease = signal.fingerprint().lease_name();
        self.noted().push(lease.as_str().to_owned());
    }

    /// Somebody has created a request for this signal, and this is its status.
    pub(super) async fn request(&self, signal: &Signal, status: &Value) -> Result<(), Failure> {
        let name = format!("rr-{}-00000000", &signal.fingerprint().as_str()[..12]);
        let object = signal.to_object(&self.place.namespace, &name, Timestamp::now());
        self.place
            .send(Method::POST, &self.place.requests(""), Some(&object))
            .await?;
        self.status(signal, status).await
    }

    /// Somebody writes the status of that request.
    pub(super) async fn status(&self, signal: &Signal, status: &Value) -> Result<(), Failure> {
        let name = format!("rr-{}-00000000", &signal.fingerprint().as_str()[..12]);
        let path = self.place.requests(&format!("/{name}/status"));
        let patch = json!({ "status": status });
        self.place.send(Method::PATCH, &path, Some(&patch)).await?;
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
        let path = self
            .place
            .leases(&format!("/{}", signal.fingerprint().lease_name()));
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
        self.place
            .send(Method::POST, &self.place.leases(""), Some(&lease))
            .await?;
        Ok(())
    }

    pub(super) async fn delete_lease(&self, signal: &Signal) -> Result<(), Failure> {
        let name = signal.fingerprint().lease_name();
        self.place
            .delete(&self.place.leases(&format!("/{name}")))
            .await
    }

    /// By the server's clock and its stamp of the one write.
    async fn is_expired(&self, path: &str) -> Result<bool, Failure> {
        let request = Request::get(path).body(Body::empty());
        let request = request.map_err(|error| Failure::new(Exit::Bug, error))?;
        let answer = self.place.client.send(request).await;
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

    fn noted(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
