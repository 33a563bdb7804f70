//! Many threads at once: of several writes that start from one version exactly one wins.

use std::sync::Barrier;
use std::thread;

use futures_util::FutureExt;
use gwlock_apiserver::ApiServer;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower::Service;

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
const THREADS: usize = 8;
const ROUNDS: usize = 200;

fn send(server: &ApiServer, method: Method, path: &str, body: &Value) -> (u16, Value) {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .body(Full::from(body))
        .expect("a request");
    let answer = async {
        let response = server.clone().call(request).await.expect("an answer");
        let code = response.status().as_u16();
        let bytes = response
            .into_body()
            .collect()
            .await
            .expect("a whole answer")
            .to_bytes();
        (code, serde_json::from_slice(&bytes).expect("JSON"))
    };
    answer.now_or_never().expect("nothing to wait for")
}

/// Lets every thread send its request at the same moment and returns the codes of the answers, sorted.
fn race(server: &ApiServer, request: impl Fn(usize) -> (Method, String, Value) + Sync) -> Vec<u16> {
    let start = Barrier::new(THREADS);
    let mut codes: Vec<u16> = thread::scope(|scope| {
        let racers: Vec<_> = (0..THREADS)
            .map(|number| {
                let (start, request) = (&start, &request);
                scope.spawn(move || {
                    let (method, path, body) = request(number);
                    start.wait();
                    send(server, method, &path, &body).0
                })
            })
            .collect();
        racers
            .into_iter()
            .map(|racer| racer.join().expect("no panic"))
            .collect()
    });
    codes.sort_unstable();
    codes
}

fn one_winner(winner: u16, losers: u16) -> Vec<u16> {
    let mut codes = vec![losers; THREADS];
    codes[0] = winner;
    codes.sort_unstable();
    codes
}

fn lease(name: &str, holder: usize) -> Value {
    json!({ "metadata": { "name": name }, "spec": { "holderIdentity": holder.to_string() } })
}

#[test]
fn of_many_creations_of_one_name_one_wins() {
    let server = ApiServer::new();
    for round in 0..ROUNDS {
        let name = format!("x{round}");
        let codes = race(&server, |racer| {
            (Method::POST, LEASES.into(), lease(&name, racer))
        });
        assert_eq!(codes, one_winner(201, 409), "round {round}");
    }
}

#[test]
fn of_many_updates_from_one_version_one_wins() {
    let server = ApiServer::new();
    let path = format!("{LEASES}/x");
    send(&server, Method::POST, LEASES, &lease("x", THREADS));
    for round in 0..ROUNDS {
        let (_, seen) = send(&server, Method::GET, &path, &Value::Null);
        let codes = race(&server, |racer| {
            let mut mine = seen.clone();
            mine["spec"]["holderIdentity"] = format!("{round}-{racer}").into();
            (Method::PUT, path.clone(), mine)
        });
        assert_eq!(codes, one_winner(200, 409), "round {round}");
    }
}

#[test]
fn of_many_deletions_of_one_lease_one_wins() {
    let server = ApiServer::new();
    let path = format!("{LEASES}/x");
    for round in 0..ROUNDS {
        let (_, created) = send(&server, Method::POST, LEASES, &lease("x", round));
        let metadata = &created["metadata"];
        let only_this = json!({
            "preconditions": { "uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"] },
        });
        let codes = race(&server, |_| {
            (Method::DELETE, path.clone(), only_this.clone())
        });
        assert_eq!(codes, one_winner(200, 404), "round {round}");
    }
}

#[test]
fn a_takeover_and_a_release_from_one_version_never_both_succeed() {
    let server = ApiServer::new();
    let path = format!("{LEASES}/x");
    for round in 0..ROUNDS {
        let (_, created) = send(&server, Method::POST, LEASES, &lease("x", round));
        let metadata = created["metadata"].clone();
        let only_this = json!({
            "preconditions": { "uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"] },
        });
        let codes = race(&server, |racer| {
            if racer % 2 == 0 {
                return (Method::DELETE, path.clone(), only_this.clone());
            }
            let mut mine = created.clone();
            mine["spec"]["holderIdentity"] = format!("{round}-{racer}").into();
            (Method::PUT, path.clone(), mine)
        });
        assert_eq!(
            codes.iter().filter(|code| **code == 200).count(),
            1,
            "round {round}: {codes:?}"
        );
        send(&server, Method::DELETE, &path, &Value::Null);
    }
}

#[test]
fn json_patches_that_count_lose_no_increment() {
    let server = ApiServer::new();
    let path = format!("{LEASES}/x");
    let mut counter = lease("x", 0);
    counter["spec"]["leaseTransitions"] = json!(0);
    send(&server, Method::POST, LEASES, &counter);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut counted = 0;
                while counted < 50 {
                    let (_, seen) = send(&server, Method::GET, &path, &Value::Null);
                    let old = seen["spec"]["leaseTransitions"].as_i64().expect("a count");
                    let patch = json!([
                        { "op": "test", "path": "/spec/leaseTransitions", "value": old },
                        { "op": "add", "path": "/spec/leaseTransitions", "value": old + 1 },
                    ]);
                    counted += usize::from(patched(&server, &path, &patch));
                }
            });
        }
    });
    let (_, counted) = send(&server, Method::GET, &path, &Value::Null);
    assert_eq!(counted["spec"]["leaseTransitions"], THREADS * 50);
}

fn patched(server: &ApiServer, path: &str, patch: &Value) -> bool {
    let request = Request::patch(path)
        .header("content-type", "application/json-patch+json")
        .body(Full::from(patch.to_string()))
        .expect("a request");
    let response = server
        .clone()
        .call(request)
        .now_or_never()
        .expect("nothing to wait for")
        .expect("an answer");
    response.status() == 200
}
