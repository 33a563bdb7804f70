//! `send --dry-run`: the decision, and that the store is the same before and after.

use serde_json::json;

use super::arena::{Arena, FINGERPRINT, LEASE, POD, REQUEST, alert};
use super::fake::Fake;
use crate::fixture::{Gwlock, NAMESPACE, Server};

#[test]
fn what_would_be_created_is_told_and_nothing_is_written() {
    for (flags, mode, suffix) in [
        (&["--dry-run"][..], "client", " (dry run)"),
        (&["--dry-run=client"], "client", " (dry run)"),
        (&["--dry-run=server"], "server", " (server dry run)"),
    ] {
        let arena = Arena::new();
        let before = arena.store();
        let run = arena.direct(&[&alert(POD)[..], flags, &["-o", "json"]].concat());
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
        let printed = run.json();
        assert_eq!(printed["signal"]["fingerprint"], FINGERPRINT);
        assert_eq!(
            printed,
            json!({
                "status": "created", "dryRun": mode, "message": format!("RemediationRequest created{suffix}"),
                "fingerprint": FINGERPRINT, "duplicate": false, "remediationRequestName": REQUEST,
                "remediationRequestNamespace": NAMESPACE, "signal": printed["signal"],
            })
        );
        let run = arena.direct(&[&alert(POD)[..], flags].concat());
        let row = run.stdout.lines().nth(1).unwrap();
        assert!(
            row.starts_with(&format!("created{suffix}   1       {REQUEST}   {LEASE}")),
            "{row}"
        );
        assert_eq!(arena.store(), before, "{flags:?}");
        // What was told comes true.
        let run = arena.direct(
            &[
                &alert(POD)[..],
                &["-o", "jsonpath={.remediationRequestName}"],
            ]
            .concat(),
        );
        assert_eq!(run.stdout, REQUEST);
    }
}

#[test]
fn what_would_be_counted_is_told_and_nothing_is_written() {
    let arena = Arena::new();
    arena.direct(&alert(POD));
    arena.direct(&alert(POD));
    let before = arena.store();
    for flag in ["--dry-run", "--dry-run=server"] {
        let path = "jsonpath={.status} {.metadata.count} {.remediationRequestName} {.dryRun}";
        let run = arena.direct(&[&alert(POD)[..], &[flag, "-o", path]].concat());
        let mode = if flag == "--dry-run" {
            "client"
        } else {
            "server"
        };
        assert_eq!(
            (run.code, run.stdout, run.stderr.as_str()),
            (0, format!("duplicate 3 {REQUEST} {mode}"), "")
        );
    }
    assert_eq!(arena.store(), before);
    assert_eq!(arena.counts(), [2]);
}

#[test]
fn nobody_is_asked_for_a_dry_run_and_refusals_are_the_same() {
    let arena = Arena::new();
    let before = arena.store();
    for (pod, namespace, code) in [(POD, "prod", 0), ("nope", "prod", 65), ("u", "staging", 1)] {
        let flags = [
            "send",
            "--direct",
            "--dry-run",
            "--alertname",
            "A",
            "-n",
            namespace,
            "--pod",
            pod,
        ];
        let run = arena.server.gwlock(&flags).run();
        assert_eq!(run.code, code, "{run:?}");
    }
    assert_eq!(arena.store(), before);
}

#[test]
fn the_server_checks_whether_it_would_be_allowed() {
    let arena = Arena::new();
    arena.allow(&[
        "get pods",
        "get namespaces",
        "get deployments.apps",
        "get replicasets.apps",
        "list remediationrequests.kubernaut.ai",
    ]);
    let before = arena.store();
    let run = arena
        .direct_as("viewer", &[&alert(POD)[..], &["--dry-run=client"]].concat())
        .run();
    assert_eq!(run.code, 0, "reads are enough: {run:?}");
    let run = arena
        .direct_as("viewer", &[&alert(POD)[..], &["--dry-run=server"]].concat())
        .run();
    assert_eq!(run.code, 77, "{run:?}");
    assert!(
        run.stderr.contains("cannot create resource \"leases\""),
        "{run:?}"
    );
    assert_eq!(arena.store(), before);
}

#[test]
fn the_server_says_whether_the_lease_is_free() {
    let arena = Arena::new();
    arena
        .server
        .lease(LEASE, 0, &Server::held_by("gateway-1", 0));
    let before = arena.store();
    let run = arena.direct(&[&alert(POD)[..], &["--dry-run=server"]].concat());
    assert_eq!(run.code, 75, "{run:?}");
    assert_eq!(arena.store(), before);
}

#[test]
fn a_gateway_is_sent_nothing() {
    let fake = Fake::creating();
    let base = ["send", "--gateway", &fake.url];
    let run = Gwlock::new(&[&base, &alert("p")[..], &["--dry-run", "-o", "json"]].concat()).run();
    let printed = run.json();
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(
        printed["url"],
        format!("{}/api/v1/signals/prometheus", fake.url)
    );
    assert_eq!(
        (
            &printed["status"],
            &printed["dryRun"],
            &printed["signals"][0]["target"]
        ),
        (&json!("not sent"), &json!("client"), &json!("prod:Pod:p"))
    );
    let run = Gwlock::new(&[&base, &["--alertname", "A", "--dry-run"][..]].concat()).run();
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (
            65,
            "error: alerts[0].labels: no label names a Kubernetes object\n"
        )
    );
    let run = Gwlock::new(&[&base, &alert("p")[..], &["--dry-run=server"]].concat()).run();
    assert_eq!(run.code, 2, "{run:?}");
    assert_eq!(fake.received(), []);
}
