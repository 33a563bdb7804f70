//! To a replica in this process, on a cluster: the same answers as through the protocol.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gwlock::gateway::GatewayVersion::Current;
use gwlock::gateway::ingest::Ingestion;
use gwlock::gateway::kinds::discovery;
use gwlock::gateway::kinds::served::ServedKinds;
use gwlock::gateway::objects::Objects;
use gwlock::gateway::server::{Authenticator, Limits, Parts, Server, listen};
use gwlock_engine::remediation::SignalProcessor;
use http::Request;
use serde_json::json;
use tokio::net::TcpListener;
use tower::Service as _;

use super::arena::{Arena, FINGERPRINT, LEASE, POD, REQUEST, alert};
use crate::fixture::{Gwlock, NAMESPACE, Run};

/// Serves a replica for as long as the cluster lives.
fn replica(arena: &Arena, authenticated: bool, limits: Limits) -> String {
    let token = format!("Bearer {}", arena.server.token("admin"));
    let api = arena.server.api().clone();
    let service = tower::service_fn(move |mut request: Request<kube::client::Body>| {
        let token = token.parse().unwrap();
        request.headers_mut().insert("authorization", token);
        api.clone().call(request)
    });
    arena.server.runtime().block_on(async {
        let client = kube::Client::new(service, NAMESPACE);
        let kinds = Arc::new(discovery::kinds(&client).await.unwrap());
        let objects = Objects::new(client.clone());
        let processor =
            SignalProcessor::builder(client.clone(), NAMESPACE, NAMESPACE, "gateway-0").build();
        let server = Server::new(Parts {
            ingestion: Ingestion::new(Current, kinds.clone(), objects.clone()),
            processor: Arc::new(processor),
            kinds: Arc::new(ServedKinds::new(client.clone(), kinds)),
            scope: Some(objects),
            authenticator: authenticated.then(|| Authenticator::new(client.clone(), NAMESPACE)),
            client,
            metrics: Arc::default(),
            audit: Arc::default(),
            limits,
        });
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let listener = TcpListener::bind(any).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let forever = std::future::pending();
            let _ = listen::serve(listener, None, server.api(), forever, Duration::ZERO).await;
        });
        url
    })
}

fn send(url: &str, more: &[&str]) -> Run {
    let base = ["send", "--gateway", url];
    Gwlock::new(&[&base, more].concat()).run()
}

#[test]
fn a_replica_creates_counts_and_rejects() {
    let arena = Arena::new();
    let url = replica(&arena, false, Limits::default());
    let path = "jsonpath={.httpStatus} {.status} {.signal.target} {.signal.lease}";
    let target = format!("owner of prod:Pod:{POD}");
    let run = send(&url, &[&alert(POD)[..], &["-o", path]].concat());
    assert_eq!(
        (run.code, run.stdout),
        (0, format!("201 created {target} {LEASE}"))
    );
    let run = send(&url, &[&alert(POD)[..], &["-o", path]].concat());
    assert_eq!(
        (run.code, run.stdout),
        (0, format!("202 duplicate {target} {LEASE}"))
    );
    let event = [
        "--event", "BackOff", "-n", "prod", "--pod", POD, "-o", "json",
    ];
    let printed = send(&url, &event).json();
    assert_eq!(
        (
            &printed["metadata"]["count"],
            &printed["fingerprint"],
            &printed["remediationRequestName"]
        ),
        (&json!(3), &json!(FINGERPRINT), &json!(REQUEST))
    );
    let run = send(&url, &["--alertname", "A", "-n", "staging", "--pod", "u"]);
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (
            1,
            "hint: kubectl label namespace staging kubernaut.ai/managed=true\n"
        )
    );
    let run = send(&url, &["--alertname", "A", "-n", "prod", "--pod", "nope"]);
    let first = run.stderr.lines().next().unwrap();
    assert_eq!(
        (run.code, first),
        (
            65,
            "error: the gateway answered 400 Bad Request: Pod/nope does not exist in namespace \"prod\""
        )
    );
    assert_eq!(arena.counts(), [3]);
}

#[test]
fn a_storm_at_a_replica_is_counted_to_the_last_one() {
    let arena = Arena::new();
    let url = replica(&arena, false, Limits::default());
    let burst = ["--repeat", "100", "--concurrency", "25", "-o", "json"];
    let run = send(&url, &[&alert(POD)[..], &burst].concat());
    let summary = run.json()["summary"].clone();
    assert_eq!(
        (
            run.code,
            &summary["created"],
            &summary["duplicate"],
            &summary["failed"]
        ),
        (0, &json!(1), &json!(99), &json!(0))
    );
    assert_eq!(arena.counts(), [100]);
}

#[test]
fn a_replica_asks_who_sends() {
    let arena = Arena::new();
    let url = replica(&arena, true, Limits::default());
    for (user, code, first) in [
        ("admin", 0, ""),
        (
            "viewer",
            77,
            "error: the gateway answered 403 Forbidden: viewer may not create services/gateway-service in namespace \
             kubernaut-system",
        ),
    ] {
        let token = arena.file("token", arena.server.token(user));
        let run = send(&url, &[&alert(POD)[..], &["--token-file", &token]].concat());
        let told = run.stderr.lines().next().unwrap_or_default();
        assert_eq!((run.code, told), (code, first), "{run:?}");
    }
    let run = send(&url, &alert(POD));
    assert_eq!(run.code, 77, "{run:?}");
    assert_eq!(arena.counts(), [1]);
}

#[test]
fn an_overloaded_replica_says_so() {
    let arena = Arena::new();
    let none = Limits {
        in_flight: 0,
        ..Limits::default()
    };
    let url = replica(&arena, false, none);
    let run = send(&url, &alert(POD));
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(run.code, 69, "{run:?}");
    assert_eq!(
        lines[0],
        "error: the gateway answered 503 Service Unavailable: too many requests are in flight"
    );
    let again = "--retry 3   # sends it again, as Alertmanager does after 503";
    assert!(
        lines[1].starts_with("hint: gwlock send ") && lines[1].ends_with(again),
        "{run:?}"
    );
    assert_eq!(arena.counts(), [0_i64; 0]);
}
