//! Errors end with the next step: each of the usual ones is provoked, and the command in its hint is run as it stands.

use std::path::Path;
use std::process::Command;

use gwlock_apiserver::faults::{Action, Fault};
use serde_json::json;

use crate::fixture::{Gwlock, Run, Server};

/// The commands of gwlock in the hints of a failure, without what stands behind the `#`.
fn commands(run: &Run) -> Vec<String> {
    assert!(
        run.stderr.starts_with("error: ") || run.stderr.contains("\nerror: "),
        "{run:?}"
    );
    let hints = run
        .stderr
        .lines()
        .filter_map(|line| line.strip_prefix("hint: "));
    hints
        .filter(|hint| hint.starts_with("gwlock "))
        .map(|hint| hint.split("   # ").next().unwrap().to_owned())
        .collect()
}

/// Runs a line as somebody would who pastes it into a shell.
fn paste(server: &Server, line: &str) -> Run {
    let program = Path::new(env!("CARGO_BIN_EXE_gwlock"));
    let mut path = program.parent().unwrap().as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let output = Command::new("sh")
        .args(["-c", line])
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("USER", "ops")
        .env("PATH", path)
        .env("KUBECONFIG", server.kubeconfig("admin"))
        .output()
        .unwrap();
    output.into()
}

/// A server that says that it is a lab, so that nothing asks, with an expired lease and one that is held.
fn lab() -> Server {
    let server = Server::start();
    server.serve_remediation_requests();
    server.lease(
        "gw-lock-0000000000000001",
        100,
        &Server::held_by("gateway-gone", 100),
    );
    let mut held = Server::held_by("gateway-1", 0);
    held["leaseDurationSeconds"] = json!(3600);
    server.lease("gw-lock-0000000000000002", 0, &held);
    server
}

/// A failure with its exit code, and which of its commands are run, each with the code that it ends with.
struct Case {
    command: &'static [&'static str],
    code: i32,
    next: &'static [(&'static str, i32)],
}

const CASES: &[Case] = &[
    Case {
        command: &["inspect", "gw-lock-9"],
        code: 1,
        next: &[("gwlock inspect -n kubernaut-system --prefix all", 0)],
    },
    Case {
        command: &["acquire", "gw-lock-0000000000000002", "--wait", "0"],
        code: 75,
        next: &[(
            "gwlock inspect gw-lock-0000000000000002 -n kubernaut-system",
            0,
        )],
    },
    Case {
        command: &["acquire", "gw-lock-AbC"],
        code: 65,
        next: &[("gwlock acquire gw-lock-AbC --key-as text", 0)],
    },
    Case {
        command: &[
            "release",
            "gw-lock-0000000000000002",
            "--holder",
            "ops_0123456789abcdef",
        ],
        code: 1,
        next: &[(
            "gwlock inspect gw-lock-0000000000000002 -n kubernaut-system",
            0,
        )],
    },
    Case {
        command: &[
            "verify",
            "gw-lock-0000000000000002",
            "--holder",
            "ops_0123456789abcdef",
        ],
        code: 1,
        next: &[(
            "gwlock inspect gw-lock-0000000000000002 -n kubernaut-system",
            0,
        )],
    },
    Case {
        command: &["force-expire", "gw-lock-0000000000000001"],
        code: 2,
        next: &[
            (
                "gwlock force-expire gw-lock-0000000000000001 --dry-run=server",
                0,
            ),
            ("gwlock force-expire gw-lock-0000000000000001 --yes", 0),
        ],
    },
    Case {
        command: &["force-expire", "gw-lock-0000000000000002", "--yes"],
        code: 1,
        next: &[(
            "gwlock inspect gw-lock-0000000000000002 -n kubernaut-system",
            0,
        )],
    },
    Case {
        command: &["resolve", "not a thing"],
        code: 65,
        next: &[("gwlock resolve prod/Deployment/payment-api --offline", 0)],
    },
    Case {
        command: &["resolve", "rr-91fce8d5c494-0a1b2c3d"],
        code: 1,
        next: &[(
            "gwlock dedup list --controller-namespace kubernaut-system",
            0,
        )],
    },
    Case {
        command: &["dedup", "list", "prod/Deployment/payment-api"],
        code: 1,
        next: &[(
            "gwlock dedup list --controller-namespace kubernaut-system",
            0,
        )],
    },
    Case {
        command: &[
            "send",
            "--alertname",
            "A",
            "--direct",
            "--namespace",
            "prod",
            "--pod",
            "a",
        ],
        code: 2,
        // There is no such pod: the signal is refused, for a reason of its own.
        next: &[(
            "gwlock send --alertname A --direct --namespace prod --pod a --dry-run=client",
            65,
        )],
    },
    Case {
        command: &[
            "run",
            "gw-lock-0000000000000002",
            "--wait",
            "0",
            "--",
            "true",
        ],
        code: 75,
        next: &[(
            "gwlock inspect gw-lock-0000000000000002 -n kubernaut-system",
            0,
        )],
    },
    Case {
        command: &["inspect", "-o", "jsonpath={.items[x]}"],
        code: 2,
        next: &[],
    },
];

#[test]
fn the_command_in_a_hint_works_as_it_stands() {
    for case in CASES {
        let server = lab();
        let run = server.gwlock(case.command).run();
        assert_eq!(run.code, case.code, "{:?}: {run:?}", case.command);
        assert!(run.stderr.contains("hint: "), "{:?}: {run:?}", case.command);
        let proposed = commands(&run);
        for (command, code) in case.next {
            assert!(
                proposed.contains(&(*command).to_owned()),
                "{command} is not among {proposed:?}"
            );
            let next = paste(&server, command);
            assert_eq!(next.code, *code, "{command}: {next:?}");
        }
    }
}

#[test]
fn a_wait_that_is_proposed_replaces_the_one_that_was_too_short() {
    let server = Server::start();
    server.lease("gw-lock-1", 0, &Server::held_by("gateway-1", 0));
    let run = server
        .gwlock(&[
            "run",
            "gw-lock-1",
            "--wait",
            "0",
            "--",
            "echo",
            "it is mine",
        ])
        .run();
    let proposed = commands(&run);
    let again = &proposed[1];
    let seconds = again
        .strip_prefix("gwlock run gw-lock-1 --wait ")
        .and_then(|rest| rest.strip_suffix("s -- echo 'it is mine'"))
        .unwrap_or_else(|| panic!("{proposed:?}"));
    assert!(
        (1..60).contains(&seconds.parse::<u64>().unwrap()),
        "{again}"
    );
    server.delete("gw-lock-1");
    let next = paste(&server, again);
    assert_eq!(
        (next.code, next.stdout.as_str()),
        (0, "it is mine\n"),
        "{next:?}"
    );
}

#[test]
fn a_failure_without_a_step_of_its_own_is_sent_to_the_help_or_the_doctor() {
    let server = lab();
    let run = Gwlock::new(&["inspect", "--server", "no url"]).run();
    let help = "gwlock inspect --server 'no url' --help".to_owned();
    assert_eq!((run.code, commands(&run)), (2, vec![help.clone()]));
    assert_eq!(paste(&server, &help).code, 0);
    // The list is gone by the time that it is read: no request was at fault.
    server.inject(
        Fault::new(Action::Refuse {
            status: 409,
            retry_after: None,
        })
        .verb("list")
        .resource("leases"),
    );
    let run = server.gwlock(&["inspect"]).run();
    assert_eq!(
        (run.code, commands(&run)),
        (69, vec!["gwlock doctor".to_owned()]),
        "{run:?}"
    );
    // It finds the same fault.
    let found = paste(&server, "gwlock doctor");
    assert_eq!(found.code, 1, "{found:?}");
    assert!(
        found.stdout.contains("1 question without an answer"),
        "{found:?}"
    );
}
