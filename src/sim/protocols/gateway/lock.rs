//! The gateway's lock: compares its own wall clock with what is written, knows one holder per pod, does not renew, and
//! deletes without preconditions.
//!
//! Nothing of signals is here.

use std::sync::Arc;
use std::time::Duration;

use gwlock_engine::client::Clock;
use jiff::SignedDuration;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::Api;
use kube::api::{DeleteParams, ObjectMeta, PostParams};
use rand::RngExt;
use rand::rngs::StdRng;

use super::GatewayError;

const DURATION_SECONDS: i32 = 30;
/// How often a signal looks whether the lease is free.
pub(super) const ATTEMPTS: u32 = 10;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// A pod of the gateway.
pub struct GatewayLock {
    leases: Api<Lease>,
    pod: String,
    clock: Arc<dyn Clock>,
    /// Whether a release looks first whose the lease is.
    looks: bool,
}

/// How one look at the lease went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// It is held, or so the pod believes.
    Held,
    /// Somebody else holds it.
    Contended,
}

impl GatewayLock {
    /// A pod of this name with this clock.
    #[must_use]
    pub fn new(leases: Api<Lease>, pod: &str, clock: Arc<dyn Clock>) -> Self {
        Self {
            leases,
            pod: pod.to_owned(),
            clock,
            looks: true,
        }
    }

    /// The same with the release of January 2026: the lease is deleted, whosever it is.
    #[must_use]
    pub fn of_january(self) -> Self {
        Self {
            looks: false,
            ..self
        }
    }

    /// The lock of a pod with this `POD_NAME`, or none: without a name the gateway handles every signal unlocked.
    #[must_use]
    pub fn of_environment(
        leases: Api<Lease>,
        pod_name: Option<&str>,
        clock: Arc<dyn Clock>,
    ) -> Option<Self> {
        let pod = pod_name.filter(|name| !name.is_empty())?;
        Some(Self::new(leases, pod, clock))
    }

    /// Ten attempts with growing pauses.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub async fn acquire(&self, name: &str, rng: &mut StdRng) -> Result<(), GatewayError> {
        for attempt in 1..=ATTEMPTS {
            if self.attempt(name).await? == Attempt::Held {
                return Ok(());
            }
            if attempt < ATTEMPTS {
                tokio::time::sleep(pause(attempt, rng)).await;
            }
        }
        Err(GatewayError::Timeout)
    }

    /// One look, and a write where the lease seems free.
    ///
    /// # Errors
    /// Whatever a request fails with, other than losing a race.
    pub async fn attempt(&self, name: &str) -> Result<Attempt, kube::Error> {
        let Some(mut lease) = self.leases.get_opt(name).await? else {
            return self.written(
                self.leases
                    .create(&PostParams::default(), &self.fresh(name))
                    .await,
            );
        };
        let spec = lease.spec.get_or_insert_default();
        if spec.holder_identity.as_deref() == Some(&self.pod) {
            return Ok(Attempt::Held);
        }
        let expired = match (&spec.renew_time, spec.lease_duration_seconds) {
            (Some(renewed), Some(seconds)) => {
                self.clock.wall() > renewed.0 + SignedDuration::from_secs(i64::from(seconds))
            }
            _ => false,
        };
        if !expired {
            return Ok(Attempt::Contended);
        }
        spec.holder_identity = Some(self.pod.clone());
        spec.renew_time = Some(self.now());
        self.written(
            self.leases
                .replace(name, &PostParams::default(), &lease)
                .await,
        )
    }

    /// Looks whose the lease is, and deletes it if it is this pod's. Between the two it may have become another's.
    ///
    /// # Errors
    /// Whatever a request fails with; the gateway only logs it.
    pub async fn release(&self, name: &str) -> Result<(), kube::Error> {
        if self.looks && !self.is_own(name).await? {
            return Ok(());
        }
        match self.leases.delete(name, &DeleteParams::default()).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn is_own(&self, name: &str) -> Result<bool, kube::Error> {
        let lease = self.leases.get_opt(name).await?;
        let holder = lease.and_then(|lease| lease.spec?.holder_identity);
        Ok(holder.as_deref() == Some(&self.pod))
    }

    fn written(&self, answer: Result<Lease, kube::Error>) -> Result<Attempt, kube::Error> {
        match answer {
            Ok(_) => Ok(Attempt::Held),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(Attempt::Contended),
            Err(error) => Err(error),
        }
    }

    fn fresh(&self, name: &str) -> Lease {
        Lease {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                ..ObjectMeta::default()
            },
            spec: Some(LeaseSpec {
                holder_identity: Some(self.pod.clone()),
                lease_duration_seconds: Some(DURATION_SECONDS),
                acquire_time: Some(self.now()),
                renew_time: Some(self.now()),
                ..LeaseSpec::default()
            }),
        }
    }

    fn now(&self) -> MicroTime {
        MicroTime(self.clock.wall())
    }
}

/// 100 ms doubling to 1 s, a tenth up or down, and again within those bounds.
pub(super) fn pause(attempt: u32, rng: &mut StdRng) -> Duration {
    let nominal = FIRST_PAUSE
        .saturating_mul(1 << (attempt - 1))
        .min(LAST_PAUSE);
    let jittered = nominal.mul_f64(rng.random_range(0.9..=1.1));
    jittered.clamp(FIRST_PAUSE, LAST_PAUSE)
}
