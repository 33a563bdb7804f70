//! POSIX signals that ask gwlock to stop.

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
