//! `get` and `list`.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::{Value, json};

use crate::selector::Selector;
use crate::status::Status;
use crate::store::Change;

use super::{Answer, Call};

/// Part of a collection.
pub(crate) struct ListPage {
    pub(crate) version: u64,
    pub(crate) items: Vec<Arc<Value>>,
    pub(crate) next: Option<String>,
    pub(crate) remaining: Option<usize>,
}

/// Reads one object. The version that it must at least have has been waited for.
pub(crate) fn get(call: &Call<'_>) -> Result<Answer, Status> {
    let transaction = call.server.store.transaction();
    let object = call
        .current(&transaction)
        .ok_or_else(|| Status::not_found(call.resource(), call.name()))?;
    Ok(Answer::new(StatusCode::OK, object))
}

/// Reads a collection, from the start or where an earlier page ended.
pub(crate) fn list(call: &Call<'_>, selector: &Selector) -> Result<ListPage, Status> {
    let resource = call.resource();
    let limit = call
        .query
        .number("limit")?
        .filter(|limit| *limit > 0)
        .and_then(|limit| usize::try_from(limit).ok());
    let token = call.query.get("continue").map(Token::decode).transpose()?;
    let exact = match call.query.get("resourceVersionMatch") {
        Some("Exact") => call.query.number("resourceVersion")?,
        _ => None,
    };
    let namespace = Some(call.target.namespace.as_str()).filter(|namespace| !namespace.is_empty());
    let transaction = call.server.store.transaction();
    let current = transaction.version();
    let at = token
        .as_ref()
        .map(|token| token.version)
        .or(exact)
        .unwrap_or(current);
    let mut objects: BTreeMap<(String, String), Arc<Value>> = transaction
        .list(&resource.key, namespace)
        .map(|(key, object)| (key.clone(), object.clone()))
        .collect();
    drop(transaction);
    if at < current {
        let events = call
            .server
            .store
            .events_after(&resource.key, at)
            .map_err(|compacted| match token {
                Some(_) => Status::continue_expired(),
                None => Status::expired(compacted.asked, compacted.oldest),
            })?;
        rewind(&mut objects, &events, namespace);
    }
    let start = token.map(|token| token.start);
    let mut rest = objects
        .into_iter()
        .filter(|(key, _)| start.as_ref().is_none_or(|start| key > start))
        .filter(|(_, object)| selector.matches(object));
    let page: Vec<_> = rest.by_ref().take(limit.unwrap_or(usize::MAX)).collect();
    let left = rest.count();
    let last = page.last().map(|(key, _)| key.clone()).filter(|_| left > 0);
    Ok(ListPage {
        version: at,
        next: last.map(|start| Token { version: at, start }.encode()),
        remaining: Some(left).filter(|left| *left > 0 && *selector == Selector::default()),
        items: page.into_iter().map(|(_, object)| object).collect(),
    })
}

/// Turns the objects back to what they were before these events.
fn rewind(
    objects: &mut BTreeMap<(String, String), Arc<Value>>,
    events: &[crate::store::Event],
    namespace: Option<&str>,
) {
    for event in events.iter().rev() {
        let text = |key: &str| {
            crate::object::meta(&event.object, key)
                .unwrap_or_default()
                .to_owned()
        };
        let key = (text("namespace"), text("name"));
        if namespace.is_some_and(|namespace| key.0 != namespace) {
            continue;
        }
        match (event.change, &event.before) {
            (Change::Added, _) | (_, None) => drop(objects.remove(&key)),
            (_, Some(before)) => drop(objects.insert(key, before.clone())),
        }
    }
}

struct Token {
    version: u64,
    start: (String, String),
}

impl Token {
    fn encode(&self) -> String {
        let (namespace, name) = &self.start;
        URL_SAFE_NO_PAD.encode(
            json!({"v": "meta.k8s.io/v1", "rv": self.version, "start": [namespace, name]})
                .to_string(),
        )
    }

    fn decode(text: &str) -> Result<Self, Status> {
        let invalid = || Status::bad_request("continue key is not valid: illegal base64 data");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
        let start = |index: usize| {
            value["start"][index]
                .as_str()
                .map(str::to_owned)
                .ok_or_else(invalid)
        };
        Ok(Self {
            version: value["rv"].as_u64().ok_or_else(invalid)?,
            start: (start(0)?, start(1)?),
        })
    }
}
