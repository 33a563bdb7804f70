//! A request has no count: its creator ended before the first one.

use serde_json::json;

use super::super::fixtures::Lab;
use super::super::fixtures::requests::{MINUTE, Request, counted};
use super::Situation;

pub(super) const SITUATION: Situation = Situation {
    section: "An occurrence count is wrong",
    story: "The report of the night says that the failed job nightly-report was never counted, although its alert has come\n\
            more than once. A gateway was restarted at about the time of the first one.",
};

pub(super) async fn set_up(lab: &Lab<'_>) -> anyhow::Result<()> {
    lab.remediation_request().await?;
    let uncounted = Request::of("prod:CronJob:nightly-report", "JobFailed", 10 * MINUTE);
    lab.request(&uncounted, json!({"overallPhase": "Pending"}))
        .await?;
    let right = Request::of("prod:Deployment:search", "HighLatency", 15 * MINUTE);
    let executing =
        json!({"overallPhase": "Executing", "deduplication": counted(15 * MINUTE, 40, 21)});
    lab.request(&right, executing).await?;
    lab.go_back(0);
    Ok(())
}
