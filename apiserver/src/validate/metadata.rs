//! The rules of `metadata`, which hold for every kind, custom resources included.

use serde_json::{Map, Value};

use super::{FieldError, formats, names};
use crate::golang::quote::quote;

/// Bytes of all annotations of one object, keys and values.
const ANNOTATIONS_MAX: usize = 256 * 1024;
const MANAGER_MAX: usize = 128;

/// What is wrong with the metadata of an object; `old` is the stored object when this is an update.
///
/// The server has filled in name and namespace before. On an update its own fields are compared
/// with the stored ones, so whatever an update may leave out has to be copied over before.
#[must_use]
pub fn metadata(
    group: &str,
    kind: &str,
    namespaced: bool,
    object: &Value,
    old: Option<&Value>,
) -> Vec<FieldError> {
    let metadata = &object["metadata"];
    let mut errors = Vec::new();
    if let Some(prefix) = metadata["generateName"]
        .as_str()
        .filter(|prefix| !prefix.is_empty())
    {
        errors.extend(names::generate_name(group, kind, prefix));
    }
    errors.extend(names::name(group, kind, text(metadata, "name")));
    errors.extend(namespace(namespaced, text(metadata, "namespace")));
    if let Some(generation) = metadata["generation"]
        .as_i64()
        .filter(|generation| *generation < 0)
    {
        errors.push(FieldError::invalid(
            "metadata.generation",
            generation,
            "must be greater than or equal to 0",
        ));
    }
    errors.extend(labels("metadata.labels", metadata["labels"].as_object()));
    errors.extend(annotations(metadata["annotations"].as_object()));
    errors.extend(owner_references(
        items(metadata, "ownerReferences"),
        &metadata["ownerReferences"],
    ));
    errors.extend(finalizers(
        items(metadata, "finalizers"),
        &metadata["finalizers"],
    ));
    errors.extend(managed_fields(items(metadata, "managedFields")));
    if let Some(old) = old {
        errors.extend(update(metadata, &old["metadata"]));
    }
    errors
}

/// The rules of a set of labels at `path`.
pub(super) fn labels(path: &str, labels: Option<&Map<String, Value>>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (key, value) in labels.into_iter().flatten() {
        errors.extend(
            formats::label_key(key)
                .into_iter()
                .map(|detail| FieldError::invalid(path, key.as_str(), detail)),
        );
        let value = value.as_str().unwrap_or_default();
        errors.extend(
            formats::label_value(value)
                .into_iter()
                .map(|detail| FieldError::invalid(path, value, detail)),
        );
    }
    errors
}

fn namespace(namespaced: bool, namespace: &str) -> Vec<FieldError> {
    const PATH: &str = "metadata.namespace";
    match (namespaced, namespace) {
        (true, "") => vec![FieldError::required(PATH, "")],
        (true, name) => formats::dns_label(name)
            .into_iter()
            .map(|detail| FieldError::invalid(PATH, name, detail))
            .collect(),
        (false, "") => Vec::new(),
        (false, _) => vec![FieldError::forbidden(PATH, "not allowed on this type")],
    }
}

fn annotations(annotations: Option<&Map<String, Value>>) -> Vec<FieldError> {
    const PATH: &str = "metadata.annotations";
    let mut errors = Vec::new();
    let mut size = 0;
    for (key, value) in annotations.into_iter().flatten() {
        // Keys are label keys, except that upper case is allowed in the prefix too.
        let details = formats::label_key(&key.to_lowercase());
        errors.extend(
            details
                .into_iter()
                .map(|detail| FieldError::invalid(PATH, key.as_str(), detail)),
        );
        size += key.len() + value.as_str().map_or(0, str::len);
    }
    if size > ANNOTATIONS_MAX {
        errors.push(FieldError::too_long(PATH, ANNOTATIONS_MAX));
    }
    errors
}

fn owner_references(references: &[Value], all: &Value) -> Vec<FieldError> {
    const PATH: &str = "metadata.ownerReferences";
    let mut errors = Vec::new();
    let mut controller: Option<String> = None;
    for reference in references {
        let api_version = text(reference, "apiVersion");
        if api_version
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .is_empty()
        {
            errors.push(FieldError::invalid(
                format!("{PATH}.apiVersion"),
                api_version,
                "version must not be empty",
            ));
        }
        for field in ["kind", "name", "uid"] {
            if text(reference, field).is_empty() {
                errors.push(FieldError::invalid(
                    format!("{PATH}.{field}"),
                    "",
                    "must not be empty",
                ));
            }
        }
        if (api_version, text(reference, "kind")) == ("v1", "Event") {
            errors.push(FieldError::invalid(
                PATH,
                reference.clone(),
                "/v1, Kind=Event is disallowed from being an owner",
            ));
        }
        if reference["controller"] == Value::Bool(true) {
            let this = format!("{}/{}", text(reference, "kind"), text(reference, "name"));
            match &controller {
                None => controller = Some(this),
                Some(first) => errors.push(FieldError::invalid(
                    PATH,
                    all.clone(),
                    format!(
                        "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {this}"
                    ),
                )),
            }
        }
    }
    errors
}

fn finalizers(finalizers: &[Value], all: &Value) -> Vec<FieldError> {
    const PATH: &str = "metadata.finalizers";
    let names = || finalizers.iter().filter_map(Value::as_str);
    let mut errors: Vec<FieldError> = names()
        .flat_map(|name| {
            formats::label_key(name)
                .into_iter()
                .map(move |detail| FieldError::invalid(PATH, name, detail))
        })
        .collect();
    if names().any(|name| name == "orphan") && names().any(|name| name == "foregroundDeletion") {
        let detail = "finalizer orphan and foregroundDeletion cannot be both set";
        errors.push(FieldError::invalid(PATH, all.clone(), detail));
    }
    errors
}

fn managed_fields(entries: &[Value]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (i, entry) in entries.iter().enumerate() {
        let path = format!("metadata.managedFields[{i}]");
        let operation = text(entry, "operation");
        if !matches!(operation, "Apply" | "Update") {
            errors.push(FieldError::invalid(
                format!("{path}.operation"),
                operation,
                "must be `Apply` or `Update`",
            ));
        }
        let fields_type = text(entry, "fieldsType");
        if !matches!(fields_type, "" | "FieldsV1") {
            errors.push(FieldError::invalid(
                format!("{path}.fieldsType"),
                fields_type,
                "must be `FieldsV1`",
            ));
        }
        if text(entry, "manager").len() > MANAGER_MAX {
            errors.push(FieldError::too_long(format!("{path}.manager"), MANAGER_MAX));
        }
    }
    errors
}

fn update(metadata: &Value, old: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if old["deletionTimestamp"].is_string() {
        let before = items(old, "finalizers");
        let mut added: Vec<&str> = items(metadata, "finalizers")
            .iter()
            .filter(|name| !before.contains(name))
            .filter_map(Value::as_str)
            .collect();
        added.sort_unstable();
        added.dedup();
        if !added.is_empty() {
            let quoted: Vec<String> = added.into_iter().map(quote).collect();
            errors.push(FieldError::forbidden(
                "metadata.finalizers",
                format!(
                    "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                    quoted.join(", ")
                ),
            ));
        }
    }
    for field in [
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ] {
        if metadata[field] != old[field] {
            errors.push(FieldError::invalid(
                format!("metadata.{field}"),
                metadata[field].clone(),
                "field is immutable",
            ));
        }
    }
    errors
}

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or_default()
}

fn items<'a>(object: &'a Value, field: &str) -> &'a [Value] {
    object[field].as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::validate::summary;

    fn lease(metadata: &Value) -> Vec<String> {
        let object = json!({ "metadata": metadata });
        super::metadata("coordination.k8s.io", "Lease", true, &object, None)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn good_metadata_has_no_errors() {
        let good = json!({
            "name": "a", "namespace": "b", "labels": {"app.kubernetes.io/name": "x", "empty": ""},
            "annotations": {"Example.COM/Note": "any text at all"}, "finalizers": ["example.com/hold"],
            "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "1", "controller": true}],
            "managedFields": [{"manager": "m", "operation": "Update", "fieldsType": "FieldsV1"}],
        });
        assert_eq!(lease(&good), Vec::<String>::new());
    }

    #[test]
    fn each_field_is_refused_by_its_path() {
        let errors = lease(&json!({
            "name": "a", "namespace": "B.C", "labels": {"k": "not ok"}, "annotations": {"a b": ""}, "generation": -1,
            "finalizers": ["orphan", "foregroundDeletion"],
            "ownerReferences": [{"apiVersion": "apps/", "kind": "", "name": "p", "uid": "1"}],
            "managedFields": [{"operation": "x", "fieldsType": "y"}],
        }));
        let heads: Vec<&str> = errors
            .iter()
            .filter_map(|error| error.split(": ").next())
            .collect();
        assert_eq!(
            heads,
            [
                "metadata.namespace",
                "metadata.generation",
                "metadata.labels",
                "metadata.annotations",
                "metadata.ownerReferences.apiVersion",
                "metadata.ownerReferences.kind",
                "metadata.finalizers",
                "metadata.managedFields[0].operation",
                "metadata.managedFields[0].fieldsType",
            ]
        );
        assert_eq!(
            errors[7],
            r#"metadata.managedFields[0].operation: Invalid value: "x": must be `Apply` or `Update`"#
        );
    }

    #[test]
    fn a_cluster_scoped_object_has_no_namespace() {
        let object = json!({"metadata": {"name": "n", "namespace": "x"}});
        let errors = metadata("", "Namespace", false, &object, None);
        assert_eq!(
            summary(&errors),
            "metadata.namespace: Forbidden: not allowed on this type"
        );
    }

    #[test]
    fn an_update_changes_neither_identity_nor_the_finalizers_of_a_dying_object() {
        let old = json!({"metadata": {"name": "a", "namespace": "n", "uid": "1", "deletionTimestamp": "2026-01-01T00:00:00Z"}});
        let new = json!({"metadata": {"name": "a", "namespace": "n", "uid": "2", "deletionTimestamp": "2026-01-01T00:00:00Z",
            "finalizers": ["b.com/x"]}});
        let errors = metadata("coordination.k8s.io", "Lease", true, &new, Some(&old));
        assert_eq!(
            summary(&errors),
            "[metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers \
             []string{\"b.com/x\"}, metadata.uid: Invalid value: \"2\": field is immutable]"
        );
    }
}
