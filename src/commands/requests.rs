//! RemediationRequests for the commands: listed, and what a refusal means to whoever asked.

use gwlock_engine::remediation::exchange::Refusal;
use gwlock_engine::remediation::list::{self, ListError, Listing, Selection};
use serde_json::Value;

use super::inspect::DEFAULT_TIMEOUT;
use crate::context::Cluster;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::rbac::Rule;

/// Lists requests and keeps what `keep` makes of each.
pub(super) async fn list<T>(
    cluster: &Cluster,
    selection: Selection<'_>,
    keep: impl Fn(&Value) -> Option<T>,
) -> Result<Listing<T>, Failure> {
    let timeout = cluster.request_timeout.unwrap_or(DEFAULT_TIMEOUT);
    list::list(&cluster.client, selection, timeout, keep)
        .await
        .map_err(|error| failed(&error, selection.namespace))
}

/// Fails where requests cannot be selected by fingerprint.
pub(super) async fn check_selectable(
    cluster: &Cluster,
    namespace: Option<&str>,
) -> Result<(), Failure> {
    let timeout = cluster.request_timeout.unwrap_or(DEFAULT_TIMEOUT);
    list::check_selectable(&cluster.client, namespace, timeout)
        .await
        .map_err(|error| failed(&error, namespace))
}

fn failed(error: &ListError, namespace: Option<&str>) -> Failure {
    match error {
        ListError::Refused(refusal) => refused(refusal, namespace),
        ListError::NotServed => Failure::says(Exit::Config, error.to_string()).kubectl(
            "get customresourcedefinitions remediationrequests.kubernaut.ai",
            "which versions are served",
        ),
        ListError::NotSelectable(_) => Failure::says(Exit::Config, error.to_string())
            .hint("dedup needs Kubernetes 1.31 and a definition with selectableFields")
            .kubectl(
                "get customresourcedefinitions remediationrequests.kubernaut.ai \
                 -o jsonpath='{.spec.versions[*].selectableFields}'",
                "the fields that can be selected",
            ),
        ListError::Unreachable(message) => Failure::unreachable(message),
    }
}

fn refused(refusal: &Refusal, namespace: Option<&str>) -> Failure {
    let message = refusal.message.clone();
    match refusal.code {
        401 => Failure::unauthorised(message),
        403 => Failure::lacks(
            message,
            Rule {
                group: refusal.rule.api_group,
                resource: refusal.rule.resource,
                verb: refusal.rule.verb,
                namespace,
            },
        ),
        400 | 422 => Failure::says(Exit::BadInput, message),
        _ => Failure::unreachable(&message),
    }
}
