//! Signals in, counts out: the dedup protocol on a real API server.
//!
//! Drives the machine of a [run](super::run) with real requests, the lease and timers, and lets signals of one
//! fingerprint that arrive together share a run. The rules are in the machine, not here.

mod drive;
mod flight;
mod rehearse;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::sync::{oneshot, watch};

use crate::client::lock::seeded_by_the_system;
use crate::client::{Clock, SystemClock};
use crate::protocol::clock::ServerTime;
use crate::protocol::fence::compare_versions;
use crate::protocol::key::Fingerprint;
use crate::protocol::timing::{DEFAULT_MARGIN, Timing};

use super::exchange::{Answer, Request};
use super::outcome::{Failure, Processed};
use super::signal::Signal;
use super::trace::{Event, Observer, Traced};
use flight::{Flights, Waiter};
pub use rehearse::{Check, Rehearsal};

/// How long a signal may take unless set otherwise: what the gateway gives a request.
pub const DEFAULT_BUDGET: Duration = Duration::from_secs(15);

/// Processes signals. Cheap to clone; clones share their runs.
///
/// A new signal costs six requests, a duplicate two, and signals of one fingerprint that arrive while one of them is
/// processed are counted together:
///
/// ```
/// # use gwlock_apiserver::ApiServer;
/// # use gwlock_engine::protocol::key::Target;
/// # use gwlock_engine::remediation::{Disposition, Failure, RemediationRequestSpec, TargetResource, TargetType};
/// use gwlock_engine::remediation::{Signal, SignalProcessor};
///
/// # async fn example(client: kube::Client, spec: RemediationRequestSpec) -> Result<(), Failure> {
/// let processor =
///     SignalProcessor::builder(client, "kubernaut-system", "kubernaut-system", "gateway-7f9c-x2x").build();
///
/// let first = processor.process(Signal::new(spec.clone())).await?;
/// assert_eq!((first.disposition, first.count), (Disposition::Created, 1));
///
/// let second = processor.process(Signal::new(spec)).await?;
/// assert_eq!((second.name, second.count), (first.name, 2));
/// # Ok(())
/// # }
/// # async fn run() {
/// #     let server = ApiServer::new();
/// #     let post = |path: &str, body: &'static str| {
/// #         let request = http::Request::post(path).header("content-type", "application/yaml");
/// #         let body = http_body_util::Full::new(bytes::Bytes::from_static(body.as_bytes()));
/// #         tower::ServiceExt::oneshot(server.clone(), request.body(body).unwrap())
/// #     };
/// #     let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
/// #     post(definitions, gwlock_testkit::REMEDIATION_REQUESTS).await.unwrap();
/// #     post("/api/v1/namespaces", "metadata: {name: kubernaut-system}").await.unwrap();
/// #     let target = Target::parse("prod/Deployment/payment-api").unwrap();
/// #     let now = jiff::Timestamp::now();
/// #     let spec = RemediationRequestSpec {
/// #         signal_fingerprint: target.fingerprint(),
/// #         signal_name: "HighMemoryUsage".to_owned(),
/// #         severity: "critical".to_owned(),
/// #         signal_type: "alert".to_owned(),
/// #         signal_source: None,
/// #         target_type: TargetType::Kubernetes,
/// #         target_resource: TargetResource {
/// #             api_version: None,
/// #             kind: target.kind,
/// #             name: target.name,
/// #             namespace: Some(target.namespace),
/// #         },
/// #         cluster_id: None,
/// #         firing_time: now,
/// #         received_time: now,
/// #         signal_labels: Default::default(),
/// #         signal_annotations: Default::default(),
/// #         provider_data: None,
/// #         original_payload: None,
/// #     };
/// #     example(kube::Client::new(server, "default"), spec).await.unwrap();
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(run());
/// ```
#[derive(Clone)]
pub struct SignalProcessor {
    shared: Arc<Shared>,
}

/// Settings of a [`SignalProcessor`].
#[must_use]
pub struct SignalProcessorBuilder {
    client: kube::Client,
    lease_namespace: String,
    request_namespace: String,
    base: String,
    budget: Duration,
    request_timeout: Option<Duration>,
    timing: Timing,
    margin: Duration,
    clock: Arc<dyn Clock>,
    rng: Option<StdRng>,
    observer: Option<Observer>,
}

struct Shared {
    client: kube::Client,
    lease_namespace: String,
    request_namespace: String,
    base: String,
    budget: Duration,
    request_timeout: Duration,
    grace: Duration,
    timing: Timing,
    margin: Duration,
    clock: Arc<dyn Clock>,
    rng: Mutex<StdRng>,
    server_time: Mutex<ServerTime>,
    /// The newest resourceVersion of a request that was read or written by itself.
    seen: Mutex<Option<String>>,
    observer: Option<Observer>,
    flights: Flights,
    runs: AtomicU64,
    /// Tasks under way: runs, releases, and acquisitions that are being undone.
    tasks: watch::Sender<usize>,
}

/// A task under way, until it is dropped.
struct Task(Arc<Shared>);

impl SignalProcessor {
    /// Starts with where leases and RemediationRequests live, and who processes: a pod name, as a rule.
    pub fn builder(
        client: kube::Client,
        lease_namespace: &str,
        request_namespace: &str,
        base: impl Into<String>,
    ) -> SignalProcessorBuilder {
        SignalProcessorBuilder {
            client,
            lease_namespace: lease_namespace.to_owned(),
            request_namespace: request_namespace.to_owned(),
            base: base.into(),
            budget: DEFAULT_BUDGET,
            request_timeout: None,
            timing: Timing::default(),
            margin: DEFAULT_MARGIN,
            clock: Arc::new(SystemClock),
            rng: None,
            observer: None,
        }
    }

    /// Processes one signal. The answer means that the count stands in the status of the request.
    ///
    /// Dropping the future withdraws the signal, unless its count has been sent already; what it shares with other
    /// signals goes on.
    ///
    /// # Errors
    /// [`Failure`], after which the signal should be sent again; it is counted at most once for each time it is sent.
    pub async fn process(&self, signal: Signal) -> Result<Processed, Failure> {
        let (answer, answered) = oneshot::channel();
        let fingerprint = signal.fingerprint().clone();
        let waiter = Waiter { signal, answer };
        if self.shared.flights.join(&fingerprint, waiter) {
            drive::start(self.shared.clone(), fingerprint);
        }
        // The run is gone only with its runtime, or by a panic: nobody knows what it had written.
        let gone = || {
            Err(Failure::Unknown(
                "the run has ended without an answer".to_owned(),
            ))
        };
        answered.await.unwrap_or_else(|_| gone())
    }

    /// What [`SignalProcessor::process`] would do about a signal now. Nothing is stored: by the same rules it reads and
    /// decides, and stops where something would be written.
    ///
    /// # Errors
    /// [`Failure`], of what was read or, with [`Check::Writes`], of a write that the server would refuse.
    pub async fn rehearse(&self, signal: &Signal, check: Check) -> Result<Rehearsal, Failure> {
        rehearse::rehearse(&self.shared, signal, check).await
    }

    /// Waits until everything that goes on in the background has ended, in particular the release of leases.
    pub async fn settled(&self) {
        let mut tasks = self.shared.tasks.subscribe();
        // The sender lives as long as the processor, so this ends when the count is zero.
        let _ = tasks.wait_for(|tasks| *tasks == 0).await;
    }
}

impl SignalProcessorBuilder {
    /// How long a run of signals may take until its count stands. 15 s unless set. A signal that comes while a count is on
    /// its way waits for that one before its own run begins, so a signal may take twice as long.
    pub fn budget(mut self, budget: Duration) -> Self {
        self.budget = budget;
        self
    }

    /// The deadline of every single request. 5 s, or a third of the lease duration if that is less, unless set.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = Some(timeout);
        self
    }

    /// Lease duration, renew deadline and retry period. The gateway inherits the duration of a lease that it takes
    /// over, so beside a gateway it should stay 30 s.
    pub fn timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// How much more than its duration a lease has to be old before it is taken over. 2 s unless set.
    pub fn margin(mut self, margin: Duration) -> Self {
        self.margin = margin;
        self
    }

    /// Another clock, for tests and simulations.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// A seeded generator for nonces and delays, instead of one that the operating system seeds.
    pub fn rng(mut self, rng: StdRng) -> Self {
        self.rng = Some(rng);
        self
    }

    /// Who is told what happens.
    pub fn observer(mut self, observer: Observer) -> Self {
        self.observer = Some(observer);
        self
    }

    /// The processor. Nothing is sent yet.
    #[must_use]
    pub fn build(self) -> SignalProcessor {
        let default_timeout = Duration::from_secs(5).min(self.timing.lease_duration() / 3);
        let time = ServerTime::guess(self.clock.now(), self.clock.wall());
        SignalProcessor {
            shared: Arc::new(Shared {
                client: self.client,
                lease_namespace: self.lease_namespace,
                request_namespace: self.request_namespace,
                base: self.base,
                budget: self.budget,
                request_timeout: self.request_timeout.unwrap_or(default_timeout),
                grace: Duration::from_secs(1),
                timing: self.timing,
                margin: self.margin,
                clock: self.clock,
                rng: Mutex::new(self.rng.unwrap_or_else(seeded_by_the_system)),
                server_time: Mutex::new(time),
                seen: Mutex::new(None),
                observer: self.observer,
                flights: Flights::default(),
                runs: AtomicU64::new(0),
                tasks: watch::Sender::new(0),
            }),
        }
    }
}

impl Shared {
    fn task(self: &Arc<Self>) -> Task {
        self.tasks.send_modify(|tasks| *tasks += 1);
        Task(self.clone())
    }

    fn fork_rng(&self) -> StdRng {
        StdRng::seed_from_u64(lock(&self.rng).next_u64())
    }

    fn server_time(&self) -> ServerTime {
        lock(&self.server_time).clone()
    }

    fn remember_server_time(&self, time: &ServerTime) {
        if time.is_measured() {
            *lock(&self.server_time) = time.clone();
        }
    }

    fn seen(&self) -> Option<String> {
        lock(&self.seen).clone()
    }

    /// Keeps the version of what was read or written, and forgets one that a list could not be had with.
    fn remember_version(&self, request: &Request, answer: &Answer) {
        let mut seen = lock(&self.seen);
        match (request, answer) {
            (_, Answer::Request(request)) => {
                let version = &request.resource_version;
                let is_newer = |seen: &String| compare_versions(version, seen).is_gt();
                if seen.as_ref().is_none_or(is_newer) {
                    *seen = Some(version.clone());
                }
            }
            (Request::List { not_older_than }, answer)
                if !matches!(answer, Answer::Listed(_)) && *not_older_than == *seen =>
            {
                *seen = None;
            }
            _ => {}
        }
    }

    fn next_run(&self) -> u64 {
        self.runs.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn tell(&self, fingerprint: &Fingerprint, run: u64, event: impl FnOnce() -> Event) {
        if let Some(observer) = &self.observer {
            observer(&Traced {
                fingerprint: fingerprint.clone(),
                run,
                at: self.clock.now(),
                event: event(),
            });
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.tasks.send_modify(|tasks| *tasks -= 1);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
