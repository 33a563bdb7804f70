//! The requests of `inspect` for leases themselves. What they mean is judged elsewhere.

use std::time::Duration;

use gwlock_engine::client::lease_api::LeaseApi;
use gwlock_engine::client::list::{self, Listed, Listing};
use gwlock_engine::client::{Clock, SystemClock};
use gwlock_engine::protocol::exchange::{Answer, Request};
use gwlock_engine::protocol::key::LeaseName;
use jiff::Timestamp;
use serde_json::Value;

use super::{Arguments, DEFAULT_TIMEOUT};
use crate::context::Cluster;
use crate::failure::Failure;

/// What one GET showed.
pub(super) struct Read {
    pub(super) lease: Option<(Listed, Value)>,
    /// The `Date` of the answer.
    pub(super) date: Option<Timestamp>,
    /// How long the answer took.
    pub(super) took: Duration,
}

/// The leases that are asked for.
pub(super) async fn look(
    arguments: &Arguments,
    keys: &[LeaseName],
    cluster: &Cluster,
) -> Result<Listing, Failure> {
    match keys {
        [] => list_all(arguments, cluster).await,
        keys => read_each(keys, cluster).await,
    }
}

async fn list_all(arguments: &Arguments, cluster: &Cluster) -> Result<Listing, Failure> {
    let namespace = arguments.namespace(cluster);
    let timeout = cluster.request_timeout.unwrap_or(DEFAULT_TIMEOUT);
    let wanted = |name: &str| arguments.wants(name, &[]);
    let selector = arguments.selector.as_deref();
    list::list(&cluster.client, namespace, selector, timeout, wanted)
        .await
        .map_err(|error| Failure::unlisted(&error, namespace))
}

async fn read_each(keys: &[LeaseName], cluster: &Cluster) -> Result<Listing, Failure> {
    let mut listing = Listing {
        items: Vec::new(),
        date: None,
        took: Duration::ZERO,
        resource_version: String::new(),
    };
    for key in keys {
        let read = read_whole(key, &cluster.namespace, cluster).await?;
        if listing.date.is_none() {
            (listing.date, listing.took) = (read.date, read.took);
        }
        if let Some((item, _)) = read.lease {
            listing
                .resource_version
                .clone_from(&item.record.resource_version);
            listing.items.push(item);
        }
    }
    Ok(listing)
}

/// One lease and the `Date` of the answer.
pub(super) async fn read(
    key: &LeaseName,
    namespace: &str,
    cluster: &Cluster,
) -> Result<(Option<Listed>, Option<Timestamp>), Failure> {
    let read = read_whole(key, namespace, cluster).await?;
    Ok((read.lease.map(|(lease, _)| lease), read.date))
}

/// One lease with all of its object.
pub(super) async fn read_whole(
    key: &LeaseName,
    namespace: &str,
    cluster: &Cluster,
) -> Result<Read, Failure> {
    let api = LeaseApi::new(cluster.client.clone(), namespace, key.clone());
    let timeout = cluster.request_timeout.unwrap_or(DEFAULT_TIMEOUT);
    let clock: &dyn Clock = &SystemClock;
    let sent = clock.now();
    let exchanged = api.exchange(&Request::Get, None, timeout, clock).await;
    let (reply, object) = (exchanged.reply, exchanged.object);
    let took = reply.arrived.since(sent);
    let lease = match reply.answer {
        Answer::Lease(record) => {
            let item = Listed {
                namespace: namespace.to_owned(),
                name: key.to_string(),
                record: *record,
            };
            Some((item, object.unwrap_or_default()))
        }
        Answer::NotFound => None,
        Answer::Refused(refusal) => return Err(Failure::refused(&refusal, Some(namespace))),
        Answer::NotExecuted(why) => return Err(Failure::unreachable(&why.message)),
        Answer::Unclear(message) => return Err(Failure::unreachable(&message)),
        other => {
            return Err(Failure::unreachable(&format!(
                "unexpected answer {other:?}"
            )));
        }
    };
    Ok(Read {
        lease,
        date: reply.date,
        took,
    })
}
