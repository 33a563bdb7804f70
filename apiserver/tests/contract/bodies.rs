//! What a request's body may be: media types, kinds, field types, and fields that nobody knows.

use serde_json::{Value, json};

use super::expect::{UNSUPPORTED, bad_request, failure, invalid};
use super::server::Server;

crate::contract!(
    unknown_fields_are_dropped_with_a_warning,
    unknown_fields_are_dropped_in_silence_if_asked,
    unknown_and_double_fields_are_refused_if_asked,
    field_validation_has_three_words,
    a_dry_run_is_for_all_or_nothing,
    texts_and_numbers_are_not_mixed_up,
    a_body_is_json,
    a_body_may_be_yaml,
    other_media_types_are_refused,
    another_kind_is_refused,
    another_version_is_refused,
    kind_and_version_may_be_left_out,
    queries_may_have_empty_parts,
);

fn unknown(name: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"bogus": 1}})
}

fn undecodable(why: &str) -> Value {
    bad_request(&format!(
        "Lease in version \"v1\" cannot be handled as a Lease: {why}"
    ))
}

async fn unknown_fields_are_dropped_with_a_warning(server: &Server) {
    for (query, name) in [("", "a"), ("?fieldValidation=Warn", "b")] {
        let answer = server.post(&server.leases(query), &unknown(name)).await;
        assert_eq!(
            answer.header("warning"),
            "299 - \"unknown field \\\"spec.bogus\\\"\""
        );
        assert_eq!(answer.is(201)["spec"], json!({}));
    }
}

async fn unknown_fields_are_dropped_in_silence_if_asked(server: &Server) {
    let path = server.leases("?fieldValidation=Ignore");
    let answer = server.post(&path, &unknown("a")).await;
    assert_eq!(answer.header("warning"), "");
    assert_eq!(answer.is(201)["spec"], json!({}));
}

async fn unknown_and_double_fields_are_refused_if_asked(server: &Server) {
    let path = server.leases("?fieldValidation=Strict");
    let answer = server.post(&path, &unknown("a")).await;
    answer.fails(&undecodable(
        "strict decoding error: unknown field \"spec.bogus\"",
    ));
    let double =
        r#"{"metadata":{"name":"a"},"spec":{"bogus":1,"holderIdentity":"a","holderIdentity":"b"}}"#;
    let answer = server
        .post(&path, &json!({}))
        .text("application/json", double)
        .await;
    answer.fails(&undecodable(
        "strict decoding error: unknown field \"spec.bogus\", duplicate field \"spec.holderIdentity\"",
    ));
    let fine = json!({"metadata": {"name": "a"}, "spec": {"holderIdentity": "b"}});
    server.post(&path, &fine).await.is(201);
}

async fn field_validation_has_three_words(server: &Server) {
    let path = server.leases("?fieldValidation=Nonsense");
    let message =
        "Unsupported value: \"Nonsense\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"";
    let expected = invalid(
        "CreateOptions.meta.k8s.io",
        "",
        &[(UNSUPPORTED, "fieldValidation", message)],
    );
    server.post(&path, &unknown("a")).await.fails(&expected);
}

async fn a_dry_run_is_for_all_or_nothing(server: &Server) {
    let path = server.leases("?dryRun=Some");
    let message = "Unsupported value: [\"Some\"]: supported values: \"All\"";
    let expected = invalid(
        "CreateOptions.meta.k8s.io",
        "",
        &[(UNSUPPORTED, "dryRun", message)],
    );
    server.post(&path, &unknown("a")).await.fails(&expected);
}

async fn texts_and_numbers_are_not_mixed_up(server: &Server) {
    let duration = "spec.leaseDurationSeconds of type int32";
    for (spec, found, field) in [
        (json!({"leaseDurationSeconds": "30"}), "string", duration),
        (json!({"leaseDurationSeconds": 3.5}), "number 3.5", duration),
        (
            json!({"leaseDurationSeconds": 99_999_999_999_u64}),
            "number 99999999999",
            duration,
        ),
        (
            json!({"holderIdentity": 5}),
            "number",
            "spec.holderIdentity of type string",
        ),
    ] {
        let lease = json!({"metadata": {"name": "x"}, "spec": spec});
        let answer = server.post(&server.leases(""), &lease).await;
        answer.fails(&undecodable(&format!(
            "json: cannot unmarshal {found} into Go struct field LeaseSpec.{field}"
        )));
    }
}

async fn a_body_is_json(server: &Server) {
    for text in ["{nope", "", "[]", "\"text\""] {
        let answer = server
            .post(&server.leases(""), &json!({}))
            .text("application/json", text)
            .await;
        answer.fails_with_words(&bad_request(
            "the object provided is unrecognized (must be of type Lease): couldn't get version/kind; json parse error: ",
        ));
    }
}

async fn a_body_may_be_yaml(server: &Server) {
    let yaml = "metadata: {name: x}\nspec:\n  holderIdentity: \"no\"\n  leaseDurationSeconds: 30\n";
    let answer = server
        .post(&server.leases(""), &json!({}))
        .text("application/yaml", yaml)
        .await;
    assert_eq!(
        answer.is(201)["spec"],
        json!({"holderIdentity": "no", "leaseDurationSeconds": 30})
    );
}

async fn other_media_types_are_refused(server: &Server) {
    let answer = server
        .post(&server.leases(""), &json!({}))
        .text("text/plain", "{}")
        .await;
    let message = "the body of the request was in an unknown format - accepted media types include: \
                   application/json, application/yaml, application/vnd.kubernetes.protobuf";
    answer.fails(&failure(415, "UnsupportedMediaType", message));
}

async fn another_kind_is_refused(server: &Server) {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}});
    let answer = server.post(&server.leases(""), &pod).await;
    answer.fails(&bad_request(
        "Pod in version \"v1\" cannot be handled as a Lease: converting (v1.Pod) to (coordination.Lease): unknown \
         conversion",
    ));
}

async fn another_version_is_refused(server: &Server) {
    let lease = json!({"apiVersion": "coordination.k8s.io/v1beta1", "kind": "Lease", "metadata": {"name": "x"}});
    let answer = server.post(&server.leases(""), &lease).await;
    answer.fails(&bad_request(
        "the API version in the data (coordination.k8s.io/v1beta1) does not match the expected API version \
         (coordination.k8s.io/v1)",
    ));
}

async fn kind_and_version_may_be_left_out(server: &Server) {
    let lease = json!({"metadata": {"name": "x"}});
    let made = server.post(&server.leases(""), &lease).await.is(201);
    assert_eq!(made["kind"], "Lease");
    assert_eq!(made["apiVersion"], "coordination.k8s.io/v1");
}

/// Clients write `?&a=b`.
async fn queries_may_have_empty_parts(server: &Server) {
    let lease = json!({"metadata": {"name": "x"}, "spec": {"holderIdentity": "a"}});
    let path = server.leases("?&fieldManager=me&&");
    let made = server.post(&path, &lease).await.is(201);
    assert_eq!(made["metadata"]["managedFields"][0]["manager"], "me");
}
