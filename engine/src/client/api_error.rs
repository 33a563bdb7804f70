//! What an answer means, decided in one place.
//!
//! No request is sent and nothing is retried here.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use crate::protocol::exchange::{Answer, NotExecuted, Refusal, Verb};

use super::convert;

/// Classifies an HTTP answer to a request for one Lease.
///
/// 429 was not executed. 400, 401, 403, 404 of the namespace and 422 will not change by another try. Every other
/// failure leaves open whether a write happened.
#[must_use]
pub fn classify(verb: Verb, status: StatusCode, headers: &HeaderMap, body: &Value) -> Answer {
    let reason = body
        .get("reason")
        .and_then(Value::as_str)
        .unwrap_or_default();
    match status {
        _ if status.is_success() => success(body),
        StatusCode::NOT_FOUND if verb != Verb::Create && reason == "NotFound" => Answer::NotFound,
        StatusCode::CONFLICT if reason == "AlreadyExists" => Answer::AlreadyExists,
        StatusCode::CONFLICT => Answer::Conflict,
        StatusCode::TOO_MANY_REQUESTS => Answer::NotExecuted(NotExecuted {
            message: message(status, body),
            retry_after: retry_after(headers),
        }),
        StatusCode::NOT_FOUND if reason != "NotFound" => Answer::Unclear(message(status, body)),
        _ if status.is_client_error() => Answer::Refused(Refusal {
            code: status.as_u16(),
            reason: if reason.is_empty() {
                status.canonical_reason().unwrap_or_default()
            } else {
                reason
            }
            .to_owned(),
            message: message(status, body),
            verb,
        }),
        _ => Answer::Unclear(message(status, body)),
    }
}

/// Classifies a request that got no HTTP answer: without a connection it was not executed, otherwise nobody knows.
#[must_use]
pub fn classify_failure(error: &kube::Error) -> Answer {
    let message = describe(error);
    if causes(error).any(|cause| {
        cause
            .downcast_ref::<hyper_util::client::legacy::Error>()
            .is_some_and(hyper_util::client::legacy::Error::is_connect)
    }) || matches!(error, kube::Error::Auth(_))
    {
        return Answer::NotExecuted(NotExecuted {
            message,
            retry_after: None,
        });
    }
    Answer::Unclear(message)
}

/// The words of an error and its causes, each once: kube's errors repeat their causes in their own text.
#[must_use]
pub fn describe(error: &(dyn StdError + 'static)) -> String {
    let mut words: Vec<String> = Vec::new();
    for cause in causes(error) {
        let text = cause.to_string();
        match words.last_mut() {
            Some(last) if last.ends_with(&text) => {}
            Some(last) if text.starts_with(last.as_str()) => *last = text,
            _ => words.push(text),
        }
    }
    words.join(": ")
}

fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |cause: &&'a (dyn StdError + 'static)| {
        (*cause).source()
    })
}

fn success(body: &Value) -> Answer {
    if body.get("kind").and_then(Value::as_str) == Some("Status") {
        return Answer::Deleted;
    }
    match convert::record(body) {
        Ok(record) => Answer::Lease(Box::new(record)),
        Err(error) => Answer::Unclear(error.to_string()),
    }
}

fn message(status: StatusCode, body: &Value) -> String {
    match body.get("message").and_then(Value::as_str) {
        Some(message) => message.to_owned(),
        None => format!("the server answered {status}"),
    }
}

/// `Retry-After` in seconds; the form with a date is not used by API servers.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers
        .get(header::RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
        .map(Duration::from_secs)
}

/// What the API server's authoriser refused, in its own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied<'a> {
    /// A verb on a resource.
    Resource {
        /// As RBAC rules spell it.
        verb: &'a str,
        /// The API group; empty for the core group.
        group: &'a str,
        /// The resource, with its subresource.
        resource: &'a str,
        /// `None` for the whole cluster.
        namespace: Option<&'a str>,
    },
    /// A path that is no resource, such as those of discovery.
    Path {
        /// The HTTP method in lower case.
        verb: &'a str,
        /// The path.
        path: &'a str,
    },
}

impl<'a> Denied<'a> {
    /// Reads the message of a 403. `None` where it was not the authoriser: admission and quotas forbid as well, in
    /// other words, and no role changes that.
    #[must_use]
    pub fn read(message: &'a str) -> Option<Self> {
        let (_, rest) = message.split_once("User \"")?;
        let (_, rest) = rest.split_once("\" cannot ")?;
        if let Some((verb, rest)) = rest.split_once(" path \"") {
            let (path, _) = rest.split_once('"')?;
            return Some(Self::Path { verb, path });
        }
        let (verb, rest) = rest.split_once(" resource \"")?;
        let (resource, rest) = rest.split_once("\" in API group \"")?;
        let (group, rest) = rest.split_once('"')?;
        let namespace = rest
            .strip_prefix(" in the namespace \"")
            .and_then(|rest| rest.split_once('"'))
            .map(|(namespace, _)| namespace);
        Some(Self::Resource {
            verb,
            group,
            resource,
            namespace,
        })
    }
}

impl fmt::Display for Denied<'_> {
    /// The rule that a role lacks, on one line, as a role takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource {
                verb,
                group,
                resource,
                ..
            } => write!(
                f,
                "{{apiGroups: [\"{group}\"], resources: [\"{resource}\"], verbs: [\"{verb}\"]}}"
            ),
            Self::Path { verb, path } => {
                write!(f, "{{nonResourceURLs: [\"{path}\"], verbs: [\"{verb}\"]}}")
            }
        }
    }
}

/// The message of a refusal, and the rule that the role lacks where that is the reason.
pub struct Refused<'a>(
    /// The server's message.
    pub &'a str,
);

impl fmt::Display for Refused<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)?;
        match Denied::read(self.0) {
            Some(denied) => write!(f, "; the role lacks the rule {denied}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(verb: Verb, code: u16, reason: &str) -> Answer {
        let body = json!({"kind": "Status", "reason": reason, "message": "m"});
        classify(
            verb,
            StatusCode::from_u16(code).unwrap(),
            &HeaderMap::new(),
            &body,
        )
    }

    fn refused(verb: Verb, code: u16, reason: &str) -> Answer {
        Answer::Refused(Refusal {
            code,
            reason: reason.to_owned(),
            message: "m".to_owned(),
            verb,
        })
    }

    #[test]
    fn a_conflict_is_told_from_an_existing_name_by_its_reason() {
        assert_eq!(
            answer(Verb::Create, 409, "AlreadyExists"),
            Answer::AlreadyExists
        );
        assert_eq!(answer(Verb::Update, 409, "Conflict"), Answer::Conflict);
        assert_eq!(answer(Verb::Delete, 409, "Conflict"), Answer::Conflict);
    }

    #[test]
    fn a_404_means_the_lease_for_all_but_create() {
        assert_eq!(answer(Verb::Get, 404, "NotFound"), Answer::NotFound);
        assert_eq!(answer(Verb::Delete, 404, "NotFound"), Answer::NotFound);
        assert_eq!(
            answer(Verb::Create, 404, "NotFound"),
            refused(Verb::Create, 404, "NotFound")
        );
    }

    #[test]
    fn a_404_that_no_api_server_wrote_says_nothing_about_the_lease() {
        let page = classify(
            Verb::Get,
            StatusCode::NOT_FOUND,
            &HeaderMap::new(),
            &Value::Null,
        );
        assert_eq!(
            page,
            Answer::Unclear("the server answered 404 Not Found".to_owned())
        );
    }

    #[test]
    fn what_another_try_does_not_change_is_refused() {
        for (code, reason) in [
            (400, "BadRequest"),
            (401, "Unauthorized"),
            (403, "Forbidden"),
            (422, "Invalid"),
        ] {
            assert_eq!(
                answer(Verb::Update, code, reason),
                refused(Verb::Update, code, reason)
            );
        }
    }

    #[test]
    fn a_429_was_not_executed_and_says_when_to_come_back() {
        let headers = HeaderMap::from_iter([(header::RETRY_AFTER, "2".parse().unwrap())]);
        let body = json!({"kind": "Status", "reason": "TooManyRequests", "message": "slow down"});
        assert_eq!(
            classify(Verb::Create, StatusCode::TOO_MANY_REQUESTS, &headers, &body),
            Answer::NotExecuted(NotExecuted {
                message: "slow down".to_owned(),
                retry_after: Some(Duration::from_secs(2))
            })
        );
    }

    #[test]
    fn what_is_denied_is_read_from_the_servers_words() {
        let denied = |verb, group, resource, namespace| {
            Some(Denied::Resource {
                verb,
                group,
                resource,
                namespace,
            })
        };
        for (message, expected) in [
            (
                "pods \"p\" is forbidden: User \"a\" cannot get resource \"pods\" in API group \"\" in the namespace \"prod\"",
                denied("get", "", "pods", Some("prod")),
            ),
            (
                "x is forbidden: User \"a\" cannot patch resource \"things/status\" in API group \"g.io\" at the cluster scope: RBAC: role not found",
                denied("patch", "g.io", "things/status", None),
            ),
            (
                "forbidden: User \"system:anonymous\" cannot get path \"/api\"",
                Some(Denied::Path {
                    verb: "get",
                    path: "/api",
                }),
            ),
            (
                "leases.coordination.k8s.io \"x\" is forbidden: exceeded quota: q, requested: 1, used: 1, limited: 1",
                None,
            ),
            (
                "admission webhook \"w\" denied the request: you cannot do this",
                None,
            ),
        ] {
            assert_eq!(Denied::read(message), expected, "{message}");
        }
    }

    #[test]
    fn a_refusal_is_told_with_the_rule_that_is_missing() {
        let words = "x is forbidden: User \"a\" cannot watch resource \"leases\" in API group \"coordination.k8s.io\" at the cluster scope";
        assert_eq!(
            Refused(words).to_string(),
            format!(
                "{words}; the role lacks the rule {{apiGroups: [\"coordination.k8s.io\"], resources: [\"leases\"], verbs: [\"watch\"]}}"
            )
        );
        let path = "forbidden: User \"a\" cannot get path \"/api\"";
        assert_eq!(
            Refused(path).to_string(),
            format!(
                "{path}; the role lacks the rule {{nonResourceURLs: [\"/api\"], verbs: [\"get\"]}}"
            )
        );
        assert_eq!(Refused("no").to_string(), "no");
    }

    #[test]
    fn a_5xx_leaves_the_outcome_open() {
        for code in [500, 502, 503, 504] {
            assert_eq!(
                answer(Verb::Create, code, "InternalError"),
                Answer::Unclear("m".to_owned())
            );
        }
    }
}
