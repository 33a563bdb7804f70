//! One exchange: everything between the arrival of a request and the departure of its answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::Instant;

use super::{Inner, gate};
use crate::body::{Body, ConnectionClosed};
use crate::call::{self, Call};
use crate::negotiate::Output;
use crate::query::Query;
use crate::registry::{Resource, Subresource};
use crate::render;
use crate::route::{ResourcePath, Route};
use crate::status::Status;
use crate::verbs::{self, Reply};
use crate::watch::WatchStream;

/// The longest body that is read.
const BODY_LIMIT: usize = 3 * 1024 * 1024;
/// How long a read waits for a version that has not been written yet.
const REVISION_WAIT: Duration = Duration::from_secs(3);
const REVISION_POLL: Duration = Duration::from_millis(50);

pub(super) async fn handle<B>(
    server: Arc<Inner>,
    request: Request<B>,
) -> Result<Response<Body>, ConnectionClosed>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: std::fmt::Display,
{
    let began = server.clock.now();
    let (parts, body) = request.into_parts();
    let answer = match collect(body).await {
        Ok(body) => answer(&server, &parts, body, began).await,
        Err(status) => Err(status),
    };
    Ok(match answer {
        Ok(response) => response,
        Err(status) => refusal(&server, &status),
    })
}

async fn collect<B>(body: B) -> Result<Bytes, Status>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: std::fmt::Display,
{
    let boxed = body.map_err(|error| std::io::Error::other(error.to_string()));
    match Limited::new(boxed, BODY_LIMIT).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Status::body_too_large(BODY_LIMIT)),
        Err(error) => Err(Status::bad_request(error.to_string())),
    }
}

async fn answer(
    server: &Arc<Inner>,
    parts: &Parts,
    body: Bytes,
    began: jiff::Timestamp,
) -> Result<Response<Body>, Status> {
    let user = gate::authenticate(server, parts)?;
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let Route::Resource(path) = Route::parse(parts.uri.path()) else {
        return Err(Status::no_such_resource());
    };
    let verb = call::verb_of(parts, &path, &query)?;
    let user = gate::admit(server, parts, user, &gate::attributes(verb, &path, &query))?;
    let resource = find(server, &path)?;
    if !resource.verbs.contains(&verb) {
        return Err(Status::method_not_allowed());
    }
    let deadline = query.timeout()?.map(|timeout| Instant::now() + timeout);
    let call = Call {
        verb,
        namespace: &path.namespace,
        name: &path.name,
        subresource: subresource(&resource, &path)?,
        query: &query,
        headers: &parts.headers,
        output: Output::negotiate(&parts.headers)?,
        body,
        user: &user,
        began,
        resource: Arc::clone(&resource),
    };
    let reply = execute(server, &call, deadline).await?;
    Ok(respond(server, &call, reply))
}

fn find(server: &Inner, path: &ResourcePath<'_>) -> Result<Arc<Resource>, Status> {
    let registry = server.registry();
    let resource = registry
        .resource(path.group, path.version, path.plural)
        .ok_or_else(Status::no_such_resource)?;
    // A namespace in the path of a cluster-scoped kind names nothing.
    if !resource.is_namespaced() && !path.namespace.is_empty() {
        return Err(Status::no_such_resource());
    }
    if resource.is_namespaced() && path.namespace.is_empty() && !path.name.is_empty() {
        return Err(Status::no_such_resource());
    }
    Ok(Arc::clone(resource))
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
            Body::whole(render::one(server, &call.resource, call.output, &object)),
            warnings,
        ),
        Reply::Value { code, value } => (
            code,
            Body::whole(crate::object::to_json(&value)),
            Vec::new(),
        ),
        Reply::List(list) => (
            200,
            Body::whole(render::list(server, &call.resource, call.output, &list)),
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
    let mut response = response(server, code, body);
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
            Some((Ok(document), stream))
        },
    ))
}

fn refusal(server: &Inner, status: &Status) -> Response<Body> {
    let mut response = response(server, status.code, Body::whole(status.to_bytes()));
    if let (429 | 503 | 504, Some(seconds)) = (status.code, status.retry_after_seconds()) {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn response(server: &Inner, code: u16, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() =
        http::StatusCode::from_u16(code).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::DATE, server.date(server.clock.now()));
    response
}
