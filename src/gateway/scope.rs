//! Which objects are managed: the label `kubernaut.ai/managed` on the object decides, else that on its namespace.
//!
//! A cluster-scoped object has its own label only. Without any label an object is not managed, and a signal about it is
//! rejected: answered 200, so that nobody sends it again, and nothing is created.
//!
//! The running gateway asks for the label of a remote cluster's object nowhere, and nor is it asked for here: a signal
//! that names a cluster is judged by the objects of this one.

use gwlock_engine::remediation::Signal;

use super::kinds::{Kind, Kinds};
use super::objects::{LookupError, MANAGED, Objects};
use super::target::Object;

/// Kinds whose own label counts, as in the running gateway; objects of other kinds follow their namespace.
const LABELLED: [&str; 13] = [
    "Pod",
    "Node",
    "Service",
    "ConfigMap",
    "Secret",
    "Namespace",
    "PersistentVolume",
    "ReplicaSet",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "CronJob",
];

/// Why a signal is rejected, and what would change that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// In words.
    pub message: String,
    /// `namespace:Kind:name`.
    pub resource: String,
    /// A command that makes it managed.
    pub action: String,
}

/// Whether an object is managed, and if not, what to tell the sender.
///
/// # Errors
/// [`LookupError`] when the namespace's label cannot be read; the object's own label may be unreadable.
pub async fn check(
    objects: &Objects,
    kinds: &Kinds,
    object: &Object,
) -> Result<Option<Rejection>, LookupError> {
    let managed = match own_label(objects, kinds, object).await? {
        None if !object.namespace.is_empty() => namespace_label(objects, kinds, object).await?,
        label => label,
    };
    Ok((managed != Some(true)).then(|| Rejection::of(object)))
}

/// The same for the object that a signal is about.
///
/// # Errors
/// See [`check`].
pub async fn check_signal(
    objects: &Objects,
    kinds: &Kinds,
    signal: &Signal,
) -> Result<Option<Rejection>, LookupError> {
    let target = &signal.spec.target_resource;
    let object = Object {
        kind: target.kind.clone(),
        name: target.name.clone(),
        namespace: target.namespace.clone().unwrap_or_default(),
        api_version: target.api_version.clone(),
    };
    check(objects, kinds, &object).await
}

async fn own_label(
    objects: &Objects,
    kinds: &Kinds,
    object: &Object,
) -> Result<Option<bool>, LookupError> {
    let Some(kind) = kinds.get(&object.kind).filter(|kind| is_labelled(kind)) else {
        return Ok(None);
    };
    let namespace = if kind.namespaced {
        object.namespace.as_str()
    } else {
        ""
    };
    match objects.get(kind, namespace, &object.name).await {
        Ok(found) => Ok(found.and_then(|metadata| metadata.managed)),
        // Who may not read objects of this kind goes by their namespaces.
        Err(LookupError::Refused { code: 403, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn namespace_label(
    objects: &Objects,
    kinds: &Kinds,
    object: &Object,
) -> Result<Option<bool>, LookupError> {
    if kinds.get(&object.kind).is_some_and(|kind| !kind.namespaced) {
        return Ok(None);
    }
    let Some(namespaces) = kinds.get("Namespace") else {
        return Ok(None);
    };
    let namespace = objects.get(namespaces, "", &object.namespace).await?;
    Ok(namespace.and_then(|metadata| metadata.managed))
}

fn is_labelled(kind: &Kind) -> bool {
    LABELLED.contains(&kind.name.as_str())
}

impl Rejection {
    fn of(object: &Object) -> Self {
        let Object {
            kind,
            name,
            namespace,
            ..
        } = object;
        let lower = kind.to_lowercase();
        let (what, action) = if namespace.is_empty() {
            (
                format!("{kind} {name}"),
                format!("kubectl label {lower} {name} {MANAGED}=true"),
            )
        } else {
            (
                format!("{kind} {namespace}/{name}"),
                format!("kubectl label namespace {namespace} {MANAGED}=true"),
            )
        };
        Self {
            message: format!(
                "{what} is not managed: neither it nor its namespace has the label {MANAGED}=true"
            ),
            resource: format!("{namespace}:{kind}:{name}"),
            action,
        }
    }
}
