//! Where a program of some manifests works and as whom: its workload, its account, and the namespaces of what it asks.

use super::builtin;
use super::finding::Place;
use super::manifest::{Container, Meta, Source, Variable, Workload};
use super::profiles::Program;
use super::requirement::{Need, Requirement, Scope};
use super::resolve::{Asked, Identity, Model};

/// Namespaces that somebody says, instead of what the manifests say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Namespaces {
    pub(crate) lock: Option<String>,
    pub(crate) controller: Option<String>,
}

/// A program in its place.
#[derive(Debug)]
pub(crate) struct Runner<'a> {
    pub(crate) program: &'a Program,
    pub(crate) who: Identity,
    pub(crate) workload: Option<&'a Workload>,
    /// The container of the program.
    pub(crate) container: Option<&'a Container>,
    /// The namespace of the locks.
    pub(crate) lock: String,
    pub(crate) lock_is: LockIs<'a>,
    /// The namespace of the RemediationRequests.
    pub(crate) controller: String,
}

/// Why the locks are in their namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LockIs<'a> {
    /// Somebody says so, or it is the workload's own.
    Said,
    /// A variable says so, in words.
    Literal(&'a Variable),
    /// Nothing says so, and the program falls back to a fixed one.
    Fallback,
}

/// A requirement with the namespace that it is about.
#[derive(Debug, Clone)]
pub(crate) struct Needed<'a> {
    pub(crate) requirement: &'a Requirement,
    pub(crate) path: String,
    /// `None` is all of them.
    pub(crate) namespace: Option<String>,
}

impl<'a> Runner<'a> {
    /// The program of a workload.
    pub(crate) fn of_workload(
        program: &'a Program,
        workload: &'a Workload,
        said: &Namespaces,
    ) -> Self {
        let own = workload.meta.namespace.as_deref().unwrap_or_default();
        let who = Identity::account(own, workload.account_name());
        let container = container(program, workload);
        let (lock, lock_is) = lock_namespace(program, container, own, said);
        let variable = program.environment.controller_namespace.as_deref();
        let literal = variable.and_then(|name| literal(container?, name));
        let controller = said
            .controller
            .as_deref()
            .or(literal.map(|(value, _)| value));
        Self {
            program,
            who,
            workload: Some(workload),
            container,
            lock,
            lock_is,
            controller: controller.unwrap_or(own).to_owned(),
        }
    }

    /// The program where no workload is known.
    pub(crate) fn of_identity(
        program: &'a Program,
        who: Identity,
        default: &str,
        said: &Namespaces,
    ) -> Self {
        let own = who
            .account
            .as_ref()
            .map_or(default, |(namespace, _)| namespace.as_str())
            .to_owned();
        Self {
            program,
            who,
            workload: None,
            container: None,
            lock: said.lock.clone().unwrap_or_else(|| own.clone()),
            lock_is: LockIs::Said,
            controller: said.controller.clone().unwrap_or(own),
        }
    }

    /// The namespace of the workload, or of the locks.
    pub(crate) fn home(&self) -> &str {
        let workload = self.workload;
        workload
            .and_then(|workload| workload.meta.namespace.as_deref())
            .unwrap_or(&self.lock)
    }

    /// What it asks, each with its namespace.
    pub(crate) fn needs(&self) -> Vec<Needed<'a>> {
        let requirements = self.program.profile.requirements.iter();
        requirements
            .map(|requirement| Needed {
                requirement,
                path: requirement.resource_path(),
                namespace: match &requirement.scope {
                    Scope::LockNamespace => Some(self.lock.clone()),
                    Scope::ControllerNamespace => Some(self.controller.clone()),
                    Scope::Namespace(namespace) => Some(namespace.to_string()),
                    Scope::Cluster => None,
                },
            })
            .collect()
    }

    /// How it is told of: `ServiceAccount kubernaut-system/gateway`.
    pub(crate) fn title(&self) -> String {
        self.who.title()
    }
}

impl Needed<'_> {
    pub(crate) fn asked(&self) -> Asked<'_> {
        self.asked_in(self.namespace.as_deref())
    }

    pub(crate) fn asked_in<'b>(&'b self, namespace: Option<&'b str>) -> Asked<'b> {
        Asked {
            group: &self.requirement.group,
            resource: &self.path,
            verb: &self.requirement.verb,
            name: self.requirement.name.as_deref(),
            namespace,
        }
    }

    pub(crate) fn is_needed(&self) -> bool {
        self.requirement.need == Need::Needed
    }

    pub(crate) fn is_of_locks(&self) -> bool {
        self.requirement.scope == Scope::LockNamespace
    }
}

fn lock_namespace<'a>(
    program: &'a Program,
    container: Option<&'a Container>,
    own: &str,
    said: &Namespaces,
) -> (String, LockIs<'a>) {
    if let Some(said) = &said.lock {
        return (said.clone(), LockIs::Said);
    }
    let environment = &program.environment;
    let (Some(name), Some(container)) = (environment.lock_namespace.as_deref(), container) else {
        return (own.to_owned(), LockIs::Said);
    };
    if let Some((value, variable)) = literal(container, name) {
        return (value.to_owned(), LockIs::Literal(variable));
    }
    match (
        container.variable(name),
        environment.lock_fallback.as_deref(),
    ) {
        (None, Some(fallback)) if !container.env_from => (fallback.to_owned(), LockIs::Fallback),
        _ => (own.to_owned(), LockIs::Said),
    }
}

/// A variable that is set to words.
fn literal<'a>(container: &'a Container, name: &str) -> Option<(&'a str, &'a Variable)> {
    let variable = container.variable(name)?;
    match &variable.source {
        Source::Literal(value) if !value.is_empty() => Some((value, variable)),
        _ => None,
    }
}

/// The container that looks like the program, or the first.
fn container<'a>(program: &Program, workload: &'a Workload) -> Option<&'a Container> {
    let mut containers = workload.containers.iter().filter(|it| !it.is_init);
    let first = containers.clone().next();
    containers
        .find(|container| is_container_of(program, container))
        .or(first)
}

fn is_container_of(program: &Program, container: &Container) -> bool {
    is_called(program, &container.name) || is_called(program, image_name(&container.image))
}

/// `gateway` of `registry.example.com:5000/kubernaut/gateway:v1@sha256:…`
fn image_name(image: &str) -> &str {
    let last = image.rsplit('/').next().unwrap_or_default();
    last.split([':', '@']).next().unwrap_or_default()
}

fn is_called(program: &Program, name: &str) -> bool {
    program.known_as.iter().any(|known| known == name)
}

/// The labels by which programs are known.
const LABELS: [&str; 4] = [
    "app.kubernetes.io/name",
    "app.kubernetes.io/component",
    "app",
    "component",
];

/// Whether a workload looks like the program: by its name, its labels, or what its containers are called or run.
pub(crate) fn is_workload_of(program: &Program, workload: &Workload) -> bool {
    let labelled = |labels: &std::collections::BTreeMap<String, String>| {
        let mut values = LABELS.iter().filter_map(|label| labels.get(*label));
        values.any(|value| is_called(program, value))
    };
    let ends = |name: &str| {
        let mut known = program.known_as.iter();
        known.any(|known| {
            name.strip_suffix(known.as_ref())
                .is_some_and(|rest| rest.ends_with('-'))
        })
    };
    is_called(program, &workload.meta.name)
        || ends(&workload.meta.name)
        || labelled(&workload.meta.labels)
        || labelled(&workload.pod_labels)
        || workload
            .containers
            .iter()
            .any(|container| !container.is_init && is_container_of(program, container))
}

/// The workloads of a program: those that look like it, or all if none does.
pub(crate) fn workloads_of<'a>(program: &Program, model: &'a Model) -> Vec<&'a Workload> {
    let all: Vec<&Workload> = model.objects.workloads.iter().collect();
    let own: Vec<&Workload> = all
        .iter()
        .copied()
        .filter(|workload| is_workload_of(program, workload))
        .collect();
    if own.is_empty() { all } else { own }
}

/// The line of a runner's account, its workload, or the first object.
pub(crate) fn home(model: &Model, runner: &Runner<'_>) -> Place {
    if let Some(workload) = runner.workload {
        let line = workload
            .account
            .as_ref()
            .map_or(workload.meta.line, |account| account.line);
        return Place::of(&workload.meta, line);
    }
    let objects = &model.objects;
    let of_files = |meta: &&Meta| meta.origin.file.as_ref() != builtin::FILE;
    let account = objects.accounts.iter().map(|it| &it.meta).find(|meta| {
        runner
            .who
            .account
            .as_ref()
            .is_some_and(|(namespace, name)| {
                meta.namespace.as_ref() == Some(namespace) && meta.name == *name
            })
    });
    let bound = || {
        model
            .bindings_of(&runner.who)
            .map(|it| &it.meta)
            .find(of_files)
    };
    let first = || {
        let roles = objects.roles.iter().map(|it| &it.meta);
        let bindings = objects.bindings.iter().map(|it| &it.meta);
        roles
            .chain(bindings)
            .chain(objects.accounts.iter().map(|it| &it.meta))
            .find(of_files)
    };
    match account.or_else(bound).or_else(first) {
        Some(meta) => Place::of(meta, meta.line),
        None => Place {
            file: builtin::FILE.into(),
            document: 1,
            line: 1,
        },
    }
}
