//! What is not granted, in words, with what to write instead.

use super::{Cause, Group, Look, in_place, unique};
use crate::rbac::builtin;
use crate::rbac::finding::{Finding, Kind, Place};
use crate::rbac::manifest::{Binding, Role, Rule, SubjectKind, Word};
use crate::rbac::place::{Needed, home};
use crate::rbac::yaml::{self, list};

impl<'a> Look<'a, '_> {
    pub(super) fn tell(&self, group: &Group<'a, '_>) -> Finding {
        let words = group.words();
        let resources = words.resources.join(", ");
        let namespace = group.namespace();
        let title = self.runner.title();
        let what = format!(
            "{title} may not {} {}",
            phrase(&group.needs),
            in_place(namespace)
        );
        let why = unique(
            group
                .needs
                .iter()
                .map(|needed| needed.requirement.why.as_ref())
                .filter(|why| !why.is_empty()),
        );
        let finding = match group.cause {
            Cause::NamesOnly(role, rule) => Finding::new(
                Kind::NamesOnly,
                Place::of(&role.meta, rule.names_line),
                format!(
                    "{what}: the rule is limited to objects of certain names, and these are made up when they are needed"
                ),
                format!("remove resourceNames: {}", list(&texts(&rule.names))),
            ),
            Cause::WrongNamespace(binding) => {
                self.wrong_namespace_finding(binding, namespace, &what)
            }
            Cause::OtherSubject(binding) => self.other_subject_finding(binding, &what),
            Cause::VerbAbsent(role, rule) => Finding::new(
                Kind::VerbAbsent,
                Place::of(&role.meta, rule.verbs_line),
                format!("{what}: {} lacks the verb", role.meta.title()),
                self.all_verbs(group, rule),
            ),
            Cause::WrongGroup(role, rule) => Finding::new(
                Kind::WrongGroup,
                Place::of(&role.meta, rule.groups_line),
                format!(
                    "{what}: {} names {resources} in the API group {}",
                    role.meta.title(),
                    list(&texts(&rule.groups))
                ),
                format!("apiGroups: {}", list(&words.groups)),
            ),
            Cause::WrongResource(role, rule) => Finding::new(
                Kind::WrongResource,
                Place::of(&role.meta, rule.resources_line),
                format!(
                    "{what}: {} names {} and that is another resource",
                    role.meta.title(),
                    list(&texts(&rule.resources))
                ),
                format!(
                    "# one more rule of {}:\n{}",
                    role.meta.title(),
                    words.rule()
                ),
            ),
            Cause::RoleAbsent(binding) => {
                let needs: Vec<&Needed<'_>> = group.needs.clone();
                return self.role_absent(binding, &needs);
            }
            Cause::NotBound(role) => self.not_bound_finding(role, namespace, &what),
            Cause::RuleAbsent(role) => self.rule_absent(role, group, &what),
        };
        let finding = finding.about(
            words.groups.join(","),
            words.resources.join(","),
            words.verbs.join(","),
            namespace,
        );
        let message = match why[..] {
            [] => finding.message,
            // All reasons of a program would be longer than what is wrong.
            [first, second, _, ..] => {
                format!(
                    "{} (needed to {first}; {second}; and so on)",
                    finding.message
                )
            }
            _ => format!("{} (needed to {})", finding.message, why.join("; ")),
        };
        Finding { message, ..finding }.blocking()
    }

    fn wrong_namespace_finding(
        &self,
        binding: &Binding,
        namespace: Option<&str>,
        what: &str,
    ) -> Finding {
        let place = Place::of(&binding.meta, binding.meta.line);
        let own = binding.meta.namespace.as_deref().unwrap_or_default();
        let message = format!(
            "{what}: {} grants it in namespace {own}",
            binding.meta.title()
        );
        let fix = match namespace {
            None => format!(
                "a ClusterRoleBinding to a ClusterRole with the rules of {} {}",
                binding.role.kind, binding.role.name
            ),
            Some(namespace) if binding.role.kind == "Role" => {
                format!(
                    "metadata.namespace: {namespace}   # of this RoleBinding and of Role {}",
                    binding.role.name
                )
            }
            Some(namespace) => format!("metadata.namespace: {namespace}"),
        };
        Finding::new(Kind::WrongNamespace, place, message, fix)
    }

    fn other_subject_finding(&self, binding: &Binding, what: &str) -> Finding {
        let mut others = binding.subjects.iter();
        let other = others.find(|subject| subject.kind == SubjectKind::ServiceAccount);
        let other = other.or(binding.subjects.first());
        let line = other.map_or(binding.subjects_line, |subject| subject.line);
        let granted = match other {
            None => "nobody".to_owned(),
            Some(subject) if subject.kind == SubjectKind::ServiceAccount => {
                let own = binding.meta.namespace.as_ref();
                let namespace = subject.namespace.as_ref().or(own);
                format!(
                    "ServiceAccount {}/{}",
                    namespace.map_or("", String::as_str),
                    subject.name
                )
            }
            Some(subject) => format!("{:?} {}", subject.kind, subject.name),
        };
        Finding::new(
            Kind::OtherSubject,
            Place::of(&binding.meta, line),
            format!("{what}: {} grants it to {granted}", binding.meta.title()),
            format!("subjects:\n{}", yaml::subject(&self.runner.who)),
        )
    }

    fn not_bound_finding(&self, role: &Role, namespace: Option<&str>, what: &str) -> Finding {
        let kind = if namespace.is_some() {
            "RoleBinding"
        } else {
            "ClusterRoleBinding"
        };
        let mut fix = format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata:\n  name: {}\n",
            role.meta.name
        );
        if let Some(namespace) = namespace {
            fix.push_str(&format!("  namespace: {namespace}\n"));
        }
        fix.push_str(&format!(
            "roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: {}\n  name: {}\nsubjects:\n{}",
            role.meta.kind,
            role.meta.name,
            yaml::subject(&self.runner.who)
        ));
        let message = format!(
            "{what}: {} grants it and nothing binds it",
            role.meta.title()
        );
        Finding::new(
            Kind::NotBound,
            Place::of(&role.meta, role.meta.line),
            message,
            fix,
        )
    }

    pub(super) fn role_absent(&self, binding: &Binding, needs: &[&Needed<'_>]) -> Finding {
        let group = Group {
            cause: Cause::RoleAbsent(binding),
            needs: needs.to_vec(),
        };
        let reference = format!("{} {}", binding.role.kind, binding.role.name);
        let named_so = self.model.objects.roles.iter().filter(|role| {
            role.meta.name == binding.role.name && role.meta.origin.file.as_ref() != builtin::FILE
        });
        let other = named_so.map(|role| role.meta.title()).next();
        let (reason, fix) = match (&other, binding.meta.is_cluster_wide()) {
            (_, true) if binding.role.kind == "Role" => (
                "a ClusterRoleBinding can bind a ClusterRole alone".to_owned(),
                "kind: ClusterRole   # or a RoleBinding in the namespace of the Role".to_owned(),
            ),
            (Some(other), _) => (
                format!("there is only {other}"),
                format!("bind {other}, in its namespace if it is a Role"),
            ),
            (None, _) if binding.role.name.starts_with("system:") => (
                "it is the API server's own, and not known here".to_owned(),
                format!(
                    "kubectl get clusterrole {} -o yaml   # as one more file",
                    binding.role.name
                ),
            ),
            (None, _) if self.meant_by(binding).is_some() => {
                let meant = self.meant_by(binding).map(|role| &role.meta);
                let (title, name) = meant
                    .map(|it| (it.title(), it.name.clone()))
                    .unwrap_or_default();
                (
                    format!("no file has it, and nothing binds {title}, which would do"),
                    format!("roleRef.name: {name}"),
                )
            }
            (None, _) => {
                let rules = yaml::rules(group.needs.iter().copied());
                let scope = binding.meta.namespace.as_deref();
                let fix =
                    yaml::role_and_binding(&binding.role.name, scope, &rules, &self.runner.who);
                let role = fix.split("\n---").next().unwrap_or_default();
                (
                    "no file has it".to_owned(),
                    if rules.is_empty() {
                        "remove the binding".to_owned()
                    } else {
                        role.to_owned()
                    },
                )
            }
        };
        let message = format!(
            "{} binds {reference}, which does not exist: {reason}",
            binding.meta.title()
        );
        let finding = Finding::new(
            Kind::RoleAbsent,
            Place::of(&binding.meta, binding.role.line),
            message,
            fix,
        );
        if needs.is_empty() {
            return Finding {
                namespace: binding.meta.namespace.clone(),
                ..finding
            };
        }
        let words = group.words();
        finding
            .about(
                words.groups.join(","),
                words.resources.join(","),
                words.verbs.join(","),
                binding.meta.namespace.as_deref(),
            )
            .blocking()
    }

    fn rule_absent(&self, role: Option<&Role>, group: &Group<'_, '_>, what: &str) -> Finding {
        let message = format!("{what}: no rule grants it");
        let words = group.words();
        match role {
            Some(role) => Finding::new(
                Kind::RuleAbsent,
                Place::of(&role.meta, role.rules_line),
                message,
                format!(
                    "# one more rule of {}:\n{}",
                    role.meta.title(),
                    words.rule()
                ),
            ),
            None => {
                let name = self.runner.who.account.as_ref();
                let name = name.map_or("gwlock", |(_, name)| name.as_str());
                let rules = yaml::rules(group.needs.iter().copied());
                let fix = yaml::role_and_binding(name, group.namespace(), &rules, &self.runner.who);
                Finding::new(Kind::RuleAbsent, self.place(), message, fix)
            }
        }
    }

    /// Where the runner is, for what is nowhere.
    fn place(&self) -> Place {
        home(self.model, self.runner)
    }

    /// The verbs of a rule with those that are absent.
    fn all_verbs(&self, group: &Group<'_, '_>, rule: &Rule) -> String {
        let shares = rule.resources.len() > 1;
        if shares {
            return format!("# a rule of its own:\n{}", group.words().rule());
        }
        let mut verbs = texts(&rule.verbs);
        verbs.extend(group.verbs());
        format!("verbs: {}", list(&verbs))
    }
}

fn texts(words: &[Word]) -> Vec<&str> {
    words.iter().map(|word| word.text.as_str()).collect()
}

/// `get, list pods, nodes; update remediationrequests/status.kubernaut.ai`, with resources as kubectl names them.
fn phrase(needs: &[&Needed<'_>]) -> String {
    let mut resources: Vec<(String, Vec<&str>)> = Vec::new();
    for needed in needs {
        let group = needed.requirement.group.as_ref();
        let dot = if group.is_empty() { "" } else { "." };
        let name = format!("{}{dot}{group}", needed.path);
        let verb = needed.requirement.verb.as_ref();
        match resources.iter_mut().find(|(other, _)| *other == name) {
            Some((_, verbs)) => verbs.push(verb),
            None => resources.push((name, vec![verb])),
        }
    }
    let mut phrases: Vec<(Vec<&str>, Vec<String>)> = Vec::new();
    for (name, verbs) in resources {
        match phrases.iter_mut().find(|(other, _)| *other == verbs) {
            Some((_, names)) => names.push(name),
            None => phrases.push((verbs, vec![name])),
        }
    }
    let phrases: Vec<String> = phrases
        .iter()
        .map(|(verbs, names)| format!("{} {}", verbs.join(", "), names.join(", ")))
        .collect();
    phrases.join("; ")
}
