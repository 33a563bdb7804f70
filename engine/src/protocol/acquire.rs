//! Acquiring a lease: one POST when it is free, and a careful walk otherwise.
//!
//! A state machine: [`Acquire::next`] says what to do, [`Acquire::reply`] and [`Acquire::wake`] tell what happened.
//! It sends nothing and reads no clock; renewing and releasing are other machines.

mod outcome;
mod settle;

use std::time::Duration;

use jiff::Timestamp;
use rand::RngExt;
use rand::rngs::StdRng;

use super::clock::{Moment, ServerTime, is_off};
use super::exchange::{Answer, Attempt, NotExecuted, Reply, Request, Version};
use super::expiry::{Evidence, Reading, Rule, Verdict, judge};
use super::holder::HolderIdentity;
use super::record::{Claim, LeaseRecord};
use super::timing::{DEFAULT_MARGIN, Timing};

pub use outcome::{Held, NotHeld, Outcome};
use settle::Closing;

/// Where watch is forbidden the waits between two reads grow from this …
const FIRST_POLL: Duration = Duration::from_millis(100);
/// … to this.
const LAST_POLL: Duration = Duration::from_secs(1);
/// A watch can stall without ending, so a read comes at least this often.
const BACKSTOP: Duration = Duration::from_secs(10);
/// Waiters that one event wakes spread their requests over this span.
const WAKE_SPREAD: Duration = Duration::from_millis(3);

/// What an acquisition works with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who acquires, with the nonce of this acquisition.
    pub identity: HolderIdentity,
    /// Lease duration and deadlines.
    pub timing: Timing,
    /// How long to wait for a lease that somebody holds. Zero tries once.
    pub wait: Duration,
    /// How much more than its duration a lease has to be old before it is taken over.
    pub margin: Duration,
    /// `?timeout=` and deadline of every request.
    pub request_timeout: Duration,
    /// How long after its time-out a write may still land.
    pub grace: Duration,
}

impl Settings {
    /// The usual settings: no wait, a margin of 2 s, requests of at most 5 s with a second of grace.
    #[must_use]
    pub fn new(identity: HolderIdentity, timing: Timing) -> Self {
        Self {
            identity,
            timing,
            wait: Duration::ZERO,
            margin: DEFAULT_MARGIN,
            request_timeout: Duration::from_secs(5).min(timing.lease_duration() / 3),
            grace: Duration::from_secs(1),
        }
    }
}

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
    deadline: Moment,
    plan: Plan,
    awaiting: Option<Sent>,
    seen: Option<Seen>,
    attempts: Vec<Attempt>,
    takeover: Option<Takeover>,
    /// The acquiring write's answer while its wrong `renewTime` is corrected.
    correcting: Option<Held>,
    closing: Option<Closing>,
    /// While winding up: a record of ours is known to stand.
    standing: bool,
    may_watch: bool,
    poll: Duration,
    lost_races: u32,
    last_try_used: bool,
    trouble: Option<String>,
    requests: u32,
}

#[derive(Debug, Clone, PartialEq)]
enum Plan {
    Create,
    Look,
    Take {
        version: Version,
        transitions: Option<i32>,
    },
    Refresh {
        record: Box<LeaseRecord>,
    },
    PutBack {
        version: Version,
        claim: Claim,
    },
    Remove(Version),
    Idle {
        until: Moment,
        watch_from: Option<String>,
        then: Then,
    },
    Done(Outcome),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Create,
    Look,
}

/// What the awaited answer is the answer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    Create,
    Look,
    Take,
    Refresh,
    PutBack,
    Remove,
}

#[derive(Debug, Clone)]
struct Seen {
    record: LeaseRecord,
    unchanged_since: Moment,
    verdict: Verdict,
}

/// What a takeover has to be checked and undone with.
#[derive(Debug, Clone)]
struct Takeover {
    before: LeaseRecord,
    evidence: Evidence,
}

impl Acquire {
    /// Starts at `now`; `wall` is the local wall clock, used for the server's time until the first answer tells it.
    #[must_use]
    pub fn new(settings: Settings, now: Moment, wall: Timestamp, rng: StdRng) -> Self {
        Self {
            deadline: now + settings.wait,
            time: ServerTime::guess(now, wall),
            settings,
            rng,
            plan: Plan::Create,
            awaiting: None,
            seen: None,
            attempts: Vec::new(),
            takeover: None,
            correcting: None,
            closing: None,
            standing: false,
            may_watch: true,
            poll: FIRST_POLL,
            lost_races: 0,
            last_try_used: false,
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
                    Request::Create(self.fresh_claim(now, None, None)),
                    Sent::Create,
                )
            }
            Plan::Look => (Request::Get, Sent::Look),
            Plan::Take {
                version,
                transitions,
            } => {
                let transitions = Some(transitions.unwrap_or(0).saturating_add(1));
                (
                    Request::Replace {
                        version,
                        claim: self.fresh_claim(now, None, transitions),
                    },
                    Sent::Take,
                )
            }
            Plan::Refresh { record } => {
                let acquired = record
                    .claim
                    .acquire_time
                    .filter(|_| self.correcting.is_none());
                let claim = self.fresh_claim(now, acquired, record.claim.lease_transitions);
                (
                    Request::Replace {
                        version: Version::from(&*record),
                        claim,
                    },
                    Sent::Refresh,
                )
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
        self.close_attempt(sent, &answer);
        if let Answer::Unclear(message) | Answer::NotExecuted(NotExecuted { message, .. }) = &answer
        {
            self.trouble = Some(message.clone());
        }
        match (sent, answer) {
            (Sent::PutBack | Sent::Remove, answer) => self.on_undo(sent, &answer, arrived),
            (Sent::Create | Sent::Take | Sent::Refresh, Answer::Lease(record)) => {
                self.on_written(*record, arrived);
            }
            (Sent::Look, Answer::Refused(refusal)) => self.on_unreadable(refusal),
            (Sent::Refresh, answer) if self.correcting.is_some() => {
                self.on_uncorrected(&answer, arrived);
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
        if self.closing.is_some() || !matches!(self.plan, Plan::Idle { .. }) {
            return;
        }
        match wake {
            Wake::Deleted | Wake::Freed => {
                let until = now + self.spread();
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
        acquired: Option<Timestamp>,
        transitions: Option<i32>,
    ) -> Claim {
        let renew_time = self.time.stamp(now);
        let open_until = now + self.settings.request_timeout + self.settings.grace;
        self.attempts.push(Attempt {
            renew_time,
            sent: now,
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
    fn close_attempt(&mut self, sent: Sent, answer: &Answer) {
        let writes_our_claim = matches!(sent, Sent::Create | Sent::Take | Sent::Refresh);
        if writes_our_claim
            && !matches!(answer, Answer::Unclear(_))
            && let Some(attempt) = self.attempts.last_mut()
        {
            attempt.open_until = None;
        }
    }

    fn on_written(&mut self, record: LeaseRecord, arrived: Moment) {
        let Some(sent) = self.attempts.last().map(|attempt| attempt.sent) else {
            return;
        };
        if self.closing.is_some() {
            return self.remove(&record);
        }
        self.hold(record, sent, arrived);
    }

    fn on_read(&mut self, record: LeaseRecord, date: Option<Timestamp>, arrived: Moment) {
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

    fn on_absent(&mut self, arrived: Moment) {
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
    fn adopt(&mut self, record: LeaseRecord, arrived: Moment) {
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
    fn landed(&mut self, record: &LeaseRecord) -> Option<Moment> {
        let landed = |attempt: &&mut Attempt| Some(attempt.renew_time) == record.claim.renew_time;
        let attempt = self.attempts.iter_mut().find(landed)?;
        attempt.open_until = None;
        Some(attempt.sent)
    }

    fn hold(&mut self, record: LeaseRecord, sent: Moment, arrived: Moment) {
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
    fn on_uncorrected(&mut self, answer: &Answer, arrived: Moment) {
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

    fn take(&mut self, record: LeaseRecord, evidence: Option<Evidence>, arrived: Moment) {
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

    fn on_not_executed(&mut self, sent: Sent, why: &NotExecuted, arrived: Moment) {
        let then = if sent == Sent::Create {
            Then::Create
        } else {
            Then::Look
        };
        self.retry(arrived, then, why.retry_after);
    }

    /// Tries again a little later, as long as there is time to wait or something to settle.
    fn retry(&mut self, now: Moment, then: Then, retry_after: Option<Duration>) {
        if self.closing.is_some() {
            return if then == Then::Create {
                self.settle(now);
            } else {
                self.settle_later(now);
            };
        }
        let delay = self.poll_delay().max(retry_after.unwrap_or_default());
        if now + delay >= self.deadline {
            let message = self.trouble.clone().unwrap_or_default();
            return self.give_up(NotHeld::Unreachable(message), now);
        }
        self.plan = Plan::Idle {
            until: now + delay,
            watch_from: None,
            then,
        };
    }

    /// Once past the deadline one last write is allowed, for a lease that the last look found to be free.
    fn may_try(&mut self, now: Moment) -> bool {
        if now < self.deadline {
            return true;
        }
        !std::mem::replace(&mut self.last_try_used, true)
    }

    fn busy(&self) -> NotHeld {
        match (&self.seen, &self.trouble) {
            (None, Some(trouble)) => NotHeld::Unreachable(trouble.clone()),
            (seen, _) => NotHeld::Busy(
                seen.as_ref()
                    .map(|seen| (Box::new(seen.record.clone()), seen.verdict)),
            ),
        }
    }

    fn poll_delay(&mut self) -> Duration {
        let delay = self.poll;
        self.poll = (delay * 2).min(LAST_POLL);
        let half = delay / 2;
        half + half.mul_f64(self.rng.random::<f64>())
    }

    fn spread(&mut self) -> Duration {
        WAKE_SPREAD.mul_f64(self.rng.random::<f64>())
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
