//! Single questions, each with a deadline and no retry: these answers are worth less than the time of whoever waits.

use std::time::Duration;

use gwlock_engine::client::api_error::describe;
use gwlock_engine::client::list::encode;
use http::{Request, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::timeout;

use super::{Unread, Why};
use crate::context::Cluster;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whole objects.
pub(super) const OBJECTS: Form = Form {
    accept: "application/json",
    page: 500,
};

/// Their metadata alone, which saves the rest the way.
pub(super) const METADATA: Form = Form {
    accept: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
    page: 5000,
};

/// What is asked for in a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    accept: &'static str,
    page: usize,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) why: Why,
    pub(super) message: String,
}

#[derive(Deserialize)]
struct Page<T> {
    #[serde(default)]
    metadata: PageMetadata,
    /// A server says null where there are none.
    items: Option<Vec<T>>,
}

#[derive(Deserialize, Default)]
struct PageMetadata {
    #[serde(rename = "continue", default)]
    next: String,
}

/// One object; `None` if there is none.
pub(super) async fn get<T: DeserializeOwned>(
    cluster: &Cluster,
    path: &str,
) -> Result<Option<T>, Trouble> {
    match send(cluster, path, OBJECTS.accept).await {
        Ok(object) => Ok(Some(object)),
        Err(Failed { code: 404, .. }) => Ok(None),
        Err(failed) => Err(failed.trouble()),
    }
}

/// All objects of a collection, a page at a time.
pub(super) async fn pages<T: DeserializeOwned>(
    cluster: &Cluster,
    path: &str,
    form: Form,
    mut keep: impl FnMut(T),
) -> Result<(), Trouble> {
    let mut next = String::new();
    loop {
        let mut uri = format!("{path}?limit={}", form.page);
        if !next.is_empty() {
            uri.push_str(&format!("&continue={}", encode(&next)));
        }
        let page: Page<T> = send(cluster, &uri, form.accept)
            .await
            .map_err(Failed::trouble)?;
        page.items.into_iter().flatten().for_each(&mut keep);
        next = page.metadata.next;
        if next.is_empty() {
            return Ok(());
        }
    }
}

/// The Events (core/v1) about a lease.
pub(in crate::commands) async fn events(
    cluster: &Cluster,
    namespace: &str,
    lease: &str,
) -> Result<Vec<Value>, Unread> {
    let selector = encode(&format!(
        "involvedObject.kind=Lease,involvedObject.name={lease}"
    ));
    let uri = format!("/api/v1/namespaces/{namespace}/events?fieldSelector={selector}&limit=100");
    let page: Result<Page<Value>, Failed> = send(cluster, &uri, OBJECTS.accept).await;
    page.map(|page| page.items.unwrap_or_default())
        .map_err(|failed| {
            let trouble = failed.trouble();
            Unread {
                resource: "events",
                why: trouble.why,
                group: "",
                verb: "list",
                namespace: Some(namespace.to_owned()),
                message: trouble.message,
            }
        })
}

struct Failed {
    /// 0 without an answer.
    code: u16,
    message: String,
}

impl Failed {
    fn trouble(self) -> Trouble {
        let why = match self.code {
            401 | 403 => Why::Forbidden,
            404 => Why::NotServed,
            _ => Why::Failed,
        };
        Trouble {
            why,
            message: self.message,
        }
    }
}

async fn send<T: DeserializeOwned>(
    cluster: &Cluster,
    uri: &str,
    accept: &str,
) -> Result<T, Failed> {
    let unanswered = |message: String| Failed { code: 0, message };
    let request = Request::get(uri)
        .header(header::ACCEPT, accept)
        .body(Vec::new())
        .map_err(|error| unanswered(error.to_string()))?;
    let patience = cluster.request_timeout.unwrap_or(PATIENCE);
    match timeout(patience, cluster.client.request::<T>(request)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(kube::Error::Api(status))) => Err(Failed {
            code: status.code,
            message: status.message.clone(),
        }),
        Ok(Err(error)) => Err(unanswered(describe(&error))),
        Err(_) => Err(unanswered(format!("no answer within {patience:?}"))),
    }
}
