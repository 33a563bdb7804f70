//! Looking at the lease of somebody else, and removing what was seen. What is asked of whom in between is the caller's.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::protocol::exchange::{Answer, Refusal, Request, Version};
use crate::protocol::expiry::{Reading, Verdict, judge};
use crate::protocol::key::INTERACTIVE_PREFIX;
use crate::protocol::record::LeaseRecord;
use crate::protocol::removal::{Removal, Removed, Step};
use crate::protocol::timing::DEFAULT_MARGIN;

use super::clock::{Clock, sleep_until};
use super::lease_api::LeaseApi;

/// Looks at one lease and removes it.
#[derive(Clone)]
pub struct Remover {
    api: LeaseApi,
    clock: Arc<dyn Clock>,
    request_timeout: Duration,
    budget: Duration,
}

/// A lease as one consistent read showed it.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// What the protocol sees of it.
    pub record: LeaseRecord,
    /// All of it.
    pub object: Value,
    /// Whether it has expired by the server's rule, with the evidence.
    pub verdict: Verdict,
    /// The `Date` of the answer.
    pub date: Option<Timestamp>,
    /// Whether leases of its name expire at all: interactive sessions do not.
    pub expires: bool,
}

/// Why a lease could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookError {
    /// The server will not do it.
    #[error("{0}")]
    Refused(Refusal),
    /// No clear answer in time.
    #[error("the API server did not answer: {0}")]
    Unreachable(String),
}

impl Seen {
    /// Whether nobody can hold it any more: it has expired, or names no holder.
    #[must_use]
    pub fn is_proven_stale(&self) -> bool {
        self.expires && matches!(self.verdict, Verdict::Expired(_) | Verdict::Free)
    }
}

impl Remover {
    /// For the lease of these requests. Each takes at most `request_timeout`, and a removal at most `budget`.
    #[must_use]
    pub fn new(
        api: LeaseApi,
        clock: Arc<dyn Clock>,
        request_timeout: Duration,
        budget: Duration,
    ) -> Self {
        Self {
            api,
            clock,
            request_timeout,
            budget,
        }
    }

    /// Reads the lease and judges it; `None` if there is none.
    ///
    /// # Errors
    /// [`LookError`].
    pub async fn look(&self) -> Result<Option<Seen>, LookError> {
        let exchanged = self
            .api
            .exchange(&Request::Get, None, self.request_timeout, &*self.clock)
            .await;
        let reply = exchanged.reply;
        let record = match reply.answer {
            Answer::Lease(record) => *record,
            Answer::NotFound => return Ok(None),
            Answer::Refused(refusal) => return Err(LookError::Refused(refusal)),
            Answer::NotExecuted(why) => return Err(LookError::Unreachable(why.message)),
            Answer::Unclear(message) => return Err(LookError::Unreachable(message)),
            other => {
                let message = format!("unexpected answer {other:?}");
                return Err(LookError::Unreachable(message));
            }
        };
        let reading = Reading {
            record: &record,
            date: reply.date,
            arrived: reply.arrived,
            unchanged_since: reply.arrived,
        };
        Ok(Some(Seen {
            verdict: judge(&reading, DEFAULT_MARGIN),
            date: reply.date,
            object: exchanged.object.unwrap_or_default(),
            expires: !self.api.name().as_str().starts_with(INTERACTIVE_PREFIX),
            record,
        }))
    }

    /// Deletes exactly what was seen, whatever the verdict on it is.
    pub async fn remove(&self, seen: &Seen) -> Removed {
        let version = Version::from(&seen.record);
        let now = self.clock.now();
        let mut removal = Removal::new(version, now, self.budget, self.request_timeout);
        loop {
            match removal.next(self.clock.now()) {
                Step::Done(removed) => return removed,
                Step::Sleep { until } => sleep_until(&*self.clock, until).await,
                Step::Send { request, timeout } => {
                    let exchange = self.api.exchange(&request, None, timeout, &*self.clock);
                    removal.reply(exchange.await.reply);
                }
            }
        }
    }
}
