//! A lock is stuck after a crash: the clock of the node that died was ahead, and gateways go by the holder's clock.

use tokio::task::JoinSet;

use super::holder::{gateway_at_work, lease_of};
use super::{Situation, Stage};

pub(super) const SITUATION: Situation = Situation {
    section: "A lock is stuck after a crash",
    story: "Twelve minutes ago a node went down, and with it one of the gateway's pods. Alerts for checkout have been\n\
            answered 500 since then; all others are handled.",
};

/// The clock of the node was an hour ahead.
const AHEAD: i64 = 3600;

pub(super) async fn set_up(stage: &Stage, at_work: &mut JoinSet<()>) -> anyhow::Result<()> {
    let lab = stage.lab();
    lab.go_back(3000);
    lab.pod("gateway-7f9c-gone", "Failed").await?;
    let lease = lease_of("prod:Deployment:checkout");
    lab.lease(720, &lease, "gateway-7f9c-gone", Some(30), Some(AHEAD))
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
