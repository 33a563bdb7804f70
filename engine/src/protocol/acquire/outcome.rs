//! How an acquisition ends.

use jiff::Timestamp;

use super::super::clock::{Moment, ServerTime};
use super::super::exchange::{Attempt, Refusal};
use super::super::expiry::Verdict;
use super::super::record::LeaseRecord;

/// The end of an acquisition.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Outcome {
    /// The lease is ours.
    Held(Box<Held>),
    /// It is not.
    NotHeld(NotHeld),
}

/// What a holder starts from.
#[derive(Debug, Clone)]
pub struct Held {
    /// The lease as last written by us.
    pub record: LeaseRecord,
    /// The resourceVersion of the acquiring write; that of the read that found it, when its answer was lost.
    pub token: String,
    /// When the write that stands in the record was sent: validity counts from here.
    pub sent: Moment,
    /// The server's time.
    pub time: ServerTime,
    /// Writes of ours that may still land.
    pub open: Vec<Attempt>,
    /// How many requests it took.
    pub requests: u32,
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        (
            &self.record,
            &self.token,
            self.sent,
            &self.open,
            self.requests,
        ) == (
            &other.record,
            &other.token,
            other.sent,
            &other.open,
            other.requests,
        )
    }
}

/// Why the lease is not ours.
#[derive(Debug, Clone, PartialEq)]
pub enum NotHeld {
    /// Somebody else has it, or won the last race; with the lease as it was last read, unless it was gone again.
    Busy(Option<(Box<LeaseRecord>, Verdict)>),
    /// The server will not do it.
    Refused(Refusal),
    /// No answer in time, and nothing of ours was written.
    Unreachable(String),
    /// No answer in time, and a write of ours may stand or may still land.
    Unknown(String),
    /// A takeover was undone: the server's own stamps show that the lease had not expired, whatever `Date` said.
    ClockLied {
        /// The date by which it seemed expired.
        date: Timestamp,
        /// The stamp before the takeover.
        stamp_before: Timestamp,
        /// The stamp of the takeover.
        stamp_after: Option<Timestamp>,
    },
    /// The caller gave up; what had been written was undone.
    Cancelled,
}
