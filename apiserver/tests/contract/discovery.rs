//! What the server says that it has, and how it is.

use http::header::ACCEPT;
use serde_json::{Value, json};

use super::server::Server;

crate::contract!(
    the_version_is_that_of_kubernetes,
    health_is_one_word,
    the_core_has_one_version,
    groups_are_listed,
    a_group_lists_its_versions,
    a_version_lists_its_resources,
    the_core_lists_namespaces,
    a_custom_kind_is_listed,
    discovery_in_one_document_has_all_groups,
    a_missing_group_is_not_found,
);

const AGGREGATED: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

fn named<'a>(list: &'a Value, key: &str, name: &str) -> &'a Value {
    let found = list.as_array().unwrap().iter().find(|own| own[key] == name);
    found.unwrap_or_else(|| panic!("no {name} in {list}"))
}

async fn the_version_is_that_of_kubernetes(server: &Server) {
    let version = server.get("/version").await.is(200);
    assert_eq!(
        (&version["major"], &version["minor"]),
        (&json!("1"), &json!("36"))
    );
    let git = version["gitVersion"].as_str().unwrap();
    assert!(git.starts_with("v1.36."), "{git}");
    for field in [
        "gitCommit",
        "gitTreeState",
        "buildDate",
        "goVersion",
        "compiler",
        "platform",
    ] {
        assert!(version[field].is_string(), "{field}");
    }
}

async fn health_is_one_word(server: &Server) {
    for path in ["/readyz", "/livez", "/healthz"] {
        let answer = server.get(path).await;
        assert_eq!((answer.code, answer.text.as_str()), (200, "ok"));
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    }
}

async fn the_core_has_one_version(server: &Server) {
    let versions = server.get("/api").await.is(200);
    assert_eq!(versions["kind"], "APIVersions");
    assert_eq!(versions["versions"], json!(["v1"]));
}

async fn groups_are_listed(server: &Server) {
    let list = server.get("/apis").await.is(200);
    assert_eq!(
        (&list["kind"], &list["apiVersion"]),
        (&json!("APIGroupList"), &json!("v1"))
    );
    let version = json!({"groupVersion": "coordination.k8s.io/v1", "version": "v1"});
    assert_eq!(
        named(&list["groups"], "name", "coordination.k8s.io"),
        &json!({"name": "coordination.k8s.io", "versions": [version], "preferredVersion": version})
    );
}

async fn a_group_lists_its_versions(server: &Server) {
    let group = server.get("/apis/coordination.k8s.io").await.is(200);
    let version = json!({"groupVersion": "coordination.k8s.io/v1", "version": "v1"});
    let expected = json!({
        "kind": "APIGroup", "apiVersion": "v1", "name": "coordination.k8s.io", "versions": [version],
        "preferredVersion": version
    });
    assert_eq!(group, expected);
}

async fn a_version_lists_its_resources(server: &Server) {
    let list = server.get("/apis/coordination.k8s.io/v1").await.is(200);
    let mut leases = named(&list["resources"], "name", "leases").clone();
    // A hash of how it is stored, which is nobody's business.
    leases.as_object_mut().unwrap().remove("storageVersionHash");
    let verbs = json!([
        "create",
        "delete",
        "deletecollection",
        "get",
        "list",
        "patch",
        "update",
        "watch"
    ]);
    let expected = json!({
        "name": "leases", "singularName": "lease", "namespaced": true, "kind": "Lease", "verbs": verbs
    });
    assert_eq!(leases, expected);
    assert_eq!(list["kind"], "APIResourceList");
    assert_eq!(list["apiVersion"], "v1");
    assert_eq!(list["groupVersion"], "coordination.k8s.io/v1");
}

async fn the_core_lists_namespaces(server: &Server) {
    let list = server.get("/api/v1").await.is(200);
    assert_eq!(
        (&list["kind"], &list["groupVersion"]),
        (&json!("APIResourceList"), &json!("v1"))
    );
    let mut namespaces = named(&list["resources"], "name", "namespaces").clone();
    namespaces
        .as_object_mut()
        .unwrap()
        .remove("storageVersionHash");
    let verbs = json!([
        "create", "delete", "get", "list", "patch", "update", "watch"
    ]);
    let expected = json!({
        "name": "namespaces", "singularName": "namespace", "namespaced": false, "kind": "Namespace",
        "verbs": verbs, "shortNames": ["ns"]
    });
    assert_eq!(namespaces, expected);
}

async fn a_custom_kind_is_listed(server: &Server) {
    server.define_requests().await;
    super::server::until("discovery knows the kind", async || {
        server.get("/apis/kubernaut.ai/v1alpha1").await.code == 200
    })
    .await;
    let list = server.get("/apis/kubernaut.ai/v1alpha1").await.is(200);
    let mut requests = named(&list["resources"], "name", "remediationrequests").clone();
    requests
        .as_object_mut()
        .unwrap()
        .remove("storageVersionHash");
    let verbs = json!([
        "delete",
        "deletecollection",
        "get",
        "list",
        "patch",
        "create",
        "update",
        "watch"
    ]);
    let expected = json!({
        "name": "remediationrequests", "singularName": "remediationrequest", "namespaced": true,
        "kind": "RemediationRequest", "verbs": verbs, "shortNames": ["rr"]
    });
    assert_eq!(requests, expected);
    let status = named(&list["resources"], "name", "remediationrequests/status");
    let expected = json!({
        "name": "remediationrequests/status", "singularName": "", "namespaced": true, "kind": "RemediationRequest",
        "verbs": ["get", "patch", "update"]
    });
    assert_eq!(status, &expected);
}

async fn discovery_in_one_document_has_all_groups(server: &Server) {
    let answer = server.get("/apis").header(ACCEPT, AGGREGATED).await;
    assert_eq!(
        answer.header("content-type"),
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    );
    let list = answer.is(200);
    assert_eq!(list["kind"], "APIGroupDiscoveryList");
    assert_eq!(list["apiVersion"], "apidiscovery.k8s.io/v2");
    let groups = list["items"].as_array().unwrap();
    let group = groups
        .iter()
        .find(|group| group["metadata"]["name"] == "coordination.k8s.io");
    let version = named(&group.unwrap()["versions"], "version", "v1");
    assert_eq!(version["freshness"], "Current");
    let verbs = json!([
        "create",
        "delete",
        "deletecollection",
        "get",
        "list",
        "patch",
        "update",
        "watch"
    ]);
    let expected = json!({
        "resource": "leases", "responseKind": {"group": "", "version": "", "kind": "Lease"}, "scope": "Namespaced",
        "singularResource": "lease", "verbs": verbs
    });
    assert_eq!(
        named(&version["resources"], "resource", "leases"),
        &expected
    );
}

async fn a_missing_group_is_not_found(server: &Server) {
    for path in ["/apis/nope.io", "/apis/nope.io/v1"] {
        let answer = server.get(path).await;
        assert_eq!(
            (answer.code, answer.text.as_str()),
            (404, "404 page not found\n")
        );
    }
}
