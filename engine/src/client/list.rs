//! All Leases of a namespace or a cluster, small and fast.
//!
//! Reads what the expiry rule needs of each lease and drops the rest while decoding.

use std::time::Duration;

use http::{Request, header};
use http_body_util::BodyExt;
use jiff::Timestamp;
use kube::client::Body;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::protocol::exchange::{Answer, NotExecuted, Refusal, Verb};
use crate::protocol::record::{Claim, FieldsEntry, LeaseRecord, claim_stamp};

use super::api_error::{classify, classify_failure};
use super::lease_api::server_date;

/// Leases of one page: large pages need fewer requests, small ones less memory.
const PAGE: usize = 2000;

/// A listed lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What the protocol sees of it.
    pub record: LeaseRecord,
}

/// A consistent LIST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The leases, sorted by namespace and name.
    pub items: Vec<Listed>,
    /// The `Date` of the first page: later pages show the state of that moment under a later date.
    pub date: Option<Timestamp>,
    /// The version to watch from.
    pub resource_version: String,
}

/// Why a list failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// The server will not do it.
    #[error("{0}")]
    Refused(Refusal),
    /// No clear answer in time.
    #[error("the API server did not answer: {0}")]
    Unreachable(String),
}

/// Lists the leases that `keep` wants by name, in one namespace or in all.
///
/// # Errors
/// [`ListError`].
pub async fn list(
    client: &kube::Client,
    namespace: Option<&str>,
    label_selector: Option<&str>,
    timeout: Duration,
    keep: impl Fn(&str) -> bool,
) -> Result<Listing, ListError> {
    let collection = collection_path(namespace);
    let mut listing = Listing {
        items: Vec::new(),
        date: None,
        resource_version: String::new(),
    };
    let mut next: Option<String> = None;
    loop {
        let mut uri = format!("{collection}?limit={PAGE}");
        for (key, value) in [
            ("labelSelector", label_selector),
            ("continue", next.as_deref()),
        ] {
            if let Some(value) = value {
                uri.push_str(&format!("&{key}={}", encode(value)));
            }
        }
        let (date, page) = fetch(client, &uri, timeout).await?;
        listing.date = listing.date.or(date);
        listing.resource_version = page.metadata.resource_version;
        listing.items.extend(
            page.items
                .into_iter()
                .filter(|item| keep(&item.metadata.name))
                .map(WireLease::into_listed),
        );
        next = page.metadata.continue_.filter(|token| !token.is_empty());
        if next.is_none() {
            return Ok(listing);
        }
    }
}

/// The path of a collection of leases.
#[must_use]
pub fn collection_path(namespace: Option<&str>) -> String {
    match namespace {
        Some(namespace) => format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"),
        None => "/apis/coordination.k8s.io/v1/leases".to_owned(),
    }
}

async fn fetch(
    client: &kube::Client,
    uri: &str,
    timeout: Duration,
) -> Result<(Option<Timestamp>, WireList), ListError> {
    let request = Request::get(uri)
        .header(header::ACCEPT, "application/json")
        .body(Body::empty())
        .map_err(|error| ListError::Unreachable(error.to_string()))?;
    let call = async {
        let (parts, body) = client.send(request).await?.into_parts();
        Ok::<_, kube::Error>((parts, body.collect().await?.to_bytes()))
    };
    let (parts, bytes) = match tokio::time::timeout(timeout, call).await {
        Err(_) => {
            return Err(ListError::Unreachable(format!(
                "no answer within {timeout:?}"
            )));
        }
        Ok(Err(error)) => return Err(failed(classify_failure(&error))),
        Ok(Ok(answer)) => answer,
    };
    if !parts.status.is_success() {
        let body: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        return Err(failed(classify(
            Verb::List,
            parts.status,
            &parts.headers,
            &body,
        )));
    }
    let page = serde_json::from_slice(&bytes)
        .map_err(|error| ListError::Unreachable(error.to_string()))?;
    Ok((server_date(&parts.headers), page))
}

fn failed(answer: Answer) -> ListError {
    match answer {
        Answer::Refused(refusal) => ListError::Refused(refusal),
        Answer::NotExecuted(NotExecuted { message, .. }) | Answer::Unclear(message) => {
            ListError::Unreachable(message)
        }
        other => ListError::Unreachable(format!("unexpected answer {other:?}")),
    }
}

/// Percent-encodes a query value.
#[must_use]
pub fn encode(value: &str) -> String {
    use std::fmt::Write as _;
    value.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

#[derive(Deserialize)]
struct WireList {
    metadata: WireListMeta,
    #[serde(default)]
    items: Vec<WireLease>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireListMeta {
    #[serde(default)]
    resource_version: String,
    #[serde(rename = "continue")]
    continue_: Option<String>,
}

#[derive(Deserialize)]
struct WireLease {
    metadata: WireMeta,
    #[serde(default)]
    spec: WireSpec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireMeta {
    name: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    uid: String,
    #[serde(default)]
    resource_version: String,
    creation_timestamp: Option<Timestamp>,
    deletion_timestamp: Option<IgnoredAny>,
    #[serde(default)]
    managed_fields: Vec<WireEntry>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct WireSpec {
    holder_identity: Option<String>,
    lease_duration_seconds: Option<i32>,
    acquire_time: Option<Timestamp>,
    renew_time: Option<Timestamp>,
    lease_transitions: Option<i32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireEntry {
    time: Option<Timestamp>,
    #[serde(default)]
    fields_v1: WireFields,
}

#[derive(Deserialize, Default)]
struct WireFields {
    #[serde(rename = "f:spec", default)]
    spec: WireSpecFields,
}

#[derive(Deserialize, Default)]
struct WireSpecFields {
    #[serde(rename = "f:renewTime")]
    renew_time: Option<IgnoredAny>,
    #[serde(rename = "f:holderIdentity")]
    holder: Option<IgnoredAny>,
}

impl WireLease {
    fn into_listed(self) -> Listed {
        let Self { metadata, spec } = self;
        let entries = metadata.managed_fields.iter().filter_map(|entry| {
            Some(FieldsEntry {
                time: entry.time?,
                owns_renew_time: entry.fields_v1.spec.renew_time.is_some(),
                owns_holder: entry.fields_v1.spec.holder.is_some(),
            })
        });
        let stamp = claim_stamp(entries, spec.renew_time.is_some());
        Listed {
            namespace: metadata.namespace,
            name: metadata.name,
            record: LeaseRecord {
                uid: metadata.uid,
                resource_version: metadata.resource_version,
                created: metadata.creation_timestamp,
                deleting: metadata.deletion_timestamp.is_some(),
                stamp,
                claim: Claim {
                    holder: spec.holder_identity,
                    lease_duration_seconds: spec.lease_duration_seconds,
                    acquire_time: spec.acquire_time,
                    renew_time: spec.renew_time,
                    lease_transitions: spec.lease_transitions,
                },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::convert;
    use super::*;

    #[test]
    fn a_listed_lease_is_the_same_record_as_one_that_was_read_alone() {
        let lease = json!({
            "metadata": {
                "name": "gw-lock-1", "namespace": "ns", "uid": "u1", "resourceVersion": "7",
                "creationTimestamp": "2026-11-23T09:00:00Z", "deletionTimestamp": "2026-11-23T09:10:00Z",
                "managedFields": [
                    {"manager": "gateway", "time": "2026-11-23T09:00:05Z", "fieldsV1": {"f:spec": {"f:renewTime": {}}}},
                    {"manager": "other", "time": "2026-11-23T09:00:09Z", "fieldsV1": {"f:metadata": {"f:labels": {}}}}
                ]
            },
            "spec": {"holderIdentity": "gateway-1", "leaseDurationSeconds": 30, "renewTime": "2026-11-23T09:00:05.123456Z"}
        });
        let listed: WireLease = serde_json::from_value(lease.clone()).unwrap();
        assert_eq!(
            listed.into_listed().record,
            convert::record(&lease).unwrap()
        );
    }
}
