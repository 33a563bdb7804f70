//! Which RemediationRequest suppresses a signal: the first match in the order of the list, which is the order of names.
//!
//! Only what the gateway reads is read, where its latest version reads it.

use jiff::Timestamp;
use kube::api::DynamicObject;
use serde_json::Value;

const TERMINAL: [&str; 5] = ["Completed", "Failed", "TimedOut", "Skipped", "Cancelled"];

/// The request to count a signal on, by the gateway's own clock.
pub(super) fn suppressing(listed: Vec<DynamicObject>, now: Timestamp) -> Option<DynamicObject> {
    let mut backing_off: Option<(Timestamp, DynamicObject)> = None;
    for request in listed {
        let status = &request.data["status"];
        let phase = status["overallPhase"].as_str().unwrap_or_default();
        if !TERMINAL.contains(&phase) {
            return Some(request);
        }
        if status["completionStatus"]["outcome"] == "ManualReviewRequired" {
            return Some(request);
        }
        let Some(until) = next_allowed(status).filter(|until| *until > now) else {
            continue;
        };
        if backing_off.as_ref().is_none_or(|(last, _)| until > *last) {
            backing_off = Some((until, request));
        }
    }
    backing_off.map(|(_, request)| request)
}

fn next_allowed(status: &Value) -> Option<Timestamp> {
    let text = status["routingStatus"]["nextAllowedExecution"].as_str()?;
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decided(statuses: &[Value]) -> Option<String> {
        let listed = statuses.iter().enumerate().map(|(number, status)| {
            let request = json!({
                "apiVersion": "kubernaut.ai/v1alpha1", "kind": "RemediationRequest",
                "metadata": {"name": format!("rr-{number}")}, "status": status
            });
            serde_json::from_value(request).unwrap()
        });
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        suppressing(listed.collect(), now)?.metadata.name
    }

    fn back_off(until: &str) -> Value {
        json!({"overallPhase": "Failed", "routingStatus": {"nextAllowedExecution": until}})
    }

    #[test]
    fn the_first_match_in_the_order_of_the_list_decides() {
        let reviewed = json!({
            "overallPhase": "Completed", "completionStatus": {"outcome": "ManualReviewRequired"}
        });
        let executing = json!({"overallPhase": "Executing"});
        let completed = json!({"overallPhase": "Completed"});
        for (statuses, expected) in [
            (vec![], None),
            (vec![completed.clone()], None),
            (vec![json!(null)], Some("rr-0")),
            (vec![json!({"overallPhase": "OfTheFuture"})], Some("rr-0")),
            (vec![reviewed.clone(), executing.clone()], Some("rr-0")),
            (vec![executing.clone(), reviewed], Some("rr-0")),
            (vec![completed, executing], Some("rr-1")),
        ] {
            assert_eq!(decided(&statuses).as_deref(), expected, "{statuses:?}");
        }
    }

    #[test]
    fn a_back_off_counts_when_nothing_else_does_and_the_last_to_end_is_taken() {
        let backing_off = [
            back_off("2026-11-23T12:10:00Z"),
            back_off("2026-11-23T12:20:00Z"),
            back_off("2026-11-23T12:05:00Z"),
        ];
        assert_eq!(decided(&backing_off).as_deref(), Some("rr-1"));
        assert_eq!(decided(&[back_off("2026-11-23T12:00:00Z")]), None);
        let mut with_active = backing_off.to_vec();
        with_active.push(json!({"overallPhase": "Pending"}));
        assert_eq!(decided(&with_active).as_deref(), Some("rr-3"));
    }
}
