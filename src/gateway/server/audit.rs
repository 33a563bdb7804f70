//! What happened in a replica, for whoever has to account for it: one JSON object a line. What a line holds is said by
//! [`crate::gateway::audit`].

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use gwlock_engine::remediation::trace::{Event, LeaseEvent, Traced};
use gwlock_engine::remediation::{Disposition, Processed, Signal};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::gateway::audit::Event as AuditEvent;

use super::tls::{Certificate, TlsError};

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
            signal.fingerprint().as_str(),
            || of_signal(signal),
        );
    }

    pub(super) fn processed(&self, signal: &Signal, processed: &Processed) {
        let created = processed.disposition == Disposition::Created;
        let (event, status) = if created {
            ("gateway.crd.created", "new")
        } else {
            ("gateway.signal.deduplicated", "duplicate")
        };
        self.record(event, &processed.name, || {
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
        self.record("gateway.crd.failed", &correlation, || {
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
        let told = |event: &'static str, more: Value| {
            self.record(event, traced.fingerprint.as_str(), || {
                let mut data = lease();
                if let (Some(data), Some(more)) = (data.as_object_mut(), more.as_object()) {
                    data.extend(more.clone());
                }
                data
            });
        };
        match event {
            LeaseEvent::Contended => told("gateway.lock.contended", Value::Null),
            LeaseEvent::Acquired {
                token,
                holder,
                taken_over,
                waited,
                ..
            } => {
                let event = if *taken_over {
                    "gateway.lock.taken_over"
                } else {
                    "gateway.lock.acquired"
                };
                told(
                    event,
                    json!({"holder": holder, "fencing_token": token.to_string(), "waited_seconds": waited.as_secs_f64()}),
                );
            }
            LeaseEvent::Lost => told("gateway.lock.lost", Value::Null),
            LeaseEvent::Released { released, held } => told(
                "gateway.lock.released",
                json!({"released": format!("{released:?}"), "held_seconds": held.as_secs_f64()}),
            ),
            LeaseEvent::NotAcquired(_) | LeaseEvent::NotNeeded => {}
        }
    }

    /// The certificate's files were read again, because they had changed.
    pub fn configured(&self, certificate: &Certificate, outcome: &Result<(), TlsError>) {
        let (file, key) = certificate.files();
        let data = || json!({"config": "tls", "certificate_file": file, "private_key_file": key});
        let correlation = file.to_string_lossy();
        match outcome {
            Ok(()) => self.record("gateway.config.reloaded", &correlation, data),
            Err(error) => self.record("gateway.config.rejected", &correlation, || {
                let mut data = data();
                data["error"] = json!(error.to_string());
                data
            }),
        }
    }

    fn record(&self, name: &'static str, correlation: &str, data: impl FnOnce() -> Value) {
        let Some(place) = &self.0 else { return };
        let event = AuditEvent {
            name,
            correlation: correlation.to_owned(),
            data: data(),
        };
        let line = event.line(Timestamp::now());
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
