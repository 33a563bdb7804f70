//! `bench signals`: what is sent is counted to the last one, what failed is told, and nothing of it stays. Its times are
//! nobody's expectation.

use std::collections::BTreeMap;

use gwlock_apiserver::faults::{Action, Fault};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::fixture::{Gwlock, NAMESPACE, Run, Server};

const REQUESTS: &str = "/apis/kubernaut.ai/v1alpha1/remediationrequests";
const NAMESPACES: &str = "/api/v1/namespaces";

fn server() -> Server {
    let server = Server::start();
    server.serve_remediation_requests();
    server
}

fn bench(server: &Server, arguments: &[&str]) -> Gwlock {
    let base = ["bench", "signals", "--yes", "--warm-up", "0s"];
    server.gwlock(&[base.as_slice(), arguments].concat())
}

fn assert_nothing_stays(server: &Server, namespaces: &[String]) {
    assert_eq!(server.names(REQUESTS), Vec::<String>::new());
    assert_eq!(server.leases(), Vec::<String>::new());
    assert_eq!(server.names(NAMESPACES), namespaces);
}

/// How often the replicas have written, by verb and resource: the benchmark itself reads and deletes as well.
fn written(server: &Server) -> BTreeMap<String, u64> {
    let mut written = BTreeMap::new();
    for exchange in server.seen() {
        let asked = match exchange.subresource.as_str() {
            "" => format!("{} {}", exchange.verb, exchange.resource),
            sub => format!("{} {}/{sub}", exchange.verb, exchange.resource),
        };
        *written.entry(asked).or_default() += 1;
    }
    written.retain(|asked, _| WRITES.contains(&asked.as_str()));
    written
}

const WRITES: [&str; 3] = [
    "create leases",
    "create remediationrequests",
    "patch remediationrequests/status",
];

#[test]
fn what_is_sent_is_answered_counted_and_removed() {
    let server = server();
    let namespaces = server.names(NAMESPACES);
    let load = [
        "--rate",
        "40",
        "--duration",
        "2s",
        "--replicas",
        "2",
        "--fingerprints",
        "5",
    ];
    let run = bench(&server, &[&load[..], &["-o", "json"]].concat()).run();
    assert_eq!(run.code, 0, "{run:?}");
    let report = run.json();
    assert_eq!(
        (&report["kind"], &report["verdict"]),
        (&json!("SignalsBenchReport"), &json!("ok"))
    );
    let item = &report["items"][0];
    assert_eq!(
        item["counts"],
        json!({
            "exact": true, "fingerprints": 8, "remediationRequests": 8, "answered": 80, "unanswered": 0,
            "counted": 80, "wrong": [],
        })
    );
    let of = |answer: &str| item["latencyMs"][answer]["count"].clone();
    assert_eq!(
        ["all", "created", "duplicate", "failed"].map(of),
        [80, 8, 72, 0].map(|count| json!(count))
    );
    assert_eq!((&item["signals"], &item["failed"]), (&json!(80), &json!(0)));
    assert_eq!(item["sendLagMs"]["count"], json!(80));
    let by_verb = item["requests"]["byVerb"].as_array().unwrap().iter();
    let told: BTreeMap<String, u64> = by_verb
        .map(|asked| {
            let word = |field: &str| asked[field].as_str().unwrap().to_owned();
            let asked_for = format!("{} {}", word("verb"), word("resource"));
            (asked_for, asked["count"].as_u64().unwrap())
        })
        .filter(|(asked, _)| WRITES.contains(&asked.as_str()))
        .collect();
    assert_eq!(told, written(&server));
    assert_nothing_stays(&server, &namespaces);
}

#[test]
fn the_gateways_protocol_is_measured_in_turn_in_the_same_way() {
    let server = server();
    let namespaces = server.names(NAMESPACES);
    // One after the other, and each of its own fingerprint: nothing is in the way of anything.
    let load = [
        "--rate",
        "10",
        "--duration",
        "1s",
        "--replicas",
        "1",
        "--duplicates",
        "0",
    ];
    let compare = ["--compare", "gateway", "-o", "json"];
    let run = bench(&server, &[load.as_slice(), &compare].concat()).run();
    assert_eq!(run.code, 0, "{run:?}");
    let report = run.json();
    let items = report["items"].as_array().unwrap();
    let told: Vec<(&Value, &Value, &Value)> = items
        .iter()
        .map(|item| {
            let requests = &item["requests"];
            (
                &item["protocol"],
                &requests["total"],
                &item["counts"]["counted"],
            )
        })
        .collect();
    let (ours, theirs) = (json!("gwlock"), json!("gateway"));
    let (six, eight, ten) = (json!(60), json!(80), json!(10));
    assert_eq!(
        told,
        [
            (&ours, &six, &ten),
            (&theirs, &eight, &ten),
            (&ours, &six, &ten),
            (&theirs, &eight, &ten),
        ]
    );
    assert_eq!(report["ratios"][0]["requestsPerSignal"], json!(0.75));
    assert_nothing_stays(&server, &namespaces);
}

#[test]
fn signals_that_fail_are_told_with_what_the_first_one_says() {
    let server = server();
    let resources: [(&str, &str, &[&str]); 3] = [
        (
            "coordination.k8s.io",
            "leases",
            &["get", "list", "watch", "create", "update", "delete"],
        ),
        ("kubernaut.ai", "remediationrequests", &["list", "get"]),
        ("kubernaut.ai", "remediationrequests/status", &["patch"]),
    ];
    server.allow("viewer", &resources);
    let load = [
        "bench",
        "signals",
        "--yes",
        "--warm-up",
        "0s",
        "--rate",
        "10",
        "--duration",
        "1s",
        "-n",
        NAMESPACE,
    ];
    let run = server.gwlock_as("viewer", &load).run();
    assert_eq!(run.code, 1, "{run:?}");
    let line = |start: &str| {
        let mut lines = run.stdout.lines().filter(|line| line.starts_with(start));
        let line = lines.next().unwrap_or_default();
        let words: Vec<&str> = line.split("   ").map(str::trim).collect();
        let words = words.into_iter().filter(|word| !word.is_empty());
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    let failed = line("gwlock at 10/s");
    assert_eq!(failed[..3], ["gwlock at 10/s", "500", "10"], "{run:?}");
    assert_eq!(
        line("missed"),
        ["missed", "gwlock at 10/s: signals that failed", "10", "0"]
    );
    assert_eq!(server.leases(), Vec::<String>::new());
}

#[test]
fn in_a_pipe_it_is_plain_text() {
    let server = server();
    let load = ["--rate", "10", "--duration", "1s", "--replicas", "1"];
    let run = bench(&server, &load).run();
    assert_eq!(run.code, 0, "{run:?}");
    let stderr: Vec<&str> = run.stderr.lines().collect();
    let [metrics] = stderr.as_slice() else {
        panic!("{run:?}");
    };
    assert!(
        metrics.starts_with("gwlock at 10/s: metrics at http://127.0.0.1:"),
        "{metrics}"
    );
    let firsts: Vec<&str> = run
        .stdout
        .lines()
        .map(|line| line.split("   ").next().unwrap_or_default())
        .collect();
    assert_eq!(
        firsts,
        [
            "PROTOCOL",
            "gwlock",
            "",
            "ANSWER",
            "all",
            "created",
            "duplicate",
            "(sent late by)",
            "",
            "API REQUEST",
            "create leases",
            "create remediationrequests",
            "delete leases",
            "list remediationrequests",
            "patch remediationrequests/status",
            "",
            "VERDICT",
            "ok",
            "ok"
        ]
    );
}

#[test]
fn a_document_has_a_row_for_each_rate() {
    let server = server();
    let load = ["--rates", "5,10", "--duration", "1s", "--replicas", "1"];
    let run = bench(&server, &[load.as_slice(), &["--markdown"]].concat()).run();
    assert_eq!(run.code, 0, "{run:?}");
    let cells = |line: &str| -> Vec<String> {
        let cells = line.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().to_owned()).collect()
    };
    let lines: Vec<Vec<String>> = run.stdout.lines().map(cells).collect();
    assert_eq!(lines.len(), 4, "{run:?}");
    assert_eq!(lines[0][..3], ["Protocol", "Wanted/s", "Achieved/s"]);
    assert_eq!(
        (&lines[2][..2], &lines[3][..2]),
        (
            &["gwlock".to_owned(), "5".to_owned()][..],
            &["gwlock".to_owned(), "10".to_owned()][..]
        )
    );
}

#[test]
fn the_metrics_of_all_replicas_are_saved_as_those_of_one() {
    let server = server();
    let file = server.path("metrics");
    let load = ["--rate", "10", "--duration", "1s", "--replicas", "2"];
    let run = bench(
        &server,
        &[load.as_slice(), &["--save-metrics", &file]].concat(),
    )
    .run();
    assert_eq!(run.code, 0, "{run:?}");
    let metrics = std::fs::read_to_string(&file).unwrap();
    let received = "gateway_signals_received_total{source_type=\"prometheus\",severity=\"high\"}";
    let value = |name: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("{metrics}")).trim()
    };
    // `warning` is `high` in metrics.
    assert_eq!(value(received), "10");
    assert!(metrics.ends_with("# EOF\n"), "{metrics}");
}

#[test]
fn an_interrupted_load_leaves_nothing() {
    let server = server();
    let namespaces = server.names(NAMESPACES);
    let child = bench(&server, &["--rate", "50", "--duration", "1h"]).start();
    server.wait_for(|exchange| {
        exchange.verb == "patch" && exchange.resource == "remediationrequests"
    });
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!((run.code, run.stdout.as_str()), (130, ""), "{run:?}");
    assert_eq!(
        run.stderr.lines().nth(1),
        Some("interrupted; removing what the benchmark made")
    );
    assert_nothing_stays(&server, &namespaces);
}

#[test]
fn a_namespace_that_was_named_stays_and_so_does_what_others_have_in_it() {
    let server = server();
    let others = Server::held_by("somebody", 1);
    server.lease("gw-lock-0123456789abcdef", 1, &others);
    let load = ["--rate", "10", "--duration", "1s", "-n", NAMESPACE];
    let run = bench(&server, &load).run();
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(server.leases(), ["gw-lock-0123456789abcdef"]);
    assert_eq!(server.names(REQUESTS), Vec::<String>::new());
    assert!(server.names(NAMESPACES).contains(&NAMESPACE.to_owned()));
}

#[test]
fn leases_that_are_left_behind_are_removed() {
    let server = server();
    let namespaces = server.names(NAMESPACES);
    // No release of a replica gets through, so that its lease is there when it has ended.
    let lost = Fault::new(Action::Refuse {
        status: 503,
        retry_after: None,
    });
    server.inject(lost.verb("delete").resource("leases").times(200));
    let load = ["--rate", "5", "--duration", "1s", "--replicas", "1"];
    let child = bench(&server, &load).start();
    server.wait_for(|exchange| exchange.verb == "delete" && exchange.resource == "leases");
    server.resume();
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!(run.code, 0, "{run:?}");
    assert_nothing_stays(&server, &namespaces);
}

#[test]
fn what_cannot_work_is_told_before_anything_is_made() {
    let server = server();
    let namespaces = server.names(NAMESPACES);
    let asked = server.gwlock(&["bench", "signals"]).run();
    assert_eq!(asked.code, 2, "{asked:?}");
    assert_eq!(
        asked.stderr.lines().collect::<Vec<_>>(),
        [
            "error: RemediationRequests start remediations, and nobody can be asked",
            "hint: gwlock bench signals --yes   # creates them without asking",
            "hint: gwlock lab -- gwlock bench signals   # works on an API server on which nothing acts",
        ]
    );
    for (arguments, code, message) in [
        (
            ["--preset", "p5", "--duplicates", "0.5"].as_slice(),
            2,
            "error: the preset p5 says itself how many duplicates there are",
        ),
        (
            &["--save-metrics", "/nonexistent/metrics"],
            78,
            "error: cannot write /nonexistent/metrics: No such file or directory (os error 2)",
        ),
        (
            &["--rate", "0"],
            2,
            "error: invalid value '0' for '--rate <R>': a rate is a number of signals per second between 0.1 and 100000",
        ),
        (
            &["--duplicates", "1.5"],
            2,
            "error: invalid value '1.5' for '--duplicates <SHARE>': a share is a number between 0 and 1",
        ),
    ] {
        let run = bench(&server, arguments).run();
        assert_eq!(run.code, code, "{run:?}");
        assert_eq!(run.stderr.lines().next(), Some(message));
    }
    assert_nothing_stays(&server, &namespaces);
    let without = Server::start();
    let run = bench(&without, &[]).run();
    assert_eq!(run.code, 78, "{run:?}");
    assert_eq!(
        run.stderr.lines().next(),
        Some("error: this cluster has no RemediationRequests")
    );
}
