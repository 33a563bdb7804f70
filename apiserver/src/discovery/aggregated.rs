//! All groups and resources in one document: what kubectl asks for first.

use http::{HeaderMap, header};
use serde_json::{Value, json};

use super::{Document, groups};
use crate::registry::{Group, Registry, Resource};

const CONTENT_TYPE: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// Whether the client takes the aggregated form, and prefers it to the plain one.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    let clauses = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|accept| accept.to_str().ok());
    let mut clauses = clauses.flat_map(|accept| accept.split(',')).map(parameters);
    clauses.find_map(|parameters| match parameters {
        Some(("v2", "APIGroupDiscoveryList")) => Some(true),
        Some(("", "")) => Some(false),
        _ => None,
    }) == Some(true)
}

/// `/api`: the core group.
pub(super) fn core(registry: &Registry) -> Document {
    document(registry, str::is_empty)
}

/// `/apis`: all other groups.
pub(super) fn groups(registry: &Registry) -> Document {
    document(registry, |name| !name.is_empty())
}

/// `v` and `as` of a clause for JSON; other media types, and other groups, are not served.
fn parameters(clause: &str) -> Option<(&str, &str)> {
    let mut parts = clause.split(';').map(str::trim);
    if !matches!(parts.next()?, "application/json" | "application/*" | "*/*") {
        return None;
    }
    let (mut version, mut form) = ("", "");
    for (name, value) in parts.filter_map(|parameter| parameter.split_once('=')) {
        match name {
            "v" => version = value,
            "as" => form = value,
            "g" if value != "apidiscovery.k8s.io" => return None,
            _ => {}
        }
    }
    Some((version, form))
}

fn document(registry: &Registry, wanted: impl Fn(&str) -> bool) -> Document {
    let items: Vec<Value> = registry
        .groups()
        .filter(|(name, _)| wanted(name))
        .map(|(name, group)| describe(name, group))
        .collect();
    let list = json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items,
    });
    Document {
        content_type: CONTENT_TYPE,
        ..Document::json(&list)
    }
}

fn describe(name: &str, group: &Group) -> Value {
    let versions = group.versions.iter().map(|version| {
        let resources = version.resources.values().map(|resource| describe_resource(resource));
        json!({ "version": version.version, "resources": resources.collect::<Vec<_>>(), "freshness": "Current" })
    });
    // The core group has no name, and its metadata none either.
    let metadata = if name.is_empty() {
        json!({})
    } else {
        json!({ "name": name })
    };
    json!({ "metadata": metadata, "versions": versions.collect::<Vec<_>>() })
}

fn describe_resource(resource: &Resource) -> Value {
    // Group and version are named for custom resources only; for the others they are those of the list.
    let (group, version) = match resource.custom() {
        Some(_) => (resource.group.as_str(), resource.version.as_str()),
        None => ("", ""),
    };
    let kind = json!({ "group": group, "version": version, "kind": resource.kind });
    let mut entry = json!({
        "resource": resource.plural,
        "responseKind": kind,
        "scope": if resource.is_namespaced() { "Namespaced" } else { "Cluster" },
        "singularResource": resource.singular,
        "verbs": groups::verbs(resource),
    });
    for (field, values) in [
        ("shortNames", &resource.short_names),
        ("categories", &resource.categories),
    ] {
        if !values.is_empty() {
            entry[field] = json!(values);
        }
    }
    if !resource.subresources.is_empty() {
        let subresources = resource.subresources.iter().map(|subresource| {
            json!({ "subresource": subresource.as_str(), "responseKind": kind, "verbs": groups::SUBRESOURCE_VERBS })
        });
        entry["subresources"] = subresources.collect();
    }
    entry
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn wanted(accept: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
        is_wanted(&headers)
    }

    #[test]
    fn the_first_acceptable_form_wins() {
        assert!(wanted(
            "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;\
             as=APIGroupDiscoveryList,application/json"
        ));
        assert!(wanted(
            "application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList,\
             application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
        ));
        for other in [
            "application/json",
            "*/*",
            "application/json,application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
            "application/vnd.kubernetes.protobuf;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json",
        ] {
            assert!(!wanted(other), "{other}");
        }
        assert!(!is_wanted(&HeaderMap::new()));
    }

    #[test]
    fn leases_are_announced_as_the_real_server_does() {
        let list: Value = serde_json::from_slice(&groups(&Registry::built_in()).body).unwrap();
        let coordination = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|group| group["metadata"]["name"] == "coordination.k8s.io");
        assert_eq!(
            coordination,
            Some(&json!({
                "metadata": {"name": "coordination.k8s.io"},
                "versions": [{
                    "version": "v1", "freshness": "Current",
                    "resources": [{
                        "resource": "leases", "responseKind": {"group": "", "version": "", "kind": "Lease"},
                        "scope": "Namespaced", "singularResource": "lease",
                        "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
                    }],
                }],
            }))
        );
    }
}
