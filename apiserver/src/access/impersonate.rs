//! Acting as somebody else: the `Impersonate-*` headers.
//!
//! A server of 1.36 first tries constrained impersonation (`impersonate:user-info` on the user and
//! `impersonate-on:user-info:VERB` on what the request does) and then the older `impersonate` verb;
//! if none is allowed, the refusal names what the first mode lacked.

use std::collections::BTreeMap;

use http::HeaderMap;

use super::{
    Attributes, Authorizer, Decision, RbacSource, UserInfo, forbidden_message,
    user::{MASTERS, UNAUTHENTICATED, service_account_groups, split_node, split_service_account},
};
use crate::golang::quote::quote;

const USER: &str = "impersonate-user";
const UID: &str = "impersonate-uid";
const GROUP: &str = "impersonate-group";
const EXTRA: &str = "impersonate-extra-";

/// Why a request cannot act as the user that its headers name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImpersonationError {
    /// The headers make no sense: 400 with this message.
    BadRequest(String),
    /// The user may not do that: 403.
    Forbidden {
        /// What he would have to be allowed.
        attributes: Box<Attributes>,
        /// The message of the status.
        message: String,
    },
}

/// The user that a request acts as, or `None` if its headers do not ask for another one.
///
/// `request` is what the request itself wants to do.
///
/// # Errors
/// Headers without a user name, and users whom the requestor may not act as.
pub fn impersonate(
    headers: &HeaderMap,
    source: &dyn RbacSource,
    requestor: &UserInfo,
    request: &Attributes,
) -> Result<Option<UserInfo>, ImpersonationError> {
    let Some(wanted) = wanted_user(headers)? else {
        return Ok(None);
    };
    let modes = [
        Mode::Node,
        Mode::ServiceAccount,
        Mode::UserInfo,
        Mode::Legacy,
    ];
    let mut first_error = None;
    for mode in modes.into_iter().filter(|mode| mode.applies_to(&wanted)) {
        match (Check {
            mode,
            source,
            requestor,
        })
        .run(&wanted, request)
        {
            Ok(user) => return Ok(Some(user)),
            Err(error) => {
                first_error.get_or_insert(error);
            }
        }
    }
    // The legacy mode applies to everybody, so there always is an error.
    Err(first_error.unwrap_or_else(|| {
        ImpersonationError::BadRequest("all impersonation modes failed".to_owned())
    }))
}

fn wanted_user(headers: &HeaderMap) -> Result<Option<UserInfo>, ImpersonationError> {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    let mut extra: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in headers {
        if let (Some(key), Ok(value)) = (name.as_str().strip_prefix(EXTRA), value.to_str()) {
            extra
                .entry(percent_decode(key))
                .or_default()
                .push(value.to_owned());
        }
    }
    let groups: Vec<String> = headers
        .get_all(GROUP)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .map(str::to_owned)
        .collect();
    let wanted = UserInfo {
        username: text(USER),
        uid: text(UID),
        groups,
        extra,
    };
    if !wanted.username.is_empty() {
        return Ok(Some(wanted));
    }
    if wanted.uid.is_empty() && wanted.groups.is_empty() && wanted.extra.is_empty() {
        return Ok(None);
    }
    Err(ImpersonationError::BadRequest(format!(
        "requested {} without impersonating a user name",
        go_syntax(&wanted)
    )))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Node,
    ServiceAccount,
    UserInfo,
    Legacy,
}

impl Mode {
    fn applies_to(self, wanted: &UserInfo) -> bool {
        let only_name =
            wanted.uid.is_empty() && wanted.groups.is_empty() && wanted.extra.is_empty();
        let node = split_node(&wanted.username).is_some();
        let service_account = split_service_account(&wanted.username).is_some();
        match self {
            Self::Node => only_name && node,
            Self::ServiceAccount => only_name && service_account,
            Self::UserInfo => !node && !service_account,
            Self::Legacy => true,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Node => "arbitrary-node",
            Self::ServiceAccount => "serviceaccount",
            Self::UserInfo => "user-info",
            Self::Legacy => "",
        }
    }

    fn verb(self) -> String {
        match self {
            Self::Legacy => "impersonate".to_owned(),
            _ => format!("impersonate:{}", self.name()),
        }
    }
}

/// One mode tried for one requestor.
struct Check<'a> {
    mode: Mode,
    source: &'a dyn RbacSource,
    requestor: &'a UserInfo,
}

impl Check<'_> {
    fn run(&self, wanted: &UserInfo, request: &Attributes) -> Result<UserInfo, ImpersonationError> {
        if self.mode != Mode::Legacy {
            let verb = format!("impersonate-on:{}:{}", self.mode.name(), request.verb);
            self.allow(Attributes {
                verb,
                ..request.clone()
            })?;
        }
        let mut user = wanted.clone();
        self.allow_name(wanted, &mut user)?;
        if !wanted.uid.is_empty() {
            self.allow(self.attributes("authentication.k8s.io", "uids", &wanted.uid))?;
        }
        self.allow_groups(&wanted.groups)?;
        for (key, values) in &wanted.extra {
            for value in values {
                let attributes = self.attributes("authentication.k8s.io", "userextras", value);
                self.allow(Attributes {
                    subresource: key.clone(),
                    ..attributes
                })?;
            }
        }
        Ok(if wanted.is_in(UNAUTHENTICATED) {
            user
        } else {
            user.authenticated()
        })
    }

    fn allow_name(&self, wanted: &UserInfo, user: &mut UserInfo) -> Result<(), ImpersonationError> {
        let group = self.identity_group();
        let mut attributes = self.attributes(group, "users", &wanted.username);
        if self.mode == Mode::Node {
            if let Some(name) = split_node(&wanted.username) {
                attributes = self.attributes(group, "nodes", name);
                user.groups = vec!["system:nodes".to_owned()];
            }
        } else if let Some((namespace, name)) = split_service_account(&wanted.username) {
            attributes = Attributes {
                namespace: namespace.to_owned(),
                ..self.attributes(group, "serviceaccounts", name)
            };
            if wanted.groups.is_empty() {
                user.groups = service_account_groups(namespace);
            }
        }
        self.allow(attributes)
    }

    fn allow_groups(&self, groups: &[String]) -> Result<(), ImpersonationError> {
        for group in groups {
            let attributes = self.attributes(self.identity_group(), "groups", group);
            // Constrained impersonation refuses these even to the masters themselves.
            if self.mode != Mode::Legacy && group.is_empty() {
                return Err(self.forbidden(
                    attributes,
                    "impersonating the empty string group is not allowed",
                ));
            }
            if self.mode != Mode::Legacy && group == MASTERS {
                return Err(self.forbidden(
                    attributes,
                    "impersonating the system:masters group is not allowed",
                ));
            }
            self.allow(attributes)?;
        }
        Ok(())
    }

    /// Users and groups belong to the core group in the legacy mode only.
    fn identity_group(&self) -> &'static str {
        if self.mode == Mode::Legacy {
            ""
        } else {
            "authentication.k8s.io"
        }
    }

    fn attributes(&self, group: &str, resource: &str, name: &str) -> Attributes {
        Attributes {
            verb: self.mode.verb(),
            group: group.to_owned(),
            version: "v1".to_owned(),
            resource: resource.to_owned(),
            name: name.to_owned(),
            ..Attributes::default()
        }
    }

    fn allow(&self, attributes: Attributes) -> Result<(), ImpersonationError> {
        match Authorizer.authorize(self.source, self.requestor, &attributes) {
            Decision { allowed: true, .. } => Ok(()),
            Decision { reason, .. } => Err(self.forbidden(attributes, &reason)),
        }
    }

    fn forbidden(&self, attributes: Attributes, reason: &str) -> ImpersonationError {
        let message = forbidden_message(self.requestor, &attributes, reason);
        ImpersonationError::Forbidden {
            attributes: Box::new(attributes),
            message,
        }
    }
}

/// The user as Go's `%#v` prints it.
fn go_syntax(user: &UserInfo) -> String {
    let list = |items: &[String]| {
        let quoted: Vec<String> = items.iter().map(|item| quote(item)).collect();
        format!("{{{}}}", quoted.join(", "))
    };
    let groups = if user.groups.is_empty() {
        "[]string(nil)".to_owned()
    } else {
        format!("[]string{}", list(&user.groups))
    };
    let extra = if user.extra.is_empty() {
        "map[string][]string(nil)".to_owned()
    } else {
        let entries: Vec<String> = user
            .extra
            .iter()
            .map(|(key, values)| format!("{}:[]string{}", quote(key), list(values)))
            .collect();
        format!("map[string][]string{{{}}}", entries.join(", "))
    };
    format!(
        "&user.DefaultInfo{{Name:{}, UID:{}, Groups:{groups}, Extra:{extra}}}",
        quote(&user.username),
        quote(&user.uid)
    )
}

/// Header names cannot carry every character, so keys may be percent-encoded; what cannot be
/// decoded stays as it is.
fn percent_decode(key: &str) -> String {
    let mut bytes = Vec::with_capacity(key.len());
    let mut rest = key.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first != b'%' {
            bytes.push(*first);
            rest = tail;
            continue;
        }
        let decoded = tail
            .get(..2)
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let Some(byte) = decoded else {
            return key.to_owned();
        };
        bytes.push(byte);
        rest = &tail[2..];
    }
    String::from_utf8(bytes).unwrap_or_else(|_| key.to_owned())
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};
    use serde_json::{Value, json};

    use super::{
        super::fixtures::{Objects, attributes, user},
        *,
    };

    fn run(
        objects: &Objects,
        groups: &[&'static str],
        headers: &[(&str, &str)],
    ) -> Result<Option<UserInfo>, ImpersonationError> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::try_from(*name).unwrap(),
                HeaderValue::try_from(*value).unwrap(),
            );
        }
        let requestor = UserInfo::new("alice", groups);
        impersonate(
            &map,
            objects,
            &requestor,
            &attributes("get", "g/leases", "a/x"),
        )
    }

    fn with_rules(rules: Value) -> Objects {
        Objects::default()
            .cluster_role("r", &rules)
            .cluster_role_binding("b", "r", &user("alice"))
    }

    fn message(result: Result<Option<UserInfo>, ImpersonationError>) -> String {
        match result {
            Err(
                ImpersonationError::Forbidden { message, .. }
                | ImpersonationError::BadRequest(message),
            ) => message,
            Ok(user) => panic!("acts as {user:?}"),
        }
    }

    #[test]
    fn the_masters_may_act_as_anybody() {
        let headers = [
            ("Impersonate-User", "bob"),
            ("Impersonate-Uid", "7"),
            ("Impersonate-Group", "dev"),
            ("Impersonate-Group", "ops"),
            ("Impersonate-Extra-example.com%2fScope", "a"),
        ];
        let user = UserInfo {
            uid: "7".to_owned(),
            extra: BTreeMap::from([("example.com/scope".to_owned(), vec!["a".to_owned()])]),
            ..UserInfo::new("bob", &["dev", "ops", "system:authenticated"])
        };
        assert_eq!(
            run(&Objects::default(), &[MASTERS], &headers),
            Ok(Some(user))
        );
        assert_eq!(run(&Objects::default(), &[MASTERS], &[]), Ok(None));
    }

    #[test]
    fn a_service_account_gets_its_groups() {
        let headers = [("Impersonate-User", "system:serviceaccount:a:gw")];
        let user = UserInfo::service_account("a", "gw").authenticated();
        assert_eq!(
            run(&Objects::default(), &[MASTERS], &headers),
            Ok(Some(user))
        );
    }

    #[test]
    fn the_older_verb_is_enough() {
        let objects = with_rules(
            json!([{"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"], "resourceNames": ["bob"]}]),
        );
        let user = UserInfo::new("bob", &["system:authenticated"]);
        assert_eq!(
            run(&objects, &[], &[("Impersonate-User", "bob")]),
            Ok(Some(user))
        );
    }

    #[test]
    fn constrained_rights_reach_as_far_as_the_request_does() {
        let identity = json!({"apiGroups": ["authentication.k8s.io"], "resources": ["users"], "verbs": ["impersonate:user-info"]});
        let on = |verb: &str| json!({"apiGroups": ["g"], "resources": ["leases"], "verbs": [format!("impersonate-on:user-info:{verb}")]});
        let headers = [("Impersonate-User", "bob")];
        let user = UserInfo::new("bob", &["system:authenticated"]);
        assert_eq!(
            run(
                &with_rules(json!([identity.clone(), on("get")])),
                &[],
                &headers
            ),
            Ok(Some(user))
        );
        assert_eq!(
            message(run(
                &with_rules(json!([identity, on("list")])),
                &[],
                &headers
            )),
            r#"leases.g "x" is forbidden: User "alice" cannot impersonate-on:user-info:get resource "leases" in API group "g" in the namespace "a""#
        );
    }

    #[test]
    fn groups_need_a_user() {
        assert_eq!(
            message(run(
                &Objects::default(),
                &[MASTERS],
                &[("Impersonate-Group", "dev")]
            )),
            "requested &user.DefaultInfo{Name:\"\", UID:\"\", Groups:[]string{\"dev\"}, Extra:map[string][]string(nil)} \
             without impersonating a user name"
        );
    }
}
