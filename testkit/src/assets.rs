//! Where the programs come from.

use std::env;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
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
    build(&cached)?;
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

/// One folder for each state of the Go module.
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

/// Builds into a folder beside the target and moves it there, so that the target is never incomplete. Of several
/// processes one builds and the others wait.
fn build(target: &Path) -> Result<()> {
    let parent = target.parent().context("the cache has no parent folder")?;
    fs::create_dir_all(parent)?;
    let lock = File::create(parent.join("lock"))?;
    lock.lock().context("cannot lock the cache")?;
    if is_complete(target) {
        return Ok(());
    }
    let go = Command::new("go").arg("version").output();
    if !go.is_ok_and(|output| output.status.success()) {
        bail!(
            "Go is needed to build kube-apiserver, etcd and kubectl once: install Go 1.26 or newer, or set \
             KUBEBUILDER_ASSETS to a folder that has them in version {MINOR}x, or set GWLOCK_CONTROL_PLANE=skip"
        );
    }
    say(&format!(
        "building kube-apiserver, etcd and kubectl {VERSION} into {} (once, some minutes)",
        target.display()
    ));
    let folder = tempfile::Builder::new()
        .prefix("build-")
        .tempdir_in(parent)?;
    let version = "k8s.io/component-base/version";
    let flags = format!(
        "-s -w -X {version}.gitVersion={VERSION} -X {version}.gitMajor=1 -X {version}.gitMinor=36"
    );
    let built = Command::new("go")
        .args(["install", "-trimpath", "-ldflags", &flags, "tool"])
        .current_dir(MODULE)
        .env("GOBIN", folder.path())
        .env("GOTOOLCHAIN", "local")
        .env_remove("GOFLAGS")
        .stdin(Stdio::null())
        .output()
        .context("cannot run go")?;
    if !built.status.success() {
        bail!(
            "go install failed:\n{}",
            String::from_utf8_lossy(&built.stderr)
        );
    }
    // etcd's program is named after its folder.
    fs::rename(folder.path().join("server"), folder.path().join("etcd"))?;
    fs::rename(folder.keep(), target)
        .with_context(|| format!("cannot move the build to {}", target.display()))?;
    say("built");
    Ok(())
}

fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "control plane: {text}");
}
