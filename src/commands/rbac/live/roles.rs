//! The roles and bindings of a cluster, read as far as that is allowed.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Answer;
use crate::context::Cluster;
use crate::gateway::objects::{LookupError, ask};

const GROUP: &str = "/apis/rbac.authorization.k8s.io/v1";
/// Objects of one answer.
const PAGE: usize = 500;

/// What was read of a cluster.
#[derive(Debug, Default)]
pub(super) struct Roles {
    /// Roles, ClusterRoles and their bindings, each with its kind.
    pub(super) objects: Vec<Value>,
    /// What could not be read, and why.
    pub(super) unread: Vec<Unread>,
}

/// A list that was not to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unread {
    /// The resource, in the plural.
    pub(super) resource: &'static str,
    /// `None` for the whole cluster.
    pub(super) namespace: Option<String>,
    pub(super) why: String,
}

/// Reads them everywhere; roles and bindings that may not be read everywhere, where something is asked.
pub(super) async fn read(cluster: &Cluster, answers: &[Answer<'_>]) -> Roles {
    let namespaces: BTreeSet<&str> = answers
        .iter()
        .filter_map(|answer| answer.namespace.as_deref())
        .collect();
    let mut roles = Roles::default();
    for (resource, kind) in [
        ("clusterroles", "ClusterRole"),
        ("clusterrolebindings", "ClusterRoleBinding"),
        ("roles", "Role"),
        ("rolebindings", "RoleBinding"),
    ] {
        let why = match list(cluster, &format!("{GROUP}/{resource}"), kind).await {
            Ok(objects) => {
                roles.objects.extend(objects);
                continue;
            }
            Err(error) => error,
        };
        let is_forbidden = matches!(why, LookupError::Refused { code: 403, .. });
        if !is_forbidden || kind.starts_with("Cluster") {
            roles.leave(resource, None, &why);
            continue;
        }
        for namespace in &namespaces {
            let path = format!("{GROUP}/namespaces/{namespace}/{resource}");
            match list(cluster, &path, kind).await {
                Ok(objects) => roles.objects.extend(objects),
                Err(error) => roles.leave(resource, Some(namespace), &error),
            }
        }
    }
    roles
}

impl Roles {
    /// What was read cannot be understood.
    pub(super) fn misread(&mut self, why: String) {
        self.unread.push(Unread {
            resource: "roles",
            namespace: None,
            why,
        });
    }

    fn leave(&mut self, resource: &'static str, namespace: Option<&str>, why: &LookupError) {
        let why = match why {
            LookupError::Refused { message, .. } | LookupError::Unavailable { message } => message,
        };
        self.unread.push(Unread {
            resource,
            namespace: namespace.map(str::to_owned),
            why: why.clone(),
        });
    }
}

/// All objects of a collection, page by page, with their kind, which a list leaves out.
async fn list(cluster: &Cluster, path: &str, kind: &str) -> Result<Vec<Value>, LookupError> {
    let mut objects = Vec::new();
    let mut next = String::new();
    loop {
        let uri = format!("{path}?limit={PAGE}{next}");
        let mut page: Value = ask(|| async {
            let request = http::Request::get(&uri).body(Vec::new());
            let request = request.map_err(kube::Error::HttpError)?;
            cluster.client.request(request).await
        })
        .await?;
        if let Value::Array(items) = page["items"].take() {
            objects.extend(items.into_iter().map(|mut object| {
                object["kind"] = kind.into();
                object["apiVersion"] = "rbac.authorization.k8s.io/v1".into();
                object
            }));
        }
        match page["metadata"]["continue"].as_str() {
            Some(token) if !token.is_empty() => {
                next = format!("&continue={}", gwlock_engine::client::list::encode(token));
            }
            _ => return Ok(objects),
        }
    }
}
