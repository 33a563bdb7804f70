//! A watch on one Lease.
//!
//! Only what a waiting candidate needs to know: gone, freed, ended. Events are never evidence of expiry.

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, BodyStream};
use kube::client::Body;
use serde::Deserialize;
use serde_json::Value;

use super::convert;

/// Why a watch could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// 401.
    #[error("{0}")]
    Unauthorised(String),
    /// 403.
    #[error("{0}")]
    Forbidden(String),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseEvent {
    /// DELETED.
    Deleted,
    /// The record names nobody.
    Freed,
    /// Some other change, or a bookmark.
    Other,
}

/// An open watch.
pub struct LeaseWatch {
    body: BodyStream<Body>,
    buffer: BytesMut,
}

/// Opens a watch at this address.
///
/// # Errors
/// [`WatchError`].
pub async fn open(client: &kube::Client, uri: String) -> Result<LeaseWatch, WatchError> {
    // API servers from 1.37 on compress each event as a member of its own, which no stream decoder here can read.
    let request = Request::get(uri)
        .header(header::ACCEPT, "application/json")
        .header(header::ACCEPT_ENCODING, "identity")
        .body(Body::empty())
        .map_err(|error| WatchError::Failed(error.to_string()))?;
    let response = client
        .send(request)
        .await
        .map_err(|error| WatchError::Failed(super::api_error::describe(&error)))?;
    let status = response.status();
    if status.is_success() {
        return Ok(LeaseWatch {
            body: BodyStream::new(response.into_body()),
            buffer: BytesMut::new(),
        });
    }
    let bytes = response
        .into_body()
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let message = serde_json::from_slice::<Value>(&bytes)
        .ok()
        .and_then(|body| body.get("message")?.as_str().map(str::to_owned))
        .unwrap_or_else(|| format!("the server answered {status}"));
    Err(match status {
        StatusCode::UNAUTHORIZED => WatchError::Unauthorised(message),
        StatusCode::FORBIDDEN => WatchError::Forbidden(message),
        _ => WatchError::Failed(message),
    })
}

impl LeaseWatch {
    /// The next event; `None` when the watch has ended, for whatever reason. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<LeaseEvent> {
        event(&self.next_line().await?)
    }

    async fn next_line(&mut self) -> Option<Bytes> {
        loop {
            if let Some(line) = self.take_line() {
                return Some(line);
            }
            let frame = self.body.next().await?.ok()?;
            if let Ok(data) = frame.into_data() {
                self.buffer.extend_from_slice(&data);
            }
        }
    }

    /// An event can be cut anywhere between two frames; it is complete at its line's end.
    fn take_line(&mut self) -> Option<Bytes> {
        let end = self.buffer.iter().position(|&byte| byte == b'\n')?;
        Some(self.buffer.split_to(end + 1).freeze())
    }
}

/// `None` for an ERROR event, after which the server ends the watch.
fn event(line: &[u8]) -> Option<LeaseEvent> {
    let event: Value = serde_json::from_slice(line).ok()?;
    match event.get("type").and_then(Value::as_str)? {
        "DELETED" => Some(LeaseEvent::Deleted),
        "ERROR" => None,
        "ADDED" | "MODIFIED" => {
            let spec = event
                .get("object")
                .and_then(|object| object.get("spec"))
                .unwrap_or(&Value::Null);
            let nobody = convert::claim(spec)
                .holder
                .is_none_or(|holder| holder.is_empty());
            Some(if nobody {
                LeaseEvent::Freed
            } else {
                LeaseEvent::Other
            })
        }
        _ => Some(LeaseEvent::Other),
    }
}

/// A lease that changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Changed {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// What is read of an event where only the name counts: hundreds can come each second.
#[derive(Deserialize)]
struct Notice {
    r#type: String,
    #[serde(default)]
    object: Object,
}

#[derive(Default, Deserialize)]
struct Object {
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    namespace: String,
    name: String,
}

/// Watches a collection and tells which leases change. Ends when the watch does, for whatever reason: what has changed
/// since then only a list can tell.
///
/// # Errors
/// [`WatchError`].
pub async fn names(
    client: &kube::Client,
    uri: String,
) -> Result<impl Stream<Item = Changed> + Send + use<>, WatchError> {
    let watch = open(client, uri).await?;
    let changes = stream::unfold(watch, |mut watch| async move {
        loop {
            match notice(&watch.next_line().await?) {
                Some(changed) if changed.name.is_empty() => {}
                changed => return Some((changed?, watch)),
            }
        }
    });
    Ok(changes)
}

/// A bookmark is no lease and has no name. `None` for an ERROR event, after which the server ends the watch.
fn notice(line: &[u8]) -> Option<Changed> {
    let Notice { r#type, object } = serde_json::from_slice(line).ok()?;
    let Metadata { namespace, name } = object.metadata;
    (r#type != "ERROR").then_some(Changed { namespace, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_by_what_a_waiter_needs() {
        let parse = |text: &str| event(text.as_bytes());
        assert_eq!(
            parse(r#"{"type":"DELETED","object":{"spec":{"holderIdentity":"a"}}}"#),
            Some(LeaseEvent::Deleted)
        );
        assert_eq!(
            parse(r#"{"type":"MODIFIED","object":{"spec":{"holderIdentity":""}}}"#),
            Some(LeaseEvent::Freed)
        );
        assert_eq!(
            parse(r#"{"type":"MODIFIED","object":{"spec":{"holderIdentity":"a"}}}"#),
            Some(LeaseEvent::Other)
        );
        assert_eq!(
            parse(r#"{"type":"BOOKMARK","object":{}}"#),
            Some(LeaseEvent::Other)
        );
        assert_eq!(parse(r#"{"type":"ERROR","object":{"code":410}}"#), None);
    }

    #[test]
    fn a_notice_is_the_name_of_a_lease() {
        let parse = |text: &str| notice(text.as_bytes());
        let changed = |namespace: &str, name: &str| {
            Some(Changed {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            })
        };
        assert_eq!(
            parse(
                r#"{"type":"DELETED","object":{"metadata":{"name":"a","namespace":"ns","uid":"u"},"spec":{"x":[1]}}}"#
            ),
            changed("ns", "a")
        );
        assert_eq!(
            parse(r#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"7"}}}"#),
            changed("", "")
        );
        assert_eq!(
            parse(
                r#"{"type":"ERROR","object":{"kind":"Status","metadata":{},"code":410,"reason":"Expired"}}"#
            ),
            None
        );
    }
}
