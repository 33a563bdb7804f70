//! A replica behind a real socket: what HTTP leaves open, and what senders get to see of it.

use std::fs;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gwlock::gateway::payload::MAX_BODY;
use gwlock::gateway::server::listen;
use gwlock::gateway::server::tls::Certificate;
use gwlock_testkit::Authority;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::fleet::{Fleet, alert};

const ROUTE: &str = "/api/v1/signals/prometheus";

async fn listening(tls: Option<TlsAcceptor>) -> SocketAddr {
    let fleet = Fleet::new(1).await;
    fleet.cluster.create("shop/Pod/pod-0", None).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        listen::serve(listener, tls, fleet.routes(), pending(), Duration::ZERO).await
    });
    address
}

fn body() -> String {
    let mut resolved = alert("HighCPU", "pod-0");
    resolved["status"] = json!("resolved");
    json!({"version": "4", "alerts": [resolved]}).to_string()
}

/// A request with these lines, and with a body if it is not in the lines already.
fn request(version: &str, lines: &[&str], body: &str) -> String {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    format!("POST {ROUTE} HTTP/{version}\r\nHost: gateway\r\n{lines}\r\n{body}")
}

/// The first lines of all answers, until the connection ends.
async fn told(address: SocketAddr, sent: &str) -> Vec<String> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.unwrap();
    let lines = answers.match_indices("HTTP/1.").map(|(at, _)| {
        let (line, _) = answers[at..].split_once("\r\n").unwrap();
        line.to_owned()
    });
    lines.collect()
}

#[tokio::test]
async fn a_signal_may_come_in_every_way_that_http_has() {
    let address = listening(None).await;
    let body = body();
    let length = format!("Content-Length: {}", body.len());
    let (first, second) = body.split_at(20);
    let chunked = format!(
        "{:x}\r\n{first}\r\n{:x};name=value\r\n{second}\r\n0\r\nTrailer: x\r\n\r\n",
        first.len(),
        second.len()
    );
    let chunks = ["Transfer-Encoding: chunked", "Connection: close"];
    for (sent, expected) in [
        (request("1.0", &[&length], &body), "HTTP/1.0 200 OK"),
        (
            request("1.1", &[&length, "Connection: close"], &body),
            "HTTP/1.1 200 OK",
        ),
        (request("1.1", &chunks, &chunked), "HTTP/1.1 200 OK"),
        (
            request("1.1", &chunks, "no length\r\n"),
            "HTTP/1.1 400 Bad Request",
        ),
        (
            request("1.1", &[&length, "Content-Length: 1"], &body),
            "HTTP/1.1 400 Bad Request",
        ),
        (
            request("1.1", &["Connection: close"], ""),
            "HTTP/1.1 400 Bad Request",
        ),
    ] {
        assert_eq!(told(address, &sent).await, [expected], "{sent}");
    }
}

#[tokio::test]
async fn requests_one_behind_the_other_are_answered_in_their_order() {
    let address = listening(None).await;
    let body = body();
    let length = format!("Content-Length: {}", body.len());
    let sent = [
        request("1.1", &[&length], &body),
        request("1.1", &["Content-Length: 2"], "[]"),
        request("1.1", &[&length, "Content-Type: text/plain"], &body),
        format!("GET {ROUTE} HTTP/1.1\r\nHost: gateway\r\n\r\n"),
        request("1.1", &[&length, "Connection: close"], &body),
    ];
    assert_eq!(
        told(address, &sent.concat()).await,
        [
            "HTTP/1.1 200 OK",
            "HTTP/1.1 400 Bad Request",
            "HTTP/1.1 415 Unsupported Media Type",
            "HTTP/1.1 405 Method Not Allowed",
            "HTTP/1.1 200 OK"
        ]
    );
}

#[tokio::test]
async fn a_head_that_does_not_end_within_64_kib_is_refused() {
    let address = listening(None).await;
    let head = |bytes: usize, end: &str| {
        let start = format!("POST {ROUTE} HTTP/1.1\r\nConnection: close\r\nAuthorization: Bearer ");
        let token = "x".repeat(bytes - start.len() - end.len());
        [&start, &*token, end].concat()
    };
    let sent = head(64 * 1024 - 1, "\r\n\r\n");
    assert_eq!(told(address, &sent).await, ["HTTP/1.1 400 Bad Request"]);
    let sent = head(64 * 1024, "");
    let expected = "HTTP/1.1 431 Request Header Fields Too Large";
    assert_eq!(told(address, &sent).await, [expected]);
}

#[tokio::test]
async fn who_asks_before_sending_too_much_is_told_at_once() {
    let address = listening(None).await;
    for (length, expected) in [
        (MAX_BODY, "HTTP/1.1 100 Continue\r\n"),
        (MAX_BODY + 1, "HTTP/1.1 413 Payload Too Large\r\n"),
    ] {
        let length = format!("Content-Length: {length}");
        let sent = request("1.1", &[&length, "Expect: 100-continue"], "");
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut start = vec![0; expected.len()];
        stream.read_exact(&mut start).await.unwrap();
        assert_eq!(String::from_utf8(start).unwrap(), expected);
    }
}

/// Far more than fits into the buffers of both ends, so that the sender is still writing when it is answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_arrives_however_much_is_still_being_sent() {
    const MUCH: usize = 32_000_000;
    let address = listening(None).await;
    let length = format!("Content-Length: {MUCH}");
    let endless = format!("{MUCH:x}\r\n");
    for (lines, start, expected) in [
        (vec![&*length], "", "HTTP/1.1 413 Payload Too Large\r\n"),
        (
            vec!["Transfer-Encoding: chunked"],
            &*endless,
            "HTTP/1.1 413 Payload Too Large\r\n",
        ),
        (
            vec![&length, "Content-Type: text/plain"],
            "",
            "HTTP/1.1 415 Unsupported Media Type\r\n",
        ),
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = request("1.1", &lines, start);
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&vec![b' '; MUCH]).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(expected), "{answer}");
        assert!(answer.ends_with('}'), "{answer}");
    }
}

#[tokio::test]
async fn who_speaks_plain_where_tls_is_expected_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let [certificate, key] = ["tls.crt", "tls.key"].map(|name| folder.path().join(name));
    let leaf = Authority::new().unwrap().certify().unwrap();
    fs::write(&certificate, leaf.pem()).unwrap();
    fs::write(&key, leaf.key_pem()).unwrap();
    let loaded = Arc::new(Certificate::load(&certificate, &key).unwrap());
    let config = loaded.config().unwrap();
    let address = listening(Some(TlsAcceptor::from(Arc::new(config)))).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let sent = request("1.1", &["Content-Length: 2"], "{}");
    stream.write_all(sent.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 400 Bad Request\r\n"),
        "{answer}"
    );
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, "this address speaks HTTPS\n");
    assert!(answer.contains(&format!("Content-Length: {}\r\n", body.len())));
}
