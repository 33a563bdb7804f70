//! Followers on an embedded server under a paused clock: what is read how often, and what a view is told.

mod table;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Parser;
use futures_util::future::BoxFuture;
use futures_util::stream;
use gwlock_apiserver::ApiServer;
use gwlock_apiserver::faults::{Action, Fault};
use gwlock_engine::client::TokioClock;
use gwlock_engine::protocol::clock::Moment;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use jiff::Timestamp;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::task::{JoinHandle, LocalSet};
use tokio::time::sleep;
use tower::ServiceExt as _;

use super::super::report::Report;
use super::super::{Arguments, look};
use super::follow::{Follower, Link, News, View};
use super::pending::{AT_ONCE, FEW};
use super::source::Source;
use crate::context::{Cluster, TerminalSignal};
use crate::exit::Exit;
use crate::failure::Failure;

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/ns/leases";

/// Under the paused clock this is over when everybody waits for something else.
const A_MOMENT: Duration = Duration::from_millis(1);

type AnyBody = UnsyncBoxBody<bytes::Bytes, tower::BoxError>;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

/// What a view has been told.
#[derive(Debug, Default)]
struct Told {
    /// The state that was shown last, and how often one was shown, by name.
    shown: BTreeMap<String, (&'static str, String, usize)>,
    links: Vec<Link>,
}

/// A view that remembers.
struct Recorder(Rc<RefCell<Told>>);

impl View for Recorder {
    fn news(&mut self, news: Vec<News>) -> Result<(), Failure> {
        for news in news {
            let report = match &news {
                News::Lease(listed, date, _) => Report::of(listed, *date),
                News::Gone((namespace, name)) => Report::gone(namespace, name),
            };
            let mut told = self.0.borrow_mut();
            let shown = told.shown.entry(report.lease().1).or_default();
            *shown = (report.state, report.version.to_owned(), shown.2 + 1);
        }
        Ok(())
    }

    fn link(&mut self, link: Link, _now: Moment) -> Result<(), Failure> {
        self.0.borrow_mut().links.push(link);
        Ok(())
    }

    fn signal(&mut self, _signal: TerminalSignal) -> Result<Option<Exit>, Failure> {
        Ok(None)
    }

    fn draw(
        &mut self,
        _now: Moment,
        _server: Option<Timestamp>,
    ) -> Result<Option<Moment>, Failure> {
        Ok(None)
    }
}

/// A server, and a follower of it.
struct World {
    api: ApiServer,
    told: Rc<RefCell<Told>>,
    follower: JoinHandle<Result<Exit, Failure>>,
}

impl World {
    /// A follower that knows these leases and watches.
    async fn new(leases: usize, words: &'static [&'static str]) -> Self {
        Self::behind(leases, words, |api, request| Box::pin(handle(api, request))).await
    }

    /// The same with something between the two.
    async fn behind(
        leases: usize,
        words: &'static [&'static str],
        gate: impl Fn(ApiServer, Request<Body>) -> BoxFuture<'static, Response<AnyBody>>
        + Clone
        + Send
        + 'static,
    ) -> Self {
        let wall: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
        let api = ApiServer::builder()
            .clock(Arc::new(gwlock_apiserver::TokioClock::starting_at(wall)))
            .build();
        let world = Self {
            api: api.clone(),
            told: Rc::default(),
            follower: tokio::task::spawn_local(std::future::pending()),
        };
        world
            .send(
                "POST",
                "/api/v1/namespaces",
                json!({"metadata": {"name": "ns"}}),
            )
            .await;
        for number in 0..leases {
            world.create(number).await;
        }
        let service = tower::service_fn(move |request: Request<Body>| {
            let answer = gate(api.clone(), request);
            async move { Ok::<_, tower::BoxError>(answer.await) }
        });
        let cluster = Cluster {
            client: kube::Client::new(service, "ns"),
            namespace: "ns".to_owned(),
            given_namespace: None,
            request_timeout: None,
            config: kube::Config::new(http::Uri::from_static("http://localhost")),
        };
        let told = world.told.clone();
        let follower = tokio::task::spawn_local(async move {
            let arguments = Line::parse_from([&["inspect"], words].concat()).arguments;
            let keys = super::super::key::several(&arguments.keys, arguments.key_as)?;
            let listing = look(&arguments, &keys, &cluster).await?;
            let source = Source {
                arguments: &arguments,
                keys: &keys,
                cluster: &cluster,
                clock: &TokioClock::starting_at(wall),
            };
            Follower::new(source, Recorder(told))
                .run(listing, stream::pending())
                .await
        });
        sleep(A_MOMENT).await;
        Self { follower, ..world }
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Value {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .body(Body::from(body.to_string().into_bytes()))
            .unwrap();
        let response = handle(self.api.clone(), request).await;
        assert!(response.status().is_success(), "{}", response.status());
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&bytes).unwrap()
    }

    async fn create(&self, number: usize) {
        let lease = json!({"metadata": {"name": name(number)}, "spec": {
            "holderIdentity": "a", "leaseDurationSeconds": 3600,
        }});
        self.send("POST", LEASES, lease).await;
    }

    /// Gives a lease another holder; nobody is free.
    async fn change(&self, number: usize, holder: &str) {
        let path = format!("{LEASES}/{}", name(number));
        let mut lease = self.send("GET", &path, Value::Null).await;
        lease["spec"]["holderIdentity"] = json!(holder);
        self.send("PUT", &path, lease).await;
    }

    async fn delete(&self, number: usize) {
        let path = format!("{LEASES}/{}", name(number));
        self.send("DELETE", &path, json!({})).await;
    }

    /// What is shown, and how often that was anew.
    fn shown(&self) -> BTreeMap<String, (&'static str, String, usize)> {
        self.told.borrow().shown.clone()
    }

    /// State and version of each lease that is shown, but for those that are gone.
    fn last(&self) -> BTreeMap<String, String> {
        let shown = self.shown().into_iter();
        shown
            .filter(|(_, (state, _, _))| *state != "gone")
            .map(|(name, (_, version, _))| (name, version))
            .collect()
    }

    /// The version of each lease as the server has it.
    async fn true_state(&self) -> BTreeMap<String, String> {
        let list = self.send("GET", LEASES, Value::Null).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let items = list["items"].as_array().unwrap().iter();
        items
            .map(|item| &item["metadata"])
            .map(|metadata| (text(&metadata["name"]), text(&metadata["resourceVersion"])))
            .collect()
    }

    fn links(&self) -> Vec<Link> {
        self.told.borrow().links.clone()
    }

    /// The code with which the follower has ended.
    async fn exit(self) -> (u8, String) {
        match self.follower.await.unwrap() {
            Ok(exit) => (exit.code(), String::new()),
            Err(failure) => (failure.exit.code(), failure.message()),
        }
    }
}

fn name(number: usize) -> String {
    format!("gw-lock-{number:03}")
}

async fn handle(api: ApiServer, request: Request<Body>) -> Response<AnyBody> {
    let response = api.oneshot(request).await;
    response.unwrap().map(boxed)
}

fn boxed<B>(body: B) -> AnyBody
where
    B: http_body::Body<Data = bytes::Bytes, Error: Into<tower::BoxError>> + Send + 'static,
{
    body.map_err(Into::into).boxed_unsync()
}

/// What a server says to those who may not.
fn forbidden() -> Response<AnyBody> {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403,
        "message": "you may not"});
    Response::builder()
        .status(403)
        .header("content-type", "application/json")
        .body(boxed(http_body_util::Full::from(status.to_string())))
        .unwrap()
}

fn is_watch(request: &Request<Body>) -> bool {
    request
        .uri()
        .query()
        .is_some_and(|query| query.contains("watch=true"))
}

fn is_get(request: &Request<Body>) -> bool {
    request.method() == "GET" && request.uri().path().contains("/leases/")
}

/// Runs a test on one thread.
async fn locally(test: impl Future<Output = ()>) {
    LocalSet::new().run_until(test).await;
}

#[tokio::test(start_paused = true)]
async fn changes_that_cannot_be_read_at_once_are_answered_by_few_reads_and_none_is_lost() {
    locally(async {
        let world = World::new(100, &["-w"]).await;
        assert_eq!(world.last(), world.true_state().await);
        let (lists, gets) = (
            world.api.requests("leases", "list"),
            world.api.requests("leases", "get"),
        );
        let first = world.shown();

        world
            .api
            .faults()
            .inject(Fault::new(Action::Pause).verb("get"));
        world
            .api
            .faults()
            .inject(Fault::new(Action::Pause).verb("list"));
        let changes = 500;
        for change in 0..changes {
            let number = change % 100;
            let path = format!("{LEASES}/{}", name(number));
            let spec = json!({"spec": {"holderIdentity": format!("b-{change}")}});
            let request = Request::patch(path)
                .header("content-type", "application/merge-patch+json")
                .body(Body::from(spec.to_string().into_bytes()));
            let answer = handle(world.api.clone(), request.unwrap()).await;
            assert_eq!(answer.status(), 200);
            // Every event has come before the next change is made.
            sleep(A_MOMENT).await;
        }
        world.delete(99).await;
        sleep(A_MOMENT).await;
        assert_eq!(world.shown(), first);

        world.api.faults().clear();
        world.api.faults().resume();
        sleep(Duration::from_secs(1)).await;
        // As many as may be under way, and one list for all the others.
        let own = world.api.requests("leases", "get") - gets;
        assert_eq!(own, u64::try_from(AT_ONCE).unwrap());
        assert_eq!(world.api.requests("leases", "list") - lists, 1);
        assert_eq!(world.last(), world.true_state().await);
        let shown = world.shown();
        assert_eq!(shown["gw-lock-099"].0, "gone");
        // The reads that had been sent may have shown some of them twice.
        let rows: usize = shown.values().map(|(_, _, rows)| rows).sum();
        assert_eq!(rows, 100 + 100, "{shown:?}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_few_changes_are_read_singly_and_each_once() {
    locally(async {
        let world = World::new(3, &["-w"]).await;
        for holder in ["b", "c", "d"] {
            world.change(1, holder).await;
            let gets = world.api.requests("leases", "get");
            sleep(A_MOMENT).await;
            assert_eq!(world.api.requests("leases", "get") - gets, 1);
        }
        assert_eq!(world.shown()["gw-lock-001"].2, 4);
        assert_eq!(world.api.requests("leases", "list"), 1);
        assert_eq!(world.last(), world.true_state().await);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_selection_is_read_by_lists_alone() {
    locally(async {
        let world = World::new(2, &["-w", "-l", "team=a"]).await;
        assert_eq!(world.last(), BTreeMap::new());
        let path = format!("{LEASES}/{}", name(1));
        let mut lease = world.send("GET", &path, Value::Null).await;
        lease["metadata"]["labels"] = json!({"team": "a"});
        let lease = world.send("PUT", &path, lease).await;
        let gets = world.api.requests("leases", "get");
        sleep(A_MOMENT).await;
        assert_eq!(world.shown()["gw-lock-001"].0, "held");
        // It is still there, and does not belong to the selection any more.
        let mut other = lease;
        other["metadata"]["labels"] = json!({"team": "b"});
        world.send("PUT", &path, other).await;
        sleep(Duration::from_secs(1)).await;
        assert_eq!(world.shown()["gw-lock-001"].0, "gone");
        assert_eq!(world.api.requests("leases", "get"), gets);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn whoever_may_only_list_and_watch_sees_every_change() {
    locally(async {
        let world = World::behind(2, &["-w"], |api, request| {
            Box::pin(async move {
                if is_get(&request) {
                    return forbidden();
                }
                handle(api, request).await
            })
        })
        .await;
        for holder in ["b", "c"] {
            world.change(0, holder).await;
            sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(world.api.requests("leases", "list"), 3);
        assert_eq!(world.last(), world.true_state().await);
        assert_eq!(world.links(), [Link::Connected]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_too_old_is_followed_by_a_list() {
    locally(async {
        let is_late = Arc::new(AtomicBool::new(true));
        let world = World::behind(2, &["-w"], move |api, request| {
            let is_late = is_late.clone();
            Box::pin(async move {
                // Between the list and the watch there is a change, and then the server forgets it.
                if is_watch(&request) && is_late.swap(false, Ordering::Relaxed) {
                    let path = format!("{LEASES}/{}", name(1));
                    let delete = Request::delete(path).body(Body::empty()).unwrap();
                    assert_eq!(handle(api.clone(), delete).await.status(), 200);
                    api.compact();
                }
                handle(api, request).await
            })
        })
        .await;
        sleep(Duration::from_secs(1)).await;
        assert_eq!(world.api.requests("leases", "watch"), 2);
        let shown = world.shown();
        let rows: Vec<(&str, usize)> = shown.values().map(|shown| (shown.0, shown.2)).collect();
        assert_eq!(rows, [("held", 1), ("gone", 2)]);
        assert!(world.links().iter().all(|link| *link == Link::Connected));
        world.change(0, "b").await;
        sleep(A_MOMENT).await;
        assert_eq!(world.last(), world.true_state().await);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_key_is_watched_from_the_present_however_old_its_version_is() {
    locally(async {
        let world = World::behind(2, &["-w", "gw-lock-000"], |api, request| {
            // Versions before this are known no more.
            api.compact();
            Box::pin(handle(api, request))
        })
        .await;
        sleep(Duration::from_secs(60)).await;
        assert_eq!(world.api.requests("leases", "watch"), 1);
        world.change(0, "b").await;
        world.change(1, "b").await;
        sleep(A_MOMENT).await;
        let shown = world.shown();
        assert_eq!((shown.len(), shown["gw-lock-000"].2), (1, 2));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_says_nothing_for_too_long_is_followed_by_a_list() {
    locally(async {
        let world = World::behind(1, &["-w"], |api, request| {
            Box::pin(async move {
                if is_watch(&request) {
                    // The connection stays, and whoever was at its other end has gone.
                    let silence =
                        stream::pending::<Result<http_body::Frame<bytes::Bytes>, std::io::Error>>();
                    let body = http_body_util::StreamBody::new(silence);
                    return Response::new(boxed(body));
                }
                handle(api, request).await
            })
        })
        .await;
        world.change(0, "b").await;
        sleep(Duration::from_secs(290)).await;
        assert_eq!(world.shown()["gw-lock-000"].2, 1);
        sleep(Duration::from_secs(20)).await;
        assert_eq!(world.shown()["gw-lock-000"].2, 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn where_watching_is_forbidden_lists_take_its_place() {
    locally(async {
        let world = World::behind(2, &["-w"], |api, request| {
            Box::pin(async move {
                if is_watch(&request) {
                    return forbidden();
                }
                handle(api, request).await
            })
        })
        .await;
        assert_eq!(world.links(), [Link::Polling("you may not".to_owned())]);
        let lists = world.api.requests("leases", "list");
        // After 0.25, 0.5, 1, and then every 2 seconds.
        sleep(Duration::from_millis(250 + 500 + 1000 + 2000 + 2000 + 100)).await;
        assert_eq!(world.api.requests("leases", "list") - lists, 5);
        world.change(0, "b").await;
        world.delete(1).await;
        sleep(Duration::from_secs(2)).await;
        let shown = world.shown();
        let rows: Vec<(&str, usize)> = shown.values().map(|shown| (shown.0, shown.2)).collect();
        assert_eq!(rows, [("held", 2), ("gone", 2)]);
        assert_eq!(world.links(), [Link::Polling("you may not".to_owned())]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_comes_back_is_followed_on_and_nothing_is_shown_twice() {
    locally(async {
        let world = World::new(2, &["-w"]).await;
        sleep(Duration::from_secs(10)).await;
        world.api.faults().inject(
            Fault::new(Action::Refuse {
                status: 503,
                retry_after: None,
            })
            .verb("list"),
        );
        world.api.faults().cut_watches();
        sleep(Duration::from_secs(20)).await;
        // At once, and after 0.2, 0.4, 0.8, 1.6, 3.2, 5 and 5 seconds.
        assert_eq!(world.api.faults().hits(), 8);
        let links = world.links();
        let Some((Link::Connected, lost)) = links.split_first() else {
            panic!("{links:?}")
        };
        let since: Vec<Moment> = lost
            .iter()
            .map(|link| match link {
                Link::Lost(since, _) => *since,
                link => panic!("{link:?}"),
            })
            .collect();
        assert_eq!((since.len(), since.iter().min()), (8, since.iter().max()));
        world.change(0, "b").await;
        world.api.faults().clear();
        sleep(Duration::from_secs(5)).await;
        assert_eq!(world.links().last(), Some(&Link::Connected));
        assert_eq!(world.last(), world.true_state().await);
        let rows: Vec<usize> = world.shown().values().map(|shown| shown.2).collect();
        assert_eq!(rows, [2, 1]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_permission_that_is_taken_away_ends_it_and_one_that_is_late_does_not() {
    for (seconds, expected) in [(6, None), (60, Some((77, "you may not".to_owned())))] {
        locally(async move {
            let begun = tokio::time::Instant::now();
            let is_refused = move |request: &Request<Body>| {
                let since = begun.elapsed();
                let refuses = Duration::from_secs(10)..Duration::from_secs(10 + seconds);
                !is_get(request) && refuses.contains(&since)
            };
            let world = World::behind(1, &["-w"], move |api, request| {
                Box::pin(async move {
                    if is_refused(&request) {
                        return forbidden();
                    }
                    handle(api, request).await
                })
            })
            .await;
            sleep(Duration::from_secs(10)).await;
            world.api.faults().cut_watches();
            sleep(Duration::from_secs(30)).await;
            match expected {
                None => assert_eq!(world.links().last(), Some(&Link::Connected)),
                Some(expected) => assert_eq!(world.exit().await, expected),
            }
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_expires_without_a_change_is_shown_once() {
    locally(async {
        let world = World::new(FEW + 20, &["-w"]).await;
        let gets = world.api.requests("leases", "get");
        // The margin comes on top.
        sleep(Duration::from_secs(3601)).await;
        assert_eq!(world.shown()["gw-lock-000"].0, "held");
        sleep(Duration::from_secs(4)).await;
        let shown = world.shown();
        let is_shown_once = |shown: &(&str, String, usize)| (shown.0, shown.2) == ("expired", 2);
        assert!(shown.values().all(is_shown_once), "{shown:?}");
        assert_eq!(world.api.requests("leases", "get"), gets);
    })
    .await;
}
