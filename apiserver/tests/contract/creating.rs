//! POST of a Lease: what the server fills in, and what it refuses.

use serde_json::{Value, json};

use super::expect::{
    INVALID, LEASE, LEASES, REQUIRED, already_exists, bad_request, failure, invalid, not_found,
};
use super::server::{Server, uid, version};

crate::contract!(
    a_new_lease_is_answered_with_what_the_server_fills_in,
    a_new_lease_is_stored_as_it_was_answered,
    an_existing_name_is_refused,
    a_generated_name_is_the_prefix_and_five_characters,
    a_name_wins_over_a_prefix,
    the_namespace_has_to_exist,
    the_namespaces_of_path_and_body_have_to_agree,
    names_are_dns_subdomains,
    a_name_of_253_characters_is_the_longest,
    a_name_is_required,
    durations_and_transitions_have_bounds,
    all_faults_are_reported_at_once,
    a_renew_time_has_six_decimals,
    a_time_of_another_zone_is_answered_in_utc,
    an_empty_spec_and_odd_holders_are_taken,
    a_resource_version_is_refused,
    a_uid_and_a_creation_time_are_replaced,
    labels_have_a_syntax,
    a_dry_run_stores_nothing,
    resource_versions_rise,
);

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or \
                         '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used \
                         for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

fn named(name: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {}})
}

fn with_spec(spec: Value) -> Value {
    json!({"metadata": {"name": "x"}, "spec": spec})
}

async fn a_new_lease_is_answered_with_what_the_server_fills_in(server: &Server) {
    let spec = json!({
        "holderIdentity": "me", "leaseDurationSeconds": 30, "leaseTransitions": 0,
        "acquireTime": "2026-11-23T09:00:00.000000Z", "renewTime": "2026-11-23T09:00:00.123456Z"
    });
    let lease = server.lease("x", spec.clone()).await;
    let created = lease["metadata"]["creationTimestamp"].as_str().unwrap();
    assert_eq!(created.len(), "2026-11-23T09:00:00Z".len(), "{created}");
    assert!(created.ends_with('Z'), "{created}");
    assert_eq!(uid(&lease).len(), 36);
    assert!(version(&lease).parse::<u64>().unwrap() > 0);
    let expected = json!({
        "kind": "Lease", "apiVersion": "coordination.k8s.io/v1", "spec": spec,
        "metadata": {
            "name": "x", "namespace": server.namespace, "uid": uid(&lease), "resourceVersion": version(&lease),
            "creationTimestamp": created,
            "managedFields": [{
                "manager": "creator", "operation": "Update", "apiVersion": "coordination.k8s.io/v1", "time": created,
                "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {
                    "f:acquireTime": {}, "f:holderIdentity": {}, "f:leaseDurationSeconds": {},
                    "f:leaseTransitions": {}, "f:renewTime": {}
                }}
            }]
        }
    });
    assert_eq!(lease, expected);
}

async fn a_new_lease_is_stored_as_it_was_answered(server: &Server) {
    let lease = server.lease("x", json!({"holderIdentity": "me"})).await;
    assert_eq!(server.get(&server.leases("/x")).await.is(200), lease);
}

async fn an_existing_name_is_refused(server: &Server) {
    server.lease("x", json!({})).await;
    let again = server.post(&server.leases(""), &named("x")).await;
    again.fails(&already_exists(LEASES, "x", ""));
}

async fn a_generated_name_is_the_prefix_and_five_characters(server: &Server) {
    let lease = json!({"metadata": {"generateName": "gen-"}, "spec": {}});
    let first = server.post(&server.leases(""), &lease).await.is(201);
    let second = server.post(&server.leases(""), &lease).await.is(201);
    assert_ne!(first["metadata"]["name"], second["metadata"]["name"]);
    for made in [first, second] {
        let metadata = &made["metadata"];
        let name = metadata["name"].as_str().unwrap();
        let end = name.strip_prefix("gen-").unwrap();
        assert_eq!(end.len(), 5, "{name}");
        // Neither vowels nor digits that look like letters, so that no word comes out.
        let alphabet = "bcdfghjklmnpqrstvwxz2456789";
        assert!(
            end.chars().all(|letter| alphabet.contains(letter)),
            "{name}"
        );
        assert_eq!(metadata["generateName"], "gen-");
        assert_eq!(
            metadata["managedFields"][0]["fieldsV1"],
            json!({"f:metadata": {"f:generateName": {}}})
        );
    }
}

async fn a_name_wins_over_a_prefix(server: &Server) {
    let lease = json!({"metadata": {"name": "x", "generateName": "gen-"}});
    let made = server.post(&server.leases(""), &lease).await.is(201);
    assert_eq!(made["metadata"]["name"], "x");
}

async fn the_namespace_has_to_exist(server: &Server) {
    let path = "/apis/coordination.k8s.io/v1/namespaces/nope/leases";
    let answer = server.post(path, &named("x")).await;
    answer.fails(&not_found("namespaces", "nope"));
}

async fn the_namespaces_of_path_and_body_have_to_agree(server: &Server) {
    let lease = json!({"metadata": {"name": "x", "namespace": "other"}});
    server
        .post(&server.leases(""), &lease)
        .await
        .fails(&bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
}

async fn names_are_dns_subdomains(server: &Server) {
    let message = |name: &str| format!("Invalid value: \"{name}\": {SUBDOMAIN}");
    for name in [
        "Bad",
        "a_b",
        "gw-lock-AbC",
        "-a",
        "a-",
        "a..b",
        ".a",
        "a b",
        "ä",
    ] {
        let message = message(name);
        let expected = invalid(LEASE, name, &[(INVALID, "metadata.name", &message)]);
        server
            .post(&server.leases(""), &named(name))
            .await
            .fails(&expected);
    }
    for name in ["a", "0", "gw-lock-0123456789abcdef", "a.b", "a-.b"] {
        let answer = server.post(&server.leases(""), &named(name)).await;
        let expected = if name == "a-.b" { 422 } else { 201 };
        assert_eq!(answer.code, expected, "{name}");
    }
}

async fn a_name_of_253_characters_is_the_longest(server: &Server) {
    let longest = "a".repeat(253);
    server
        .post(&server.leases(""), &named(&longest))
        .await
        .is(201);
    let longer = "a".repeat(254);
    let message = format!("Invalid value: \"{longer}\": must be no more than 253 characters");
    let expected = invalid(LEASE, &longer, &[(INVALID, "metadata.name", &message)]);
    server
        .post(&server.leases(""), &named(&longer))
        .await
        .fails(&expected);
}

async fn a_name_is_required(server: &Server) {
    let message = "Required value: name or generateName is required";
    let expected = invalid(LEASE, "", &[(REQUIRED, "metadata.name", message)]);
    for lease in [named(""), json!({"metadata": {}}), json!({})] {
        server
            .post(&server.leases(""), &lease)
            .await
            .fails(&expected);
    }
}

async fn durations_and_transitions_have_bounds(server: &Server) {
    for (field, value, bound) in [
        ("leaseDurationSeconds", 0, "must be greater than 0"),
        ("leaseDurationSeconds", -1, "must be greater than 0"),
        ("leaseTransitions", -1, "must be greater than or equal to 0"),
    ] {
        let (path, message) = (
            format!("spec.{field}"),
            format!("Invalid value: {value}: {bound}"),
        );
        let expected = invalid(LEASE, "x", &[(INVALID, &path, &message)]);
        let lease = with_spec(json!({field: value}));
        server
            .post(&server.leases(""), &lease)
            .await
            .fails(&expected);
    }
}

async fn all_faults_are_reported_at_once(server: &Server) {
    let lease = with_spec(json!({"leaseTransitions": -1, "leaseDurationSeconds": 0}));
    let duration = "Invalid value: 0: must be greater than 0";
    let transitions = "Invalid value: -1: must be greater than or equal to 0";
    let causes = [
        (INVALID, "spec.leaseDurationSeconds", duration),
        (INVALID, "spec.leaseTransitions", transitions),
    ];
    let answer = server.post(&server.leases(""), &lease).await;
    answer.fails(&invalid(LEASE, "x", &causes));
}

async fn a_renew_time_has_six_decimals(server: &Server) {
    for (time, rest, part) in [
        ("yesterday", "yesterday", "2006"),
        ("", "", "2006"),
        ("2026-11-23T09:00:00Z", "Z", ".000000"),
        ("2026-11-23T09:00:00.5Z", ".5Z", ".000000"),
    ] {
        let lease = with_spec(json!({"renewTime": time}));
        let answer = server.post(&server.leases(""), &lease).await;
        answer.fails(&bad_request(&format!(
            "Lease in version \"v1\" cannot be handled as a Lease: parsing time \"{time}\" as \
             \"2006-01-02T15:04:05.000000Z07:00\": cannot parse \"{rest}\" as \"{part}\""
        )));
    }
}

async fn a_time_of_another_zone_is_answered_in_utc(server: &Server) {
    let spec = json!({"renewTime": "2026-11-23T09:00:00.000000+02:00"});
    let lease = server.lease("x", spec).await;
    assert_eq!(
        lease["spec"],
        json!({"renewTime": "2026-11-23T07:00:00.000000Z"})
    );
}

async fn an_empty_spec_and_odd_holders_are_taken(server: &Server) {
    let long = "x".repeat(2000);
    for (name, spec) in [
        ("empty", json!({})),
        ("nobody", json!({"holderIdentity": ""})),
        ("long", json!({"holderIdentity": long})),
        ("odd", json!({"holderIdentity": "a_b\n\u{1f512}"})),
    ] {
        let lease = server.lease(name, spec.clone()).await;
        assert_eq!(lease["spec"], spec);
    }
    let without = json!({"metadata": {"name": "without"}});
    let lease = server.post(&server.leases(""), &without).await.is(201);
    assert_eq!(lease["spec"], json!({}));
    assert_eq!(lease["metadata"]["managedFields"], Value::Null);
}

async fn a_resource_version_is_refused(server: &Server) {
    let lease = json!({"metadata": {"name": "x", "resourceVersion": "5"}});
    let message = "resourceVersion should not be set on objects to be created";
    let answer = server.post(&server.leases(""), &lease).await;
    answer.fails(&failure(500, "", message));
}

async fn a_uid_and_a_creation_time_are_replaced(server: &Server) {
    let lease = json!({"metadata": {
        "name": "x", "uid": "00000000-0000-0000-0000-000000000000", "creationTimestamp": "2020-01-01T00:00:00Z"
    }});
    let made = server.post(&server.leases(""), &lease).await.is(201);
    assert_ne!(made["metadata"]["uid"], lease["metadata"]["uid"]);
    assert_ne!(
        made["metadata"]["creationTimestamp"],
        lease["metadata"]["creationTimestamp"]
    );
}

async fn labels_have_a_syntax(server: &Server) {
    let lease = json!({"metadata": {"name": "x", "labels": {"a b": "c d"}}});
    let key = "Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must \
               start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used \
               for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
    let value = "Invalid value: \"c d\": a valid label must be an empty string or consist of alphanumeric \
                 characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  \
                 or 'my_value',  or '12345', regex used for validation is \
                 '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
    let causes = [
        (INVALID, "metadata.labels", key),
        (INVALID, "metadata.labels", value),
    ];
    let answer = server.post(&server.leases(""), &lease).await;
    answer.fails(&invalid(LEASE, "x", &causes));
}

async fn a_dry_run_stores_nothing(server: &Server) {
    let path = server.leases("?dryRun=All");
    let lease = server.post(&path, &named("x")).await.is(201);
    assert_eq!(lease["metadata"]["resourceVersion"], Value::Null);
    assert_eq!(uid(&lease).len(), 36);
    let stored = server.get(&server.leases("/x")).await;
    stored.fails(&not_found(LEASES, "x"));
    server.lease("x", json!({})).await;
    let again = server.post(&path, &named("x")).await;
    again.fails(&already_exists(LEASES, "x", ""));
}

async fn resource_versions_rise(server: &Server) {
    let mut versions = Vec::new();
    for name in ["a", "b", "c"] {
        let lease = server.lease(name, json!({})).await;
        versions.push(version(&lease).parse::<u64>().unwrap());
    }
    assert!(
        versions.is_sorted_by(|earlier, later| earlier < later),
        "{versions:?}"
    );
}
