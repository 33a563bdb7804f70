//! A replica that counts signals by the Kubernaut Gateway's protocol, so that both can be measured in the same way.
//!
//! Everything around the protocol (HTTP, ingestion, limits, answers) is gwlock's.

use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use futures_util::FutureExt as _;
use futures_util::future::{self, BoxFuture};
use gwlock_engine::client::{Clock as _, SystemClock};
use gwlock_engine::remediation::dedup::Reason;
use gwlock_engine::remediation::exchange::{Refusal, Rule};
use gwlock_engine::remediation::{Disposition, Failure as NotProcessed, Processed, Signal};
use http::Request;
use kube::client::Body;
use rand::SeedableRng as _;
use rand::rngs::{StdRng, SysRng};

use crate::commands::asked::Asked;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::gateway::server::metrics::Metrics;
use crate::gateway::server::signals::Signals;
use crate::sim::protocols::gateway::{
    GatewayError, GatewaySignals, Outcome, Place, Reply, RequestContext,
};

/// What is counted, as its metric is labelled. Objects that signals are about are looked up by both protocols alike.
const COUNTED: [&str; 3] = [
    "leases",
    "remediationrequests",
    "remediationrequests/status",
];

/// What a replica speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Protocol {
    /// The engine's
    Gwlock,
    /// The Kubernaut Gateway's
    Gateway,
    /// The same with the release of January 2026
    GatewayJanuary,
    /// The gateway's without a pod name, so without a lease
    Unlocked,
}

/// What a replica of the gateway is made from.
pub(super) struct Replica<'a> {
    pub(super) client: &'a kube::Client,
    pub(super) leases: &'a str,
    pub(super) requests: &'a str,
    pub(super) base: &'a str,
    pub(super) metrics: &'a Arc<Metrics>,
    /// How long a gateway gives a request.
    pub(super) deadline: Duration,
}

struct Gateway {
    signals: GatewaySignals,
    namespace: String,
    deadline: Duration,
}

impl Replica<'_> {
    /// What counts signals by this protocol; `None` for gwlock's own.
    pub(super) fn speaking(self, protocol: Protocol) -> Result<Option<Arc<dyn Signals>>, Failure> {
        let pod = match protocol {
            Protocol::Gwlock => return Ok(None),
            Protocol::Unlocked => None,
            Protocol::Gateway | Protocol::GatewayJanuary => Some(self.base),
        };
        let rng = StdRng::try_from_rng(&mut SysRng);
        let rng = rng.map_err(|error| Failure::new(Exit::Bug, error))?;
        let place = Place {
            locks: self.leases,
            requests: self.requests,
            pod,
        };
        let client = counted(self.client, self.metrics);
        let signals = GatewaySignals::new(client, place, Arc::new(SystemClock), rng);
        let signals = match protocol {
            Protocol::GatewayJanuary => signals.of_january(),
            _ => signals,
        };
        Ok(Some(Arc::new(Gateway {
            signals,
            namespace: self.requests.to_owned(),
            deadline: self.deadline,
        })))
    }
}

impl Signals for Gateway {
    fn process(&self, signal: Signal) -> BoxFuture<'_, Result<Processed, NotProcessed>> {
        async move {
            let over = RequestContext::until(tokio::time::sleep(self.deadline));
            let reply = self.signals.process_within(&signal, &over).await;
            reply
                .map(|reply| self.processed(&signal, reply))
                .map_err(|error| not_processed(&error))
        }
        .boxed()
    }

    /// A gateway does nothing after its answer.
    fn settled(&self) -> BoxFuture<'_, ()> {
        future::ready(()).boxed()
    }
}

impl Gateway {
    fn processed(&self, signal: &Signal, reply: Reply) -> Processed {
        let count = i32::try_from(reply.count).unwrap_or(i32::MAX);
        let (first_seen, last_seen) = reply.seen.unwrap_or_else(|| {
            let now = SystemClock.wall();
            (now, now)
        });
        Processed {
            disposition: match reply.outcome {
                Outcome::Created => Disposition::Created,
                Outcome::Duplicate => Disposition::Duplicate(Reason::Active),
            },
            fingerprint: signal.fingerprint().clone(),
            name: reply.name,
            namespace: self.namespace.clone(),
            // Its answers know none.
            uid: String::new(),
            count,
            persisted: count,
            first_seen,
            last_seen,
        }
    }
}

fn not_processed(error: &GatewayError) -> NotProcessed {
    match error {
        GatewayError::Over => NotProcessed::DeadlineExceeded(error.to_string()),
        GatewayError::Api(kube::Error::Api(status)) => NotProcessed::Refused(Refusal {
            code: status.code,
            reason: status.reason.clone(),
            message: status.message.clone(),
            rule: Rule::LIST,
        }),
        GatewayError::Timeout | GatewayError::Api(_) => NotProcessed::Unknown(error.to_string()),
    }
}

/// The client, every request of which is counted when it is answered.
fn counted(client: &kube::Client, metrics: &Arc<Metrics>) -> kube::Client {
    let namespace = client.default_namespace().to_owned();
    let (client, metrics) = (client.clone(), metrics.clone());
    let service = tower::service_fn(move |request: Request<Body>| {
        let (client, metrics) = (client.clone(), metrics.clone());
        async move {
            let asked = Asked::of(&request);
            let answer = client.send(request).await;
            let status = answer.as_ref().map_or(0, |answer| answer.status().as_u16());
            if let Some(resource) = COUNTED.iter().find(|name| **name == asked.resource) {
                metrics.asked(asked.verb, resource, status);
            }
            answer
        }
    });
    kube::Client::new(service, namespace)
}
