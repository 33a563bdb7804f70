//! `bench`: what it prints, and that nothing of it stays. Its figures are nobody's expectation.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::fixture::{Run, Server};

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
