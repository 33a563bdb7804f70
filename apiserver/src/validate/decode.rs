//! From the body of a request to the form in which an object is stored.
//!
//! A built-in kind is decoded as the server's Go types would be: values of the wrong type are
//! refused, unknown fields are dropped and reported, times are brought to UTC, nulls and empty
//! values vanish where the type says `omitempty`. Kinds without a description, and custom
//! resources, have their metadata decoded and the rest left alone.

use base64::Engine as _;
use serde_json::{Map, Value};

use crate::{
    golang::{quote::quote, time},
    types::{self, Field, FieldType, Presence, StructType, meta},
};

/// Decodes an object in place and returns the warnings about unknown fields
/// (`unknown field "spec.bogus"`), which have been dropped.
///
/// # Errors
/// The message of a `BadRequest`: a value of the wrong type.
pub fn decode(
    group: &str,
    version: &str,
    kind: &str,
    object: &mut Value,
) -> Result<Vec<String>, String> {
    let decoded = match types::of(group, kind) {
        Some(ty) => decode_struct(ty, object),
        None => decode_metadata(object, &["metadata"]),
    };
    decoded.map_err(|error| refusal(version, kind, &error))
}

/// As [`decode`], for a custom resource: decodes the metadata, and takes the unknown fields that
/// its schema finds in the rest from `prune`.
///
/// # Errors
/// The message of a `BadRequest`.
pub(crate) fn decode_custom(
    version: &str,
    kind: &str,
    object: &mut Value,
    prune: impl FnOnce(&mut Value) -> Vec<String>,
) -> Result<Vec<String>, String> {
    // The server decodes this metadata by itself, so its errors do not name the field above it.
    let decoded = decode_metadata(object, &[]).map(|mut warnings| {
        let unknown = prune(object);
        warnings.extend(unknown.iter().map(|path| unknown_field(path)));
        warnings
    });
    decoded.map_err(|error| refusal(version, kind, &error))
}

/// The message of a `BadRequest` about the fields that a client who asked for strictness is not to send.
pub(crate) fn strict_refusal(version: &str, kind: &str, warnings: &[String]) -> String {
    let error = format!("strict decoding error: {}", warnings.join(", "));
    refusal(version, kind, &error)
}

fn refusal(version: &str, kind: &str, error: &str) -> String {
    format!(
        "{kind} in version {} cannot be handled as a {kind}: {error}",
        quote(version)
    )
}

fn unknown_field(path: &str) -> String {
    format!("unknown field {}", quote(path))
}

/// Decodes a value as a struct and returns the warnings about unknown fields.
///
/// # Errors
/// The text of the JSON decoder about the first value that does not fit.
pub(crate) fn decode_struct(
    ty: &'static StructType,
    value: &mut Value,
) -> Result<Vec<String>, String> {
    let mut decoder = Decoder::default();
    decoder.structure(ty, value)?;
    decoder.finish()
}

/// An object of the kind in which nothing is set: the fields that are printed all the same. Of a kind without a
/// description nothing is known.
pub(crate) fn empty(group: &str, kind: &str) -> Value {
    types::of(group, kind).map_or_else(
        || Value::Object(Map::new()),
        |ty| zero(&FieldType::Struct(ty)),
    )
}

fn decode_metadata(object: &mut Value, path: &[&str]) -> Result<Vec<String>, String> {
    let mut decoder = Decoder {
        path: path.iter().map(|name| (*name).to_owned()).collect(),
        strict_path: "metadata".to_owned(),
        ..Decoder::default()
    };
    if let Some(object) = object.as_object_mut() {
        let metadata = object
            .entry("metadata")
            .or_insert_with(|| Value::Object(Map::new()));
        decoder.value(&FieldType::Struct(&meta::OBJECT_META), metadata)?;
    }
    decoder.finish()
}

/// Walks over a value as Go's decoder does: a type error is remembered and decoding goes on, but a
/// time that cannot be read ends it.
#[derive(Default)]
struct Decoder {
    /// The struct that the current field belongs to.
    owner: &'static str,
    /// Field names down to the current one, as the type errors join them.
    path: Vec<String>,
    /// The path with list indices and map keys, as the unknown fields name it.
    strict_path: String,
    type_error: Option<String>,
    unknown: Vec<String>,
}

impl Decoder {
    fn finish(self) -> Result<Vec<String>, String> {
        match self.type_error {
            Some(error) => Err(error),
            None => Ok(self.unknown),
        }
    }

    fn structure(&mut self, ty: &'static StructType, value: &mut Value) -> Result<(), String> {
        let Value::Object(fields) = value else {
            self.mismatch(value, &ty.go_type());
            return Ok(());
        };
        let owner = std::mem::replace(&mut self.owner, ty.name);
        let mut decoded = Map::new();
        for (name, mut value) in std::mem::take(fields) {
            let Some(field) = ty.field(&name) else {
                let path = join(&self.strict_path, &name);
                self.unknown.push(unknown_field(&path));
                continue;
            };
            // The owner is set again for each field, because a nested struct changes it.
            self.owner = ty.name;
            let above = self.enter(&name);
            self.path.push(name);
            self.value(&field.ty, &mut value)?;
            self.strict_path.truncate(above);
            let name = self.path.pop();
            if let Some(name) = name.filter(|_| is_kept(field, &value)) {
                decoded.insert(name, value);
            }
        }
        insert_zero_values(ty, &mut decoded);
        *fields = decoded;
        self.owner = owner;
        Ok(())
    }

    /// Steps down in the strict path, and says to which length it has to be cut to come up again.
    fn enter(&mut self, name: &str) -> usize {
        let above = self.strict_path.len();
        if above > 0 {
            self.strict_path.push('.');
        }
        self.strict_path.push_str(name);
        above
    }

    fn value(&mut self, ty: &FieldType, value: &mut Value) -> Result<(), String> {
        if value.is_null() {
            return Ok(());
        }
        match ty {
            FieldType::FieldsV1 => {}
            FieldType::Struct(ty) => self.structure(ty, value)?,
            FieldType::String | FieldType::Named(_) => {
                if !value.is_string() {
                    self.mismatch(value, &ty.go_type());
                }
            }
            FieldType::Bool => {
                if !value.is_boolean() {
                    self.mismatch(value, "bool");
                }
            }
            FieldType::Int32 => {
                if value
                    .as_i64()
                    .is_none_or(|number| i32::try_from(number).is_err())
                {
                    self.mismatch(value, "int32");
                }
            }
            FieldType::Int64 => {
                if value.as_i64().is_none() {
                    self.mismatch(value, "int64");
                }
            }
            FieldType::Bytes => self.bytes(value)?,
            FieldType::Time => self.time(value, time::parse_time, time::format_time)?,
            FieldType::MicroTime => {
                self.time(value, time::parse_micro_time, time::format_micro_time)?;
            }
            FieldType::List(item) => {
                let Value::Array(items) = value else {
                    self.mismatch(value, &ty.go_type());
                    return Ok(());
                };
                let above = self.strict_path.len();
                for (i, value) in items.iter_mut().enumerate() {
                    self.strict_path.push_str(&format!("[{i}]"));
                    self.value(item, value)?;
                    self.strict_path.truncate(above);
                }
            }
            FieldType::Map(item) => {
                let Value::Object(entries) = value else {
                    self.mismatch(value, &ty.go_type());
                    return Ok(());
                };
                for (key, value) in entries.iter_mut() {
                    let above = self.enter(key);
                    self.value(item, value)?;
                    self.strict_path.truncate(above);
                    if value.is_null() {
                        *value = zero(item);
                    }
                }
            }
        }
        Ok(())
    }

    fn time(
        &mut self,
        value: &mut Value,
        parse: fn(&str) -> Result<jiff::Timestamp, String>,
        format: fn(jiff::Timestamp) -> String,
    ) -> Result<(), String> {
        let Value::String(text) = value else {
            return Err(self.type_error(value, "string"));
        };
        *value = Value::String(format(parse(text)?));
        Ok(())
    }

    fn bytes(&mut self, value: &Value) -> Result<(), String> {
        let Value::String(text) = value else {
            self.mismatch(value, "[]uint8");
            return Ok(());
        };
        match base64::engine::general_purpose::STANDARD.decode(text) {
            Ok(_) => Ok(()),
            Err(base64::DecodeError::InvalidByte(at, _)) => {
                Err(format!("illegal base64 data at input byte {at}"))
            }
            Err(_) => Err(format!(
                "illegal base64 data at input byte {}",
                text.len().saturating_sub(1)
            )),
        }
    }

    fn mismatch(&mut self, value: &Value, go_type: &str) {
        if self.type_error.is_none() {
            self.type_error = Some(self.type_error(value, go_type));
        }
    }

    fn type_error(&self, value: &Value, go_type: &str) -> String {
        let found = match value {
            Value::Null => "null".to_owned(),
            Value::Bool(_) => "bool".to_owned(),
            Value::String(_) => "string".to_owned(),
            Value::Array(_) => "array".to_owned(),
            Value::Object(_) => "object".to_owned(),
            // The decoder names the number only where it expected another kind of number.
            Value::Number(number) if go_type.starts_with("int") => format!("number {number}"),
            Value::Number(_) => "number".to_owned(),
        };
        if self.path.is_empty() {
            format!("json: cannot unmarshal {found} into Go value of type {go_type}")
        } else {
            format!(
                "json: cannot unmarshal {found} into Go struct field {}.{} of type {go_type}",
                self.owner,
                self.path.join(".")
            )
        }
    }
}

fn join(base: &str, name: &str) -> String {
    if base.is_empty() {
        name.to_owned()
    } else {
        format!("{base}.{name}")
    }
}

fn is_kept(field: &Field, value: &Value) -> bool {
    match field.presence {
        Presence::Always | Presence::Pointer => !value.is_null(),
        Presence::OmitEmpty => match value {
            Value::Null => false,
            Value::Bool(value) => *value,
            Value::Number(number) => number.as_i64() != Some(0),
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Object(fields) => !fields.is_empty(),
        },
    }
}

fn insert_zero_values(ty: &StructType, decoded: &mut Map<String, Value>) {
    for field in ty
        .fields
        .iter()
        .filter(|field| field.presence == Presence::Always)
    {
        if !decoded.contains_key(field.name) {
            decoded.insert(field.name.to_owned(), zero(&field.ty));
        }
    }
}

fn zero(ty: &FieldType) -> Value {
    match ty {
        FieldType::String | FieldType::Named(_) => Value::String(String::new()),
        FieldType::Bool => Value::Bool(false),
        FieldType::Int32 | FieldType::Int64 => Value::from(0),
        FieldType::Struct(ty) => {
            let mut fields = Map::new();
            insert_zero_values(ty, &mut fields);
            Value::Object(fields)
        }
        FieldType::Bytes
        | FieldType::Time
        | FieldType::MicroTime
        | FieldType::List(_)
        | FieldType::Map(_)
        | FieldType::FieldsV1 => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lease(mut object: Value) -> Result<(Value, Vec<String>), String> {
        let warnings = decode("coordination.k8s.io", "v1", "Lease", &mut object)?;
        Ok((object, warnings))
    }

    fn refused(spec: &Value) -> String {
        lease(json!({"metadata": {"name": "a"}, "spec": spec})).unwrap_err()
    }

    #[test]
    fn times_are_brought_to_utc_and_empty_values_vanish() {
        let body = json!({
            "metadata": {"name": "a", "labels": {}, "annotations": {"k": null}, "creationTimestamp": null, "uid": ""},
            "spec": {"holderIdentity": "", "renewTime": "2026-11-23T10:00:00.000001+01:00", "acquireTime": null, "leaseTransitions": 0},
        });
        assert_eq!(
            lease(body),
            Ok((
                json!({
                    "metadata": {"name": "a", "annotations": {"k": ""}},
                    "spec": {"holderIdentity": "", "renewTime": "2026-11-23T09:00:00.000001Z", "leaseTransitions": 0},
                }),
                vec![]
            ))
        );
    }

    #[test]
    fn a_missing_spec_is_an_empty_one() {
        let empty = json!({"metadata": {}, "spec": {}});
        assert_eq!(lease(json!({})), Ok((empty.clone(), vec![])));
        assert_eq!(
            lease(json!({"metadata": null, "spec": null})),
            Ok((empty, vec![]))
        );
    }

    #[test]
    fn values_of_the_wrong_type_are_refused_in_the_decoders_words() {
        const HEAD: &str = r#"Lease in version "v1" cannot be handled as a Lease: "#;
        let cases = [
            (
                json!({"leaseDurationSeconds": "15"}),
                "json: cannot unmarshal string into Go struct field LeaseSpec.spec.leaseDurationSeconds of type int32",
            ),
            (
                json!({"leaseDurationSeconds": 1.5}),
                "json: cannot unmarshal number 1.5 into Go struct field LeaseSpec.spec.leaseDurationSeconds of type int32",
            ),
            (
                json!({"holderIdentity": 7}),
                "json: cannot unmarshal number into Go struct field LeaseSpec.spec.holderIdentity of type string",
            ),
            (
                json!([]),
                "json: cannot unmarshal array into Go struct field Lease.spec of type v1.LeaseSpec",
            ),
            (
                json!({"renewTime": 5}),
                "json: cannot unmarshal number into Go struct field LeaseSpec.spec.renewTime of type string",
            ),
            (
                json!({"renewTime": "2026-11-23T09:00:00Z"}),
                r#"parsing time "2026-11-23T09:00:00Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000""#,
            ),
            // A time that cannot be read wins over a type error before it.
            (
                json!({"leaseDurationSeconds": true, "renewTime": "yesterday"}),
                r#"parsing time "yesterday" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "yesterday" as "2006""#,
            ),
        ];
        for (spec, expected) in cases {
            assert_eq!(refused(&spec), format!("{HEAD}{expected}"));
        }
    }

    #[test]
    fn unknown_fields_are_dropped_and_named_by_their_path() {
        let mut body = json!({"bogus": 1, "metadata": {"name": "a", "ownerReferences": [{"x": 1}]}, "spec": {"ttl": 5}});
        let warnings = vec![
            r#"unknown field "bogus""#.to_owned(),
            r#"unknown field "metadata.ownerReferences[0].x""#.to_owned(),
            r#"unknown field "spec.ttl""#.to_owned(),
        ];
        assert_eq!(
            strict_refusal("v1", "Lease", &warnings),
            format!(
                r#"Lease in version "v1" cannot be handled as a Lease: strict decoding error: {}"#,
                warnings.join(", ")
            )
        );
        assert_eq!(
            decode("coordination.k8s.io", "v1", "Lease", &mut body),
            Ok(warnings)
        );
        let reference = json!({"apiVersion": "", "kind": "", "name": "", "uid": ""});
        assert_eq!(
            body,
            json!({"metadata": {"name": "a", "ownerReferences": [reference]}, "spec": {}})
        );
    }

    #[test]
    fn only_the_metadata_of_an_undescribed_kind_is_looked_at() {
        let mut pod = json!({"metadata": {"name": "p", "labels": {}, "bogus": 1}, "spec": {"anything": null}});
        let warnings = decode("", "v1", "Pod", &mut pod);
        assert_eq!(
            warnings,
            Ok(vec![r#"unknown field "metadata.bogus""#.to_owned()])
        );
        assert_eq!(
            pod,
            json!({"metadata": {"name": "p"}, "spec": {"anything": null}})
        );
        let mut bad = json!({"metadata": {"labels": {"a": 1}}});
        assert_eq!(
            decode("", "v1", "Pod", &mut bad),
            Err("Pod in version \"v1\" cannot be handled as a Pod: json: cannot unmarshal number into Go struct field \
                 ObjectMeta.metadata.labels of type string"
                .to_owned())
        );
    }

    #[test]
    fn a_secret_holds_base64() {
        let mut secret = json!({"data": {"k": "!"}});
        assert_eq!(
            decode("", "v1", "Secret", &mut secret),
            Err("Secret in version \"v1\" cannot be handled as a Secret: illegal base64 data at input byte 0".to_owned())
        );
    }
}
