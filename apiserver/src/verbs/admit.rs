//! From the body of a write to an object that may be stored: decoding, names, and validation.

use serde_json::{Map, Value, json};

use crate::access::{self, EscalationError};
use crate::call::Call;
use crate::golang::{json, quote::quote};
use crate::object::{self, metadata_mut};
use crate::protobuf::{self, DecodeError};
use crate::registry::{Origin, Resource, Subresource, scheme};
use crate::status::Status;
use crate::store::State;
use crate::validate::{self, FieldError};
use crate::{convert, defaults, definitions, fields};

/// Decodes the body of a POST or PUT. Returns the object and the warnings about unknown fields.
pub(super) fn decode_body(call: &Call<'_>) -> Result<(Value, Vec<String>), Status> {
    let (mut object, doubles) = parse(call)?;
    check_kind(call, &mut object)?;
    let warnings = decode(call, &mut object, &doubles)?;
    Ok((object, warnings))
}

/// Brings an object to the form that is stored, and reports unknown fields and `doubles`, those that the body names
/// twice, as the request asked for.
pub(super) fn decode(
    call: &Call<'_>,
    object: &mut Value,
    doubles: &[String],
) -> Result<Vec<String>, Status> {
    let resource = &call.resource;
    let wish = call.query.field_validation.as_deref().unwrap_or_default();
    let reset = fields::take_reset(object);
    let (group, version, kind) = (&resource.group, &resource.version, &resource.kind);
    let decoded = match resource.custom() {
        None => validate::decode(group, version, kind, object),
        Some(custom) => custom.compiled.decode(version, kind, object),
    };
    let mut warnings = decoded.map_err(Status::bad_request)?;
    // A body of a custom kind is read as a whole before its schema is asked about single fields.
    let place = match resource.custom() {
        None => warnings.len(),
        Some(_) => 0,
    };
    let doubles = doubles
        .iter()
        .map(|path| format!("duplicate field {}", quote(path)));
    warnings.splice(place..place, doubles);
    match wish {
        "Ignore" => warnings.clear(),
        "Strict" if !warnings.is_empty() => {
            let refusal = validate::strict_refusal(version, kind, &warnings);
            return Err(Status::bad_request(refusal));
        }
        _ => {}
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

/// The object in a body, and the fields that it names twice.
fn parse(call: &Call<'_>) -> Result<(Value, Vec<String>), Status> {
    let refused = |why: String| {
        let kind = &call.resource.kind;
        Status::bad_request(format!(
            "the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; json parse error: {why}"
        ))
    };
    if call.body.is_empty() {
        return Err(refused("unexpected end of JSON input (<empty>)".into()));
    }
    let mut doubles = Vec::new();
    let object: Value = match call.content_type() {
        "application/json" | "" => {
            let object;
            (object, doubles) =
                json::read(&call.body).map_err(|error| refused(error.to_string()))?;
            object
        }
        "application/yaml" | "application/x-yaml" => {
            serde_saphyr::from_slice(&call.body).map_err(|error| refused(error.to_string()))?
        }
        protobuf::MEDIA_TYPE => protobuf::decode(&call.body).map_err(|error| unread(&error))?,
        _ => {
            return Err(Status::unknown_format(
                "application/json, application/yaml, application/vnd.kubernetes.protobuf",
            ));
        }
    };
    if object.is_object() {
        Ok((object, doubles))
    } else if object.is_null() {
        Ok((json!({}), doubles))
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
    let name = fields
        .get("metadata")
        .and_then(|metadata| metadata.get("name"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    let version = fields
        .get("apiVersion")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let api_version = resource.api_version();
    let is_other = |stated: &str, expected: &str| !stated.is_empty() && stated != expected;
    if resource.custom().is_some() {
        check_custom_kind(call, kind, version, name)?;
    } else if is_other(version, &api_version) || is_other(kind, &resource.kind) {
        let (kind, version) = (or(kind, &resource.kind), or(version, &api_version));
        return Err(Status::bad_request(other_kind(resource, kind, version)));
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

/// Why a body of this kind is not taken: it is unknown, or of another Go type, or of a version that this path does not
/// serve.
fn other_kind(resource: &Resource, kind: &str, api_version: &str) -> String {
    let version = api_version.rsplit('/').next().unwrap_or_default();
    let expected = scheme::internal_type(resource, &resource.kind);
    let why = match scheme::registered(api_version, kind) {
        Some(internal) if internal == expected => {
            return other_version(api_version, &resource.api_version());
        }
        Some(_) => format!("converting ({version}.{kind}) to ({expected}): unknown conversion"),
        None => format!(
            "no kind {kind:?} is registered for version {api_version:?} in scheme \"pkg/runtime/scheme.go:111\""
        ),
    };
    format!(
        "{kind} in version {version:?} cannot be handled as a {}: {why}",
        resource.kind
    )
}

fn other_version(stated: &str, expected: &str) -> String {
    format!(
        "the API version in the data ({stated}) does not match the expected API version ({expected})"
    )
}

/// A custom object has to say what it is.
fn check_custom_kind(call: &Call<'_>, kind: &str, version: &str, name: &str) -> Result<(), Status> {
    let resource = &call.resource;
    let expected = resource.api_version();
    if kind.is_empty() {
        let body = String::from_utf8_lossy(&call.body);
        return Err(Status::bad_request(format!(
            "the object provided is unrecognized (must be of type {}): Object 'Kind' is missing in '{body}' ({body})",
            resource.kind
        )));
    }
    if version != expected {
        return Err(Status::bad_request(other_version(version, &expected)));
    }
    if kind != resource.kind {
        let error = FieldError::invalid("kind", kind, format!("must be {}", resource.kind));
        let qualified = format!("{kind}.{}", resource.group);
        let errors = [error];
        return Err(Status::invalid(
            &qualified,
            name,
            &validate::summary(&errors),
            validate::causes(&errors),
        ));
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
