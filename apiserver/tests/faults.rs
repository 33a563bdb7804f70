//! Faults: what the client sees, what the server did, and what the observer was told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use gwlock_apiserver::faults::{Action, Fault};
use gwlock_apiserver::{ApiServer, ConnectionLost, Exchange, TokioClock};
use http::{Method, Request};
use http_body_util::{BodyExt, BodyStream, Full};
use serde_json::{Value, json};
use tokio::time::Instant;
use tower::Service;

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases";

struct World {
    server: ApiServer,
    exchanges: Arc<Mutex<Vec<Exchange>>>,
}

impl World {
    fn new() -> Self {
        let exchanges: Arc<Mutex<Vec<Exchange>>> = Arc::default();
        let seen = Arc::clone(&exchanges);
        let start = "2026-11-23T09:00:00Z".parse().expect("a valid instant");
        let server = ApiServer::builder()
            .clock(Arc::new(TokioClock::starting_at(start)))
            .observer(move |exchange| seen.lock().expect("no panic").push(exchange.clone()))
            .build();
        Self { server, exchanges }
    }

    fn with(action: Action) -> Self {
        let world = Self::new();
        world
            .server
            .faults()
            .inject(Fault::new(action).resource("leases").times(1));
        world
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Value,
    ) -> Result<(u16, Value), ConnectionLost> {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(Full::from(body))
            .expect("a request");
        let response = self.server.clone().call(request).await?;
        let code = response.status().as_u16();
        let bytes = response.into_body().collect().await?.to_bytes();
        Ok((code, serde_json::from_slice(&bytes).expect("JSON")))
    }

    async fn post(&self, path: &str) -> Result<u16, ConnectionLost> {
        let lease = json!({ "metadata": { "name": "x" }, "spec": { "holderIdentity": "h" } });
        Ok(self.send(Method::POST, path, lease).await?.0)
    }

    async fn exists(&self) -> bool {
        self.send(Method::GET, &format!("{LEASES}/x"), Value::Null)
            .await
            .expect("an answer")
            .0
            == 200
    }

    /// Status and outcome of the exchanges with this verb.
    fn endings(&self, verb: &str) -> Vec<(Option<u16>, Option<u16>)> {
        let exchanges = self.exchanges.lock().expect("no panic");
        exchanges
            .iter()
            .filter(|own| own.verb == verb)
            .map(|own| (own.status, own.outcome))
            .collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_delayed_request_is_handled_later() {
    let world = World::with(Action::Delay(Duration::from_secs(5)));
    let sent = Instant::now();
    assert_eq!(world.post(LEASES).await, Ok(201));
    assert_eq!(sent.elapsed(), Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_time_is_over_before_it_is_handled_is_not_executed() {
    let world = World::with(Action::Delay(Duration::from_secs(5)));
    let sent = Instant::now();
    assert_eq!(world.post(&format!("{LEASES}?timeout=2s")).await, Ok(504));
    assert_eq!(sent.elapsed(), Duration::from_secs(2));
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(!world.exists().await);
    assert_eq!(world.endings("create"), [(Some(504), None)]);
}

#[tokio::test(start_paused = true)]
async fn stamps_show_when_a_delayed_request_came_in() {
    let world = World::with(Action::Delay(Duration::from_secs(6)));
    assert_eq!(world.post(LEASES).await, Ok(201));
    let (_, lease) = world
        .send(Method::GET, &format!("{LEASES}/x"), Value::Null)
        .await
        .expect("an answer");
    assert_eq!(
        lease["metadata"]["creationTimestamp"],
        "2026-11-23T09:00:00Z"
    );
    assert_eq!(
        lease["metadata"]["managedFields"][0]["time"],
        "2026-11-23T09:00:00Z"
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_follows_a_write_that_was_made() {
    let world = World::with(Action::LoseAnswer);
    assert_eq!(world.post(LEASES).await, Err(ConnectionLost));
    assert!(world.exists().await);
    assert_eq!(world.endings("create"), [(None, Some(201))]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_request_was_never_handled() {
    let world = World::with(Action::LoseRequest);
    assert_eq!(world.post(LEASES).await, Err(ConnectionLost));
    assert!(!world.exists().await);
    assert_eq!(world.endings("create"), [(None, None)]);
}

#[tokio::test(start_paused = true)]
async fn a_late_write_lands_after_its_client_gave_up() {
    let world = World::with(Action::Late(Duration::from_secs(3)));
    assert!(
        tokio::time::timeout(Duration::from_secs(1), world.post(LEASES))
            .await
            .is_err()
    );
    assert!(!world.exists().await);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(world.exists().await);
    assert_eq!(world.endings("create"), [(None, Some(201))]);
}

#[tokio::test(start_paused = true)]
async fn a_late_write_lands_after_its_client_was_told_that_time_is_over() {
    let world = World::with(Action::Late(Duration::from_secs(3)));
    assert_eq!(world.post(&format!("{LEASES}?timeout=1s")).await, Ok(504));
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(world.exists().await);
    assert_eq!(world.endings("create"), [(Some(504), Some(201))]);
}

#[tokio::test(start_paused = true)]
async fn a_disguised_answer_hides_a_write_that_was_made() {
    let world = World::with(Action::Disguise { status: 500 });
    assert_eq!(world.post(LEASES).await, Ok(500));
    assert!(world.exists().await);
    assert_eq!(world.endings("create"), [(Some(500), Some(201))]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_for_overload_says_when_to_come_back() {
    let world = World::with(Action::Refuse {
        status: 429,
        retry_after: Some(7),
    });
    let request = Request::post(LEASES)
        .body(Full::from(r#"{"metadata":{"name":"x"}}"#))
        .expect("a request");
    let response = world.server.clone().call(request).await.expect("an answer");
    assert_eq!(
        (
            response.status().as_u16(),
            response.headers()["retry-after"].as_bytes()
        ),
        (429, &b"7"[..])
    );
    assert!(!world.exists().await);
}

#[tokio::test(start_paused = true)]
async fn a_paused_store_holds_writes_and_consistent_reads_and_nothing_else() {
    let world = World::new();
    world.server.faults().inject(Fault::new(Action::Pause));
    let cached = format!("{LEASES}?resourceVersion=0");
    let from_cache = world.send(Method::GET, &cached, Value::Null);
    assert_eq!(from_cache.await.expect("an answer").0, 200);
    let (mut write, mut read) = (
        Box::pin(world.post(LEASES)),
        Box::pin(world.send(Method::GET, LEASES, Value::Null)),
    );
    assert_eq!(write.as_mut().now_or_never(), None);
    assert_eq!(read.as_mut().now_or_never(), None);
    world.server.faults().clear();
    world.server.faults().resume();
    assert_eq!(write.await, Ok(201));
    assert_eq!(read.await.expect("an answer").0, 200);
}

#[tokio::test(start_paused = true)]
async fn faults_are_matched_by_verb_resource_name_and_number() {
    let world = World::new();
    let fault = Fault::new(Action::LoseRequest)
        .verb("create")
        .resource("leases")
        .name("x")
        .after(1)
        .times(1);
    world.server.faults().inject(fault);
    let named = |name: &str| json!({ "metadata": { "name": name } });
    let mut codes = Vec::new();
    for name in ["x", "y", "x", "x"] {
        codes.push(
            world
                .send(Method::POST, LEASES, named(name))
                .await
                .map(|(code, _)| code),
        );
    }
    assert_eq!(codes, [Ok(201), Ok(201), Err(ConnectionLost), Ok(409)]);
    let record = world.server.faults().record();
    assert_eq!(record.len(), 1);
    assert_eq!(
        (record[0].subject.verb, record[0].subject.name.as_str()),
        ("create", "x")
    );
}

async fn watch(
    world: &World,
) -> impl futures_util::Stream<Item = Result<Value, ConnectionLost>> + Unpin {
    let request = Request::get(format!(
        "{LEASES}?watch=true&resourceVersion=0&timeoutSeconds=60"
    ))
    .body(Full::<bytes::Bytes>::default())
    .expect("a request");
    let response = world.server.clone().call(request).await.expect("an answer");
    Box::pin(BodyStream::new(response.into_body()).map(|frame| {
        let bytes = frame?.into_data().expect("a watch sends data alone");
        Ok(serde_json::from_slice::<Value>(&bytes).expect("one document a frame")["type"].clone())
    }))
}

#[tokio::test(start_paused = true)]
async fn a_watch_is_cut_by_call_and_by_fault() {
    let world = World::new();
    let mut events = watch(&world).await;
    world.post(LEASES).await.expect("an answer");
    assert_eq!(events.next().await, Some(Ok(json!("ADDED"))));
    world.server.faults().cut_watches();
    assert_eq!(events.next().await, Some(Err(ConnectionLost)));
    assert_eq!(events.next().await, None);

    world
        .server
        .faults()
        .inject(Fault::new(Action::CutWatch(Duration::from_secs(2))).verb("watch"));
    let started = Instant::now();
    let mut events = watch(&world).await;
    assert_eq!(events.next().await, Some(Ok(json!("ADDED"))));
    assert_eq!(events.next().await, Some(Err(ConnectionLost)));
    assert_eq!(started.elapsed(), Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_stalled_watch_shows_what_it_held_back_once_it_moves_again() {
    let world = World::new();
    let mut events = watch(&world).await;
    world.server.faults().stall_watches(true);
    world.post(LEASES).await.expect("an answer");
    assert!(
        tokio::time::timeout(Duration::from_secs(30), events.next())
            .await
            .is_err()
    );
    world.server.faults().stall_watches(false);
    assert_eq!(events.next().await, Some(Ok(json!("ADDED"))));
}

#[tokio::test(start_paused = true)]
async fn requests_are_counted_by_resource_and_verb() {
    let world = World::new();
    world.post(LEASES).await.expect("an answer");
    world.exists().await;
    world.exists().await;
    let counts = ["create", "get", "list"].map(|verb| world.server.requests("leases", verb));
    assert_eq!(counts, [1, 2, 0]);
}
