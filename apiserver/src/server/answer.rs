//! From a request that no fault has stopped to its answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, header};
use jiff::Timestamp;
use tokio::time::Instant;

use super::{Inner, gate};
use crate::access::UserInfo;
use crate::body::Body;
use crate::call::{self, Call};
use crate::discovery::{self, Document};
use crate::negotiate::Output;
use crate::object;
use crate::query::Query;
use crate::registry::{Resource, Subresource, Verb};
use crate::render;
use crate::route::{ResourcePath, Route};
use crate::status::Status;
use crate::verbs::{self, Reply};
use crate::watch::WatchStream;

const JSON: &str = "application/json";
/// How long a read waits for a version that has not been written yet, and how often it looks.
const REVISION_WAIT: Duration = Duration::from_secs(3);
const REVISION_POLL: Duration = Duration::from_millis(50);

/// Answers a request. `began` is the moment that stamps show.
pub(super) async fn answer(
    server: &Arc<Inner>,
    parts: &Parts,
    body: Bytes,
    began: Timestamp,
    deadline: Option<Instant>,
) -> Response<Body> {
    match answered(server, parts, body, began, deadline).await {
        Ok(response) => response,
        Err(status) => refusal(server, &status),
    }
}

async fn answered(
    server: &Arc<Inner>,
    parts: &Parts,
    body: Bytes,
    began: Timestamp,
    deadline: Option<Instant>,
) -> Result<Response<Body>, Status> {
    let user = gate::authenticate(server, &parts.headers)?;
    match Route::parse(parts.uri.path()) {
        Route::Resource(path) => resource(server, parts, &path, body, &user, began, deadline).await,
        Route::Other => {
            gate::admit(server, parts, user, &gate::path_attributes(parts))?;
            elsewhere(server, parts)
        }
    }
}

/// Paths that are no resource: discovery, version, health.
fn elsewhere(server: &Inner, parts: &Parts) -> Result<Response<Body>, Status> {
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        return Err(Status::method_not_allowed());
    }
    let query = parts.uri.query().unwrap_or_default();
    discovery::answer(&server.registry(), parts.uri.path(), query, &parts.headers)
        .map(|document| present(server, document))
        .ok_or_else(Status::no_such_resource)
}

fn present(server: &Inner, document: Document) -> Response<Body> {
    response(
        server,
        document.code,
        document.content_type,
        Body::whole(document.body),
    )
}

async fn resource(
    server: &Arc<Inner>,
    parts: &Parts,
    path: &ResourcePath<'_>,
    body: Bytes,
    user: &UserInfo,
    began: Timestamp,
    deadline: Option<Instant>,
) -> Result<Response<Body>, Status> {
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let verb = call::verb_of(parts, path, &query)?;
    let user = gate::admit(
        server,
        parts,
        user.clone(),
        &gate::resource_attributes(verb, path, &query),
    )?;
    if server.registry().group(path.group).is_none() {
        return Ok(present(server, discovery::not_found()));
    }
    let resource = find(server, path)?;
    // Objects of a namespaced kind are not created in all namespaces at once, nor deleted.
    let is_everywhere = resource.is_namespaced() && path.namespace.is_empty();
    let needs_namespace = matches!(verb, Verb::Create | Verb::DeleteCollection);
    if !resource.verbs.contains(&verb) || is_everywhere && needs_namespace {
        return Err(Status::method_not_allowed());
    }
    let call = Call {
        verb,
        namespace: &path.namespace,
        name: &path.name,
        subresource: subresource(&resource, path)?,
        query: &query,
        headers: &parts.headers,
        output: Output::negotiate(&parts.headers, &query)?,
        body,
        user: &user,
        began,
        resource,
    };
    let reply = execute(server, &call, deadline).await?;
    Ok(respond(server, &call, reply))
}

fn find(server: &Inner, path: &ResourcePath<'_>) -> Result<Arc<Resource>, Status> {
    let registry = server.registry();
    let resource = registry
        .resource(path.group, path.version, path.plural)
        .ok_or_else(Status::no_such_resource)?;
    // A namespace in the path of a cluster-scoped kind names nothing, and neither does an object without one.
    let fits = if resource.is_namespaced() {
        !path.namespace.is_empty() || path.name.is_empty()
    } else {
        path.namespace.is_empty()
    };
    if fits {
        Ok(Arc::clone(resource))
    } else {
        Err(Status::no_such_resource())
    }
}

fn subresource(
    resource: &Resource,
    path: &ResourcePath<'_>,
) -> Result<Option<Subresource>, Status> {
    match path.subresource {
        "" => Ok(None),
        "status" if resource.has_status() => Ok(Some(Subresource::Status)),
        _ => Err(Status::no_such_resource()),
    }
}

/// Executes a request, and waits where it names a version that is still to come.
async fn execute(
    server: &Arc<Inner>,
    call: &Call<'_>,
    deadline: Option<Instant>,
) -> Result<Reply, Status> {
    let mut patience: Option<Instant> = None;
    loop {
        let wanted = match verbs::execute(server, call)? {
            Reply::NotYet { wanted } => wanted,
            reply => return Ok(reply),
        };
        let now = Instant::now();
        let until = *patience.get_or_insert(now + REVISION_WAIT);
        if deadline.is_some_and(|deadline| now >= deadline) {
            return Err(Status::timed_out());
        }
        if now >= until {
            return Err(Status::version_too_large(
                wanted,
                server.store.lock().revision(),
            ));
        }
        tokio::time::sleep(REVISION_POLL).await;
    }
}

fn respond(server: &Inner, call: &Call<'_>, reply: Reply) -> Response<Body> {
    let (code, body, warnings) = match reply {
        Reply::Object {
            code,
            object,
            warnings,
        } => (
            code,
            Body::whole(render::one(
                &call.resource,
                call.output,
                &object,
                server.clock.now(),
                true,
            )),
            warnings,
        ),
        Reply::Value { code, value } => (code, Body::whole(object::to_json(&value)), Vec::new()),
        Reply::List(list) => (
            200,
            Body::whole(render::list(
                &call.resource,
                call.output,
                &list,
                server.clock.now(),
            )),
            Vec::new(),
        ),
        Reply::Watch(stream) => (200, watch_body(stream), Vec::new()),
        Reply::NotYet { wanted } => {
            return refusal(
                server,
                &Status::version_too_large(wanted, server.store.lock().revision()),
            );
        }
    };
    let mut response = response(server, code, JSON, body);
    for warning in warnings {
        if let Ok(value) = HeaderValue::from_str(&format!("299 - {warning:?}")) {
            response.headers_mut().append(header::WARNING, value);
        }
    }
    response
}

fn watch_body(stream: Box<WatchStream>) -> Body {
    Body::stream(futures_util::stream::unfold(
        stream,
        |mut stream| async move {
            let document = stream.next().await?;
            Some((document, stream))
        },
    ))
}

/// The answer that refuses a request.
pub(super) fn refusal(server: &Inner, status: &Status) -> Response<Body> {
    let mut response = response(server, status.code, JSON, Body::whole(status.to_bytes()));
    if let (429 | 503 | 504, Some(seconds)) = (status.code, status.retry_after_seconds()) {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn response(server: &Inner, code: u16, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::DATE, server.date(server.clock.now()));
    response
}
