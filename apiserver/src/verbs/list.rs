//! GET of a collection: the present state, an earlier one, or the next page of one.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::{Reply, options};
use crate::call::Call;
use crate::cluster::Cluster;
use crate::object::{List, Object};
use crate::selector::{self, Selector};
use crate::status::Status;
use crate::store::{self, State};

/// What a continue token holds: the version of the first page and the last key that was shown.
#[derive(Debug, Serialize, Deserialize)]
struct Continue {
    v: String,
    /// Version of the first page; -1 goes on at whatever is newest.
    rv: i64,
    start: String,
}

const EXPIRED_LIST: &str = "The resourceVersion for the provided list is too old.";
const EXPIRED_CONTINUE: &str = "The provided continue parameter is too old to display a consistent list result. You can start a \
     new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the \
     results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or \
     deleted between the time the first chunk was returned and now may show up in the list.";

pub(super) fn list(cluster: &Arc<Cluster>, call: &Call<'_>) -> Result<Reply, Status> {
    options::check_list(call)?;
    let selector = Selector::parse(call.query, &call.resource)?;
    let limit = call.query.limit()?;
    let token = call
        .query
        .continue_token
        .as_deref()
        .filter(|token| !token.is_empty())
        .map(decode)
        .transpose()?;
    let revision = options::revision(call)?;
    if token.is_some() && revision.is_some_and(|revision| revision > 0) {
        let why = "specifying resource version is not allowed when using continue";
        return Err(Status::bad_request(why));
    }
    let exact = call.query.resource_version_match.as_deref() == Some("Exact");
    let mut state = cluster.store.lock();
    if let Some(wanted) = revision.filter(|wanted| *wanted > state.revision()) {
        return Ok(Reply::NotYet { wanted });
    }
    // A page of an unfinished list and an exact version are read from the past; everything else is the present.
    let (at, after) = match (&token, revision) {
        (Some(token), _) => (u64::try_from(token.rv).ok(), token.start.clone()),
        (None, Some(revision))
            if revision > 0
                && (exact || limit.is_some() && call.query.resource_version_match.is_none()) =>
        {
            (Some(revision), String::new())
        }
        _ => (None, String::new()),
    };
    let shown = at.unwrap_or(state.revision());
    let Some(items) = items_at(&mut state, call, &selector, at) else {
        return Err(expired(token));
    };
    Ok(Reply::List(page(
        &items,
        shown,
        &after,
        limit,
        selector.is_everything(),
    )))
}

fn expired(token: Option<Continue>) -> Status {
    match token {
        Some(token) => {
            let mut status = Status::expired(EXPIRED_CONTINUE);
            status.continue_token = Some(encode(&Continue { rv: -1, ..token }));
            status
        }
        None => Status::expired(EXPIRED_LIST),
    }
}

fn page(
    items: &[(String, Arc<Object>)],
    revision: u64,
    after: &str,
    limit: Option<usize>,
    is_everything: bool,
) -> List {
    let start = items.partition_point(|(key, _)| key.as_str() <= after && !after.is_empty());
    let rest = &items[start..];
    let shown = limit.map_or(rest.len(), |limit| limit.min(rest.len()));
    let remaining = rest.len() - shown;
    let continue_token = (remaining > 0).then(|| {
        encode(&Continue {
            v: "meta.k8s.io/v1".into(),
            rv: i64::try_from(revision).unwrap_or(i64::MAX),
            start: rest[shown - 1].0.clone(),
        })
    });
    List {
        items: rest[..shown]
            .iter()
            .map(|(_, object)| Arc::clone(object))
            .collect(),
        revision,
        continue_token,
        // Kubernetes counts what remains only where nothing is filtered.
        remaining: (remaining > 0 && is_everything).then_some(remaining as u64),
    }
}

/// The keys and objects of the collection that the selection means, as they are now.
pub(super) fn selected(
    state: &mut State,
    call: &Call<'_>,
    selector: &Selector,
) -> Vec<(String, Arc<Object>)> {
    items_at(state, call, selector, None).unwrap_or_default()
}

fn items_at(
    state: &mut State,
    call: &Call<'_>,
    selector: &Selector,
    at: Option<u64>,
) -> Option<Vec<(String, Arc<Object>)>> {
    let prefix = prefix(call);
    let table = state.table(&call.resource.stored_as);
    let keep = |key: &str, object: &Arc<Object>| {
        selector
            .matches(&object.value)
            .then(|| (key.to_owned(), Arc::clone(object)))
    };
    if let Some(at) = at {
        let past = table.range_at(&prefix, at)?;
        return Some(
            past.iter()
                .filter_map(|(key, object)| keep(key, object))
                .collect(),
        );
    }
    if let (Some(name), true) = (
        selector.only_name(),
        !call.namespace.is_empty() || !call.resource.is_namespaced(),
    ) {
        let key = store::key(call.namespace, name);
        return Some(
            table
                .get(&key)
                .and_then(|object| keep(&key, object))
                .into_iter()
                .collect(),
        );
    }
    if let Some((pointer, text)) = selector.only_text() {
        return Some(
            table
                .range_with(&prefix, pointer, text, selector::text_of)
                .filter_map(|(key, object)| keep(key, object))
                .collect(),
        );
    }
    Some(
        table
            .range(&prefix)
            .filter_map(|(key, object)| keep(key, object))
            .collect(),
    )
}

/// What the keys of the collection start with.
pub(super) fn prefix(call: &Call<'_>) -> String {
    if call.namespace.is_empty() {
        String::new()
    } else {
        format!("{}/", call.namespace)
    }
}

fn encode(token: &Continue) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(token).expect("a token can always be written"))
}

fn decode(text: &str) -> Result<Continue, Status> {
    let refused = |why: String| {
        Status::bad_request(format!(
            "invalid continue token: continue key is not valid: {why}"
        ))
    };
    let bytes = URL_SAFE_NO_PAD
        .decode(text.trim_end_matches('='))
        .map_err(|error| refused(error.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|error| refused(error.to_string()))
}
