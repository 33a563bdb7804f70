//! The guard: a small process that kills a process group when whoever runs the command is killed or stands still.
//!
//! It is this program under another name, and the leader of the group that it guards. So the group's number cannot
//! become anybody else's while it lives, and it needs no message to know what to kill. The parent-death signal of Linux
//! would not do: it is lost on fork and does not see a parent that is stopped.

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream as Socket;
use std::time::Duration;

use gwlock_engine::client::clock::sleep_until;
use gwlock_engine::client::{Clock as _, SystemClock};
use gwlock_engine::protocol::clock::Moment;
use rustix::process::{Signal, getpgrp, kill_process_group};
use rustix::stdio as inherited;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::signal::unix::{SignalKind, signal};

use crate::exit::Exit;

/// The name under which this program is the guard.
pub(crate) const NAME: &str = "gwlock-guard";

/// What the guard says when it is on duty.
pub(crate) const READY: u8 = b'!';

/// The length of one message to the guard.
const FRAME: usize = 16;

/// The highest number of a POSIX signal on Linux.
const LAST_SIGNAL: i32 = 64;

/// Until when the group may live without further word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deadlines {
    /// From then on it is asked to end.
    pub(crate) ask: Moment,
    /// Then it is killed.
    pub(crate) kill: Moment,
}

impl Deadlines {
    pub(crate) fn to_frame(self) -> [u8; FRAME] {
        let nanos = |moment: Moment| {
            let nanos = moment.since_origin().as_nanos();
            u64::try_from(nanos).unwrap_or(u64::MAX).to_be_bytes()
        };
        let mut frame = [0; FRAME];
        frame[..8].copy_from_slice(&nanos(self.ask));
        frame[8..].copy_from_slice(&nanos(self.kill));
        frame
    }

    fn from_frame(frame: [u8; FRAME]) -> Self {
        let both = u128::from_be_bytes(frame);
        let moment = |nanos: u128| {
            let nanos = u64::try_from(nanos).unwrap_or(u64::MAX);
            Moment::from_origin(Duration::from_nanos(nanos))
        };
        Self {
            ask: moment(both >> 64),
            kill: moment(both & u128::from(u64::MAX)),
        }
    }
}

/// The words that start a guard.
pub(crate) fn words(ask: Signal, kill_after: Duration) -> [String; 2] {
    [ask.as_raw().to_string(), kill_after.as_nanos().to_string()]
}

/// Guards the group of this process until it is killed with it.
pub(crate) fn main(words: &[OsString]) -> Exit {
    let number = |at: usize| words.get(at)?.to_str()?.parse::<u64>().ok();
    let ask = number(1)
        .and_then(|number| i32::try_from(number).ok())
        .and_then(Signal::from_named_raw);
    let (Some(ask), Some(nanos)) = (ask, number(2)) else {
        return Exit::Usage;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let guarded =
        runtime.and_then(|runtime| runtime.block_on(guard(ask, Duration::from_nanos(nanos))));
    match guarded {
        Ok(()) => Exit::Done,
        Err(_) => Exit::Bug,
    }
}

async fn guard(ask: Signal, kill_after: Duration) -> io::Result<()> {
    // What is sent to the group is meant for the command. A handler stays when its stream is dropped; some signals
    // cannot have one.
    for number in 1..=LAST_SIGNAL {
        drop(signal(SignalKind::from_raw(number)));
    }
    let socket = Socket::from(inherited::stdin().as_fd().try_clone_to_owned()?);
    socket.set_nonblocking(true)?;
    let mut socket = UnixStream::from_std(socket)?;
    socket.write_all(&[READY]).await?;

    let mut frame = [0; FRAME];
    let mut filled = 0;
    let mut deadlines: Option<Deadlines> = None;
    let (mut is_alone, mut has_asked) = (false, false);
    loop {
        tokio::select! {
            read = socket.read(&mut frame[filled..]), if !is_alone => match read {
                Ok(length) if length > 0 => {
                    filled += length;
                    if filled == FRAME {
                        filled = 0;
                        deadlines = Some(Deadlines::from_frame(frame));
                        has_asked = false;
                    }
                }
                _ => {
                    is_alone = true;
                    let now = SystemClock.now();
                    let latest = now + kill_after;
                    // Without a deadline there is no command yet.
                    let kill = deadlines.map_or(now, |deadlines| deadlines.kill.min(latest));
                    deadlines = Some(Deadlines { ask: now, kill });
                }
            },
            () = until(deadlines.map(|deadlines| deadlines.ask)), if !has_asked => {
                has_asked = true;
                send(ask);
                send(Signal::CONT);
            }
            () = until(deadlines.map(|deadlines| deadlines.kill)) => send(Signal::KILL),
        }
    }
}

/// Sends it to the group, this process included.
fn send(signal: Signal) {
    // The group has at least this process in it.
    let _ = kill_process_group(getpgrp(), signal);
}

async fn until(moment: Option<Moment>) {
    match moment {
        Some(moment) => sleep_until(&SystemClock, moment).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_arrive_as_they_were_sent() {
        let deadlines = Deadlines {
            ask: Moment::from_origin(Duration::new(86_400, 1)),
            kill: Moment::from_origin(Duration::new(86_405, 999_999_999)),
        };
        assert_eq!(Deadlines::from_frame(deadlines.to_frame()), deadlines);
    }
}
