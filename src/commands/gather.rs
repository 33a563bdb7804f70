//! What [`crate::evidence`] is made of: pods, nodes and RemediationRequests behind leases, asked for with few requests.
//!
//! Each of them is optional: what cannot be read is told as such, and nothing fails. What it all means is not known
//! here.

mod ask;
mod requests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::{StreamExt as _, stream};
use gwlock_engine::client::list::Listed;
use gwlock_engine::protocol::key::Fingerprint;
use serde::de::DeserializeOwned;

use crate::context::Cluster;
use crate::evidence::holder::{Family, Generation};
use crate::evidence::pod::{Node, Pod, Readiness};
use crate::output;
use crate::output::colour::ATTENTION;
use crate::rbac::{OfEvidence, Rule};

pub(super) use ask::events;
pub(super) use requests::{Found, Request, Requests};

/// For no more objects than this one GET each is cheaper than a LIST of all.
const FEW: usize = 8;

/// Requests at a time.
const AT_ONCE: usize = 8;

/// One object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Looked<T> {
    There(T),
    Absent,
    Unread(Why),
}

/// Why something was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// A permission is missing.
    Forbidden,
    /// The cluster has no such kind.
    NotServed,
    /// No clear answer.
    Failed,
}

/// What could not be read, for whoever has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unread {
    pub(super) resource: &'static str,
    pub(super) why: Why,
    group: &'static str,
    verb: &'static str,
    namespace: Option<String>,
    message: String,
}

/// A lease, which need not be there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) namespace: &'a str,
    pub(super) lease: &'a str,
}

/// Whose RemediationRequests are looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) leases: &'a [Place<'a>],
    /// Fingerprints that are known as a whole, because keys were given.
    pub(super) fingerprints: &'a [Fingerprint],
    /// Where the RemediationRequests are; without it where the leases are.
    pub(super) controller_namespace: Option<&'a str>,
}

/// What there is behind some leases.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pods: HashMap<(String, String), Looked<Pod>>,
    nodes: HashMap<String, Looked<Node>>,
    requests: Found,
    pub(super) unread: Vec<Unread>,
}

impl<'a> From<&'a Listed> for Place<'a> {
    fn from(listed: &'a Listed) -> Self {
        Self {
            namespace: &listed.namespace,
            lease: &listed.name,
        }
    }
}

impl Why {
    /// As a column shows it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::NotServed => "not served",
            Self::Failed => "no answer",
        }
    }
}

impl Unread {
    /// One warning, with the rule that is missing.
    fn warn(&self) {
        let what = format!("{} cannot be read: {}", self.resource, self.message);
        let text = match self.why {
            Why::NotServed => return,
            Why::Failed => what,
            Why::Forbidden => {
                let rule = Rule {
                    group: self.group,
                    resource: self.resource,
                    verb: self.verb,
                    namespace: self.namespace.as_deref(),
                };
                format!("{what}; the rule that is missing:\n{}", OfEvidence(rule))
            }
        };
        output::problem("warning", ATTENTION, &text);
    }

    fn is_same_kind(&self, other: &Self) -> bool {
        (self.resource, self.verb, &self.namespace)
            == (other.resource, other.verb, &other.namespace)
    }
}

impl Gathered {
    /// The pods of the holders of these leases with their nodes, beside the requests that are asked for meanwhile.
    pub(super) async fn behind(
        cluster: &Cluster,
        leases: &[Listed],
        requests: impl Future<Output = Found>,
    ) -> Self {
        let ((pods, nodes, mut unread), mut requests) =
            tokio::join!(pods_and_nodes(cluster, leases), requests);
        for one in std::mem::take(&mut requests.troubles) {
            note(&mut unread, one);
        }
        Self {
            pods,
            nodes,
            requests,
            unread,
        }
    }

    /// The pod of one holder, without its node.
    pub(super) async fn pod_alone(cluster: &Cluster, lease: &Listed) -> Self {
        let mut unread = Vec::new();
        let pods = pods(cluster, std::slice::from_ref(lease), &mut unread).await;
        Self {
            pods,
            unread,
            ..Self::default()
        }
    }

    /// The pod of one holder with its node.
    pub(super) async fn pod_of(cluster: &Cluster, lease: &Listed) -> Self {
        let nothing = std::future::ready(Found::default());
        Self::behind(cluster, std::slice::from_ref(lease), nothing).await
    }

    /// Says once of each kind what could not be read, and what is missing for it.
    pub(super) fn warn(&self) {
        self.unread.iter().for_each(Unread::warn);
    }

    /// The pod of a holder, if it was asked for.
    pub(super) fn pod(&self, namespace: &str, name: &str) -> Option<&Looked<Pod>> {
        if self.pods.is_empty() {
            return None;
        }
        self.pods.get(&(namespace.to_owned(), name.to_owned()))
    }

    /// Whether the node of a pod is ready.
    pub(super) fn readiness(&self, pod: &Pod) -> Readiness {
        match self.nodes.get(&pod.spec.node_name) {
            Some(Looked::There(node)) => node.readiness(),
            Some(Looked::Absent) => Readiness::Gone,
            Some(Looked::Unread(_)) | None => Readiness::Unknown,
        }
    }

    /// Why the node of a pod was not read, if it was not.
    pub(super) fn unread_node(&self, pod: &Pod) -> Option<Why> {
        match self.nodes.get(&pod.spec.node_name) {
            Some(Looked::Unread(why)) => Some(*why),
            _ => None,
        }
    }

    /// The RemediationRequests behind a lease.
    pub(super) fn requests(&self, namespace: &str, lease: &str) -> Requests<'_> {
        self.requests.of(namespace, lease)
    }
}

/// The RemediationRequests behind leases, whether these are there or not.
pub(super) async fn requests(cluster: &Cluster, wanted: Wanted<'_>) -> Found {
    requests::find(cluster, wanted).await
}

/// The holder of a lock, if it can be a pod: namespace and name. Who holds other leases is not known to be a pod.
fn holders_pod(lease: &Listed) -> Option<(&str, &str)> {
    if !Family::of(&lease.name).is_lock() {
        return None;
    }
    let generation = Generation::of(lease.record.holder()?)?;
    Some((lease.namespace.as_str(), generation.pod()?))
}

/// By namespace and name.
type Pods = HashMap<(String, String), Looked<Pod>>;

type PodsAndNodes = (Pods, HashMap<String, Looked<Node>>, Vec<Unread>);

async fn pods_and_nodes(cluster: &Cluster, leases: &[Listed]) -> PodsAndNodes {
    let mut unread = Vec::new();
    let pods = pods(cluster, leases, &mut unread).await;
    let node_names: BTreeSet<&str> = pods
        .values()
        .filter_map(|looked| match looked {
            Looked::There(pod) => Some(pod.spec.node_name.as_str()),
            _ => None,
        })
        .filter(|name| !name.is_empty())
        .collect();
    let kind = Kind {
        resource: "nodes",
        namespace: None,
        name_of: |node: &Node| &node.metadata.name,
    };
    let nodes = kind
        .find(cluster, "/api/v1/nodes", &node_names, &mut unread)
        .await;
    (pods, nodes, unread)
}

async fn pods(cluster: &Cluster, leases: &[Listed], unread: &mut Vec<Unread>) -> Pods {
    let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (namespace, name) in leases.iter().filter_map(holders_pod) {
        names.entry(namespace).or_default().insert(name);
    }
    let mut pods = HashMap::new();
    for (namespace, names) in names {
        let path = format!("/api/v1/namespaces/{namespace}/pods");
        let kind = Kind {
            resource: "pods",
            namespace: Some(namespace),
            name_of: |pod: &Pod| &pod.metadata.name,
        };
        let found = kind.find(cluster, &path, &names, unread).await;
        let keyed = found
            .into_iter()
            .map(|(name, looked)| ((namespace.to_owned(), name), looked));
        pods.extend(keyed);
    }
    pods
}

/// A kind of objects of the core group.
struct Kind<'a, T> {
    resource: &'static str,
    namespace: Option<&'a str>,
    name_of: fn(&T) -> &String,
}

impl<T: DeserializeOwned + Clone> Kind<'_, T> {
    /// The objects of these names, by few requests.
    async fn find(
        &self,
        cluster: &Cluster,
        path: &str,
        names: &BTreeSet<&str>,
        unread: &mut Vec<Unread>,
    ) -> HashMap<String, Looked<T>> {
        if names.len() <= FEW {
            return self.get_each(cluster, path, names, unread).await;
        }
        let mut found: HashMap<String, Looked<T>> = HashMap::new();
        let keep = |object: T| {
            let name = (self.name_of)(&object);
            if names.contains(name.as_str()) {
                found.insert(name.clone(), Looked::There(object));
            }
        };
        let listed = ask::pages(cluster, path, ask::OBJECTS, keep).await;
        let rest = match listed {
            Ok(()) => Looked::Absent,
            Err(trouble) => {
                let why = trouble.why;
                note(unread, self.unread("list", trouble));
                Looked::Unread(why)
            }
        };
        for name in names {
            found
                .entry((*name).to_owned())
                .or_insert_with(|| rest.clone());
        }
        found
    }

    async fn get_each(
        &self,
        cluster: &Cluster,
        path: &str,
        names: &BTreeSet<&str>,
        unread: &mut Vec<Unread>,
    ) -> HashMap<String, Looked<T>> {
        let answers: Vec<_> = stream::iter(names)
            .map(|name| async move {
                let answer = ask::get::<T>(cluster, &format!("{path}/{name}")).await;
                ((*name).to_owned(), answer)
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let looked = answers.into_iter().map(|(name, answer)| {
            let looked = match answer {
                Ok(Some(object)) => Looked::There(object),
                Ok(None) => Looked::Absent,
                Err(trouble) => {
                    let why = trouble.why;
                    note(unread, self.unread("get", trouble));
                    Looked::Unread(why)
                }
            };
            (name, looked)
        });
        looked.collect()
    }

    fn unread(&self, verb: &'static str, trouble: ask::Trouble) -> Unread {
        Unread {
            resource: self.resource,
            why: trouble.why,
            group: "",
            verb,
            namespace: self.namespace.map(str::to_owned),
            message: trouble.message,
        }
    }
}

/// Each missing permission is told once.
fn note(unread: &mut Vec<Unread>, one: Unread) {
    if !unread.iter().any(|known| known.is_same_kind(&one)) {
        unread.push(one);
    }
}
