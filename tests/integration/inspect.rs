//! `inspect`: what is listed, in which format, and what is said when there is nothing.

mod chosen;
mod evidence;
mod page;

use std::io::{BufRead as _, BufReader};

use serde_json::{Value, json};

use crate::fixture::Server;

fn lab() -> Server {
    let server = Server::start();
    server.lease("gw-lock-1", 100, &Server::held_by("gateway-1", 100));
    server.lease(
        "gw-lock-2",
        0,
        &json!({"holderIdentity": "gateway-2", "leaseDurationSeconds": 30}),
    );
    server.lease("gw-lock-3", 0, &json!({}));
    server.lease("ro-lock-1", 0, &Server::held_by("orchestrator-1", 0));
    server.lease(
        "kubernaut-interactive-rr-1",
        9000,
        &json!({"holderIdentity": "ops"}),
    );
    server.lease("other", 0, &Server::held_by("somebody", 0));
    server
}

fn names(server: &Server, flags: &[&str]) -> Vec<String> {
    let run = server
        .gwlock(&[&["inspect", "-o", "name"], flags].concat())
        .run();
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{flags:?}");
    let short = |line: &str| {
        line.strip_prefix("lease.coordination.k8s.io/")
            .unwrap()
            .to_owned()
    };
    run.stdout.lines().map(short).collect()
}

#[test]
fn prefixes_choose_what_is_listed() {
    let server = lab();
    assert_eq!(names(&server, &[]), ["gw-lock-1", "gw-lock-2", "gw-lock-3"]);
    assert_eq!(names(&server, &["--prefix", "ro-lock"]), ["ro-lock-1"]);
    assert_eq!(
        names(
            &server,
            &["--prefix", "ro-lock", "--prefix", "kubernaut-interactive"]
        ),
        ["kubernaut-interactive-rr-1", "ro-lock-1"]
    );
    assert_eq!(names(&server, &["-A", "--prefix", "all"]).len(), 6);
    assert_eq!(
        names(&server, &["gw-lock-2", "lease.coordination.k8s.io/other"]),
        ["gw-lock-2", "other"]
    );
}

#[test]
fn a_table_shows_state_expiry_and_problems() {
    let server = lab();
    let run = server.gwlock(&["inspect"]).run();
    let lines: Vec<Vec<&str>> = run
        .stdout
        .lines()
        .map(|line| {
            line.split("   ")
                .map(str::trim)
                .filter(|cell| !cell.is_empty())
                .collect()
        })
        .collect();
    assert_eq!(
        lines[0],
        ["NAME", "HOLDER", "STATE", "AGE", "EXPIRES", "PROBLEMS"]
    );
    assert_eq!(lines[1][..3], ["gw-lock-1", "gateway-1", "expired"]);
    assert_eq!(
        (lines[2][..3].to_vec(), lines[2][5]),
        (
            vec!["gw-lock-2", "gateway-2", "held"],
            "no renewTime: a gateway would wait for ever; no fingerprint makes this name: gw-lock- and 16 hex digits is a \
             gateway's"
        )
    );
    assert_eq!(lines[3][..3], ["gw-lock-3", "-", "free"]);
    assert!(
        lines[3][5]
            .starts_with("no renewTime: a gateway would wait for ever; no leaseDurationSeconds")
    );
    let without = server.gwlock(&["inspect", "--no-headers"]).run();
    assert_eq!(without.stdout.lines().count(), 3);
}

#[test]
fn a_stale_lease_that_is_asked_for_comes_with_what_removes_it() {
    let server = lab();
    let run = server.gwlock(&["inspect", "gw-lock-1", "gw-lock-2"]).run();
    let hint = run.stderr.strip_prefix("hint: gwlock ").unwrap();
    let (command, why) = hint.split_once("   # ").unwrap();
    assert_eq!((run.code, why), (0, "removes its holder\n"));
    let words: Vec<&str> = command.split(' ').collect();
    let run = server.gwlock(&[&words[..], &["--yes"]].concat()).run();
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "lease.coordination.k8s.io/gw-lock-1 force-expired\n")
    );
    for quiet in [
        &["inspect"][..],
        &["inspect", "gw-lock-2"],
        &["inspect", "gw-lock-2", "-o", "json"],
    ] {
        assert_eq!(server.gwlock(quiet).run().stderr, "", "{quiet:?}");
    }
}

#[test]
fn json_holds_the_evidence() {
    let server = lab();
    let list = server
        .gwlock(&["inspect", "gw-lock-1", "-o", "json"])
        .run()
        .json();
    let report = &list["items"][0];
    assert_eq!(
        (
            &list["apiVersion"],
            &list["kind"],
            &report["state"],
            &report["stale"],
            &report["evidence"]["rule"]
        ),
        (
            &json!("gwlock.dev/v1alpha1"),
            &json!("LeaseReportList"),
            &json!("expired"),
            &json!(true),
            &json!("server")
        )
    );
    assert!(report["evidence"]["ageSeconds"].as_u64().unwrap() >= 100);
    assert!(report["evidence"]["remainingSeconds"].as_i64().unwrap() <= -68);
}

#[test]
fn an_interactive_session_is_never_stale() {
    let server = lab();
    let list = server
        .gwlock(&["inspect", "--prefix", "kubernaut-interactive", "-o", "json"])
        .run()
        .json();
    let mut items = list["items"].clone();
    let stamped = items[0]["ages"]["stampedSeconds"].take().as_i64().unwrap();
    assert!((9000..9060).contains(&stamped), "{stamped}");
    assert_eq!(
        items,
        json!([{
            "name": "kubernaut-interactive-rr-1", "namespace": "kubernaut-system", "holder": "ops", "state": "held",
            "stale": false, "staleReason": null, "problems": [], "findings": [],
            "generation": "pod-level", "holderBase": "ops", "nonce": null,
            "ages": {"claimedSeconds": null, "observedSeconds": null, "stampedSeconds": null},
            "pod": null, "remediationRequests": null,
            "evidence": {"rule": "none", "ageSeconds": null, "remainingSeconds": null, "clockSkewSeconds": null},
        }])
    );
}

#[test]
fn json_is_indented_and_sorted_as_kubectls() {
    let server = Server::start();
    let run = server.gwlock(&["inspect", "-o", "json"]).run();
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (
            0,
            "{\n    \"apiVersion\": \"gwlock.dev/v1alpha1\",\n    \"items\": [],\n    \"kind\": \"LeaseReportList\",\n    \
             \"machineClockSkewSeconds\": 0,\n    \"unread\": []\n}\n",
            ""
        )
    );
}

#[test]
fn yaml_and_jsonpath_show_the_same() {
    let server = lab();
    let run = server
        .gwlock(&["inspect", "-o", "jsonpath={.items[*].name}"])
        .run();
    assert_eq!(run.stdout.trim_end(), "gw-lock-1 gw-lock-2 gw-lock-3");
    let run = server.gwlock(&["inspect", "gw-lock-3", "-o", "yaml"]).run();
    assert!(run.stdout.contains("  state: free\n"), "{}", run.stdout);
}

#[test]
fn nothing_found_is_said_on_stderr() {
    let server = Server::start();
    let run = server.gwlock(&["inspect"]).run();
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (0, "", "No resources found in kubernaut-system namespace.\n")
    );
    let run = server.gwlock(&["inspect", "-A"]).run();
    assert_eq!((run.code, run.stderr.as_str()), (0, "No resources found\n"));
}

#[test]
fn the_namespace_comes_from_flag_pod_context_in_this_order() {
    let server = Server::start();
    let looked_in = |run: crate::fixture::Run| run.stderr;
    let found = |namespace: &str| format!("No resources found in {namespace} namespace.\n");
    let flag = server
        .gwlock(&["inspect", "-n", "a"])
        .env("POD_NAMESPACE", "b")
        .run();
    assert_eq!(looked_in(flag), found("a"));
    let pod = server.gwlock(&["inspect"]).env("POD_NAMESPACE", "b").run();
    assert_eq!(looked_in(pod), found("b"));
    let context = server.gwlock(&["inspect"]).run();
    assert_eq!(looked_in(context), found("kubernaut-system"));
}

#[test]
fn a_holder_cannot_steer_the_terminal() {
    let server = Server::start();
    server.lease("gw-lock-1", 0, &Server::held_by("pod\u{1b}[2J\nx", 0));
    let run = server.gwlock(&["inspect", "--color", "always"]).run();
    assert!(run.stdout.contains("pod\\u{1b}[2J\\nx"), "{:?}", run.stdout);
    assert_eq!(run.stdout.lines().count(), 2);
}

/// The lines of a process as they come; a line that does not come ends the test by its own time limit.
fn next_row(lines: &mut impl Iterator<Item = std::io::Result<String>>) -> Vec<String> {
    let line = lines.next().unwrap().unwrap();
    let cells = line
        .split("   ")
        .map(str::trim)
        .filter(|cell| !cell.is_empty());
    cells.take(3).map(str::to_owned).collect()
}

#[test]
fn a_watch_shows_changes_and_what_expires_without_one() {
    let server = Server::start();
    server.lease("gw-lock-1", 30, &Server::held_by("gateway-1", 30));
    let mut watching = server.gwlock(&["inspect", "--watch"]).start();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    assert_eq!(next_row(&mut lines), ["NAME", "HOLDER", "STATE"]);
    assert_eq!(next_row(&mut lines), ["gw-lock-1", "gateway-1", "held"]);
    server.wait_for(|exchange| exchange.verb == "watch");
    server.lease("gw-lock-2", 0, &json!({}));
    server.lease("other", 0, &json!({}));
    assert_eq!(next_row(&mut lines), ["gw-lock-2", "-", "free"]);
    server.delete("gw-lock-2");
    assert_eq!(next_row(&mut lines), ["gw-lock-2", "-", "gone"]);
    assert_eq!(next_row(&mut lines), ["gw-lock-1", "gateway-1", "expired"]);
    watching.kill().unwrap();
    watching.wait().unwrap();
}

#[test]
fn a_watch_as_json_is_an_object_a_line() {
    let server = Server::start();
    server.lease("gw-lock-1", 0, &json!({}));
    let mut watching = server
        .gwlock(&["inspect", "gw-lock-1", "--watch", "-o", "json"])
        .start();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    let there = next();
    assert_eq!(
        (&there["kind"], &there["name"], &there["state"]),
        (&json!("LeaseReport"), &json!("gw-lock-1"), &json!("free"))
    );
    server.wait_for(|exchange| exchange.verb == "watch");
    server.delete("gw-lock-1");
    assert_eq!(next()["state"], json!("gone"));
    watching.kill().unwrap();
    watching.wait().unwrap();
}
