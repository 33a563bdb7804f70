//! `kubectl get -w`.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout};

use super::mask::mask;
use super::run::{Kubectl, lease, same_on_both};

/// Its lines; killed when it is dropped.
struct Watching {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watching {
    fn start(kubectl: &Kubectl, arguments: &[&str]) -> Self {
        let mut child = kubectl.start(arguments);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    #[track_caller]
    fn says(&mut self, expected: &str) {
        let line = self.lines.next().unwrap().unwrap();
        assert_eq!(mask(&format!("{line}\n")).trim_end(), expected);
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // It may have ended by itself, which shows in what it said.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_is_a_row() {
    same_on_both(|kubectl| {
        kubectl
            .run_with(&["create", "-f", "-"], &lease("x", "me"))
            .is_done();
        let mut watching = Watching::start(kubectl, &["get", "lease", "-w"]);
        watching.says("NAME   HOLDER   AGE");
        watching.says("x      me AGE");
        let patch = r#"{"spec":{"holderIdentity":"you"}}"#;
        kubectl.run(&["patch", "lease", "x", "-p", patch]).is_done();
        watching.says("x      you AGE");
        kubectl
            .run_with(&["create", "-f", "-"], &lease("z", "me"))
            .is_done();
        watching.says("z      me AGE");
        kubectl.run(&["delete", "lease", "x"]).is_done();
        watching.says("x      you AGE");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_can_be_shown_with_their_type() {
    same_on_both(|kubectl| {
        kubectl
            .run_with(&["create", "-f", "-"], &lease("x", "me"))
            .is_done();
        let mut watching = Watching::start(
            kubectl,
            &["get", "lease", "x", "-w", "--output-watch-events"],
        );
        watching.says("EVENT      NAME   HOLDER   AGE");
        watching.says("ADDED      x      me AGE");
        kubectl.run(&["delete", "lease", "x"]).is_done();
        watching.says("DELETED    x      me AGE");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_ends_with_its_time() {
    same_on_both(|kubectl| {
        kubectl
            .run_with(&["create", "-f", "-"], &lease("x", "me"))
            .is_done();
        kubectl.run(&["get", "lease", "-w", "--request-timeout=1s", "-o", "name"]);
    })
    .await;
}
