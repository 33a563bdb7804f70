//! POSIX signals: which are passed on to a command, and what they are called.

use std::fs;
use std::future::poll_fn;
use std::io;
use std::task::Poll;

use rustix::process::Signal;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

/// What is passed on, with its name.
const FORWARDED: &[Signal] = &[
    Signal::INT,
    Signal::TERM,
    Signal::HUP,
    Signal::QUIT,
    Signal::USR1,
    Signal::USR2,
    Signal::WINCH,
];

/// What a command may be asked to end with.
const NAMES: &[(&str, Signal)] = &[
    ("TERM", Signal::TERM),
    ("INT", Signal::INT),
    ("HUP", Signal::HUP),
    ("QUIT", Signal::QUIT),
    ("USR1", Signal::USR1),
    ("USR2", Signal::USR2),
    ("ABRT", Signal::ABORT),
    ("KILL", Signal::KILL),
];

/// The signals that this process gets, from when the value is made.
#[derive(Debug)]
pub(crate) struct Signals {
    forwarded: Vec<(Signal, Stream)>,
    children: Stream,
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Received {
    /// A child has changed its state.
    Child,
    /// To be passed on.
    Forward(Signal),
}

impl Signals {
    /// Those that this process was started with as ignored, as by nohup, stay so.
    pub(crate) fn listen() -> io::Result<Self> {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mut forwarded = Vec::new();
        for number in FORWARDED {
            if !is_ignored(&status, *number) {
                let stream = signal(SignalKind::from_raw(number.as_raw()))?;
                forwarded.push((*number, stream));
            }
        }
        Ok(Self {
            forwarded,
            children: signal(SignalKind::child())?,
        })
    }

    /// The next one.
    pub(crate) async fn next(&mut self) -> Received {
        poll_fn(|context| {
            if self.children.poll_recv(context).is_ready() {
                return Poll::Ready(Received::Child);
            }
            for (number, stream) in &mut self.forwarded {
                if stream.poll_recv(context).is_ready() {
                    return Poll::Ready(Received::Forward(*number));
                }
            }
            Poll::Pending
        })
        .await
    }

    /// The number of the next one that asks this process to end.
    pub(crate) async fn interrupted(&mut self) -> u8 {
        loop {
            match self.next().await {
                Received::Forward(Signal::INT) => return 2,
                Received::Forward(Signal::TERM) => return 15,
                Received::Forward(Signal::HUP) => return 1,
                Received::Forward(Signal::QUIT) => return 3,
                Received::Forward(_) | Received::Child => {}
            }
        }
    }
}

/// Reads `TERM`, `SIGTERM` or `15`.
pub(crate) fn parse(text: &str) -> Result<Signal, String> {
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let is_meant = |(own, signal): &&(&str, Signal)| {
        *own == name
            || name
                .parse()
                .is_ok_and(|number: i32| number == signal.as_raw())
    };
    NAMES
        .iter()
        .find(is_meant)
        .map(|(_, signal)| *signal)
        .ok_or_else(|| {
            let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            format!("expected one of {}", names.join(", "))
        })
}

/// Whether a `/proc/PID/status` says that a signal is ignored.
fn is_ignored(status: &str, signal: Signal) -> bool {
    status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & (1 << (signal.as_raw() - 1)) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_named_as_kill_names_them() {
        for text in ["TERM", "term", "SIGTERM", "15"] {
            assert_eq!(parse(text), Ok(Signal::TERM), "{text}");
        }
        for text in ["", "SIG", "STOP", "99", "-9"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_nohup_ignores_is_seen() {
        let status = "SigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\n";
        assert!(is_ignored(status, Signal::HUP));
        assert!(is_ignored(status, Signal::PIPE));
        assert!(!is_ignored(status, Signal::INT));
        assert!(!is_ignored("", Signal::HUP));
    }
}
