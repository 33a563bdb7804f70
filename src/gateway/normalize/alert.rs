//! What of an alert becomes part of a signal.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::gateway::GatewayVersion;
use crate::gateway::payload::{FieldError, Problem};
use crate::gateway::prometheus::{Alert, Webhook};

use super::{Draft, LONGEST_CLUSTER, severity};

impl Draft {
    /// Everything of an alert but the object. Name, severity and target come from the alert's own labels, the cluster
    /// from those that its group shares; among `signalLabels` the group's win.
    ///
    /// # Errors
    /// [`FieldError`] when it has no `alertname`, or names a cluster with more than 253 bytes.
    pub fn of_alert(
        version: GatewayVersion,
        webhook: &Webhook,
        alert: &Alert,
        received: Timestamp,
    ) -> Result<Self, FieldError> {
        let own = |label: &str| alert.labels.get(label).map_or("", String::as_str);
        let name = own("alertname");
        if name.is_empty() {
            let field = alert.path("labels.alertname");
            return Err(FieldError::new(field, Problem::Missing));
        }
        Ok(Self {
            version,
            name: name.to_owned(),
            severity: severity::raw(own("severity")),
            signal_type: match version {
                GatewayVersion::Current => "alert",
                GatewayVersion::January => "prometheus-alert",
            },
            source: "prometheus",
            cluster: cluster(version, webhook)?,
            firing_time: alert.starts_at.unwrap_or(received),
            received_time: received,
            labels: overlaid(&alert.labels, &webhook.common_labels),
            annotations: overlaid(&alert.annotations, &webhook.common_annotations),
            payload: Arc::from(webhook.payload_of(alert)),
        })
    }
}

/// January's gateway knows no clusters.
fn cluster(version: GatewayVersion, webhook: &Webhook) -> Result<Option<String>, FieldError> {
    let cluster = webhook.common_labels.get("cluster");
    let Some(cluster) = cluster.filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    if version == GatewayVersion::January {
        return Ok(None);
    }
    if cluster.len() > LONGEST_CLUSTER {
        let problem = Problem::TooLong {
            bytes: cluster.len(),
            limit: LONGEST_CLUSTER,
        };
        return Err(FieldError::new("commonLabels.cluster", problem));
    }
    Ok(Some(cluster.clone()))
}

fn overlaid(
    own: &BTreeMap<String, String>,
    common: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut all = own.clone();
    all.extend(common.clone());
    all
}
