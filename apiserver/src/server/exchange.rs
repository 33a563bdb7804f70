//! One exchange: the arrival of a request, the faults that befall it, and the departure of its answer.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::observe::{Exchange, Report};
use super::{Inner, answer, gate};
use crate::body::{Body, Break, ConnectionLost};
use crate::call;
use crate::faults::{Action, Subject};
use crate::object;
use crate::query::Query;
use crate::registry::Verb;
use crate::route::Route;
use crate::status::Status;

/// The longest body that is read.
const BODY_LIMIT: usize = 3 * 1024 * 1024;
/// How long a request may take that names no `timeout`, and at most.
const LONGEST: Duration = Duration::from_secs(60);

/// A request that came in whole.
struct Incoming {
    server: Arc<Inner>,
    parts: Parts,
    body: Bytes,
    began: Timestamp,
    received: Instant,
    deadline: Instant,
    report: Option<Report>,
}

pub(super) async fn handle<B>(
    server: Arc<Inner>,
    request: Request<B>,
) -> Result<Response<Body>, ConnectionLost>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: std::fmt::Display,
{
    let (began, received) = (server.cluster.clock.now(), Instant::now());
    let (parts, body) = request.into_parts();
    let body = match collect(body).await {
        Ok(body) => body,
        Err(status) => return Ok(answer::refusal(&server, &parts, &status)),
    };
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let deadline = match query.timeout() {
        Ok(timeout) => received + timeout.unwrap_or(LONGEST).min(LONGEST),
        Err(status) => return Ok(answer::refusal(&server, &parts, &status)),
    };
    count(&server, &parts, &query);
    let mut incoming = Incoming {
        server,
        parts,
        body,
        began,
        received,
        deadline,
        report: None,
    };
    if incoming.server.cluster.faults.is_idle() && incoming.server.observer.is_none() {
        return Ok(incoming.answer().await);
    }
    let subject = incoming.subject();
    incoming.report = incoming.report_on(&subject);
    match incoming.server.cluster.faults.act_on(subject) {
        None => {
            let response = incoming.answer().await;
            Ok(incoming.answered(response))
        }
        Some(action) => incoming.suffer(action).await,
    }
}

async fn collect<B>(body: B) -> Result<Bytes, Status>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: std::fmt::Display,
{
    let body = body.map_err(|error| std::io::Error::other(error.to_string()));
    match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Status::body_too_large(BODY_LIMIT)),
        Err(error) => Err(Status::bad_request(error.to_string())),
    }
}

fn count(server: &Inner, parts: &Parts, query: &Query<'_>) {
    match Route::parse(parts.uri.path()) {
        Route::Resource(path) => {
            if let Some(verb) = call::verb_of(parts, &path, query) {
                server.counts.add(path.plural, verb.as_str());
            }
        }
        Route::Other => server.counts.add("", "get"),
    }
}

impl Incoming {
    /// Handles the request; the report learns how that ended, even if the client never does.
    async fn answer(&mut self) -> Response<Body> {
        let body = std::mem::take(&mut self.body);
        let response = answer::answer(
            &self.server,
            &self.parts,
            body,
            self.began,
            Some(self.deadline),
        )
        .await;
        if let Some(report) = &self.report {
            report.handled(response.status().as_u16());
        }
        response
    }

    /// The answer reaches the client.
    fn answered(&self, response: Response<Body>) -> Response<Body> {
        if let Some(report) = &self.report {
            report.answered(response.status().as_u16());
        }
        response
    }

    fn refused(&self, status: &Status) -> Response<Body> {
        let response = answer::refusal(&self.server, &self.parts, status);
        self.answered(response)
    }

    async fn suffer(mut self, action: Action) -> Result<Response<Body>, ConnectionLost> {
        match action {
            Action::Delay(delay) => Ok(self.held(tokio::time::sleep(delay)).await),
            Action::Pause => {
                if self.is_served_from_cache() {
                    let response = self.answer().await;
                    return Ok(self.answered(response));
                }
                let resumed = self.server.cluster.faults.clone().resumed();
                Ok(self.held(resumed).await)
            }
            Action::DelayAnswer(delay) => {
                let response = self.answer().await;
                tokio::time::sleep(delay).await;
                Ok(self.answered(response))
            }
            Action::LoseAnswer => {
                self.answer().await;
                Err(ConnectionLost)
            }
            Action::LoseRequest => Err(ConnectionLost),
            Action::Late(delay) => self.late(delay).await,
            Action::Refuse {
                status,
                retry_after,
            } => Ok(self.refused(&injected(status, retry_after))),
            Action::Disguise { status } => {
                self.answer().await;
                Ok(self.refused(&injected(status, None)))
            }
            Action::CutWatch(after) => Ok(self.broken(after, Break::Cut).await),
            Action::StallWatch(after) => Ok(self.broken(after, Break::Stall).await),
        }
    }

    async fn broken(&mut self, after: Duration, how: Break) -> Response<Body> {
        let response = self.answer().await;
        self.answered(response)
            .map(|body| body.broken_after(after, how))
    }

    /// Handles the request once `condition` comes true. A request whose deadline passes before is never executed.
    async fn held(&mut self, condition: impl Future<Output = ()>) -> Response<Body> {
        if timeout_at(self.deadline, condition).await.is_err() {
            return self.refused(&Status::timed_out());
        }
        let response = self.answer().await;
        self.answered(response)
    }

    /// Handles the request after a delay, in a task of its own that goes on when the client is gone or has been told
    /// that its time is over.
    async fn late(mut self, delay: Duration) -> Result<Response<Body>, ConnectionLost> {
        let (server, report, deadline) =
            (Arc::clone(&self.server), self.report.clone(), self.deadline);
        let late = tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            self.deadline += delay;
            self.answer().await
        });
        let response = match timeout_at(deadline, late).await {
            Ok(handled) => handled.map_err(|_| ConnectionLost)?,
            Err(_) => answer::timed_out(&server),
        };
        if let Some(report) = report {
            report.answered(response.status().as_u16());
        }
        Ok(response)
    }

    /// Whether a real server answers the request from its cache, without asking etcd.
    fn is_served_from_cache(&self) -> bool {
        let query = Query::parse(self.parts.uri.query().unwrap_or_default());
        self.parts.method == Method::GET
            && (query.watch || query.resource_version.as_deref() == Some("0"))
    }

    /// What faults are matched on, and observers told.
    fn subject(&self) -> Subject {
        let query = Query::parse(self.parts.uri.query().unwrap_or_default());
        let user = gate::authenticate(&self.server, &self.parts.headers);
        let user = user.map(|user| user.username).unwrap_or_default();
        match Route::parse(self.parts.uri.path()) {
            Route::Resource(path) => {
                let verb = call::verb_of(&self.parts, &path, &query).map_or("", Verb::as_str);
                let name = match gate::named(&path, &query) {
                    "" if verb == "create" => name_in_body(&self.body),
                    name => name.to_owned(),
                };
                Subject {
                    verb,
                    resource: path.plural.to_owned(),
                    subresource: path.subresource.to_owned(),
                    namespace: path.namespace.into_owned(),
                    name,
                    user,
                }
            }
            Route::Other => Subject {
                verb: "get",
                user,
                ..Subject::default()
            },
        }
    }

    fn report_on(&self, subject: &Subject) -> Option<Report> {
        let observer = Arc::clone(self.server.observer.as_ref()?);
        let (group, name) = match Route::parse(self.parts.uri.path()) {
            Route::Resource(path) => (path.group.to_owned(), path.name.into_owned()),
            Route::Other => (String::new(), String::new()),
        };
        let exchange = Exchange {
            verb: subject.verb,
            group,
            resource: subject.resource.clone(),
            subresource: subject.subresource.clone(),
            namespace: subject.namespace.clone(),
            name,
            user: subject.user.clone(),
            status: None,
            outcome: None,
            started: self.began,
            received: self.received,
            ended: self.received,
        };
        Some(Report::new(observer, exchange))
    }
}

fn name_in_body(body: &[u8]) -> String {
    serde_json::from_slice::<Value>(body)
        .map(|object| object::text(&object, "name").to_owned())
        .unwrap_or_default()
}

/// The status that a fault answers with.
fn injected(code: u16, retry_after: Option<u32>) -> Status {
    match code {
        409 => Status::injected_conflict(),
        429 => Status::too_many_requests(retry_after),
        503 => Status::service_unavailable(retry_after),
        504 => Status::timed_out(),
        _ => Status::internal_error("injected fault"),
    }
}
