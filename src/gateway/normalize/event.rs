//! What of an event becomes part of a signal.

use std::collections::BTreeMap;
use std::sync::Arc;

use gwlock_engine::remediation::request::whole_seconds;
use jiff::Timestamp;

use crate::gateway::GatewayVersion;
use crate::gateway::event::Event;

use super::{Draft, severity};

impl Draft {
    /// Everything of an event but the object.
    #[must_use]
    pub fn of_event(version: GatewayVersion, event: &Event, received: Timestamp) -> Self {
        Self {
            version,
            name: event.reason.clone(),
            severity: severity::raw(&event.event_type),
            signal_type: match version {
                GatewayVersion::Current => "alert",
                GatewayVersion::January => "kubernetes-event",
            },
            source: "kubernetes-events",
            cluster: None,
            firing_time: event.first_seen().unwrap_or(received),
            received_time: received,
            labels: filled([
                ("kubernaut.ai/event-source", event.component.clone()),
                ("kubernaut.ai/event-type", event.event_type.to_lowercase()),
                (
                    "kubernaut.ai/resource-kind",
                    event.involved_object.kind.to_lowercase(),
                ),
            ]),
            annotations: filled([
                ("kubernaut.ai/event-message", event.message.clone()),
                ("kubernaut.ai/event-count", count(event.count)),
                ("kubernaut.ai/source-host", event.host.clone()),
                ("kubernaut.ai/first-timestamp", time(event.first_timestamp)),
                ("kubernaut.ai/last-timestamp", time(event.last_timestamp)),
            ]),
            payload: Arc::from(event.payload()),
        }
    }
}

fn count(count: i64) -> String {
    if count > 0 {
        count.to_string()
    } else {
        String::new()
    }
}

fn time(time: Option<Timestamp>) -> String {
    time.map(whole_seconds).unwrap_or_default()
}

/// Without what is empty.
fn filled<const N: usize>(entries: [(&str, String); N]) -> BTreeMap<String, String> {
    entries
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(name, text)| (name.to_owned(), text))
        .collect()
}
