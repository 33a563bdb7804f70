//! The least that has to be applied for a program to be allowed what it asks, with a comment for each rule. Where things
//! are is told by whoever calls.

mod text;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::profiles::{Environment, Program};
use super::requirement::{Need, Requirement, Scope};

/// In which order verbs are written.
const VERBS: [&str; 7] = [
    "get", "list", "watch", "create", "update", "patch", "delete",
];

/// Where a program and what it works on are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Site<'a> {
    /// The namespace of the leases, and of the program.
    pub(crate) leases: &'a str,
    /// The namespace of the RemediationRequests.
    pub(crate) requests: &'a str,
    pub(crate) service_account: &'a str,
}

/// All that has to be applied, in an order in which it can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Manifests {
    /// What it is for.
    title: String,
    objects: Vec<Object>,
    /// The variables that the program needs.
    variables: Vec<Variable>,
    service_account: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Object {
    /// `None` for what belongs to the cluster.
    namespace: Option<String>,
    name: String,
    body: Body,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Body {
    ServiceAccount,
    /// A Role, or a ClusterRole where there is no namespace.
    Role(Vec<Rule>),
    /// Of the role with the same name to the account.
    Binding {
        account: String,
        account_namespace: String,
    },
}

/// One rule of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    group: String,
    resources: Vec<String>,
    names: Vec<String>,
    /// With what each is for.
    verbs: Vec<Verb>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Verb {
    verb: String,
    why: String,
    need: Need,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Variable {
    name: String,
    value: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    /// A field of the pod, by the downward API.
    Field(&'static str),
    Text(String),
}

impl Manifests {
    /// For a program at a site.
    pub(crate) fn of(program: &Program, site: Site<'_>, with_optional: bool) -> Self {
        let asked = program.profile.requirements.iter();
        let asked = asked.filter(|asked| with_optional || asked.need == Need::Needed);
        let mut objects = vec![Object {
            namespace: Some(site.leases.to_owned()),
            name: site.service_account.to_owned(),
            body: Body::ServiceAccount,
        }];
        for role in roles(asked, site) {
            let binding = Object {
                body: Body::binding(site),
                ..role.clone()
            };
            objects.extend([role, binding]);
        }
        Self {
            title: program.profile.name.to_string(),
            objects,
            variables: variables(&program.environment, site),
            service_account: site.service_account.to_owned(),
        }
    }

    /// As one List.
    pub(crate) fn list(&self) -> Value {
        let items: Vec<Value> = self.objects.iter().map(Object::value).collect();
        json!({"apiVersion": "v1", "kind": "List", "items": items})
    }
}

impl Body {
    fn binding(site: Site<'_>) -> Self {
        Self::Binding {
            account: site.service_account.to_owned(),
            account_namespace: site.leases.to_owned(),
        }
    }
}

impl Object {
    fn kind(&self) -> &'static str {
        match (&self.body, &self.namespace) {
            (Body::ServiceAccount, _) => "ServiceAccount",
            (Body::Role(_), Some(_)) => "Role",
            (Body::Role(_), None) => "ClusterRole",
            (Body::Binding { .. }, Some(_)) => "RoleBinding",
            (Body::Binding { .. }, None) => "ClusterRoleBinding",
        }
    }

    fn role_kind(&self) -> &'static str {
        if self.namespace.is_some() {
            "Role"
        } else {
            "ClusterRole"
        }
    }

    fn api_version(&self) -> &'static str {
        match self.body {
            Body::ServiceAccount => "v1",
            Body::Role(_) | Body::Binding { .. } => "rbac.authorization.k8s.io/v1",
        }
    }

    fn value(&self) -> Value {
        let mut value = json!({
            "apiVersion": self.api_version(), "kind": self.kind(), "metadata": {"name": self.name},
        });
        if let Some(namespace) = &self.namespace {
            value["metadata"]["namespace"] = json!(namespace);
        }
        match &self.body {
            Body::ServiceAccount => {}
            Body::Role(rules) => {
                value["rules"] = rules.iter().map(Rule::value).collect();
            }
            Body::Binding {
                account,
                account_namespace,
            } => {
                value["roleRef"] = json!({
                    "apiGroup": "rbac.authorization.k8s.io", "kind": self.role_kind(), "name": self.name,
                });
                value["subjects"] = json!([{
                    "kind": "ServiceAccount", "name": account, "namespace": account_namespace,
                }]);
            }
        }
        value
    }
}

impl Rule {
    fn value(&self) -> Value {
        let verbs: Vec<&str> = self.verbs.iter().map(|verb| verb.verb.as_str()).collect();
        let mut value =
            json!({"apiGroups": [self.group], "resources": self.resources, "verbs": verbs});
        if !self.names.is_empty() {
            value["resourceNames"] = json!(self.names);
        }
        value
    }
}

/// The roles alone that allow these, as YAML.
pub(crate) fn roles_for<'a>(
    asked: impl IntoIterator<Item = &'a Requirement>,
    site: Site<'_>,
) -> String {
    let roles = roles(asked, site).into_iter();
    let texts: Vec<String> = roles.map(|role| role.to_string()).collect();
    texts.join("---\n")
}

/// A role for each place; what belongs to the cluster comes last.
fn roles<'a>(asked: impl IntoIterator<Item = &'a Requirement>, site: Site<'_>) -> Vec<Object> {
    let mut places: BTreeMap<Option<&str>, Vec<&Requirement>> = BTreeMap::new();
    for requirement in asked {
        let place = match &requirement.scope {
            Scope::LockNamespace => Some(site.leases),
            Scope::ControllerNamespace => Some(site.requests),
            Scope::Namespace(namespace) => Some(namespace.as_ref()),
            Scope::Cluster => None,
        };
        places.entry(place).or_default().push(requirement);
    }
    let cluster = places.remove(&None).map(|asked| (None, asked));
    let places = places.into_iter().chain(cluster);
    let role = |(place, asked): (Option<&str>, Vec<&Requirement>)| Object {
        namespace: place.map(str::to_owned),
        name: match place {
            Some(_) => site.service_account.to_owned(),
            // Two namespaces may have an account of this name.
            None => format!("{}-{}", site.leases, site.service_account),
        },
        body: Body::Role(rules(&asked)),
    };
    places.map(role).collect()
}

/// The rules for what is asked in one place: one for each resource, and one for those that are asked the same for the same
/// reason, in the order in which they are asked.
fn rules(asked: &[&Requirement]) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    for requirement in asked {
        let resource = requirement.resource_path();
        let names: Vec<String> = requirement.name.iter().map(ToString::to_string).collect();
        let verb = Verb {
            verb: requirement.verb.to_string(),
            why: requirement.why.to_string(),
            need: requirement.need,
        };
        let of_resource = rules.iter_mut().find(|rule| {
            rule.group == requirement.group && rule.resources == [&*resource] && rule.names == names
        });
        match of_resource {
            Some(rule) => {
                if !rule.verbs.iter().any(|known| known.verb == verb.verb) {
                    rule.verbs.push(verb);
                }
            }
            None => rules.push(Rule {
                group: requirement.group.to_string(),
                resources: vec![resource],
                names,
                verbs: vec![verb],
            }),
        }
    }
    let mut together: Vec<Rule> = Vec::new();
    for mut rule in rules {
        rule.verbs.sort_by_key(|verb| {
            let known = VERBS.iter().position(|known| *known == verb.verb);
            known.unwrap_or(VERBS.len())
        });
        let alike = together.iter_mut().find(|other| {
            (&other.group, &other.names, &other.verbs) == (&rule.group, &rule.names, &rule.verbs)
        });
        match alike {
            Some(other) => other.resources.append(&mut rule.resources),
            None => together.push(rule),
        }
    }
    together
}

fn variables(environment: &Environment, site: Site<'_>) -> Vec<Variable> {
    let mut variables: Vec<Variable> = Vec::new();
    let mut add = |name: Option<&str>, value: Content| {
        let is_known = |name: &str| variables.iter().any(|variable| variable.name == name);
        if let Some(name) = name.filter(|name| !is_known(name)) {
            variables.push(Variable {
                name: name.to_owned(),
                value,
            });
        }
    };
    add(
        environment.holder.as_deref(),
        Content::Field("metadata.name"),
    );
    // Leases are where the program is.
    add(
        environment.lock_namespace.as_deref(),
        Content::Field("metadata.namespace"),
    );
    if site.requests != site.leases {
        let text = Content::Text(site.requests.to_owned());
        add(environment.controller_namespace.as_deref(), text);
    }
    variables
}

#[cfg(test)]
mod tests;
