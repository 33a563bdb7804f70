//! What a sender is told of its signals, in the gateway's JSON: a status and a body.
//!
//! How it gets to the sender is not known here.

use gwlock_engine::remediation::{Disposition, Processed};
use http::StatusCode;
use serde_json::{Value, json};

use super::scope::Rejection;

/// How one signal ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Answered {
    /// It created or was counted.
    Processed(Box<Processed>),
    /// Its object is not managed.
    Rejected(Rejection),
    /// It says that something is over, which changes nothing.
    Resolved,
    /// It cannot be processed, now or ever.
    Failed(Failed),
}

/// A signal that was not processed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// As far as it was known.
    pub fingerprint: String,
    /// For the sender.
    pub message: String,
    /// Whether it is worth sending again.
    pub retriable: bool,
}

/// How a batch ended.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Summary {
    created: usize,
    deduplicated: usize,
    rejected: usize,
    failed: usize,
}

/// The answer to the one signal of a request. A failed one is told as a problem instead.
#[must_use]
pub fn single(answered: &Answered) -> (StatusCode, Value) {
    match answered {
        Answered::Processed(processed) => processed_body(processed),
        Answered::Rejected(rejection) => (
            StatusCode::OK,
            json!({
                "status": "rejected",
                "message": "the resource is not managed by Kubernaut",
                "fingerprint": "",
                "duplicate": false,
                "rejection": {
                    "status": "rejected",
                    "reason": "unmanaged_resource",
                    "message": rejection.message,
                    "resource": rejection.resource,
                    "action": rejection.action,
                },
            }),
        ),
        Answered::Resolved => (
            StatusCode::OK,
            json!({"status": "resolved", "message": "resolved alerts change nothing", "duplicate": false}),
        ),
        Answered::Failed(failed) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            json!({"status": "failed", "fingerprint": failed.fingerprint, "message": failed.message}),
        ),
    }
}

fn processed_body(processed: &Processed) -> (StatusCode, Value) {
    let duplicate = processed.disposition != Disposition::Created;
    let (code, status, message) = if duplicate {
        (
            StatusCode::ACCEPTED,
            "duplicate",
            "counted on a RemediationRequest that exists",
        )
    } else {
        (StatusCode::CREATED, "created", "RemediationRequest created")
    };
    let mut body = json!({
        "status": status,
        "message": message,
        "fingerprint": processed.fingerprint.as_str(),
        "duplicate": duplicate,
        "remediationRequestName": processed.name,
        "remediationRequestNamespace": processed.namespace,
    });
    if duplicate {
        body["metadata"] = json!({
            "count": processed.count,
            "remediationRequestRef": format!("{}/{}", processed.namespace, processed.name),
            "firstOccurrence": processed.first_seen,
            "lastOccurrence": processed.last_seen,
        });
    }
    (code, body)
}

/// The answer to several signals. One that is worth sending again makes it a 500, because a sender takes every 2xx as
/// delivered; what has been counted is then counted again, which is the price of losing nothing.
#[must_use]
pub fn batch(answers: &[Answered]) -> (StatusCode, Value) {
    let mut summary = Summary::default();
    let results: Vec<Value> = answers
        .iter()
        .filter(|answered| **answered != Answered::Resolved)
        .map(|answered| summary.result(answered))
        .collect();
    let total = results.len();
    let lost = answers
        .iter()
        .any(|answered| matches!(answered, Answered::Failed(failed) if failed.retriable));
    let status = if lost {
        StatusCode::INTERNAL_SERVER_ERROR
    } else {
        StatusCode::MULTI_STATUS
    };
    let body = json!({
        "results": results,
        "summary": {
            "total": total,
            "created": summary.created,
            "deduplicated": summary.deduplicated,
            "rejected": summary.rejected,
            "failed": summary.failed,
        },
    });
    (status, body)
}

impl Summary {
    fn result(&mut self, answered: &Answered) -> Value {
        match answered {
            Answered::Processed(processed) => {
                let (_, body) = processed_body(processed);
                if processed.disposition == Disposition::Created {
                    self.created += 1;
                } else {
                    self.deduplicated += 1;
                }
                json!({
                    "status": body["status"], "fingerprint": body["fingerprint"], "message": body["message"],
                })
            }
            Answered::Rejected(rejection) => {
                self.rejected += 1;
                json!({"status": "rejected", "fingerprint": "", "message": rejection.message})
            }
            Answered::Resolved => Value::Null,
            Answered::Failed(failed) => {
                self.failed += 1;
                json!({"status": "failed", "fingerprint": failed.fingerprint, "error": failed.message})
            }
        }
    }
}
