//! The gateways' pods: whether they lock at all, and whether they lock the same thing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::check::{Check, Outcome, Read, Step, Subject, several, some};

/// The namespace that a gateway locks in when nobody tells it another.
const DEFAULT_LOCK_NAMESPACE: &str = "kubernaut-system";

/// How many pods are named in a message.
const SHOWN: usize = 3;

/// One pod of a gateway, as far as its lock depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gateway {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) service_account: String,
    pod_name: Source,
    pod_namespace: Source,
    /// Where its RemediationRequests are.
    pub(crate) controller_namespace: String,
    is_ready: bool,
    phase: String,
    container: String,
    /// What has to be changed to change it: `deployment/gateway`.
    owner: Option<String>,
}

/// Where a variable of the environment comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Absent,
    /// The downward API has this field of the pod.
    Field(String),
    Literal(String),
    /// A ConfigMap or Secret, the same for every pod.
    Elsewhere,
}

/// Where pods were looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Searched<'a> {
    pub(crate) selector: &'a str,
    /// `None` for all namespaces.
    pub(crate) namespace: Option<&'a str>,
}

impl Searched<'_> {
    fn words(&self) -> String {
        match self.namespace {
            Some(namespace) => format!("pods with {} in {namespace}", self.selector),
            None => format!("pods with {} in all namespaces", self.selector),
        }
    }

    fn command(&self) -> String {
        let place = self
            .namespace
            .map_or_else(|| "-A".to_owned(), |namespace| format!("-n {namespace}"));
        format!("get pods {place} -l '{}' -o wide", self.selector)
    }
}

impl Gateway {
    /// Reads a pod; `None` for one that has ended and will not run again.
    pub(crate) fn read(pod: &Value) -> Option<Self> {
        let (metadata, spec, status) = (&pod["metadata"], &pod["spec"], &pod["status"]);
        let phase = status["phase"].as_str().unwrap_or("Unknown").to_owned();
        if matches!(phase.as_str(), "Succeeded" | "Failed")
            || metadata["deletionTimestamp"].is_string()
        {
            return None;
        }
        let namespace = metadata["namespace"].as_str()?.to_owned();
        let container = container(spec)?;
        let controller = variable(container, "KUBERNAUT_CONTROLLER_NAMESPACE");
        let conditions = status["conditions"].as_array().into_iter().flatten();
        let mut containers = status["containerStatuses"].as_array().into_iter().flatten();
        let says_ready = conditions
            .filter(|condition| condition["type"] == "Ready")
            .map(|condition| condition["status"] == "True")
            .next();
        Some(Self {
            controller_namespace: controller
                .value(metadata)
                .unwrap_or_else(|| namespace.clone()),
            name: metadata["name"].as_str()?.to_owned(),
            service_account: spec["serviceAccountName"]
                .as_str()
                .unwrap_or("default")
                .to_owned(),
            pod_name: variable(container, "POD_NAME"),
            pod_namespace: variable(container, "POD_NAMESPACE"),
            is_ready: says_ready
                .unwrap_or_else(|| containers.all(|container| container["ready"] == true)),
            phase,
            container: container["name"].as_str().unwrap_or_default().to_owned(),
            owner: owner(metadata),
            namespace,
        })
    }

    /// Whether a pod that only has the label is Kubernaut's: others call a pod a gateway too.
    pub(crate) fn is_kubernauts(pod: &Value) -> bool {
        let Some(container) = container(&pod["spec"]) else {
            return false;
        };
        let image = container["image"].as_str().unwrap_or_default();
        let has = |name| variable(container, name) != Source::Absent;
        image.contains("kubernaut")
            || pod["metadata"]["labels"]["app.kubernetes.io/part-of"] == "kubernaut"
            || has("POD_NAME")
            || has("KUBERNAUT_CONTROLLER_NAMESPACE")
    }

    /// Where this pod's leases are; `None` if that is not in the pod.
    pub(crate) fn lock_namespace(&self) -> Option<String> {
        match &self.pod_namespace {
            Source::Absent => Some(DEFAULT_LOCK_NAMESPACE.to_owned()),
            Source::Field(field) if field == "metadata.namespace" => Some(self.namespace.clone()),
            Source::Literal(value) => Some(value.clone()),
            Source::Field(_) | Source::Elsewhere => None,
        }
    }

    fn place(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

impl Source {
    fn value(&self, metadata: &Value) -> Option<String> {
        match self {
            Self::Literal(value) => Some(value.clone()),
            Self::Field(field) if field == "metadata.namespace" => {
                metadata["namespace"].as_str().map(str::to_owned)
            }
            _ => None,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Absent => "is not set".to_owned(),
            Self::Field(field) => format!("is {field} of the pod"),
            Self::Literal(value) => format!("is {value:?} in every pod"),
            Self::Elsewhere => "is the same in every pod".to_owned(),
        }
    }
}

/// The gateway's own container: the one of that name, otherwise the first. Others, such as a mesh's, have variables of
/// the same names for themselves.
fn container(spec: &Value) -> Option<&Value> {
    let containers = spec["containers"].as_array()?;
    let named = containers.iter().find(|container| {
        container["name"]
            .as_str()
            .is_some_and(|name| name.starts_with("gateway"))
    });
    named.or(containers.first())
}

fn variable(container: &Value, name: &str) -> Source {
    let mut variables = container["env"].as_array().into_iter().flatten().rev();
    // Of two with one name the last counts.
    let Some(variable) = variables.find(|variable| variable["name"] == name) else {
        return Source::Absent;
    };
    let from = &variable["valueFrom"];
    match (
        from["fieldRef"]["fieldPath"].as_str(),
        variable["value"].as_str(),
    ) {
        (Some(field), _) => Source::Field(field.to_owned()),
        (None, Some(value)) if !value.is_empty() => Source::Literal(value.to_owned()),
        _ if from.is_object() => Source::Elsewhere,
        _ => Source::Absent,
    }
}

/// What made the pod: a ReplicaSet's name is its Deployment's and a hash.
fn owner(metadata: &Value) -> Option<String> {
    let owners = metadata["ownerReferences"].as_array()?;
    let owner = owners.iter().find(|owner| owner["controller"] == true)?;
    let (kind, name) = (owner["kind"].as_str()?, owner["name"].as_str()?);
    Some(match kind {
        "ReplicaSet" => {
            let deployment = metadata["labels"]["pod-template-hash"]
                .as_str()
                .and_then(|hash| name.strip_suffix(hash)?.strip_suffix('-'));
            deployment.map_or_else(
                || format!("replicaset/{name}"),
                |name| format!("deployment/{name}"),
            )
        }
        kind => format!("{}/{name}", kind.to_lowercase()),
    })
}

/// What is said of the pods: that there are some, their identities, their namespaces, and that they are ready.
/// Leases were looked for in `lock`, and requests in `controller`.
pub(crate) fn checks(
    read: &Read<Vec<Gateway>>,
    searched: Searched<'_>,
    lock: &str,
    controller: &str,
) -> Vec<Check> {
    let gateways = match read {
        Ok(gateways) => gateways,
        Err(trouble) => return vec![Check::skipped(Subject::Gateway, "gateway-pods", trouble)],
    };
    if gateways.is_empty() {
        let message = format!(
            "no gateway runs: there are no {}; --gateway-selector and --gateway-namespace look elsewhere",
            searched.words()
        );
        return vec![
            Check::new(Subject::Gateway, "gateway-pods", Outcome::Warning, message)
                .with(json!({"pods": [], "selector": searched.selector, "namespace": searched.namespace}))
                .step(Step::Kubectl("get pods -A --show-labels".to_owned())),
        ];
    }
    vec![
        ready(gateways, searched),
        identity(gateways),
        namespaces(gateways, lock, controller),
    ]
}

fn ready(gateways: &[Gateway], searched: Searched<'_>) -> Check {
    let check = |outcome, message| Check::new(Subject::Gateway, "gateway-pods", outcome, message);
    let pods: Vec<_> = gateways
        .iter()
        .map(|gateway| json!({"namespace": gateway.namespace, "name": gateway.name, "ready": gateway.is_ready, "phase": gateway.phase}))
        .collect();
    let evidence =
        json!({"pods": pods, "selector": searched.selector, "namespace": searched.namespace});
    let not_ready: Vec<String> = gateways
        .iter()
        .filter(|gateway| !gateway.is_ready)
        .map(|gateway| format!("{} ({})", gateway.place(), gateway.phase))
        .collect();
    let Some(first) = gateways.iter().find(|gateway| !gateway.is_ready) else {
        let message = format!("{} ready", several(gateways.len(), "pod"));
        return check(Outcome::Ok, message).with(evidence);
    };
    let message = format!(
        "{} of {} not ready: {}",
        not_ready.len(),
        several(gateways.len(), "pod"),
        some(&not_ready, SHOWN)
    );
    check(Outcome::Warning, message)
        .with(evidence)
        .step(Step::Kubectl(searched.command()))
        .step(Step::Kubectl(format!(
            "describe pod {} -n {}",
            first.name, first.namespace
        )))
}

/// Without a name of its own a pod takes no leases, and with another's it takes the other's for its own.
fn identity(gateways: &[Gateway]) -> Check {
    let check =
        |outcome, message| Check::new(Subject::Gateway, "gateway-identity", outcome, message);
    let is_wrong = |gateway: &&Gateway| {
        gateway.pod_name != Source::Field("metadata.name".to_owned())
            || gateway.pod_namespace != Source::Field("metadata.namespace".to_owned())
    };
    let wrong: Vec<&Gateway> = gateways.iter().filter(is_wrong).collect();
    let Some(first) = wrong.first() else {
        let message =
            "POD_NAME and POD_NAMESPACE of every pod come from the downward API".to_owned();
        return check(Outcome::Ok, message);
    };
    let evidence: Vec<_> = wrong
        .iter()
        .map(|gateway| {
            json!({"pod": gateway.place(), "container": gateway.container, "podName": gateway.pod_name.words(), "podNamespace": gateway.pod_namespace.words()})
        })
        .collect();
    let no_name: Vec<&&Gateway> = wrong
        .iter()
        .filter(|gateway| gateway.pod_name == Source::Absent)
        .collect();
    let shared: Vec<&&Gateway> = wrong
        .iter()
        .filter(|gateway| matches!(gateway.pod_name, Source::Literal(_) | Source::Elsewhere))
        .collect();
    let places = |pods: &[&&Gateway]| {
        some(
            &pods.iter().map(|pod| pod.place()).collect::<Vec<_>>(),
            SHOWN,
        )
    };
    let message = if !no_name.is_empty() {
        format!(
            "POD_NAME is not set in {}: the lock is silently off there, and each pod makes requests of its own",
            places(&no_name)
        )
    } else if !shared.is_empty() {
        format!(
            "POD_NAME is the same in every pod of {}: each takes the others' leases for its own",
            places(&shared)
        )
    } else {
        format!(
            "POD_NAME {} and POD_NAMESPACE {} in {}: both should come from the downward API",
            first.pod_name.words(),
            first.pod_namespace.words(),
            places(&wrong.iter().collect::<Vec<_>>())
        )
    };
    // A namespace that is written out is as good as the downward API's while all agree, which is looked at beside.
    let is_off = |gateway: &&&Gateway| {
        gateway.pod_name != Source::Field("metadata.name".to_owned())
            || gateway.pod_namespace == Source::Absent
    };
    let outcome = if gateways.len() > 1 && wrong.iter().any(|gateway| is_off(&gateway)) {
        Outcome::Failure
    } else {
        Outcome::Warning
    };
    check(outcome, message)
        .with(json!({"pods": evidence}))
        .step(downward(first))
}

fn downward(gateway: &Gateway) -> Step {
    let env = |name: &str, field: &str| json!({"name": name, "valueFrom": {"fieldRef": {"fieldPath": field}}, "value": null});
    let patch = json!({"spec": {"template": {"spec": {"containers": [{
        "name": gateway.container,
        "env": [env("POD_NAME", "metadata.name"), env("POD_NAMESPACE", "metadata.namespace")],
    }]}}}});
    match &gateway.owner {
        Some(owner) => Step::Kubectl(format!(
            "patch {owner} -n {} --type=strategic -p '{patch}'",
            gateway.namespace
        )),
        None => Step::Says(format!(
            "nothing makes {} anew: delete it and create it with this in the env of its container {}: {}",
            gateway.place(),
            gateway.container,
            json!([
                {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "POD_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
            ])
        )),
    }
}

/// Gateways in two lock namespaces do not see each other's leases.
fn namespaces(gateways: &[Gateway], lock: &str, controller: &str) -> Check {
    let check =
        |outcome, message| Check::new(Subject::Gateway, "gateway-lock-namespace", outcome, message);
    let mut pods: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut unknown = Vec::new();
    for gateway in gateways {
        match gateway.lock_namespace() {
            Some(namespace) => pods.entry(namespace).or_default().push(gateway.place()),
            None => unknown.push(gateway.place()),
        }
    }
    let controllers: BTreeSet<&str> = gateways
        .iter()
        .map(|gateway| gateway.controller_namespace.as_str())
        .collect();
    let evidence =
        json!({"lockNamespaces": pods, "unknown": unknown, "controllerNamespaces": controllers});
    let names: Vec<&String> = pods.keys().collect();
    match names.as_slice() {
        [] => {
            let message = format!(
                "it is not in the pods where they lock: {}",
                some(&unknown, SHOWN)
            );
            check(Outcome::Skipped, message).with(evidence)
        }
        [only] if only.as_str() == lock => match controllers
            .iter()
            .find(|namespace| **namespace != controller)
        {
            None => {
                let message =
                    format!("every gateway locks in {lock} and makes requests in {controller}");
                check(Outcome::Ok, message).with(evidence)
            }
            Some(other) => {
                let message = format!(
                    "gateways make requests in {other}, and requests were looked for in {controller}"
                );
                let command = format!("doctor -n {lock} --controller-namespace {other}");
                check(Outcome::Warning, message)
                    .with(evidence)
                    .step(Step::Gwlock(command))
            }
        },
        [only] => {
            let message =
                format!("the gateways lock in {only}, and leases were looked for in {lock}");
            check(Outcome::Warning, message)
                .with(evidence)
                .step(Step::Gwlock(format!("doctor -n {only}")))
        }
        [first, ..] => {
            let said: Vec<String> = pods
                .iter()
                .map(|(namespace, pods)| format!("{} in {namespace}", some(pods, SHOWN)))
                .collect();
            let message = format!(
                "gateways lock in different namespaces and do not exclude each other: {}",
                said.join("; ")
            );
            let steps = gateways
                .iter()
                .filter(|gateway| {
                    gateway
                        .lock_namespace()
                        .is_some_and(|namespace| namespace != **first)
                })
                .filter_map(|gateway| {
                    let owner = gateway.owner.as_ref()?;
                    Some(format!(
                        "set env {owner} -n {} POD_NAMESPACE={first}",
                        gateway.namespace
                    ))
                })
                .collect::<BTreeSet<String>>();
            let check = check(Outcome::Failure, message).with(evidence);
            if steps.is_empty() {
                return check.step(Step::Says(format!(
                    "give them all the same POD_NAMESPACE, such as {first}"
                )));
            }
            check.steps(steps.into_iter().map(Step::Kubectl))
        }
    }
}

#[cfg(test)]
mod tests;
