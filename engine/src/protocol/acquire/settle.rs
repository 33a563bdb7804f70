//! The way out of an acquisition that did not succeed: nothing of ours may stay behind unnoticed.
//!
//! Entered on cancellation, when the wait is over while a write of ours has no answer yet, and to undo a takeover.

use std::time::Duration;

use super::super::clock::Moment;
use super::super::exchange::{Answer, Refusal, Version};
use super::super::record::{Claim, LeaseRecord};
use super::plan::{Plan, Sent, Then};
use super::{Acquire, NotHeld, Outcome};

/// How often a write that may still land is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Why the acquisition is being wound up.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Closing {
    /// The caller gave up: whatever of ours stands is removed.
    Cancelled,
    /// It failed for this reason; if a write of ours turns out to have landed, it is held after all.
    GaveUp(NotHeld),
    /// A takeover that must not stand: the record before it is written back.
    PutBack {
        /// The claim before the takeover.
        claim: Claim,
        /// What to report.
        why: NotHeld,
    },
}

impl Acquire {
    /// Gives up. A half-made acquisition is undone: what was written is deleted, and a write without an answer is
    /// looked for until it cannot land any more. If a request is under way, drop it and reply `Unclear`.
    pub fn cancel(&mut self, now: Moment) {
        if matches!(self.plan, Plan::Done(_))
            || matches!(self.closing, Some(Closing::PutBack { .. }))
        {
            return;
        }
        self.closing = Some(Closing::Cancelled);
        let corrected = self.correcting.take();
        match (corrected, self.awaiting) {
            (Some(held), None) => self.remove(&held.record),
            (None, None) => self.settle(now),
            (_, Some(_)) => {}
        }
    }

    /// Ends with `why`, after the outcome of every write is known.
    pub(super) fn give_up(&mut self, why: NotHeld, now: Moment) {
        if self.closing.is_none() {
            self.closing = Some(Closing::GaveUp(why));
        }
        self.settle(now);
    }

    pub(super) fn settle_on_read(&mut self, record: LeaseRecord, ours: bool, arrived: Moment) {
        if !ours {
            if matches!(self.closing, Some(Closing::GaveUp(NotHeld::Unreachable(_)))) {
                self.closing = Some(Closing::GaveUp(self.busy()));
            }
            self.standing = false;
            return self.settle(arrived);
        }
        match self.closing {
            Some(Closing::PutBack { .. }) => self.plan = self.put_back(&record),
            Some(Closing::GaveUp(_)) => {
                self.closing = None;
                self.adopt(record, arrived);
            }
            _ => self.remove(&record),
        }
    }

    pub(super) fn settle_on_absent(&mut self, arrived: Moment) {
        self.standing = false;
        self.settle(arrived);
    }

    /// Deletes a record of ours.
    pub(super) fn remove(&mut self, record: &LeaseRecord) {
        self.landed(record);
        self.standing = true;
        self.plan = Plan::Remove(Version::from(record));
    }

    /// A read failed while winding up.
    pub(super) fn settle_later(&mut self, now: Moment) {
        let unclear = self
            .attempts
            .iter()
            .filter_map(|attempt| attempt.open_until)
            .max();
        let patience = self.settings.request_timeout;
        match unclear.or_else(|| self.standing.then_some(now)) {
            None => self.finish(),
            Some(until) if now < until + patience => {
                self.plan = Plan::Idle {
                    until: now + LOOK_EVERY,
                    watch_from: None,
                    then: Then::Look,
                };
            }
            Some(_) => self.finish_unknown(),
        }
    }

    /// Reading is not allowed, so the outcome of a write without an answer stays unknown.
    pub(super) fn on_unreadable(&mut self, refusal: Refusal) {
        let unclear = self.standing
            || self
                .attempts
                .iter()
                .any(|attempt| attempt.open_until.is_some());
        match (unclear, &self.closing) {
            (true, _) => {
                self.trouble = Some(refusal.message);
                self.finish_unknown();
            }
            (false, None) => self.plan = Plan::Done(Outcome::NotHeld(NotHeld::Refused(refusal))),
            (false, Some(_)) => self.finish(),
        }
    }

    pub(super) fn on_undo(&mut self, sent: Sent, answer: &Answer, arrived: Moment) {
        match (sent, answer) {
            (Sent::PutBack, Answer::Lease(_)) => self.finish(),
            (_, Answer::Unclear(_) | Answer::NotExecuted(_)) => self.settle_later(arrived),
            (_, Answer::Refused(_)) => self.finish_unknown(),
            (Sent::Remove, Answer::Deleted | Answer::NotFound) => {
                self.standing = false;
                self.settle(arrived);
            }
            _ => self.plan = Plan::Look,
        }
    }

    pub(super) fn put_back(&self, record: &LeaseRecord) -> Plan {
        match &self.closing {
            Some(Closing::PutBack { claim, .. }) => Plan::PutBack {
                version: Version::from(record),
                claim: claim.clone(),
            },
            _ => Plan::Look,
        }
    }

    /// Looks again while a write may still land, and ends otherwise.
    pub(super) fn settle(&mut self, now: Moment) {
        let open_until = self
            .attempts
            .iter()
            .filter(|attempt| attempt.is_open(now))
            .filter_map(|a| a.open_until)
            .max();
        let looked = matches!(self.plan, Plan::Look);
        match open_until {
            Some(until) => {
                let next = if looked {
                    (now + LOOK_EVERY).min(until)
                } else {
                    now
                };
                self.plan = Plan::Idle {
                    until: next,
                    watch_from: None,
                    then: Then::Look,
                };
            }
            None if self
                .attempts
                .iter()
                .any(|attempt| attempt.open_until.is_some())
                && !looked =>
            {
                self.plan = Plan::Look;
            }
            None => self.finish(),
        }
    }

    fn finish(&mut self) {
        let why = match self.closing.take() {
            Some(Closing::GaveUp(why) | Closing::PutBack { why, .. }) => why,
            Some(Closing::Cancelled) | None => NotHeld::Cancelled,
        };
        self.plan = Plan::Done(Outcome::NotHeld(why));
    }

    fn finish_unknown(&mut self) {
        let why = match self.closing.take() {
            Some(Closing::PutBack { why, .. }) => why,
            _ => NotHeld::Unknown(self.trouble.clone().unwrap_or_default()),
        };
        self.plan = Plan::Done(Outcome::NotHeld(why));
    }
}
