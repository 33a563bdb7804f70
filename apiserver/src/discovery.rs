//! What there is: groups, versions, resources, and the version of the server.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::HeaderValue;
use serde_json::{Value, json};

use crate::registry::{Registry, Resource};

/// The version that the answers follow.
const MAJOR: &str = "1";
const MINOR: &str = "36";
const GIT_VERSION: &str = "v1.36.3+embedded";

/// The reviews have paths, but no objects.
const REVIEWS: [(&str, &str, &str, bool); 6] = [
    (
        "authentication.k8s.io",
        "selfsubjectreviews",
        "SelfSubjectReview",
        false,
    ),
    (
        "authentication.k8s.io",
        "tokenreviews",
        "TokenReview",
        false,
    ),
    (
        "authorization.k8s.io",
        "localsubjectaccessreviews",
        "LocalSubjectAccessReview",
        true,
    ),
    (
        "authorization.k8s.io",
        "selfsubjectaccessreviews",
        "SelfSubjectAccessReview",
        false,
    ),
    (
        "authorization.k8s.io",
        "selfsubjectrulesreviews",
        "SelfSubjectRulesReview",
        false,
    ),
    (
        "authorization.k8s.io",
        "subjectaccessreviews",
        "SubjectAccessReview",
        false,
    ),
];

/// The document at a path; `None` when there is none.
pub(crate) fn document(registry: &Registry, path: &str, accept: &str) -> Option<Value> {
    let resources = registry.all();
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let aggregated = accept
        .split(',')
        .next()
        .is_some_and(|first| first.contains("v=v2;") && first.contains("as=APIGroupDiscoveryList"));
    match segments.as_slice() {
        ["version"] => Some(version()),
        ["api"] if aggregated => Some(aggregated_list(&resources, true)),
        ["apis"] if aggregated => Some(aggregated_list(&resources, false)),
        ["api"] => Some(
            json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}),
        ),
        ["apis"] => {
            let groups: Vec<Value> = groups(&resources)
                .iter()
                .map(|(group, versions)| group_value(group, versions))
                .collect();
            Some(json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}))
        }
        ["api", version] => resource_list(&resources, "", version),
        ["apis", group] => groups(&resources).get(*group).map(|versions| {
            let mut value = group_value(group, versions);
            value["kind"] = json!("APIGroup");
            value["apiVersion"] = json!("v1");
            value
        }),
        ["apis", group, version] => resource_list(&resources, group, version),
        ["openapi", "v3"] => Some(open_api_index(&resources)),
        ["openapi", "v3", "api", version] => Some(open_api(&resources, "", version)),
        ["openapi", "v3", "apis", group, version] => Some(open_api(&resources, group, version)),
        _ => None,
    }
}

/// Clients know the aggregated documents by their content type.
pub(crate) fn content_type(document: &Value) -> Option<HeaderValue> {
    (document["kind"] == "APIGroupDiscoveryList").then(|| {
        HeaderValue::from_static(
            "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        )
    })
}

fn version() -> Value {
    json!({
        "major": MAJOR, "minor": MINOR, "gitVersion": GIT_VERSION, "gitCommit": "", "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "rustc",
        "platform": format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
    })
}

fn groups(resources: &[Arc<Resource>]) -> BTreeMap<String, Vec<String>> {
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let reviews = REVIEWS
        .iter()
        .map(|(group, ..)| ((*group).to_owned(), "v1".to_owned()));
    let stored = resources
        .iter()
        .filter(|own| !own.group.is_empty())
        .map(|own| (own.group.clone(), own.version.clone()));
    for (group, version) in stored.chain(reviews) {
        let versions = groups.entry(group).or_default();
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    groups
}

fn group_value(group: &str, versions: &[String]) -> Value {
    let version = |version: &String| json!({"groupVersion": format!("{group}/{version}"), "version": version});
    json!({
        "name": group,
        "versions": versions.iter().map(version).collect::<Vec<_>>(),
        "preferredVersion": versions.first().map(version),
    })
}

fn verbs() -> Value {
    json!([
        "create",
        "delete",
        "deletecollection",
        "get",
        "list",
        "patch",
        "update",
        "watch"
    ])
}

fn resource_list(resources: &[Arc<Resource>], group: &str, version: &str) -> Option<Value> {
    let mut list = Vec::new();
    for own in resources
        .iter()
        .filter(|own| own.group == group && own.version == version)
    {
        let mut value = json!({
            "name": own.plural, "singularName": own.singular, "namespaced": own.namespaced, "kind": own.kind,
            "verbs": verbs(), "storageVersionHash": "",
        });
        for (key, names) in [
            ("shortNames", &own.short_names),
            ("categories", &own.categories),
        ] {
            if !names.is_empty() {
                value[key] = json!(names);
            }
        }
        list.push(value);
        if own.has_status {
            list.push(json!({
                "name": format!("{}/status", own.plural), "singularName": "", "namespaced": own.namespaced,
                "kind": own.kind, "verbs": ["get", "patch", "update"],
            }));
        }
    }
    for (_, plural, kind, namespaced) in REVIEWS
        .iter()
        .filter(|(own, ..)| *own == group && version == "v1")
    {
        list.push(json!({
            "name": plural, "singularName": kind.to_lowercase(), "namespaced": namespaced, "kind": kind, "verbs": ["create"],
        }));
    }
    let group_version = if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    };
    (!list.is_empty()).then(|| {
        json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": list})
    })
}

fn aggregated_list(resources: &[Arc<Resource>], core: bool) -> Value {
    let all = if core {
        BTreeMap::from([(String::new(), vec!["v1".to_owned()])])
    } else {
        groups(resources)
    };
    let items: Vec<Value> = all
        .iter()
        .map(|(group, versions)| {
            let versions: Vec<Value> = versions
                .iter()
                .map(|version| json!({"version": version, "freshness": "Current", "resources": aggregated_resources(resources, group, version)}))
                .collect();
            json!({"metadata": {"name": group, "creationTimestamp": null}, "versions": versions})
        })
        .collect();
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items})
}

fn aggregated_resources(resources: &[Arc<Resource>], group: &str, version: &str) -> Vec<Value> {
    let scope = |namespaced: bool| if namespaced { "Namespaced" } else { "Cluster" };
    let mut list: Vec<Value> = resources
        .iter()
        .filter(|own| own.group == group && own.version == version)
        .map(|own| {
            let response_kind = json!({"group": group, "version": version, "kind": own.kind});
            let mut value = json!({
                "resource": own.plural, "responseKind": response_kind, "scope": scope(own.namespaced),
                "singularResource": own.singular, "verbs": verbs(),
                "shortNames": own.short_names, "categories": own.categories,
            });
            if own.has_status {
                value["subresources"] =
                    json!([{"subresource": "status", "responseKind": response_kind, "verbs": ["get", "patch", "update"]}]);
            }
            value
        })
        .collect();
    for (_, plural, kind, namespaced) in REVIEWS.iter().filter(|(own, ..)| *own == group) {
        list.push(json!({
            "resource": plural, "responseKind": {"group": group, "version": version, "kind": kind},
            "scope": scope(*namespaced), "singularResource": kind.to_lowercase(), "verbs": ["create"],
        }));
    }
    list
}

/// kubectl asks here whether the server validates fields itself.
fn open_api_index(resources: &[Arc<Resource>]) -> Value {
    let mut paths = serde_json::Map::new();
    for own in resources {
        let path = if own.group.is_empty() {
            format!("api/{}", own.version)
        } else {
            format!("apis/{}/{}", own.group, own.version)
        };
        let url = format!("/openapi/v3/{path}");
        paths.insert(path, json!({"serverRelativeURL": url}));
    }
    json!({"paths": paths})
}

/// No schemas: only that each kind can be created and patched with `fieldValidation`.
fn open_api(resources: &[Arc<Resource>], group: &str, version: &str) -> Value {
    let parameters = json!([{"name": "fieldValidation", "in": "query", "schema": {"type": "string", "uniqueItems": true}}]);
    let mut paths = serde_json::Map::new();
    for own in resources
        .iter()
        .filter(|own| own.group == group && own.version == version)
    {
        let gvk = json!({"group": group, "version": version, "kind": own.kind});
        let root = if group.is_empty() {
            format!("/api/{version}")
        } else {
            format!("/apis/{group}/{version}")
        };
        let scope = if own.namespaced {
            "/namespaces/{namespace}"
        } else {
            ""
        };
        let operation = json!({"parameters": parameters, "x-kubernetes-group-version-kind": gvk});
        let collection = format!("{root}{scope}/{}", own.plural);
        paths.insert(collection.clone(), json!({"post": operation}));
        paths.insert(
            format!("{collection}/{{name}}"),
            json!({"patch": operation, "put": operation}),
        );
    }
    json!({"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": GIT_VERSION}, "paths": paths, "components": {"schemas": {}}})
}
