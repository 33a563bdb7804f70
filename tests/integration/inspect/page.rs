//! One lease on a page.

use serde_json::{Value, json};

use crate::fixture::{Run, Server};

const KEY: &str = "gw-lock-91fce8d5c4949766";

fn inspect(server: &Server, flags: &[&str]) -> Run {
    server.gwlock(&[&["inspect", KEY], flags].concat()).run()
}

/// What stands behind a label, up to the end of its line.
fn line<'a>(run: &'a Run, label: &str) -> &'a str {
    let mut lines = run.stdout.lines();
    let line = lines.find_map(|line| line.trim_start().strip_prefix(label));
    line.unwrap_or_else(|| panic!("no {label} in {run:?}"))
        .trim()
}

/// The last line: the command to run next.
fn next(run: &Run) -> Vec<String> {
    let (_, next) = run.stdout.split_once("\nNext\n").unwrap();
    next.lines().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn a_page_leads_from_a_stale_lease_to_its_removal() {
    let server = Server::start();
    server.lease(KEY, 100, &Server::held_by("gateway-1", 100));
    let run = inspect(&server, &[]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert!(
        run.stdout
            .starts_with(&format!("Lease {KEY} in kubernaut-system\n")),
        "{run:?}"
    );
    assert!(
        line(&run, "State").starts_with("stale: expired "),
        "{run:?}"
    );
    assert_eq!(
        line(&run, "Holder"),
        "gateway-1 (pod-level: every request and every restart of that pod is the same holder)"
    );
    assert_eq!(
        line(&run, "Pod"),
        "gateway-1 is gone: there is none in kubernaut-system"
    );
    let next = next(&run);
    let (command, why) = next[0].split_once("   # ").unwrap();
    assert_eq!((next.len(), why), (1, "removes its holder"));
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    let forced = server.gwlock(&[&words[..], &["--yes"]].concat()).run();
    assert_eq!(
        (forced.code, server.leases()),
        (0, Vec::new()),
        "{forced:?}"
    );
    let gone = inspect(&server, &[]);
    assert_eq!(gone.code, 1);
    assert_eq!(
        gone.stderr,
        format!(
            "error: there is no lease {KEY} in namespace kubernaut-system: nobody holds it\n\
             hint: gwlock inspect -n kubernaut-system --prefix all   # the leases that there are\n"
        )
    );
}

#[test]
fn the_timeline_has_every_writer_the_pod_and_the_events_in_order() {
    let server = Server::start();
    // Somebody removed an earlier lease of this name; its Event is still there.
    server.lease(KEY, 100, &Server::held_by("gateway-0", 100));
    let removed = server
        .gwlock(&["force-expire", KEY, "--yes", "--reason", "drill"])
        .run();
    assert_eq!(removed.code, 0);
    let mut spec = Server::held_by("gateway-1", 20);
    spec["leaseDurationSeconds"] = json!(3600);
    server.lease(KEY, 20, &spec);
    let ended = server.micro_time(10).replace(".000000Z", "Z");
    let status = json!({"phase": "Running", "containerStatuses": [{
        "name": "gateway", "image": "gateway", "imageID": "", "ready": true, "restartCount": 1,
        "state": {"running": {"startedAt": server.micro_time(9).replace(".000000Z", "Z")}},
        "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": ended}},
    }]});
    server.pod("gateway-1", 60, "", &status);
    let run = inspect(&server, &["-o", "json"]);
    let list = run.json();
    let report = &list["items"][0];
    let told: Vec<(&str, &str)> = report["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (
                entry["clock"].as_str().unwrap(),
                entry["what"].as_str().unwrap(),
            )
        })
        .collect();
    let (last, earlier) = told.split_last().unwrap();
    assert_eq!(
        earlier,
        [
            ("server", "pod gateway-1 was created"),
            ("server", "the lease was created"),
            ("holder", "acquired, as the lease claims"),
            ("holder", "written by gateway-1, as it claims"),
            ("server", "unknown wrote the claim (Update)"),
            (
                "node",
                "container gateway of pod gateway-1 ended: OOMKilled (exit code 137)"
            ),
            (
                "node",
                "container gateway of pod gateway-1 was started (1 restarts)"
            ),
        ]
    );
    assert_eq!(last.0, "writer");
    assert!(
        last.1
            .starts_with("Event ForceExpired: admin removed gateway-0: expired "),
        "{last:?}"
    );
    assert_eq!(report["pod"]["state"], json!("Restarted"));
    assert_eq!(report["acquired"]["clock"], json!("server"));
    let next: Vec<&str> = report["next"]
        .as_array()
        .unwrap()
        .iter()
        .map(|next| next.as_str().unwrap())
        .collect();
    assert!(
        next[0].starts_with("kubectl logs gateway-1 -n kubernaut-system --since="),
        "{next:?}"
    );
    assert_eq!(
        next[1],
        format!("gwlock inspect {KEY} -n kubernaut-system --watch   # until it changes")
    );
    let text = inspect(&server, &[]);
    let rows = text.stdout.lines().filter(|line| line.contains(" ago "));
    assert!(rows.count() >= told.len(), "{text:?}");
}

#[test]
fn a_free_lease_and_a_session_have_their_own_next_step() {
    let server = Server::start();
    server.lease(
        KEY,
        5,
        &json!({"holderIdentity": "", "leaseDurationSeconds": 30}),
    );
    let run = inspect(&server, &[]);
    assert_eq!(
        next(&run),
        [format!(
            "gwlock acquire {KEY} -n kubernaut-system   # nobody holds it"
        )]
    );
    let session = "kubernaut-interactive-rr-91fce8d5c494-0a1b2c3d";
    server.lease(session, 9000, &json!({"holderIdentity": "ops"}));
    let run = server.gwlock(&["inspect", session]).run();
    assert_eq!(
        line(&run, "State"),
        "held: an interactive session, which does not expire"
    );
    assert_eq!(
        next(&run),
        [format!(
            "gwlock inspect {session} -n kubernaut-system --watch   # until it changes"
        )]
    );
}

#[test]
fn every_problem_on_a_page_has_a_fix() {
    let server = Server::start();
    server.lease("gw-lock-x", 5, &json!({"holderIdentity": "a\u{1b}[2Jb"}));
    let run = server
        .gwlock(&["inspect", "gw-lock-x", "--color", "always"])
        .run();
    let (_, rest) = run.stdout.split_once("\nProblems\n").unwrap();
    let (problems, _) = rest.split_once("\n\n").unwrap();
    let lines: Vec<&str> = problems.lines().collect();
    let (fixes, told): (Vec<&str>, Vec<&str>) =
        lines.iter().partition(|line| line.starts_with("    fix: "));
    assert_eq!((told.len(), fixes.len()), (3, 3), "{problems}");
    assert!(!run.stdout.contains('\u{1b}'), "{run:?}");
}

#[test]
fn the_same_stands_in_its_json_and_several_keys_are_a_table() {
    let server = Server::start();
    server.lease(KEY, 5, &Server::held_by("gateway-1", 5));
    server.lease(
        "gw-lock-0000000000000001",
        5,
        &Server::held_by("gateway-1", 5),
    );
    let one = inspect(&server, &["-o", "json"]).json();
    assert!(one["items"][0]["timeline"].is_array(), "{one}");
    let two = server
        .gwlock(&["inspect", KEY, "gw-lock-0000000000000001"])
        .run();
    assert!(two.stdout.starts_with("NAME "), "{two:?}");
    let wide = inspect(&server, &["-o", "wide"]);
    assert!(wide.stdout.starts_with("NAME "), "{wide:?}");
    let twice = server
        .gwlock(&["inspect", KEY, KEY, "-o", "json"])
        .run()
        .json();
    assert_eq!(twice["items"].as_array().map(Vec::len), Some(1));
    assert_ne!(twice["items"][0]["timeline"], Value::Null);
}
