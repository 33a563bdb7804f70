//! The patch formats: what a patch makes of an object. Whether the result may be stored is decided elsewhere.

mod json;
mod merge;
mod strategic;

use serde_json::Value;

use crate::fields::Shape;
use crate::status::Status;

const JSON: &str = "application/json-patch+json";
const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";

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
        let undecodable = |why: &dyn std::fmt::Display| {
            Status::bad_request(format!("error decoding patch: {why}"))
        };
        let parsed: Value = match content_type {
            JSON | MERGE | STRATEGIC => {
                serde_json::from_slice(body).map_err(|error| undecodable(&error))?
            }
            _ => Value::Null,
        };
        match (content_type, parsed) {
            // What is no operation fails as one that does not apply.
            (JSON, Value::Array(operations)) => serde_json::from_value(Value::Array(operations))
                .map(Patch::Json)
                .map_err(|_| Status::unprocessable_patch()),
            (JSON, other) => Err(undecodable(&format!(
                "json: cannot unmarshal {} into Go value of type []handlers.jsonPatchOp",
                go_type(&other)
            ))),
            (STRATEGIC, _) if is_custom => Err(Status::unknown_format(
                "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
            )),
            (MERGE, patch @ Value::Object(_)) => Ok(Patch::Merge(patch)),
            (STRATEGIC, patch @ Value::Object(_)) => Ok(Patch::Strategic(patch)),
            (MERGE | STRATEGIC, other) => Err(undecodable(&format!(
                "json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
                go_type(&other)
            ))),
            _ => Err(Status::unsupported_media_type(
                "415: Unsupported Media Type",
            )),
        }
    }

    /// What the patch makes of an object.
    pub(crate) fn apply(&self, object: Value, shape: Shape<'_>) -> Result<Value, Status> {
        match self {
            Patch::Json(patch) => {
                json::apply(object, patch).ok_or_else(Status::unprocessable_patch)
            }
            Patch::Merge(patch) => {
                let mut patched = object;
                merge::apply(&mut patched, patch);
                Ok(patched)
            }
            Patch::Strategic(patch) => {
                strategic::apply(&object, patch, shape).map_err(Status::bad_request)
            }
        }
    }
}

/// What Go's JSON decoder calls a value of the wrong type.
fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
