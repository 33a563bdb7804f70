//! The patch formats: what a patch makes of an object. Whether the result may be stored is decided elsewhere.

mod json;
mod merge;
mod strategic;

use serde_json::Value;

use crate::fields::Shape;
use crate::status::Status;

/// A patch as it was sent.
#[derive(Debug)]
pub(crate) enum Patch {
    /// `application/json-patch+json`.
    Json(json_patch::Patch),
    /// `application/merge-patch+json`.
    Merge(Value),
    /// `application/strategic-merge-patch+json`.
    Strategic(Value),
}

impl Patch {
    /// Reads a patch. Custom kinds have no strategic merge patch; server-side apply is not served.
    pub(crate) fn parse(content_type: &str, body: &[u8], is_custom: bool) -> Result<Self, Status> {
        let document =
            || serde_json::from_slice(body).map_err(|error| Status::bad_request(error.to_string()));
        match content_type {
            "application/json-patch+json" => serde_json::from_slice(body)
                .map(Patch::Json)
                .map_err(|error| Status::bad_request(error.to_string())),
            "application/merge-patch+json" => document().map(Patch::Merge),
            "application/strategic-merge-patch+json" if !is_custom => {
                document().map(Patch::Strategic)
            }
            "application/strategic-merge-patch+json" => {
                let served = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml, \
                              application/apply-patch+cbor";
                Err(Status::unsupported_media_type(format!(
                    "the body of the request was in an unknown format - accepted media types include: {served}"
                )))
            }
            _ => Err(Status::unsupported_media_type(
                "415: Unsupported Media Type",
            )),
        }
    }

    /// What the patch makes of an object.
    pub(crate) fn apply(&self, object: &Value, shape: Shape<'_>) -> Result<Value, Status> {
        match self {
            Patch::Json(patch) => {
                json::apply(object, patch).ok_or_else(Status::unprocessable_patch)
            }
            Patch::Merge(patch) => {
                let mut patched = object.clone();
                merge::apply(&mut patched, patch);
                Ok(patched)
            }
            Patch::Strategic(patch) => {
                strategic::apply(object, patch, shape).map_err(Status::bad_request)
            }
        }
    }
}
