//! The whole table of commands and flags, by a loop.

use std::collections::HashSet;

use clap::{Arg, Command};

use crate::fixture::Gwlock;

fn all(command: &Command, path: &str, found: &mut Vec<(String, Command)>) {
    found.push((path.to_owned(), command.clone()));
    for sub in command
        .get_subcommands()
        .filter(|sub| sub.get_name() != "help")
    {
        all(sub, &format!("{path} {}", sub.get_name()), found);
    }
}

fn commands() -> Vec<(String, Command)> {
    let mut command = gwlock::cli::command();
    command.build();
    let mut found = Vec::new();
    all(&command, "gwlock", &mut found);
    found
}

fn flags(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments()
}

#[test]
fn every_command_says_in_a_line_and_at_length_what_it_does() {
    for (path, command) in commands() {
        let about = command
            .get_about()
            .unwrap_or_else(|| panic!("{path} has no help"))
            .to_string();
        assert!(
            about.len() <= 100 && !about.ends_with('.') && !about.contains('\n'),
            "{path}: {about}"
        );
        assert!(!about.contains("::"), "{path}: {about}");
    }
}

#[test]
fn every_command_that_does_something_has_examples_that_call_it() {
    for (path, command) in commands()
        .into_iter()
        .filter(|(_, command)| !command.has_subcommands())
    {
        let examples = command
            .get_after_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        assert!(
            examples.starts_with("Examples:\n"),
            "{path} has no examples"
        );
        let calls = examples.lines().skip(1).any(|line| line.contains(&path));
        assert!(calls, "no example of {path} calls it");
    }
}

#[test]
fn examples_stand_above_the_flags() {
    let run = Gwlock::new(&["acquire", "--help"]).run();
    let at = |text: &str| {
        run.stdout
            .find(text)
            .unwrap_or_else(|| panic!("no {text:?} in {}", run.stdout))
    };
    assert!(at("Examples:") < at("Usage:") && at("Usage:") < at("Options:"));
}

#[test]
fn every_flag_is_documented_once() {
    for (path, command) in commands() {
        let mut names = HashSet::new();
        for flag in flags(&command) {
            let id = flag.get_id();
            let help = flag
                .get_help()
                .unwrap_or_else(|| panic!("{path}: {id} has no help"))
                .to_string();
            assert!(!help.ends_with('.'), "{path}: {id}: {help}");
            let long = flag.get_long().map(|long| format!("--{long}"));
            let short = flag.get_short().map(|short| format!("-{short}"));
            for name in long.into_iter().chain(short) {
                assert!(names.insert(name.clone()), "{path} has {name} twice");
            }
            for value in flag.get_possible_values() {
                let is_bool = matches!(value.get_name(), "true" | "false");
                assert!(
                    is_bool || value.get_help().is_some(),
                    "{path}: {id}={} has no help",
                    value.get_name()
                );
            }
        }
    }
}

#[test]
fn flags_that_mean_the_same_have_the_same_letter_everywhere() {
    let commands = commands();
    let mut letters = std::collections::HashMap::new();
    for (path, command) in &commands {
        for flag in flags(command) {
            if let (Some(short), Some(long)) = (flag.get_short(), flag.get_long()) {
                let first = letters.entry(short).or_insert((long.to_owned(), path));
                assert_eq!(first.0, long, "-{short} of {path} and {}", first.1);
            }
        }
    }
}

#[test]
fn a_dry_run_is_asked_for_in_one_way_everywhere() {
    let mut found = 0;
    for (path, command) in commands() {
        let Some(flag) = flags(&command).find(|flag| flag.get_long() == Some("dry-run")) else {
            continue;
        };
        found += 1;
        let numbers = flag
            .get_num_args()
            .map(|range| (range.min_values(), range.max_values()));
        assert_eq!(
            (numbers, flag.is_require_equals_set()),
            (Some((0, 1)), true),
            "{path}"
        );
    }
    assert_eq!(found, 7);
}

#[test]
fn the_version_is_the_packages() {
    let run = Gwlock::new(&["--version"]).run();
    assert_eq!(
        (run.code, run.stdout),
        (0, format!("gwlock {}\n", env!("CARGO_PKG_VERSION")))
    );
}

#[test]
fn colours_can_be_asked_for_and_refused() {
    let has_colours = |flags: &[&str]| {
        let run = Gwlock::new(&[flags, &["inspect"]].concat()).run();
        run.stderr.contains("\u{1b}[")
    };
    assert_eq!(
        [
            has_colours(&[]),
            has_colours(&["--color=always"]),
            has_colours(&["--color", "never"])
        ],
        [false, true, false]
    );
}
