//! A program that does not outlive the test.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};

/// Kills its program when its own standard input ends: when the test says so, and also when the test process dies in
/// any way, SIGKILL included. It is a group of its own, so that Ctrl-C does not end it before it has done that. A
/// folder to remove afterwards is its first argument, empty for none.
const GUARD: &str = r#"
folder=$1; shift
"$@" </dev/null &
child=$!
echo $child
exec >/dev/null
read -r _ || true
kill -CONT $child 2>/dev/null
kill -KILL $child 2>/dev/null
wait $child 2>/dev/null
while [ -n "$folder" ] && [ -e "$folder" ]; do rm -rf "$folder" 2>/dev/null || sleep 0.1; done
"#;

/// A running program; dropping it ends it.
#[derive(Debug)]
pub struct Process {
    guard: Child,
    pid: Pid,
}

impl Process {
    /// Starts a program, with its output in a file.
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

    fn send(&self, signal: Signal) {
        // It may have ended already, which is what was asked for.
        let _ = kill_process(self.pid, signal);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_running(pid: i32) -> bool {
        // A zombie has no command line.
        std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
    }

    #[test]
    fn a_dropped_process_is_gone_even_if_it_was_paused() {
        let folder = tempfile::tempdir().unwrap();
        let process = Process::start(
            Path::new("sleep"),
            &["1000"],
            &folder.path().join("log"),
            None,
        )
        .unwrap();
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
        let mut process = Process::start(
            Path::new("sleep"),
            &["1000"],
            &folder.path().join("log"),
            Some(&removed),
        )
        .unwrap();
        let pid = process.id();
        drop(process.guard.stdin.take());
        process.guard.wait().unwrap();
        assert!(!is_running(pid));
        assert!(!removed.exists());
    }
}
