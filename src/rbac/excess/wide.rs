//! What is needed, and bound in more places than it is needed in. The mistake is the binding's, so that all of its rules are
//! one finding.

use super::{OTHER_LEASES, Pair, add, is_writing, title};
use crate::rbac::finding::{Finding, Kind, Place};
use crate::rbac::place::{Needed, Runner};
use crate::rbac::resolve::Grant;
use crate::rbac::yaml;

/// What has been seen so far.
#[derive(Default)]
pub(super) struct Wide<'a> {
    bindings: Vec<Bound<'a>>,
}

/// A binding with what it grants too widely.
struct Bound<'a> {
    /// The first of its grants.
    grant: &'a Grant<'a>,
    groups: Vec<&'a str>,
    resources: Vec<&'a str>,
    verbs: Vec<&'a str>,
    needs: Vec<&'a Needed<'a>>,
    /// Leases are among it, to be written.
    leases: bool,
}

impl<'a> Wide<'a> {
    /// Looks at a grant with the pairs of its rule.
    pub(super) fn look(
        &mut self,
        grant: &'a Grant<'a>,
        pairs: &[Pair<'a>],
        needs: &'a [Needed<'a>],
    ) {
        for pair in pairs {
            for verb in &grant.rule.verbs {
                let served: Vec<&Needed<'_>> = needs
                    .iter()
                    .filter(|needed| pair.serves(needed, &verb.text))
                    .collect();
                let is_here = |needed: &&Needed<'_>| match (grant.namespace, &needed.namespace) {
                    (None, None) => true,
                    (Some(own), Some(other)) => own == other,
                    _ => false,
                };
                if served.is_empty() || served.iter().any(is_here) {
                    continue;
                }
                let bound = self.of(grant);
                add(&mut bound.groups, pair.group);
                add(&mut bound.resources, &pair.resource.text);
                add(&mut bound.verbs, &verb.text);
                bound.leases |= pair.resource.text == "leases" && is_writing(&grant.rule.verbs);
                bound.needs.extend(served);
            }
        }
    }

    fn of(&mut self, grant: &'a Grant<'a>) -> &mut Bound<'a> {
        let same = |bound: &Bound<'_>| std::ptr::eq(bound.grant.binding, grant.binding);
        let at = self.bindings.iter().position(same).unwrap_or_else(|| {
            self.bindings.push(Bound {
                grant,
                groups: Vec::new(),
                resources: Vec::new(),
                verbs: Vec::new(),
                needs: Vec::new(),
                leases: false,
            });
            self.bindings.len() - 1
        });
        &mut self.bindings[at]
    }

    pub(super) fn findings(&self, runner: &Runner<'_>, grants: &[Grant<'_>]) -> Vec<Finding> {
        let bindings = self.bindings.iter();
        bindings
            .map(|bound| bound.finding(runner, grants))
            .collect()
    }
}

impl Bound<'_> {
    fn finding(&self, runner: &Runner<'_>, grants: &[Grant<'_>]) -> Finding {
        let grant = self.grant;
        let (verbs, resources) = (self.verbs.join(", "), self.resources.join(", "));
        let binding = grant.binding.meta.title();
        let program = &runner.program.profile.name;
        let finding = match grant.namespace {
            None => {
                let namespaces = self.namespaces();
                let mut message = format!(
                    "{} grants {verbs} of {resources} in all namespaces by {binding}, and {program} needs it in {} alone",
                    title(grant),
                    namespaces.join(", ")
                );
                if self.leases {
                    message.push_str(&format!(": {OTHER_LEASES}"));
                }
                let place = Place::of(&grant.role.meta, grant.rule.resources_line);
                let fixes: Vec<String> = namespaces
                    .iter()
                    .map(|namespace| self.moved(runner, grants, namespace))
                    .collect();
                Finding::new(Kind::ClusterWide, place, message, fixes.join("\n---\n"))
            }
            Some(own) => {
                let message = format!(
                    "{} grants {verbs} of {resources} in namespace {own} by {binding}, and {program} does not need it there",
                    title(grant)
                );
                let place = Place::of(&grant.binding.meta, grant.binding.meta.line);
                let fix = format!("remove {binding}, or the rule if others need the rest");
                Finding::new(Kind::UnneededNamespace, place, message, fix)
            }
        };
        finding.about(
            self.groups.join(","),
            self.resources.join(","),
            self.verbs.join(","),
            grant.namespace,
        )
    }

    /// Where it is needed.
    fn namespaces(&self) -> Vec<&str> {
        let mut namespaces = Vec::new();
        for needed in &self.needs {
            add(
                &mut namespaces,
                needed.namespace.as_deref().unwrap_or_default(),
            );
        }
        namespaces
    }

    /// The rules for one namespace, as a part of a role that is bound there, or as a new one.
    fn moved(&self, runner: &Runner<'_>, grants: &[Grant<'_>], namespace: &str) -> String {
        let needs = self.needs.iter().copied();
        let rules = yaml::rules(needs.filter(|it| it.namespace.as_deref() == Some(namespace)));
        let there = grants
            .iter()
            .map(|grant| &grant.role.meta)
            .find(|meta| meta.namespace.as_deref() == Some(namespace));
        if let Some(role) = there {
            let rules = rules.join("\n");
            return format!("# as rules of {} instead:\n{rules}", role.title());
        }
        let name = runner.who.account.as_ref();
        let name = name.map_or("gwlock", |(_, name)| name.as_str());
        let role = yaml::role_and_binding(name, Some(namespace), &rules, &runner.who);
        format!("# instead of this:\n{role}")
    }
}
