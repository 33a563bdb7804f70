//! `Status` answers in Kubernetes' wording. Each constructor is one way in which a request is refused.
//!
//! Only wording: when a refusal is due is decided elsewhere.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::access::Attributes;
use crate::golang::quote::quote;
use crate::registry::{Resource, Verb};

/// A refused request, as it is answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// HTTP status code.
    pub code: u16,
    /// Machine-readable reason; empty where Kubernetes gives none.
    pub reason: &'static str,
    /// Human-readable message.
    pub message: String,
    /// `details`; null where Kubernetes gives none.
    pub details: Value,
    /// A continue token that goes on at the latest version, beside an expired one.
    pub continue_token: Option<String>,
    /// Who refuses.
    pub layer: Layer,
}

/// The layers of a server that refuse requests, each in a way of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// The outermost, which watches the clock. It knows nothing of formats: its answer has neither kind nor media type.
    Deadline,
    /// Authorization, whose answers no browser is to take for anything else.
    Authorization,
    /// What lies within.
    Handler,
}

impl Status {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: Value::Null,
            continue_token: None,
            layer: Layer::Handler,
        }
    }

    fn about(mut self, resource: &Resource, name: &str) -> Self {
        let mut details = Map::new();
        if !name.is_empty() {
            details.insert("name".into(), name.into());
        }
        if !resource.group.is_empty() {
            details.insert("group".into(), resource.group.as_str().into());
        }
        details.insert("kind".into(), resource.plural.as_str().into());
        self.details = Value::Object(details);
        self
    }

    /// 404 of an object.
    #[must_use]
    pub fn not_found(resource: &Resource, name: &str) -> Self {
        let message = format!("{} {name:?} not found", resource.qualified_plural());
        Self::new(404, "NotFound", message).about(resource, name)
    }

    /// 404 of a path or kind that is not served.
    #[must_use]
    pub fn no_such_resource() -> Self {
        let mut status = Self::new(
            404,
            "NotFound",
            "the server could not find the requested resource",
        );
        status.details = json!({});
        status
    }

    /// 405.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        let mut status = Self::new(405, "MethodNotAllowed", message);
        status.details = json!({});
        status
    }

    /// 405 of a custom kind, whose paths are served by a handler of their own.
    #[must_use]
    pub fn method_not_supported(resource: &Resource, verb: Verb) -> Self {
        let message = format!(
            "{} is not supported on resources of kind {:?}",
            verb.as_str(),
            resource.qualified_plural()
        );
        Self::new(405, "MethodNotAllowed", message).about(resource, "")
    }

    /// 406: nothing in `Accept` is among the media types that are written.
    #[must_use]
    pub fn not_acceptable(written: &str) -> Self {
        let message = format!("only the following media types are accepted: {written}");
        Self::new(406, "NotAcceptable", message)
    }

    /// 406: the form is one of single objects and the answer a list, or the other way round. Kubernetes names the Go
    /// type of the answer.
    #[must_use]
    pub fn not_of_that_form(form: &str, what: &str, go_type: &str) -> Self {
        let message =
            format!("you requested {form}, but the requested object is {what} (*{go_type})");
        Self::new(406, "NotAcceptable", message)
    }

    /// 406 of the router, which looks no further than at media types.
    #[must_use]
    pub fn not_available(written: &str) -> Self {
        let message = format!("406: Not Acceptable\n\nAvailable representations: {written}");
        let mut status = Self::new(406, "NotAcceptable", message);
        status.details = json!({});
        status
    }

    /// 415 of a patch or body in a form that is not served.
    #[must_use]
    pub fn unsupported_media_type(message: impl Into<String>) -> Self {
        let mut status = Self::new(415, "UnsupportedMediaType", message);
        status.details = json!({});
        status
    }

    /// 404: the namespace of a new object does not exist.
    #[must_use]
    pub fn no_namespace(namespace: &str) -> Self {
        let mut status = Self::new(
            404,
            "NotFound",
            format!("namespaces {namespace:?} not found"),
        );
        status.details = json!({ "name": namespace, "kind": "namespaces" });
        status
    }

    /// 403: the namespace of a new object is on its way out.
    #[must_use]
    pub fn namespace_terminating(resource: &Resource, name: &str, namespace: &str) -> Self {
        let why = format!(
            "unable to create new content in namespace {namespace} because it is being terminated"
        );
        let mut status = Self::not_admitted(resource, name, &why);
        status.details["causes"] = json!([{
            "reason": "NamespaceTerminating",
            "message": format!("namespace {namespace} is being terminated"),
            "field": "metadata.namespace",
        }]);
        status
    }

    /// 413.
    #[must_use]
    pub fn body_too_large(limit: usize) -> Self {
        let message = format!("Request entity too large: limit is {limit}");
        Self::new(413, "RequestEntityTooLarge", message)
    }

    /// 415 of a body in a form that is not read; `read` are those that are.
    #[must_use]
    pub fn unknown_format(read: &str) -> Self {
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: {read}"
        );
        Self::new(415, "UnsupportedMediaType", message)
    }

    /// 409: the name is taken; `deleting` while its holder is on its way out.
    #[must_use]
    pub fn already_exists(resource: &Resource, name: &str, deleting: bool) -> Self {
        let taken = format!("{} {name:?} already exists", resource.qualified_plural());
        let message = if deleting {
            format!("object is being deleted: {taken}")
        } else {
            taken
        };
        Self::new(409, "AlreadyExists", message).about(resource, name)
    }

    /// 409: none of the generated names was free.
    #[must_use]
    pub fn no_free_name(resource: &Resource, name: &str) -> Self {
        let message = format!(
            "{} {name:?} already exists, the server was not able to generate a unique name for the object",
            resource.qualified_plural()
        );
        let mut status = Self::new(409, "AlreadyExists", message).about(resource, name);
        status.details["retryAfterSeconds"] = json!(1);
        status
    }

    /// 409 of an update: `why` follows the object's name.
    #[must_use]
    pub fn conflict(resource: &Resource, name: &str, why: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} {name:?}: {why}",
            resource.qualified_plural()
        );
        Self::new(409, "Conflict", message).about(resource, name)
    }

    /// 409 of an update from a version that is no longer the newest.
    #[must_use]
    pub fn modified(resource: &Resource, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(resource, name, why)
    }

    /// 409 of a DELETE whose preconditions fail. Kubernetes names the kind here, not the resource.
    #[must_use]
    pub fn failed_precondition(resource: &Resource, name: &str, why: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} {name:?}: {why}",
            resource.qualified_kind()
        );
        let mut status = Self::new(409, "Conflict", message).about(resource, name);
        status.details["kind"] = resource.kind.as_str().into();
        status
    }

    /// 403 of a request that authorization refuses, with the message that authorization gives.
    #[must_use]
    pub fn forbidden(attributes: &Attributes, message: impl Into<String>) -> Self {
        let mut details = Map::new();
        let fields = [
            ("name", &attributes.name),
            ("group", &attributes.group),
            ("kind", &attributes.resource),
        ];
        for (field, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
            details.insert(field.into(), value.as_str().into());
        }
        Self {
            details: Value::Object(details),
            layer: Layer::Authorization,
            ..Self::new(403, "Forbidden", message)
        }
    }

    /// 403 of an object that admission refuses.
    #[must_use]
    pub fn not_admitted(resource: &Resource, name: &str, why: &str) -> Self {
        let object = resource.qualified_plural();
        let message = if name.is_empty() {
            format!("{object} is forbidden: {why}")
        } else {
            format!("{object} {name:?} is forbidden: {why}")
        };
        Self::new(403, "Forbidden", message).about(resource, name)
    }

    /// 401.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    /// 400.
    #[must_use]
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// 422 of an object, with one cause for each field: path, machine-readable reason, message.
    #[must_use]
    pub fn invalid(qualified_kind: &str, name: &str, summary: &str, causes: Vec<Value>) -> Self {
        let (kind, group) = qualified_kind
            .split_once('.')
            .unwrap_or((qualified_kind, ""));
        let mut details = Map::new();
        if !name.is_empty() {
            details.insert("name".into(), name.into());
        }
        if !group.is_empty() {
            details.insert("group".into(), group.into());
        }
        if !kind.is_empty() {
            details.insert("kind".into(), kind.into());
        }
        if !causes.is_empty() {
            details.insert("causes".into(), causes.into());
        }
        let message = format!("{qualified_kind} {name:?} is invalid: {summary}");
        Self {
            details: Value::Object(details),
            ..Self::new(422, "Invalid", message)
        }
    }

    /// 422 of a PUT without a version, for kinds that insist on one. Kubernetes names the resource as the kind.
    #[must_use]
    pub fn version_required(resource: &Resource, name: &str) -> Self {
        let cause = json!({
            "reason": "FieldValueInvalid",
            "message": "Invalid value: 0: must be specified for an update",
            "field": "metadata.resourceVersion",
        });
        let summary = "metadata.resourceVersion: Invalid value: 0: must be specified for an update";
        Self::invalid(&resource.qualified_plural(), name, summary, vec![cause])
    }

    /// 422 of a patch whose result is no object of the kind.
    #[must_use]
    pub fn invalid_patch(mut patched: Value, why: &str) -> Self {
        if let Some(metadata) = patched.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
        }
        let cause = format!("Invalid value: {}: {why}", quote(&patched.to_string()));
        let mut status = Self::new(422, "Invalid", format!(" \"\" is invalid: patch: {cause}"));
        status.details = json!({ "causes": [{ "reason": "FieldValueInvalid", "message": cause, "field": "patch" }] });
        status
    }

    /// 422 of a patch that does not apply.
    #[must_use]
    pub fn unprocessable_patch() -> Self {
        let message = "the server rejected our request due to an error in our request";
        let mut status = Self::new(422, "Invalid", message);
        status.details = json!({});
        status
    }

    /// 410: the version lies before what the server still knows.
    #[must_use]
    pub fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    /// 429: the server is busy.
    #[must_use]
    pub fn too_many_requests(retry_after_seconds: Option<u32>) -> Self {
        let message =
            "the server has received too many requests and has asked us to try again later";
        Self::new(429, "TooManyRequests", message).retry_after(retry_after_seconds)
    }

    /// 409 of no particular object, as faults give it.
    #[must_use]
    pub fn injected_conflict() -> Self {
        Self::new(
            409,
            "Conflict",
            "the object has been modified; injected fault",
        )
    }

    fn retry_after(mut self, seconds: Option<u32>) -> Self {
        if let Some(seconds) = seconds {
            self.details = json!({ "retryAfterSeconds": seconds });
        }
        self
    }

    /// 500.
    #[must_use]
    pub fn internal_error(why: &str) -> Self {
        let mut status = Self::new(
            500,
            "InternalError",
            format!("Internal error occurred: {why}"),
        );
        status.details = json!({ "causes": [{ "message": why }] });
        status
    }

    /// 500 without a reason, which is how plain errors of the storage layer come out.
    #[must_use]
    pub fn unexplained(message: impl Into<String>) -> Self {
        Self::new(500, "", message)
    }

    /// 503.
    #[must_use]
    pub fn service_unavailable(retry_after_seconds: Option<u32>) -> Self {
        let message = "the server is currently unable to handle the request";
        Self::new(503, "ServiceUnavailable", message).retry_after(retry_after_seconds)
    }

    /// 504: the deadline of the request passed.
    #[must_use]
    pub fn timed_out() -> Self {
        let message = "Timeout: request did not complete within the allotted timeout";
        Self {
            details: json!({}),
            layer: Layer::Deadline,
            ..Self::new(504, "Timeout", message)
        }
    }

    /// 504: the version asked for has not been written yet.
    #[must_use]
    pub fn version_too_large(wanted: u64, current: u64) -> Self {
        let message = format!("Timeout: Too large resource version: {wanted}, current: {current}");
        let mut status = Self::new(504, "Timeout", message);
        status.details = json!({
            "causes": [{ "reason": "ResourceVersionTooLarge", "message": "Too large resource version" }],
            "retryAfterSeconds": 1,
        });
        status
    }

    /// The seconds that the client should wait, where the answer names them.
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.details
            .get("retryAfterSeconds")
            .and_then(Value::as_u64)
    }

    /// The answer's body as a JSON value.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut metadata = Map::new();
        if let Some(token) = &self.continue_token {
            metadata.insert("continue".into(), token.as_str().into());
        }
        let mut body = Map::new();
        if self.layer != Layer::Deadline {
            body.insert("kind".into(), "Status".into());
            body.insert("apiVersion".into(), "v1".into());
        }
        body.insert("metadata".into(), Value::Object(metadata));
        body.insert("status".into(), "Failure".into());
        body.insert("message".into(), self.message.as_str().into());
        if !self.reason.is_empty() {
            body.insert("reason".into(), self.reason.into());
        }
        if !self.details.is_null() {
            body.insert("details".into(), self.details.clone());
        }
        body.insert("code".into(), self.code.into());
        Value::Object(body)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}: {}", self.code, self.reason, self.message)
    }
}

impl std::error::Error for Status {}

/// The body that answers a DELETE which removed the object.
#[must_use]
pub fn deleted(resource: &Resource, name: &str, uid: &str) -> Value {
    let mut details = Map::new();
    details.insert("name".into(), name.into());
    if !resource.group.is_empty() {
        details.insert("group".into(), resource.group.as_str().into());
    }
    details.insert("kind".into(), resource.plural.as_str().into());
    details.insert("uid".into(), uid.into());
    json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Registry;

    #[test]
    fn a_conflict_is_worded_as_kubernetes_words_it() {
        let registry = Registry::built_in();
        let leases = registry
            .resource("coordination.k8s.io", "v1", "leases")
            .expect("built in");
        assert_eq!(
            Status::modified(leases, "x1").to_value(),
            json!({
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                "message": "Operation cannot be fulfilled on leases.coordination.k8s.io \"x1\": the object has been \
                            modified; please apply your changes to the latest version and try again",
                "reason": "Conflict",
                "details": { "name": "x1", "group": "coordination.k8s.io", "kind": "leases" },
                "code": 409,
            })
        );
    }

    #[test]
    fn a_core_kind_has_no_group_in_its_details() {
        let registry = Registry::built_in();
        let namespaces = registry.resource("", "v1", "namespaces").expect("built in");
        let status = Status::not_found(namespaces, "nope");
        assert_eq!(status.message, "namespaces \"nope\" not found");
        assert_eq!(
            status.details,
            json!({ "name": "nope", "kind": "namespaces" })
        );
    }
}
