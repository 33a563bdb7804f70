//! What a write to a Secret turns into.

use base64::Engine as _;
use serde_json::{Map, Value};

/// Moves `stringData` into `data`, which it overrides.
pub(super) fn prepare(object: &mut Value) {
    let Some(secret) = object.as_object_mut() else {
        return;
    };
    if let Some(Value::Object(texts)) = secret.remove("stringData") {
        let data = secret
            .entry("data")
            .or_insert_with(|| Value::Object(Map::new()));
        for (key, text) in texts {
            let text = text.as_str().unwrap_or_default();
            data[key] = base64::engine::general_purpose::STANDARD
                .encode(text)
                .into();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_becomes_data_and_overrides_it() {
        let mut secret =
            json!({"data": {"a": "eA==", "b": "eQ=="}, "stringData": {"a": "b", "c": ""}});
        prepare(&mut secret);
        assert_eq!(secret, json!({"data": {"a": "Yg==", "b": "eQ==", "c": ""}}));
    }
}
