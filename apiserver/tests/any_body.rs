//! Whatever a client sends, the server answers, and goes on to answer.

use std::sync::LazyLock;

use futures_util::FutureExt;
use gwlock_apiserver::ApiServer;
use http::{Method, Request};
use http_body_util::Full;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use tower::Service;

static SERVER: LazyLock<ApiServer> = LazyLock::new(|| {
    let server = ApiServer::new();
    let definition = json!({
        "metadata": { "name": "things.example.com" },
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": { "plural": "things", "kind": "Thing" },
            "versions": [{
                "name": "v1",
                "served": true,
                "storage": true,
                "subresources": { "status": {} },
                "schema": { "openAPIV3Schema": {
                    "type": "object",
                    "properties": { "spec": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } },
                } },
            }],
        },
    });
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    assert_eq!(
        send(
            &server,
            &Method::POST,
            path,
            "application/json",
            definition.to_string().into()
        ),
        201
    );
    server
});

const COLLECTIONS: [&str; 12] = [
    "/api/v1/namespaces",
    "/api/v1/namespaces/default/configmaps",
    "/api/v1/namespaces/default/events",
    "/api/v1/namespaces/default/pods",
    "/api/v1/namespaces/default/secrets",
    "/api/v1/namespaces/default/services",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "/apis/apps/v1/namespaces/default/deployments",
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    "/apis/coordination.k8s.io/v1/namespaces/default/leases",
    "/apis/example.com/v1/namespaces/default/things",
    "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings",
];

/// Field names that the server looks at, and one that it does not.
const FIELDS: [&str; 24] = [
    "annotations",
    "apiVersion",
    "containers",
    "data",
    "finalizers",
    "generateName",
    "holderIdentity",
    "kind",
    "labels",
    "managedFields",
    "metadata",
    "name",
    "namespace",
    "names",
    "other",
    "ownerReferences",
    "renewTime",
    "resourceVersion",
    "roleRef",
    "spec",
    "status",
    "subjects",
    "uid",
    "versions",
];

const PATCHES: [&str; 3] = [
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
];

fn send(server: &ApiServer, method: &Method, path: &str, content_type: &str, body: Vec<u8>) -> u16 {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", content_type)
        .body(Full::from(body))
        .expect("a request");
    let response = server
        .clone()
        .call(request)
        .now_or_never()
        .expect("nothing to wait for");
    response.expect("an answer").status().as_u16()
}

fn any_value() -> impl Strategy<Value = Value> {
    const TEXTS: [&str; 10] = [
        "",
        "a",
        "x",
        "v1",
        "Lease",
        "1",
        "All",
        "2026-11-23T09:00:00.000000Z",
        "$patch",
        "a/b",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        select(&TEXTS[..]).prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(select(&FIELDS[..]), inner, 0..6).prop_map(|fields| fields
                .into_iter()
                .map(|(field, value)| (field.to_owned(), value))
                .collect()),
        ]
    })
}

/// An object that has a name, so that it gets past the first checks more often.
fn any_object() -> impl Strategy<Value = Value> {
    (any_value(), any_value(), any_value()).prop_map(|(object, metadata, spec)| {
        let mut object = if object.is_object() {
            object
        } else {
            json!({})
        };
        object["metadata"] = if metadata.is_object() {
            metadata
        } else {
            json!({})
        };
        object["metadata"]["name"] = "x".into();
        object["spec"] = spec;
        object
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn every_body_is_answered(
        collection in select(&COLLECTIONS[..]),
        first in any_object(),
        second in any_object(),
        patch in any_value(),
        content_type in select(&PATCHES[..]),
    ) {
        let object = format!("{collection}/x");
        let codes = [
            send(&SERVER, &Method::POST, collection, "application/json", first.to_string().into()),
            send(&SERVER, &Method::PUT, &object, "application/json", second.to_string().into()),
            send(&SERVER, &Method::PATCH, &object, content_type, patch.to_string().into()),
            send(&SERVER, &Method::PATCH, &format!("{object}/status"), content_type, patch.to_string().into()),
            send(&SERVER, &Method::DELETE, &object, "application/json", patch.to_string().into()),
        ];
        for code in codes {
            prop_assert!((200..600).contains(&code));
        }
        prop_assert_eq!(send(&SERVER, &Method::GET, "/readyz", "", Vec::new()), 200);
    }

    #[test]
    fn every_sequence_of_bytes_is_answered(
        collection in select(&COLLECTIONS[..]),
        body in vec(any::<u8>(), 0..64),
        content_type in select(&["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"][..]),
    ) {
        let envelope = [b"k8s\0".as_slice(), &body].concat();
        for body in [body, envelope] {
            prop_assert!(send(&SERVER, &Method::POST, collection, content_type, body) >= 200);
        }
    }
}
