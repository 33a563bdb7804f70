//! Workloads: kinds that run pods.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    AGE, CONTAINERS, Column, IMAGES, NAME, Printer, SELECTOR, age, count, created, integer, items,
    labels, name, string, text,
};
use crate::golang::time::parse_time;

pub(super) static DEPLOYMENT: Printer = Printer {
    columns: &[
        NAME,
        text("Ready", "Pods that are ready, of those wanted."),
        text("Up-to-date", "Pods with the newest template."),
        text("Available", "Pods that have been ready long enough."),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ],
    cells: |deployment, now| {
        let status = &deployment["status"];
        let [containers, images] = containers(&deployment["spec"]["template"]);
        vec![
            name(deployment),
            json!(format!(
                "{}/{}",
                count(&status["readyReplicas"]),
                wanted(deployment)
            )),
            json!(count(&status["updatedReplicas"])),
            json!(count(&status["availableReplicas"])),
            created(deployment, now),
            containers,
            images,
            json!(selector(&deployment["spec"]["selector"], "")),
        ]
    },
};

pub(super) static REPLICA_SET: Printer = Printer {
    columns: &[
        NAME,
        integer("Desired", "Pods that are wanted."),
        integer("Current", "Pods that exist."),
        integer("Ready", "Pods that are ready."),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ],
    cells: |set, now| {
        let status = &set["status"];
        let [containers, images] = containers(&set["spec"]["template"]);
        vec![
            name(set),
            json!(wanted(set)),
            json!(count(&status["replicas"])),
            json!(count(&status["readyReplicas"])),
            created(set, now),
            containers,
            images,
            json!(selector(&set["spec"]["selector"], "<none>")),
        ]
    },
};

pub(super) static STATEFUL_SET: Printer = Printer {
    columns: &[
        NAME,
        text("Ready", "Pods that are ready, of those wanted."),
        AGE,
        CONTAINERS,
        IMAGES,
    ],
    cells: |set, now| {
        let [containers, images] = containers(&set["spec"]["template"]);
        let ready = format!("{}/{}", count(&set["status"]["readyReplicas"]), wanted(set));
        vec![
            name(set),
            json!(ready),
            created(set, now),
            containers,
            images,
        ]
    },
};

pub(super) static DAEMON_SET: Printer = Printer {
    columns: &[
        NAME,
        integer("Desired", "Nodes that should run the pod."),
        integer("Current", "Nodes that run the pod."),
        integer("Ready", "Nodes on which the pod is ready."),
        integer("Up-to-date", "Nodes that run the newest template."),
        integer(
            "Available",
            "Nodes on which the pod has been ready long enough.",
        ),
        text(
            "Node Selector",
            "Labels of the nodes that should run the pod.",
        ),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ],
    cells: |set, now| {
        let (spec, status) = (&set["spec"], &set["status"]);
        let [containers, images] = containers(&spec["template"]);
        vec![
            name(set),
            json!(count(&status["desiredNumberScheduled"])),
            json!(count(&status["currentNumberScheduled"])),
            json!(count(&status["numberReady"])),
            json!(count(&status["updatedNumberScheduled"])),
            json!(count(&status["numberAvailable"])),
            json!(labels(&spec["template"]["spec"]["nodeSelector"])),
            created(set, now),
            containers,
            images,
            json!(selector(&spec["selector"], "<none>")),
        ]
    },
};

pub(super) static JOB: Printer = Printer {
    columns: &[
        NAME,
        text("Status", "How the job is going."),
        text("Completions", "Pods that have succeeded, of those wanted."),
        text("Duration", "How long the job has taken."),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ],
    cells: |job, now| {
        let [containers, images] = containers(&job["spec"]["template"]);
        vec![
            name(job),
            json!(job_status(job)),
            json!(job_completions(job)),
            json!(job_duration(job, now)),
            created(job, now),
            containers,
            images,
            json!(selector(&job["spec"]["selector"], "<none>")),
        ]
    },
};

pub(super) static CRON_JOB: Printer = Printer {
    columns: &[
        NAME,
        text("Schedule", "When jobs are started."),
        text("Timezone", "Time zone of the schedule."),
        Column {
            ty: "boolean",
            ..text("Suspend", "Whether no jobs are started.")
        },
        integer("Active", "Jobs that are running."),
        text("Last Schedule", "Time since a job was last started."),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ],
    cells: |job, now| {
        let spec = &job["spec"];
        let template = &spec["jobTemplate"]["spec"];
        let [containers, images] = containers(&template["template"]);
        let last = &job["status"]["lastScheduleTime"];
        let suspend = match spec["suspend"] {
            Value::Bool(true) => "True",
            Value::Bool(false) => "False",
            _ => "<unset>",
        };
        vec![
            name(job),
            json!(string(&spec["schedule"])),
            json!(spec["timeZone"].as_str().unwrap_or("<none>")),
            json!(suspend),
            json!(items(&job["status"]["active"]).len()),
            json!(if last.is_string() {
                age::since(last, now)
            } else {
                "<none>".to_owned()
            }),
            created(job, now),
            containers,
            images,
            json!(selector(&template["selector"], "<none>")),
        ]
    },
};

/// Replicas that are wanted; one unless the object says otherwise.
fn wanted(object: &Value) -> i64 {
    object["spec"]["replicas"].as_i64().unwrap_or(1)
}

/// Names and images of the containers of a pod template.
fn containers(template: &Value) -> [Value; 2] {
    ["name", "image"].map(|field| {
        let texts: Vec<&str> = items(&template["spec"]["containers"])
            .iter()
            .map(|container| string(&container[field]))
            .collect();
        json!(texts.join(","))
    })
}

/// A label selector in kubectl's form; `missing` if it selects nothing in particular.
fn selector(selector: &Value, missing: &str) -> String {
    let equal = selector["matchLabels"].as_object().into_iter().flatten();
    let mut requirements: Vec<(String, String)> = equal
        .map(|(key, value)| (key.clone(), format!("{key}={}", string(value))))
        .collect();
    for expression in items(&selector["matchExpressions"]) {
        let key = string(&expression["key"]);
        let mut values: Vec<&str> = items(&expression["values"])
            .iter()
            .filter_map(Value::as_str)
            .collect();
        values.sort_unstable();
        let values = values.join(",");
        let text = match string(&expression["operator"]) {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.to_owned(),
            "DoesNotExist" => format!("!{key}"),
            _ => return "<invalid>".to_owned(),
        };
        requirements.push((key.to_owned(), text));
    }
    requirements.sort();
    let texts: Vec<String> = requirements.into_iter().map(|(_, text)| text).collect();
    if texts.is_empty() {
        missing.to_owned()
    } else {
        texts.join(",")
    }
}

fn job_status(job: &Value) -> &'static str {
    let has = |ty: &str| {
        let condition = items(&job["status"]["conditions"])
            .iter()
            .find(|condition| condition["type"] == ty);
        condition.is_some_and(|condition| condition["status"] == "True")
    };
    if has("Complete") {
        "Complete"
    } else if has("Failed") {
        "Failed"
    } else if job["metadata"]["deletionTimestamp"].is_string() {
        "Terminating"
    } else if has("Suspended") {
        "Suspended"
    } else if has("FailureTarget") {
        "FailureTarget"
    } else if has("SuccessCriteriaMet") {
        "SuccessCriteriaMet"
    } else {
        "Running"
    }
}

fn job_completions(job: &Value) -> String {
    let succeeded = count(&job["status"]["succeeded"]);
    match (
        job["spec"]["completions"].as_i64(),
        count(&job["spec"]["parallelism"]),
    ) {
        (Some(wanted), _) => format!("{succeeded}/{wanted}"),
        (None, parallelism) if parallelism > 1 => format!("{succeeded}/1 of {parallelism}"),
        (None, _) => format!("{succeeded}/1"),
    }
}

fn job_duration(job: &Value, now: Timestamp) -> String {
    let time = |field: &str| {
        job["status"][field]
            .as_str()
            .and_then(|time| parse_time(time).ok())
    };
    match (time("startTime"), time("completionTime")) {
        (None, _) => String::new(),
        (Some(start), end) => age::between(start, end.unwrap_or(now)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(600).unwrap()
    }

    #[test]
    fn a_deployment_shows_its_replicas_and_template() {
        let deployment = json!({
            "metadata": {"name": "d", "creationTimestamp": "1970-01-01T00:00:00Z"},
            "spec": {
                "replicas": 3,
                "selector": {
                    "matchLabels": {"app": "x"},
                    "matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["2", "1"]}],
                },
                "template": {"spec": {"containers": [{"name": "a", "image": "i:1"}, {"name": "b", "image": "j:2"}]}},
            },
            "status": {"readyReplicas": 2, "updatedReplicas": 3, "availableReplicas": 1},
        });
        let expected = [
            json!("d"),
            json!("2/3"),
            json!(3),
            json!(1),
            json!("10m"),
            json!("a,b"),
            json!("i:1,j:2"),
            json!("a notin (1,2),app=x"),
        ];
        assert_eq!((DEPLOYMENT.cells)(&deployment, now()), expected);
    }

    #[test]
    fn a_job_shows_how_it_is_going() {
        let job = |spec: Value, status: Value| json!({"metadata": {"name": "j"}, "spec": spec, "status": status});
        let show = |job: &Value| {
            [
                job_status(job).to_owned(),
                job_completions(job),
                job_duration(job, now()),
            ]
        };
        assert_eq!(show(&job(json!({}), json!({}))), ["Running", "0/1", ""]);
        let running = job(
            json!({"parallelism": 3}),
            json!({"startTime": "1970-01-01T00:05:00Z", "succeeded": 1}),
        );
        assert_eq!(show(&running), ["Running", "1/1 of 3", "5m"]);
        let complete = job(
            json!({"completions": 2}),
            json!({
                "startTime": "1970-01-01T00:00:00Z", "completionTime": "1970-01-01T00:01:00Z", "succeeded": 2,
                "conditions": [{"type": "Complete", "status": "True"}],
            }),
        );
        assert_eq!(show(&complete), ["Complete", "2/2", "60s"]);
    }
}
