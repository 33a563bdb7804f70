//! Reads of an API server, so many at a time, each with an end. What failed is kept, so that a bundle can say what is
//! not in it, and every `Date` is compared with this machine's clock.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gwlock_engine::client::api_error::describe;
use gwlock_engine::client::lease_api::server_date;
use gwlock_engine::client::list::encode;
use http::{Method, Request, header};
use http_body_util::{BodyExt as _, Limited};
use jiff::Timestamp;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::doctor::check::{Read, Trouble};
use crate::evidence::machine_clock::MachineClock;

/// Questions that wait for an answer at one time: more would only wait in the server.
const AT_ONCE: usize = 16;

/// Objects of one page.
const PAGE: usize = 500;

/// The largest answer that is read: a page of RemediationRequests, each of which may hold a payload.
const LARGEST_ANSWER: usize = 256 * 1024 * 1024;

/// An API server, or something else that answers over HTTP.
pub(super) struct Asker {
    client: kube::Client,
    timeout: Duration,
    permits: Semaphore,
    clocks: Mutex<Vec<MachineClock>>,
    unread: Mutex<Vec<Unread>>,
}

/// What was not read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unread {
    /// Its path.
    pub(super) what: String,
    pub(super) trouble: Trouble,
}

impl Asker {
    pub(super) fn new(client: kube::Client, timeout: Duration) -> Self {
        Self {
            client,
            timeout,
            permits: Semaphore::new(AT_ONCE),
            clocks: Mutex::default(),
            unread: Mutex::default(),
        }
    }

    pub(super) fn client(&self) -> &kube::Client {
        &self.client
    }

    /// For one request.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// What every answer with a `Date` says of this machine's clock.
    pub(super) fn clocks(&self) -> Vec<MachineClock> {
        locked(&self.clocks).clone()
    }

    /// What was not read so far, each path once, sorted.
    pub(super) fn unread(&self) -> Vec<Unread> {
        let mut unread = locked(&self.unread).clone();
        unread.sort_by(|a, b| a.what.cmp(&b.what));
        unread.dedup_by(|a, b| a.what == b.what);
        unread
    }

    /// Notes that something was not read by other means than these.
    pub(super) fn note<T>(&self, what: &str, read: Read<T>) -> Read<T> {
        if let Err(trouble) = &read {
            locked(&self.unread).push(Unread {
                what: what.to_owned(),
                trouble: trouble.clone(),
            });
        }
        read
    }

    /// Waits for others' questions before it does something that is not asked here.
    pub(super) async fn in_turn<T>(&self, question: impl Future<Output = T>) -> T {
        // The semaphore is never closed.
        let _permit = self.permits.acquire().await;
        question.await
    }

    /// Reads an object.
    pub(super) async fn get(&self, path: &str) -> Read<Value> {
        let bytes = self.bytes(Method::GET, path, Vec::new()).await;
        self.note(path, bytes.and_then(|bytes| parsed(&bytes)))
    }

    /// Reads text, such as metrics.
    pub(super) async fn get_text(&self, path: &str) -> Read<String> {
        let bytes = self.bytes(Method::GET, path, Vec::new()).await;
        let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        self.note(path, text)
    }

    /// Asks a question that is put by POST and stores nothing, such as a review.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Read<Value> {
        let bytes = self
            .bytes(Method::POST, path, body.to_string().into_bytes())
            .await;
        self.note(path, bytes.and_then(|bytes| parsed(&bytes)))
    }

    /// All objects of a collection, each with its kind, which lists leave out. `query` begins with `&` unless it is empty.
    pub(super) async fn list(&self, path: &str, query: &str) -> Read<Vec<Value>> {
        let read = self.pages(path, query).await;
        self.note(path, read)
    }

    async fn pages(&self, path: &str, query: &str) -> Read<Vec<Value>> {
        let (mut items, mut next) = (Vec::new(), String::new());
        loop {
            let token = if next.is_empty() {
                String::new()
            } else {
                format!("&continue={}", encode(&next))
            };
            let uri = format!("{path}?limit={PAGE}{query}{token}");
            let mut page = parsed(&self.bytes(Method::GET, &uri, Vec::new()).await?)?;
            let kind = page["kind"].as_str().unwrap_or_default();
            let (kind, version) = (
                json!(kind.trim_end_matches("List")),
                page["apiVersion"].clone(),
            );
            if let Value::Array(listed) = page["items"].take() {
                items.extend(listed.into_iter().map(|mut item| {
                    item["kind"] = kind.clone();
                    item["apiVersion"] = version.clone();
                    item
                }));
            }
            match page["metadata"]["continue"].as_str() {
                Some(token) if !token.is_empty() => next = token.to_owned(),
                _ => return Ok(items),
            }
        }
    }

    async fn bytes(&self, method: Method, path: &str, body: Vec<u8>) -> Read<Vec<u8>> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json")
            .header(
                header::ACCEPT,
                "application/json, text/plain;q=0.9, */*;q=0.1",
            )
            .body(Body::from(body))
            .map_err(|error| Trouble::NotAsked(error.to_string()))?;
        self.in_turn(async {
            match timeout(self.timeout, self.answer(request)).await {
                Ok(answer) => answer,
                Err(_) => Err(Trouble::NoAnswer(format!(
                    "no answer within {:?}",
                    self.timeout
                ))),
            }
        })
        .await
    }

    async fn answer(&self, request: Request<Body>) -> Read<Vec<u8>> {
        let (sent, began) = (Timestamp::now(), Instant::now());
        let response = self.client.send(request).await;
        let response = response.map_err(|error| Trouble::NoAnswer(describe(&error)))?;
        if let Some(date) = server_date(response.headers()) {
            locked(&self.clocks).push(MachineClock::measured(sent, began.elapsed(), date));
        }
        let status = response.status();
        let body = Limited::new(response.into_body(), LARGEST_ANSWER)
            .collect()
            .await;
        let bytes = body
            .map_err(|error| Trouble::NoAnswer(format!("the answer broke off: {error}")))?
            .to_bytes();
        if status.is_success() {
            return Ok(bytes.to_vec());
        }
        let said: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let message = said["message"]
            .as_str()
            .map_or_else(|| format!("the server answered {status}"), str::to_owned);
        Err(Trouble::of(status.as_u16(), message))
    }
}

fn parsed(bytes: &[u8]) -> Read<Value> {
    let read = serde_json::from_slice(bytes);
    read.map_err(|error| Trouble::NoAnswer(format!("the answer cannot be read: {error}")))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
