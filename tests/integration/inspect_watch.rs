//! `inspect --watch` as a process: rows for a pipe, and a live table on a terminal that is read back from its screen.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::num::NonZero;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use gwlock_apiserver::faults::{Action, Fault};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::{Value, json};

use crate::fixture::{NAMESPACE, Server, pty};

/// Longer than anything here takes on a slow machine; a test that reaches it has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// What ends a frame.
const FRAME: &[u8] = b"\x1b[?2026l";

/// Ages of days do not change while a test runs.
const TEN_DAYS: i64 = 10 * 86_400 + 60;

/// A terminal, gwlock on it, and what it shows.
struct Session {
    controller: File,
    output: Receiver<Vec<u8>>,
    /// What has come and is not on the screen yet.
    unseen: Vec<u8>,
    child: Child,
    screen: vt100::Parser,
}

impl Session {
    fn start(server: &Server, words: &[&str], (height, width): (u16, u16)) -> Self {
        Self::with(server, words, (height, width), &[("TERM", "xterm")])
    }

    fn with(
        server: &Server,
        words: &[&str],
        (height, width): (u16, u16),
        environment: &[(&str, &str)],
    ) -> Self {
        let (controller, terminal) = pty();
        tcsetwinsize(&controller, window(height, width)).unwrap();
        let child = Command::new("setsid")
            .args([
                "--ctty",
                env!("CARGO_BIN_EXE_gwlock"),
                "inspect",
                "-w",
                "--prefix",
                "ro-lock",
            ])
            .args(words)
            .env_clear()
            .env("KUBECONFIG", server.kubeconfig("admin"))
            .env("PATH", std::env::var_os("PATH").unwrap())
            .envs(environment.iter().copied())
            .stdin(terminal())
            .stdout(terminal())
            .stderr(terminal())
            .spawn()
            .unwrap();
        let (sender, output) = channel();
        let mut reader = controller.try_clone().unwrap();
        thread::spawn(move || {
            let mut bytes = vec![0; 65_536];
            // It fails when the last process has closed its end.
            while let Ok(read) = reader.read(&mut bytes) {
                if sender.send(bytes[..read].to_vec()).is_err() {
                    break;
                }
            }
        });
        let mut screen = vt100::Parser::new(cells(height), cells(width), 0);
        // What stood there before, and a prompt.
        screen.process(b"$ make\r\n$ gwlock inspect -w\r\n");
        Self {
            controller,
            output,
            unseen: Vec::new(),
            child,
            screen,
        }
    }

    /// The lines of the screen, without the time and without blank ones at the end.
    fn lines(&self) -> Vec<String> {
        let width = self.screen.screen().size().1;
        let rows = self.screen.screen().rows(0, width.get());
        let mut lines: Vec<String> = rows.map(|row| without_time(row.trim_end())).collect();
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        lines
    }

    /// Reads until the screen shows this.
    fn wait_for(&mut self, expected: &[&str]) {
        let begun = Instant::now();
        while self.lines() != expected {
            // Frames come as long as it runs.
            let left = PATIENCE.saturating_sub(begun.elapsed());
            assert!(!left.is_zero(), "{:#?}", self.lines());
            self.show_next(left);
        }
    }

    /// Shows the next frame, or whatever comes next where there are no frames.
    fn show_next(&mut self, patience: Duration) {
        if self.unseen.is_empty() {
            let bytes = self.output.recv_timeout(patience);
            self.unseen = bytes.unwrap_or_else(|_| panic!("{:#?}", self.lines()));
        }
        let end = self
            .unseen
            .windows(FRAME.len())
            .position(|bytes| bytes == FRAME);
        let end = end.map_or(self.unseen.len(), |at| at + FRAME.len());
        let rest = self.unseen.split_off(end);
        self.screen.process(&self.unseen);
        self.unseen = rest;
    }

    fn resize(&mut self, height: u16, width: u16) {
        self.screen
            .screen_mut()
            .set_size(cells(height), cells(width));
        tcsetwinsize(&self.controller, window(height, width)).unwrap();
    }

    fn type_in(&mut self, text: &str) {
        self.controller.write_all(text.as_bytes()).unwrap();
    }

    /// Waits for its end, and reads what it has left.
    fn code(&mut self) -> i32 {
        let code = self.child.wait().unwrap().code().unwrap();
        self.screen.process(&std::mem::take(&mut self.unseen));
        while let Ok(bytes) = self.output.recv_timeout(PATIENCE) {
            self.screen.process(&bytes);
        }
        code
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // A test that has failed leaves nobody behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn cells(number: u16) -> NonZero<u16> {
    NonZero::new(number).unwrap()
}

fn window(height: u16, width: u16) -> Winsize {
    Winsize {
        ws_row: height,
        ws_col: width,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

/// `server time 2026-…Z` as `server time T`.
fn without_time(line: &str) -> String {
    match line.split_once("server time ") {
        Some((before, time)) if time.len() >= 20 && time.as_bytes()[19] == b'Z' => {
            format!("{before}server time T{}", &time[20..])
        }
        _ => line.to_owned(),
    }
}

/// A lease that was written ten days ago and is held for a hundred.
fn held(server: &Server, name: &str, holder: &str) {
    let mut spec = Server::held_by(holder, TEN_DAYS);
    spec["leaseDurationSeconds"] = json!(100 * 86_400 + 3600);
    server.lease(name, TEN_DAYS, &spec);
}

/// One that was written eleven days ago for two: expired, and not for so long that it counts as leaked.
fn expired(server: &Server, name: &str, holder: &str) {
    const ELEVEN_DAYS: i64 = 11 * 86_400;
    let mut spec = Server::held_by(holder, ELEVEN_DAYS);
    spec["leaseDurationSeconds"] = json!(2 * 86_400);
    server.lease(name, ELEVEN_DAYS, &spec);
}

#[test]
fn a_live_table_shows_what_comes_and_goes_and_stays_when_it_is_ended() {
    let server = Server::start();
    held(&server, "ro-lock-1", "gateway-1");
    expired(&server, "ro-lock-2", "gateway-日本\u{1b}[2J");
    let mut session = Session::start(&server, &[], (10, 100));
    let header = "NAME        HOLDER                  STATE     AGE   EXPIRES   PROBLEMS";
    let stale = "ro-lock-2   gateway-日本\\u{1b}[2J   expired   11d   8d ago    -";
    let other = "ro-lock-1   gateway-1               held      10d   in 90d    -";
    session.wait_for(&[
        "connected   1 held, 1 stale of 2 leases in kubernaut-system   server time T",
        header,
        stale,
        other,
    ]);
    assert!(session.screen.screen().hide_cursor());
    held(&server, "ro-lock-3", "gateway-3");
    session.wait_for(&[
        "connected   2 held, 1 stale of 3 leases in kubernaut-system   server time T",
        header,
        stale,
        other,
        "ro-lock-3   gateway-3               held      10d   in 90d    -",
    ]);
    server.delete("ro-lock-2");
    let last = "ro-lock-3   gateway-3               held      10d   in 90d    -";
    let status = "connected   2 held, 0 stale of 2 leases in kubernaut-system   server time T";
    session.wait_for(&[
        status,
        header,
        "ro-lock-2   -                       gone      -     -         -",
        other,
        last,
    ]);
    session.wait_for(&[status, header, other, last]);
    // What is typed does not stay.
    session.type_in("typed\n\x03");
    assert_eq!(session.code(), 130);
    assert_eq!(session.lines(), [status, header, other, last]);
    let screen = session.screen.screen();
    assert!(!screen.hide_cursor());
    assert_eq!(screen.cursor_position().1, 0);
}

#[test]
fn a_live_table_fits_the_terminal_whatever_its_size() {
    let server = Server::start();
    for number in 1..=5 {
        held(&server, &format!("ro-lock-{number}"), "gateway-1");
    }
    expired(&server, "ro-lock-6", "gateway-2");
    let mut session = Session::start(&server, &[], (6, 50));
    session.wait_for(&[
        "connected   5 held, 1 stale of 6 leases in kubern…",
        "NAME        HOLDER      STATE     AGE   EXPIRES  …",
        "ro-lock-6   gateway-2   expired   11d   8d ago   …",
        "ro-lock-1   gateway-1   held      10d   in 90d   …",
        "… 4 more",
    ]);
    session.resize(8, 74);
    session.wait_for(&[
        "connected   5 held, 1 stale of 6 leases in kubernaut-system   server time…",
        "NAME        HOLDER      STATE     AGE   EXPIRES   PROBLEMS",
        "ro-lock-6   gateway-2   expired   11d   8d ago    -",
        "ro-lock-1   gateway-1   held      10d   in 90d    -",
        "ro-lock-2   gateway-1   held      10d   in 90d    -",
        "ro-lock-3   gateway-1   held      10d   in 90d    -",
        "… 2 more",
    ]);
    session.resize(3, 12);
    session.wait_for(&["connected  …", "NAME   HOLD…"]);
    session.type_in("\x03");
    assert_eq!(session.code(), 130);
}

#[test]
fn ctrl_z_gives_the_terminal_back_until_it_goes_on() {
    let server = Server::start();
    held(&server, "ro-lock-1", "gateway-1");
    let mut session = Session::start(&server, &[], (6, 100));
    let frame = [
        "connected   1 held, 0 stale of 1 lease in kubernaut-system   server time T",
        "NAME        HOLDER      STATE   AGE   EXPIRES   PROBLEMS",
        "ro-lock-1   gateway-1   held    10d   in 90d    -",
    ];
    session.wait_for(&frame);
    session.type_in("\x1a");
    let pid = Pid::from_child(&session.child);
    let (_, status) = waitpid(Some(pid), WaitOptions::UNTRACED).unwrap().unwrap();
    assert!(status.stopped());
    while session.screen.screen().hide_cursor() {
        session.show_next(PATIENCE);
    }
    assert_eq!(session.lines(), frame);
    // Whoever has the terminal meanwhile writes to it.
    session.screen.process(b"[1]+  Stopped\r\n$ fg\r\n");
    kill_process(pid, Signal::CONT).unwrap();
    session.wait_for(&frame);
    assert!(session.screen.screen().hide_cursor());
    session.type_in("\x03");
    assert_eq!(session.code(), 130);
}

#[test]
fn a_wide_live_table_has_every_column_and_no_colour_where_none_is_wanted() {
    let server = Server::start();
    expired(&server, "ro-lock-1", "gateway-1");
    let environment = [("TERM", "xterm"), ("NO_COLOR", "1")];
    let words = ["-o", "wide", "--no-headers"];
    let mut session = Session::with(&server, &words, (5, 100), &environment);
    session.wait_for(&[
        "connected   0 held, 1 stale of 1 lease in kubernaut-system   server time T",
        "ro-lock-1   gateway-1   expired   11d   8d ago    11d       11d       server   +0s    pod-level    …",
    ]);
    let cell = session.screen.screen().cell(1, 0).unwrap();
    assert_eq!(cell.fgcolor(), vt100::Color::Default);
    session.type_in("\x03");
    assert_eq!(session.code(), 130);
}

#[test]
fn remaining_time_counts_down_to_a_read_that_proves_it_is_over() {
    let server = Server::start();
    server.lease("ro-lock-1", 24, &Server::held_by("gateway-1", 24));
    let mut session = Session::start(&server, &[], (5, 100));
    let mut seen: Vec<String> = Vec::new();
    while !session.lines().iter().any(|line| line.contains("expired")) {
        session.show_next(PATIENCE);
        let row = session.lines().get(2).cloned().unwrap_or_default();
        seen.extend(
            row.split("in ")
                .nth(1)
                .map(|left| left.split(' ').next().unwrap().to_owned()),
        );
        seen.dedup();
    }
    let left = |text: &String| text.trim_end_matches('s').parse::<i64>().unwrap();
    let falling: Vec<i64> = seen.iter().map(left).collect();
    // A frame that is late leaves a second out.
    assert!(
        !falling.is_empty() && falling.is_sorted_by(|one, next| one > next),
        "{falling:?}"
    );
    session.type_in("\x03");
    assert_eq!(session.code(), 130);
}

#[test]
fn a_terminal_that_cannot_be_drawn_on_gets_rows() {
    let server = Server::start();
    expired(&server, "ro-lock-1", "gateway-1");
    let mut session = Session::with(&server, &[], (10, 100), &[("TERM", "dumb")]);
    let before = ["$ make", "$ gwlock inspect -w"];
    let header = "NAME        HOLDER      STATE     AGE   EXPIRES   PROBLEMS";
    let first = "ro-lock-1   gateway-1   expired   11d   8d ago    -";
    session.wait_for(&[&before[..], &[header, first]].concat());
    server.wait_for(|exchange| exchange.verb == "watch");
    server.delete("ro-lock-1");
    let last = "ro-lock-1   -           gone      -     -         -";
    session.wait_for(&[&before[..], &[header, first, last]].concat());
}

#[test]
fn programs_get_a_line_per_change_on_a_terminal_as_well() {
    let server = Server::start();
    server.lease("ro-lock-1", 0, &json!({}));
    let mut session = Session::start(&server, &["-o", "jsonpath={.name} {.state}"], (10, 100));
    let before = ["$ make", "$ gwlock inspect -w"];
    session.wait_for(&[&before[..], &["ro-lock-1 free"]].concat());
    server.wait_for(|exchange| exchange.verb == "watch");
    server.delete("ro-lock-1");
    session.wait_for(&[&before[..], &["ro-lock-1 free", "ro-lock-1 gone"]].concat());
}

/// The lines of a process as they come; a line that does not come ends the test by its own time limit.
fn next(lines: &mut impl Iterator<Item = std::io::Result<String>>) -> (String, String) {
    let report: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    let text = |key: &str| report[key].as_str().unwrap().to_owned();
    (text("name"), text("state"))
}

fn row(name: &str, state: &str) -> (String, String) {
    (name.to_owned(), state.to_owned())
}

#[test]
fn a_connection_that_is_lost_and_found_again_is_told_of_and_repeats_no_row() {
    let server = Server::start();
    server.lease("ro-lock-1", 0, &json!({}));
    let refuse = Action::Refuse {
        status: 503,
        retry_after: None,
    };
    // The first list is let through, and the watch behind it ends.
    server.inject(Fault::new(refuse).verb("list").after(1));
    server.inject(
        Fault::new(Action::CutWatch(Duration::ZERO))
            .verb("watch")
            .times(1),
    );
    let mut watching = server
        .gwlock(&["inspect", "-w", "--prefix", "ro-lock", "-o", "json"])
        .start();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let mut notes = BufReader::new(watching.stderr.take().unwrap()).lines();
    assert_eq!(next(&mut lines), row("ro-lock-1", "free"));
    let lost = notes.next().unwrap().unwrap();
    assert!(
        lost.starts_with("the connection is lost, trying again: "),
        "{lost}"
    );
    server.lease("ro-lock-2", 0, &json!({}));
    server.resume();
    let found = notes.next().unwrap().unwrap();
    assert!(found.starts_with("connected again after "), "{found}");
    assert_eq!(next(&mut lines), row("ro-lock-2", "free"));
    server.delete("ro-lock-1");
    assert_eq!(next(&mut lines), row("ro-lock-1", "gone"));
    watching.kill().unwrap();
    watching.wait().unwrap();
    assert_eq!(notes.map(Result::unwrap).collect::<Vec<_>>(), [""; 0]);
    assert_eq!(lines.map(Result::unwrap).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn where_watching_is_forbidden_the_missing_rule_is_named_and_lists_show_the_changes() {
    let server = Server::start();
    let rbac = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}");
    let rules =
        json!([{"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["list"]}]);
    server.post(
        &format!("{rbac}/roles"),
        &json!({"metadata": {"name": "list"}, "rules": rules}),
    );
    server.post(
        &format!("{rbac}/rolebindings"),
        &json!({
            "metadata": {"name": "list"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "list"},
            "subjects": [{"kind": "User", "name": "viewer", "apiGroup": "rbac.authorization.k8s.io"}]
        }),
    );
    server.lease("ro-lock-1", 0, &json!({}));
    let mut watching = server
        .gwlock_as(
            "viewer",
            &["inspect", "-w", "--prefix", "ro-lock", "-o", "json"],
        )
        .start();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    assert_eq!(next(&mut lines), row("ro-lock-1", "free"));
    server.lease("ro-lock-2", 0, &json!({}));
    assert_eq!(next(&mut lines), row("ro-lock-2", "free"));
    server.delete("ro-lock-1");
    assert_eq!(next(&mut lines), row("ro-lock-1", "gone"));
    watching.kill().unwrap();
    let told = String::from_utf8(watching.wait_with_output().unwrap().stderr).unwrap();
    assert_eq!(
        told,
        "watching is not allowed, so the leases are polled: leases.coordination.k8s.io is forbidden: User \"viewer\" \
         cannot watch resource \"leases\" in API group \"coordination.k8s.io\" in the namespace \"kubernaut-system\"\n\
         hint: the rule that is missing:\n  apiVersion: rbac.authorization.k8s.io/v1\n  kind: Role\n  metadata:\n    \
           name: gwlock\n    namespace: kubernaut-system\n  rules:\n  # to wait for a lease without polling, and show changes as \
           they happen\n  - apiGroups: [\"coordination.k8s.io\"]\n    resources: [\"leases\"]\n    verbs: [\"watch\"]\n"
    );
}
