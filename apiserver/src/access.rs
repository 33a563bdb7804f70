//! Who asks, and whether they may: tokens, impersonation, RBAC, and the reviews that answer questions about them.

mod protobuf;
mod rbac;
mod review;

use std::collections::HashMap;

use http::{HeaderMap, header};
use serde_json::{Value, json};

use crate::request::Target;
use crate::server::Shared;
use crate::status::Status;

pub(crate) use review::{ReviewRequest, body as review_body, review};

/// The API group of roles and bindings.
pub(crate) const GROUP: &str = "rbac.authorization.k8s.io";

const MASTERS: &str = "system:masters";

/// A user, as authentication found it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserInfo {
    /// The name.
    pub username: String,
    /// The uid.
    pub uid: String,
    /// The groups.
    pub groups: Vec<String>,
}

impl UserInfo {
    /// A user with these groups, and `system:authenticated`.
    #[must_use]
    pub fn new(username: &str, groups: &[&str]) -> Self {
        let groups = groups
            .iter()
            .copied()
            .chain(["system:authenticated"])
            .map(str::to_owned)
            .collect();
        Self {
            username: username.to_owned(),
            uid: username.to_owned(),
            groups,
        }
    }

    fn anonymous() -> Self {
        Self {
            username: "system:anonymous".to_owned(),
            groups: vec!["system:unauthenticated".to_owned()],
            ..Self::default()
        }
    }

    fn service_account(namespace: &str, name: &str) -> Vec<String> {
        let _ = name;
        vec![
            "system:serviceaccounts".to_owned(),
            format!("system:serviceaccounts:{namespace}"),
            "system:authenticated".to_owned(),
        ]
    }
}

/// How users are known.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Authentication {
    /// Everybody is an administrator.
    Open,
    /// By bearer token; nobody without one.
    Tokens(HashMap<String, UserInfo>),
}

/// What somebody wants to do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Attributes {
    pub(crate) verb: String,
    pub(crate) group: String,
    pub(crate) resource: String,
    pub(crate) subresource: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// For paths that are no objects.
    pub(crate) path: Option<String>,
}

impl Attributes {
    pub(crate) fn of(verb: &str, target: &Target, selected: Option<&str>) -> Self {
        Self {
            verb: verb.to_owned(),
            group: target.resource.group.clone(),
            resource: target.resource.plural.clone(),
            subresource: target.subresource.clone().unwrap_or_default(),
            namespace: target.namespace.clone(),
            name: target
                .name
                .as_deref()
                .or(selected)
                .unwrap_or_default()
                .to_owned(),
            path: None,
        }
    }

    pub(crate) fn of_path(verb: &str, path: &str) -> Self {
        Self {
            verb: verb.to_owned(),
            path: Some(path.to_owned()),
            ..Self::default()
        }
    }
}

/// Finds out who sent a request.
pub(crate) fn authenticate(server: &Shared, headers: &HeaderMap) -> Result<UserInfo, Status> {
    let user = match &server.authentication {
        Authentication::Open => UserInfo::new("admin", &[MASTERS]),
        Authentication::Tokens(tokens) => match headers.get(header::AUTHORIZATION) {
            None => UserInfo::anonymous(),
            Some(value) => {
                let token = value
                    .to_str()
                    .ok()
                    .and_then(|text| text.strip_prefix("Bearer "))
                    .unwrap_or_default();
                tokens
                    .get(token)
                    .cloned()
                    .ok_or_else(Status::unauthorized)?
            }
        },
    };
    impersonate(server, user, headers)
}

fn impersonate(server: &Shared, user: UserInfo, headers: &HeaderMap) -> Result<UserInfo, Status> {
    let Some(name) = headers
        .get("impersonate-user")
        .and_then(|value| value.to_str().ok())
    else {
        return Ok(user);
    };
    let attributes = |resource: &str, name: &str| Attributes {
        verb: "impersonate".to_owned(),
        resource: resource.to_owned(),
        name: name.to_owned(),
        ..Attributes::default()
    };
    let account = name
        .strip_prefix("system:serviceaccount:")
        .and_then(|rest| rest.split_once(':'));
    match account {
        Some((namespace, account)) => {
            let asked = Attributes {
                namespace: namespace.to_owned(),
                ..attributes("serviceaccounts", account)
            };
            require(server, &user, &asked)?;
        }
        None => require(server, &user, &attributes("users", name))?,
    }
    let mut groups = Vec::new();
    for group in headers
        .get_all("impersonate-group")
        .iter()
        .filter_map(|value| value.to_str().ok())
    {
        require(server, &user, &attributes("groups", group))?;
        groups.push(group.to_owned());
    }
    if groups.is_empty() {
        groups = account.map_or_else(
            || vec!["system:authenticated".to_owned()],
            |(ns, account)| UserInfo::service_account(ns, account),
        );
    } else {
        groups.push("system:authenticated".to_owned());
    }
    let uid = headers
        .get("impersonate-uid")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    Ok(UserInfo {
        username: name.to_owned(),
        uid: uid.to_owned(),
        groups,
    })
}

/// Lets through what RBAC allows.
pub(crate) fn require(
    server: &Shared,
    user: &UserInfo,
    attributes: &Attributes,
) -> Result<(), Status> {
    if user.groups.iter().any(|group| group == MASTERS)
        || rbac::decide(server, user, attributes).is_some()
    {
        return Ok(());
    }
    Err(Status::forbidden(
        denial(user, attributes),
        &attributes.name,
        &attributes.group,
        &attributes.resource,
    ))
}

/// Why something is allowed; `None` when it is not.
pub(crate) fn decide(server: &Shared, user: &UserInfo, attributes: &Attributes) -> Option<String> {
    if user.groups.iter().any(|group| group == MASTERS) {
        return Some(String::new());
    }
    rbac::decide(server, user, attributes)
}

fn denial(user: &UserInfo, asked: &Attributes) -> String {
    let who = &user.username;
    if let Some(path) = &asked.path {
        return format!(
            "forbidden: User \"{who}\" cannot {} path \"{path}\"",
            asked.verb
        );
    }
    let resource = if asked.subresource.is_empty() {
        asked.resource.clone()
    } else {
        format!("{}/{}", asked.resource, asked.subresource)
    };
    let qualified = if asked.group.is_empty() {
        asked.resource.clone()
    } else {
        format!("{}.{}", asked.resource, asked.group)
    };
    let subject = if asked.name.is_empty() {
        qualified
    } else {
        format!("{qualified} \"{}\"", asked.name)
    };
    let scope = if asked.namespace.is_empty() {
        "at the cluster scope".to_owned()
    } else {
        format!("in the namespace \"{}\"", asked.namespace)
    };
    format!(
        "{subject} is forbidden: User \"{who}\" cannot {} resource \"{resource}\" in API group \"{}\" {scope}",
        asked.verb, asked.group
    )
}

/// Namespaces and roles that every cluster has, by plural.
pub(crate) fn bootstrap() -> Vec<(&'static str, Vec<Value>)> {
    let namespace = |name: &str| {
        json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
            "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}
        })
    };
    let role = |name: &str, rules: Value| {
        json!({
            "apiVersion": format!("{GROUP}/v1"), "kind": "ClusterRole",
            "metadata": {"name": name, "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}}, "rules": rules
        })
    };
    let binding = |name: &str, groups: &[&str]| {
        let subjects: Vec<Value> = groups
            .iter()
            .map(|group| json!({"kind": "Group", "name": group, "apiGroup": GROUP}))
            .collect();
        json!({
            "apiVersion": format!("{GROUP}/v1"), "kind": "ClusterRoleBinding",
            "metadata": {"name": name, "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}},
            "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": name}, "subjects": subjects
        })
    };
    let everything = json!([
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
        {"nonResourceURLs": ["*"], "verbs": ["*"]}
    ]);
    let reviews = json!([
        {"apiGroups": ["authorization.k8s.io"], "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], "verbs": ["create"]},
        {"apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"], "verbs": ["create"]}
    ]);
    let documents = json!([{
        "nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version", "/version/"],
        "verbs": ["get"]
    }]);
    let public = json!([{"nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"], "verbs": ["get"]}]);
    vec![
        (
            "namespaces",
            ["default", "kube-node-lease", "kube-public", "kube-system"]
                .map(namespace)
                .to_vec(),
        ),
        (
            "clusterroles",
            vec![
                role("cluster-admin", everything),
                role("system:basic-user", reviews),
                role("system:discovery", documents),
                role("system:public-info-viewer", public),
            ],
        ),
        (
            "clusterrolebindings",
            vec![
                binding("cluster-admin", &[MASTERS]),
                binding("system:basic-user", &["system:authenticated"]),
                binding("system:discovery", &["system:authenticated"]),
                binding(
                    "system:public-info-viewer",
                    &["system:authenticated", "system:unauthenticated"],
                ),
            ],
        ),
    ]
}
