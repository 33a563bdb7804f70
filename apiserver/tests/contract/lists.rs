//! LIST: pages, selectors and versions.

use serde_json::{Value, json};

use super::expect::{FORBIDDEN, UNSUPPORTED, bad_request, invalid};
use super::server::{Server, names, version};

crate::contract!(
    a_list_is_sorted_and_its_items_are_bare,
    pages_are_complete_and_say_what_remains,
    pages_show_one_moment,
    a_page_of_a_selection_does_not_say_what_remains,
    a_list_of_all_namespaces_has_every_lease,
    a_namespace_that_does_not_exist_is_empty,
    fields_that_select_are_name_and_namespace,
    field_selectors_have_a_syntax,
    labels_select,
    label_selectors_have_a_syntax,
    limits_are_numbers,
    continue_tokens_are_checked,
    an_exact_version_is_the_list_of_then,
    how_a_version_has_to_match_is_checked,
);

async fn create(server: &Server, names: &[&str]) {
    for (number, name) in names.iter().enumerate() {
        let parity = if number % 2 == 0 { "even" } else { "odd" };
        let labels = json!({"number": number.to_string(), "parity": parity});
        let lease = json!({"metadata": {"name": name, "labels": labels}});
        server.post(&server.leases(""), &lease).await.is(201);
    }
}

async fn list(server: &Server, query: &str) -> Value {
    server.get(&server.leases(query)).await.is(200)
}

async fn a_list_is_sorted_and_its_items_are_bare(server: &Server) {
    let second = server.lease("b", json!({"holderIdentity": "me"})).await;
    server.lease("a", json!({})).await;
    let list = list(server, "").await;
    assert_eq!(list["kind"], "LeaseList");
    assert_eq!(list["apiVersion"], "coordination.k8s.io/v1");
    assert_eq!(names(&list), ["a", "b"]);
    let mut item = second.clone();
    item.as_object_mut()
        .unwrap()
        .retain(|key, _| key == "metadata" || key == "spec");
    assert_eq!(list["items"][1], item);
    let keys: Vec<&String> = list["metadata"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["resourceVersion"]);
    let (list, newest) = (version(&list), version(&second));
    assert!(list.parse::<u64>().unwrap() >= newest.parse().unwrap());
}

async fn pages_are_complete_and_say_what_remains(server: &Server) {
    create(server, &["a", "b", "c", "d", "e"]).await;
    let mut query = "?limit=2".to_owned();
    for (expected, remaining) in [
        (&["a", "b"][..], json!(3)),
        (&["c", "d"], json!(1)),
        (&["e"], Value::Null),
    ] {
        let page = list(server, &query).await;
        assert_eq!(names(&page), expected);
        assert_eq!(page["metadata"]["remainingItemCount"], remaining);
        let next = page["metadata"]["continue"].as_str();
        assert_eq!(next.is_some(), !remaining.is_null());
        query = format!("?limit=2&continue={}", next.unwrap_or_default());
    }
    let whole = list(server, "?limit=5").await;
    assert_eq!(whole["metadata"]["continue"], Value::Null);
    assert_eq!(whole["metadata"]["remainingItemCount"], Value::Null);
}

async fn pages_show_one_moment(server: &Server) {
    create(server, &["a", "b", "c"]).await;
    let first = list(server, "?limit=1").await;
    server.remove("c").await;
    server.lease("bb", json!({})).await;
    let next = first["metadata"]["continue"].as_str().unwrap();
    let rest = list(server, &format!("?limit=9&continue={next}")).await;
    assert_eq!(names(&rest), ["b", "c"]);
    assert_eq!(version(&rest), version(&first));
}

async fn a_page_of_a_selection_does_not_say_what_remains(server: &Server) {
    create(server, &["a", "b", "c", "d"]).await;
    let first = list(server, "?limit=1&labelSelector=parity%3Dodd").await;
    assert_eq!(names(&first), ["b"]);
    assert_eq!(first["metadata"]["remainingItemCount"], Value::Null);
    let next = first["metadata"]["continue"].as_str().unwrap();
    let rest = list(
        server,
        &format!("?limit=1&labelSelector=parity%3Dodd&continue={next}"),
    )
    .await;
    assert_eq!(names(&rest), ["d"]);
}

async fn a_list_of_all_namespaces_has_every_lease(server: &Server) {
    create(server, &["a"]).await;
    let namespace = &server.namespace;
    let path = format!(
        "/apis/coordination.k8s.io/v1/leases?fieldSelector=metadata.namespace%3D{namespace}"
    );
    let list = server.get(&path).await.is(200);
    assert_eq!(names(&list), ["a"]);
    assert_eq!(list["items"][0]["metadata"]["namespace"], *namespace);
}

async fn a_namespace_that_does_not_exist_is_empty(server: &Server) {
    let path = "/apis/coordination.k8s.io/v1/namespaces/nope/leases";
    assert_eq!(names(&server.get(path).await.is(200)), [""; 0]);
}

async fn fields_that_select_are_name_and_namespace(server: &Server) {
    create(server, &["a", "b", "c"]).await;
    let own = format!("metadata.namespace%3D{}", server.namespace);
    for (selector, expected) in [
        ("metadata.name%3Db", &["b"][..]),
        ("metadata.name%3D%3Db", &["b"]),
        ("metadata.name!%3Db", &["a", "c"]),
        ("metadata.name%3Dnone", &[]),
        ("metadata.namespace%3Dother", &[]),
        (&own, &["a", "b", "c"]),
        (&format!("metadata.name%3Da,{own}"), &["a"]),
    ] {
        let list = list(server, &format!("?fieldSelector={selector}")).await;
        assert_eq!(names(&list), expected, "{selector}");
    }
    let answer = server
        .get(&server.leases("?fieldSelector=spec.holderIdentity%3Dx"))
        .await;
    answer.fails(&bad_request(
        "\"spec.holderIdentity\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
    ));
}

async fn field_selectors_have_a_syntax(server: &Server) {
    let answer = server.get(&server.leases("?fieldSelector=bogus")).await;
    answer.fails(&bad_request(
        "invalid selector: 'bogus'; can't understand 'bogus'",
    ));
}

async fn labels_select(server: &Server) {
    create(server, &["a", "b", "c", "d"]).await;
    server.lease("bare", json!({})).await;
    for (selector, expected) in [
        ("parity%3Deven", &["a", "c"][..]),
        ("parity%3D%3Deven", &["a", "c"]),
        ("parity!%3Deven", &["b", "bare", "d"]),
        ("parity", &["a", "b", "c", "d"]),
        ("!parity", &["bare"]),
        ("number%20in%20(0,1)", &["a", "b"]),
        ("number%20notin%20(0,1)", &["bare", "c", "d"]),
        ("parity%3Deven,number!%3D0", &["c"]),
        ("number%3E1", &["c", "d"]),
        ("number%3C1", &["a"]),
        ("", &["a", "b", "bare", "c", "d"]),
    ] {
        let list = list(server, &format!("?labelSelector={selector}")).await;
        assert_eq!(names(&list), expected, "{selector}");
    }
}

async fn label_selectors_have_a_syntax(server: &Server) {
    for (selector, why) in [
        ("a%20b", "found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("n%20in%201", "found '1' expected: '('"),
    ] {
        let answer = server
            .get(&server.leases(&format!("?labelSelector={selector}")))
            .await;
        answer.fails(&bad_request(&format!("unable to parse requirement: {why}")));
    }
}

async fn limits_are_numbers(server: &Server) {
    create(server, &["a", "b"]).await;
    for query in ["?limit=0", "?limit=-1"] {
        assert_eq!(names(&list(server, query).await), ["a", "b"], "{query}");
    }
    for (query, value) in [
        ("?limit=x", "x"),
        ("?limit=", ""),
        ("?timeoutSeconds=x", "x"),
    ] {
        let message = format!("strconv.ParseInt: parsing \"{value}\": invalid syntax");
        server
            .get(&server.leases(query))
            .await
            .fails(&bad_request(&message));
    }
}

async fn continue_tokens_are_checked(server: &Server) {
    create(server, &["a", "b"]).await;
    let answer = server
        .get(&server.leases("?limit=1&continue=nonsense"))
        .await;
    let message = answer.body["message"].as_str().unwrap();
    let start = "invalid continue token: continue key is not valid: ";
    assert!(message.starts_with(start), "{message}");
    answer.fails(&bad_request(message));
    let first = list(server, "?limit=1").await;
    let next = first["metadata"]["continue"].as_str().unwrap();
    let path = server.leases(&format!("?limit=1&resourceVersion=1&continue={next}"));
    let message = "specifying resource version is not allowed when using continue";
    server.get(&path).await.fails(&bad_request(message));
}

async fn an_exact_version_is_the_list_of_then(server: &Server) {
    create(server, &["a", "b"]).await;
    let then = list(server, "").await;
    server.remove("a").await;
    server.lease("c", json!({})).await;
    let query = format!(
        "?resourceVersionMatch=Exact&resourceVersion={}",
        version(&then)
    );
    let again = list(server, &query).await;
    assert_eq!(names(&again), ["a", "b"]);
    assert_eq!(version(&again), version(&then));
    let query = format!(
        "?resourceVersionMatch=NotOlderThan&resourceVersion={}",
        version(&then)
    );
    let newer = version(&list(server, &query).await).parse::<u64>().unwrap();
    assert!(newer >= version(&then).parse().unwrap());
}

async fn how_a_version_has_to_match_is_checked(server: &Server) {
    for (query, reason, message) in [
        (
            "?resourceVersionMatch=Exact&resourceVersion=0",
            FORBIDDEN,
            "Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"",
        ),
        (
            "?resourceVersionMatch=Exact",
            FORBIDDEN,
            "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
        ),
        (
            "?resourceVersionMatch=Nope&resourceVersion=5",
            UNSUPPORTED,
            "Unsupported value: \"Nope\": supported values: \"Exact\", \"NotOlderThan\", \"\"",
        ),
    ] {
        let expected = invalid(
            "ListOptions.meta.k8s.io",
            "",
            &[(reason, "resourceVersionMatch", message)],
        );
        server.get(&server.leases(query)).await.fails(&expected);
    }
}
