//! Whether something may be started that cannot be taken back: on the lab always, elsewhere if somebody says so.
//!
//! What is asked, and what it means that nobody can be, is the business of the command.

use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use tokio::time::timeout;

use crate::context::{Cluster, stdin_is_terminal, stdin_line};
use crate::output::{self, escape::escape_line};

/// The annotation that says of a cluster that it is a lab, on the namespace [`LAB_NAMESPACE`].
pub(crate) const LAB_ANNOTATION: &str = "gwlock.dev/lab";
/// Where the lab has it.
pub(crate) const LAB_NAMESPACE: &str = "kubernaut-system";

/// How long the cluster may take to say whether it is a lab.
const PATIENCE: Duration = Duration::from_secs(5);

/// What came of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consent {
    /// It may be done.
    Given,
    /// Somebody said no.
    Refused,
    /// There is nobody to ask: stdin or stderr is no terminal.
    NobodyThere,
}

/// Asks, unless `--yes` was given or the cluster is the lab.
pub(crate) async fn ask(cluster: &Cluster, yes: bool, question: &str) -> Consent {
    if yes || is_lab(cluster).await {
        return Consent::Given;
    }
    if !stdin_is_terminal() || !output::stderr_is_terminal() {
        return Consent::NobodyThere;
    }
    output::ask(&escape_line(&format!("{question} Go on? [y/N]")));
    let answer = stdin_line().unwrap_or_default();
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Consent::Given,
        _ => Consent::Refused,
    }
}

/// Whether this is the lab: it says so itself, and is on this machine, where no real cluster would say so.
async fn is_lab(cluster: &Cluster) -> bool {
    let host = cluster.config.cluster_url.host().unwrap_or_default();
    if host != "127.0.0.1" {
        return false;
    }
    let namespaces: Api<Namespace> = Api::all(cluster.client.clone());
    let namespace = timeout(PATIENCE, namespaces.get_metadata_opt(LAB_NAMESPACE)).await;
    let Ok(Ok(Some(namespace))) = namespace else {
        return false;
    };
    let annotations = namespace.metadata.annotations.unwrap_or_default();
    annotations.contains_key(LAB_ANNOTATION)
}
