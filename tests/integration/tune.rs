//! `gwlock tune` as an operator calls it: on histories and metrics, and on what is neither. The formulas are tested below it.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::thread;

use serde_json::{Value, json};

use crate::fixture::{Gwlock, Run, Server};

fn tune(arguments: &[&str]) -> Run {
    Gwlock::new(&[&["tune"], arguments].concat()).run()
}

/// A history of some holds, in a folder.
fn history(folder: &Path) -> String {
    let path = folder.join("history.jsonl").to_str().unwrap().to_owned();
    let arguments = [
        "simulate",
        "--signals",
        "200",
        "--fingerprints",
        "100",
        "--arrival",
        "poisson:5",
        "--history",
        &path,
    ];
    assert_eq!(Gwlock::new(&arguments).run().code, 0);
    path
}

/// What a replica says after so many holds, with a lease request for each and a release.
fn metrics(holds: u32) -> String {
    let requests = 2 * holds;
    format!(
        "# EOF later\n\
         gateway_lock_hold_duration_seconds_bucket{{le=\"0.02\"}} {holds}\n\
         gateway_lock_hold_duration_seconds_bucket{{le=\"+Inf\"}} {holds}\n\
         gateway_lock_lost_total 0\n\
         gateway_lock_takeovers_total 0\n\
         gateway_api_requests_total{{verb=\"create\",resource=\"leases\",status=\"201\"}} {holds}\n\
         gateway_api_requests_total{{verb=\"delete\",resource=\"leases\",status=\"200\"}} {holds}\n\
         gateway_api_request_duration_seconds_bucket{{le=\"0.005\",verb=\"create\",resource=\"leases\"}} {requests}\n\
         gateway_api_request_duration_seconds_bucket{{le=\"+Inf\",verb=\"create\",resource=\"leases\"}} {requests}\n"
    )
}

/// Something that answers these, one after the other, and returns its URL.
fn answering(bodies: Vec<(&'static str, String)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/metrics", listener.local_addr().unwrap());
    thread::spawn(move || {
        for (status, body) in bodies {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let first = lines.next().unwrap().unwrap();
            while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            let status = match first.as_str() {
                "GET /metrics HTTP/1.1" => status,
                _ => "404 Not Found",
            };
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    url
}

#[test]
fn a_history_leads_to_a_timing_that_was_simulated_beside_the_present_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = history(folder.path());
    let arguments = [
        path.as_str(),
        "--target",
        "0.5",
        "--seeds",
        "1..2",
        "-o",
        "json",
    ];
    let run = tune(&arguments);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let report = run.json();
    let fields: Vec<&String> = report.as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        [
            "apiVersion",
            "besideGateways",
            "candidates",
            "kind",
            "measured",
            "reachableTarget",
            "recommendation",
            "simulation",
            "sources",
            "target"
        ]
    );
    assert_eq!(report["kind"], "TuningReport");
    assert_eq!(report["sources"], json!([format!("history {path}")]));
    let recommended = &report["recommendation"];
    let candidates = report["candidates"].as_array().unwrap();
    assert_eq!(candidates.len(), 17);
    let good = |candidate: &&Value| candidate["falseExpiry"]["perHold"].as_f64().unwrap() <= 0.5;
    assert_eq!(candidates.iter().find(good), Some(recommended));
    assert_eq!(
        report["besideGateways"],
        json!({"leaseDurationSeconds": 30, "renewDeadlineSeconds": 20.0, "retryPeriodSeconds": 2.0})
    );
    let simulation = report["simulation"].as_array().unwrap();
    let durations: Vec<&Value> = simulation
        .iter()
        .map(|trial| &trial["leaseDurationSeconds"])
        .collect();
    assert_eq!(
        durations,
        [&recommended["leaseDurationSeconds"], &json!(30)]
    );
    for trial in simulation {
        assert_eq!(
            (&trial["seeds"], &trial["violations"]),
            (&json!(2), &json!([]))
        );
        assert_eq!(trial["falseExpiries"], 0);
    }
    // However many threads simulate, and wherever it comes from.
    let again = [&arguments[1..], &["--jobs", "1", "-"]].concat();
    let text = fs::read_to_string(&path).unwrap();
    let mut again = Gwlock::new(&[&["tune"], &again[..]].concat())
        .stdin(&text)
        .run()
        .json();
    again["sources"] = report["sources"].clone();
    assert_eq!(again, report);
}

#[test]
fn a_table_marks_what_is_recommended_and_says_what_to_type() {
    let folder = tempfile::tempdir().unwrap();
    let path = history(folder.path());
    let run = tune(&[&path, "--target", "0.5", "--no-simulation"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let marked: Vec<&str> = run
        .stdout
        .lines()
        .filter(|line| line.ends_with("<- recommended"))
        .collect();
    assert_eq!(marked.len(), 1, "{}", run.stdout);
    let cells: Vec<&str> = marked[0].split_whitespace().collect();
    let typed = format!(
        "  gwlock serve --lease-duration {} --renew-deadline {} --retry-period {}",
        cells[0], cells[1], cells[2]
    );
    assert!(
        run.stdout.lines().any(|line| line == typed),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout
            .contains("While plain gateways are in the fleet leave --lease-duration at 30s")
    );
    assert!(!run.stdout.contains("SIMULATED"));
}

#[test]
fn what_the_samples_cannot_show_is_not_recommended_and_the_hint_says_what_they_can() {
    let folder = tempfile::tempdir().unwrap();
    let path = history(folder.path());
    let run = tune(&[&path, "--no-simulation"]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains("No recommendation"), "{}", run.stdout);
    assert!(!run.stdout.contains("<- recommended"));
    assert!(
        run.stderr.starts_with(
            "error: the samples cannot show that at most 1e-6 of the holds are lost\n"
        ),
        "{}",
        run.stderr
    );
    let hint = run.stderr.lines().nth(1).unwrap();
    let command = hint.strip_prefix("hint: gwlock ").unwrap();
    let command = command.split("   #").next().unwrap();
    let words: Vec<&str> = command.split(' ').collect();
    assert_eq!(Gwlock::new(&words).run().code, 0, "{hint}");
}

#[test]
fn two_readings_of_a_replica_are_measured_over_the_time_between_them() {
    let url = answering(vec![("200 OK", metrics(1000)), ("200 OK", metrics(1500))]);
    let run = tune(&[
        "--metrics",
        &url,
        "--over",
        "200ms",
        "--target",
        "0.9",
        "--no-simulation",
        "-o",
        "json",
    ]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(
        run.stderr,
        "warning: how often processes stand still is left out: neither metrics nor recorded histories tell of it\n"
    );
    let report = run.json();
    assert_eq!(
        report["sources"],
        json!([format!("metrics {url} over 200ms")])
    );
    let measured = &report["measured"];
    assert_eq!(measured["holds"]["count"], 500);
    assert_eq!(measured["holds"]["max"], 0.02);
    assert_eq!(measured["leaseRequests"]["count"], 1000);
    assert_eq!(measured["leaseRequests"]["latency"]["max"], 0.005);
    assert_eq!(measured["watchedSeconds"], 0.2);
    assert_eq!(measured["holdsPerDay"], 500.0 / 0.2 * 86_400.0);
    assert_eq!(measured["pauses"], Value::Null);
}

#[test]
fn metrics_of_a_file_and_histories_are_taken_together() {
    let folder = tempfile::tempdir().unwrap();
    let path = history(folder.path());
    let alone = tune(&[&path, "--target", "0.9", "--no-simulation", "-o", "json"]).json();
    let file = folder.path().join("metrics.txt");
    fs::write(&file, metrics(700)).unwrap();
    let run = tune(&[
        &path,
        "--metrics",
        file.to_str().unwrap(),
        "--over",
        "24h",
        "--target",
        "0.9",
        "--no-simulation",
        "-o",
        "json",
    ]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let report = run.json();
    let holds = |report: &Value| report["measured"]["holds"]["count"].as_u64().unwrap();
    assert_eq!(holds(&report), holds(&alone) + 700);
    let watched = |report: &Value| report["measured"]["watchedSeconds"].as_f64().unwrap();
    assert_eq!(watched(&report), watched(&alone) + 86_400.0);
}

#[test]
fn too_few_samples_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("metrics.txt");
    fs::write(&file, metrics(9)).unwrap();
    let run = tune(&["--metrics", file.to_str().unwrap(), "-o", "json"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    let error = run.json_error();
    assert_eq!(
        (&error["code"], &error["reason"]),
        (&json!(1), &json!("No"))
    );
    let message = error["message"].as_str().unwrap();
    assert!(
        message.starts_with("too few samples to say anything: 9 holds"),
        "{message}"
    );
}

#[test]
fn what_cannot_be_read_is_told_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (no_history, html) = (at("plain.txt"), at("page.html"));
    fs::write(&no_history, "one\ntwo\n").unwrap();
    fs::write(&html, "<html>\n").unwrap();
    let absent = at("absent.jsonl");
    let gone = answering(vec![("404 Not Found", String::new())]);
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/metrics", listener.local_addr().unwrap())
    };
    for (arguments, code, told) in [
        (vec![absent.as_str()], 65, absent.as_str()),
        (vec![&no_history], 65, &no_history),
        (vec!["--metrics", &absent], 65, &absent),
        (
            vec!["--metrics", &html],
            65,
            "line 1 is no sample: \"<html>\"",
        ),
        (vec!["--metrics", &gone], 69, "it answered 404"),
        (vec!["--metrics", &nobody], 69, &nobody),
        (vec!["--metrics", "ftp://x/metrics"], 2, "is no URL"),
        (vec![], 2, "required"),
        (vec!["x", "--target", "0"], 2, "is no share between 0 and 1"),
        (vec!["x", "--seeds", "5..1"], 2, "is no range of seeds"),
        (vec!["x", "--over", "60s"], 2, "--metrics"),
        (vec!["x", "-o", "wide"], 2, "table, json, yaml, jsonpath="),
        (
            vec!["x", "--no-simulation", "--jobs", "2"],
            2,
            "cannot be used with",
        ),
    ] {
        let run = tune(&arguments);
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (code, ""),
            "{arguments:?}: {}",
            run.stderr
        );
        assert!(run.stderr.contains(told), "{arguments:?}: {}", run.stderr);
    }
}

/// The document's example, with what its commands print now; `GWLOCK_BLESS=1` writes it.
#[test]
fn the_documents_example_is_what_its_commands_print() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tuning.md");
    let text = fs::read_to_string(&path).unwrap();
    let begin =
        text.find("## An example\n\n```console\n").unwrap() + "## An example\n\n```console\n".len();
    let end = begin + text[begin..].find("```\n").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut printed = String::new();
    for line in text[begin..end].lines() {
        let Some(command) = line.strip_prefix("$ gwlock ") else {
            continue;
        };
        let words: Vec<&str> = command.split(' ').collect();
        let run = Gwlock::new(&words).folder(folder.path()).run();
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{command}");
        printed.push_str(&format!("{line}\n{}", run.stdout));
        if !printed.ends_with('\n') {
            printed.push('\n');
        }
    }
    if std::env::var_os("GWLOCK_BLESS").is_some_and(|value| value == "1") {
        let text = format!("{}{printed}{}", &text[..begin], &text[end..]);
        fs::write(&path, text).unwrap();
        return;
    }
    assert_eq!(printed, text[begin..end]);
}

#[test]
#[cfg(feature = "serve")]
fn a_bench_of_signals_is_run_and_what_its_replicas_count_is_used() {
    let server = Server::start();
    server.serve_remediation_requests();
    let load = [
        "--rate",
        "20",
        "--duration",
        "2s",
        "--warm-up",
        "0s",
        "--duplicates",
        "0",
    ];
    let arguments = [
        "tune",
        "--bench",
        "--target",
        "0.9",
        "--no-simulation",
        "-o",
        "json",
        "--",
    ];
    let arguments = [&arguments[..], &load, &["--replicas", "2", "--yes"]].concat();
    let run = server.gwlock(&arguments).run();
    assert_eq!(run.code, 0, "{}", run.stderr);
    let report = run.json();
    assert_eq!(report["sources"], json!(["gwlock bench signals over 2s"]));
    let measured = &report["measured"];
    assert_eq!(
        (&measured["holds"]["count"], &measured["watchedSeconds"]),
        (&json!(40), &json!(4.0))
    );
    let wrong = server
        .gwlock(&["tune", "--bench", "--", "--rate", "none"])
        .run();
    assert_eq!((wrong.code, wrong.stdout.as_str()), (2, ""));
    assert!(
        wrong
            .stderr
            .contains("error: gwlock bench signals failed\n"),
        "{}",
        wrong.stderr
    );
}
