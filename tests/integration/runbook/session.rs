//! A lab with a drill, and commands in a shell on it, as somebody at a terminal sees them.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::{env, fs};

use tempfile::TempDir;

use crate::fixture::Gwlock;

/// A lab that runs until the value is dropped.
pub(super) struct Session {
    lab: Child,
    folder: TempDir,
    code: i32,
}

impl Session {
    /// Starts the lab; kubectl can be called where it is given.
    pub(super) fn start(drill: &str, kubectl: Option<&Path>) -> Self {
        let folder = TempDir::new().unwrap();
        let programs = folder.path().join("bin");
        fs::create_dir(&programs).unwrap();
        symlink(env!("CARGO_BIN_EXE_gwlock"), programs.join("gwlock")).unwrap();
        // Where it is not given, none that this machine happens to have is called either.
        let kubectl = kubectl.unwrap_or(Path::new("/bin/false"));
        symlink(kubectl, programs.join("kubectl")).unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        let path = kubeconfig.to_str().unwrap();
        let mut lab = Gwlock::new(&["lab", "--drill", drill, "--write-kubeconfig", path]).start();
        // It serves when it says where.
        let mut line = String::new();
        BufReader::new(lab.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert!(line.starts_with("export KUBECONFIG="), "{line}");
        Self {
            lab,
            folder,
            code: 0,
        }
    }

    /// Runs a line, and returns what it printed on stdout and stderr, in the order in which it did.
    pub(super) fn run(&mut self, command: &str) -> String {
        let script = format!("exec 2>&1; cd \"$HOME\"; (exit {}); {command}", self.code);
        let run = Gwlock::program(Path::new("/bin/sh"), &["-c", &script])
            .env("HOME", self.folder.path())
            .env("PATH", self.path())
            .env("KUBECONFIG", self.kubeconfig())
            .run();
        assert_eq!(run.stderr, "", "stderr is where stdout is");
        self.code = run.code;
        run.stdout
    }

    /// How the last line ended.
    pub(super) fn code(&self) -> i32 {
        self.code
    }

    fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    fn path(&self) -> std::ffi::OsString {
        let own = self.folder.path().join("bin");
        let others = env::var_os("PATH").unwrap_or_default();
        env::join_paths(std::iter::once(own).chain(env::split_paths(&others))).unwrap()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // It may have ended by itself, which the commands have shown then.
        let _ = self.lab.kill();
        let _ = self.lab.wait();
    }
}
