//! `run`: a command that holds a lease, with real processes. At no moment do the commands of two runs on one key live.

mod outage;
mod overlap;
mod terminal;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::fixture::{NAMESPACE, Run, Server};

const LEASE: &str = "gw-lock-91fce8d5c4949766";

/// gwlock that runs a command, with nothing on stdin.
fn gwlock(server: &Server, flags: &[&str], command: &[&OsStr]) -> Command {
    let mut gwlock = Command::new(env!("CARGO_BIN_EXE_gwlock"));
    gwlock
        .args(["run", LEASE])
        .args(flags)
        .arg("--")
        .args(command)
        .env_clear()
        .env("KUBECONFIG", server.kubeconfig("admin"))
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("USER", "ops")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    gwlock
}

/// The same for a script.
fn script(server: &Server, flags: &[&str], script: &str) -> Command {
    let words = ["sh", "-c", script].map(OsStr::new);
    let mut gwlock = gwlock(server, flags, &words);
    gwlock.current_dir(server.folder());
    gwlock
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Waits until the command has printed a line.
fn wait_for_line(child: &mut Child) -> String {
    let mut line = String::new();
    let stdout = child.stdout.as_mut().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    line
}

fn finish(child: Child) -> Run {
    child.wait_with_output().unwrap().into()
}

fn status(server: &Server) -> Value {
    serde_json::from_slice(&fs::read(server.path("status.json")).unwrap()).unwrap()
}

#[test]
fn it_ends_as_the_command_ends_says_nothing_and_releases() {
    let server = Server::start();
    for (command, code) in [
        ("exit 0", 0),
        ("exit 7", 7),
        ("exit 255", 255),
        ("kill -TERM $$", 143),
        ("kill -KILL $$", 137),
    ] {
        let run: Run = script(&server, &[], command).output().unwrap().into();
        let silent = Run {
            code,
            stdout: String::new(),
            stderr: String::new(),
        };
        assert_eq!(run, silent, "{command}");
        assert_eq!(server.leases(), [""; 0], "{command}");
    }
}

#[test]
fn a_command_that_cannot_be_run_is_told_apart_and_the_lease_released() {
    let server = Server::start();
    let plain = server.path("plain");
    fs::write(&plain, "no program").unwrap();
    let missing = server.path("missing");
    for (program, code) in [(&plain, 126), (&missing, 127)] {
        let output = gwlock(&server, &[], &[OsStr::new(program)]).output();
        let run: Run = output.unwrap().into();
        assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{run:?}");
        let told = format!("error: cannot run {program}: ");
        assert!(run.stderr.starts_with(&told), "{run:?}");
        assert!(run.stderr.contains("\nhint: "), "{run:?}");
        assert_eq!(server.leases(), [""; 0], "{program}");
    }
}

#[test]
fn the_command_gets_its_words_byte_for_byte() {
    let server = Server::start();
    let words: [&[u8]; 8] = [
        b"",
        b"a b",
        b"$HOME",
        b"--",
        b"-o",
        b"json",
        b"\xff\xfe",
        b"*",
    ];
    let mut command = ["sh", "-c", r#"printf '%s\n' "$@""#, "sh"]
        .map(OsString::from)
        .to_vec();
    command.extend(words.map(|word| OsStr::from_bytes(word).to_owned()));
    let command: Vec<&OsStr> = command.iter().map(OsString::as_os_str).collect();
    let output: Output = gwlock(&server, &[], &command).output().unwrap();
    let mut expected = words.join(&b'\n');
    expected.push(b'\n');
    assert_eq!(
        (output.status.code(), output.stdout, output.stderr),
        (Some(0), expected, Vec::new())
    );
}

#[test]
fn the_command_and_the_status_file_know_the_claim() {
    let server = Server::start();
    let flags = ["--status-file", "status.json", "--identity", "me"];
    let show = "echo $GWLOCK_LEASE $GWLOCK_NAMESPACE $GWLOCK_HOLDER $GWLOCK_FENCING_TOKEN $$; read x < go; exit 3";
    let made = Command::new("mkfifo").arg(server.path("go")).status();
    assert!(made.unwrap().success());
    let mut child = script(&server, &flags, show).spawn().unwrap();
    let line = wait_for_line(&mut child);
    let shown: Vec<&str> = line.split_whitespace().collect();
    let path = format!("/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{LEASE}");
    let lease = server.get(&path);
    let holder = lease["spec"]["holderIdentity"].as_str().unwrap();
    let token = lease["metadata"]["resourceVersion"].as_str().unwrap();
    assert_eq!(shown[..4], [LEASE, NAMESPACE, holder, token]);
    assert!(holder.starts_with("me_"), "{holder}");
    // The status is written after the command was started, so that it can name it; the way on is opened after that.
    fs::write(server.path("go"), "\n").unwrap();
    assert_eq!(finish(child).code, 3);
    let status = status(&server);
    assert_eq!(status["state"], "Ended");
    assert_eq!(status["holder"], holder);
    assert_eq!(status["fencingToken"], token);
    assert_eq!(status["pid"].to_string(), shown[4]);
    assert_eq!(status["exit"]["code"], 3);
}

#[test]
fn a_busy_lease_runs_nothing_and_its_exit_code_can_be_chosen() {
    let server = Server::start();
    server.lease(LEASE, 0, &Server::held_by("gateway-1", 0));
    for (flags, code) in [
        (&["--wait", "0"][..], 75),
        (&["--wait", "0", "-E", "9"][..], 9),
    ] {
        let run: Run = script(&server, flags, "echo ran").output().unwrap().into();
        assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{run:?}");
        assert!(run.stderr.contains("is held by gateway-1"), "{run:?}");
    }
}

#[test]
fn a_wait_can_be_interrupted() {
    let server = Server::start();
    server.lease(LEASE, 0, &Server::held_by("gateway-1", 0));
    let child = script(&server, &["--wait", "1h"], "echo ran").spawn();
    let child = child.unwrap();
    server.wait_for(|exchange| exchange.verb == "get");
    signal(&child, Signal::INT);
    let run = finish(child);
    assert_eq!((run.code, run.stdout.as_str()), (130, ""), "{run:?}");
    assert_eq!(server.leases(), [LEASE]);
}

#[test]
fn signals_are_passed_on_to_the_command() {
    let server = Server::start();
    for (name, number) in [
        ("INT", Signal::INT),
        ("TERM", Signal::TERM),
        ("HUP", Signal::HUP),
        ("QUIT", Signal::QUIT),
        ("USR1", Signal::USR1),
        ("USR2", Signal::USR2),
    ] {
        // What is left in the background is killed with the group.
        let command = format!("trap 'echo {name}; exit 5' {name}; sleep 1000 & echo ready; wait");
        let mut child = script(&server, &[], &command).spawn().unwrap();
        assert_eq!(wait_for_line(&mut child), "ready\n");
        signal(&child, number);
        let run = finish(child);
        assert_eq!((run.code, run.stdout), (5, format!("{name}\n")), "{name}");
        assert_eq!(server.leases(), [""; 0], "{name}");
    }
}

#[test]
fn a_dry_run_runs_and_writes_nothing() {
    let server = Server::start();
    for (flag, suffix) in [
        ("--dry-run=client", " (dry run)\n"),
        ("--dry-run=server", " (server dry run)\n"),
    ] {
        let run: Run = script(&server, &[flag], "echo ran")
            .output()
            .unwrap()
            .into();
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
        assert!(run.stdout.contains("would be acquired by ops@"), "{run:?}");
        assert!(run.stdout.ends_with(suffix), "{run:?}");
        assert_eq!(server.leases(), [""; 0]);
    }
}

#[test]
fn a_kill_that_would_come_too_late_is_refused() {
    let server = Server::start();
    let output = script(&server, &["--kill-after", "10s"], "echo ran").output();
    let run: Run = output.unwrap().into();
    assert_eq!((run.code, run.stdout.as_str()), (78, ""), "{run:?}");
    assert_eq!(server.count("create"), 0);
}

#[test]
fn what_nohup_ignores_stays_ignored() {
    let server = Server::start();
    let gwlock = env!("CARGO_BIN_EXE_gwlock");
    let output = Command::new("sh")
        .args([
            "-c",
            r#"trap '' HUP; exec "$0" run key -- sh -c 'kill -HUP $PPID $$; echo alive'"#,
        ])
        .arg(gwlock)
        .env("KUBECONFIG", server.kubeconfig("admin"))
        .output();
    let run: Run = output.unwrap().into();
    assert_eq!((run.code, run.stdout.as_str()), (0, "alive\n"), "{run:?}");
}

#[test]
fn a_guard_that_is_killed_is_missed_and_the_command_goes_on() {
    let server = Server::start();
    let made = Command::new("mkfifo").arg(server.path("go")).status();
    assert!(made.unwrap().success());
    // The leader of the group is the guard.
    let command = "ps -o pgid= -p $$; read x < go; echo end; exit 3";
    let mut child = script(&server, &[], command).spawn().unwrap();
    let guard = wait_for_line(&mut child).trim().parse().unwrap();
    kill_process(Pid::from_raw(guard).unwrap(), Signal::KILL).unwrap();
    let mut told = String::new();
    let stderr = child.stderr.as_mut().unwrap();
    BufReader::new(stderr).read_line(&mut told).unwrap();
    assert!(
        told.starts_with("warning: the guard process is gone"),
        "{told}"
    );
    fs::write(server.path("go"), "\n").unwrap();
    let run = finish(child);
    assert_eq!((run.code, run.stdout.as_str()), (3, "end\n"), "{run:?}");
    assert_eq!(server.leases(), [""; 0]);
}
