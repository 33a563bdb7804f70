//! Where the programs come from: a folder that is given, the user's cache, or Go's module proxy.
//!
//! Nothing here starts the control plane.

mod build;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use sha2::{Digest, Sha256};

/// The version that the contract is measured on.
const VERSION: &str = "v1.36.3";
const MINOR: &str = "v1.36.";
const MODULE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/controlplane");
const PROGRAMS: [&str; 3] = ["kube-apiserver", "etcd", "kubectl"];

/// The folder with all three programs, built if need be.
pub(crate) fn folder() -> Result<PathBuf> {
    if let Some(given) = env::var_os("KUBEBUILDER_ASSETS")
        .map(PathBuf::from)
        .filter(|folder| fits(folder))
    {
        return Ok(given);
    }
    let cached = cache()?;
    if is_complete(&cached) {
        return Ok(cached);
    }
    build::build(&cached)?;
    Ok(cached)
}

fn is_complete(folder: &Path) -> bool {
    PROGRAMS
        .iter()
        .all(|program| folder.join(program).is_file())
}

fn fits(folder: &Path) -> bool {
    let version = Command::new(folder.join("kube-apiserver"))
        .arg("--version")
        .output();
    is_complete(folder)
        && version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(MINOR))
}

/// One folder for each state of the Go module, so that a change there never meets old programs.
fn cache() -> Result<PathBuf> {
    let base = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let base = base
        .or_else(|| env::home_dir().map(|home| home.join(".cache")))
        .context("there is no home folder")?;
    let mut hash = Sha256::new();
    for file in ["go.mod", "go.sum"] {
        hash.update(
            fs::read(Path::new(MODULE).join(file))
                .with_context(|| format!("cannot read {MODULE}/{file}"))?,
        );
    }
    let digest = hash.finalize();
    let short: String = digest
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(base
        .join("gwlock/controlplane")
        .join(format!("{VERSION}-{short}")))
}
