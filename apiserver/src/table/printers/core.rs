//! Leases and the core group, but for pods.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    AGE, Column, NAME, Printer, SELECTOR, age, count, created, items, labels, name, or, string,
    text,
};

pub(super) static LEASE: Printer = Printer {
    columns: &[NAME, text("Holder", "Identity of the current holder."), AGE],
    cells: |lease, now| {
        vec![
            name(lease),
            json!(string(&lease["spec"]["holderIdentity"])),
            created(lease, now),
        ]
    },
};

pub(super) static NAMESPACE: Printer = Printer {
    columns: &[NAME, text("Status", "Phase of the namespace."), AGE],
    cells: |namespace, now| {
        vec![
            name(namespace),
            json!(string(&namespace["status"]["phase"])),
            created(namespace, now),
        ]
    },
};

pub(super) static SERVICE_ACCOUNT: Printer = Printer {
    columns: &[NAME, AGE],
    cells: |account, now| vec![name(account), created(account, now)],
};

pub(super) static CONFIG_MAP: Printer = Printer {
    columns: &[NAME, text("Data", "Number of entries."), AGE],
    cells: |map, now| {
        let entries = size(&map["data"]) + size(&map["binaryData"]);
        vec![name(map), json!(entries), created(map, now)]
    },
};

pub(super) static SECRET: Printer = Printer {
    columns: &[
        NAME,
        text("Type", "What the data is for."),
        text("Data", "Number of entries."),
        AGE,
    ],
    cells: |secret, now| {
        vec![
            name(secret),
            json!(string(&secret["type"])),
            json!(size(&secret["data"])),
            created(secret, now),
        ]
    },
};

pub(super) static NODE: Printer = Printer {
    columns: &[
        NAME,
        text("Status", "Whether the node is ready."),
        text("Roles", "Roles of the node."),
        AGE,
        text("Version", "Version of the kubelet."),
        text("Internal-IP", "Address inside the cluster.").wide(),
        text("External-IP", "Address outside the cluster.").wide(),
        text("OS-Image", "Operating system.").wide(),
        text("Kernel-Version", "Version of the kernel.").wide(),
        text("Container-Runtime", "Version of the container runtime.").wide(),
    ],
    cells: node,
};

fn node(node: &Value, now: Timestamp) -> Vec<Value> {
    let info = &node["status"]["nodeInfo"];
    let mut kernel = or(string(&info["kernelVersion"]), "<unknown>").to_owned();
    if let Some(architecture) = info["architecture"]
        .as_str()
        .filter(|text| !text.is_empty())
    {
        kernel.push_str(&format!(" ({architecture})"));
    }
    vec![
        name(node),
        json!(node_status(node)),
        json!(node_roles(node)),
        created(node, now),
        json!(string(&info["kubeletVersion"])),
        json!(node_address(node, "InternalIP")),
        json!(node_address(node, "ExternalIP")),
        json!(or(string(&info["osImage"]), "<unknown>")),
        json!(kernel),
        json!(or(string(&info["containerRuntimeVersion"]), "<unknown>")),
    ]
}

fn node_status(node: &Value) -> String {
    let ready = items(&node["status"]["conditions"])
        .iter()
        .rfind(|condition| condition["type"] == "Ready");
    let status = match ready {
        None => "Unknown",
        Some(condition) if condition["status"] == "True" => "Ready",
        Some(_) => "NotReady",
    };
    if node["spec"]["unschedulable"] == true {
        format!("{status},SchedulingDisabled")
    } else {
        status.to_owned()
    }
}

fn node_roles(node: &Value) -> String {
    let labels = node["metadata"]["labels"].as_object();
    let mut roles: Vec<&str> = labels
        .into_iter()
        .flatten()
        .filter_map(
            |(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
                Some(role) => Some(role),
                None if key == "kubernetes.io/role" => value.as_str(),
                None => None,
            },
        )
        .filter(|role| !role.is_empty())
        .collect();
    roles.sort_unstable();
    roles.dedup();
    or(&roles.join(","), "<none>").to_owned()
}

fn node_address<'a>(node: &'a Value, ty: &str) -> &'a str {
    let address = items(&node["status"]["addresses"])
        .iter()
        .find(|address| address["type"] == ty);
    address.map_or("<none>", |address| string(&address["address"]))
}

pub(super) static SERVICE: Printer = Printer {
    columns: &[
        NAME,
        text("Type", "How the service is exposed."),
        text("Cluster-IP", "Address inside the cluster."),
        text("External-IP", "Address outside the cluster."),
        text("Port(s)", "Ports and protocols."),
        AGE,
        SELECTOR,
    ],
    cells: |service, now| {
        let spec = &service["spec"];
        let ports: Vec<String> = items(&spec["ports"]).iter().map(port).collect();
        vec![
            name(service),
            json!(string(&spec["type"])),
            json!(or(
                string(&spec["clusterIPs"][0]),
                or(string(&spec["clusterIP"]), "<none>")
            )),
            json!(external_ip(service)),
            json!(or(&ports.join(","), "<none>")),
            created(service, now),
            json!(labels(&spec["selector"])),
        ]
    },
};

fn port(port: &Value) -> String {
    let protocol = or(string(&port["protocol"]), "TCP");
    match count(&port["nodePort"]) {
        node_port if node_port > 0 => format!("{}:{node_port}/{protocol}", count(&port["port"])),
        _ => format!("{}/{protocol}", count(&port["port"])),
    }
}

fn external_ip(service: &Value) -> String {
    let spec = &service["spec"];
    let own: Vec<&str> = items(&spec["externalIPs"])
        .iter()
        .filter_map(Value::as_str)
        .collect();
    match string(&spec["type"]) {
        "ClusterIP" | "NodePort" => or(&own.join(","), "<none>").to_owned(),
        "LoadBalancer" => {
            let ingress = items(&service["status"]["loadBalancer"]["ingress"]);
            let mut all: Vec<&str> = ingress
                .iter()
                .map(|point| or(string(&point["ip"]), string(&point["hostname"])))
                .collect();
            all.sort_unstable();
            all.extend(own);
            or(&all.join(","), "<pending>").to_owned()
        }
        "ExternalName" => string(&spec["externalName"]).to_owned(),
        _ => "<unknown>".to_owned(),
    }
}

pub(super) static EVENT: Printer = Printer {
    columns: &[
        text("Last Seen", "Time since the event was last seen."),
        text("Type", "Normal or Warning."),
        text("Reason", "Short reason of the event."),
        text("Object", "What the event is about."),
        text(
            "Subobject",
            "The part of the object that the event is about.",
        )
        .wide(),
        text("Source", "Component that reported the event.").wide(),
        text("Message", "Description of the event."),
        text("First Seen", "Time since the event was first seen.").wide(),
        text("Count", "How often the event happened.").wide(),
        Column { wide: true, ..NAME },
    ],
    cells: event,
};

/// Events look different in their two groups; each field is read under either name.
fn event(event: &Value, now: Timestamp) -> Vec<Value> {
    let field = |core: &str, events: &str| match event.get(core) {
        Some(value) if !value.is_null() => value,
        _ => &event[events],
    };
    let time = |value: &Value| {
        if value.is_string() {
            Some(age::since(value, now))
        } else {
            None
        }
    };
    let event_time = age::since(&event["eventTime"], now);
    let first = time(field("firstTimestamp", "deprecatedFirstTimestamp")).unwrap_or(event_time);
    let last =
        time(field("lastTimestamp", "deprecatedLastTimestamp")).unwrap_or_else(|| first.clone());
    let series = &event["series"];
    let (last, times) = if series.is_object() {
        (
            age::since(&series["lastObservedTime"], now),
            count(&series["count"]),
        )
    } else {
        (last, count(field("count", "deprecatedCount")).max(1))
    };
    let object = field("involvedObject", "regarding");
    let kind = string(&object["kind"]).to_lowercase();
    let target = match string(&object["name"]) {
        "" => kind,
        name => format!("{kind}/{name}"),
    };
    let source = field("source", "deprecatedSource");
    let component = or(
        string(&source["component"]),
        string(field("reportingComponent", "reportingController")),
    );
    let instance = or(string(&source["host"]), string(&event["reportingInstance"]));
    let source = if instance.is_empty() {
        component.to_owned()
    } else {
        format!("{component}, {instance}")
    };
    vec![
        json!(last),
        json!(string(&event["type"])),
        json!(string(&event["reason"])),
        json!(target),
        json!(string(&object["fieldPath"])),
        json!(source),
        json!(string(field("message", "note")).trim()),
        json!(first),
        json!(times),
        name(event),
    ]
}

fn size(entries: &Value) -> usize {
    entries.as_object().map_or(0, serde_json::Map::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(3600).unwrap()
    }

    #[test]
    fn a_node_shows_status_roles_and_addresses() {
        let object = json!({
            "metadata": {"name": "n", "creationTimestamp": "1970-01-01T00:00:00Z", "labels": {
                "node-role.kubernetes.io/worker": "", "node-role.kubernetes.io/control-plane": "",
            }},
            "spec": {"unschedulable": true},
            "status": {
                "conditions": [{"type": "Ready", "status": "True"}],
                "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
                "nodeInfo": {"kubeletVersion": "v1.36.0", "kernelVersion": "6.1", "architecture": "arm64"},
            },
        });
        let expected = [
            "n",
            "Ready,SchedulingDisabled",
            "control-plane,worker",
            "60m",
            "v1.36.0",
            "10.0.0.1",
            "<none>",
            "<unknown>",
            "6.1 (arm64)",
            "<unknown>",
        ];
        assert_eq!(node(&object, now()), expected);
    }

    #[test]
    fn a_service_shows_addresses_and_ports() {
        let object = json!({
            "metadata": {"name": "s"},
            "spec": {
                "type": "LoadBalancer", "clusterIP": "10.0.0.7", "clusterIPs": ["10.0.0.7"], "selector": {"app": "x"},
                "ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}],
            },
        });
        let expected = [
            "s",
            "LoadBalancer",
            "10.0.0.7",
            "<pending>",
            "80:30080/TCP,53/UDP",
            "<unknown>",
            "app=x",
        ];
        assert_eq!((SERVICE.cells)(&object, now()), expected);
    }

    #[test]
    fn an_event_of_either_group_shows_the_same() {
        let core = json!({
            "metadata": {"name": "e"}, "type": "Normal", "reason": "Held", "message": " text\n",
            "involvedObject": {"kind": "Lease", "name": "l"}, "source": {"component": "c", "host": "h"},
            "firstTimestamp": "1970-01-01T00:00:00Z", "lastTimestamp": "1970-01-01T00:59:55Z", "count": 3,
        });
        let events = json!({
            "metadata": {"name": "e"}, "type": "Normal", "reason": "Held", "note": " text\n",
            "regarding": {"kind": "Lease", "name": "l"}, "deprecatedSource": {"component": "c", "host": "h"},
            "deprecatedFirstTimestamp": "1970-01-01T00:00:00Z", "deprecatedLastTimestamp": "1970-01-01T00:59:55Z",
            "deprecatedCount": 3,
        });
        let expected = [
            json!("5s"),
            json!("Normal"),
            json!("Held"),
            json!("lease/l"),
            json!(""),
            json!("c, h"),
            json!("text"),
            json!("60m"),
            json!(3),
            json!("e"),
        ];
        assert_eq!(event(&core, now()), expected);
        assert_eq!(event(&events, now()), expected);
    }
}
