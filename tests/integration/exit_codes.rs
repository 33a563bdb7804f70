//! One test for every exit code that a command can end with today, and for how failures are told.

use gwlock::exit::Exit;
use gwlock_apiserver::faults::{Action, Fault};
use serde_json::json;

use crate::fixture::{Gwlock, NAMESPACE, Server};

fn code(exit: Exit) -> i32 {
    i32::from(exit.code())
}

#[test]
fn releasing_a_lease_that_is_gone_is_done() {
    let server = Server::start();
    let run = server
        .gwlock(&["release", "gw-lock-1", "--holder", "ops_0123456789abcdef"])
        .run();
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (
            code(Exit::Done),
            "lease.coordination.k8s.io/gw-lock-1 was gone already\n",
            ""
        )
    );
}

#[test]
fn a_lease_that_does_not_exist_is_a_no() {
    let server = Server::start();
    let run = server.gwlock(&["inspect", "gw-lock-1"]).run();
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (
            code(Exit::No),
            "",
            "error: there is no lease gw-lock-1 in namespace kubernaut-system: nobody holds it\n\
             hint: gwlock inspect -n kubernaut-system --prefix all   # the leases that there are\n"
        )
    );
}

#[test]
fn a_flag_that_does_not_exist_is_wrong_usage() {
    let run = Gwlock::new(&["inspect", "--nope"]).run();
    assert_eq!((run.code, run.stdout.as_str()), (code(Exit::Usage), ""));
    assert_eq!(
        run.stderr.lines().next(),
        Some("error: unexpected argument '--nope' found")
    );
}

#[test]
fn a_key_that_names_no_lease_is_bad_input_and_nothing_is_sent() {
    let server = Server::start();
    for key in ["", "gw-lock-AbC", "lease.coordination.k8s.io/a_b"] {
        let run = server.gwlock(&["acquire", key]).run();
        assert_eq!(run.code, code(Exit::BadInput), "{key}: {run:?}");
    }
    assert_eq!(server.count("create"), 0);
}

#[test]
fn a_server_that_does_not_listen_is_unreachable() {
    let mut server = Server::start();
    let kubeconfig = server.kubeconfig("admin");
    server.stop_serving();
    let run = Gwlock::new(&["inspect"])
        .env("KUBECONFIG", kubeconfig)
        .run();
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (code(Exit::Unreachable), "")
    );
    let first = run.stderr.lines().next().unwrap();
    assert!(
        first.starts_with("error: the connection to the server 127.0.0.1:")
            && first.contains("refused"),
        "{first}"
    );
}

#[test]
fn a_lease_that_somebody_holds_is_busy() {
    let server = Server::start();
    server.lease("gw-lock-1", 0, &Server::held_by("gateway-1", 0));
    let run = server
        .gwlock(&["acquire", "gw-lock-1", "--wait", "0"])
        .run();
    assert_eq!((run.code, run.stdout.as_str()), (code(Exit::Busy), ""));
    let first = run.stderr.lines().next().unwrap();
    assert!(
        first.starts_with(
            "error: gw-lock-1 in kubernaut-system is held by gateway-1, last renewed "
        ),
        "{first}"
    );
}

#[test]
fn the_code_for_busy_can_be_chosen() {
    let server = Server::start();
    server.lease("gw-lock-1", 0, &Server::held_by("gateway-1", 0));
    let run = server
        .gwlock(&[
            "acquire",
            "gw-lock-1",
            "--wait",
            "0",
            "-E",
            "9",
            "-o",
            "json",
        ])
        .run();
    let error = run.json_error();
    assert_eq!(
        (run.code, &error["code"], &error["reason"]),
        (9, &json!(9), &json!("LeaseBusy"))
    );
}

#[test]
fn a_write_whose_answer_is_lost_for_good_has_an_unknown_outcome() {
    let server = Server::start();
    // The write lands, its answer is lost, and so is every attempt to read it back.
    server.inject(
        Fault::new(Action::LoseAnswer)
            .verb("create")
            .resource("leases"),
    );
    server.inject(
        Fault::new(Action::LoseRequest)
            .verb("get")
            .resource("leases"),
    );
    server.inject(
        Fault::new(Action::LoseRequest)
            .verb("delete")
            .resource("leases"),
    );
    let run = server
        .gwlock(&[
            "acquire",
            "gw-lock-1",
            "--wait",
            "0",
            "--request-timeout",
            "1s",
        ])
        .run();
    assert_eq!(run.code, code(Exit::Unknown), "{run:?}");
}

#[test]
fn a_missing_permission_is_forbidden_and_named_as_a_rule() {
    let server = Server::start();
    let run = server.gwlock_as("viewer", &["inspect"]).run();
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (
            code(Exit::Forbidden),
            "error: leases.coordination.k8s.io is forbidden: User \"viewer\" cannot list resource \"leases\" in API group \
             \"coordination.k8s.io\" in the namespace \"kubernaut-system\"\n\
             hint: the rule that is missing:\n  apiVersion: rbac.authorization.k8s.io/v1\n  kind: Role\n  metadata:\n    \
             name: gwlock\n    namespace: kubernaut-system\n  rules:\n  # to find leases\n  - apiGroups: [\"coordination.k8s.io\"]\n    \
             resources: [\"leases\"]\n    verbs: [\"list\"]\n"
        )
    );
}

#[test]
fn credentials_that_the_server_does_not_know_are_forbidden() {
    let server = Server::start();
    let run = server.gwlock_as("stranger", &["inspect"]).run();
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (code(Exit::Forbidden), ""),
        "{run:?}"
    );
}

#[test]
fn no_kubeconfig_is_a_matter_of_configuration() {
    let run = Gwlock::new(&["inspect"]).run();
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (
            code(Exit::Config),
            "error: no kubeconfig was found, and this is no pod of a cluster\n\
             hint: set KUBECONFIG or give --kubeconfig FILE\n\
             hint: gwlock lab   # an API server to try things on\n"
        )
    );
}

#[test]
fn a_kubeconfig_that_cannot_be_used_is_a_matter_of_configuration() {
    let server = Server::start();
    for (name, text) in [
        ("broken", "{not yaml"),
        ("empty", ""),
        (
            "other",
            "apiVersion: v1\nkind: Config\ncurrent-context: gone\n",
        ),
    ] {
        let path = server.path(name);
        std::fs::write(&path, text).unwrap();
        for arguments in [vec!["inspect"], vec!["acquire", "x", "--wait", "0"]] {
            let run = Gwlock::new(&arguments).env("KUBECONFIG", &path).run();
            assert_eq!(run.code, code(Exit::Config), "{name}: {run:?}");
        }
    }
    let missing = server.path("missing");
    let run = Gwlock::new(&["inspect", "--kubeconfig", &missing]).run();
    assert_eq!(run.code, code(Exit::Config), "{run:?}");
}

#[test]
fn timing_that_contradicts_itself_is_a_matter_of_configuration() {
    let server = Server::start();
    let mut commands = vec![vec!["acquire", "x"]];
    if cfg!(feature = "serve") {
        commands.push(vec!["serve", "--bind-address", ":0", "--identity", "a"]);
    }
    for flags in [
        ["--lease-duration", "10s", "--renew-deadline", "20s"],
        ["--lease-duration", "10s", "--retry-period", "15s"],
        ["--lease-duration", "0s", "--retry-period", "1s"],
    ] {
        for command in &commands {
            let run = server
                .gwlock(&[command.as_slice(), flags.as_slice()].concat())
                .run();
            assert_eq!(run.code, code(Exit::Config), "{flags:?}: {run:?}");
        }
    }
    assert_eq!(server.count("create"), 0);
}

#[cfg(feature = "sim")]
#[test]
fn the_lab_ends_with_its_commands_code() {
    for (command, exit) in [
        (vec!["sh", "-c", "exit 3"], Exit::Child(3)),
        (vec!["sh", "-c", "kill -TERM $$"], Exit::Signal(15)),
        (vec!["/nonexistent/command"], Exit::NotFound),
        (vec!["/"], Exit::NotExecutable),
    ] {
        let run = Gwlock::new(&[&["lab", "--"], command.as_slice()].concat()).run();
        assert_eq!(run.code, code(exit), "{command:?}: {run:?}");
    }
}

#[test]
fn a_failure_is_told_as_json_where_the_answer_would_be() {
    let server = Server::start();
    let run = server
        .gwlock(&["acquire", "x", "-n", "nope", "-o", "json"])
        .run();
    assert_eq!(
        (run.code, run.stdout.as_str(), run.json_error()),
        (
            code(Exit::No),
            "",
            json!({
                "apiVersion": "gwlock.dev/v1alpha1", "kind": "Error", "code": 1, "reason": "No",
                "message": "namespaces \"nope\" not found", "hints": ["kubectl create namespace nope"],
            })
        )
    );
}

#[test]
fn wrong_usage_is_told_as_json_as_well() {
    let run = Gwlock::new(&["acquire", "-ojson"]).run();
    assert_eq!(
        (run.code, run.json_error()),
        (
            code(Exit::Usage),
            json!({
                "apiVersion": "gwlock.dev/v1alpha1", "kind": "Error", "code": 2, "reason": "Usage",
                "message": "the following required arguments were not provided: <KEY>",
                "hints": ["gwlock help   # the commands and their flags"],
            })
        )
    );
}

#[test]
fn a_namespace_that_does_not_exist_is_said_before_anything_else() {
    let server = Server::start();
    let run = server.gwlock(&["acquire", "x", "-n", "nope"]).run();
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (
            code(Exit::No),
            "error: namespaces \"nope\" not found\nhint: kubectl create namespace nope\n"
        )
    );
    assert_eq!(server.leases(), Vec::<String>::new(), "{NAMESPACE}");
}
