//! What a read of the lease leads to.

use jiff::Timestamp;

use super::super::clock::Moment;
use super::super::exchange::{Attempt, Version};
use super::super::expiry::{Evidence, Reading, Verdict, judge};
use super::super::record::LeaseRecord;
use super::pace::BACKSTOP;
use super::plan::{Plan, Seen, Takeover, Then};
use super::{Acquire, NotHeld};

impl Acquire {
    pub(super) fn on_read(
        &mut self,
        record: LeaseRecord,
        date: Option<Timestamp>,
        arrived: Moment,
    ) {
        let unchanged_since = match &self.seen {
            Some(seen) if seen.record.same_claim(&record) => seen.unchanged_since,
            _ => arrived,
        };
        let verdict = judge(
            &Reading {
                record: &record,
                date,
                arrived,
                unchanged_since,
            },
            self.settings.margin,
        );
        self.seen = Some(Seen {
            record: record.clone(),
            unchanged_since,
            verdict,
        });
        let ours = self.settings.identity.is(record.holder()) && verdict != Verdict::Deleting;
        if self.closing.is_some() {
            return self.settle_on_read(record, ours, arrived);
        }
        if ours {
            return self.adopt(record, arrived);
        }
        match verdict {
            Verdict::Free => self.take(record, None, arrived),
            Verdict::Expired(evidence) => self.take(record, Some(evidence), arrived),
            Verdict::Deleting => self.wait(arrived + BACKSTOP, record, arrived),
            Verdict::Held { look_again, .. } => self.wait(look_again, record, arrived),
        }
    }

    pub(super) fn on_absent(&mut self, arrived: Moment) {
        self.seen = None;
        self.takeover = None;
        if self.closing.is_some() {
            return self.settle_on_absent(arrived);
        }
        if !self.may_try(arrived) {
            return self.give_up(self.busy(), arrived);
        }
        self.lost_races += 1;
        self.plan = match self.lost_races {
            1 => Plan::Create,
            _ => Plan::Idle {
                until: arrived + self.spread(),
                watch_from: None,
                then: Then::Create,
            },
        };
    }

    /// An earlier attempt of ours turned out to have landed: validity counts from when *that* one was sent.
    pub(super) fn adopt(&mut self, record: LeaseRecord, arrived: Moment) {
        match self.landed(&record) {
            Some(sent) => self.hold(record, sent, arrived),
            None => {
                self.plan = Plan::Refresh {
                    record: Box::new(record),
                }
            }
        }
    }

    /// When the write that stands in the record was sent; its outcome is known by that.
    pub(super) fn landed(&mut self, record: &LeaseRecord) -> Option<Moment> {
        let landed = |attempt: &&mut Attempt| Some(attempt.renew_time) == record.claim.renew_time;
        let attempt = self.attempts.iter_mut().find(landed)?;
        attempt.open_until = None;
        Some(attempt.sent)
    }

    pub(super) fn take(
        &mut self,
        record: LeaseRecord,
        evidence: Option<Evidence>,
        arrived: Moment,
    ) {
        if !self.may_try(arrived) {
            return self.give_up(self.busy(), arrived);
        }
        self.plan = Plan::Take {
            version: Version::from(&record),
            transitions: record.claim.lease_transitions,
        };
        self.takeover = evidence.map(|evidence| Takeover {
            before: record,
            evidence,
        });
    }

    pub(super) fn wait(&mut self, look_again: Moment, record: LeaseRecord, arrived: Moment) {
        if arrived >= self.deadline {
            return self.give_up(self.busy(), arrived);
        }
        let latest = if self.may_watch {
            BACKSTOP
        } else {
            self.poll_delay()
        };
        let until = look_again.min(arrived + latest).min(self.deadline);
        self.plan = Plan::Idle {
            until,
            watch_from: Some(record.resource_version),
            then: Then::Look,
        };
    }

    /// Once past the deadline one last write is allowed, for a lease that the last look found to be free.
    pub(super) fn may_try(&mut self, now: Moment) -> bool {
        if now < self.deadline {
            return true;
        }
        !std::mem::replace(&mut self.last_try_used, true)
    }

    pub(super) fn busy(&self) -> NotHeld {
        match (&self.seen, &self.trouble) {
            (None, Some(trouble)) => NotHeld::Unreachable(trouble.clone()),
            (seen, _) => NotHeld::Busy(
                seen.as_ref()
                    .map(|seen| (Box::new(seen.record.clone()), seen.verdict)),
            ),
        }
    }
}
