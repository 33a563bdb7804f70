//! One signal through the gateway: lock, list, create or count, release.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gwlock_engine::client::Clock;
use gwlock_engine::remediation::Signal;
use jiff::Timestamp;
use kube::Api;
use kube::api::DynamicObject;
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

use super::decision::suppressing;
use super::lock::{ATTEMPTS, Attempt, GatewayLock, pause};
use super::requests::{Requests, count_up, occurrences, seen};
use super::{GatewayError, RequestContext};

/// client-go's `DefaultBackoff` for conflicts: so many tries …
const COUNT_TRIES: u32 = 4;
/// … with this much between the first two, and five times as much each time, up to a tenth more by chance.
const FIRST_COUNT_PAUSE: Duration = Duration::from_millis(10);
const CREATE_TRIES: u32 = 3;
/// Doubles each time, a tenth up or down.
const FIRST_CREATE_PAUSE: Duration = Duration::from_millis(100);

/// Where a gateway works, and as whom.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// `POD_NAMESPACE`: where its leases are.
    pub locks: &'a str,
    /// The controller's namespace: where its RemediationRequests are.
    pub requests: &'a str,
    /// `POD_NAME`; without one every signal is processed without a lock.
    pub pod: Option<&'a str>,
}

/// A pod of the gateway that processes signals.
pub struct GatewaySignals {
    lock: Option<GatewayLock>,
    requests: Requests,
    clock: Arc<dyn Clock>,
    rng: Mutex<StdRng>,
    observer: Option<HoldObserver>,
}

/// Is told when a signal begins and ends to believe that its lease is held.
pub type HoldObserver = Arc<dyn Fn(&str, Hold) + Send + Sync>;

/// What a signal believes of its lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// It is held; the number tells the holds of this pod apart.
    Began(u64),
    /// The work under it has ended, and it is about to be released.
    Ended(u64),
}

/// How often a request says that its signal occurred, and when: first and last.
type Counted = (i64, Option<(Timestamp, Timestamp)>);

/// The answer to a signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// What it says became of the signal.
    pub outcome: Outcome,
    /// The RemediationRequest's name.
    pub name: String,
    /// The count as the gateway has it in memory, whether or not it was written.
    pub count: i64,
    /// `firstSeenAt` and `lastSeenAt` that go with the count.
    pub seen: Option<(Timestamp, Timestamp)>,
}

/// What an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// 201.
    Created,
    /// 202.
    Duplicate,
}

impl GatewaySignals {
    /// A pod with this clock, whose names and pauses come from this generator.
    #[must_use]
    pub fn new(client: kube::Client, place: Place<'_>, clock: Arc<dyn Clock>, rng: StdRng) -> Self {
        let leases = Api::namespaced(client.clone(), place.locks);
        Self {
            lock: GatewayLock::of_environment(leases, place.pod, clock.clone()),
            requests: Requests::new(client, place.requests),
            clock,
            rng: Mutex::new(rng),
            observer: None,
        }
    }

    /// The same with the release of January 2026.
    #[must_use]
    pub fn of_january(self) -> Self {
        Self {
            lock: self.lock.map(GatewayLock::of_january),
            ..self
        }
    }

    /// Who is told what signals believe of their leases.
    #[must_use]
    pub fn observed_by(self, observer: HoldObserver) -> Self {
        Self {
            observer: Some(observer),
            ..self
        }
    }

    /// Processes one signal, however long its sender has to wait.
    ///
    /// # Errors
    /// [`GatewayError`], which the gateway answers with 500.
    pub async fn process(&self, signal: &Signal) -> Result<Reply, GatewayError> {
        self.process_within(signal, &RequestContext::background())
            .await
    }

    /// Processes one signal of this HTTP request.
    ///
    /// # Errors
    /// [`GatewayError`], which the gateway answers with 500 or 504.
    pub async fn process_within(
        &self,
        signal: &Signal,
        context: &RequestContext,
    ) -> Result<Reply, GatewayError> {
        let Some(lock) = &self.lock else {
            return self.list_and_handle(signal, context).await;
        };
        let name = signal.fingerprint().lease_name();
        let name = name.as_str();
        let mut rng = self.fork_rng();
        for attempt in 1..=ATTEMPTS {
            if context.run(lock.attempt(name)).await? == Attempt::Held {
                // A nonce of this hold, for whoever watches; the gateway has none.
                let number = rng.next_u64();
                self.tell(name, Hold::Began(number));
                let reply = self.list_and_handle(signal, context).await;
                self.tell(name, Hold::Ended(number));
                if let Err(error) = context.run(lock.release(name)).await {
                    tracing::warn!(name, %error, "lease not released");
                }
                return reply;
            }
            if attempt < ATTEMPTS {
                tokio::time::sleep(pause(attempt, &mut rng)).await;
                if let Some(request) = self.look(signal, context).await? {
                    return Ok(self.duplicate(request, context).await);
                }
            }
        }
        Err(GatewayError::Timeout)
    }

    fn tell(&self, lease: &str, hold: Hold) {
        if let Some(observer) = &self.observer {
            observer(lease, hold);
        }
    }

    async fn list_and_handle(
        &self,
        signal: &Signal,
        context: &RequestContext,
    ) -> Result<Reply, GatewayError> {
        match self.look(signal, context).await? {
            Some(request) => Ok(self.duplicate(request, context).await),
            None => self.create(signal, context).await,
        }
    }

    async fn look(
        &self,
        signal: &Signal,
        context: &RequestContext,
    ) -> Result<Option<DynamicObject>, GatewayError> {
        let listed = context.run(self.requests.list(signal)).await?;
        Ok(suppressing(listed, self.clock.wall()))
    }

    async fn duplicate(&self, request: DynamicObject, context: &RequestContext) -> Reply {
        let name = request.metadata.name.clone().unwrap_or_default();
        let listed = (occurrences(&request), seen(&request));
        let (count, seen) = self.count(&name, listed, context).await;
        Reply {
            outcome: Outcome::Duplicate,
            name,
            count,
            seen,
        }
    }

    async fn create(
        &self,
        signal: &Signal,
        context: &RequestContext,
    ) -> Result<Reply, GatewayError> {
        let mut rng = self.fork_rng();
        let prefix = &signal.fingerprint().as_str()[..12];
        let name = format!("rr-{prefix}-{:08x}", rng.next_u32());
        let mut wait = FIRST_CREATE_PAUSE;
        for attempt in 1.. {
            let created = self.requests.create(signal, &name, self.clock.wall());
            match context.run(created).await {
                Ok(()) => break,
                Err(error) if attempt < CREATE_TRIES && seems_to_pass(&error) => {}
                Err(error) => return Err(error),
            }
            tokio::time::sleep(wait.mul_f64(rng.random_range(0.9..1.1))).await;
            wait *= 2;
        }
        let (count, seen) = self.count(&name, (0, None), context).await;
        Ok(Reply {
            outcome: Outcome::Created,
            name,
            count,
            seen,
        })
    }

    /// GET and PUT of the whole status, again on a conflict. Its failure is only logged.
    async fn count(&self, name: &str, listed: Counted, context: &RequestContext) -> Counted {
        let mut rng = self.fork_rng();
        let mut in_memory = listed;
        let mut wait = FIRST_COUNT_PAUSE;
        for attempt in 1.. {
            let written = async {
                let mut request = self.requests.get(name).await?;
                count_up(&mut request, self.clock.wall());
                in_memory = (occurrences(&request), seen(&request));
                self.requests.put_status(&request).await
            };
            match context.run(written).await {
                Ok(()) => break,
                Err(error) if attempt < COUNT_TRIES && is_conflict(&error) => {}
                Err(error) => {
                    tracing::warn!(name, %error, "status not updated");
                    break;
                }
            }
            tokio::time::sleep(wait.mul_f64(rng.random_range(1.0..1.1))).await;
            wait *= 5;
        }
        in_memory
    }

    fn fork_rng(&self) -> StdRng {
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        StdRng::seed_from_u64(rng.next_u64())
    }
}

fn is_conflict(error: &GatewayError) -> bool {
    matches!(error, GatewayError::Api(kube::Error::Api(status)) if status.reason == "Conflict")
}

/// Whether a CREATE is tried again, by the words of the failure, in which the name of the request may stand as well.
fn seems_to_pass(error: &GatewayError) -> bool {
    let text = match error {
        GatewayError::Api(kube::Error::Api(status)) => {
            format!("{} {}", status.code, status.message)
        }
        GatewayError::Api(error) => return !matches!(error, kube::Error::SerdeError(_)),
        GatewayError::Over | GatewayError::Timeout => return false,
    };
    ["429", "503", "504", "timeout", "connection"]
        .iter()
        .any(|word| text.contains(word))
}
