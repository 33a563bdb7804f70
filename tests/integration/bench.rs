//! `bench`: what it prints, and that nothing of it stays. Its figures are nobody's expectation.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::fixture::{NAMESPACE, Run, Server};

#[test]
fn a_report_has_a_line_for_each_number_of_clients() {
    let server = Server::start();
    let run = server
        .gwlock(&[
            "bench",
            "lease",
            "--clients",
            "1,4",
            "--total",
            "20",
            "--repeats",
            "1",
            "--compare",
            "gateway",
            "-o",
            "json",
        ])
        .run();
    assert_eq!(run.code, 0, "{run:?}");
    let report = run.json();
    assert_eq!(report["kind"], "LeaseBenchReport");
    let items = report["items"].as_array().unwrap();
    let clients: Vec<&Value> = items.iter().map(|item| &item["clients"]).collect();
    assert_eq!(clients, [1, 4]);
    for item in items {
        let keys: Vec<&String> = item.as_object().unwrap().keys().collect();
        assert_eq!(
            keys,
            [
                "bareRoundsPerSecond",
                "clientCpuMsPerRound",
                "clients",
                "gatewayRoundsPerSecond",
                "p50Ms",
                "p95Ms",
                "p99Ms",
                "ratio",
                "ratioToGateway",
                "requestsPerRound",
                "roundsPerSecond"
            ]
        );
        assert_eq!(item["requestsPerRound"], json!(2.0));
    }
    assert_eq!(server.leases(), Vec::<String>::new());
}

#[test]
fn hand_overs_are_counted() {
    let server = Server::start();
    let run = server
        .gwlock(&["bench", "lease", "--handoff", "--total", "3", "-o", "json"])
        .run();
    assert_eq!(run.code, 0, "{run:?}");
    let report = run.json();
    assert_eq!(
        (&report["kind"], &report["rounds"]),
        (&json!("LeaseHandoffReport"), &json!(3))
    );
    assert_eq!(server.leases(), Vec::<String>::new());
}

#[test]
fn an_interrupted_bench_leaves_no_lease() {
    let server = Server::start();
    let child = server
        .gwlock(&["bench", "lease", "--clients", "8", "--total", "1000000"])
        .start();
    server.wait_for(|exchange| exchange.verb == "delete");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!((run.code, run.stdout.as_str()), (130, ""), "{run:?}");
    assert_eq!(server.leases(), Vec::<String>::new());
}

const REQUESTS: &str = "/apis/kubernaut.ai/v1alpha1/remediationrequests";
const NAMESPACES: &str = "/api/v1/namespaces";

fn requests(report: &Value, protocol: &str) -> Vec<Value> {
    let items = report["items"].as_array().unwrap().iter();
    items
        .map(|item| item[protocol]["requests"].clone())
        .collect()
}

#[test]
fn requests_are_counted_case_by_case_and_nothing_stays() {
    let server = Server::start();
    server.serve_remediation_requests();
    let namespaces = server.names(NAMESPACES);
    let run = server
        .gwlock(&[
            "bench",
            "requests",
            "--yes",
            "--compare",
            "gateway",
            "--simultaneous",
            "7",
            "-o",
            "json",
        ])
        .run();
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    let report = run.json();
    assert_eq!(report["kind"], "SignalRequestsReport");
    assert_eq!(
        requests(&report, "gwlock"),
        [6, 6, 2, 2, 0, 2, 6, 4, 2, 6, 9, 8]
            .map(|count| json!(count))
            .into_iter()
            .chain([Value::Null, Value::Null])
            .collect::<Vec<_>>()
    );
    assert_eq!(
        requests(&report, "gateway"),
        [8, 8, 7, 7, 7, 49, 50, 9, 4, 5, 10, 8, 4, 3].map(|count| json!(count))
    );
    let most = &report["requestsPerSecond"][4];
    assert_eq!(
        *most,
        json!({
            "signalsPerSecond": 5000, "gwlockNew": 30_000, "gwlockDuplicates": 10_000, "gwlockStorm": 1429,
            "gatewayNew": 40_000, "gatewayDuplicates": 35_000, "gatewayStorm": 35_000,
        })
    );
    assert_eq!(server.names(REQUESTS), Vec::<String>::new());
    assert_eq!(server.leases(), Vec::<String>::new());
    assert_eq!(server.names(NAMESPACES), namespaces);
}

#[test]
fn a_namespace_that_was_named_stays_and_is_as_it_was() {
    let server = Server::start();
    server.serve_remediation_requests();
    let run = server
        .gwlock(&["bench", "requests", "--yes", "-n", NAMESPACE, "-o", "wide"])
        .run();
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    let duplicate = run.stdout.lines().nth(3).unwrap();
    let words: Vec<&str> = duplicate.split("   ").map(str::trim).collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    assert_eq!(words, ["duplicate", "2", "list rr, patch rr/status"]);
    assert!(server.names(NAMESPACES).contains(&NAMESPACE.to_owned()));
    assert_eq!(server.names(REQUESTS), Vec::<String>::new());
    assert_eq!(server.leases(), Vec::<String>::new());
}

#[test]
fn where_nobody_can_be_asked_nothing_is_created() {
    let server = Server::start();
    server.serve_remediation_requests();
    let namespaces = server.names(NAMESPACES);
    let run = server.gwlock(&["bench", "requests"]).run();
    assert_eq!(run.code, 2, "{run:?}");
    assert_eq!(
        run.stderr.lines().next(),
        Some("error: RemediationRequests start remediations, and nobody can be asked")
    );
    assert_eq!(server.names(REQUESTS), Vec::<String>::new());
    assert_eq!(server.names(NAMESPACES), namespaces);
}

#[test]
fn an_interrupted_count_leaves_nothing() {
    let server = Server::start();
    server.serve_remediation_requests();
    let namespaces = server.names(NAMESPACES);
    let child = server.gwlock(&["bench", "requests", "--yes"]).start();
    server.wait_for(|exchange| {
        exchange.verb == "create" && exchange.resource == "remediationrequests"
    });
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (130, "", "interrupted; removing what the benchmark made\n")
    );
    assert_eq!(server.names(REQUESTS), Vec::<String>::new());
    assert_eq!(server.leases(), Vec::<String>::new());
    assert_eq!(server.names(NAMESPACES), namespaces);
}

#[test]
fn a_cluster_without_remediation_requests_says_where_to_count() {
    let server = Server::start();
    let run = server.gwlock(&["bench", "requests", "--yes"]).run();
    assert_eq!(run.code, 78, "{run:?}");
    assert_eq!(
        run.stderr.lines().next(),
        Some("error: this cluster has no RemediationRequests")
    );
    assert!(run.stderr.contains("gwlock lab -- gwlock bench requests"));
}

#[test]
fn who_may_not_list_requests_is_told_so() {
    let server = Server::start();
    server.serve_remediation_requests();
    let run = server
        .gwlock_as("viewer", &["bench", "requests", "--yes", "-n", NAMESPACE])
        .run();
    assert_eq!(run.code, 77, "{run:?}");
    assert!(run.stderr.contains("cannot list"), "{run:?}");
}
