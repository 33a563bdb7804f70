//! A process group with a guard and a command in it.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as Socket;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitOptions, WaitStatus, getpgid, getpid, kill_process, kill_process_group,
    set_child_subreaper, waitpgid, waitpid,
};
use tokio::io::AsyncReadExt as _;
use tokio::net::UnixStream;

use super::THIS_PROGRAM;
use super::guard::{self, Deadlines};

/// A process group. What is in it is killed when the value is dropped, and by the guard when this
/// process ends or stands still.
#[derive(Debug)]
pub(crate) struct Group {
    id: Pid,
    link: UnixStream,
    told: Option<Deadlines>,
    command: Option<Pid>,
    has_guard: bool,
    is_empty: bool,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// It returned this code.
    Exited(u8),
    /// By this POSIX signal.
    Signalled(u8),
}

/// What has happened in the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// The command has ended.
    Ended(How),
    /// The command was stopped by this POSIX signal.
    Stopped(i32),
    /// The guard is gone while others are still there.
    Unguarded,
}

impl Group {
    /// Starts the guard, which asks with this signal and kills so much later.
    pub(crate) async fn start(ask: Signal, kill_after: Duration) -> io::Result<Self> {
        // What the command leaves behind becomes a child of this process, so that it can be waited for.
        set_child_subreaper(Some(getpid()))?;
        let (ours, theirs) = Socket::pair()?;
        let guard = Command::new(THIS_PROGRAM)
            .arg0(guard::NAME)
            .args(guard::words(ask, kill_after))
            .process_group(0)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        ours.set_nonblocking(true)?;
        let mut link = UnixStream::from_std(ours)?;
        let mut answer = [0];
        link.read_exact(&mut answer).await?;
        if answer[0] != guard::READY {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(Self {
            id: Pid::from_child(&guard),
            link,
            told: None,
            command: None,
            has_guard: true,
            is_empty: false,
        })
    }

    /// The number of the group.
    pub(crate) fn id(&self) -> Pid {
        self.id
    }

    /// Starts the command in the group.
    pub(crate) fn spawn(&mut self, command: &mut Command) -> io::Result<Pid> {
        let child = command
            .process_group(self.id.as_raw_nonzero().get())
            .spawn()?;
        let pid = Pid::from_child(&child);
        self.command = Some(pid);
        Ok(pid)
    }

    /// Tells the guard until when the group may live.
    pub(crate) fn tell(&mut self, deadlines: Deadlines) {
        if self.told == Some(deadlines) {
            return;
        }
        // A message is smaller than what a socket takes at once. One that is not taken means that the guard stands
        // still; its last deadline holds.
        if self.link.try_write(&deadlines.to_frame()).is_ok() {
            self.told = Some(deadlines);
        }
    }

    /// Sends a signal to the group. One that is stopped goes on, so that it can obey.
    pub(crate) fn signal(&self, signal: Signal) {
        for signal in [signal, Signal::CONT] {
            if !self.is_empty {
                // It may be gone by now.
                let _ = kill_process_group(self.id, signal);
            }
            // An interactive shell makes a group of its own.
            if let Some(command) = self.command
                && getpgid(Some(command)).is_ok_and(|group| group != self.id)
            {
                let _ = kill_process(command, signal);
            }
        }
    }

    /// Kills the group, the guard included.
    pub(crate) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Whether the command and everything else in the group is dead and waited for.
    pub(crate) fn is_empty(&self) -> bool {
        self.is_empty && self.command.is_none()
    }

    /// What has changed since the last call. To be called after each SIGCHLD.
    pub(crate) fn reap(&mut self) -> Vec<Change> {
        let options = WaitOptions::NOHANG | WaitOptions::UNTRACED;
        let mut changes = Vec::new();
        while !self.is_empty {
            match waitpgid(self.id, options) {
                Ok(Some((pid, status))) => changes.extend(self.changed(pid, status)),
                Ok(None) => break,
                Err(Errno::INTR) => {}
                Err(_) => self.is_empty = true,
            }
        }
        while let Some(command) = self.command {
            match waitpid(Some(command), options) {
                Ok(Some((pid, status))) => changes.extend(self.changed(pid, status)),
                Err(Errno::INTR) => {}
                Ok(None) | Err(_) => break,
            }
        }
        changes
    }

    fn changed(&mut self, pid: Pid, status: WaitStatus) -> Option<Change> {
        if Some(pid) == self.command {
            if let Some(signal) = status.stopping_signal() {
                return Some(Change::Stopped(signal));
            }
            self.command = None;
            return Some(Change::Ended(How::of(status)));
        }
        if pid == self.id && !status.stopped() && self.has_guard {
            self.has_guard = false;
            return Some(Change::Unguarded);
        }
        None
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

impl How {
    fn of(status: WaitStatus) -> Self {
        let byte = |number: i32| u8::try_from(number).unwrap_or(u8::MAX);
        match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => Self::Exited(byte(code)),
            (None, signal) => Self::Signalled(signal.map_or(0, byte)),
        }
    }
}
