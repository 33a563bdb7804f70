//! A gateway that answers as it is told, and remembers what it was sent. No expectations are here.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// Longer than anything here takes on a slow machine; a test that reaches it has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is done with a request.
#[derive(Debug, Clone)]
pub(super) enum Reaction {
    /// This is answered: a status line, headers and a body.
    Answer(&'static str, &'static str, String),
    /// The connection is closed.
    Close,
    /// Nothing is ever answered.
    Hang,
}

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Received {
    /// `POST /path`.
    pub(super) line: String,
    /// In lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

/// A gateway on loopback.
pub(super) struct Fake {
    pub(super) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    reactions: Mutex<VecDeque<Reaction>>,
    received: Mutex<Vec<Received>>,
    changed: Condvar,
    /// Connections on which nothing is answered.
    open: Mutex<Vec<TcpStream>>,
}

impl Received {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Fake {
    /// Does this with the requests, one after the other; with the last of it for ever.
    pub(super) fn new(reactions: impl IntoIterator<Item = Reaction>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            reactions: Mutex::new(reactions.into_iter().collect()),
            received: Mutex::default(),
            changed: Condvar::new(),
            open: Mutex::default(),
        });
        let serving = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, serving) = (stream.unwrap(), serving.clone());
                thread::spawn(move || serving.connection(&stream));
            }
        });
        Self { url, shared }
    }

    /// One that creates everything.
    pub(super) fn creating() -> Self {
        Self::new([created()])
    }

    pub(super) fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    /// Waits until so many requests have come.
    pub(super) fn wait_for(&self, count: usize) {
        let received = self.shared.received.lock().unwrap();
        let is_early = |received: &mut Vec<Received>| received.len() < count;
        let waited = self
            .shared
            .changed
            .wait_timeout_while(received, PATIENCE, is_early);
        assert!(
            !waited.unwrap().1.timed_out(),
            "{count} requests never came"
        );
    }
}

impl Shared {
    fn connection(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while let Some(received) = receive(&mut reader) {
            let reaction = {
                let mut reactions = self.reactions.lock().unwrap();
                match reactions.len() {
                    1 => reactions[0].clone(),
                    _ => reactions.pop_front().unwrap(),
                }
            };
            // Whoever waits for a request on which nothing is done may act as soon as it is known.
            if matches!(reaction, Reaction::Hang) {
                self.open.lock().unwrap().push(stream.try_clone().unwrap());
            }
            self.received.lock().unwrap().push(received);
            self.changed.notify_all();
            match reaction {
                Reaction::Answer(status, headers, body) => {
                    let length = body.len();
                    let answer = format!(
                        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
                    );
                    if (&*stream).write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
                Reaction::Close | Reaction::Hang => return,
            }
        }
    }
}

fn receive(reader: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut line = || {
        let mut line = String::new();
        let read = reader.read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim_end().to_owned())
    };
    let request = line()?;
    let mut headers = Vec::new();
    while let Some((name, value)) = line()?.split_once(": ") {
        headers.push((name.to_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    Some(Received {
        line: request.trim_end_matches(" HTTP/1.1").to_owned(),
        headers,
        body: String::from_utf8(body).unwrap(),
    })
}

/// An answer with a JSON body and a name.
pub(super) fn json(status: &'static str, body: &Value) -> Reaction {
    let headers = "content-type: application/json\r\nx-request-id: id-1\r\n";
    Reaction::Answer(status, headers, body.to_string())
}

/// A problem as the gateway tells it.
pub(super) fn problem(status: &'static str, detail: &str) -> Reaction {
    json(
        status,
        &serde_json::json!({"type": "about:blank", "detail": detail}),
    )
}

pub(super) fn created() -> Reaction {
    json(
        "201 Created",
        &serde_json::json!({
            "status": "created", "message": "made", "fingerprint": "", "duplicate": false,
            "remediationRequestName": "rr-1", "remediationRequestNamespace": "ns",
        }),
    )
}
