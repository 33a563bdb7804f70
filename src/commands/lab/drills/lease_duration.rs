//! A lease duration has to be chosen, for an API server that answers late.

use std::time::Duration;

use gwlock_apiserver::faults::{Action, Fault};

use super::{Situation, Stage};

pub(super) const SITUATION: Situation = Situation {
    section: "A lease duration has to be chosen",
    story: "When a gateway is killed, first alerts of its fingerprints wait for half a minute. Somebody wants a lease duration\n\
            of one second. The API server of this cluster is far away.",
};

/// How late an answer about a lease is.
const LATE: Duration = Duration::from_secs(1);

pub(super) async fn set_up(stage: &Stage) -> anyhow::Result<()> {
    stage.lab().remediation_request().await?;
    let late = Fault::new(Action::Delay(LATE)).resource("leases");
    stage.server.faults().inject(late);
    Ok(())
}
