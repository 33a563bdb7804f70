//! docs/runbook.md: every command in it is run in the drill that its block names, and has to print what stands there.
//!
//! Usual tools compare what is printed with a text that has holes in it. The runbook is for people, who get whole outputs
//! to compare theirs with; here both sides are made free of what differs from run to run.
//!
//! `GWLOCK_BLESS=1 cargo test --test integration runbook` writes what was printed into the runbook.

mod document;
mod redact;
mod session;
mod three_commands;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Mutex;

use crate::drills;
use crate::fixture::Gwlock;
use document::{Document, Section};
use redact::redacted;
use session::Session;

/// What somebody types first, whatever the symptom is: the first block has these and no others.
const FIRST_COMMANDS: &[&str] = &["gwlock inspect"];

/// Where texts that are written must not be from.
const FOREIGN: &[&str] = &[env!("CARGO_MANIFEST_DIR"), "/home/", "/root/", "/tmp/"];

/// Held while the runbook is written.
static WRITING: Mutex<()> = Mutex::new(());

/// A test for each drill, so that one that fails says which.
macro_rules! drills {
    ($($test:ident: $drill:literal,)*) => {
        const DRILLS: &[&str] = &[$($drill),*];
        $(
            #[test]
            fn $test() {
                follow($drill);
            }
        )*
    };
}

drills! {
    signals_get_through_once_the_holder_is_stopped: "lock-timeouts",
    a_stuck_lock_is_removed_with_its_evidence: "stuck-lock",
    of_two_requests_the_younger_one_is_deleted: "duplicate-rrs",
    a_missing_count_is_written: "wrong-count",
    the_gateway_gets_its_rule_for_leases: "forbidden",
    signals_get_through_once_the_flood_is_stopped: "slow-api-server",
    holders_with_wrong_clocks_are_moved_and_keep_their_leases_till_then: "clock-skew",
    the_lease_of_a_pod_that_restarted_is_removed: "pod-restart",
    leases_are_collected_and_what_let_them_pile_up_is_ended: "piled-up-leases",
    a_lease_duration_is_chosen_by_what_is_measured: "lease-duration",
}

/// Runs what the runbook says about a drill, section by section, each in a lab of its own.
fn follow(drill: &str) {
    let document = Document::read();
    let sections = document.sections();
    let own: Vec<&Section> = sections
        .iter()
        .filter(|section| section.drill() == Some(drill))
        .collect();
    assert!(!own.is_empty(), "the runbook has no section about {drill}");
    for section in own {
        follow_section(drill, section);
    }
}

fn follow_section(drill: &str, section: &Section) {
    let kubectl = if section.calls_kubectl() {
        let Some(kubectl) = gwlock_testkit::kubectl() else {
            return;
        };
        Some(kubectl)
    } else {
        None
    };
    let mut session = Session::start(drill, kubectl.as_deref());
    let (mut changed, mut differences) = (BTreeMap::new(), String::new());
    for block in &section.blocks {
        let mut body = String::new();
        for (at, step) in block.steps.iter().enumerate() {
            let printed = session.run(&step.command);
            let is_shown = block
                .steps
                .get(at + 1)
                .is_some_and(|next| next.command == "echo $?");
            assert!(
                session.code() == 0 || is_shown,
                "line {}: `{}` ends with {}; `echo $?` has to show that\n{printed}",
                step.line,
                step.command,
                session.code()
            );
            let (expected, found) = (
                redacted(&step.output, block.numbers_vary),
                redacted(&printed, block.numbers_vary),
            );
            let is_same = expected == found;
            if !is_same {
                differences += &format!(
                    "line {}: $ {}\n--- the runbook\n{expected}--- printed\n{found}",
                    step.line, step.command
                );
            }
            let output = if is_same { &step.output } else { &printed };
            body += &format!("$ {}\n{output}", step.command);
        }
        changed.insert(block.line, body);
    }
    if differences.is_empty() {
        return;
    }
    assert!(
        is_blessing(),
        "docs/runbook.md is not what is printed; GWLOCK_BLESS=1 cargo test --test integration runbook\n{differences}"
    );
    let _writing = WRITING.lock().unwrap();
    // Sections before this one may have grown since it was read, so its blocks are looked for anew.
    let document = Document::read();
    let now = document.sections();
    let own = now.iter().find(|now| now.heading == section.heading);
    let lines = own.unwrap().blocks.iter().map(|block| block.line);
    let bodies = lines.zip(changed.into_values()).collect();
    document.write_with(&bodies);
}

fn is_blessing() -> bool {
    std::env::var_os("GWLOCK_BLESS").is_some_and(|value| value == "1")
}

#[test]
fn every_command_block_is_run_in_a_drill() {
    let document = Document::read();
    assert_eq!(document.faults(), Vec::<String>::new());
    let mut run = BTreeSet::new();
    for section in document.sections() {
        run.extend(section.drill().map(str::to_owned));
    }
    let all: BTreeSet<String> = drills::names().into_iter().collect();
    assert_eq!(run, all, "not every drill has a section");
    let tested: BTreeSet<String> = DRILLS.iter().map(|&drill| drill.to_owned()).collect();
    assert_eq!(tested, all, "not every drill has a test");
}

#[test]
fn the_first_block_has_what_is_typed_first() {
    let document = Document::read();
    let sections = document.sections();
    let steps = sections.iter().flat_map(|section| &section.blocks).next();
    let commands: Vec<&str> = steps
        .unwrap()
        .steps
        .iter()
        .map(|step| step.command.as_str())
        .collect();
    assert_eq!(commands, FIRST_COMMANDS);
}

#[test]
fn every_drill_names_its_section_and_every_section_its_drill() {
    let document = Document::read();
    for section in document.sections() {
        let Some(drill) = section.drill() else {
            continue;
        };
        if section.level == 1 {
            continue;
        }
        let told = Gwlock::new(&["lab", "--drill", drill, "--", "true"]).run();
        let last = format!("-> docs/runbook.md, \"{}\"\n", section.heading);
        assert!(told.stderr.ends_with(&last), "{told:?}");
        let practice = format!("`gwlock lab --drill {drill} -- bash`");
        assert!(
            section.text.contains(&practice),
            "{} does not say how to practise it",
            section.heading
        );
    }
}

#[test]
fn every_link_within_the_runbook_leads_to_a_section() {
    let document = Document::read();
    let anchors: BTreeSet<String> = document.sections().iter().map(Section::anchor).collect();
    let mut linked = BTreeSet::new();
    for (at, _) in document.text().match_indices("](#") {
        let rest = &document.text()[at + 3..];
        linked.insert(rest[..rest.find(')').unwrap()].to_owned());
    }
    let broken: Vec<&String> = linked.difference(&anchors).collect();
    assert!(broken.is_empty(), "{broken:?} of {anchors:?}");
    let sections = document.sections();
    for section in sections.iter().filter(|section| section.drill().is_some()) {
        let is_linked = section.level == 1 || linked.contains(&section.anchor());
        assert!(is_linked, "no symptom leads to {}", section.heading);
    }
}

#[test]
fn the_runbook_names_nothing_of_a_machine() {
    let text = fs::read_to_string(document::path()).unwrap();
    for foreign in FOREIGN {
        assert!(!text.contains(foreign), "{foreign}");
    }
}
