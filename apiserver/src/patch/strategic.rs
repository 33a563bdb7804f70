//! Strategic merge patches, for built-in kinds: lists merge by their keys, and directives delete, replace and order.

use serde_json::{Map, Value};

use crate::fields::{Merge, Shape};

const PATCH: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const SET_ORDER: &str = "$setElementOrder/";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";

/// What a strategic merge patch makes of an object. The error is the message of a 400.
pub(super) fn apply(object: &Value, patch: &Value, shape: Shape<'_>) -> Result<Value, String> {
    let Some(patch) = patch.as_object() else {
        return Err("the patch is not a JSON object".into());
    };
    let mut merged = object.as_object().cloned().unwrap_or_default();
    fields(&mut merged, patch, shape)?;
    Ok(Value::Object(merged))
}

fn fields(
    target: &mut Map<String, Value>,
    patch: &Map<String, Value>,
    shape: Shape<'_>,
) -> Result<(), String> {
    match patch.get(PATCH).and_then(Value::as_str) {
        None | Some("merge") => {}
        Some("replace") => {
            *target = without_directives(patch);
            return Ok(());
        }
        Some("delete") => {
            target.clear();
            return Ok(());
        }
        Some(other) => return Err(format!("Unknown patch type found: {other}")),
    }
    if let Some(kept) = patch.get(RETAIN_KEYS).and_then(Value::as_array) {
        target.retain(|field, _| kept.iter().any(|name| name == field));
    }
    for (field, value) in patch.iter().filter(|(field, _)| !field.starts_with('$')) {
        if value.is_null() {
            target.remove(field);
            continue;
        }
        let child = shape.child(field);
        let order = patch.get(&format!("{SET_ORDER}{field}"));
        merge_field(target, field, value, order, child)?;
    }
    for (directive, value) in patch {
        if let Some(field) = directive.strip_prefix(DELETE_FROM) {
            delete_from(target.get_mut(field), value);
        } else if let Some(field) = directive.strip_prefix(SET_ORDER)
            && !patch.contains_key(field)
        {
            order_items(target.get_mut(field), value, shape.child(field));
        }
    }
    Ok(())
}

fn merge_field(
    target: &mut Map<String, Value>,
    field: &str,
    value: &Value,
    order: Option<&Value>,
    shape: Shape<'_>,
) -> Result<(), String> {
    match value {
        Value::Object(patch) => {
            // An atomic map has no parts for field ownership, but a strategic merge patch goes into it all the same.
            let mut inner = match target.remove(field) {
                Some(Value::Object(inner)) => inner,
                _ => Map::new(),
            };
            fields(&mut inner, patch, shape)?;
            if patch
                .get(PATCH)
                .is_none_or(|directive| directive != "delete")
            {
                target.insert(field.to_owned(), Value::Object(inner));
            }
        }
        Value::Array(items) => {
            let slot = target
                .entry(field)
                .or_insert_with(|| Value::Array(Vec::new()));
            let current = slot.as_array_mut().map(std::mem::take).unwrap_or_default();
            *slot = Value::Array(merge_list(current, items, shape)?);
            if let Some(order) = order {
                order_items(target.get_mut(field), order, shape);
            }
        }
        scalar => {
            target.insert(field.to_owned(), scalar.clone());
        }
    }
    Ok(())
}

fn merge_list(
    mut current: Vec<Value>,
    patch: &[Value],
    shape: Shape<'_>,
) -> Result<Vec<Value>, String> {
    if patch.iter().any(|item| item[PATCH] == "replace") {
        return Ok(patch
            .iter()
            .filter(|item| item[PATCH] != "replace")
            .cloned()
            .collect());
    }
    match shape.merge(&Value::Array(Vec::new())) {
        Merge::Atomic | Merge::Granular => Ok(patch.to_vec()),
        Merge::Set => {
            for item in patch {
                if !current.contains(item) {
                    current.push(item.clone());
                }
            }
            Ok(current)
        }
        Merge::Keyed(keys) => {
            // The first of several keys is the one that strategic merge patches know.
            let key = keys.names().next().unwrap_or_default().to_owned();
            for item in patch {
                let Some(wanted) = item.get(&key) else {
                    return Err(format!(
                        "map: {item} does not contain declared merge key: {key}"
                    ));
                };
                let position = current
                    .iter()
                    .position(|candidate| candidate.get(&key) == Some(wanted));
                if item[PATCH] == "delete" {
                    current.retain(|candidate| candidate.get(&key) != Some(wanted));
                    continue;
                }
                let mut merged = match position {
                    Some(position) => current[position].as_object().cloned().unwrap_or_default(),
                    None => Map::new(),
                };
                fields(
                    &mut merged,
                    item.as_object().unwrap_or(&Map::new()),
                    shape.item(),
                )?;
                match position {
                    Some(position) => current[position] = Value::Object(merged),
                    None => current.push(Value::Object(merged)),
                }
            }
            Ok(current)
        }
    }
}

fn delete_from(list: Option<&mut Value>, gone: &Value) {
    let (Some(Value::Array(list)), Some(gone)) = (list, gone.as_array()) else {
        return;
    };
    list.retain(|item| !gone.contains(item));
}

/// Items named in `order` come in that order, the others keep their places after those before them.
fn order_items(list: Option<&mut Value>, order: &Value, shape: Shape<'_>) {
    let (Some(Value::Array(list)), Some(order)) = (list, order.as_array()) else {
        return;
    };
    let key = match shape.merge(&Value::Array(Vec::new())) {
        Merge::Keyed(keys) => keys.names().next().map(str::to_owned),
        _ => None,
    };
    let place = |item: &Value| {
        order.iter().position(|wanted| match &key {
            Some(key) => wanted.get(key) == item.get(key),
            None => wanted == item,
        })
    };
    let mut last = 0;
    let mut placed: Vec<(usize, Value)> = Vec::with_capacity(list.len());
    for item in list.drain(..) {
        last = place(&item).unwrap_or(last);
        placed.push((last, item));
    }
    placed.sort_by_key(|(place, _)| *place);
    list.extend(placed.into_iter().map(|(_, item)| item));
}

fn without_directives(patch: &Map<String, Value>) -> Map<String, Value> {
    patch
        .iter()
        .filter(|(field, _)| !field.starts_with('$'))
        .map(|(field, value)| (field.clone(), value.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patched(object: Value, patch: Value) -> Value {
        apply(&object, &patch, Shape::BUILT_IN).expect("the patch applies")
    }

    #[test]
    fn containers_merge_by_name_and_can_be_deleted() {
        let pod = json!({ "spec": { "containers": [{ "name": "a", "image": "1" }, { "name": "b", "image": "2" }] } });
        let patch = json!({ "spec": { "containers": [
            { "name": "a", "image": "3", "env": [{ "name": "E", "value": "x" }] },
            { "name": "b", "$patch": "delete" },
            { "name": "c" },
        ] } });
        assert_eq!(
            patched(pod, patch),
            json!({ "spec": { "containers": [
                { "name": "a", "image": "3", "env": [{ "name": "E", "value": "x" }] },
                { "name": "c" },
            ] } })
        );
    }

    #[test]
    fn the_element_order_is_followed() {
        let pod = json!({ "spec": { "containers": [{ "name": "a" }, { "name": "b" }] } });
        let patch = json!({ "spec": {
            "$setElementOrder/containers": [{ "name": "b" }, { "name": "a" }],
            "containers": [{ "name": "a", "image": "1" }],
        } });
        assert_eq!(
            patched(pod, patch),
            json!({ "spec": { "containers": [{ "name": "b" }, { "name": "a", "image": "1" }] } })
        );
    }

    #[test]
    fn retained_keys_and_replacement_drop_the_rest() {
        let deployment = json!({ "spec": { "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 1 } } } });
        let patch =
            json!({ "spec": { "strategy": { "$retainKeys": ["type"], "type": "Recreate" } } });
        assert_eq!(
            patched(deployment, patch),
            json!({ "spec": { "strategy": { "type": "Recreate" } } })
        );
        let labels = json!({ "metadata": { "labels": { "a": "1", "b": "2" } } });
        let patch = json!({ "metadata": { "labels": { "$patch": "replace", "c": "3" } } });
        assert_eq!(
            patched(labels, patch),
            json!({ "metadata": { "labels": { "c": "3" } } })
        );
    }

    #[test]
    fn finalizers_are_added_to_and_deleted_from() {
        let object = json!({ "metadata": { "finalizers": ["a/1", "b/2"] } });
        let patch = json!({ "metadata": { "$deleteFromPrimitiveList/finalizers": ["a/1"], "finalizers": ["c/3"] } });
        assert_eq!(
            patched(object, patch),
            json!({ "metadata": { "finalizers": ["b/2", "c/3"] } })
        );
    }

    #[test]
    fn an_item_without_its_key_is_refused() {
        let patch = json!({ "spec": { "containers": [{ "image": "x" }] } });
        assert_eq!(
            apply(&json!({}), &patch, Shape::BUILT_IN),
            Err(r#"map: {"image":"x"} does not contain declared merge key: name"#.into())
        );
    }
}
