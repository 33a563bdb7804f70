//! A program that does not outlive the test.
//!
//! The test may panic, be interrupted, or be killed with SIGKILL: nothing of it runs then. `PR_SET_PDEATHSIG` would
//! do, but it has to be set between fork and exec, which is unsafe code, and it fires when the spawning *thread*
//! ends. So each program runs under a guard, a few lines of sh whose standard input is a pipe from this process. The
//! kernel closes that pipe however this process ends; the guard reads its end and kills the program. The pipe is
//! close-on-exec, so no other child holds it open.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};

/// A group of its own, so that Ctrl-C does not end it before it has done its work. Its first argument is a folder to
/// remove afterwards, empty for none; the word `keep` on its input keeps that. It removes until nothing is left,
/// because another program may still be writing there.
const GUARD: &str = r#"
folder=$1; shift
"$@" </dev/null &
child=$!
echo $child
exec >/dev/null
word=
read -r word || true
kill -CONT $child 2>/dev/null
kill -KILL $child 2>/dev/null
wait $child 2>/dev/null
[ "$word" = keep ] && exit
while [ -n "$folder" ] && [ -e "$folder" ]; do rm -rf "$folder" 2>/dev/null || sleep 0.1; done
"#;

/// A running program; dropping it ends it.
#[derive(Debug)]
pub struct Process {
    guard: Child,
    pid: Pid,
}

impl Process {
    /// Starts a program, with its output appended to the file `log`. With it goes the folder `remove`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start<A: AsRef<OsStr>>(
        program: &Path,
        arguments: &[A],
        log: &Path,
        remove: Option<&Path>,
    ) -> Result<Self> {
        use std::os::unix::process::CommandExt as _;
        let mut guard = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(remove.unwrap_or(Path::new("")))
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::options().create(true).append(true).open(log)?)
            .process_group(0)
            .spawn()
            .context("cannot run sh")?;
        let mut line = String::new();
        let stdout = guard.stdout.take().context("the guard has no output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let pid = line
            .trim()
            .parse()
            .ok()
            .and_then(Pid::from_raw)
            .context("the guard did not say a process id")?;
        Ok(Self { guard, pid })
    }

    /// The program's process id.
    #[must_use]
    pub fn id(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Stops it as SIGSTOP does: it keeps its connections and answers nothing.
    pub fn pause(&self) {
        self.send(Signal::STOP);
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.send(Signal::CONT);
    }

    /// Kills it without warning.
    pub fn kill(&self) {
        self.send(Signal::KILL);
    }

    /// Ends it and waits until it is gone, with the folder that goes with it.
    pub fn end(&mut self) {
        drop(self.guard.stdin.take());
        // It was started here and nobody else waits for it, so there is a status; what it is does not matter.
        let _ = self.guard.wait();
    }

    /// Ends it, but leaves the folder that would go with it.
    pub(crate) fn end_and_keep_the_folder(&mut self) {
        if let Some(stdin) = &mut self.guard.stdin {
            // The guard lives until its input ends, so this fails only where somebody killed it.
            let _ = stdin.write_all(b"keep\n");
        }
        self.end();
    }

    fn send(&self, signal: Signal) {
        // It may have ended already, which is what was asked for.
        let _ = kill_process(self.pid, signal);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_running(pid: i32) -> bool {
        // The state follows the name, which is in brackets. A command line would not do: between fork and exec there
        // is none.
        std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|line| {
            let (_, state) = line.rsplit_once(") ").unwrap();
            !state.starts_with(['Z', 'X'])
        })
    }

    fn sleeper(folder: &Path, remove: Option<&Path>) -> Process {
        Process::start(Path::new("sleep"), &["1000"], &folder.join("log"), remove).unwrap()
    }

    #[test]
    fn a_dropped_process_is_gone_even_if_it_was_paused() {
        let folder = tempfile::tempdir().unwrap();
        let process = sleeper(folder.path(), None);
        let pid = process.id();
        assert!(is_running(pid));
        process.pause();
        drop(process);
        assert!(!is_running(pid));
    }

    #[test]
    fn the_program_dies_with_its_guards_input_whoever_closes_it() {
        let folder = tempfile::tempdir().unwrap();
        let removed = folder.path().join("data");
        std::fs::create_dir(&removed).unwrap();
        let mut process = sleeper(folder.path(), Some(&removed));
        let pid = process.id();
        drop(process.guard.stdin.take());
        process.guard.wait().unwrap();
        assert!(!is_running(pid));
        assert!(!removed.exists());
    }

    #[test]
    fn a_folder_can_outlive_its_process() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("data");
        std::fs::create_dir(&kept).unwrap();
        let mut process = sleeper(folder.path(), Some(&kept));
        let pid = process.id();
        process.end_and_keep_the_folder();
        assert!(!is_running(pid));
        assert!(kept.exists());
    }
}
