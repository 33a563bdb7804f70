//! Requests for RemediationRequests: one per method, no retry, no policy.
//!
//! Every request has a deadline, at which the server is told to give up too. What an answer means is decided here,
//! once; what follows from it is not.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method, Request as HttpRequest, StatusCode, header};
use kube::client::Body;
use serde_json::Value;

use crate::client::api_error::{classify_failure, retry_after};
use crate::client::lease_api::{server_date, version_what_was_not_stored, whole_answer};
use crate::client::transport::FIELD_MANAGER;
use crate::client::{Clock, Exchange, ExchangeObserver};
use crate::protocol::exchange::NotExecuted;
use crate::protocol::key::Fingerprint;

use super::count::Count;
use super::exchange::{Answer, Refusal, Reply, Rule};
use super::request::{FINGERPRINT_FIELD, GROUP, PLURAL, RemediationRequest, VERSION};

/// The requests for the RemediationRequests of one namespace.
#[derive(Clone)]
pub struct RequestApi {
    client: kube::Client,
    clock: Arc<dyn Clock>,
    namespace: String,
    collection: String,
    dry_run: bool,
    observer: Option<ExchangeObserver>,
}

/// What is sent, before it becomes HTTP.
struct Call<'a> {
    rule: Rule,
    method: Method,
    name: &'a str,
    path: String,
    content: Option<(&'static str, &'a Value)>,
}

impl RequestApi {
    /// Requests for this namespace.
    #[must_use]
    pub fn new(client: kube::Client, namespace: &str, clock: Arc<dyn Clock>) -> Self {
        Self {
            client,
            clock,
            namespace: namespace.to_owned(),
            collection: format!("/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}"),
            dry_run: false,
            observer: None,
        }
    }

    /// Sends every write with `dryRun=All`: the server checks it and stores nothing.
    #[must_use]
    pub fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// Tells of every request when it has ended.
    #[must_use]
    pub fn observed_by(mut self, observer: ExchangeObserver) -> Self {
        self.observer = Some(observer);
        self
    }

    /// The namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// LIST of the requests of a fingerprint, complete in one answer: consistent, or as they were at this
    /// resourceVersion or later.
    pub async fn list(
        &self,
        fingerprint: &Fingerprint,
        not_older_than: Option<&str>,
        timeout: Duration,
    ) -> Reply {
        let freshness = not_older_than.map_or_else(String::new, |version| {
            format!("&resourceVersionMatch=NotOlderThan&resourceVersion={version}")
        });
        let path = format!(
            "{}?fieldSelector={FINGERPRINT_FIELD}%3D{fingerprint}{freshness}",
            self.collection
        );
        let call = Call {
            rule: Rule::LIST,
            method: Method::GET,
            name: "",
            path,
            content: None,
        };
        self.send(call, timeout).await
    }

    /// GET, consistent.
    pub async fn get(&self, name: &str, timeout: Duration) -> Reply {
        let call = Call {
            rule: Rule::GET,
            method: Method::GET,
            name,
            path: format!("{}/{name}?", self.collection),
            content: None,
        };
        self.send(call, timeout).await
    }

    /// POST of a new request, as [`super::Signal::to_object`] makes it.
    pub async fn create(&self, object: &Value, timeout: Duration) -> Reply {
        let call = Call {
            rule: Rule::CREATE,
            method: Method::POST,
            name: object["metadata"]["name"].as_str().unwrap_or_default(),
            path: format!("{}?fieldManager={FIELD_MANAGER}", self.collection),
            content: Some(("application/json", object)),
        };
        self.send(call, timeout).await
    }

    /// PATCH of a request's status.
    pub async fn count(&self, count: &Count, timeout: Duration) -> Reply {
        let name = &count.request().name;
        let patch = count.to_patch();
        let call = Call {
            rule: Rule::COUNT,
            method: Method::PATCH,
            name,
            path: format!(
                "{}/{name}/status?fieldManager={FIELD_MANAGER}",
                self.collection
            ),
            content: Some(("application/json-patch+json", &patch)),
        };
        self.send(call, timeout).await
    }

    async fn send(&self, call: Call<'_>, timeout: Duration) -> Reply {
        let sent = self.clock.now();
        let outcome = match self.http_request(&call, timeout) {
            Ok(request) => tokio::time::timeout(timeout, self.call(request)).await,
            Err(error) => Ok(Err(kube::Error::HttpError(error))),
        };
        let arrived = self.clock.now();
        let (status, date, answer, body) = match outcome {
            Err(_) => {
                let message = format!("no answer within {timeout:?}");
                (None, None, Answer::Unclear(message), Value::Null)
            }
            Ok(Err(error)) => (None, None, not_answered(&error), Value::Null),
            Ok(Ok((parts, body))) => {
                let date = server_date(&parts.headers);
                let answer = classify(call.rule, parts.status, &parts.headers, &body);
                (Some(parts.status), date, answer, body)
            }
        };
        let resource = call.rule.resource;
        tracing::debug!(
            verb = call.rule.verb,
            resource,
            name = call.name,
            ?status,
            "exchange"
        );
        if let Some(observer) = &self.observer {
            let is_success = status.is_some_and(|status| status.is_success());
            let version = body["metadata"]["resourceVersion"].as_str();
            observer(&Exchange {
                verb: call.rule.verb,
                api_group: call.rule.api_group,
                resource,
                namespace: self.namespace.clone(),
                name: call.name.to_owned(),
                required_version: None,
                sent,
                took: arrived.since(sent),
                status: status.map(|status| status.as_u16()),
                resource_version: version.filter(|_| is_success).map(str::to_owned),
                trouble: match &answer {
                    Answer::Unclear(message) => Some(message.clone()),
                    Answer::NotExecuted(why) => Some(why.message.clone()),
                    _ => body["message"].as_str().map(str::to_owned),
                },
            });
        }
        Reply {
            arrived,
            date,
            answer,
        }
    }

    async fn call(
        &self,
        request: HttpRequest<Body>,
    ) -> Result<(http::response::Parts, Value), kube::Error> {
        let (parts, bytes) = whole_answer(&self.client, request).await?;
        let mut body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        if self.dry_run && parts.status.is_success() {
            version_what_was_not_stored(&mut body);
        }
        Ok((parts, body))
    }

    fn http_request(&self, call: &Call<'_>, timeout: Duration) -> http::Result<HttpRequest<Body>> {
        let path = &call.path;
        let mut uri = format!("{path}&timeout={}ms", timeout.as_millis().max(1));
        if self.dry_run && call.content.is_some() {
            uri.push_str("&dryRun=All");
        }
        let mut request = HttpRequest::builder()
            .method(call.method.clone())
            .uri(uri)
            .header(header::ACCEPT, "application/json");
        let mut body = Body::empty();
        if let Some((media_type, content)) = call.content {
            request = request.header(header::CONTENT_TYPE, media_type);
            body = Body::from(content.to_string().into_bytes());
        }
        request.body(body)
    }
}

fn not_answered(error: &kube::Error) -> Answer {
    use crate::protocol::exchange::Answer as LeaseAnswer;
    match classify_failure(error) {
        LeaseAnswer::NotExecuted(why) => Answer::NotExecuted(why),
        other => Answer::Unclear(other.trouble().unwrap_or_default().to_owned()),
    }
}

/// What an HTTP answer means to a request that this rule allows.
///
/// 429 was not executed, and neither was a PATCH that is answered 409 or 422. A read has no effect, so that a 404 for
/// the whole collection is final, whoever wrote it. Of other failures 4xx will not change by another try, and the rest
/// leave open whether a write happened.
fn classify(rule: Rule, status: StatusCode, headers: &HeaderMap, body: &Value) -> Answer {
    let reason = body["reason"].as_str().unwrap_or_default();
    let message = || match body["message"].as_str() {
        Some(message) => message.to_owned(),
        None => format!("the server answered {status}"),
    };
    match (status, rule.verb) {
        _ if status.is_success() => success(rule, body),
        (StatusCode::TOO_MANY_REQUESTS, _) => Answer::NotExecuted(NotExecuted {
            message: message(),
            retry_after: retry_after(headers),
        }),
        (StatusCode::NOT_FOUND, "get" | "patch") if reason == "NotFound" => Answer::NotFound,
        (StatusCode::NOT_FOUND, "get" | "patch" | "create") if reason != "NotFound" => {
            Answer::Unclear(message())
        }
        (StatusCode::CONFLICT, "create") if reason == "AlreadyExists" => Answer::AlreadyExists,
        (StatusCode::CONFLICT, _) | (StatusCode::UNPROCESSABLE_ENTITY, "patch") => {
            Answer::Changed(message())
        }
        _ if status.is_client_error() => Answer::Refused(Refusal {
            code: status.as_u16(),
            reason: match reason {
                "" => status.canonical_reason().unwrap_or_default().to_owned(),
                reason => reason.to_owned(),
            },
            message: message(),
            rule,
        }),
        _ => Answer::Unclear(message()),
    }
}

fn success(rule: Rule, body: &Value) -> Answer {
    let answer = if rule.verb == "list" {
        let items = body["items"].as_array().map_or(&[][..], Vec::as_slice);
        items
            .iter()
            .map(RemediationRequest::read)
            .collect::<Result<_, _>>()
            .map(Answer::Listed)
    } else {
        RemediationRequest::read(body).map(|request| Answer::Request(Box::new(request)))
    };
    answer.unwrap_or_else(|error| Answer::Unclear(error.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(verb: &str, code: u16, reason: &str) -> Answer {
        let body = json!({"kind": "Status", "reason": reason, "message": "m"});
        let rule = rule(verb);
        let status = StatusCode::from_u16(code).unwrap();
        classify(rule, status, &HeaderMap::new(), &body)
    }

    fn rule(verb: &str) -> Rule {
        Rule::ALL
            .into_iter()
            .find(|rule| rule.verb == verb)
            .unwrap()
    }

    fn refused(verb: &str, code: u16, reason: &str) -> Answer {
        Answer::Refused(Refusal {
            code,
            reason: reason.to_owned(),
            message: "m".to_owned(),
            rule: rule(verb),
        })
    }

    #[test]
    fn a_patch_that_found_something_else_is_told_from_a_spec_that_is_not_taken() {
        let changed = Answer::Changed("m".to_owned());
        assert_eq!(answer("patch", 422, "Invalid"), changed);
        assert_eq!(answer("patch", 409, "Conflict"), changed);
        assert_eq!(
            answer("create", 422, "Invalid"),
            refused("create", 422, "Invalid")
        );
    }

    #[test]
    fn a_taken_name_is_told_from_other_conflicts() {
        assert_eq!(
            answer("create", 409, "AlreadyExists"),
            Answer::AlreadyExists
        );
        assert_eq!(
            answer("create", 409, "Conflict"),
            Answer::Changed("m".to_owned())
        );
    }

    #[test]
    fn a_404_is_the_requests_the_namespaces_or_the_kinds() {
        assert_eq!(answer("get", 404, "NotFound"), Answer::NotFound);
        assert_eq!(answer("patch", 404, "NotFound"), Answer::NotFound);
        assert_eq!(
            answer("create", 404, "NotFound"),
            refused("create", 404, "NotFound")
        );
        assert_eq!(answer("list", 404, ""), refused("list", 404, "Not Found"));
        assert_eq!(answer("get", 404, ""), Answer::Unclear("m".to_owned()));
    }

    #[test]
    fn an_unknown_field_selector_and_missing_rights_are_refused() {
        for (code, reason) in [
            (400, "BadRequest"),
            (401, "Unauthorized"),
            (403, "Forbidden"),
        ] {
            assert_eq!(answer("list", code, reason), refused("list", code, reason));
        }
        assert_eq!(
            answer("patch", 403, "Forbidden"),
            refused("patch", 403, "Forbidden")
        );
    }

    #[test]
    fn a_429_was_not_executed_and_a_5xx_leaves_the_outcome_open() {
        let headers = HeaderMap::from_iter([(header::RETRY_AFTER, "2".parse().unwrap())]);
        let status = StatusCode::TOO_MANY_REQUESTS;
        assert_eq!(
            classify(
                rule("patch"),
                status,
                &headers,
                &json!({"message": "slow down"})
            ),
            Answer::NotExecuted(NotExecuted {
                message: "slow down".to_owned(),
                retry_after: Some(Duration::from_secs(2)),
            })
        );
        for code in [500, 502, 503, 504] {
            assert_eq!(
                answer("patch", code, "InternalError"),
                Answer::Unclear("m".to_owned())
            );
        }
    }
}
