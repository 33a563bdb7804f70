//! Requests for Leases: one per method, no retry, no policy.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{Method, Request as HttpRequest, header};
use http_body_util::BodyExt;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use kube::client::Body;
use serde_json::{Value, json};

use crate::protocol::exchange::{Answer, Reply, Request, Verb, Version};
use crate::protocol::key::LeaseName;

use super::api_error::{classify, classify_failure};
use super::clock::Clock;
use super::trace::{Exchange, ExchangeObserver};
use super::transport::FIELD_MANAGER;
use super::{convert, watch};

static DATE: DateTimeParser = DateTimeParser::new();

/// The requests for one Lease.
#[derive(Clone)]
pub struct LeaseApi {
    client: kube::Client,
    namespace: String,
    name: LeaseName,
    collection: String,
    dry_run: bool,
    requests: Arc<AtomicU64>,
    observer: Option<ExchangeObserver>,
}

/// An answer and the object it carried.
#[derive(Debug, Clone)]
pub struct Exchanged {
    /// What it means.
    pub reply: Reply,
    /// The Lease as it came.
    pub object: Option<Value>,
}

impl LeaseApi {
    /// Requests for this lease in this namespace.
    #[must_use]
    pub fn new(client: kube::Client, namespace: &str, name: LeaseName) -> Self {
        Self {
            client,
            namespace: namespace.to_owned(),
            name,
            collection: format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"),
            dry_run: false,
            requests: Arc::default(),
            observer: None,
        }
    }

    /// Tells of every request but watches when it has ended.
    #[must_use]
    pub fn observed_by(mut self, observer: ExchangeObserver) -> Self {
        self.observer = Some(observer);
        self
    }

    /// How many requests were sent, watches included, by this and its clones.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Sends every write with `dryRun=All`: the server checks it and stores nothing.
    #[must_use]
    pub fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// The lease's name.
    #[must_use]
    pub fn name(&self) -> &LeaseName {
        &self.name
    }

    /// The lease's namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Sends one request and waits at most `timeout` for its answer. `base` is the object that a PUT starts from: the
    /// one whose version the request names.
    pub async fn exchange(
        &self,
        request: &Request,
        base: Option<&Value>,
        timeout: Duration,
        clock: &dyn Clock,
    ) -> Exchanged {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let http = self.http_request(request, base, timeout);
        let sent = clock.now();
        let outcome = tokio::time::timeout(timeout, self.call(http)).await;
        let arrived = clock.now();
        let (status, date, answer, object) = match outcome {
            Err(_) => (
                None,
                None,
                Answer::Unclear(format!("no answer within {timeout:?}")),
                None,
            ),
            Ok(Err(error)) => (None, None, classify_failure(&error), None),
            Ok(Ok((parts, mut body))) => {
                if self.dry_run && parts.status.is_success() {
                    version_what_was_not_stored(&mut body);
                }
                let date = server_date(&parts.headers);
                let answer = classify(request.verb(), parts.status, &parts.headers, &body);
                let object = matches!(answer, Answer::Lease(_)).then_some(body);
                (Some(parts.status), date, answer, object)
            }
        };
        if let Some(observer) = &self.observer {
            observer(&Exchange {
                verb: request.verb().as_str(),
                api_group: "coordination.k8s.io",
                resource: "leases",
                namespace: self.namespace.clone(),
                name: self.name.to_string(),
                required_version: match request {
                    Request::Replace { version, .. } | Request::Delete(version) => {
                        Some(version.resource_version.clone())
                    }
                    Request::Create(_) | Request::Get => None,
                },
                sent,
                took: arrived.since(sent),
                status: status.map(|status| status.as_u16()),
                resource_version: match &answer {
                    Answer::Lease(record) => Some(record.resource_version.clone()),
                    _ => None,
                },
                trouble: answer.trouble().map(str::to_owned),
            });
        }
        tracing::debug!(verb = request.verb().as_str(), lease = %self.name, ?answer, "exchange");
        Exchanged {
            reply: Reply {
                arrived,
                date,
                answer,
            },
            object,
        }
    }

    /// Opens a watch on this lease.
    ///
    /// # Errors
    /// [`watch::WatchError`], in particular when watching is forbidden.
    pub async fn watch(
        &self,
        resource_version: &str,
        timeout: Duration,
    ) -> Result<watch::LeaseWatch, watch::WatchError> {
        let uri = format!(
            "{}?watch=true&fieldSelector=metadata.name%3D{}&resourceVersion={resource_version}&allowWatchBookmarks=true&timeoutSeconds={}",
            self.collection,
            self.name,
            timeout.as_secs().max(1),
        );
        self.requests.fetch_add(1, Ordering::Relaxed);
        watch::open(&self.client, uri).await
    }

    async fn call(
        &self,
        request: HttpRequest<Body>,
    ) -> Result<(http::response::Parts, Value), kube::Error> {
        let (parts, bytes) = whole_answer(&self.client, request).await?;
        Ok((parts, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }

    fn http_request(
        &self,
        request: &Request,
        base: Option<&Value>,
        timeout: Duration,
    ) -> HttpRequest<Body> {
        let verb = request.verb();
        let mut uri = match verb {
            Verb::Create => self.collection.clone(),
            _ => format!("{}/{}", self.collection, self.name),
        };
        uri.push_str(&format!("?timeout={}ms", timeout.as_millis().max(1)));
        let body = match request {
            Request::Get => None,
            Request::Create(claim) => Some(convert::new_object(
                &self.namespace,
                self.name.as_str(),
                claim,
            )),
            Request::Replace { version, claim } => Some(self.replacement(version, base, claim)),
            Request::Delete(version) => Some(self.delete_options(version)),
        };
        if matches!(verb, Verb::Create | Verb::Update) {
            uri.push_str("&fieldManager=");
            uri.push_str(FIELD_MANAGER);
            if self.dry_run {
                uri.push_str("&dryRun=All");
            }
        }
        let method = match verb {
            Verb::Create => Method::POST,
            Verb::Update => Method::PUT,
            Verb::Delete => Method::DELETE,
            Verb::Get | Verb::List | Verb::Watch => Method::GET,
        };
        let mut http = HttpRequest::new(body.map_or_else(Body::empty, |body| {
            Body::from(body.to_string().into_bytes())
        }));
        *http.method_mut() = method;
        *http.uri_mut() = uri.parse().unwrap_or_default();
        let json = const { http::HeaderValue::from_static("application/json") };
        http.headers_mut().insert(header::ACCEPT, json.clone());
        http.headers_mut().insert(header::CONTENT_TYPE, json);
        http
    }

    fn replacement(
        &self,
        version: &Version,
        base: Option<&Value>,
        claim: &crate::protocol::record::Claim,
    ) -> Value {
        let mut object = match base {
            Some(base) => convert::replaced_object(base, claim),
            None => convert::new_object(&self.namespace, self.name.as_str(), claim),
        };
        object["metadata"]["uid"] = json!(version.uid);
        object["metadata"]["resourceVersion"] = json!(version.resource_version);
        object
    }

    fn delete_options(&self, version: &Version) -> Value {
        let mut options = json!({
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": version.uid, "resourceVersion": version.resource_version},
        });
        if self.dry_run {
            options["dryRun"] = json!(["All"]);
        }
        options
    }
}

/// An object that a dry run would have created has no resourceVersion, because nothing was stored.
pub(crate) fn version_what_was_not_stored(body: &mut Value) {
    if let Some(Value::Object(metadata)) = body.get_mut("metadata") {
        metadata.entry("resourceVersion").or_insert(json!("0"));
    }
}

/// Sends a request, and returns when the whole answer is there. A deadline is the caller's.
pub(crate) async fn whole_answer(
    client: &kube::Client,
    request: HttpRequest<Body>,
) -> Result<(http::response::Parts, bytes::Bytes), kube::Error> {
    let (parts, body) = client.send(request).await?.into_parts();
    Ok((parts, body.collect().await?.to_bytes()))
}

/// The `Date` of an answer.
#[must_use]
pub fn server_date(headers: &http::HeaderMap) -> Option<Timestamp> {
    DATE.parse_timestamp(headers.get(header::DATE)?.as_bytes())
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_header_is_read_as_http_writes_it() {
        let headers = http::HeaderMap::from_iter([(
            header::DATE,
            "Mon, 23 Nov 2026 09:00:07 GMT".parse().unwrap(),
        )]);
        assert_eq!(server_date(&headers), "2026-11-23T09:00:07Z".parse().ok());
    }
}
