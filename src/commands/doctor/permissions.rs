//! What gwlock and a gateway ask of an API server, and how an API server is asked whether they may.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::ask::Asker;
use crate::doctor::check::{Read, Step};
use crate::doctor::rights::{Asked, Namespaces, Who, roles};
use crate::rbac::profiles::{self, GatewayVersion};
use crate::rbac::requirement::{Need, Requirement, Scope};

const LEASES: (&str, &str) = ("coordination.k8s.io", "leases");
const REQUESTS: (&str, &str) = ("kubernaut.ai", "remediationrequests");
const RBAC: &str = "rbac.authorization.k8s.io";
const REVIEWS: &str = "authorization.k8s.io";

/// Several verbs on one resource.
fn on(
    (group, resource): (&'static str, &'static str),
    verbs: &[&'static str],
    scope: &Scope,
    need: Need,
    why: &'static str,
) -> Vec<Requirement> {
    let (resource, subresource) = match resource.split_once('/') {
        Some((resource, subresource)) => (resource, Some(subresource.into())),
        None => (resource, None),
    };
    let of = |verb: &&'static str| Requirement {
        group: group.into(),
        resource: resource.into(),
        subresource: subresource.clone(),
        verb: (*verb).into(),
        name: None,
        scope: scope.clone(),
        need,
        why: why.into(),
    };
    verbs.iter().map(of).collect()
}

/// Without these gwlock shows nothing.
pub(super) fn look() -> Vec<Requirement> {
    let (locks, requests) = (Scope::LockNamespace, Scope::ControllerNamespace);
    [
        on(
            LEASES,
            &["get", "list"],
            &locks,
            Need::Needed,
            "show who holds what",
        ),
        on(
            LEASES,
            &["watch"],
            &locks,
            Need::Optional,
            "wait without polling",
        ),
        on(
            REQUESTS,
            &["get", "list"],
            &requests,
            Need::Optional,
            "show what signals led to",
        ),
        on(
            ("", "pods"),
            &["get", "list"],
            &locks,
            Need::Optional,
            "tell whether a holder's pod lives",
        ),
        on(
            ("", "nodes"),
            &["get", "list"],
            &Scope::Cluster,
            Need::Optional,
            "tell whether a holder's node is ready",
        ),
    ]
    .concat()
}

/// Without these gwlock repairs nothing.
pub(super) fn act() -> Vec<Requirement> {
    let locks = Scope::LockNamespace;
    [
        on(
            LEASES,
            &["create", "update", "delete"],
            &locks,
            Need::Optional,
            "acquire, release and remove leases",
        ),
        on(
            ("events.k8s.io", "events"),
            &["create"],
            &locks,
            Need::Optional,
            "tell of a removal",
        ),
    ]
    .concat()
}

/// What a gateway uses for its lock, its requests, the objects that alerts are about, and who sends to it: its profile.
pub(super) fn gateway() -> Vec<Requirement> {
    profiles::gateway(GatewayVersion::Current)
        .profile
        .requirements
}

/// What a lock does not need: the leases of nodes are in another namespace.
pub(super) fn beyond() -> Requirement {
    let node_leases = Scope::Namespace("kube-node-lease".into());
    on(LEASES, &["update"], &node_leases, Need::Optional, "nothing").remove(0)
}

/// What doctor itself needs for the checks that are skipped without it.
pub(super) fn reviews() -> Vec<Requirement> {
    on(
        (REVIEWS, "subjectaccessreviews"),
        &["create"],
        &Scope::Cluster,
        Need::Optional,
        "ask what gateways may do",
    )
}

/// The same.
pub(super) fn rbac() -> Vec<Requirement> {
    let (locks, cluster) = (Scope::LockNamespace, Scope::Cluster);
    let list = |resource, scope: &Scope| {
        on(
            (RBAC, resource),
            &["list"],
            scope,
            Need::Optional,
            "see who may create leases",
        )
    };
    [
        list("roles", &locks),
        list("rolebindings", &locks),
        list("clusterroles", &cluster),
        list("clusterrolebindings", &cluster),
    ]
    .concat()
}

/// The same.
pub(super) fn definition() -> Vec<Requirement> {
    let resource = ("apiextensions.k8s.io", "customresourcedefinitions");
    on(
        resource,
        &["get"],
        &Scope::Cluster,
        Need::Optional,
        "look at the definition of requests",
    )
}

/// The same.
pub(super) fn pods() -> Vec<Requirement> {
    on(
        ("", "pods"),
        &["list"],
        &Scope::Cluster,
        Need::Optional,
        "find gateways",
    )
}

/// The same.
pub(super) fn namespaces() -> Vec<Requirement> {
    on(
        ("", "namespaces"),
        &["get"],
        &Scope::Cluster,
        Need::Optional,
        "look at the namespace of the leases",
    )
}

/// The roles that let somebody make a check that was skipped.
pub(super) fn grant(
    role: &str,
    who: &Who,
    requirements: &[Requirement],
    namespaces: Namespaces<'_>,
) -> Step {
    let all: Vec<&Requirement> = requirements.iter().collect();
    Step::Apply(roles(role, who, &all, namespaces))
}

/// Asks whether the user of this command may do all of this.
pub(super) async fn ask_own(
    asker: &Asker,
    requirements: Vec<Requirement>,
    namespaces: Namespaces<'_>,
) -> Vec<Asked> {
    ask_all(
        asker,
        "selfsubjectaccessreviews",
        None,
        requirements,
        namespaces,
    )
    .await
}

/// Asks whether a service account may do all of this.
pub(super) async fn ask_of(
    asker: &Asker,
    who: &Who,
    requirements: Vec<Requirement>,
    namespaces: Namespaces<'_>,
) -> Vec<Asked> {
    ask_all(
        asker,
        "subjectaccessreviews",
        Some(who),
        requirements,
        namespaces,
    )
    .await
}

async fn ask_all(
    asker: &Asker,
    reviews: &str,
    who: Option<&Who>,
    requirements: Vec<Requirement>,
    namespaces: Namespaces<'_>,
) -> Vec<Asked> {
    let path = format!("/apis/{REVIEWS}/v1/{reviews}");
    let questions = requirements.into_iter().map(|requirement| {
        let body = review(&requirement, who, namespaces);
        let path = &path;
        async move {
            let answer = asker.post(path, &body).await;
            Asked {
                granted: allowed(answer),
                requirement,
            }
        }
    });
    join_all(questions).await
}

fn allowed(answer: Read<Value>) -> Read<bool> {
    answer.map(|answer| answer["status"]["allowed"] == true)
}

fn review(requirement: &Requirement, who: Option<&Who>, namespaces: Namespaces<'_>) -> Value {
    let attributes = json!({
        "group": requirement.group, "resource": requirement.resource, "verb": requirement.verb,
        "subresource": requirement.subresource, "name": requirement.name,
        "namespace": namespaces.of(&requirement.scope),
    });
    let mut spec = json!({"resourceAttributes": attributes});
    if let Some(who) = who {
        spec["user"] = json!(who.username());
        if let Who::ServiceAccount { namespace, .. } = who {
            spec["groups"] = json!([
                "system:serviceaccounts",
                format!("system:serviceaccounts:{namespace}"),
                "system:authenticated",
            ]);
        }
    }
    let kind = if who.is_some() {
        "SubjectAccessReview"
    } else {
        "SelfSubjectAccessReview"
    };
    json!({"apiVersion": format!("{REVIEWS}/v1"), "kind": kind, "spec": spec})
}
