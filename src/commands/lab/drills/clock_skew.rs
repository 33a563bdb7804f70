//! The clocks of two holders, and of this machine, are not the server's.

use tokio::task::JoinSet;

use super::holder::gateway_at_work;
use super::{Situation, Stage};

pub(super) const SITUATION: Situation = Situation {
    section: "Clocks are wrong",
    story: "After the time servers were moved, alerts for checkout wait for ever, those for search were handled twice, and\n\
            times in the logs do not fit together. This machine's clock is not above suspicion either.",
};

/// How far the server's clock is ahead of this machine's.
const SERVER_AHEAD: i64 = 600;
/// How far the clock of a gateway's node is off.
const NODE_OFF: i64 = 3600;

pub(super) async fn set_up(stage: &Stage, at_work: &mut JoinSet<()>) -> anyhow::Result<()> {
    stage.clock.set_off(SERVER_AHEAD);
    for (pod, target, ahead) in [
        ("gateway-7f9c-8hr", "prod:Deployment:checkout", NODE_OFF),
        ("gateway-7f9c-qm4", "prod:Deployment:search", -NODE_OFF),
        ("gateway-7f9c-x2x", "prod:Deployment:invoice", 0),
    ] {
        gateway_at_work(stage, at_work, pod, target, ahead).await?;
    }
    Ok(())
}
