//! What a request has to pass before its body is looked at: a free slot, a known sender, the right media type and size.

use axum::extract::Request;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, Method, Uri, header};
use http_body::Body as _;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::sync::SemaphorePermit;
use tokio::time::timeout;
use uuid::Uuid;

use super::super::payload::MAX_BODY;
use super::Server;
use super::problem::Problem;

/// The header that names a request, in the answer and in the log.
pub(super) const REQUEST_ID: &str = "x-request-id";

/// After so many seconds an overloaded replica may have room again.
const COME_AGAIN: u32 = 1;

impl Server {
    /// A slot, for as long as the request is in flight.
    pub(super) fn slot(&self) -> Result<SemaphorePermit<'_>, Problem> {
        let slot = self.0.slots.try_acquire();
        slot.map_err(|_| Problem::overloaded(COME_AGAIN))
    }

    pub(super) async fn authenticate(&self, headers: &HeaderMap) -> Result<(), Problem> {
        match &self.0.parts.authenticator {
            Some(authenticator) => authenticator.check(headers).await,
            None => Ok(()),
        }
    }

    /// The whole body, if it is JSON of an acceptable size and arrives in time.
    pub(super) async fn body(&self, request: Request) -> Result<Vec<u8>, Problem> {
        media_type(request.headers())?;
        // Before anything is read: a sender that asks whether it may go on is told that it may not.
        if request.body().size_hint().lower() > MAX_BODY as u64 {
            return Err(Problem::too_large(MAX_BODY));
        }
        let body = Limited::new(request.into_body(), MAX_BODY).collect();
        match timeout(self.0.parts.limits.body, body).await {
            Ok(Ok(body)) => Ok(body.to_bytes().into()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::too_large(MAX_BODY)),
            Ok(Err(error)) => Err(Problem::invalid(format!("the body broke off: {error}"))),
            Err(_) => Err(Problem::timeout()),
        }
    }
}

/// Absent, or `application/json` with whatever parameters.
fn media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Ok(());
    };
    let text = value
        .to_str()
        .map_err(|_| Problem::invalid("Content-Type is no text"))?;
    let essence = text.split(';').next().unwrap_or_default().trim();
    if !essence.contains('/') {
        return Err(Problem::invalid(format!(
            "Content-Type {text:?} is no media type"
        )));
    }
    if essence.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(Problem::media_type(text))
    }
}

/// A name for a request: never the sender's own, which would be put into logs as it is.
pub(super) fn request_id() -> String {
    Uuid::new_v4().to_string()
}

/// The answer with its headers.
pub(super) fn named(mut response: Response, id: &str) -> Response {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

pub(super) async fn no_such_path(uri: Uri) -> Response {
    let id = request_id();
    named(Problem::no_such_path().response(uri.path(), &id), &id)
}

pub(super) async fn method_not_allowed(method: Method, uri: Uri) -> Response {
    let id = request_id();
    named(Problem::method(&method).response(uri.path(), &id), &id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(content_type: &'static str) -> Option<u16> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        media_type(&headers)
            .err()
            .map(|problem| problem.status().as_u16())
    }

    #[test]
    fn json_is_taken_with_parameters_and_without_a_header() {
        assert_eq!(media_type(&HeaderMap::new()), Ok(()));
        for (content_type, expected) in [
            ("application/json", None),
            ("Application/JSON; charset=utf-8", None),
            ("text/plain", Some(415)),
            ("application/json-patch+json", Some(415)),
            ("json", Some(400)),
            ("", Some(400)),
        ] {
            assert_eq!(status(content_type), expected, "{content_type:?}");
        }
    }
}
