//! What an acquisition is about to do, and what it remembers meanwhile.

use super::super::clock::Moment;
use super::super::exchange::Version;
use super::super::expiry::{Evidence, Verdict};
use super::super::record::{Claim, LeaseRecord};
use super::Outcome;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Plan {
    Create,
    Look,
    Take {
        version: Version,
        transitions: Option<i32>,
    },
    Refresh {
        record: Box<LeaseRecord>,
    },
    PutBack {
        version: Version,
        claim: Claim,
    },
    Remove(Version),
    Idle {
        until: Moment,
        watch_from: Option<String>,
        then: Then,
    },
    Done(Outcome),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    Create,
    Look,
}

/// What the awaited answer is the answer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    Create,
    Look,
    Take,
    Refresh,
    PutBack,
    Remove,
}

#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) record: LeaseRecord,
    pub(super) unchanged_since: Moment,
    pub(super) verdict: Verdict,
}

/// A record of ours that stands, as far as the answers tell.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub(super) record: LeaseRecord,
    /// When the write that it shows was sent, if it is one that we know.
    pub(super) sent: Option<Moment>,
}

/// What a takeover has to be checked and undone with.
#[derive(Debug, Clone)]
pub(super) struct Takeover {
    pub(super) before: LeaseRecord,
    pub(super) evidence: Evidence,
}
