//! Claims that another process made: renew, verify and release by handle.

use serde_json::Value;

use crate::protocol::acquire::Held;
use crate::protocol::exchange::{Answer, Refusal, Request};
use crate::protocol::expiry::{Reading, Verdict, judge};
use crate::protocol::hold::{Hold, Loss, Step};
use crate::protocol::holder::HolderIdentity;
use crate::protocol::record::LeaseRecord;
use crate::protocol::release::{Release, Released, Step as ReleaseStep};

use super::super::clock::sleep_until;
use super::super::handle::LeaseHandle;
use super::{LeaseLock, RELEASE_BUDGET};

/// Why a claim could not be renewed or verified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandleError {
    /// It no longer stands.
    #[error("{0}")]
    Lost(Loss),
    /// The server will not do it.
    #[error("{0}")]
    Refused(Refusal),
    /// No clear answer in time.
    #[error("the API server did not answer: {0}")]
    Unreachable(String),
    /// The handle names a holder without a nonce, so no claim of this protocol.
    #[error("\"{0}\" is no holder of an acquisition: NAME_<16 hex digits> is")]
    NotAnIdentity(String),
}

/// Whether a claim stands, by one consistent read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Standing {
    /// The lease has this uid and this holder and has not expired.
    Stands {
        /// As read.
        record: Box<LeaseRecord>,
        /// With the evidence.
        verdict: Verdict,
    },
    /// There is no such lease.
    Gone,
    /// The lease is another one, names somebody else, is being deleted or has expired.
    Broken {
        /// As read.
        record: Box<LeaseRecord>,
        /// With the evidence.
        verdict: Verdict,
    },
}

impl LeaseLock {
    /// Renews a claim now, once.
    ///
    /// # Errors
    /// [`HandleError`]; a refusal and a missing answer are reported after the renew deadline of this lock's timing.
    pub async fn renew(&self, handle: &LeaseHandle) -> Result<LeaseHandle, HandleError> {
        let identity = HolderIdentity::parse(&handle.holder)
            .ok_or_else(|| HandleError::NotAnIdentity(handle.holder.clone()))?;
        let (record, mut base) = self.read().await?;
        let Some(record) = record else {
            return Err(HandleError::Lost(Loss::Gone));
        };
        let now = self.clock().now();
        let mut time = self.server_time();
        if let Some(date) = base.date {
            time.observe(date, now);
        }
        let mut hold = Hold::new(
            identity.clone(),
            self.config.timing,
            self.config.request_timeout,
            self.config.grace,
            Held {
                token: handle.fencing_token.clone(),
                sent: now,
                time,
                open: Vec::new(),
                requests: 1,
                record: record.clone(),
            },
        );
        if record.uid != handle.uid && !handle.uid.is_empty() {
            return Err(HandleError::Lost(Loss::Replaced { uid: record.uid }));
        }
        if !identity.is(record.holder()) {
            return Err(HandleError::Lost(Loss::TakenOver {
                record: Box::new(record),
            }));
        }
        hold.renew_now(now);
        loop {
            match hold.next(self.clock().now()) {
                Step::Lost(loss) => return Err(HandleError::Lost(loss)),
                Step::Sleep { until } => sleep_until(self.clock(), until).await,
                Step::Send { request, timeout } => {
                    let exchanged = self
                        .api
                        .exchange(&request, base.object.as_ref(), timeout, self.clock())
                        .await;
                    if let Answer::Refused(refusal) = exchanged.reply.answer {
                        return Err(HandleError::Refused(refusal));
                    }
                    let written = match (&request, &exchanged.reply.answer) {
                        (Request::Replace { .. }, Answer::Lease(record)) => Some(record.clone()),
                        _ => None,
                    };
                    base.object = exchanged.object.or(base.object);
                    hold.reply(exchanged.reply);
                    if let Some(record) = written {
                        let requests = hold.requests() + 1;
                        let api = &self.api;
                        let token = &handle.fencing_token;
                        return Ok(LeaseHandle::of(
                            api.namespace(),
                            api.name().as_str(),
                            token,
                            &record,
                            requests,
                        ));
                    }
                }
            }
        }
    }

    /// Releases a claim. Without a uid in the handle the lease is read first and its holder compared.
    pub async fn release(&self, handle: &LeaseHandle) -> Released {
        let now = self.clock().now();
        let (budget, timeout) = (RELEASE_BUDGET, self.config.request_timeout);
        let machine = if handle.uid.is_empty() {
            Release::by_holder(handle.holder.clone(), now, budget, timeout)
        } else {
            Release::new(
                handle.holder.clone(),
                handle.version(),
                now,
                budget,
                timeout,
            )
        };
        drive_release(self, machine).await
    }

    /// Whether exactly this claim stands: same uid (if the handle has one), same holder, not expired.
    ///
    /// # Errors
    /// [`HandleError::Refused`] and [`HandleError::Unreachable`].
    pub async fn verify(&self, handle: &LeaseHandle) -> Result<Standing, HandleError> {
        let (record, read) = self.read().await?;
        let Some(record) = record else {
            return Ok(Standing::Gone);
        };
        let reading = Reading::first(&record, read.date);
        let verdict = judge(&reading, std::time::Duration::ZERO);
        let same = (handle.uid.is_empty() || handle.uid == record.uid)
            && record.holder() == Some(handle.holder.as_str())
            && matches!(verdict, Verdict::Held { .. });
        let record = Box::new(record);
        Ok(if same {
            Standing::Stands { record, verdict }
        } else {
            Standing::Broken { record, verdict }
        })
    }

    async fn read(&self) -> Result<(Option<LeaseRecord>, Read), HandleError> {
        let exchanged = self
            .api
            .exchange(
                &Request::Get,
                None,
                self.config.request_timeout,
                self.clock(),
            )
            .await;
        let read = Read {
            object: exchanged.object,
            date: exchanged.reply.date,
        };
        match exchanged.reply.answer {
            Answer::Lease(record) => Ok((Some(*record), read)),
            Answer::NotFound => Ok((None, read)),
            Answer::Refused(refusal) => Err(HandleError::Refused(refusal)),
            Answer::NotExecuted(why) => Err(HandleError::Unreachable(why.message)),
            Answer::Unclear(message) => Err(HandleError::Unreachable(message)),
            other => Err(HandleError::Unreachable(format!(
                "unexpected answer {other:?}"
            ))),
        }
    }
}

struct Read {
    object: Option<Value>,
    date: Option<jiff::Timestamp>,
}

pub(super) async fn drive_release(lock: &LeaseLock, mut machine: Release) -> Released {
    loop {
        match machine.next(lock.clock().now()) {
            ReleaseStep::Done(released) => return released,
            ReleaseStep::Sleep { until } => sleep_until(lock.clock(), until).await,
            ReleaseStep::Send { request, timeout } => {
                let exchanged = lock
                    .api
                    .exchange(&request, None, timeout, lock.clock())
                    .await;
                machine.reply(exchanged.reply);
            }
        }
    }
}
