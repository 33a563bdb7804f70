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
        if self.settings.identity.is(record.holder()) && verdict != Verdict::Deleting {
            let sent = self.landed(&record);
            return self.on_ours(record, sent, arrived);
        }
        self.standing = None;
        self.rule_out(Some(&Version::from(&record)));
        if self.closing.is_some() {
            return self.settle_on_other(arrived);
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
        self.standing = None;
        self.rule_out(None);
        if self.closing.is_some() {
            return self.settle(arrived);
        }
        if self.cools_down(arrived) {
            return;
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
    fn landed(&mut self, record: &LeaseRecord) -> Option<Moment> {
        let landed = |attempt: &&mut Attempt| Some(attempt.renew_time) == record.claim.renew_time;
        let attempt = self.attempts.iter_mut().find(landed)?;
        attempt.open_until = None;
        Some(attempt.sent)
    }

    fn take(&mut self, record: LeaseRecord, evidence: Option<Evidence>, arrived: Moment) {
        if self.cools_down(arrived) {
            return;
        }
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

    fn wait(&mut self, look_again: Moment, record: LeaseRecord, arrived: Moment) {
        self.write_trouble = None;
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
    fn may_try(&mut self, now: Moment) -> bool {
        if now < self.deadline {
            return true;
        }
        !std::mem::replace(&mut self.last_try_used, true)
    }

    /// Why it is not ours: somebody has it, unless it is the writing that failed.
    pub(super) fn busy(&self) -> NotHeld {
        if let Some(trouble) = &self.write_trouble {
            return NotHeld::Unreachable(trouble.clone());
        }
        let seen = self.seen.as_ref();
        NotHeld::Busy(seen.map(|seen| (Box::new(seen.record.clone()), seen.verdict)))
    }
}
