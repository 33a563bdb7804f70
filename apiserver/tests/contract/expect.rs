//! The `Status` objects that a failure is answered with, whole.

use serde_json::{Value, json};

pub(crate) const INVALID: &str = "FieldValueInvalid";
pub(crate) const REQUIRED: &str = "FieldValueRequired";
pub(crate) const FORBIDDEN: &str = "FieldValueForbidden";
pub(crate) const UNSUPPORTED: &str = "FieldValueNotSupported";
pub(crate) const TOO_LONG: &str = "FieldValueTooLong";
pub(crate) const WRONG_TYPE: &str = "FieldValueTypeInvalid";

/// The group resource that messages name.
pub(crate) const LEASES: &str = "leases.coordination.k8s.io";
/// The group kind that messages name.
pub(crate) const LEASE: &str = "Lease.coordination.k8s.io";
pub(crate) const REQUESTS: &str = "remediationrequests.kubernaut.ai";
pub(crate) const REQUEST: &str = "RemediationRequest.kubernaut.ai";

/// What a json-patch is refused with, whichever operation failed.
pub(crate) const REJECTED: &str = "the server rejected our request due to an error in our request";

/// Reason, field and message of a cause.
pub(crate) type Cause<'a> = (&'a str, &'a str, &'a str);

/// Without details.
pub(crate) fn failure(code: u16, reason: &str, message: &str) -> Value {
    let mut status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "code": code
    });
    if !reason.is_empty() {
        status["reason"] = json!(reason);
    }
    status
}

pub(crate) fn with_details(code: u16, reason: &str, message: &str, details: Value) -> Value {
    let mut status = failure(code, reason, message);
    status["details"] = details;
    status
}

pub(crate) fn bad_request(message: &str) -> Value {
    failure(400, "BadRequest", message)
}

pub(crate) fn rejected() -> Value {
    with_details(422, "Invalid", REJECTED, json!({}))
}

/// `qualified` is `leases.coordination.k8s.io` or, in the core group, just the plural.
pub(crate) fn not_found(qualified: &str, name: &str) -> Value {
    let message = format!("{qualified} \"{name}\" not found");
    with_details(404, "NotFound", &message, details(qualified, name))
}

pub(crate) fn already_exists(qualified: &str, name: &str, before: &str) -> Value {
    let message = format!("{before}{qualified} \"{name}\" already exists");
    with_details(409, "AlreadyExists", &message, details(qualified, name))
}

pub(crate) fn conflict(qualified: &str, name: &str, why: &str) -> Value {
    let message = format!("Operation cannot be fulfilled on {qualified} \"{name}\": {why}");
    with_details(409, "Conflict", &message, details(qualified, name))
}

/// A resource version that is no longer the newest.
pub(crate) fn stale(qualified: &str, name: &str) -> Value {
    let why = "the object has been modified; please apply your changes to the latest version and try again";
    conflict(qualified, name, why)
}

pub(crate) fn invalid(qualified: &str, name: &str, causes: &[Cause<'_>]) -> Value {
    let faults: Vec<String> = causes
        .iter()
        .map(|(_, field, message)| format!("{field}: {message}"))
        .collect();
    let faults = match &faults[..] {
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    };
    let message = format!("{qualified} \"{name}\" is invalid: {faults}");
    let mut details = details(qualified, name);
    details["causes"] = causes
        .iter()
        .map(|(reason, field, message)| json!({"reason": reason, "message": message, "field": field}))
        .collect();
    with_details(422, "Invalid", &message, details)
}

/// `scope` is `in the namespace "x"` or `at the cluster scope`.
pub(crate) fn forbidden(qualified: &str, name: &str, user: &str, verb: &str, scope: &str) -> Value {
    let (resource, group) = qualified.split_once('.').unwrap_or((qualified, ""));
    let named = if name.is_empty() {
        String::new()
    } else {
        format!(" \"{name}\"")
    };
    let message = format!(
        "{qualified}{named} is forbidden: User \"{user}\" cannot {verb} resource \"{resource}\" in API group \
         \"{group}\" {scope}"
    );
    with_details(403, "Forbidden", &message, details(qualified, name))
}

/// What is empty is left out.
fn details(qualified: &str, name: &str) -> Value {
    let (kind, group) = qualified.split_once('.').unwrap_or((qualified, ""));
    let parts = [("name", name), ("group", group), ("kind", kind)];
    parts
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| (key.to_owned(), json!(value)))
        .collect()
}
