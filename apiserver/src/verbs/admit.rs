//! From the body of a write to an object that may be stored: decoding, names, and validation.

use serde_json::{Map, Value, json};

use crate::access::{self, EscalationError};
use crate::call::Call;
use crate::object::{self, metadata_mut};
use crate::protobuf::{self, DecodeError};
use crate::registry::{Origin, Resource, Subresource};
use crate::status::Status;
use crate::store::State;
use crate::validate::{self, FieldError};
use crate::{convert, defaults, definitions, fields};

/// Decodes the body of a POST or PUT. Returns the object and the warnings about unknown fields.
pub(super) fn decode_body(call: &Call<'_>) -> Result<(Value, Vec<String>), Status> {
    let mut object = parse(call)?;
    check_kind(call, &mut object)?;
    let warnings = decode(call, &mut object)?;
    Ok((object, warnings))
}

/// Brings an object to the form that is stored, and reports unknown fields as the request asked for.
pub(super) fn decode(call: &Call<'_>, object: &mut Value) -> Result<Vec<String>, Status> {
    let resource = &call.resource;
    let wish = call.query.field_validation.as_deref().unwrap_or_default();
    let strict = wish == "Strict";
    let reset = fields::take_reset(object);
    let (group, version, kind) = (&resource.group, &resource.version, &resource.kind);
    let decoded = match resource.custom() {
        None => validate::decode(group, version, kind, object, strict),
        Some(custom) => custom.compiled.decode(version, kind, object, strict),
    };
    let mut warnings = decoded.map_err(Status::bad_request)?;
    if wish == "Ignore" {
        warnings.clear();
    }
    object::drop_empty_metadata(object);
    if let Some(reset) = reset {
        metadata_mut(object).insert("managedFields".into(), reset);
    }
    convert::to_stored(resource, object);
    if resource.custom().is_none() {
        defaults::fill_in(resource, object);
    }
    if is_definition(resource) {
        definitions::default(object);
    }
    Ok(warnings)
}

/// Whether objects of this kind define kinds.
pub(super) fn is_definition(resource: &Resource) -> bool {
    resource.stored_as == definitions::TABLE
}

fn parse(call: &Call<'_>) -> Result<Value, Status> {
    let refused = |why: String| {
        let kind = &call.resource.kind;
        Status::bad_request(format!(
            "the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; json parse error: {why}"
        ))
    };
    if call.body.is_empty() {
        return Err(refused("unexpected end of JSON input (<empty>)".into()));
    }
    let object: Value = match call.content_type() {
        "application/json" | "" => {
            serde_json::from_slice(&call.body).map_err(|error| refused(error.to_string()))?
        }
        "application/yaml" | "application/x-yaml" => {
            serde_saphyr::from_slice(&call.body).map_err(|error| refused(error.to_string()))?
        }
        protobuf::MEDIA_TYPE => protobuf::decode(&call.body).map_err(|error| unread(&error))?,
        _ => return Err(Status::unknown_format()),
    };
    if object.is_object() {
        Ok(object)
    } else if object.is_null() {
        Ok(json!({}))
    } else {
        Err(refused(
            "json: cannot unmarshal into Go value of type struct".into(),
        ))
    }
}

/// The refusal of a protobuf body.
pub(super) fn unread(error: &DecodeError) -> Status {
    match error {
        DecodeError::Malformed(_) => Status::bad_request(error.to_string()),
        DecodeError::UnknownKind { .. } => Status::unsupported_media_type(error.to_string()),
    }
}

/// An object may leave out what its path says, but not contradict it.
pub(super) fn check_kind(call: &Call<'_>, object: &mut Value) -> Result<(), Status> {
    let resource = &call.resource;
    let fields = object
        .as_object_mut()
        .ok_or_else(|| Status::bad_request("the object is no JSON object"))?;
    let kind = fields
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let version = fields
        .get("apiVersion")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let is_other = |stated: &str, expected: &str| !stated.is_empty() && stated != expected;
    let api_version = resource.api_version();
    if is_other(version, &api_version) || is_other(kind, &resource.kind) {
        let (kind, version) = (or(kind, &resource.kind), or(version, &api_version));
        return Err(Status::bad_request(format!(
            "{kind} in version {:?} cannot be handled as a {}: no kind {kind:?} is registered for version {version:?} in scheme \
             \"pkg/runtime/scheme.go:111\"",
            version.rsplit('/').next().unwrap_or_default(),
            resource.kind,
        )));
    }
    let (without_kind, without_version) = (kind.is_empty(), version.is_empty());
    if without_kind {
        fields.insert("kind".into(), resource.kind.as_str().into());
    }
    if without_version {
        fields.insert("apiVersion".into(), resource.api_version().into());
    }
    if !fields.get("metadata").is_some_and(Value::is_object) {
        fields.insert("metadata".into(), Value::Object(Map::new()));
    }
    Ok(())
}

fn or<'a>(stated: &'a str, default: &'a str) -> &'a str {
    if stated.is_empty() { default } else { stated }
}

/// Sets the namespace of the path, which the object may repeat but not contradict.
pub(super) fn settle_namespace(
    resource: &Resource,
    namespace: &str,
    object: &mut Value,
) -> Result<(), Status> {
    if !resource.is_namespaced() {
        metadata_mut(object).remove("namespace");
        return Ok(());
    }
    match object::text(object, "namespace") {
        "" => {
            metadata_mut(object).insert("namespace".into(), namespace.into());
            Ok(())
        }
        own if own == namespace => Ok(()),
        _ => Err(Status::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        )),
    }
}

/// A new object needs a namespace that exists and is not on its way out.
pub(super) fn check_namespace(state: &State, call: &Call<'_>, name: &str) -> Result<(), Status> {
    if !call.resource.is_namespaced() {
        return Ok(());
    }
    let namespace = call.namespace;
    let Some(found) = state.get("namespaces", namespace) else {
        return Err(Status::no_namespace(namespace));
    };
    if found.is_deleting() {
        return Err(Status::namespace_terminating(
            &call.resource,
            name,
            namespace,
        ));
    }
    Ok(())
}

/// Everything that validation has to say about an object that is about to be stored.
pub(super) fn validate(call: &Call<'_>, object: &Value, old: Option<&Value>) -> Result<(), Status> {
    let resource = &call.resource;
    let (group, kind) = (resource.group.as_str(), resource.kind.as_str());
    let mut errors = validate::metadata(group, kind, resource.is_namespaced(), object, old);
    if old.is_some() {
        // An update goes through these checks twice, and lists what they find twice.
        errors.extend(errors.clone());
    }
    errors.extend(match (&resource.origin, call.subresource, old) {
        (Origin::Custom(custom), Some(Subresource::Status), Some(old)) => {
            custom.compiled.validate_status(object, old)
        }
        (Origin::Custom(custom), _, _) => custom.compiled.validate(object, old),
        _ if is_definition(resource) => definitions::validate(object),
        (Origin::BuiltIn | Origin::Review, _, _) => validate::built_in(group, kind, object, old),
    });
    if errors.is_empty() {
        Ok(())
    } else {
        Err(invalid(resource, object::text(object, "name"), &errors))
    }
}

pub(super) fn invalid(resource: &Resource, name: &str, errors: &[FieldError]) -> Status {
    Status::invalid(
        &resource.qualified_kind(),
        name,
        &validate::summary(errors),
        validate::causes(errors),
    )
}

/// Nobody grants what he does not have.
pub(super) fn check_escalation(
    state: &State,
    call: &Call<'_>,
    object: &Value,
    old: Option<&Value>,
) -> Result<(), Status> {
    if call.resource.group != "rbac.authorization.k8s.io" {
        return Ok(());
    }
    access::check_escalation(state, call.user, &call.resource.kind, object, old).map_err(|why| {
        match why {
            EscalationError::Forbidden(why) => {
                Status::not_admitted(&call.resource, object::text(object, "name"), &why)
            }
            EscalationError::NotFound(role) => Status::not_found(&call.resource, &role),
        }
    })
}
