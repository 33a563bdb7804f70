//! The columns of the built-in kinds.

mod core;
mod pod;
mod rbac;
mod workload;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Definition, age};

/// The columns of one kind and how an object fills them.
#[derive(Debug)]
pub(crate) struct Printer {
    pub(super) columns: &'static [Column],
    /// One cell for every column.
    pub(super) cells: fn(&Value, Timestamp) -> Vec<Value>,
}

/// One column of a built-in kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    name: &'static str,
    ty: &'static str,
    description: &'static str,
    wide: bool,
}

pub(super) const NAME: Column = text("Name", "Name of the object, unique within its namespace.");
const AGE: Column = text("Age", "Time since the server created the object.");
const CONTAINERS: Column = text("Containers", "Names of the containers in the template.").wide();
const IMAGES: Column = text("Images", "Images of the containers in the template.").wide();
const SELECTOR: Column = text("Selector", "Labels of the pods that belong to the object.").wide();

/// Kinds without a printer of their own show when they were created.
static DEFAULT: Printer = Printer {
    columns: &[
        NAME,
        Column {
            ty: "date",
            ..text("Created At", "When the server created the object.")
        },
    ],
    cells: |object, _| {
        let created = match &object["metadata"]["creationTimestamp"] {
            Value::String(time) => time.as_str(),
            _ => "0001-01-01T00:00:00Z",
        };
        vec![name(object), json!(created)]
    },
};

/// The printer of a kind.
pub(super) fn of(group: &str, kind: &str) -> &'static Printer {
    match (group, kind) {
        ("", "Pod") => &pod::POD,
        ("", "Namespace") => &core::NAMESPACE,
        ("", "Node") => &core::NODE,
        ("", "Service") => &core::SERVICE,
        ("", "ServiceAccount") => &core::SERVICE_ACCOUNT,
        ("", "ConfigMap") => &core::CONFIG_MAP,
        ("", "Secret") => &core::SECRET,
        ("" | "events.k8s.io", "Event") => &core::EVENT,
        ("coordination.k8s.io", "Lease") => &core::LEASE,
        ("apps", "Deployment") => &workload::DEPLOYMENT,
        ("apps", "ReplicaSet") => &workload::REPLICA_SET,
        ("apps", "StatefulSet") => &workload::STATEFUL_SET,
        ("apps", "DaemonSet") => &workload::DAEMON_SET,
        ("batch", "Job") => &workload::JOB,
        ("batch", "CronJob") => &workload::CRON_JOB,
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => &rbac::BINDING,
        _ => &DEFAULT,
    }
}

impl Column {
    pub(super) fn definition(&self) -> Definition<'static> {
        Definition {
            name: self.name,
            ty: self.ty,
            format: if self.name == NAME.name { "name" } else { "" },
            description: self.description,
            priority: i64::from(self.wide),
        }
    }

    const fn wide(self) -> Self {
        Self { wide: true, ..self }
    }
}

const fn text(name: &'static str, description: &'static str) -> Column {
    Column {
        name,
        ty: "string",
        description,
        wide: false,
    }
}

const fn integer(name: &'static str, description: &'static str) -> Column {
    Column {
        ty: "integer",
        ..text(name, description)
    }
}

fn name(object: &Value) -> Value {
    json!(string(&object["metadata"]["name"]))
}

fn created(object: &Value, now: Timestamp) -> Value {
    json!(age::since(&object["metadata"]["creationTimestamp"], now))
}

fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn count(value: &Value) -> i64 {
    value.as_i64().unwrap_or_default()
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The text, or what stands for a missing one.
fn or<'a>(text: &'a str, missing: &'a str) -> &'a str {
    if text.is_empty() { missing } else { text }
}

/// A set of labels as `a=b,c=d`; `<none>` if there are none.
fn labels(labels: &Value) -> String {
    let pairs: Vec<String> = labels
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", string(value)))
        .collect();
    if pairs.is_empty() {
        "<none>".to_owned()
    } else {
        pairs.join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_without_printer_shows_when_it_was_created() {
        let role = json!({"metadata": {"name": "r", "creationTimestamp": "2026-01-01T00:00:00Z"}});
        let printer = of("rbac.authorization.k8s.io", "Role");
        assert_eq!(
            (printer.cells)(&role, Timestamp::UNIX_EPOCH),
            [json!("r"), json!("2026-01-01T00:00:00Z")]
        );
        assert_eq!(printer.columns[1].definition().ty, "date");
    }
}
