//! What is made from the code and committed: man pages, completions, tables of the README.
//!
//! `GWLOCK_BLESS=1 cargo test --test integration generated` writes it anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;
use gwlock::exit::Exit;

#[cfg(feature = "sim")]
use crate::fixture::Gwlock;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn is_blessing() -> bool {
    std::env::var_os("GWLOCK_BLESS").is_some_and(|value| value == "1")
}

/// Compares a file with what it has to be, or writes it. It names neither this machine nor a date.
fn compare(path: &Path, expected: &str) {
    for foreign in [env!("CARGO_MANIFEST_DIR"), "/home/", "/root/", "/tmp/"] {
        assert!(
            !expected.contains(foreign),
            "{} would name {foreign}",
            path.display()
        );
    }
    let title = expected.lines().find(|line| line.starts_with(".TH"));
    assert!(
        !title.unwrap_or_default().contains(" 20"),
        "{title:?} would hold a date"
    );
    if is_blessing() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, expected).unwrap();
        return;
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == expected,
        "{} is not what the code makes of it; GWLOCK_BLESS=1 cargo test --test integration generated",
        path.display()
    );
}

/// Compares a folder with the files that it has to hold, and holds no other.
fn compare_folder(folder: &str, files: &BTreeMap<PathBuf, String>) {
    for (path, text) in files {
        compare(path, text);
    }
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let path = entry.unwrap().path();
        if files.contains_key(&path) {
            continue;
        }
        assert!(is_blessing(), "{} is made by nothing", path.display());
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn completions_are_those_of_the_commands() {
    let folder = root().join("completions");
    let shells = [
        (Shell::Bash, "gwlock.bash"),
        (Shell::Zsh, "_gwlock"),
        (Shell::Fish, "gwlock.fish"),
    ];
    let files = shells
        .into_iter()
        .map(|(shell, name)| {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut gwlock::cli::command(), "gwlock", &mut script);
            (folder.join(name), String::from_utf8(script).unwrap())
        })
        .collect();
    compare_folder("completions", &files);
}

#[test]
fn man_pages_are_those_of_the_commands() {
    let mut command = gwlock::cli::command();
    command.build();
    let mut files = BTreeMap::new();
    man_pages(&command, "gwlock", &mut files);
    compare_folder("man", &files);
}

fn man_pages(command: &Command, name: &str, files: &mut BTreeMap<PathBuf, String>) {
    files.insert(
        root().join("man").join(format!("{name}.1")),
        man_page(command, name),
    );
    for sub in command
        .get_subcommands()
        .filter(|sub| sub.get_name() != "help")
    {
        man_pages(sub, &format!("{name}-{}", sub.get_name()), files);
    }
}

fn man_page(command: &Command, name: &str) -> String {
    // Examples have a section of their own, and the help command's page would only repeat this one.
    let shown = command
        .clone()
        .after_help(None::<&str>)
        .disable_help_subcommand(true);
    let man = Man::new(shown)
        .title(name)
        .source(concat!("gwlock ", env!("CARGO_PKG_VERSION")))
        .manual("gwlock");
    let mut page = Vec::new();
    man.render_title(&mut page).unwrap();
    man.render_name_section(&mut page).unwrap();
    man.render_synopsis_section(&mut page).unwrap();
    man.render_description_section(&mut page).unwrap();
    man.render_options_section(&mut page).unwrap();
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page).unwrap();
    }
    let mut page = String::from_utf8(page).unwrap();
    if let Some(examples) = command.get_after_help() {
        page.push_str(&examples_section(&examples.to_string()));
    }
    page.push_str(&exit_status());
    page
}

fn examples_section(examples: &str) -> String {
    let lines: Vec<String> = examples
        .lines()
        .skip(1)
        .map(|line| roff(line.trim_start()))
        .collect();
    format!(".SH EXAMPLES\n.nf\n{}\n.fi\n", lines.join("\n"))
}

fn exit_status() -> String {
    let lines: String = Exit::documentation()
        .map(|line| {
            format!(
                ".TP\n\\fB{}\\fR\n{}\n",
                roff(&line.code),
                roff(line.meaning)
            )
        })
        .collect();
    format!(".SH \"EXIT STATUS\"\n{lines}")
}

/// A line of text as roff takes it.
fn roff(text: &str) -> String {
    let escaped = text.replace('\\', "\\e").replace('-', "\\-");
    match escaped.chars().next() {
        Some('.' | '\'') => format!("\\&{escaped}"),
        _ => escaped,
    }
}

#[test]
fn the_readme_lists_every_command_and_exit_code() {
    let mut command = gwlock::cli::command();
    command.build();
    let commands: String = command
        .get_subcommands()
        .filter(|sub| sub.get_name() != "help")
        .map(|sub| format!("| `{}` | {} |\n", sub.get_name(), sub.get_about().unwrap()))
        .collect();
    let codes: String = Exit::documentation()
        .map(|line| format!("| {} | `{}` | {} |\n", line.code, line.reason, line.meaning))
        .collect();
    compare_section(
        "README.md",
        "commands",
        &format!("| Command | Does |\n|---|---|\n{commands}"),
    );
    compare_section(
        "README.md",
        "exit-codes",
        &format!("| Code | Reason | Means |\n|---|---|---|\n{codes}"),
    );
}

#[cfg(feature = "sim")]
#[test]
fn the_impact_on_the_api_server_is_what_is_counted() {
    let bench = [
        env!("CARGO_BIN_EXE_gwlock"),
        "bench",
        "requests",
        "--compare",
        "gateway",
        "--markdown",
    ];
    let run = Gwlock::new(&[&["lab", "--"], &bench[..]].concat()).run();
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    compare_section("docs/api-server-impact.md", "requests", &run.stdout);
}

#[cfg(feature = "sim")]
#[path = "../../benches/occurrence_count/ways.rs"]
mod ways;

#[cfg(feature = "sim")]
#[test]
fn the_ways_to_count_are_what_is_measured() {
    compare_section(
        "docs/decisions/occurrence-count.md",
        "ways",
        &ways::tables(),
    );
}

/// Compares what stands in a document between `<!-- NAME -->` and `<!-- /NAME -->`, or writes it.
fn compare_section(file: &str, name: &str, expected: &str) {
    let path = root().join(file);
    let text = fs::read_to_string(&path).unwrap();
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->\n"));
    let start = text
        .find(&open)
        .unwrap_or_else(|| panic!("no {open} in {file}"))
        + open.len();
    let end = text
        .find(&close)
        .unwrap_or_else(|| panic!("no {close} in {file}"));
    compare(
        &path,
        &format!("{}{expected}{}", &text[..start], &text[end..]),
    );
}
