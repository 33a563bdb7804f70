//! Keys by the text of a field, so that a list of the few objects that have it does not look at all of them.

use std::collections::{BTreeSet, HashMap};

use crate::object::Object;

/// The text of a field of an object, by the pointer to it; `None` for an object that no text selects.
pub(in crate::store) type TextOf = fn(&Object, &str) -> Option<String>;

/// The keys for each text of one field.
pub(super) struct Index {
    pointer: String,
    text_of: TextOf,
    keys: HashMap<String, BTreeSet<Box<str>>>,
}

impl Index {
    pub(super) fn new(pointer: &str, text_of: TextOf) -> Self {
        Self {
            pointer: pointer.to_owned(),
            text_of,
            keys: HashMap::new(),
        }
    }

    pub(super) fn is_of(&self, pointer: &str) -> bool {
        self.pointer == pointer
    }

    /// The keys with this text, in their order.
    pub(super) fn keys(&self, text: &str) -> impl Iterator<Item = &str> {
        let keys = self.keys.get(text).into_iter().flatten();
        keys.map(|key| &**key)
    }

    /// An object has taken the place of another one, or of none; none is left where it was removed.
    pub(super) fn replace(&mut self, key: &str, before: Option<&Object>, after: Option<&Object>) {
        let text = |object: Option<&Object>| (self.text_of)(object?, &self.pointer);
        let (before, after) = (text(before), text(after));
        if before == after {
            return;
        }
        if let Some(before) = before
            && let Some(keys) = self.keys.get_mut(&before)
        {
            keys.remove(key);
            if keys.is_empty() {
                self.keys.remove(&before);
            }
        }
        if let Some(after) = after {
            self.keys.entry(after).or_default().insert(key.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::super::Table;
    use crate::object::Object;
    use crate::selector::text_of;

    const FIELD: &str = "/spec/key";

    fn found(table: &mut Table, prefix: &str, text: &str) -> Vec<String> {
        let found = table.range_with(prefix, FIELD, text, text_of);
        found.map(|(key, _)| key.to_owned()).collect()
    }

    #[test]
    fn a_field_finds_what_looking_at_every_object_finds_whatever_has_changed() {
        let mut table = Table::new(0, 0);
        // A fixed sequence of numbers without a pattern.
        let mut number: u32 = 1;
        let mut draw = |below: u32| {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (number >> 16) % below
        };
        for round in 0..2000 {
            let key = format!("{}/{:02}", ["a", "ab"][draw(2) as usize], draw(30));
            let value = match draw(8) {
                0 => json!({}),
                1 => json!({"spec": {"key": draw(3)}}),
                _ => json!({"spec": {"key": draw(3).to_string()}}),
            };
            if draw(4) == 0 {
                table.remove(&key);
            } else {
                table.insert(&key, Arc::new(Object::new(value, round)));
            }
            let text = draw(4).to_string();
            for prefix in ["", "a/", "ab/"] {
                let all = table.range(prefix);
                let has_text = |object: &Object| text_of(object, FIELD).as_ref() == Some(&text);
                let expected: Vec<String> = all
                    .filter(|(_, object)| has_text(object))
                    .map(|(key, _)| key.to_owned())
                    .collect();
                assert_eq!(found(&mut table, prefix, &text), expected, "round {round}");
            }
        }
    }
}
