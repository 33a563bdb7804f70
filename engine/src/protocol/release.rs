//! Releasing a lease: deleting exactly what is ours.
//!
//! A state machine like [`super::acquire`]. The guarded work has ended and renewals have stopped before it starts.

use std::time::Duration;

use super::backoff::Backoff;
use super::clock::Moment;
use super::exchange::{Answer, Attempt, Refusal, Reply, Request, Version};
use super::record::LeaseRecord;
use super::step;

/// What [`Release::next`] says is to be done.
pub type Step = step::Step<Released>;

/// How a release ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Released {
    /// Our lease is gone, by our hand.
    Deleted,
    /// There was no such lease any more, or somebody had deleted it and a finalizer keeps it.
    AlreadyGone,
    /// The lease is somebody else's by now; nothing was deleted.
    NotOurs(Box<LeaseRecord>),
    /// The server will not do it.
    Refused(Refusal),
    /// No answer in time, and nothing was deleted.
    Unreachable(String),
    /// No answer in time; the lease may or may not be gone. It expires by itself.
    Unknown(String),
}

/// One release.
#[derive(Debug, Clone)]
pub struct Release {
    holder: String,
    uid: Option<String>,
    plan: Plan,
    awaiting: bool,
    backoff: Backoff,
    request_timeout: Duration,
    /// A DELETE was sent that has no answer.
    unclear: bool,
    /// Our lease is deleted; only a late write of ours is still looked for.
    open: Vec<Attempt>,
    done: Option<Released>,
    trouble: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Plan {
    Delete(Version),
    Look,
    Done(Released),
}

impl Release {
    /// Releases the version that the holder wrote last, within `budget`.
    #[must_use]
    pub fn new(
        holder: impl Into<String>,
        version: Version,
        now: Moment,
        budget: Duration,
        request_timeout: Duration,
    ) -> Self {
        let mut release = Self::by_holder(holder, now, budget, request_timeout);
        release.uid = Some(version.uid.clone());
        release.plan = Plan::Delete(version);
        release
    }

    /// Releases whatever lease names this holder, when no version is known: reads first.
    #[must_use]
    pub fn by_holder(
        holder: impl Into<String>,
        now: Moment,
        budget: Duration,
        request_timeout: Duration,
    ) -> Self {
        Self {
            holder: holder.into(),
            uid: None,
            plan: Plan::Look,
            awaiting: false,
            backoff: Backoff::new(now, budget),
            request_timeout,
            unclear: false,
            open: Vec::new(),
            done: None,
            trouble: String::new(),
        }
    }

    /// Also looks for writes of the hold that had no answer: one that lands after the release is a ghost.
    #[must_use]
    pub fn with_open_attempts(mut self, open: Vec<Attempt>) -> Self {
        self.open = open;
        self
    }

    /// What to do at `now`. While an answer is awaited this must not be called.
    #[must_use]
    pub fn next(&mut self, now: Moment) -> Step {
        let request = match &self.plan {
            Plan::Done(released) => return Step::Done(released.clone()),
            _ if now < self.backoff.due() => {
                let until = self.backoff.due();
                return Step::Sleep { until };
            }
            Plan::Delete(version) => Request::Delete(version.clone()),
            Plan::Look => Request::Get,
        };
        self.awaiting = true;
        Step::Send {
            request,
            timeout: self.request_timeout,
        }
    }

    /// Takes the answer to the request that [`Release::next`] asked for.
    pub fn reply(&mut self, reply: Reply) {
        if !std::mem::take(&mut self.awaiting) {
            return;
        }
        let Reply {
            arrived, answer, ..
        } = reply;
        match (&self.plan, answer) {
            (Plan::Delete(_), Answer::Deleted | Answer::Lease(_)) => self.gone(Released::Deleted),
            (_, Answer::NotFound) => {
                self.gone(if self.unclear {
                    Released::Deleted
                } else {
                    Released::AlreadyGone
                });
            }
            (Plan::Delete(_), Answer::Conflict) => self.plan = Plan::Look,
            (Plan::Look, Answer::Lease(record)) => self.on_read(record),
            (_, Answer::Refused(refusal)) => self.end(Released::Refused(refusal)),
            (Plan::Delete(_), Answer::Unclear(message)) => {
                self.unclear = true;
                self.again(arrived, message, None);
            }
            (_, Answer::NotExecuted(why)) => self.again(arrived, why.message, why.retry_after),
            (_, Answer::Unclear(message)) => self.again(arrived, message, None),
            (_, other) => self.again(arrived, format!("unexpected answer {other:?}"), None),
        }
    }

    fn on_read(&mut self, record: Box<LeaseRecord>) {
        if record.claim.holder.as_deref() == Some(self.holder.as_str()) && !record.deleting {
            self.uid = Some(record.uid.clone());
            self.plan = Plan::Delete(Version::from(&*record));
            return;
        }
        let same_lease = self.uid.as_ref() == Some(&record.uid);
        let deleting = record.deleting && same_lease;
        self.end(match (self.unclear, deleting) {
            (true, true) => Released::Deleted,
            (true, false) if !same_lease => Released::Deleted,
            (false, true) => Released::AlreadyGone,
            _ => Released::NotOurs(record),
        });
    }

    fn gone(&mut self, released: Released) {
        if self.open.is_empty() {
            return self.end(released);
        }
        self.open.clear();
        self.done.get_or_insert(released);
        self.plan = Plan::Look;
    }

    /// Our lease is known to be gone once `done` is set; what a later look for ghosts finds does not change that.
    fn end(&mut self, released: Released) {
        self.plan = Plan::Done(self.done.take().unwrap_or(released));
    }

    fn again(&mut self, now: Moment, trouble: String, retry_after: Option<Duration>) {
        self.trouble = trouble;
        if !self.backoff.put_off(now, retry_after) {
            let trouble = std::mem::take(&mut self.trouble);
            self.end(if self.unclear {
                Released::Unknown(trouble)
            } else {
                Released::Unreachable(trouble)
            });
        }
    }
}
