//! The terminal on stdin: which process group has it.

use std::io::IsTerminal as _;

use nix::sys::signal::{SigSet, Signal as NixSignal};
use rustix::process::{Pid, Signal, getpgrp, kill_process_group};
use rustix::stdio::{stdin, stdout};
use rustix::termios::{tcgetpgrp, tcsetpgrp};

/// The terminal on stdin. It is given back when the value is dropped.
#[derive(Debug)]
pub(crate) struct Terminal {
    own: Pid,
    is_given: bool,
}

impl Terminal {
    /// The terminal, if stdin is the one that controls this process.
    pub(crate) fn of_stdin() -> Option<Self> {
        tcgetpgrp(stdin()).ok()?;
        // Whoever takes a terminal back from the background would be stopped. The mask is not the command's: std starts
        // children with an empty one.
        let mut stop = SigSet::empty();
        stop.add(NixSignal::SIGTTOU);
        stop.thread_block().ok()?;
        Some(Self {
            own: getpgrp(),
            is_given: false,
        })
    }

    /// Whether the command is likely to be used from the terminal. In `gwlock run … | less` it is less that is.
    pub(crate) fn is_for_the_command() -> bool {
        stdout().is_terminal()
    }

    /// Gives it to a group; whether that group has it now. One that another job uses is left alone.
    pub(crate) fn give(&mut self, group: Pid) -> bool {
        let stdin = stdin();
        if !self.is_given && tcgetpgrp(stdin).is_ok_and(|foreground| foreground == self.own) {
            self.is_given = tcsetpgrp(stdin, group).is_ok();
        }
        self.is_given
    }

    /// Takes it back.
    pub(crate) fn take_back(&mut self) {
        if self.is_given {
            self.is_given = false;
            // A terminal that has hung up is nobody's.
            let _ = tcsetpgrp(stdin(), self.own);
        }
    }

    /// Whether a group has it.
    pub(crate) fn is_given(&self) -> bool {
        self.is_given
    }

    /// Stops this process with its job, as the shell expects after Ctrl-Z, and returns when it goes on.
    pub(crate) fn suspend(&mut self) {
        self.take_back();
        // Where no shell could continue it, the signal does nothing.
        let _ = kill_process_group(self.own, Signal::TSTP);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.take_back();
    }
}
