//! What stands behind a lease: pods, nodes and RemediationRequests, and what is said where they cannot be read.

use std::io::{BufRead as _, BufReader};

use serde_json::{Value, json};

use crate::fixture::{NAMESPACE, Run, Server};

const KEY: &str = "gw-lock-91fce8d5c4949766";
const FINGERPRINT: &str = "91fce8d5c4949766458bd4bd58859a4fb2e8470ef64ef438c22903744799a9b1";
const REQUESTS: &str =
    "/apis/kubernaut.ai/v1alpha1/namespaces/kubernaut-system/remediationrequests";

fn running(started_seconds_ago: i64, server: &Server) -> Value {
    let started = server
        .micro_time(started_seconds_ago)
        .replace(".000000Z", "Z");
    json!({"phase": "Running", "containerStatuses": [{
        "name": "gateway", "image": "gateway", "imageID": "", "ready": true, "restartCount": 1,
        "state": {"running": {"startedAt": started}}, "lastState": {},
    }]})
}

/// What a gateway wrote so many seconds ago, held for longer than any test takes.
fn held(holder: &str, seconds_ago: i64) -> Value {
    let mut spec = Server::held_by(holder, seconds_ago);
    spec["leaseDurationSeconds"] = json!(3600);
    spec
}

/// A lease for each holder, held for five seconds, in the order of their names.
fn held_by(holders: &[&str]) -> Server {
    let server = Server::start();
    for (at, holder) in holders.iter().enumerate() {
        server.lease(&format!("gw-lock-000000000000000{at}"), 5, &held(holder, 5));
    }
    server
}

fn reports(server: &Server, flags: &[&str]) -> Vec<Value> {
    let run = server
        .gwlock(&[&["inspect", "-o", "json"], flags].concat())
        .run();
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{flags:?}");
    run.json()["items"].as_array().unwrap().clone()
}

/// What a table shows of each lease in one of its columns.
fn column(run: &Run, name: &str) -> Vec<String> {
    let mut lines = run.stdout.lines();
    let header = lines.next().unwrap();
    let from = header.find(name).unwrap();
    let to = header[from..].find("   ").map(|gap| {
        let rest = &header[from + gap..];
        from + gap + (rest.len() - rest.trim_start().len())
    });
    let cell = |line: &str| {
        let to = to.unwrap_or(line.len()).min(line.len());
        line.get(from..to).unwrap_or_default().trim().to_owned()
    };
    lines.map(cell).collect()
}

#[test]
fn a_pod_says_whether_its_holder_can_be_at_work() {
    let ours = "gateway-5_0123456789abcdef";
    let server = held_by(&[
        "gateway-0",
        "gateway-1",
        "gateway-2",
        "gateway-3",
        "gateway-4",
        ours,
        "ops@laptop",
    ]);
    server.node("good", "True");
    server.node("lost", "Unknown");
    server.pod("gateway-0", 100, "good", &running(90, &server));
    server.pod("gateway-1", 100, "lost", &running(90, &server));
    server.pod("gateway-2", 100, "good", &json!({"phase": "Failed"}));
    // Made after the last write of the lease.
    server.pod("gateway-3", 0, "good", &running(0, &server));
    let reports = reports(&server, &["--evidence"]);
    let told: Vec<(&Value, &Value, &Value, &Value)> = reports
        .iter()
        .map(|report| {
            (
                &report["pod"]["state"],
                &report["pod"]["gone"],
                &report["state"],
                &report["stale"],
            )
        })
        .collect();
    let held = json!("held");
    let (yes, no, nothing) = (json!(true), json!(false), Value::Null);
    assert_eq!(
        told,
        [
            (&json!("Present"), &no, &held, &no),
            (&json!("Unreachable"), &no, &held, &no),
            (&json!("Finished"), &yes, &held, &no),
            (&json!("OtherGeneration"), &yes, &held, &no),
            (&json!("Absent"), &yes, &held, &no),
            // A base that somebody may have chosen proves nothing by its absence.
            (&json!("Absent"), &no, &held, &no),
            (&nothing, &nothing, &held, &no),
        ]
    );
    assert_eq!(reports[0]["pod"]["nodeReady"], yes);
    assert_eq!(reports[1]["pod"]["nodeReady"], no);
    let problems: Vec<&Value> = reports.iter().map(|report| &report["problems"]).collect();
    assert_eq!(
        problems,
        [
            &json!([]),
            &json!([
                "the holder's pod gateway-1 cannot be reached on node lost, which proves nothing"
            ]),
            &json!(["the holder's pod gateway-2 is gone: it has ended"]),
            &json!([
                "the holder's pod gateway-3 is gone: the one of that name in kubernaut-system was created after the last write"
            ]),
            &json!(["the holder's pod gateway-4 is gone"]),
            &json!([]),
            &json!([]),
        ]
    );
    let run = server.gwlock(&["inspect", "-o", "wide"]).run();
    assert_eq!(
        column(&run, "POD"),
        [
            "Running",
            "unreachable",
            "Failed",
            "gone (another has its name)",
            "gone",
            "none",
            "-"
        ]
    );
    assert_eq!(
        column(&run, "NODE"),
        ["good", "lost (not ready)", "good", "good", "-", "-", "-"]
    );
    assert_eq!(
        column(&run, "GENERATION"),
        [
            "pod-level",
            "pod-level",
            "pod-level",
            "pod-level",
            "pod-level",
            "acquisition",
            "pod-level"
        ]
    );
}

#[test]
fn a_restart_counts_from_the_acquisition_by_the_servers_clock() {
    let server = Server::start();
    server.node("good", "True");
    // The holder's clock is an hour ahead: by it the lease was acquired after the restart.
    let mut spec = Server::held_by("gateway-0", 20 - 3600);
    server.lease("gw-lock-0000000000000000", 20, &spec);
    spec["holderIdentity"] = json!("gateway-1");
    server.lease("gw-lock-0000000000000001", 20, &spec);
    server.pod("gateway-0", 100, "good", &running(10, &server));
    server.pod("gateway-1", 100, "good", &running(30, &server));
    let reports = reports(&server, &["--evidence"]);
    let states: Vec<&Value> = reports
        .iter()
        .map(|report| &report["pod"]["state"])
        .collect();
    assert_eq!(states, [&json!("Restarted"), &json!("Present")]);
    let restarted = |at: usize| &reports[at]["pod"]["restartedSinceAcquired"];
    assert_eq!(restarted(0)[0]["container"], json!("gateway"));
    assert_eq!(restarted(1), &json!([]));
}

#[test]
fn a_fix_can_be_pasted_and_says_why() {
    let server = held_by(&["gateway-4"]);
    let reports = reports(&server, &["--evidence"]);
    let finding = &reports[0]["findings"][0];
    assert_eq!(finding["code"], json!("Pod"));
    let fix = finding["fix"].as_str().unwrap();
    let (command, why) = fix.split_once("   # ").unwrap();
    assert_eq!(
        command,
        "gwlock force-expire gw-lock-0000000000000000 -n kubernaut-system --even-if-live --reason 'pod gateway-4 is gone'"
    );
    assert!(why.starts_with("or wait: it expires in "), "{why}");
    let words = [
        "force-expire",
        "gw-lock-0000000000000000",
        "-n",
        "kubernaut-system",
        "--even-if-live",
        "--reason",
        "pod gateway-4 is gone",
        "--yes",
    ];
    let run = server.gwlock(&words).run();
    assert_eq!((run.code, server.leases()), (0, Vec::new()), "{run:?}");
}

fn with_request() -> Server {
    let server = held_by(&[]);
    server.lease(KEY, 5, &held("gateway-0", 5));
    server.lease(
        "kubernaut-interactive-rr-91fce8d5c494-0a1b2c3d",
        5,
        &json!({"holderIdentity": "ops"}),
    );
    server.serve_remediation_requests();
    let time = "2026-01-01T00:00:00Z";
    for name in ["rr-91fce8d5c494-0a1b2c3d", "rr-000000000000-0a1b2c3d"] {
        server.post(REQUESTS, &json!({
            "apiVersion": "kubernaut.ai/v1alpha1", "kind": "RemediationRequest", "metadata": {"name": name},
            "spec": {
                "signalFingerprint": FINGERPRINT, "signalName": "HighMemoryUsage", "severity": "critical",
                "signalType": "alert", "targetType": "kubernetes", "firingTime": time, "receivedTime": time,
                "targetResource": {"namespace": "prod", "kind": "Deployment", "name": "payment-api"},
            },
        }));
    }
    server
}

#[test]
fn the_request_behind_a_lease_is_found_by_its_name_or_by_the_whole_fingerprint() {
    let server = with_request();
    let names = |report: &Value| -> Vec<String> {
        let requests = report["remediationRequests"].as_array().unwrap().iter();
        requests
            .map(|request| request["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let listed = reports(&server, &["--evidence", "--prefix", "all"]);
    for report in &listed {
        assert_eq!(names(report), ["rr-91fce8d5c494-0a1b2c3d"], "{report}");
        assert_eq!(
            report["remediationRequests"][0]["target"],
            json!("prod:Deployment:payment-api")
        );
    }
    assert_eq!(listed.len(), 2);
    // With the whole fingerprint those of other names are found as well, by one request.
    let lists = server.count_of("list", "remediationrequests");
    let by_target = reports(&server, &["prod/Deployment/payment-api"]);
    assert_eq!(names(&by_target[0]).len(), 2);
    assert_eq!(server.count_of("list", "remediationrequests"), lists + 1);
}

#[test]
fn what_cannot_be_read_is_shown_as_forbidden_with_one_warning_and_the_rest_works() {
    let server = with_request();
    server.lease(
        "gw-lock-0000000000000001",
        100,
        &Server::held_by("gateway-1", 100),
    );
    server.allow(
        "viewer",
        &[("coordination.k8s.io", "leases", &["get", "list"])],
    );
    let run = server.gwlock_as("viewer", &["inspect", "-o", "wide"]).run();
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(column(&run, "POD"), ["forbidden", "forbidden"]);
    assert_eq!(column(&run, "REQUEST"), ["forbidden", "forbidden"]);
    assert_eq!(column(&run, "STATE"), ["expired", "held"]);
    assert_eq!(run.stderr.matches("warning: ").count(), 2, "{}", run.stderr);
    for (group, resource, verb, why) in [
        ("", "pods", "get", "see whether the pod of a holder lives"),
        (
            "kubernaut.ai",
            "remediationrequests",
            "list",
            "find the RemediationRequests of a fingerprint",
        ),
    ] {
        let rule = format!(
            "the rule that is missing:\n  apiVersion: rbac.authorization.k8s.io/v1\n  kind: Role\n  metadata:\n    \
             name: gwlock\n    namespace: {NAMESPACE}\n  rules:\n  # to {why}\n  - apiGroups: [\"{group}\"]\n    \
             resources: [\"{resource}\"]\n    verbs: [\"{verb}\"]\n"
        );
        assert!(run.stderr.contains(&rule), "{rule}\n{}", run.stderr);
    }
    let run = server
        .gwlock_as("viewer", &["inspect", KEY, "-o", "json"])
        .run();
    assert_eq!(run.code, 0);
    let list = run.json();
    assert_eq!(
        list["items"][0]["pod"],
        json!({"state": "Unread", "unread": "forbidden"})
    );
    assert_eq!(list["items"][0]["remediationRequests"], Value::Null);
    let resources: Vec<&Value> = list["unread"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["resource"])
        .collect();
    assert_eq!(
        resources,
        [
            &json!("pods"),
            &json!("remediationrequests"),
            &json!("events")
        ]
    );
    // Whoever does not want to know is not warned.
    let run = server
        .gwlock_as("viewer", &["inspect", KEY, "--no-evidence"])
        .run();
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
}

#[test]
fn pods_are_shown_to_whoever_may_not_see_their_nodes() {
    let server = held_by(&["gateway-0"]);
    server.node("lost", "Unknown");
    server.pod("gateway-0", 100, "lost", &running(90, &server));
    server.allow(
        "viewer",
        &[
            ("coordination.k8s.io", "leases", &["get", "list"]),
            ("", "pods", &["get"]),
        ],
    );
    let run = server.gwlock_as("viewer", &["inspect", "-o", "wide"]).run();
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(column(&run, "POD"), ["Running"]);
    assert_eq!(column(&run, "NODE"), ["lost (forbidden)"]);
    let nodes = "warning: nodes cannot be read: ";
    let warning = run.stderr.lines().find(|line| line.starts_with(nodes));
    assert!(warning.is_some(), "{}", run.stderr);
    // Nodes are the whole cluster's.
    assert!(
        run.stderr.contains("  kind: ClusterRole\n"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_cluster_without_remediation_requests_is_no_reason_to_warn() {
    let server = held_by(&["gateway-0"]);
    let run = server.gwlock(&["inspect", "-o", "wide"]).run();
    assert_eq!(
        (column(&run, "REQUEST"), run.stderr.as_str()),
        (vec!["not served".to_owned()], "")
    );
}

#[test]
fn a_watch_says_how_long_it_has_seen_a_claim_unchanged() {
    let server = Server::start();
    server.lease(KEY, 30, &Server::held_by("gateway-0", 30));
    let mut watching = server
        .gwlock(&["inspect", KEY, "--watch", "-o", "json"])
        .start();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    let observed = |report: &Value| report["ages"]["observedSeconds"].as_u64().unwrap();
    let there = next();
    assert_eq!((&there["state"], observed(&there)), (&json!("held"), 0));
    let expired = next();
    assert_eq!(expired["state"], json!("expired"));
    assert!((1..60).contains(&observed(&expired)), "{expired}");
    watching.kill().unwrap();
    watching.wait().unwrap();
}

#[test]
fn a_plain_list_asks_for_leases_alone() {
    let server = with_request();
    for flags in [
        &["inspect"][..],
        &["inspect", "-o", "json"],
        &["inspect", KEY, "-o", "name"],
    ] {
        assert_eq!(server.gwlock(flags).run().code, 0, "{flags:?}");
    }
    for resource in ["pods", "nodes", "remediationrequests", "events"] {
        let asked = server.count_of("get", resource) + server.count_of("list", resource);
        assert_eq!(asked, 0, "{resource}");
    }
}

#[test]
fn many_pods_are_listed_and_few_are_read() {
    let holders: Vec<String> = (0..9).map(|at| format!("gateway-{at}")).collect();
    let holders: Vec<&str> = holders.iter().map(String::as_str).collect();
    let server = held_by(&holders);
    server.pod("gateway-8", 100, "", &json!({"phase": "Running"}));
    let states = |reports: &[Value]| -> Vec<Value> {
        reports
            .iter()
            .map(|report| report["pod"]["state"].clone())
            .collect()
    };
    let mut expected = vec![json!("Absent"); 8];
    expected.push(json!("Present"));
    assert_eq!(states(&reports(&server, &["--evidence"])), expected);
    assert_eq!(
        (
            server.count_of("list", "pods"),
            server.count_of("get", "pods")
        ),
        (1, 0)
    );
    let few = reports(&server, &["--evidence", "--holder", "gateway-8"]);
    assert_eq!(states(&few), [json!("Present")]);
    assert_eq!(
        (
            server.count_of("list", "pods"),
            server.count_of("get", "pods")
        ),
        (1, 1)
    );
}

#[test]
fn one_name_of_two_processes_is_told_where_the_leases_prove_it() {
    let server = Server::start();
    server.lease("gw-lock-0000000000000000", 5, &held("gateway-0", 5));
    server.lease("gw-lock-0000000000000001", 5, &held("gateway-0", 3605));
    server.lease("gw-lock-0000000000000002", 5, &held("gateway-1", 5));
    let reports = reports(&server, &[]);
    let codes: Vec<Vec<&str>> = reports
        .iter()
        .map(|report| {
            let findings = report["findings"].as_array().unwrap().iter();
            findings
                .map(|finding| finding["code"].as_str().unwrap())
                .collect()
        })
        .collect();
    assert_eq!(
        codes,
        [
            vec!["SharedName"],
            vec!["HolderClock", "SharedName"],
            vec![]
        ]
    );
}
