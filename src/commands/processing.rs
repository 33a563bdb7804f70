//! From the current cluster to all that makes counts of signals: what `serve` and `send --direct` share.

use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use gwlock_engine::protocol::timing::Timing;
use gwlock_engine::remediation::SignalProcessor;
use gwlock_engine::remediation::trace::Observer;
use tokio::time::timeout;

use super::resolve::Version;
use crate::context::Cluster;
use crate::failure::Failure;
use crate::gateway::ingest::Ingestion;
use crate::gateway::kinds::{Kinds, discovery};
use crate::gateway::objects::Objects;

/// How long the API server may take to say which kinds it serves.
const DISCOVERY: Duration = Duration::from_secs(30);

/// Which signals lead to a RemediationRequest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scope {
    /// Those about objects with the label kubernaut.ai/managed=true, or in a namespace with it
    Managed,
    /// All
    All,
}

/// What is different from one command to the other.
pub(crate) struct Settings<'a> {
    /// The base of holder identities.
    pub(crate) base: &'a str,
    pub(crate) controller_namespace: &'a str,
    pub(crate) version: Version,
    pub(crate) scope: Scope,
    /// How long a signal may take.
    pub(crate) budget: Duration,
    /// Of the leases.
    pub(crate) timing: Timing,
    pub(crate) request_timeout: Option<Duration>,
    /// Is told what the processor does.
    pub(crate) observer: Option<Observer>,
    /// Asks for kinds and objects.
    pub(crate) lookups: kube::Client,
}

/// The way from a body to a count.
pub(crate) struct Processing {
    pub(crate) ingestion: Ingestion,
    pub(crate) processor: SignalProcessor,
    pub(crate) kinds: Arc<Kinds>,
    /// The objects whose labels say what is managed; `None` takes every object for managed.
    pub(crate) scope: Option<Objects>,
}

impl Processing {
    pub(crate) async fn on(cluster: &Cluster, settings: Settings<'_>) -> Result<Self, Failure> {
        let kinds = Arc::new(kinds(&settings.lookups).await?);
        let objects = Objects::new(settings.lookups);
        let mut processor = SignalProcessor::builder(
            cluster.client.clone(),
            &cluster.namespace,
            settings.controller_namespace,
            settings.base,
        )
        .budget(settings.budget)
        .timing(settings.timing);
        if let Some(timeout) = settings.request_timeout {
            processor = processor.request_timeout(timeout);
        }
        if let Some(observer) = settings.observer {
            processor = processor.observer(observer);
        }
        let version = settings.version.into();
        Ok(Self {
            ingestion: Ingestion::new(version, kinds.clone(), objects.clone()),
            processor: processor.build(),
            kinds,
            scope: (settings.scope == Scope::Managed).then_some(objects),
        })
    }
}

async fn kinds(client: &kube::Client) -> Result<Kinds, Failure> {
    match timeout(DISCOVERY, discovery::kinds(client)).await {
        Ok(Ok(kinds)) => Ok(kinds),
        Ok(Err(error)) => Err(Failure::api(&error)),
        Err(_) => Err(Failure::unreachable(&format!(
            "no answer within {DISCOVERY:?}"
        ))),
    }
}
