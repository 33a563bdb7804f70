//! The columns that kubectl shows for each kind.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::object::at_path;
use crate::registry::Resource;

/// A column and where its cells come from.
pub(super) struct Column {
    name: String,
    kind: String,
    description: String,
    priority: i64,
    source: Source,
}

enum Source {
    /// A path of field names.
    Path(String),
    /// The age since the time at a path.
    Age(String),
    /// Something that has to be worked out.
    Computed(fn(&Value) -> Value),
}

impl Column {
    pub(super) fn definition(&self) -> Value {
        let format = if self.name == "Name" { "name" } else { "" };
        json!({
            "name": self.name, "type": self.kind, "format": format, "description": self.description,
            "priority": self.priority,
        })
    }

    pub(super) fn cell(&self, object: &Value, now: Timestamp) -> Value {
        match &self.source {
            Source::Path(path) => at_path(object, path).cloned().unwrap_or_else(|| json!("")),
            Source::Age(path) => {
                let since = at_path(object, path)
                    .and_then(Value::as_str)
                    .and_then(|text| text.parse::<Timestamp>().ok());
                since.map_or_else(
                    || json!("<unknown>"),
                    |since| json!(age(now.as_second() - since.as_second())),
                )
            }
            Source::Computed(compute) => compute(object),
        }
    }
}

/// The columns of a kind.
pub(super) fn of(resource: &Resource) -> Vec<Column> {
    let mut columns = vec![column("Name", Source::Path("metadata.name".to_owned()))];
    if let Some(custom) = &resource.custom {
        columns.extend(custom.columns.iter().map(custom_column));
        return columns;
    }
    let path = |name: &str, path: &str| column(name, Source::Path(path.to_owned()));
    let computed = |name: &str, compute| column(name, Source::Computed(compute));
    match resource.kind.as_str() {
        "Lease" => columns.push(path("Holder", "spec.holderIdentity")),
        "Namespace" => columns.push(path("Status", "status.phase")),
        "Pod" => columns.extend([
            computed("Ready", pod_ready),
            path("Status", "status.phase"),
            computed("Restarts", pod_restarts),
        ]),
        "Node" => columns.extend([
            computed("Status", node_status),
            path("Version", "status.nodeInfo.kubeletVersion"),
        ]),
        "Service" => columns.extend([
            path("Type", "spec.type"),
            path("Cluster-IP", "spec.clusterIP"),
        ]),
        "Event" => {
            return vec![
                column("Last Seen", Source::Age("lastTimestamp".to_owned())),
                path("Type", "type"),
                path("Reason", "reason"),
                computed("Object", event_object),
                path("Message", "message"),
            ];
        }
        "Deployment" | "StatefulSet" => columns.push(computed("Ready", replicas_ready)),
        "ReplicaSet" => columns.extend([
            path("Desired", "spec.replicas"),
            path("Ready", "status.readyReplicas"),
        ]),
        "DaemonSet" => columns.extend([
            path("Desired", "status.desiredNumberScheduled"),
            path("Ready", "status.numberReady"),
        ]),
        "Job" => columns.push(path("Completions", "spec.completions")),
        "CronJob" => columns.push(path("Schedule", "spec.schedule")),
        "RoleBinding" | "ClusterRoleBinding" => columns.push(computed("Role", role_of)),
        "ConfigMap" => columns.push(computed("Data", data_count)),
        "Secret" => columns.extend([path("Type", "type"), computed("Data", data_count)]),
        "CustomResourceDefinition" => {
            columns.push(path("Created At", "metadata.creationTimestamp"));
            return columns;
        }
        "ClusterRole" | "Role" => {
            columns.push(path("Created At", "metadata.creationTimestamp"));
            return columns;
        }
        _ => {}
    }
    columns.push(column(
        "Age",
        Source::Age("metadata.creationTimestamp".to_owned()),
    ));
    columns
}

fn column(name: &str, source: Source) -> Column {
    Column {
        name: name.to_owned(),
        kind: "string".to_owned(),
        description: String::new(),
        priority: 0,
        source,
    }
}

fn custom_column(column: &Value) -> Column {
    let text = |key: &str| column[key].as_str().unwrap_or_default().to_owned();
    let path = text("jsonPath").trim_start_matches('.').to_owned();
    let kind = text("type");
    Column {
        name: text("name"),
        description: text("description"),
        priority: column["priority"].as_i64().unwrap_or(0),
        source: if kind == "date" {
            Source::Age(path)
        } else {
            Source::Path(path)
        },
        kind,
    }
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

fn pod_ready(pod: &Value) -> Value {
    let statuses = pod["status"]["containerStatuses"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let ready = statuses
        .iter()
        .filter(|status| status["ready"] == true)
        .count();
    let all = pod["spec"]["containers"].as_array().map_or(0, Vec::len);
    json!(format!("{ready}/{all}"))
}

fn pod_restarts(pod: &Value) -> Value {
    let statuses = pod["status"]["containerStatuses"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    json!(
        statuses
            .iter()
            .map(|status| count(&status["restartCount"]))
            .sum::<u64>()
            .to_string()
    )
}

fn node_status(node: &Value) -> Value {
    let conditions = node["status"]["conditions"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let ready = conditions
        .iter()
        .find(|condition| condition["type"] == "Ready");
    json!(
        match ready.and_then(|condition| condition["status"].as_str()) {
            Some("True") => "Ready",
            Some(_) => "NotReady",
            None => "Unknown",
        }
    )
}

fn event_object(event: &Value) -> Value {
    let about = &event["involvedObject"];
    let text = |key: &str| about[key].as_str().unwrap_or_default();
    json!(format!("{}/{}", text("kind").to_lowercase(), text("name")))
}

fn replicas_ready(workload: &Value) -> Value {
    let wanted = workload["spec"]["replicas"].as_u64().unwrap_or(1);
    json!(format!(
        "{}/{wanted}",
        count(&workload["status"]["readyReplicas"])
    ))
}

fn role_of(binding: &Value) -> Value {
    let role = &binding["roleRef"];
    json!(format!(
        "{}/{}",
        role["kind"].as_str().unwrap_or_default(),
        role["name"].as_str().unwrap_or_default()
    ))
}

fn data_count(object: &Value) -> Value {
    json!(object["data"].as_object().map_or(0, serde_json::Map::len))
}

/// A duration as kubectl prints it: one or two units, fewer the longer it is.
fn age(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |large: i64, unit: char, small: i64, small_unit: char| {
        if small == 0 {
            format!("{large}{unit}")
        } else {
            format!("{large}{unit}{small}{small_unit}")
        }
    };
    match seconds {
        ..0 => "<invalid>".to_owned(),
        0..120 => format!("{seconds}s"),
        120..600 => two(minutes, 'm', seconds % 60, 's'),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => two(hours, 'h', minutes % 60, 'm'),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => two(days, 'd', hours % 24, 'h'),
        691_200..63_072_000 => format!("{days}d"),
        63_072_000..252_288_000 => two(days / 365, 'y', days % 365, 'd'),
        _ => format!("{}y", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_short_as_kubectls() {
        for (seconds, expected) in [
            (5, "5s"),
            (119, "119s"),
            (125, "2m5s"),
            (599, "9m59s"),
            (720, "12m"),
            (11_100, "3h5m"),
            (36_000, "10h"),
            (284_400, "3d7h"),
            (864_000, "10d"),
            (70_000_000, "2y80d"),
            (-1, "<invalid>"),
        ] {
            assert_eq!(age(seconds), expected, "{seconds}");
        }
    }
}
