//! Two RemediationRequests of one key are active.

use serde_json::json;

use super::super::fixtures::Lab;
use super::super::fixtures::requests::{MINUTE, Request, counted};
use super::Situation;

pub(super) const SITUATION: Situation = Situation {
    section: "There are two RemediationRequests of one alert",
    story: "Two remediations of search were started a second after each other a quarter of an hour ago. One of them works\n\
            on it, the other one is blocked, and both are still there.",
};

pub(super) async fn set_up(lab: &Lab<'_>) -> anyhow::Result<()> {
    lab.remediation_request().await?;
    let original = Request::of("prod:Deployment:search", "HighLatency", 15 * MINUTE);
    let executing =
        json!({"overallPhase": "Executing", "deduplication": counted(15 * MINUTE, 40, 21)});
    lab.request(&original, executing).await?;
    // By a gateway that names requests by chance.
    let second = Request {
        generation: "by chance",
        created: 15 * MINUTE - 1,
        ..original
    };
    let blocked = json!({
        "overallPhase": "Blocked", "blockReason": "DuplicateInProgress",
        "deduplication": counted(15 * MINUTE - 1, 15 * MINUTE - 1, 1),
    });
    lab.request(&second, blocked).await?;
    lab.go_back(0);
    Ok(())
}
