//! What would be done about a signal: a run that stops where it would write.
//!
//! The machine decides as in a run that counts. Nothing is stored here, and nobody shares a rehearsal.

use std::sync::Arc;
use std::time::Duration;

use crate::client::clock::sleep_until;

use super::super::count::Count;
use super::super::dedup::Reason;
use super::super::exchange::{Answer, Request};
use super::super::outcome::{Counted, Failure};
use super::super::run::{Situation, Step};
use super::super::signal::Signal;
use super::super::trace::{Decision, Event};
use super::Shared;
use super::drive::{Telling, object};

/// How far a rehearsal goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// Only reads are sent.
    Reads,
    /// Writes are sent with `dryRun=All`: the server checks them and stores nothing. The lease is not waited for.
    Writes,
}

/// What would be done.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Rehearsal {
    /// A request would be created.
    Create {
        /// Its name.
        name: String,
        /// Its namespace.
        namespace: String,
    },
    /// The signal would be counted on a request that suppresses it.
    Count {
        /// What would be written.
        count: Count,
        /// Why it suppresses.
        reason: Reason,
    },
}

pub(super) async fn rehearse(
    shared: &Arc<Shared>,
    signal: &Signal,
    check: Check,
) -> Result<Rehearsal, Failure> {
    let clock = shared.clock.clone();
    let mut machine = shared.machine(signal.fingerprint(), clock.now());
    let run = Telling::new(shared, signal.fingerprint().clone());
    let api = run.clone().api().dry_run();
    // What is held in a rehearsal is not lost.
    let mut held_for = None;
    let mut reason = Reason::Active;
    run.tell(|| Event::Started);
    loop {
        let now = clock.now();
        let situation = Situation {
            waiting: 1,
            held_until: held_for.map(|duration: Duration| now + duration),
        };
        match machine.next(now, situation) {
            Step::Done(Ok(Counted { count, .. })) => return Ok(Rehearsal::Count { count, reason }),
            Step::Done(Err(failure)) => return Err(failure),
            Step::Wait { until } => sleep_until(&*clock, until).await,
            Step::Acquire { .. } => {
                let holder = match check {
                    Check::Reads => shared.base.clone(),
                    Check::Writes => {
                        let time = machine.server_time().clone();
                        let lock = run.clone().lock(time).with_dry_run();
                        let guard = lock.acquire(Duration::ZERO).await;
                        guard.map_err(Failure::Lease)?.leave().await.holder
                    }
                };
                held_for = Some(shared.timing.lease_duration());
                machine.held(holder);
            }
            Step::Send { request, timeout } => {
                let reply = match (&request, check) {
                    // Consistent in any case: no write follows that would test what an older one shows.
                    (Request::List { .. }, _) => {
                        api.list(signal.fingerprint(), None, timeout).await
                    }
                    (Request::Get { name }, _) => api.get(name, timeout).await,
                    (Request::Create { name, .. }, Check::Reads) => {
                        return Ok(created(name, api.namespace()));
                    }
                    (Request::Count(count), Check::Reads) => {
                        let count = count.clone();
                        return Ok(Rehearsal::Count { count, reason });
                    }
                    (
                        Request::Create {
                            name,
                            created_by,
                            now,
                        },
                        Check::Writes,
                    ) => {
                        let object = object(signal, api.namespace(), name, created_by, *now);
                        let reply = api.create(&object, timeout).await;
                        if matches!(reply.answer, Answer::Request(_)) {
                            return Ok(created(name, api.namespace()));
                        }
                        reply
                    }
                    (Request::Count(count), Check::Writes) => api.count(count, timeout).await,
                };
                machine.reply(reply);
                if let Some(decision) = machine.take_decision() {
                    if let Decision::Suppressed { reason: why, .. } = &decision {
                        reason = *why;
                    }
                    run.tell(|| Event::Decided(decision));
                }
            }
        }
    }
}

fn created(name: &str, namespace: &str) -> Rehearsal {
    Rehearsal::Create {
        name: name.to_owned(),
        namespace: namespace.to_owned(),
    }
}
