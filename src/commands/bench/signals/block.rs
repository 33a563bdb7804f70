//! A block: one load through replicas of one protocol in a namespace, from its making to its removal.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use gwlock_engine::client::list as leases;
use gwlock_engine::remediation::list::Selection;
use serde_json::Value;
use tokio::time::sleep;

use super::Protocol;
use super::alerts::{self, Alerts};
use super::exact::{Exactness, Request};
use super::fleet::Fleet;
use super::generator::{self, Shared, lock};
use super::measured::Measured;
use super::mix::Load;
use super::progress::Progress;
use super::scrape::{self, Requests};
use super::stop::Stop;
use super::tally::Tally;
use crate::commands::bench::place::Place;
use crate::context::{Cluster, Context};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// For a LIST of what was made.
const LIST_TIMEOUT: Duration = Duration::from_secs(60);
/// Objects that are deleted at the same time.
const AT_ONCE: usize = 32;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Block {
    pub(super) protocol: Protocol,
    pub(super) load: Load,
    pub(super) replicas: u32,
    /// Signals that take longer are late.
    pub(super) limit: Duration,
    /// Ends as soon as it is clear that the limit is not kept.
    pub(super) gives_up: bool,
}

/// How a block ended.
pub(super) enum Ended {
    Measured(Box<Measured>),
    /// By the POSIX signal of this number; nothing of it is left.
    Interrupted(u8),
}

/// What a load has led to, as replicas and senders saw it.
struct Sent {
    tally: Tally,
    requests: Requests,
    metrics: String,
}

impl Block {
    /// Measures in this place, and removes whatever has been made in it.
    pub(super) async fn run(
        &self,
        context: &Context,
        cluster: &Cluster,
        place: &Place,
        stop: &Stop,
    ) -> Result<Ended, Failure> {
        let prepared = tokio::select! {
            biased;
            number = stop.wanted() => return Ok(Ended::Interrupted(number)),
            prepared = place.prepare() => prepared,
        };
        prepared?;
        let tally = Shared::default();
        *lock(&tally) = Tally::with_limit(self.limit);
        let sent = self.send(context, place, stop, &tally).await;
        let found = requests(cluster, place).await;
        let tally = lock(&tally).clone();
        let removed = self.remove(place, &tally, found.as_ref().ok()).await;
        let sent = match sent {
            Ok(ControlFlow::Continue(sent)) => sent,
            Ok(ControlFlow::Break(number)) => {
                return removed.map(|()| Ended::Interrupted(number));
            }
            // Why nothing was measured is worth more than what that led to.
            Err(failure) => return Err(failure),
        };
        removed?;
        let fingerprint = |number| alerts::fingerprint(&place.namespace, number);
        let exactness = Exactness::of(&sent.tally.fingerprints, fingerprint, &found?);
        Ok(Ended::Measured(Box::new(Measured {
            block: *self,
            tally: sent.tally,
            requests: sent.requests,
            exactness,
            metrics: sent.metrics,
        })))
    }

    /// Starts replicas, sends the load, and ends them, however that went.
    async fn send(
        &self,
        context: &Context,
        place: &Place,
        stop: &Stop,
        tally: &Shared,
    ) -> Result<ControlFlow<u8, Sent>, Failure> {
        let http = alerts::http();
        let starting = Fleet::start(context, place, self.protocol, self.replicas, http.clone());
        let fleet = tokio::select! {
            biased;
            number = stop.wanted() => return Ok(ControlFlow::Break(number)),
            fleet = starting => fleet?,
        };
        let sending = async {
            // A trial is over before anybody could ask.
            if !self.gives_up {
                output::note(&format!("{self}: metrics at {}", fleet.metrics().join(" ")));
            }
            let alerts = Alerts::new(http, &fleet.signals(), &place.namespace, &place.run);
            let alerts = alerts.map_err(|error| Failure::new(Exit::Bug, error))?;
            self.measure(&fleet, &Arc::new(alerts), tally).await
        };
        let sent = tokio::select! {
            biased;
            number = stop.wanted() => {
                output::note("interrupted; removing what the benchmark made");
                Ok(ControlFlow::Break(number))
            }
            sent = sending => sent.map(ControlFlow::Continue),
        };
        fleet.end().await;
        sent
    }

    async fn measure(
        &self,
        fleet: &Fleet,
        alerts: &Arc<Alerts>,
        tally: &Shared,
    ) -> Result<Sent, Failure> {
        // A replica that has just started has asked nothing of what is counted.
        let before = async {
            if self.load.warm_up.is_zero() {
                return Ok(Requests::default());
            }
            sleep(self.load.warm_up).await;
            fleet.requests().await
        };
        let most_late = self.load.signals().div_ceil(100);
        let is_hopeless = |tally: &Tally| {
            if self.gives_up && (tally.failures() > 0 || tally.late() > most_late) {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        };
        let sending = async {
            generator::run(&self.load, alerts, tally, is_hopeless).await;
            fleet.at_rest().await
        };
        let progress = Progress::of(self);
        let (sent, before) = tokio::select! {
            both = async { tokio::join!(sending, before) } => both,
            never = progress.follow(fleet, tally) => match never {},
        };
        sent?;
        let before = before?;
        let texts = fleet.scrape().await?;
        let mut requests = Requests::default();
        for text in &texts {
            requests.add(&Requests::read(text));
        }
        Ok(Sent {
            tally: lock(tally).clone(),
            requests: requests.since(&before),
            metrics: scrape::sum(&texts),
        })
    }

    /// Removes the RemediationRequests of this run and the leases that somebody has left, then the namespace.
    async fn remove(
        &self,
        place: &Place,
        tally: &Tally,
        found: Option<&Vec<Request>>,
    ) -> Result<(), Failure> {
        let requests = found.into_iter().flatten();
        let requests = requests.map(|request| place.requests(&format!("/{}", request.name)));
        let numbers = 0..u32::try_from(tally.fingerprints.len()).unwrap_or(u32::MAX);
        let own: HashSet<String> = numbers
            .map(|number| alerts::fingerprint(&place.namespace, number))
            .map(|fingerprint| fingerprint.lease_name().to_string())
            .collect();
        let namespace = Some(place.namespace.as_str());
        let left = leases::list(&place.client, namespace, None, LIST_TIMEOUT, |name| {
            own.contains(name)
        });
        let left = left.await;
        let left = left.map_err(|error| Failure::unlisted(&error, namespace))?;
        let left = left.items.iter();
        let left = left.map(|lease| place.leases(&format!("/{}", lease.name)));
        let all: Vec<String> = requests.chain(left).collect();
        stream::iter(all)
            .map(|path| async move { place.delete(&path).await })
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await?;
        place.remove().await
    }
}

/// The RemediationRequests of this run.
async fn requests(cluster: &Cluster, place: &Place) -> Result<Vec<Request>, Failure> {
    let selection = Selection {
        namespace: Some(&place.namespace),
        ..Selection::default()
    };
    let own = |object: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let count = &object["status"]["deduplication"]["occurrenceCount"];
        let labels = &object["spec"]["signalLabels"];
        (labels[alerts::LABEL] == place.run.as_str()).then(|| Request {
            name: text(&object["metadata"]["name"]),
            fingerprint: text(&object["spec"]["signalFingerprint"]),
            count: count.as_u64().unwrap_or(0),
        })
    };
    let listed = crate::commands::requests::list(cluster, selection, own).await;
    listed.map(|listing| listing.items)
}
