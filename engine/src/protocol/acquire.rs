//! Acquiring a lease: one POST when it is free, and a careful walk otherwise.
//!
//! A state machine: [`Acquire::next`] says what to do, [`Acquire::reply`] and [`Acquire::wake`] tell what happened.
//! It sends nothing and reads no clock; renewing and releasing are other machines.

mod look;
mod outcome;
mod pace;
mod plan;
mod settings;
mod settle;
mod written;

use std::time::Duration;

use jiff::Timestamp;
use rand::rngs::StdRng;

use super::clock::{Moment, ServerTime};
use super::exchange::{Answer, Attempt, Reply, Request, Version};
use super::record::Claim;

pub use outcome::{Held, NotHeld, Outcome};
use pace::FIRST_POLL;
use plan::{Plan, Seen, Sent, Standing, Takeover, Then};
pub use settings::Settings;
use settle::Closing;

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Send this, and hand the answer to [`Acquire::reply`].
    Send {
        /// The request.
        request: Request,
        /// Its `?timeout=` and deadline.
        timeout: Duration,
    },
    /// Do nothing until then, unless an event wakes the machine through [`Acquire::wake`].
    Wait {
        /// When [`Acquire::next`] has something to do again.
        until: Moment,
        /// Watch the lease from this resourceVersion meanwhile. `None`: do not watch.
        watch_from: Option<String>,
    },
    /// It is over.
    Done(Outcome),
}

/// An event of the watch on the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// DELETED.
    Deleted,
    /// The record names nobody any more.
    Freed,
    /// The watch ended or failed.
    WatchEnded,
    /// The server refuses `watch`: from now on the machine polls.
    WatchForbidden,
}

/// One acquisition.
#[derive(Debug)]
pub struct Acquire {
    settings: Settings,
    rng: StdRng,
    time: ServerTime,
    /// The last write whose times were a guess: nothing had told the server's time yet.
    guessed: Option<Moment>,
    deadline: Moment,
    plan: Plan,
    awaiting: Option<Sent>,
    seen: Option<Seen>,
    attempts: Vec<Attempt>,
    takeover: Option<Takeover>,
    /// The acquiring write's answer while its wrong `renewTime` is corrected.
    correcting: Option<Held>,
    closing: Option<Closing>,
    standing: Option<Standing>,
    /// When to stop trying to undo what stands.
    undo_by: Option<Moment>,
    /// When the last read was sent, and when its answer arrived, if one did.
    look_sent: Moment,
    looked_at: Option<Moment>,
    may_watch: bool,
    poll: Duration,
    lost_races: u32,
    /// How often it was woken by a lease that became free.
    wakes: u32,
    last_try_used: bool,
    last_refresh_used: bool,
    /// How many writes in a row had no answer, and the last failure, until a write has a clear one.
    failed_writes: u32,
    write_trouble: Option<String>,
    /// The next write has to wait a little.
    cooling: bool,
    /// How often a wrong `renewTime` was corrected.
    corrections: u32,
    trouble: Option<String>,
    requests: u32,
}

impl Acquire {
    /// Starts at `now`; `wall` is the local wall clock, used for the server's time until the first answer tells it.
    #[must_use]
    pub fn new(settings: Settings, now: Moment, wall: Timestamp, rng: StdRng) -> Self {
        Self {
            deadline: now + settings.wait,
            time: ServerTime::guess(now, wall),
            guessed: None,
            settings,
            rng,
            plan: Plan::Create,
            awaiting: None,
            seen: None,
            attempts: Vec::new(),
            takeover: None,
            correcting: None,
            closing: None,
            standing: None,
            undo_by: None,
            look_sent: now,
            looked_at: None,
            may_watch: true,
            poll: FIRST_POLL,
            lost_races: 0,
            wakes: 0,
            last_try_used: false,
            last_refresh_used: false,
            failed_writes: 0,
            write_trouble: None,
            cooling: false,
            corrections: 0,
            trouble: None,
            requests: 0,
        }
    }

    /// Starts with a better estimate of the server's time, from an earlier acquisition of the same process.
    #[must_use]
    pub fn with_server_time(mut self, time: ServerTime) -> Self {
        self.time = time;
        self
    }

    /// What to do at `now`. While an answer is awaited this must not be called.
    #[must_use]
    pub fn next(&mut self, now: Moment) -> Step {
        if let Plan::Idle { until, then, .. } = &self.plan
            && now >= *until
        {
            self.plan = match then {
                Then::Create => Plan::Create,
                Then::Look => Plan::Look,
            };
        }
        let (request, sent) = match self.plan.clone() {
            Plan::Done(outcome) => return Step::Done(outcome),
            Plan::Idle {
                until, watch_from, ..
            } => {
                return Step::Wait {
                    until,
                    watch_from: watch_from.filter(|_| self.may_watch),
                };
            }
            Plan::Create => {
                self.takeover = None;
                (
                    Request::Create(self.fresh_claim(now, None, None, None)),
                    Sent::Create,
                )
            }
            Plan::Look => {
                self.look_sent = now;
                (Request::Get, Sent::Look)
            }
            Plan::Take {
                version,
                transitions,
            } => {
                let transitions = Some(transitions.unwrap_or(0).saturating_add(1));
                let claim = self.fresh_claim(now, Some(&version), None, transitions);
                (Request::Replace { version, claim }, Sent::Take)
            }
            Plan::Refresh { record } => {
                self.corrections += u32::from(self.correcting.is_some());
                let acquired = record
                    .claim
                    .acquire_time
                    .filter(|_| self.correcting.is_none());
                let version = Version::from(&*record);
                let transitions = record.claim.lease_transitions;
                let claim = self.fresh_claim(now, Some(&version), acquired, transitions);
                (Request::Replace { version, claim }, Sent::Refresh)
            }
            Plan::PutBack { version, claim } => {
                (Request::Replace { version, claim }, Sent::PutBack)
            }
            Plan::Remove(version) => (Request::Delete(version), Sent::Remove),
        };
        self.awaiting = Some(sent);
        self.requests += 1;
        Step::Send {
            request,
            timeout: self.settings.request_timeout,
        }
    }

    /// Takes the answer to the request that [`Acquire::next`] asked for.
    pub fn reply(&mut self, reply: Reply) {
        let Some(sent) = self.awaiting.take() else {
            return;
        };
        let Reply {
            arrived,
            date,
            answer,
        } = reply;
        if let Some(date) = date {
            self.time.observe(date, arrived);
        }
        let is_write = matches!(sent, Sent::Create | Sent::Take | Sent::Refresh);
        if is_write {
            self.close_attempt(&answer, arrived);
            self.count_failure(&answer);
        }
        self.trouble = match &answer {
            Answer::Unclear(message) => Some(message.clone()),
            Answer::NotExecuted(why) => Some(why.message.clone()),
            Answer::Refused(refusal) => Some(refusal.message.clone()),
            _ => None,
        };
        if sent == Sent::Look && matches!(answer, Answer::Lease(_) | Answer::NotFound) {
            self.looked_at = Some(arrived);
        }
        match (sent, answer) {
            (Sent::PutBack | Sent::Remove, answer) => self.on_undo(sent, &answer, arrived),
            (Sent::Create | Sent::Take | Sent::Refresh, Answer::Lease(record)) => {
                self.on_written(*record, arrived);
            }
            (Sent::Look, Answer::Refused(refusal)) => self.on_unreadable(refusal),
            (Sent::Refresh, answer) if self.correcting.is_some() => {
                self.on_uncorrected(answer, arrived);
            }
            (Sent::Look, Answer::Lease(record)) => self.on_read(*record, date, arrived),
            (Sent::Look, Answer::NotFound) => self.on_absent(arrived),
            (Sent::Look, Answer::Unclear(_)) => self.retry(arrived, Then::Look, None),
            (_, Answer::NotExecuted(why)) => self.on_not_executed(sent, &why, arrived),
            (_, Answer::Refused(refusal)) => self.give_up(NotHeld::Refused(refusal), arrived),
            (Sent::Create, Answer::AlreadyExists)
            | (
                Sent::Create | Sent::Take | Sent::Refresh,
                Answer::Conflict | Answer::Unclear(_) | Answer::NotFound,
            ) => {
                self.plan = Plan::Look;
            }
            (_, Answer::Deleted | Answer::AlreadyExists | Answer::Conflict) => {
                self.retry(arrived, Then::Look, None);
            }
        }
    }

    /// Takes an event of the watch; has an effect only while the machine waits.
    pub fn wake(&mut self, now: Moment, wake: Wake) {
        if wake == Wake::WatchForbidden {
            self.may_watch = false;
        }
        let waits = matches!(
            self.plan,
            Plan::Idle {
                watch_from: Some(_),
                ..
            }
        );
        if self.closing.is_some() || !waits {
            return;
        }
        match wake {
            Wake::Deleted | Wake::Freed => {
                // Most leases have one waiter. Where there are more, those that lose go apart before the next race.
                let until = match self.wakes {
                    0 => now,
                    _ => now + self.spread(),
                };
                self.wakes += 1;
                let then = if wake == Wake::Deleted {
                    Then::Create
                } else {
                    Then::Look
                };
                self.plan = Plan::Idle {
                    until,
                    watch_from: None,
                    then,
                };
            }
            Wake::WatchEnded | Wake::WatchForbidden => {
                let until = (now + self.poll_delay()).min(self.deadline.max(now));
                self.plan = Plan::Idle {
                    until,
                    watch_from: None,
                    then: Then::Look,
                };
            }
        }
    }

    /// How many requests were sent.
    #[must_use]
    pub fn requests(&self) -> u32 {
        self.requests
    }

    /// Whether watching was found to be forbidden.
    #[must_use]
    pub fn is_polling(&self) -> bool {
        !self.may_watch
    }

    fn fresh_claim(
        &mut self,
        now: Moment,
        on: Option<&Version>,
        acquired: Option<Timestamp>,
        transitions: Option<i32>,
    ) -> Claim {
        if !self.time.is_measured() {
            self.guessed = Some(now);
        }
        let renew_time = self.time.stamp(now);
        let open_until = now + self.settings.request_timeout + self.settings.grace;
        self.attempts.push(Attempt {
            renew_time,
            sent: now,
            on: on.cloned(),
            open_until: Some(open_until),
        });
        Claim {
            holder: Some(self.settings.identity.to_string()),
            lease_duration_seconds: Some(self.settings.timing.lease_duration_seconds()),
            acquire_time: Some(acquired.unwrap_or(renew_time)),
            renew_time: Some(renew_time),
            lease_transitions: transitions,
        }
    }

    /// A clear answer settles the attempt it belongs to.
    fn close_attempt(&mut self, answer: &Answer, arrived: Moment) {
        let late = arrived + self.settings.request_timeout + self.settings.grace;
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.open_until = match answer {
                // A client that is told so late stood still, and perhaps before the request had left.
                Answer::Unclear(_) => attempt
                    .open_until
                    .map(|until| if arrived > until { late } else { until }),
                _ => None,
            };
        }
    }
}
