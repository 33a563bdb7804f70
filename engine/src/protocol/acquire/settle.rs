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

/// Why the acquisition is being wound up, and what becomes of a record of ours that is found.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Closing {
    /// For this reason whatever of ours stands is removed.
    Leaving(NotHeld),
    /// It failed for this reason; if a write of ours turns out to have landed, it is held after all.
    GaveUp(NotHeld),
    /// A takeover that must not stand: the record before it is written back.
    PutBack {
        /// The lease that was taken over.
        uid: String,
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
        let undoing = matches!(self.closing, Some(Closing::PutBack { .. }));
        if matches!(self.plan, Plan::Done(_)) || undoing {
            return;
        }
        self.closing = Some(Closing::Leaving(NotHeld::Cancelled));
        self.correcting = None;
        if self.awaiting.is_none() {
            self.settle(now);
        }
    }

    /// Ends with `why`, after the outcome of every write is known.
    pub(super) fn give_up(&mut self, why: NotHeld, now: Moment) {
        self.close(why);
        self.settle(now);
    }

    /// The same after a request without an answer: the next one has to wait.
    pub(super) fn give_up_later(
        &mut self,
        why: NotHeld,
        now: Moment,
        retry_after: Option<Duration>,
    ) {
        self.close(why);
        self.settle_later(now, retry_after);
    }

    fn close(&mut self, why: NotHeld) {
        if self.closing.is_none() {
            self.closing = Some(if self.standing.is_some() {
                Closing::Leaving(why)
            } else {
                Closing::GaveUp(why)
            });
        }
    }

    /// A record of ours was found while winding up; says whether it is to be held after all.
    pub(super) fn undo(&mut self, record: &LeaseRecord, now: Moment) -> bool {
        let version = Version::from(record);
        self.plan = match &self.closing {
            None => return true,
            Some(Closing::GaveUp(_)) => {
                self.closing = None;
                return true;
            }
            Some(Closing::PutBack { uid, claim, .. }) if *uid == record.uid => Plan::PutBack {
                version,
                claim: claim.clone(),
            },
            Some(Closing::PutBack { .. } | Closing::Leaving(_)) => Plan::Remove(version),
        };
        self.patience_ends(now);
        false
    }

    /// Until when it is tried to undo what stands: as long as a write of now may land, and one request more.
    fn patience_ends(&mut self, now: Moment) -> Moment {
        let patience = self.settings.request_timeout * 2 + self.settings.grace;
        *self.undo_by.get_or_insert(now + patience)
    }

    pub(super) fn settle_on_other(&mut self, arrived: Moment) {
        if matches!(self.closing, Some(Closing::GaveUp(NotHeld::Unreachable(_)))) {
            self.closing = Some(Closing::GaveUp(self.busy()));
        }
        self.settle(arrived);
    }

    /// Reading is not allowed, so the outcome of a write without an answer stays unknown.
    pub(super) fn on_unreadable(&mut self, refusal: Refusal) {
        if self.standing.is_some() || self.latest_open().is_some() {
            self.finish_unknown();
        } else if self.closing.is_some() {
            self.finish();
        } else {
            self.plan = Plan::Done(Outcome::NotHeld(NotHeld::Refused(refusal)));
        }
    }

    pub(super) fn on_undo(&mut self, sent: Sent, answer: &Answer, arrived: Moment) {
        match (sent, answer) {
            (Sent::PutBack, Answer::Lease(record)) => {
                self.standing = None;
                self.rule_out(Some(&Version::from(&**record)));
                self.settle(arrived);
            }
            (Sent::Remove, Answer::Deleted | Answer::NotFound) => {
                self.standing = None;
                self.rule_out(None);
                self.settle(arrived);
            }
            (_, Answer::Unclear(_)) => self.settle_later(arrived, None),
            (_, Answer::NotExecuted(why)) => self.settle_later(arrived, why.retry_after),
            (_, Answer::Refused(_)) => self.finish_unknown(),
            _ => self.plan = Plan::Look,
        }
    }

    /// Removes what stands, looks again while a write may still land, and ends otherwise.
    pub(super) fn settle(&mut self, now: Moment) {
        if let Some(standing) = self.standing.clone()
            && !self.undo(&standing.record, now)
        {
            return;
        }
        let Some(until) = self.latest_open() else {
            return self.finish();
        };
        if self.looked_at == Some(now) {
            self.look_at((now + LOOK_EVERY).min(until.max(now)));
        } else {
            self.plan = Plan::Look;
        }
    }

    /// A request failed while winding up: looks again a little later, but not for ever.
    pub(super) fn settle_later(&mut self, now: Moment, retry_after: Option<Duration>) {
        let landed = self.standing.is_some().then(|| self.patience_ends(now));
        let open = self
            .latest_open()
            .map(|until| until + self.settings.request_timeout);
        match landed.max(open) {
            None => self.finish(),
            Some(until) if now >= until => self.finish_unknown(),
            Some(until) => {
                let pause = LOOK_EVERY.max(retry_after.unwrap_or_default());
                self.look_at(until.min(now + pause));
            }
        }
    }

    /// An answer shows the lease as `current`: rules out writes that did not land and cannot any more. A POST needs a look
    /// for that which was sent after its time-out and grace.
    pub(super) fn rule_out(&mut self, current: Option<&Version>) {
        let sent = self.look_sent;
        for attempt in &mut self.attempts {
            if attempt.is_outdated(current) || attempt.open_until.is_some_and(|until| until <= sent)
            {
                attempt.open_until = None;
            }
        }
    }

    /// Until when some write of ours whose outcome is unknown may land, or may have landed unseen.
    fn latest_open(&self) -> Option<Moment> {
        self.attempts
            .iter()
            .filter_map(|attempt| attempt.open_until)
            .max()
    }

    fn look_at(&mut self, until: Moment) {
        self.plan = Plan::Idle {
            until,
            watch_from: None,
            then: Then::Look,
        };
    }

    fn finish(&mut self) {
        let why = match self.closing.take() {
            Some(Closing::GaveUp(why) | Closing::Leaving(why) | Closing::PutBack { why, .. }) => {
                why
            }
            None => NotHeld::Cancelled,
        };
        self.plan = Plan::Done(Outcome::NotHeld(why));
    }

    fn finish_unknown(&mut self) {
        let trouble = self.trouble.clone().unwrap_or_default();
        let message = match self.closing.take() {
            Some(Closing::PutBack { .. }) => format!(
                "the server's Date and stamps contradict each other, and a takeover could not be undone: {trouble}"
            ),
            _ => trouble,
        };
        self.plan = Plan::Done(Outcome::NotHeld(NotHeld::Unknown(message)));
    }
}
