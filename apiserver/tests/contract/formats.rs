//! What an answer looks like: tables, metadata alone, protobuf, YAML.

use http::header::ACCEPT;
use serde_json::{Value, json};

use super::expect::{LEASES, bad_request, failure, not_found, with_details};
use super::server::{Server, version};

crate::contract!(
    a_lease_is_a_row_of_a_table,
    a_list_is_a_table,
    a_page_of_a_table_says_how_to_go_on,
    a_row_has_as_much_of_the_object_as_is_asked_for,
    a_failure_is_no_table,
    a_new_lease_can_be_answered_as_a_table,
    metadata_alone_can_be_asked_for,
    a_list_of_metadata_can_be_asked_for,
    the_kind_of_a_list_is_not_that_of_an_object,
    protobuf_is_smaller_than_json,
    yaml_can_be_asked_for,
    the_first_format_that_is_known_is_taken,
    a_preference_is_weighed,
    a_failure_is_answered_in_the_format_too,
    other_formats_are_not_acceptable,
);

const PARTIAL: &str = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
const PARTIAL_LIST: &str = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";

/// But for the descriptions, which are prose for people.
pub(crate) fn columns(table: &Value) -> Vec<Value> {
    let mut columns = table["columnDefinitions"].as_array().unwrap().clone();
    for column in &mut columns {
        let description = column.as_object_mut().unwrap().remove("description");
        assert!(description.is_some_and(|text| text != ""), "{column}");
    }
    columns
}

pub(crate) fn lease_columns() -> [Value; 3] {
    [("Name", "name"), ("Holder", ""), ("Age", "")].map(
        |(name, format)| json!({"name": name, "type": "string", "format": format, "priority": 0}),
    )
}

/// A row, but for the age, which is the one thing that a test cannot know.
pub(crate) fn row(table: &Value, number: usize) -> Value {
    let mut row = table["rows"][number].clone();
    let age = row["cells"][2].as_str().unwrap();
    let seconds = age.strip_suffix('s').unwrap();
    assert!(seconds.parse::<u32>().unwrap() < 60, "{age}");
    row["cells"].as_array_mut().unwrap().pop();
    row
}

pub(crate) fn partial(lease: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": lease["metadata"]})
}

async fn held(server: &Server) -> Value {
    server.lease("x", json!({"holderIdentity": "me"})).await
}

async fn a_lease_is_a_row_of_a_table(server: &Server) {
    let lease = held(server).await;
    let table = server.get(&server.leases("/x")).table().await.is(200);
    assert_eq!(
        row(&table, 0),
        json!({"cells": ["x", "me"], "object": partial(&lease)})
    );
    assert_eq!(columns(&table), lease_columns());
    let mut frame = table.clone();
    frame["rows"] = json!([]);
    frame["columnDefinitions"] = json!([]);
    let expected = json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": version(&lease)},
        "columnDefinitions": [], "rows": []
    });
    assert_eq!(frame, expected);
}

async fn a_list_is_a_table(server: &Server) {
    let lease = held(server).await;
    let free = server.lease("y", json!({})).await;
    let table = server.get(&server.leases("")).table().await.is(200);
    assert_eq!(columns(&table), lease_columns());
    assert_eq!(
        row(&table, 0),
        json!({"cells": ["x", "me"], "object": partial(&lease)})
    );
    assert_eq!(
        row(&table, 1),
        json!({"cells": ["y", ""], "object": partial(&free)})
    );
    let path = server.leases("?fieldSelector=metadata.name%3Dnone");
    let empty = server.get(&path).table().await.is(200);
    assert_eq!(empty["rows"], json!([]));
    assert_eq!(columns(&empty), lease_columns());
}

async fn a_page_of_a_table_says_how_to_go_on(server: &Server) {
    held(server).await;
    server.lease("y", json!({})).await;
    let page = server.get(&server.leases("?limit=1")).table().await.is(200);
    assert_eq!(page["metadata"]["remainingItemCount"], 1);
    let next = page["metadata"]["continue"].as_str().unwrap();
    let path = server.leases(&format!("?limit=1&continue={next}"));
    let page = server.get(&path).table().await.is(200);
    assert_eq!(page["rows"][0]["cells"][0], "y");
    assert_eq!(page["metadata"]["continue"], Value::Null);
}

async fn a_row_has_as_much_of_the_object_as_is_asked_for(server: &Server) {
    let lease = held(server).await;
    for (query, expected) in [
        ("", partial(&lease)),
        ("?includeObject=Metadata", partial(&lease)),
        ("?includeObject=Object", lease.clone()),
        ("?includeObject=None", Value::Null),
    ] {
        let path = server.leases(&format!("/x{query}"));
        let table = server.get(&path).table().await.is(200);
        assert_eq!(table["rows"][0]["object"], expected, "{query}");
    }
    let answer = server
        .get(&server.leases("/x?includeObject=x"))
        .table()
        .await;
    answer.fails(&bad_request(
        "Unable to convert to Table as requested: includeObject: Invalid value: \"x\": must be 'Metadata', 'Object', \
         'None', or empty",
    ));
}

async fn a_failure_is_no_table(server: &Server) {
    let answer = server.get(&server.leases("/x")).table().await;
    answer.fails(&not_found(LEASES, "x"));
}

async fn a_new_lease_can_be_answered_as_a_table(server: &Server) {
    let lease = json!({"metadata": {"name": "x"}, "spec": {"holderIdentity": "me"}});
    let table = server
        .post(&server.leases(""), &lease)
        .table()
        .await
        .is(201);
    assert_eq!(row(&table, 0)["cells"], json!(["x", "me"]));
}

async fn metadata_alone_can_be_asked_for(server: &Server) {
    let lease = held(server).await;
    let answer = server
        .get(&server.leases("/x"))
        .header(ACCEPT, PARTIAL)
        .await;
    assert_eq!(answer.is(200), partial(&lease));
}

async fn a_list_of_metadata_can_be_asked_for(server: &Server) {
    let lease = held(server).await;
    let list = server
        .get(&server.leases(""))
        .header(ACCEPT, PARTIAL_LIST)
        .await
        .is(200);
    let expected = json!({
        "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": list["metadata"],
        "items": [partial(&lease)]
    });
    assert_eq!(list, expected);
    assert!(version(&list).parse::<u64>().is_ok(), "{list}");
}

async fn the_kind_of_a_list_is_not_that_of_an_object(server: &Server) {
    let answer = server.get(&server.leases("")).header(ACCEPT, PARTIAL).await;
    let message = "you requested PartialObjectMetadata, but the requested object is a list (*coordination.LeaseList)";
    answer.fails(&failure(406, "NotAcceptable", message));
}

async fn protobuf_is_smaller_than_json(server: &Server) {
    held(server).await;
    let plain = server.get(&server.leases("/x")).await;
    let protobuf = server
        .get(&server.leases("/x"))
        .header(ACCEPT, "application/vnd.kubernetes.protobuf")
        .await;
    assert_eq!(protobuf.code, 200);
    assert_eq!(
        protobuf.header("content-type"),
        "application/vnd.kubernetes.protobuf"
    );
    assert!(protobuf.text.starts_with("k8s\0"), "{}", protobuf.text);
    assert!(protobuf.text.len() < plain.text.len());
}

async fn yaml_can_be_asked_for(server: &Server) {
    let lease = held(server).await;
    let yaml = server
        .get(&server.leases("/x"))
        .header(ACCEPT, "application/yaml")
        .await;
    assert_eq!(yaml.header("content-type"), "application/yaml");
    let read: Value = serde_saphyr::from_str(&yaml.text).unwrap();
    assert_eq!(read, lease);
}

async fn the_first_format_that_is_known_is_taken(server: &Server) {
    let lease = held(server).await;
    for accept in [
        "*/*",
        "text/html, application/json",
        "application/cbor;q=0.9,*/*",
    ] {
        let answer = server
            .get(&server.leases("/x"))
            .header(ACCEPT, accept)
            .await;
        assert_eq!(
            answer.header("content-type"),
            "application/json",
            "{accept}"
        );
        assert_eq!(answer.is(200), lease);
    }
}

async fn a_preference_is_weighed(server: &Server) {
    held(server).await;
    for (accept, expected) in [
        (
            "application/yaml,application/json;q=0.1",
            "application/yaml",
        ),
        (
            "application/json;q=0.1,application/yaml",
            "application/yaml",
        ),
        (
            "application/yaml;q=0.1,application/json",
            "application/json",
        ),
    ] {
        let answer = server
            .get(&server.leases("/x"))
            .header(ACCEPT, accept)
            .await;
        assert_eq!(answer.header("content-type"), expected, "{accept}");
    }
}

async fn a_failure_is_answered_in_the_format_too(server: &Server) {
    let path = server.leases("/x");
    let yaml = server.get(&path).header(ACCEPT, "application/yaml").await;
    assert_eq!(
        (yaml.code, yaml.header("content-type")),
        (404, "application/yaml")
    );
    let read: Value = serde_saphyr::from_str(&yaml.text).unwrap();
    assert_eq!(read, not_found(LEASES, "x"));
    let format = "application/vnd.kubernetes.protobuf";
    let protobuf = server.get(&path).header(ACCEPT, format).await;
    assert_eq!(
        (protobuf.code, protobuf.header("content-type")),
        (404, format)
    );
    assert!(protobuf.text.starts_with("k8s\0"), "{}", protobuf.text);
    let message = "leases.coordination.k8s.io \"x\" not found";
    assert!(protobuf.text.contains(message), "{}", protobuf.text);
}

async fn other_formats_are_not_acceptable(server: &Server) {
    held(server).await;
    let answer = server
        .get(&server.leases("/x"))
        .header(ACCEPT, "text/html")
        .await;
    let message = "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, \
                   application/vnd.kubernetes.protobuf";
    answer.fails(&with_details(406, "NotAcceptable", message, json!({})));
    let nothing = "application/json;as=Nope;v=v1;g=meta.k8s.io";
    let answer = server
        .get(&server.leases("/x"))
        .header(ACCEPT, nothing)
        .await;
    let message = "only the following media types are accepted: application/json, application/yaml, \
                   application/vnd.kubernetes.protobuf";
    answer.fails(&failure(406, "NotAcceptable", message));
}
