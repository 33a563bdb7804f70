//! `force-expire`: what it deletes and what it refuses, what it tells, and what it records.

use std::fs;

use gwlock_apiserver::faults::{Action, Fault};
use http::Method;
use serde_json::{Value, json};

use crate::fixture::{NAMESPACE, Run, Server};

const NAME: &str = "gw-lock-1";
const EVENTS: &str = "/apis/events.k8s.io/v1/namespaces/kubernaut-system/events";
const HINT: &str = "hint: gwlock force-expire gw-lock-N -n kubernaut-system --even-if-live --reason 'how it is known'   \
     # once its holder is known to have stopped\n";

fn path(name: &str) -> String {
    format!("/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{name}")
}

/// A server with a lease that expired 68 s ago.
fn expired() -> (Server, Value) {
    let server = Server::start();
    let lease = server.lease(NAME, 100, &Server::held_by("gateway-1", 100));
    (server, lease)
}

fn force_expire(server: &Server, flags: &[&str]) -> Run {
    server.gwlock(&[&["force-expire"], flags].concat()).run()
}

fn none() -> Vec<String> {
    Vec::new()
}

/// Every number as `N`: seconds go on while a test runs.
fn without_numbers(text: &str) -> String {
    let mut short = String::new();
    for c in text.chars() {
        match c {
            c if !c.is_ascii_digit() => short.push(c),
            _ if short.ends_with('N') => {}
            _ => short.push('N'),
        }
    }
    short
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Lets a user do this with leases.
fn allow(server: &Server, user: &str, verbs: &[&str]) {
    let rbac = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}");
    server.post(
        &format!("{rbac}/roles"),
        &json!({
            "metadata": {"name": "lock"},
            "rules": [{"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": verbs}]
        }),
    );
    server.post(
        &format!("{rbac}/rolebindings"),
        &json!({
            "metadata": {"name": "lock"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "lock"},
            "subjects": [{"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}]
        }),
    );
}

#[test]
fn an_expired_lease_is_shown_and_deleted() {
    let (server, lease) = expired();
    let run = force_expire(&server, &[NAME, "--yes"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "lease.coordination.k8s.io/gw-lock-1 force-expired\n"),
        "{run:?}"
    );
    let shown = run.stderr.replace(text(&lease["metadata"]["uid"]), "UID");
    assert_eq!(
        without_numbers(&shown),
        "lease gw-lock-N in kubernaut-system\n  \
         holder     gateway-N\n  pod        gateway-N is gone: there is none in kubernaut-system\n  \
         evidence   expired Ns ago by the server's clock: written at N-N-NTN:N:NZ, read at N-N-NTN:N:NZ, \
         Ns old where Ns are allowed\n  \
         version    uid UID, resourceVersion N\n  \
         what next  it is deleted if it is still this version; the next candidate creates it anew\n"
    );
    assert_eq!(server.leases(), none());
}

#[test]
fn an_event_about_the_lease_says_who_why_and_what_it_was() {
    let (server, lease) = expired();
    let run = force_expire(&server, &[NAME, "--yes", "--reason", "node lost"]);
    assert_eq!(run.code, 0, "{run:?}");
    let events = server.get(EVENTS);
    let [event] = events["items"].as_array().unwrap().as_slice() else {
        panic!("{events}")
    };
    assert_eq!(
        without_numbers(text(&event["note"])),
        "admin removed gateway-N: expired Ns ago by the server's clock: written at N-N-NTN:N:NZ, read at \
         N-N-NTN:N:NZ, Ns old where Ns are allowed; reason: node lost"
    );
    let metadata = &lease["metadata"];
    assert_eq!(
        event["regarding"],
        json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "name": NAME, "namespace": NAMESPACE,
            "uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"],
        })
    );
    let told = [
        "type",
        "reason",
        "action",
        "reportingController",
        "reportingInstance",
    ];
    assert_eq!(
        told.map(|field| text(&event[field])),
        [
            "Normal",
            "ForceExpired",
            "ForceExpire",
            "gwlock.dev/gwlock",
            text(&event["reportingInstance"])
        ]
    );
    assert!(
        text(&event["reportingInstance"]).starts_with("ops@"),
        "{event}"
    );
    let annotations = &event["metadata"]["annotations"];
    let before: Value =
        serde_json::from_str(text(&annotations["gwlock.dev/lease-before"])).unwrap();
    assert_eq!(
        (
            &before["spec"],
            &before["metadata"]["uid"],
            &before["metadata"]["managedFields"]
        ),
        (&lease["spec"], &metadata["uid"], &Value::Null)
    );
    assert_eq!(annotations["gwlock.dev/reason"], "node lost");
}

#[test]
fn a_holder_that_may_be_alive_is_left_alone() {
    let server = Server::start();
    server.lease(NAME, 0, &Server::held_by("gateway-1", 3600));
    let run = force_expire(&server, &[NAME, "--yes", "-o", "name"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{run:?}");
    assert_eq!(
        without_numbers(&run.stderr),
        format!(
            "error: gw-lock-N in kubernaut-system was left alone: it is held by gateway-N and not proven stale: expires \
             in Ns by the server's clock: written at N-N-NTN:N:NZ, read at N-N-NTN:N:NZ, Ns old where Ns are allowed\n\
             hint: gwlock inspect gw-lock-N -n kubernaut-system   # who holds it now\n{HINT}"
        )
    );
    assert_eq!((server.count("delete"), server.names(EVENTS)), (0, none()));
}

#[test]
fn a_pod_that_is_gone_is_shown_and_makes_no_lease_stale() {
    let server = Server::start();
    server.lease(NAME, 0, &Server::held_by("gateway-1", 0));
    server.pod("gateway-1", 60, "", &json!({"phase": "Failed"}));
    let run = force_expire(&server, &[NAME, "--yes"]);
    assert_eq!((run.code, server.leases()), (1, vec![NAME.to_owned()]));
    let line = run.stderr.lines().find(|line| line.starts_with("  pod "));
    assert!(
        line.unwrap()
            .starts_with("  pod        gateway-1 is gone: it has ended (Failed, created "),
        "{run:?}"
    );
    let json = force_expire(&server, &[NAME, "--yes", "-o", "json"]).json();
    let item = &json["items"][0];
    assert_eq!(
        (&item["outcome"], &item["stale"], &item["pod"]["gone"]),
        (&json!("NotStale"), &json!(false), &json!(true))
    );
    // Whoever may not see pods may remove leases all the same.
    server.lease("gw-lock-2", 100, &Server::held_by("gateway-2", 100));
    allow(&server, "viewer", &["get", "delete"]);
    let run = server
        .gwlock_as("viewer", &["force-expire", "gw-lock-2", "--yes"])
        .run();
    assert_eq!((run.code, server.leases()), (0, vec![NAME.to_owned()]));
    assert!(run.stderr.contains("\n  pod        forbidden\n"), "{run:?}");
}

#[test]
fn a_live_lease_is_deleted_only_with_a_reason() {
    let server = Server::start();
    server.lease(NAME, 0, &Server::held_by("gateway-1", 0));
    for flags in [&[][..], &["--reason", " "]] {
        let run = force_expire(
            &server,
            &[&[NAME, "--yes", "--even-if-live"], flags].concat(),
        );
        assert_eq!((run.code, server.count("delete")), (2, 0), "{run:?}");
    }
    let flags = [
        "--yes",
        "--even-if-live",
        "--reason",
        "it was stopped by hand",
    ];
    let run = force_expire(&server, &[&[NAME], &flags[..]].concat());
    assert_eq!((run.code, server.leases()), (0, none()), "{run:?}");
    assert!(
        run.stderr.ends_with(
            "it is deleted if it is still this version, ALTHOUGH ITS HOLDER MAY BE AT WORK: two may then work at once\n"
        ),
        "{run:?}"
    );
    assert_eq!(server.get(EVENTS)["items"][0]["type"], "Warning");
}

#[test]
fn what_one_look_cannot_prove_is_refused() {
    let server = Server::start();
    let interactive = "kubernaut-interactive-rr-1";
    server.lease(interactive, 9000, &Server::held_by("ops", 9000));
    let mut lease = server.lease(NAME, 9000, &Server::held_by("gateway-1", 9000));
    lease["metadata"]["managedFields"] = json!([]);
    server.send(Method::PUT, &path(NAME), Some(&lease));
    for (name, why) in [
        (
            interactive,
            "held by ops and not proven stale: an interactive session, which does not expire",
        ),
        (
            NAME,
            "held by gateway-1 and not proven stale: it has no server stamp, so that its expiry can only be observed",
        ),
    ] {
        let run = force_expire(&server, &[name, "--yes", "-o", "name"]);
        let first = format!("error: {name} in kubernaut-system was left alone: it is {why}");
        assert_eq!(
            (run.code, run.stderr.lines().next()),
            (1, Some(first.as_str()))
        );
    }
    assert_eq!(server.count("delete"), 0);
}

#[test]
fn a_lease_without_a_holder_is_nobodys() {
    let server = Server::start();
    server.lease(NAME, 0, &json!({}));
    let run = force_expire(&server, &[NAME, "--yes", "-o", "name"]);
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (0, "lease.coordination.k8s.io/gw-lock-1\n", "")
    );
    assert_eq!(server.leases(), none());
}

#[test]
fn conditions_have_to_hold() {
    let (server, lease) = expired();
    let metadata = &lease["metadata"];
    let (uid, version) = (text(&metadata["uid"]), text(&metadata["resourceVersion"]));
    for (flag, wrong, found) in [
        (
            "--if-holder",
            "gateway-2",
            "its holder is \"gateway-1\", not \"gateway-2\"".to_owned(),
        ),
        ("--if-uid", "u", format!("its uid is \"{uid}\", not \"u\"")),
        (
            "--if-resource-version",
            "0",
            format!("its resourceVersion is \"{version}\", not \"0\""),
        ),
    ] {
        // What is not the lease that was meant is not deleted by force either.
        let force = ["--yes", "-o", "name", "--even-if-live", "--reason", "r"];
        let run = force_expire(&server, &[&[NAME, flag, wrong], &force[..]].concat());
        assert_eq!(
            (run.code, run.stderr),
            (
                1,
                format!(
                    "error: gw-lock-1 in kubernaut-system was left alone: {found}\n\
                     hint: gwlock inspect gw-lock-1 -n kubernaut-system   # who holds it now\n"
                )
            )
        );
        assert_eq!(server.count("delete"), 0);
    }
    let several = force_expire(&server, &[NAME, "gw-lock-2", "--yes", "--if-uid", uid]);
    assert_eq!(
        (several.code, server.count("delete")),
        (2, 0),
        "{several:?}"
    );
    let right = [
        "--if-holder",
        "gateway-1",
        "--if-uid",
        uid,
        "--if-resource-version",
        version,
    ];
    let run = force_expire(&server, &[&[NAME, "--yes"], &right[..]].concat());
    assert_eq!((run.code, server.leases()), (0, none()), "{run:?}");
}

#[test]
fn without_a_terminal_somebody_has_to_say_yes() {
    let (server, _) = expired();
    let run = force_expire(&server, &[NAME, "-o", "json"]);
    let error = run.json_error();
    assert_eq!(
        (run.code, &error["code"], run.stdout.as_str()),
        (2, &json!(2), "")
    );
    assert_eq!(
        error["hints"],
        json!([
            "gwlock force-expire gw-lock-1 -o json --yes   # deletes without asking",
            "gwlock force-expire gw-lock-1 -o json --dry-run=server   # shows what would be done"
        ])
    );
    assert_eq!(
        (server.count("delete"), server.leases()),
        (0, vec![NAME.to_owned()])
    );
}

#[test]
fn a_lease_that_is_gone_is_done() {
    let server = Server::start();
    let run = force_expire(&server, &[NAME]);
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (
            0,
            "lease.coordination.k8s.io/gw-lock-1 was gone already\n",
            "lease gw-lock-1 in kubernaut-system\n  is gone already: nothing is to be done\n"
        )
    );
    assert_eq!((server.count("delete"), server.names(EVENTS)), (0, none()));
}

/// Does something between the judgement and the DELETE.
fn meanwhile(server: &Server, change: impl FnOnce()) -> Run {
    server.inject(
        Fault::new(Action::Pause)
            .verb("delete")
            .resource("leases")
            .times(1),
    );
    let forcing = server
        .gwlock(&["force-expire", NAME, "--yes", "-o", "name"])
        .start();
    while server.faults_hit() == 0 {
        std::thread::yield_now();
    }
    change();
    server.resume();
    forcing.wait_with_output().unwrap().into()
}

#[test]
fn a_lease_that_is_renewed_after_it_was_shown_stays() {
    let (server, mut lease) = expired();
    let mut version = String::new();
    let run = meanwhile(&server, || {
        lease["spec"] = Server::held_by("gateway-1", 0);
        let renewed = server.send(Method::PUT, &path(NAME), Some(&lease));
        version = text(&renewed["metadata"]["resourceVersion"]).to_owned();
    });
    let uid = text(&lease["metadata"]["uid"]);
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr),
        (
            1,
            "",
            format!(
                "error: gw-lock-1 in kubernaut-system changed since it was shown, and nothing was deleted: it is held by \
                 gateway-1 now, uid {uid}, resourceVersion {version}\n\
                 hint: gwlock inspect gw-lock-1 -n kubernaut-system   # whether it is stale still\n"
            )
        )
    );
    assert_eq!(
        (server.leases(), server.names(EVENTS)),
        (vec![NAME.to_owned()], none())
    );
}

#[test]
fn a_successor_is_never_touched() {
    let (server, _) = expired();
    let run = meanwhile(&server, || {
        let spec = Server::held_by("gateway-2", 0);
        server.send(Method::DELETE, &path(NAME), None);
        server.lease(NAME, 0, &spec);
    });
    assert_eq!(run.code, 1, "{run:?}");
    assert!(
        run.stderr.contains("it is held by gateway-2 now, uid "),
        "{run:?}"
    );
    assert_eq!(server.leases(), [NAME]);
}

#[test]
fn dry_runs_delete_and_record_nothing() {
    let (server, _) = expired();
    let log = server.path("audit.jsonl");
    for (mode, words, deletes) in [
        (
            "client",
            "would be force-expired if it is still this version (dry run)",
            0,
        ),
        ("server", "force-expired (server dry run)", 1),
    ] {
        let mode = format!("--dry-run={mode}");
        let run = force_expire(&server, &[NAME, &mode, "--audit-log", &log]);
        assert_eq!(
            (run.code, run.stdout),
            (0, format!("lease.coordination.k8s.io/gw-lock-1 {words}\n"))
        );
        assert_eq!(server.count("delete"), deletes);
    }
    assert_eq!(
        (server.leases(), server.names(EVENTS)),
        (vec![NAME.to_owned()], none())
    );
    assert_eq!(server.count_of("create", "selfsubjectreviews"), 0);
    assert!(!fs::exists(&log).unwrap());
}

#[test]
fn an_audit_log_gets_a_line_for_each_deleted_lease() {
    let (server, lease) = expired();
    let log = server.path("audit.jsonl");
    fs::write(&log, "earlier\n").unwrap();
    let flags = ["--yes", "--audit-log", &log, "--reason", "node lost"];
    let run = force_expire(&server, &[&[NAME, "gw-lock-2"], &flags[..]].concat());
    assert_eq!(run.code, 0, "{run:?}");
    let lines = fs::read_to_string(&log).unwrap();
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!((lines.len(), lines[0]), (2, "earlier"));
    let line: Value = serde_json::from_str(lines[1]).unwrap();
    let data = &line["event_data"];
    assert_eq!(
        (&line["event_type"], &line["correlation_id"]),
        (&json!("gateway.lock.force_expired"), &json!(NAME))
    );
    assert_eq!(
        (
            &data["by"],
            &data["reason"],
            &data["holder"],
            &data["fencing_token"],
            &data["before"]["spec"]
        ),
        (
            &json!("admin"),
            &json!("node lost"),
            &json!("gateway-1"),
            &lease["metadata"]["resourceVersion"],
            &lease["spec"]
        )
    );
}

#[test]
fn without_a_place_for_its_record_nothing_is_deleted() {
    let (server, _) = expired();
    let log = server.path("no/such/folder");
    let run = force_expire(&server, &[NAME, "--yes", "--audit-log", &log]);
    assert_eq!(
        (run.code, run.stdout.as_str(), server.count("delete")),
        (78, "", 0),
        "{run:?}"
    );
    let run = force_expire(&server, &[NAME, "--yes", "--audit-log", "-", "-o", "name"]);
    let line: Value = serde_json::from_str(&run.stderr).unwrap();
    assert_eq!(line["event_data"]["lease"], NAME);
}

#[test]
fn an_event_that_is_refused_is_a_warning() {
    let (server, _) = expired();
    allow(&server, "viewer", &["get", "delete"]);
    let run = server
        .gwlock_as("viewer", &["force-expire", NAME, "--yes", "-o", "json"])
        .run();
    assert_eq!((run.code, server.leases()), (0, none()), "{run:?}");
    assert!(
        run.stderr
            .contains("warning: no Event tells of gw-lock-1: "),
        "{run:?}"
    );
    assert!(
        run.stderr.ends_with(
            "  rules:\n  # to write an Event about a lease that was removed\n  - apiGroups: [\"events.k8s.io\"]\n    \
             resources: [\"events\"]\n    verbs: [\"create\"]\n"
        ),
        "{run:?}"
    );
    assert_eq!(run.json()["items"][0]["eventWritten"], false);
}

#[test]
fn a_missing_permission_is_named_as_a_rule() {
    let (server, _) = expired();
    allow(&server, "viewer", &["get"]);
    let run = server
        .gwlock_as("viewer", &["force-expire", NAME, "--yes"])
        .run();
    assert_eq!((run.code, run.stdout.as_str()), (77, ""), "{run:?}");
    assert!(
        run.stderr
            .ends_with("    resources: [\"leases\"]\n    verbs: [\"delete\"]\n"),
        "{run:?}"
    );
    assert_eq!(server.leases(), [NAME]);
}

#[test]
fn a_lost_answer_is_read_back() {
    let (server, _) = expired();
    server.inject(
        Fault::new(Action::LoseAnswer)
            .verb("delete")
            .resource("leases")
            .times(1),
    );
    let run = force_expire(&server, &[NAME, "--yes", "--request-timeout", "5s"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "lease.coordination.k8s.io/gw-lock-1 force-expired\n"),
        "{run:?}"
    );
}

#[test]
fn an_outcome_that_nobody_knows_has_its_code() {
    let (server, _) = expired();
    server.inject(
        Fault::new(Action::LoseRequest)
            .verb("delete")
            .resource("leases"),
    );
    let run = force_expire(
        &server,
        &[NAME, "--yes", "-o", "name", "--request-timeout", "2s"],
    );
    assert_eq!((run.code, run.stdout.as_str()), (76, ""), "{run:?}");
    assert!(
        run.stderr
            .starts_with("error: nobody knows whether gw-lock-1 in kubernaut-system was deleted: "),
        "{run:?}"
    );
    assert_eq!(server.names(EVENTS), none());
}

#[test]
fn a_server_that_is_gone_is_unreachable() {
    let (mut server, _) = expired();
    let forcing = server.gwlock(&["force-expire", NAME, "--yes"]);
    server.stop_serving();
    let run = forcing.run();
    assert_eq!((run.code, run.stdout.as_str()), (69, ""), "{run:?}");
}

#[test]
fn several_leases_are_judged_first_and_the_worst_decides() {
    let (server, _) = expired();
    server.lease("gw-lock-3", 0, &Server::held_by("gateway-3", 0));
    let run = server
        .gwlock(&["force-expire", "gw-lock-3", "-", "--yes", "-o", "json"])
        .stdin("gw-lock-2\ngw-lock-1\n\ngw-lock-1\n")
        .run();
    assert_eq!(run.code, 1, "{run:?}");
    let list = run.json();
    let items = list["items"].as_array().unwrap().iter();
    let told: Vec<_> = items
        .map(|item| (text(&item["name"]), text(&item["outcome"])))
        .collect();
    assert_eq!(
        told,
        [
            ("gw-lock-3", "NotStale"),
            ("gw-lock-2", "AlreadyGone"),
            ("gw-lock-1", "ForceExpired")
        ]
    );
    assert_eq!(
        (&list["by"], &list["kind"]),
        (&json!("admin"), &json!("LeaseForceExpiryList"))
    );
    assert_eq!(server.leases(), ["gw-lock-3"]);
}

#[test]
fn nothing_is_deleted_if_one_lease_cannot_be_read() {
    let (server, _) = expired();
    server.inject(
        Fault::new(Action::Refuse {
            status: 503,
            retry_after: None,
        })
        .verb("get")
        .name("gw-lock-2"),
    );
    let run = force_expire(&server, &[NAME, "gw-lock-2", "--yes"]);
    assert_eq!(
        (run.code, run.stdout.as_str(), server.count("delete")),
        (69, "", 0),
        "{run:?}"
    );
}

#[test]
fn nobodys_clock_but_the_servers_counts() {
    let server = Server::start();
    // Holders whose clocks are an hour off, either way: one is live, the others have expired.
    server.lease("gw-lock-1", 0, &Server::held_by("behind", 3600));
    server.lease("gw-lock-2", 0, &Server::held_by("ahead", -3600));
    server.lease("gw-lock-3", 100, &Server::held_by("behind", 3700));
    server.lease("gw-lock-4", 100, &Server::held_by("ahead", -3500));
    let names = ["gw-lock-1", "gw-lock-2", "gw-lock-3", "gw-lock-4"];
    let run = force_expire(&server, &[&names[..], &["--yes", "-o", "name"]].concat());
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (
            1,
            "lease.coordination.k8s.io/gw-lock-3\nlease.coordination.k8s.io/gw-lock-4\n"
        ),
        "{run:?}"
    );
    assert_eq!(server.leases(), ["gw-lock-1", "gw-lock-2"]);
}

#[test]
fn a_lease_that_a_finalizer_keeps_is_told_as_such() {
    let server = Server::start();
    let collection = format!("/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases");
    let metadata = json!({"name": NAME, "finalizers": ["gwlock.dev/test"]});
    let lease = json!({"metadata": metadata, "spec": Server::held_by("gateway-1", 100)});
    server.create(&collection, 100, &lease);
    let run = force_expire(&server, &[NAME, "--dry-run=server"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (
            0,
            "lease.coordination.k8s.io/gw-lock-1 marked as deleted, and kept by a finalizer (server dry run)\n"
        )
    );
    for why in [
        "is marked as deleted, but a finalizer keeps it, and nobody can acquire it",
        "was left alone: it is being deleted already, and a finalizer keeps it",
    ] {
        let run = force_expire(&server, &[NAME, "--yes", "-o", "name"]);
        let first = format!("error: gw-lock-1 in kubernaut-system {why}");
        assert_eq!(
            (run.code, run.stdout.as_str(), run.stderr.lines().next()),
            (1, "", Some(first.as_str()))
        );
    }
    assert_eq!(server.names(EVENTS).len(), 1);
}
