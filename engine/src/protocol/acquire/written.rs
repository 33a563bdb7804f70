//! What follows a write of ours that stands: a takeover is checked, a wrong `renewTime` corrected, the rest held.

use super::super::clock::{Moment, is_off};
use super::super::exchange::Answer;
use super::super::expiry::Rule;
use super::super::record::LeaseRecord;
use super::plan::{Plan, Takeover};
use super::settle::Closing;
use super::{Acquire, Held, NotHeld, Outcome};

impl Acquire {
    pub(super) fn on_written(&mut self, record: LeaseRecord, arrived: Moment) {
        let Some(sent) = self.attempts.last().map(|attempt| attempt.sent) else {
            return;
        };
        if self.closing.is_some() {
            return self.remove(&record);
        }
        self.hold(record, sent, arrived);
    }

    pub(super) fn hold(&mut self, record: LeaseRecord, sent: Moment, arrived: Moment) {
        if let Some(takeover) = self.takeover.take()
            && let Some(lied) = clock_lied(&takeover, &record)
        {
            self.closing = Some(Closing::PutBack {
                claim: takeover.before.claim,
                why: lied,
            });
            self.plan = self.put_back(&record);
            return;
        }
        let corrected = self.correcting.take();
        if arrived.since(sent) >= self.settings.timing.renew_deadline() {
            self.plan = Plan::Refresh {
                record: Box::new(record),
            };
            return;
        }
        let token = corrected.as_ref().map_or_else(
            || record.resource_version.clone(),
            |held| held.token.clone(),
        );
        let off = match (record.claim.renew_time, record.stamp) {
            (Some(written), Some(stamp)) => is_off(written, stamp),
            _ => false,
        };
        let held = Held {
            token,
            sent,
            time: self.time.clone(),
            open: self
                .attempts
                .iter()
                .filter(|attempt| attempt.is_open(arrived))
                .cloned()
                .collect(),
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

    /// The lease is ours, only its `renewTime` is still wrong; the renewals put that right.
    pub(super) fn on_uncorrected(&mut self, answer: &Answer, arrived: Moment) {
        match (answer, self.correcting.take()) {
            (Answer::Conflict | Answer::NotFound, _) | (_, None) => self.plan = Plan::Look,
            (_, Some(mut held)) => {
                held.requests = self.requests;
                held.open = self
                    .attempts
                    .iter()
                    .filter(|attempt| attempt.is_open(arrived))
                    .cloned()
                    .collect();
                self.plan = Plan::Done(Outcome::Held(Box::new(held)));
            }
        }
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
