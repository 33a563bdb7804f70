//! The workload that an object belongs to: Pod → ReplicaSet → Deployment, Job → CronJob, Service → its first pod.
//!
//! Two pods of one Deployment have one key because of this. The owner replaces kind and name; the namespace stays, also
//! where the owner is a Node.
//!
//! The running gateway's rules, because they make the key: owners are followed by kind alone, for five steps, through
//! the groups core, apps, batch, autoscaling and policy; an owner of another group is the end. A Service means the
//! alphabetically first of its pods, and itself if it has none. An owner that does not exist is still the owner.
//!
//! | There | Here |
//! |---|---|
//! | a request that is not answered, or not allowed, at the first step: the alert is dropped, and 400 if all are | an error of its own, told as 5xx so that the sender tries again |
//! | the same at a later step, or about a Service: the object found so far is the target, under another key | the same error |
//! | a namespace is needed and missing: the alert is dropped | it does not exist |
//!
//! January's gateway looks at no owners.

use super::kinds::Kinds;
use super::objects::{LookupError, Objects, in_time};
use super::target::Object;

/// How many steps are followed.
const MOST_STEPS: usize = 5;

/// Why the owner is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OwnerError {
    /// The signal is about an object that does not exist, or not any longer.
    #[error("{}/{} does not exist in namespace \"{}\"", .0.kind, .0.name, .0.namespace)]
    NotFound(Object),
    /// It could not be found out.
    #[error(transparent)]
    Lookup(#[from] LookupError),
}

/// Finds the workload that an object belongs to; the object itself if it belongs to none. Takes at most five seconds.
///
/// # Errors
/// [`OwnerError`].
pub async fn top_owner(
    objects: &Objects,
    kinds: &Kinds,
    object: Object,
) -> Result<Object, OwnerError> {
    in_time(follow(objects, kinds, object)).await
}

async fn follow(objects: &Objects, kinds: &Kinds, object: Object) -> Result<Object, OwnerError> {
    let is_service = object.kind == "Service";
    let mut top = object;
    if is_service {
        let Some(pod) = first_pod(objects, &top).await? else {
            return Ok(top);
        };
        top.kind = "Pod".to_owned();
        top.name = pod;
        top.api_version = Some("v1".to_owned());
    }
    for step in 0..MOST_STEPS {
        let Some(kind) = kinds.get(&top.kind).filter(|kind| kind.is_followed()) else {
            break;
        };
        let namespace = if kind.namespaced { &top.namespace } else { "" };
        match objects.get(kind, namespace, &top.name).await? {
            Some(metadata) => {
                let Some(controller) = &metadata.controller else {
                    break;
                };
                top.kind.clone_from(&controller.kind);
                top.name.clone_from(&controller.name);
                top.api_version = Some(controller.api_version.clone());
            }
            None if step > 0 => break,
            // It was listed a moment ago; the next try lists another one.
            None if is_service => {
                let message = format!("pod {} is gone", top.name);
                return Err(LookupError::Unavailable { message }.into());
            }
            None => return Err(OwnerError::NotFound(top)),
        }
    }
    Ok(top)
}

async fn first_pod(objects: &Objects, service: &Object) -> Result<Option<String>, LookupError> {
    if service.namespace.is_empty() {
        return Ok(None);
    }
    let selector = objects
        .service_selector(&service.namespace, &service.name)
        .await?;
    match selector {
        Some(labels) if !labels.is_empty() => objects.first_pod(&service.namespace, &labels).await,
        Some(_) | None => Ok(None),
    }
}
