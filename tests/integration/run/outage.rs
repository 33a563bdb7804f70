//! `run` while no API server answers.

use std::fs;

use gwlock_apiserver::faults::{Action, Fault};
use jiff::Timestamp;

use super::{finish, script, wait_for_line};
use crate::fixture::Server;

#[test]
fn the_command_is_dead_before_a_lease_that_cannot_be_renewed_expires() {
    let server = Server::start();
    let stubborn = r#"trap '' TERM; echo ready; while :; do date +%s%N > stamp.new; mv stamp.new stamp; sleep 0.02; done"#;
    let flags = ["--lease-duration", "6s"];
    let mut child = script(&server, &flags, stubborn).spawn().unwrap();
    assert_eq!(wait_for_line(&mut child), "ready\n");
    server.inject(Fault::new(Action::LoseRequest));
    // No renewal can have been sent later than this.
    let gone = Timestamp::now().as_nanosecond();
    let run = finish(child);
    assert_eq!(run.code, 79, "{run:?}");
    assert!(
        run.stderr
            .contains("was lost: no renewal succeeded within 4s")
            && run.stderr.contains("the command was ended by signal 9"),
        "{run:?}"
    );
    let last = fs::read_to_string(server.path("stamp")).unwrap();
    let last: i128 = last.trim().parse().unwrap();
    assert!(last < gone + 6_000_000_000, "{last} {gone}");
}

#[test]
fn a_command_may_end_by_itself_when_it_is_asked_to() {
    let server = Server::start();
    let polite = "trap 'echo bye; exit 0' HUP; echo ready; sleep 1000 & wait";
    let flags = ["--lease-duration", "3s", "--signal", "HUP"];
    let mut child = script(&server, &flags, polite).spawn().unwrap();
    assert_eq!(wait_for_line(&mut child), "ready\n");
    server.inject(Fault::new(Action::Pause));
    let run = finish(child);
    assert_eq!((run.code, run.stdout.as_str()), (79, "bye\n"), "{run:?}");
    assert!(
        run.stderr.contains("the command ended with exit code 0"),
        "{run:?}"
    );
}
