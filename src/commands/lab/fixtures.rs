//! What there is to look at in the lab.

pub(super) mod requests;

use std::sync::atomic::{AtomicI64, Ordering};

use anyhow::bail;
use bytes::Bytes;
use gwlock_apiserver::{ApiServer, Clock};
use gwlock_engine::client::convert::micro_time;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::commands::consent::{LAB_ANNOTATION, LAB_NAMESPACE};
use crate::gateway::objects::MANAGED;

use super::roles::{self, GATEWAY, ON_LEASES};

/// Where the lab's leases are.
pub(super) const NAMESPACE: &str = LAB_NAMESPACE;

/// Pods without an owner, `load-0` and so on, for bursts about different objects.
const LOAD_PODS: usize = 10;

const CRD: &str = include_str!("remediationrequest-crd.yaml");

/// A wall clock that can be set back, so that objects are as old as they are meant to be.
#[derive(Debug, Default)]
pub(super) struct LabClock {
    seconds_back: AtomicI64,
    seconds_off: AtomicI64,
}

impl LabClock {
    /// Makes it so many seconds wrong for good: what is asked of it afterwards is by the wrong clock, ages included.
    pub(super) fn set_off(&self, seconds: i64) {
        self.seconds_off.store(seconds, Ordering::Relaxed);
    }
}

impl Clock for LabClock {
    fn now(&self) -> Timestamp {
        let off = self.seconds_off.load(Ordering::Relaxed);
        let back = self.seconds_back.load(Ordering::Relaxed);
        Timestamp::now() + SignedDuration::from_secs(off - back)
    }
}

/// Fills a new server with what every lab has: namespaces, the kind RemediationRequest, and workloads.
pub(super) async fn create_base(lab: &Lab<'_>) -> anyhow::Result<()> {
    lab.go_back(3600);
    for metadata in [
        // `gwlock send` asks nobody here before it starts remediations.
        json!({"name": NAMESPACE, "annotations": {LAB_ANNOTATION: "true"}}),
        json!({"name": "prod", "labels": {MANAGED: "true"}}),
        json!({"name": "staging"}),
    ] {
        lab.post("/api/v1/namespaces", json!({"metadata": metadata}))
            .await?;
    }
    let crd: Value = serde_saphyr::from_str(CRD)?;
    lab.post(
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        crd,
    )
    .await?;
    // In the lab without a drill payment-api gets a RemediationRequest; the others are there to get one.
    lab.workload(
        "payment-api",
        "payment-api-7d9f8b",
        "payment-api-7d9f8b-x2x4z",
    )
    .await?;
    lab.workload("checkout", "checkout-6b5d4c", "checkout-6b5d4c-k8s2p")
        .await?;
    for number in 0..LOAD_PODS {
        lab.bare_pod("prod", &format!("load-{number}")).await?;
    }
    lab.bare_pod("staging", "unmanaged").await?;
    lab.go_back(0);
    Ok(())
}

/// Adds leases and RemediationRequests of every kind that there is.
pub(super) async fn create(lab: &Lab<'_>) -> anyhow::Result<()> {
    lab.go_back(3600);
    roles::create(lab, ON_LEASES).await?;
    lab.pod("gateway-7f9c-x2x", "Running").await?;
    lab.pod("gateway-7f9c-gone", "Failed").await?;
    lab.lease(
        1800,
        "kubernaut-interactive-rr-91fce8d5c494-0a1b2c3d",
        "ops@example",
        None,
        None,
    )
    .await?;
    lab.lease(
        90,
        "gw-lock-54010c454af195aa",
        "gateway-7f9c-never-was",
        Some(30),
        Some(0),
    )
    .await?;
    lab.lease(
        71,
        "gw-lock-3d13718bca91da68",
        "gateway-7f9c-gone",
        Some(30),
        Some(0),
    )
    .await?;
    lab.lease(
        20,
        "gw-lock-97ccafeaa7a177fc",
        "gateway-clock-ahead",
        Some(30),
        Some(120),
    )
    .await?;
    lab.lease(
        12,
        "gw-lock-2c57c0354f1060b9",
        "gateway-7f9c-x2x",
        Some(30),
        None,
    )
    .await?;
    lab.lease(9, "gw-lock-a5982f7182402b4a", "", Some(30), Some(0))
        .await?;
    lab.lease(
        5,
        "gw-lock-91fce8d5c4949766",
        "gateway-7f9c-x2x",
        Some(30),
        Some(0),
    )
    .await?;
    lab.lease(
        4,
        "ro-lock-e7eda236b9ebe6f2",
        "remediation-orchestrator-0",
        Some(30),
        Some(0),
    )
    .await?;
    lab.lease(
        2,
        "cert-manager-controller",
        "cert-manager-0",
        Some(60),
        Some(0),
    )
    .await?;
    requests::create(lab).await?;
    lab.go_back(0);
    lab.remediation_request().await?;
    lab.go_back(0);
    Ok(())
}

/// A pod of the gateway, as its Deployment makes it.
pub(super) fn gateway_pod(name: &str) -> Value {
    let field = |name: &str, path: &str| json!({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}});
    let env = [
        field("POD_NAME", "metadata.name"),
        field("POD_NAMESPACE", "metadata.namespace"),
    ];
    json!({
        "metadata": {"name": name, "labels": {"app": "gateway"}},
        "spec": {
            "serviceAccountName": GATEWAY,
            "containers": [{"name": "gateway", "image": "gateway", "env": env}],
        },
    })
}

/// The metadata of an object that this one controls.
fn owned(name: &str, kind: &str, owner: &Value) -> Value {
    json!({
        "name": name,
        "labels": owner["metadata"]["labels"],
        "ownerReferences": [{
            "apiVersion": "apps/v1", "kind": kind, "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"], "controller": true,
        }],
    })
}

/// A server that is filled, by somebody who may do everything.
pub(super) struct Lab<'a> {
    pub(super) server: &'a ApiServer,
    pub(super) token: &'a str,
    pub(super) clock: &'a LabClock,
}

impl Lab<'_> {
    /// Lets what is done from now on be so many seconds old.
    pub(super) fn go_back(&self, seconds: i64) {
        self.clock.seconds_back.store(seconds, Ordering::Relaxed);
    }

    /// A lease written so many seconds ago by a holder whose clock was so many seconds ahead.
    pub(super) async fn lease(
        &self,
        ago: i64,
        name: &str,
        holder: &str,
        seconds: Option<i32>,
        ahead: Option<i64>,
    ) -> anyhow::Result<()> {
        self.go_back(ago);
        let mut spec = json!({"holderIdentity": holder});
        if let Some(seconds) = seconds {
            spec["leaseDurationSeconds"] = json!(seconds);
        }
        if let Some(ahead) = ahead {
            let written = micro_time(self.clock.now() + SignedDuration::from_secs(ahead));
            spec["acquireTime"] = json!(written);
            spec["renewTime"] = json!(written);
        }
        let path = format!("/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases");
        self.post(&path, json!({"metadata": {"name": name}, "spec": spec}))
            .await?;
        Ok(())
    }

    /// A Deployment in `prod` with one ReplicaSet and one pod.
    async fn workload(&self, deployment: &str, replica_set: &str, pod: &str) -> anyhow::Result<()> {
        let template = json!({
            "metadata": {"labels": {"app": deployment}},
            "spec": {"containers": [{"name": "app", "image": deployment}]},
        });
        let spec = json!({
            "replicas": 1, "selector": {"matchLabels": {"app": deployment}}, "template": template,
        });
        let path = "/apis/apps/v1/namespaces/prod/deployments";
        let made =
            json!({"metadata": {"name": deployment, "labels": {"app": deployment}}, "spec": spec});
        let owner = self.post(path, made).await?;
        let path = "/apis/apps/v1/namespaces/prod/replicasets";
        let metadata = owned(replica_set, "Deployment", &owner);
        let made = json!({"metadata": metadata, "spec": spec});
        let owner = self.post(path, made).await?;
        let metadata = owned(pod, "ReplicaSet", &owner);
        let made = json!({"metadata": metadata, "spec": template["spec"]});
        self.post("/api/v1/namespaces/prod/pods", made).await?;
        Ok(())
    }

    pub(super) async fn bare_pod(&self, namespace: &str, name: &str) -> anyhow::Result<()> {
        let pods = format!("/api/v1/namespaces/{namespace}/pods");
        let spec = json!({"containers": [{"name": "app", "image": "load"}]});
        self.post(&pods, json!({"metadata": {"name": name}, "spec": spec}))
            .await?;
        Ok(())
    }

    pub(super) async fn pod(&self, name: &str, phase: &str) -> anyhow::Result<()> {
        let pods = format!("/api/v1/namespaces/{NAMESPACE}/pods");
        let mut pod = self.post(&pods, gateway_pod(name)).await?;
        let ready = phase == "Running";
        pod["status"] = json!({"phase": phase, "containerStatuses": [{"name": "gateway", "ready": ready, "restartCount": 0}]});
        self.send(Method::PUT, &format!("{pods}/{name}/status"), pod)
            .await?;
        Ok(())
    }

    /// The request of payment-api, active and counted three times.
    pub(super) async fn remediation_request(&self) -> anyhow::Result<()> {
        let seconds = self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let requests =
            format!("/apis/kubernaut.ai/v1alpha1/namespaces/{NAMESPACE}/remediationrequests");
        let name = "rr-91fce8d5c494-0a1b2c3d";
        let mut request = self
            .post(
                &requests,
                json!({
                    "apiVersion": "kubernaut.ai/v1alpha1",
                    "kind": "RemediationRequest",
                    "metadata": {"name": name},
                    "spec": {
                        "signalFingerprint": "91fce8d5c4949766458bd4bd58859a4fb2e8470ef64ef438c22903744799a9b1",
                        "signalName": "HighMemoryUsage", "severity": "critical", "signalType": "alert",
                        "signalSource": "prometheus", "targetType": "kubernetes",
                        "targetResource": {"namespace": "prod", "kind": "Deployment", "name": "payment-api"},
                        "firingTime": seconds, "receivedTime": seconds,
                    }
                }),
            )
            .await?;
        request["status"] = json!({
            "overallPhase": "Processing",
            "deduplication": {"firstSeenAt": seconds, "lastSeenAt": seconds, "occurrenceCount": 3},
        });
        self.send(Method::PUT, &format!("{requests}/{name}/status"), request)
            .await?;
        Ok(())
    }

    pub(super) async fn post(&self, path: &str, object: Value) -> anyhow::Result<Value> {
        self.send(Method::POST, path, object).await
    }

    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        object: Value,
    ) -> anyhow::Result<Value> {
        let (status, body) = self.ask(method, path, object).await?;
        if !status.is_success() {
            bail!("{path}: {}", body["message"]);
        }
        Ok(body)
    }

    /// Sends a request and takes any answer.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        object: Value,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .header("user-agent", "gwlock-lab")
            .body(Full::new(Bytes::from(object.to_string())))?;
        let response = self.server.clone().oneshot(request).await?;
        let status = response.status();
        let body = serde_json::from_slice(&response.into_body().collect().await?.to_bytes())?;
        Ok((status, body))
    }
}
