//! Answers as HTTP responses.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use jiff::Timestamp;
use serde_json::Value;

use crate::body::Body;
use crate::status::Status;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

pub(super) fn json(code: StatusCode, value: &Value, now: Timestamp) -> Response<Body> {
    // Writing a value into memory cannot fail.
    json_bytes(code, serde_json::to_vec(value).unwrap_or_default(), now)
}

pub(super) fn json_bytes(code: StatusCode, bytes: Vec<u8>, now: Timestamp) -> Response<Body> {
    response(code, JSON, Body::full(bytes), now)
}

pub(super) fn text(code: StatusCode, text: &str, now: Timestamp) -> Response<Body> {
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response(
        code,
        plain,
        Body::full(Bytes::copy_from_slice(text.as_bytes())),
        now,
    )
}

pub(super) fn status(status: &Status, now: Timestamp) -> Response<Body> {
    let mut response = json(status.code, &status.to_value(), now);
    if let Some(seconds) = status.retry_after {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

pub(super) fn stream(body: Body, now: Timestamp) -> Response<Body> {
    response(StatusCode::OK, JSON, body, now)
}

pub(super) fn warn(response: &mut Response<Body>, warnings: &[String]) {
    for warning in warnings {
        let quoted = format!("299 - \"{}\"", warning.replace('"', "\\\""));
        if let Ok(value) = HeaderValue::from_str(&quoted) {
            response.headers_mut().append(header::WARNING, value);
        }
    }
}

fn response(
    code: StatusCode,
    content_type: HeaderValue,
    body: Body,
    now: Timestamp,
) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-cache, private"),
    );
    headers.insert(header::DATE, http_date(now));
    response
}

/// `Mon, 23 Nov 2026 09:00:00 GMT`: whole seconds, cut.
fn http_date(now: Timestamp) -> HeaderValue {
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
    let text = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_is_cut_to_the_second() {
        let now = "2026-11-23T09:00:07.999Z".parse().unwrap();
        assert_eq!(http_date(now), "Mon, 23 Nov 2026 09:00:07 GMT");
    }
}
