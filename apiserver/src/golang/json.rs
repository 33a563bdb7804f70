//! JSON text as Go's strict decoder reads it: of a field that is named twice the last value counts, and it is told of.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Reads a text. The paths are those of the fields that an object names twice, such as `spec.list[0].name`.
///
/// # Errors
/// Those of the JSON parser.
pub(crate) fn read(text: &[u8]) -> serde_json::Result<(Value, Vec<String>)> {
    let mut has_doubles = false;
    let mut parser = serde_json::Deserializer::from_slice(text);
    let value = Values(&mut has_doubles).deserialize(&mut parser)?;
    parser.end()?;
    let mut doubles = Vec::new();
    // Paths cost time and are hardly ever wanted, so that they take a second reading.
    if has_doubles {
        let mut parser = serde_json::Deserializer::from_slice(text);
        Doubles {
            path: String::new(),
            found: &mut doubles,
        }
        .deserialize(&mut parser)?;
    }
    Ok((value, doubles))
}

/// Reads a value, and notes whether an object in it names a field twice.
struct Values<'a>(&'a mut bool);

impl<'de> DeserializeSeed<'de> for Values<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Values<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(Values(self.0))? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(name) = fields.next_key()? {
            let value = fields.next_value_seed(Values(self.0))?;
            *self.0 |= values.insert(name, value).is_some();
        }
        Ok(Value::Object(values))
    }
}

/// Collects the paths of what is named twice, each once.
struct Doubles<'a> {
    path: String,
    found: &'a mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Doubles<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Doubles<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut index = 0;
        loop {
            let item = Doubles {
                path: format!("{}[{index}]", self.path),
                found: self.found,
            };
            if items.next_element_seed(item)?.is_none() {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut names: Vec<String> = Vec::new();
        while let Some(name) = fields.next_key::<String>()? {
            let path = if self.path.is_empty() {
                name.clone()
            } else {
                format!("{}.{name}", self.path)
            };
            if names.contains(&name) && !self.found.contains(&path) {
                self.found.push(path.clone());
            }
            names.push(name);
            fields.next_value_seed(Doubles {
                path,
                found: self.found,
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_read_as_ever() {
        let text = r#"{"a":[1,-2,1.5,null,true,"\u00e9"],"b":{"c":18446744073709551615}}"#;
        let expected = json!({"a": [1, -2, 1.5, null, true, "é"], "b": {"c": u64::MAX}});
        assert_eq!(read(text.as_bytes()).unwrap(), (expected, vec![]));
        for text in ["", "{nope", "{} {}", "[1,"] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_named_twice_is_told_by_its_path() {
        let text = r#"{"a":1,"b":[{"c":1},{"c":1,"d":{},"c":2,"c":3}],"a":{"e":1,"e":2}}"#;
        let (value, doubles) = read(text.as_bytes()).unwrap();
        assert_eq!(
            value,
            json!({"a": {"e": 2}, "b": [{"c": 1}, {"c": 3, "d": {}}]})
        );
        assert_eq!(doubles, ["b[1].c", "a", "a.e"]);
    }
}
