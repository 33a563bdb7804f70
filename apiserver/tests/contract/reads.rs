//! Reads and watches.

use gwlock_apiserver::ApiServer;
use gwlock_testkit::{User, private_control_plane};
use http::Method;
use serde_json::{Value, json};

use crate::server::Server;

crate::contract!(
    a_list_in_pages_is_complete_and_says_what_remains,
    a_lease_is_selected_by_name_and_by_nothing_else,
    labels_select,
    a_table_has_the_columns_of_kubectl,
    metadata_alone_can_be_asked_for,
    a_version_of_the_future_times_out,
    a_watch_shows_what_happens_after_its_version,
    a_watch_of_the_future_is_silent,
    health_and_version_answer,
    discovery_knows_leases,
);

async fn a_list_in_pages_is_complete_and_says_what_remains(server: &Server) {
    for name in ["a", "b", "c", "d", "e"] {
        server.lease(name, json!({})).await;
    }
    let mut names = Vec::new();
    let mut next = String::new();
    let mut versions = Vec::new();
    loop {
        let page = server
            .get(&server.leases(&format!("?limit=2&continue={next}")))
            .await;
        assert_eq!(page.code, 200, "{page:?}");
        let items = page.body["items"].as_array().unwrap();
        names.extend(
            items
                .iter()
                .map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()),
        );
        versions.push(page.version().to_owned());
        let metadata = &page.body["metadata"];
        let remaining = 5 - names.len();
        assert_eq!(
            metadata["remainingItemCount"],
            if remaining == 0 {
                Value::Null
            } else {
                json!(remaining)
            }
        );
        match metadata["continue"]
            .as_str()
            .filter(|token| !token.is_empty())
        {
            Some(token) => token.clone_into(&mut next),
            None => break,
        }
    }
    assert_eq!(names, ["a", "b", "c", "d", "e"]);
    versions.dedup();
    assert_eq!(versions.len(), 1);
}

async fn a_lease_is_selected_by_name_and_by_nothing_else(server: &Server) {
    server.lease("x1", json!({})).await;
    server.lease("x2", json!({})).await;
    let list = server
        .get(&server.leases("?fieldSelector=metadata.name%3Dx1"))
        .await;
    assert_eq!(list.body["items"].as_array().unwrap().len(), 1);
    let refused = server
        .get(&server.leases("?fieldSelector=spec.holderIdentity%3Da"))
        .await;
    assert_eq!(
        (refused.code, refused.body["reason"].as_str()),
        (400, Some("BadRequest"))
    );
    assert!(
        refused.message().contains(
            "\"spec.holderIdentity\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
        ),
        "{refused:?}"
    );
}

async fn labels_select(server: &Server) {
    for (name, team) in [("x1", "a"), ("x2", "b")] {
        let lease = json!({"metadata": {"name": name, "labels": {"team": team}}, "spec": {}});
        assert_eq!(server.post(&server.leases(""), lease).await.code, 201);
    }
    for (selector, expected) in [
        ("team%3Da", 1),
        ("team%20in%20(a,b)", 2),
        ("team!%3Da", 1),
        ("!team", 0),
    ] {
        let list = server
            .get(&server.leases(&format!("?labelSelector={selector}")))
            .await;
        assert_eq!(
            list.body["items"].as_array().unwrap().len(),
            expected,
            "{selector}"
        );
    }
}

async fn a_table_has_the_columns_of_kubectl(server: &Server) {
    server.lease("x1", json!({"holderIdentity": "me"})).await;
    let accept = [("accept", "application/json;as=Table;v=v1;g=meta.k8s.io")];
    let table = server
        .ask(Method::GET, &server.leases(""), &accept, Value::Null)
        .await
        .body;
    assert_eq!(
        (table["kind"].as_str(), table["apiVersion"].as_str()),
        (Some("Table"), Some("meta.k8s.io/v1"))
    );
    let columns: Vec<&str> = table["columnDefinitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| column["name"].as_str().unwrap())
        .collect();
    assert_eq!(columns, ["Name", "Holder", "Age"]);
    let cells = table["rows"][0]["cells"].as_array().unwrap();
    assert_eq!((&cells[0], &cells[1]), (&json!("x1"), &json!("me")));
    assert_eq!(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
}

async fn metadata_alone_can_be_asked_for(server: &Server) {
    server.lease("x1", json!({"holderIdentity": "me"})).await;
    let accept = [(
        "accept",
        "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
    )];
    let list = server
        .ask(Method::GET, &server.leases(""), &accept, Value::Null)
        .await
        .body;
    assert_eq!(list["kind"], "PartialObjectMetadataList");
    assert_eq!(list["items"][0]["metadata"]["name"], "x1");
    assert_eq!(list["items"][0]["spec"], Value::Null);
}

async fn a_version_of_the_future_times_out(server: &Server) {
    let answer = server
        .get(&server.leases("?resourceVersion=999999999"))
        .await;
    assert_eq!(
        (answer.code, answer.body["reason"].as_str()),
        (504, Some("Timeout"))
    );
    assert!(
        answer
            .message()
            .contains("Too large resource version: 999999999, current: "),
        "{answer:?}"
    );
}

async fn a_watch_shows_what_happens_after_its_version(server: &Server) {
    let lease = server.lease("w1", json!({"holderIdentity": "a"})).await;
    server.lease("other", json!({})).await;
    let version = lease["metadata"]["resourceVersion"].as_str().unwrap();
    let path = server.leases(&format!(
        "?watch=true&fieldSelector=metadata.name%3Dw1&resourceVersion={version}&allowWatchBookmarks=true&timeoutSeconds=3"
    ));
    let (events, ()) = tokio::join!(server.watch(&path), async {
        let mut changed = lease.clone();
        changed["spec"]["holderIdentity"] = json!("b");
        assert_eq!(server.put(&server.leases("/w1"), changed).await.code, 200);
        assert_eq!(
            server.delete(&server.leases("/w1"), Value::Null).await.code,
            200
        );
        server.lease("w1", json!({"holderIdentity": "c"})).await;
    });
    let seen: Vec<(&str, Option<&str>)> = events
        .iter()
        .filter(|event| event["type"] != "BOOKMARK")
        .map(|event| {
            (
                event["type"].as_str().unwrap(),
                event["object"]["spec"]["holderIdentity"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("MODIFIED", Some("b")),
            ("DELETED", Some("b")),
            ("ADDED", Some("c"))
        ]
    );
    let versions: Vec<u64> = events
        .iter()
        .map(|event| {
            event["object"]["metadata"]["resourceVersion"]
                .as_str()
                .unwrap()
                .parse()
                .unwrap()
        })
        .collect();
    assert!(versions.is_sorted(), "{versions:?}");
}

/// On both servers outside the usual pairs: a real one has to start again to forget.
#[tokio::test]
async fn a_watch_from_a_forgotten_version_is_told_so() {
    let embedded = ApiServer::new();
    embedded.compact();
    told_that_it_is_too_old(&Server::on(&kube::Client::new(embedded, "default"))).await;
    let Some(mut control_plane) = private_control_plane() else {
        return;
    };
    control_plane.restart_apiserver().unwrap();
    let config = control_plane.config(User::Admin, "default");
    told_that_it_is_too_old(&Server::on(&kube::Client::try_from(config).unwrap())).await;
}

async fn told_that_it_is_too_old(server: &Server) {
    let events = server
        .watch(&server.leases("?watch=true&resourceVersion=1&timeoutSeconds=5"))
        .await;
    assert_eq!(events.len(), 1, "{events:?}");
    let status = &events[0]["object"];
    assert_eq!(
        (
            events[0]["type"].as_str(),
            status["code"].as_u64(),
            status["reason"].as_str()
        ),
        (Some("ERROR"), Some(410), Some("Expired"))
    );
    assert!(
        status["message"]
            .as_str()
            .unwrap()
            .starts_with("too old resource version: 1 ("),
        "{status}"
    );
}

async fn a_watch_of_the_future_is_silent(server: &Server) {
    server.lease("x1", json!({})).await;
    let events = server
        .watch(&server.leases("?watch=true&resourceVersion=999999999&timeoutSeconds=1"))
        .await;
    assert_eq!(events, [Value::Null; 0]);
}

async fn health_and_version_answer(server: &Server) {
    let ready = server.get("/readyz").await;
    assert_eq!((ready.code, ready.body), (200, json!("ok")));
    let version = server.get("/version").await.body;
    assert_eq!(
        (version["major"].as_str(), version["minor"].as_str()),
        (Some("1"), Some("36"))
    );
}

async fn discovery_knows_leases(server: &Server) {
    let list = server.get("/apis/coordination.k8s.io/v1").await.body;
    let leases = list["resources"]
        .as_array()
        .unwrap()
        .iter()
        .find(|own| own["name"] == "leases")
        .unwrap()
        .clone();
    assert_eq!(
        (
            leases["kind"].as_str(),
            leases["namespaced"].as_bool(),
            leases["singularName"].as_str()
        ),
        (Some("Lease"), Some(true), Some("lease"))
    );
    assert_eq!(
        leases["verbs"],
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
    );
}
