//! Groups, versions and resources, each in a document of its own.

use serde_json::{Value, json};

use crate::registry::{Group, GroupVersion, Registry, Resource, Verb};

/// `/api`: the versions of the core group, and where to find the server.
pub(super) fn core_versions(host: &str) -> Value {
    json!({
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": host}],
    })
}

/// `/apis`: all groups but the core one.
pub(super) fn list(registry: &Registry) -> Value {
    let groups: Vec<Value> = registry
        .groups()
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, group)| describe(name, group))
        .collect();
    json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })
}

/// `/apis/GROUP`.
pub(super) fn one(registry: &Registry, name: &str) -> Option<Value> {
    let mut group = describe(name, registry.group(name).filter(|_| !name.is_empty())?);
    group["kind"] = json!("APIGroup");
    group["apiVersion"] = json!("v1");
    Some(group)
}

/// `/api/VERSION` and `/apis/GROUP/VERSION`: the resources.
pub(super) fn resources(registry: &Registry, group: &str, version: &str) -> Option<Value> {
    let GroupVersion { resources, .. } = registry.version(group, version)?;
    Some(json!({
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version(group, version),
        "resources": resources.values().flat_map(|resource| entries(resource)).collect::<Vec<_>>(),
    }))
}

/// The verbs of a resource, in the order in which the real server lists them: that of the names for
/// built-in kinds, and one of its own for custom resources.
pub(super) fn verbs(resource: &Resource) -> Vec<&'static str> {
    const CUSTOM: [Verb; 8] = [
        Verb::Delete,
        Verb::DeleteCollection,
        Verb::Get,
        Verb::List,
        Verb::Patch,
        Verb::Create,
        Verb::Update,
        Verb::Watch,
    ];
    let order = if resource.custom().is_some() {
        CUSTOM
    } else {
        Verb::ALL
    };
    order
        .into_iter()
        .filter(|verb| resource.verbs.contains(verb))
        .map(Verb::as_str)
        .collect()
}

/// The verbs of every subresource.
pub(super) const SUBRESOURCE_VERBS: [&str; 3] = ["get", "patch", "update"];

/// The path of a version, without the leading slash: `api/v1`, `apis/apps/v1`.
pub(super) fn path(group: &str, version: &str) -> String {
    if group.is_empty() {
        format!("api/{version}")
    } else {
        format!("apis/{group}/{version}")
    }
}

fn group_version(group: &str, version: &str) -> String {
    if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    }
}

fn describe(name: &str, group: &Group) -> Value {
    let versions: Vec<Value> = group
        .versions
        .iter()
        .map(|version| json!({"groupVersion": group_version(name, &version.version), "version": version.version}))
        .collect();
    json!({ "name": name, "preferredVersion": versions[0], "versions": versions })
}

/// A resource and its subresources.
fn entries(resource: &Resource) -> Vec<Value> {
    let mut entry = json!({
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.is_namespaced(),
        "kind": resource.kind,
        "verbs": verbs(resource),
    });
    for (field, values) in [
        ("shortNames", &resource.short_names),
        ("categories", &resource.categories),
    ] {
        if !values.is_empty() {
            entry[field] = json!(values);
        }
    }
    let subresources = resource.subresources.iter().map(|subresource| {
        json!({
            "name": format!("{}/{}", resource.plural, subresource.as_str()),
            "singularName": "",
            "namespaced": resource.is_namespaced(),
            "kind": resource.kind,
            "verbs": SUBRESOURCE_VERBS,
        })
    });
    std::iter::once(entry).chain(subresources).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leases_are_announced_as_the_real_server_does() {
        assert_eq!(
            resources(&Registry::built_in(), "coordination.k8s.io", "v1"),
            Some(json!({
                "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "coordination.k8s.io/v1",
                "resources": [{
                    "name": "leases", "singularName": "lease", "namespaced": true, "kind": "Lease",
                    "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
                }],
            }))
        );
    }

    #[test]
    fn subresources_follow_their_resource() {
        let core = resources(&Registry::built_in(), "", "v1").unwrap();
        let pods: Vec<Value> = core["resources"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|resource| resource["kind"] == "Pod")
            .map(|resource| {
                json!([
                    resource["name"],
                    resource["shortNames"],
                    resource["categories"]
                ])
            })
            .collect();
        assert_eq!(
            pods,
            [
                json!(["pods", ["po"], ["all"]]),
                json!(["pods/status", null, null])
            ]
        );
    }

    #[test]
    fn a_group_prefers_its_first_version() {
        let version = json!({"groupVersion": "apps/v1", "version": "v1"});
        assert_eq!(
            one(&Registry::built_in(), "apps"),
            Some(json!({
                "kind": "APIGroup", "apiVersion": "v1", "name": "apps",
                "versions": [version], "preferredVersion": version,
            }))
        );
        assert_eq!(one(&Registry::built_in(), ""), None);
    }
}
