//! From a stuck lock to a safe removal in three commands, each taken from what the one before it printed.

use super::session::Session;

/// The NAME of the one row whose STATE is `expired`.
fn expired_lease(printed: &str) -> String {
    let cells = |row: &str| -> Vec<String> {
        let cells = row.split("  ").map(|cell| cell.trim().to_owned());
        cells.filter(|cell| !cell.is_empty()).collect()
    };
    let mut rows = printed.lines().map(cells);
    let header = rows.next().unwrap();
    let column = |name: &str| header.iter().position(|cell| cell == name).unwrap();
    let (name, state) = (column("NAME"), column("STATE"));
    let expired: Vec<_> = rows
        .filter(|row| row.get(state).is_some_and(|state| state == "expired"))
        .collect();
    assert_eq!(expired.len(), 1, "which of them? {printed}");
    expired[0][name].clone()
}

/// The command that a page ends with, without the comment behind it.
fn next_command(page: &str) -> String {
    let (_, next) = page.split_once("\nNext\n").unwrap();
    let commands: Vec<&str> = next.lines().map(str::trim).collect();
    assert_eq!(commands.len(), 1, "which of them? {page}");
    commands[0].split("   #").next().unwrap().to_owned()
}

#[test]
fn a_stuck_lock_is_found_and_removed_in_three_commands() {
    let mut session = Session::start("stuck-lock", None);
    let table = session.run("gwlock inspect");
    let lease = expired_lease(&table);
    let page = session.run(&format!("gwlock inspect {lease}"));
    let removal = next_command(&page);
    let words: Vec<&str> = removal.split(' ').take(3).collect();
    assert_eq!(words, ["gwlock", "force-expire", &lease]);
    let removed = session.run(&removal);
    assert_eq!(session.code(), 0, "{removed}");
    let last = removed.lines().last().unwrap();
    assert_eq!(
        last,
        format!("lease.coordination.k8s.io/{lease} force-expired")
    );
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    for command in [
        "inspect".to_owned(),
        format!("inspect {lease}"),
        format!("force-expire {lease}"),
    ] {
        let line = format!("\n$ gwlock {command} ");
        assert!(readme.contains(&line), "the README does not say {line}");
    }
    // The holder of the other lease has kept it.
    let left = session.run("gwlock inspect --no-headers");
    assert_eq!(left.lines().count(), 1, "{left}");
    assert!(!left.contains(&lease), "{left}");
    assert!(
        table.lines().count() == 3 && left.contains(" held "),
        "{table}{left}"
    );
}
