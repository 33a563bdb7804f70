//! What happened, for whoever has to account for it: one JSON object a line.
//!
//! | `event_type` | When |
//! |---|---|
//! | `gateway.signal.received` | a signal was read |
//! | `gateway.signal.deduplicated` | it was counted on a RemediationRequest |
//! | `gateway.crd.created` | it created one |
//! | `gateway.crd.failed` | it failed |
//! | `gateway.lock.acquired`, `.contended`, `.taken_over`, `.lost`, `.released` | something happened to its lease |
//!
//! Every line has `event_time`, `event_type`, `event_category` (`gateway`), `event_action`, `correlation_id` and
//! `event_data`. The correlation id is the name of the RemediationRequest; before there is one, the fingerprint.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use gwlock_engine::remediation::trace::{Event, LeaseEvent, Traced};
use gwlock_engine::remediation::{Disposition, Processed, Signal};
use jiff::Timestamp;
use serde_json::{Value, json};

/// Where the lines go. Without a place nothing is made.
#[derive(Default)]
pub struct Audit(Option<Mutex<Box<dyn Write + Send>>>);

impl Audit {
    /// Lines go here. Each is written with one call.
    #[must_use]
    pub fn to(place: Box<dyn Write + Send>) -> Self {
        Self(Some(Mutex::new(place)))
    }

    pub(super) fn received(&self, signal: &Signal) {
        self.record(
            "gateway.signal.received",
            "received",
            signal.fingerprint().as_str(),
            || of_signal(signal),
        );
    }

    pub(super) fn processed(&self, signal: &Signal, processed: &Processed) {
        let created = processed.disposition == Disposition::Created;
        let (event, action, status) = if created {
            ("gateway.crd.created", "created", "new")
        } else {
            ("gateway.signal.deduplicated", "deduplicated", "duplicate")
        };
        self.record(event, action, &processed.name, || {
            let mut data = of_signal(signal);
            data["remediation_request"] =
                json!(format!("{}/{}", processed.namespace, processed.name));
            data["deduplication_status"] = json!(status);
            data["occurrence_count"] = json!(processed.count);
            data
        });
    }

    pub(super) fn failed(&self, signal: &Signal, message: &str) {
        let spec = &signal.spec;
        let target = &spec.target_resource;
        let correlation = format!(
            "{}:{}:{}:{}",
            spec.signal_name,
            target.namespace.as_deref().unwrap_or_default(),
            target.kind,
            target.name
        );
        self.record("gateway.crd.failed", "failed", &correlation, || {
            let mut data = of_signal(signal);
            data["error"] = json!(message);
            data
        });
    }

    /// Takes an event of the processor.
    pub fn observe(&self, traced: &Traced) {
        let Event::Lease(event) = &traced.event else {
            return;
        };
        let lease =
            || json!({"lease": traced.fingerprint.lease_name().as_str(), "run": traced.run});
        let told = |action: &'static str, more: Value| {
            let event = format!("gateway.lock.{action}");
            self.record(&event, action, traced.fingerprint.as_str(), || {
                let mut data = lease();
                if let (Some(data), Some(more)) = (data.as_object_mut(), more.as_object()) {
                    data.extend(more.clone());
                }
                data
            });
        };
        match event {
            LeaseEvent::Contended => told("contended", Value::Null),
            LeaseEvent::Acquired {
                token,
                holder,
                taken_over,
                waited,
                ..
            } => {
                let action = if *taken_over {
                    "taken_over"
                } else {
                    "acquired"
                };
                told(
                    action,
                    json!({"holder": holder, "fencing_token": token.to_string(), "waited_seconds": waited.as_secs_f64()}),
                );
            }
            LeaseEvent::Lost => told("lost", Value::Null),
            LeaseEvent::Released { released, held } => told(
                "released",
                json!({"released": format!("{released:?}"), "held_seconds": held.as_secs_f64()}),
            ),
            LeaseEvent::NotAcquired(_) | LeaseEvent::NotNeeded => {}
        }
    }

    fn record(&self, event: &str, action: &str, correlation: &str, data: impl FnOnce() -> Value) {
        let Some(place) = &self.0 else { return };
        let line = json!({
            "event_time": Timestamp::now(),
            "event_type": event,
            "event_category": "gateway",
            "event_action": action,
            "correlation_id": correlation,
            "event_data": data(),
        });
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = place.write_all(format!("{line}\n").as_bytes()) {
            tracing::error!("an audit event was lost: {error}");
        }
    }
}

fn of_signal(signal: &Signal) -> Value {
    let spec = &signal.spec;
    json!({
        "signal_type": spec.signal_type,
        "signal_name": spec.signal_name,
        "namespace": spec.target_resource.namespace,
        "fingerprint": spec.signal_fingerprint.as_str(),
        "severity": spec.severity,
        "resource_kind": spec.target_resource.kind,
        "resource_name": spec.target_resource.name,
        "original_payload": spec.original_payload,
        "signal_labels": spec.signal_labels,
        "signal_annotations": spec.signal_annotations,
    })
}
