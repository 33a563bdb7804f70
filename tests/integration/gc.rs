//! `gc`: which leases it deletes, which it leaves, and what it tells.

use gwlock_apiserver::faults::{Action, Fault};
use http::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::fixture::{NAMESPACE, Run, Server};

const SUMMARY: &str =
    "2 leases, 2 expired: 2 deleted, 0 changed meanwhile, 0 gone meanwhile, 0 kept by a finalizer";

fn gc(server: &Server, flags: &[&str]) -> Run {
    server.gwlock(&[&["gc"], flags].concat()).run()
}

fn path(name: &str) -> String {
    format!("/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{name}")
}

/// Two leases that have expired, one an hour ago.
fn expired() -> Server {
    let server = Server::start();
    server.lease("gw-lock-1", 3700, &Server::held_by("gateway-1", 3700));
    server.lease("ro-lock-1", 100, &Server::held_by("orchestrator-1", 100));
    server
}

#[test]
fn only_expired_leases_of_two_prefixes_are_deleted() {
    let server = expired();
    for name in ["other", "kubernaut-interactive-rr-1", "gw-locks"] {
        server.lease(name, 9000, &Server::held_by("somebody", 9000));
    }
    // Live, though their clocks are an hour off.
    server.lease("gw-lock-2", 0, &Server::held_by("gateway-2", 3600));
    server.lease("gw-lock-3", 9000, &json!({}));
    let mut unstamped = server.lease("gw-lock-4", 9000, &Server::held_by("gateway-4", 9000));
    unstamped["metadata"]["managedFields"] = json!([]);
    server.send(Method::PUT, &path("gw-lock-4"), Some(&unstamped));
    let run = gc(&server, &[]);
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (
            0,
            "lease.coordination.k8s.io/gw-lock-1 deleted\nlease.coordination.k8s.io/ro-lock-1 deleted\n",
            "5 leases, 2 expired: 2 deleted, 0 changed meanwhile, 0 gone meanwhile, 0 kept by a finalizer\n"
        )
    );
    assert_eq!(
        server.leases(),
        [
            "gw-lock-2",
            "gw-lock-3",
            "gw-lock-4",
            "gw-locks",
            "kubernaut-interactive-rr-1",
            "other"
        ]
    );
}

#[test]
fn other_prefixes_are_refused() {
    let server = expired();
    for prefix in ["all", "kubernaut-interactive", ""] {
        let run = gc(&server, &["--prefix", prefix]);
        assert_eq!((run.code, server.count("list")), (2, 0), "{run:?}");
    }
    let run = gc(&server, &["--prefix", "ro-lock", "-o", "name"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "lease.coordination.k8s.io/ro-lock-1\n")
    );
    assert_eq!(server.leases(), ["gw-lock-1"]);
}

#[test]
fn nothing_to_do_is_done() {
    let server = Server::start();
    let run = gc(&server, &[]);
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (
            0,
            "",
            "0 leases, 0 expired: 0 deleted, 0 changed meanwhile, 0 gone meanwhile, 0 kept by a finalizer\n"
        )
    );
}

#[test]
fn what_expired_a_short_time_ago_can_be_left() {
    let server = expired();
    let run = gc(&server, &["--older-than", "1h", "-o", "name"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "lease.coordination.k8s.io/gw-lock-1\n")
    );
    assert_eq!(server.leases(), ["ro-lock-1"]);
}

#[test]
fn dry_runs_delete_nothing() {
    let server = expired();
    // On the client's side the list alone is the answer: nothing is read again, and nothing is slowed down.
    for (mode, suffix, requests) in [("client", "dry run", 0), ("server", "server dry run", 2)] {
        let run = gc(&server, &[&format!("--dry-run={mode}")]);
        assert_eq!(
            (run.code, run.stdout, run.stderr),
            (
                0,
                format!(
                    "lease.coordination.k8s.io/gw-lock-1 deleted ({suffix})\n\
                     lease.coordination.k8s.io/ro-lock-1 deleted ({suffix})\n"
                ),
                format!("{SUMMARY} ({suffix})\n")
            )
        );
        assert_eq!(
            ["get", "delete"].map(|verb| server.count(verb)),
            [requests, requests]
        );
        assert_eq!(server.leases().len(), 2);
    }
}

#[test]
fn json_has_the_counts_and_the_leases() {
    let server = expired();
    let run = gc(&server, &["-A", "-o", "json"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let item = |name: &str, holder: &str| json!({"namespace": NAMESPACE, "name": name, "holder": holder, "outcome": "Deleted"});
    assert_eq!(
        run.json(),
        json!({
            "apiVersion": "gwlock.dev/v1alpha1", "kind": "LeaseCollection", "dryRun": "none", "listed": 2, "expired": 2,
            "deleted": 2, "changed": 0, "gone": 0, "keptByFinalizer": 0,
            "items": [item("gw-lock-1", "gateway-1"), item("ro-lock-1", "orchestrator-1")],
        })
    );
}

#[test]
fn all_namespaces_are_told_apart() {
    let server = expired();
    server.post("/api/v1/namespaces", &json!({"metadata": {"name": "more"}}));
    let lease =
        json!({"metadata": {"name": "gw-lock-1"}, "spec": Server::held_by("gateway-9", 100)});
    server.create(
        "/apis/coordination.k8s.io/v1/namespaces/more/leases",
        100,
        &lease,
    );
    let run = gc(&server, &["-A", "--prefix", "gw-lock"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (
            0,
            "lease.coordination.k8s.io/gw-lock-1 in kubernaut-system deleted\n\
             lease.coordination.k8s.io/gw-lock-1 in more deleted\n"
        )
    );
    assert_eq!(server.leases(), ["ro-lock-1"]);
}

/// Does something to a lease before a verb on it is carried out.
fn meanwhile(verb: &str, change: impl FnOnce(&Server)) -> (Server, Value) {
    let server = expired();
    server.inject(
        Fault::new(Action::Pause)
            .verb(verb)
            .name("gw-lock-1")
            .times(1),
    );
    let collecting = server.gwlock(&["gc", "-o", "json"]).start();
    while server.faults_hit() == 0 {
        std::thread::yield_now();
    }
    change(&server);
    server.resume();
    let run: Run = collecting.wait_with_output().unwrap().into();
    assert_eq!(run.code, 0, "{run:?}");
    let told = run.json();
    (server, told)
}

fn renew(server: &Server) {
    let mut lease = server.get(&path("gw-lock-1"));
    lease["spec"] = Server::held_by("gateway-1", 0);
    server.send(Method::PUT, &path("gw-lock-1"), Some(&lease));
}

#[test]
fn what_changes_meanwhile_is_left_and_counted() {
    for (verb, deletes) in [("get", 1), ("delete", 2)] {
        let (server, told) = meanwhile(verb, renew);
        let counts = [
            &told["deleted"],
            &told["changed"],
            &told["items"][0]["outcome"],
        ];
        assert_eq!(counts, [&json!(1), &json!(1), &json!("Changed")], "{verb}");
        assert_eq!(
            (server.leases(), server.count("delete")),
            (vec!["gw-lock-1".to_owned()], deletes)
        );
    }
}

#[test]
fn what_is_released_meanwhile_is_no_failure() {
    for verb in ["get", "delete"] {
        let (_, told) = meanwhile(verb, |server| {
            server.send(Method::DELETE, &path("gw-lock-1"), None);
        });
        let counts = [
            &told["deleted"],
            &told["gone"],
            &told["items"][0]["outcome"],
        ];
        assert_eq!(counts, [&json!(1), &json!(1), &json!("Gone")], "{verb}");
    }
}

#[test]
fn a_failure_ends_it_after_what_was_done_is_told() {
    let server = expired();
    server.inject(
        Fault::new(Action::LoseRequest)
            .verb("delete")
            .name("ro-lock-1"),
    );
    let run = gc(&server, &["--request-timeout", "2s"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (76, "lease.coordination.k8s.io/gw-lock-1 deleted\n"),
        "{run:?}"
    );
    assert!(
        run.stderr
            .contains("error: nobody knows whether ro-lock-1 was deleted: "),
        "{run:?}"
    );
    let run = server.gwlock_as("viewer", &["gc"]).run();
    assert_eq!((run.code, run.stdout.as_str()), (77, ""));
    assert!(run.stderr.ends_with("    verbs: [\"list\"]\n"), "{run:?}");
}

#[test]
fn the_pace_has_bounds() {
    for n in ["0", "1001", "x"] {
        assert_eq!(
            crate::fixture::Gwlock::new(&["gc", "--max-per-second", n])
                .run()
                .code,
            2
        );
    }
}

#[test]
fn the_cronjob_may_do_all_that_it_is_told_to() {
    let manifest = include_str!("../../deploy/gc-cronjob.yaml");
    let documents: Vec<Value> = manifest
        .split("\n---\n")
        .map(|document| serde_yaml::from_str(document).unwrap())
        .collect();
    let [_account, role, binding, job] = documents.as_slice() else {
        panic!("{documents:?}")
    };
    let server = expired();
    let rbac = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}");
    server.post(&format!("{rbac}/roles"), role);
    let mut binding = binding.clone();
    binding["subjects"] =
        json!([{"kind": "User", "name": "viewer", "apiGroup": "rbac.authorization.k8s.io"}]);
    server.post(&format!("{rbac}/rolebindings"), &binding);
    let container = &job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0];
    let words = container["args"].as_array().unwrap().iter();
    let words: Vec<&str> = words.map(|word| word.as_str().unwrap()).collect();
    let run = server.gwlock_as("viewer", &words).run();
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "lease.coordination.k8s.io/gw-lock-1 deleted\n"),
        "{run:?}"
    );
    assert_eq!(server.leases(), ["ro-lock-1"]);
}

#[test]
fn an_interrupt_ends_it_after_what_was_done_is_told() {
    let server = expired();
    server.inject(Fault::new(Action::Pause).verb("delete").name("ro-lock-1"));
    let collecting = server.gwlock(&["gc"]).start();
    while server.faults_hit() == 0 {
        std::thread::yield_now();
    }
    kill_process(Pid::from_child(&collecting), Signal::INT).unwrap();
    let run: Run = collecting.wait_with_output().unwrap().into();
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (130, "lease.coordination.k8s.io/gw-lock-1 deleted\n"),
        "{run:?}"
    );
}
