//! Who sends a request, and whether he may: authentication, impersonation and authorization over the store.

use std::sync::Arc;

use http::HeaderMap;
use http::request::Parts;
use serde_json::Value;

use super::Inner;
use crate::access::{
    Attributes, Authorizer, ImpersonationError, RbacSource, UserInfo, forbidden_message,
    impersonate,
};
use crate::query::Query;
use crate::registry::Verb;
use crate::route::ResourcePath;
use crate::status::Status;
use crate::store::{self, State, Store};

/// The user of a request, after authentication and before impersonation.
pub(super) fn authenticate(server: &Inner, headers: &HeaderMap) -> Result<UserInfo, Status> {
    match &server.cluster.tokens {
        None => Ok(UserInfo::new(
            "admin",
            &["system:masters", "system:authenticated"],
        )),
        Some(tokens) => tokens
            .authenticate(headers)
            .map_err(|_| Status::unauthorized()),
    }
}

/// Lets a request pass, and says as whom it acts.
pub(super) fn admit(
    server: &Inner,
    parts: &Parts,
    user: UserInfo,
    attributes: &Attributes,
) -> Result<UserInfo, Status> {
    let source = &server.cluster.store;
    let user = match impersonate(&parts.headers, source, &user, attributes) {
        Ok(None) => user,
        Ok(Some(other)) => other,
        Err(ImpersonationError::BadRequest(message)) => return Err(Status::bad_request(message)),
        Err(ImpersonationError::Forbidden {
            attributes,
            message,
        }) => {
            return Err(Status::forbidden(&attributes, message));
        }
    };
    let decision = Authorizer.authorize(source, &user, attributes);
    if decision.allowed {
        return Ok(user);
    }
    Err(Status::forbidden(
        attributes,
        forbidden_message(&user, attributes, &decision.reason),
    ))
}

/// What a request for a resource wants to do.
pub(super) fn resource_attributes(
    verb: Verb,
    path: &ResourcePath<'_>,
    query: &Query<'_>,
) -> Attributes {
    // A request for a namespace itself is one in that namespace.
    let namespace = if path.plural == "namespaces" && path.group.is_empty() {
        &path.name
    } else {
        &path.namespace
    };
    Attributes {
        verb: verb.as_str().to_owned(),
        group: path.group.to_owned(),
        version: path.version.to_owned(),
        resource: path.plural.to_owned(),
        subresource: path.subresource.to_owned(),
        namespace: namespace.clone().into_owned(),
        name: named(path, query).to_owned(),
        path: None,
    }
}

/// What a request for any other path wants to do.
pub(super) fn path_attributes(parts: &Parts) -> Attributes {
    Attributes {
        verb: parts.method.as_str().to_ascii_lowercase(),
        path: Some(parts.uri.path().to_owned()),
        ..Attributes::default()
    }
}

/// The object that a request names: in its path, or as `fieldSelector=metadata.name=x`.
pub(super) fn named<'a>(path: &'a ResourcePath<'_>, query: &'a Query<'_>) -> &'a str {
    if !path.name.is_empty() {
        return &path.name;
    }
    let selector = query.field_selector.as_deref().unwrap_or_default();
    let name = selector
        .split(',')
        .find_map(|part| part.strip_prefix("metadata.name="));
    name.unwrap_or_default().trim_start_matches('=')
}

impl RbacSource for Store {
    fn list(&self, resource: &str, namespace: Option<&str>) -> Vec<Arc<Value>> {
        RbacSource::list(&*self.lock(), resource, namespace)
    }

    fn get(&self, resource: &str, namespace: Option<&str>, name: &str) -> Option<Arc<Value>> {
        RbacSource::get(&*self.lock(), resource, namespace, name)
    }
}

impl RbacSource for State {
    fn list(&self, resource: &str, namespace: Option<&str>) -> Vec<Arc<Value>> {
        let prefix = namespace
            .map(|namespace| format!("{namespace}/"))
            .unwrap_or_default();
        self.range(resource, &prefix)
            .map(|(_, object)| Arc::clone(&object.value))
            .collect()
    }

    fn get(&self, resource: &str, namespace: Option<&str>, name: &str) -> Option<Arc<Value>> {
        let key = store::key(namespace.unwrap_or_default(), name);
        State::get(self, resource, &key).map(|object| Arc::clone(&object.value))
    }
}
