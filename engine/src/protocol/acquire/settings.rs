//! What an acquisition works with.

use std::time::Duration;

use super::super::holder::HolderIdentity;
use super::super::timing::{DEFAULT_MARGIN, Timing};

/// What an acquisition works with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who acquires, with the nonce of this acquisition.
    pub identity: HolderIdentity,
    /// Lease duration and deadlines.
    pub timing: Timing,
    /// How long to wait for a lease that somebody holds. Zero tries once.
    pub wait: Duration,
    /// How much more than its duration a lease has to be old before it is taken over.
    pub margin: Duration,
    /// `?timeout=` and deadline of every request.
    pub request_timeout: Duration,
    /// How long after its time-out a write may still land.
    pub grace: Duration,
}

impl Settings {
    /// The usual settings: no wait, a margin of 2 s, requests of at most 5 s with a second of grace.
    #[must_use]
    pub fn new(identity: HolderIdentity, timing: Timing) -> Self {
        Self {
            identity,
            timing,
            wait: Duration::ZERO,
            margin: DEFAULT_MARGIN,
            request_timeout: Duration::from_secs(5).min(timing.lease_duration() / 3),
            grace: Duration::from_secs(1),
        }
    }
}
