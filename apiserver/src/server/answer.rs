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
use crate::negotiate::{Encoding, Form, Output};
use crate::object;
use crate::query::Query;
use crate::registry::{Resource, Subresource, scheme};
use crate::render;
use crate::route::{ResourcePath, Route};
use crate::status::{Layer, Status};
use crate::verbs::{self, Reply};
use crate::watch::WatchStream;

const TEXT: &str = "text/plain; charset=utf-8";
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
        Err(status) => refusal(server, parts, &status),
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
    discovery::answer(
        &server.cluster.registry(),
        parts.uri.path(),
        query,
        &parts.headers,
    )
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
    let verb = call::verb_of(parts, path, &query).ok_or_else(Status::method_not_allowed)?;
    let user = gate::admit(
        server,
        parts,
        user.clone(),
        &gate::resource_attributes(verb, path, &query),
    )?;
    if server.cluster.registry().group(path.group).is_none() {
        return Ok(present(server, discovery::not_found()));
    }
    let resource = find(server, path)?;
    let subresource = subresource(&resource, path)?;
    if !call::has_verb(&resource, path, verb) {
        return Err(match resource.custom() {
            Some(_) => Status::method_not_supported(&resource, verb),
            None => Status::method_not_allowed(),
        });
    }
    let call = Call {
        verb,
        namespace: &path.namespace,
        name: &path.name,
        subresource,
        query: &query,
        headers: &parts.headers,
        output: Output::negotiate(&parts.headers, &query, &resource, verb)?,
        body,
        user: &user,
        began,
        resource,
    };
    let reply = execute(server, &call, deadline).await?;
    respond(server, &call, reply)
}

fn find(server: &Inner, path: &ResourcePath<'_>) -> Result<Arc<Resource>, Status> {
    let registry = server.cluster.registry();
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
        let wanted = match verbs::execute(&server.cluster, call)? {
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
                server.cluster.store.lock().revision(),
            ));
        }
        tokio::time::sleep(REVISION_POLL).await;
    }
}

fn respond(server: &Inner, call: &Call<'_>, reply: Reply) -> Result<Response<Body>, Status> {
    let (resource, output, now) = (&call.resource, call.output, server.cluster.clock.now());
    let media_type = output.encoding.media_type();
    Ok(match reply {
        Reply::Object { .. } if matches!(output.form, Form::MetadataList(_)) => {
            let go_type = scheme::internal_type(resource, &resource.kind);
            let form = "PartialObjectMetadataList";
            return Err(Status::not_of_that_form(form, "not a list", &go_type));
        }
        Reply::Object {
            code,
            object,
            warnings,
        } => {
            let body = Body::whole(render::one(resource, output, &object, now, true));
            let mut response = response(server, code, media_type, body);
            for warning in warnings {
                if let Ok(value) = HeaderValue::from_str(&format!("299 - {warning:?}")) {
                    response.headers_mut().append(header::WARNING, value);
                }
            }
            response
        }
        Reply::Value { code, value } => {
            let body = Body::whole(render::value(&value, output.encoding));
            response(server, code, media_type, body)
        }
        Reply::List(_) if matches!(output.form, Form::Metadata(_)) => {
            let go_type = scheme::internal_type(resource, &resource.list_kind);
            let form = "PartialObjectMetadata";
            return Err(Status::not_of_that_form(form, "a list", &go_type));
        }
        Reply::List(list) => {
            let body = Body::whole(render::list(resource, output, &list, now));
            response(server, 200, media_type, body)
        }
        Reply::Watch(stream) => response(server, 200, media_type, watch_body(stream)),
        Reply::NotYet { wanted } => {
            let current = server.cluster.store.lock().revision();
            return Err(Status::version_too_large(wanted, current));
        }
    })
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
pub(super) fn refusal(server: &Inner, parts: &Parts, status: &Status) -> Response<Body> {
    if status.layer == Layer::Deadline {
        return timed_out(server);
    }
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let encoding = Encoding::of_failure(&parts.headers, &query);
    let body = Body::whole(render::value(&status.to_value(), encoding));
    let mut response = response(server, status.code, encoding.media_type(), body);
    if status.layer == Layer::Authorization {
        let value = HeaderValue::from_static("nosniff");
        response
            .headers_mut()
            .insert(header::X_CONTENT_TYPE_OPTIONS, value);
    }
    if let (429 | 503 | 504, Some(seconds)) = (status.code, status.retry_after_seconds()) {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// The answer to a request whose time is over.
pub(super) fn timed_out(server: &Inner) -> Response<Body> {
    let status = Status::timed_out();
    let body = Body::whole(object::to_json(&status.to_value()));
    response(server, status.code, TEXT, body)
}

fn response(server: &Inner, code: u16, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::DATE, server.date(server.cluster.clock.now()));
    response
}
