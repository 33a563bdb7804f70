//! Everything that is read of a cluster, as many things at a time as do not wait for each other. Nothing is judged here.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use gwlock_engine::client::list::{self, Listing, encode};
use gwlock_engine::remediation::list::{self as requests, Selection};
use gwlock_engine::remediation::request::FINGERPRINT_FIELD;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::join;

use super::ask::Asker;
use super::permissions;
use crate::doctor::check::{Read, Trouble};
use crate::doctor::creators::Rbac;
use crate::doctor::definition;
use crate::doctor::gateways::Gateway;
use crate::doctor::rights::{Asked, Namespaces, Who};
use crate::gateway::dedup::{Group, Listed, group};

/// Where to look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) lock: &'a str,
    pub(super) controller: &'a str,
    /// Of the gateways' pods.
    pub(super) selector: &'a str,
    /// Of the gateways' pods; `None` looks in all.
    pub(super) gateways: Option<&'a str>,
}

/// What the server said first.
pub(super) struct FirstAnswer {
    pub(super) version: Read<Value>,
    pub(super) latency: Duration,
}

/// What was read.
pub(super) struct Facts {
    pub(super) lease_api: Read<Value>,
    pub(super) namespace: Read<Value>,
    pub(super) definition: Read<Value>,
    pub(super) selectable: Read<()>,
    pub(super) leases: Read<Listing>,
    pub(super) requests: Read<Vec<Group>>,
    /// The server's time when the requests were listed.
    pub(super) date: Option<Timestamp>,
    pub(super) pods: Read<Vec<Value>>,
    /// Where pods were looked for in the end.
    pub(super) pods_in: Option<String>,
    pub(super) who: Who,
    pub(super) look: Vec<Asked>,
    pub(super) act: Vec<Asked>,
    pub(super) rbac: Read<Rbac>,
    pub(super) accounts: Vec<Account>,
}

/// What a gateway's service account may do.
pub(super) struct Account {
    pub(super) who: Who,
    pub(super) lock: String,
    pub(super) controller: String,
    pub(super) asked: Vec<Asked>,
    /// Whether it may write the leases of nodes.
    pub(super) beyond: Vec<Asked>,
}

/// The smallest question, alone, so that its time is the server's.
pub(super) async fn first_answer(asker: &Asker) -> FirstAnswer {
    let began = Instant::now();
    let version = asker.get("/version").await;
    FirstAnswer {
        version,
        latency: began.elapsed(),
    }
}

impl Facts {
    pub(super) async fn read(asker: &Asker, place: Place<'_>) -> Self {
        let own = Namespaces {
            lock: place.lock,
            controller: place.controller,
        };
        let namespace = format!("/api/v1/namespaces/{}", place.lock);
        let definition = format!(
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{}",
            definition::NAME
        );
        let (
            lease_api,
            namespace,
            definition,
            selectable,
            (leases, (requests, date)),
            (pods, accounts),
            who,
            look,
            act,
            rbac,
        ) = join!(
            asker.get("/apis/coordination.k8s.io/v1"),
            asker.get(&namespace),
            asker.get(&definition),
            selectable(asker, place.controller),
            leases_and_requests(asker, place),
            pods_and_accounts(asker, place),
            who(asker),
            permissions::ask_own(asker, permissions::look(), own),
            permissions::ask_own(asker, permissions::act(), own),
            rbac(asker, place.lock),
        );
        let (pods, pods_in) = pods;
        Self {
            lease_api,
            namespace,
            definition,
            selectable,
            leases,
            requests,
            date,
            pods,
            pods_in,
            who,
            look,
            act,
            rbac,
            accounts,
        }
    }

    /// The pods that run a gateway.
    pub(super) fn gateways(&self) -> Read<Vec<Gateway>> {
        let pods = self.pods.as_ref().map_err(Trouble::clone)?;
        Ok(pods.iter().filter_map(Gateway::read).collect())
    }
}

/// Leases first: what their holders had created by then is among the requests.
async fn leases_and_requests(
    asker: &Asker,
    place: Place<'_>,
) -> (Read<Listing>, (Read<Vec<Group>>, Option<Timestamp>)) {
    let leases = asker
        .in_turn(list::list(
            asker.client(),
            Some(place.lock),
            None,
            asker.timeout(),
            |_| true,
        ))
        .await
        .map_err(|error| match error {
            list::ListError::Refused(refusal) => Trouble::of(refusal.code, refusal.message),
            list::ListError::Unreachable(message) => Trouble::NoAnswer(message),
        });
    let leases = asker.note(&list::collection_path(Some(place.lock)), leases);
    let selection = Selection {
        namespace: Some(place.controller),
        ..Selection::default()
    };
    let listing = asker
        .in_turn(requests::list(
            asker.client(),
            selection,
            asker.timeout(),
            Listed::read,
        ))
        .await;
    let listing = asker.note(
        &requests_path(place.controller),
        listing.map_err(|error| trouble(&error)),
    );
    match listing {
        Ok(listing) => (leases, (Ok(group(listing.items)), listing.date)),
        Err(trouble) => (leases, (Err(trouble), None)),
    }
}

/// The path of the requests of a namespace.
pub(super) fn requests_path(namespace: &str) -> String {
    format!("/apis/kubernaut.ai/v1alpha1/namespaces/{namespace}/remediationrequests")
}

async fn selectable(asker: &Asker, namespace: &str) -> Read<()> {
    let asked = asker
        .in_turn(requests::check_selectable(
            asker.client(),
            Some(namespace),
            asker.timeout(),
        ))
        .await;
    let path = format!(
        "{}?fieldSelector={FINGERPRINT_FIELD}=…",
        requests_path(namespace)
    );
    asker.note(&path, asked.map_err(|error| trouble(&error)))
}

fn trouble(error: &requests::ListError) -> Trouble {
    match error {
        requests::ListError::Refused(refusal) => Trouble::of(refusal.code, refusal.message.clone()),
        requests::ListError::NotServed => Trouble::Refused {
            code: 404,
            message: error.to_string(),
        },
        requests::ListError::NotSelectable(message) => Trouble::Refused {
            code: 400,
            message: message.clone(),
        },
        requests::ListError::Unreachable(message) => Trouble::NoAnswer(message.clone()),
    }
}

/// The gateways' pods, and what their accounts may do.
async fn pods_and_accounts(
    asker: &Asker,
    place: Place<'_>,
) -> ((Read<Vec<Value>>, Option<String>), Vec<Account>) {
    let (pods, pods_in) = pods(asker, place).await;
    let gateways: Vec<Gateway> = pods.iter().flatten().filter_map(Gateway::read).collect();
    let mut accounts: Vec<(Who, String, String)> = Vec::new();
    for gateway in gateways {
        let lock = gateway
            .lock_namespace()
            .unwrap_or_else(|| place.lock.to_owned());
        let who = Who::ServiceAccount {
            namespace: gateway.namespace,
            name: gateway.service_account,
        };
        let account = (who, lock, gateway.controller_namespace);
        if !accounts.contains(&account) {
            accounts.push(account);
        }
    }
    let asked = accounts
        .into_iter()
        .map(|(who, lock, controller)| async move {
            let namespaces = Namespaces {
                lock: &lock,
                controller: &controller,
            };
            let (asked, beyond) = join!(
                permissions::ask_of(asker, &who, permissions::gateway(), namespaces),
                permissions::ask_of(asker, &who, vec![permissions::beyond()], namespaces),
            );
            Account {
                who,
                lock,
                controller,
                asked,
                beyond,
            }
        });
    let accounts = join_all(asked).await;
    ((pods, pods_in), accounts)
}

/// In all namespaces, or where that is not allowed in that of the leases.
async fn pods(asker: &Asker, place: Place<'_>) -> (Read<Vec<Value>>, Option<String>) {
    let query = format!("&labelSelector={}", encode(place.selector));
    if let Some(namespace) = place.gateways {
        let path = format!("/api/v1/namespaces/{namespace}/pods");
        return (asker.list(&path, &query).await, Some(namespace.to_owned()));
    }
    let is_own =
        |pod: &Value| pod["metadata"]["namespace"] == place.lock || Gateway::is_kubernauts(pod);
    match asker.list("/api/v1/pods", &query).await {
        Ok(pods) => (Ok(pods.into_iter().filter(is_own).collect()), None),
        Err(everywhere) if everywhere.is_forbidden() => {
            let path = format!("/api/v1/namespaces/{}/pods", place.lock);
            (asker.list(&path, &query).await, Some(place.lock.to_owned()))
        }
        Err(trouble) => (Err(trouble), None),
    }
}

/// Who the server takes this user for.
async fn who(asker: &Asker) -> Who {
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let answer = asker
        .post("/apis/authentication.k8s.io/v1/selfsubjectreviews", &review)
        .await;
    let name = answer.ok().and_then(|answer| {
        Some(
            answer["status"]["userInfo"]["username"]
                .as_str()?
                .to_owned(),
        )
    });
    Who::of(name.as_deref().unwrap_or("this user"))
}

async fn rbac(asker: &Asker, namespace: &str) -> Read<Rbac> {
    let group = "/apis/rbac.authorization.k8s.io/v1";
    let [roles, bindings, cluster_roles, cluster_bindings] = [
        format!("{group}/namespaces/{namespace}/roles"),
        format!("{group}/namespaces/{namespace}/rolebindings"),
        format!("{group}/clusterroles"),
        format!("{group}/clusterrolebindings"),
    ];
    let (roles, role_bindings, cluster_roles, cluster_role_bindings) = join!(
        asker.list(&roles, ""),
        asker.list(&bindings, ""),
        asker.list(&cluster_roles, ""),
        asker.list(&cluster_bindings, ""),
    );
    Ok(Rbac {
        roles: roles?,
        role_bindings: role_bindings?,
        cluster_roles: cluster_roles?,
        cluster_role_bindings: cluster_role_bindings?,
    })
}
