//! What follows a write of ours that stands: a takeover is checked, a wrong `renewTime` corrected, the rest held.

use super::super::clock::{Moment, is_off, is_off_by};
use super::super::exchange::{Answer, Attempt, Version};
use super::super::expiry::Rule;
use super::super::record::LeaseRecord;
use super::plan::{Plan, Standing, Takeover, Then};
use super::settle::Closing;
use super::{Acquire, Held, NotHeld, Outcome};

impl Acquire {
    pub(super) fn on_written(&mut self, record: LeaseRecord, arrived: Moment) {
        let sent = self.attempts.last().map(|attempt| attempt.sent);
        self.on_ours(record, sent, arrived);
    }

    /// A record of ours stands, as an answer shows; it was written by an attempt sent at `sent`, if by one we know.
    pub(super) fn on_ours(&mut self, record: LeaseRecord, sent: Option<Moment>, arrived: Moment) {
        self.standing = Some(Standing {
            record: record.clone(),
            sent,
        });
        self.rule_out(Some(&Version::from(&record)));
        if let Some(takeover) = self.takeover.take()
            && takeover.before.uid == record.uid
            && let Some(why) = clock_lied(&takeover, &record)
        {
            self.correcting = None;
            self.closing = Some(Closing::PutBack {
                uid: takeover.before.uid,
                claim: takeover.before.claim,
                why,
            });
        }
        if self.undo(&record, arrived) {
            self.hold(record, sent, arrived);
        }
    }

    fn hold(&mut self, record: LeaseRecord, sent: Option<Moment>, arrived: Moment) {
        let corrected = self.correcting.take();
        // Validity counts from the sending; what is older than the deadline has to be proven by another write.
        let deadline = self.settings.timing.renew_deadline();
        let Some(sent) = sent.filter(|sent| arrived.since(*sent) < deadline) else {
            self.plan = Plan::Refresh {
                record: Box::new(record),
            };
            return;
        };
        let token = corrected.as_ref().map_or_else(
            || record.resource_version.clone(),
            |held| held.token.clone(),
        );
        let off = self.is_off(&record, sent, arrived);
        let held = Held {
            token,
            sent,
            time: self.time.clone(),
            open: self.open_attempts(arrived),
            requests: self.requests,
            record,
        };
        if off && corrected.is_none() {
            self.plan = Plan::Refresh {
                record: Box::new(held.record.clone()),
            };
            self.correcting = Some(held);
        } else {
            self.plan = Plan::Done(Outcome::Held(Box::new(held)));
        }
    }

    /// Whether the times of a write were wrong, by the server's stamp. A write that lands late is stamped late, so one that
    /// was made with the server's time may differ by as much as the answer took; a guess may not. A guess without a stamp is
    /// compared with what the answers have told of the server's time since.
    fn is_off(&self, record: &LeaseRecord, sent: Moment, arrived: Moment) -> bool {
        let Some(written) = record.claim.renew_time else {
            return false;
        };
        let took = arrived.since(sent);
        let guessed = self.guessed >= Some(sent);
        match record.stamp {
            Some(stamp) if guessed => is_off(written, stamp),
            Some(stamp) => is_off_by(written, stamp, took),
            None => guessed && is_off(written, self.time.now(arrived) - took),
        }
    }

    /// The lease is ours, only its `renewTime` is still wrong, and somebody who believes it may take the lease. So the
    /// correction is tried again for as long as the record proves anything. Where it is refused, nothing can be done.
    pub(super) fn on_uncorrected(&mut self, answer: Answer, arrived: Moment) {
        let deadline = self.settings.timing.renew_deadline();
        let held = self.correcting.take();
        match (answer, held) {
            (Answer::Refused(_), Some(held)) if arrived.since(held.sent) < deadline => {
                self.plan = Plan::Done(Outcome::Held(Box::new(Held {
                    requests: self.requests,
                    time: self.time.clone(),
                    ..held
                })));
            }
            (Answer::NotExecuted(why), _) => self.retry(arrived, Then::Look, why.retry_after),
            _ => self.plan = Plan::Look,
        }
    }

    fn open_attempts(&self, now: Moment) -> Vec<Attempt> {
        let open = self.attempts.iter().filter(|attempt| attempt.is_open(now));
        open.cloned().collect()
    }
}

/// After a takeover by the server's rule the new stamp has to be more than the duration after the old one; if it is
/// not, the `Date` that made the old one look expired was wrong, and the holder may well be alive.
fn clock_lied(takeover: &Takeover, after: &LeaseRecord) -> Option<NotHeld> {
    let Rule::Server { stamp, date } = takeover.evidence.rule else {
        return None;
    };
    let apart = after.stamp.map(|new| new.as_second() - stamp.as_second());
    let duration = i64::try_from(takeover.before.duration().as_secs()).unwrap_or(i64::MAX);
    if apart.is_some_and(|apart| apart > duration) {
        return None;
    }
    Some(NotHeld::ClockLied {
        date,
        stamp_before: stamp,
        stamp_after: after.stamp,
    })
}
