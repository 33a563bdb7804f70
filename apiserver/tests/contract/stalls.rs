//! Requests that run out of time while the server can do nothing.
//!
//! Apart from the usual pairs: a real server stalls when its etcd is stopped, which other cases must be spared.

use gwlock_apiserver::faults::{Action, Fault};
use gwlock_testkit::{ControlPlane, private_control_plane};
use http::Method;
use serde_json::{Value, json};

use super::server::{Server, embedded, until, version};

/// How often writes are tried until one of them lands late; about one in four does.
const ROUNDS: usize = 20;
const AT_ONCE: usize = 8;

#[tokio::test]
async fn the_embedded_server_answers_writes_that_run_out_of_time() {
    let api = embedded();
    let server = Server::over(kube::Client::new(api.clone(), "default")).await;
    let lease = server.lease("x", json!({})).await;
    api.faults().inject(Fault::new(Action::Pause));
    writes_are_answered(&server, &lease).await;
}

#[tokio::test]
async fn the_real_server_answers_writes_that_run_out_of_time() {
    let Some(control_plane) = private_control_plane() else {
        return;
    };
    let server = Server::on(&control_plane).await;
    let lease = server.lease("x", json!({})).await;
    pause(&control_plane, &server).await;
    writes_are_answered(&server, &lease).await;
    reads_from_the_cache_are_answered(&server, &lease).await;
    control_plane.etcd().resume();
    a_write_that_ran_out_of_time_lands_later(&control_plane, &server).await;
}

/// Stops etcd and waits until it stands: a process that is told to stop may still finish what it is at.
async fn pause(control_plane: &ControlPlane, server: &Server) {
    control_plane.etcd().pause();
    until("etcd stands still", async || {
        let marker = json!({"metadata": {"generateName": "marker-"}});
        let path = server.leases("?timeout=200ms");
        let answer = server.post(&path, &marker).if_answered().await;
        answer.is_some_and(|answer| answer.code == 504)
    })
    .await;
}

/// By the outermost layer of the server, which knows nothing of formats: neither kind nor media type of a `Status`. In a
/// real server the handler watches the same clock. If it speaks first, or both at once, so that the connection is
/// closed, the question is asked again.
async fn writes_are_answered(server: &Server, lease: &Value) {
    let expected = json!({
        "metadata": {}, "status": "Failure", "reason": "Timeout", "details": {}, "code": 504,
        "message": "Timeout: request did not complete within the allotted timeout"
    });
    for (method, rest) in [
        (Method::POST, ""),
        (Method::PUT, "/x"),
        (Method::DELETE, "/x"),
    ] {
        let path = server.leases(&format!("{rest}?timeout=500ms"));
        let mut body = lease.clone();
        if method == Method::POST {
            body = json!({"metadata": {"name": "late"}});
        }
        let body = if method == Method::DELETE {
            json!({})
        } else {
            body
        };
        until("the outermost layer answers", async || {
            let call = server.call(method.clone(), &path).json(&body);
            let Some(answer) = call.if_answered().await else {
                return false;
            };
            let is_outermost = answer.header("content-type") == "text/plain; charset=utf-8";
            let status = answer.is(504);
            assert!(!is_outermost || status == expected, "{status}");
            is_outermost
        })
        .await;
    }
}

/// Which may be old: nothing is asked of etcd.
async fn reads_from_the_cache_are_answered(server: &Server, lease: &Value) {
    let path = server.leases("/x?resourceVersion=0");
    assert_eq!(server.get(&path).await.is(200), *lease);
    let list = server
        .get(&server.leases("?resourceVersion=0"))
        .await
        .is(200);
    let listed = version(&list).parse::<u64>().unwrap();
    assert!(listed >= version(lease).parse().unwrap());
}

/// The answer says nothing about the write: etcd finds some of the requests when it goes on, whenever that is, and does
/// what they say. So a client that sees nothing after a time-out knows nothing yet.
async fn a_write_that_ran_out_of_time_lands_later(control_plane: &ControlPlane, server: &Server) {
    for round in 0..ROUNDS {
        pause(control_plane, server).await;
        let posts = (0..AT_ONCE).map(|number| async move {
            let lease = json!({"metadata": {"name": format!("late-{round}-{number}")}});
            let path = server.leases("?timeout=200ms");
            let answer = server.post(&path, &lease).if_answered().await;
            assert!(answer.is_none_or(|answer| answer.code == 504));
        });
        futures_util::future::join_all(posts).await;
        control_plane.etcd().resume();
        // A write of now is behind everything that etcd found waiting.
        until("etcd works again", async || {
            let marker = json!({"metadata": {"generateName": "marker-"}});
            server.post(&server.leases(""), &marker).await.code == 201
        })
        .await;
        let list = server.get(&server.leases("")).await.is(200);
        let names = super::server::names(&list);
        if names.iter().any(|name| name.starts_with("late-")) {
            return;
        }
    }
    panic!("no write landed late in {ROUNDS} rounds of {AT_ONCE}");
}
