//! Who is granted what by a set of manifests, by the rules of an API server's RBAC authorizer.
//!
//! What a program needs is not known here.

use std::collections::{HashMap, HashSet};

use super::builtin;
use super::manifest::{Binding, Objects, Role, Rule, Subject, SubjectKind};

/// Who asks, as an API server knows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    pub(crate) user: String,
    pub(crate) groups: Vec<String>,
    /// Namespace and name, if it is a ServiceAccount.
    pub(crate) account: Option<(String, String)>,
}

/// One kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked<'a> {
    pub(crate) group: &'a str,
    /// With the subresource: `pods/status`.
    pub(crate) resource: &'a str,
    pub(crate) verb: &'a str,
    /// The one object, if it is known.
    pub(crate) name: Option<&'a str>,
    /// `None` for all namespaces, or for a resource that has none.
    pub(crate) namespace: Option<&'a str>,
}

/// What one binding grants by one rule.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grant<'a> {
    pub(crate) binding: &'a Binding,
    /// The role with the rule; with aggregation that is not the one that is bound.
    pub(crate) role: &'a Role,
    pub(crate) rule: &'a Rule,
    /// Where; `None` is everywhere.
    pub(crate) namespace: Option<&'a str>,
}

/// A set of manifests as an API server would hold them.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) objects: Objects,
    /// By kind, namespace and name.
    roles: HashMap<(bool, String, String), usize>,
    /// The places of roles and of bindings, by namespace; without one for the whole cluster.
    roles_in: HashMap<Option<String>, Vec<usize>>,
    bindings_in: HashMap<Option<String>, Vec<usize>>,
    /// Which of the roles a binding names.
    bound: Vec<bool>,
    /// The accounts of all workloads, by namespace.
    used: HashMap<String, HashSet<String>>,
}

impl Identity {
    pub(crate) fn account(namespace: &str, name: &str) -> Self {
        Self {
            user: format!("system:serviceaccount:{namespace}:{name}"),
            groups: vec![
                "system:serviceaccounts".to_owned(),
                format!("system:serviceaccounts:{namespace}"),
                "system:authenticated".to_owned(),
            ],
            account: Some((namespace.to_owned(), name.to_owned())),
        }
    }

    pub(crate) fn user(name: &str) -> Self {
        // An API server knows a ServiceAccount by its user name.
        let mut parts = name
            .strip_prefix("system:serviceaccount:")
            .map(|rest| rest.split(':'));
        if let Some(parts) = &mut parts
            && let (Some(namespace), Some(name), None) = (parts.next(), parts.next(), parts.next())
        {
            return Self::account(namespace, name);
        }
        Self {
            user: name.to_owned(),
            groups: vec!["system:authenticated".to_owned()],
            account: None,
        }
    }

    pub(crate) fn group(name: &str) -> Self {
        Self {
            user: String::new(),
            groups: vec![name.to_owned(), "system:authenticated".to_owned()],
            account: None,
        }
    }

    /// As it is told: `ServiceAccount kubernaut-system/gateway`.
    pub(crate) fn title(&self) -> String {
        match &self.account {
            Some((namespace, name)) => format!("ServiceAccount {namespace}/{name}"),
            None if self.user.is_empty() => format!("group {}", self.groups[0]),
            None => format!("user {}", self.user),
        }
    }

    /// Whether a subject of a binding means it.
    pub(crate) fn is(&self, subject: &Subject, binding: &Binding) -> bool {
        match subject.kind {
            SubjectKind::User => !self.user.is_empty() && self.user == subject.name,
            SubjectKind::Group => self.groups.contains(&subject.name),
            SubjectKind::ServiceAccount => {
                let own = if binding.meta.is_cluster_wide() {
                    None
                } else {
                    binding.meta.namespace.as_ref()
                };
                match (&self.account, subject.namespace.as_ref().or(own)) {
                    (Some((namespace, name)), Some(other)) => {
                        namespace == other && *name == subject.name
                    }
                    _ => false,
                }
            }
        }
    }
}

impl Asked<'_> {
    /// Whether a rule grants it, wherever it is bound.
    pub(crate) fn is_granted_by(&self, rule: &Rule) -> bool {
        let any = |words: &[super::manifest::Word], wanted: &str| {
            words
                .iter()
                .any(|word| word.text == "*" || word.text == wanted)
        };
        any(&rule.verbs, self.verb) && any(&rule.groups, self.group) && self.is_of(rule) && {
            rule.names.is_empty()
                || self
                    .name
                    .is_some_and(|name| rule.names.iter().any(|word| word.text == name))
        }
    }

    /// Whether the resource is one of the rule's. `*/scale` is that subresource of any; `pods/*` is nothing.
    fn is_of(&self, rule: &Rule) -> bool {
        let subresource = self.resource.split_once('/').map(|(_, part)| part);
        rule.resources.iter().any(|word| {
            word.text == "*"
                || word.text == self.resource
                || (subresource.is_some() && word.text.strip_prefix("*/") == subresource)
        })
    }

    /// Whether a binding in this namespace reaches it; `None` is everywhere.
    pub(crate) fn is_reached_from(&self, namespace: Option<&str>) -> bool {
        namespace.is_none() || namespace == self.namespace
    }
}

impl Model {
    /// Fills in what whoever applies the manifests would: the namespace. Of two objects of one name the last counts.
    pub(crate) fn new(mut objects: Objects, namespace: &str) -> Self {
        let place = |meta: &mut super::manifest::Meta| {
            if meta.is_cluster_wide() {
                meta.namespace = None;
            } else if meta.namespace.as_deref().is_none_or(str::is_empty) {
                meta.namespace = Some(namespace.to_owned());
            }
        };
        objects.roles.iter_mut().for_each(|it| place(&mut it.meta));
        objects
            .bindings
            .iter_mut()
            .for_each(|it| place(&mut it.meta));
        objects
            .workloads
            .iter_mut()
            .for_each(|it| place(&mut it.meta));
        objects
            .accounts
            .iter_mut()
            .for_each(|it| place(&mut it.meta));
        objects
            .autoscalers
            .iter_mut()
            .for_each(|it| place(&mut it.meta));
        let built_in = builtin::objects();
        let mut all = built_in.roles;
        all.append(&mut objects.roles);
        let mut bindings = built_in.bindings;
        bindings.append(&mut objects.bindings);
        let mut notes = std::mem::take(&mut objects.notes);
        objects.roles = last(all, |role| &role.meta, &mut notes);
        objects.bindings = last(bindings, |binding| &binding.meta, &mut notes);
        objects.workloads = last(objects.workloads, |workload| &workload.meta, &mut notes);
        objects.accounts = last(objects.accounts, |account| &account.meta, &mut notes);
        objects.notes = notes;
        let roles = objects.roles.iter().enumerate();
        let roles = roles.map(|(at, role)| (key(&role.meta), at)).collect();
        let mut used: HashMap<String, HashSet<String>> = HashMap::new();
        for workload in &objects.workloads {
            let namespace = workload.meta.namespace.clone().unwrap_or_default();
            let name = workload.account_name().to_owned();
            used.entry(namespace).or_default().insert(name);
        }
        let mut model = Self {
            roles_in: by_namespace(objects.roles.iter().map(|role| &role.meta)),
            bindings_in: by_namespace(objects.bindings.iter().map(|binding| &binding.meta)),
            bound: vec![false; objects.roles.len()],
            objects,
            roles,
            used,
        };
        let bindings = model.objects.bindings.iter();
        let bound: Vec<usize> = bindings
            .filter_map(|binding| model.place_of_role(binding))
            .collect();
        for at in bound {
            model.bound[at] = true;
        }
        model
    }

    /// The roles of the whole cluster and of this namespace.
    pub(crate) fn roles_for(&self, namespace: Option<&str>) -> impl Iterator<Item = &Role> {
        places(&self.roles_in, namespace).map(|at| &self.objects.roles[at])
    }

    /// The bindings of the whole cluster and of this namespace.
    pub(crate) fn bindings_for(&self, namespace: Option<&str>) -> impl Iterator<Item = &Binding> {
        places(&self.bindings_in, namespace).map(|at| &self.objects.bindings[at])
    }

    /// Whether a binding names the role.
    pub(crate) fn is_bound(&self, role: &Role) -> bool {
        let at = self.roles.get(&key(&role.meta));
        at.is_some_and(|at| self.bound[*at])
    }

    /// Whether a workload runs as this account; without a name, as any of the namespace.
    pub(crate) fn is_used(&self, namespace: &str, name: Option<&str>) -> bool {
        let names = self.used.get(namespace);
        names.is_some_and(|names| name.is_none_or(|name| names.contains(name)))
    }

    /// The role that a binding names, if it is there.
    pub(crate) fn role_of(&self, binding: &Binding) -> Option<&Role> {
        self.objects.roles.get(self.place_of_role(binding)?)
    }

    fn place_of_role(&self, binding: &Binding) -> Option<usize> {
        let is_cluster_role = match binding.role.kind.as_str() {
            "ClusterRole" => true,
            "Role" if !binding.meta.is_cluster_wide() => false,
            _ => return None,
        };
        let namespace = match &binding.meta.namespace {
            Some(namespace) if !is_cluster_role => namespace.clone(),
            _ => String::new(),
        };
        let name = binding.role.name.clone();
        self.roles.get(&(is_cluster_role, namespace, name)).copied()
    }

    /// The rules of a role, each with the role that it is written in.
    pub(crate) fn rules_of<'a>(&'a self, role: &'a Role) -> Vec<(&'a Role, &'a Rule)> {
        let mut rules = Vec::new();
        let mut seen = HashSet::new();
        let mut open = vec![role];
        while let Some(role) = open.pop() {
            if !seen.insert(std::ptr::from_ref(role)) {
                continue;
            }
            let Some(selectors) = &role.aggregates else {
                rules.extend(role.rules.iter().map(|rule| (role, rule)));
                continue;
            };
            // What is written in an aggregating role itself is overwritten by the sum of the others.
            let others = self.objects.roles.iter().filter(|other| {
                other.meta.is_cluster_wide()
                    && selectors
                        .iter()
                        .any(|selector| selector.selects(&other.meta.labels))
            });
            open.extend(others);
        }
        rules
    }

    /// The bindings that mean somebody.
    pub(crate) fn bindings_of(&self, who: &Identity) -> impl Iterator<Item = &Binding> {
        let means = |binding: &&Binding| {
            let mut subjects = binding.subjects.iter();
            subjects.any(|subject| who.is(subject, binding))
        };
        self.objects.bindings.iter().filter(means)
    }

    /// All that somebody is granted.
    pub(crate) fn grants_to(&self, who: &Identity) -> Vec<Grant<'_>> {
        let mut grants = Vec::new();
        for binding in self.bindings_of(who) {
            let Some(bound) = self.role_of(binding) else {
                continue;
            };
            for (role, rule) in self.rules_of(bound) {
                grants.push(Grant {
                    binding,
                    role,
                    rule,
                    namespace: binding.meta.namespace.as_deref(),
                });
            }
        }
        grants
    }
}

impl Grant<'_> {
    pub(crate) fn allows(&self, asked: &Asked<'_>) -> bool {
        asked.is_reached_from(self.namespace) && asked.is_granted_by(self.rule)
    }
}

fn by_namespace<'a>(
    metas: impl Iterator<Item = &'a super::manifest::Meta>,
) -> HashMap<Option<String>, Vec<usize>> {
    let mut places: HashMap<Option<String>, Vec<usize>> = HashMap::new();
    for (at, meta) in metas.enumerate() {
        places.entry(meta.namespace.clone()).or_default().push(at);
    }
    places
}

/// What is above all namespaces, and what is in this one.
fn places(
    all: &HashMap<Option<String>, Vec<usize>>,
    namespace: Option<&str>,
) -> impl Iterator<Item = usize> {
    let above = all.get(&None).into_iter().flatten();
    let within = namespace.and_then(|namespace| all.get(&Some(namespace.to_owned())));
    above.chain(within.into_iter().flatten()).copied()
}

/// Whether it is a ClusterRole, the namespace, and the name.
fn key(meta: &super::manifest::Meta) -> (bool, String, String) {
    let namespace = meta.namespace.clone().unwrap_or_default();
    (meta.is_cluster_wide(), namespace, meta.name.clone())
}

/// The last of each kind, namespace and name.
fn last<T>(
    items: Vec<T>,
    meta: impl Fn(&T) -> &super::manifest::Meta,
    notes: &mut Vec<String>,
) -> Vec<T> {
    let mut at = HashMap::new();
    let mut kept: Vec<Option<T>> = Vec::with_capacity(items.len());
    for item in items {
        let own = meta(&item);
        let key = (own.kind.clone(), key(own));
        let (title, file, line) = (own.title(), own.origin.file.clone(), own.line);
        if let Some(earlier) = at.insert(key, kept.len())
            && let Some(replaced) = kept[earlier].take()
            && meta(&replaced).origin.file.as_ref() != builtin::FILE
        {
            notes.push(format!(
                "{file}:{line}: {title} is there twice; the last one counts, as it does for kubectl"
            ));
        }
        kept.push(Some(item));
    }
    kept.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rbac::manifest;

    const ASKED: Asked<'_> = Asked {
        group: "kubernaut.ai",
        resource: "remediationrequests/status",
        verb: "update",
        name: None,
        namespace: Some("prod"),
    };

    fn model(text: &str) -> Model {
        Model::new(manifest::read("a.yaml", text.as_bytes()).unwrap(), "prod")
    }

    fn role(rule: &str) -> Role {
        let text = format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {{name: a}}\nrules: [{rule}]\n"
        );
        manifest::read("a.yaml", text.as_bytes())
            .unwrap()
            .roles
            .remove(0)
    }

    #[test]
    fn a_rule_is_matched_as_an_authorizer_matches_it() {
        for (rule, expected) in [
            (
                "{apiGroups: [kubernaut.ai], resources: [remediationrequests/status], verbs: [update]}",
                true,
            ),
            ("{apiGroups: ['*'], resources: ['*'], verbs: ['*']}", true),
            (
                "{apiGroups: [kubernaut.ai], resources: ['*/status'], verbs: [update]}",
                true,
            ),
            (
                "{apiGroups: [kubernaut.ai], resources: [remediationrequests/*], verbs: [update]}",
                false,
            ),
            (
                "{apiGroups: [kubernaut.ai], resources: ['*/*'], verbs: [update]}",
                false,
            ),
            (
                "{apiGroups: [kubernaut.ai], resources: [remediationrequests], verbs: [update]}",
                false,
            ),
            (
                "{apiGroups: [''], resources: ['*'], verbs: [update]}",
                false,
            ),
            (
                "{apiGroups: [kubernaut.ai], resources: ['*'], verbs: [Update]}",
                false,
            ),
            (
                "{apiGroups: ['*'], resources: ['*'], verbs: ['*'], resourceNames: [rr-1]}",
                false,
            ),
            ("{nonResourceURLs: ['*'], verbs: ['*']}", false),
        ] {
            let role = role(rule);
            assert_eq!(ASKED.is_granted_by(&role.rules[0]), expected, "{rule}");
        }
        let named =
            role("{apiGroups: ['*'], resources: ['*'], verbs: ['*'], resourceNames: [rr-1]}");
        let asked = Asked {
            name: Some("rr-1"),
            ..ASKED
        };
        assert!(asked.is_granted_by(&named.rules[0]));
    }

    #[test]
    fn an_account_is_meant_by_its_name_its_user_and_its_groups() {
        let who = Identity::account("prod", "gateway");
        for (subject, expected) in [
            ("{kind: ServiceAccount, name: gateway}", true),
            (
                "{kind: ServiceAccount, name: gateway, namespace: prod}",
                true,
            ),
            (
                "{kind: ServiceAccount, name: gateway, namespace: test}",
                false,
            ),
            ("{kind: ServiceAccount, name: default}", false),
            (
                "{kind: User, name: 'system:serviceaccount:prod:gateway'}",
                true,
            ),
            ("{kind: User, name: gateway}", false),
            ("{kind: Group, name: 'system:serviceaccounts'}", true),
            ("{kind: Group, name: 'system:serviceaccounts:prod'}", true),
            ("{kind: Group, name: 'system:serviceaccounts:test'}", false),
            ("{kind: Group, name: 'system:authenticated'}", true),
            ("{kind: Group, name: 'system:masters'}", false),
        ] {
            let model = model(&format!(
                "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {{name: a}}\n\
                 roleRef: {{kind: Role, name: a}}\nsubjects: [{subject}]\n"
            ));
            let own = model
                .bindings_of(&who)
                .filter(|binding| binding.meta.name == "a");
            assert_eq!(own.count(), usize::from(expected), "{subject}");
        }
        assert_eq!(Identity::user("system:serviceaccount:prod:gateway"), who);
        assert_eq!(Identity::user("system:serviceaccount:prod").account, None);
    }

    #[test]
    fn roles_that_are_parts_of_each_other_are_added_up_once() {
        let part = |name: &str, selects: &str, rule: &str| {
            format!(
                "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n\
                 metadata: {{name: {name}, labels: {{is: {name}}}}}\nrules: [{rule}]\n{selects}"
            )
        };
        let of = |name: &str| {
            format!(
                "aggregationRule: {{clusterRoleSelectors: [{{matchLabels: {{is: {name}}}}}, {{matchLabels: {{is: c}}}}]}}\n"
            )
        };
        let rule = "{apiGroups: [''], resources: [pods], verbs: [get]}";
        let model = model(&format!(
            "{}{}{}",
            part("a", &of("b"), rule),
            part("b", &of("a"), rule),
            part("c", "", rule)
        ));
        let first = model
            .objects
            .roles
            .iter()
            .find(|role| role.meta.name == "a");
        let rules = model.rules_of(first.unwrap());
        let parts: Vec<&str> = rules
            .iter()
            .map(|(role, _)| role.meta.name.as_str())
            .collect();
        assert_eq!(parts, ["c"]);
    }

    #[test]
    fn view_and_its_parts_are_known_and_files_add_to_it() {
        let model = model(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: more, labels: \
             {rbac.authorization.k8s.io/aggregate-to-view: 'true'}}\nrules: [{apiGroups: [kubernaut.ai], resources: ['*/status'], \
             verbs: [update]}]\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: a}\n\
             roleRef: {kind: ClusterRole, name: edit}\nsubjects: [{kind: User, name: jane}]\n",
        );
        let grants = model.grants_to(&Identity::user("jane"));
        let pods = Asked {
            group: "",
            resource: "pods",
            verb: "list",
            name: None,
            namespace: None,
        };
        let nodes = Asked {
            resource: "nodes",
            ..pods
        };
        let granted =
            [ASKED, pods, nodes].map(|asked| grants.iter().any(|grant| grant.allows(&asked)));
        assert_eq!(granted, [true, true, false]);
    }
}
