//! `run` on a terminal of its own: the command can be typed to, and Ctrl-C is the command's.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command};

use super::LEASE;
use crate::fixture::{Server, pty};

/// A run in a session whose terminal is the other end.
struct Session {
    controller: File,
    child: Child,
    seen: String,
}

impl Session {
    /// A session in which nothing but gwlock runs.
    fn start(server: &Server, script: &str) -> Self {
        Self::of(server, &["sh", "-c", script])
    }

    /// The same with a command that is no shell's.
    fn of(server: &Server, command: &[&str]) -> Self {
        let words = [&["run", LEASE, "--"], command].concat();
        Self::program(server, env!("CARGO_BIN_EXE_gwlock"), &words)
    }

    /// A session of a shell; `$0` is gwlock and `$1` the lease.
    fn shell(server: &Server, flags: &str, script: &str) -> Self {
        let words = [flags, script, env!("CARGO_BIN_EXE_gwlock"), LEASE];
        Self::program(server, "bash", &words)
    }

    fn program(server: &Server, program: &str, words: &[&str]) -> Self {
        let (controller, terminal) = pty();
        let child = Command::new("setsid")
            .args(["--ctty", program])
            .args(words)
            .env_clear()
            .env("KUBECONFIG", server.kubeconfig("admin"))
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("TERM", "dumb")
            .stdin(terminal())
            .stdout(terminal())
            .stderr(terminal())
            .spawn()
            .unwrap();
        Self {
            controller,
            child,
            seen: String::new(),
        }
    }

    fn wait_for(&mut self, text: &str) {
        let mut byte = [0];
        while !self.seen.contains(text) {
            self.controller.read_exact(&mut byte).unwrap();
            self.seen.push(char::from(byte[0]));
        }
    }

    fn type_in(&mut self, text: &str) {
        self.controller.write_all(text.as_bytes()).unwrap();
    }

    fn code(mut self) -> i32 {
        self.child.wait().unwrap().code().unwrap()
    }
}

#[test]
fn a_command_can_read_the_terminal() {
    let server = Server::start();
    // Also when it is the command of the command that reads.
    let script =
        r#"echo first; read x; echo "got $x"; y=$(head -n 1); echo "got $y"; stty -echo; exit 6"#;
    let mut session = Session::start(&server, script);
    session.wait_for("first");
    session.type_in("one\n");
    session.wait_for("got one");
    session.type_in("two\n");
    session.wait_for("got two");
    assert_eq!(session.code(), 6);
    assert_eq!(server.leases(), [""; 0]);
}

#[test]
fn ctrl_c_is_the_commands() {
    let server = Server::start();
    // No shell, which could lose the signal while it starts its last command. The terminal shows what is typed, and then
    // the command repeats it.
    let mut session = Session::of(&server, &["cat"]);
    session.type_in("ready\n");
    session.wait_for("ready\r\nready\r\n");
    session.type_in("\x03");
    assert_eq!(session.code(), 130);
    assert_eq!(server.leases(), [""; 0]);
    let script = "trap 'echo caught; exit 8' INT; sleep 1000 & echo ready; wait";
    let mut session = Session::start(&server, script);
    session.wait_for("ready");
    session.type_in("\x03");
    session.wait_for("caught");
    assert_eq!(session.code(), 8);
}

#[test]
fn a_pager_behind_it_keeps_the_terminal_until_the_command_reads_it() {
    let server = Server::start();
    let script = r#""$0" run "$1" -- sh -c 'echo ready; read x; echo "got $x"; exit 4' | cat; exit ${PIPESTATUS[0]}"#;
    let mut session = Session::shell(&server, "-c", script);
    session.wait_for("ready");
    session.type_in("one\n");
    session.wait_for("got one");
    assert_eq!(session.code(), 4);
}

#[test]
fn ctrl_z_stops_it_for_the_shell_and_fg_goes_on() {
    let server = Server::start();
    let script = r#""$0" run "$1" -- sh -c 'echo ready; read x; echo "got $x"; exit 4'; echo shell; fg; echo "code $?""#;
    let mut session = Session::shell(&server, "-mc", script);
    session.wait_for("ready");
    session.type_in("\x1a");
    session.wait_for("stopped; the lease is not renewed meanwhile");
    session.wait_for("shell\r\n");
    session.type_in("one\n");
    session.wait_for("got one");
    session.wait_for("code 4");
    assert_eq!(session.code(), 0);
    assert_eq!(server.leases(), [""; 0]);
}

#[test]
fn ctrl_z_where_no_shell_could_continue_it_does_not_stop_it() {
    let server = Server::start();
    let mut session = Session::start(&server, r#"echo ready; read x; echo "got $x"; exit 4"#);
    session.wait_for("ready");
    session.type_in("\x1a");
    session.wait_for("stopped; ");
    session.type_in("one\n");
    session.wait_for("got one");
    assert_eq!(session.code(), 4);
}
