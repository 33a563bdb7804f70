//! What was asked about permissions, and the roles that are missing.

use std::collections::BTreeMap;

use serde_json::json;

use super::check::{Check, Outcome, Read, Step, Subject};
use crate::rbac::requirement::{Need, Requirement, Scope};

/// How many resources are named in a message.
const SHOWN: usize = 4;

/// The two namespaces that requirements speak of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Namespaces<'a> {
    pub(crate) lock: &'a str,
    pub(crate) controller: &'a str,
}

/// Whose permissions they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Who {
    User(String),
    ServiceAccount { namespace: String, name: String },
}

/// A requirement and whether it is granted.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) requirement: Requirement,
    pub(crate) granted: Read<bool>,
}

impl Namespaces<'_> {
    /// Where a requirement is; `None` for the cluster.
    pub(crate) fn of<'a>(&'a self, scope: &'a Scope) -> Option<&'a str> {
        match scope {
            Scope::LockNamespace => Some(self.lock),
            Scope::ControllerNamespace => Some(self.controller),
            Scope::Namespace(namespace) => Some(namespace),
            Scope::Cluster => None,
        }
    }
}

impl Who {
    /// By the name that the server has for a user.
    pub(crate) fn of(username: &str) -> Self {
        let account = username.strip_prefix("system:serviceaccount:");
        match account.and_then(|account| account.split_once(':')) {
            Some((namespace, name)) => Self::ServiceAccount {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            },
            None => Self::User(username.to_owned()),
        }
    }

    /// The name that the server has for it.
    pub(crate) fn username(&self) -> String {
        match self {
            Self::User(name) => name.clone(),
            Self::ServiceAccount { namespace, name } => {
                format!("system:serviceaccount:{namespace}:{name}")
            }
        }
    }

    fn subject(&self) -> String {
        match self {
            Self::User(name) => format!(
                "- kind: User\n  name: {}\n  apiGroup: rbac.authorization.k8s.io",
                json!(name)
            ),
            Self::ServiceAccount { namespace, name } => {
                format!("- kind: ServiceAccount\n  name: {name}\n  namespace: {namespace}")
            }
        }
    }

    /// A part of an object's name.
    fn slug(&self) -> String {
        let name = match self {
            Self::User(name) => name.clone(),
            Self::ServiceAccount { namespace, name } => format!("{namespace}-{name}"),
        };
        let slug: String = name
            .to_ascii_lowercase()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        slug.trim_matches('-').chars().take(60).collect()
    }
}

/// Whether all that was asked is granted. `role` begins the name of the roles that would grant it.
pub(crate) fn check(
    name: &'static str,
    what: &str,
    who: &Who,
    asked: &[Asked],
    namespaces: Namespaces<'_>,
    role: &str,
) -> Check {
    let check = |outcome, message| Check::new(Subject::Permissions, name, outcome, message);
    let missing: Vec<&Requirement> = asked
        .iter()
        .filter(|asked| asked.granted == Ok(false))
        .map(|asked| &asked.requirement)
        .collect();
    let unknown = asked.iter().find_map(|asked| asked.granted.as_ref().err());
    let evidence = json!({
        "subject": who.username(),
        "missing": described(&missing, namespaces),
        "asked": asked.len(),
    });
    if missing.is_empty() {
        return match unknown {
            Some(trouble) => Check::skipped(Subject::Permissions, name, trouble),
            None => check(Outcome::Ok, format!("{} may {what}", who.username())).with(evidence),
        };
    }
    let is_needed = missing.iter().any(|missing| missing.need == Need::Needed);
    let said = described(&missing, namespaces);
    let message = format!(
        "{} may not {what}: it lacks {}",
        who.username(),
        several_lists(&said)
    );
    let all: Vec<&Requirement> = asked.iter().map(|asked| &asked.requirement).collect();
    check(
        if is_needed {
            Outcome::Failure
        } else {
            Outcome::Warning
        },
        message,
    )
    .with(evidence)
    .step(Step::Apply(roles(role, who, &all, namespaces)))
}

/// `get, list leases.coordination.k8s.io in kubernaut-system`, each resource once.
fn described(requirements: &[&Requirement], namespaces: Namespaces<'_>) -> Vec<String> {
    let mut resources: Vec<(String, Vec<&str>)> = Vec::new();
    for requirement in requirements {
        let named = requirement.to_string();
        let what = named
            .trim_start_matches(requirement.verb.as_ref())
            .trim_start();
        let place = match namespaces.of(&requirement.scope) {
            Some(namespace) => format!("{what} in {namespace}"),
            None => format!("{what} everywhere"),
        };
        match resources.iter_mut().find(|(known, _)| *known == place) {
            Some((_, verbs)) => verbs.push(&requirement.verb),
            None => resources.push((place, vec![&requirement.verb])),
        }
    }
    let words = resources.into_iter();
    words
        .map(|(place, verbs)| format!("{} {place}", verbs.join(", ")))
        .collect()
}

/// The first few, apart from the commas that are in them.
fn several_lists(said: &[String]) -> String {
    let mut text = said
        .iter()
        .take(SHOWN)
        .cloned()
        .collect::<Vec<_>>()
        .join("; ");
    if said.len() > SHOWN {
        text.push_str(&format!("; and {} more", said.len() - SHOWN));
    }
    text
}

/// Roles and bindings that grant all of this, one for each namespace. They are whole, so that applying them twice takes
/// nothing back.
pub(crate) fn roles(
    name: &str,
    who: &Who,
    requirements: &[&Requirement],
    namespaces: Namespaces<'_>,
) -> String {
    type Rules = BTreeMap<(String, String, Option<String>), Vec<String>>;
    let mut by_place: BTreeMap<Option<String>, Rules> = BTreeMap::new();
    for requirement in requirements {
        let place = namespaces.of(&requirement.scope).map(str::to_owned);
        let key = (
            requirement.group.to_string(),
            requirement.resource_path(),
            requirement.name.as_ref().map(ToString::to_string),
        );
        let verbs = by_place.entry(place).or_default().entry(key).or_default();
        let verb = requirement.verb.to_string();
        if !verbs.contains(&verb) {
            verbs.push(verb);
        }
    }
    let name = format!("{name}-{}", who.slug());
    let documents = by_place.iter().map(|(place, rules)| {
        let kind = if place.is_some() { "Role" } else { "ClusterRole" };
        let namespace = place.as_ref().map_or_else(String::new, |place| format!("\n  namespace: {place}"));
        let rules: Vec<String> = rules
            .iter()
            .map(|((group, resource, only), verbs)| {
                let only = only.as_ref().map_or_else(String::new, |only| format!("\n  resourceNames: [\"{only}\"]"));
                let verbs: Vec<String> = verbs.iter().map(|verb| format!("\"{verb}\"")).collect();
                format!("- apiGroups: [\"{group}\"]\n  resources: [\"{resource}\"]{only}\n  verbs: [{}]", verbs.join(", "))
            })
            .collect();
        let rules = rules.join("\n");
        let api = "apiVersion: rbac.authorization.k8s.io/v1";
        format!(
            "{api}\nkind: {kind}\nmetadata:\n  name: {name}{namespace}\nrules:\n{rules}\n---\n{api}\nkind: {kind}Binding\nmetadata:\n  \
             name: {name}{namespace}\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: {kind}\n  name: {name}\nsubjects:\n{}",
            who.subject()
        )
    });
    documents.collect::<Vec<_>>().join("\n---\n")
}

#[cfg(test)]
mod tests {
    use super::super::check::Trouble;
    use super::*;

    const PLACE: Namespaces<'static> = Namespaces {
        lock: "locks",
        controller: "rr",
    };

    fn leases(verb: &'static str, need: Need) -> Requirement {
        Requirement {
            group: "coordination.k8s.io".into(),
            resource: "leases".into(),
            subresource: None,
            verb: verb.into(),
            name: None,
            scope: Scope::LockNamespace,
            need,
            why: "lock".into(),
        }
    }

    fn judged(granted: &[(Requirement, Read<bool>)]) -> Check {
        let asked: Vec<Asked> = granted
            .iter()
            .map(|(requirement, granted)| Asked {
                requirement: requirement.clone(),
                granted: granted.clone(),
            })
            .collect();
        check(
            "may-look",
            "look",
            &Who::of("viewer"),
            &asked,
            PLACE,
            "gwlock-look",
        )
    }

    #[test]
    fn what_is_missing_is_named_and_the_whole_role_is_the_fix() {
        let check = judged(&[
            (leases("get", Need::Needed), Ok(true)),
            (leases("list", Need::Needed), Ok(false)),
        ]);
        assert_eq!(
            (check.outcome, check.message.as_str()),
            (
                Outcome::Failure,
                "viewer may not look: it lacks list leases.coordination.k8s.io in locks"
            )
        );
        assert_eq!(
            check.fix,
            [Step::Apply(
                "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: gwlock-look-viewer\n  namespace: locks\n\
                 rules:\n- apiGroups: [\"coordination.k8s.io\"]\n  resources: [\"leases\"]\n  verbs: [\"get\", \"list\"]\n---\n\
                 apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata:\n  name: gwlock-look-viewer\n  \
                 namespace: locks\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: Role\n  name: gwlock-look-viewer\n\
                 subjects:\n- kind: User\n  name: \"viewer\"\n  apiGroup: rbac.authorization.k8s.io"
                    .to_owned()
            )]
        );
    }

    #[test]
    fn what_is_optional_warns_and_what_could_not_be_asked_is_skipped() {
        let refused = Err(Trouble::Refused {
            code: 403,
            message: "no".to_owned(),
        });
        let get = || leases("get", Need::Needed);
        assert_eq!(judged(&[(get(), Ok(true))]).message, "viewer may look");
        assert_eq!(
            judged(&[(leases("watch", Need::Optional), Ok(false))]).outcome,
            Outcome::Warning
        );
        assert_eq!(
            judged(&[(get(), refused.clone())]).outcome,
            Outcome::Skipped
        );
        assert_eq!(
            judged(&[(get(), refused), (get(), Ok(false))]).outcome,
            Outcome::Failure
        );
    }

    #[test]
    fn a_service_account_is_a_subject_of_its_own_kind_and_cluster_rights_are_cluster_roles() {
        let who = Who::of("system:serviceaccount:locks:gateway");
        assert_eq!(who.username(), "system:serviceaccount:locks:gateway");
        let reviews = Requirement {
            scope: Scope::Cluster,
            ..leases("create", Need::Needed)
        };
        let yaml = roles("gwlock-gateway", &who, &[&reviews], PLACE);
        assert!(
            yaml.contains(
                "kind: ClusterRole\nmetadata:\n  name: gwlock-gateway-locks-gateway\nrules:"
            ),
            "{yaml}"
        );
        assert!(
            yaml.ends_with("- kind: ServiceAccount\n  name: gateway\n  namespace: locks"),
            "{yaml}"
        );
    }
}
