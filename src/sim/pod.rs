//! A process of a pod: the real client code of one protocol, and how it tells of its holds.

use std::sync::Arc;
use std::time::Duration;

use gwlock_engine::protocol::key::Target;
use gwlock_engine::protocol::timing::Timing;
use gwlock_engine::remediation::{
    Disposition, Failure, Processed, RemediationRequestSpec, Signal, SignalProcessor,
    TargetResource, TargetType,
};
use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::clock::PodClock;
use super::history::{Outcome, What};
use super::holds;
use super::network::Link;
use super::protocol::Speaks;
use super::protocols::gateway::{self, GatewayError, GatewaySignals, Place, Reply, RequestContext};

/// Where the leases and the RemediationRequests are.
pub(super) const NAMESPACE: &str = "kubernaut-system";
/// How long a gateway gives a request.
const GATEWAY_DEADLINE: Duration = Duration::from_secs(15);

/// A process.
#[derive(Clone)]
pub(super) struct Pod {
    pub(super) link: Arc<Link>,
    brain: Brain,
}

#[derive(Clone)]
enum Brain {
    Ours(SignalProcessor),
    Gateway(Arc<GatewaySignals>),
}

/// What makes a process behave as it does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Character {
    pub(super) speaks: Speaks,
    /// For the engine's protocol; the others have theirs.
    pub(super) timing: Timing,
    pub(super) clock: PodClock,
}

/// The namespace of the leases of a process that shares them with nobody.
pub(super) fn namespace_of_its_own(link: &Link) -> String {
    format!("{}-{}", link.pod, link.incarnation)
}

impl Pod {
    /// A process that has just started.
    pub(super) fn start(link: Arc<Link>, character: Character, rng: &mut StdRng) -> Self {
        let Character {
            speaks,
            timing,
            clock,
        } = character;
        let client = link.client(NAMESPACE);
        let rng = StdRng::seed_from_u64(rng.next_u64());
        let locks = match speaks {
            Speaks::CreateOnly => namespace_of_its_own(&link),
            _ => NAMESPACE.to_owned(),
        };
        let pod = Some(link.pod.as_str()).filter(|_| speaks != Speaks::Unlocked);
        let brain = match speaks {
            Speaks::Gwlock | Speaks::CreateOnly => Brain::Ours(
                SignalProcessor::builder(client, &locks, NAMESPACE, link.pod.clone())
                    .timing(timing)
                    .clock(Arc::new(clock))
                    .rng(rng)
                    .observer(holds::observer(
                        tell(&link),
                        locks.clone(),
                        clock.really(timing.renew_deadline()),
                    ))
                    .build(),
            ),
            Speaks::Gateway | Speaks::GatewayJanuary | Speaks::Unlocked => {
                let place = Place {
                    locks: &locks,
                    requests: NAMESPACE,
                    pod,
                };
                let gateway = GatewaySignals::new(client, place, Arc::new(clock), rng);
                let gateway = match speaks {
                    Speaks::GatewayJanuary => gateway.of_january(),
                    _ => gateway,
                };
                let process = format!("{}.{}", link.pod, link.incarnation);
                let pod = link.pod.clone();
                let holds = holds::gateway_observer(tell(&link), locks.clone(), pod, process);
                Brain::Gateway(Arc::new(gateway.observed_by(holds)))
            }
        };
        link.tell(What::Started);
        Self { link, brain }
    }

    /// Processes a signal to its answer, and tells of it if there is somebody left who could be answered.
    pub(super) async fn process(self, number: u64, signal: Signal) {
        let (outcome, uid, count, why) = match &self.brain {
            Brain::Ours(processor) => match processor.process(signal).await {
                Ok(processed) => ours(&processed),
                Err(failure) => {
                    let outcome = match failure {
                        Failure::Unknown(_) => Outcome::Unknown,
                        _ => Outcome::Failed,
                    };
                    (outcome, None, None, Some(failure.to_string()))
                }
            },
            Brain::Gateway(gateway) => {
                let over = RequestContext::until(tokio::time::sleep(GATEWAY_DEADLINE));
                match gateway.process_within(&signal, &over).await {
                    Ok(reply) => self.gateways(&reply),
                    Err(error) => {
                        let outcome = match &error {
                            GatewayError::Api(kube::Error::Api(status))
                                if (400..500).contains(&status.code) =>
                            {
                                Outcome::Failed
                            }
                            GatewayError::Timeout => Outcome::Failed,
                            _ => Outcome::Unknown,
                        };
                        (outcome, None, None, Some(error.to_string()))
                    }
                }
            }
        };
        if self.link.passes().await {
            self.link.tell(What::Answer {
                signal: number,
                outcome,
                uid,
                count,
                why,
            });
        }
    }

    /// Waits until nothing goes on in the background any more.
    pub(super) async fn settled(&self) {
        if let Brain::Ours(processor) = &self.brain {
            processor.settled().await;
        }
    }

    fn gateways(&self, reply: &Reply) -> Told {
        let outcome = match reply.outcome {
            gateway::Outcome::Created => Outcome::Created,
            gateway::Outcome::Duplicate => Outcome::Duplicate,
        };
        let uid = self.link.servers.recorder.uid_of(&reply.name);
        (outcome, uid, Some(reply.count), None)
    }
}

fn tell(link: &Arc<Link>) -> impl Fn(What) + Send + Sync + 'static {
    let link = link.clone();
    move |what| link.tell(what)
}

type Told = (Outcome, Option<String>, Option<i64>, Option<String>);

fn ours(processed: &Processed) -> Told {
    let outcome = match processed.disposition {
        Disposition::Created => Outcome::Created,
        Disposition::Duplicate(_) => Outcome::Duplicate,
    };
    let count = Some(i64::from(processed.count));
    (outcome, Some(processed.uid.clone()), count, None)
}

/// A signal about this fingerprint.
pub(super) fn signal(key: u32, now: Timestamp) -> anyhow::Result<Signal> {
    let target = Target::parse(&format!("prod/Deployment/app-{key}"));
    let target = target.ok_or_else(|| anyhow::anyhow!("a target is not understood"))?;
    Ok(Signal::new(RemediationRequestSpec {
        signal_fingerprint: target.fingerprint(),
        signal_name: "HighMemoryUsage".to_owned(),
        severity: "critical".to_owned(),
        signal_type: "alert".to_owned(),
        signal_source: Some("simulation".to_owned()),
        target_type: TargetType::Kubernetes,
        target_resource: TargetResource {
            api_version: None,
            kind: target.kind,
            name: target.name,
            namespace: Some(target.namespace),
        },
        cluster_id: None,
        firing_time: now,
        received_time: now,
        signal_labels: [].into(),
        signal_annotations: [].into(),
        provider_data: None,
        original_payload: None,
    }))
}
