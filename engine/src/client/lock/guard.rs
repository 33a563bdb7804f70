//! A held lease: renewed by a task of its own until it is released, left, dropped or lost.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{oneshot, watch};

use crate::protocol::acquire::Held;
use crate::protocol::clock::Moment;
use crate::protocol::exchange::{Answer, Reply};
use crate::protocol::fence::FencingToken;
use crate::protocol::hold::{Hold, Loss, Step};
use crate::protocol::holder::HolderIdentity;
use crate::protocol::record::LeaseRecord;
use crate::protocol::release::{Release, Released};

use super::super::clock::sleep_until;
use super::super::handle::LeaseHandle;
use super::{LeaseLock, RELEASE_BUDGET, handles};

/// Proof that the lease is held, while [`LeaseGuard::is_held`] says so.
///
/// Dropping it releases the lease in the background. The guarded work has to have ended before that.
#[must_use = "dropping the guard releases the lease"]
pub struct LeaseGuard {
    lock: LeaseLock,
    identity: HolderIdentity,
    token: FencingToken,
    acquired: LeaseRecord,
    requests: u32,
    state: watch::Receiver<HoldState>,
    ending: Option<oneshot::Sender<Ending>>,
}

/// What the renewer knows.
#[derive(Debug, Clone)]
struct HoldState {
    record: Arc<LeaseRecord>,
    stop_by: Moment,
    ends: Moment,
    loss: Option<Loss>,
}

enum Ending {
    Release(oneshot::Sender<Released>),
    Leave(oneshot::Sender<LeaseHandle>),
}

impl LeaseGuard {
    pub(super) fn hold(
        lock: LeaseLock,
        identity: HolderIdentity,
        held: Held,
        base: Option<Value>,
    ) -> Self {
        // The API server's resourceVersions are decimal; zero compares below every other token.
        let token = FencingToken::new(&held.token).or_else(|| FencingToken::new("0"));
        let requests = held.requests;
        let acquired = held.record.clone();
        let config = &lock.config;
        let hold = Hold::new(
            identity.clone(),
            config.timing,
            config.request_timeout,
            config.grace,
            held,
        );
        let (publish, state) = watch::channel(HoldState {
            record: Arc::new(acquired.clone()),
            stop_by: hold.stop_by(),
            ends: hold.ends(),
            loss: None,
        });
        let (ending, ended) = oneshot::channel();
        let renewer = Renewer {
            lock: lock.clone(),
            identity: identity.clone(),
            token: acquired.resource_version.clone(),
            hold,
            base,
            publish,
        };
        tokio::spawn(renewer.run(ended));
        Self {
            lock,
            identity,
            token: token.unwrap_or_else(|| unreachable!("\"0\" is a decimal integer")),
            acquired,
            requests,
            state,
            ending: Some(ending),
        }
    }

    /// The fencing token: greater for every later acquisition of this lease.
    #[must_use]
    pub fn fencing_token(&self) -> &FencingToken {
        &self.token
    }

    /// Who holds: base and nonce.
    #[must_use]
    pub fn identity(&self) -> &HolderIdentity {
        &self.identity
    }

    /// The lease as it was acquired.
    #[must_use]
    pub fn acquired(&self) -> &LeaseRecord {
        &self.acquired
    }

    /// How many requests the acquisition took.
    #[must_use]
    pub fn requests(&self) -> u32 {
        self.requests
    }

    /// Whether it can be proven now that the lease is held. Look before every step that must not happen twice.
    #[must_use]
    pub fn is_held(&self) -> bool {
        !self.remaining().is_zero()
    }

    /// How much time is left to work, even if no renewal succeeds any more.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        let state = self.state.borrow();
        match state.loss {
            Some(_) => Duration::ZERO,
            None => state.stop_by.since(self.lock.clock().now()),
        }
    }

    /// How long until somebody else may take the lease over at the earliest.
    #[must_use]
    pub fn remaining_until_expiry(&self) -> Duration {
        self.state.borrow().ends.since(self.lock.clock().now())
    }

    /// Waits until the lease is lost. From then on the work must not go on.
    pub async fn lost(&self) -> Loss {
        let mut state = self.state.clone();
        loop {
            if let Some(loss) = state.borrow_and_update().loss.clone() {
                return loss;
            }
            if state.changed().await.is_err() {
                return Loss::RenewDeadline {
                    after: Duration::ZERO,
                    trouble: Some("the renewer is gone".to_owned()),
                };
            }
        }
    }

    /// Runs `work` while the lease is held, and drops it when the lease is lost.
    ///
    /// # Errors
    /// The loss, if it came first.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> Result<T, Loss> {
        tokio::select! {
           biased;
            loss = self.lost() => Err(loss),
            done = work => Ok(done),
        }
    }

    /// Stops renewing and deletes the lease, if it is still ours. Goes on in the background if the future is dropped.
    pub async fn release(mut self) -> Released {
        let (answer, released) = oneshot::channel();
        if let Some(ending) = self.ending.take() {
            drop(ending.send(Ending::Release(answer)));
        }
        released
            .await
            .unwrap_or_else(|_| Released::Unknown("the renewer is gone".to_owned()))
    }

    /// Stops renewing and leaves the lease as it is, for whoever has the handle. It expires by itself.
    pub async fn leave(mut self) -> LeaseHandle {
        let (answer, left) = oneshot::channel();
        if let Some(ending) = self.ending.take() {
            drop(ending.send(Ending::Leave(answer)));
        }
        let fallback = self.handle();
        left.await.unwrap_or(fallback)
    }

    /// The claim as it stands now.
    #[must_use]
    pub fn handle(&self) -> LeaseHandle {
        let record = self.state.borrow().record.clone();
        let api = &self.lock.api;
        LeaseHandle::of(
            api.namespace(),
            api.name().as_str(),
            self.token.as_str(),
            &record,
            self.requests,
        )
    }
}

struct Renewer {
    lock: LeaseLock,
    identity: HolderIdentity,
    token: String,
    hold: Hold,
    base: Option<Value>,
    publish: watch::Sender<HoldState>,
}

impl fmt::Debug for LeaseGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaseGuard")
            .field("identity", &self.identity)
            .field("token", &self.token)
            .field("remaining", &self.remaining())
            .finish_non_exhaustive()
    }
}

impl Renewer {
    /// A dropped guard closes the channel, which is a release without somebody to tell.
    async fn run(mut self, mut ended: oneshot::Receiver<Ending>) {
        let ending = loop {
            match self.hold.next(self.lock.clock().now()) {
                Step::Lost(loss) => {
                    tracing::warn!(lease = %self.lock.api.name(), "lost: {loss}");
                    self.publish.send_modify(|state| state.loss = Some(loss));
                    break (&mut ended).await;
                }
                Step::Sleep { until } => {
                    tokio::select! {
                        biased;
                        ending = &mut ended => break ending,
                        () = sleep_until(self.lock.clock(), until) => {}
                    }
                }
                Step::Send { request, timeout } => {
                    let exchange = self.lock.api.exchange(
                        &request,
                        self.base.as_ref(),
                        timeout,
                        self.lock.clock(),
                    );
                    tokio::select! {
                        biased;
                        ending = &mut ended => {
                            let arrived = self.lock.clock().now();
                            let answer = Answer::Unclear("released meanwhile".to_owned());
                            self.hold.reply(Reply { arrived, date: None, answer });
                            break ending;
                        }
                        exchanged = exchange => {
                            if let Answer::Lease(record) = &exchanged.reply.answer {
                                let record = Arc::new((**record).clone());
                                self.publish.send_modify(|state| state.record = record);
                            }
                            self.base = exchanged.object.or_else(|| self.base.take());
                            self.hold.reply(exchanged.reply);
                            let (stop_by, ends) = (self.hold.stop_by(), self.hold.ends());
                            self.publish.send_modify(|state| (state.stop_by, state.ends) = (stop_by, ends));
                        }
                    }
                }
            }
        };
        self.lock.remember_server_time(self.hold.server_time());
        match ending {
            Ok(Ending::Leave(answer)) => {
                let record = self.publish.borrow().record.clone();
                let api = &self.lock.api;
                let requests = self.hold.requests();
                drop(answer.send(LeaseHandle::of(
                    api.namespace(),
                    api.name().as_str(),
                    &self.token,
                    &record,
                    requests,
                )));
            }
            Ok(Ending::Release(answer)) => drop(answer.send(self.release().await)),
            Err(_) => {
                let released = self.release().await;
                tracing::debug!(lease = %self.lock.api.name(), ?released, "released after drop");
            }
        }
    }

    async fn release(&self) -> Released {
        let now = self.lock.clock().now();
        let machine = Release::new(
            self.identity.to_string(),
            self.hold.version().clone(),
            now,
            RELEASE_BUDGET,
            self.lock.config.request_timeout,
        )
        .with_open_attempts(self.hold.open_attempts(now));
        handles::drive_release(&self.lock, machine).await
    }
}
