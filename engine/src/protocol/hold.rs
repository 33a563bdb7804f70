//! Holding a lease: renewing it in time, and knowing when it is lost.
//!
//! A state machine like [`super::acquire`]. It does not release; that is [`super::release`].

use std::time::Duration;

use super::acquire::Held;
use super::clock::{Moment, ServerTime};
use super::exchange::{Answer, Attempt, Reply, Request, Version};
use super::holder::HolderIdentity;
use super::record::{Claim, LeaseRecord};
use super::timing::Timing;

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Send this, and hand the answer to [`Hold::reply`].
    Send {
        /// The request.
        request: Request,
        /// Its `?timeout=` and deadline; never longer than the hold can last.
        timeout: Duration,
    },
    /// Nothing is due before this moment.
    Sleep {
        /// When [`Hold::next`] has something to do again.
        until: Moment,
    },
    /// It is no longer ours, or can no longer be proven to be: the work has to stop now.
    Lost(Loss),
}

/// Why a hold ended without a release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Loss {
    /// No renewal succeeded before the renew deadline.
    #[error("no renewal succeeded within {after:?}{}", .trouble.as_ref().map(|t| format!(": {t}")).unwrap_or_default())]
    RenewDeadline {
        /// The renew deadline.
        after: Duration,
        /// The last failure.
        trouble: Option<String>,
    },
    /// The record names somebody else.
    #[error("taken over by {}", .record.holder().unwrap_or("nobody"))]
    TakenOver {
        /// The record as it stands.
        record: Box<LeaseRecord>,
    },
    /// The lease was deleted by somebody.
    #[error("the lease was deleted")]
    Gone,
    /// The lease was deleted and made again.
    #[error("the lease was deleted and created again, its uid is now {uid}")]
    Replaced {
        /// The uid of the other lease.
        uid: String,
    },
}

/// One unbroken hold.
#[derive(Debug, Clone)]
pub struct Hold {
    identity: HolderIdentity,
    timing: Timing,
    request_timeout: Duration,
    grace: Duration,
    version: Version,
    claim: Claim,
    /// When the write was sent from which validity counts.
    sent: Moment,
    time: ServerTime,
    attempts: Vec<Attempt>,
    plan: Plan,
    awaiting: bool,
    trouble: Option<String>,
    requests: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Plan {
    Renew(Moment),
    Look(Moment),
    /// Our nonce under another uid: a late write of ours, which would block others until it expires.
    RemoveGhost(Version),
    Lost(Loss),
}

impl Hold {
    /// Goes on from a successful acquisition.
    #[must_use]
    pub fn new(
        identity: HolderIdentity,
        timing: Timing,
        request_timeout: Duration,
        grace: Duration,
        held: Held,
    ) -> Self {
        Self {
            identity,
            timing,
            request_timeout,
            grace,
            version: Version::from(&held.record),
            plan: Plan::Renew(held.sent + timing.renew_interval()),
            claim: held.record.claim,
            sent: held.sent,
            time: held.time,
            attempts: held.open,
            awaiting: false,
            trouble: None,
            requests: 0,
        }
    }

    /// Makes the next renewal due at once.
    pub fn renew_now(&mut self, now: Moment) {
        if let Plan::Renew(due) = &mut self.plan {
            *due = (*due).min(now);
        }
    }

    /// What to do at `now`. While an answer is awaited this must not be called.
    #[must_use]
    pub fn next(&mut self, now: Moment) -> Step {
        if let Plan::Lost(loss) = &self.plan {
            return Step::Lost(loss.clone());
        }
        if !matches!(self.plan, Plan::RemoveGhost(_)) && now >= self.stop_by() {
            return self.past_deadline();
        }
        let request = match &self.plan {
            Plan::Renew(due) | Plan::Look(due) if *due > now => {
                return Step::Sleep {
                    until: (*due).min(self.stop_by()),
                };
            }
            Plan::Renew(_) => {
                let claim = self.fresh_claim(now);
                Request::Replace {
                    version: self.version.clone(),
                    claim,
                }
            }
            Plan::Look(_) => Request::Get,
            Plan::RemoveGhost(version) => Request::Delete(version.clone()),
            Plan::Lost(loss) => return Step::Lost(loss.clone()),
        };
        self.awaiting = true;
        self.requests += 1;
        let left = self.stop_by().since(now);
        let timeout = if matches!(request, Request::Delete(_)) {
            self.request_timeout
        } else {
            self.request_timeout.min(left)
        };
        Step::Send { request, timeout }
    }

    /// Takes the answer to the request that [`Hold::next`] asked for.
    pub fn reply(&mut self, reply: Reply) {
        if !std::mem::take(&mut self.awaiting) {
            return;
        }
        let Reply {
            arrived,
            date,
            answer,
        } = reply;
        if let Some(date) = date {
            self.time.observe(date, arrived);
        }
        let holding = !matches!(self.plan, Plan::RemoveGhost(_) | Plan::Lost(_));
        if holding && arrived >= self.stop_by() {
            return self.too_late(answer);
        }
        match (self.plan.clone(), answer) {
            (Plan::Renew(_), Answer::Lease(record)) => self.renewed(&record),
            (Plan::Renew(_), Answer::Conflict) => {
                self.attempts.pop();
                self.plan = Plan::Look(arrived);
            }
            (Plan::Look(_), Answer::Lease(record)) => self.on_read(record, arrived),
            (Plan::Renew(_) | Plan::Look(_), Answer::NotFound) => {
                self.plan = Plan::Lost(Loss::Gone);
            }
            (Plan::RemoveGhost(version), _) => {
                self.plan = Plan::Lost(Loss::Replaced { uid: version.uid });
            }
            (Plan::Renew(_), answer) => {
                if !matches!(answer, Answer::Unclear(_)) {
                    self.attempts.pop();
                }
                self.plan = Plan::Renew(arrived + self.pause(answer));
            }
            (Plan::Look(_), answer) => self.plan = Plan::Look(arrived + self.pause(answer)),
            (Plan::Lost(_), _) => {}
        }
    }

    /// When the work has to have stopped: the renew deadline after the last write that is known to stand.
    #[must_use]
    pub fn stop_by(&self) -> Moment {
        self.sent + self.timing.renew_deadline()
    }

    /// When somebody else may take the lease over at the earliest.
    #[must_use]
    pub fn ends(&self) -> Moment {
        self.sent + self.timing.lease_duration()
    }

    /// Whether it can be proven at `now` that the lease is ours.
    #[must_use]
    pub fn is_valid(&self, now: Moment) -> bool {
        !matches!(self.plan, Plan::Lost(_) | Plan::RemoveGhost(_)) && now < self.stop_by()
    }

    /// The version to release.
    #[must_use]
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// The claim as last written.
    #[must_use]
    pub fn claim(&self) -> &Claim {
        &self.claim
    }

    /// The server's time.
    #[must_use]
    pub fn server_time(&self) -> &ServerTime {
        &self.time
    }

    /// Writes of ours that may still land at `now`, once this lease is gone: late POSTs. A renewal cannot.
    #[must_use]
    pub fn open_attempts(&self, now: Moment) -> Vec<Attempt> {
        let is_ghost = |attempt: &&Attempt| attempt.is_open(now) && attempt.on.is_none();
        self.attempts.iter().filter(is_ghost).cloned().collect()
    }

    /// How many requests were sent.
    #[must_use]
    pub fn requests(&self) -> u32 {
        self.requests
    }

    fn past_deadline(&mut self) -> Step {
        let loss = Loss::RenewDeadline {
            after: self.timing.renew_deadline(),
            trouble: self.trouble.clone(),
        };
        self.plan = Plan::Lost(loss.clone());
        Step::Lost(loss)
    }

    /// Even a renewal that succeeded does not bring the hold back: the work was told to stop, or would have been if the
    /// process had not stood still, and a hold is one unbroken stretch.
    fn too_late(&mut self, answer: Answer) {
        match answer {
            Answer::Lease(record) if matches!(self.plan, Plan::Renew(_)) => {
                self.version = Version::from(&*record);
            }
            Answer::Unclear(_) | Answer::NotExecuted(_) | Answer::Refused(_) => {
                self.pause(answer);
            }
            _ => {}
        }
        let _ = self.past_deadline();
    }

    fn fresh_claim(&mut self, now: Moment) -> Claim {
        let renew_time = self.time.stamp(now);
        let open_until = now + self.request_timeout + self.grace;
        self.attempts.push(Attempt {
            renew_time,
            sent: now,
            on: Some(self.version.clone()),
            open_until: Some(open_until),
        });
        Claim {
            renew_time: Some(renew_time),
            lease_duration_seconds: Some(self.timing.lease_duration_seconds()),
            ..self.claim.clone()
        }
    }

    fn renewed(&mut self, record: &LeaseRecord) {
        if let Some(attempt) = self.attempts.pop() {
            self.stands(record, attempt.sent);
        }
    }

    fn stands(&mut self, record: &LeaseRecord, sent: Moment) {
        self.version = Version::from(record);
        self.claim = record.claim.clone();
        self.sent = self.sent.max(sent);
        // An earlier renewal cannot stand in any later record; a POST can still land under another uid.
        self.attempts
            .retain(|attempt| attempt.sent > sent || attempt.on.is_none());
        self.trouble = None;
        self.plan = Plan::Renew(self.sent + self.timing.renew_interval());
    }

    fn on_read(&mut self, record: Box<LeaseRecord>, arrived: Moment) {
        let ours = self.identity.is(record.holder());
        if record.uid != self.version.uid {
            self.plan = if ours {
                Plan::RemoveGhost(Version::from(&*record))
            } else {
                Plan::Lost(Loss::Replaced { uid: record.uid })
            };
            return;
        }
        if !ours {
            self.plan = Plan::Lost(Loss::TakenOver { record });
            return;
        }
        let attempt = self
            .attempts
            .iter()
            .find(|attempt| Some(attempt.renew_time) == record.claim.renew_time);
        match attempt.map(|attempt| attempt.sent) {
            Some(sent) if sent > self.sent => self.stands(&record, sent),
            // Somebody touched the object, a label perhaps: none of our renewals stands in it, so one more is due.
            _ => {
                self.version = Version::from(&*record);
                self.plan = Plan::Renew(arrived);
            }
        }
    }

    fn pause(&mut self, answer: Answer) -> Duration {
        let (trouble, retry_after) = match answer {
            Answer::Unclear(message) => (message, None),
            Answer::NotExecuted(why) => (why.message, why.retry_after),
            Answer::Refused(refusal) => (refusal.message, None),
            other => (format!("unexpected answer {other:?}"), None),
        };
        self.trouble = Some(trouble);
        self.timing
            .retry_period()
            .max(retry_after.unwrap_or_default())
    }
}
