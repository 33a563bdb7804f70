//! `gwlock rbac`: manifests in, findings out.

mod against;
mod corpus;
mod formats;
mod profile_file;
mod unreadable;

use std::path::PathBuf;

use crate::fixture::{Gwlock, Run};

/// Where the manifests are.
fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/integration/rbac/corpus")
}

/// `gwlock rbac check` in the folder of the manifests, so that findings name no folder of this machine.
fn check(arguments: &[&str]) -> Run {
    gwlock(arguments).run()
}

fn gwlock(arguments: &[&str]) -> Gwlock {
    let arguments: Vec<&str> = ["rbac", "check"].iter().chain(arguments).copied().collect();
    Gwlock::new(&arguments).folder(&corpus())
}
