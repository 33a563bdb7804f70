//! Drives an acquisition.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::protocol::acquire::{Acquire, Outcome, Step, Wake};
use crate::protocol::clock::Moment;
use crate::protocol::exchange::{Answer, Reply};

use super::super::api_error::Refused;
use super::super::clock::sleep_until;
use super::super::watch::{LeaseEvent, LeaseWatch, WatchError};
use super::guard::LeaseGuard;
use super::{AcquireError, LeaseLock};

/// How long the server is asked to keep a watch open, beyond the wait that it is for.
const WATCH_SLACK: Duration = Duration::from_secs(5);

/// Runs in a task of its own, so that a dropped future cannot cut an acquisition in half.
pub(super) async fn acquire(lock: LeaseLock, wait: Duration) -> Result<LeaseGuard, AcquireError> {
    let (alive, cancelled) = oneshot::channel::<()>();
    let (done, result) = oneshot::channel();
    lock.config.running.send_modify(|running| *running += 1);
    tokio::spawn(async move {
        let config = lock.config.clone();
        let acquired = Driver::new(lock, wait).run(cancelled).await;
        config.running.send_modify(|running| *running -= 1);
        // A guard that nobody receives any more is dropped here, which releases it.
        drop(done.send(acquired));
    });
    let outcome = result.await.unwrap_or(Err(AcquireError::Cancelled));
    drop(alive);
    outcome
}

struct Driver {
    lock: LeaseLock,
    machine: Acquire,
    /// The object that was read or written last, which a PUT starts from.
    base: Option<Value>,
    watch: Option<LeaseWatch>,
    deadline: Moment,
    identity: crate::protocol::holder::HolderIdentity,
}

impl Driver {
    fn new(lock: LeaseLock, wait: Duration) -> Self {
        let settings = lock.settings(wait);
        let now = lock.clock().now();
        let identity = settings.identity.clone();
        let machine = Acquire::new(settings, now, lock.clock().wall(), lock.fork_rng())
            .with_server_time(lock.server_time());
        Self {
            machine,
            base: None,
            watch: None,
            deadline: now + wait,
            identity,
            lock,
        }
    }

    async fn run(
        mut self,
        mut cancelled: oneshot::Receiver<()>,
    ) -> Result<LeaseGuard, AcquireError> {
        let mut is_cancelled = false;
        loop {
            match self.machine.next(self.lock.clock().now()) {
                Step::Done(Outcome::Held(held)) => {
                    self.lock.remember_server_time(&held.time);
                    return Ok(LeaseGuard::hold(self.lock, self.identity, *held, self.base));
                }
                Step::Done(Outcome::NotHeld(why)) => return Err(why.into()),
                Step::Send { request, timeout } => {
                    let exchange = self.lock.api.exchange(
                        &request,
                        self.base.as_ref(),
                        timeout,
                        self.lock.clock(),
                    );
                    let exchanged = tokio::select! {
                        biased;
                        exchanged = exchange => Some(exchanged),
                        _ = &mut cancelled, if !is_cancelled => None,
                    };
                    match exchanged {
                        Some(exchanged) => {
                            self.base = exchanged.object.or_else(|| self.base.take());
                            self.machine.reply(exchanged.reply);
                        }
                        None => {
                            is_cancelled = true;
                            let now = self.lock.clock().now();
                            self.machine.cancel(now);
                            let answer = Answer::Unclear("cancelled".to_owned());
                            self.machine.reply(Reply {
                                arrived: now,
                                date: None,
                                answer,
                            });
                        }
                    }
                }
                Step::Wait { until, watch_from } => {
                    let wake = tokio::select! {
                        biased;
                        wake = self.wait(until, watch_from) => wake,
                        _ = &mut cancelled, if !is_cancelled => {
                            is_cancelled = true;
                            self.machine.cancel(self.lock.clock().now());
                            None
                        }
                    };
                    if let Some(wake) = wake {
                        self.machine.wake(self.lock.clock().now(), wake);
                    }
                }
            }
        }
    }

    async fn wait(&mut self, until: Moment, watch_from: Option<String>) -> Option<Wake> {
        let Self {
            lock,
            watch,
            deadline,
            ..
        } = self;
        let clock = lock.clock();
        let sleep = sleep_until(clock, until);
        let Some(version) = watch_from else {
            sleep.await;
            return None;
        };
        let events = async {
            if watch.is_none() {
                match open_watch(lock, &version, *deadline).await {
                    Ok(opened) => *watch = Some(opened),
                    Err(wake) => return wake,
                }
            }
            next_wake(watch).await
        };
        tokio::select! {
            biased;
            () = sleep => None,
            wake = events => Some(wake),
        }
    }
}

async fn open_watch(lock: &LeaseLock, version: &str, deadline: Moment) -> Result<LeaseWatch, Wake> {
    let lasting = deadline.since(lock.clock().now()) + WATCH_SLACK;
    match timeout(
        lock.config.request_timeout,
        lock.api.watch(version, lasting),
    )
    .await
    {
        Ok(Ok(opened)) => Ok(opened),
        Ok(Err(WatchError::Forbidden(message) | WatchError::Unauthorised(message))) => {
            let why = Refused(&message);
            tracing::warn!(lease = %lock.api.name(), "polling, because watching is not allowed: {why}");
            Err(Wake::WatchForbidden)
        }
        Ok(Err(WatchError::Failed(message))) => {
            tracing::debug!(lease = %lock.api.name(), "no watch: {message}");
            Err(Wake::WatchEnded)
        }
        Err(_) => Err(Wake::WatchEnded),
    }
}

async fn next_wake(watch: &mut Option<LeaseWatch>) -> Wake {
    loop {
        let event = match watch {
            Some(open) => open.next().await,
            None => None,
        };
        match event {
            Some(LeaseEvent::Deleted) => return Wake::Deleted,
            Some(LeaseEvent::Freed) => return Wake::Freed,
            Some(LeaseEvent::Other) => {}
            None => {
                *watch = None;
                return Wake::WatchEnded;
            }
        }
    }
}
