//! `acquire`, `renew`, `verify` and `release`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Child;
use std::time::Duration;

use gwlock_apiserver::faults::{Action, Fault};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::fixture::{NAMESPACE, Run, Server};

const LEASE: &str = "gw-lock-91fce8d5c4949766";
const SOMEBODY: &str = "ops@host_0123456789abcdef";

fn interrupt(child: &Child) {
    kill_process(Pid::from_child(child), Signal::INT).unwrap();
}

fn finish(child: Child) -> Run {
    child.wait_with_output().unwrap().into()
}

fn acquire_to_file(server: &Server) -> (String, Value) {
    let file = server.path("lease.json");
    let run = server
        .gwlock(&[
            "acquire",
            "prod/Deployment/payment-api",
            "--handle-file",
            &file,
            "-o",
            "json",
        ])
        .run();
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    (file, run.json())
}

#[test]
fn a_handle_has_everything_that_the_next_commands_need() {
    let server = Server::start();
    let (file, printed) = acquire_to_file(&server);
    let keys: Vec<&String> = printed.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "acquiredAt",
            "apiVersion",
            "expiresAt",
            "fencingToken",
            "holder",
            "kind",
            "lease",
            "leaseDurationSeconds",
            "namespace",
            "requests",
            "resourceVersion",
            "uid"
        ]
    );
    let known = json!({
        "apiVersion": "gwlock.dev/v1alpha1", "kind": "LeaseHandle", "lease": LEASE, "namespace": NAMESPACE,
        "leaseDurationSeconds": 30, "requests": 1,
    });
    for (key, value) in known.as_object().unwrap() {
        assert_eq!(&printed[key], value, "{key}");
    }
    let written: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(written, printed);
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn a_claim_is_renewed_verified_and_released_by_its_file() {
    let server = Server::start();
    let (file, acquired) = acquire_to_file(&server);
    let run = server
        .gwlock(&["renew", "--handle-file", &file, "-o", "json"])
        .run();
    assert_eq!(
        (run.code, run.json()["uid"].clone()),
        (0, acquired["uid"].clone()),
        "{run:?}"
    );
    assert_ne!(run.json()["resourceVersion"], acquired["resourceVersion"]);
    assert_eq!(run.json()["fencingToken"], acquired["fencingToken"]);
    let run = server.gwlock(&["verify", "--handle-file", &file]).run();
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let run = server.gwlock(&["release", "--handle-file", &file]).run();
    assert_eq!(
        (run.code, run.stdout),
        (0, format!("lease.coordination.k8s.io/{LEASE} released\n"))
    );
    assert_eq!(server.leases(), Vec::<String>::new());
}

#[test]
fn a_claim_is_found_by_its_holder_as_well() {
    let server = Server::start();
    let (_, acquired) = acquire_to_file(&server);
    let holder = acquired["holder"].as_str().unwrap();
    for command in ["verify", "renew", "release"] {
        let run = server
            .gwlock(&[command, "prod:Deployment:payment-api", "--holder", holder])
            .run();
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{command}");
    }
    assert_eq!(server.leases(), Vec::<String>::new());
}

#[test]
fn somebody_elses_lease_is_neither_renewed_nor_released() {
    let server = Server::start();
    server.lease(LEASE, 0, &Server::held_by("gateway-1", 0));
    let run = server
        .gwlock(&["release", LEASE, "--holder", SOMEBODY])
        .run();
    assert_eq!(
        (run.code, run.stderr),
        (
            1,
            format!(
                "error: {LEASE} is held by gateway-1, not by {SOMEBODY}; nothing was deleted\n\
                 hint: gwlock inspect {LEASE} -n {NAMESPACE}   # who holds it now\n"
            )
        )
    );
    for command in ["verify", "renew"] {
        let run = server.gwlock(&[command, LEASE, "--holder", SOMEBODY]).run();
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (1, ""),
            "{command}: {run:?}"
        );
    }
    assert_eq!((server.count("update"), server.count("delete")), (0, 0));
    assert_eq!(server.leases(), [LEASE]);
}

#[test]
fn a_claim_stands_no_longer_once_it_has_expired() {
    let server = Server::start();
    server.lease(LEASE, 100, &Server::held_by(SOMEBODY, 100));
    let run = server
        .gwlock(&["verify", LEASE, "--holder", SOMEBODY])
        .run();
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    let first = run.stderr.lines().next().unwrap();
    assert!(
        first.starts_with(&format!(
            "error: the claim on {LEASE} no longer stands: it expired "
        )),
        "{first}"
    );
}

#[test]
fn a_claim_does_not_stand_on_a_lease_that_was_made_again() {
    let server = Server::start();
    let (file, acquired) = acquire_to_file(&server);
    let holder = acquired["holder"].as_str().unwrap();
    let run = server.gwlock(&["release", "--handle-file", &file]).run();
    assert_eq!(run.code, 0);
    server.lease(LEASE, 0, &Server::held_by(holder, 0));
    let run = server.gwlock(&["verify", "--handle-file", &file]).run();
    assert_eq!(
        (run.code, run.stderr.lines().next().unwrap()),
        (
            1,
            format!(
                "error: the claim on {LEASE} no longer stands: it was deleted and created again"
            )
            .as_str()
        )
    );
}

#[test]
fn a_dry_run_stores_nothing() {
    let server = Server::start();
    for mode in ["--dry-run", "--dry-run=client", "--dry-run=server"] {
        let run = server.gwlock(&["acquire", mode, "x"]).run();
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{mode}");
        assert!(run.stdout.contains("dry run)"), "{run:?}");
    }
    assert_eq!(server.leases(), Vec::<String>::new());
    let (file, _) = acquire_to_file(&server);
    let before = fs::read_to_string(&file).unwrap();
    for command in ["renew", "release"] {
        for mode in ["--dry-run", "--dry-run=client", "--dry-run=server"] {
            let run = server
                .gwlock(&[command, "--handle-file", &file, mode])
                .run();
            assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{command} {mode}");
            assert!(run.stdout.contains("dry run)"), "{run:?}");
        }
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
    let run = server.gwlock(&["verify", "--handle-file", &file]).run();
    assert_eq!((run.code, server.leases()), (0, vec![LEASE.to_owned()]));
}

#[test]
fn whoever_finds_a_lease_busy_is_told_what_removes_a_holder_that_is_gone() {
    let server = Server::start();
    server.lease("gw-lock-1", 0, &Server::held_by("gateway-1", 0));
    let hints = || -> Vec<String> {
        let run = server
            .gwlock(&["acquire", "gw-lock-1", "--wait", "0"])
            .run();
        assert_eq!(run.code, 75, "{run:?}");
        let hints = run
            .stderr
            .lines()
            .filter_map(|line| line.strip_prefix("hint: gwlock "));
        let commands = hints.filter_map(|hint| hint.split("   # ").next());
        commands.map(str::to_owned).collect()
    };
    let inspect = "inspect gw-lock-1 -n kubernaut-system";
    let force = "force-expire gw-lock-1 -n kubernaut-system --even-if-live --reason 'pod gateway-1 is gone'";
    let told = hints();
    assert_eq!(
        (told.len(), told[0].as_str(), told[2].as_str()),
        (3, inspect, force),
        "{told:?}"
    );
    server.pod("gateway-1", 60, "", &json!({"phase": "Running"}));
    let told = hints();
    assert_eq!((told.len(), told[0].as_str()), (2, inspect), "{told:?}");
}

#[test]
fn a_key_can_come_from_stdin() {
    let server = Server::start();
    let run = server
        .gwlock(&["acquire", "-", "-o", "name"])
        .stdin("prod/Deployment/payment-api\n")
        .run();
    assert_eq!(
        (run.code, run.stdout),
        (0, format!("lease.coordination.k8s.io/{LEASE}\n"))
    );
    let run = server.gwlock(&["acquire", "-"]).stdin("a\nb\n").run();
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (65, "error: one key was expected on stdin, not 2\n")
    );
}

#[test]
fn a_handle_file_that_is_none_is_bad_input() {
    let server = Server::start();
    for (name, text) in [
        ("empty", ""),
        ("json", "{}"),
        (
            "kind",
            r#"{"apiVersion": "gwlock.dev/v1alpha1", "kind": "LeaseReportList", "items": []}"#,
        ),
        (
            "half",
            r#"{"apiVersion": "gwlock.dev/v1alpha1", "kind": "LeaseHandle", "lease": "x"}"#,
        ),
    ] {
        let file = server.path(name);
        fs::write(&file, text).unwrap();
        for command in ["renew", "verify", "release"] {
            let run = server.gwlock(&[command, "--handle-file", &file]).run();
            assert_eq!(
                (run.code, run.stdout.as_str()),
                (65, ""),
                "{command} {name}: {run:?}"
            );
        }
    }
    let missing = server.path("missing");
    let run = server.gwlock(&["verify", "--handle-file", &missing]).run();
    assert_eq!(run.code, 65, "{run:?}");
}

#[test]
fn a_claim_that_cannot_be_written_down_is_given_back() {
    let server = Server::start();
    let file = server.path("no/such/folder/lease.json");
    let run = server
        .gwlock(&["acquire", LEASE, "--handle-file", &file])
        .run();
    assert_eq!(run.code, 65, "{run:?}");
    assert!(
        run.stderr.ends_with("hint: the lease was released again\n"),
        "{run:?}"
    );
    assert_eq!(server.leases(), Vec::<String>::new());
}

#[test]
fn a_claim_that_cannot_be_printed_is_given_back() {
    let server = Server::start();
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let run = server.gwlock(&["acquire", LEASE]).stdout(full).run();
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (
            69,
            "error: cannot write to stdout: No space left on device (os error 28)\n\
             hint: the lease was released again\n"
        )
    );
    assert_eq!(server.leases(), Vec::<String>::new());
}

#[test]
fn another_namespace_than_the_handles_is_a_contradiction() {
    let server = Server::start();
    let (file, _) = acquire_to_file(&server);
    let run = server
        .gwlock(&["release", "--handle-file", &file, "-n", "other"])
        .run();
    assert_eq!((run.code, run.stdout.as_str()), (78, ""));
    let run = server
        .gwlock(&["release", "--handle-file", &file, "-n", NAMESPACE])
        .run();
    assert_eq!(run.code, 0, "{run:?}");
}

#[test]
fn an_interrupted_wait_ends_with_130_and_leaves_nothing() {
    let server = Server::start();
    server.lease(LEASE, 0, &Server::held_by("gateway-1", 0));
    let waiting = server.gwlock(&["acquire", LEASE, "--wait", "1h"]).start();
    server.wait_for(|exchange| exchange.verb == "watch");
    interrupt(&waiting);
    let run = finish(waiting);
    assert_eq!((run.code, run.stdout.as_str()), (130, ""), "{run:?}");
    assert_eq!((server.count("update"), server.count("delete")), (0, 0));
}

#[test]
fn an_interrupt_undoes_an_acquisition_that_was_half_made() {
    let server = Server::start();
    // The lease is made at once; its answer would come long after the signal.
    let late = Action::DelayAnswer(Duration::from_secs(5));
    server.inject(Fault::new(late).verb("create").resource("leases"));
    let acquiring = server.gwlock(&["acquire", LEASE]).start();
    while server.leases().is_empty() {
        std::thread::yield_now();
    }
    interrupt(&acquiring);
    let run = finish(acquiring);
    assert_eq!((run.code, run.stdout.as_str()), (130, ""), "{run:?}");
    assert_eq!(server.leases(), Vec::<String>::new());
}

#[test]
fn a_second_interrupt_ends_it_at_once() {
    let server = Server::start();
    server.inject(Fault::new(Action::Pause).verb("create").resource("leases"));
    let acquiring = server
        .gwlock(&[
            "acquire",
            LEASE,
            "--request-timeout",
            "1h",
            "--lease-duration",
            "4h",
        ])
        .start();
    // Nothing is answered, so nothing but the second signal can end this in time.
    while server.faults_hit() == 0 {
        std::thread::yield_now();
    }
    let mut child = acquiring;
    while child.try_wait().unwrap().is_none() {
        interrupt(&child);
        std::thread::yield_now();
    }
    assert_eq!(finish(child).code, 130);
}
