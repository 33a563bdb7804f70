//! What a replica hands its signals to. Nothing else of a replica depends on the protocol that counts them.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use gwlock_engine::remediation::{Failure, Processed, Signal, SignalProcessor};

/// Makes counts of signals.
pub trait Signals: Send + Sync {
    /// Processes one signal. The answer means that it is counted.
    ///
    /// # Errors
    /// [`Failure`], after which the signal should be sent again.
    fn process(&self, signal: Signal) -> BoxFuture<'_, Result<Processed, Failure>>;

    /// Waits until nothing goes on in the background any more.
    fn settled(&self) -> BoxFuture<'_, ()>;
}

impl Signals for SignalProcessor {
    fn process(&self, signal: Signal) -> BoxFuture<'_, Result<Processed, Failure>> {
        Self::process(self, signal).boxed()
    }

    fn settled(&self) -> BoxFuture<'_, ()> {
        Self::settled(self).boxed()
    }
}
