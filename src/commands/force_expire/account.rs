//! Accounting for a lease that was removed: who did it, a Kubernetes Event about the lease, a line for the audit log.

use std::time::Duration;

use gwlock_engine::client::api_error::describe;
use jiff::Timestamp;
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::PostParams;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::case::Deleted;
use crate::context::{Cluster, Context};
use crate::failure::missing_rule;
use crate::gateway::audit::{Event as AuditEvent, Removed};
use crate::output;
use crate::output::colour::{ATTENTION, HINT};

/// How long each request here may take: none of them may hold up the next deletion for long.
const PATIENCE: Duration = Duration::from_secs(5);

/// The server's limits for an Event, in bytes.
const LONGEST_NOTE: usize = 1023;
const LONGEST_INSTANCE: usize = 128;

/// Where an Event has the lease as it was.
const BEFORE: &str = "gwlock.dev/lease-before";
/// Where an Event has the whole reason.
const REASON: &str = "gwlock.dev/reason";
/// The most bytes of a reason there.
const LONGEST_REASON: usize = 4096;

/// Who removes leases, and why.
pub(super) struct Account<'a> {
    /// The user, as the server knows it.
    pub(super) by: String,
    cluster: &'a Cluster,
    reason: Option<&'a str>,
}

impl<'a> Account<'a> {
    /// Asks the server who this is. If it does not say, this machine's word has to do.
    pub(super) async fn new(cluster: &'a Cluster, reason: Option<&'a str>) -> Self {
        let reviews: Api<SelfSubjectReview> = Api::all(cluster.client.clone());
        let (parameters, review) = (PostParams::default(), SelfSubjectReview::default());
        let asked = timeout(PATIENCE, reviews.create(&parameters, &review)).await;
        let trouble = match asked {
            Ok(Ok(review)) => {
                let user = review.status.and_then(|status| status.user_info);
                if let Some(by) = user.and_then(|user| user.username) {
                    return Self {
                        by,
                        cluster,
                        reason,
                    };
                }
                "it named nobody".to_owned()
            }
            Ok(Err(error)) => words(&error),
            Err(_) => format!("no answer within {PATIENCE:?}"),
        };
        let by = format!("{}, by its own word", Context::identity(None));
        warn(&format!("the server does not say who this is: {trouble}"));
        Self {
            by,
            cluster,
            reason,
        }
    }

    /// Writes an Event about a lease. That it cannot be written is a warning: the lease is gone all the same.
    pub(super) async fn write_event(&self, deleted: &Deleted<'_>) -> bool {
        let value = self.event(deleted, Timestamp::now());
        let trouble = match serde_json::from_value::<Event>(value) {
            Err(error) => error.to_string(),
            Ok(event) => {
                let events: Api<Event> =
                    Api::namespaced(self.cluster.client.clone(), deleted.namespace);
                let parameters = PostParams::default();
                match timeout(PATIENCE, events.create(&parameters, &event)).await {
                    Ok(Ok(_)) => return true,
                    Ok(Err(error)) => words(&error),
                    Err(_) => format!("no answer within {PATIENCE:?}"),
                }
            }
        };
        warn(&format!("no Event tells of {}: {trouble}", deleted.name));
        if let Some(rule) = missing_rule(&trouble) {
            output::problem("hint", HINT, &rule);
        }
        false
    }

    fn event(&self, deleted: &Deleted<'_>, now: Timestamp) -> Value {
        let record = deleted.record;
        let note = format!(
            "{} removed {}: {}; reason: {}",
            self.by,
            record.holder().unwrap_or("nobody"),
            deleted.evidence,
            self.reason.unwrap_or("none given")
        );
        json!({
            "metadata": {
                "generateName": format!("{}-", deleted.name), "namespace": deleted.namespace,
                "annotations": {
                    BEFORE: deleted.before.to_string(),
                    REASON: cut(self.reason.unwrap_or_default(), LONGEST_REASON),
                },
            },
            "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string(),
            "action": "ForceExpire",
            "reason": "ForceExpired",
            "type": if deleted.was_live { "Warning" } else { "Normal" },
            "note": cut(&note, LONGEST_NOTE),
            "regarding": {
                "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "name": deleted.name.as_str(),
                "namespace": deleted.namespace, "uid": record.uid, "resourceVersion": record.resource_version,
            },
            "reportingController": "gwlock.dev/gwlock",
            "reportingInstance": cut(&Context::identity(None), LONGEST_INSTANCE),
        })
    }

    /// The line for the audit log.
    pub(super) fn audit_line(&self, deleted: &Deleted<'_>) -> String {
        let event = AuditEvent::force_expired(&Removed {
            lease: deleted.name.as_str(),
            namespace: deleted.namespace,
            holder: deleted.record.holder(),
            fencing_token: &deleted.record.resource_version,
            evidence: &deleted.evidence,
            by: &self.by,
            reason: self.reason,
            before: &deleted.before,
        });
        event.line(Timestamp::now())
    }
}

/// The server's own words where it has some.
fn words(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        error => describe(error),
    }
}

fn warn(message: &str) {
    output::problem("warning", ATTENTION, message);
}

/// The beginning of a text, of at most so many bytes.
fn cut(text: &str, longest: usize) -> &str {
    &text[..text.floor_char_boundary(longest)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("aé", 3), "aé");
        assert_eq!(cut("aé", 9), "aé");
    }
}
