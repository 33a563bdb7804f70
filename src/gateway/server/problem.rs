//! What a sender is told when its request fails: `application/problem+json` (RFC 9457), in the gateway's words.
//!
//! The type is `https://kubernaut.ai/problems/` and a word. The detail of a server error says nothing of the inside, but
//! for a rule that the replica's role lacks: it is a member of its own, because Alertmanager logs what it is answered,
//! and that is where somebody looks.

use axum::response::{IntoResponse, Response};
use gwlock_engine::client::api_error::Denied;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

const TYPE: &str = "https://kubernaut.ai/problems/";

/// A request that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    status: StatusCode,
    kind: Kind,
    detail: String,
    /// Seconds after which the sender should come again.
    retry_after: Option<u32>,
    /// What the role of this replica lacks, as a role takes it.
    missing_rule: Option<Value>,
}

/// The last part of a problem's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Validation,
    MediaType,
    Method,
    Internal,
    Unavailable,
    TooLarge,
    Timeout,
    /// Who may not, or is not known: `about:blank`, as the gateway's authentication answers.
    Blank,
}

impl Problem {
    fn new(status: StatusCode, kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            detail: detail.into(),
            retry_after: None,
            missing_rule: None,
        }
    }

    /// 400: the sender must not send the same again.
    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Kind::Validation, detail)
    }

    /// 401.
    pub(super) fn unauthenticated(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, Kind::Blank, detail)
    }

    /// 403.
    pub(super) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, Kind::Blank, detail)
    }

    /// 404.
    pub(super) fn no_such_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, Kind::Blank, "no such path")
    }

    /// 405.
    pub(super) fn method(method: &http::Method) -> Self {
        let detail = format!("{method} is not allowed here, POST is");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, Kind::Method, detail)
    }

    /// 413.
    pub(super) fn too_large(limit: usize) -> Self {
        let detail = format!("the body has more than {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, Kind::TooLarge, detail)
    }

    /// 415.
    pub(super) fn media_type(given: &str) -> Self {
        let detail = format!("Content-Type {given:?} is not taken, application/json is");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Kind::MediaType, detail)
    }

    /// 500: the sender should send it again. What went wrong stands in the log.
    pub(super) fn internal() -> Self {
        let detail = "Internal server error";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Kind::Internal, detail)
    }

    /// The same with the rule that the replica's role lacks.
    pub(super) fn lacking(self, denied: Option<Denied<'_>>) -> Self {
        let missing_rule = denied.map(|denied| match denied {
            Denied::Resource {
                verb,
                group,
                resource,
                ..
            } => json!({"apiGroups": [group], "resources": [resource], "verbs": [verb]}),
            Denied::Path { verb, path } => json!({"nonResourceURLs": [path], "verbs": [verb]}),
        });
        Self {
            missing_rule,
            ..self
        }
    }

    /// 503: the sender should send it again after so many seconds.
    pub(super) fn overloaded(seconds: u32) -> Self {
        let detail = "too many requests are in flight";
        Self {
            retry_after: Some(seconds),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, Kind::Unavailable, detail)
        }
    }

    /// 504: what was asked for may have been done.
    pub(super) fn timeout() -> Self {
        let detail = "Request processing timed out";
        Self::new(StatusCode::GATEWAY_TIMEOUT, Kind::Timeout, detail)
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    /// The answer to the request with this path and id.
    pub(super) fn response(&self, instance: &str, request_id: &str) -> Response {
        let mut body = json!({
            "type": self.kind.uri(),
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "detail": self.detail,
            "status": self.status.as_u16(),
            "instance": instance,
            "request_id": request_id,
        });
        if let Some(rule) = &self.missing_rule {
            body["missing_rule"] = rule.clone();
        }
        let mut response = axum::Json(body).into_response();
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
        set(header::CONTENT_TYPE, "application/problem+json");
        match self.kind {
            Kind::MediaType => drop(set(header::ACCEPT, "application/json")),
            Kind::Method => drop(set(header::ALLOW, "POST")),
            _ if self.status == StatusCode::UNAUTHORIZED => {
                drop(set(header::WWW_AUTHENTICATE, "Bearer"));
            }
            _ => {}
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl Kind {
    fn uri(self) -> String {
        let word = match self {
            Self::Validation => "validation-error",
            Self::MediaType => "unsupported-media-type",
            Self::Method => "method-not-allowed",
            Self::Internal => "internal-error",
            Self::Unavailable => "service-unavailable",
            Self::TooLarge => "payload-too-large",
            Self::Timeout => "gateway-timeout",
            Self::Blank => return "about:blank".to_owned(),
        };
        format!("{TYPE}{word}")
    }
}

#[cfg(test)]
mod tests {
    use gwlock_engine::remediation::exchange::Rule;

    use super::*;

    async fn told(problem: &Problem) -> (http::response::Parts, serde_json::Value) {
        let (parts, body) = problem
            .response("/api/v1/signals/prometheus", "id-1")
            .into_parts();
        let bytes = axum::body::to_bytes(body, 10_000).await.unwrap();
        (parts, serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn a_problem_is_told_in_the_gateways_shape() {
        let (parts, body) = told(&Problem::invalid("alerts: missing")).await;
        assert_eq!(parts.status, 400);
        assert_eq!(parts.headers["content-type"], "application/problem+json");
        assert_eq!(
            body,
            json!({
                "type": "https://kubernaut.ai/problems/validation-error", "title": "Bad Request",
                "detail": "alerts: missing", "status": 400, "instance": "/api/v1/signals/prometheus",
                "request_id": "id-1"
            })
        );
    }

    #[tokio::test]
    async fn a_rule_that_is_missing_is_told_as_a_role_takes_it() {
        let (_, body) = told(&Problem::internal().lacking(Some(Rule::COUNT.into()))).await;
        assert_eq!(body["detail"], "Internal server error");
        assert_eq!(
            body["missing_rule"],
            json!({
                "apiGroups": ["kubernaut.ai"], "resources": ["remediationrequests/status"], "verbs": ["patch"]
            })
        );
    }

    #[tokio::test]
    async fn headers_say_what_to_do() {
        for (problem, status, header, value) in [
            (Problem::overloaded(1), 503, "retry-after", "1"),
            (
                Problem::media_type("text/plain"),
                415,
                "accept",
                "application/json",
            ),
            (Problem::method(&http::Method::GET), 405, "allow", "POST"),
            (
                Problem::unauthenticated("no token"),
                401,
                "www-authenticate",
                "Bearer",
            ),
        ] {
            let (parts, _) = told(&problem).await;
            assert_eq!(parts.status, status);
            assert_eq!(parts.headers[header], value);
        }
    }

    #[tokio::test]
    async fn who_may_not_is_told_without_a_type() {
        let (_, body) = told(&Problem::forbidden("no")).await;
        assert_eq!(body["type"], "about:blank");
    }
}
