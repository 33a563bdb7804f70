//! The kinds that a cluster serves, asked of its API server in two requests.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::discovery::v2::{APIGroupDiscovery, APIGroupDiscoveryList};

use super::{Kind, Kinds};

/// Asks for all kinds. The core group comes first, then the others in the server's order, so that the same kinds count
/// as for a running gateway.
///
/// # Errors
/// The request's, from a server that cannot be reached or is older than Kubernetes 1.27. A deadline is the caller's.
pub async fn kinds(client: &kube::Client) -> Result<Kinds, kube::Error> {
    let core = client.list_core_api_versions_aggregated().await?;
    let others = client.list_api_groups_aggregated().await?;
    Ok(read(core).chain(read(others)).collect())
}

fn read(list: APIGroupDiscoveryList) -> impl Iterator<Item = Kind> {
    list.items.into_iter().flat_map(group)
}

fn group(group: APIGroupDiscovery) -> impl Iterator<Item = Kind> {
    let ObjectMeta { name, .. } = group.metadata.unwrap_or_default();
    let name = name.unwrap_or_default();
    group.versions.into_iter().flat_map(move |served| {
        let name = name.clone();
        let version = served.version.unwrap_or_default();
        served.resources.into_iter().filter_map(move |resource| {
            Some(Kind {
                group: name.clone(),
                version: version.clone(),
                name: resource.response_kind?.kind?,
                plural: resource.resource?,
                singular: resource.singular_resource.unwrap_or_default(),
                namespaced: resource.scope.as_deref() == Some("Namespaced"),
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_version_of_a_group_is_read_and_kinds_without_a_name_are_left_out() {
        let list = serde_json::from_value(json!({"items": [{
            "metadata": {"name": "example.com"},
            "versions": [
                {"version": "v2", "resources": [
                    {"resource": "gadgets", "responseKind": {"kind": "Gadget"}, "scope": "Namespaced",
                     "singularResource": "gizmo", "verbs": []},
                    {"resource": "scales", "scope": "Namespaced", "verbs": []},
                ]},
                {"version": "v1", "resources": [
                    {"resource": "worlds", "responseKind": {"kind": "World"}, "scope": "Cluster", "verbs": []},
                ]},
                {"version": "v0", "resources": [], "freshness": "Stale"},
            ],
        }]}))
        .unwrap();
        let kind = |version: &str, name: &str, plural: &str, singular: &str, namespaced| Kind {
            group: "example.com".to_owned(),
            version: version.to_owned(),
            name: name.to_owned(),
            plural: plural.to_owned(),
            singular: singular.to_owned(),
            namespaced,
        };
        assert_eq!(
            read(list).collect::<Vec<_>>(),
            [
                kind("v2", "Gadget", "gadgets", "gizmo", true),
                kind("v1", "World", "worlds", "", false),
            ]
        );
    }
}
