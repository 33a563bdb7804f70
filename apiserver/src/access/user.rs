//! Users as authenticators know them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

pub(super) const MASTERS: &str = "system:masters";
pub(super) const AUTHENTICATED: &str = "system:authenticated";
pub(super) const UNAUTHENTICATED: &str = "system:unauthenticated";
pub(super) const ANONYMOUS: &str = "system:anonymous";
const SERVICE_ACCOUNT: &str = "system:serviceaccount:";
const NODE: &str = "system:node:";

/// An authenticated user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserInfo {
    /// User name.
    pub username: String,
    /// Identifies the user better than the name does; may be empty.
    pub uid: String,
    /// Groups, in the order in which they were given.
    pub groups: Vec<String>,
    /// What else the authenticator knows.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl UserInfo {
    /// A user with these groups. `system:authenticated` is added when he authenticates.
    #[must_use]
    pub fn new(username: &str, groups: &[&str]) -> Self {
        Self {
            username: username.to_owned(),
            groups: groups.iter().copied().map(str::to_owned).collect(),
            ..Self::default()
        }
    }

    /// The user of requests without credentials.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::new(ANONYMOUS, &[UNAUTHENTICATED])
    }

    /// The user that pods with this service account are.
    #[must_use]
    pub fn service_account(namespace: &str, name: &str) -> Self {
        Self {
            groups: service_account_groups(namespace),
            ..Self::new(&format!("{SERVICE_ACCOUNT}{namespace}:{name}"), &[])
        }
    }

    /// Whether the user is a member of the group.
    #[must_use]
    pub fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|member| member == group)
    }

    /// Adds the group that everybody who has authenticated belongs to.
    #[must_use]
    pub(super) fn authenticated(mut self) -> Self {
        if self.username == ANONYMOUS {
            if !self.is_in(UNAUTHENTICATED) {
                self.groups.push(UNAUTHENTICATED.to_owned());
            }
        } else if !self.is_in(AUTHENTICATED) && !self.is_in(UNAUTHENTICATED) {
            self.groups.push(AUTHENTICATED.to_owned());
        }
        self
    }

    /// The `authentication.k8s.io/v1` form, empty fields left out.
    pub(super) fn to_value(&self) -> Value {
        let mut user = Map::new();
        if !self.username.is_empty() {
            user.insert("username".to_owned(), json!(self.username));
        }
        if !self.uid.is_empty() {
            user.insert("uid".to_owned(), json!(self.uid));
        }
        if !self.groups.is_empty() {
            user.insert("groups".to_owned(), json!(self.groups));
        }
        if !self.extra.is_empty() {
            user.insert("extra".to_owned(), json!(self.extra));
        }
        Value::Object(user)
    }
}

pub(super) fn service_account_groups(namespace: &str) -> Vec<String> {
    vec![
        "system:serviceaccounts".to_owned(),
        format!("system:serviceaccounts:{namespace}"),
    ]
}

/// Namespace and name, if this is the user name of a service account.
pub(super) fn split_service_account(username: &str) -> Option<(&str, &str)> {
    let (namespace, name) = username.strip_prefix(SERVICE_ACCOUNT)?.split_once(':')?;
    let valid = !name.contains(':')
        && crate::validate::is_dns_label(namespace)
        && crate::validate::is_dns_subdomain(name);
    valid.then_some((namespace, name))
}

/// The node's name, if this is the user name of a kubelet.
pub(super) fn split_node(username: &str) -> Option<&str> {
    username
        .strip_prefix(NODE)
        .filter(|name| crate::validate::is_dns_subdomain(name))
}

/// Whether the user name is that of this service account.
pub(super) fn is_service_account(username: &str, namespace: &str, name: &str) -> bool {
    username
        .strip_prefix(SERVICE_ACCOUNT)
        .and_then(|rest| rest.split_once(':'))
        == Some((namespace, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_account_has_the_groups_of_its_namespace() {
        let user = UserInfo::service_account("a", "b");
        assert_eq!(user.username, "system:serviceaccount:a:b");
        assert_eq!(
            user.groups,
            ["system:serviceaccounts", "system:serviceaccounts:a"]
        );
        assert_eq!(split_service_account(&user.username), Some(("a", "b")));
        assert!(
            is_service_account(&user.username, "a", "b")
                && !is_service_account(&user.username, "b", "a")
        );
        for other in [
            "system:serviceaccount:a",
            "system:serviceaccount:A:b",
            "alice",
            "system:serviceaccount:a:b:c",
        ] {
            assert_eq!(split_service_account(other), None, "{other}");
        }
    }

    #[test]
    fn everybody_is_either_authenticated_or_not() {
        assert_eq!(
            UserInfo::new("u", &["g"]).authenticated().groups,
            ["g", AUTHENTICATED]
        );
        assert_eq!(
            UserInfo::new("u", &[AUTHENTICATED]).authenticated().groups,
            [AUTHENTICATED]
        );
        assert_eq!(
            UserInfo::anonymous().authenticated().groups,
            [UNAUTHENTICATED]
        );
    }
}
