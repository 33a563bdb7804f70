//! What is asked for and in which order: leases first, and what stands behind them as early as it can be known.

use gwlock_engine::client::list::{Listed, Listing};
use gwlock_engine::client::{Clock as _, SystemClock};
use gwlock_engine::protocol::key::{Fingerprint, LeaseName};
use serde_json::Value;

use super::super::gather::{self, Gathered, Place, Wanted};
use super::Arguments;
use super::reading::{look, read_whole};
use crate::context::Cluster;
use crate::evidence::machine_clock::MachineClock;
use crate::failure::Failure;

/// What was read.
pub(super) struct Seen {
    pub(super) listing: Listing,
    /// The object, where one lease is shown.
    pub(super) object: Value,
    /// This machine's clock by the answer that had the `Date`.
    clock: Option<MachineClock>,
    /// What was asked for beside the one lease.
    beside: Option<Beside>,
}

/// What is asked for while one lease is read, because its name alone tells what to ask for.
struct Beside {
    requests: gather::Found,
    events: Result<Vec<Value>, gather::Unread>,
}

impl Beside {
    async fn read(
        arguments: &Arguments,
        key: &LeaseName,
        fingerprints: &[Fingerprint],
        cluster: &Cluster,
    ) -> Option<Self> {
        if !arguments.wants_evidence() {
            return None;
        }
        let (namespace, lease) = (cluster.namespace.as_str(), key.as_str());
        let given = arguments.controller_namespace.as_deref();
        let controller_namespace = cluster.given_controller_namespace(given);
        let wanted = Wanted {
            leases: &[Place { namespace, lease }],
            fingerprints,
            controller_namespace: controller_namespace.as_deref(),
        };
        let (requests, events) = tokio::join!(
            gather::requests(cluster, wanted),
            gather::events(cluster, namespace, lease)
        );
        Some(Self { requests, events })
    }
}

impl Seen {
    pub(super) async fn read(
        arguments: &Arguments,
        keys: &[LeaseName],
        fingerprints: &[Fingerprint],
        cluster: &Cluster,
    ) -> Result<Self, Failure> {
        let sent = SystemClock.wall();
        let (listing, object, beside) = match keys {
            [key] if arguments.shows_one(keys) => {
                let (read, beside) = tokio::join!(
                    read_whole(key, &cluster.namespace, cluster),
                    Beside::read(arguments, key, fingerprints, cluster)
                );
                let read = read?;
                let (item, object) = read.lease.unzip();
                let listing = Listing {
                    items: item.into_iter().collect(),
                    date: read.date,
                    took: read.took,
                    resource_version: String::new(),
                };
                (listing, object.unwrap_or_default(), beside)
            }
            keys => (look(arguments, keys, cluster).await?, Value::Null, None),
        };
        let date = listing.date;
        let clock = date.map(|date| MachineClock::measured(sent, listing.took, date));
        Ok(Self {
            listing,
            object,
            clock,
            beside,
        })
    }

    /// By how many seconds this machine's clock is certainly ahead.
    pub(super) fn machine_skew(&self) -> i64 {
        self.clock.map_or(0, MachineClock::certain_seconds)
    }
}

/// The Events about the one lease, if they were asked for.
pub(super) type Events = Option<Result<Vec<Value>, gather::Why>>;

/// Asks what stands behind the leases, if that is wanted, and says what cannot be read.
pub(super) async fn behind(
    arguments: &Arguments,
    fingerprints: &[Fingerprint],
    seen: &mut Seen,
    cluster: &Cluster,
) -> (Option<Gathered>, Events) {
    let leases: &[Listed] = &seen.listing.items;
    if leases.is_empty() || !arguments.wants_evidence() {
        return (None, None);
    }
    let (mut gathered, events) = match seen.beside.take() {
        Some(Beside { requests, events }) => {
            let requests = std::future::ready(requests);
            let gathered = Gathered::behind(cluster, leases, requests).await;
            (gathered, Some(events))
        }
        None => {
            let places: Vec<Place<'_>> = leases.iter().map(Place::from).collect();
            let given = arguments.controller_namespace.as_deref();
            let controller_namespace = cluster.given_controller_namespace(given);
            let wanted = Wanted {
                leases: &places,
                fingerprints,
                controller_namespace: controller_namespace.as_deref(),
            };
            let requests = gather::requests(cluster, wanted);
            (Gathered::behind(cluster, leases, requests).await, None)
        }
    };
    let events = events.map(|events| {
        events.map_err(|unread| {
            let why = unread.why;
            gathered.unread.push(unread);
            why
        })
    });
    gathered.warn();
    (Some(gathered), events)
}
