//! A lock on one Lease: acquire, hold, release.
//!
//! Drives the machines of [`crate::protocol`] with real requests and timers. The rules are there, not here.

mod acquire;
mod guard;
mod handles;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rand::rngs::{StdRng, SysRng};
use rand::{Rng, SeedableRng};
use tokio::sync::watch;

use crate::protocol::acquire::{NotHeld, Settings};
use crate::protocol::clock::ServerTime;
use crate::protocol::exchange::Refusal;
use crate::protocol::expiry::Verdict;
use crate::protocol::holder::{HolderIdentity, Nonce};
use crate::protocol::key::LeaseName;
use crate::protocol::record::LeaseRecord;
use crate::protocol::timing::{DEFAULT_MARGIN, Timing};

use super::clock::{Clock, SystemClock};
use super::lease_api::LeaseApi;
use super::trace::ExchangeObserver;

pub use guard::LeaseGuard;
pub use handles::{HandleError, Standing};

/// How long a release may take, all its requests together.
const RELEASE_BUDGET: Duration = Duration::from_secs(10);

/// Why a lease was not acquired.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AcquireError {
    /// Somebody else holds it.
    #[error("the lease is held by {}", .holder.as_ref().and_then(|(record, _)| record.holder()).unwrap_or("somebody else"))]
    Busy {
        /// The lease as last read and what was made of it; `None` when it was gone again at the last look.
        holder: Option<(Box<LeaseRecord>, Verdict)>,
    },
    /// The server will not do it: no permission, no such namespace, an invalid name.
    #[error("{0}")]
    Refused(Refusal),
    /// The server gave no answer in time; nothing was acquired.
    #[error("the API server did not answer: {0}")]
    Unreachable(String),
    /// A write had no answer, and its outcome could not be found out in time.
    #[error("the outcome of a write is unknown: {0}")]
    Unknown(String),
    /// A takeover was undone, because the server's stamps contradict the `Date` by which the lease seemed expired.
    #[error("a takeover was undone: by the answer's Date {date} the lease had expired, by the server's stamps {before} and {} it had not", .after.map_or_else(|| "none".to_owned(), |after| after.to_string()))]
    ClockLied {
        /// The `Date`.
        date: Timestamp,
        /// The stamp before the takeover.
        before: Timestamp,
        /// The stamp of the takeover.
        after: Option<Timestamp>,
    },
    /// The acquisition was cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl From<NotHeld> for AcquireError {
    fn from(why: NotHeld) -> Self {
        match why {
            NotHeld::Busy(holder) => Self::Busy { holder },
            NotHeld::Refused(refusal) => Self::Refused(refusal),
            NotHeld::Unreachable(message) => Self::Unreachable(message),
            NotHeld::Unknown(message) => Self::Unknown(message),
            NotHeld::ClockLied {
                date,
                stamp_before,
                stamp_after,
            } => Self::ClockLied {
                date,
                before: stamp_before,
                after: stamp_after,
            },
            NotHeld::Cancelled => Self::Cancelled,
        }
    }
}

/// A lock on one Lease. Cheap to clone; every acquisition has a nonce of its own, so that two of them, even of one
/// process, exclude each other.
#[derive(Clone)]
pub struct LeaseLock {
    api: LeaseApi,
    config: Arc<Config>,
}

struct Config {
    base: String,
    timing: Timing,
    margin: Duration,
    request_timeout: Duration,
    grace: Duration,
    clock: Arc<dyn Clock>,
    rng: Mutex<StdRng>,
    server_time: Mutex<Option<ServerTime>>,
    /// Acquisitions under way, those of dropped futures included.
    running: watch::Sender<u32>,
}

/// Settings of a [`LeaseLock`].
#[must_use]
pub struct LeaseLockBuilder {
    api: LeaseApi,
    base: String,
    timing: Timing,
    margin: Duration,
    request_timeout: Option<Duration>,
    clock: Arc<dyn Clock>,
    rng: Option<StdRng>,
    server_time: Option<ServerTime>,
}

impl LeaseLock {
    /// Starts with the lease to lock and who locks it: a pod name, `user@host`, or what a user chose.
    pub fn builder(
        client: kube::Client,
        namespace: &str,
        name: LeaseName,
        base: impl Into<String>,
    ) -> LeaseLockBuilder {
        LeaseLockBuilder {
            api: LeaseApi::new(client, namespace, name),
            base: base.into(),
            timing: Timing::default(),
            margin: DEFAULT_MARGIN,
            request_timeout: None,
            clock: Arc::new(SystemClock),
            rng: None,
            server_time: None,
        }
    }

    /// Acquires the lease, waiting up to `wait` for somebody who holds it. Zero tries once.
    ///
    /// Dropping the future cancels the acquisition: what was half made is undone in the background.
    ///
    /// # Errors
    /// [`AcquireError`]; only [`AcquireError::Unknown`] leaves open whether something was written.
    pub async fn acquire(&self, wait: Duration) -> Result<LeaseGuard, AcquireError> {
        acquire::acquire(self.clone(), wait).await
    }

    /// The same lock with `dryRun=All` on every write.
    #[must_use]
    pub fn with_dry_run(self) -> Self {
        Self {
            api: self.api.dry_run(),
            ..self
        }
    }

    /// Waits until every acquisition of this lock that was cancelled has been undone.
    pub async fn settled(&self) {
        let mut running = self.config.running.subscribe();
        // The sender lives as long as the lock, so this ends when the count is zero.
        let _ = running.wait_for(|running| *running == 0).await;
    }

    /// The requests for this lease.
    #[must_use]
    pub fn api(&self) -> &LeaseApi {
        &self.api
    }

    fn clock(&self) -> &dyn Clock {
        &*self.config.clock
    }

    fn settings(&self, wait: Duration) -> Settings {
        let nonce = Nonce::draw(&mut *lock(&self.config.rng));
        Settings {
            identity: HolderIdentity::new(self.config.base.clone(), nonce),
            timing: self.config.timing,
            wait,
            margin: self.config.margin,
            request_timeout: self.config.request_timeout,
            grace: self.config.grace,
        }
    }

    fn fork_rng(&self) -> StdRng {
        StdRng::seed_from_u64(lock(&self.config.rng).next_u64())
    }

    fn server_time(&self) -> ServerTime {
        let known = lock(&self.config.server_time).clone();
        known.unwrap_or_else(|| ServerTime::guess(self.clock().now(), self.clock().wall()))
    }

    fn remember_server_time(&self, time: &ServerTime) {
        if time.is_measured() {
            *lock(&self.config.server_time) = Some(time.clone());
        }
    }
}

impl LeaseLockBuilder {
    /// Lease duration, renew deadline and retry period. The gateway that takes over a lease inherits its duration, so
    /// on `gw-lock-*` it should stay 30 s.
    pub fn timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// How much more than its duration a lease has to be old before it is taken over. 2 s unless set.
    pub fn margin(mut self, margin: Duration) -> Self {
        self.margin = margin;
        self
    }

    /// The deadline of every single request. 5 s, or a third of the lease duration if that is less, unless set.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = Some(timeout);
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

    /// What is known of the server's time from other answers of the same server: a first write with a wrong local clock
    /// then needs no correction.
    pub fn server_time(mut self, time: ServerTime) -> Self {
        self.server_time = Some(time);
        self
    }

    /// Tells of every request but watches when it has ended.
    pub fn observer(mut self, observer: ExchangeObserver) -> Self {
        self.api = self.api.observed_by(observer);
        self
    }

    /// Writes with `dryRun=All`: the server checks everything and stores nothing.
    pub fn dry_run(mut self) -> Self {
        self.api = self.api.dry_run();
        self
    }

    /// The lock. Nothing is sent yet.
    #[must_use]
    pub fn build(self) -> LeaseLock {
        let default_timeout = Duration::from_secs(5).min(self.timing.lease_duration() / 3);
        let rng = self.rng.unwrap_or_else(seeded_by_the_system);
        LeaseLock {
            api: self.api,
            config: Arc::new(Config {
                base: self.base,
                timing: self.timing,
                margin: self.margin,
                request_timeout: self.request_timeout.unwrap_or(default_timeout),
                grace: Duration::from_secs(1),
                clock: self.clock,
                rng: Mutex::new(rng),
                server_time: Mutex::new(self.server_time),
                running: watch::Sender::new(0),
            }),
        }
    }
}

/// A generator that the operating system seeds.
pub(crate) fn seeded_by_the_system() -> StdRng {
    StdRng::try_from_rng(&mut SysRng)
        .unwrap_or_else(|_| StdRng::seed_from_u64(entropy_without_the_system()))
}

/// Where the system's generator fails, the hasher's random keys still differ from process to process.
fn entropy_without_the_system() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    hasher.finish()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
