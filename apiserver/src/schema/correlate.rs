//! Which part of the old object a part of the new one corresponds to.

use serde_json::Value;

use super::node::{ListType, Node};

/// The old counterpart of a property.
pub(super) fn property<'a>(old: Option<&'a Value>, name: &str) -> Option<&'a Value> {
    old?.get(name)
}

/// The old counterpart of a list item: only lists of type map have one, by their keys.
pub(super) fn item<'a>(node: &Node, old: Option<&'a Value>, item: &Value) -> Option<&'a Value> {
    let ListType::Map(keys) = &node.list else {
        return None;
    };
    let same_keys = |other: &&Value| keys.iter().all(|key| other.get(key) == item.get(key));
    old?.as_array()?.iter().find(same_keys)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn items_correspond_by_their_keys() {
        let node = Node {
            list: ListType::Map(vec!["type".to_owned()]),
            ..Node::default()
        };
        let old = json!([{"type": "A", "v": 1}, {"type": "B", "v": 2}]);
        assert_eq!(
            item(&node, Some(&old), &json!({"type": "B", "v": 3})),
            Some(&json!({"type": "B", "v": 2}))
        );
        assert_eq!(item(&node, Some(&old), &json!({"type": "C"})), None);
        assert_eq!(item(&Node::default(), Some(&old), &old[0]), None);
    }
}
