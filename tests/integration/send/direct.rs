//! Through the protocol: what is printed, and every way to fail.

use gwlock_apiserver::faults::{Action, Fault};
use serde_json::{Value, json};

use super::arena::{Arena, FINGERPRINT, LEASE, POD, REQUEST, TARGET, alert, webhook};
use crate::fixture::{Gwlock, NAMESPACE, Run, Server};

/// What a role needs to send directly.
const RULES: [&str; 12] = [
    "get pods",
    "get namespaces",
    "get deployments.apps",
    "get replicasets.apps",
    "get leases.coordination.k8s.io",
    "create leases.coordination.k8s.io",
    "update leases.coordination.k8s.io",
    "delete leases.coordination.k8s.io",
    "list remediationrequests.kubernaut.ai",
    "get remediationrequests.kubernaut.ai",
    "create remediationrequests.kubernaut.ai",
    "patch remediationrequests/status.kubernaut.ai",
];

fn signal(name: &str, source: &str, severity: &str, audit: &str) -> Value {
    json!({
        "name": name, "source": source, "severity": severity, "auditSeverity": audit, "target": TARGET,
        "fingerprint": FINGERPRINT, "lease": LEASE,
    })
}

/// The error and the hints.
fn told(run: &Run) -> (i32, Vec<&str>) {
    assert_eq!(run.stdout, "", "{run:?}");
    (run.code, run.stderr.lines().collect())
}

#[test]
fn json_is_what_a_gateway_would_answer_and_the_signal_beside_it() {
    let arena = Arena::new();
    let flags = [alert(POD), vec!["-o", "json"]].concat();
    let run = arena.direct(&flags);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert_eq!(
        run.json(),
        json!({
            "status": "created", "message": "RemediationRequest created", "fingerprint": FINGERPRINT,
            "duplicate": false, "remediationRequestName": REQUEST, "remediationRequestNamespace": NAMESPACE,
            "signal": signal("HighMemoryUsage", "prometheus", "warning", "high"),
        })
    );
    let event = [
        "--event", "BackOff", "-n", "prod", "--pod", POD, "-o", "json",
    ];
    let duplicate = arena.direct(&event).json();
    let metadata = duplicate["metadata"].clone();
    assert_eq!(metadata["count"], 2);
    assert_eq!(
        duplicate,
        json!({
            "status": "duplicate", "message": "counted on a RemediationRequest that exists",
            "fingerprint": FINGERPRINT, "duplicate": true, "remediationRequestName": REQUEST,
            "remediationRequestNamespace": NAMESPACE, "metadata": metadata,
            "signal": signal("BackOff", "kubernetes-events", "Warning", "high"),
        })
    );
    assert_eq!(arena.counts(), [2]);
    assert_eq!(arena.server.leases(), Vec::<String>::new());
}

#[test]
fn yaml_paths_and_wide_rows_are_printed_as_well() {
    let arena = Arena::new();
    let with = |format: &str| arena.direct(&[alert(POD), vec!["-o", format]].concat());
    let run = with("jsonpath={.status} {.signal.severity} {.signal.auditSeverity}");
    assert_eq!((run.code, run.stdout.as_str()), (0, "created warning high"));
    let run = with("yaml");
    assert!(run.stdout.contains("\n  auditSeverity: high\n"), "{run:?}");
    let run = with("wide");
    let row = run.stdout.lines().nth(1).unwrap();
    assert!(row.contains(FINGERPRINT), "{row}");
    assert!(
        row.ends_with("   counted on a RemediationRequest that exists"),
        "{row}"
    );
    assert_eq!(arena.counts(), [3]);
}

#[test]
fn names_are_printed_for_kubectl() {
    let arena = Arena::new();
    let run = arena.direct(&[alert(POD), vec!["-o", "name"]].concat());
    let expected = format!("remediationrequest.kubernaut.ai/{REQUEST}\n");
    assert_eq!((run.code, run.stdout), (0, expected));
}

#[test]
fn a_path_that_is_not_understood_is_said_before_anything_is_started() {
    let arena = Arena::new();
    let before = arena.store();
    let run = arena.direct(&[alert(POD), vec!["-o", "jsonpath={.status"]].concat());
    assert_eq!(told(&run).0, 2, "{run:?}");
    assert_eq!(arena.store(), before);
}

#[test]
fn every_severity_stands_beside_the_word_for_audit() {
    let arena = Arena::new();
    for (severity, audit) in [
        ("critical", "critical"),
        ("Warning", "high"),
        ("info", "low"),
        ("P0", "unknown"),
    ] {
        let path = "jsonpath={.signal.severity} {.signal.auditSeverity}";
        let run = arena.direct(&[
            "--alertname",
            "A",
            "-n",
            "prod",
            "--pod",
            POD,
            "--severity",
            severity,
            "-o",
            path,
        ]);
        assert_eq!(run.stdout, format!("{severity} {audit}"), "{run:?}");
    }
}

#[test]
fn what_is_over_changes_nothing() {
    let arena = Arena::new();
    let before = arena.store();
    let run = arena.direct(&[alert(POD), vec!["--status", "resolved", "-o", "json"]].concat());
    assert_eq!(
        (run.code, run.json()),
        (
            0,
            json!({"status": "resolved", "message": "resolved alerts change nothing", "duplicate": false})
        )
    );
    assert_eq!(arena.store(), before);
}

#[test]
fn what_is_not_managed_is_rejected_with_what_would_change_that() {
    let arena = Arena::new();
    let before = arena.store();
    let flags = ["--alertname", "A", "-n", "staging", "--pod", "u"];
    let run = arena.direct(&flags);
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (
            1,
            "hint: kubectl label namespace staging kubernaut.ai/managed=true\n"
        )
    );
    let row = run.stdout.lines().nth(1).unwrap();
    assert!(
        row.starts_with("rejected   -       -                    gw-lock-")
            && row.ends_with("kubernaut.ai/managed=true"),
        "{row}"
    );
    assert_eq!(arena.store(), before);
    let run = arena.direct(&[&flags[..], &["--scope", "all"]].concat());
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(arena.counts(), [1]);
}

#[test]
fn a_payload_that_cannot_become_a_signal_is_bad_input_and_nothing_is_written() {
    let arena = Arena::new();
    let before = arena.store();
    let too_large = " ".repeat(262_145);
    for (payload, expected) in [
        (
            webhook(&[json!({"alertname": "A"})]),
            "error: alerts[0].labels: no label names a Kubernetes object",
        ),
        (
            webhook(&[json!({"alertname": "A", "namespace": "prod", "pod": "nope"})]),
            "error: Pod/nope does not exist in namespace \"prod\"",
        ),
        (r#"{"alerts": []}"#.to_owned(), "error: alerts: missing"),
        (
            r#"{"alerts": [{"labels": 1}]}"#.to_owned(),
            "error: alerts[0].labels: an object is expected",
        ),
        (
            r#"{"involvedObject": {"kind": "Pod", "name": "p"}, "reason": "r", "type": "Normal"}"#
                .to_owned(),
            "error: type: \"Normal\" is not handled, Warning and Error are",
        ),
        (
            r#"{"kind": "List"}"#.to_owned(),
            "error: the payload PATH cannot be used: neither a webhook of Alertmanager (alerts) nor an event (involvedObject)",
        ),
        (
            r#"{"alerts": ["#.to_owned(),
            "error: the payload PATH cannot be used: the body is no JSON object: EOF while parsing a list at line 1 column 12",
        ),
        (
            too_large,
            "error: the payload PATH has more than 262144 bytes: nothing was sent",
        ),
    ] {
        let path = arena.file("payload.json", &payload);
        let run = arena.direct(&["-f", &path]);
        let (code, lines) = told(&run);
        assert_eq!(
            (code, lines[0]),
            (65, expected.replace("PATH", &path).as_str())
        );
    }
    let run = arena.direct(&["-f", "/nonexistent"]);
    assert_eq!(told(&run).0, 65, "{run:?}");
    assert_eq!(arena.store(), before);
}

#[test]
fn the_format_of_a_payload_can_be_said() {
    let arena = Arena::new();
    let path = arena.file("payload.json", webhook(&[json!({"alertname": "A"})]));
    let run = arena.direct(&["-f", &path, "--payload-as", "event"]);
    assert_eq!(told(&run), (65, vec!["error: reason: missing"]));
}

#[test]
fn of_a_batch_each_alert_has_a_row_and_the_worst_one_counts() {
    let arena = Arena::new();
    let managed = |pod: &str| json!({"alertname": "A", "namespace": "prod", "pod": pod});
    let unmanaged = json!({"alertname": "A", "namespace": "staging", "pod": "u"});
    let path = arena.file(
        "batch.json",
        webhook(&[managed("p-0"), managed("p-0"), unmanaged.clone()]),
    );
    let run = arena.direct(&["-f", &path]);
    let words: Vec<&str> = run.stdout.lines().skip(1).map(first_word).collect();
    assert_eq!((run.code, run.stderr.as_str()), (1, ""), "{run:?}");
    assert_eq!(words, ["created", "duplicate", "rejected"]);
    assert_eq!(arena.counts(), [2]);

    let path = arena.file(
        "batch.json",
        webhook(&[managed("p-0"), json!({"alertname": "A"}), unmanaged]),
    );
    let run = arena.direct(&["-f", &path, "-o", "json"]);
    let printed = run.json();
    assert_eq!(
        printed["summary"],
        json!({"total": 3, "created": 0, "deduplicated": 1, "rejected": 1, "failed": 1})
    );
    let statuses: Vec<&Value> = printed["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["status"])
        .collect();
    assert_eq!(statuses, ["duplicate", "failed", "rejected"]);
    assert_eq!(printed["signals"][0]["target"], "prod:Pod:p-0");
    assert_eq!(printed["signals"][1], Value::Null);
    let error = run.json_error();
    assert_eq!((run.code, &error["code"]), (65, &json!(65)));
    assert_eq!(
        error["message"],
        "1 of 3 signals failed, the first because: alerts[1].labels: no label names a Kubernetes object"
    );
}

fn first_word(line: &str) -> &str {
    line.split_whitespace().next().unwrap()
}

#[test]
fn a_lease_that_somebody_holds_is_busy() {
    let arena = Arena::new();
    arena
        .server
        .lease(LEASE, 0, &Server::held_by("gateway-1", 0));
    let run = arena.direct(&[alert(POD), vec!["--signal-timeout", "1s"]].concat());
    let (code, lines) = told(&run);
    assert_eq!(
        (code, lines),
        (
            75,
            vec![
                "error: the lease of the fingerprint was not acquired: the lease is held by gateway-1",
                "hint: gwlock inspect gw-lock-91fce8d5c4949766 -n kubernaut-system   # who holds it now",
            ]
        )
    );
    assert_eq!(arena.counts(), [0_i64; 0]);
}

#[test]
fn an_api_server_that_does_not_answer_is_unreachable() {
    let mut arena = Arena::new();
    let kubeconfig = arena.server.kubeconfig("admin");
    arena.server.stop_serving();
    let flags = [&["send", "--direct", "--yes"], alert(POD).as_slice()].concat();
    let run = Gwlock::new(&flags).env("KUBECONFIG", kubeconfig).run();
    let (code, lines) = told(&run);
    assert_eq!(code, 69);
    assert!(
        lines[0].starts_with("error: the connection to the server 127.0.0.1:"),
        "{run:?}"
    );
}

#[test]
fn a_count_whose_answer_is_lost_for_good_is_unknown() {
    let arena = Arena::new();
    arena
        .server
        .inject(Fault::new(Action::LoseAnswer).verb("patch"));
    let lost = Fault::new(Action::LoseRequest)
        .verb("get")
        .resource("remediationrequests");
    arena.server.inject(lost);
    let run = arena.direct(&[alert(POD), vec!["--signal-timeout", "1s"]].concat());
    let (code, lines) = told(&run);
    assert_eq!(code, 76, "{run:?}");
    assert!(
        lines[0].starts_with("error: the outcome of a write is unknown: "),
        "{run:?}"
    );
    assert_eq!(
        lines[1],
        format!("hint: gwlock resolve {FINGERPRINT} -n {NAMESPACE}   # what there is now")
    );
}

#[test]
fn a_missing_permission_is_named_as_a_rule() {
    for (missing, group, resource, verb, namespace, why) in [
        (
            "get pods",
            "",
            "pods",
            "get",
            None,
            "look up objects that signals are about, and their owners",
        ),
        (
            "create leases.coordination.k8s.io",
            "coordination.k8s.io",
            "leases",
            "create",
            Some(NAMESPACE),
            "acquire a lease that nobody has",
        ),
        (
            "list remediationrequests.kubernaut.ai",
            "kubernaut.ai",
            "remediationrequests",
            "list",
            Some(NAMESPACE),
            "find the RemediationRequests of a fingerprint",
        ),
        (
            "patch remediationrequests/status.kubernaut.ai",
            "kubernaut.ai",
            "remediationrequests/status",
            "patch",
            Some(NAMESPACE),
            "count an occurrence",
        ),
    ] {
        let arena = Arena::new();
        let rules: Vec<&str> = RULES.into_iter().filter(|rule| *rule != missing).collect();
        arena.allow(&rules);
        let run = arena.direct_as("viewer", &alert(POD)).run();
        let (code, lines) = told(&run);
        let forbidden = format!("User \"viewer\" cannot {verb} resource \"{resource}\"");
        assert!(lines[0].contains(&forbidden), "{run:?}");
        let (kind, place) = match namespace {
            Some(namespace) => ("Role", format!("    namespace: {namespace}\n")),
            // Signals are about objects in any namespace.
            None => ("ClusterRole", String::new()),
        };
        let rule = format!(
            "hint: the rule that is missing:\n  apiVersion: rbac.authorization.k8s.io/v1\n  kind: {kind}\n  metadata:\n    \
             name: gwlock\n{place}  rules:\n  # to {why}\n  - apiGroups: [\"{group}\"]\n    resources: \
             [\"{resource}\"]\n    verbs: [\"{verb}\"]"
        );
        assert_eq!((code, lines[1..].join("\n")), (77, rule), "{missing}");
    }
}

#[test]
fn these_permissions_are_enough() {
    let arena = Arena::new();
    arena.allow(&RULES);
    let run = arena.direct_as("viewer", &alert(POD)).run();
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(arena.counts(), [1]);
}

#[test]
fn who_is_not_known_is_not_allowed() {
    let arena = Arena::new();
    let run = arena.direct_as("stranger", &alert(POD)).run();
    assert_eq!(told(&run).0, 77, "{run:?}");
}

#[test]
fn a_cluster_without_the_definition_is_a_matter_of_configuration() {
    let arena = Arena::without_requests();
    let run = arena.direct(&alert(POD));
    let (code, lines) = told(&run);
    assert_eq!(code, 78, "{run:?}");
    assert!(
        lines[0].ends_with(" does not serve remediationrequests.kubernaut.ai"),
        "{run:?}"
    );
    let run = Gwlock::new(&[&["send", "--direct", "--yes"], alert(POD).as_slice()].concat()).run();
    assert_eq!(told(&run).0, 78, "{run:?}");
}

#[test]
fn leases_and_requests_can_live_elsewhere() {
    let arena = Arena::new();
    for namespace in ["locks", "requests"] {
        let namespace = json!({"metadata": {"name": namespace}});
        arena.server.post("/api/v1/namespaces", &namespace);
    }
    let places = [
        "--lease-namespace",
        "locks",
        "--controller-namespace",
        "requests",
    ];
    let run = arena.direct(&[alert(POD), places.to_vec(), vec!["--trace"]].concat());
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.stderr
            .contains(" as me, leases in locks, RemediationRequests in requests\n"),
        "{run:?}"
    );
    let list = arena
        .server
        .get("/apis/kubernaut.ai/v1alpha1/namespaces/requests/remediationrequests");
    let [request] = list["items"].as_array().unwrap().as_slice() else {
        panic!("{list}")
    };
    let made_by = request["metadata"]["annotations"].to_string();
    assert!(made_by.contains("\"me_"), "{made_by}");
    for flag in ["--controller-namespace", "--lease-namespace"] {
        let run = arena.direct(&[alert("p-0"), vec![flag, "nope"]].concat());
        let lines = vec![
            "error: namespaces \"nope\" not found",
            "hint: kubectl create namespace nope",
        ];
        assert_eq!(told(&run), (78, lines), "{flag}");
    }
}

#[test]
fn who_sends_is_the_identity_that_is_given_the_pod_or_the_user() {
    let arena = Arena::new();
    for (pod, flags, expected) in [
        (None, vec!["--identity", "me"], "as me,"),
        (Some("gateway-0"), vec![], "as gateway-0,"),
        (None, vec![], "as ops@"),
    ] {
        let base = ["send", "--direct", "--yes", "--trace"];
        let arguments = [&base[..], &flags, &alert(POD)].concat();
        let mut gwlock = arena.server.gwlock(&arguments);
        if let Some(pod) = pod {
            gwlock = gwlock.env("POD_NAME", pod);
        }
        let run = gwlock.run();
        assert!(run.stderr.contains(expected), "{run:?}");
    }
}

#[test]
fn januarys_rules_can_be_followed() {
    let arena = Arena::new();
    let flags = [
        "--gateway-version",
        "january",
        "-o",
        "jsonpath={.signal.target} {.fingerprint}",
    ];
    let run = arena.direct(&[alert("p-0"), flags.to_vec()].concat());
    let fingerprint = gwlock_engine::protocol::key::Fingerprint::of("HighMemoryUsage:prod:Pod:p-0");
    assert_eq!(
        (run.code, run.stdout),
        (0, format!("prod:Pod:p-0 {fingerprint}"))
    );
}
