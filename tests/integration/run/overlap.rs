//! Two runs on one key: from what their commands wrote, at no moment did both live.

use std::fs;
use std::process::Command;
use std::time::Duration;

use gwlock_apiserver::faults::{Action, Fault};
use rustix::process::Signal;

use super::{finish, script, signal, wait_for_line};
use crate::fixture::Server;

/// Writes who lives and when, all the time. A TERM does not end it, and its descendants do the same.
const STUBBORN: &str = r#"
trap '' TERM
live() { while :; do echo "$1 $(date +%s%N)" >> log; sleep 0.02; done; }
live 1 & live 1 &
until [ -s log ]; do sleep 0.01; done
"#;

/// What the commands wrote, in the order of their times: who, each once for as long as nobody else came in between.
fn turns(server: &Server) -> Vec<String> {
    let log = fs::read_to_string(server.path("log")).unwrap();
    let mut lines: Vec<(u64, &str)> = log
        .lines()
        .map(|line| {
            let (who, when) = line.split_once(' ').unwrap();
            (when.parse().unwrap(), who)
        })
        .collect();
    lines.sort_unstable();
    let mut turns: Vec<String> = lines.into_iter().map(|(_, who)| who.to_owned()).collect();
    turns.dedup();
    turns
}

/// A run whose command does not want to end, and then a second one; `end` does something to the first.
fn two_runs(rest: &str, end: impl FnOnce(&std::process::Child)) -> (Server, std::process::Child) {
    let server = Server::start();
    let flags = ["--lease-duration", "3s"];
    let stubborn = format!("{STUBBORN} echo ready; {rest}");
    let mut first = script(&server, &flags, &stubborn).spawn().unwrap();
    assert_eq!(wait_for_line(&mut first), "ready\n");
    end(&first);
    let second = r#"for i in 1 2 3; do echo "2 $(date +%s%N)" >> log; sleep 0.1; done"#;
    let flags = ["--lease-duration", "3s", "--wait", "60s"];
    let second = finish(script(&server, &flags, second).spawn().unwrap());
    assert_eq!((second.code, second.stderr.as_str()), (0, ""));
    assert_eq!(turns(&server), ["1", "2"]);
    (server, first)
}

#[test]
fn the_group_is_dead_before_another_runs_when_gwlock_is_killed() {
    let (server, first) = two_runs("wait", |first| signal(first, Signal::KILL));
    finish(first);
    assert_eq!(server.leases(), [""; 0]);
}

#[test]
fn the_group_is_dead_before_another_runs_when_gwlock_is_stopped() {
    let (server, first) = two_runs("wait", |first| signal(first, Signal::STOP));
    signal(&first, Signal::CONT);
    let run = finish(first);
    assert_eq!(run.code, 79, "{run:?}");
    assert!(
        run.stderr.contains("the command was ended by signal 9"),
        "{run:?}"
    );
    assert_eq!(server.leases(), [""; 0]);
}

#[test]
fn what_the_command_leaves_behind_is_dead_before_the_lease_is_released() {
    let (server, first) = two_runs("exit 4", |_| {});
    assert_eq!(finish(first).code, 4);
    assert_eq!(server.leases(), [""; 0]);
}

#[test]
fn many_runs_take_turns_while_answers_are_lost_and_gwlocks_killed() {
    let server = Server::start();
    let rounds = 20;
    let faults = [
        Action::LoseAnswer,
        Action::LoseRequest,
        Action::DelayAnswer(Duration::from_millis(400)),
        Action::Refuse {
            status: 503,
            retry_after: None,
        },
    ];
    for (at, action) in faults.into_iter().enumerate() {
        let after = u32::try_from(at).unwrap() * 7;
        server.inject(Fault::new(action).resource("leases").after(after).times(6));
    }
    let flags = ["--lease-duration", "3s", "--wait", "2m"];
    let run = |who: usize| {
        let command = format!(
            r#"trap '' TERM; for i in 1 2 3 4 5; do echo "{who} $(date +%s%N)" >> log; sleep 0.02; done"#
        );
        script(&server, &flags, &command)
    };
    let mut runs = Vec::new();
    for who in 0..rounds {
        runs.push(run(who).spawn().unwrap());
        if who % 7 == 3 {
            signal(&runs[who], Signal::KILL);
        }
        // A few at a time.
        if who >= 4 {
            let _ = runs[who - 4].wait().unwrap();
        }
    }
    let codes: Vec<Option<i32>> = runs
        .into_iter()
        .map(|mut run| run.wait().unwrap().code())
        .collect();
    let turns = turns(&server);
    let mut once = turns.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(turns.len(), once.len(), "{turns:?}, {codes:?}");
    // Whoever ended well has had a turn.
    for (who, code) in codes.iter().enumerate() {
        if *code == Some(0) {
            assert!(once.contains(&who.to_string()), "{who}: {once:?}");
        }
    }
    assert!(codes.contains(&Some(0)), "{codes:?}");
    assert!(server.faults_hit() > 0);
}

#[test]
fn nothing_passes_through_gwlock() {
    let server = Server::start();
    let sizes = Command::new("sh")
        .arg("-c")
        .arg(r#"head -c 1000000000 /dev/zero | "$0" run pipe -- sh -c 'readlink /proc/self/fd/0 >&2; cat' | wc -c"#)
        .arg(env!("CARGO_BIN_EXE_gwlock"))
        .env("KUBECONFIG", server.kubeconfig("admin"))
        .output()
        .unwrap();
    let told = String::from_utf8(sizes.stdout).unwrap();
    assert_eq!(told.trim(), "1000000000");
    let stdin = String::from_utf8(sizes.stderr).unwrap();
    assert!(stdin.starts_with("pipe:["), "{stdin}");
}
