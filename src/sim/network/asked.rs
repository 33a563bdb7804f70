//! What a request asks for, and the answers that the network gives in the API server's place.

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::json;

use crate::sim::history::What;

/// What a request is about.
pub(super) struct Asked {
    pub(super) verb: &'static str,
    /// Plural, with its subresource.
    pub(super) resource: String,
    namespace: String,
    name: String,
    requires: Option<String>,
    holder: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Content {
    metadata: Metadata,
    preconditions: Metadata,
    spec: Spec,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    name: Option<String>,
    resource_version: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    holder_identity: Option<String>,
}

impl Asked {
    pub(super) fn of(parts: &Parts, body: &Bytes) -> Self {
        // /apis/GROUP/VERSION/namespaces/NAMESPACE/PLURAL[/NAME[/SUBRESOURCE]]
        let mut path = parts.uri.path().split('/').skip(5);
        let mut next = || path.next().unwrap_or_default().to_owned();
        let (namespace, mut resource, mut name, subresource) = (next(), next(), next(), next());
        if !subresource.is_empty() {
            resource = format!("{resource}/{subresource}");
        }
        let query = parts.uri.query().unwrap_or_default();
        let verb = match (&parts.method, name.is_empty()) {
            (&Method::POST, _) => "create",
            (&Method::PUT, _) => "update",
            (&Method::PATCH, _) => "patch",
            (&Method::DELETE, _) => "delete",
            (_, true) if query.contains("watch=true") => "watch",
            (_, true) => "list",
            (_, false) => "get",
        };
        // A patch is a list of operations, which has none of this.
        let content: Content = serde_json::from_slice(body).unwrap_or_default();
        if name.is_empty() {
            name = content.metadata.name.unwrap_or_default();
        }
        Self {
            verb,
            requires: content
                .preconditions
                .resource_version
                .or(content.metadata.resource_version),
            holder: content.spec.holder_identity,
            resource,
            namespace,
            name,
        }
    }

    pub(super) fn call(&self, call: u64) -> What {
        What::Call {
            call,
            verb: self.verb.to_owned(),
            resource: self.resource.clone(),
            object: format!("{}/{}", self.namespace, self.name),
            requires: self.requires.clone(),
            holder: self.holder.clone(),
        }
    }

    pub(super) fn is_write(&self) -> bool {
        !matches!(self.verb, "get" | "list" | "watch")
    }

    /// Whether requests to this path are what a simulation is about: leases and RemediationRequests.
    #[cfg(feature = "serve")]
    pub(super) fn matters(path: &str) -> bool {
        let plural = path.split('/').nth(6);
        path.starts_with("/apis/coordination.k8s.io/v1/namespaces/") && plural == Some("leases")
            || path.starts_with("/apis/kubernaut.ai/v1alpha1/namespaces/")
                && plural == Some("remediationrequests")
    }

    pub(super) fn is_request_read(&self) -> bool {
        self.resource.starts_with("remediationrequests") && matches!(self.verb, "get" | "list")
    }

    pub(super) fn is_request_write(&self) -> bool {
        self.resource.starts_with("remediationrequests")
            && matches!(self.verb, "create" | "update" | "patch")
    }

    pub(super) fn is_status_write(&self) -> bool {
        self.resource == "remediationrequests/status" && self.is_write()
    }
}

/// The resourceVersion of an object.
pub(super) fn version_in(body: &Bytes) -> Option<String> {
    let content: Content = serde_json::from_slice(body).ok()?;
    content.metadata.resource_version
}

/// An answer that the API server's authoriser would give.
pub(super) fn denied(asked: &Asked) -> Response<Bytes> {
    let group = match asked.resource.as_str() {
        "leases" => "coordination.k8s.io",
        _ => "kubernaut.ai",
    };
    let plural = asked.resource.split('/').next().unwrap_or_default();
    let message = format!(
        "{plural}.{group} \"{}\" is forbidden: User \"gateway\" cannot {} resource \"{}\" in API group \"{group}\" in the \
         namespace \"{}\"",
        asked.name, asked.verb, asked.resource, asked.namespace
    );
    status(403, "Forbidden", &message)
}

/// A refusal that has nothing to do with what was asked.
pub(super) fn refusal(code: u16) -> Response<Bytes> {
    let (reason, message) = match code {
        409 => (
            "Conflict",
            "Operation cannot be fulfilled: the object has been modified",
        ),
        429 => (
            "TooManyRequests",
            "too many requests, please try again later",
        ),
        503 => (
            "ServiceUnavailable",
            "the server is currently unable to handle the request",
        ),
        504 => ("Timeout", "the request was not completed in time"),
        _ => ("InternalError", "Internal error occurred"),
    };
    let mut response = status(code, reason, message);
    if code == 429 {
        response
            .headers_mut()
            .insert("retry-after", http::HeaderValue::from_static("1"));
    }
    response
}

fn status(code: u16, reason: &str, message: &str) -> Response<Bytes> {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
        "reason": reason, "code": code,
    });
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or_default();
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert("content-type", json);
    response
}
