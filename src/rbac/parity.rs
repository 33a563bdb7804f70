//! What one set of manifests grants a program and another does not.
//!
//! Namespaces of the program itself are the same however they are called: sets for tests have other names.

use super::builtin;
use super::finding::{Finding, Kind, Place};
use super::place::{Needed, Runner, home};
use super::resolve::{Asked, Grant, Model};
use super::yaml::Words;

/// A set of manifests with the places of the program in it.
#[derive(Debug)]
pub(crate) struct Set<'a> {
    /// As it was given.
    pub(crate) name: &'a str,
    pub(crate) model: &'a Model,
    pub(crate) runners: &'a [Runner<'a>],
}

/// Something that one set grants and another does not.
struct Difference<'a> {
    grant: Grant<'a>,
    group: &'a str,
    resource: &'a str,
    name: Option<&'a str>,
    /// As it is told.
    place: String,
    needed: bool,
    verbs: Vec<&'a str>,
}

/// All that one of both sets grants alone. What is needed and not granted by the first is left to its own findings.
pub(crate) fn compare(first: &Set<'_>, other: &Set<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for difference in differences(first, other) {
        findings.extend(tell(&difference, first, other));
    }
    for difference in differences(other, first) {
        if !difference.needed {
            findings.extend(tell(&difference, other, first));
        }
    }
    findings
}

fn differences<'a>(has: &Set<'a>, lacks: &Set<'_>) -> Vec<Difference<'a>> {
    let theirs: Vec<(Vec<Grant<'_>>, &Runner<'_>)> = lacks
        .runners
        .iter()
        .map(|runner| (lacks.model.grants_to(&runner.who), runner))
        .collect();
    let mut found: Vec<Difference<'a>> = Vec::new();
    for runner in has.runners {
        let needs = runner.needs();
        for grant in has.model.grants_to(&runner.who) {
            if grant.binding.meta.origin.file.as_ref() == builtin::FILE {
                continue;
            }
            for asked in each(&grant) {
                let is_granted = theirs.iter().any(|(grants, other)| {
                    let namespace = asked.namespace.map(|it| translated(it, runner, other));
                    let asked = Asked { namespace, ..asked };
                    grants.iter().any(|grant| grant.allows(&asked))
                });
                if !is_granted {
                    add(&mut found, grant, asked, runner, &needs);
                }
            }
        }
    }
    found
}

/// The same namespace in another set.
fn translated<'a>(namespace: &'a str, from: &Runner<'_>, to: &'a Runner<'_>) -> &'a str {
    if namespace == from.lock {
        &to.lock
    } else if namespace == from.controller {
        &to.controller
    } else if namespace == from.home() {
        to.home()
    } else {
        namespace
    }
}

/// The permissions of a rule where it is bound. A `*` is a permission of its own.
fn each<'a>(grant: &Grant<'a>) -> Vec<Asked<'a>> {
    let rule = grant.rule;
    let names: Vec<Option<&'a str>> = if rule.names.is_empty() {
        vec![None]
    } else {
        rule.names
            .iter()
            .map(|name| Some(name.text.as_str()))
            .collect()
    };
    let mut each = Vec::new();
    for group in &rule.groups {
        for resource in &rule.resources {
            for name in &names {
                for verb in &rule.verbs {
                    each.push(Asked {
                        group: &group.text,
                        resource: &resource.text,
                        verb: &verb.text,
                        name: *name,
                        namespace: grant.namespace,
                    });
                }
            }
        }
    }
    each
}

fn add<'a>(
    found: &mut Vec<Difference<'a>>,
    grant: Grant<'a>,
    asked: Asked<'a>,
    runner: &Runner<'_>,
    needs: &[Needed<'_>],
) {
    let needed = needs.iter().any(|needed| {
        needed.is_needed()
            && needed.requirement.group == asked.group
            && needed.path == asked.resource
            && needed.requirement.verb == asked.verb
            && needed.asked().is_reached_from(asked.namespace)
    });
    let same = found.iter_mut().find(|other| {
        std::ptr::eq(other.grant.rule, grant.rule)
            && other.grant.namespace == grant.namespace
            && (other.group, other.resource, other.name)
                == (asked.group, asked.resource, asked.name)
            && other.needed == needed
    });
    if let Some(same) = same {
        if !same.verbs.contains(&asked.verb) {
            same.verbs.push(asked.verb);
        }
        return;
    }
    let own = [
        runner.lock.as_str(),
        runner.controller.as_str(),
        runner.home(),
    ];
    found.push(Difference {
        grant,
        group: asked.group,
        resource: asked.resource,
        name: asked.name,
        place: match asked.namespace {
            None => "in all namespaces".to_owned(),
            Some(namespace) if own.contains(&namespace) => "in its own namespace".to_owned(),
            Some(namespace) => format!("in namespace {namespace}"),
        },
        needed,
        verbs: vec![asked.verb],
    });
}

fn tell(difference: &Difference<'_>, has: &Set<'_>, lacks: &Set<'_>) -> Option<Finding> {
    let grant = &difference.grant;
    let from_file = grant.role.meta.origin.file.as_ref() != builtin::FILE;
    let place = if from_file {
        Place::of(&grant.role.meta, grant.rule.verbs_line)
    } else {
        Place::of(&grant.binding.meta, grant.binding.role.line)
    };
    let mut what = format!("{} of {}", difference.verbs.join(", "), difference.resource);
    if !difference.group.is_empty() {
        what.push_str(&format!(".{}", difference.group));
    }
    if let Some(name) = difference.name {
        what.push_str(&format!(" {name}"));
    }
    let own = &difference.place;
    let runner = lacks.runners.first()?;
    let finding = if difference.needed {
        let words = Words {
            groups: vec![difference.group],
            resources: vec![difference.resource],
            names: difference.name.into_iter().collect(),
            verbs: difference.verbs.clone(),
        };
        let message = format!(
            "{} does not grant {what} {own}, and {} does ({}:{})",
            lacks.name, has.name, place.file, place.line
        );
        Finding::new(
            Kind::Parity,
            home(lacks.model, runner),
            message,
            words.rule(),
        )
        .blocking()
    } else {
        let message = format!(
            "{} grants {what} {own}, and {} does not",
            has.name, lacks.name
        );
        let fix = format!("remove it here, or add it to {}", lacks.name);
        Finding::new(Kind::ParityExtra, place, message, fix)
    };
    Some(finding.about(
        difference.group,
        difference.resource,
        difference.verbs.join(","),
        grant.namespace,
    ))
}
