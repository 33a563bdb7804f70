//! A word that must not leave, in every place; and what has to be there all the same.

use serde_json::{Value, json};

use super::*;

/// What must be found nowhere.
const CANARY: &str = "hunter2-canary";

fn lacks_canary(value: &Value) {
    let text = value.to_string();
    assert!(!text.contains(CANARY), "{text}");
}

#[test]
fn text_loses_what_looks_like_a_credential() {
    for (given, expected) in [
        (
            "nothing to hide in key prod:Pod:a",
            "nothing to hide in key prod:Pod:a",
        ),
        (
            "https://user:hunter2@host/path",
            "https://REDACTED@host/path",
        ),
        (
            "postgres://u:p@db:5432/x?sslmode=off",
            "postgres://REDACTED@db:5432/x?sslmode=off",
        ),
        (
            "Authorization: Bearer abc.def-123",
            "Authorization: REDACTED REDACTED",
        ),
        ("sent bearer abcdef12", "sent bearer REDACTED"),
        ("Basic dXNlcjpwYXNz here", "Basic REDACTED here"),
        ("a eyJhbGciOiJIUzI1NiJ9.e30.x b", "a REDACTED b"),
        ("password=hunter2&x=1", "password=REDACTED&x=1"),
        ("DB_PASSWORD: \"hunter 2\", x", "DB_PASSWORD: REDACTED, x"),
        ("{\"api_key\":\"hunter2\"}", "{\"api_key\":REDACTED}"),
        (
            "{\\\"token\\\":\\\"hunter2\\\"}",
            "{\\\"token\\\":REDACTED}",
        ),
        (
            "run --db-password hunter2 now",
            "run --db-password REDACTED now",
        ),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----!",
            "REDACTED!",
        ),
    ] {
        assert_eq!(text(given), expected);
    }
}

#[test]
fn names_of_secrets_are_known_in_every_spelling() {
    for name in [
        "password",
        "clientSecret",
        "API_KEY",
        "db-password",
        "secretKeyRef",
        "Authorization",
        "imagePullSecrets",
        "accessToken2",
        "dbpassword",
    ] {
        assert!(is_secret(name), "{name}");
    }
    for name in [
        "monkey",
        "tokenizer",
        "keyboard",
        "name",
        "serviceAccountName",
        "secretariat",
    ] {
        assert!(!is_secret(name), "{name}");
    }
}

#[test]
fn a_pod_keeps_what_its_lock_depends_on_and_no_value_of_a_variable() {
    let pod = json!({
        "kind": "Pod",
        "metadata": {
            "name": "gateway-1", "namespace": "ns",
            "labels": {"app": "gateway", "team": CANARY},
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": CANARY, "other": CANARY},
            "managedFields": [{"fieldsV1": {"k:{\"name\":\"hunter2-canary\"}": {}}}],
        },
        "spec": {
            "serviceAccountName": "gateway", "nodeName": "worker-1",
            "imagePullSecrets": [{"name": CANARY}],
            "dnsConfig": {"options": [{"value": CANARY}]},
            "volumes": [{"name": "tls", "secret": {"secretName": CANARY}}, {"name": "flex", "flexVolume": {"options": {"x": CANARY}}}],
            "initContainers": [{"name": "init", "env": [{"name": "X", "value": CANARY}]}],
            "containers": [{
                "name": "gateway", "image": "gateway:1",
                "command": ["/bin/gateway", CANARY], "args": [format!("--config={CANARY}"), "--verbose", "-p", CANARY],
                "env": [
                    {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                    {"name": "POD_NAMESPACE", "value": "ns"},
                    {"name": "DATABASE_URL", "value": CANARY},
                    {"name": "FROM", "valueFrom": {"secretKeyRef": {"name": CANARY, "key": CANARY}}},
                ],
                "envFrom": [{"configMapRef": {"name": CANARY}}],
                "livenessProbe": {"httpGet": {"httpHeaders": [{"name": "X", "value": CANARY}]}},
                "lifecycle": {"preStop": {"exec": {"command": [CANARY]}}},
            }],
        },
        "status": {"phase": "Running", "message": format!("token={CANARY}")},
    });
    let redacted = object(&pod);
    lacks_canary(&redacted);
    assert_eq!(
        redacted["spec"]["containers"][0],
        json!({
            "name": "gateway", "image": "gateway:1", "command": ["REDACTED", "REDACTED"],
            "args": ["--config=REDACTED", "--verbose", "REDACTED", "REDACTED"],
            "env": [
                {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "POD_NAMESPACE", "value": "ns"},
                {"name": "DATABASE_URL", "value": "REDACTED"},
                {"name": "FROM", "from": ["secret"]},
            ],
            "envFrom": [{"from": ["configMap"]}],
        })
    );
    assert_eq!(
        redacted["metadata"]["labels"],
        json!({"app": "gateway", "team": "REDACTED"})
    );
    assert_eq!(redacted["spec"]["serviceAccountName"], "gateway");
    assert_eq!(
        redacted["spec"]["volumes"],
        json!([{"name": "tls"}, {"name": "flex"}])
    );
}

#[test]
fn a_request_keeps_what_decides_and_none_of_the_senders_data() {
    let request = json!({
        "kind": "RemediationRequest",
        "metadata": {"name": "rr-1", "annotations": {"kubernaut.ai/created-at": "2026-11-25T10:00:00Z", "x": CANARY}},
        "spec": {
            "signalFingerprint": "91fc", "signalName": "HighCPU", "severity": "critical",
            "targetResource": {"kind": "Pod", "name": "a"},
            "signalLabels": {"pod": CANARY}, "signalAnnotations": {"summary": CANARY},
            "providerData": CANARY, "originalPayload": CANARY, "somethingNew": {"deep": [CANARY]},
        },
        "status": {
            "overallPhase": "Executing", "deduplication": {"occurrenceCount": 3}, "workflowSelection": {"rationale": CANARY},
            "conditions": [{"type": "Ready", "message": format!("https://u:{CANARY}@host")}],
        },
    });
    let redacted = object(&request);
    lacks_canary(&redacted);
    assert_eq!(redacted["spec"]["originalPayload"], "REDACTED (14 bytes)");
    assert_eq!(redacted["spec"]["signalLabels"], json!({"pod": "REDACTED"}));
    assert_eq!(
        redacted["status"]["deduplication"],
        json!({"occurrenceCount": 3})
    );
    assert_eq!(
        redacted["spec"]["targetResource"],
        json!({"kind": "Pod", "name": "a"})
    );
    assert_eq!(redacted["status"]["workflowSelection"], "REDACTED");
}

#[test]
fn a_lease_keeps_the_servers_stamps() {
    let lease = json!({
        "kind": "Lease",
        "metadata": {
            "name": "gw-lock-1", "annotations": {"gwlock.dev/reason": CANARY},
            "managedFields": [{"manager": "gateway", "time": "t", "fieldsV1": {"f:spec": {"f:renewTime": {}}}}],
        },
        "spec": {"holderIdentity": "gateway-1", "password": CANARY, "nested": {"accessToken": [CANARY]}},
    });
    let redacted = object(&lease);
    lacks_canary(&redacted);
    assert_eq!(
        redacted["metadata"]["managedFields"],
        lease["metadata"]["managedFields"]
    );
    assert_eq!(redacted["spec"]["holderIdentity"], "gateway-1");
}
