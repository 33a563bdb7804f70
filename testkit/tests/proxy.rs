//! The proxy in front of a tiny server that counts what reaches it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use gwlock_testkit::proxy::{Fault, Proxy, Rule};
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::sync::Notify;

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/a/leases";

/// Answers `done N` to the Nth request, and to watches one event and then nothing.
struct Upstream {
    address: SocketAddr,
    handled: Arc<AtomicUsize>,
    arrived: Arc<Notify>,
}

impl Upstream {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (handled, arrived) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let (counter, notify) = (handled.clone(), arrived.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (counter, notify) = (counter.clone(), notify.clone());
                let service = service_fn(move |request: Request<Incoming>| {
                    let n = counter.fetch_add(1, Ordering::SeqCst) + 1;
                    notify.notify_one();
                    let answer = Response::new(body(&request, n));
                    async move { Ok::<_, Infallible>(answer) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self {
            address,
            handled,
            arrived,
        }
    }

    fn proxy(&self) -> Proxy {
        Proxy::http(&format!("http://{}", self.address)).unwrap()
    }

    fn handled(&self) -> usize {
        self.handled.load(Ordering::SeqCst)
    }
}

fn body(request: &Request<Incoming>, n: usize) -> BoxBody<Bytes, Infallible> {
    if request
        .uri()
        .query()
        .is_some_and(|query| query.contains("watch=true"))
    {
        let first = futures_util::stream::iter([Ok(Frame::data(Bytes::from("event\n")))]);
        let stream = futures_util::StreamExt::chain(first, futures_util::stream::pending());
        return StreamBody::new(stream).boxed();
    }
    Full::new(Bytes::from(format!("done {n}"))).boxed()
}

/// Status and body; an error when the connection ended without an answer.
async fn ask(proxy: &Proxy, method: Method, path: &str) -> Result<(StatusCode, String), String> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let request = Request::builder()
        .method(method)
        .uri(format!("{}{path}", proxy.url()))
        .body(Full::default())
        .unwrap();
    let answer = client
        .request(request)
        .await
        .map_err(|error| error.to_string())?;
    let status = answer.status();
    let bytes = answer
        .into_body()
        .collect()
        .await
        .map_err(|error| error.to_string())?;
    Ok((
        status,
        String::from_utf8(bytes.to_bytes().to_vec()).unwrap(),
    ))
}

fn done(n: usize) -> Result<(StatusCode, String), String> {
    Ok((StatusCode::OK, format!("done {n}")))
}

#[tokio::test]
async fn without_rules_requests_pass_and_are_counted() {
    let upstream = Upstream::start().await;
    let proxy = upstream.proxy();
    assert_eq!(ask(&proxy, Method::POST, LEASES).await, done(1));
    assert_eq!(ask(&proxy, Method::GET, LEASES).await, done(2));
    assert_eq!(ask(&proxy, Method::GET, "/readyz").await, done(3));
    let counts: Vec<_> = proxy.counts().into_iter().collect();
    let expected = [("create leases", 1), ("get /readyz", 1), ("list leases", 1)];
    assert_eq!(counts, expected.map(|(kind, n)| (kind.to_owned(), n)));
    proxy.forget();
    assert_eq!(proxy.seen(), []);
}

#[tokio::test]
async fn a_lost_answer_was_handled_and_a_lost_request_was_not() {
    let upstream = Upstream::start().await;
    let proxy = upstream.proxy();
    proxy.inject(Rule::new(Fault::LoseAnswer).nth(1));
    assert!(ask(&proxy, Method::POST, LEASES).await.is_err());
    assert_eq!(upstream.handled(), 1);
    proxy.inject(Rule::new(Fault::LoseRequest).nth(1));
    assert!(ask(&proxy, Method::POST, LEASES).await.is_err());
    assert_eq!(upstream.handled(), 1);
    assert_eq!(ask(&proxy, Method::POST, LEASES).await, done(2));
}

#[tokio::test]
async fn a_refusal_is_a_status_and_reaches_nobody() {
    let upstream = Upstream::start().await;
    let proxy = upstream.proxy();
    proxy.inject(Rule::new(Fault::Refuse {
        status: StatusCode::TOO_MANY_REQUESTS,
        retry_after: Some(7),
    }));
    let (status, text) = ask(&proxy, Method::POST, LEASES).await.unwrap();
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    let status: serde_json::Value = serde_json::from_str(&text).unwrap();
    let expected = serde_json::json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "refused by the proxy", "reason": "TooManyRequests", "code": 429,
        "details": {"retryAfterSeconds": 7}
    });
    assert_eq!(status, expected);
    assert_eq!(upstream.handled(), 0);
    proxy.heal();
    assert_eq!(ask(&proxy, Method::POST, LEASES).await, done(1));
}

#[tokio::test]
async fn a_delay_comes_before_or_after_the_servers_work() {
    const DELAY: Duration = Duration::from_millis(300);
    let upstream = Upstream::start().await;
    let proxy = upstream.proxy();
    proxy.inject(Rule::new(Fault::DelayAnswer(DELAY)).nth(1));
    let start = Instant::now();
    let asked = ask(&proxy, Method::POST, LEASES);
    let (answer, handled_after) = tokio::join!(asked, async {
        upstream.arrived.notified().await;
        start.elapsed()
    });
    assert_eq!(answer, done(1));
    assert!(handled_after < DELAY, "{handled_after:?}");
    assert!(start.elapsed() >= DELAY);

    proxy.inject(Rule::new(Fault::DelayRequest(DELAY)).nth(1));
    let start = Instant::now();
    let asked = ask(&proxy, Method::POST, LEASES);
    let (answer, handled_after) = tokio::join!(asked, async {
        upstream.arrived.notified().await;
        start.elapsed()
    });
    assert_eq!(answer, done(2));
    assert!(handled_after >= DELAY, "{handled_after:?}");
}

#[tokio::test]
async fn a_late_write_reaches_the_server_after_the_client_gave_up() {
    let upstream = Upstream::start().await;
    let proxy = upstream.proxy();
    proxy.inject(Rule::new(Fault::ForwardAfterTheClientGaveUp).nth(1));
    let given_up = ask(&proxy, Method::POST, LEASES);
    let given_up = tokio::time::timeout(Duration::from_millis(200), given_up).await;
    assert!(given_up.is_err(), "{given_up:?}");
    // The connection closes with the client, which timeout() has dropped.
    upstream.arrived.notified().await;
    assert_eq!(upstream.handled(), 1);
    assert_eq!(ask(&proxy, Method::POST, LEASES).await, done(2));
}

#[tokio::test]
async fn open_watches_can_be_cut() {
    let upstream = Upstream::start().await;
    let proxy = upstream.proxy();
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let uri = format!("{}{LEASES}?&watch=true", proxy.url());
    let mut watch = client.get(uri.parse().unwrap()).await.unwrap().into_body();
    let first = watch.frame().await.unwrap().unwrap();
    assert_eq!(first.into_data().unwrap(), "event\n");
    proxy.cut_watches();
    assert!(watch.frame().await.unwrap().is_err());

    let again = client.get(uri.parse().unwrap()).await.unwrap();
    let first = again.into_body().frame().await.unwrap().unwrap();
    assert_eq!(first.into_data().unwrap(), "event\n");
}
