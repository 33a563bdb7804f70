//! Drives the runs of one fingerprint, one after the other, for as long as somebody waits.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;

use crate::client::api_error::Refused;
use crate::client::clock::sleep_until;
use crate::client::{AcquireError, ExchangeObserver, LeaseGuard, LeaseLock};
use crate::protocol::clock::{Moment, ServerTime};
use crate::protocol::key::Fingerprint;
use crate::protocol::release::Released;

use super::super::api::RequestApi;
use super::super::exchange::{Reply, Request};
use super::super::outcome::{Counted, Failure};
use super::super::request::CREATED_BY;
use super::super::run::{Run, Settings, Situation, Step};
use super::super::signal::Signal;
use super::super::trace::{Event, LeaseEvent};
use super::Shared;
use super::flight::{self, Waiter};

type Acquiring = Pin<Box<dyn Future<Output = Result<LeaseGuard, AcquireError>> + Send>>;

/// Starts a task that lives until nobody waits for a run of this fingerprint any more.
pub(super) fn start(shared: Arc<Shared>, fingerprint: Fingerprint) {
    let task = shared.task();
    tokio::spawn(async move {
        let mut flight = Flight {
            shared: shared.clone(),
            fingerprint,
            is_over: false,
        };
        while !flight.is_over {
            if let Some(signal) = shared.flights.first_signal(&flight.fingerprint) {
                Driver::new(&shared, flight.fingerprint.clone(), signal)
                    .run()
                    .await;
            }
            flight.is_over = shared.flights.end(&flight.fingerprint);
        }
        drop(task);
    });
}

/// Cleans up after a task that is cut off, so that later signals of its fingerprint do not wait for ever.
struct Flight {
    shared: Arc<Shared>,
    fingerprint: Fingerprint,
    is_over: bool,
}

impl Drop for Flight {
    fn drop(&mut self) {
        if !self.is_over {
            self.shared.flights.forget(&self.fingerprint);
        }
    }
}

struct Driver {
    run: Arc<Telling>,
    machine: Run,
    api: RequestApi,
    signal: Signal,
    /// Those whose count has been sent and not been refused.
    batch: Vec<Waiter>,
    lock: Option<LeaseLock>,
    acquiring: Option<Acquiring>,
    /// When the lease was first asked for.
    asked: Moment,
    held: Option<Held>,
    started: Moment,
}

struct Held {
    guard: LeaseGuard,
    since: Moment,
    is_lost: bool,
}

/// A run as it is told of.
pub(super) struct Telling {
    shared: Arc<Shared>,
    fingerprint: Fingerprint,
    number: u64,
    requests: AtomicU32,
    /// Whether somebody else was found to have the lease.
    contended: watch::Sender<bool>,
}

impl Driver {
    fn new(shared: &Arc<Shared>, fingerprint: Fingerprint, signal: Signal) -> Self {
        let now = shared.clock.now();
        let machine = shared.machine(&fingerprint, now);
        let run = Telling::new(shared, fingerprint);
        Self {
            api: run.clone().api(),
            run,
            machine,
            signal,
            batch: Vec::new(),
            lock: None,
            acquiring: None,
            asked: now,
            held: None,
            started: now,
        }
    }

    async fn run(mut self) {
        self.run.tell(|| Event::Started);
        let result = self.work().await;
        self.stop_acquiring();
        self.run
            .shared
            .remember_server_time(self.machine.server_time());
        self.answer(&result);
        self.release();
    }

    async fn work(&mut self) -> Result<Counted, Failure> {
        loop {
            let situation = self.situation();
            match self.machine.next(self.now(), situation) {
                Step::Done(result) => return result,
                Step::Wait { until } => sleep_until(&*self.run.shared.clock, until).await,
                Step::Acquire { look_at, deadline } => self.acquire(look_at, deadline).await,
                Step::Send { request, timeout } => {
                    if !matches!(request, Request::List { .. }) {
                        self.stop_acquiring();
                    }
                    let reply = self.send(&request, timeout).await;
                    self.run.shared.remember_version(&request, &reply.answer);
                    self.machine.reply(reply);
                    if let Some(decision) = self.machine.take_decision() {
                        self.run.tell(|| Event::Decided(decision));
                    }
                }
            }
        }
    }

    fn situation(&mut self) -> Situation {
        let run = &self.run;
        if !self.batch.is_empty() && !self.machine.is_counting() {
            let batch = std::mem::take(&mut self.batch);
            run.shared.flights.put_back(&run.fingerprint, batch);
        }
        let waiting = match self.batch.len() {
            0 => run.shared.flights.count(&run.fingerprint),
            sent => sent,
        };
        let held_until = self.held.as_mut().and_then(|held| {
            let left = held.guard.remaining();
            if left.is_zero() && !std::mem::replace(&mut held.is_lost, true) {
                run.tell(|| Event::Lease(LeaseEvent::Lost));
            }
            (!left.is_zero()).then(|| run.shared.clock.now() + left)
        });
        Situation {
            waiting,
            held_until,
        }
    }

    async fn send(&mut self, request: &Request, timeout: Duration) -> Reply {
        let fingerprint = &self.run.fingerprint;
        match request {
            Request::List { not_older_than } => {
                let version = not_older_than.as_deref();
                self.api.list(fingerprint, version, timeout).await
            }
            Request::Get { name } => self.api.get(name, timeout).await,
            Request::Create {
                name,
                created_by,
                now,
            } => {
                let object = object(&self.signal, self.api.namespace(), name, created_by, *now);
                self.api.create(&object, timeout).await
            }
            Request::Count(count) => {
                if self.batch.is_empty() {
                    let added = usize::try_from(count.added()).unwrap_or(usize::MAX);
                    self.batch = self.run.shared.flights.take(fingerprint, added);
                }
                self.api.count(count, timeout).await
            }
        }
    }

    async fn acquire(&mut self, look_at: Moment, deadline: Moment) {
        let clock = self.run.shared.clock.clone();
        if self.acquiring.is_none() {
            self.asked = clock.now();
            let lock = self.run.clone().lock(self.machine.server_time().clone());
            self.lock = Some(lock.clone());
            let wait = deadline.since(self.asked);
            self.acquiring = Some(Box::pin(async move { lock.acquire(wait).await }));
        }
        let Some(acquiring) = &mut self.acquiring else {
            return;
        };
        let mut contended = self.run.contended.subscribe();
        let give_up = self.started + self.run.shared.budget;
        let look = async {
            // As long as nobody else is known to have the lease, nobody creates a request either: a slow server would
            // only be asked more.
            let known = async { drop(contended.wait_for(|contended| *contended).await) };
            tokio::select! {
                biased;
                () = known => sleep_until(&*clock, look_at).await,
                () = sleep_until(&*clock, give_up) => {}
            }
        };
        let acquired = tokio::select! {
            biased;
            acquired = acquiring => acquired,
            () = look => return,
        };
        self.acquiring = None;
        match acquired {
            Ok(guard) => {
                let holder = guard.identity().to_string();
                self.run.tell(|| {
                    Event::Lease(LeaseEvent::Acquired {
                        token: guard.fencing_token().clone(),
                        holder: holder.clone(),
                        taken_over: guard.acquired().claim.lease_transitions.is_some(),
                        requests: guard.requests(),
                        waited: clock.now().since(self.asked),
                    })
                });
                self.held = Some(Held {
                    guard,
                    since: clock.now(),
                    is_lost: false,
                });
                self.machine.held(holder);
            }
            Err(error) => {
                let event = || Event::Lease(LeaseEvent::NotAcquired(error.clone()));
                self.run.tell(event);
                self.machine.not_held(Failure::Lease(error));
            }
        }
    }

    /// Ends an acquisition under way; what it has made or half made is undone in the background.
    fn stop_acquiring(&mut self) {
        let (Some(acquiring), Some(lock)) = (self.acquiring.take(), self.lock.take()) else {
            return;
        };
        self.run.tell(|| Event::Lease(LeaseEvent::NotNeeded));
        let task = self.run.shared.task();
        tokio::spawn(async move {
            // It may have been acquired since anybody looked.
            match acquiring.now_or_never() {
                Some(Ok(guard)) => drop(guard.release().await),
                _ => lock.settled().await,
            }
            drop(task);
        });
    }

    /// Answers those whom the result is for. Who came after a count was sent waits for another run.
    fn answer(&mut self, result: &Result<Counted, Failure>) {
        let run = &self.run;
        let mut batch = std::mem::take(&mut self.batch);
        if batch.is_empty() {
            let concerned = match result {
                Err(Failure::Cancelled) => 0,
                // The request was to be made of the first signal; the next run makes it of another one.
                Err(failure) if failure.is_about_the_spec() => 1,
                _ => usize::MAX,
            };
            batch = run.shared.flights.take(&run.fingerprint, concerned);
        }
        run.tell(|| Event::Finished {
            signals: batch.len(),
            requests: run.requests.load(Ordering::Relaxed),
            took: run.shared.clock.now().since(self.started),
            result: result.clone(),
        });
        flight::answer(batch, &run.fingerprint, result);
    }

    /// Nobody waits for a release: the next run of the same process finds a request and needs no lease.
    fn release(self) {
        let Some(held) = self.held else { return };
        let run = self.run;
        let task = run.shared.task();
        let lease = run.fingerprint.lease_name();
        tokio::spawn(async move {
            let released = held.guard.release().await;
            if let Released::Refused(refusal) = &released {
                let why = Refused(&refusal.message);
                tracing::warn!(%lease, "not released, expires by itself: {why}");
            }
            let held = run.shared.clock.now().since(held.since);
            run.tell(|| Event::Lease(LeaseEvent::Released { released, held }));
            drop(task);
        });
    }

    fn now(&self) -> Moment {
        self.run.shared.clock.now()
    }
}

/// The request that a signal makes under the lease of this holder.
pub(super) fn object(
    signal: &Signal,
    namespace: &str,
    name: &str,
    holder: &str,
    now: Timestamp,
) -> Value {
    let mut object = signal.to_object(namespace, name, now);
    object["metadata"]["annotations"][CREATED_BY] = holder.into();
    object
}

impl Shared {
    /// The machine of a run that begins at `now`.
    pub(super) fn machine(&self, fingerprint: &Fingerprint, now: Moment) -> Run {
        let settings = Settings {
            fingerprint: fingerprint.clone(),
            budget: self.budget,
            request_timeout: self.request_timeout,
            grace: self.grace,
            seen: self.seen(),
        };
        Run::new(settings, now, self.server_time(), self.fork_rng())
    }
}

impl Telling {
    pub(super) fn new(shared: &Arc<Shared>, fingerprint: Fingerprint) -> Arc<Self> {
        Arc::new(Self {
            number: shared.next_run(),
            shared: shared.clone(),
            fingerprint,
            requests: AtomicU32::new(0),
            contended: watch::Sender::new(false),
        })
    }

    pub(super) fn api(self: Arc<Self>) -> RequestApi {
        let shared = &self.shared;
        let api = RequestApi::new(
            shared.client.clone(),
            &shared.request_namespace,
            shared.clock.clone(),
        );
        api.observed_by(self.exchange_observer())
    }

    pub(super) fn tell(&self, event: impl FnOnce() -> Event) {
        self.shared.tell(&self.fingerprint, self.number, event);
    }

    fn exchange_observer(self: Arc<Self>) -> ExchangeObserver {
        Arc::new(move |exchange| {
            self.requests.fetch_add(1, Ordering::Relaxed);
            self.tell(|| Event::Exchanged(exchange.clone()));
            let is_taken = exchange.resource == "leases"
                && exchange.verb == "create"
                && exchange.status == Some(409);
            if is_taken && !self.contended.send_replace(true) {
                self.tell(|| Event::Lease(LeaseEvent::Contended));
            }
        })
    }

    pub(super) fn lock(self: Arc<Self>, time: ServerTime) -> LeaseLock {
        let shared = self.shared.clone();
        let name = self.fingerprint.lease_name();
        LeaseLock::builder(
            shared.client.clone(),
            &shared.lease_namespace,
            name,
            shared.base.clone(),
        )
        .timing(shared.timing)
        .margin(shared.margin)
        .request_timeout(shared.request_timeout)
        .clock(shared.clock.clone())
        .rng(shared.fork_rng())
        .server_time(time)
        .observer(self.exchange_observer())
        .build()
    }
}
