//! WATCH: which events come, from which version on, and how the stream ends.

use serde_json::{Value, json};

use super::expect::{FORBIDDEN, bad_request, failure, invalid};
use super::server::{Server, summary, version};

crate::contract!(
    a_watch_shows_what_happens_after_its_version,
    a_watch_shows_what_happens_while_it_is_open,
    a_watch_without_a_version_begins_with_what_there_is,
    a_watch_from_version_zero_begins_with_what_there_is,
    a_watch_resumes_where_another_ended,
    events_show_the_object_as_it_is_read,
    a_deletion_shows_the_last_state_under_a_new_version,
    a_watch_of_one_name_is_silent_about_others,
    a_lease_enters_and_leaves_a_selection,
    a_watch_of_one_namespace_is_silent_about_others,
    a_dry_run_is_no_event,
    a_write_that_changes_nothing_is_no_event,
    a_watch_ends_with_its_timeout,
    a_watch_from_the_future_is_silent,
    a_bookmark_comes_before_the_end,
    initial_events_can_be_asked_for_and_have_an_end,
    initial_events_need_a_match,
    a_watch_of_a_path_with_a_name_is_a_read,
    selectors_and_versions_are_checked,
    any_word_but_false_is_a_watch,
);

async fn set(server: &Server, name: &str, spec: Value) -> Value {
    let path = server.leases(&format!("/{name}"));
    server
        .patch(&path, "merge", &json!({"spec": spec}))
        .await
        .is(200)
}

async fn label(server: &Server, name: &str, labels: Value) -> Value {
    let path = server.leases(&format!("/{name}"));
    let patch = json!({"metadata": {"labels": labels}});
    server.patch(&path, "merge", &patch).await.is(200)
}

fn happened(kind: &str, name: &str) -> (String, String) {
    (kind.to_owned(), name.to_owned())
}

async fn events(server: &Server, query: &str) -> Vec<(String, String)> {
    let path = server.leases(&format!("?watch=true&timeoutSeconds=1{query}"));
    let events = server.watch(&path).await.rest().await;
    events.iter().map(summary).collect()
}

async fn a_watch_shows_what_happens_after_its_version(server: &Server) {
    let first = server.lease("x", json!({})).await;
    set(server, "x", json!({"holderIdentity": "a"})).await;
    server.remove("x").await;
    server.lease("x", json!({})).await;
    let seen = events(server, &format!("&resourceVersion={}", version(&first))).await;
    let expected = [
        happened("MODIFIED", "x"),
        happened("DELETED", "x"),
        happened("ADDED", "x"),
    ];
    assert_eq!(seen, expected);
}

async fn a_watch_shows_what_happens_while_it_is_open(server: &Server) {
    let list = server.get(&server.leases("")).await.is(200);
    let path = server.leases(&format!("?watch=true&resourceVersion={}", version(&list)));
    let mut watch = server.watch(&path).await;
    server.lease("x", json!({})).await;
    assert_eq!(watch.next_of().await, happened("ADDED", "x"));
    set(server, "x", json!({"holderIdentity": "a"})).await;
    assert_eq!(watch.next_of().await, happened("MODIFIED", "x"));
    server.remove("x").await;
    assert_eq!(watch.next_of().await, happened("DELETED", "x"));
}

async fn a_watch_without_a_version_begins_with_what_there_is(server: &Server) {
    for name in ["b", "a"] {
        server.lease(name, json!({})).await;
    }
    set(server, "b", json!({"holderIdentity": "a"})).await;
    let mut seen = events(server, "").await;
    seen.sort();
    assert_eq!(seen, [happened("ADDED", "a"), happened("ADDED", "b")]);
}

async fn a_watch_from_version_zero_begins_with_what_there_is(server: &Server) {
    server.lease("a", json!({})).await;
    assert_eq!(
        events(server, "&resourceVersion=0").await,
        [happened("ADDED", "a")]
    );
}

async fn a_watch_resumes_where_another_ended(server: &Server) {
    let first = server.lease("x", json!({})).await;
    let path = server.leases(&format!("?watch=true&resourceVersion={}", version(&first)));
    let mut watch = server.watch(&path).await;
    set(server, "x", json!({"holderIdentity": "a"})).await;
    let event = watch.next().await.unwrap();
    drop(watch);
    set(server, "x", json!({"holderIdentity": "b"})).await;
    let path = server.leases(&format!(
        "?watch=true&resourceVersion={}",
        version(&event["object"])
    ));
    let event = server.watch(&path).await.next().await.unwrap();
    assert_eq!(event["object"]["spec"]["holderIdentity"], "b");
}

async fn events_show_the_object_as_it_is_read(server: &Server) {
    let lease = server.lease("x", json!({"holderIdentity": "me"})).await;
    let mut watch = server.watch(&server.leases("?watch=true")).await;
    let event = watch.next().await.unwrap();
    assert_eq!(event, json!({"type": "ADDED", "object": lease}));
    let changed = set(server, "x", json!({"holderIdentity": "you"})).await;
    let event = watch.next().await.unwrap();
    assert_eq!(event, json!({"type": "MODIFIED", "object": changed}));
}

async fn a_deletion_shows_the_last_state_under_a_new_version(server: &Server) {
    let lease = server.lease("x", json!({"holderIdentity": "me"})).await;
    let path = server.leases(&format!("?watch=true&resourceVersion={}", version(&lease)));
    let mut watch = server.watch(&path).await;
    server.remove("x").await;
    let event = watch.next().await.unwrap();
    let (gone, was) = (version(&event["object"]), version(&lease));
    assert!(gone.parse::<u64>().unwrap() > was.parse().unwrap());
    let mut expected = lease.clone();
    expected["metadata"]["resourceVersion"] = json!(gone);
    assert_eq!(event, json!({"type": "DELETED", "object": expected}));
}

async fn a_watch_of_one_name_is_silent_about_others(server: &Server) {
    let first = server.lease("x", json!({})).await;
    server.lease("y", json!({})).await;
    set(server, "x", json!({"holderIdentity": "a"})).await;
    let query = format!(
        "&fieldSelector=metadata.name%3Dx&resourceVersion={}",
        version(&first)
    );
    assert_eq!(events(server, &query).await, [happened("MODIFIED", "x")]);
}

async fn a_lease_enters_and_leaves_a_selection(server: &Server) {
    let first = server.lease("x", json!({})).await;
    label(server, "x", json!({"a": "b"})).await;
    let last = set(server, "x", json!({"holderIdentity": "a"})).await;
    let left = label(server, "x", json!({"a": null})).await;
    let path = server.leases(&format!(
        "?watch=true&timeoutSeconds=1&labelSelector=a%3Db&resourceVersion={}",
        version(&first)
    ));
    let seen = server.watch(&path).await.rest().await;
    let kinds: Vec<_> = seen.iter().map(summary).collect();
    let expected = [
        happened("ADDED", "x"),
        happened("MODIFIED", "x"),
        happened("DELETED", "x"),
    ];
    assert_eq!(kinds, expected);
    // What left is shown as it was while it still belonged, under the version that took it out.
    let mut expected = last.clone();
    expected["metadata"]["resourceVersion"] = json!(version(&left));
    assert_eq!(seen[2]["object"], expected);
}

async fn a_watch_of_one_namespace_is_silent_about_others(server: &Server) {
    let first = server.lease("x", json!({})).await;
    let elsewhere = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
    let lease = json!({"metadata": {"generateName": "elsewhere-"}});
    server.post(elsewhere, &lease).await.is(201);
    let seen = events(server, &format!("&resourceVersion={}", version(&first))).await;
    assert_eq!(seen, []);
}

async fn a_dry_run_is_no_event(server: &Server) {
    let first = server.lease("x", json!({})).await;
    let path = server.leases("/x?dryRun=All");
    let patch = json!({"spec": {"holderIdentity": "dry"}});
    server.patch(&path, "merge", &patch).await.is(200);
    server.delete(&path).await.is(200);
    let seen = events(server, &format!("&resourceVersion={}", version(&first))).await;
    assert_eq!(seen, []);
}

async fn a_write_that_changes_nothing_is_no_event(server: &Server) {
    let first = server.lease("x", json!({"holderIdentity": "me"})).await;
    server.put(&server.leases("/x"), &first).await.is(200);
    let seen = events(server, &format!("&resourceVersion={}", version(&first))).await;
    assert_eq!(seen, []);
}

async fn a_watch_ends_with_its_timeout(server: &Server) {
    let start = std::time::Instant::now();
    let watch = server
        .watch(&server.leases("?watch=true&timeoutSeconds=1"))
        .await;
    assert_eq!(watch.rest().await, [Value::Null; 0]);
    assert!(start.elapsed().as_millis() >= 900, "{:?}", start.elapsed());
}

async fn a_watch_from_the_future_is_silent(server: &Server) {
    server.lease("x", json!({})).await;
    assert_eq!(events(server, "&resourceVersion=999999999").await, []);
}

async fn a_bookmark_comes_before_the_end(server: &Server) {
    let lease = server.lease("x", json!({})).await;
    let path = server.leases(&format!(
        "?watch=true&allowWatchBookmarks=true&timeoutSeconds=10&fieldSelector=metadata.name%3Dx&resourceVersion={}",
        version(&lease)
    ));
    let mut watch = server.watch(&path).await;
    // A bookmark tells of what the watch does not show; where nothing happens at all, a real server sends none.
    let other = server.lease("y", json!({})).await;
    let event = watch.next().await.unwrap();
    let seen = version(&event["object"]);
    assert!(seen.parse::<u64>().unwrap() >= version(&other).parse().unwrap());
    let object = json!({
        "kind": "Lease", "apiVersion": "coordination.k8s.io/v1", "metadata": {"resourceVersion": seen}, "spec": {}
    });
    assert_eq!(event, json!({"type": "BOOKMARK", "object": object}));
    // There may be more of them, and nothing else.
    let rest = watch.rest().await;
    assert!(
        rest.iter().all(|event| event["type"] == "BOOKMARK"),
        "{rest:?}"
    );
}

async fn initial_events_can_be_asked_for_and_have_an_end(server: &Server) {
    server.lease("a", json!({})).await;
    server.lease("b", json!({})).await;
    let path = server.leases(
        "?watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan",
    );
    let mut watch = server.watch(&path).await;
    assert_eq!(watch.next_of().await, happened("ADDED", "a"));
    assert_eq!(watch.next_of().await, happened("ADDED", "b"));
    let end = watch.next().await.unwrap();
    assert_eq!(end["type"], "BOOKMARK");
    assert_eq!(
        end["object"]["metadata"]["annotations"],
        json!({"k8s.io/initial-events-end": "true"})
    );
    server.lease("c", json!({})).await;
    assert_eq!(watch.next_of().await, happened("ADDED", "c"));
}

async fn initial_events_need_a_match(server: &Server) {
    let message =
        "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
    let expected = invalid(
        "ListOptions.meta.k8s.io",
        "",
        &[(FORBIDDEN, "resourceVersionMatch", message)],
    );
    let path = server.leases("?watch=true&sendInitialEvents=true");
    server.get(&path).await.fails(&expected);
}

async fn a_watch_of_a_path_with_a_name_is_a_read(server: &Server) {
    let lease = server.lease("x", json!({})).await;
    assert_eq!(
        server.get(&server.leases("/x?watch=true")).await.is(200),
        lease
    );
}

async fn selectors_and_versions_are_checked(server: &Server) {
    let answer = server
        .get(&server.leases("?watch=true&fieldSelector=spec.x%3D1"))
        .await;
    answer.fails(&bad_request(
        "\"spec.x\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
    ));
    let answer = server
        .get(&server.leases("?watch=true&resourceVersion=x"))
        .await;
    let message =
        "resourceVersion: Invalid value: \"x\": strconv.ParseUint: parsing \"x\": invalid syntax";
    answer.fails(&failure(500, "", message));
}

async fn any_word_but_false_is_a_watch(server: &Server) {
    for word in ["true", "1", "x", ""] {
        let path = server.leases(&format!("?watch={word}&timeoutSeconds=1"));
        assert_eq!(
            server.watch(&path).await.rest().await,
            [Value::Null; 0],
            "{word}"
        );
    }
    for word in ["false", "0"] {
        let path = server.leases(&format!("?watch={word}"));
        assert_eq!(
            server.get(&path).await.is(200)["kind"],
            "LeaseList",
            "{word}"
        );
    }
}
