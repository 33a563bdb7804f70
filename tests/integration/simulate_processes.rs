//! `gwlock simulate --processes` on the embedded API server: what is told, what is found, and what is left behind.

use std::fs;
use std::thread::yield_now;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::fixture::{Gwlock, Run};

/// What happens within two seconds, and is over.
const ROUGH: &str = "
signals: 30
fingerprints: 2
arrival: poisson:15
at:
- {at: 300ms, pod: 0, fault: crash, for: 200ms}
- {at: 600ms, pod: 1, fault: pause, for: 500ms}
- {at: 900ms, pod: 2, fault: partition, for: 300ms}
- {at: 1200ms, fault: restart, for: 200ms}
";

fn simulate(arguments: &[&str]) -> Run {
    Gwlock::new(&[&["simulate", "--processes", "3"], arguments].concat()).run()
}

#[test]
fn a_storm_on_three_processes_is_one_request_that_counts_every_signal() {
    let run = simulate(&["--signals", "20", "-o", "json"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{}", run.stdout);
    let report = run.json();
    assert_eq!(report["verdict"], "ok");
    assert_eq!(report["pods"], 3);
    let requests = report["remediationRequests"].as_array().unwrap();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0]["count"], 20);
}

#[test]
fn processes_without_a_lease_are_found_out() {
    let run = simulate(&["--protocol", "unlocked", "--signals", "20", "-o", "json"]);
    assert_eq!((run.code, run.stderr.as_str()), (1, ""));
    let violation = &run.json()["violations"][0];
    assert_eq!(violation["rule"], "two-active");
    assert_eq!(
        violation["replay"],
        "gwlock simulate --scenario storm --protocol unlocked --signals 20 --processes 3 --seed 1"
    );
}

#[test]
fn what_befalls_processes_stands_in_the_history_which_can_be_judged_again() {
    let folder = tempfile::tempdir().unwrap();
    let (scenario, history) = (
        folder.path().join("rough.yaml"),
        folder.path().join("h.jsonl"),
    );
    fs::write(&scenario, ROUGH).unwrap();
    let (scenario, history) = (scenario.to_str().unwrap(), history.to_str().unwrap());
    let run = simulate(&["--scenario", scenario, "--history", history]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{}", run.stdout);
    let lines = fs::read_to_string(history).unwrap();
    let events: Vec<Value> = lines
        .lines()
        .skip(1)
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |pod: &str, incarnation: u64, kind: &str| {
        let found = events.iter().filter(|event| {
            event["pod"].as_str().unwrap_or_default() == pod
                && event["incarnation"].as_u64().unwrap_or(0) == incarnation
                && event["event"] == kind
        });
        found.count()
    };
    assert_eq!(
        (of("pod-0", 0, "started"), of("pod-0", 0, "crashed")),
        (1, 1)
    );
    assert_eq!(
        (of("pod-0", 1, "started"), of("pod-0", 1, "crashed")),
        (1, 0)
    );
    assert_eq!(
        (of("pod-1", 0, "stopped"), of("pod-1", 0, "resumed")),
        (1, 1)
    );
    assert_eq!(
        (of("pod-2", 0, "stopped"), of("pod-2", 0, "resumed")),
        (1, 1)
    );
    assert_eq!(of("", 0, "fault"), 1);
    let held = events
        .iter()
        .filter(|event| event["event"] == "held")
        .count();
    let ended = events
        .iter()
        .filter(|event| event["event"] == "ended")
        .count();
    assert!(held > 0 && ended <= held, "{held} {ended}");
    let checked = Gwlock::new(&["simulate", "check", history]).run();
    assert_eq!(checked.code, 0, "{}", checked.stdout);
    // Nobody has ever counted that far.
    let mut events = events;
    let answer = events
        .iter_mut()
        .find(|event| event["outcome"] == "duplicate");
    answer.unwrap()["count"] = 999.into();
    let damaged = events.iter().map(|event| format!("\n{event}"));
    let header = lines.lines().next().unwrap().to_owned();
    fs::write(history, header + &damaged.collect::<String>()).unwrap();
    let checked = Gwlock::new(&["simulate", "check", history]).run();
    assert_eq!(checked.code, 1, "{}", checked.stdout);
    assert!(checked.stdout.contains("answered-without-effect"));
}

#[test]
fn ctrl_c_ends_every_process() {
    let folder = tempfile::tempdir().unwrap();
    let child = Gwlock::new(&[
        "simulate",
        "--processes",
        "2",
        "--scenario",
        "crash",
        "--arrival",
        "poisson:0.1",
    ])
    .env("TMPDIR", folder.path())
    .start();
    let pid = Pid::from_child(&child);
    let replicas = || {
        let children = format!("/proc/{0}/task", pid.as_raw_nonzero());
        let tasks = fs::read_dir(children).into_iter().flatten().flatten();
        let children =
            tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
        let children: String = children.collect();
        children
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    while replicas().len() < 2 {
        yield_now();
    }
    let replicas = replicas();
    kill_process(pid, Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "interrupted; every process has been ended\n"
    );
    // They were killed; that they are dead takes a moment.
    for replica in replicas {
        let lives = || {
            let stat = fs::read_to_string(format!("/proc/{replica}/stat"));
            stat.is_ok_and(|stat| !stat.contains(") Z"))
        };
        while lives() {
            yield_now();
        }
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn on_a_cluster_nothing_is_done_that_nobody_has_agreed_to() {
    let server = crate::fixture::Server::start();
    let arguments = ["simulate", "--processes", "2", "--on", "cluster"];
    let run = server.gwlock(&arguments).run();
    assert_eq!(run.code, 2);
    assert_eq!(
        run.stderr,
        "error: RemediationRequests start remediations, and nobody can be asked\n\
         hint: gwlock simulate --processes 2 --on cluster --yes   # creates them without asking\n\
         hint: gwlock simulate --processes 2   # needs no cluster\n"
    );
    for arguments in [
        &["--processes", "0"][..],
        &["--processes", "2", "--pods", "3"],
        &["--processes", "2", "--seeds", "1..3"],
        &["--processes", "2", "--rounds", "3"],
        &["--on", "cluster"],
        &["--yes"],
    ] {
        let run = Gwlock::new(&[&["simulate"], arguments].concat()).run();
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
    }
}
