//! Bodies in Kubernetes' protobuf form, which typed Go clients send for the built-in kinds.
//!
//! They are turned into JSON values by the same table that JSON bodies are decoded by, and go on as
//! those do; objects and lists are answered in this form where a client prefers it. Kinds that the
//! table does not describe are neither read nor written so: this server would have to know every
//! field of them.

pub(crate) mod encode;
mod message;

use serde_json::Value;

use self::message::{Bytes, Message};
use crate::types;

/// The media type of such bodies.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf";

/// What every body begins with.
const MAGIC: &[u8] = b"k8s\0";

/// Why a body cannot be turned into a JSON value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecodeError {
    /// Not Kubernetes' envelope, or damaged.
    #[error("the body is not a protobuf message of Kubernetes: {0}")]
    Malformed(String),
    /// A kind whose fields this server does not know.
    #[error("this server reads {kind} of {api_version:?} from JSON and YAML only")]
    UnknownKind {
        /// Group and version.
        api_version: String,
        /// Kind.
        kind: String,
    },
}

/// The object in a body, with `apiVersion` and `kind`. Fields are as they were sent: what is empty
/// or zero is dropped when the object is decoded further.
///
/// # Errors
/// A body that is damaged, and a kind that is not described.
pub(crate) fn decode(body: &[u8]) -> Result<Value, DecodeError> {
    let envelope = body
        .strip_prefix(MAGIC)
        .ok_or_else(|| malformed("it does not begin with \"k8s\\0\""))?;
    // runtime.Unknown: 1 is the TypeMeta, 2 the object.
    let (mut type_meta, mut raw): (Bytes<'_>, Bytes<'_>) = (&[], &[]);
    for field in Message::new(envelope) {
        match field.map_err(malformed)? {
            (1, value) => type_meta = value.bytes().map_err(malformed)?,
            (2, value) => raw = value.bytes().map_err(malformed)?,
            _ => {}
        }
    }
    let (mut api_version, mut kind) = (String::new(), String::new());
    for field in Message::new(type_meta) {
        match field.map_err(malformed)? {
            (1, value) => api_version = value.text().map_err(malformed)?,
            (2, value) => kind = value.text().map_err(malformed)?,
            _ => {}
        }
    }
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    let Some(ty) = types::of(group, &kind) else {
        return Err(DecodeError::UnknownKind { api_version, kind });
    };
    let mut object = message::structure(ty, raw).map_err(malformed)?;
    object["apiVersion"] = api_version.into();
    object["kind"] = kind.into();
    Ok(object)
}

fn malformed(detail: impl Into<String>) -> DecodeError {
    DecodeError::Malformed(detail.into())
}

#[cfg(test)]
mod tests {
    use prost::encoding::{WireType, encode_key, encode_varint};
    use serde_json::json;

    use super::*;
    use crate::validate;

    /// A field that holds bytes.
    fn bytes(number: u32, content: &[u8]) -> Vec<u8> {
        let mut field = Vec::new();
        encode_key(number, WireType::LengthDelimited, &mut field);
        encode_varint(content.len() as u64, &mut field);
        field.extend_from_slice(content);
        field
    }

    /// A field that holds a number.
    fn varint(number: u32, content: u64) -> Vec<u8> {
        let mut field = Vec::new();
        encode_key(number, WireType::Varint, &mut field);
        encode_varint(content, &mut field);
        field
    }

    fn envelope(api_version: &str, kind: &str, object: &[u8]) -> Vec<u8> {
        let type_meta = [bytes(1, api_version.as_bytes()), bytes(2, kind.as_bytes())].concat();
        [
            MAGIC.to_vec(),
            bytes(1, &type_meta),
            bytes(2, object),
            bytes(3, b""),
            bytes(4, b""),
        ]
        .concat()
    }

    #[test]
    fn a_lease_is_read_as_if_it_had_come_as_json() {
        let label = [bytes(1, b"app"), bytes(2, b"x")].concat();
        let created = bytes(8, &[]);
        let metadata = [
            bytes(1, b"a"),
            bytes(2, b""),
            bytes(3, b"ns"),
            created,
            bytes(11, &label),
        ]
        .concat();
        let time = [varint(1, 1_795_424_400), varint(2, 123_456_000)].concat();
        let spec = [bytes(1, b""), varint(2, 30), bytes(4, &time), varint(5, 0)].concat();
        let mut lease = decode(&envelope(
            "coordination.k8s.io/v1",
            "Lease",
            &[bytes(1, &metadata), bytes(2, &spec)].concat(),
        ))
        .unwrap();
        assert_eq!(
            validate::decode("coordination.k8s.io", "v1", "Lease", &mut lease),
            Ok(vec![])
        );
        assert_eq!(
            lease,
            json!({
                "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                "metadata": {"name": "a", "namespace": "ns", "labels": {"app": "x"}},
                "spec": {
                    "holderIdentity": "", "leaseDurationSeconds": 30, "leaseTransitions": 0,
                    "renewTime": "2026-11-23T09:00:00.123456Z",
                },
            })
        );
    }

    #[test]
    fn negative_numbers_booleans_and_nested_lists_are_read() {
        let lease = bytes(2, &varint(2, u64::MAX));
        let lease = decode(&envelope("coordination.k8s.io/v1", "Lease", &lease)).unwrap();
        assert_eq!(lease["spec"]["leaseDurationSeconds"], json!(-1));
        let rule = [bytes(1, b"get"), bytes(1, b"list"), bytes(2, b"")].concat();
        let role = [bytes(2, &rule), bytes(2, &[])].concat();
        let role = decode(&envelope("rbac.authorization.k8s.io/v1", "Role", &role)).unwrap();
        assert_eq!(
            role["rules"],
            json!([{"verbs": ["get", "list"], "apiGroups": [""]}, {}])
        );
        let values = bytes(1, b"v");
        let extra = [bytes(1, b"key"), bytes(2, &values)].concat();
        let review = bytes(2, &bytes(5, &extra));
        let review = decode(&envelope(
            "authorization.k8s.io/v1",
            "SubjectAccessReview",
            &review,
        ))
        .unwrap();
        assert_eq!(review["spec"]["extra"], json!({"key": ["v"]}));
        let config = [
            bytes(2, &[bytes(1, b"k"), bytes(2, b"v")].concat()),
            varint(4, 1),
        ]
        .concat();
        let config = decode(&envelope("v1", "ConfigMap", &config)).unwrap();
        assert_eq!(
            (&config["data"], &config["immutable"]),
            (&json!({"k": "v"}), &json!(true))
        );
    }

    #[test]
    fn options_of_a_delete_are_read_in_any_group() {
        let preconditions = [bytes(1, b"u"), bytes(2, b"7")].concat();
        let body = [bytes(2, &preconditions), bytes(5, b"All")].concat();
        assert_eq!(
            decode(&envelope("coordination.k8s.io/v1", "DeleteOptions", &body)),
            Ok(json!({
                "apiVersion": "coordination.k8s.io/v1", "kind": "DeleteOptions",
                "preconditions": {"uid": "u", "resourceVersion": "7"}, "dryRun": ["All"],
            }))
        );
    }

    #[test]
    fn other_bodies_are_refused() {
        assert_eq!(
            decode(&envelope("apps/v1", "Deployment", &[]))
                .unwrap_err()
                .to_string(),
            r#"this server reads Deployment of "apps/v1" from JSON and YAML only"#
        );
        let damaged = &envelope("v1", "ConfigMap", &bytes(1, b"metadata"))[..20];
        for body in [b"{}".as_slice(), b"k8s\0\xff", damaged] {
            assert!(
                matches!(decode(body), Err(DecodeError::Malformed(_))),
                "{body:?}"
            );
        }
    }
}
