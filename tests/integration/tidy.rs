//! The shape of the source: which module may use which, sizes, and words that belong into one file alone.

use std::fs;
use std::path::{Path, PathBuf};

/// A file has at most so many lines, unit tests included.
const LONGEST: usize = 800;

/// What code that is given everything does not use.
const PURE: &[&str] = &[
    "kube::",
    "tokio::",
    "Timestamp::now",
    "SystemTime",
    "Instant::now",
    "async fn",
];

/// What a folder of the workspace must not name. A path with `::` is looked for as it stands.
const ARROWS: &[(&str, &[&str])] = &[
    // Everything below the commands knows nothing of them.
    (
        "src/output",
        &[
            "crate::cli",
            "crate::flags",
            "crate::commands",
            "crate::complete",
            "crate::context",
            "crate::failure",
            "crate::sim",
        ],
    ),
    (
        "src/rbac",
        &[
            "crate::cli",
            "crate::flags",
            "crate::commands",
            "crate::complete",
            "crate::context",
            "crate::failure",
            "crate::output",
        ],
    ),
    (
        "src/process",
        &[
            "crate::cli",
            "crate::flags",
            "crate::commands",
            "crate::complete",
            "crate::context",
            "crate::failure",
            "crate::output",
            "crate::sim",
        ],
    ),
    (
        "src/sim",
        &[
            "crate::cli",
            "crate::flags",
            "crate::commands",
            "crate::complete",
            "crate::context",
            "crate::failure",
        ],
    ),
    (
        "src/gateway",
        &[
            "crate::cli",
            "crate::flags",
            "crate::commands",
            "crate::complete",
            "crate::context",
            "crate::failure",
            "crate::output",
            "crate::rbac",
            "crate::sim",
        ],
    ),
    (
        "src/evidence",
        &[
            "crate::cli",
            "crate::flags",
            "crate::commands",
            "crate::complete",
            "crate::context",
            "crate::failure",
            "crate::output",
            "crate::rbac",
            "crate::sim",
        ],
    ),
    (
        "src/doctor",
        &[
            "crate::cli",
            "crate::flags",
            "crate::commands",
            "crate::complete",
            "crate::context",
            "crate::failure",
            "crate::output",
            "crate::sim",
        ],
    ),
    (
        "src/tune",
        &[
            "crate::cli",
            "crate::flags",
            "crate::commands",
            "crate::complete",
            "crate::context",
            "crate::failure",
        ],
    ),
    ("src/sim", &["crate::tune"]),
    // What needs no API server knows of none, and of no clock.
    ("src/tune", PURE),
    ("src/doctor", PURE),
    ("src/evidence", PURE),
    ("src/rbac", PURE),
    ("src/gateway/payload", PURE),
    ("src/gateway/compose", PURE),
    ("src/gateway/prometheus", PURE),
    ("src/gateway/reply", PURE),
    ("src/gateway/event", PURE),
    ("src/gateway/freshness", PURE),
    ("src/gateway/target", PURE),
    ("src/gateway/dedup", PURE),
    ("src/gateway/audit", PURE),
    ("src/gateway/normalize", PURE),
    ("src/exit", &["crate::"]),
    (
        "src/failure",
        &[
            "crate::cli",
            "crate::flags",
            "crate::commands",
            "crate::complete",
            "crate::context",
            "crate::sim",
        ],
    ),
    (
        "src/context",
        &[
            "crate::commands",
            "crate::complete",
            "crate::output",
            "crate::sim",
        ],
    ),
    // Parsing knows what the commands take, not where they run.
    (
        "src/flags",
        &["crate::cli", "crate::commands", "crate::context"],
    ),
    (
        "src/cli",
        &[
            "crate::context",
            "crate::failure",
            "crate::sim",
            "gwlock_engine::client",
        ],
    ),
    // The referee shares no code with the players.
    ("apiserver/src", &["gwlock_engine", "gwlock::", "kube::"]),
    (
        "engine/src",
        &["gwlock_apiserver", "gwlock::", "gwlock_testkit"],
    ),
    // The protocol is pure.
    (
        "engine/src/protocol",
        &[
            "crate::client",
            "super::client",
            "kube::",
            "tokio::",
            "SystemTime",
            "Instant::now",
            "async fn",
        ],
    ),
    // So are the decisions about signals.
    (
        "engine/src/remediation/run",
        &[
            "kube::",
            "tokio::",
            "SystemTime",
            "Instant::now",
            "async fn",
        ],
    ),
    ("testkit/src", &["gwlock_engine", "gwlock::"]),
];

/// Words that stand in these files alone.
const HOMES: &[(&str, &[&str])] = &[
    ("println!", &[]),
    ("eprintln!", &[]),
    ("print!(", &[]),
    ("process::exit", &["src/output.rs"]),
    ("env::var", &["src/context.rs"]),
    ("env::args", &["src/context/invocation.rs"]),
    ("io::stdin", &["src/context.rs"]),
    (
        "io::stdout",
        &[
            "src/output.rs",
            "src/output/colour.rs",
            "src/output/live.rs",
        ],
    ),
    ("io::stderr", &["src/output.rs", "src/output/log.rs"]),
    ("unicode_width", &["src/output/table.rs"]),
    ("indicatif", &["src/output/progress.rs"]),
    ("anstream", &["src/output.rs", "src/output/colour.rs"]),
    (
        "serde_saphyr",
        &[
            "src/output.rs",
            "src/output/format.rs",
            "src/commands/lab/fixtures.rs",
            "src/rbac/builtin.rs",
            "src/rbac/profiles/file.rs",
        ],
    ),
    ("granit_parser", &["src/rbac/manifest/parse.rs"]),
    ("strsim", &["src/rbac/known.rs"]),
    ("tracing_subscriber", &["src/output/log.rs"]),
    ("Config::incluster", &["src/context/connection.rs"]),
];

struct File {
    /// Relative to the workspace, with slashes.
    path: String,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files_in(folders: &[&str]) -> Vec<File> {
    let mut files = Vec::new();
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = open.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let path = path
                    .strip_prefix(root())
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                files.push(File { path, text });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn sources() -> Vec<File> {
    let files = files_in(&["src", "engine/src", "apiserver/src", "testkit/src"]);
    assert!(files.len() > 50, "the scan has lost its way");
    files
}

fn tests() -> Vec<File> {
    files_in(&["tests", "engine/tests", "apiserver/tests", "testkit/tests"])
}

fn sources_and_tests() -> Vec<File> {
    let mut files = sources();
    files.extend(tests());
    files
}

/// The lines of code, each with its number; comments are left out.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line.split("//").next().unwrap_or_default()))
        .filter(|(_, line)| !line.trim().is_empty())
}

/// Whether a file is a module or below it: `src/output` is `src/output.rs` and `src/output/…`.
fn is_below(path: &str, module: &str) -> bool {
    path.strip_prefix(module)
        .is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
}

#[test]
fn arrows_point_one_way() {
    let files = sources();
    let mut breaches = Vec::new();
    for (module, forbidden) in ARROWS {
        let own: Vec<&File> = files
            .iter()
            .filter(|file| is_below(&file.path, module))
            .collect();
        assert!(!own.is_empty(), "{module} is gone");
        for file in own {
            for (at, line) in code(&file.text) {
                for word in forbidden.iter().filter(|word| line.contains(**word)) {
                    breaches.push(format!("{}:{at}: {module} must not use {word}", file.path));
                }
            }
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn every_word_stays_in_its_file() {
    let mut breaches = Vec::new();
    for file in sources()
        .iter()
        .filter(|file| file.path.starts_with("src/"))
    {
        for (at, line) in code(&file.text) {
            for (word, homes) in HOMES {
                if line.contains(word) && !homes.contains(&file.path.as_str()) {
                    breaches.push(format!("{}:{at}: {word} belongs into {homes:?}", file.path));
                }
            }
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
#[expect(
    clippy::disallowed_macros,
    reason = "shown by cargo test -- --nocapture"
)]
fn files_are_small() {
    let all = sources_and_tests();
    let mut sizes: Vec<(usize, String)> = all
        .into_iter()
        .map(|file| (file.text.lines().count(), file.path))
        .collect();
    sizes.sort();
    let quantile = |percent: usize| sizes[(sizes.len() - 1) * percent / 100].0;
    let (longest, name) = sizes.last().unwrap();
    println!(
        "{} files, median {} lines, 90 % at most {}, longest {longest} ({name})",
        sizes.len(),
        quantile(50),
        quantile(90)
    );
    assert!(*longest <= LONGEST, "{name} has {longest} lines");
}

#[test]
fn every_module_says_what_it_is() {
    for file in sources_and_tests() {
        assert!(file.text.starts_with("//! "), "{} has no header", file.path);
    }
}

#[test]
fn there_are_no_folders_with_mod_files() {
    for file in sources() {
        assert!(!file.path.ends_with("/mod.rs"), "{}", file.path);
    }
}

#[test]
fn tests_wait_for_conditions_instead_of_sleeping() {
    // Written in two halves, so that this file does not find itself.
    let words = [concat!("thread::", "sleep"), concat!("time::", "sleep(")];
    // Under tokio's paused clock sleeping is how time passes. A worker on a real cluster may sleep.
    for file in files_in(&["tests/integration"]) {
        if file.text.contains("start_paused") {
            continue;
        }
        for (at, line) in code(&file.text) {
            for word in words {
                assert!(!line.contains(word), "{}:{at}: {word}", file.path);
            }
        }
    }
}

#[test]
fn lints_are_expected_with_a_reason_instead_of_allowed() {
    let word = concat!("#[", "allow(");
    for file in sources_and_tests() {
        assert!(!file.text.contains(word), "{}", file.path);
    }
}
