//! To a gateway that answers as it is told: every answer and what becomes of it, tokens, retries and TLS.

use serde_json::{Value, json};

use super::arena::{Arena, webhook};
use super::fake::{Fake, Reaction, created, json as answered, problem};
use crate::fixture::{Gwlock, Run};

const ALERT: [&str; 6] = ["--alertname", "A", "-n", "prod", "--pod", "p"];

fn send(fake: &Fake, more: &[&str]) -> Run {
    let base = ["send", "--gateway", &fake.url];
    Gwlock::new(&[&base, &ALERT[..], more].concat()).run()
}

fn text(status: &'static str, body: &str) -> Reaction {
    Reaction::Answer(status, "content-type: text/plain\r\n", body.to_owned())
}

#[test]
fn a_reply_is_printed_with_the_signal_and_the_requests_name_beside_it() {
    let fake = Fake::creating();
    let run = send(&fake, &["-o", "json"]);
    let fingerprint = gwlock_engine::protocol::key::Fingerprint::of("prod:Pod:p");
    assert_eq!(
        (run.code, run.stderr.as_str(), run.json()),
        (
            0,
            "",
            json!({
                "status": "created", "message": "made", "fingerprint": "", "duplicate": false,
                "remediationRequestName": "rr-1", "remediationRequestNamespace": "ns",
                "httpStatus": 201, "requestId": "id-1",
                "signal": {
                    "name": "A", "source": "prometheus", "severity": "unknown", "auditSeverity": "unknown",
                    "target": "prod:Pod:p", "fingerprint": fingerprint.as_str(),
                    "lease": fingerprint.lease_name().to_string(),
                },
            })
        )
    );
}

#[test]
fn another_fingerprint_than_the_pods_is_its_owners() {
    let fingerprint = gwlock_engine::protocol::key::Fingerprint::of("prod:Deployment:d");
    let body = json!({"status": "duplicate", "fingerprint": fingerprint.as_str(), "metadata": {"count": 7}});
    let fake = Fake::new([answered("202 Accepted", &body)]);
    let run = send(
        &fake,
        &[
            "-o",
            "jsonpath={.signal.target} {.signal.lease} {.metadata.count}",
        ],
    );
    let lease = fingerprint.lease_name();
    assert_eq!(
        (run.code, run.stdout),
        (0, format!("owner of prod:Pod:p {lease} 7"))
    );
}

#[test]
fn every_answer_has_its_exit_and_its_words() {
    let unmanaged = json!({
        "status": "rejected", "fingerprint": "",
        "rejection": {"message": "not managed", "action": "kubectl label namespace prod kubernaut.ai/managed=true"},
    });
    for (reaction, code, expected) in [
        (
            answered("200 OK", &unmanaged),
            1,
            "hint: kubectl label namespace prod kubernaut.ai/managed=true",
        ),
        (answered("200 OK", &json!({"status": "resolved"})), 0, ""),
        (
            problem("400 Bad Request", "alerts: missing"),
            65,
            "error: the gateway answered 400 Bad Request: alerts: missing",
        ),
        (
            problem("413 Payload Too Large", "too large"),
            65,
            "error: the gateway answered 413 Payload Too Large: too large",
        ),
        (
            problem("415 Unsupported Media Type", "no"),
            65,
            "error: the gateway answered 415 Unsupported Media Type: no",
        ),
        (
            problem("401 Unauthorized", "no token"),
            77,
            "error: the gateway answered 401 Unauthorized: no token",
        ),
        (
            problem("404 Not Found", "no such path"),
            78,
            "error: the gateway answered 404 Not Found: no such path",
        ),
        (
            text("200 OK", "<html>hello"),
            78,
            "error: the gateway answered 200 OK: <html>hello",
        ),
        (
            text("302 Found", ""),
            78,
            "error: the gateway answered 302 Found",
        ),
        (
            text("429 Too Many Requests", "Server capacity exceeded.\nmore"),
            69,
            "error: the gateway answered 429 Too Many Requests: Server capacity exceeded.",
        ),
        (
            problem("500 Internal Server Error", "Internal server error"),
            69,
            "error: the gateway answered 500 Internal Server Error: Internal server error",
        ),
        (
            text("502 Bad Gateway", "<html>"),
            69,
            "error: the gateway answered 502 Bad Gateway: <html>",
        ),
        (
            problem("503 Service Unavailable", "too many"),
            69,
            "error: the gateway answered 503 Service Unavailable: too many",
        ),
        (
            problem("504 Gateway Timeout", "Request processing timed out"),
            76,
            "error: the gateway answered 504 Gateway Timeout: Request processing timed out",
        ),
    ] {
        let fake = Fake::new([reaction]);
        let run = send(&fake, &[]);
        let first = run.stderr.lines().next().unwrap_or_default();
        assert_eq!((run.code, first), (code, expected), "{run:?}");
        assert_eq!(fake.received().len(), 1, "{expected}");
    }
}

#[test]
fn a_failure_names_the_request_and_its_body_is_printed_as_json() {
    let fake = Fake::new([problem(
        "500 Internal Server Error",
        "Internal server error",
    )]);
    let run = send(&fake, &[]);
    assert_eq!(
        (run.stdout.as_str(), run.stderr.lines().last()),
        (
            "",
            Some("hint: X-Request-ID id-1 names it in the gateway's log")
        )
    );
    let run = send(&fake, &["-o", "json"]);
    assert_eq!(run.json()["detail"], "Internal server error");
    assert_eq!(run.json_error()["code"], 69);
}

#[test]
fn who_may_not_send_is_told_the_rule() {
    let detail = "bob may not create services/gateway-service in namespace locks";
    let fake = Fake::new([problem("403 Forbidden", detail)]);
    let run = send(&fake, &[]);
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (
            77,
            "error: the gateway answered 403 Forbidden: bob may not create services/gateway-service in namespace locks\n\
             hint: the rule that is missing:\n  apiVersion: rbac.authorization.k8s.io/v1\n  kind: Role\n  metadata:\n    \
             name: gwlock\n    namespace: locks\n  rules:\n  # to send signals to the gateway\n  \
             - apiGroups: [\"\"]\n    resources: [\"services\"]\n    resourceNames: [\"gateway-service\"]\n    \
             verbs: [\"create\"]\n\
             hint: X-Request-ID id-1 names it in the gateway's log\n"
        )
    );
}

#[test]
fn a_connection_that_is_lost_or_silent_leaves_the_outcome_unknown() {
    for (reaction, flags) in [
        (Reaction::Close, vec![]),
        (Reaction::Hang, vec!["--request-timeout", "1s"]),
    ] {
        let fake = Fake::new([reaction]);
        let run = send(&fake, &flags);
        let lines: Vec<&str> = run.stderr.lines().collect();
        let sent = format!(
            "error: nobody knows what came of the signal, which was sent to the gateway {}/: ",
            fake.url
        );
        assert_eq!((run.code, run.stdout.as_str()), (76, ""), "{run:?}");
        assert!(lines[0].starts_with(&sent), "{run:?}");
        assert_eq!(
            lines[1],
            "hint: it may have been counted: look before you send it again"
        );
        assert_eq!(fake.received().len(), 1, "it is not sent again");
    }
}

#[test]
fn a_gateway_that_does_not_listen_is_unreachable() {
    let run =
        Gwlock::new(&[&["send", "--gateway", "http://127.0.0.1:1"], &ALERT[..]].concat()).run();
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (
            69,
            "",
            "error: the connection to the gateway http://127.0.0.1:1/ was refused: is it the right host and port?\n\
             hint: kubectl get services -A -l app=gateway   # where gateways are\n"
        )
    );
}

#[test]
fn a_request_is_sent_again_only_when_that_is_asked_for() {
    let busy = || {
        let headers = "content-type: text/plain\r\nretry-after: 0\r\n";
        Reaction::Answer("503 Service Unavailable", headers, "busy".to_owned())
    };
    let fake = Fake::new([busy(), Reaction::Close, created()]);
    let run = send(&fake, &["--retry", "2"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(fake.received().len(), 3);
    // What the gateway does not want is not sent again, however often that is allowed.
    let fake = Fake::new([problem("400 Bad Request", "no")]);
    assert_eq!(send(&fake, &["--retry", "9"]).code, 65);
    assert_eq!(fake.received().len(), 1);
    let fake = Fake::new([busy()]);
    assert_eq!(send(&fake, &["--retry", "2"]).code, 69);
    assert_eq!(fake.received().len(), 3);
}

#[test]
fn a_token_is_sent_to_the_gateway_that_it_is_for() {
    let arena = Arena::without_requests();
    let token = arena.file("token", "secret-1\n");
    let other = arena.file("other", "secret-2");
    for (flags, expected) in [
        (vec![], None),
        (vec!["--token-file", &token], Some("Bearer secret-1")),
        (
            vec!["--gateway-token-file", &token],
            Some("Bearer secret-1"),
        ),
        (
            vec!["--gateway-token-file", &token, "--token-file", &other],
            Some("Bearer secret-1"),
        ),
    ] {
        let fake = Fake::creating();
        let run = send(&fake, &flags);
        assert_eq!(run.code, 0, "{run:?}");
        assert_eq!(
            fake.received()[0].header("authorization"),
            expected,
            "{flags:?}"
        );
    }
}

#[test]
fn a_token_is_never_sent_where_others_can_read_it() {
    let arena = Arena::without_requests();
    let token = arena.file("token", "secret");
    for url in ["http://10.255.255.1:8080", "http://gateway.example"] {
        for flag in ["--token-file", "--gateway-token-file"] {
            let arguments = [&["send", "--gateway", url, flag, &token], &ALERT[..]].concat();
            let run = Gwlock::new(&arguments).run();
            let lines: Vec<&str> = run.stderr.lines().collect();
            assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
            assert!(
                lines[0].starts_with("error: the token would be sent to "),
                "{run:?}"
            );
            assert_eq!(lines[1], "hint: --gateway https://HOST:PORT, if it has TLS");
        }
    }
}

#[test]
fn a_token_file_that_holds_none_is_a_matter_of_configuration() {
    let arena = Arena::without_requests();
    let fake = Fake::creating();
    for (name, text) in [("empty", " \n"), ("binary", "a\u{7}b")] {
        let path = arena.file(name, text);
        assert_eq!(send(&fake, &["--token-file", &path]).code, 78, "{name}");
    }
    assert_eq!(send(&fake, &["--token-file", "/nonexistent"]).code, 78);
    assert_eq!(fake.received(), []);
}

/// The API server is no gateway, but it has TLS, and says who may not come in.
#[test]
fn the_certificate_of_a_gateway_has_to_be_trusted() {
    let arena = Arena::without_requests();
    let kubeconfig = std::fs::read_to_string(arena.server.kubeconfig("admin")).unwrap();
    let kubeconfig: Value = serde_json::from_str(&kubeconfig).unwrap();
    let cluster = &kubeconfig["clusters"][0]["cluster"];
    let url = cluster["server"].as_str().unwrap();
    let authority = {
        use base64::Engine as _;
        let data = cluster["certificate-authority-data"].as_str().unwrap();
        let pem = base64::engine::general_purpose::STANDARD
            .decode(data)
            .unwrap();
        arena.file("ca.pem", pem)
    };
    let token = arena.file("token", arena.server.token("admin"));
    let base = ["send", "--gateway", url, "--token-file", &token];
    let to = |more: &[&str]| Gwlock::new(&[&base, &ALERT[..], more].concat()).run();
    let run = to(&[]);
    assert_eq!(run.code, 78, "{run:?}");
    assert_eq!(
        run.stderr.lines().last(),
        Some("hint: --gateway-ca-file FILE names who has signed it")
    );
    for trusting in [
        vec!["--gateway-ca-file", authority.as_str()],
        vec!["--gateway-insecure-skip-tls-verify"],
    ] {
        let run = to(&trusting);
        let first = run.stderr.lines().next().unwrap();
        assert_eq!(run.code, 78, "{run:?}");
        assert!(
            first.starts_with("error: the gateway answered 404 Not Found"),
            "{run:?}"
        );
    }
    let broken = arena.file("broken.pem", "nothing");
    assert_eq!(to(&["--gateway-ca-file", &broken]).code, 78);
}

#[test]
fn results_of_a_batch_are_rows() {
    let arena = Arena::without_requests();
    let alert =
        |pod: &str| json!({"alertname": "A", "namespace": "prod", "pod": pod, "severity": "info"});
    let payload = arena.file("batch.json", webhook(&[alert("a"), alert("b"), alert("c")]));
    let batch = |status: &'static str, error: &str| {
        answered(
            status,
            &json!({
                "results": [
                    {"status": "created", "fingerprint": "", "message": "m"},
                    {"status": "duplicate", "fingerprint": "", "message": "m"},
                    {"status": "failed", "fingerprint": "", "error": error},
                ],
                "summary": {"total": 3, "created": 1, "deduplicated": 1, "rejected": 0, "failed": 1},
            }),
        )
    };
    for (status, error, code) in [
        ("207 Multi-Status", "alerts[2].labels: no", 65),
        ("207 Multi-Status", "lock acquisition timeout", 69),
        ("500 Internal Server Error", "Internal server error", 69),
    ] {
        let fake = Fake::new([batch(status, error)]);
        let run = Gwlock::new(&["send", "--gateway", &fake.url, "-f", &payload]).run();
        let rows: Vec<Vec<&str>> = run
            .stdout
            .lines()
            .skip(1)
            .map(|line| line.split_whitespace().collect())
            .collect();
        let told: Vec<[&str; 3]> = rows.iter().map(|row| [row[0], row[4], row[6]]).collect();
        assert_eq!(
            told,
            [
                ["created", "prod:Pod:a", "low"],
                ["duplicate", "prod:Pod:b", "low"],
                ["failed", "prod:Pod:c", "low"]
            ]
        );
        let first = run.stderr.lines().next().unwrap();
        let expected = format!("error: 1 of 3 signals failed, the first because: {error}");
        assert_eq!((run.code, first), (code, expected.as_str()));
    }
}

#[test]
fn a_payload_that_is_not_understood_is_sent_if_that_is_asked_for() {
    let arena = Arena::without_requests();
    let fake = Fake::new([problem("400 Bad Request", "not JSON")]);
    let payload = arena.file("payload.json", "{broken");
    let base = ["send", "--gateway", &fake.url, "-f", &payload];
    let run = Gwlock::new(&base).run();
    assert_eq!((run.code, fake.received().len()), (65, 0), "{run:?}");
    let run = Gwlock::new(&[&base[..], &["--payload-as", "event"]].concat()).run();
    let received = fake.received();
    assert_eq!((run.code, received[0].body.as_str()), (65, "{broken"));
    assert_eq!(received[0].line, "POST /api/v1/signals/kubernetes-event");
    let large = arena.file("large.json", vec![b' '; 16 * 1024 * 1024 + 1]);
    let base = [
        "send",
        "--gateway",
        &fake.url,
        "-f",
        &large,
        "--payload-as",
        "event",
    ];
    let run = Gwlock::new(&base).run();
    assert_eq!((run.code, fake.received().len()), (65, 1), "{run:?}");
    assert!(
        run.stderr
            .ends_with("has more than 16777216 bytes: nothing was sent\n"),
        "{run:?}"
    );
}
