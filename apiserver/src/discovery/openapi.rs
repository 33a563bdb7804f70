//! OpenAPI v3: what kubectl reads before it creates, applies and explains.
//!
//! A document per group and version, with the paths of each resource and the schema of its kind.
//! OpenAPI v2 is not served: kubectl asks for it only when a v3 document is missing.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use serde_json::{Map, Value, json};

use super::{Document, groups, openapi_schema::Schemas, version::GIT_VERSION};
use crate::{
    object,
    registry::{Origin, Registry, Resource, Verb},
};

/// `/openapi/v3`: where the documents are. The hash changes with the contents, so that a client can
/// keep what it has read.
pub(super) fn index(registry: &Registry) -> Value {
    let mut paths = Map::new();
    for (name, group) in registry.groups() {
        for version in &group.versions {
            let path = groups::path(name, &version.version);
            let mut hasher = DefaultHasher::new();
            let document = document(registry, name, &version.version);
            document
                .map(|document| document.body)
                .unwrap_or_default()
                .hash(&mut hasher);
            let url = format!("/openapi/v3/{path}?hash={:016X}", hasher.finish());
            paths.insert(path, json!({ "serverRelativeURL": url }));
        }
    }
    json!({ "paths": paths })
}

/// The document of one version.
pub(super) fn document(registry: &Registry, group: &str, version: &str) -> Option<Document> {
    let resources = &registry.version(group, version)?.resources;
    let mut schemas = Schemas::default();
    let mut paths = BTreeMap::new();
    for resource in resources.values() {
        let reference = schemas.add(resource);
        add_paths(&mut paths, resource, &reference);
    }
    let document = json!({
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": GIT_VERSION},
        "paths": paths,
        "components": {"schemas": schemas.into_value()},
    });
    Some(Document {
        body: object::to_json(&document),
        ..Document::json(&Value::Null)
    })
}

fn add_paths(paths: &mut BTreeMap<String, Value>, resource: &Resource, schema: &Value) {
    let base = format!("/{}", groups::path(&resource.group, &resource.version));
    let scope = if resource.is_namespaced() {
        "/namespaces/{namespace}"
    } else {
        ""
    };
    let collection = format!("{base}{scope}/{}", resource.plural);
    let has = |verb: Verb| resource.verbs.contains(&verb);
    let operation = |action: &str, method: &str| operation(resource, schema, action, method);
    let mut on_collection = Map::new();
    if has(Verb::List) {
        on_collection.insert("get".to_owned(), operation("list", "get"));
    }
    if has(Verb::Create) {
        on_collection.insert("post".to_owned(), operation("post", "post"));
    }
    if has(Verb::DeleteCollection) {
        on_collection.insert("delete".to_owned(), operation("deletecollection", "delete"));
    }
    if resource.is_namespaced() && has(Verb::List) {
        paths.insert(
            format!("{base}/{}", resource.plural),
            json!({ "get": operation("list", "get") }),
        );
    }
    paths.insert(collection.clone(), Value::Object(on_collection));
    if matches!(resource.origin, Origin::Review) {
        return;
    }
    let object = json!({
        "get": operation("get", "get"),
        "put": operation("put", "put"),
        "patch": operation("patch", "patch"),
        "delete": operation("delete", "delete"),
    });
    paths.insert(format!("{collection}/{{name}}"), object);
    for subresource in &resource.subresources {
        let path = format!("{collection}/{{name}}/{}", subresource.as_str());
        let operations = json!({"get": operation("get", "get"), "put": operation("put", "put"), "patch": operation("patch", "patch")});
        paths.insert(path, operations);
    }
}

fn operation(resource: &Resource, schema: &Value, action: &str, method: &str) -> Value {
    let mut operation = json!({
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": {
            "group": resource.group, "version": resource.version, "kind": resource.kind,
        },
        "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": schema}}}},
    });
    let names: &[&str] = match method {
        "post" | "put" => &["dryRun", "fieldManager", "fieldValidation"],
        "patch" => &["dryRun", "fieldManager", "fieldValidation", "force"],
        "delete" => &["dryRun"],
        _ => &[],
    };
    let parameters = names.iter().map(|name| {
        let ty = if *name == "force" {
            "boolean"
        } else {
            "string"
        };
        json!({"name": name, "in": "query", "schema": {"type": ty, "uniqueItems": true}})
    });
    if !names.is_empty() {
        operation["parameters"] = parameters.collect();
    }
    match method {
        "post" | "put" => {
            operation["requestBody"] =
                json!({"content": {"*/*": {"schema": schema}}, "required": true});
        }
        "patch" => {
            // Strategic merge patches are taken too, but not announced: the schemas do not say how
            // lists are merged, and without the announcement kubectl uses what it knows itself.
            let types = [
                "application/apply-patch+yaml",
                "application/json-patch+json",
                "application/merge-patch+json",
            ];
            let content: Map<String, Value> = types
                .iter()
                .map(|ty| ((*ty).to_owned(), json!({"schema": {"type": "object"}})))
                .collect();
            operation["requestBody"] = json!({"content": content, "required": true});
        }
        _ => {}
    }
    operation
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coordination() -> Value {
        let document = document(&Registry::built_in(), "coordination.k8s.io", "v1").unwrap();
        serde_json::from_slice(&document.body).unwrap()
    }

    #[test]
    fn a_patch_announces_that_fields_can_be_validated() {
        let patch = &coordination()["paths"]["/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{name}"]
            ["patch"];
        let names: Vec<&Value> = patch["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| &p["name"])
            .collect();
        assert_eq!(
            names,
            ["dryRun", "fieldManager", "fieldValidation", "force"]
        );
        assert_eq!(
            patch["x-kubernetes-group-version-kind"],
            json!({"group": "coordination.k8s.io", "version": "v1", "kind": "Lease"})
        );
    }

    #[test]
    fn every_reference_leads_to_a_schema() {
        fn references(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(fields) => {
                    found.extend(
                        fields
                            .get("$ref")
                            .and_then(Value::as_str)
                            .map(str::to_owned),
                    );
                    fields.values().for_each(|value| references(value, found));
                }
                Value::Array(items) => items.iter().for_each(|value| references(value, found)),
                _ => {}
            }
        }
        let registry = Registry::built_in();
        for (name, group) in registry.groups() {
            for version in &group.versions {
                let document = document(&registry, name, &version.version).unwrap();
                let document: Value = serde_json::from_slice(&document.body).unwrap();
                let mut found = Vec::new();
                references(&document, &mut found);
                assert!(!found.is_empty());
                for reference in found {
                    let pointer = reference.trim_start_matches('#');
                    assert!(document.pointer(pointer).is_some(), "{name} {reference}");
                }
            }
        }
    }

    #[test]
    fn the_index_changes_when_a_kind_is_added() {
        let before = index(&Registry::built_in());
        let mut registry = Registry::built_in();
        let mut other = Resource::clone(registry.resource("apps", "v1", "deployments").unwrap());
        other.plural = "others".to_owned();
        registry.insert(other);
        let after = index(&registry);
        let url = |index: &Value, path: &str| index["paths"][path]["serverRelativeURL"].clone();
        assert_ne!(url(&before, "apis/apps/v1"), url(&after, "apis/apps/v1"));
        assert_eq!(url(&before, "api/v1"), url(&after, "api/v1"));
    }
}
