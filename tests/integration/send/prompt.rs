//! On a terminal somebody is asked before a remediation is started.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use super::arena::{Arena, POD, alert};
use crate::fixture::pty;

/// Runs it on a terminal on which this is typed; how it ended, and what was to be seen.
fn on_terminal(arena: &Arena, typed: &str) -> (i32, String) {
    let (mut controller, terminal) = pty();
    controller.write_all(typed.as_bytes()).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_gwlock"))
        .args(["send", "--direct", "--identity", "me"])
        .args(alert(POD))
        .env_clear()
        .env("KUBECONFIG", arena.server.kubeconfig("admin"))
        .env("TERM", "dumb")
        .stdin(terminal())
        .stdout(Stdio::null())
        .stderr(terminal())
        .spawn()
        .unwrap();
    let code = child.wait().unwrap().code().unwrap();
    // Whatever was written stays to be read; the end of the last terminal is an error.
    let mut seen = Vec::new();
    let _ = controller.read_to_end(&mut seen);
    (code, String::from_utf8_lossy(&seen).into_owned())
}

#[test]
fn a_yes_starts_it_and_anything_else_does_not() {
    let arena = Arena::new();
    let before = arena.store();
    for typed in ["n\n", "\n", "yess\n"] {
        let (code, seen) = on_terminal(&arena, typed);
        assert_eq!(code, 1, "{typed:?}: {seen}");
        assert!(
            seen.contains(
                "This sends a webhook of Alertmanager through the protocol on https://127.0.0.1:"
            ),
            "{seen}"
        );
        assert!(seen.contains("error: nothing was sent"), "{seen}");
    }
    assert_eq!(arena.store(), before);
    let (code, seen) = on_terminal(&arena, "y\n");
    assert_eq!((code, arena.counts()), (0, vec![1]), "{seen}");
}
