//! What the API server checks before it stores an object of a built-in kind, in its own words.
//!
//! Decoding ([`decode`]) turns a body into the form that is stored, or refuses it with the text of
//! a `BadRequest`. Validation ([`metadata`], [`built_in`]) then returns the causes of an `Invalid`.
//! Everything here is a function of the objects alone: no store, no clock, no HTTP. The schemas of
//! custom resources are the business of [`crate::schema`].

mod decode;
mod event;
mod field_error;
mod formats;
mod lease;
mod metadata;
mod names;
mod rbac;
mod secret;

use serde_json::Value;

pub use decode::decode;
pub use field_error::{FieldError, FieldErrorKind, causes, summary};
pub use metadata::metadata;
pub use names::name;

pub(crate) use decode::{decode_custom, empty, strict_refusal};

const COORDINATION: &str = "coordination.k8s.io";
const RBAC: &str = "rbac.authorization.k8s.io";

/// Brings an object of a built-in kind to the form in which it is validated and stored: clears what
/// a client cannot set, and merges what it may send in two forms.
///
/// The fields of coordinated leader election are behind a feature gate that is off by default, so a
/// server drops them.
pub fn prepare(group: &str, kind: &str, object: &mut Value) {
    match (group, kind) {
        (COORDINATION, "Lease") => lease::prepare(object),
        ("", "Secret") => secret::prepare(object),
        _ => {}
    }
}

/// The rules of a built-in kind for everything but its metadata; `old` is the stored object when
/// this is an update. Kinds without rules, and custom resources, have no errors.
#[must_use]
pub fn built_in(group: &str, kind: &str, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
    match (group, kind) {
        (COORDINATION, "Lease") => lease::validate(object),
        ("" | "events.k8s.io", "Event") => event::validate(group, object, old),
        (RBAC, "Role" | "ClusterRole") => rbac::validate_role(object, kind == "Role"),
        (RBAC, "RoleBinding" | "ClusterRoleBinding") => {
            rbac::validate_binding(object, old, kind == "RoleBinding")
        }
        _ => Vec::new(),
    }
}

/// Whether the text is a DNS label of RFC 1123.
pub(crate) fn is_dns_label(text: &str) -> bool {
    formats::dns_label(text).is_empty()
}

/// Whether the text is a DNS subdomain of RFC 1123.
pub(crate) fn is_dns_subdomain(text: &str) -> bool {
    formats::dns_subdomain(text).is_empty()
}
