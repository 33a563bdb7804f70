//! The wire format: from the bytes of a message to a JSON value, guided by a description of its type.

use base64::Engine as _;
use jiff::Timestamp;
use prost::encoding::{self, WireType};
use serde_json::{Map, Value, json};

use crate::{
    golang::time::{format_micro_time, format_time},
    types::{FieldType, StructType},
};

/// The bytes of a message or a string.
pub(super) type Bytes<'a> = &'a [u8];

/// The fields of a message, in the order in which they were sent.
pub(super) struct Message<'a>(Bytes<'a>);

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wire<'a> {
    Number(u64),
    Bytes(Bytes<'a>),
    /// Fixed-size numbers, which no kind here has.
    Other,
}

impl<'a> Message<'a> {
    pub(super) fn new(bytes: Bytes<'a>) -> Self {
        Self(bytes)
    }

    fn field(&mut self) -> Result<(u32, Wire<'a>), String> {
        let (number, wire_type) = encoding::decode_key(&mut self.0).map_err(text)?;
        let wire = match wire_type {
            WireType::Varint => Wire::Number(encoding::decode_varint(&mut self.0).map_err(text)?),
            WireType::LengthDelimited => {
                let length = encoding::decode_varint(&mut self.0).map_err(text)?;
                let length = usize::try_from(length).map_err(text)?;
                let (bytes, rest) = self
                    .0
                    .split_at_checked(length)
                    .ok_or("a field is longer than its message")?;
                self.0 = rest;
                Wire::Bytes(bytes)
            }
            other => {
                encoding::skip_field(
                    other,
                    number,
                    &mut self.0,
                    encoding::DecodeContext::default(),
                )
                .map_err(text)?;
                Wire::Other
            }
        };
        Ok((number, wire))
    }
}

impl<'a> Iterator for Message<'a> {
    type Item = Result<(u32, Wire<'a>), String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Wire<'a> {
    pub(super) fn bytes(self) -> Result<Bytes<'a>, String> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err("a number where there should be bytes".to_owned()),
        }
    }

    pub(super) fn text(self) -> Result<String, String> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(text)
    }

    /// A number as Go's `int32` and `int64` are written: two's complement in 64 bits.
    fn integer(self) -> Result<i64, String> {
        match self {
            Self::Number(number) => Ok(number.cast_signed()),
            _ => Err("bytes where there should be a number".to_owned()),
        }
    }
}

/// A message of a described type.
///
/// # Errors
/// Says what is damaged.
pub(super) fn structure(ty: &StructType, bytes: Bytes<'_>) -> Result<Value, String> {
    let mut fields = Map::new();
    for field in Message::new(bytes) {
        let (number, wire) = field?;
        let Some(field) = ty
            .fields
            .iter()
            .find(|field| field.number == number && number != 0)
        else {
            continue;
        };
        match &field.ty {
            FieldType::List(item) => {
                let item = value(item, wire)?;
                match fields.get_mut(field.name) {
                    Some(Value::Array(items)) => items.push(item),
                    _ => {
                        fields.insert(field.name.to_owned(), json!([item]));
                    }
                }
            }
            FieldType::Map(ty) => {
                let (key, item) = entry(ty, wire)?;
                let entries = fields.entry(field.name).or_insert_with(|| json!({}));
                entries[key] = item;
            }
            ty => {
                fields.insert(field.name.to_owned(), value(ty, wire)?);
            }
        }
    }
    Ok(Value::Object(fields))
}

fn value(ty: &FieldType, wire: Wire<'_>) -> Result<Value, String> {
    Ok(match ty {
        FieldType::String | FieldType::Named(_) => Value::String(wire.text()?),
        FieldType::Bool => Value::Bool(wire.integer()? != 0),
        FieldType::Int32 | FieldType::Int64 => wire.integer()?.into(),
        FieldType::Bytes => base64::engine::general_purpose::STANDARD
            .encode(wire.bytes()?)
            .into(),
        FieldType::Time => time(wire.bytes()?, format_time)?,
        FieldType::MicroTime => time(wire.bytes()?, format_micro_time)?,
        FieldType::Struct(ty) => structure(ty, wire.bytes()?)?,
        FieldType::FieldsV1 => raw_json(wire.bytes()?)?,
        // A list as the value of a map is a message of its own, whose field 1 repeats.
        FieldType::List(item) => {
            let fields = Message::new(wire.bytes()?).filter_map(|field| match field {
                Ok((1, wire)) => Some(value(item, wire)),
                Ok(_) => None,
                Err(error) => Some(Err(error)),
            });
            Value::Array(fields.collect::<Result<_, _>>()?)
        }
        FieldType::Map(_) => return Err("a map inside a map".to_owned()),
    })
}

/// An entry of a map is a message with the key as field 1 and the value as field 2.
fn entry(ty: &FieldType, wire: Wire<'_>) -> Result<(String, Value), String> {
    let (mut key, mut item) = (String::new(), Value::Null);
    for field in Message::new(wire.bytes()?) {
        match field? {
            (1, wire) => key = wire.text()?,
            (2, wire) => item = value(ty, wire)?,
            _ => {}
        }
    }
    Ok((key, item))
}

/// `metav1.Time` is written as seconds and nanoseconds; no time at all as an empty message.
fn time(bytes: Bytes<'_>, format: fn(Timestamp) -> String) -> Result<Value, String> {
    let (mut seconds, mut nanos) = (0, 0);
    for field in Message::new(bytes) {
        match field? {
            (1, wire) => seconds = wire.integer()?,
            (2, wire) => nanos = wire.integer()?,
            _ => {}
        }
    }
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    let nanos = i32::try_from(nanos).map_err(text)?;
    Ok(Value::String(format(
        Timestamp::new(seconds, nanos).map_err(text)?,
    )))
}

/// `metav1.FieldsV1` is JSON in field 1.
fn raw_json(bytes: Bytes<'_>) -> Result<Value, String> {
    for field in Message::new(bytes) {
        if let (1, wire) = field? {
            return serde_json::from_slice(wire.bytes()?).map_err(text);
        }
    }
    Ok(Value::Null)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
