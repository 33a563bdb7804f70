//! Builds the programs with Go, once for all processes of this user.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::Module;

const POLL: Duration = Duration::from_millis(200);
/// How often a build that takes minutes says that it is still at work.
const REPORT: Duration = Duration::from_secs(30);

/// Builds into a folder beside the target and moves it there, so that the target is never incomplete. Of several
/// processes one builds and the others wait.
pub(super) fn build(module: &Module, target: &Path) -> Result<()> {
    let programs = module.sentence();
    let parent = target.parent().context("the cache has no parent folder")?;
    fs::create_dir_all(parent)?;
    let lock = File::create(parent.join("lock"))?;
    if lock.try_lock().is_err() {
        say(&format!(
            "another process builds {programs}; waiting for it"
        ));
        lock.lock().context("cannot lock the cache")?;
    }
    if module.is_complete(target) {
        return Ok(());
    }
    let go = Command::new("go").arg("version").output();
    if !go.is_ok_and(|output| output.status.success()) {
        bail!(
            "Go is needed to build {programs} once: install Go 1.26 or newer, or {}set GWLOCK_CONTROL_PLANE=skip",
            match module.instead {
                "" => String::new(),
                instead => format!("{instead}or "),
            }
        );
    }
    say(&format!(
        "building {programs} {} into {}: once, for {}",
        module.version,
        target.display(),
        module.cost
    ));
    let folder = tempfile::Builder::new()
        .prefix("build-")
        .tempdir_in(parent)?;
    let start = Instant::now();
    install(module, folder.path(), start)?;
    for (built, wanted) in module.renamed {
        fs::rename(folder.path().join(built), folder.path().join(wanted))?;
    }
    fs::rename(folder.path(), target)
        .with_context(|| format!("cannot move the build to {}", target.display()))?;
    // There is nothing left to remove under the old name.
    let _ = folder.keep();
    say(&format!("built in {} s", start.elapsed().as_secs()));
    Ok(())
}

/// `GOFLAGS` of the user's could hold `-mod=mod`, which would change the module's files.
fn install(module: &Module, folder: &Path, start: Instant) -> Result<()> {
    let mut flags = "-s -w".to_owned();
    for (variable, value) in module.variables {
        flags.push_str(&format!(" -X {variable}={value}"));
    }
    let log = folder.join("go.log");
    let mut go = Command::new("go")
        .args(["install", "-trimpath", "-ldflags", &flags, "tool"])
        .current_dir(module.source())
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
    let _ = writeln!(std::io::stderr(), "testkit: {text}");
}
