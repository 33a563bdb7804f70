//! Builds the programs with Go, once for all processes of this user.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::{MINOR, MODULE, VERSION, is_complete};

const POLL: Duration = Duration::from_millis(200);
/// How often a build that takes minutes says that it is still at work.
const REPORT: Duration = Duration::from_secs(30);

/// Builds into a folder beside the target and moves it there, so that the target is never incomplete. Of several
/// processes one builds and the others wait.
pub(super) fn build(target: &Path) -> Result<()> {
    let parent = target.parent().context("the cache has no parent folder")?;
    fs::create_dir_all(parent)?;
    let lock = File::create(parent.join("lock"))?;
    if lock.try_lock().is_err() {
        say("another process builds kube-apiserver, etcd and kubectl; waiting for it");
        lock.lock().context("cannot lock the cache")?;
    }
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
        "building kube-apiserver, etcd and kubectl {VERSION} into {}: once, for five to ten minutes, with a download \
         of some hundred megabytes",
        target.display()
    ));
    let folder = tempfile::Builder::new()
        .prefix("build-")
        .tempdir_in(parent)?;
    let start = Instant::now();
    install(folder.path(), start)?;
    // etcd's program is named after its folder.
    fs::rename(folder.path().join("server"), folder.path().join("etcd"))?;
    fs::rename(folder.path(), target)
        .with_context(|| format!("cannot move the build to {}", target.display()))?;
    // There is nothing left to remove under the old name.
    let _ = folder.keep();
    say(&format!("built in {} s", start.elapsed().as_secs()));
    Ok(())
}

/// Without the version flags `/version` answers something that no client can parse. `GOFLAGS` of the user's could
/// hold `-mod=mod`, which would change the module's files.
fn install(folder: &Path, start: Instant) -> Result<()> {
    let version = "k8s.io/component-base/version";
    let flags = format!(
        "-s -w -X {version}.gitVersion={VERSION} -X {version}.gitMajor=1 -X {version}.gitMinor=36"
    );
    let log = folder.join("go.log");
    let mut go = Command::new("go")
        .args(["install", "-trimpath", "-ldflags", &flags, "tool"])
        .current_dir(MODULE)
        .env("GOBIN", folder)
        .env("GOTOOLCHAIN", "local")
        .env_remove("GOFLAGS")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&log)?)
        .spawn()
        .context("cannot run go")?;
    let status = wait(&mut go, start)?;
    let mut words = String::new();
    File::open(&log)?.read_to_string(&mut words)?;
    if !status.success() {
        bail!("go install failed:\n{words}");
    }
    fs::remove_file(log)?;
    Ok(())
}

fn wait(go: &mut Child, start: Instant) -> Result<ExitStatus> {
    let mut reported = start;
    loop {
        if let Some(status) = go.try_wait()? {
            return Ok(status);
        }
        if reported.elapsed() >= REPORT {
            reported = Instant::now();
            say(&format!(
                "still building after {} s",
                start.elapsed().as_secs()
            ));
        }
        std::thread::sleep(POLL);
    }
}

/// To stderr itself: what goes through the print macros is held back by the test harness.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "control plane: {text}");
}
