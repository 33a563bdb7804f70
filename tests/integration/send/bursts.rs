//! Many requests: what they add up to, and how they are broken off.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::arena::{Arena, POD, alert};
use super::fake::{Fake, Reaction, created, problem};
use crate::fixture::{Gwlock, Run};

fn send(fake: &Fake, more: &[&str]) -> Gwlock {
    let base = ["send", "--gateway", &fake.url];
    Gwlock::new(&[&base, alert("p").as_slice(), more].concat())
}

/// Without what no test can know.
fn without_times(mut report: Value) -> Value {
    for result in report["results"].as_array_mut().unwrap() {
        assert!(result["latencyMs"].take().is_number());
    }
    let summary = &mut report["summary"];
    for time in ["seconds", "requestsPerSecond"] {
        assert!(summary[time].take().is_number());
    }
    for quantile in ["p50", "p95", "p99"] {
        assert!(summary["latencyMs"][quantile].take().as_f64().unwrap() > 0.0);
    }
    report
}

#[test]
fn duplicates_of_one_signal_are_counted_one_by_one() {
    let arena = Arena::new();
    let burst = ["--repeat", "30", "--concurrency", "10", "-o", "json"];
    let run = arena.direct(&[&alert(POD)[..], &burst].concat());
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    let report = run.json();
    let mut counts: Vec<i64> = report["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["count"].as_i64().unwrap())
        .collect();
    counts.sort_unstable();
    assert_eq!(counts, (1..=30).collect::<Vec<_>>());
    assert_eq!(
        (
            &report["summary"]["created"],
            &report["summary"]["duplicate"]
        ),
        (&json!(1), &json!(29))
    );
    assert_eq!(arena.counts(), [30]);
    assert_eq!(arena.server.leases(), Vec::<String>::new());
}

#[test]
fn distinct_targets_get_a_request_each() {
    let arena = Arena::new();
    let flags = [
        "--alertname",
        "A",
        "-n",
        "prod",
        "--pod",
        "p",
        "--repeat",
        "4",
        "--distinct-targets",
        "--concurrency",
        "4",
    ];
    let run = arena.direct(&flags);
    let row = run.stdout.lines().nth(1).unwrap();
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(
        (run.code, &cells[..6]),
        (0, &["4", "4", "4", "0", "0", "0"][..]),
        "{run:?}"
    );
    assert_eq!(arena.counts(), [1, 1, 1, 1]);
}

#[test]
fn distinct_targets_are_put_into_a_file_as_well() {
    let arena = Arena::new();
    let event = json!({
        "type": "Warning", "reason": "r", "lastTimestamp": jiff::Timestamp::now(),
        "involvedObject": {"kind": "Pod", "namespace": "prod", "name": "p"},
    });
    let path = arena.file("event.json", event.to_string());
    let run = arena.direct(&["-f", &path, "--repeat", "3", "--distinct-targets"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(arena.counts(), [1, 1, 1]);
    let path = arena.file("broken.json", "{");
    let flags = [
        "-f",
        &path,
        "--payload-as",
        "event",
        "--repeat",
        "3",
        "--distinct-targets",
    ];
    assert_eq!(arena.direct(&flags).code, 65);
}

#[test]
fn a_report_has_every_result_the_summary_and_the_first_failures() {
    let arena = Arena::new();
    let flags = [
        "--alertname",
        "A",
        "--severity",
        "info",
        "-n",
        "prod",
        "--pod",
        "p",
        "--repeat",
        "5",
        "--distinct-targets",
    ];
    let run = arena.direct(&[&flags[..], &["-o", "json"]].concat());
    let report = without_times(run.json());
    assert_eq!(run.code, 65, "{run:?}");
    let message = "Pod/p-4 does not exist in namespace \"prod\"";
    assert_eq!(
        report["summary"],
        json!({
            "planned": 5, "answered": 5, "unanswered": 0, "signals": 5, "created": 4, "duplicate": 0, "rejected": 0,
            "resolved": 0, "failed": 1, "seconds": null, "requestsPerSecond": null,
            "latencyMs": {"p50": null, "p95": null, "p99": null},
        })
    );
    assert_eq!(
        report["failures"],
        json!([{"request": 4, "code": 65, "reason": "BadInput", "message": message}])
    );
    let (first, last) = (&report["results"][0], &report["results"][4]);
    let fingerprint = gwlock_engine::protocol::key::Fingerprint::of("prod:Pod:p-0");
    assert_eq!(
        *first,
        json!({
            "request": 0, "status": "created", "count": 1, "remediationRequestName": first["remediationRequestName"],
            "fingerprint": fingerprint.as_str(), "target": "prod:Pod:p-0", "severity": "info", "auditSeverity": "low",
            "message": "RemediationRequest created", "code": 0, "httpStatus": null, "requestId": null,
            "latencyMs": null,
        })
    );
    assert_eq!(
        (&last["status"], &last["message"]),
        (&json!("failed"), &json!(message))
    );
    assert_eq!(
        run.json_error()["message"],
        format!("1 of 5 requests failed, the first because: {message}")
    );
    assert_eq!(
        (&report["kind"], &report["resultsOmitted"]),
        (&json!("SendReport"), &json!(0))
    );
}

#[test]
fn of_many_failures_the_first_are_told_and_the_worst_counts() {
    let refused = || problem("400 Bad Request", "no");
    let failed = problem("500 Internal Server Error", "Internal server error");
    let fake = Fake::new([
        created(),
        refused(),
        refused(),
        refused(),
        refused(),
        refused(),
        failed,
        refused(),
    ]);
    let run = send(&fake, &["--repeat", "8"]).run();
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(run.code, 69, "{run:?}");
    let cells: Vec<&str> = lines[1].split_whitespace().collect();
    assert_eq!(cells[..6], ["8", "8", "1", "0", "0", "7"]);
    let failure = "   BadInput   the gateway answered 400 Bad Request: no";
    let told: Vec<String> = (1..=5)
        .map(|number| format!("{number}      {failure}"))
        .collect();
    assert_eq!(lines[3], "REQUEST   REASON     FAILURE");
    assert_eq!(lines[4..], told);
    assert_eq!(
        run.stderr.lines().next(),
        Some(
            "error: 7 of 8 requests failed, the first because: the gateway answered 400 Bad Request: no"
        )
    );
}

#[test]
fn a_burst_that_is_interrupted_tells_what_was_answered() {
    let fake = Fake::new([created(), created(), created(), Reaction::Hang]);
    let child = send(&fake, &["--repeat", "100", "-o", "json"]).start();
    fake.wait_for(4);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let run = Run::from(child.wait_with_output().unwrap());
    let summary = run.json()["summary"].clone();
    assert_eq!(run.code, 130, "{run:?}");
    assert_eq!(
        [
            &summary["planned"],
            &summary["answered"],
            &summary["unanswered"],
            &summary["created"]
        ],
        [&json!(100), &json!(3), &json!(1), &json!(3)]
    );
    assert_eq!(
        run.stderr,
        "interrupted: 96 were not sent, and nobody waited for what came of 1\n"
    );
}

#[test]
fn one_signal_that_is_interrupted_is_not_waited_for() {
    let fake = Fake::new([Reaction::Hang]);
    let child = send(&fake, &[]).start();
    fake.wait_for(1);
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (
            143,
            "",
            "interrupted: nobody waited for what came of the signal\n"
        )
    );
}

#[test]
fn an_interrupted_signal_leaves_no_lease() {
    use gwlock_apiserver::faults::{Action, Fault};
    let arena = Arena::new();
    let create = Fault::new(Action::Pause)
        .verb("create")
        .resource("remediationrequests");
    arena.server.inject(create);
    let child = arena.direct_as("admin", &alert(POD)).start();
    arena
        .server
        .wait_for(|exchange| exchange.resource == "leases" && exchange.verb == "create");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!(run.code, 130, "{run:?}");
    assert_eq!(arena.server.leases(), Vec::<String>::new());
}
