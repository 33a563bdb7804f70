//! The API server is slow, and refuses new leases for now, because a pod floods it.

use std::time::Duration;

use gwlock_apiserver::faults::{Action, Fault};
use tokio::task::JoinSet;

use super::holder::{Pod, bare_pod};
use super::{Situation, Stage};

pub(super) const SITUATION: Situation = Situation {
    section: "The API server is slow under a storm",
    story: "Alerts come by the hundred, and the gateways answer late or with 500 and 504. kubectl is slow as well. Somebody\n\
            says that the pod reindex-0 in prod, which writes into every ConfigMap, was started just before that.",
};

/// How late an answer is.
const LATE: Duration = Duration::from_millis(400);

pub(super) async fn set_up(stage: &Stage, at_work: &mut JoinSet<()>) -> anyhow::Result<()> {
    let lab = stage.lab();
    lab.remediation_request().await?;
    let pod = Pod::start(&lab, 300, "prod", bare_pod("reindex-0")).await?;
    let throttled = Action::Refuse {
        status: 429,
        retry_after: Some(1),
    };
    let faults = stage.server.faults();
    faults.inject(Fault::new(throttled).verb("create").resource("leases"));
    for resource in ["leases", "remediationrequests"] {
        faults.inject(Fault::new(Action::Delay(LATE)).resource(resource));
    }
    let stage = stage.clone();
    at_work.spawn(async move {
        let lab = stage.lab();
        pod.told_to_end(&lab).await;
        stage.server.faults().clear();
        // Nobody is told of a drill that fails to clean up behind itself.
        drop(pod.end(&lab).await);
    });
    Ok(())
}
