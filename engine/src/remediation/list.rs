//! All RemediationRequests of a namespace or a cluster, a page at a time.
//!
//! One can hold a payload of a quarter of a megabyte, and there can be very many: a page is kept as it came, its
//! objects are parsed one after another, and the caller takes what it needs of each. What the requests mean is decided
//! elsewhere.

use std::time::Duration;

use http::{Request, StatusCode, header};
use jiff::Timestamp;
use kube::client::Body;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::client::api_error::{classify_failure, describe};
use crate::client::lease_api::{server_date, whole_answer};
use crate::client::list::encode;
use crate::protocol::exchange::Answer as LeaseAnswer;
use crate::protocol::key::Fingerprint;

use super::exchange::{Refusal, Rule};
use super::request::{FINGERPRINT_FIELD, GROUP, PLURAL, VERSION};

/// Requests of one page. Custom resources come as JSON only.
const PAGE: usize = 250;

/// How often a list is begun in all: its token lasts for some minutes only, and a list that outlives it has to begin
/// again, because what it has read so far is of another moment than the rest would be.
const TRIES: u32 = 3;

/// Which requests.
#[derive(Debug, Clone, Copy, Default)]
pub struct Selection<'a> {
    /// Those of one namespace; `None` for all.
    pub namespace: Option<&'a str>,
    /// Those that a label selector selects.
    pub labels: Option<&'a str>,
    /// Those of one fingerprint.
    pub fingerprint: Option<&'a Fingerprint>,
}

/// A consistent LIST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T> {
    /// What was kept, in the order of namespaces and names.
    pub items: Vec<T>,
    /// The `Date` of the first page: later pages show the state of that moment under a later date.
    pub date: Option<Timestamp>,
}

/// Why a list failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// The server will not do it.
    #[error("{0}")]
    Refused(Refusal),
    /// The server knows no RemediationRequests.
    #[error("the cluster serves no {PLURAL} of {GROUP}/{VERSION}")]
    NotServed,
    /// The server cannot select by fingerprint: it is older than Kubernetes 1.31, or its definition of the requests
    /// lacks the selectable field.
    #[error("the cluster cannot select {PLURAL} by {FINGERPRINT_FIELD}: {0}")]
    NotSelectable(String),
    /// No clear answer in time.
    #[error("the API server did not answer: {0}")]
    Unreachable(String),
}

/// Lists requests and keeps of each what `keep` makes of it.
///
/// # Errors
/// [`ListError`].
pub async fn list<T>(
    client: &kube::Client,
    selection: Selection<'_>,
    timeout: Duration,
    keep: impl Fn(&Value) -> Option<T>,
) -> Result<Listing<T>, ListError> {
    let mut tries = 1;
    loop {
        match read_pages(client, selection, timeout, &keep).await {
            Err(ListError::Refused(refusal)) if refusal.code == 410 && tries < TRIES => tries += 1,
            outcome => return outcome,
        }
    }
}

/// Asks whether requests can be selected by fingerprint, without which there is no dedup.
///
/// # Errors
/// [`ListError`].
pub async fn check_selectable(
    client: &kube::Client,
    namespace: Option<&str>,
    timeout: Duration,
) -> Result<(), ListError> {
    let nobodys = Fingerprint::of("");
    let selection = Selection {
        namespace,
        fingerprint: Some(&nobodys),
        labels: None,
    };
    list(client, selection, timeout, |_| Some(()))
        .await
        .map(drop)
}

async fn read_pages<T>(
    client: &kube::Client,
    selection: Selection<'_>,
    timeout: Duration,
    keep: &impl Fn(&Value) -> Option<T>,
) -> Result<Listing<T>, ListError> {
    let mut listing = Listing {
        items: Vec::new(),
        date: None,
    };
    let mut next = String::new();
    loop {
        let (date, bytes) = fetch(client, &uri(selection, &next), timeout).await?;
        listing.date = listing.date.or(date);
        let page: Page<'_> = serde_json::from_slice(&bytes).map_err(unreadable)?;
        for item in page.items {
            let object: Value = serde_json::from_str(item.get()).map_err(unreadable)?;
            listing.items.extend(keep(&object));
        }
        next = page.metadata.next;
        if next.is_empty() {
            return Ok(listing);
        }
    }
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(default)]
    metadata: PageMetadata,
    #[serde(borrow, default)]
    items: Vec<&'a RawValue>,
}

#[derive(Deserialize, Default)]
struct PageMetadata {
    #[serde(rename = "continue", default)]
    next: String,
}

fn uri(selection: Selection<'_>, next: &str) -> String {
    let mut uri = format!("/apis/{GROUP}/{VERSION}/");
    if let Some(namespace) = selection.namespace {
        uri.push_str(&format!("namespaces/{namespace}/"));
    }
    uri.push_str(&format!("{PLURAL}?limit={PAGE}"));
    if let Some(labels) = selection.labels {
        uri.push_str(&format!("&labelSelector={}", encode(labels)));
    }
    if let Some(fingerprint) = selection.fingerprint {
        uri.push_str(&format!(
            "&fieldSelector={FINGERPRINT_FIELD}%3D{fingerprint}"
        ));
    }
    if !next.is_empty() {
        uri.push_str(&format!("&continue={}", encode(next)));
    }
    uri
}

async fn fetch(
    client: &kube::Client,
    uri: &str,
    timeout: Duration,
) -> Result<(Option<Timestamp>, bytes::Bytes), ListError> {
    let request = Request::get(uri)
        .header(header::ACCEPT, "application/json")
        .body(Body::empty())
        .map_err(|error| ListError::Unreachable(error.to_string()))?;
    let call = whole_answer(client, request);
    let (parts, bytes) = match tokio::time::timeout(timeout, call).await {
        Err(_) => {
            let message = format!("no answer within {timeout:?}");
            return Err(ListError::Unreachable(message));
        }
        Ok(Err(error)) => return Err(ListError::Unreachable(not_answered(&error))),
        Ok(Ok(answer)) => answer,
    };
    if parts.status.is_success() {
        return Ok((server_date(&parts.headers), bytes));
    }
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Err(classify(parts.status, &body))
}

fn not_answered(error: &kube::Error) -> String {
    match classify_failure(error) {
        LeaseAnswer::NotExecuted(why) => why.message,
        other => other
            .trouble()
            .map_or_else(|| describe(error), str::to_owned),
    }
}

/// What an answer other than success means. A 404 for the whole collection is the kind's: a namespace that does not
/// exist has an empty list.
fn classify(status: StatusCode, body: &Value) -> ListError {
    let message = match body["message"].as_str() {
        Some(message) => message.to_owned(),
        None => format!("the server answered {status}"),
    };
    let reason = body["reason"].as_str().unwrap_or_default();
    match status {
        StatusCode::NOT_FOUND => ListError::NotServed,
        StatusCode::BAD_REQUEST if message.contains(FINGERPRINT_FIELD) => {
            ListError::NotSelectable(message)
        }
        StatusCode::TOO_MANY_REQUESTS => ListError::Unreachable(message),
        _ if status.is_client_error() => ListError::Refused(Refusal {
            code: status.as_u16(),
            reason: reason.to_owned(),
            message,
            rule: Rule::LIST,
        }),
        _ => ListError::Unreachable(message),
    }
}

fn unreadable(error: impl std::fmt::Display) -> ListError {
    ListError::Unreachable(format!("the answer cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};

    use bytes::Bytes;
    use http::Response;
    use http_body_util::Full;
    use serde_json::json;

    use super::*;

    /// A server that gives these answers one after another, and what it was asked for.
    fn answering(
        answers: impl IntoIterator<Item = (u16, &'static str, Value)>,
    ) -> (kube::Client, Arc<Mutex<Vec<String>>>) {
        let answers: VecDeque<_> = answers.into_iter().collect();
        let (answers, asked) = (Mutex::new(answers), Arc::new(Mutex::new(Vec::new())));
        let seen = asked.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let token = request
                .uri()
                .query()
                .and_then(|query| query.split("continue=").nth(1));
            seen.lock()
                .unwrap()
                .push(token.unwrap_or_default().to_owned());
            let (status, date, body) = answers.lock().unwrap().pop_front().unwrap();
            let answer = Response::builder()
                .status(status)
                .header(header::DATE, date);
            let answer = answer
                .body(Full::new(Bytes::from(body.to_string())))
                .unwrap();
            std::future::ready(Ok::<_, std::convert::Infallible>(answer))
        });
        (kube::Client::new(service, "default"), asked)
    }

    fn page(names: &[&str], next: &str) -> Value {
        let items = names.iter().map(|name| json!({"metadata": {"name": name}}));
        json!({"metadata": {"continue": next}, "items": items.collect::<Vec<_>>()})
    }

    const FIRST: &str = "Mon, 23 Nov 2026 09:00:00 GMT";
    const LATER: &str = "Mon, 23 Nov 2026 09:00:30 GMT";

    async fn names(client: &kube::Client) -> Result<Listing<String>, ListError> {
        let keep = |object: &Value| object["metadata"]["name"].as_str().map(str::to_owned);
        list(client, Selection::default(), Duration::from_secs(5), keep).await
    }

    #[tokio::test]
    async fn pages_are_put_together_under_the_date_of_the_first() {
        let (client, asked) = answering([
            (200, FIRST, page(&["a", "b"], "t1")),
            (200, LATER, page(&["c"], "")),
        ]);
        assert_eq!(
            names(&client).await,
            Ok(Listing {
                items: ["a", "b", "c"].map(str::to_owned).to_vec(),
                date: "2026-11-23T09:00:00Z".parse().ok(),
            })
        );
        assert_eq!(*asked.lock().unwrap(), ["", "t1"]);
    }

    #[tokio::test]
    async fn a_list_that_outlives_its_token_begins_again_and_not_for_ever() {
        let expired = || {
            (
                410,
                LATER,
                json!({"reason": "Expired", "message": "too old"}),
            )
        };
        let (client, asked) = answering([
            (200, FIRST, page(&["a"], "t1")),
            expired(),
            (200, LATER, page(&["a", "b"], "")),
        ]);
        let listing = names(&client).await.unwrap();
        assert_eq!(listing.items, ["a", "b"]);
        assert_eq!(listing.date, "2026-11-23T09:00:30Z".parse().ok());
        assert_eq!(*asked.lock().unwrap(), ["", "t1", ""]);
        let (client, asked) = answering((0..6).map(|turn| match turn % 2 {
            0 => (200, FIRST, page(&["a"], "t1")),
            _ => expired(),
        }));
        let refused = names(&client).await.unwrap_err();
        assert!(matches!(refused, ListError::Refused(refusal) if refusal.code == 410));
        assert_eq!(asked.lock().unwrap().len(), 6);
    }

    #[tokio::test]
    async fn an_answer_that_is_no_list_is_no_answer() {
        let (client, _) = answering([(200, FIRST, json!("x"))]);
        let error = names(&client).await.unwrap_err();
        assert!(matches!(error, ListError::Unreachable(_)), "{error:?}");
    }

    fn answered(code: u16, message: &str) -> ListError {
        let status = StatusCode::from_u16(code).unwrap();
        classify(status, &json!({"reason": "R", "message": message}))
    }

    #[test]
    fn a_page_is_asked_for_with_everything_that_selects() {
        let fingerprint = Fingerprint::of("prod:Deployment:payment-api");
        let selection = Selection {
            namespace: Some("ns"),
            labels: Some("team in (a,b)"),
            fingerprint: Some(&fingerprint),
        };
        assert_eq!(
            uri(selection, "a=b"),
            format!(
                "/apis/kubernaut.ai/v1alpha1/namespaces/ns/remediationrequests?limit=250\
                 &labelSelector=team%20in%20%28a%2Cb%29\
                 &fieldSelector=spec.signalFingerprint%3D{fingerprint}&continue=a%3Db"
            )
        );
        assert_eq!(
            uri(Selection::default(), ""),
            "/apis/kubernaut.ai/v1alpha1/remediationrequests?limit=250"
        );
    }

    #[test]
    fn what_a_cluster_lacks_is_told_from_what_it_refuses() {
        let lacks = "field label not supported: spec.signalFingerprint";
        assert_eq!(answered(404, "404 page not found"), ListError::NotServed);
        assert_eq!(
            answered(400, lacks),
            ListError::NotSelectable(lacks.to_owned())
        );
        assert_eq!(answered(429, "m"), ListError::Unreachable("m".to_owned()));
        assert_eq!(answered(503, "m"), ListError::Unreachable("m".to_owned()));
        for code in [400, 401, 403, 410] {
            let refusal = Refusal {
                code,
                reason: "R".to_owned(),
                message: "m".to_owned(),
                rule: Rule::LIST,
            };
            assert_eq!(answered(code, "m"), ListError::Refused(refusal));
        }
    }
}
