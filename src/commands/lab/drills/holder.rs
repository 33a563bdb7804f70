//! Who is at work while a drill runs: a pod that holds a lease, renews it, and releases it when the pod is deleted.
//!
//! A pod here has a finalizer, in the place of a kubelet that waits until its processes have ended: whoever deletes the pod
//! gets his answer when what it held has been released.

use std::time::Duration;

use anyhow::bail;
use gwlock_apiserver::Clock as _;
use gwlock_engine::client::convert::micro_time;
use gwlock_engine::protocol::key::Fingerprint;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::super::fixtures::{Lab, NAMESPACE, gateway_pod};
use super::Stage;

const FINALIZER: &str = "gwlock.dev/drill";

/// How often a pod looks whether it has been deleted. The server is in the same process, so this costs next to nothing.
const LOOK: Duration = Duration::from_millis(100);
/// Much more often than a third of the duration, so that a lab that is held up for a while does not lose its leases.
const RENEW: Duration = Duration::from_secs(3);
const LEASE_DURATION_SECONDS: i32 = 30;

/// A pod that runs, and ends when somebody deletes it.
#[derive(Debug, Clone)]
pub(super) struct Pod {
    path: String,
}

impl Pod {
    /// Makes it, created so many seconds ago.
    pub(super) async fn start(
        lab: &Lab<'_>,
        created: i64,
        namespace: &str,
        mut pod: Value,
    ) -> anyhow::Result<Self> {
        lab.go_back(created);
        let pods = format!("/api/v1/namespaces/{namespace}/pods");
        pod["metadata"]["finalizers"] = json!([FINALIZER]);
        let mut pod = lab.post(&pods, pod).await?;
        let container = &pod["spec"]["containers"][0]["name"];
        let status =
            json!({"name": container, "ready": true, "restartCount": 0, "state": {"running": {}}});
        pod["status"] = json!({"phase": "Running", "containerStatuses": [status]});
        let name = pod["metadata"]["name"].as_str().unwrap_or_default();
        let path = format!("{pods}/{name}");
        lab.send(Method::PUT, &format!("{path}/status"), pod)
            .await?;
        lab.go_back(0);
        Ok(Self { path })
    }

    /// The pod as it is, unless it is gone.
    async fn read(&self, lab: &Lab<'_>) -> anyhow::Result<Option<Value>> {
        read(lab, &self.path).await
    }

    /// Waits until somebody has asked it to end.
    pub(super) async fn told_to_end(&self, lab: &Lab<'_>) {
        loop {
            match self.read(lab).await {
                Ok(Some(pod)) if pod["metadata"]["deletionTimestamp"].is_null() => {}
                _ => return,
            }
            sleep(LOOK).await;
        }
    }

    /// Lets it be gone.
    pub(super) async fn end(&self, lab: &Lab<'_>) -> anyhow::Result<()> {
        while let Some(mut pod) = self.read(lab).await? {
            pod["metadata"]["finalizers"] = json!([]);
            let (status, _) = lab.ask(Method::PUT, &self.path, pod).await?;
            if status != StatusCode::CONFLICT {
                break;
            }
        }
        Ok(())
    }
}

/// A pod that is no gateway's.
pub(super) fn bare_pod(name: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "main", "image": "main"}]}})
}

/// A pod that holds a lease.
#[derive(Debug, Clone)]
pub(super) struct Holder {
    pub(super) pod: Pod,
    lease: String,
    identity: String,
    /// How many seconds the pod's clock is ahead of the server's.
    ahead: i64,
    uid: String,
}

impl Holder {
    /// Acquires the lease so many seconds ago, and renews it now.
    pub(super) async fn acquire(
        lab: &Lab<'_>,
        pod: Pod,
        lease: &str,
        identity: &str,
        acquired: i64,
        ahead: i64,
    ) -> anyhow::Result<Self> {
        let seconds = Some(LEASE_DURATION_SECONDS);
        lab.lease(acquired, lease, identity, seconds, Some(ahead))
            .await?;
        lab.go_back(0);
        let lease = format!("/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{lease}");
        let Some(made) = read(lab, &lease).await? else {
            bail!("{lease} is gone");
        };
        let uid = made["metadata"]["uid"].as_str().unwrap_or_default();
        let holder = Self {
            pod,
            lease,
            identity: identity.to_owned(),
            ahead,
            uid: uid.to_owned(),
        };
        holder.renew(lab).await?;
        Ok(holder)
    }

    /// Holds it until the pod is deleted, or somebody takes it away.
    pub(super) async fn hold(self, stage: Stage) {
        let lab = stage.lab();
        let renewing = async {
            let mut next = Instant::now() + RENEW;
            // A write that failed is tried again; what is not its own any more is left alone.
            while self.renew(&lab).await.unwrap_or(true) {
                sleep_until(next).await;
                next = Instant::now() + RENEW;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = self.pod.told_to_end(&lab) => {}
            () = renewing => {}
        }
        // Nobody is told of a drill that fails to clean up behind itself.
        drop(self.release(&lab).await);
        drop(self.pod.end(&lab).await);
    }

    /// Whether it holds the lease still.
    async fn renew(&self, lab: &Lab<'_>) -> anyhow::Result<bool> {
        let Some(mut lease) = read(lab, &self.lease).await? else {
            return Ok(false);
        };
        if lease["metadata"]["uid"] != self.uid.as_str()
            || lease["spec"]["holderIdentity"] != self.identity.as_str()
        {
            return Ok(false);
        }
        let now = lab.clock.now() + SignedDuration::from_secs(self.ahead);
        lease["spec"]["renewTime"] = json!(micro_time(now));
        lab.ask(Method::PUT, &self.lease, lease).await?;
        Ok(true)
    }

    async fn release(&self, lab: &Lab<'_>) -> anyhow::Result<()> {
        let options = json!({"preconditions": {"uid": self.uid}});
        lab.ask(Method::DELETE, &self.lease, options).await?;
        Ok(())
    }
}

/// An object, unless it is gone.
async fn read(lab: &Lab<'_>, path: &str) -> anyhow::Result<Option<Value>> {
    let (status, object) = lab.ask(Method::GET, path, Value::Null).await?;
    match status {
        StatusCode::OK => Ok(Some(object)),
        StatusCode::NOT_FOUND => Ok(None),
        _ => bail!("{path}: {}", object["message"]),
    }
}

/// The name of a target's lease.
pub(super) fn lease_of(target: &str) -> String {
    Fingerprint::of(target).lease_name().to_string()
}

/// A gateway's pod that holds the lease of a target, as gateways do, and goes on with it.
pub(super) async fn gateway_at_work(
    stage: &Stage,
    at_work: &mut JoinSet<()>,
    name: &str,
    target: &str,
    ahead: i64,
) -> anyhow::Result<()> {
    const STARTED: i64 = 3000;
    const ACQUIRED: i64 = 4;
    let lab = stage.lab();
    let pod = Pod::start(&lab, STARTED, NAMESPACE, gateway_pod(name)).await?;
    let lease = lease_of(target);
    let holder = Holder::acquire(&lab, pod, &lease, name, ACQUIRED, ahead).await?;
    at_work.spawn(holder.hold(stage.clone()));
    Ok(())
}
