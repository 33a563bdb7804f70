//! One run: from signals of one fingerprint to a count in the status of one request.
//!
//! A state machine: [`Run::next`] says what to do, [`Run::reply`], [`Run::held`] and [`Run::not_held`] tell what
//! happened. It sends nothing, reads no clock, and knows of the lease only whether and how long it is held.

mod counting;
mod creating;
mod pace;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::Timestamp;
use rand::rngs::StdRng;

use crate::protocol::clock::{Moment, ServerTime};
use crate::protocol::key::Fingerprint;

use super::count::Count;
use super::dedup::{Reason, decide};
use super::exchange::{Answer, Refusal, Reply, Request};
use super::name::name_after;
use super::outcome::{Because, Counted, Failure};
use super::request::RemediationRequest;
use super::trace::Decision;
use creating::OpenCreate;
use pace::Pace;

/// A write that has less time than this left before the run's deadline, or the lease's, is not sent: its answer would
/// probably come too late, and its outcome would be unknown for nothing.
const LEAST_TIME_TO_WRITE: Duration = Duration::from_millis(100);

/// The lease is not waited for until the very end: who holds it can then still be said, and a lease that came later
/// would leave no time to create anything.
const TIME_AFTER_THE_LEASE: Duration = Duration::from_millis(250);

/// What a run is for and how long it may take.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The signals' fingerprint.
    pub fingerprint: Fingerprint,
    /// How long the run may take, until the count stands. Releasing the lease comes on top.
    pub budget: Duration,
    /// The deadline of a single request, and its `?timeout=`.
    pub request_timeout: Duration,
    /// How long after its `?timeout=` a request may still take effect.
    pub grace: Duration,
    /// The newest resourceVersion of a request that this process has read or written, whatever its fingerprint. A
    /// list that is not older may show which request is active: the count tests that it still is. Without one every
    /// list is consistent.
    pub seen: Option<String>,
}

/// What changes from moment to moment outside of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Situation {
    /// How many signals wait to be counted by this run.
    pub waiting: usize,
    /// Until when the lease is held, if it is.
    pub held_until: Option<Moment>,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Send this, and hand the answer to [`Run::reply`]. With [`Request::Count`] the signals that wait are counted;
    /// those that come later are not part of it.
    Send {
        /// The request.
        request: Request,
        /// Its `?timeout=` and deadline.
        timeout: Duration,
    },
    /// Try to acquire the lease, or go on trying, and tell by [`Run::held`] or [`Run::not_held`]; but call
    /// [`Run::next`] at `look_at` at the latest: whoever holds it may have created a request meanwhile.
    Acquire {
        /// When to look.
        look_at: Moment,
        /// When to stop trying.
        deadline: Moment,
    },
    /// Do nothing until then.
    Wait {
        /// When.
        until: Moment,
    },
    /// It is over. The lease is to be released, if it is held.
    Done(Result<Counted, Failure>),
}

/// One run.
#[derive(Debug)]
pub struct Run {
    settings: Settings,
    rng: StdRng,
    time: ServerTime,
    deadline: Moment,
    plan: Plan,
    awaiting: Option<Sent>,
    /// The requests as last listed.
    listed: Vec<RemediationRequest>,
    /// Whether the lease is being acquired, also while it is looked what has been created meanwhile.
    acquiring: bool,
    /// Who holds the lease, once it was acquired.
    holder: Option<String>,
    open_create: Option<OpenCreate>,
    /// The uid of the request that this run created.
    created: Option<String>,
    derivations: u32,
    pace: Pace,
    decided: Option<Decision>,
    /// The last thing that went wrong.
    trouble: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Plan {
    List,
    Acquire,
    Create {
        name: String,
    },
    /// Look at what has the name.
    Inspect {
        name: String,
    },
    Count {
        request: Box<RemediationRequest>,
        because: Because,
    },
    /// Find out whether a count without an answer took effect.
    Settle(Counted),
    /// Send the count without an answer once more.
    Resend(Counted),
    /// Look at the request that this run created, whose count was not written.
    Reread {
        name: String,
    },
    Wait {
        until: Moment,
        then: Box<Plan>,
    },
    Done(Result<Counted, Failure>),
}

/// What an answer is awaited to.
#[derive(Debug, Clone, PartialEq)]
enum Sent {
    List { is_consistent: bool },
    Create { name: String, at: Moment },
    Inspect { name: String },
    Count(Counted),
    Settle(Counted),
    Resend(Counted),
    Reread { name: String },
}

impl Run {
    /// Starts at `now`, with what is known of the server's time.
    #[must_use]
    pub fn new(settings: Settings, now: Moment, time: ServerTime, rng: StdRng) -> Self {
        Self {
            deadline: now + settings.budget,
            settings,
            rng,
            time,
            plan: Plan::List,
            awaiting: None,
            listed: Vec::new(),
            acquiring: false,
            holder: None,
            open_create: None,
            created: None,
            derivations: 0,
            pace: Pace::default(),
            decided: None,
            trouble: None,
        }
    }

    /// What to do at `now`. While an answer is awaited this must not be called.
    #[must_use]
    pub fn next(&mut self, now: Moment, situation: Situation) -> Step {
        if let Plan::Wait { until, then } = &self.plan
            && now >= *until
        {
            self.plan = (**then).clone();
        }
        if let Some(failure) = self.obstacle(now, situation) {
            self.end(Err(failure));
        }
        let left = self.deadline.since(now);
        let mut timeout = self.settings.request_timeout.min(left);
        let (request, sent) = match self.plan.clone() {
            Plan::Done(ending) => return Step::Done(ending),
            Plan::Wait { until, .. } => {
                let until = until.min(self.deadline);
                return Step::Wait { until };
            }
            Plan::Acquire => {
                let look_at = self.pace.look_at(now, &mut self.rng).min(self.deadline);
                self.plan = Plan::List;
                let deadline = now + left.saturating_sub(TIME_AFTER_THE_LEASE);
                return Step::Acquire { look_at, deadline };
            }
            Plan::List => {
                let not_older_than = self.good_enough();
                let is_consistent = not_older_than.is_none();
                let request = Request::List { not_older_than };
                (request, Sent::List { is_consistent })
            }
            Plan::Create { name } => {
                timeout = timeout.min(situation.lease_left(now));
                let request = Request::Create {
                    name: name.clone(),
                    created_by: self.holder.clone().unwrap_or_default(),
                    now: self.time.now(now),
                };
                (request, Sent::Create { name, at: now })
            }
            Plan::Inspect { name } => {
                let request = Request::Get { name: name.clone() };
                (request, Sent::Inspect { name })
            }
            Plan::Reread { name } => {
                let request = Request::Get { name: name.clone() };
                (request, Sent::Reread { name })
            }
            Plan::Count { request, because } => {
                let added = i32::try_from(situation.waiting).unwrap_or(i32::MAX);
                let count = Count::of(&request, added, self.time.now(now));
                let counted = Counted { count, because };
                (Request::Count(counted.count.clone()), Sent::Count(counted))
            }
            Plan::Resend(counted) => (Request::Count(counted.count.clone()), Sent::Resend(counted)),
            Plan::Settle(counted) => {
                let name = counted.count.request().name.clone();
                (Request::Get { name }, Sent::Settle(counted))
            }
        };
        self.awaiting = Some(sent);
        Step::Send { request, timeout }
    }

    /// Takes the answer to the request that [`Run::next`] asked for.
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
        match &answer {
            Answer::Unclear(message) | Answer::Changed(message) => {
                self.trouble = Some(message.clone());
            }
            Answer::NotExecuted(why) => self.trouble = Some(why.message.clone()),
            _ => {}
        }
        match sent {
            Sent::List { is_consistent } => self.on_listed(answer, is_consistent, date, arrived),
            Sent::Create { name, at } => self.on_created(name, at, answer, arrived),
            Sent::Inspect { name } => self.on_inspected(name, answer, date, arrived),
            Sent::Count(counted) => self.on_counted(counted, answer, arrived),
            Sent::Settle(counted) => self.on_settled(counted, answer, arrived),
            Sent::Resend(counted) => self.on_resent(counted, &answer, arrived),
            Sent::Reread { name } => self.on_reread(name, answer, arrived),
        }
    }

    /// The lease is held by this `holderIdentity`. Now it has to be looked again, because whoever held it before may
    /// have created a request.
    pub fn held(&mut self, holder: String) {
        self.holder = Some(holder);
        self.acquiring = false;
        if !matches!(self.plan, Plan::Done(_)) {
            self.plan = Plan::List;
        }
    }

    /// The lease was not acquired.
    pub fn not_held(&mut self, failure: Failure) {
        self.end(Err(failure));
    }

    /// Whether a count has been sent whose outcome is open.
    #[must_use]
    pub fn is_counting(&self) -> bool {
        let plan = match &self.plan {
            Plan::Wait { then, .. } => then,
            plan => plan,
        };
        matches!(plan, Plan::Settle(_) | Plan::Resend(_)) || matches!(self.plan, Plan::Done(_))
    }

    /// What was decided last, once.
    pub fn take_decision(&mut self) -> Option<Decision> {
        self.decided.take()
    }

    /// What is known of the server's time.
    #[must_use]
    pub fn server_time(&self) -> &ServerTime {
        &self.time
    }

    /// The version that a list need not be newer than. Under the lease nothing but a consistent list will do: whoever
    /// held it before may have created a request just now.
    fn good_enough(&self) -> Option<String> {
        self.settings.seen.clone().filter(|_| self.holder.is_none())
    }

    /// From now on every list is consistent.
    fn distrust_caches(&mut self) {
        self.settings.seen = None;
    }

    fn on_listed(
        &mut self,
        answer: Answer,
        is_consistent: bool,
        date: Option<Timestamp>,
        arrived: Moment,
    ) {
        match answer {
            Answer::Listed(requests) => {
                self.listed = requests;
                self.decide(is_consistent, date, arrived);
            }
            Answer::Refused(refusal) => self.refuse(refusal),
            other => {
                // A server that has been set back waits for a version that does not come.
                self.distrust_caches();
                self.retry(Plan::List, &other, arrived);
            }
        }
    }

    fn decide(&mut self, is_consistent: bool, date: Option<Timestamp>, arrived: Moment) {
        // The answer's own Date is the server's word; without one there is only an estimate.
        let now = date.unwrap_or_else(|| self.time.now(arrived));
        if let Some(suppression) = decide(&self.listed, now) {
            let (request, reason) = (suppression.request.clone(), suppression.reason);
            // An older active request would have been listed as well, and the count finds out whether this one has
            // ended since. After an ended one there may be an active one by now, and nothing would find that out.
            if !is_consistent && reason != Reason::Active {
                self.distrust_caches();
                self.plan = Plan::List;
                return;
            }
            return self.count_on(request, reason);
        }
        self.created = None;
        if self.holder.is_none() {
            if !self.acquiring {
                self.decided = Some(Decision::Acquire);
            }
            self.acquiring = true;
            self.plan = Plan::Acquire;
            return;
        }
        let derive = || name_after(&self.settings.fingerprint, &self.listed);
        let name = self.name_that_may_land(arrived).unwrap_or_else(derive);
        self.create(name);
    }

    fn count_on(&mut self, request: RemediationRequest, reason: Reason) {
        // Whoever drives the run gives the acquisition up for any request but a LIST.
        self.acquiring = false;
        self.decided = Some(Decision::Suppressed {
            name: request.name.clone(),
            reason,
        });
        self.plan = Plan::Count {
            request: Box::new(request),
            because: Because::Suppressed(reason),
        };
    }

    fn create(&mut self, name: String) {
        self.decided = Some(Decision::Create { name: name.clone() });
        self.plan = Plan::Create { name };
    }

    fn refuse(&mut self, refusal: Refusal) {
        let failure = self.unless_open(Failure::Refused(refusal));
        self.end(Err(failure));
    }

    fn end(&mut self, ending: Result<Counted, Failure>) {
        self.plan = Plan::Done(ending);
    }

    /// Why the plan cannot be followed any more.
    fn obstacle(&self, now: Moment, situation: Situation) -> Option<Failure> {
        let plan = match &self.plan {
            Plan::Done(_) => return None,
            Plan::Wait { then, .. } => then,
            plan => plan,
        };
        if situation.waiting == 0 {
            return Some(Failure::Cancelled);
        }
        let is_due = !matches!(self.plan, Plan::Wait { .. });
        let writes = matches!(
            plan,
            Plan::Create { .. } | Plan::Count { .. } | Plan::Resend(_)
        );
        let left = self.deadline.since(now);
        if left.is_zero() || (is_due && writes && left < LEAST_TIME_TO_WRITE) {
            return Some(self.expired(plan));
        }
        let creates = is_due && matches!(plan, Plan::Create { .. });
        (creates && situation.lease_left(now) < LEAST_TIME_TO_WRITE)
            .then(|| self.unless_open(Failure::LeaseLost))
    }

    /// The deadline has passed.
    fn expired(&self, plan: &Plan) -> Failure {
        let trouble = self.trouble.as_deref();
        let message = trouble.unwrap_or("the deadline has passed").to_owned();
        match plan {
            Plan::Settle(_) | Plan::Resend(_) => Failure::Unknown(message),
            _ => self.unless_open(Failure::DeadlineExceeded(message)),
        }
    }
}

impl Situation {
    fn lease_left(&self, now: Moment) -> Duration {
        self.held_until
            .map_or(Duration::ZERO, |until| until.since(now))
    }
}
