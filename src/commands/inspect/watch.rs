//! `inspect --watch`: a row for every change.
//!
//! An event only says that something changed; each lease is read again, because an event's time is not evidence.

use futures_util::StreamExt;
use gwlock_engine::client::list::{Listing, collection_path};
use gwlock_engine::client::watch::{WatchError, names};
use gwlock_engine::protocol::key::LeaseName;

use super::{Arguments, Report, list_all, read, show};
use crate::context::Cluster;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

pub(super) async fn follow(
    arguments: &Arguments,
    keys: &[LeaseName],
    cluster: &Cluster,
    listing: &Listing,
) -> Result<Exit, Failure> {
    let namespace = Some(cluster.namespace.as_str()).filter(|_| !arguments.all_namespaces);
    let mut version = listing.resource_version.clone();
    loop {
        let uri = format!(
            "{}?watch=true&allowWatchBookmarks=true&resourceVersion={version}",
            collection_path(namespace)
        );
        let events = match names(&cluster.client, uri).await {
            Ok(events) => events,
            Err(WatchError::Forbidden(message)) => {
                return Err(Failure::says(Exit::Forbidden, message));
            }
            Err(WatchError::Failed(message)) => return Err(Failure::unreachable(&message)),
        };
        let mut events = std::pin::pin!(events);
        while let Some(event) = events.next().await {
            if arguments.wants(&event.name, keys) {
                let cluster = Cluster {
                    namespace: event.namespace,
                    ..cluster.clone()
                };
                row(arguments, &event.name, &cluster).await?;
            }
        }
        // The watch ended, or its version is too old by now: start again from the present.
        version = list_all(arguments, cluster).await?.resource_version;
    }
}

async fn row(arguments: &Arguments, name: &str, cluster: &Cluster) -> Result<(), Failure> {
    let Ok(key) = LeaseName::new(name) else {
        return Ok(());
    };
    let (item, date) = read(&key, cluster).await?;
    let text = match item {
        Some(item) => {
            let shown = show(arguments, &[Report::of(&item, date)])?;
            let is_table = !arguments.output.is_structured() && !arguments.no_headers;
            match shown.split_once('\n').filter(|_| is_table) {
                Some((_, row)) => row.to_owned(),
                None => shown,
            }
        }
        None => format!("{name}   -   gone"),
    };
    Ok(output::data(&text)?)
}
