//! What shells and kubectl are answered.

use std::os::unix::fs::symlink;
use std::path::Path;

use crate::fixture::{Gwlock, Run, Server};

/// Completes the last of these words, as the script for bash asks.
fn bash(server: &Server, words: &[&str]) -> Vec<String> {
    let index = words.len().to_string();
    let run = server
        .gwlock(&[&["--", "gwlock"], words].concat())
        .env("COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", index)
        .env("_CLAP_IFS", "\n")
        .run();
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{words:?}");
    run.stdout.lines().map(str::to_owned).collect()
}

/// gwlock under another name, as kubectl calls it.
fn called_as(server: &Server, name: &str, arguments: &[&str]) -> Run {
    let link = server.folder().join(name);
    symlink(Path::new(env!("CARGO_BIN_EXE_gwlock")), &link).unwrap();
    Gwlock::program(&link, arguments)
        .env("KUBECONFIG", server.kubeconfig("admin"))
        .run()
}

#[test]
fn lease_names_come_from_the_cluster_that_the_flags_name() {
    let server = Server::start();
    server.lease("gw-lock-1", 0, &Server::held_by("gateway-1", 0));
    server.lease("other", 0, &Server::held_by("somebody", 0));
    assert_eq!(bash(&server, &["inspect", "gw-"]), ["gw-lock-1"]);
    assert_eq!(
        bash(&server, &["release", "-n", "kubernaut-system", "o"]),
        ["other"]
    );
    assert_eq!(
        bash(&server, &["inspect", "-n", "default", "gw-"]),
        Vec::<String>::new()
    );
}

#[test]
fn namespaces_and_contexts_are_offered() {
    let server = Server::start();
    assert_eq!(
        bash(&server, &["inspect", "-n", "kubernaut"]),
        ["kubernaut-system"]
    );
    assert_eq!(bash(&server, &["inspect", "--cluster", "t"]), ["test"]);
    assert_eq!(bash(&server, &["inspect", "--context", "v"]), ["viewer"]);
    assert_eq!(
        bash(&server, &["inspect", "--user", ""]),
        ["admin", "viewer"]
    );
}

#[cfg(feature = "sim")]
#[test]
fn drills_are_offered() {
    let server = Server::start();
    assert_eq!(
        bash(&server, &["lab", "--drill", "l"]),
        ["lock-timeouts", "lease-duration"]
    );
}

#[test]
fn a_cluster_that_cannot_be_reached_offers_nothing_and_says_nothing() {
    let mut server = Server::start();
    server.kubeconfig("admin");
    let words = ["inspect", "gw-"];
    assert_eq!(bash(&server, &words), Vec::<String>::new());
    let kubeconfig = server.kubeconfig("admin");
    server.stop_serving();
    let run = Gwlock::new(&["--", "gwlock", "inspect", "gw-"])
        .env("KUBECONFIG", kubeconfig)
        .env("COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", "2")
        .run();
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (0, "", "")
    );
}

#[test]
fn kubectl_is_answered_with_values_help_and_its_directive() {
    let server = Server::start();
    server.lease("gw-lock-1", 0, &Server::held_by("gateway-1", 0));
    let run = called_as(&server, "kubectl_complete-gwlock", &["inspect", "gw-"]);
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (0, "gw-lock-1\tgateway-1\n:4\n", "")
    );
}

#[test]
fn as_a_plugin_it_speaks_of_itself_as_kubectl_gwlock() {
    let server = Server::start();
    let run = called_as(&server, "kubectl-gwlock", &["inspect", "--help"]);
    assert!(
        run.stdout.contains("Usage: kubectl gwlock inspect "),
        "{}",
        run.stdout
    );
}

#[test]
fn every_shell_has_a_script_without_paths_of_this_machine() {
    for shell in ["bash", "zsh", "fish"] {
        let run = Gwlock::new(&["completion", shell]).run();
        assert_eq!(run.code, 0, "{shell}");
        assert!(run.stdout.contains("COMPLETE"), "{shell}: {}", run.stdout);
        assert!(
            !run.stdout.contains(env!("CARGO_MANIFEST_DIR")),
            "{shell}: {}",
            run.stdout
        );
    }
}
