//! Why something that is needed is not granted: the nearest thing that is there.
//!
//! What has the same cause is one finding.

mod tell;

use super::builtin;
use super::finding::Finding;
use super::manifest::{Binding, Role, Rule, SubjectKind};
use super::place::{Needed, Runner};
use super::resolve::{Grant, Model};
use super::yaml::Words;

/// The nearest thing that is there.
#[derive(Debug, Clone, Copy)]
enum Cause<'a> {
    NamesOnly(&'a Role, &'a Rule),
    WrongNamespace(&'a Binding),
    OtherSubject(&'a Binding),
    VerbAbsent(&'a Role, &'a Rule),
    WrongGroup(&'a Role, &'a Rule),
    NotBound(&'a Role),
    WrongResource(&'a Role, &'a Rule),
    RoleAbsent(&'a Binding),
    /// The role to add the rule to.
    RuleAbsent(Option<&'a Role>),
}

/// Needs with the same cause.
struct Group<'a, 'n> {
    cause: Cause<'a>,
    needs: Vec<&'n Needed<'n>>,
}

/// What has been told, so that it is not told again as something else.
#[derive(Debug, Default)]
pub(crate) struct Told<'a> {
    /// Bindings that grant in a wrong place.
    pub(crate) bindings: Vec<&'a Binding>,
    /// Rules with something else than what is needed.
    pub(crate) rules: Vec<&'a Rule>,
}

impl Told<'_> {
    pub(crate) fn binding(&self, binding: &Binding) -> bool {
        self.bindings
            .iter()
            .any(|other| std::ptr::eq(*other, binding))
    }

    pub(crate) fn rule(&self, rule: &Rule) -> bool {
        self.rules.iter().any(|other| std::ptr::eq(*other, rule))
    }
}

/// The findings for what is needed and not granted, and what they blame.
pub(crate) fn explain<'a>(
    model: &'a Model,
    runner: &Runner<'_>,
    grants: &[Grant<'a>],
    needs: &[&Needed<'_>],
) -> (Vec<Finding>, Told<'a>) {
    let look = Look {
        model,
        runner,
        grants,
        unmet: needs,
        dangling: model
            .bindings_of(&runner.who)
            .filter(|binding| model.role_of(binding).is_none())
            .collect(),
    };
    let mut groups: Vec<Group<'a, '_>> = Vec::new();
    for needed in needs {
        let cause = look.cause(needed);
        match groups.iter_mut().find(|group| group.takes(&cause, needed)) {
            Some(group) => group.needs.push(needed),
            None => groups.push(Group {
                cause,
                needs: vec![needed],
            }),
        }
    }
    let groups = merged(groups);
    let mut told = Told::default();
    for group in &groups {
        match group.cause {
            Cause::WrongNamespace(binding)
            | Cause::OtherSubject(binding)
            | Cause::RoleAbsent(binding) => told.bindings.push(binding),
            Cause::WrongGroup(_, rule) => told.rules.push(rule),
            _ => {}
        }
    }
    let mut findings: Vec<Finding> = groups.iter().map(|group| look.tell(group)).collect();
    for binding in &look.dangling {
        let is_system = binding.role.name.starts_with("system:");
        if !told.binding(binding) && !is_system {
            findings.push(look.role_absent(binding, &[]));
        }
    }
    (findings, told)
}

struct Look<'a, 'm> {
    model: &'a Model,
    runner: &'m Runner<'m>,
    grants: &'m [Grant<'a>],
    unmet: &'m [&'m Needed<'m>],
    /// Bindings that mean the runner and name a role that is not there.
    dangling: Vec<&'a Binding>,
}

impl<'a> Group<'a, '_> {
    fn takes(&self, cause: &Cause<'a>, needed: &Needed<'_>) -> bool {
        let same_resource = self.needs.iter().all(|other| {
            other.path == needed.path
                && other.requirement.group == needed.requirement.group
                && other.namespace == needed.namespace
        });
        let same_namespace = self.namespace() == needed.namespace.as_deref();
        match (&self.cause, cause) {
            (Cause::NamesOnly(_, a), Cause::NamesOnly(_, b))
            | (Cause::VerbAbsent(_, a), Cause::VerbAbsent(_, b))
            | (Cause::WrongResource(_, a), Cause::WrongResource(_, b))
            | (Cause::WrongGroup(_, a), Cause::WrongGroup(_, b)) => {
                std::ptr::eq(*a, *b) && same_resource
            }
            (Cause::WrongNamespace(a), Cause::WrongNamespace(b))
            | (Cause::OtherSubject(a), Cause::OtherSubject(b))
            | (Cause::RoleAbsent(a), Cause::RoleAbsent(b)) => std::ptr::eq(*a, *b),
            (Cause::NotBound(a), Cause::NotBound(b)) => std::ptr::eq(*a, *b),
            // Where nothing is bound, one role is to hold all rules.
            (Cause::RuleAbsent(None), Cause::RuleAbsent(None)) => same_namespace,
            (Cause::RuleAbsent(Some(_)), Cause::RuleAbsent(Some(_))) => same_resource,
            _ => false,
        }
    }

    fn verbs(&self) -> Vec<&str> {
        unique(
            self.needs
                .iter()
                .map(|needed| needed.requirement.verb.as_ref()),
        )
    }

    fn resources(&self) -> Vec<&str> {
        unique(self.needs.iter().map(|needed| needed.path.as_str()))
    }

    fn groups(&self) -> Vec<&str> {
        unique(
            self.needs
                .iter()
                .map(|needed| needed.requirement.group.as_ref()),
        )
    }

    fn namespace(&self) -> Option<&str> {
        self.needs
            .first()
            .and_then(|needed| needed.namespace.as_deref())
    }

    fn words(&self) -> Words<'_> {
        Words {
            groups: self.groups(),
            resources: self.resources(),
            names: Vec::new(),
            verbs: self.verbs(),
        }
    }
}

/// Rules that are absent are one if one rule can be written for them.
fn merged<'a, 'n>(groups: Vec<Group<'a, 'n>>) -> Vec<Group<'a, 'n>> {
    let mut merged: Vec<Group<'a, 'n>> = Vec::new();
    for group in groups {
        let is_absent = |group: &Group<'_, '_>| matches!(group.cause, Cause::RuleAbsent(Some(_)));
        let same = merged.iter_mut().find(|other| {
            is_absent(other)
                && is_absent(&group)
                && other.groups() == group.groups()
                && other.verbs() == group.verbs()
                && other.namespace() == group.namespace()
        });
        match same {
            Some(other) => other.needs.extend(group.needs),
            None => merged.push(group),
        }
    }
    merged
}

fn unique<'a>(words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut unique = Vec::new();
    for word in words {
        if !unique.contains(&word) {
            unique.push(word);
        }
    }
    unique
}

/// `in namespace kubernaut-system`, `in all namespaces`
pub(crate) fn in_place(namespace: Option<&str>) -> String {
    match namespace {
        Some(namespace) => format!("in namespace {namespace}"),
        None => "in all namespaces".to_owned(),
    }
}

fn has(words: &[super::manifest::Word], wanted: &str) -> bool {
    words
        .iter()
        .any(|word| word.text == "*" || word.text == wanted)
}

impl<'a> Look<'a, '_> {
    fn cause(&self, needed: &Needed<'_>) -> Cause<'a> {
        self.near_rule(needed, |rule| {
            // Without its list of names the rule would do.
            let free = Rule {
                names: Vec::new(),
                ..rule.clone()
            };
            !rule.names.is_empty() && needed.asked().is_granted_by(&free)
        })
        .map(|(role, rule)| Cause::NamesOnly(role, rule))
        .or_else(|| self.wrong_namespace(needed))
        .or_else(|| self.other_subject(needed))
        .or_else(|| {
            let near = |rule: &Rule| {
                // One more verb of everything would be no remedy.
                let named = rule.resources.iter().any(|it| it.text == needed.path);
                named && has(&rule.groups, &needed.requirement.group)
            };
            self.near_rule(needed, near)
                .map(|(role, rule)| Cause::VerbAbsent(role, rule))
        })
        .or_else(|| {
            let named = |rule: &Rule| rule.resources.iter().any(|it| it.text == needed.path);
            let near = |rule: &Rule| named(rule) && !rule.groups.is_empty();
            let with_verb = |rule: &Rule| near(rule) && has(&rule.verbs, &needed.requirement.verb);
            self.near_rule(needed, with_verb)
                .or_else(|| self.near_rule(needed, near))
                .map(|(role, rule)| Cause::WrongGroup(role, rule))
        })
        .or_else(|| self.dangling(needed))
        .or_else(|| self.not_bound(needed).map(Cause::NotBound))
        .or_else(|| {
            let (parent, subresource) = match needed.path.split_once('/') {
                Some((parent, _)) => (parent, true),
                None => (needed.path.as_str(), false),
            };
            let below = format!("{parent}/");
            let near = |rule: &Rule| {
                has(&rule.groups, &needed.requirement.group)
                    && rule.resources.iter().any(|word| {
                        (subresource && word.text == parent) || word.text.starts_with(&below)
                    })
            };
            self.near_rule(needed, near)
                .map(|(role, rule)| Cause::WrongResource(role, rule))
        })
        .unwrap_or_else(|| Cause::RuleAbsent(self.role_for(needed)))
    }

    /// A rule that the runner has where it needs something, if it is like this.
    fn near_rule(
        &self,
        needed: &Needed<'_>,
        is_near: impl Fn(&Rule) -> bool,
    ) -> Option<(&'a Role, &'a Rule)> {
        let asked = needed.asked();
        let mut grants = self.grants.iter().filter(|grant| {
            grant.role.meta.origin.file.as_ref() != builtin::FILE
                && asked.is_reached_from(grant.namespace)
        });
        let grant = grants.find(|grant| is_near(grant.rule))?;
        Some((grant.role, grant.rule))
    }

    fn wrong_namespace(&self, needed: &Needed<'_>) -> Option<Cause<'a>> {
        let asked = needed.asked();
        let mut grants = self.grants.iter();
        grants
            .find(|grant| asked.is_granted_by(grant.rule))
            .map(|grant| Cause::WrongNamespace(grant.binding))
    }

    /// A binding to somebody that no workload of these files runs as.
    fn other_subject(&self, needed: &Needed<'_>) -> Option<Cause<'a>> {
        let asked = needed.asked();
        let mut bindings = self.model.bindings_for(asked.namespace).filter(|binding| {
            binding.meta.origin.file.as_ref() != builtin::FILE
                && !binding
                    .subjects
                    .iter()
                    .any(|subject| self.runner.who.is(subject, binding))
        });
        bindings
            .find(|binding| {
                let role = self.model.role_of(binding);
                role.is_some_and(|role| self.grants(role, needed)) && !self.is_used(binding)
            })
            .map(Cause::OtherSubject)
    }

    /// A binding to a role that is not there. If another role was meant, only for what that one grants.
    fn dangling(&self, needed: &Needed<'_>) -> Option<Cause<'a>> {
        let asked = needed.asked();
        let mut dangling = self.dangling.iter().filter(|binding| {
            asked.is_reached_from(binding.meta.namespace.as_deref())
                && self
                    .meant_by(binding)
                    .is_none_or(|role| self.grants(role, needed))
        });
        dangling.next().map(|binding| Cause::RoleAbsent(binding))
    }

    /// The role that nobody is bound to and that grants something of what is needed, where one is named that is not
    /// there.
    fn meant_by(&self, binding: &Binding) -> Option<&'a Role> {
        let mut unmet = self.unmet.iter().filter(|needed| {
            needed
                .asked()
                .is_reached_from(binding.meta.namespace.as_deref())
        });
        unmet.find_map(|needed| {
            self.not_bound(needed).filter(|role| {
                role.meta.kind == binding.role.kind || binding.meta.is_cluster_wide()
            })
        })
    }

    fn grants(&self, role: &Role, needed: &Needed<'_>) -> bool {
        let mut rules = self.model.rules_of(role).into_iter();
        rules.any(|(_, rule)| needed.asked().is_granted_by(rule))
    }

    /// Whether a workload of these files runs as somebody that the binding means.
    fn is_used(&self, binding: &Binding) -> bool {
        binding.subjects.iter().any(|subject| match subject.kind {
            SubjectKind::User => false,
            SubjectKind::Group => {
                let namespace = subject.name.strip_prefix("system:serviceaccounts:");
                namespace.is_some_and(|namespace| self.model.is_used(namespace, None))
            }
            SubjectKind::ServiceAccount => {
                let own = binding.meta.namespace.as_ref();
                let namespace = subject.namespace.as_ref().or(own);
                let namespace = namespace.map_or("", String::as_str);
                self.model.is_used(namespace, Some(&subject.name))
            }
        })
    }

    /// A role that nobody is bound to, and that is not there to be a part of others.
    fn not_bound(&self, needed: &Needed<'_>) -> Option<&'a Role> {
        let is_part = |role: &Role| {
            let mut labels = role.meta.labels.keys();
            labels.any(|label| label.contains("/aggregate-to-"))
        };
        let mut roles = self
            .model
            .roles_for(needed.namespace.as_deref())
            .filter(|role| role.meta.origin.file.as_ref() != builtin::FILE);
        roles.find(|role| self.grants(role, needed) && !is_part(role) && !self.model.is_bound(role))
    }

    /// The role of the runner that a rule belongs into.
    fn role_for(&self, needed: &Needed<'_>) -> Option<&'a Role> {
        let asked = needed.asked();
        let of_files = |grant: &&Grant<'a>| {
            grant.role.meta.origin.file.as_ref() != builtin::FILE
                && asked.is_reached_from(grant.namespace)
        };
        // A ClusterRole that is bound everywhere would grant too much for something in one namespace.
        let fits = |grant: &&Grant<'a>| grant.namespace == needed.namespace.as_deref();
        self.grants
            .iter()
            .filter(of_files)
            .find(fits)
            .map(|grant| grant.role)
    }
}
