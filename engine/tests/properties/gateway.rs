//! The gateway's own lock protocol, as its running version does it.
//!
//! Holder is the pod name; no retry of the outcome, no renewal, expiry by the local wall clock, release as GET and
//! DELETE without preconditions. It is here to live beside ours, and to show what ours does better.

use std::time::Duration;

use gwlock_engine::protocol::exchange::{Answer, Request, Version};
use gwlock_engine::protocol::record::{Claim, LeaseRecord};
use jiff::{SignedDuration, Timestamp};

use super::server::Call;

const MANAGER: &str = "gateway";
const ATTEMPTS: u32 = 10;

/// What the gateway does next.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Send(Call),
    Sleep(Duration),
    /// It believes to hold the lease; nothing ends that but its own release.
    Held,
    /// HTTP 500.
    GaveUp,
    Released,
}

#[derive(Debug, Clone)]
enum Plan {
    Look,
    Create,
    Take(Box<LeaseRecord>),
    Pause,
    Hold,
    LookBeforeRelease,
    Delete(Version),
    GaveUp,
    Done,
}

/// One handler of one pod.
#[derive(Debug, Clone)]
pub(crate) struct Gateway {
    pod: String,
    plan: Plan,
    attempts: u32,
    /// Its hold began with a write of its own, not with a lease of the same pod that was there already.
    wrote: bool,
}

impl Gateway {
    pub(crate) fn new(pod: &str) -> Self {
        Self {
            pod: pod.to_owned(),
            plan: Plan::Look,
            attempts: 0,
            wrote: false,
        }
    }

    /// `wall` is the local wall clock.
    pub(crate) fn next(&mut self, wall: Timestamp) -> Step {
        let request = match &self.plan {
            Plan::Look | Plan::LookBeforeRelease => Request::Get,
            Plan::Create => Request::Create(Claim {
                holder: Some(self.pod.clone()),
                lease_duration_seconds: Some(30),
                acquire_time: Some(wall),
                renew_time: Some(wall),
                lease_transitions: None,
            }),
            Plan::Take(record) => Request::Replace {
                version: Version::from(&**record),
                claim: Claim {
                    holder: Some(self.pod.clone()),
                    renew_time: Some(wall),
                    ..record.claim.clone()
                },
            },
            Plan::Pause => {
                self.plan = Plan::Look;
                return Step::Sleep(self.back_off());
            }
            Plan::Delete(version) => {
                let request = Request::Delete(version.clone());
                return Step::Send(Call {
                    request,
                    with_uid: false,
                    with_version: false,
                    manager: MANAGER,
                });
            }
            Plan::Hold => return Step::Held,
            Plan::GaveUp => return Step::GaveUp,
            Plan::Done => return Step::Released,
        };
        Step::Send(Call {
            request,
            with_uid: true,
            with_version: true,
            manager: MANAGER,
        })
    }

    pub(crate) fn reply(&mut self, answer: &Answer, wall: Timestamp) {
        self.wrote = matches!(self.plan, Plan::Create | Plan::Take(_));
        self.plan = match (&self.plan, answer) {
            (Plan::Look, Answer::NotFound) => Plan::Create,
            (Plan::Look, Answer::Lease(record)) => self.decide(record, wall),
            (Plan::Create | Plan::Take(_), Answer::Lease(_)) => Plan::Hold,
            (Plan::Create | Plan::Take(_), Answer::AlreadyExists | Answer::Conflict) => {
                self.contended()
            }
            (Plan::LookBeforeRelease, Answer::Lease(record))
                if record.holder() == Some(&self.pod) =>
            {
                Plan::Delete(Version::from(&**record))
            }
            (Plan::LookBeforeRelease | Plan::Delete(_), _) => Plan::Done,
            _ => Plan::GaveUp,
        };
    }

    /// Whether it believes to hold the lease.
    pub(crate) fn holds(&self) -> bool {
        matches!(self.plan, Plan::Hold)
    }

    /// Whether it holds the lease by a write of its own.
    pub(crate) fn holds_by_writing(&self) -> bool {
        self.holds() && self.wrote
    }

    /// The handler has finished its work, or gives up.
    pub(crate) fn release(&mut self) {
        self.plan = Plan::LookBeforeRelease;
    }

    fn decide(&mut self, record: &LeaseRecord, wall: Timestamp) -> Plan {
        let claim = &record.claim;
        if claim.holder.as_deref() == Some(&*self.pod) {
            return Plan::Hold;
        }
        let expiry =
            claim
                .renew_time
                .zip(claim.lease_duration_seconds)
                .and_then(|(renewed, seconds)| {
                    renewed
                        .checked_add(SignedDuration::from_secs(i64::from(seconds)))
                        .ok()
                });
        match expiry {
            Some(expiry) if wall > expiry => Plan::Take(Box::new(record.clone())),
            _ => self.contended(),
        }
    }

    fn contended(&mut self) -> Plan {
        self.attempts += 1;
        if self.attempts < ATTEMPTS {
            Plan::Pause
        } else {
            Plan::GaveUp
        }
    }

    /// 100 ms doubling up to 1 s, without the ten percent of jitter.
    fn back_off(&self) -> Duration {
        Duration::from_millis(100 << (self.attempts - 1).min(9)).min(Duration::from_secs(1))
    }
}
