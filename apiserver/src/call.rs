//! One request, understood: which verb, on what, by whom, with which options.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, header};
use jiff::Timestamp;

use crate::access::UserInfo;
use crate::negotiate::Output;
use crate::query::Query;
use crate::registry::{Resource, Subresource, Verb};
use crate::route::ResourcePath;

/// A request for a resource.
pub(crate) struct Call<'a> {
    pub(crate) verb: Verb,
    pub(crate) resource: Arc<Resource>,
    /// Empty for cluster-scoped kinds and for all namespaces.
    pub(crate) namespace: &'a str,
    /// Empty for a collection.
    pub(crate) name: &'a str,
    pub(crate) subresource: Option<Subresource>,
    pub(crate) query: &'a Query<'a>,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) output: Output,
    pub(crate) body: Bytes,
    pub(crate) user: &'a UserInfo,
    /// When the server began to handle the request.
    pub(crate) began: Timestamp,
}

impl Call<'_> {
    /// The name under which the fields that this request writes are owned.
    pub(crate) fn manager(&self) -> Cow<'_, str> {
        if let Some(manager) = self
            .query
            .field_manager
            .as_deref()
            .filter(|manager| !manager.is_empty())
        {
            return Cow::Borrowed(manager);
        }
        let agent = self
            .headers
            .get(header::USER_AGENT)
            .and_then(|agent| agent.to_str().ok())
            .unwrap_or_default();
        let name = agent.split('/').next().unwrap_or_default();
        if name.is_empty() {
            Cow::Borrowed("unknown")
        } else {
            name.chars().take(128).collect()
        }
    }

    /// The type of the body, without parameters.
    pub(crate) fn content_type(&self) -> &str {
        let value = self
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        value
            .and_then(|value| value.split(';').next())
            .unwrap_or_default()
            .trim()
    }

    /// The start of the request as it is written into objects: RFC 3339 in whole seconds.
    pub(crate) fn stamp(&self) -> String {
        whole_seconds(self.began)
    }

    /// The subresource as field ownership names it.
    pub(crate) fn subresource_name(&self) -> &'static str {
        self.subresource.map_or("", Subresource::as_str)
    }
}

/// A moment as Kubernetes writes times: RFC 3339 in UTC, cut to whole seconds.
pub(crate) fn whole_seconds(moment: Timestamp) -> String {
    Timestamp::from_second(moment.as_second())
        .unwrap_or(moment)
        .to_string()
}

/// The verb of a request for a resource, which authorization asks for; `None` for methods that no resource has.
/// Whether the path has the verb is another question: see [`has_verb`].
pub(crate) fn verb_of(parts: &Parts, path: &ResourcePath<'_>, query: &Query<'_>) -> Option<Verb> {
    let one = !path.name.is_empty();
    match parts.method {
        // A watch of one object is the watch of a collection with a field selector.
        Method::GET | Method::HEAD if one => Some(Verb::Get),
        Method::GET | Method::HEAD if query.watch => Some(Verb::Watch),
        Method::GET | Method::HEAD => Some(Verb::List),
        Method::POST => Some(Verb::Create),
        Method::PUT => Some(Verb::Update),
        Method::PATCH => Some(Verb::Patch),
        Method::DELETE if one => Some(Verb::Delete),
        Method::DELETE => Some(Verb::DeleteCollection),
        _ => None,
    }
}

/// Whether the path of a resource has the verb: collections are posted to, objects replaced and patched, subresources
/// neither created nor deleted, and all namespaces at once only read.
pub(crate) fn has_verb(resource: &Resource, path: &ResourcePath<'_>, verb: Verb) -> bool {
    let is_everywhere = resource.is_namespaced() && path.namespace.is_empty();
    let fits = match verb {
        Verb::Create => path.name.is_empty() && !is_everywhere,
        Verb::Update | Verb::Patch => !path.name.is_empty(),
        Verb::Delete => path.subresource.is_empty(),
        Verb::DeleteCollection => !is_everywhere,
        Verb::Get | Verb::List | Verb::Watch => true,
    };
    fits && resource.verbs.contains(&verb)
}
