//! Pods: one word for what their containers are doing.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{AGE, NAME, Printer, age, count, created, items, name, or, string, text};
use crate::golang::time::parse_time;

pub(super) static POD: Printer = Printer {
    columns: &[
        NAME,
        text("Ready", "Containers that are ready, of all."),
        text("Status", "What the containers are doing."),
        text(
            "Restarts",
            "Restarts of the containers, and when the last one was.",
        ),
        AGE,
        text("IP", "Address of the pod.").wide(),
        text("Node", "Node that the pod runs on.").wide(),
        text("Nominated Node", "Node on which room is being made.").wide(),
        text(
            "Readiness Gates",
            "Readiness gates that are passed, of all.",
        )
        .wide(),
    ],
    cells: pod,
};

fn pod(pod: &Value, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (&pod["spec"], &pod["status"]);
    let mut summary = Summary::of(pod);
    let phase = string(&status["phase"]);
    if pod["metadata"]["deletionTimestamp"].is_string() {
        if status["reason"] == "NodeLost" {
            summary.reason = "Unknown".to_owned();
        } else if !matches!(phase, "Succeeded" | "Failed") {
            summary.reason = "Terminating".to_owned();
        }
    }
    let restarts = match summary.last_restart {
        Some(time) if summary.restarts != 0 => {
            format!("{} ({} ago)", summary.restarts, age::between(time, now))
        }
        _ => summary.restarts.to_string(),
    };
    let sidecars = items(&spec["initContainers"])
        .iter()
        .filter(|container| restarts_always(container))
        .count();
    let total = items(&spec["containers"]).len() + sidecars;
    vec![
        name(pod),
        json!(format!("{}/{total}", summary.ready)),
        json!(summary.reason),
        json!(restarts),
        created(pod, now),
        json!(or(
            string(&status["podIPs"][0]["ip"]),
            or(string(&status["podIP"]), "<none>")
        )),
        json!(or(string(&spec["nodeName"]), "<none>")),
        json!(or(string(&status["nominatedNodeName"]), "<none>")),
        json!(readiness_gates(pod)),
    ]
}

/// What the statuses of the containers come to.
struct Summary {
    reason: String,
    ready: usize,
    restarts: i64,
    last_restart: Option<Timestamp>,
}

impl Summary {
    fn of(pod: &Value) -> Self {
        let status = &pod["status"];
        let conditions = items(&status["conditions"]);
        let mut reason = or(string(&status["reason"]), string(&status["phase"]));
        if conditions
            .iter()
            .any(|c| c["type"] == "PodScheduled" && c["reason"] == "SchedulingGated")
        {
            reason = "SchedulingGated";
        }
        let mut summary = Self {
            reason: reason.to_owned(),
            ready: 0,
            restarts: 0,
            last_restart: None,
        };
        let mut sidecars = Self {
            reason: String::new(),
            ready: 0,
            restarts: 0,
            last_restart: None,
        };
        let initializing = summary.read_init_containers(pod, &mut sidecars);
        let initialized = conditions
            .iter()
            .find(|c| c["type"] == "Initialized")
            .is_some_and(|c| c["status"] == "True");
        if !initializing || initialized {
            // Restarts during the initialization are no longer of interest, but for sidecars.
            summary.restarts = sidecars.restarts;
            summary.last_restart = sidecars.last_restart;
            summary.read_containers(status);
        }
        summary
    }

    /// Returns whether the pod is still initializing, or has failed to.
    fn read_init_containers(&mut self, pod: &Value, sidecars: &mut Self) -> bool {
        let specs = items(&pod["spec"]["initContainers"]);
        for (i, container) in items(&pod["status"]["initContainerStatuses"])
            .iter()
            .enumerate()
        {
            let is_sidecar = specs
                .iter()
                .any(|spec| spec["name"] == container["name"] && restarts_always(spec));
            self.count_restarts(container);
            if is_sidecar {
                sidecars.count_restarts(container);
            }
            let (terminated, waiting) = (
                &container["state"]["terminated"],
                &container["state"]["waiting"],
            );
            if terminated.is_object() && count(&terminated["exitCode"]) == 0 {
                continue;
            }
            if is_sidecar && container["started"] == true {
                self.ready += usize::from(container["ready"] == true);
                continue;
            }
            self.reason = if terminated.is_object() {
                format!("Init:{}", end_of(terminated))
            } else {
                match string(&waiting["reason"]) {
                    "" | "PodInitializing" => format!("Init:{i}/{}", specs.len()),
                    reason => format!("Init:{reason}"),
                }
            };
            return true;
        }
        false
    }

    fn read_containers(&mut self, status: &Value) {
        let (mut running, mut error) = (false, None);
        for container in items(&status["containerStatuses"]).iter().rev() {
            self.count_restarts(container);
            let state = &container["state"];
            if !string(&state["waiting"]["reason"]).is_empty() {
                self.reason = string(&state["waiting"]["reason"]).to_owned();
            } else if state["terminated"].is_object() {
                self.reason = end_of(&state["terminated"]);
                if count(&state["terminated"]["exitCode"]) != 0 {
                    error = Some(self.reason.clone());
                }
            } else if container["ready"] == true && state["running"].is_object() {
                running = true;
                self.ready += 1;
            }
        }
        if self.reason == "Completed" {
            let is_ready = items(&status["conditions"])
                .iter()
                .any(|c| c["type"] == "Ready" && c["status"] == "True");
            match (running, is_ready, error) {
                (true, true, _) => self.reason = "Running".to_owned(),
                (_, _, Some(error)) => self.reason = error,
                (true, false, None) => self.reason = "NotReady".to_owned(),
                (false, _, None) => {}
            }
        }
    }

    fn count_restarts(&mut self, container: &Value) {
        self.restarts += count(&container["restartCount"]);
        let finished = container["lastState"]["terminated"]["finishedAt"]
            .as_str()
            .and_then(|time| parse_time(time).ok());
        self.last_restart = self.last_restart.max(finished);
    }
}

/// How a container ended, in one word.
fn end_of(terminated: &Value) -> String {
    match (string(&terminated["reason"]), count(&terminated["signal"])) {
        ("", 0) => format!("ExitCode:{}", count(&terminated["exitCode"])),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

fn restarts_always(container: &Value) -> bool {
    container["restartPolicy"] == "Always"
}

fn readiness_gates(pod: &Value) -> String {
    let gates = items(&pod["spec"]["readinessGates"]);
    if gates.is_empty() {
        return "<none>".to_owned();
    }
    let conditions = items(&pod["status"]["conditions"]);
    let passed = gates.iter().filter(|gate| {
        conditions
            .iter()
            .find(|c| c["type"] == gate["conditionType"])
            .is_some_and(|c| c["status"] == "True")
    });
    format!("{}/{}", passed.count(), gates.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ready, Status and Restarts of a pod.
    fn show(spec: &Value, status: &Value, deleted: bool) -> [String; 3] {
        let mut object = json!({"metadata": {"name": "p"}, "spec": spec, "status": status});
        if deleted {
            object["metadata"]["deletionTimestamp"] = json!("1970-01-01T00:00:00Z");
        }
        let cells = pod(&object, Timestamp::from_second(600).unwrap());
        [1, 2, 3].map(|i| string(&cells[i]).to_owned())
    }

    #[test]
    fn the_status_is_that_of_the_containers() {
        let one = json!({"containers": [{"name": "a"}]});
        let container = |state: Value| json!({"phase": "Running", "containerStatuses": [{"name": "a", "state": state}]});
        let cases = [
            (json!({"phase": "Pending"}), false, ["0/1", "Pending", "0"]),
            (
                json!({"phase": "Failed", "reason": "Evicted"}),
                false,
                ["0/1", "Evicted", "0"],
            ),
            (
                json!({"phase": "Running", "containerStatuses": [{"name": "a", "ready": true, "state": {"running": {}}}]}),
                false,
                ["1/1", "Running", "0"],
            ),
            (
                container(json!({"waiting": {"reason": "CrashLoopBackOff"}})),
                false,
                ["0/1", "CrashLoopBackOff", "0"],
            ),
            (
                container(json!({"terminated": {"exitCode": 2}})),
                false,
                ["0/1", "ExitCode:2", "0"],
            ),
            (
                container(json!({"terminated": {"signal": 9, "exitCode": 137}})),
                false,
                ["0/1", "Signal:9", "0"],
            ),
            (
                container(json!({"running": {}})),
                true,
                ["0/1", "Terminating", "0"],
            ),
            (
                json!({"phase": "Succeeded"}),
                true,
                ["0/1", "Succeeded", "0"],
            ),
            (
                json!({"phase": "Running", "reason": "NodeLost"}),
                true,
                ["0/1", "Unknown", "0"],
            ),
        ];
        for (status, deleted, expected) in cases {
            assert_eq!(show(&one, &status, deleted), expected, "{status}");
        }
    }

    #[test]
    fn restarts_name_the_last_one() {
        let status = json!({"phase": "Running", "containerStatuses": [{
            "name": "a", "ready": true, "restartCount": 3, "state": {"running": {}},
            "lastState": {"terminated": {"finishedAt": "1970-01-01T00:05:00Z"}},
        }]});
        assert_eq!(
            show(&json!({"containers": [{}]}), &status, false),
            ["1/1", "Running", "3 (5m ago)"]
        );
    }

    #[test]
    fn an_initializing_pod_shows_how_far_it_is() {
        let spec = json!({"containers": [{}], "initContainers": [{"name": "i"}, {"name": "s", "restartPolicy": "Always"}]});
        let done = json!({"name": "i", "state": {"terminated": {"exitCode": 0}}});
        let waiting = json!({"phase": "Pending", "initContainerStatuses": [done, {"name": "s", "state": {"waiting": {}}}]});
        assert_eq!(show(&spec, &waiting, false), ["0/2", "Init:1/2", "0"]);
        let failed = json!({"phase": "Pending", "initContainerStatuses": [{"name": "i", "state": {"terminated": {"exitCode": 1}}}]});
        assert_eq!(show(&spec, &failed, false), ["0/2", "Init:ExitCode:1", "0"]);
        let sidecar = json!({"name": "s", "started": true, "ready": true, "restartCount": 2, "state": {"running": {}}});
        let running = json!({"phase": "Running", "initContainerStatuses": [done, sidecar],
            "containerStatuses": [{"ready": true, "state": {"running": {}}}]});
        assert_eq!(show(&spec, &running, false), ["2/2", "Running", "2"]);
    }
}
