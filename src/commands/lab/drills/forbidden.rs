//! The gateway's role has no rule for leases. The kubeconfig's current user is the gateway.

use super::super::fixtures::Lab;
use super::super::roles;
use super::Situation;

pub(super) const SITUATION: Situation = Situation {
    section: "The gateway is forbidden to use leases",
    story: "Since the gateway was rolled out anew, every new alert is answered 500 at once. Its log says \"forbidden\".\n\
            The kubeconfig has the gateway's service account as its current user, and yours as the context admin.",
};

pub(super) async fn set_up(lab: &Lab<'_>) -> anyhow::Result<()> {
    lab.remediation_request().await?;
    roles::create(lab, &[]).await
}
