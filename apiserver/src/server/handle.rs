//! One request, from its bytes to its answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, Response, StatusCode, header};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::access::{self, Attributes, UserInfo};
use crate::body::{Body, ConnectionLost};
use crate::discovery;
use crate::faults::{Action, Description};
use crate::request::{Query, Route, Target, verb};
use crate::selector::Selector;
use crate::status::Status;
use crate::table::Format;
use crate::verbs::{self, Call};
use crate::watch;

use super::{Exchange, Shared, answer};

/// How long a request waits for a version that the server does not have yet.
const VERSION_PATIENCE: Duration = Duration::from_secs(3);

/// A request that was understood.
struct Asked {
    method: Method,
    headers: HeaderMap,
    query: Query,
    route: Route,
    verb: &'static str,
    user: UserInfo,
    body: Bytes,
}

pub(super) async fn handle(
    server: Arc<Shared>,
    parts: Parts,
    body: Bytes,
) -> Result<Response<Body>, ConnectionLost> {
    let asked = match understand(&server, parts, body) {
        Ok(asked) => asked,
        Err(status) => return Ok(answer::status(&status, server.clock.now())),
    };
    let started = server.clock.now();
    let describe = |status| describe(&asked, status, started);
    let action = server.faults.act_on(&description(&asked));
    let observed = server
        .observer
        .clone()
        .map(|observer| (observer, describe(None)));
    let result = match action {
        None => Ok(within_timeout(&server, asked, Duration::ZERO).await),
        Some(action) => faulty(&server, asked, action).await,
    };
    if let Some((observer, mut exchange)) = observed {
        exchange.status = result
            .as_ref()
            .ok()
            .map(|response| response.status().as_u16());
        observer(&exchange);
    }
    result
}

/// The objects that every cluster has.
pub(super) fn bootstrap(server: &Shared) {
    let now = crate::object::whole_seconds(server.clock.now());
    let mut transaction = server.store.transaction();
    for (plural, objects) in access::bootstrap() {
        let key = crate::registry::key(
            if plural == "namespaces" {
                ""
            } else {
                access::GROUP
            },
            plural,
        );
        for mut object in objects {
            let name = object["metadata"]["name"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            object["metadata"]["uid"] = json!(server.uids().uid());
            object["metadata"]["creationTimestamp"] = json!(now);
            transaction.put(&key, "", &name, object);
        }
    }
}

fn understand(server: &Shared, parts: Parts, body: Bytes) -> Result<Asked, Status> {
    let query = Query::parse(parts.uri.query());
    let route = Route::of(&parts.uri, &server.registry);
    let verb = match &route {
        Route::Resource(target) => {
            verb(&parts.method, &query, target).ok_or_else(Status::method_not_allowed)?
        }
        Route::Other(_) if parts.method == Method::POST => "create",
        Route::Other(_) => "get",
    };
    let user = access::authenticate(server, &parts.headers)?;
    Ok(Asked {
        method: parts.method,
        headers: parts.headers,
        query,
        route,
        verb,
        user,
        body,
    })
}

fn description(asked: &Asked) -> Description<'_> {
    let (resource, name) = match &asked.route {
        Route::Resource(target) => (
            target.resource.plural.as_str(),
            target.name.as_deref().unwrap_or_default(),
        ),
        Route::Other(_) => ("", ""),
    };
    let name = if name.is_empty() {
        name_in_selector(asked).unwrap_or_default()
    } else {
        name
    };
    Description {
        verb: asked.verb,
        resource,
        name,
        user: &asked.user.username,
    }
}

/// A list or watch of one name, or a POST's body, is about that name as well.
fn name_in_selector(asked: &Asked) -> Option<&str> {
    asked
        .query
        .get("fieldSelector")?
        .strip_prefix("metadata.name=")
}

fn describe(asked: &Asked, status: Option<u16>, started: Timestamp) -> Exchange {
    let (resource, namespace, name) = match &asked.route {
        Route::Resource(target) => (
            target.resource.plural.clone(),
            target.namespace.clone(),
            target.name.clone().unwrap_or_default(),
        ),
        Route::Other(_) => (String::new(), String::new(), String::new()),
    };
    Exchange {
        verb: asked.verb,
        resource,
        namespace,
        name,
        user: asked.user.username.clone(),
        status,
        started,
    }
}

async fn faulty(
    server: &Arc<Shared>,
    asked: Asked,
    action: Action,
) -> Result<Response<Body>, ConnectionLost> {
    match action {
        Action::Delay(delay) => Ok(within_timeout(server, asked, delay).await),
        Action::DelayAnswer(delay) => {
            let response = within_timeout(server, asked, Duration::ZERO).await;
            tokio::time::sleep(delay).await;
            Ok(response)
        }
        Action::LoseAnswer => {
            within_timeout(server, asked, Duration::ZERO).await;
            Err(ConnectionLost)
        }
        Action::LoseRequest => Err(ConnectionLost),
        Action::Late(delay) => {
            let server = server.clone();
            // A task of its own goes on when the client is gone.
            let late = tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                dispatch(&server, asked).await
            });
            late.await.map_err(|_| ConnectionLost)
        }
        Action::Refuse {
            status,
            retry_after,
        } => Ok(injected(server, status, retry_after)),
        Action::Disguise { status } => {
            within_timeout(server, asked, Duration::ZERO).await;
            Ok(injected(server, status, None))
        }
        Action::Pause => {
            server.faults.paused().await;
            Ok(within_timeout(server, asked, Duration::ZERO).await)
        }
    }
}

fn injected(server: &Shared, code: u16, retry_after: Option<u32>) -> Response<Body> {
    let status = match code {
        409 => Status {
            code: StatusCode::CONFLICT,
            reason: "Conflict",
            ..Status::internal("injected conflict")
        },
        429 => Status::too_many_requests(retry_after),
        503 => Status {
            retry_after,
            ..Status::unavailable()
        },
        504 => Status::request_timeout(),
        _ => Status::internal("injected failure"),
    };
    answer::status(&status, server.clock.now())
}

/// A request whose `?timeout=` is over before it is handled is not executed.
async fn within_timeout(server: &Arc<Shared>, asked: Asked, delay: Duration) -> Response<Body> {
    let timeout = match asked.query.timeout() {
        Ok(timeout) => timeout.filter(|_| asked.verb != "watch"),
        Err(status) => return answer::status(&status, server.clock.now()),
    };
    let handled = async {
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        dispatch(server, asked).await
    };
    let Some(timeout) = timeout else {
        return handled.await;
    };
    match tokio::time::timeout(timeout, handled).await {
        Ok(response) => response,
        Err(_) => answer::status(&Status::request_timeout(), server.clock.now()),
    }
}

async fn dispatch(server: &Arc<Shared>, asked: Asked) -> Response<Body> {
    match answered(server, &asked).await {
        Ok(response) => response,
        Err(status) => answer::status(&status, server.clock.now()),
    }
}

async fn answered(server: &Arc<Shared>, asked: &Asked) -> Result<Response<Body>, Status> {
    let target = match &asked.route {
        Route::Resource(target) => target,
        Route::Other(path) => return elsewhere(server, asked, path),
    };
    let selector = Selector::parse(&asked.query, &target.resource);
    let resource_attributes = Attributes::of(
        asked.verb,
        target,
        selector.as_ref().ok().and_then(Selector::name),
    );
    access::require(server, &asked.user, &resource_attributes)?;
    if !matches!(target.subresource.as_deref(), None | Some("status"))
        || (target.subresource.is_some() && !target.resource.has_status)
    {
        return Err(Status::no_such_path());
    }
    let selector = selector?;
    let format = Format::of(
        asked.headers.get(header::ACCEPT),
        asked.query.get("includeObject"),
    );
    let started = server.clock.now();
    let text = |name: header::HeaderName| {
        asked
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let content_type = text(header::CONTENT_TYPE)
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    let agent = text(header::USER_AGENT)
        .split('/')
        .next()
        .unwrap_or_default();
    let manager = asked
        .query
        .get("fieldManager")
        .unwrap_or(if agent.is_empty() { "unknown" } else { agent });
    let call = Call {
        server,
        target,
        query: &asked.query,
        content_type,
        manager,
        started,
        body: asked.body.clone(),
    };
    let answer = match asked.verb {
        "watch" => return open_watch(server, asked, target, selector, format),
        "list" => return list(server, &call, &selector, &format).await,
        "get" => {
            wait_for_version(server, &asked.query).await?;
            verbs::get(&call)?
        }
        "create" => verbs::create(&call)?,
        "update" => verbs::update(&call)?,
        "patch" => verbs::patch(&call)?,
        "delete" => verbs::delete(&call)?,
        "deletecollection" => verbs::delete_collection(&call, &selector)?,
        _ => return Err(Status::method_not_allowed()),
    };
    let now = server.clock.now();
    let mut response = match &format {
        Format::Object => answer::json(answer.code, &answer.object, now),
        _ if answer.object["kind"] == "Status" => answer::json(answer.code, &answer.object, now),
        format => answer::json(
            answer.code,
            &format.event(&target.resource, &answer.object, true, now),
            now,
        ),
    };
    answer::warn(&mut response, &answer.warnings);
    Ok(response)
}

async fn list(
    server: &Shared,
    call: &Call<'_>,
    selector: &Selector,
    format: &Format,
) -> Result<Response<Body>, Status> {
    if call.query.get("resourceVersionMatch") != Some("Exact") {
        wait_for_version(server, call.query).await?;
    }
    let page = verbs::list(call, selector)?;
    let mut metadata = json!({"resourceVersion": page.version.to_string()});
    if let Some(next) = &page.next {
        metadata["continue"] = json!(next);
    }
    if let Some(remaining) = page.remaining {
        metadata["remainingItemCount"] = json!(remaining);
    }
    let now = server.clock.now();
    Ok(answer::json_bytes(
        StatusCode::OK,
        format.list(&call.target.resource, &page.items, metadata, now),
        now,
    ))
}

fn open_watch(
    server: &Arc<Shared>,
    asked: &Asked,
    target: &Target,
    selector: Selector,
    format: Format,
) -> Result<Response<Body>, Status> {
    let query = &asked.query;
    let from = query
        .number("resourceVersion")?
        .filter(|version| *version != 0);
    let mut selector = selector;
    if let Some(name) = &target.name {
        let pairs = vec![("fieldSelector".to_owned(), format!("metadata.name={name}"))];
        selector = Selector::parse(&Query { pairs }, &target.resource)?;
    }
    let options = watch::Options {
        resource: target.resource.clone(),
        namespace: Some(target.namespace.clone()).filter(|namespace| !namespace.is_empty()),
        selector,
        from,
        bookmarks: query.is_true("allowWatchBookmarks"),
        initial_events: query.is_true("sendInitialEvents"),
        timeout: query.number("timeoutSeconds")?.map(Duration::from_secs),
        format,
    };
    Ok(answer::stream(
        Body::stream(watch::open(server.clone(), options)),
        server.clock.now(),
    ))
}

/// A read that names a version the server does not have yet waits for it a while.
async fn wait_for_version(server: &Shared, query: &Query) -> Result<(), Status> {
    let Some(asked) = query.number("resourceVersion")? else {
        return Ok(());
    };
    let current = server.store.transaction().version();
    let arrives = server.store.versions().after(asked.saturating_sub(1));
    if current >= asked
        || tokio::time::timeout(VERSION_PATIENCE, arrives)
            .await
            .is_ok()
    {
        return Ok(());
    }
    let current = server.store.transaction().version();
    Err(Status::too_large_version(asked, current))
}

/// Health, version, discovery and reviews.
fn elsewhere(server: &Arc<Shared>, asked: &Asked, path: &str) -> Result<Response<Body>, Status> {
    let now = server.clock.now();
    if asked.method == Method::POST {
        let value =
            access::review(server, &asked.user, path, asked)?.ok_or_else(Status::no_such_path)?;
        return Ok(answer::json(StatusCode::CREATED, &value, now));
    }
    access::require(server, &asked.user, &Attributes::of_path(asked.verb, path))?;
    if matches!(path, "/healthz" | "/livez" | "/readyz") {
        return Ok(answer::text(StatusCode::OK, "ok", now));
    }
    let accept = asked
        .headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    match discovery::document(&server.registry, path, accept) {
        Some(document) => {
            let mut response = answer::json(StatusCode::OK, &document, now);
            if let Some(kind) = discovery::content_type(&document) {
                response.headers_mut().insert(header::CONTENT_TYPE, kind);
            }
            Ok(response)
        }
        None => Err(Status::no_such_path()),
    }
}

impl access::ReviewRequest for Asked {
    fn body(&self) -> Result<Value, Status> {
        access::review_body(&self.headers, &self.body)
    }
}
