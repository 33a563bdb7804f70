//! A gateway's container restarted while it held a lease: the pod has the same name, and takes the lease for its own.

use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::task::JoinSet;

use super::super::fixtures::NAMESPACE;
use super::holder::{gateway_at_work, lease_of};
use super::{Situation, Stage};

pub(super) const SITUATION: Situation = Situation {
    section: "A gateway's pod restarted while it held a lease",
    story: "The gateway's pod gateway-7f9c-4kq ran out of memory four minutes ago and is up again. Since then alerts for\n\
            checkout are handled twice now and then.",
};

const ACQUIRED: i64 = 250;
const KILLED: i64 = 240;
const BACK: i64 = 238;

pub(super) async fn set_up(stage: &Stage, at_work: &mut JoinSet<()>) -> anyhow::Result<()> {
    let lab = stage.lab();
    let name = "gateway-7f9c-4kq";
    lab.go_back(3000);
    lab.pod(name, "Running").await?;
    lab.lease(
        ACQUIRED,
        &lease_of("prod:Deployment:checkout"),
        name,
        Some(30),
        Some(0),
    )
    .await?;
    let ago = |seconds: i64| {
        let time = Timestamp::now() - SignedDuration::from_secs(seconds);
        time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    };
    lab.go_back(BACK);
    let path = format!("/api/v1/namespaces/{NAMESPACE}/pods/{name}");
    let mut pod = lab
        .send(Method::GET, &path, serde_json::Value::Null)
        .await?;
    pod["status"] = json!({"phase": "Running", "containerStatuses": [{
        "name": "gateway", "ready": true, "restartCount": 1, "state": {"running": {"startedAt": ago(BACK)}},
        "lastState": {"terminated": {
            "exitCode": 137, "reason": "OOMKilled", "startedAt": ago(3000), "finishedAt": ago(KILLED),
        }},
    }]});
    lab.send(Method::PUT, &format!("{path}/status"), pod)
        .await?;
    lab.go_back(0);
    gateway_at_work(
        stage,
        at_work,
        "gateway-7f9c-x2x",
        "prod:Deployment:search",
        0,
    )
    .await
}
