//! Manifests as objects with their places: what grants something, what is granted it, and what runs as whom.
//!
//! What an object leads to is not known here.

mod node;
mod parse;
mod rbac;
mod workload;

use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) use node::{Mark, Unreadable, Word};
pub(crate) use rbac::{Binding, Role, Rule, Subject, SubjectKind};
pub(crate) use workload::{Autoscaler, Container, ServiceAccount, Source, Variable, Workload};

use node::{Node, Value};

/// The objects of some files.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    pub(crate) roles: Vec<Role>,
    pub(crate) bindings: Vec<Binding>,
    pub(crate) workloads: Vec<Workload>,
    pub(crate) accounts: Vec<ServiceAccount>,
    pub(crate) autoscalers: Vec<Autoscaler>,
    /// How many objects there were, with those that do not matter here.
    pub(crate) count: usize,
    /// What is odd, and not wrong.
    pub(crate) notes: Vec<String>,
}

/// What every object has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) kind: String,
    pub(crate) name: String,
    /// As it is written; `None` if it is left to whoever applies it.
    pub(crate) namespace: Option<String>,
    pub(crate) labels: BTreeMap<String, String>,
    /// Where the object is.
    pub(crate) origin: Origin,
    /// The line with its name.
    pub(crate) line: usize,
}

/// The document that an object is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) file: Arc<str>,
    pub(crate) document: usize,
}

/// Reads a file.
///
/// # Errors
/// What cannot be read, with its place.
pub(crate) fn read(file: &str, bytes: &[u8]) -> Result<Objects, Unreadable> {
    let text = text(bytes)?;
    let mut objects = Objects::default();
    let file: Arc<str> = file.into();
    let noticed = parse::documents(text, |document, node| {
        let origin = Origin {
            file: Arc::clone(&file),
            document,
        };
        objects.take(node, &origin)
    })?;
    for (key, mark) in noticed.repeated {
        objects.notes.push(format!(
            "{file}:{}: {key} is given twice; the last one counts, as it does for kubectl",
            mark.line
        ));
    }
    Ok(objects)
}

/// The text, without the mark of its byte order.
fn text(bytes: &[u8]) -> Result<&str, Unreadable> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            return Err(unreadable_at(&before, "no text: this is no UTF-8"));
        }
    };
    if let Some(at) = text.find('\0') {
        return Err(unreadable_at(&text[..at], "no text: this is a NUL byte"));
    }
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn unreadable_at(before: &str, message: &str) -> Unreadable {
    let last = before.rsplit('\n').next().unwrap_or_default();
    Unreadable {
        mark: Mark {
            line: before.matches('\n').count() + 1,
            column: last.chars().count() + 1,
        },
        message: message.to_owned(),
    }
}

impl Objects {
    /// Adds those of another file.
    pub(crate) fn extend(&mut self, other: Self) {
        self.roles.extend(other.roles);
        self.bindings.extend(other.bindings);
        self.workloads.extend(other.workloads);
        self.accounts.extend(other.accounts);
        self.autoscalers.extend(other.autoscalers);
        self.count += other.count;
        self.notes.extend(other.notes);
    }

    fn take(&mut self, node: &Node, origin: &Origin) -> Result<(), Unreadable> {
        if !matches!(node.value, Value::Map(_)) {
            return Err(node.unreadable("no Kubernetes object: it has to be a mapping"));
        }
        let (Some(version), Some(kind)) = (node.field("apiVersion")?, node.field("kind")?) else {
            return Err(node.unreadable("no Kubernetes object: it has no apiVersion and kind"));
        };
        let group = version.text.split_once('/').map_or("", |(group, _)| group);
        let kind = kind.text.as_str();
        if kind.ends_with("List") && node.get("items").is_some() {
            for item in node.list("items")? {
                self.take(item, origin)?;
            }
            return Ok(());
        }
        self.count += 1;
        match (group, kind) {
            ("rbac.authorization.k8s.io", "Role" | "ClusterRole") => {
                self.roles
                    .push(Role::read(node, Meta::read(node, kind, origin)?)?);
            }
            ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => {
                let meta = Meta::read(node, kind, origin)?;
                self.bindings.push(Binding::read(node, meta)?);
            }
            ("", "ServiceAccount") => {
                let meta = Meta::read(node, kind, origin)?;
                self.accounts.push(ServiceAccount::read(node, meta)?);
            }
            ("", "Pod" | "ReplicationController")
            | ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
            | ("batch", "Job" | "CronJob") => {
                let meta = Meta::read(node, kind, origin)?;
                self.workloads.push(Workload::read(node, meta)?);
            }
            ("autoscaling", "HorizontalPodAutoscaler") => {
                let meta = Meta::read(node, kind, origin)?;
                self.autoscalers.extend(Autoscaler::read(node, meta)?);
            }
            _ => {}
        }
        Ok(())
    }
}

impl Meta {
    fn read(node: &Node, kind: &str, origin: &Origin) -> Result<Self, Unreadable> {
        let Some(metadata) = node.map("metadata")? else {
            return Err(node.unreadable(format!("this {kind} has no metadata")));
        };
        // What `generateName` makes is a name that nobody can refer to.
        let name = match metadata.field("name")? {
            Some(name) => name,
            None => metadata
                .field("generateName")?
                .ok_or_else(|| metadata.unreadable(format!("this {kind} has no name")))?,
        };
        Ok(Self {
            kind: kind.to_owned(),
            name: name.text,
            namespace: metadata.field("namespace")?.map(|word| word.text),
            labels: labels(metadata, "labels")?,
            origin: origin.clone(),
            line: name.line,
        })
    }

    /// Whether it stands above all namespaces.
    pub(crate) fn is_cluster_wide(&self) -> bool {
        self.kind.starts_with("Cluster")
    }

    /// `Role kubernaut-system/gateway`
    pub(crate) fn title(&self) -> String {
        match &self.namespace {
            Some(namespace) if !self.is_cluster_wide() => {
                format!("{} {namespace}/{}", self.kind, self.name)
            }
            _ => format!("{} {}", self.kind, self.name),
        }
    }
}

/// A mapping of texts.
fn labels(node: &Node, key: &str) -> Result<BTreeMap<String, String>, Unreadable> {
    let Some(map) = node.map(key)? else {
        return Ok(BTreeMap::new());
    };
    let entries = map.entries(key)?.iter();
    let label = |entry: &node::Entry| {
        let text = if entry.node.is_null() {
            ""
        } else {
            entry.node.text(&entry.key)?
        };
        Ok((entry.key.clone(), text.to_owned()))
    };
    entries.map(label).collect()
}
