//! All Leases of a namespace or a cluster, small and fast.
//!
//! Asks for protobuf, a third of the bytes of JSON, and takes JSON where the server has nothing else. Reads what the
//! expiry rule needs of each lease and drops the rest while decoding.

mod json;
mod protobuf;

use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use jiff::Timestamp;
use kube::client::Body;
use serde_json::Value;
use tokio::time::Instant;

use crate::protocol::exchange::{Answer, NotExecuted, Refusal, Verb};
use crate::protocol::record::LeaseRecord;

use super::api_error::{classify, classify_failure};
use super::lease_api::{server_date, whole_answer};

/// Leases of one page: large pages need fewer requests, small ones less memory.
const PAGE: usize = 2000;

const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

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
    /// How long it took until that page was there, from the beginning.
    pub took: Duration,
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
        took: Duration::ZERO,
        resource_version: String::new(),
    };
    let began = Instant::now();
    let mut next = None;
    let mut decoding = None;
    // A page is decoded while the server works on the next one, which takes both about as long.
    loop {
        let uri = page_uri(&collection, label_selector, next.as_deref());
        let answer = fetch(client, &uri, timeout).await?;
        if listing.date.is_none() {
            (listing.date, listing.took) = (answer.date, began.elapsed());
        }
        next = answer.content.next()?;
        let begun = tokio::task::spawn_blocking(|| answer.content.decode());
        if let Some(page) = decoding.replace(begun) {
            listing.add(page.await.map_err(unreadable)??, &keep);
        }
        if next.is_none() {
            break;
        }
    }
    if let Some(page) = decoding {
        listing.add(page.await.map_err(unreadable)??, &keep);
    }
    Ok(listing)
}

impl Listing {
    fn add(&mut self, page: Page, keep: impl Fn(&str) -> bool) {
        self.resource_version = page.resource_version;
        let items = page.items.into_iter();
        self.items.extend(items.filter(|item| keep(&item.name)));
    }
}

fn page_uri(collection: &str, label_selector: Option<&str>, next: Option<&str>) -> String {
    let mut uri = format!("{collection}?limit={PAGE}");
    for (key, value) in [("labelSelector", label_selector), ("continue", next)] {
        if let Some(value) = value {
            uri.push_str(&format!("&{key}={}", encode(value)));
        }
    }
    uri
}

/// The path of a collection of leases.
#[must_use]
pub fn collection_path(namespace: Option<&str>) -> String {
    match namespace {
        Some(namespace) => format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"),
        None => "/apis/coordination.k8s.io/v1/leases".to_owned(),
    }
}

async fn fetch(client: &kube::Client, uri: &str, timeout: Duration) -> Result<Fetched, ListError> {
    let request = Request::get(uri)
        .header(header::ACCEPT, format!("{PROTOBUF}, application/json"))
        .body(Body::empty())
        .map_err(|error| ListError::Unreachable(error.to_string()))?;
    let call = whole_answer(client, request);
    let (parts, bytes) = match tokio::time::timeout(timeout, call).await {
        Err(_) => {
            return Err(ListError::Unreachable(format!(
                "no answer within {timeout:?}"
            )));
        }
        Ok(Err(error)) => return Err(failed(classify_failure(&error))),
        Ok(Ok(answer)) => answer,
    };
    let kind = parts.headers.get(header::CONTENT_TYPE);
    let is_protobuf = kind.is_some_and(|kind| kind == PROTOBUF);
    if !parts.status.is_success() {
        let body = if is_protobuf {
            protobuf::status(bytes)
        } else {
            serde_json::from_slice(&bytes).ok()
        };
        let body = body.unwrap_or(Value::Null);
        return Err(failed(classify(
            Verb::List,
            parts.status,
            &parts.headers,
            &body,
        )));
    }
    let content = if is_protobuf {
        Content::Protobuf(bytes)
    } else {
        Content::Decoded(json::page(&bytes).map_err(unreadable)?)
    };
    Ok(Fetched {
        date: server_date(&parts.headers),
        content,
    })
}

impl Content {
    /// The token for the next page, for which protobuf need not be decoded.
    fn next(&self) -> Result<Option<String>, ListError> {
        match self {
            Self::Protobuf(bytes) => protobuf::next(bytes.clone()).map_err(unreadable),
            Self::Decoded(page) => Ok(page.next.clone()),
        }
    }

    fn decode(self) -> Result<Page, ListError> {
        match self {
            Self::Protobuf(bytes) => protobuf::page(bytes).map_err(unreadable),
            Self::Decoded(page) => Ok(page),
        }
    }
}

fn unreadable(error: impl std::fmt::Display) -> ListError {
    ListError::Unreachable(format!("the answer cannot be read: {error}"))
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

/// A page as it came.
struct Fetched {
    date: Option<Timestamp>,
    content: Content,
}

enum Content {
    Protobuf(Bytes),
    Decoded(Page),
}

/// A decoded page.
struct Page {
    items: Vec<Listed>,
    resource_version: String,
    next: Option<String>,
}
