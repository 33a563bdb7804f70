//! The cases: what others do, and which signals are sent.
//!
//! Every case is brought about by what is asked of the server, never by how long something takes, so that its count is
//! the same on every cluster.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use gwlock_engine::client::{Clock, SystemClock};
use gwlock_engine::remediation::{Signal, SignalProcessor};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::clock::StandingClock;
use super::place::Scene;
use super::tap::Tap;
use crate::commands::asked::Asked;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::gateway::GatewayVersion;
use crate::gateway::ingest::Ingestion;
use crate::gateway::prometheus::Alert;
use crate::rbac::Rule;
#[cfg(feature = "sim")]
use crate::sim::protocols::gateway::{self, GatewaySignals};

/// Longer than a run waits before its first look.
const FIRST_LOOK: Duration = Duration::from_millis(50);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Gwlock,
    #[cfg(feature = "sim")]
    Gateway,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    New,
    AfterAnEnd,
    Duplicate,
    CoolingDown,
    Resolved,
    DuplicatesAtOnce(u32),
    NewAtOnce(u32),
    CountedMeanwhile,
    HeldAndCreated,
    LostTheRace,
    HeldThenFreed,
    Expired,
    NewWithoutALock,
    DuplicateWithoutALock,
}

/// What a case has cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) signals: u32,
    pub(super) asked: Vec<Asked>,
}

impl Case {
    pub(super) fn all(simultaneous: u32) -> [Self; 14] {
        [
            Self::New,
            Self::AfterAnEnd,
            Self::Duplicate,
            Self::CoolingDown,
            Self::Resolved,
            Self::DuplicatesAtOnce(simultaneous),
            Self::NewAtOnce(simultaneous),
            Self::CountedMeanwhile,
            Self::HeldAndCreated,
            Self::LostTheRace,
            Self::HeldThenFreed,
            Self::Expired,
            Self::NewWithoutALock,
            Self::DuplicateWithoutALock,
        ]
    }

    /// As it is called in JSON.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::New => "New",
            Self::AfterAnEnd => "NewAfterOneThatEnded",
            Self::Duplicate => "Duplicate",
            Self::CoolingDown => "DuplicateOfOneThatEnded",
            Self::Resolved => "Resolved",
            Self::DuplicatesAtOnce(_) => "SimultaneousDuplicates",
            Self::NewAtOnce(_) => "SimultaneousNew",
            Self::CountedMeanwhile => "DuplicateCountedMeanwhile",
            Self::HeldAndCreated => "ContendedVisible",
            Self::LostTheRace => "ContendedLostRace",
            Self::HeldThenFreed => "ContendedThenAcquired",
            Self::Expired => "Takeover",
            Self::NewWithoutALock => "NewWithoutPodName",
            Self::DuplicateWithoutALock => "DuplicateWithoutPodName",
        }
    }

    fn signals(self) -> u32 {
        match self {
            Self::DuplicatesAtOnce(signals) | Self::NewAtOnce(signals) => signals,
            _ => 1,
        }
    }

    /// Only the gateway works without a lock, where it is not told its pod's name.
    fn has_lock(self) -> bool {
        !matches!(self, Self::NewWithoutALock | Self::DuplicateWithoutALock)
    }

    /// The status of the request that there is before the signal comes.
    fn status(self) -> Option<Value> {
        let counted = |phase: &str| {
            let seen = "2026-01-01T00:00:00Z";
            json!({
                "overallPhase": phase,
                "deduplication": {"firstSeenAt": seen, "lastSeenAt": seen, "occurrenceCount": 1},
            })
        };
        match self {
            Self::AfterAnEnd => Some(counted("Completed")),
            Self::CoolingDown => {
                let mut status = counted("Failed");
                status["completionStatus"] = json!({"outcome": "ManualReviewRequired"});
                Some(status)
            }
            Self::Duplicate
            | Self::Resolved
            | Self::DuplicatesAtOnce(_)
            | Self::CountedMeanwhile
            | Self::HeldAndCreated
            | Self::DuplicateWithoutALock => Some(counted("Executing")),
            _ => None,
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::New => "new",
            Self::AfterAnEnd => "new, an earlier one has ended",
            Self::Duplicate => "duplicate",
            Self::CoolingDown => "duplicate of one that ended and still suppresses",
            Self::Resolved => "resolved",
            Self::DuplicatesAtOnce(signals) => return write!(f, "{signals} duplicates at once"),
            Self::NewAtOnce(signals) => return write!(f, "{signals} at once, new"),
            Self::CountedMeanwhile => "duplicate, another process counts in between",
            Self::HeldAndCreated => "duplicate, another process holds the lease",
            Self::LostTheRace => "another process creates just before",
            Self::HeldThenFreed => "new, another process held the lease and frees it",
            Self::Expired => "new, the lease of a dead process is taken over",
            Self::NewWithoutALock => "new, without POD_NAME",
            Self::DuplicateWithoutALock => "duplicate, without POD_NAME",
        })
    }
}

/// Brings the case about and counts; `None` where the protocol knows no such case.
pub(super) async fn count(
    scene: &Scene,
    case: Case,
    protocol: Protocol,
) -> Result<Option<Cost>, Failure> {
    if protocol == Protocol::Gwlock && !case.has_lock() {
        return Ok(None);
    }
    let stage = Stage::of(scene, case, protocol).await?;
    if let Some(status) = case.status() {
        scene.request(&stage.signal, &status).await?;
    }
    match case {
        Case::HeldAndCreated | Case::HeldThenFreed => scene.lease(&stage.signal).await?,
        Case::Expired => {
            scene.old_lease(&stage.signal).await?;
            // The gateway goes by its own clock and what the holder wrote.
            if protocol == Protocol::Gwlock {
                scene.expiry(&stage.signal).await?;
            }
        }
        _ => {}
    }
    stage.react();
    match protocol {
        Protocol::Gwlock => stage.through_gwlock().await?,
        #[cfg(feature = "sim")]
        Protocol::Gateway => stage.through_gateway().await?,
    }
    Ok(Some(Cost {
        signals: case.signals(),
        asked: stage.tap.asked(),
    }))
}

struct Stage<'a> {
    scene: &'a Scene,
    case: Case,
    protocol: Protocol,
    signal: Signal,
    /// Whether the protocol takes the alert for something to remediate.
    is_taken: bool,
    tap: Tap,
    standing: Arc<StandingClock>,
}

impl<'a> Stage<'a> {
    async fn of(scene: &'a Scene, case: Case, protocol: Protocol) -> Result<Self, Failure> {
        let bug = |error: anyhow::Error| Failure::new(Exit::Bug, error);
        let status = if case == Case::Resolved {
            "resolved"
        } else {
            "firing"
        };
        let now = Timestamp::now();
        let target = format!("{}-{protocol:?}", case.name()).to_lowercase();
        let body = json!({"version": "4", "status": status, "alerts": [{
            "status": status, "startsAt": now.to_string(),
            "labels": {
                "alertname": "GwlockBench", "severity": "info", "namespace": scene.place.namespace, "deployment": target,
            },
        }]});
        let ingestion = Ingestion::offline(GatewayVersion::Current);
        let webhook = ingestion
            .webhook(body.to_string().into_bytes(), None, now)
            .map_err(|error| bug(error.into()))?;
        let alert: &Alert = &webhook.alerts[0];
        let mut signal = ingestion
            .alert(&webhook, alert, now)
            .await
            .map_err(|error| bug(error.into()))?;
        scene.mark(&mut signal);
        let is_taken = match protocol {
            Protocol::Gwlock => ingestion.alerts(&webhook).next().is_some(),
            // The gateway does not look at the status of an alert.
            #[cfg(feature = "sim")]
            Protocol::Gateway => true,
        };
        Ok(Self {
            scene,
            case,
            protocol,
            signal,
            is_taken,
            tap: Tap::default(),
            standing: Arc::default(),
        })
    }

    /// What others do when the protocol has come so far.
    fn react(&self) {
        let (scene, signal) = (self.scene.clone(), self.signal.clone());
        let status = Case::Duplicate.status().unwrap_or_default();
        let is_ours = self.protocol == Protocol::Gwlock;
        match self.case {
            Case::CountedMeanwhile => {
                let request = if is_ours {
                    "patch remediationrequests/status"
                } else {
                    "update remediationrequests/status"
                };
                self.tap.before(request, async move {
                    let count = json!({"deduplication": {"occurrenceCount": 2}});
                    drop(scene.status(&signal, &count).await);
                });
            }
            Case::LostTheRace => {
                self.tap.before("create leases", async move {
                    drop(scene.lease(&signal).await);
                    drop(scene.request(&signal, &status).await);
                });
                let clock = self.standing.clone();
                self.tap
                    .before("watch leases", async move { clock.advance(FIRST_LOOK) });
            }
            Case::HeldThenFreed => {
                let request = if is_ours {
                    "watch leases"
                } else {
                    "list remediationrequests"
                };
                self.tap.before(
                    request,
                    async move { drop(scene.delete_lease(&signal).await) },
                );
            }
            _ => {}
        }
    }

    fn signals(&self) -> u32 {
        if self.is_taken {
            self.case.signals()
        } else {
            0
        }
    }

    fn client(&self) -> kube::Client {
        self.tap.client(&self.scene.place.client, &self.scene.gate)
    }

    async fn through_gwlock(&self) -> Result<(), Failure> {
        let clock: Arc<dyn Clock> = match self.case {
            Case::LostTheRace | Case::HeldThenFreed | Case::Expired => self.standing.clone(),
            _ => Arc::new(SystemClock),
        };
        let namespace = &self.scene.place.namespace;
        let processor =
            SignalProcessor::builder(self.client(), namespace, namespace, "gwlock-bench")
                .clock(clock)
                .build();
        let signals = 0..self.signals();
        let processed = join_all(signals.map(|_| processor.process(self.signal.clone())));
        for processed in processed.await {
            drop(processed.map_err(|failure| not_processed(&failure, namespace))?);
        }
        processor.settled().await;
        Ok(())
    }

    /// One after the other: at once they would be in each other's way, by chance, and cost more.
    #[cfg(feature = "sim")]
    async fn through_gateway(&self) -> Result<(), Failure> {
        use rand::SeedableRng as _;
        let namespace = &self.scene.place.namespace;
        let place = gateway::Place {
            locks: namespace,
            requests: namespace,
            pod: self.case.has_lock().then_some("gwlock-bench"),
        };
        let rng = rand::rngs::StdRng::seed_from_u64(0);
        let gateway = GatewaySignals::new(self.client(), place, Arc::new(SystemClock), rng);
        for _ in 0..self.signals() {
            let processed = gateway.process(&self.signal).await;
            processed.map_err(|error| Failure::unclear(error.into()))?;
        }
        Ok(())
    }
}

fn not_processed(failure: &gwlock_engine::remediation::Failure, namespace: &str) -> Failure {
    let Some(rule) = failure.missing_rule() else {
        return Failure::unreachable(&failure.to_string());
    };
    let rule = Rule {
        group: rule.api_group,
        resource: rule.resource,
        verb: rule.verb,
        namespace: Some(namespace),
    };
    Failure::lacks(failure.to_string(), rule)
}
