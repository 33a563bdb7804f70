//! What a processor tells while it works: for a trace, metrics and audit.
//!
//! Events only; nothing is decided by them, and nothing is formatted here.

use std::sync::Arc;
use std::time::Duration;

use crate::client::{AcquireError, Exchange};
use crate::protocol::clock::Moment;
use crate::protocol::fence::FencingToken;
use crate::protocol::key::Fingerprint;
use crate::protocol::release::Released;

use super::dedup::Reason;
use super::outcome::{Counted, Failure};

/// Is told of every event, in the order in which they happen. It is called in the middle of the work, so it must not
/// block.
pub type Observer = Arc<dyn Fn(&Traced) + Send + Sync>;

/// An event and the run it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct Traced {
    /// The signals' fingerprint.
    pub fingerprint: Fingerprint,
    /// The number of the run, unique in its processor, from 1.
    pub run: u64,
    /// When it happened.
    pub at: Moment,
    /// What happened.
    pub event: Event,
}

/// What happens in a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The run begins.
    Started,
    /// A request for the lease or for RemediationRequests has ended.
    Exchanged(Exchange),
    /// What was read was decided on.
    Decided(Decision),
    /// Something happened to the lease.
    Lease(LeaseEvent),
    /// The count stands, or the run has failed. The lease is released after it.
    Finished {
        /// What was counted on which request.
        result: Result<Counted, Failure>,
        /// How many signals are answered by it.
        signals: usize,
        /// How many requests it took, those for the lease included, its release not.
        requests: u32,
        /// How long it took.
        took: Duration,
    },
}

/// What a run does about what it read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Count the signals on this request.
    Suppressed {
        /// The request's name.
        name: String,
        /// Why it suppresses.
        reason: Reason,
    },
    /// Nothing suppresses them: a request is to be created under the lease. Told once for each acquisition, however often
    /// it is looked for a request while the lease is waited for.
    Acquire,
    /// Nothing suppresses them under the lease either: this request is created.
    Create {
        /// Its name.
        name: String,
    },
}

/// What happens to the lease.
#[derive(Debug, Clone, PartialEq)]
pub enum LeaseEvent {
    /// Somebody else has it; it is waited for.
    Contended,
    /// It is held.
    Acquired {
        /// The fencing token.
        token: FencingToken,
        /// The holder identity of this acquisition.
        holder: String,
        /// Whether it was taken from a holder whose lease had expired.
        taken_over: bool,
        /// How many requests the acquisition took.
        requests: u32,
        /// How long it took.
        waited: Duration,
    },
    /// It was not acquired.
    NotAcquired(AcquireError),
    /// It is not waited for any more: somebody else has created a request meanwhile.
    NotNeeded,
    /// It can no longer be proven that it is held.
    Lost,
    /// It was released.
    Released {
        /// How that ended.
        released: Released,
        /// How long it was held, the release included.
        held: Duration,
    },
}
