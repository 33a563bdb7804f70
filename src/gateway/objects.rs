//! Asking the API server about objects: whether one exists, who owns it, which pods a Service means.
//!
//! Only metadata is asked for, but for the selector of a Service. Answers are kept for a short time, and whoever asks
//! for the same object meanwhile waits for the same answer, so that a storm about one workload is one request.
//!
//! What an answer means for a signal is not decided here.

mod ask;
mod cache;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, ListParams};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::kinds::Kind;
pub(crate) use ask::ask;
pub(super) use ask::in_time;
use cache::Cache;

/// The label that says whether an object is managed: `true` or `false`; anything else says nothing.
pub const MANAGED: &str = "kubernaut.ai/managed";

/// How long it is believed that an object exists and who owns it: 30 s, as in the running gateway.
const PRESENT_FOR: Duration = Duration::from_secs(30);

/// How long it is believed that an object does not exist: 2 s, because it may be on its way.
const ABSENT_FOR: Duration = Duration::from_secs(2);

/// How long all questions about one signal may take together, of each of the two kinds that there are: which object is
/// meant, and whose it is. 5 s, as in the running gateway.
const BUDGET: Duration = Duration::from_secs(5);

/// How many objects are remembered.
const CAPACITY: usize = 10_000;

/// Why there is no answer. Neither says anything about the object, and neither is the sender's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// The server refuses such a request: a permission is missing, or the credentials are not good.
    #[error("the API server refuses ({code}): {message}")]
    Refused {
        /// The HTTP status.
        code: u16,
        /// The server's words.
        message: String,
    },
    /// No clear answer, after several tries.
    #[error("the API server gives no answer: {message}")]
    Unavailable {
        /// What happened at the last try.
        message: String,
    },
}

/// The object that controls another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Controller {
    /// Group and version.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// What is kept of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The owner with `controller: true`.
    pub controller: Option<Controller>,
    /// What the label [`MANAGED`] says.
    pub managed: Option<bool>,
}

/// Objects of one cluster.
#[derive(Clone)]
pub struct Objects {
    client: kube::Client,
    known: Arc<Mutex<Cache<Key, Arc<OnceCell<Known>>>>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    kind: Kind,
    namespace: String,
    name: String,
}

/// The object's metadata, or `None` if there is no such object.
type Known = Option<Arc<Metadata>>;

impl Objects {
    /// Nothing is asked yet. The client must not repeat requests on its own, because that is done here.
    #[must_use]
    pub fn new(client: kube::Client) -> Self {
        Self {
            client,
            known: Arc::new(Mutex::new(Cache::new(CAPACITY))),
        }
    }

    /// The metadata of an object, `None` if it does not exist. The namespace is empty for a cluster-scoped kind.
    ///
    /// # Errors
    /// [`LookupError`].
    pub async fn get(
        &self,
        kind: &Kind,
        namespace: &str,
        name: &str,
    ) -> Result<Known, LookupError> {
        if kind.namespaced == namespace.is_empty() {
            return Ok(None);
        }
        let key = Key {
            kind: kind.clone(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        let known = self.known(key);
        let answer = known.get_or_try_init(|| self.fetch(kind, namespace, name));
        answer.await.cloned()
    }

    /// Whether an object exists. One of a kind that may not be read counts as absent: the running gateway cannot see
    /// Secrets either.
    ///
    /// # Errors
    /// [`LookupError`].
    pub async fn exists(
        &self,
        kind: &Kind,
        namespace: &str,
        name: &str,
    ) -> Result<bool, LookupError> {
        match self.get(kind, namespace, name).await {
            Ok(found) => Ok(found.is_some()),
            Err(LookupError::Refused { code: 403, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The labels that a Service selects its pods by: `None` if there is no such Service, empty if it selects none.
    ///
    /// # Errors
    /// [`LookupError`].
    pub async fn service_selector(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Option<BTreeMap<String, String>>, LookupError> {
        let services: Api<Service> = Api::namespaced(self.client.clone(), namespace);
        let name = path_segment(name);
        let service = ask(|| services.get_opt(&name)).await?;
        Ok(service.map(|service| {
            let spec = service.spec.unwrap_or_default();
            spec.selector.unwrap_or_default()
        }))
    }

    /// The alphabetically first pod with these labels. The server lists in that order, so that one item is enough.
    ///
    /// # Errors
    /// [`LookupError`].
    pub async fn first_pod(
        &self,
        namespace: &str,
        labels: &BTreeMap<String, String>,
    ) -> Result<Option<String>, LookupError> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let terms: Vec<String> = labels
            .iter()
            .map(|(label, value)| format!("{label}={value}"))
            .collect();
        let params = ListParams::default().labels(&terms.join(",")).limit(1);
        let list = ask(|| pods.list_metadata(&params)).await?;
        Ok(list.items.into_iter().find_map(|pod| pod.metadata.name))
    }

    /// The place where the answer about an object is, or will be.
    fn known(&self, key: Key) -> Arc<OnceCell<Known>> {
        let now = Instant::now();
        let is_good = |asked: Instant, known: &Arc<OnceCell<Known>>| {
            let lasts = match known.get() {
                Some(None) => ABSENT_FOR,
                Some(Some(_)) | None => PRESENT_FOR,
            };
            now.duration_since(asked) < lasts
        };
        // A panic cannot leave the map half changed, so that a poisoned lock is as good as any.
        let mut cache = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        cache.get_or_insert(key, now, is_good, Arc::default).clone()
    }

    async fn fetch(&self, kind: &Kind, namespace: &str, name: &str) -> Result<Known, LookupError> {
        let resource = ApiResource {
            group: kind.group.clone(),
            version: kind.version.clone(),
            api_version: kind.api_version(),
            kind: kind.name.clone(),
            plural: kind.plural.clone(),
        };
        let client = self.client.clone();
        let objects: Api<DynamicObject> = if kind.namespaced {
            Api::namespaced_with(client, namespace, &resource)
        } else {
            Api::all_with(client, &resource)
        };
        let name = path_segment(name);
        let object = ask(|| objects.get_metadata_opt(&name)).await?;
        Ok(object.map(|object| Arc::new(Metadata::of(object.metadata))))
    }
}

impl Metadata {
    fn of(metadata: ObjectMeta) -> Self {
        let labels = metadata.labels.unwrap_or_default();
        let managed = labels.get(MANAGED).and_then(|value| value.parse().ok());
        let mut owners = metadata.owner_references.unwrap_or_default().into_iter();
        let controller = owners.find(|owner| owner.controller == Some(true));
        Self {
            controller: controller.map(|owner| Controller {
                api_version: owner.api_version,
                kind: owner.kind,
                name: owner.name,
            }),
            managed,
        }
    }
}

/// A name as it stands in a path. The client library puts names into paths as they are.
fn path_segment(name: &str) -> String {
    let mut segment = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            // Writing to a String does not fail.
            let _ = write!(segment, "%{byte:02X}");
        }
    }
    segment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_place_in_the_path() {
        for (name, expected) in [
            ("payment-api.v2", "payment-api.v2"),
            ("system:node", "system:node"),
            ("a/b?watch=true#c", "a%2Fb%3Fwatch%3Dtrue%23c"),
            ("ü %", "%C3%BC%20%25"),
        ] {
            assert_eq!(path_segment(name), expected);
        }
    }
}
