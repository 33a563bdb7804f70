//! POSIX signals that ask gwlock to stop, and those of a terminal that it draws on.

use std::io;
use std::task::Poll;

use futures_util::{Stream, stream};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Waits for INT or TERM and returns its number.
pub(crate) async fn interrupted() -> u8 {
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt()).ok(),
        signal(SignalKind::terminate()).ok(),
    );
    tokio::select! {
        () = received(interrupt.as_mut()) => 2,
        () = received(terminate.as_mut()) => 15,
    }
}

/// A signal that cannot be listened to is never received.
async fn received(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// What whoever draws on a terminal has to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TerminalSignal {
    /// To end, because of the signal of this number.
    End(u8),
    /// To stop until it is continued, as Ctrl-Z asks for.
    Stop,
    /// The terminal has another size.
    Resized,
}

/// The signals of a terminal, from now on.
pub(crate) fn of_terminal() -> io::Result<impl Stream<Item = TerminalSignal>> {
    let mut signals = Vec::new();
    for (kind, meaning) in [
        (SignalKind::hangup(), TerminalSignal::End(1)),
        (SignalKind::interrupt(), TerminalSignal::End(2)),
        (SignalKind::quit(), TerminalSignal::End(3)),
        (SignalKind::terminate(), TerminalSignal::End(15)),
        (
            SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()),
            TerminalSignal::Stop,
        ),
        (SignalKind::window_change(), TerminalSignal::Resized),
    ] {
        signals.push((signal(kind)?, meaning));
    }
    Ok(stream::poll_fn(move |context| {
        let received = signals
            .iter_mut()
            .find_map(|(signal, meaning)| signal.poll_recv(context).is_ready().then_some(*meaning));
        received.map_or(Poll::Pending, |meaning| Poll::Ready(Some(meaning)))
    }))
}
