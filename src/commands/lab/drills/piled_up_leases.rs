//! Hundreds of leases have expired: the gateway may not delete them.

use tokio::task::JoinSet;

use super::super::roles;
use super::holder::{gateway_at_work, lease_of};
use super::{Situation, Stage};

pub(super) const SITUATION: Situation = Situation {
    section: "Leases pile up",
    story: "The number of leases in kubernaut-system grows with every alert and never falls. A month ago there were a dozen;\n\
            somebody has tidied up the gateway's role since then.",
};

const EXPIRED: i64 = 300;
const OLDEST: i64 = 3 * 3600;
const YOUNGEST: i64 = 20 * 60;

pub(super) async fn set_up(stage: &Stage, at_work: &mut JoinSet<()>) -> anyhow::Result<()> {
    let lab = stage.lab();
    lab.go_back(OLDEST);
    roles::create(&lab, &["create", "get", "update"]).await?;
    for number in 0..EXPIRED {
        let ago = OLDEST - (OLDEST - YOUNGEST) * number / EXPIRED;
        let lease = lease_of(&format!("prod:Pod:worker-{number}"));
        lab.lease(ago, &lease, "gateway-7f9c-x2x", Some(30), Some(0))
            .await?;
    }
    lab.go_back(0);
    for (pod, target) in [
        ("gateway-7f9c-x2x", "prod:Deployment:search"),
        ("gateway-7f9c-4kq", "prod:Deployment:checkout"),
    ] {
        gateway_at_work(stage, at_work, pod, target, 0).await?;
    }
    Ok(())
}
