//! Strategic merge patches, which `kubectl apply`, `edit` and `label` send.

use serde_json::{Value, json};

use super::server::{Answer, Server};

crate::contract!(
    maps_are_merged_and_null_removes,
    a_directive_deletes_a_map,
    a_directive_replaces_a_map,
    finalizers_are_added_and_never_doubled,
    a_directive_takes_finalizers_out,
    owners_are_merged_by_uid,
);

async fn patch(server: &Server, patch: Value) -> Answer {
    server
        .patch(&server.leases("/x"), "strategic-merge", &patch)
        .await
}

async fn labelled(server: &Server) {
    let metadata = json!({"name": "x", "labels": {"a": "1", "b": "2"}});
    let lease = json!({"metadata": metadata, "spec": {"holderIdentity": "me"}});
    server.post(&server.leases(""), &lease).await.is(201);
}

async fn maps_are_merged_and_null_removes(server: &Server) {
    labelled(server).await;
    let change =
        json!({"metadata": {"labels": {"a": null, "c": "3"}}, "spec": {"holderIdentity": "you"}});
    let patched = patch(server, change).await.is(200);
    assert_eq!(patched["metadata"]["labels"], json!({"b": "2", "c": "3"}));
    assert_eq!(patched["spec"], json!({"holderIdentity": "you"}));
}

async fn a_directive_deletes_a_map(server: &Server) {
    labelled(server).await;
    let change = json!({"metadata": {"labels": {"$patch": "delete"}}});
    let patched = patch(server, change).await.is(200);
    assert_eq!(patched["metadata"]["labels"], Value::Null);
}

async fn a_directive_replaces_a_map(server: &Server) {
    labelled(server).await;
    let change = json!({"metadata": {"labels": {"$patch": "replace", "c": "3"}}});
    let patched = patch(server, change).await.is(200);
    assert_eq!(patched["metadata"]["labels"], json!({"c": "3"}));
}

async fn finalizers_are_added_and_never_doubled(server: &Server) {
    labelled(server).await;
    for (added, expected) in [
        (json!(["example.com/a"]), json!(["example.com/a"])),
        (
            json!(["example.com/b"]),
            json!(["example.com/b", "example.com/a"]),
        ),
        (
            json!(["example.com/a"]),
            json!(["example.com/b", "example.com/a"]),
        ),
    ] {
        let patched = patch(server, json!({"metadata": {"finalizers": added}}))
            .await
            .is(200);
        let mut found: Vec<&str> = strings(&patched["metadata"]["finalizers"]);
        let mut expected = strings(&expected);
        // In which order is nobody's business.
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected);
    }
}

async fn a_directive_takes_finalizers_out(server: &Server) {
    labelled(server).await;
    let added = json!({"metadata": {"finalizers": ["example.com/a", "example.com/b"]}});
    patch(server, added).await.is(200);
    let change = json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/a"]}});
    let patched = patch(server, change).await.is(200);
    assert_eq!(patched["metadata"]["finalizers"], json!(["example.com/b"]));
}

async fn owners_are_merged_by_uid(server: &Server) {
    labelled(server).await;
    let owner = |uid: &str, name: &str| json!({"apiVersion": "v1", "kind": "Pod", "name": name, "uid": uid});
    let owners = |owners: Value| json!({"metadata": {"ownerReferences": owners}});
    patch(server, owners(json!([owner("1", "a")])))
        .await
        .is(200);
    patch(server, owners(json!([owner("2", "b")])))
        .await
        .is(200);
    let patched = patch(server, owners(json!([{"uid": "1", "name": "c"}])))
        .await
        .is(200);
    let mut found = patched["metadata"]["ownerReferences"]
        .as_array()
        .unwrap()
        .clone();
    found.sort_by_key(|owner| owner["uid"].to_string());
    assert_eq!(found, [owner("1", "c"), owner("2", "b")]);
    let gone = patch(server, owners(json!([{"$patch": "delete", "uid": "1"}])))
        .await
        .is(200);
    assert_eq!(
        gone["metadata"]["ownerReferences"],
        json!([owner("2", "b")])
    );
}

fn strings(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap();
    list.iter().map(|text| text.as_str().unwrap()).collect()
}
