//! What is known to have happened around one lease, in the order of its times.
//!
//! Each entry names the clock that its time is by: times of different clocks are sorted as they stand.

use jiff::Timestamp;
use serde_json::Value;

/// Whose clock a time is by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// An API server's.
    Server,
    /// The holder's, as it wrote it into the lease.
    Holder,
    /// The node's that runs the pod.
    Node,
    /// Whoever wrote the Event or the RemediationRequest's status.
    Writer,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// By whose clock.
    pub by: By,
    /// What.
    pub what: String,
}

impl By {
    /// In a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Holder => "holder",
            Self::Node => "node",
            Self::Writer => "writer",
        }
    }
}

/// The writes that the server's stamps tell of: one entry for each manager of fields, with the parts that it wrote.
#[must_use]
pub fn of_managed_fields(metadata: &Value) -> Vec<Entry> {
    let entries = metadata["managedFields"].as_array();
    let entry = |entry: &Value| {
        let manager = entry["manager"].as_str().unwrap_or("somebody");
        let fields = &entry["fieldsV1"];
        let owns = |part: &str, field: &str| fields[part].get(field).is_some();
        let what = if owns("f:spec", "f:renewTime") || owns("f:spec", "f:holderIdentity") {
            "wrote the claim"
        } else if fields.get("f:spec").is_some() {
            "wrote other parts of the spec"
        } else {
            "wrote metadata"
        };
        Some(Entry {
            at: entry["time"].as_str()?.parse().ok()?,
            by: By::Server,
            what: format!(
                "{manager} {what} ({})",
                entry["operation"].as_str().unwrap_or("Update")
            ),
        })
    };
    entries.into_iter().flatten().filter_map(entry).collect()
}

/// An Event (core/v1) about the lease.
#[must_use]
pub fn of_event(event: &Value) -> Option<Entry> {
    let time = |key: &str| event[key].as_str()?.parse().ok();
    let server = || {
        event["metadata"]["creationTimestamp"]
            .as_str()?
            .parse()
            .ok()
    };
    let said = time("eventTime").or_else(|| time("lastTimestamp"));
    let (at, by) = match said {
        Some(at) => (at, By::Writer),
        None => (server()?, By::Server),
    };
    let word = |key: &str| event[key].as_str().unwrap_or_default();
    Some(Entry {
        at,
        by,
        what: format!("Event {}: {}", word("reason"), word("message")),
    })
}

/// Sorted by time; entries of one time stay in their order.
#[must_use]
pub fn sorted(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.sort_by_key(|entry| entry.at);
    entries
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn stamps_tell_who_wrote_what() {
        let metadata = json!({"managedFields": [
            {"manager": "gateway", "operation": "Update", "time": "2026-11-23T09:00:05Z",
             "fieldsV1": {"f:spec": {"f:renewTime": {}}}},
            {"manager": "kubectl-label", "operation": "Apply", "time": "2026-11-23T09:00:01Z",
             "fieldsV1": {"f:metadata": {}}},
            {"manager": "without a time"},
        ]});
        let told: Vec<String> = sorted(of_managed_fields(&metadata))
            .into_iter()
            .map(|entry| format!("{} {} {}", entry.at, entry.by.as_str(), entry.what))
            .collect();
        assert_eq!(
            told,
            [
                "2026-11-23T09:00:01Z server kubectl-label wrote metadata (Apply)",
                "2026-11-23T09:00:05Z server gateway wrote the claim (Update)",
            ]
        );
    }

    #[test]
    fn an_event_has_its_own_time_or_the_servers() {
        let event = |event_time: Value| {
            let event = json!({
                "metadata": {"creationTimestamp": "2026-11-23T09:00:09Z"},
                "eventTime": event_time, "reason": "ForceExpired", "message": "ops removed gateway-1",
            });
            of_event(&event).map(|entry| (entry.at.to_string(), entry.by, entry.what))
        };
        let what = "Event ForceExpired: ops removed gateway-1".to_owned();
        assert_eq!(
            event(json!("2026-11-23T09:00:08.5Z")),
            Some((
                "2026-11-23T09:00:08.5Z".to_owned(),
                By::Writer,
                what.clone()
            ))
        );
        assert_eq!(
            event(Value::Null),
            Some(("2026-11-23T09:00:09Z".to_owned(), By::Server, what))
        );
    }
}
