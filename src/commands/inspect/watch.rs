//! `inspect --watch`: a row for every change, and one when a lease expires, which changes nothing on the server.
//!
//! An event only says that something changed; each lease is read again, because an event's time is not evidence.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use gwlock_engine::client::list::{Listing, collection_path, encode};
use gwlock_engine::client::watch::{Changed, WatchError, names};
use gwlock_engine::protocol::key::LeaseName;
use tokio::time::Instant;

use super::report::{Report, Reports};
use super::{Arguments, look, read};
use crate::context::Cluster;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::table::Columns;
use crate::output::{self, colour, format::Format};

/// After the moment at which a lease expires by the server's whole seconds.
const A_SECOND: Duration = Duration::from_secs(1);

/// A lease: its namespace and its name.
type Lease = (String, String);

/// What was shown last.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shown {
    version: String,
    state: &'static str,
    expires: Option<Instant>,
}

/// Shows what changes.
pub(super) struct Follower<'a> {
    arguments: &'a Arguments,
    keys: &'a [LeaseName],
    cluster: &'a Cluster,
    columns: Columns,
    shown: HashMap<Lease, Shown>,
}

impl<'a> Follower<'a> {
    pub(super) fn new(
        arguments: &'a Arguments,
        keys: &'a [LeaseName],
        cluster: &'a Cluster,
    ) -> Self {
        let header = Report::header(arguments.all_namespaces, arguments.is_wide());
        Self {
            arguments,
            keys,
            cluster,
            columns: Columns::new(header, colour::on_stdout()),
            shown: HashMap::new(),
        }
    }

    /// Shows what there is, then every change of it, for as long as the server answers.
    pub(super) async fn run(mut self, listing: &Listing) -> Result<Exit, Failure> {
        let mut version = self.begin(listing)?;
        loop {
            let mut events = std::pin::pin!(self.watch(&version).await?);
            loop {
                let next = self.next_expiry();
                let (namespace, name) = tokio::select! {
                    event = events.next() => match event {
                        Some(changed) => (changed.namespace, changed.name),
                        None => break,
                    },
                    Some(expired) = wait_for(next) => expired,
                };
                if self.arguments.wants(&name, self.keys) {
                    self.look_at(namespace, name).await?;
                }
            }
            // The watch ended, or its version is too old by now: start again from the present.
            version = self.catch_up(&look(self.arguments, self.keys, self.cluster).await?)?;
        }
    }

    fn begin(&mut self, listing: &Listing) -> Result<String, Failure> {
        for report in Reports(listing).iter() {
            self.columns.measure(&self.cells(&report));
        }
        if self.arguments.is_table() && !self.arguments.no_headers {
            output::stream(|out| self.columns.write_header(out))?;
        }
        for report in Reports(listing).iter() {
            self.show(&report)?;
        }
        Ok(listing.resource_version.clone())
    }

    async fn watch(&self, version: &str) -> Result<impl Stream<Item = Changed> + use<'a>, Failure> {
        let namespace = self.arguments.namespace(self.cluster);
        let mut uri = format!(
            "{}?watch=true&allowWatchBookmarks=true&resourceVersion={version}",
            collection_path(namespace)
        );
        // A role may allow to watch one lease alone.
        if let [key] = self.keys {
            uri.push_str(&format!("&fieldSelector=metadata.name%3D{key}"));
        }
        if let Some(selector) = &self.arguments.selector {
            uri.push_str(&format!("&labelSelector={}", encode(selector)));
        }
        names(&self.cluster.client, uri)
            .await
            .map_err(|error| match error {
                WatchError::Forbidden(message) => Failure::forbidden(message, "watch", namespace),
                WatchError::Failed(message) => Failure::unreachable(&message),
            })
    }

    /// Shows what has changed while nobody watched.
    fn catch_up(&mut self, listing: &Listing) -> Result<String, Failure> {
        let mut gone: HashSet<Lease> = self.shown.keys().cloned().collect();
        for report in Reports(listing).iter() {
            gone.remove(&report.lease());
            self.show_if_new(&report)?;
        }
        for (namespace, name) in gone {
            self.show_if_new(&Report::gone(&namespace, &name))?;
        }
        Ok(listing.resource_version.clone())
    }

    async fn look_at(&mut self, namespace: String, name: String) -> Result<(), Failure> {
        let Ok(key) = LeaseName::new(&name) else {
            return Ok(());
        };
        match read(&key, &namespace, self.cluster).await? {
            (Some(item), date) => self.show_if_new(&Report::of(&item, date)),
            (None, _) => self.show_if_new(&Report::gone(&namespace, &name)),
        }
    }

    /// Two events may be followed by one read that answers both.
    fn show_if_new(&mut self, report: &Report<'_>) -> Result<(), Failure> {
        match self.shown.get_mut(&report.lease()) {
            None if report.is_gone() => Ok(()),
            Some(shown) if shown.version == report.version && shown.state == report.state => {
                shown.expires = expiry(report);
                Ok(())
            }
            _ => self.show(report),
        }
    }

    fn show(&mut self, report: &Report<'_>) -> Result<(), Failure> {
        let shown = Shown {
            version: report.version.to_owned(),
            state: report.state,
            expires: expiry(report),
        };
        if report.is_gone() {
            self.shown.remove(&report.lease());
        } else {
            self.shown.insert(report.lease(), shown);
        }
        match &self.arguments.output {
            Format::Table | Format::Wide => {
                self.columns.measure(&self.cells(report));
                output::stream(|out| self.columns.write(out, &self.cells(report), report.style()))?;
            }
            Format::Name => output::data(&report.resource_name())?,
            format => output::data(&format.print_line(&report.value())?)?,
        }
        Ok(())
    }

    fn cells<'r>(&self, report: &'r Report<'_>) -> Vec<Cow<'r, str>> {
        report.cells(self.arguments.all_namespaces, self.arguments.is_wide())
    }

    fn next_expiry(&self) -> Option<(Lease, Instant)> {
        let expiring = self
            .shown
            .iter()
            .filter_map(|(lease, shown)| Some((lease, shown.expires?)));
        let (lease, at) = expiring.min_by_key(|(_, at)| *at)?;
        Some((lease.clone(), at))
    }
}

fn expiry(report: &Report<'_>) -> Option<Instant> {
    Some(Instant::now() + report.expires_in()? + A_SECOND)
}

/// The lease that expires at this moment, once it has come.
async fn wait_for(next: Option<(Lease, Instant)>) -> Option<Lease> {
    let (lease, at) = next?;
    tokio::time::sleep_until(at).await;
    Some(lease)
}
