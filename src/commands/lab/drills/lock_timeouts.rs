//! Alerts are answered 500: somebody else holds the lease of their target and renews it.

use tokio::task::JoinSet;

use super::holder::{Holder, Pod, bare_pod, gateway_at_work, lease_of};
use super::{Situation, Stage};

pub(super) const SITUATION: Situation = Situation {
    section: "Alerts are answered 500 with lock time-outs",
    story: "Alerts for payment-api have been answered 500 for two minutes. The page you got says:\n  \
            notify for alerts failed: unexpected status code 500: lock acquisition timeout after 10 attempts\n  \
            (fingerprint: 91fce8d5c4949766458bd4bd58859a4fb2e8470ef64ef438c22903744799a9b1)",
};

pub(super) async fn set_up(stage: &Stage, at_work: &mut JoinSet<()>) -> anyhow::Result<()> {
    gateway_at_work(
        stage,
        at_work,
        "gateway-7f9c-x2x",
        "prod:Deployment:search",
        0,
    )
    .await?;
    let lab = stage.lab();
    // A job that took the lock with `gwlock run`, so that nobody remediates what it rolls out, and that hangs.
    let job = "rollout-payment-api-x7k2q";
    let pod = Pod::start(&lab, 150, "prod", bare_pod(job)).await?;
    let (lease, identity) = (
        lease_of("prod:Deployment:payment-api"),
        format!("{job}_6c1f09d2a4b7e835"),
    );
    let holder = Holder::acquire(&lab, pod, &lease, &identity, 140, 0).await?;
    at_work.spawn(holder.hold(stage.clone()));
    Ok(())
}
