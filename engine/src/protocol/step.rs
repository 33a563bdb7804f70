//! What the machines that end by themselves say is to be done. How each of them ends is its own.

use std::time::Duration;

use super::clock::Moment;
use super::exchange::Request;

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<End> {
    /// Send this, and hand the answer to the machine's `reply`.
    Send {
        /// The request.
        request: Request,
        /// Its `?timeout=` and deadline.
        timeout: Duration,
    },
    /// Nothing is due before this moment.
    Sleep {
        /// When the machine's `next` has something to do again.
        until: Moment,
    },
    /// It is over.
    Done(End),
}
