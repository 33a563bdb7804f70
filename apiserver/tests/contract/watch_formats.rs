//! Watches whose events are tables or metadata alone, as `kubectl get -w` asks for.

use http::header::ACCEPT;
use serde_json::{Value, json};

use super::formats::{columns, lease_columns, partial, row};
use super::server::{Server, version};

crate::contract!(
    only_the_first_table_has_its_columns,
    an_event_can_be_metadata_alone,
    a_failure_is_no_table,
    a_bookmark_is_a_table_without_columns,
);

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";
const PARTIAL: &str = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";

async fn only_the_first_table_has_its_columns(server: &Server) {
    let first = server.lease("x", json!({"holderIdentity": "me"})).await;
    let path = server.leases("?watch=true");
    let mut watch = server.watch_as(&path, TABLE).await;
    let event = watch.next().await.unwrap();
    assert_eq!(event["type"], "ADDED");
    let table = &event["object"];
    assert_eq!(table["kind"], "Table");
    assert_eq!(
        table["metadata"],
        json!({"resourceVersion": version(&first)})
    );
    assert_eq!(columns(table), lease_columns());
    assert_eq!(
        row(table, 0),
        json!({"cells": ["x", "me"], "object": partial(&first)})
    );

    let second = server.lease("y", json!({})).await;
    let event = watch.next().await.unwrap();
    let table = &event["object"];
    assert_eq!(table["columnDefinitions"], Value::Null);
    assert_eq!(
        row(table, 0),
        json!({"cells": ["y", ""], "object": partial(&second)})
    );
}

async fn an_event_can_be_metadata_alone(server: &Server) {
    let lease = server.lease("x", json!({"holderIdentity": "me"})).await;
    let mut watch = server
        .watch_as(&server.leases("?watch=true"), PARTIAL)
        .await;
    let event = watch.next().await.unwrap();
    assert_eq!(event, json!({"type": "ADDED", "object": partial(&lease)}));
}

async fn a_failure_is_no_table(server: &Server) {
    let path = server.leases("?watch=true&resourceVersion=x");
    let answer = server.get(&path).header(ACCEPT, TABLE).await;
    assert_eq!((answer.code, &answer.body["kind"]), (500, &json!("Status")));
}

async fn a_bookmark_is_a_table_without_columns(server: &Server) {
    server.lease("x", json!({})).await;
    let path = server.leases(
        "?watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan",
    );
    let mut watch = server.watch_as(&path, TABLE).await;
    watch.next().await.unwrap();
    let end = watch.next().await.unwrap();
    assert_eq!(end["type"], "BOOKMARK");
    assert_eq!(end["object"]["kind"], "Table");
    assert_eq!(end["object"]["columnDefinitions"], Value::Null);
    assert_eq!(
        end["object"]["rows"][0]["object"]["metadata"]["annotations"],
        json!({"k8s.io/initial-events-end": "true"})
    );
}
