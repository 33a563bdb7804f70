//! What runs, as whom, and with what in its environment.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::node::{Node, Unreadable, Word};
use super::{Meta, labels};

/// Something that makes pods.
#[derive(Debug, Clone)]
pub(crate) struct Workload {
    pub(crate) meta: Meta,
    /// The labels of its pods.
    pub(crate) pod_labels: BTreeMap<String, String>,
    /// `None` is `default`.
    pub(crate) account: Option<Word>,
    /// `automountServiceAccountToken`.
    pub(crate) automount: Option<(bool, usize)>,
    /// Whether a token is mounted by a volume of its own.
    pub(crate) projects_token: bool,
    pub(crate) containers: Vec<Container>,
    /// As it is written; an autoscaler may say something else.
    pub(crate) replicas: Option<(i64, usize)>,
}

/// A container, init containers included.
#[derive(Debug, Clone)]
pub(crate) struct Container {
    pub(crate) name: String,
    pub(crate) image: String,
    /// The line of `env:`, or of the container's name.
    pub(crate) env_line: usize,
    pub(crate) env: Vec<Variable>,
    /// Whether whole ConfigMaps or Secrets become variables. What is in them is not known.
    pub(crate) env_from: bool,
    /// It runs before the others, and ends.
    pub(crate) is_init: bool,
}

/// A variable of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) source: Source,
}

/// Where the value of a variable comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// It is written.
    Literal(String),
    /// The downward API: the path of a field.
    Field(String),
    /// A ConfigMap, a Secret or a resource.
    Elsewhere,
}

/// A ServiceAccount.
#[derive(Debug, Clone)]
pub(crate) struct ServiceAccount {
    pub(crate) meta: Meta,
    /// `automountServiceAccountToken`.
    pub(crate) automount: Option<(bool, usize)>,
}

/// A HorizontalPodAutoscaler: of what, and up to how many.
#[derive(Debug, Clone)]
pub(crate) struct Autoscaler {
    pub(crate) meta: Meta,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) most: i64,
    pub(crate) line: usize,
}

impl Workload {
    pub(super) fn read(node: &Node, meta: Meta) -> Result<Self, Unreadable> {
        let empty = Node {
            mark: node.mark,
            value: super::node::Value::Map(Vec::new()),
        };
        let spec = node.map("spec")?.unwrap_or(&empty);
        let job = match meta.kind.as_str() {
            "CronJob" => match spec.map("jobTemplate")? {
                Some(template) => template.map("spec")?.unwrap_or(&empty),
                None => &empty,
            },
            _ => spec,
        };
        let template = match meta.kind.as_str() {
            "Pod" => node,
            _ => job.map("template")?.unwrap_or(&empty),
        };
        let pod = template.map("spec")?.unwrap_or(&empty);
        let pod_labels = match template.map("metadata")? {
            Some(metadata) => labels(metadata, "labels")?,
            None => BTreeMap::new(),
        };
        let mut containers = Vec::new();
        for (key, is_init) in [("containers", false), ("initContainers", true)] {
            for node in pod.list(key)? {
                containers.push(Container::read(node, is_init)?);
            }
        }
        let account = match pod.field("serviceAccountName")? {
            None => pod.field("serviceAccount")?,
            account => account,
        };
        Ok(Self {
            account: account.filter(|account| !account.text.is_empty()),
            automount: pod.boolean("automountServiceAccountToken")?,
            projects_token: projects_token(pod)?,
            containers,
            pod_labels,
            replicas: match meta.kind.as_str() {
                "Job" | "CronJob" => job.number("parallelism")?,
                _ => spec.number("replicas")?,
            },
            meta,
        })
    }

    /// The name of its ServiceAccount.
    pub(crate) fn account_name(&self) -> &str {
        self.account
            .as_ref()
            .map_or("default", |account| account.text.as_str())
    }
}

/// Whether a volume of the pod holds a token for the API server.
fn projects_token(pod: &Node) -> Result<bool, Unreadable> {
    for volume in pod.list("volumes")? {
        if let Some(projected) = volume.map("projected")? {
            let mut sources = projected.list("sources")?.iter();
            if sources.any(|source: &Rc<Node>| source.get("serviceAccountToken").is_some()) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

impl Container {
    fn read(node: &Node, is_init: bool) -> Result<Self, Unreadable> {
        let name = node.field("name")?;
        let line = name.as_ref().map_or(node.mark.line, |name| name.line);
        let env = node.list("env")?.iter();
        Ok(Self {
            env_line: node.entry("env").map_or(line, |entry| entry.mark.line),
            env: env
                .map(|node| Variable::read(node))
                .collect::<Result<_, _>>()?,
            env_from: !node.list("envFrom")?.is_empty(),
            name: name.map(|name| name.text).unwrap_or_default(),
            image: node
                .field("image")?
                .map(|image| image.text)
                .unwrap_or_default(),
            is_init,
        })
    }

    /// The last variable of this name, which is the one that counts.
    pub(crate) fn variable(&self, name: &str) -> Option<&Variable> {
        self.env.iter().rev().find(|variable| variable.name == name)
    }
}

impl Variable {
    fn read(node: &Node) -> Result<Self, Unreadable> {
        let Some(name) = node.field("name")? else {
            return Err(node.unreadable("this variable has no name"));
        };
        let source = match node.map("valueFrom")? {
            Some(from) => match from.map("fieldRef")? {
                Some(field) => Source::Field(
                    field
                        .field("fieldPath")?
                        .map(|path| path.text)
                        .unwrap_or_default(),
                ),
                None => Source::Elsewhere,
            },
            None => Source::Literal(value(node)?),
        };
        Ok(Self {
            name: name.text,
            line: name.line,
            source,
        })
    }
}

/// The value of a variable. Values of programs may hold templates of their own, so any text is one.
fn value(node: &Node) -> Result<String, Unreadable> {
    match node.get("value") {
        None => Ok(String::new()),
        Some(value) => match &value.value {
            super::node::Value::Text(text) => Ok(text.clone()),
            _ => Ok(value.text("value")?.to_owned()),
        },
    }
}

impl ServiceAccount {
    pub(super) fn read(node: &Node, meta: Meta) -> Result<Self, Unreadable> {
        Ok(Self {
            automount: node.boolean("automountServiceAccountToken")?,
            meta,
        })
    }
}

impl Autoscaler {
    pub(super) fn read(node: &Node, meta: Meta) -> Result<Option<Self>, Unreadable> {
        let Some(spec) = node.map("spec")? else {
            return Ok(None);
        };
        let (Some(target), Some((most, line))) =
            (spec.map("scaleTargetRef")?, spec.number("maxReplicas")?)
        else {
            return Ok(None);
        };
        let (Some(kind), Some(name)) = (target.field("kind")?, target.field("name")?) else {
            return Ok(None);
        };
        Ok(Some(Self {
            meta,
            kind: kind.text,
            name: name.text,
            most,
            line,
        }))
    }
}
