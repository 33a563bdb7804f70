//! What is sent and cannot become a signal, how large it may be, and what is told when it takes too long.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use bytes::Bytes;
use gwlock_testkit::control_plane;
use gwlock_testkit::proxy::{Fault, Proxy, Rule};
use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::events::event;
use crate::serve::{EVENT_ROUTE, ROUTE, World, webhook};

/// The largest body that is read.
const LARGEST: usize = 262_144;

/// A body of exactly the limit is read, and refused or taken for what it holds; one more byte is too large.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_may_have_256_kib_and_not_a_byte_more() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let replica = world.replica("a");
    let padded = |bytes: usize| {
        let mut body = webhook(&[world.alert("HighCPU", "api")]).to_vec();
        body.resize(bytes, b' ');
        body
    };
    for (body, status, kind) in [
        (vec![b'x'; LARGEST], 400, "validation-error"),
        (vec![b'x'; LARGEST + 1], 413, "payload-too-large"),
        (padded(LARGEST + 1), 413, "payload-too-large"),
    ] {
        let answer = replica.post(ROUTE, body).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert_eq!(
            answer.body["type"],
            format!("https://kubernaut.ai/problems/{kind}")
        );
    }
    assert_eq!(world.requests().await, [] as [Value; 0]);
    assert_eq!(replica.post(ROUTE, padded(LARGEST)).await.status, 201);
}

/// A sender that reads nothing before all is sent hears why it was refused: were the connection closed with bytes in it
/// that nobody has read, it would be reset, and Alertmanager would send the same again for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_reaches_a_sender_that_is_still_sending() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let replica = world.replica("a");
    for (media_type, expected) in [
        ("application/json", "HTTP/1.1 413 Payload Too Large"),
        ("text/plain", "HTTP/1.1 415 Unsupported Media Type"),
    ] {
        let address = replica.url.strip_prefix("http://").unwrap().to_owned();
        let answer = tokio::task::spawn_blocking(move || {
            let body = vec![b' '; 10_000_000];
            let head = format!(
                "POST {ROUTE} HTTP/1.1\r\nhost: a\r\ncontent-type: {media_type}\r\n\
                 content-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(&body).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        });
        let answer = answer.await.unwrap();
        assert_eq!(answer.lines().next(), Some(expected), "{answer}");
    }
}

/// An API server that is slower than the deadline is a 504, and the signal counts once it is sent again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_server_slower_than_the_deadline_is_a_gateway_timeout() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let proxy = Proxy::in_front_of(control_plane).unwrap();
    let kubeconfig = proxy.kubeconfig(gwlock_testkit::User::Admin, &world.namespace);
    let kubeconfig = kubeconfig.unwrap();
    let arguments = ["--auth", "none", "--signal-timeout", "1s"];
    let replica = world.start("a", kubeconfig.path(), &arguments);
    let alert = world.alert("HighCPU", "api");
    let slow = Rule::new(Fault::DelayRequest(Duration::from_secs(600)));
    proxy.inject(
        slow.method(Method::GET)
            .path_contains("/remediationrequests"),
    );
    let answer = replica.alert(&alert).await;
    assert_eq!(
        (answer.status, &answer.body["type"], &answer.body["detail"]),
        (
            504,
            &json!("https://kubernaut.ai/problems/gateway-timeout"),
            &json!("Request processing timed out")
        )
    );
    proxy.heal();
    assert_eq!(world.requests().await, [] as [Value; 0]);
    until_created(&replica, &alert).await;
    assert_eq!(world.counts().await, [1]);
}

/// With a deadline of one second a busy machine may need a second try, which is what a sender does.
async fn until_created(replica: &crate::serve::Replica, alert: &Value) {
    loop {
        match replica.alert(alert).await.status {
            201 => return,
            504 => {}
            other => panic!("{other}"),
        }
    }
}

/// Everything that is no signal: a 4xx that names what is wrong, no lease and no request to the API server for one, and
/// no memory to speak of.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_signal_is_refused_by_its_field_and_costs_nothing() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let world = World::new(control_plane).await;
    let replica = world.replica("a");
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let about = |label: &str, value: &str| {
        let mut alert = world.alert("HighCPU", "api");
        alert["labels"][label] = json!(value);
        webhook(&[alert])
    };
    let starting = |when: &str| {
        let mut alert = world.alert("HighCPU", "api");
        alert["startsAt"] = json!(when);
        webhook(&[alert])
    };
    let event_about = |name: &str| {
        let mut event = event(&world, SignedDuration::ZERO);
        event["involvedObject"]["name"] = json!(name);
        Bytes::from(event.to_string())
    };
    let text = |body: String| Bytes::from(body);
    let mut no_text = br#"{"alerts": [{"labels": {"pod": ""#.to_vec();
    no_text.extend([0xff, b'"', b'}']);
    let no_name = "alerts[0].labels: no label names a Kubernetes object";
    let too_large = "the body has more than 262144 bytes";
    let cases = [
        (
            ROUTE,
            Bytes::new(),
            400,
            "the body is not JSON: EOF while parsing a value at line 1 column 0",
        ),
        (
            ROUTE,
            text(r#"{"alerts": [{"labels": {"pod": "api"#.to_owned()),
            400,
            "the body is not JSON: EOF while parsing a string at line 1 column 35",
        ),
        (
            ROUTE,
            Bytes::from(no_text),
            400,
            "the body is not UTF-8 after byte 32",
        ),
        (ROUTE, Bytes::from(vec![b' '; 10_000_000]), 413, too_large),
        (
            EVENT_ROUTE,
            Bytes::from(vec![b' '; 10_000_000]),
            413,
            too_large,
        ),
        (
            ROUTE,
            text(json!({"version": "5", "alerts": [world.alert("A", "api")]}).to_string()),
            400,
            "version: \"5\" is not handled, webhooks of version 4 are",
        ),
        (ROUTE, webhook(&[]), 400, "alerts: missing"),
        (
            ROUTE,
            text("[]".to_owned()),
            400,
            "body: an object is expected",
        ),
        (
            ROUTE,
            text(format!(r#"{{"alerts": [{}{{}}]}}"#, "{},".repeat(9_999))),
            400,
            "alerts: 10000 are given, at most 1000 are taken",
        ),
        (
            ROUTE,
            text(nested(100_000)),
            400,
            "body: an object is expected",
        ),
        (
            ROUTE,
            text(format!(r#"{{"alerts": {}}}"#, nested(100_000))),
            400,
            "alerts[0]: an object is expected",
        ),
        (
            ROUTE,
            text(format!(
                r#"{{"alerts": [{{"labels": {{"pod": {}}}}}]}}"#,
                nested(100_000)
            )),
            400,
            "alerts[0].labels.pod: text is expected",
        ),
        (
            ROUTE,
            starting("2026-02-31T25:61:00Z"),
            400,
            "alerts[0].startsAt: \"2026-02-31T25:61:00Z\" is no RFC 3339 date",
        ),
        (
            ROUTE,
            starting("292277026596-12-04T15:30:07Z"),
            400,
            "alerts[0].startsAt: \"292277026596-12-04T15:30:07Z\" is no RFC 3339 date",
        ),
        (ROUTE, about("pod", "Not_A_Name!"), 400, no_name),
        (ROUTE, about("pod", "../../secrets/token"), 400, no_name),
        (ROUTE, about("pod", ""), 400, no_name),
        (
            ROUTE,
            about("alertname", ""),
            400,
            "alerts[0].labels.alertname: missing",
        ),
        (
            EVENT_ROUTE,
            event_about("../../secrets/token"),
            400,
            "involvedObject.name: \"../../secrets/token\" cannot be the name of an object",
        ),
        (EVENT_ROUTE, text("{}".to_owned()), 400, "reason: missing"),
        (
            EVENT_ROUTE,
            text(nested(100_000)),
            400,
            "body: an object is expected",
        ),
    ];
    let check = async |(route, body, status, detail): &(&str, Bytes, u16, &str)| {
        let answer = replica.post(route, body.clone()).await;
        assert_eq!(
            (answer.status, &answer.body["detail"]),
            (*status, &json!(detail)),
            "{}",
            answer.text
        );
    };
    for case in &cases {
        check(case).await;
    }
    let before = replica.most_memory();
    for _ in 0..4 {
        let burst = cases.iter().cycle().take(4 * cases.len());
        futures_util::future::join_all(burst.map(&check)).await;
    }
    let grown = replica.most_memory().saturating_sub(before);
    assert!(grown < 48 * 1024, "{grown} kB more than {before} kB");

    assert_eq!(world.leases().await, 0);
    assert_eq!(world.requests().await, [] as [Value; 0]);
    for series in [
        "gateway_signals_received_total",
        "gateway_lock_acquisition_attempts_total",
        "gateway_api_requests_total",
    ] {
        assert_eq!(replica.metric(series).await, 0, "{series}");
    }
    assert_eq!(
        replica.alert(&world.alert("HighCPU", "api")).await.status,
        201
    );
}
